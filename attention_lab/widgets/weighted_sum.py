"""The weighted sum: values as points in the plane, and where their mean lands."""

from __future__ import annotations

import ipywidgets
import torch
from torch import Tensor

from attention_lab import views
from attention_lab.feedback import Problem
from attention_lab.style import format_number, labels
from attention_lab.widgets.base import LiveView, count_field, row
from attention_lab.widgets.matrix_editor import MatrixEditor

__all__ = ["WeightedSumExplorer"]

SOFTMAX, TYPED = "softmax of scores", "weights as typed"


class WeightedSumExplorer(LiveView):
    """Move the values and the weights; the output follows, inside the hull of the values.

    Parameters
    ----------
    values : matrix, shape (n_k, 2)
        At most 6 values.
    scores : sequence of float
        One for each value; their softmax gives the weights.
    """

    def __init__(
        self,
        values=((0, 0), (4, 0), (4, 3), (0, 3)),
        scores: tuple[float, ...] = (0, 1, 2, 0),
    ) -> None:
        super().__init__()
        self.kind = ipywidgets.ToggleButtons(options=[SOFTMAX, TYPED], description="weights")
        self.count = count_field("values", len(values), 6)
        self.values = MatrixEditor(
            "values",
            values,
            rows="v",
            columns="d",
            max_rows=6,
            max_columns=2,
            presets={
                "a rectangle": [[0, 0], [4, 0], [4, 3], [0, 3]],
                "one inside the others": [[0, 0], [4, 0], [2, 3], [2, 1]],
                "on a line": [[7, 0], [8, 0], [9, 0]],
                "all equal": [[2, 5], [2, 5], [2, 5], [2, 5]],
                "a short and a long one": [[0.05, 0], [0, 2]],
            },
        )
        self.scores = MatrixEditor(
            "scores", [list(scores)], rows="q", columns="k", max_rows=1, max_columns=6
        )
        equal = [[round(1 / len(values), 3)] * len(values)]
        self.weights = MatrixEditor(
            "weights",
            equal,
            rows="q",
            columns="k",
            max_rows=1,
            max_columns=6,
            presets={
                "all 1, four values": [[1, 1, 1, 1]],
                "only the first of four": [[1, 0, 0, 0]],
                "0.9 and 0.1": [[0.9, 0.1]],
            },
        )
        self._source = ipywidgets.VBox([self.scores])
        self.children = [
            row(self.kind, self.count),
            row(self.values, self._source),
            self.status,
            self.picture,
        ]
        self.redraw()
        self.kind.observe(self._choose_kind, names="value")
        self.count.observe(self._resize, names="value")
        for editor in (self.values, self.scores, self.weights):
            editor.observe(self._matrix_changed, names="value")

    def _choose_kind(self, change) -> None:
        self._source.children = [self.scores if change["new"] == SOFTMAX else self.weights]
        self.redraw()

    def _resize(self, change) -> None:
        with self.one_redraw():
            self._give_all(change["new"])

    def _matrix_changed(self, change) -> None:
        """One score and one weight for each value: all follow the one that changed."""
        with self.one_redraw():
            rows, columns = change["owner"].shape
            count = rows if change["owner"] is self.values else columns
            self._give_all(count)
            self.count.value = count

    def _give_all(self, count: int) -> None:
        self.values.resize(count, self.values.shape[1])
        for editor in (self.scores, self.weights):
            editor.resize(1, count)

    def _current_weights(self) -> Tensor:
        if self.kind.value == SOFTMAX:
            return self.scores.tensor[0].softmax(dim=-1)
        return self.weights.tensor[0]

    def draw(self) -> str:
        values, weights = self.values.tensor, self._current_weights()
        if values.shape[1] != 2:
            raise Problem(
                f"a point in the plane needs 2 numbers, but values has {values.shape[1]} column"
            )
        total = weights.sum().item()
        where = ", ".join(format_number(x) for x in (weights @ values).tolist())
        self.note = f"The output is ({where})."
        if (weights < 0).any():
            self.note += " A weight is below 0: this is no mean, and may leave the hull."
        elif not torch.isclose(weights.sum(), torch.tensor(1.0, dtype=torch.float64), atol=2e-3):
            self.note += (
                f" The weights sum to {format_number(total)}, not 1: this is no mean, and may "
                "leave the hull."
            )
        keys = labels("v", len(values))
        return views.side_by_side(
            views.plane(weights, values, keys=keys), views.terms_table(weights, values, keys=keys)
        )

    def twin_text(self) -> str:
        return f"WeightedSumExplorer: {self.values.shape[0]} values. {self.note}"
