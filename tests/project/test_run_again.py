"""Cells can be run again: alone, and in any order that their section allows."""

import symtable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from compare import outputs_of
from kernels import AsyncSockets
from notebooks import course


def read(path: Path):
    return nbformat.read(path, as_version=4)


def read_title(path: Path):
    return read(path).cells[0].source


PATHS = course()
QUICK = [path for path in PATHS if "under 10 seconds" in read_title(path)]
every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def run_twice(notebook):
    """Run every cell; then each once more, the last first. Return both outputs of each cell.

    In this order each cell runs again beside what all later cells have left behind, which is what
    a reader has after Run All.
    """
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_manager_class=AsyncSockets,
        extra_arguments=["--log-level=ERROR"],
        store_widget_state=False,
    )
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    with client.setup_kernel():
        for i, cell in code:
            client.execute_cell(cell, i)
        first = outputs_of(nbformat.from_dict(notebook))
        for i, cell in reversed(code):
            client.execute_cell(cell, i)
    return first, outputs_of(notebook)


@pytest.mark.slow
@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_every_cell_gives_the_same_when_it_is_run_again(path):
    first, again = run_twice(read(path))
    assert [name for name in first if first[name] != again[name]] == []


def test_a_name_that_is_used_twice_is_noticed():
    cells = ["x = 1", "print(x)", "x = 2\nprint(x)"]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text, id=f"cell-{i}") for i, text in enumerate(cells)]
    )
    first, again = run_twice(notebook)
    assert [name for name in first if first[name] != again[name]] == ["cell-1"]


def names_of(source):
    """Return what a cell gives a name to, what it takes from others, and what its functions read.

    A function reads its names when it is called: a later cell may have changed them.
    """
    top = symtable.symtable(source, "cell", "exec")
    given = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    taken = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    tables, read = list(top.get_children()), set()
    while tables:
        table = tables.pop()
        names = {s.get_name() for s in table.get_symbols() if s.is_global()}
        taken |= names
        if table.get_name() not in ("listcomp", "setcomp", "dictcomp", "genexpr"):
            read |= names
        tables += table.get_children()
    return given, taken - given, read & given


def ambiguous(cells):
    """Return the names that a cell takes from another one, and that two others give."""
    names = {name: names_of(source) for name, source in cells.items()}
    givers = {}
    for cell, (given, _, _) in names.items():
        for name in given:
            givers.setdefault(name, []).append(cell)
    return sorted(
        f"{cell} takes {name}, which {' and '.join(givers[name])} give"
        for cell, (_, taken, read) in names.items()
        for name in taken | read
        if len(givers.get(name, ())) > 1
    )


@every_notebook
def test_no_cell_takes_a_name_that_two_others_give(path):
    cells = {c.id: c.source for c in read(path).cells if c.cell_type == "code"}
    del cells["set-up"]
    assert ambiguous(cells) == []


def test_a_name_that_two_cells_give_is_found():
    cells = {
        "a": "x = 1",
        "b": "print(x)",
        "c": "for x in (1, 2):\n    print(x)",
        "d": "y = [x for x in (1, 2)]\nx = 3\nprint(x)",
    }
    assert ambiguous(cells) == ["b takes x, which a and c and d give"]
