"""How the browser tests drive a widget, read it back, and look at the page."""

import pytest
import torch

from attention_lab.pictures.tables import CSS, LIVE_CSS
from browser import CHROMIUM, FLAGS, is_idle, menu, wait_for

SET_UP = """\
import torch
from attention_lab.widgets import *
random = torch.Generator().manual_seed(0)
a, b = (torch.randn(n, 8, generator=random) for n in (16, 32))
"""
# every kind of widget once; the explorers of more tokens, too
WIDGETS = {
    "MatrixEditor": """\
MatrixEditor("M", [[1, 2], [3, 4]], presets={"the unit matrix": [[1, 0], [0, 1]]})
""",
    "WeightsExplorer": "WeightsExplorer()",
    "WeightedSumExplorer": "WeightedSumExplorer()",
    "MaskEditor": "MaskEditor(3, 3)",
    "MaskExplorer": "MaskExplorer()",
    "ModeStudio": "ModeStudio()",
    "ModeOnModel": "ModeOnModel()",
    "AlignmentExplorer": """\
from attention_lab.models.data.translation import ENGLISH, FRENCH, translate
from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.vocabulary import Vocabulary
_ = torch.manual_seed(0)
AlignmentExplorer({"a": Seq2Seq(50, 85), "b": Seq2Seq(50, 85, score="dot")},
                  Vocabulary(ENGLISH), Vocabulary(FRENCH), translate=translate)
""",
    "ScaleExplorer": "ScaleExplorer(64)",
    "DialExplorer": "DialExplorer()",
    "AttentionExplorer of 16 tokens": "AttentionExplorer(a, a, a)",
    "AttentionExplorer of 32 tokens": "AttentionExplorer(b, b, b)",
    "SelectConsole": "SelectConsole()",
    "CostExplorer": "CostExplorer()",
    "ClaimBrowser": "ClaimBrowser()",
    "HeadBrowser": "HeadBrowser()",
    "heads of 128 tokens": """\
ours = (3 * torch.randn(6, 1, 12, 128, 128, generator=random)).softmax(dim=-1)
heads(tuple(ours), [f"word{i}" for i in range(128)])
""",
    "ShapeExplorer": "ShapeExplorer()",
    "PositionExplorer": "PositionExplorer()",
    "DecodingExplorer": """\
from attention_lab.models.data.sequences import DIGITS
from attention_lab.models.transformer import Transformer
_ = torch.manual_seed(0)
DecodingExplorer(Transformer(13, 13, d_model=16, n_layers=2), DIGITS, DIGITS, text="3 1 4")
""",
    "BlockExplorer": "BlockExplorer()",
    "TriptychExplorer": """\
from attention_lab.labs.applications.triptych import Reader
_ = torch.manual_seed(0)
TriptychExplorer(Reader())
""",
    "VisionExplorer": "VisionExplorer()",
    "TrainingPlayer": """\
from attention_lab.models.training import History
maps = [(step, (step * torch.eye(2, 3)).softmax(dim=1)) for step in (0, 2, 4)]
TrainingPlayer(History([4.0, 3.0, 2.0, 1.0], maps), ["le", "chat"], ["the", "cat", "<end>"],
               right=[(0, 0), (1, 1)])
""",
    "TrainingBar": """\
bar = TrainingBar(20)
bar.name = "a model"
display(bar)
for step in range(1, 16):
    bar(step, 1 / step)
""",
}


def table(widget, caption):
    """Read a table back from the page: the text of its cells, row by row."""
    found = widget.locator("table", has=widget.page.locator("caption b", has_text=caption))
    return found.first.evaluate(
        """t => [...t.tBodies[0].rows].map(r => [...r.querySelectorAll('td')].map(c =>
             [...c.childNodes].filter(n => n.className !== 'alab-why')
               .map(n => n.innerText ?? n.textContent).join('')))"""
    )  # without what pointing at a cell says


def numbers(widget, caption):
    """Read a table back as numbers."""
    read = [
        [float(x.replace("−", "-").replace("≈", "")) for x in row] for row in table(widget, caption)
    ]
    return torch.tensor(read, dtype=torch.float64)


def settle(page):
    """Wait until the kernel has answered the last edit, as a person does."""
    page.wait_for_timeout(200)
    soon(lambda: is_idle(page), "an idle kernel")


def enter(widget, label, text):
    """Type into a field, and leave it by a click elsewhere."""
    settle(widget.page)
    field = widget.get_by_label(label, exact=True)
    field.fill(text)
    widget.page.locator(".jp-InputPrompt").first.click()
    # on a busy machine the page may still scroll under the click
    soon(lambda: not field.evaluate("f => f == document.activeElement"), "the leaving")


def focus(element):
    """Give an element the focus as a reader does who sees it.

    The browser ignores it for what is not shown yet (a fold opens after a round trip), and then
    the next key goes to what had the focus before.
    """
    element.wait_for(state="visible")
    element.focus()
    soon(lambda: element.evaluate("each => each === document.activeElement"), "the focus")


def type_in(widget, label, text):
    """Type into a field by the keyboard alone."""
    settle(widget.page)
    focus(widget.get_by_label(label, exact=True))
    widget.page.keyboard.press("Control+a")
    widget.page.keyboard.press("Delete")
    widget.page.keyboard.type(text)
    widget.page.keyboard.press("Enter")


def status(explorer):
    return " | ".join(explorer.locator("[role=status]").all_inner_texts())


def soon(condition, what):
    wait_for(condition, 30, what)  # kernels that train share the machine


def fields(widget, name, rows, columns):
    return [
        [widget.get_by_label(f"{name} row {i} column {j}").input_value() for j in range(columns)]
        for i in range(rows)
    ]


def boxes(editor, n):
    return [
        [editor.get_by_label(f"query {i} may attend to key {j}").is_checked() for j in range(n)]
        for i in range(n)
    ]


BOXES = """() => [...document.querySelectorAll('table, td, th, img, #below')].map(each => {
  const box = each.getBoundingClientRect();
  return [box.top, box.left, box.width, box.height].map(Math.round);
})"""


def boxes_of(pictures, style=""):
    """Show pictures one after the other, and return where all of their parts lie."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium found")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 900, "height": 700})
        seen = []
        for picture in pictures:
            page.set_content(f"{CSS}{LIVE_CSS}{style}{picture}<p id=below>.</p>")
            seen.append(page.evaluate(BOXES))
        browser.close()
    return seen


# --- what meets the eye ---------------------------------------------------------------------

# axe has a rule for contrast, but finds none of the faults planted in a table, a caption or a note
# outside of the window (axe-core by axe-playwright 0.1.8); this finds them all.
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
  .filter(e => !e.closest('.alab-long'))
  .filter(e => e.scrollWidth > e.clientWidth + 4)
  .map(e => e.innerText || e.value)"""


# The page has come to rest: no colour moves over, and what was asked for is laid out and painted.
AT_REST = """() => document.getAnimations().every(a => a.playState != 'running') && new Promise(
  done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""


def can_be_read(page):
    """Measure the widgets in both themes, zoomed, and in a narrow window."""
    for theme, is_light in (("JupyterLab Dark", "false"), ("JupyterLab Light", "true")):
        menu(page, "Settings", "Theme", theme)
        page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(state="attached")
        page.wait_for_function(AT_REST)
        measured = page.evaluate(CONTRAST)
        assert measured
        assert [each for each in measured if each[0] < 4.5] == [], theme
    clipped = {}
    for width, zoom in ((1400, 1), (1400, 2), (700, 1), (1400, 1)):  # and back, for other tests
        page.set_viewport_size({"width": width, "height": 1200})
        page.evaluate(
            f"document.body.style.zoom = {zoom}; window.dispatchEvent(new Event('resize'))"
        )
        page.wait_for_function(AT_REST)
        clipped[width, zoom] = page.evaluate(CLIPPED)
    assert {size: cut for size, cut in clipped.items() if cut} == {}


def serious_violations(page):
    """Return what axe finds in the widgets of a page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page, context=".jp-OutputArea-output .jupyter-widgets").response
    assert found["passes"]
    return [
        (violation["id"], node["html"][:120])
        for violation in found["violations"]
        for node in violation["nodes"]
        if violation["impact"] in ("serious", "critical")
        # The handle of a slider of ipywidgets 8 has no name, and none can be given to it. The
        # field beside each slider has one, and sets the same value (ui/fields.py, Knob).
        and "noUi-handle" not in node["html"]
    ]
