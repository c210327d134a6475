"""How large scores are, and what the scale and the temperature make of them."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from attention_lab.core import normalisers
from attention_lab.core.normalisers import entropy
from attention_lab.pictures.style import format_number, format_weight, labels
from attention_lab.pictures.svg import histogram
from attention_lab.pictures.tables import largest_weights_table, matrix_view, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import Knob, box, choice, count_field, row, watch

__all__ = ["ScaleExplorer"]

DIMENSIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
NORMALISERS = {
    "softmax": normalisers.softmax,
    "softmax-plus-one": normalisers.softmax_plus_one,
    "sigmoid": normalisers.sigmoid,
    "sparsemax": normalisers.sparsemax,
}
QUERIES, MOST_KEYS = 200, 32


@cache
def draw_scores(d_k: int, n_k: int) -> Tensor:
    """Return scores of 200 queries, each over its own n_k keys, all features standard normal."""
    generator = torch.Generator().manual_seed(d_k)
    query = torch.randn(QUERIES, 1, d_k, generator=generator)
    # the keys of fewer keys are the first of those of more
    key = torch.randn(MOST_KEYS, QUERIES, d_k, generator=generator)[:n_k].transpose(0, 1)
    return (query @ key.mT)[:, 0].double()


class ScaleExplorer(LiveView):
    """Choose d_k, the scale, the temperature; see scores, weights and the Jacobian.

    Parameters
    ----------
    d_k : int
        A power of 2 up to 1024.
    scaled : bool
        Divide the scores by the square root of d_k.
    """

    def __init__(self, d_k: int = 64, *, scaled: bool = False) -> None:
        super().__init__()
        self.d_k = choice("d_k", [(str(d), d) for d in DIMENSIONS], value=d_k, width="130px")
        self.scaled = box("divide by √d_k", scaled, width="150px")
        self.temperature = Knob("temperature", 1, low=0.1, high=10, log=True)
        self.n_k = count_field("keys", 10, MOST_KEYS, least=2, width="110px")
        self.normaliser = choice("normaliser", list(NORMALISERS), width="230px")
        self.query = count_field("query", 0, QUERIES - 1, least=0, width="120px")
        inputs = (
            self.d_k, self.scaled, self.temperature, self.n_k, self.normaliser, self.query,
        )  # fmt: skip
        self.children = [row(*inputs), self.status, self.picture]
        self.redraw()
        watch(self.redraw, *inputs)

    @property
    def scores(self) -> Tensor:
        """The scores as they go into the normaliser, shape (200, n_k)."""
        divisor = self.temperature.value * (math.sqrt(self.d_k.value) if self.scaled.value else 1)
        return draw_scores(self.d_k.value, self.n_k.value) / divisor

    def draw(self) -> tuple[str, str]:
        scores, normalise = self.scores, NORMALISERS[self.normaliser.value]
        weights = normalise(scores)
        jacobians = torch.func.vmap(torch.func.jacrev(normalise))(scores)  # (200, n_k, n_k)
        expected = 1.0 if self.scaled.value else math.sqrt(self.d_k.value)
        expected /= self.temperature.value
        index, keys = self.query.value, labels("k", self.n_k.value)
        picture = side_by_side(
            histogram(scores.flatten(), caption="scores, and the normal curve", deviation=expected),
            largest_weights_table(weights[index], query=index),
            matrix_view(
                jacobians[index], caption=f"Jacobian of query {index}", rows=keys, columns=keys
            ),
        )
        return picture, self._said(expected, scores, weights, jacobians)

    def _said(self, expected: float, scores: Tensor, weights: Tensor, jacobians: Tensor) -> str:
        said = (
            f"Scores: standard deviation {format_number(expected)} expected, "
            f"{format_number(scores.std().item())} drawn. Mean over {QUERIES} queries: largest "
            f"weight {format_weight(weights.amax(dim=-1).mean().item())}, sum of a row "
            f"{format_weight(weights.sum(dim=-1).mean().item())}, size of the Jacobian "
            f"{format_number(jacobians.flatten(1).norm(dim=-1).mean().item())}"
        )
        if self.normaliser.value in ("softmax", "sparsemax"):
            said += (
                f", entropy {format_number(entropy(weights).mean().item())} "
                f"(at most ln {self.n_k.value} = {format_number(math.log(self.n_k.value))})"
            )
        return f"{said}."

    def twin_text(self) -> str:
        return f"ScaleExplorer, d_k = {self.d_k.value}: {self.note}"
