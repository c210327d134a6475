"""What all widgets share: one redraw per change, the status line, the static twin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets

from attention_lab.grading.feedback import Problem, describe
from attention_lab.pictures.style import escaped

__all__ = ["Guard", "LiveView", "StaticTwin", "message"]


class Guard:
    """True inside its ``with``: a widget that writes a field itself does not answer to it.

    Examples
    --------
    >>> writing = Guard()
    >>> with writing:
    ...     print(bool(writing))
    True
    >>> bool(writing)
    False
    """

    def __init__(self) -> None:
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1

    def __bool__(self) -> bool:
        return self._depth > 0


def message(text: str, *, problem: bool = False) -> str:
    """Write one line for the status of a widget; a problem says so in words, not by colour."""
    if not text:
        return ""
    if problem:
        return (
            '<div role="status" class="alab-note" style="background:#fff4e5;color:#5c2b00;'
            'border-left:4px solid #d55e00;padding:4px 8px"><b>Not used:</b> '
            f"{escaped(text)}</div>"
        )
    return f'<div role="status" class="alab-note">{escaped(text)}</div>'


class StaticTwin:
    """Mixin: the widget's display also holds its picture as ``text/html`` and ``text/plain``.

    JupyterLab and Colab show the live widget where there is a kernel; everything else shows
    the twin. Strict nbval compares the twin, so the picture is tested.
    """

    def twin_html(self) -> str:
        """Return the picture of the present state, without any live part."""
        raise NotImplementedError

    def twin_text(self) -> str:
        """Return one line for a display that shows text only."""
        raise NotImplementedError

    def _with_twin(self, bundle: dict[str, Any]) -> dict[str, Any]:
        bundle["text/plain"] = self.twin_text()
        bundle["text/html"] = self.twin_html()
        return bundle

    if hasattr(ipywidgets.Widget, "_repr_mimebundle_"):  # ipywidgets 8

        def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
            return self._with_twin(super()._repr_mimebundle_(**kwargs))

    else:  # ipywidgets 7

        def _ipython_display_(self, **kwargs: Any) -> None:
            from IPython.display import display

            view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
            display(self._with_twin({"application/vnd.jupyter.widget-view+json": view}), raw=True)
            self._handle_displayed(**kwargs)


class LiveView(StaticTwin, ipywidgets.VBox):
    """A widget whose picture follows its inputs.

    A subclass builds its inputs, calls `attention_lab.ui.fields.watch` on them, and gives `draw`.
    Whatever `draw` raises, the last good picture stays and the status line says why.

    Attributes
    ----------
    note : str
        What the status line says of the picture that is shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self.picture = ipywidgets.HTML()
        self.status = ipywidgets.HTML()
        self.note = ""
        self.holding = Guard()

    def draw(self) -> tuple[str, str]:
        """Return the picture of the present inputs as HTML, and what to say of it.

        Raises
        ------
        Problem
            The inputs cannot be drawn; the text says why.
        """
        raise NotImplementedError

    @contextmanager
    def one_redraw(self) -> Iterator[None]:
        """Redraw once at the end, however many inputs move inside."""
        try:
            with self.holding:
                yield
        finally:
            self.redraw()

    def redraw(self, _change: Any = None) -> None:
        """Draw again, or say in the status line why that cannot be done."""
        if self.holding:
            return
        try:
            self.picture.value, self.note = self.draw()
        except Problem as problem:
            self.status.value = message(str(problem), problem=True)
        except Exception as error:  # nobody foresaw it: say what it is, and go on
            said = f"{type(error).__name__}: {describe(error)}"
            self.status.value = message(said, problem=True)
        else:
            self.status.value = message(self.note)

    def twin_html(self) -> str:
        return self.status.value + self.picture.value
