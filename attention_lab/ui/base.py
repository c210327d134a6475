"""What all widgets share: one redraw per change, the status line, the static twin."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets

from attention_lab.grading.feedback import Problem, describe
from attention_lab.pictures.style import escaped
from attention_lab.pictures.tables import CSS, LIVE_CSS, still
from attention_lab.ui.keys import NAMES

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
    """Write the line of a widget's status; a problem says so in words, not by colour alone."""
    if not text:
        return ""
    if problem:
        return (
            '<div role="status" class="alab-note alab-slab" style="background:#fff4e5;'
            'color:#5c2b00;border-left:4px solid #d55e00;padding:4px 8px"><b>Not used:</b> '
            f"{escaped(text)}</div>"
        )
    return f'<div role="status" class="alab-note">{escaped(text)}</div>'


# What a live widget brings with it: its twin goes, and when its kernel has gone it says so.
GONE = "The kernel was restarted, and this has lost it. Run the cell to make it live again."
LIVE_STYLE = """<style>
.{mark}{{display:none}}
.alab-status{{height:3.3em;overflow-y:auto!important;align-self:stretch}}
.alab-status,.alab-status .alab-note{{min-width:0;overflow-wrap:anywhere}}
.alab-stale{{opacity:.45}}
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

    Attributes
    ----------
    sheets : str
        Style sheets that only this kind of widget needs: each rule costs at every redraw.
    """

    sheets = ""

    def twin_html(self) -> str:
        """Return the picture of the present state, without any live part."""
        raise NotImplementedError

    def twin_text(self) -> str:
        """Return one line for a display that shows text only."""
        raise NotImplementedError

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        shown = still(self.twin_html())
        style = CSS if "alab" in shown else ""
        twin = f"{style}{shown}<div>Run this cell to make it live.</div>"
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
        sheets = CSS + LIVE_CSS + self.sheets + LIVE_STYLE.format(mark=mark) + NAMES
        style = ipywidgets.HTML(sheets, layout={"display": "none"})
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
    problem : str
        Why the present inputs cannot be drawn; empty if they can.
    """

    def __init__(self) -> None:
        super().__init__()
        self.picture = ipywidgets.HTML()
        self.status = ipywidgets.HTML()
        self.status.add_class("alab-status")
        self.pictures = [self.picture]  # those that are dimmed while something is wrong
        self.note = self.problem = ""
        self.holding = Guard()
        self._speaking_for: list[Any] = []

    def speak_for(self, *inputs: Any) -> None:
        """Say in the status line what is wrong in an input, and not beside it: nothing moves.

        Parameters
        ----------
        *inputs
            Each with a trait ``problem`` and a ``message_line``.
        """
        for each in inputs:
            each.message_line.layout.display = "none"
            each.observe(self._tell, names="problem")
        self._speaking_for += inputs

    def blame(self, *inputs: Any) -> None:
        """Say only what is wrong in these, of those of `speak_for`: the others are out of sight."""
        self._speaking_for = list(inputs)

    def _tell(self, _change: Any = None) -> None:
        wrong = [
            said for said in (*(each.problem for each in self._speaking_for), self.problem) if said
        ]
        self.status.value = message(wrong[0], problem=True) if wrong else message(self.note)
        for picture in self.pictures:
            (picture.add_class if wrong else picture.remove_class)("alab-stale")

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
            self.problem = ""
        except Problem as problem:
            self.problem = str(problem)
        except Exception as error:  # nobody foresaw it: say what it is, and go on
            self.problem = f"{type(error).__name__}: {describe(error)}"
        self._tell()

    def twin_html(self) -> str:
        return self.status.value + self.picture.value
