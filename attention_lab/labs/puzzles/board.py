"""What is solved: a table that changes under the reader's eyes."""

from __future__ import annotations

from typing import Any

from attention_lab.grading.progress import kept
from attention_lab.labs.puzzles import exercises  # noqa: F401 (registers the puzzles)
from attention_lab.labs.puzzles.pictures import FRAME
from attention_lab.labs.puzzles.puzzle import PROGRESS, PUZZLES, State, in_order
from attention_lab.pictures.style import MARKS, escaped

__all__ = ["Board"]

LOOKS: dict[State, str] = {
    "not attempted": "open",
    "not yet": "bad",
    "over budget": "open",
    "solved": "good",
}
SIGNS: dict[State, str] = {"not attempted": "○", "not yet": "✗", "over budget": "◐", "solved": "✓"}


class Board:
    """The puzzles with what became of them, today and on earlier days.

    Each board that stands on the page is drawn anew when a puzzle is checked.
    """

    def __init__(self) -> None:
        PROGRESS.recall(kept().exercises)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        handle = display(self._repr_mimebundle_(), raw=True, display_id=True)
        if handle is None:  # no notebook
            return
        PROGRESS.listeners.append(lambda: handle.update(self._repr_mimebundle_(), raw=True))

    def text(self) -> str:
        """Say how many are solved."""
        counts = PROGRESS.counts()
        others = ", ".join(f"{count} {state}" for state, count in reversed(counts.items())
                           if count and state != "solved")  # fmt: skip
        return f"{counts['solved']} of {len(PUZZLES)} puzzles solved; {others}".removesuffix("; ")

    def html(self) -> str:
        """Draw the parts as columns of short lists."""
        parts: dict[str, list[str]] = {}
        for each in in_order():
            state = PROGRESS.state(each.name)
            _, ground, ink, _ = MARKS[LOOKS[state]]
            used = PROGRESS.used.get(each.name)
            said = state if used is None else f"{state}, {used} of {each.budget}"
            style = (
                f"background:{ground};color:{ink};text-align:left;padding:1px 6px;border:0;"
                "white-space:normal"
            )
            parts.setdefault(each.part, []).append(
                f'<tr style="background:transparent"><td style="{style}">{SIGNS[state]}</td>'
                f'<td style="{style};min-width:12em">{each.number} {escaped(each.title)}</td>'
                f'<td style="{style};min-width:8em">{said}</td></tr>'
            )
        above = "caption-side:top;text-align:left;padding:2px 0;color:inherit;font-weight:600"
        tables = "".join(
            f'<table style="{FRAME}"><caption style="{above}">{escaped(part)}</caption>'
            f"<tbody>{''.join(rows)}</tbody></table>"
            for part, rows in parts.items()
        )
        return f'<div style="margin:2px 0 6px"><b>{self.text()}</b></div><div>{tables}</div>'
