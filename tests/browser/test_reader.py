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


def test_what_is_solved_and_guessed_is_there_in_another_notebook(browser, lab, folder):
    kept = ".attention_lab_progress.json"
    set_up = (
        f'import os; os.environ["ATTENTION_LAB_PROGRESS"] = "{kept}"\n'
        "from attention_lab.exercises import check, predict, progress"
    )

    def opened(name, *sources):
        cells = [nbformat.v4.new_code_cell(source) for source in (set_up, *sources, "progress()")]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
        nbformat.write(notebook, folder / "notebooks" / name)
        page = open_notebook(browser, lab, name)
        return page, page.locator(".jp-CodeCell .jp-OutputArea").nth(len(cells) - 1)

    page, table = opened("one.ipynb", "check.strongest_key(1)", "predict.word_that_counts()")
    wait_for(lambda: "1 of " in table.inner_text(), 30, "the table")
    page.get_by_role("button", name="“no”", exact=True).click()
    file = folder / "notebooks" / kept
    wait_for(lambda: "word_that_counts" in file.read_text(encoding="utf-8"), 30, "the guess")
    page.close()
    other, table = opened("other.ipynb")
    wait_for(lambda: "1 of 1 first guesses right" in table.inner_text(), 30, "both")
    row = table.locator("tr", has_text="Interpretation")
    row.locator("a").click()
    tab = other.locator(".lm-TabBar-tab", has_text="15_interpretation")
    wait_for(lambda: tab.count() == 1, 30, "the notebook of that row")
    other.close()
    file.unlink()
