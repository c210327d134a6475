"""A matrix of number fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets
import torch
import traitlets
from torch import Tensor

from attention_lab.grading.feedback import Problem
from attention_lab.pictures.style import labels
from attention_lab.pictures.tables import matrix_picture, matrix_view, side_by_side, title
from attention_lab.ui.base import Guard, StaticTwin, message
from attention_lab.ui.fields import (
    STYLE,
    choice,
    count_field,
    fill_grid,
    row,
    text_field,
    watch,
)
from attention_lab.ui.parsing import LARGEST, Rows, parse_matrix, parse_number

__all__ = ["MatrixEditor"]

NO_PRESET = "choose…"

MOST_FIELDS = 48  # each field costs 25 ms at the start; a larger matrix gets one for all its cells


def _numbers(value: Sequence[Sequence[float]] | Tensor) -> list:
    """Return rows of floats; a float32 0.7 as 0.7, not as 0.699999988."""
    if isinstance(value, Tensor):
        value = value.detach()
        if value.is_floating_point() and value.dtype != torch.float64:
            # str gives the shortest number that is the same float32
            return [[float(str(x)) for x in line] for line in value.float().numpy()]
        value = value.tolist()
    return [[float(x) for x in line] for line in value]


class MatrixEditor(StaticTwin, ipywidgets.VBox):
    """Number fields for a small matrix, with labels, and a box to paste a whole matrix into.

    A matrix of more than 48 numbers is a picture, with one number field for the cell that you
    choose.

    Parameters
    ----------
    name : str
        The name of the matrix, as in ``Q``.
    value : matrix
        Nested sequence of numbers, or a tensor.
    rows, columns : str
        A letter for the row and column labels: ``q`` gives q0, q1, ...
    max_rows, max_columns : int
        The largest matrix that fits.
    presets : mapping of name to matrix, optional
        A list to choose from.
    width : int
        Of a field, in pixels.

    Attributes
    ----------
    value : tuple of tuples of float
        The last good matrix. Observe it; assign a matrix to it.
    problem : str
        What is wrong with the text in the fields now; empty if nothing is.
    """

    value = traitlets.Any()
    problem = traitlets.Unicode()

    def __init__(
        self,
        name: str,
        value: Sequence[Sequence[float]] | Tensor,
        *,
        rows: str = "row ",
        columns: str = "column ",
        max_rows: int = 6,
        max_columns: int = 6,
        presets: Mapping[str, Sequence[Sequence[float]]] | None = None,
        width: int = 64,
    ) -> None:
        self.matrix_name, self.field_width = name, width
        self.row_letter, self.column_letter = rows, columns
        self.max_rows, self.max_columns = max_rows, max_columns
        self._remembered: dict[tuple[int, int], float] = {}
        self._problems: dict[object, str] = {}
        self.writing = Guard()
        self._shown: tuple[int, int] | None = None  # the shape that is laid out
        super().__init__()
        self._start = self._checked(value)
        self.presets = {key: self._checked(matrix) for key, matrix in (presets or {}).items()}
        self.preset = choice(f"{name} preset", [NO_PRESET, *self.presets], width="240px")
        self.preset.observe(self._choose_preset, names="value")
        self.head, self.message_line = ipywidgets.HTML(), ipywidgets.HTML()
        self.message_line.add_class("alab-status")  # of fixed height: a message moves nothing
        self.children = [
            ipywidgets.HTML(STYLE, layout={"display": "none"}),
            self.head,
            *([self.preset] if self.presets else []),
            self._build_cells(),
            self._build_tools(),
            self.message_line,
        ]
        self.add_class("alab-editor")
        self.layout.width = "auto"
        self.value = self._start

    def _build_cells(self) -> ipywidgets.VBox:
        """Return the box for the fields: one for each cell, or one for the cell that is chosen."""
        self.fields: dict[tuple[int, int], ipywidgets.Text] = {}
        self.grid = ipywidgets.GridBox()
        self.grid.add_class("alab-cells")
        self.one_row = count_field("row", 0, self.max_rows - 1, least=0, width="100px")
        self.one_column = count_field("column", 0, self.max_columns - 1, least=0, width="120px")
        self.one_number = text_field(f"{self.matrix_name} there", width="190px")
        self.overview = ipywidgets.HTML()
        self.one_cell = ipywidgets.VBox(
            [row(self.one_row, self.one_column), self.one_number, self.overview]
        )
        watch(self._choose_cell, self.one_row, self.one_column)
        self.one_number.observe(
            lambda change: self._typed(self.one_row.value, self.one_column.value, change["new"]),
            names="value",
        )
        self.cells = ipywidgets.VBox([self.grid])
        return self.cells

    def _build_tools(self) -> ipywidgets.Widget:
        """Return the buttons, and the box to paste into, which is closed at first."""
        self.reset_button = ipywidgets.Button(description="Reset", layout={"width": "70px"})
        self.reset_button.on_click(lambda _: self.reset())
        self.paste_toggle = ipywidgets.ToggleButton(description="Paste…", layout={"width": "80px"})
        self.paste_text = ipywidgets.Textarea(
            description=f"Paste {self.matrix_name}:",
            placeholder="1 2 3\n4 5 6",
            rows=3,
            continuous_update=False,
            layout={"width": "240px"},
            style={"description_width": "initial"},
        )
        self.paste_button = ipywidgets.Button(description="Use it", layout={"width": "80px"})
        paste_box = ipywidgets.VBox(
            [self.paste_text, self.paste_button], layout={"display": "none"}
        )

        def open_or_close(change: traitlets.Bunch) -> None:
            paste_box.layout.display = "" if change["new"] else "none"

        self.paste_toggle.observe(open_or_close, names="value")
        # The text is used as soon as it comes: the report of a click can overtake it, and be about
        # the text before. The click then says again what is wrong, or finds the box closed.
        self.paste_text.observe(lambda change: self._pasted(change["new"]), "value")
        self.paste_button.on_click(
            lambda _: self.paste_toggle.value and self.paste(self.paste_text.value)
        )
        buttons = ipywidgets.HBox([self.reset_button, self.paste_toggle])
        self.tools = ipywidgets.VBox([buttons, paste_box])
        return self.tools

    def give_tools(self) -> ipywidgets.Widget:
        """Take the buttons and the box to paste into out, for a place of their own."""
        self.children = [child for child in self.children if child is not self.tools]
        return self.tools

    @property
    def tensor(self) -> Tensor:
        """The matrix as a float64 tensor, shape (rows, columns)."""
        return torch.tensor(self.value, dtype=torch.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return len(self.value), len(self.value[0])

    def reset(self) -> None:
        """Go back to the matrix that the editor started with."""
        self._remembered.clear()
        self._set(self._start)

    def paste(self, text: str) -> None:
        """Take a whole matrix from text; a text that is none changes nothing but the message."""
        try:
            matrix = parse_matrix(text, self.max_rows, self.max_columns)
        except Problem as problem:
            self._blame("paste", f"{self.matrix_name}, paste: {problem}")
            self._tell()
            return
        self._set(matrix)
        self.paste_toggle.value = False
        self.paste_text.value = ""  # else the next paste lands behind this one

    def _pasted(self, text: str) -> None:
        if text:
            self.paste(text)
        else:  # what was wrong with the text goes with it
            self._problems.pop("paste", None)
            self._tell()

    def start_with(self, value: Sequence[Sequence[float]] | Tensor) -> None:
        """Show a matrix and make it the one that `reset` goes back to."""
        self._start = self._checked(value)
        self.reset()

    def _choose_preset(self, change: traitlets.Bunch) -> None:
        if change["new"] != NO_PRESET:
            self._set(self.presets[change["new"]])

    def resize(self, rows: int, columns: int) -> None:
        """Change the shape; numbers that were there before come back, new ones are 0."""
        if (rows, columns) == self.shape:
            return
        for index, number in self._entries():
            self._remembered[index] = number
        self._set(
            tuple(
                tuple(self._remembered.get((i, j), 0.0) for j in range(columns))
                for i in range(rows)
            )
        )

    def resize_axis(self, axis: int, size: int) -> None:
        """Change the number of rows (axis 0) or of columns (axis 1), as `resize` does."""
        rows, columns = self.shape
        self.resize(*((rows, size) if axis else (size, columns)))

    def _entries(self):
        return [((i, j), x) for i, line in enumerate(self.value) for j, x in enumerate(line)]

    def _checked(self, value: Sequence[Sequence[float]] | Tensor) -> Rows:
        try:
            matrix = tuple(tuple(line) for line in _numbers(value))
        except (TypeError, ValueError):
            raise TypeError(
                f"{self.matrix_name} must be a matrix of numbers (rows of equal length), "
                f"but it is {value!r}"
            ) from None
        if not matrix or not matrix[0] or len({len(line) for line in matrix}) > 1:
            raise ValueError(f"{self.matrix_name} must have rows of equal length: {value!r}")
        if len(matrix) > self.max_rows or len(matrix[0]) > self.max_columns:
            raise ValueError(
                f"{self.matrix_name} is {len(matrix)} × {len(matrix[0])}, but this editor holds "
                f"at most {self.max_rows} × {self.max_columns}"
            )
        if not all(abs(number) <= LARGEST for line in matrix for number in line):
            raise ValueError(
                f"{self.matrix_name} holds a number that is not finite, or above {LARGEST:g}: "
                f"{value!r}"
            )
        return matrix

    @traitlets.validate("value")
    def _validate_value(self, proposal: traitlets.Bunch) -> Rows:
        return self._checked(proposal["value"])

    def _set(self, matrix: Rows) -> None:
        """Show a matrix that is known to be good; what was wrong before is gone."""
        self._problems.clear()
        if matrix == self.value:
            self._write_fields()
        else:
            self.value = matrix
        self._tell()

    @traitlets.observe("value")
    def _value_changed(self, change: traitlets.Bunch) -> None:
        if self.presets.get(self.preset.value) != change["new"]:
            self.preset.value = NO_PRESET
        if not self.writing:
            self._problems.clear()
            self._write_fields()
            self._tell()

    def _write_fields(self) -> None:
        rows, columns = self.shape
        with self.writing:
            if self._is_small:
                for index, number in self._entries():
                    if index not in self.fields:
                        self.fields[index] = self._new_field(*index)
                    self.fields[index].value = f"{number:.10g}"
                    self.fields[index].remove_class("alab-bad")
            else:
                self.one_row.max, self.one_column.max = rows - 1, columns - 1
                number = self.value[self.one_row.value][self.one_column.value]
                self.one_number.value = f"{number:.10g}"
                self.one_number.remove_class("alab-bad")
        self._draw_picture()
        if self.shape != self._shown:
            self._shown = self.shape
            self._lay_out(rows, columns)

    def _choose_cell(self, _change: traitlets.Bunch) -> None:
        if not self.writing:
            self._set(self.value)

    @property
    def _is_small(self) -> bool:
        return self.shape[0] * self.shape[1] <= MOST_FIELDS

    def _draw_picture(self) -> None:
        if not self._is_small:
            self.overview.value = side_by_side(
                matrix_picture(self.tensor, caption=self.matrix_name, side=160)
            )

    def _new_field(self, i: int, j: int) -> ipywidgets.Text:
        # All fields share one layout and one style: each would be two more messages to the browser.
        first = next(iter(self.fields.values()), None)
        shared = {"layout": first.layout, "style": first.style} if first else {}
        field = ipywidgets.Text(
            description=f"{self.matrix_name} row {i} column {j}",
            continuous_update=False,
            **shared,
        )
        for kind in (f"in-{self.matrix_name}", f"r{i}", f"c{j}"):  # a style sheet finds it
            field.add_class(kind)
        field.layout.width = f"{self.field_width}px"
        field.observe(lambda change: self._typed(i, j, change["new"]), names="value")
        return field

    def _lay_out(self, rows: int, columns: int) -> None:
        self.head.value = ""  # the picture has its own
        if self._is_small:
            self.head.value = title(self.matrix_name, f" ({rows} × {columns})")
            heads = labels(self.row_letter, rows), labels(self.column_letter, columns)
            fill_grid(self.grid, *heads, lambda i, j: self.fields[i, j], self.field_width + 2)
        self.cells.children = [self.grid if self._is_small else self.one_cell]

    def _typed(self, i: int, j: int, text: str) -> None:
        if self.writing or i >= self.shape[0] or j >= self.shape[1]:
            return  # the second: a late message of a field that is no longer shown
        field = self.fields[i, j] if self._is_small else self.one_number
        try:
            number = parse_number(text)
        except Problem as problem:
            kept = f"{self.value[i][j]:.10g}"
            text = f"{self.matrix_name}[{i}, {j}]: {problem}. Still using {kept}"
            self._blame((i, j), text)
            field.add_class("alab-bad")
        else:
            self._problems.pop((i, j), None)
            self._problems.pop("paste", None)
            field.remove_class("alab-bad")
            lines = [list(line) for line in self.value]
            lines[i][j] = number
            with self.writing:
                self.value = tuple(tuple(line) for line in lines)
            self._draw_picture()
        self._tell()

    def _blame(self, source: object, text: str) -> None:
        self._problems.pop(source, None)  # the newest stands last
        self._problems[source] = text

    def _tell(self) -> None:
        self.problem = next(reversed(self._problems.values()), "")
        self.message_line.value = message(self.problem, problem=True) if self.problem else ""

    def table(self) -> str:
        """Return the matrix as an HTML table."""
        rows, columns = self.shape
        return matrix_view(
            self.tensor,
            caption=self.matrix_name,
            rows=labels(self.row_letter, rows),
            columns=labels(self.column_letter, columns),
        )

    def twin_html(self) -> str:
        return side_by_side(self.table())

    def twin_text(self) -> str:
        rows, columns = self.shape
        shown = [list(line) for line in self.value] if self._is_small else f"{rows} × {columns}"
        return f"MatrixEditor: {self.matrix_name} = {shown}"
