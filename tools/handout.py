"""Write a copy of a notebook for a class: no solutions, predictions open, answers left out.

    python tools/handout.py 06_masks [--hints no] [--folder build/handouts]

The copy stands alone: links to other notebooks lead to the project on the web, and the set-up cell
installs the package where it is missing. Outputs that answer nothing stay, so it also reads well
before it is run. Solutions are not in the file at all.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import nbformat

import lint
import notebooks as tool

FOLDER = tool.ROOT / "build" / "handouts"
# what is folded: hints, solutions, and what came out
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>.*?</details>\s*", re.S)
NOTE = (
    "*This is a handout: solutions are not in it, and the outputs that answer a prediction appear "
    "when you run their cells.*"
)


class Unknown(ValueError):
    """There is no notebook of that name."""


def find(name: str) -> Path:
    """Return the notebook of a name: ``06_masks``, ``06``, ``masks``, with or without ``.ipynb``.

    Raises
    ------
    Unknown
        No notebook, or more than one, goes by it.
    """
    wanted = Path(name).name.removesuffix(".ipynb")
    paths = tool.course()
    found = [p for p in paths if wanted in (p.stem, p.stem[:2], tool.room_of(p.name))]
    if len(found) != 1:
        known = ", ".join(path.stem for path in paths)
        raise Unknown(f"there is no notebook {name!r}; write NAME=... with one of {known}")
    return found[0]


def handout(path: Path, *, hints: bool = True) -> nbformat.NotebookNode:
    """Return the copy of a notebook.

    Parameters
    ----------
    path : Path
    hints : bool
        Whether the folded hints stay.
    """
    notebook = nbformat.read(path, as_version=4)
    kept = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _without(cell.source, hints)
            if not cell.source.strip():
                continue
        elif tool.ANSWER in cell.metadata.get("tags", []) or _asks(cell.source):
            # an exercise says what is missing when it is run; a prediction's twin holds the reply
            cell.outputs, cell.execution_count = [], None
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                data["text/html"] = re.sub(
                    r'href="(\w+\.ipynb)', rf'href="{_project()}\1', data["text/html"]
                )
        kept.append(cell)
    notebook.cells = kept
    title = tool.BADGE.sub("", notebook.cells[0].source)  # it opens the notebook with solutions
    notebook.cells[0].source = re.sub(r"\n{3,}", "\n\n", f"{title}\n\n{NOTE}")
    return notebook


def _asks(source: str) -> bool:
    return bool(lint.PREDICT.search(source) or re.search(r"^(?:check\.|board\()", source, re.M))


def _without(source: str, hints: bool) -> str:
    """Take what is folded out of Markdown: all of it, or all but the hints."""

    def left(folded: re.Match[str]) -> str:
        return folded[0] if hints and folded[1] == "Hint" else ""

    return _standing_alone(FOLDED.sub(left, source)).rstrip()


def _standing_alone(source: str) -> str:
    """Let links to other notebooks lead to the project."""
    return re.sub(r"\]\((\w+\.ipynb)", rf"]({_project()}\1", source)


def _project() -> str:
    return f"{tool.repository()}/blob/main/notebooks/"


def write(name: str, folder: Path = FOLDER, *, hints: bool = True) -> Path:
    """Write the copy, and return where it is."""
    path = find(name)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / path.name
    nbformat.write(handout(path, hints=hints), target)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="such as 06_masks")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--hints", choices=("yes", "no"), default="yes", help="whether hints stay")
    given = parser.parse_args()
    try:
        print(f"written: {write(given.name, given.folder, hints=given.hints == 'yes')}")
    except Unknown as unknown:
        print(unknown)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
