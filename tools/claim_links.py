"""Hold the table of notebook 17 to the notebooks that it leads to.

    python tools/claim_links.py     say which links are broken, and write the headings anew

A claim names a notebook, a cell, and what its output says. The heading above the cell, which the
link leads to, is written by this script: after a heading has changed, run it.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

import nbformat

from attention_lab.labs.claim_by_claim.ledger import Claim, claims
from attention_lab.models.kept import as_text

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "attention_lab/labs/claim_by_claim/claims.json"
HEADING = re.compile(r"^#{1,3} (.+)$", re.M)


@functools.cache
def cells_of(name: str) -> list[nbformat.NotebookNode]:
    """Return the cells of a notebook, named without its ending; none if it is not there."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    return nbformat.read(path, as_version=4).cells if path.exists() else []


def printed(cell: nbformat.NotebookNode) -> str:
    """Return the text that the outputs of a cell have."""
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", [])
    )


def one_spaced(text: str) -> str:
    """Return a text with one space for each gap: how columns are set is no news."""
    return " ".join(text.split())


def heading_above(name: str, cell: str) -> str | None:
    """Return the heading that a cell stands under; None if there is no such cell."""
    heading = None
    for each in cells_of(name):
        if each.cell_type == "markdown" and (found := HEADING.findall(each.source)):
            heading = found[-1].strip()
        if each.id == cell:
            return heading
    return None


def fault(claim: Claim) -> str:
    """Say what is wrong with the link of a claim; nothing if it holds."""
    where = f"{claim.notebook}, {claim.cell}"
    if not cells_of(claim.notebook):
        return f"there is no notebook {claim.notebook}"
    cell = next((each for each in cells_of(claim.notebook) if each.id == claim.cell), None)
    if cell is None:
        return f"{where}: there is no such cell"
    if one_spaced(claim.find) not in one_spaced(printed(cell)):
        return f"{where}: its output does not say {claim.find!r}"
    if claim.heading != (above := heading_above(claim.notebook, claim.cell)):
        return f"{where}: it stands under {above!r}, and not under {claim.heading!r}"
    return ""


def main() -> int:
    rows = []
    for claim in claims():
        if above := heading_above(claim.notebook, claim.cell):
            claim = claim._replace(heading=above)
        if said := fault(claim):
            print(f"{claim.name}: {said}")
        rows.append(claim._asdict())
    DATA.write_text(as_text(rows), encoding="utf-8")
    return any(fault(Claim(**row)) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
