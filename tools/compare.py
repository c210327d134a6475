"""Compare the outputs of notebooks, cell by cell: what a run gave, and what is committed.

    python tools/compare.py OLD NEW            two notebooks, or two folders of them
    python tools/compare.py --pixels OLD NEW   their PNG pictures, too

Cells are paired by their ids. As in nbval, a cell that is tagged nbval-ignore-output is left out,
and so are PNG pictures, whose bytes differ between versions of matplotlib.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat

import notebooks as tool

PNG = "image/png"


def outputs_of(notebook: nbformat.NotebookNode, pixels: bool = False) -> dict[str, list[dict]]:
    """Return the outputs of each code cell that are compared, by the id of the cell."""
    tool.normalise(notebook)
    found = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", ())
        found[cell.id] = [] if ignored else [_plain(output, pixels) for output in cell.outputs]
    return found


def _plain(output: dict, pixels: bool) -> dict:
    kept = {key: value for key, value in output.items() if key != "execution_count"}
    if "data" in kept and not pixels:
        kept["data"] = {kind: data for kind, data in kept["data"].items() if kind != PNG}
    return kept


def differences(old: Path, new: Path, *, pixels: bool = False) -> list[str]:
    """Say in which cells two notebooks have other outputs, and where they begin to differ."""
    read = (nbformat.read(path, as_version=4) for path in (old, new))
    before, after = (outputs_of(notebook, pixels) for notebook in read)
    said = [f"{name}: only in one of the two" for name in before.keys() ^ after.keys()]
    for name in before.keys() & after.keys():
        if before[name] != after[name]:
            one, other = repr(before[name]), repr(after[name])
            at = next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
                min(len(one), len(other)),
            )
            window = slice(max(at - 40, 0), at + 60)
            said.append(f"{name}: …{one[window]}… became …{other[window]}…")
    return said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--pixels", action="store_true", help="compare PNG pictures, too")
    given = parser.parse_args()
    pairs = [(given.old, given.new)]
    if given.old.is_dir():
        pairs = [(path, given.new / path.name) for path in sorted(given.old.glob("*.ipynb"))]
    count = 0
    for old, new in pairs:
        found = differences(old, new, pixels=given.pixels)
        count += len(found)
        print(f"{new.name}: {'the same outputs' if not found else ''}", *found, sep="\n  ")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
