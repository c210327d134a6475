"""A notebook whose kernel has gone, and one that its reader has saved and opens again."""

import nbformat
import pytest

from browser import menu, open_notebook, save, wait_for
from notebooks import KERNEL

pytestmark = pytest.mark.browser
SOURCES = (
    "from attention_lab.widgets import *",
    "AttentionExplorer()",
    "WeightsExplorer()",
    'MatrixEditor("M", [[1, 2]])',
)


@pytest.fixture
def page(browser, lab, folder):
    path = folder / "notebooks" / "reader.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in SOURCES]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
    opened = open_notebook(browser, lab, path.name)
    return opened


def test_a_kernel_that_has_gone_is_told_and_a_saved_notebook_shows_its_pictures(
    browser, lab, folder, page
):
    twins = page.locator("[class^=alab-twin]")
    wait_for(lambda: page.locator(".alab-gone").count() == 3, 30, "three widgets")
    assert twins.count() == 3
    assert not any(twin.is_visible() for twin in twins.all())
    assert not any(gone.is_visible() for gone in page.locator(".alab-gone").all())

    menu(page, "Kernel", "Restart Kernel…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    gone = page.locator(".alab-gone")
    wait_for(lambda: all(each.is_visible() for each in gone.all()), 30, "the message")
    assert "Run the cell to make it live again" in gone.first.inner_text()
    field = page.get_by_label("Q row 0 column 0")
    assert field.evaluate("e => getComputedStyle(e).pointerEvents") == "none"
    assert page.locator(".jupyter-widgets .alab table").first.is_visible()  # the last picture

    save(page, folder / "notebooks" / "reader.ipynb")
    menu(page, "Kernel", "Shut Down Kernel")
    page.close()
    again = browser.new_page(viewport={"width": 1400, "height": 1200})
    again.goto(f"{lab}/lab/tree/reader.ipynb?reset")
    again.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    twins = again.locator("[class^=alab-twin]")
    wait_for(lambda: twins.count() == 3, 30, "the twins")
    for twin in twins.all():
        assert twin.is_visible()
        assert "Run this cell to make it live." in twin.inner_text()
        assert twin.locator("table").count() > 0
    again.close()
