"""A mask, the weights it gives, and what leaks through it all the same."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

import ipywidgets
import torch
from torch import Tensor

from attention_lab.core.attention import attention, masked_softmax
from attention_lab.core.leaks import leak_map
from attention_lab.pictures.style import escaped, format_number, labels
from attention_lab.pictures.tables import DENSE, matrix_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, count_field, row, watch
from attention_lab.ui.keys import ARROWS
from attention_lab.ui.mask_editor import MaskEditor

__all__ = ["MaskExplorer"]

TOKENS, MOST_TOKENS = 5, 16  # at the start, and at most
LARGEST_LEAK = 2.5  # one scale for all leak maps, so that they can be compared
MOST_NAMED = 4  # queries without a key
# Every cell is as wide as the longest number, and every line has its place from the start.
STYLE = """<style>
.alab-masks .alab td{width:3.4em;min-width:3.4em!important;padding:3px 2px}
.alab-masks .alab-pinned{height:20px;line-height:20px;overflow:hidden;white-space:nowrap;
text-overflow:ellipsis}
</style>"""


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


class Shown(NamedTuple):
    """What is drawn of one way to apply one mask.

    Attributes
    ----------
    name : str
        The way and the mask.
    mask, found : Tensor, shape (n, n), boolean
        Which pairs may attend, and which leak all the same.
    weights, leaks : Tensor, shape (n, n)
    """

    name: str
    mask: Tensor
    found: Tensor
    weights: Tensor
    leaks: Tensor


class MaskExplorer(LiveView):
    """Toggle any cell of a mask; see the weights and the leak map of self-attention follow.

    The tokens, five at the start, are random, of dimension 4; queries, keys and values are three
    fixed products of them. What is shown can be pinned, and stays beside what comes next.

    Parameters
    ----------
    way : str
        How the mask is applied, one of `WAYS`.

    Attributes
    ----------
    pin : ipywidgets.Button
        Keeps the present picture in ``pinned``; another number of tokens lets it go.
    """

    def __init__(self, way: str = next(iter(WAYS))) -> None:
        super().__init__()
        self.n = count_field("tokens", TOKENS, MOST_TOKENS, least=2, width="120px")
        self.way = choice("applied as", list(WAYS), value=way, width="330px")
        self.pin = ipywidgets.Button(description="pin this", layout={"width": "100px"})
        self.mask = MaskEditor(TOKENS, TOKENS, most=MOST_TOKENS)
        self.mask.rule.value = "causal: no later key"
        self.pinned = ipywidgets.HTML()
        self._kept: Shown | None = None
        generator = torch.Generator().manual_seed(0)
        shape = {"generator": generator, "dtype": torch.float64}
        self.all_tokens = torch.randn(MOST_TOKENS, 4, **shape)
        self._projections = torch.randn(3, 4, 4, **shape) / 2  # W_Q, W_K, W_V
        self.children = [
            row(self.n, self.way, self.pin),
            self.mask,
            self.status,
            self.picture,
            self.pinned,
            ipywidgets.HTML(STYLE + ARROWS, layout={"display": "none"}),
        ]
        self.add_class("alab-masks")
        self.add_class("alab-arrows")
        self.redraw()
        self._keep(None)
        self.n.observe(lambda change: self._resize(change["new"]), "value")
        self.pin.on_click(lambda _: self._keep(self.shown()))
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

    def shown(self) -> Shown:
        """Return what is to be drawn of the present inputs."""
        mask, leaks = self.mask.tensor, leak_map(self.output, self.tokens)
        # A token is its own query: that output i depends on token i is no leak.
        found = (leaks > 0) & ~mask & ~torch.eye(len(mask), dtype=torch.bool)
        name = f"{self.way.value}; {self.mask.rule.value}"
        return Shown(name, mask, found, self.weights(self.tokens), leaks)

    def draw(self) -> tuple[str, str]:
        shown = self.shown()
        return _tables(shown), _said(shown)

    def _keep(self, kept: Shown | None) -> None:
        """Draw what is pinned; before that, an empty frame of the same size."""
        self._kept = kept
        said = "Nothing is pinned yet: “pin this” keeps the two tables here, beside the next ones."
        if kept:
            said = f"Pinned: {kept.name}. Leaks: {int(kept.found.sum())}."
        drawn, n = "", self.n.value
        if kept:
            drawn = _tables(kept)
        elif n <= DENSE:
            empty = torch.zeros(n, n)
            full = _tables(Shown("", empty > 0, empty > 0, empty, empty))
            # a space keeps the height of a number
            drawn = re.sub(r"<td[^>]*>[^<].*?</td>", "<td>&#160;</td>", full)
        self.pinned.value = f'<div class="alab-pinned">{escaped(said)}</div>{drawn}'

    def _resize(self, n: int) -> None:
        self.mask.resize(n, n)
        self._keep(None)

    def twin_html(self) -> str:
        parts = [self.mask.twin_html(), super().twin_html()]
        if self._kept:
            parts.append(self.pinned.value)
        return f'{STYLE}<div class="alab-masks">{"".join(parts)}</div>'

    def twin_text(self) -> str:
        return f"MaskExplorer, {self.mask.rule.value}, {self.way.value}: {self.note}"


def _tables(shown: Shown) -> str:
    """Draw the weights beside the leak map: of one size, whatever the numbers are."""
    n = len(shown.mask)

    def weight(i: int, j: int) -> str:
        allowed = "may attend" if shown.mask[i, j] else "hidden"
        return f"query {i}, key {j}: {allowed}, weight {format_number(shown.weights[i, j].item())}"

    def leak(i: int, j: int) -> str:
        said = f"output {i} moves by {format_number(shown.leaks[i, j].item())} with token {j}"
        if shown.mask[i, j]:
            return f"{said}: may attend"
        return f"{said}: {'a leak' if shown.found[i, j] else 'own query' if i == j else 'hidden'}"

    return side_by_side(
        matrix_table(
            shown.weights,
            caption="weights",
            formula="striped: hidden, and 0",
            rows=labels("q", n),
            columns=labels("k", n),
            weights=True,
            row_sums=True,
            hidden=~shown.mask & (shown.weights == 0),
            why=weight,
        ),
        matrix_table(
            shown.leaks,
            caption="leak map",
            formula="how much an output moves with a token; outlined: a leak",
            rows=labels("output ", n),
            columns=labels("t", n),
            related=[tuple(cell) for cell in shown.found.nonzero().tolist()],
            largest=LARGEST_LEAK,
            hidden=~shown.mask & (shown.leaks == 0),
            why=leak,
        ),
    )


def _said(shown: Shown) -> str:
    """Say what the mask lets through, what leaks, and what the rows of the weights sum to."""
    said = f"{int(shown.mask.sum())} of {shown.mask.numel()} pairs may attend. "
    if shown.found.any():
        i, j = shown.found.nonzero()[0].tolist()
        said += (
            f"Leaks: {int(shown.found.sum())}. Output {i} depends on token {j}, which is hidden "
            f"from query {i}: {format_number(shown.leaks[i, j].item())}. "
        )
    else:
        said += "No leak at these tokens: no output moves with a token that is hidden from it. "
    blind = [str(i) for i, any_key in enumerate(shown.mask.any(dim=-1).tolist()) if not any_key]
    if blind:
        named = ", ".join(blind[:MOST_NAMED]) + (" and others" if blind[MOST_NAMED:] else "")
        said += f"Query {named} may attend to no key. "
    sums = shown.weights.sum(dim=-1)
    low, high = sums.min(), sums.max()
    if torch.isclose(low, high):
        return f"{said}The rows of the weights sum to {format_number(low.item())}."
    return (
        f"{said}The rows of the weights sum to between {format_number(low.item())} and "
        f"{format_number(high.item())}."
    )
