"""A mode as a table: who is seen, and what is added to the scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from attention_lab.pictures.style import escaped, format_number, format_weight
from attention_lab.pictures.tables import DENSE, matrix_table

__all__ = ["mode_table"]

LONGEST = 7  # characters of a token
SHORTEST = 5  # of one in a table in small print


def mode_table(
    visible: Tensor, numbers: Tensor, tokens: Sequence[str], *, weights: bool = False
) -> str:
    """Draw which pairs a mode keeps, and a number for each; the table has the class alab-mode.

    Parameters
    ----------
    visible : Tensor, shape (n, n), boolean
        True = may attend.
    numbers : Tensor, shape (n, n)
        What the mode adds to each score; with ``weights``, the weights that it gives.
    tokens : sequence of str
        n words, for the rows and the columns.

    Returns
    -------
    str
        One table; hidden pairs are striped.
    """
    most = SHORTEST if len(tokens) > DENSE else LONGEST
    heads = [f"{i}\n{_short(token, most)}" for i, token in enumerate(tokens)]
    rows = [f"{i} {_short(token, most)}" for i, token in enumerate(tokens)]
    hidden = ~visible

    def why(i: int, j: int) -> str:
        number = numbers[i, j].item()
        said = f"query {i} “{escaped(tokens[i])}”, key {j} “{escaped(tokens[j])}”: "
        if hidden[i, j]:
            return said + "hidden"
        if weights:
            return f"{said}weight {format_weight(number)}"
        factor = format_number(math.exp(min(number, 700)))
        return f"{said}seen, {format_number(number)} is added: a prior of {factor}"

    return matrix_table(
        numbers if weights else numbers.masked_fill(hidden, -math.inf),
        caption="weights of equal scores" if weights else "added to the scores",
        formula="striped: hidden",
        rows=rows,
        columns=heads,
        weights=weights,
        row_sums=weights,
        hidden=hidden,
        part="alab-mode",
        largest=None
        if weights
        else max(1.0, numbers[visible].abs().max().item())
        if visible.any()
        else 1.0,
        why=why,
    )


def _short(token: str, most: int) -> str:
    return token if len(token) <= most else f"{token[: most - 1]}…"
