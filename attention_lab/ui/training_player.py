"""The weights of one example while a model learns: play its training, step by step."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import ipywidgets
import traitlets
from torch import Tensor

from attention_lab.models.training import History
from attention_lab.pictures.style import escaped, format_number, format_weight
from attention_lab.pictures.svg import curve
from attention_lab.pictures.tables import matrix_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, player, row, watch

__all__ = ["TrainingPlayer"]

MILLISECONDS = 700  # from one checkpoint to the next, while it plays
MOMENTS = 5  # of its training that a cell tells
# A column is as wide as the longest weight.
STYLE = "<style>.alab table.alab-training td{min-width:4em}</style>"


class TrainingPlayer(LiveView):
    """Go through the checkpoints of a training, and see weights and loss move.

    Rows, columns and colours stand still: weights lie between 0 and 1 at every step.

    Parameters
    ----------
    history : History
        Of `train` with a ``measure`` that returns weights (n_q, n_k), always of the same example.
    rows, columns : sequence of str
        The queries and the keys.
    right : cells (row, column)
        Outlined: where the largest weight of a row would be expected.

    Attributes
    ----------
    step : ipywidgets.Dropdown
        After how many steps.

    Raises
    ------
    ValueError
        There are no weights, or they do not fit the rows and columns.
    """

    def __init__(
        self,
        history: History,
        rows: Sequence[str],
        columns: Sequence[str],
        *,
        right: Collection[tuple[int, int]] = (),
    ) -> None:
        super().__init__()
        if not history.metrics or not history.losses:
            raise ValueError("the history has no weights: give `train` a measure that returns them")
        self.rows, self.columns, self.right = list(rows), list(columns), set(right)
        self.losses = history.losses
        self.weights = {step: _checked(w, self.rows, self.columns) for step, w in history.metrics}
        steps = list(self.weights)
        self.step = choice("after step", steps, width="150px")
        self.slider = ipywidgets.IntSlider(max=len(steps) - 1, readout=False)
        self.slider.layout.width = "200px"
        self.play = player(len(steps) - 1, MILLISECONDS)
        for each in (self.slider, self.play):
            traitlets.link((self.step, "index"), (each, "value"))
        style = ipywidgets.HTML(STYLE, layout={"display": "none"})
        self.children = [
            style,
            row(self.play, self.slider, self.step),
            self.status,
            self.picture,
        ]
        self.redraw()
        watch(self.redraw, self.step)

    def loss(self, step: int) -> float:
        """Return the loss on the next batch, or after the last step on the last one."""
        return self.losses[min(step, len(self.losses) - 1)]

    def draw(self) -> tuple[str, str]:
        step = self.step.value
        return side_by_side(self._table(step), self._curve(step)), self._said(step)

    def _said(self, step: int) -> str:
        said = f"After step {step}: loss {format_number(self.loss(step))}."
        if self.right:
            at = self.weights[step].argmax(dim=1).tolist()
            hits = [i for i, j in enumerate(at) if (i, j) in self.right]
            count = len({i for i, _ in self.right})
            said += f" In {len(hits)} of {count} rows the largest weight is on the outlined cell."
        return said

    def _curve(self, step: int) -> str:
        losses = [self.loss(k) for k in range(len(self.losses) + 1)]
        return curve(losses, caption="loss", x_axis="step", at=step)

    def _table(self, step: int) -> str:
        moments = list(self.weights)
        apart = max(1, (len(moments) - 1) // (MOMENTS - 1))
        told = sorted({*moments[::apart][: MOMENTS - 1], step, moments[-1]})

        def why(i: int, j: int) -> str:
            each = [f"{format_weight(self.weights[k][i, j].item())} at {k}" for k in told]
            pair = f"{self.rows[i]} → {self.columns[j]}"
            return f"{escaped(pair)}, at each step: {', '.join(each)}"

        return matrix_table(
            self.weights[step],
            caption=f"weights after step {step}",
            rows=self.rows,
            columns=self.columns,
            weights=True,
            related=self.right,
            part="alab-training",
            why=why,
        )

    def _three(self) -> list[int]:
        moments = list(self.weights)
        return list(dict.fromkeys((moments[0], moments[len(moments) // 2], moments[-1])))

    def twin_html(self) -> str:
        """Return the first checkpoint, the middle one and the last, beside the loss."""
        three = self._three()
        said = "<br>".join(map(self._said, three))
        drawn = side_by_side(*map(self._table, three), self._curve(three[-1]))
        return f'<div class="alab-note">{said}</div>{STYLE}{drawn}'

    def twin_text(self) -> str:
        return f"TrainingPlayer. {self._said(self._three()[-1])}"


def _checked(weights: Tensor, rows: Sequence[str], columns: Sequence[str]) -> Tensor:
    wanted = len(rows), len(columns)
    if not isinstance(weights, Tensor) or tuple(weights.shape) != wanted:
        came = tuple(weights.shape) if isinstance(weights, Tensor) else type(weights).__name__
        raise ValueError(f"weights must have the shape {wanted} of rows and columns, not {came}")
    return weights.detach().double()
