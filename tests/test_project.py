"""The project around the package: layers, dependencies, what an import costs."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "attention_lab"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# From the ground up: a module may import from its own layer and from those before it.
LAYERS = [
    {"attention", "scores", "programs", "normalisers", "leaks", "positions"},
    {"vocabulary"},
    {"translation", "transformer", "workbench"},
    {"data", "training", "ablation"},
    {"style", "views", "figures"},
    {"feedback", "widgets", "exercises"},
]


def layer_of(name):
    return next(level for level, names in enumerate(LAYERS) if name in names)


@pytest.mark.parametrize(
    "path", [p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py"], ids=str
)
def test_imports_only_point_down(path):
    own = layer_of(path.relative_to(PACKAGE).parts[0].removesuffix(".py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("attention_lab"):
            modules = [node.module.removeprefix("attention_lab").strip(".").split(".")[0]]
            if modules == [""]:
                modules = [alias.name for alias in node.names]
            for module in modules:
                assert layer_of(module) <= own, f"{path.name} imports {module}, which is above it"


def test_importing_the_package_loads_nothing_but_torch():
    code = (
        "import torch, sys; before = set(sys.modules); import attention_lab; "
        "print(*sorted(set(sys.modules) - before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    added = out.stdout.split()
    assert [name for name in added if not name.startswith("attention_lab")] == []


def requirements(lines):
    return dict(re.match(r"([\w-]+)>=([\d.]+)", line).groups() for line in lines)


def test_environment_yml_keeps_step_with_pyproject():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^  - ([\w-]+)(?:>=([\d.]+))? #", text, re.M)
    conda = {name.replace("pytorch-cpu", "torch"): bound for name, bound in listed}
    extras = PROJECT["optional-dependencies"]["lab"]
    for name, bound in requirements(PROJECT["dependencies"] + extras).items():
        assert conda.get(name) == bound, name
    assert f"python{PROJECT['requires-python']}" in text


def test_constraints_hold_a_version_for_each_dependency():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.M))
    extras = PROJECT["optional-dependencies"]
    for name in requirements(PROJECT["dependencies"] + extras["lab"] + extras["test"]):
        assert name in pinned, name
    assert pinned["torch"] == "2.13.0"


def test_only_lower_bounds_in_pyproject():
    for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        for line in lines:
            assert re.fullmatch(r"[\w-]+>=[\d.]+", line), line


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
