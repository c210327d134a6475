"""A mask, the weights it gives, and what leaks through it all the same."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from attention_lab import views
from attention_lab.attention import attention, masked_softmax
from attention_lab.leaks import leak_map
from attention_lab.style import format_number, labels
from attention_lab.widgets.base import LiveView, choice, count_field, row, watch
from attention_lab.widgets.mask_editor import MaskEditor

__all__ = ["MaskExplorer"]

MOST_TOKENS = 16


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

    The tokens are random, of dimension 4; queries, keys and values are three fixed products of
    them.

    Parameters
    ----------
    n : int
        Number of tokens, at most 16.
    way : str
        How the mask is applied, one of `WAYS`.
    """

    def __init__(self, n: int = 5, way: str = next(iter(WAYS))) -> None:
        super().__init__()
        self.n = count_field("tokens", n, MOST_TOKENS, least=2, width="120px")
        self.way = choice("applied as", list(WAYS), value=way, width="330px")
        self.mask = MaskEditor(n, n, most=MOST_TOKENS)
        self.mask.rule.value = "causal: no later key"
        generator = torch.Generator().manual_seed(0)
        shape = {"generator": generator, "dtype": torch.float64}
        self._tokens = torch.randn(MOST_TOKENS, 4, **shape)
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

    def draw(self) -> str:
        mask, tokens = self.mask.tensor, self._tokens[: self.n.value]
        weights, leaks = self.weights(tokens), leak_map(self.output, tokens)
        # A token is its own query: that output i depends on token i is no leak.
        hidden = ~mask & ~torch.eye(len(mask), dtype=torch.bool)
        found = (leaks > 0) & hidden
        total = weights.sum(dim=-1)
        self.note = f"{int(mask.sum())} of {mask.numel()} pairs may attend. "
        if found.any():
            i, j = found.nonzero()[0].tolist()
            self.note += (
                f"Leaks: {int(found.sum())}. Output {i} depends on token {j}, which is hidden "
                f"from query {i}: {format_number(leaks[i, j].item())}. "
            )
        else:
            self.note += "No leak: no output depends on a token that is hidden from it. "
        blind = [str(i) for i, any_key in enumerate(mask.any(dim=-1).tolist()) if not any_key]
        if blind:
            self.note += f"Query {', '.join(blind)} may attend to no key. "
        self.note += (
            f"The rows of the weights sum to {format_number(total.min().item())}"
            if torch.isclose(total.min(), total.max())
            else f"The rows of the weights sum to between {format_number(total.min().item())} and "
            f"{format_number(total.max().item())}"
        ) + "."
        queries, keys = labels("q", len(mask)), labels("k", len(mask))
        outputs, columns = labels("output ", len(mask)), labels("token ", len(mask))
        return views.side_by_side(
            views.matrix_table(
                weights, caption="weights", rows=queries, columns=keys, weights=True, row_sums=True
            ),
            views.matrix_table(
                leaks,
                caption="leak map",
                formula="how much an output moves with a token",
                rows=outputs,
                columns=columns,
                related=[tuple(cell) for cell in found.nonzero().tolist()],
            ),
        )

    def twin_html(self) -> str:
        return self.mask.twin_html() + super().twin_html()

    def twin_text(self) -> str:
        return f"MaskExplorer, {self.mask.rule.value}, {self.way.value}: {self.note}"
