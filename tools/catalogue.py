"""What stands where: widgets, exercises, puzzles and predictions, with a link to each.

    python tools/catalogue.py      writes notebooks/course_index.ipynb

`make notebooks` calls it, and a test holds the page to the notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat

import lint
import notebooks as tool
from attention_lab import widgets
from attention_lab.exercises import predict

INDEX = tool.NOTEBOOKS / "course_index.ipynb"
LIVE = "to make it live"  # what the twin of a widget says
LONGEST = 120  # characters of a question
# as in **Exercise 6.1: padding on the left** (10 minutes), **Puzzle 1: x** (budget: 1 statement)
ANNOUNCED = re.compile(
    r"^\*\*(?P<kind>Exercise|Puzzle) (?P<number>[\d.]+)(?:: (?P<title>.*?))?\*\*"
    r"(?: \((?P<effort>[^)]*)\))?",
    re.M,
)


class Place(NamedTuple):
    """A section of a notebook."""

    path: Path
    heading: str

    @property
    def target(self) -> str:
        """What a link of another notebook leads to."""
        anchor = self.heading.strip().replace(" ", "-")
        return f"{self.path.name}#{anchor.replace('(', '%28').replace(')', '%29')}"


class Item(NamedTuple):
    """A thing that a reader may look for.

    ``kind`` is “widget”, “Exercise”, “Puzzle” or “prediction”; ``name`` is what the code calls it;
    ``effort`` is what stands in brackets behind the title.
    """

    kind: str
    name: str
    title: str
    effort: str
    place: Place


def items(paths: Sequence[Path] | None = None) -> Iterator[Item]:
    """Find all of them, in the order of the notebooks."""
    for path in tool.course() if paths is None else paths:
        heading, announced, seen = "", [], set()
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                found = re.findall(r"^##? (.+)$", _without_code(cell.source), re.M)
                heading = found[-1] if found else heading
                announced += ANNOUNCED.finditer(cell.source)
                continue
            place = Place(path, heading)
            for name in lint.PREDICT.findall(cell.source):
                yield Item("prediction", name, predict[name].question, "", place)
            for name, _ in lint.CHECK.findall(cell.source):
                found = announced.pop(0)
                title = f"{found['number']} {found['title'] or ''}".strip()
                yield Item(found["kind"], name, title, found["effort"] or "", place)
            for name in re.findall(r"\b([A-Z]\w+)\(", cell.source):
                is_shown = any(LIVE in o.get("data", {}).get("text/html", "") for o in cell.outputs)
                if name in widgets.ROOMS and is_shown and (name, heading) not in seen:
                    seen.add((name, heading))
                    yield Item("widget", name, _purpose(name), "", place)


def _without_code(source: str) -> str:
    return re.sub(r"^```.*?^```", "", source, flags=re.S | re.M)


def _purpose(widget: str) -> str:
    """Return the first line of what a widget says of itself."""
    return (getattr(widgets, widget).__doc__ or "").strip().split("\n")[0].rstrip(".")


def short(question: str) -> str:
    """Return the beginning of a question, of a length that fits a row."""
    text = " ".join(question.split())
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " …"
    return text.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_").replace(r"$", r"\$")


def title_of(path: Path) -> str:
    """Return the first heading of a notebook, with the number of its file in front."""
    text = next(
        found[1]
        for cell in nbformat.read(path, as_version=4).cells
        if (found := re.search(r"^# (.+)$", cell.source, re.M))
    )
    number = re.match(r"\d\d", path.stem)
    return text if not number or text.startswith(number[0]) else f"{number[0]} {text}"


def _link(place: Place) -> str:
    number = re.match(r"\d\d", place.path.stem)
    text = f"{number[0] if number else 'puzzles'}, {place.heading}"
    return f"[{text}]({place.target})"


def _by_notebook(found: Sequence[Item], head: str, row: Callable[[Item], str]) -> str:
    """Return a table for each notebook that has any."""
    parts = []
    for path in dict.fromkeys(item.place.path for item in found):
        rows = [row(item) for item in found if item.place.path == path]
        parts.append(f"### {title_of(path)}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(parts)


def page() -> nbformat.NotebookNode:
    """Return the index as a notebook."""
    found = list(items())
    of = {kind: [i for i in found if i.kind == kind] for kind in {i.kind for i in found}}
    places: dict[str, list[Item]] = {}
    for item in of["widget"]:
        places.setdefault(item.name, []).append(item)
    shown = [
        f"| `{name}` | {used[0].title} | {' · '.join(_link(item.place) for item in used)} |"
        for name, used in sorted(places.items())
    ]
    counts = ", ".join(
        f"[{len(rows)} {name.lower()}](#{name})"
        for name, rows in (
            ("Widgets", shown),
            ("Exercises", of["Exercise"]),
            ("Puzzles", of["Puzzle"]),
            ("Predictions", of["prediction"]),
        )
    )
    cells = {
        "title": f"# What stands where\n\n{counts}: a link leads to the section. The words are in "
        "the [glossary](glossary.ipynb). Back to [00 Start here](00_start_here.ipynb).",
        "widgets": "## Widgets\n\n| widget | what it is | where |\n| --- | --- | --- |\n"
        + "\n".join(shown),
        "exercises": "## Exercises\n\n"
        + _by_notebook(
            of["Exercise"],
            "| exercise | effort | its check |\n| --- | --- | --- |",
            lambda i: f"| [{i.title}]({i.place.target}) | {i.effort} | `check.{i.name}` |",
        ),
        "puzzles": "## Puzzles\n\n| puzzle | budget | part |\n| --- | --- | --- |\n"
        + "\n".join(
            f"| [{i.title}]({i.place.target}) | {i.effort.removeprefix('budget: ')} "
            f"| {i.place.heading} |"
            for i in of["Puzzle"]
        ),
        "predictions": "## Predictions\n\n"
        + _by_notebook(
            of["prediction"],
            "| `predict.` | question | where |\n| --- | --- | --- |",
            lambda i: f"| `{i.name}` | {short(i.title)} | [{i.place.heading}]({i.place.target}) |",
        ),
    }
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(text, id=name) for name, text in cells.items()]
    )
    tool.normalise(made)
    return made


def written() -> str:
    """Return the text of the file."""
    text = nbformat.writes(page(), version=4)
    return text if text.endswith("\n") else text + "\n"


def main() -> None:
    INDEX.write_text(written(), encoding="utf-8")
    print(f"written: {INDEX.name}")


if __name__ == "__main__":
    main()
