"""The table of what a learner has solved and guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.grading import progress
from attention_lab.pictures.style import escaped

__all__ = ["ProgressTable", "begin_anew"]

SIGNS = {"solved": "✓", "over budget": "◐", "not yet": "✗", "open": "○"}
CELL = "text-align:left;padding:2px 14px 2px 0;border:0;vertical-align:top;white-space:normal"
NOTHING = (
    "Nothing is solved or guessed yet. When it is, it stands here, notebook by notebook, and is "
    f"kept in {progress.FILE} beside the notebooks; it is sent nowhere."
)


def begin_anew() -> str:
    """Put the progress aside, and say where it lies."""
    try:
        aside = progress.reset()
    except OSError as error:
        return f"The progress could not be put aside ({error}), and stays as it is."
    return f"Begun anew; what was there lies in {aside.name}." if aside else ""


class _Row(NamedTuple):
    """What is known of one notebook."""

    name: str
    file: str
    states: dict[str, str]
    right: int
    guessed: int
    asked: int

    def count(self, *states: str) -> int:
        return sum(state in states for state in self.states.values())


class ProgressTable:
    """What is solved, tried and open, and how many first guesses were right, by notebook.

    Parameters
    ----------
    exercises, predictions : mapping of room to names
    begun : str
        A sentence to begin with.
    """

    def __init__(
        self,
        exercises: Mapping[str, Sequence[str]],
        predictions: Mapping[str, Sequence[str]],
        begun: str = "",
    ) -> None:
        self._exercises, self._predictions, self._begun = exercises, predictions, begun

    def _rows(self) -> list[_Row]:
        known = progress.kept()
        files = {re.sub(r"^\d\d_", "", path.stem): path.name for path in Path().glob("*.ipynb")}
        rows = []
        for room, names in self._exercises.items():
            file = files.get(room, "")
            number = re.match(r"\d\d ", file.replace("_", " "))
            title = (number[0] if number else "") + room.replace("_", " ").capitalize().replace(
                "Qkv", "Q/K/V"
            )
            guesses = [known.first_guesses.get(name) for name in self._predictions.get(room, ())]
            rows.append(
                _Row(
                    title,
                    file,
                    {name: known.exercises.get(name, "open") for name in names},
                    sum(guess is True for guess in guesses),
                    sum(guess is not None for guess in guesses),
                    len(guesses),
                )
            )
        return rows

    def text(self) -> str:
        """Say it in a sentence or two."""
        return self._sum_up(self._rows())

    def _sum_up(self, rows: Sequence[_Row]) -> str:
        solved = sum(row.count("solved") for row in rows)
        over = sum(row.count("over budget") for row in rows)
        tried = sum(row.count("not yet") for row in rows)
        guessed, right = sum(row.guessed for row in rows), sum(row.right for row in rows)
        if not (solved or over or tried or guessed):
            return " ".join(filter(None, [self._begun, NOTHING]))
        exercises = sum(len(row.states) for row in rows)
        said = f"{solved} of {exercises} exercises solved, "
        said += f"{over} right but over budget, " if over else ""
        said += f"{tried} tried and not solved yet."
        if guessed:
            said += f" {right} of {guessed} first guesses right."
        if progress.is_waiting():
            said += " This is not kept in a file for now."
        return " ".join(filter(None, [self._begun, said]))

    def html(self) -> str:
        """Draw a row for each notebook; nothing but a sentence where nothing is kept."""
        rows = self._rows()
        said = f'<div style="line-height:1.5">{escaped(self._sum_up(rows))}</div>'
        if not any(row.guessed or row.count(*progress.RANK) for row in rows):
            return said
        heads = ("notebook", "exercises", "solved", "tried", "open", "guessed", "right at once")
        head = "".join(f'<th scope="col" style="{CELL};font-weight:600">{h}</th>' for h in heads)
        body = "".join(map(_drawn, rows))
        key = " · ".join(f"{sign} {state}" for state, sign in SIGNS.items())
        return (
            f'{said}<table style="border-collapse:collapse;line-height:1.5;margin:4px 0">'
            f'<thead><tr style="background:transparent">{head}</tr></thead>'
            f'<tbody>{body}</tbody></table><div style="font-size:90%">{key}</div>'
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


def _drawn(row: _Row) -> str:
    """Return a row of the table as HTML."""
    name = escaped(row.name)
    signs = " ".join(
        f'<span role="img" title="{exercise.replace("_", " ")}: {state}" '
        f'aria-label="{exercise.replace("_", " ")}: {state}">{SIGNS[state]}</span>'
        for exercise, state in row.states.items()
    )
    cells = [
        f'<a href="{escaped(row.file)}">{name}</a>' if row.file else name,
        signs,
        str(row.count("solved")),
        str(row.count("not yet", "over budget")),
        str(row.count("open")),
        f"{row.guessed} of {row.asked}" if row.asked else "–",
        str(row.right) if row.guessed else "–",
    ]
    inside = "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells)
    return f'<tr style="background:transparent">{inside}</tr>'
