"""The explorer of notebook 03, by mouse and by keyboard alone."""

import pytest
import torch

from attention_lab import attention
from browser import open_notebook
from driving import focus, numbers, serious_violations, soon, status, table

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser, lab):
    """Notebook 03, which has two explorers, after Run All."""
    opened = open_notebook(browser, lab, "explorers.ipynb")
    yield opened
    opened.close()


@pytest.fixture
def explorer(page):
    """The first explorer, as it was at the start, with every fold closed."""
    found = page.locator(".jp-OutputArea-output:has(.widget-dropdown)").first
    found.scroll_into_view_if_needed()
    found.get_by_label("example").select_option("three tokens of dimension 1")
    found.get_by_role("button", name="Reset all").click()
    soon(lambda: outputs(found) == ["8.575", "8.851", "8.948"], "the start")
    opened = found.locator(".widget-toggle-button.mod-active")
    for button in [found.get_by_role("button", name=said) for said in opened.all_inner_texts()]:
        button.click()
    soon(lambda: not opened.count(), "every fold closed")
    return found


def outputs(explorer):
    return [row[0] for row in table(explorer, "output")]


def test_a_journey_by_mouse(explorer):
    field = explorer.get_by_label("Q row 0 column 0")
    field.fill("0")
    explorer.get_by_label("K row 0 column 0").click()  # leaving the field is enough
    soon(lambda: outputs(explorer)[0] == "8", "the mean of the values")
    field.fill("abc")
    explorer.get_by_label("K row 0 column 0").click()
    soon(lambda: "“abc” is not a number" in status(explorer), "the message")
    assert outputs(explorer)[0] == "8"
    field.fill("1")
    explorer.get_by_label("K row 0 column 0").click()
    soon(lambda: outputs(explorer)[0] == "8.575", "the recovery")
    assert "not a number" not in status(explorer)

    explorer.get_by_role("button", name="mask cells…").click()
    explorer.get_by_label("query 0 may attend to key 2").click()
    soon(lambda: outputs(explorer)[0] == "7.731", "the masked output")
    assert explorer.get_by_label("mask").input_value() == "your own cells"
    assert table(explorer, "masked")[0][2] == "−∞"

    explorer.get_by_role("button", name="reset or paste…").click()
    explorer.get_by_role("button", name="Paste…", exact=True).first.click()
    box = explorer.get_by_label("Paste Q:")
    box.fill("1 2\n3")
    explorer.get_by_role("button", name="Use it").first.click()
    soon(lambda: "row 1 has 1 numbers and row 0 has 2" in status(explorer), "the message")
    box.fill("[[1.0, 0.5], [0.0, 2.0]]")
    explorer.get_by_role("button", name="Use it").first.click()
    soon(lambda: "K now has 2 columns" in status(explorer), "the new shape")

    explorer.get_by_label("example").select_option("six tokens, d_k = 4")
    soon(lambda: len(table(explorer, "weights")) == 6, "six rows")
    query = [[3, 0, 0, 1], [0, 3, 0, 1], [0, 0, 3, 1], [3, 0, 0, -1], [0, 3, 0, -1], [0, 0, 3, -1]]
    value = [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [-1, -1]]
    q, v = torch.tensor(query).double(), torch.tensor(value).double()
    assert torch.allclose(numbers(explorer, "output"), attention(q, q, v).output, atol=6e-4)
    explorer.get_by_role("button", name="Reset all").click()
    soon(lambda: len(table(explorer, "weights")) == 6, "the example again")


def test_a_journey_by_keyboard_alone(explorer):
    keyboard = explorer.page.keyboard
    focus(explorer.get_by_label("Q row 0 column 0"))
    keyboard.press("Control+a")
    keyboard.type("2")
    keyboard.press("Enter")
    soon(lambda: outputs(explorer)[0] == "8.851", "the edit")
    keyboard.press("Tab")
    focused = "() => document.activeElement.labels[0].textContent"
    assert explorer.page.evaluate(focused) == "Q row 1 column 0"
    focus(explorer.get_by_role("button", name="mask cells…"))
    keyboard.press("Space")
    focus(explorer.get_by_label("query 0 may attend to key 0"))
    keyboard.press("Space")
    soon(lambda: table(explorer, "weights")[0][0] == "0", "the hidden key")
    explorer.get_by_role("button", name="mask cells…").click()
    focus(explorer.get_by_label("temperature"))
    keyboard.press("Control+a")
    keyboard.type("0.5")
    keyboard.press("Enter")
    soon(lambda: "0.5 = 2" in status(explorer), "the temperature")


FOCUSED = "() => (document.activeElement.labels || [document.activeElement])[0].textContent"


def test_arrow_keys_move_between_the_numbers_of_a_matrix(explorer):
    explorer.get_by_label("example").select_option("six tokens, d_k = 4")
    soon(lambda: len(table(explorer, "weights")) == 6, "six rows")
    keyboard, page = explorer.page.keyboard, explorer.page
    focus(explorer.get_by_label("K row 0 column 0"))
    for key, name in [
        ("ArrowDown", "K row 1 column 0"),
        ("ArrowRight", "K row 1 column 1"),
        ("ArrowUp", "K row 0 column 1"),
        ("ArrowLeft", "K row 0 column 0"),
        ("ArrowLeft", "K row 0 column 0"),  # the edge
    ]:
        keyboard.press(key)
        assert page.evaluate(FOCUSED) == name
    keyboard.type("12")  # what an arrow has reached is chosen, so that typing replaces it
    keyboard.press("ArrowLeft")
    assert page.evaluate(FOCUSED) == "K row 0 column 0"  # the caret moves inside the text
    keyboard.press("ArrowDown")
    soon(lambda: table(explorer, "scores")[0][0] == "37", "3 × 12 + 1 × 1")


def test_a_cell_says_how_it_was_made_and_lights_up_its_sources(explorer):
    def lit():
        return explorer.evaluate(
            """root => [...root.querySelectorAll('td, input')].filter(
                 e => getComputedStyle(e).boxShadow.includes('rgb(213, 94, 0)'))
                 .map(e => e.labels ? e.labels[0].textContent : e.firstChild.textContent)"""
        )

    def said():
        labels = explorer.locator(".alab-why")
        return [label.inner_text() for label in labels.all() if label.is_visible()]

    explorer.locator(".alab-strip .of-weights tbody td").nth(6).hover()
    soon(lambda: said() == ["e12 / (e8 + e10 + e12) = 0.867"], "the formula")
    assert lit() == ["8", "10", "12"]
    explorer.locator(".alab-strip .of-scores tbody td").nth(1).hover()
    soon(lambda: said() == ["q0 · k1 = 1 × 5 = 5"], "the dot product")
    assert lit() == ["Q row 0 column 0", "K row 1 column 0"]
    explorer.page.mouse.move(0, 0)

    first = explorer.locator(".alab-strip .of-output tbody td").first
    focus(first)
    explorer.page.keyboard.press("ArrowDown")  # JupyterLab would go to the next cell
    soon(lambda: said() == ["0.016 × 7 + 0.117 × 8 + 0.867 × 9 = 8.851"], "the next row")
    assert lit() == ["0.016", "0.117", "0.867", "V row 0 column 0", "V row 1 column 0",
                     "V row 2 column 0"]  # fmt: skip
    first.evaluate("e => e.blur()")


def test_nothing_moves_when_a_field_is_wrong_or_a_number_long(explorer):
    def places():
        return explorer.evaluate(
            """root => [...root.querySelectorAll('.alab-strip>*,.alab-strip table,.alab-status')]
                 .map(e => { const r = e.getBoundingClientRect(), s = root.getBoundingClientRect();
                             return [r.x - s.x, r.y - s.y].map(Math.round).join(); })"""
        )

    start = places()
    for text in ("abc", "1e400", "," * 300):
        explorer.get_by_label("Q row 0 column 0").fill(text)
        explorer.get_by_label("Q row 0 column 0").press("Enter")
        soon(lambda: "Still using" in status(explorer), "the message")
        assert places() == start
        opacity = explorer.locator(".alab-strip table").first.evaluate(
            "e => getComputedStyle(e.parentElement).opacity"
        )
        assert float(opacity) < 0.6
    explorer.get_by_label("Q row 0 column 0").fill("1")
    explorer.get_by_label("Q row 0 column 0").press("Enter")
    soon(lambda: "Still using" not in status(explorer), "the recovery")
    assert places() == start


def test_three_tokens_fit_into_600_pixels_and_six_into_one_screen(explorer):
    page = explorer.page
    page.set_viewport_size({"width": 1280, "height": 800})
    try:
        # Lumino lays the page out some time after the window has its new size.
        soon(lambda: explorer.bounding_box()["height"] < 600, "three tokens in 600 pixels")
        explorer.get_by_label("example").select_option("six tokens, d_k = 4")
        soon(lambda: len(table(explorer, "weights")) == 6, "six rows")
        soon(lambda: explorer.bounding_box()["height"] < 679, "six in the pane of notebooks")
    finally:
        page.set_viewport_size({"width": 1400, "height": 1200})


def test_a_function_with_a_bug_is_named_and_recovers(page):
    widget = page.locator(".jp-OutputArea-output:has(.widget-dropdown)").nth(1)
    widget.scroll_into_view_if_needed()
    soon(
        lambda: "my_attention differs from attention first at weights[0, 0]" in status(widget), "it"
    )
    widget.get_by_label("mask").select_option("causal: no later key")
    soon(lambda: "my_attention takes no argument attn_mask=" in status(widget), "the message")
    assert len(table(widget, "weights")) == 3
    widget.get_by_label("mask").select_option("every key")
    soon(lambda: "differs from attention" in status(widget), "the recovery")


def test_axe_finds_no_serious_violation(page):
    assert serious_violations(page) == []
