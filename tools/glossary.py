"""Hold the notebooks to the glossary: where a term stands for the first time, it leads there.

    python tools/glossary.py                  say which first uses in the course have no link
    python tools/glossary.py notebooks/02_*   the same for each of these notebooks by itself
    python tools/glossary.py --link ...       write the links

In the course, first means first in the order of the notebooks. In a notebook by itself it means
first there, but for the terms of the first page (query, key, value ...), which stand everywhere.
What is code, formula, heading, title of an exercise or link already is no use of a term; nor is the
map of 00 there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat

import notebooks as tool

GLOSSARY = tool.NOTEBOOKS / "glossary.ipynb"
CONTENTS = "map"  # the cell that lists the notebooks
# what is no prose: code, formulas, headings, pictures, links, tags, what is folded, the names of
# papers (in italics with a year behind them)
NO_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|^#.*?$|!?\[[^\]]*\]\([^)]*\)|<details>.*?</details>"
    r"|<[^>]*>|\*\*(?:Source|Next).*|\*\*(?:Exercise|Puzzle) \d[^*]*\*\*|\*[^*\n]+\*, \d{4}",
    re.S | re.M,
)


class Use(NamedTuple):
    """Where a term stands for the first time."""

    term: str
    path: Path
    cell: str
    start: int
    end: int


def terms() -> list[str]:
    """Return the terms that are words, the longest first; W_Q and its like stand in formulas."""
    text = "\n".join(cell.source for cell in nbformat.read(GLOSSARY, as_version=4).cells)
    found = re.findall(r"^### (.+)$", text, re.M)
    return sorted((term for term in found if "_" not in term), key=lambda term: (-len(term), term))


def pattern(term: str) -> re.Pattern[str]:
    """Match a term in singular and plural, in the middle or at the start of a sentence."""
    if term.endswith("y") and term[-2] not in "aeou":
        ending = f"{re.escape(term[:-1])}(?:y|ies)"
    else:
        ending = re.escape(term) + ("(?:es)?" if term.endswith(("s", "x", "ch")) else "s?")
    first = ending[0]
    any_case = f"[{first.lower()}{first.upper()}]" if first.isalpha() else re.escape(first)
    return re.compile(rf"(?<![\w-]){any_case}{ending[1:]}(?![\w-])")


def prose_of(source: str) -> str:
    """Blank out what is no prose; what is left stays where it is."""
    return NO_PROSE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)


def address(term: str) -> str:
    return f"glossary.ipynb#{term.replace(' ', '-')}"


def first_uses(
    paths: Sequence[Path], known: Collection[str] = (), *, but: str = ""
) -> Iterator[Use]:
    """Find for each term its first use that does not lead to the glossary, if there is any.

    Parameters
    ----------
    paths : sequence of Path
        Notebooks, in the order in which they are read.
    known : collection of str
        Terms that need no link.
    but : str
        A cell that does not count.
    """
    open_terms = [term for term in terms() if term not in known]
    for path in paths:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "markdown" or cell.id == but:
                continue
            prose, linked = prose_of(cell.source), {}
            for term in open_terms:
                at = cell.source.find(f"]({address(term)})")
                if at >= 0:
                    linked[term] = at
            for term in list(open_terms):
                match = pattern(term).search(prose)
                if match and match.start() < linked.get(term, len(prose)):
                    yield Use(term, path, cell.id, *match.span())
                if match or term in linked:
                    open_terms.remove(term)
                # the words of a longer term are no use of a shorter one
                prose = pattern(term).sub(lambda m: " " * len(m[0]), prose)


def on_the_first_page() -> set[str]:
    """Return the terms that the first notebook links, outside its table of contents."""
    cells = nbformat.read(tool.course()[0], as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.id != CONTENTS)
    return {term for term in terms() if f"]({address(term)})" in text}


def first_uses_in(path: Path) -> Iterator[Use]:
    """Find the same in a notebook by itself, but for the terms of the first page."""
    first = tool.course()[0].name
    known = set() if path.name == first else on_the_first_page()
    return first_uses([path], known, but=CONTENTS)


def link(uses: Sequence[Use]) -> None:
    """Write the links."""
    for path in {use.path for use in uses}:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            here = [use for use in uses if (use.path, use.cell) == (path, cell.id)]
            for use in sorted(here, key=lambda use: -use.start):
                text = cell.source[use.start : use.end]
                cell.source = (
                    f"{cell.source[: use.start]}[{text}]({address(use.term)})"
                    f"{cell.source[use.end :]}"
                )
        text = nbformat.writes(notebook, version=4)
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")


def main() -> int:
    named = [Path(name) for name in sys.argv[1:] if name != "--link"]
    by_itself = [use for path in named for use in first_uses_in(path)]
    uses = by_itself if named else list(first_uses(tool.course()))
    if "--link" in sys.argv:
        link(uses)
    for use in uses:
        print(f"{use.path.name}: {use.cell}: “{use.term}” stands here for the first time")
    return 0 if "--link" in sys.argv or not uses else 1


if __name__ == "__main__":
    sys.exit(main())
