"""A mask, the weights it gives, and what leaks through it all the same."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from attention_lab.core.attention import attention, masked_softmax
from attention_lab.core.leaks import leak_map
from attention_lab.pictures.style import format_number, labels
from attention_lab.pictures.tables import matrix_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, count_field, row, watch
from attention_lab.ui.mask_editor import MaskEditor

__all__ = ["MaskExplorer"]

TOKENS, MOST_TOKENS = 5, 16  # at the start, and at most


def _before(scores: Tensor, mask: Tensor) -> Tensor:
    return masked_softmax(scores.masked_fill(~mask, -math.inf))


def _large_number(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.masked_fill(~mask, -1e9).softmax(dim=-1)


def _after(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.softmax(dim=-1) * mask


def _wrong_axis(scores: Tensor, mask: Tensor) -> Tensor:
    # a column with every query hidden would be nan
    return masked_softmax(scores.masked_fill(~mask, -math.inf).mT).mT


def _inverted(scores: Tensor, mask: Tensor) -> Tensor:
    return _before(scores, ~mask)


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "−∞ before the softmax (right)": _before,
    "−1e9 before the softmax": _large_number,
    "× 0 after the softmax": _after,
    "softmax over the queries": _wrong_axis,
    "mask the wrong way round": _inverted,
}


class MaskExplorer(LiveView):
    """Toggle any cell of a mask; see the weights and the leak map of self-attention follow.

    The tokens, five at the start, are random, of dimension 4; queries, keys and values are three
    fixed products of them.

    Parameters
    ----------
    way : str
        How the mask is applied, one of `WAYS`.
    """

    def __init__(self, way: str = next(iter(WAYS))) -> None:
        super().__init__()
        self.n = count_field("tokens", TOKENS, MOST_TOKENS, least=2, width="120px")
        self.way = choice("applied as", list(WAYS), value=way, width="330px")
        self.mask = MaskEditor(TOKENS, TOKENS, most=MOST_TOKENS)
        self.mask.rule.value = "causal: no later key"
        generator = torch.Generator().manual_seed(0)
        shape = {"generator": generator, "dtype": torch.float64}
        self.all_tokens = torch.randn(MOST_TOKENS, 4, **shape)
        self._projections = torch.randn(3, 4, 4, **shape) / 2  # W_Q, W_K, W_V
        self.children = [row(self.n, self.way), self.mask, self.status, self.picture]
        self.redraw()
        self.n.observe(lambda change: self.mask.resize(change["new"], change["new"]), "value")
        watch(self.redraw, self.mask, self.way)

    def weights(self, tokens: Tensor) -> Tensor:
        """Return the weights of tokens (n, 4) under the mask, (n, n)."""
        query, key, _ = tokens @ self._projections
        scores = attention(query, key, key).scaled
        return WAYS[self.way.value](scores, self.mask.tensor)

    def output(self, tokens: Tensor) -> Tensor:
        """Return the outputs of tokens (n, 4), (n, 4)."""
        return self.weights(tokens) @ (tokens @ self._projections[2])

    @property
    def tokens(self) -> Tensor:
        """The tokens that are shown, (n, 4)."""
        return self.all_tokens[: self.n.value]

    def draw(self) -> tuple[str, str]:
        mask = self.mask.tensor
        weights, leaks = self.weights(self.tokens), leak_map(self.output, self.tokens)
        # A token is its own query: that output i depends on token i is no leak.
        found = (leaks > 0) & ~mask & ~torch.eye(len(mask), dtype=torch.bool)
        queries, keys = labels("q", len(mask)), labels("k", len(mask))
        outputs, columns = labels("output ", len(mask)), labels("token ", len(mask))
        tables = side_by_side(
            matrix_table(
                weights, caption="weights", rows=queries, columns=keys, weights=True, row_sums=True
            ),
            matrix_table(
                leaks,
                caption="leak map",
                formula="how much an output moves with a token",
                rows=outputs,
                columns=columns,
                related=[tuple(cell) for cell in found.nonzero().tolist()],
            ),
        )
        return tables, _said(mask, weights.sum(dim=-1), leaks, found)

    def twin_html(self) -> str:
        return self.mask.twin_html() + super().twin_html()

    def twin_text(self) -> str:
        return f"MaskExplorer, {self.mask.rule.value}, {self.way.value}: {self.note}"


def _said(mask: Tensor, sums: Tensor, leaks: Tensor, found: Tensor) -> str:
    """Say what the mask lets through, what leaks, and what the rows of the weights sum to."""
    said = f"{int(mask.sum())} of {mask.numel()} pairs may attend. "
    if found.any():
        i, j = found.nonzero()[0].tolist()
        said += (
            f"Leaks: {int(found.sum())}. Output {i} depends on token {j}, which is hidden "
            f"from query {i}: {format_number(leaks[i, j].item())}. "
        )
    else:
        said += "No leak: no output depends on a token that is hidden from it. "
    blind = [str(i) for i, any_key in enumerate(mask.any(dim=-1).tolist()) if not any_key]
    if blind:
        said += f"Query {', '.join(blind)} may attend to no key. "
    low, high = sums.min(), sums.max()
    if torch.isclose(low, high):
        return f"{said}The rows of the weights sum to {format_number(low.item())}."
    return (
        f"{said}The rows of the weights sum to between {format_number(low.item())} and "
        f"{format_number(high.item())}."
    )
