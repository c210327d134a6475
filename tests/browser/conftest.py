"""A JupyterLab and a Chromium for each worker, and the pages that the tests share.

Needs Chromium (Debian: apt install chromium). Without it the tests are skipped, but in CI a
missing browser is a failure.
"""

import os
import shutil
from pathlib import Path

import nbformat
import pytest

from browser import CHROMIUM, FLAGS, serve
from driving import SET_UP, WIDGETS
from notebooks import KERNEL, NOTEBOOKS


def pytest_collection_modifyitems(items):
    """Skip what needs a browser where there is none, but never in CI."""
    if CHROMIUM is None and not os.environ.get("CI"):
        why = "no Chromium found: install it (apt install chromium), or name it in CHROMIUM"
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where this worker's JupyterLab has its notebooks."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab(folder):
    """The address of a JupyterLab with all notebooks, and two of its own."""
    every_kind, explorers = folder / "widgets.ipynb", folder / "explorers.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in (SET_UP, *WIDGETS.values())]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    nbformat.write(notebook, every_kind)
    shutil.copy(NOTEBOOKS / "03_qkv_worked_example.ipynb", explorers)
    with serve(folder, [*sorted(NOTEBOOKS.glob("*.ipynb")), every_kind, explorers]) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.fail("no Chromium found, and this is CI: .ci/run has to install it")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()
