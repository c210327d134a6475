"""The set-up cell where the package is missing, as in Colab: it installs it, and the rest runs."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest

import notebooks as tool

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The package as a wheel, built from a copy: nothing is left in the working tree."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "attention_lab", source / "attention_lab")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", built]
    subprocess.run([*command, "--no-build-isolation", source], check=True)
    (path,) = built.iterdir()
    return path


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python that has everything but our package: what is installed here, by a path file.

    An editable installation works by a path file of its own, and those are read in the
    environment's own folder only.
    """
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    site = next((home / "lib").glob("python*/site-packages"))
    (site / "installed_here.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return home / "bin" / "python"


def run(python, folder, sources):
    """Run cells in a kernel of another Python, and return what they print."""
    spec = folder / "kernels" / "elsewhere"
    spec.mkdir(parents=True)
    launch = f'["{python}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    text = f'{{"argv": {launch}, "display_name": "elsewhere", "language": "python"}}'
    (spec / "kernel.json").write_text(text, encoding="utf-8")
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path = folder / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    code = (
        "import nbformat, sys; from nbclient import NotebookClient; "
        "from kernels import AsyncSockets; "
        "notebook = nbformat.read(sys.argv[1], 4); "
        "NotebookClient(notebook, kernel_name='elsewhere', timeout=120, "
        "kernel_manager_class=AsyncSockets).execute(); "
        "print(*(output.get('text', '') for cell in notebook.cells for output in cell.outputs))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, path],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "JUPYTER_PATH": str(folder),
            "PYTHONPATH": str(ROOT / "tools"),
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_installs_the_package_where_it_is_missing(wheel, python, tmp_path):
    address = f"git+{tool.repository()}"
    cell = tool.set_up("10_programmable_attention.ipynb")
    assert address in cell
    sources = [
        "import importlib.util\nprint(importlib.util.find_spec('attention_lab'))",
        cell.replace(address, wheel.as_uri()),
        "import attention_lab\nprint(attention_lab.__file__)",
        # a data file
        "from attention_lab.labs.encoder_decoder import ablation\nprint(len(ablation.committed()))",
        "from attention_lab.widgets import WeightsExplorer\nprint(WeightsExplorer().twin_text())",
    ]
    said = [line.strip() for line in run(python, tmp_path, sources).splitlines() if line.strip()]
    first, *pip, installed, runs, explorer = said
    assert first == "None"
    assert not [line for line in pip if "ERROR" in line]
    assert installed.startswith(str(python.parent.parent))
    assert runs == "128"
    assert explorer.startswith("WeightsExplorer, scores: The largest weight is 0.665")
