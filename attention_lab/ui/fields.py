"""The fields that widgets are built of, and what they have in common."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import traitlets

from attention_lab.grading.feedback import Problem
from attention_lab.models.vocabulary import Vocabulary
from attention_lab.pictures.style import escaped
from attention_lab.ui.base import Guard, message
from attention_lab.ui.parsing import parse_number

__all__ = [
    "STYLE",
    "Knob",
    "box",
    "choice",
    "count_field",
    "fill_grid",
    "fold",
    "player",
    "row",
    "text_field",
    "watch",
    "words_in",
]

STEP = 0.1  # of a slider that is not logarithmic
MOST_WORDS = 12

# Labels of the number fields are for screen readers; the eye has the row and column headers.
# The label stays in the page and is only clipped, so that it still names its field.
STYLE = """<style>
.alab-cells .widget-label,.alab-cells .widget-label-basic span{position:absolute!important;
width:1px!important;min-width:0!important;height:1px!important;overflow:hidden!important;
clip-path:inset(50%)!important;white-space:nowrap!important;padding:0!important;margin:-1px!important}
.alab-cells{align-items:center}
.alab-cells .widget-text,.alab-cells .widget-checkbox{position:relative;margin:1px!important}
.alab-cells .widget-text input{text-align:right;padding:0 5px;min-width:0}
.jupyter-widgets.alab-bad input{outline:3px solid #d55e00;background:#fff4e5;color:#000000}
.alab-knob input{width:72px!important;flex:none!important}
.alab-cells .widget-checkbox{width:auto!important;justify-content:center}
</style>"""


class Knob(ipywidgets.HBox):
    """A number to type, and a slider to drag, for the same value.

    The sliders of ipywidgets 8 have no name that a screen reader could read, and say the
    logarithm where they are logarithmic; the field beside the slider has both right.

    Parameters
    ----------
    description : str
    value, low, high : float
    log : bool
        Give each factor of ten the same room on the slider.

    Attributes
    ----------
    value : float
        The last good number. What is typed and is none, or lies outside, is named beside the field.
    problem : str
        What is wrong with the text in the field; empty if nothing is.
    """

    value = traitlets.Float()
    problem = traitlets.Unicode()

    def __init__(
        self,
        description: str,
        value: float,
        *,
        low: float,
        high: float,
        log: bool = False,
    ) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.field = text_field(description, f"{value:.10g}", width="max-content")
        self.field.add_class("alab-knob")
        self.message_line = ipywidgets.HTML()
        if log:
            self.slider = ipywidgets.FloatLogSlider(
                value=value, base=10, min=math.log10(low), max=math.log10(high), step=0.02
            )
        else:
            self.slider = ipywidgets.FloatSlider(value=value, min=low, max=high, step=STEP)
        self.slider.readout = False
        self.slider.layout.width = "150px"
        # In Colab each report of a moving slider travels to the cloud and back, and they queue.
        self.slider.continuous_update = "google.colab" not in sys.modules
        self.value = value
        style = ipywidgets.HTML(STYLE, layout={"display": "none"})
        self.children = [style, self.field, self.slider, self.message_line]
        self.layout.flex_flow = "row wrap"
        self.sliding, self.following, self.writing = Guard(), Guard(), Guard()
        self.observe(self._show, names="value")
        self.field.observe(self._typed, names="value")
        self.slider.observe(self._slid, names="value")

    @traitlets.validate("value")
    def _within(self, proposal: traitlets.Bunch) -> float:
        if math.isnan(proposal["value"]):
            return self.value
        return min(self.high, max(self.low, proposal["value"]))

    def _typed(self, change: traitlets.Bunch) -> None:
        if self.writing:
            return
        try:
            number = parse_number(change["new"])
            if not self.low <= number <= self.high:
                raise Problem(f"write a number from {self.low:g} to {self.high:g}, not {number:g}")
        except Problem as problem:
            self.problem = f"{self.field.description}: {problem}. Still using {self.value:.10g}"
            self.message_line.value = message(self.problem, problem=True)
            self.field.add_class("alab-bad")
        else:
            self.value = number
            self._write()

    def _write(self) -> None:
        """Write the value into the field; what was wrong there before is gone."""
        with self.writing:
            self.field.value = f"{self.value:.10g}"
        self.field.remove_class("alab-bad")
        self.problem = self.message_line.value = ""

    def _slid(self, change: traitlets.Bunch) -> None:
        # The browser puts the handle on the next step of the slider, and reports that place: an
        # echo of the number in the field, not a move.
        here, there = (self._place(number) for number in (self.value, change["new"]))
        if self.following or abs(here - there) < 0.75 * self.slider.step:
            return
        with self.sliding:
            # A step of a logarithmic slider is no round number; three digits are enough.
            self.value = float(f"{change['new']:.3g}")

    def _place(self, number: float) -> float:
        is_log = isinstance(self.slider, ipywidgets.FloatLogSlider)
        return math.log10(number) if is_log else number

    def _show(self, change: traitlets.Bunch) -> None:
        self._write()
        if self.sliding:  # a hand on the slider must not feel it jump
            return
        with self.following:
            self.slider.value = change["new"]


def watch(callback, *inputs: ipywidgets.Widget) -> None:
    """Call back whenever the value of an input changes."""
    for each in inputs:
        each.observe(callback, names="value")


def count_field(
    description: str, value: int, most: int, *, least: int = 1, width: str = "160px"
) -> ipywidgets.BoundedIntText:
    """A field for a whole number from ``least`` to ``most``."""
    return ipywidgets.BoundedIntText(
        value=value,
        min=least,
        max=most,
        description=description,
        layout={"width": width},
        style={"description_width": "initial"},
    )


def choice(
    description: str, options: Sequence[Any], *, width: str, value: Any = None
) -> ipywidgets.Dropdown:
    """A drop-down list, at its first option if no ``value`` is given."""
    field = ipywidgets.Dropdown(
        options=options,
        description=description,
        layout={"width": width},
        style={"description_width": "initial"},
    )
    if value is not None:
        field.value = value
    return field


def player(most: int, milliseconds: int) -> ipywidgets.Play:
    """A button that counts from 0 to ``most``, and begins again where it is at its end."""
    play = ipywidgets.Play(value=0, min=0, max=most, interval=milliseconds)

    def begin_again(change: traitlets.Bunch) -> None:
        if change["new"] and play.value == play.max:
            play.value = play.min

    # ipywidgets 7 has the trait, too, under a name of its own
    play.observe(begin_again, names="playing" if play.has_trait("playing") else "_playing")
    return play


def text_field(description: str, value: str = "", *, width: str) -> ipywidgets.Text:
    """A field for text, which is read when it is left."""
    return ipywidgets.Text(
        value=value,
        continuous_update=False,
        description=description,
        layout={"width": width},
        style={"description_width": "initial"},
    )


def fill_grid(
    grid: ipywidgets.GridBox,
    rows: Sequence[str],
    columns: Sequence[str],
    cell: Callable[[int, int], ipywidgets.Widget],
    width: int,
) -> None:
    """Show ``cell(i, j)`` in a grid, under headers; a column is ``width`` pixels wide."""

    def head(text: str) -> ipywidgets.HTML:
        return ipywidgets.HTML(f"<b>{escaped(text)}</b>", layout={"margin": "0 4px"})

    cells = [head(text) for text in ("", *columns)]
    for i, label in enumerate(rows):
        cells += [head(label), *(cell(i, j) for j in range(len(columns)))]
    grid.layout.grid_template_columns = f"max-content repeat({len(columns)}, {width}px)"
    grid.children = cells


def row(*children: ipywidgets.Widget) -> ipywidgets.HBox:
    """Put widgets next to each other; they wrap when the window is narrow."""
    layout = ipywidgets.Layout(flex_flow="row wrap", align_items="flex-start", grid_gap="4px 16px")
    return ipywidgets.HBox(children, layout=layout)


def fold(description: str, *children: ipywidgets.Widget) -> tuple[ipywidgets.Widget, ...]:
    """Return a button, and a row that it opens and closes; the row is closed at first."""
    button = ipywidgets.ToggleButton(description=description, layout={"width": "max-content"})
    inside = row(*children)
    inside.layout.display = "none"

    def open_or_close(change: traitlets.Bunch) -> None:
        inside.layout.display = "flex" if change["new"] else "none"

    button.observe(open_or_close, names="value")
    return button, inside


def box(description: str, value: bool, *, width: str = "max-content") -> ipywidgets.Checkbox:
    """A box to tick, with its label beside it."""
    return ipywidgets.Checkbox(
        value=value, description=description, indent=False, layout={"width": width}
    )


def words_in(field: ipywidgets.Text, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Read the words that a person typed into a field, at most 12.

    Raises
    ------
    Problem
        None, too many, or one that the vocabulary does not have; the text says which.
    """
    try:
        return vocabulary.read(field.value, max_words=MOST_WORDS)
    except ValueError as error:
        raise Problem(str(error)) from None
