"""What a model writes, step by step: the part that the widgets of notebooks 05 and 14 share."""

from __future__ import annotations

from typing import Any

import ipywidgets
import traitlets

from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import count_field, player, watch

__all__ = ["WrittenView"]


class WrittenView(LiveView):
    """A live picture of what a model writes, which can be played.

    A subclass lays out ``shown`` and ``play``, has a method ``_write()`` that returns what the
    model makes of the fields, with its ``weights`` in a row for each step, and calls `follow`.

    Parameters
    ----------
    steps : str
        What the number of steps that are shown is called.
    milliseconds : int
        From one step to the next, while it plays.
    width : str
        Of the field.

    Attributes
    ----------
    written
        What ``_write()`` returned last; None if the fields cannot be read.
    """

    def __init__(self, steps: str, milliseconds: int, *, width: str) -> None:
        super().__init__()
        self.shown = count_field(steps, 0, 0, least=0, width=width)
        self.play = player(0, milliseconds)
        traitlets.link((self.play, "value"), (self.shown, "value"))
        self.picture.layout.width = "100%"
        self.written: Any = None

    def follow(self, *fields: ipywidgets.Widget) -> None:
        """Write, and write again when one of these fields changes."""
        self._write_again()
        watch(self._write_again, *fields)
        watch(self.redraw, self.shown)

    def _write_again(self, _change: Any = None) -> None:
        """Write, and show all steps; what cannot be read leaves all as it is."""
        with self.one_redraw():
            self.written = None
            try:
                written = self._write()
            except Exception:  # redraw says what it is
                return
            self.written = written
            self.taken(written)
            self.play.max = self.shown.max = max(len(written.weights), 1)
            self.shown.value = self.shown.max

    def taken(self, written: Any) -> None:
        """Do what else is to be done with what was written."""

    def _write(self) -> Any:
        raise NotImplementedError
