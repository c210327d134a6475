"""Write into docs/teaching.md what the project itself knows: minutes, orders, common errors.

    python tools/teaching.py         all three
    python tools/teaching.py times   the minutes and the orders alone: no exercise is graded

The errors are the wrong answers that the tests of each exercise hold (``tests/labs/*/answers.py``),
with what its check says to them.
"""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import torch

import catalogue
import notebooks as tool
from attention_lab.exercises import ROOMS, grade

PAGE = tool.ROOT / "docs" / "teaching.md"
MOST = 4  # errors of one exercise
PUZZLES = "120 to 240"  # minutes, as their page says
LONGEST = 220  # characters of one
# What is said to an answer of the wrong form; it tells nothing about attention. First by the words
# that the tests look for, then by the whole reply.
FORM = re.compile(
    r"write |must be|must have|must return|raised|returned|shape|right for|for other|statement|"
    r"cannot|changed|in place|is wanted|argument|up to a |without quotes|finite|a float|no letter|"
    r"at least one|a list|a number|None|differ|instead of|came out|is read as|should be|"
    r"\d of \d+ are right|^\w+ \w+ =|wrong by|for these scores",
    re.I,
)
FORM_OF_REPLY = re.compile(
    r"^(?:write|give|name) |returned None|raised \w+Error|is missing$|^there is no |is no pair|"
    r"no experiment|needs \d+, but it has|but it is torch|none of the words|sentences in the list",
    re.I,
)
WEEK = {
    "Monday": ("00", "01", "02"),
    "Tuesday": ("03", "04"),
    "Wednesday": ("06", "07"),
    "Thursday": ("08", "10"),
    "Friday": ("puzzles",),
}


class Minutes(NamedTuple):
    """What a notebook takes: to read (from its title), and its exercises (from each of them)."""

    path: Path
    read: int
    exercises: int
    predictions: int
    run: str


def minutes() -> list[Minutes]:
    """Return what each notebook of the course takes."""
    found = list(catalogue.items())
    made = []
    for path in tool.course():
        title = nbformat.read(path, as_version=4).cells[0].source
        here = [item for item in found if item.place.path == path]
        times = [re.match(r"(\d+) minutes?", item.effort) for item in here]
        made.append(
            Minutes(
                path,
                int(tool.READ_TIME.search(title)[0].split()[0]),
                sum(int(time[1]) for time in times if time),
                sum(item.kind == "prediction" for item in here),
                f"< {tool.RUN_TIME.search(title)[1]} s",
            )
        )
    return made


def _link(path: Path) -> str:
    return f"[{catalogue.title_of(path)}](../notebooks/{path.name})"


def times() -> str:
    """Return the table of minutes."""
    rows = [
        f"| {_link(m.path)} | {m.read} | {m.exercises or PUZZLES} | {m.predictions} | {m.run} |"
        for m in minutes()
    ]
    head = "| notebook | read | exercises | predictions | run |\n| --- | --- | --- | --- | --- |"
    return "\n".join([head, *rows])


def week() -> str:
    """Return the order for a week, with its minutes."""
    known = {m.path.stem[:2] if m.path.stem[0].isdigit() else m.path.stem: m for m in minutes()}
    rows = []
    for day, names in WEEK.items():
        links = " · ".join(_link(known[name].path) for name in names)
        read = sum(known[name].read for name in names)
        exercises = sum(known[name].exercises for name in names)
        rows.append(f"| {day} | {links} | {read} | {exercises or PUZZLES} |")
    head = "| day | notebooks | read | exercises |\n| --- | --- | --- | --- |"
    return "\n".join([head, *rows])


def term() -> str:
    """Return the order for a term: a session of 90 minutes each week, exercises at home."""
    first, second, *others = minutes()
    rows = []
    for number, group in enumerate([(first, second), *((each,) for each in others)], start=1):
        links = " · ".join(_link(each.path) for each in group)
        read = sum(each.read for each in group)
        home = sum(each.exercises for each in group)
        rows.append(f"| {number} | {links} | {read} | {home or PUZZLES} |")
    head = "| week | in class | read | at home |\n| --- | --- | --- | --- |"
    return "\n".join([head, *rows])


def wrong_answers(name: str, room: str) -> list[tuple[Any, str]]:
    """Return the wrong answers of an exercise that are worth telling, with words of the reply."""
    chosen: list[tuple[Any, str]] = []
    for answer, says in import_module(f"labs.{room}.answers").WRONG[name]:
        is_new = says not in [other for _, other in chosen]
        if is_new and len(says.split()) >= 3 and not FORM.search(says):
            chosen.append((answer, says))
    return chosen[:MOST]


def said_to(name: str, answer: Any, says: str) -> str:
    """Return what a check replies; of a long reply the sentence in which these words stand."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong answer may well give cause for one
        said = " ".join(grade(name, answer).message.split())
    if len(said) > LONGEST:
        at = said.index(says)
        start = said.rfind(". ", 0, at)
        end = said.find(". ", at + len(says))
        said = said[start + 2 if start > 0 else 0 : end + 1 if end > 0 else len(said)]
    if len(said) > LONGEST:
        end = max(LONGEST, said.index(says) + len(says))
        said = f"{said[:end]} …" if end < len(said) else said
    return re.sub(r"([|*_])", r"\\\1", said).replace("<", "&lt;")


def errors() -> str:
    """Return the common errors of each exercise, by notebook."""
    room_of = {name: room for room, names in ROOMS.items() for name in names}
    parts, last = [], None
    for item in catalogue.items():
        if item.kind not in ("Exercise", "Puzzle"):
            continue
        lines = [
            f"- {said_to(item.name, answer, says)}"
            for answer, says in wrong_answers(item.name, room_of[item.name])
        ]
        lines = [line for line in dict.fromkeys(lines) if not FORM_OF_REPLY.search(line[2:])]
        if not lines:
            continue
        if item.place.path != last:
            last = item.place.path
            parts.append(f"### {catalogue.title_of(last)}")
        parts.append(f"**{item.title}** (`check.{item.name}`)\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


PARTS: dict[str, Callable[[], str]] = {
    "times": times,
    "week": week,
    "term": term,
    "errors": errors,
}


def put(text: str, name: str, content: str) -> str:
    """Put a part between its two marks."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"there is no {start} ... {end} in {PAGE.name}")
    return f"{before}{start}\n\n{content}\n\n{end}{after}"


def part(text: str, name: str) -> str:
    """Return what stands between the two marks of a part."""
    return text.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0].strip()


def named(arguments: list[str]) -> Iterator[str]:
    """Return the parts that are to be written."""
    for name in PARTS:
        if name != "errors" or arguments != ["times"]:
            yield name


def main() -> None:
    sys.path.insert(0, str(tool.ROOT / "tests"))
    torch.set_num_threads(1)  # as on the pages of the exercises
    text = PAGE.read_text(encoding="utf-8")
    for name in named(sys.argv[1:]):
        text = put(text, name, PARTS[name]())
    PAGE.write_text(text, encoding="utf-8")
    print(f"written: {PAGE.name}")


if __name__ == "__main__":
    main()
