"""A copy for a class: no solution in it, nothing that answers, and it runs."""

import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient

import handout
import kernels
import lint
import notebooks as tool

SOLUTION = re.compile(r"<summary>Solution</summary>(.*?)</details>", re.S)
every_notebook = pytest.mark.parametrize("path", tool.course(), ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


@every_notebook
def test_no_solution_is_left_and_no_answer(path):
    solutions = SOLUTION.findall("\n".join(cell.source for cell in read(path).cells))
    assert solutions
    made = handout.handout(path)
    sources = "\n".join(cell.source for cell in made.cells)
    assert set(re.findall("<summary>(.*?)</summary>", sources)) <= {"Hint"}
    for solution in solutions:
        for code in re.findall(r"```python\n(.*?)```", solution, re.S):
            assert code.strip() not in sources
    for cell in made.cells:
        is_answer = tool.ANSWER in cell.metadata.get("tags", [])
        if cell.cell_type == "code" and (is_answer or lint.PREDICT.search(cell.source)):
            assert cell.outputs == []
    nbformat.validate(made)


@every_notebook
def test_it_stands_alone_and_the_rest_is_as_it_was(path):
    whole, made = read(path), handout.handout(path)
    text = "\n".join(cell.source for cell in made.cells)
    assert not re.search(r'(\]\(|href=\\")\w+\.ipynb', nbformat.writes(made))
    assert "colab-badge" not in text
    code = [[c.source for c in each.cells if c.cell_type == "code"] for each in (whole, made)]
    assert code[0] == code[1]
    assert any(cell.get("outputs") for cell in made.cells)
    hints = text.count("<summary>Hint</summary>")
    assert hints == sum(cell.source.count("<summary>Hint</summary>") for cell in whole.cells)
    without = handout.handout(path, hints=False)
    assert "<summary>" not in "\n".join(cell.source for cell in without.cells)


@pytest.mark.parametrize(
    "name", ["06", "masks", "06_masks", "06_masks.ipynb", "notebooks/06_masks"]
)
def test_a_notebook_is_found_by_each_of_its_names(name):
    assert handout.find(name).name == "06_masks.ipynb"


@pytest.mark.parametrize("name", ["", "0", "60_masks"])
def test_a_name_that_is_none_is_told_the_others(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["handout.py", name])
    assert handout.main() == 1
    assert "write NAME=... with one of 00_start_here, " in capsys.readouterr().out


def test_it_runs_by_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        sys, "argv", ["handout.py", "00", "--hints", "no", "--folder", str(tmp_path)]
    )
    assert handout.main() == 0
    assert "00_start_here.ipynb" in capsys.readouterr().out
    (path,) = tmp_path.iterdir()
    client = NotebookClient(
        read(path),
        timeout=60,
        kernel_manager_class=kernels.AsyncSockets,
        resources={"metadata": {"path": str(tmp_path)}},
        extra_arguments=["--log-level=ERROR"],
    )
    ran = client.execute()
    assert all(cell.execution_count for cell in ran.cells if cell.cell_type == "code")
    assert "6.492" in str(ran.cells)
