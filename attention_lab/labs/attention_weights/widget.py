"""From scores to weights, for one query, several queries, and keys on a line."""

from __future__ import annotations

import ipywidgets
import torch
from torch import Tensor

from attention_lab.core.scores import dot, gaussian
from attention_lab.labs.attention_weights.pictures import FIXED, kernel_regression, weights_table
from attention_lab.pictures.formulas import power, sum_of, sum_of_products
from attention_lab.pictures.style import format_number, format_weight, labels, weights_in_words
from attention_lab.pictures.tables import matrix_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import Knob, count_field, row, watch
from attention_lab.ui.keys import ARROWS
from attention_lab.ui.matrix_editor import MatrixEditor
from attention_lab.ui.shared_sizes import SharedSizes, Size

__all__ = ["WeightsExplorer"]

SCORES, DOT, DISTANCE = "scores", "queries and keys", "keys on a line"

PRESETS = {
    "1, 2, 3": [[1, 2, 3]],
    "all equal": [[2, 2, 2, 2]],
    "one leads by 5": [[5, 0, 0, 0, 0, 0, 0, 0]],
    "one leads by 20": [[20, 0, 0, 0, 0, 0, 0, 0]],
    "very large": [[1000, 1001]],
    "below zero": [[-1, -2, -3]],
}
QUERIES = {
    "two queries": [[2, 0], [1, 1]],
    "sweet, crunchy": [[1, 0], [0, 1]],
    "sweet, crunchy, both": [[1, 0], [0, 1], [1, 1]],
}
KEYS = {
    "four keys": [[1, 0], [0, 1], [1, 1], [-1, 0]],
    "apple, honey, cracker": [[1, 1], [2, -2], [-1, 2]],
    "floss, crisps, granola": [[2, 0], [0, 2], [1, 1]],
}


class WeightsExplorer(LiveView):
    """Three ways to a distribution: typed scores, dot products, distances.

    Parameters
    ----------
    view : str
        ``"scores"``, ``"queries and keys"`` or ``"keys on a line"``.
    scores : sequence of float
        What the first view starts with, at most 8.
    """

    def __init__(self, view: str = SCORES, scores: tuple[float, ...] = (1, 2, 3)) -> None:
        super().__init__()
        self.view = ipywidgets.ToggleButtons(
            options=[SCORES, DOT, DISTANCE], value=view, description="view"
        )
        self.temperature = Knob("temperature", 1, low=0.1, high=10, log=True)
        self.scores = MatrixEditor(
            "scores", [list(scores)], rows="q", columns="k", max_rows=1, max_columns=8,
            presets=PRESETS,
        )  # fmt: skip
        self.count = count_field("keys", len(scores), 8)
        self.query = MatrixEditor(
            "Q", QUERIES["two queries"], rows="q", columns="d", max_rows=4, max_columns=4,
            presets=QUERIES,
        )  # fmt: skip
        self.key = MatrixEditor(
            "K", KEYS["four keys"], rows="k", columns="d", max_rows=6, max_columns=4, presets=KEYS
        )
        self.n_q = count_field("queries", 2, 4)
        self.n_k = count_field("keys", 4, 6)
        self.shown = count_field("bars of query", 0, 3, least=0)
        self.place = Knob("query", 2, low=-0.5, high=4.5)
        self.bandwidth = Knob("bandwidth h", 1, low=0.1, high=10, log=True)
        self.values = MatrixEditor(
            "values", [[0, 1, 4, 9, 16]], rows="v", columns="key ", max_rows=1, max_columns=5
        )
        self.shared = SharedSizes(
            self,
            [
                Size({self.scores: 1}, self.count),
                Size({self.query: 0}, self.n_q),
                Size({self.key: 0}, self.n_k),
                Size({self.query: 1, self.key: 1}, what="columns"),
            ],
        )
        self._controls = {
            SCORES: [row(self.count, self.temperature), self.scores],
            DOT: [row(self.n_q, self.n_k, self.shown, self.temperature), row(self.query, self.key)],
            DISTANCE: [row(self.place, self.bandwidth), self.values],
        }
        self._inputs = ipywidgets.VBox()
        self._speaking = {
            SCORES: [self.scores, self.temperature],
            DOT: [self.query, self.key, self.temperature],
            DISTANCE: [self.values, self.place, self.bandwidth],
        }
        self.speak_for(self.scores, self.query, self.key, self.values)
        self.speak_for(self.temperature, self.place, self.bandwidth)
        style = ipywidgets.HTML(FIXED + ARROWS, layout={"display": "none"})
        self.children = [style, self.view, self._inputs, self.status, self.picture]
        self.add_class("alab-arrows")
        self._choose_view()
        self.view.observe(lambda _: self._choose_view(), names="value")
        watch(self.redraw, self.values, self.temperature, self.shown, self.place, self.bandwidth)

    def _choose_view(self) -> None:
        self._inputs.children = self._controls[self.view.value]
        self.blame(*self._speaking[self.view.value])
        self.redraw()

    def draw(self) -> tuple[str, str]:
        return {SCORES: self._draw_scores, DOT: self._draw_dot, DISTANCE: self._draw_distance}[
            self.view.value
        ]()

    def _draw_scores(self) -> tuple[str, str]:
        scores = self.scores.tensor[0]
        weights = (scores / self.temperature.value).softmax(dim=-1)
        table = weights_table(
            scores, weights, keys=labels("k", len(scores)), temperature=self.temperature.value
        )
        largest = weights.max().item()
        best = [f"k{j}" for j, weight in enumerate(weights.tolist()) if weight > largest - 1e-6]
        return side_by_side(table), (
            f"The largest weight is {format_weight(largest)} ({', '.join(best)}), "
            f"the smallest {format_weight(weights.min().item())}."
        )

    def _draw_dot(self) -> tuple[str, str]:
        query, key = self.query.tensor, self.key.tensor
        scores = dot(query, key)
        with self.holding:
            self.shown.max = len(query) - 1
        index = self.shown.value
        queries, keys = labels("q", len(query)), labels("k", len(key))
        weights = (scores / self.temperature.value).softmax(dim=-1)
        table = weights_table(
            scores[index],
            weights[index],
            keys=keys,
            temperature=self.temperature.value,
            caption=f"query {index}",
            made=[
                f"q{index} · k{j} = {sum_of_products(query[index], each)} = "
                f"{format_number(scores[index, j].item())}"
                for j, each in enumerate(key)
            ],
        )
        powers = [[power(x) for x in line] for line in (scores / self.temperature.value).tolist()]
        totals = [sum_of(line) for line in powers]

        def why(i: int, j: int) -> str:
            return f"{powers[i][j]} / ({totals[i]}) = {format_weight(weights[i, j].item())}"

        heatmap = matrix_table(
            weights,
            caption="weights",
            rows=queries,
            columns=keys,
            weights=True,
            row_sums=True,
            part="alab-map",
            why=why,
        )
        said = weights_in_words(weights, queries, keys)
        said = f"Weights, {len(query)} × {len(key)}: {said}.{self.shared.said}"
        return side_by_side(table, heatmap), said

    def _draw_distance(self) -> tuple[str, str]:
        values = self.values.tensor[0]
        keys = torch.arange(len(values), dtype=torch.float64)
        place, bandwidth = self.place.value, self.bandwidth.value

        def scores_of(queries: Tensor) -> Tensor:
            return gaussian(queries[:, None], keys[:, None], bandwidth)

        grid = torch.linspace(-0.5, max(4.5, len(values) - 0.5), 101, dtype=torch.float64)
        estimate = scores_of(grid).softmax(dim=-1) @ values
        scores = scores_of(torch.tensor([place], dtype=torch.float64))[0]
        weights = scores.softmax(dim=-1)
        picture = kernel_regression(keys, values, weights, grid, estimate, place)
        table = weights_table(
            scores,
            weights,
            keys=[f"key {k:g}" for k in keys.tolist()],
            made=[
                f"−({format_number(place)} − {k:g})² / (2 × {format_number(bandwidth)}²) = "
                f"{format_number(score)}"
                for k, score in zip(keys.tolist(), scores.tolist(), strict=True)
            ],
        )
        output = format_number(float(weights @ values))
        said = f"The query {format_number(place)} gets the output {output}."
        return side_by_side(picture, table), said

    def twin_text(self) -> str:
        return f"WeightsExplorer, {self.view.value}: {self.note}"
