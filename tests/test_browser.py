"""The notebooks in a real JupyterLab, in a real browser, by mouse and by keyboard.

Needs Chromium (Debian: apt install chromium). Without it the tests are skipped, but in CI a
missing browser is a failure.
"""

import os
from pathlib import Path

import pytest
import torch

import lint
from attention_lab import attention
from browser import CHROMIUM, FLAGS, menu, open_notebook, serve, wait_for

playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="no Chromium found: install it (apt install chromium), or name it in CHROMIUM",
    ),
    pytest.mark.kernel,
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("lab"), NOTEBOOKS) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.fail("no Chromium found, and this is CI: .ci/run has to install it")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def code_cells(name):
    return lint.code(lint.read(ROOT / "notebooks" / name))


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_run_all_is_clean_and_every_widget_appears(browser, lab, name):
    page = open_notebook(browser, lab, name)
    for kind in ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr"):
        assert page.locator(f'[data-mime-type="{kind}"]').all_inner_texts() == []
    twins = sum(
        "alab" in str(cell.outputs) and "<table>" in str(cell.outputs) for cell in code_cells(name)
    )
    live = page.locator(".jp-OutputArea-output:has(.jupyter-widgets) .alab")
    wait_for(lambda: live.count() >= twins, 30, "all widgets")
    assert "model not found" not in page.inner_text(".jp-Notebook").lower()
    page.close()


# --- the explorer ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(browser, lab):
    """Notebook 03, which has two explorers, after Run All."""
    opened = open_notebook(browser, lab, "03_qkv_worked_example.ipynb")
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


def table(explorer, step):
    """Read one step back from the page as numbers; None where a cell is hidden."""
    rows = explorer.locator("table", has=explorer.page.locator("caption b", has_text=step))
    read = rows.first.evaluate(
        "t => [...t.tBodies[0].rows].map(r => [...r.querySelectorAll('td')].map(c => c.innerText))"
    )
    return read


def outputs(explorer):
    return [row[0] for row in table(explorer, "output")]


def status(explorer):
    return " | ".join(explorer.locator("[role=status]").all_inner_texts())


def soon(condition, what):
    wait_for(condition, 10, what)


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
    steps = attention(q, q, v)
    shown = [[float(x.replace("−", "-")) for x in row] for row in table(explorer, "output")]
    assert torch.allclose(torch.tensor(shown).double(), steps.output, atol=6e-4)
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
    keyboard.type("o")
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


# --- what meets the eye ---------------------------------------------------------------------

CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a] = parse(getComputedStyle(e).backgroundColor);
      if (a === undefined || a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  return [...document.querySelectorAll('.alab td, .alab th, .alab caption, .alab-note')]
    .filter(e => e.innerText.trim())
    .map(e => {
      const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.innerText];
    });
}"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_all_text_of_the_widgets_has_contrast(page, theme):
    menu(page, "Settings", "Theme", theme)
    body = page.locator(f'body[data-jp-theme-name="{theme}"]')
    body.wait_for(state="attached")
    page.wait_for_timeout(500)  # the colours move over for a moment
    measured = page.evaluate(CONTRAST)
    assert len(measured) > 60
    assert [each for each in measured if each[0] < 4.5] == []


CLIPPED = """() => [...document.querySelectorAll('.alab td, .alab th, .alab caption')]
  .filter(e => e.innerText.trim() && e.scrollWidth > e.clientWidth + 4)
  .map(e => e.innerText)"""


@pytest.mark.parametrize(("width", "zoom"), [(1400, 1), (1400, 2), (700, 1)])
def test_nothing_is_clipped(page, width, zoom):
    page.set_viewport_size({"width": width, "height": 1200})
    page.evaluate(f"document.body.style.zoom = {zoom}")
    page.wait_for_timeout(500)
    try:
        assert page.evaluate(CLIPPED) == []
    finally:
        page.evaluate("document.body.style.zoom = 1")
        page.set_viewport_size({"width": 1400, "height": 1200})


def test_axe_finds_no_serious_violation_in_the_widgets(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page, context=".jp-OutputArea-output .jupyter-widgets").response
    serious = [
        (violation["id"], node["html"][:120])
        for violation in found["violations"]
        for node in violation["nodes"]
        if violation["impact"] in ("serious", "critical")
        # The handle of a slider of ipywidgets 8 has no name, and none can be given to it. The
        # field beside each slider has one, and sets the same value (widgets/base.py, Knob).
        and "noUi-handle" not in node["html"]
    ]
    assert found["passes"]
    assert serious == []
