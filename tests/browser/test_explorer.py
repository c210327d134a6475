"""The explorer of notebook 03, by mouse and by keyboard alone."""

import pytest
import torch

from attention_lab import attention
from browser import open_notebook
from driving import numbers, serious_violations, soon, status, table

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("explorers")]


@pytest.fixture(scope="module")
def page(browser, lab):
    """Notebook 03, which has two explorers, after Run All."""
    opened = open_notebook(browser, lab, "explorers.ipynb")
    yield opened
    opened.close()


@pytest.fixture
def explorer(page):
    """The first explorer, as it was at the start."""
    found = page.locator(".jp-OutputArea-output:has(.widget-dropdown)").first
    found.scroll_into_view_if_needed()
    found.get_by_label("example").select_option("three tokens of dimension 1")
    found.get_by_role("button", name="Reset all").click()
    soon(lambda: outputs(found) == ["8.575", "8.851", "8.948"], "the start")
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

    explorer.get_by_label("query 0 may attend to key 2").click()
    soon(lambda: outputs(explorer)[0] == "7.731", "the masked output")
    assert explorer.get_by_label("mask").input_value() == "your own cells"
    assert table(explorer, "masked")[0][2] == "−∞"

    explorer.get_by_role("button", name="Paste…").first.click()
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
    explorer.get_by_label("Q row 0 column 0").focus()
    keyboard.press("Control+a")
    keyboard.type("2")
    keyboard.press("Enter")
    soon(lambda: outputs(explorer)[0] == "8.851", "the edit")
    keyboard.press("Tab")
    focused = "() => document.activeElement.labels[0].textContent"
    assert explorer.page.evaluate(focused) == "Q row 1 column 0"
    explorer.get_by_label("query 0 may attend to key 0").focus()
    keyboard.press("Space")
    soon(lambda: table(explorer, "weights")[0][0] == "0", "the hidden key")
    explorer.get_by_label("temperature").focus()
    keyboard.press("Control+a")
    keyboard.type("0.5")
    keyboard.press("Enter")
    soon(lambda: "0.5 = 2" in status(explorer), "the temperature")
    explorer.get_by_label("explain").focus()
    for key in ("Space", "End", "Enter"):  # a closed list leaves its keys to JupyterLab
        keyboard.press(key)
    soon(lambda: "output[1, 0] = " in status(explorer), "the explanation of another step")


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
