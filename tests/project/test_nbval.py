"""Strict nbval bites: a stale number, another formula, another widget each fail the run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import notebooks as tool

ROOT = Path(__file__).parents[2]
SOURCES = (
    "import torch\nfrom attention_lab.widgets import WeightsExplorer",
    "weights = torch.tensor([1.0, 2.0, 3.0]).softmax(dim=-1)\nprint(round(weights[2].item(), 3))",
    "WeightsExplorer()",
)


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    path = tmp_path_factory.mktemp("nbval") / "committed.ipynb"
    cells = [nbformat.v4.new_code_cell(s, id=f"cell-{i}") for i, s in enumerate(SOURCES)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    tool.refresh(path)
    return path


def run_nbval(path, *paths):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--nbval",
        "-p",
        "kernels",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "--rootdir", str(path.parent), "-c", os.devnull, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*paths, str(ROOT / "tools")])},
    )
    return done.returncode, done.stdout


def edited(committed, tmp_path, old, new):
    path = tmp_path / "edited.ipynb"
    text = committed.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_an_honest_notebook_passes(committed):
    code, said = run_nbval(committed)
    assert code == 0, said
    assert "3 passed" in said


def test_a_stale_number_fails(committed, tmp_path):
    code, said = run_nbval(edited(committed, tmp_path, "0.665\\n", "0.667\\n"))
    assert code == 1, said
    assert "1 failed, 2 passed" in said


def test_another_formula_fails(committed, tmp_path):
    code, said = run_nbval(edited(committed, tmp_path, ".softmax(dim=-1)", ".sigmoid()"))
    assert code == 1, said
    assert "1 failed, 2 passed" in said


def test_another_widget_callback_fails(committed, tmp_path):
    shutil.copytree(ROOT / "attention_lab", tmp_path / "attention_lab")
    widget = tmp_path / "attention_lab" / "labs" / "attention_weights" / "widget.py"
    text = widget.read_text(encoding="utf-8")
    right = "weights = (scores / self.temperature.value).softmax(dim=-1)"
    assert right in text
    widget.write_text(text.replace(right, right.replace("/", "*") + ".roll(1)"), encoding="utf-8")
    path = tmp_path / "same.ipynb"
    shutil.copy(committed, path)
    code, said = run_nbval(path, str(tmp_path))
    assert code == 1, said
    assert "1 failed, 2 passed" in said
