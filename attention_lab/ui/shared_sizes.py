"""Sizes that several matrices share: where one changes, the others follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import ipywidgets
import traitlets

from attention_lab.ui.base import Guard, LiveView
from attention_lab.ui.matrix_editor import MatrixEditor

__all__ = ["SharedSizes", "Size"]


class Size(NamedTuple):
    """One size.

    Attributes
    ----------
    members : mapping of MatrixEditor to int
        Which axis of which matrix has it.
    field : ipywidgets.BoundedIntText, optional
        Where it is shown, and can be typed.
    what : str
        What to call it in a sentence, as in "columns (d_k)".
    """

    members: Mapping[MatrixEditor, int]
    field: ipywidgets.BoundedIntText | None = None
    what: str = ""


class SharedSizes:
    """Keep the matrices and the size fields of a widget in step.

    Parameters
    ----------
    view : LiveView
        Redrawn once after a change and all that follows from it.
    sizes : sequence of Size
    then : callable, optional
        Called when all matrices fit again, before the redraw.

    Attributes
    ----------
    said : str
        What was resized to fit the last edit: " K now has 2 columns as well, like Q."
    """

    def __init__(
        self, view: LiveView, sizes: Sequence[Size], then: Callable[[], None] = lambda: None
    ) -> None:
        self.view, self.sizes, self.then, self.said = view, sizes, then, ""
        self._following, self._showing = Guard(), Guard()
        self._show()
        for editor in {editor: None for size in sizes for editor in size.members}:
            editor.observe(self._changed, names="value")
        for size in sizes:
            if size.field:
                size.field.observe(lambda change, s=size: self._typed(s, change["new"]), "value")

    def _changed(self, change: traitlets.Bunch) -> None:
        with self.view.one_redraw():
            if not self._following:
                self.said = ""
            with self._following:
                for size in self.sizes:
                    self._follow(size, change["owner"])
            if not self._following:
                self._show()
                self.then()

    def _follow(self, size: Size, changed: MatrixEditor) -> None:
        if changed not in size.members:
            return
        length = changed.shape[size.members[changed]]
        for other, axis in size.members.items():
            if other.shape[axis] != length:
                other.resize_axis(axis, length)
                self.said += (
                    f" {other.matrix_name} now has {length} {size.what} as well, like "
                    f"{changed.matrix_name}."
                )

    def _typed(self, size: Size, length: int) -> None:
        if self._showing:
            return
        with self.view.one_redraw():
            editor, axis = next(iter(size.members.items()))
            editor.resize_axis(axis, length)  # those that share the size follow
            self.said = ""

    def _show(self) -> None:
        with self._showing:
            for members, field, _ in self.sizes:
                if field:
                    editor, axis = next(iter(members.items()))
                    field.value = editor.shape[axis]
