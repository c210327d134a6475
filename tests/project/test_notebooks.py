"""What every committed notebook must hold, beside what nbval compares."""

import sys
from pathlib import Path

import nbformat
import pytest

import glossary
import lint
import notebooks as tool

ROOT = Path(__file__).parents[2]

PATHS = tool.course()
every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks():
    assert [path.stem[:2] for path in PATHS][:4] == ["00", "01", "02", "03"]
    assert PATHS[-1].stem == "puzzles"


@every_notebook
def test_it_is_in_normal_form(path):
    notebook = read(path)
    before = nbformat.writes(notebook)
    tool.fill_in(notebook, path.name)
    tool.normalise(notebook)
    assert nbformat.writes(notebook) == before, "run `make notebooks`"


@every_notebook
def test_it_holds_to_the_anatomy(path):
    assert lint.problems(lint.read(path)) == []


def test_a_term_leads_to_the_glossary_where_it_stands_for_the_first_time():
    assert [f"{use.cell}: {use.term}" for use in glossary.first_uses(PATHS)] == []


@every_notebook
def test_a_term_leads_to_the_glossary_where_it_first_stands_in_a_notebook(path):
    assert [f"{use.cell}: {use.term}" for use in glossary.first_uses_in(path)] == []


def test_the_terms_of_the_first_page_are_known_and_its_table_of_contents_is_no_use():
    known = glossary.on_the_first_page()
    assert {"query", "key", "value", "softmax", "weight"} <= known
    assert not {"head", "layer", "loss"} & known


def test_a_first_use_without_a_link_is_found(tmp_path):
    path = tmp_path / "made.ipynb"
    notebook = nbformat.v4.new_notebook()
    link = "[batch](glossary.ipynb#batch)"
    notebook.cells = [
        nbformat.v4.new_markdown_cell(source, id=f"c{i}")
        for i, source in enumerate(
            [f"`loss` and $loss$ and a {link}, a leak map.\n\n## A loss", "Losses, batches, leaks."]
        )
    ]
    nbformat.write(notebook, path)
    uses = list(glossary.first_uses([path]))
    assert {(use.cell, use.term) for use in uses} == {
        ("c0", "leak map"),
        ("c1", "loss"),
        ("c1", "leak"),
    }
    glossary.link(uses)
    assert list(glossary.first_uses([path])) == []
    linked = nbformat.read(path, as_version=4).cells[1].source
    assert linked == "[Losses](glossary.ipynb#loss), batches, [leaks](glossary.ipynb#leak)."


# --- the tool -------------------------------------------------------------------------------


def notebook_of(*sources):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)
    ]
    return notebook


def test_refresh_runs_and_normalises(tmp_path):
    path = tmp_path / "made.ipynb"
    notebook = notebook_of(
        "import ipywidgets\nprint('a')\nprint('b')",
        "from attention_lab.widgets import MatrixEditor\nMatrixEditor('Q', [[1]])",
    )
    notebook.metadata["widgets"] = {"state": 1}
    notebook.cells[0].metadata = {"tags": ["kept"], "execution": {"time": 1}}
    nbformat.write(notebook, path)
    tool.refresh(path)
    first = path.read_bytes()
    written = nbformat.read(path, as_version=4)
    assert "widgets" not in written.metadata
    assert written.cells[0].metadata == {"tags": ["kept"]}
    assert [output.text for output in written.cells[0].outputs] == ["a\nb\n"]
    (shown,) = written.cells[1].outputs
    assert set(shown.data) == {"text/plain", "text/html"}
    tool.refresh(path)
    assert path.read_bytes() == first


def test_a_notebook_that_raises_is_left_as_it_was(tmp_path, monkeypatch, capsys):
    path = tmp_path / "broken.ipynb"
    nbformat.write(notebook_of("1 / 0"), path)
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["notebooks.py", str(path)])
    assert tool.main() == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_the_readme_gets_the_measured_limit(tmp_path):
    readme = tmp_path / "README.md"
    row = "| [01](notebooks/01_a.ipynb) | what | 30 min | 5 | {} |\n"
    readme.write_text(row.format("< 60 s") + "| [02](notebooks/02_b.ipynb) | x | < 60 s |\n")
    tool.write_readme({"01_a.ipynb": tool.Measured(12.3, 400.0)}, readme)
    expected = row.format("< 20 s") + "| [02](notebooks/02_b.ipynb) | x | < 60 s |\n"
    assert readme.read_text() == expected


@pytest.mark.parametrize(
    ("seconds", "said", "limit"),
    [
        (0.1, None, 10),
        (9.9, None, 10),
        (10, None, 20),
        (45, None, 60),
        (99, None, 60),
        (31, 30, 30),
        (37, 30, 60),
        (29, 60, 60),
        (23, 60, 30),
        (9, 20, 20),
        (7, 20, 10),
        (5, 15, 10),
    ],
)
def test_the_limit_is_coarse_and_stays_put(seconds, said, limit):
    assert tool.Measured(seconds, 0).limit(said) == limit
