"""Every notebook in a real JupyterLab: Run All gives what is committed, and can be read."""

import pytest

import lint
from browser import open_notebook, save, wait_for
from compare import differences
from driving import can_be_read
from notebooks import course

pytestmark = pytest.mark.browser


# the longest first: two workers then end at about the same time
PATHS = course()[::-1]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_run_all_gives_what_is_committed_and_every_widget_appears(browser, lab, folder, path):
    page = open_notebook(browser, lab, path.name)
    for kind in ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr"):
        assert page.locator(f'[data-mime-type="{kind}"]').all_inner_texts() == []
    twins = sum(
        "alab-twin-" in str(cell.outputs) and "<table" in str(cell.outputs)
        for cell in lint.code(lint.read(path))
    )
    live = page.locator(".jp-OutputArea-output:has(.jupyter-widgets) .alab")
    wait_for(lambda: live.count() >= twins, 30, "all widgets")
    assert "model not found" not in page.inner_text(".jp-Notebook").lower()
    saved = folder / "notebooks" / path.name
    save(page, saved)
    assert differences(path, saved) == []
    if twins:  # the page of puzzles has no widget
        can_be_read(page)
    page.close()
