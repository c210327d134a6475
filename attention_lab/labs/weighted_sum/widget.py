"""The weighted sum: values as points in the plane, and where their mean lands."""

from __future__ import annotations

import ipywidgets
from torch import Tensor

from attention_lab.grading.feedback import Problem
from attention_lab.labs.weighted_sum.pictures import FIXED, plane, terms_table
from attention_lab.pictures.geometry import is_inside
from attention_lab.pictures.style import format_number, labels
from attention_lab.pictures.tables import side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import count_field, row
from attention_lab.ui.keys import ARROWS
from attention_lab.ui.matrix_editor import MatrixEditor
from attention_lab.ui.shared_sizes import SharedSizes, Size

__all__ = ["WeightedSumExplorer"]

SOFTMAX, TYPED = "softmax of scores", "weights as typed"

VALUES = {
    "a rectangle": [[0, 0], [4, 0], [4, 3], [0, 3]],
    "one inside the others": [[0, 0], [4, 0], [2, 3], [2, 1]],
    "on a line": [[7, 0], [8, 0], [9, 0]],
    "all equal": [[2, 5], [2, 5], [2, 5], [2, 5]],
    "price and filling of apple, honey, cracker": [[3, 2], [8, 1], [2, 4]],
    "a short and a long one": [[0.05, 0], [0, 2]],
}
SCORES = {
    "towards the third": [[0, 1, 2, 0]],
    "all equal": [[0, 0, 0, 0]],
    "the first leads by 5": [[5, 0, 0, 0]],
    "sweet, of apple, honey, cracker": [[1, 2, -1]],
}
WEIGHTS = {
    "all 1, four values": [[1, 1, 1, 1]],
    "only the first of four": [[1, 0, 0, 0]],
    "0.9 and 0.1": [[0.9, 0.1]],
}


class WeightedSumExplorer(LiveView):
    """Move the values and the weights; the output follows, inside the hull of the values.

    At most six values in the plane; the weights are the softmax of scores, or typed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kind = ipywidgets.ToggleButtons(options=[SOFTMAX, TYPED], description="weights")
        self.count = count_field("values", 4, 6)
        self.values = MatrixEditor(
            "values", VALUES["a rectangle"], rows="v", columns="d", max_rows=6, max_columns=2,
            presets=VALUES,
        )  # fmt: skip
        self.scores = MatrixEditor(
            "scores", SCORES["towards the third"], rows="q", columns="k", max_rows=1, max_columns=6,
            presets=SCORES,
        )  # fmt: skip
        self.weights = MatrixEditor(
            "weights", [[0.25] * 4], rows="q", columns="k", max_rows=1, max_columns=6,
            presets=WEIGHTS,
        )  # fmt: skip
        self._source = ipywidgets.VBox([self.scores])
        self.children = [
            ipywidgets.HTML(FIXED + ARROWS, layout={"display": "none"}),
            row(self.kind, self.count),
            row(self.values, self._source),
            self.status,
            self.picture,
        ]
        self.add_class("alab-arrows")
        self.speak_for(self.values, self.scores, self.weights)
        self.blame(self.values, self.scores)
        # one score and one weight for each value
        shared = Size({self.values: 0, self.scores: 1, self.weights: 1}, self.count)
        self.shared = SharedSizes(self, [shared])
        self.redraw()
        self.kind.observe(self._choose_kind, names="value")

    def _choose_kind(self, change) -> None:
        source = self.scores if change["new"] == SOFTMAX else self.weights
        self._source.children = [source]
        self.blame(self.values, source)
        self.redraw()

    def _current_weights(self) -> Tensor:
        if self.kind.value == SOFTMAX:
            return self.scores.tensor[0].softmax(dim=-1)
        return self.weights.tensor[0]

    def draw(self) -> tuple[str, str]:
        values, weights = self.values.tensor, self._current_weights()
        if values.shape[1] != 2:
            raise Problem(
                f"a point in the plane needs 2 numbers, but values has {values.shape[1]} column"
            )
        total = weights.sum().item()
        output = weights @ values
        place = ", ".join(format_number(x) for x in output.tolist())
        where = "inside" if is_inside(output, values) else "outside"
        said = f"The output is ({place}). It lies {where} the hull of the values."
        if (weights < 0).any():
            said += " A weight is below 0: this is no mean."
        elif not abs(total - 1) <= 2e-3:
            said += f" The weights sum to {format_number(total)}, not 1: this is no mean."
        keys = labels("v", len(values))
        picture = plane(weights, values, keys=keys)
        scores = self.scores.tensor[0] if self.kind.value == SOFTMAX else None
        return side_by_side(picture, terms_table(weights, values, keys=keys, scores=scores)), said

    def twin_text(self) -> str:
        return f"WeightedSumExplorer: {self.values.shape[0]} values. {self.note}"
