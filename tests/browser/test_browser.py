"""The notebooks in a real JupyterLab, in a real browser, by mouse and by keyboard.

Needs Chromium (Debian: apt install chromium). Without it the tests are skipped, but in CI a
missing browser is a failure.
"""

import os
from pathlib import Path

import nbformat
import pytest
import torch

import lint
from attention_lab import attention
from attention_lab.core.normalisers import sparsemax
from attention_lab.labs.scale_and_temperature.widget import draw_scores
from browser import CHROMIUM, FLAGS, menu, open_notebook, serve, wait_for
from notebooks import KERNEL

playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="no Chromium found: install it (apt install chromium), or name it in CHROMIUM",
    ),
    pytest.mark.browser,
]


# every kind of widget once; the explorers of more tokens, too
WIDGETS = """\
import torch
from attention_lab.widgets import *
random = torch.Generator().manual_seed(0)
a, b = (torch.randn(n, 8, generator=random) for n in (16, 32))
%%
MatrixEditor("M", [[1, 2], [3, 4]], presets={"the unit matrix": [[1, 0], [0, 1]]})
%%
WeightsExplorer()
%%
WeightedSumExplorer()
%%
MaskEditor(3, 3)
%%
MaskExplorer()
%%
from attention_lab.models.data.translation import ENGLISH, FRENCH, translate
from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.vocabulary import Vocabulary
_ = torch.manual_seed(0)
AlignmentExplorer({"a": Seq2Seq(50, 85), "b": Seq2Seq(50, 85, score="dot")},
                  Vocabulary(ENGLISH), Vocabulary(FRENCH), translate=translate)
%%
ScaleExplorer(64)
%%
AttentionExplorer(a, a, a)
%%
AttentionExplorer(b, b, b)
%%
ShapeExplorer()
%%
PositionExplorer()
%%
from attention_lab.models.data.sequences import DIGITS
from attention_lab.models.transformer import Transformer
_ = torch.manual_seed(0)
DecodingExplorer(Transformer(13, 13, d_model=16, n_layers=2), DIGITS, DIGITS, text="3 1 4")
%%
BlockExplorer()
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("lab")
    own = home / "widgets.ipynb"
    nbformat.write(
        nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in WIDGETS.split("%%\n")],
            metadata={"kernelspec": KERNEL},
        ),
        own,
    )
    with serve(home, [*NOTEBOOKS, own]) as address:
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


# --- every notebook -------------------------------------------------------------------------

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


CLIPPED = """() => [...document.querySelectorAll(
  '.alab td, .alab th, .alab caption, .jupyter-widgets .widget-label, .jupyter-button, '
  + '.widget-text input')]
  .filter(e => (e.innerText || e.value || '').trim() && e.offsetParent)
  .filter(e => !e.closest('.alab-cells') || e.tagName == 'INPUT')
  .filter(e => e.scrollWidth > e.clientWidth + 4)
  .map(e => e.innerText || e.value)"""


def can_be_read(page):
    """Measure the widgets in both themes, zoomed, and in a narrow window."""
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        menu(page, "Settings", "Theme", theme)
        page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
        page.wait_for_timeout(500)  # the colours move over for a moment
        measured = page.evaluate(CONTRAST)
        assert measured
        assert [each for each in measured if each[0] < 4.5] == [], theme
    for width, zoom in ((1400, 1), (1400, 2), (700, 1)):
        page.set_viewport_size({"width": width, "height": 1200})
        page.evaluate(
            f"document.body.style.zoom = {zoom}; window.dispatchEvent(new Event('resize'))"
        )
        page.wait_for_timeout(500)
        assert page.evaluate(CLIPPED) == [], (width, zoom)
    page.set_viewport_size({"width": 1400, "height": 1200})


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
    can_be_read(page)
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


def table(widget, caption):
    """Read a table back from the page: the text of its cells, row by row."""
    found = widget.locator("table", has=widget.page.locator("caption b", has_text=caption))
    return found.first.evaluate(
        "t => [...t.tBodies[0].rows].map(r => [...r.querySelectorAll('td')].map(c => c.innerText))"
    )


def numbers(widget, caption):
    """Read a table back as numbers."""
    read = [[float(x.replace("−", "-")) for x in row] for row in table(widget, caption)]
    return torch.tensor(read, dtype=torch.float64)


def enter(widget, label, text):
    """Type into a field, and leave it by a click elsewhere."""
    widget.get_by_label(label, exact=True).fill(text)
    widget.page.locator(".jp-InputPrompt").first.click()


def type_in(widget, label, text):
    """Type into a field by the keyboard alone."""
    widget.get_by_label(label, exact=True).focus()
    widget.page.keyboard.press("Control+a")
    widget.page.keyboard.press("Delete")
    widget.page.keyboard.type(text)
    widget.page.keyboard.press("Enter")


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


# --- the other widgets ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def widgets(browser, lab):
    """The page with every kind of widget once."""
    opened = open_notebook(browser, lab, "widgets.ipynb")
    wait_for(
        lambda: opened.locator(".jp-OutputArea-output:has(.jupyter-widgets)").count() == 13,
        30,
        "thirteen widgets",
    )
    yield opened
    opened.close()


def the(page, index):
    found = page.locator(".jp-OutputArea-output:has(.jupyter-widgets)").nth(index)
    found.scroll_into_view_if_needed()
    return found


def fields(widget, name, rows, columns):
    return [
        [widget.get_by_label(f"{name} row {i} column {j}").input_value() for j in range(columns)]
        for i in range(rows)
    ]


def test_the_matrix_editor_by_mouse(widgets):
    editor = the(widgets, 0)
    enter(editor, "M row 0 column 1", "1/2")
    assert fields(editor, "M", 2, 2) == [["1", "1/2"], ["3", "4"]]
    enter(editor, "M row 1 column 0", "x")
    soon(lambda: "M[1, 0]: “x” is not a number" in status(editor), "the message")
    assert "Still using 3" in status(editor)
    editor.get_by_label("M preset").select_option("the unit matrix")
    soon(lambda: fields(editor, "M", 2, 2) == [["1", "0"], ["0", "1"]], "the preset")
    assert status(editor) == ""
    editor.get_by_role("button", name="Paste…").click()
    editor.get_by_label("Paste M:").fill("1;2;3")
    editor.get_by_role("button", name="Use it").click()
    soon(lambda: editor.get_by_label("M row 2 column 0").count() == 1, "the new shape")
    assert fields(editor, "M", 3, 1) == [["1"], ["2"], ["3"]]
    editor.get_by_role("button", name="Reset").click()
    soon(lambda: editor.get_by_label("M row 1 column 1").count() == 1, "the first matrix")
    assert fields(editor, "M", 2, 2) == [["1", "2"], ["3", "4"]]


def test_the_matrix_editor_by_keyboard_alone(widgets):
    editor, keyboard = the(widgets, 0), widgets.keyboard
    type_in(editor, "M row 0 column 0", "nan")
    soon(lambda: "“nan” is not a finite number" in status(editor), "the message")
    type_in(editor, "M row 0 column 0", "7")
    soon(lambda: status(editor) == "", "the recovery")
    editor.get_by_role("button", name="Paste…").focus()
    keyboard.press("Enter")
    box = editor.get_by_label("Paste M:")
    soon(box.is_visible, "the box")
    box.focus()
    keyboard.type("1 2 3")
    keyboard.press("Tab")
    keyboard.press("Enter")
    soon(lambda: editor.get_by_label("M row 0 column 2").count() == 1, "the new shape")
    editor.get_by_role("button", name="Reset").focus()
    keyboard.press("Space")
    soon(lambda: editor.get_by_label("M row 1 column 1").count() == 1, "the first matrix")


def test_the_weights_explorer_by_mouse(widgets):
    explorer = the(widgets, 1)

    def weights():
        read = [float(row[2]) for row in table(explorer, "one query")[:-1]]
        return torch.tensor(read, dtype=torch.float64)

    enter(explorer, "scores row 0 column 0", "3")
    expected = torch.tensor([3.0, 2, 3]).double().softmax(dim=-1)
    soon(lambda: torch.allclose(weights(), expected, atol=6e-4), "the softmax")
    enter(explorer, "scores row 0 column 0", "three")
    soon(lambda: "“three” is not a number" in status(explorer), "the message")
    assert torch.allclose(weights(), expected, atol=6e-4)
    explorer.get_by_role("button", name="Paste…").click()
    explorer.get_by_label("Paste scores:").fill("0 0 0 5")
    explorer.get_by_role("button", name="Use it").click()
    expected = torch.tensor([0.0, 0, 0, 5]).double().softmax(dim=-1)
    soon(lambda: len(weights()) == 4, "four scores")
    assert torch.allclose(weights(), expected, atol=6e-4)
    assert "not a number" not in status(explorer)

    explorer.get_by_role("button", name="queries and keys").click()
    soon(lambda: explorer.get_by_label("Q row 0 column 0").count() == 1, "the second view")
    enter(explorer, "Q row 1 column 1", "-2")
    query, key = [[2, 0], [1, -2]], [[1, 0], [0, 1], [1, 1], [-1, 0]]
    scores = torch.tensor(query).double() @ torch.tensor(key).double().T
    soon(
        lambda: torch.allclose(
            numbers(explorer, "weights")[:, :-1], scores.softmax(dim=-1), atol=6e-4
        ),
        "the weights of both queries",
    )
    explorer.get_by_role("button", name="keys on a line").click()
    soon(lambda: explorer.get_by_alt_text("query 2 gets the output").count() == 1, "the curve")
    explorer.get_by_role("button", name="scores").click()
    soon(lambda: len(weights()) == 4, "the first view, as it was left")


def test_the_weights_explorer_by_keyboard_alone(widgets):
    explorer, keyboard = the(widgets, 1), widgets.keyboard
    explorer.get_by_role("button", name="keys on a line").focus()
    keyboard.press("Enter")
    soon(lambda: explorer.get_by_label("bandwidth h").count() == 1, "the view")
    type_in(explorer, "bandwidth h", "0.5")
    type_in(explorer, "query", "1")
    values = torch.tensor([0.0, 1, 4, 9, 16]).double()
    weights = (-((1 - torch.arange(5).double()) ** 2) / (2 * 0.5**2)).softmax(dim=-1)
    output = f"{(weights @ values).item():.3f}".rstrip("0")
    soon(lambda: f"The query 1 gets the output {output}." in status(explorer), "the output")
    type_in(explorer, "values row 0 column 1", "")
    soon(lambda: "the field is empty" in status(explorer), "the message")
    type_in(explorer, "values row 0 column 1", "1")
    soon(lambda: "empty" not in status(explorer), "the recovery")


def test_the_weighted_sum_by_mouse(widgets):
    explorer = the(widgets, 2)
    values = torch.tensor([[0, 0], [4, 0], [4, 3], [0, 3]]).double()

    def says(output):
        x, y = (f"{number:.3f}".rstrip("0").rstrip(".") for number in output.tolist())
        return f"The output is ({x}, {y})." in status(explorer)

    output = torch.tensor([0.0, 1, 2, 0]).double().softmax(dim=-1) @ values
    assert says(output)
    enter(explorer, "scores row 0 column 2", "5")
    output = torch.tensor([0.0, 1, 5, 0]).double().softmax(dim=-1) @ values
    soon(lambda: says(output), "the softmax of the new scores")
    enter(explorer, "values row 3 column 0", "ten")
    soon(lambda: "“ten” is not a number" in status(explorer), "the message")
    assert says(output)
    explorer.get_by_role("button", name="weights as typed").click()
    explorer.get_by_label("weights preset").select_option("all 1, four values")
    soon(lambda: "The weights sum to 4, not 1" in status(explorer), "the warning")
    assert says(values.sum(dim=0))
    explorer.get_by_role("button", name="Paste…").first.click()
    explorer.get_by_label("Paste values:").fill("1 2\n3")
    explorer.get_by_role("button", name="Use it").first.click()
    soon(lambda: "row 1 has 1 numbers and row 0 has 2" in status(explorer), "the message")
    explorer.get_by_label("Paste values:").fill("1 2\n3 4")
    explorer.get_by_role("button", name="Use it").first.click()
    soon(lambda: "The output is (4, 6)." in status(explorer), "the recovery")


def test_the_weighted_sum_by_keyboard_alone(widgets):
    explorer, keyboard = the(widgets, 2), widgets.keyboard
    explorer.get_by_role("button", name="softmax of scores").focus()
    keyboard.press("Enter")
    soon(lambda: explorer.get_by_label("scores row 0 column 0").count() == 1, "the scores")
    type_in(explorer, "values row 0 column 0", "-1")
    type_in(explorer, "scores row 0 column 0", "50")
    soon(lambda: "The output is (−1, 2)." in status(explorer), "the value of the winner")
    type_in(explorer, "scores row 0 column 0", "inf")
    soon(lambda: "“inf” is not a finite number" in status(explorer), "the message")
    type_in(explorer, "scores row 0 column 0", "50")
    soon(lambda: "not a finite" not in status(explorer), "the recovery")


def boxes(editor, n):
    return [
        [editor.get_by_label(f"query {i} may attend to key {j}").is_checked() for j in range(n)]
        for i in range(n)
    ]


def test_the_mask_editor_by_mouse_and_by_keyboard(widgets):
    editor = the(widgets, 3)
    editor.get_by_label("mask", exact=True).select_option("causal: no later key")
    causal = torch.ones(3, 3, dtype=torch.bool).tril().tolist()
    soon(lambda: boxes(editor, 3) == causal, "the rule")
    editor.get_by_label("query 0 may attend to key 2").click()
    rule = editor.get_by_label("mask", exact=True)
    soon(lambda: rule.input_value() == "your own cells", "the name of the rule")
    editor.get_by_label("query 0 may attend to key 2").focus()
    widgets.keyboard.press("Space")
    soon(lambda: boxes(editor, 3) == causal, "the cell as it was")
    rule.focus()
    for key in ("Space", "Home", "Enter"):
        widgets.keyboard.press(key)
    soon(lambda: all(map(all, boxes(editor, 3))), "another rule")


def test_the_mask_explorer_by_mouse_and_by_keyboard(widgets):
    explorer = the(widgets, 4)
    assert "15 of 25 pairs may attend. No leak" in status(explorer)
    way = explorer.get_by_label("applied as")
    way.select_option("softmax over the queries")
    soon(lambda: "Leaks: 10" in status(explorer), "the leaks")
    way.focus()
    for key in ("Space", "Home", "Enter"):
        widgets.keyboard.press(key)
    soon(lambda: "No leak" in status(explorer), "the right way")
    explorer.get_by_label("query 0 may attend to key 4").click()
    soon(lambda: "16 of 25 pairs" in status(explorer), "one pair more")
    assert numbers(explorer, "leak map")[0, 4] > 0
    explorer.get_by_label("query 0 may attend to key 4").focus()
    widgets.keyboard.press("Space")
    soon(lambda: table(explorer, "leak map")[0][4] == "0", "the pair as it was")
    type_in(explorer, "tokens", "7")
    soon(lambda: "28 of 49 pairs" in status(explorer), "seven tokens")


def test_the_alignment_explorer_by_mouse_and_by_keyboard(widgets):
    explorer = the(widgets, 5)
    assert "Right would be: le petit chat noir." in status(explorer)
    enter(explorer, "phrase", "the purple cat")
    soon(lambda: "does not know “purple”" in status(explorer), "the message")
    assert len(table(explorer, "weights")[0]) == 6  # four words, <end>, and the sum
    type_in(explorer, "phrase", "my sister's red car")
    soon(lambda: "la voiture rouge de ma sœur" in status(explorer), "the recovery")
    before = table(explorer, "weights")
    assert len(before[0]) == 7
    explorer.get_by_label("model").select_option("b")
    soon(lambda: table(explorer, "weights") != before, "the other model")


def test_the_scale_explorer_by_mouse_and_by_keyboard(widgets):
    explorer = the(widgets, 6)
    scores = draw_scores(64, 10)

    def shows(weights):
        said = f"largest weight {weights.amax(dim=-1).mean().item():.3f}"
        drawn = [float(row[0]) for row in table(explorer, "query 0")[:3]]
        best = weights[0].topk(3).values.tolist()
        return said in status(explorer) and drawn == pytest.approx(best, abs=6e-4)

    assert shows(scores.softmax(dim=-1))
    explorer.get_by_label("divide by √d_k").click()
    soon(lambda: shows((scores / 8).softmax(dim=-1)), "the scale")
    type_in(explorer, "temperature", "2")
    soon(lambda: shows((scores / 16).softmax(dim=-1)), "the temperature")
    type_in(explorer, "temperature", "1")
    explorer.get_by_label("normaliser").select_option("sparsemax")
    soon(lambda: shows(sparsemax(scores / 8)), "sparsemax")
    explorer.get_by_label("d_k", exact=True).select_option("256")
    soon(lambda: shows(sparsemax(draw_scores(256, 10) / 16)), "another d_k")
    type_in(explorer, "keys", "1000")
    soon(lambda: explorer.get_by_label("keys").input_value() == "32", "the most keys")


def test_the_shape_explorer_by_mouse_and_by_keyboard(widgets):
    explorer = the(widgets, 9)

    def last():
        return table(explorer, "the block")[-1][-1]

    assert "fails in line 1" in status(explorer)
    explorer.get_by_label("input").select_option("vectors (B, n, d_model)")
    soon(lambda: "size of tensor a (2) must match" in status(explorer), "PyTorch's message")
    explorer.get_by_label("turn the keys").click()
    explorer.get_by_label("softmax over the keys").focus()
    widgets.keyboard.press("Space")
    soon(lambda: last() == "(3, 6, 10); right is (3, 3, 10)", "six outputs for three tokens")
    explorer.get_by_label("divide by").click()
    explorer.get_by_label("join the heads").click()
    soon(lambda: "Right: it runs, and all 7" in status(explorer), "the repaired block")
    type_in(explorer, "d_model", "12")
    soon(lambda: last() == "(3, 3, 12)", "another size")
    assert explorer.get_by_label("sizes").input_value() == "my own"
    type_in(explorer, "n", "99")
    soon(lambda: explorer.get_by_label("n", exact=True).input_value() == "16", "the most tokens")


def test_the_position_explorer_by_mouse_and_by_keyboard(widgets):
    explorer = the(widgets, 10)
    assert "cannot tell them apart" in status(explorer)
    start = numbers(explorer, "order a b c d e")
    explorer.get_by_label("places").select_option("sinusoidal")
    soon(lambda: "sees the order" in status(explorer), "the sines")
    assert not torch.allclose(numbers(explorer, "order a b c d e"), start)
    enter(explorer, "tokens in this order", "a b b")
    soon(lambda: "write each of a b c d e once" in status(explorer), "the message")
    assert numbers(explorer, "order e d c b a").shape == (5, 4)  # the last good picture
    type_in(explorer, "tokens in this order", "b a c d e")
    soon(lambda: "sees the order" in status(explorer), "the recovery")
    assert numbers(explorer, "order b a c d e").shape == (5, 4)
    explorer.get_by_label("places").focus()
    for key in ("Space", "Home", "Enter"):
        widgets.keyboard.press(key)
    soon(lambda: "cannot tell them apart" in status(explorer), "no places")
    explorer.get_by_label("causal mask").focus()
    widgets.keyboard.press("Space")
    soon(lambda: "sees the order" in status(explorer), "the causal mask")


def test_the_decoding_explorer_by_mouse_and_by_keyboard(widgets):
    explorer = the(widgets, 11)
    assert "Step 1 of 24: after “<start>”" in status(explorer)  # it never learned to stop
    assert numbers(explorer, "cross-attention").shape == (1, 4)
    type_in(explorer, "step", "3")
    soon(lambda: "Step 3 of 24" in status(explorer), "the third step")
    assert numbers(explorer, "cross-attention").shape == (3, 4)
    assert numbers(explorer, "decoder, self-attention").shape == (3, 3)
    assert numbers(explorer, "encoder, self-attention").shape == (4, 4)
    before = table(explorer, "cross-attention")
    explorer.get_by_label("head").select_option("head 1")
    soon(lambda: table(explorer, "cross-attention") != before, "one head")
    before = table(explorer, "cross-attention")
    explorer.get_by_label("layer").focus()
    for key in ("Space", "ArrowDown", "Enter"):
        widgets.keyboard.press(key)
    soon(lambda: table(explorer, "cross-attention") != before, "the other layer")
    enter(explorer, "source", "3 1 x")
    soon(lambda: "does not know “x”" in status(explorer), "the message")
    assert numbers(explorer, "cross-attention").shape == (3, 4)
    type_in(explorer, "source", "7 7")
    soon(lambda: numbers(explorer, "cross-attention").shape == (3, 3), "the recovery")


def test_the_block_explorer_by_mouse_and_by_keyboard(widgets):
    explorer = the(widgets, 12)

    def drawn():
        return [image.get_attribute("alt") for image in explorer.locator("img").all()]

    assert drawn()[0] == "encoder and decoder layer, with all parts"
    explorer.get_by_label("residual sums").click()
    soon(lambda: drawn()[0].endswith("without residual"), "the diagram")
    assert drawn()[1] == "loss: all parts ends at 0.004; without ends at 1.948"
    explorer.get_by_label("residual sums").click()
    explorer.get_by_label("causal mask").focus()
    widgets.keyboard.press("Space")
    soon(lambda: "reverse, without causal mask" in status(explorer), "no mask")
    explorer.get_by_label("task").select_option("sort")
    soon(lambda: "sort, without causal mask" in status(explorer), "the other task")
    explorer.get_by_role("button", name="Train again").focus()
    widgets.keyboard.press("Enter")
    wait_for(lambda: "trained here" in drawn()[1], 60, "a training")
    assert "sort, without causal mask, trained here from start 1" in status(explorer)


@pytest.mark.parametrize(("index", "n"), [(7, 16), (8, 32)])
def test_an_explorer_of_many_tokens(widgets, index, n):
    explorer = the(widgets, index)
    random = torch.Generator().manual_seed(0)
    a, b = (torch.randn(m, 8, generator=random) for m in (16, 32))
    key = (a if n == 16 else b).double()
    query = key.clone()
    query[2, 1] = 4
    steps = attention(query, key, key, is_causal=True)

    editor = explorer.locator(".alab-editor").first
    type_in(editor, "row", "2")
    type_in(editor, "column", "1")
    number = editor.get_by_label("Q there", exact=True)
    there = pytest.approx(key[2, 1].item(), abs=1e-6)
    soon(lambda: float(number.input_value()) == there, "the number of the chosen cell")
    type_in(editor, "Q there", "x")
    soon(lambda: "Q[2, 1]: “x” is not a number" in status(explorer), "the message")
    type_in(editor, "Q there", "4")
    soon(lambda: "not a number" not in status(explorer), "the recovery")
    explorer.get_by_label("mask", exact=True).select_option("causal: no later key")
    type_in(explorer.locator(".widget-hbox:has(> .widget-dropdown):has(.widget-text)"), "row", "2")
    soon(lambda: "weights[2, 0] = " in status(explorer), "the explanation")
    if n == 16:
        soon(
            lambda: torch.allclose(numbers(explorer, "weights")[:, :-1], steps.weights, atol=6e-4),
            "the weights",
        )
        return
    assert explorer.get_by_alt_text("weights (32 × 32): dark 0, light 1; row 2").count() == 1
    largest, _ = steps.weights[2].topk(3)
    shown = [float(row[0]) for row in table(explorer, "query 2")[:3]]
    assert shown == pytest.approx(largest.tolist(), abs=6e-4)
    mask = explorer.locator(".widget-hbox:has(> .widget-checkbox):has(.widget-text)").first
    type_in(mask, "query", "2")
    type_in(mask, "key", "1")
    mask.get_by_label("may attend").click()
    hidden = torch.ones(n, n, dtype=torch.bool).tril()
    hidden[2, 1] = False
    largest, _ = attention(query, key, key, attn_mask=hidden).weights[2].topk(2)
    soon(lambda: table(explorer, "query 2")[2][0] == "0", "the hidden key")
    shown = [float(row[0]) for row in table(explorer, "query 2")[:2]]
    assert shown == pytest.approx(largest.tolist(), abs=6e-4)


# --- what meets the eye ---------------------------------------------------------------------


def test_the_widgets_of_every_kind_can_be_read(widgets):
    can_be_read(widgets)


@pytest.mark.parametrize("opened", ["page", "widgets"])
def test_axe_finds_no_serious_violation_in_the_widgets(opened, request):
    page = request.getfixturevalue(opened)
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
