"""What all widgets share: one redraw per change, the status line, the static twin."""

from __future__ import annotations

import hashlib
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


# What a live widget brings with it: its twin goes, and when its kernel has gone it says so.
GONE = "The kernel was restarted, and this has lost it. Run the cell to make it live again."
LIVE_STYLE = """<style>
.{mark}{{display:none}}
.alab-gone{{display:none!important;background:#fff4e5;color:#5c2b00;border-left:4px solid #d55e00;
padding:4px 8px}}
.jupyter-widgets-disconnected>.alab-gone{{display:block!important}}
.jupyter-widgets-disconnected>.alab-gone::before{{content:none!important}}
.jupyter-widgets-disconnected :is(input,select,button,textarea){{opacity:.4;pointer-events:none}}
</style>"""


class StaticTwin:
    """Mixin: before the live widget its picture is displayed, as ``text/html`` and ``text/plain``.

    The live widget hides this twin. Where there is none (GitHub, a notebook that was opened but
    not run, or that its reader has saved) the twin is what is seen. Strict nbval compares it, so
    the picture is tested.
    """

    def twin_html(self) -> str:
        """Return the picture of the present state, without any live part."""
        raise NotImplementedError

    def twin_text(self) -> str:
        """Return one line for a display that shows text only."""
        raise NotImplementedError

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        twin = f"{self.twin_html()}<div>Run this cell to make it live.</div>"
        # by its content, so that it is the same at every run
        mark = f"alab-twin-{hashlib.sha1(twin.encode()).hexdigest()[:8]}"
        self._make_live(mark)
        html = f'<div class="{mark}">{twin}</div>'
        display({"text/plain": self.twin_text(), "text/html": html}, raw=True)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"application/vnd.jupyter.widget-view+json": view}, raw=True)
        if hasattr(self, "_handle_displayed"):  # ipywidgets 7
            self._handle_displayed(**kwargs)

    def _make_live(self, mark: str) -> None:
        """Add what hides the twin of this mark, and what is seen when the kernel has gone."""
        style = ipywidgets.HTML(LIVE_STYLE.format(mark=mark), layout={"display": "none"})
        gone = ipywidgets.HTML(GONE)
        gone.add_class("alab-gone")
        kept = [child for child in self.children if child not in getattr(self, "_live_parts", ())]
        self._live_parts = (gone, style)
        self.children = [*self._live_parts, *kept]


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
