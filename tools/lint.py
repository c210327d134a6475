"""Hold every notebook to the anatomy of the collection.

    python tools/lint.py                      all notebooks
    python tools/lint.py notebooks/01*.ipynb  some

Each rule is a function from a notebook to sentences about what is wrong with it. `RULES`
names them all, and a test breaks each of them once.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import nbformat

import notebooks as tool
from attention_lab.exercises import predict

# word to avoid: the term of the glossary
SYNONYMS = {
    "attention score": "score (before the softmax) or weight (after it)",
    "attention map": "weights",
    "attention matrix": "weights",
    "embedding dimension": "d_model",
    "hidden size": "d_model",
    "context vector": "output",
    "key-value pair": "key and value",
    "sequence length": "n_q or n_k",
}
NAMES = ["pinter", "rouge", "aer"]  # codespell takes them for misspelt words
CHECK = re.compile(r"^check\.(\w+)\((\w+)\)", re.M)
PREDICT = re.compile(r"^predict\.(\w+)\(\)", re.M)
PREDICTIONS = 3  # at least, in each notebook


class Book(NamedTuple):
    """A notebook and where it lies."""

    path: Path
    cells: list
    metadata: dict


Rule = Callable[[Book], Iterator[str]]


def read(path: Path) -> Book:
    notebook = nbformat.read(path, as_version=4)
    return Book(path, notebook.cells, notebook.metadata)


def prose(cell) -> str:
    """Return the Markdown of a cell without code, links and formulas."""
    text = re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", " ", cell.source, flags=re.S)
    return re.sub(r"\]\([^)]*\)", "]", text)


def markdown(book: Book) -> Iterator:
    return (cell for cell in book.cells if cell.cell_type == "markdown")


def code(book: Book) -> list:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def outputs(book: Book) -> Iterator:
    return ((cell, output) for cell in code(book) for output in cell.outputs)


def anatomy(book: Book) -> Iterator[str]:
    """Title with badge, promise and box; set-up; sections; what to remember, sources, next."""
    ids = [cell.id for cell in book.cells]
    if ids[:2] != ["title", "set-up"]:
        yield f"the first two cells must be title and set-up, not {ids[:2]}"
        return
    title = book.cells[0].source
    wanted = {
        "a heading": r"\A# \S",
        "the Colab badge": re.escape(tool.badge(book.path.name)),
        "a picture with a text of what it shows": r"^!\[[^\]]+\]\(attachment:[\w-]+\.png\)",
        "what the reader can do afterwards": r"^> \*\*After this \w+ you can\*\*",
        "what is needed first": r"^> \*\*You need\*\*",
        "the time": r"^> \*\*Time\*\* .*\d+ minutes to read",
    }
    for what, pattern in wanted.items():
        if not re.search(pattern, title, re.M):
            yield f"the title lacks {what}"
    if not book.cells[0].get("attachments"):
        yield "the picture of the title is not attached; run `make notebooks`"
    if book.cells[1].source != tool.set_up(book.path.name):
        yield "the set-up cell is not that of the other notebooks; run `make notebooks`"
    last = book.cells[-1]
    if last.id != "remember" or not last.source.startswith("## What to remember"):
        yield "the last cell must be “What to remember”"
    else:
        points = len(re.findall(r"^\d\. ", last.source, re.M))
        if points != 5:
            yield f"“What to remember” has {points} lines, not 5"
        for part in ("**Source", "**Next**"):
            if part not in last.source:
                yield f"the last cell lacks {part.strip('*')}"
    if not any(cell.source.startswith("## ") for cell in markdown(book)):
        yield "there are no sections"


def ids(book: Book) -> Iterator[str]:
    """Cell ids are unique, so that an edit can be followed."""
    seen = set()
    for cell in book.cells:
        if cell.id in seen:
            yield f"the id {cell.id!r} is there twice"
        seen.add(cell.id)


def executed(book: Book) -> Iterator[str]:
    """Run from top to bottom: counts 1..N, and there are outputs."""
    counts = [cell.execution_count for cell in code(book)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the execution counts are {counts}, not 1 to {len(counts)}; run `make notebooks`"
    if not any(cell.outputs for cell in code(book)):
        yield "there is no output at all; run `make notebooks`"


def clean_outputs(book: Book) -> Iterator[str]:
    """No errors, no warnings, no paths of this machine, no state of widgets."""
    if "widgets" in book.metadata:
        yield "metadata.widgets is kept; run `make notebooks`"
    if book.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3, so JupyterLab would ask for one"
    for cell, output in outputs(book):
        text = str(output)
        if output.output_type == "error":
            yield f"{cell.id}: an error is committed"
        if output.get("name") == "stderr" or "Warning" in text:
            yield f"{cell.id}: a warning is committed"
        if "<b>Not used:</b>" in text:
            yield f"{cell.id}: the committed picture of a widget has an error"
        if re.search(r"(?:/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\)\w", text):
            yield f"{cell.id}: a path of one machine is committed"
        if tool.WIDGET_VIEW in output.get("data", {}):
            yield f"{cell.id}: the id of a live widget is committed; run `make notebooks`"


def sentences(book: Book) -> Iterator[str]:
    """Every figure is followed by the sentence that is its alternative text."""
    for cell in code(book):
        for index, output in enumerate(cell.outputs):
            if "image/png" not in output.get("data", {}):
                continue
            after = cell.outputs[index + 1] if index + 1 < len(cell.outputs) else {}
            sentence = after.get("data", {}).get("text/plain", "")
            if not sentence.endswith("."):
                yield f"{cell.id}: no sentence follows the figure"
            elif output.metadata.get("image/png", {}).get("alt") != sentence:
                yield f"{cell.id}: the alternative text is not the sentence under the figure"


def exercises(book: Book) -> Iterator[str]:
    """Each exercise has a check, and after it a folded hint and a folded solution."""
    announced = sum(len(tool.EXERCISE.findall(c.source)) for c in markdown(book))
    checked = 0
    for index, cell in enumerate(book.cells):
        if cell.cell_type != "code" or not CHECK.search(cell.source):
            continue
        checked += 1
        after = book.cells[index + 1].source if index + 1 < len(book.cells) else ""
        for part in ("Hint", "Solution"):
            if f"<details><summary>{part}</summary>" not in after:
                yield f"{cell.id}: no folded {part.lower()} follows"
        if "..." not in cell.source:
            yield f"{cell.id}: there is no ... to replace"
        if "Not attempted" not in str(cell.outputs):
            yield f"{cell.id}: the committed output is not “Not attempted”"
    if announced != checked:
        yield f"{announced} exercises are announced, and {checked} are checked"


def visible(cell) -> str:
    """Return what a reader sees of a cell: no code, and nothing that is folded."""
    text = [cell.source if cell.cell_type == "markdown" else ""]
    text += [
        part
        for output in cell.get("outputs", [])
        for part in (output.get("text", ""), str(output.get("data", {}).get("text/html", "")))
    ]
    return re.sub(r"<details>.*?</details>|<style>.*?</style>", " ", "\n".join(text), flags=re.S)


def preview(cell) -> str:
    """Return the line that JupyterLab leaves of a folded output: its first."""
    first = cell.outputs[0]
    text = first.get("text") or str(first.get("data", {}).get("text/plain", ""))
    return text.split("\n")[0]


def predictions(book: Book) -> Iterator[str]:
    """A prediction stands before what answers it: a cell tagged “answer”, with text between."""
    asked = 0
    for index, cell in enumerate(book.cells):
        if cell.cell_type != "code" or not (called := PREDICT.search(cell.source)):
            continue
        asked += 1
        name = called[1]
        shown = predict[name].shown_by
        answer = next(
            (k for k in range(index + 1, len(book.cells))
             if tool.ANSWER in book.cells[k].metadata.get("tags", [])), None,
        )  # fmt: skip
        if answer is None:
            yield f"{name}: no cell after it is tagged “{tool.ANSWER}”"
            continue
        if shown not in visible(book.cells[answer]):
            yield f"{name}: {book.cells[answer].id} does not show {shown!r}"
        elif shown in preview(book.cells[answer]):
            yield f"{name}: folded, {book.cells[answer].id} still shows its first line: {shown!r}"
        if not any(c.cell_type == "markdown" for c in book.cells[index:answer]):
            yield f"{name}: no text stands between it and its answer, so both are seen at once"
        start = max(
            k for k in range(index + 1)
            if re.search(r"^##? ", book.cells[k].source, re.M)
            and book.cells[k].cell_type == "markdown"
        )  # fmt: skip
        for above in book.cells[start:answer]:
            if shown in visible(above):
                yield f"{name}: {above.id} shows {shown!r} before it is asked, or beside it"
    for one, other in pairwise(book.cells):
        tags = [cell.metadata.get("tags", []) for cell in (one, other)]
        is_own = PREDICT.search(other.source) or CHECK.search(other.source)
        is_seen = other.get("outputs") and not is_own and tool.ANSWER not in tags[1]
        if tool.ANSWER in tags[0] and is_seen:
            yield f"{other.id} follows an answer, and is not tagged “{tool.ANSWER}” as well"
    # a puzzle is itself a question before its answer
    is_puzzles = any(cell.source.startswith("**Puzzle ") for cell in markdown(book))
    if asked < PREDICTIONS and not is_puzzles:
        yield f"there are {asked} predictions, not {PREDICTIONS} or more"


def anchors_of(book: Book) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", "\n".join(cell.source for cell in markdown(book)), re.M)
    return {heading.strip().replace(" ", "-") for heading in headings}


def links(book: Book) -> Iterator[str]:
    """Links to other notebooks and their headings resolve; links outside are well formed."""
    for cell in markdown(book):
        for target in re.findall(r"(?<!!)\[(?:[^\]]|\]\()*?\]\(([^)\s]+)\)", cell.source):
            if re.match(r"\w+:", target):
                parts = urlsplit(target)
                if parts.scheme != "https" or "." not in parts.netloc:
                    yield f"{cell.id}: {target} is no https address"
                continue
            file, _, anchor = target.partition("#")
            linked = book.path.parent / file if file else book.path
            if file and not linked.exists():
                yield f"{cell.id}: {target} does not exist"
            elif anchor and anchor not in anchors_of(read(linked) if file else book):
                yield f"{cell.id}: there is no heading for {target}"


def printed_numbers(book: Book) -> Iterator[str]:
    """Every decimal number in the prose stands in an output, perhaps with more digits."""
    text = []
    for _, output in outputs(book):
        data = output.get("data", {})
        text += [
            output.get("text", ""),
            str(data.get("text/plain", "")),
            str(data.get("text/html", "")),
        ]
    numbers = set(re.findall(r"\d+\.\d+", "\n".join(text)))
    numbers |= {f"{float(number):.{digits}f}" for number in numbers for digits in (1, 2, 3, 4)}
    for cell in markdown(book):
        # what is folded in a hint or a solution is tested by its check
        shown = re.sub(
            r"<details>.*?</details>|```.*?```|\]\([^)]*\)|`[^`]*`", " ", cell.source, flags=re.S
        )
        shown = re.sub(
            r"[Ee]xercise \d\.\d|arXiv:\S+|sections? \d[\d.]*( and \d[\d.]*)?", " ", shown
        )
        for number in re.findall(r"\d+\.\d{2,}", shown):
            if number not in numbers:
                yield f"{cell.id}: no cell prints {number}"


def terms(book: Book) -> Iterator[str]:
    """The terms of the glossary are used, not other words for the same thing."""
    for cell in markdown(book):
        for word, term in SYNONYMS.items():
            if re.search(rf"\b{word}s?\b", prose(cell), re.I):
                yield f"{cell.id}: “{word}”; the term is {term}"


def plain_words(book: Book) -> Iterator[str]:
    """No exclamation marks, no “simply”, no “obviously”: they help nobody."""
    for cell in markdown(book):
        for match in re.findall(
            r"\b(?:simply|obviously|of course|trivial(?:ly)?)\b|!(?=\s|$)", prose(cell), re.I
        ):
            yield f"{cell.id}: leave out “{match}”"


def spelling(book: Book) -> Iterator[str]:
    """No misspelt word that codespell knows, in the prose and in the printed text."""
    text = [prose(cell) for cell in markdown(book)]
    text += [output.get("text", "") for _, output in outputs(book)]
    command = [sys.executable, "-m", "codespell_lib", "-L", ",".join(NAMES), "-"]
    done = subprocess.run(
        command, input="\n".join(text), capture_output=True, text=True, check=False
    )
    yield from re.findall(r"\S+ ==> .+", done.stdout)


RULES: tuple[Rule, ...] = (
    anatomy,
    ids,
    executed,
    clean_outputs,
    sentences,
    exercises,
    predictions,
    links,
    printed_numbers,
    terms,
    plain_words,
    spelling,
)


def problems(book: Book) -> list[str]:
    """Return what every rule has to say about a notebook."""
    return [f"{rule.__name__}: {problem}" for rule in RULES for problem in rule(book)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all if none is named")
    paths = parser.parse_args().notebooks or tool.course()
    found = 0
    for path in paths:
        for problem in problems(read(path)):
            found += 1
            print(f"{path.name}: {problem}")
    print(f"{len(paths)} notebooks, {len(RULES)} rules, {found} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
