"""ShapeExplorer, driven by the values of its fields."""

import pytest
import torch

from attention_lab.labs.transformer_code.draft import INPUTS, REPAIRS, Draft, Sizes
from attention_lab.labs.transformer_code.widget import OWN, PRESETS
from attention_lab.pictures.tables import CSS
from attention_lab.widgets import ShapeExplorer
from browser import CHROMIUM, FLAGS
from helpers import tables


def lines_of(widget, index=0):
    """Read the table of lines: what stands in the last column of each."""
    return [row[-1] for row in tables(widget.picture.value)[index][1][2:]]


def test_the_shapes_are_those_of_the_draft():
    widget = ShapeExplorer()
    assert "fails in line 1. PyTorch says: mat1 and mat2 must have the same" in widget.note
    assert lines_of(widget) == ["fails: see above", *["not reached"] * 4, "", *["not reached"] * 4]
    widget.given.value = INPUTS[2]
    assert lines_of(widget)[3] == "(3, 2, 3, 10)"
    assert lines_of(widget)[4:6] == ["fails: see above", ""]
    assert "fails in line 5. PyTorch says: The size of tensor a (2) must match the" in widget.note
    for name in ("transpose", "softmax"):
        widget.repairs[name].value = True
    assert "3 tokens went in, 6 came out; 3 of 7 properties hold" in widget.note
    # without W_O the last row says what comes out of the line before it
    assert lines_of(widget)[-2:] == ["(3, 6, 10); right is (3, 3, 10)"] * 2
    widget.decoder.value = True
    assert len(tables(widget.picture.value)) == 3
    assert lines_of(widget, 2)[4] == "(3, 2, 3, 6); right is (3, 2, 3, 3)"
    for name in ("scale", "join"):
        widget.repairs[name].value = True
    assert widget.note == "Right: it runs, and all 7 properties hold."


def test_sizes_of_a_preset_and_of_ones_own():
    widget = ShapeExplorer("n = n_heads = d_k", given=INPUTS[2])
    assert "It runs without an error, and is wrong: 2 of 7 properties hold." in widget.note
    widget.sizes[1].value = 4
    assert widget.preset.value == OWN
    assert "fails in line 5" in widget.note
    widget.preset.value = "n = n_heads = d_k, large d_v"
    assert [field.value for field in widget.sizes] == list(PRESETS[widget.preset.value])
    assert "5 tokens went in, 25 came out" in widget.note
    widget.sizes[0].value = 0  # the field takes what is nearest
    assert widget.sizes[0].value == 1


@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("decoder", [False, True])
def test_no_sizes_break_the_picture(given, decoder):
    widget = ShapeExplorer(given=given)
    widget.decoder.value = decoder
    for sizes in (Sizes(1, 1, 1, 1, 1, 1), Sizes(16, 16, 16, 16, 16, 16), Sizes(2, 1, 3, 2, 5, 7)):
        for repairs in ((), ("join",), REPAIRS):
            for field, size in zip(widget.sizes, sizes, strict=True):
                field.value = size
            for name, box in widget.repairs.items():
                box.value = name in repairs
            assert "Not used" not in widget.status.value
            right = given == INPUTS[2] and repairs is REPAIRS
            assert widget.note.startswith("Right") == right


def test_right_is_said_of_what_is_right_only():
    widget = ShapeExplorer(given=INPUTS[1], repairs=tuple(REPAIRS))
    for field, size in zip(widget.sizes, (3, 10, 2, 5, 10, 10), strict=True):
        field.value = size  # n = d_model: the numbers pass for one token
    assert "10 tokens went in, 1 came out" in widget.note
    widget = ShapeExplorer(given=INPUTS[2], repairs=("join",))
    for field in widget.sizes:
        field.value = 1
    assert widget.note.startswith("All 7 properties hold with these sizes, and not with others")
    for field, size in zip(widget.sizes, (1, 1, 1, 1, 1, 2), strict=True):
        field.value = size
    widget.repairs["join"].value = False
    assert widget.picture.value.count("cannot be tried") == 7


def test_a_line_that_fails_and_properties_that_hold_have_each_their_input():
    widget = ShapeExplorer("n = n_heads = d_k")
    assert "fails in line 1" in widget.note
    assert "With vectors (B, n, d_model) it runs: the 7 properties below" in widget.note
    widget.given.value = INPUTS[2]
    assert "below are tried" not in widget.note
    widget = ShapeExplorer("the article's")  # fails on vectors, too
    assert "below are tried" not in widget.note


def test_an_odd_size_says_what_pytorch_says():
    with pytest.raises(RuntimeError, match="invalid for input of size 150"):
        Draft(PRESETS["n = n_heads = d_k, odd d_v"])(torch.randn(2, 5, 10))


# --- stillness: whatever is chosen, every line keeps its place and its size ----------------------

SOME_REPAIRS = ((), ("transpose",), ("transpose", "softmax"), ("join",), tuple(REPAIRS))
STATES = [
    *((preset, INPUTS[2], ()) for preset in PRESETS),
    *(
        (preset, given, ())
        for preset in ("the article's", "n = n_heads = d_k")
        for given in INPUTS[:2]
    ),
    *(("the article's", INPUTS[2], repairs) for repairs in SOME_REPAIRS[1:]),
    ("small d_v", INPUTS[2], ("transpose", "softmax")),
]


def skeleton(html):
    """What stands where: the heads, the number of rows, the numbers of the lines, the axes."""
    return [
        (caption, rows[0], [(row[1], len(row)) for row in rows[1:]])
        for caption, rows in tables(html)
    ]


@pytest.mark.parametrize("decoder", [False, True])
def test_each_line_has_its_row_whatever_is_chosen(decoder):
    found = set()
    for preset, given, repairs in STATES:
        widget = ShapeExplorer(preset, given=given, repairs=repairs)
        widget.decoder.value = decoder
        for caption, heads, rows in skeleton(widget.picture.value):
            found.add((caption, *heads, *rows))
        for _, rows in tables(widget.picture.value):
            for row in rows[2:]:
                code = row[2]
                assert row[1] != "5" or code.startswith("scores = query @ key.transpose")
                assert row[1] != "7" or code.startswith("weights = scores.softmax")
    assert len(found) == 2 + decoder
    assert widget.status.layout.height == "64px"


@pytest.fixture(scope="module")
def page():
    """A page that shows HTML, in Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium found")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened.new_page(viewport={"width": 900, "height": 700})
        opened.close()


BOXES = """[...document.querySelectorAll("td,th,caption")].map(e => {
    const box = e.getBoundingClientRect()
    return [box.x, box.y, box.width, box.height].map(Math.round).join(" ")
})"""
CUT = """[...document.querySelectorAll("td,th")].filter(e =>
    e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight + 1).map(e => e.innerText)"""


def test_frames_stand_still_whatever_the_error_says(page):
    """The boxes of all cells are the same in every state, and no text is cut."""
    boxes = set()
    for preset, given, repairs in STATES:
        widget = ShapeExplorer(preset, given=given, repairs=repairs)
        page.set_content(f"<body style='font:13px sans-serif'>{CSS}{widget.picture.value}</body>")
        boxes.add(tuple(page.evaluate(BOXES)))
        assert not page.evaluate(CUT), (preset, given, repairs)
    assert len(boxes) == 1


def test_the_longest_message_fits_into_the_status(page):
    """Sixteen of everything, and a message with what is said of it."""
    notes = []
    for preset, given, sizes in (
        ("the article's", INPUTS[2], (16, 15, 16, 16, 16, 16)),
        ("the article's", INPUTS[2], (16, 16, 16, 15, 16, 16)),
        ("n = n_heads = d_k", INPUTS[0], PRESETS["n = n_heads = d_k"]),
        ("n = n_heads = d_k", INPUTS[1], (16, 16, 16, 16, 16, 10)),
    ):
        widget = ShapeExplorer(preset, given=given)
        with widget.one_redraw():
            for field, size in zip(widget.sizes, sizes, strict=True):
                field.value = size
        page.set_content(
            f"{CSS}<body style='margin:0;font:13px sans-serif'><div id='status' style='width:860px;"
            f"height:{widget.status.layout.height}'>{widget.status.value}</div></body>"
        )
        assert page.locator("#status").evaluate("e => e.scrollHeight <= e.clientHeight")
        notes.append(widget.note)
    assert max(map(len, notes)) > 150
    assert len(set(notes)) == 4
