"""PositionExplorer, driven by the values of its fields."""

import itertools
import re

import pytest

from attention_lab.labs.position.widget import ENCODINGS, LARGEST, SHOWN, _attend, _tokens
from attention_lab.pictures.tables import still
from attention_lab.widgets import PositionExplorer
from helpers import marked, tables, text_of, whys


@pytest.mark.parametrize(
    ("encoding", "order", "causal", "sees"),
    [
        ("none", "reversed", False, False),
        ("none", "first to the end", False, False),
        ("none", "first two swapped", True, True),
        ("sinusoidal", "reversed", False, True),
        ("learned", "first two swapped", False, True),
        ("rotary", "reversed", False, True),
        ("rotary", "first to the end", True, True),
        ("ALiBi", "reversed", False, False),  # the distances are those of the mirror
        ("ALiBi", "first two swapped", False, True),
        ("ALiBi", "reversed", True, True),
    ],
)
def test_who_sees_the_order(encoding, order, causal, sees):
    widget = PositionExplorer(encoding, order)
    widget.causal.value = causal
    assert ("sees the order" in widget.note) == sees
    before, after = (rows for _, rows in tables(widget.picture.value)[:2])
    assert (before[1:] != after[1:]) == sees


def test_an_order_of_ones_own():
    widget = PositionExplorer("sinusoidal")
    widget.typed.value = "b, a, c, d, e"
    assert widget.order.value == "as typed"
    good = widget.picture.value
    assert "order b a c d e" in text_of(good)
    for typed in ("a b c", "a b c d d", "", "a b c d z"):
        widget.typed.value = typed
        assert "write each of a b c d e once" in text_of(widget.status.value)
        assert widget.picture.value == good
    widget.typed.value = "c a b"
    widget.n.value = 3  # now it is an order
    assert (widget.order.value, widget.typed.value) == ("as typed", "c a b")
    assert "sees the order" in widget.note
    widget.n.value = 4
    assert (widget.order.value, widget.typed.value) == ("as they are", "a b c d")
    assert widget.note == "Both orders are the same: choose another one."
    assert "Not used" not in widget.status.value
    widget.order.value = "reversed"
    assert widget.typed.value == "d c b a"
    widget.n.value = 8
    assert widget.typed.value == "h g f e d c b a"
    assert "the same output" not in widget.note


@pytest.mark.parametrize("typed", ["edcba", "e,d,c,b,a", "E D C B A", " ed cb;a "])
def test_an_order_is_read_however_it_is_typed(typed):
    widget = PositionExplorer("sinusoidal", "as they are")
    widget.typed.value = typed
    assert "order e d c b a" in text_of(widget.picture.value)
    assert "Not used" not in widget.status.value


def test_the_map_of_two_positions():
    def map_of(encoding):
        widget = PositionExplorer(encoding)
        return [line[1:] for line in tables(widget.picture.value)[2][1][1:]]

    sines = map_of("sinusoidal")
    assert sines[0][0] == "8.0"  # half of the 16 features
    assert sines[0][1] == sines[1][2] == sines[2][3] == "7.5"
    assert sines[0][3] == "5.5"
    assert sines[0][4] == "5.6"  # farther, and larger
    assert map_of("rotary")[0][0] == "16.0"
    assert map_of("ALiBi")[0][:3] == ["0.0", "−0.5", "−1.0"]
    assert {text for line in map_of("none") for text in line} == {"·"}


def test_the_tokens_whose_output_moved_are_outlined():
    for encoding, marks in (("none", 0), ("sinusoidal", 20)):
        widget = PositionExplorer(encoding)
        assert marked(widget.picture.value, "related") == marks  # 5 tokens, 4 features
    widget = PositionExplorer("none", "first two swapped")
    widget.causal.value = True
    assert marked(widget.picture.value, "related") == 8  # a and b: c still sees a, b and c


def test_the_cells_say_how_they_were_made():
    widget = PositionExplorer("ALiBi", "first two swapped")
    widget.n.value = 2
    said = whys(widget.picture.value)
    assert len(said) == 2 * 2 * 4 + 8 * 8
    for each in said[:16]:
        products, number = each.removeprefix("weights × values, in this order: ").split(" = ")
        # the numbers that are multiplied are rounded to three decimals
        assert eval_of(products) == pytest.approx(eval_of(number), abs=0.01)
    assert said[16 + 3] == "−0.5 × |0 − 3| = −1.500"
    widget.encoding.value = "rotary"
    assert (
        whys(widget.picture.value)[17] == "2 cos(1 × 1) + 2 cos(1 × 0.316) + … (8 terms) = 14.970"
    )
    widget.encoding.value = "sinusoidal"
    assert whys(widget.picture.value)[17].startswith("row 0 · row 1, 16 features = 7.485")
    widget.encoding.value = "none"
    assert len(whys(widget.picture.value)) == 16


def eval_of(formula):
    return eval(formula.replace("−", "-").replace("×", "*").replace("≈", ""))


# --- nothing moves but numbers ------------------------------------------------------------------


def frame(widget):
    """What a picture is without its numbers, their colours and what is outlined."""
    html = re.sub(r'<span class="alab-why".*?</span>', "", widget.picture.value)
    html = re.sub(r">[^<>]+<", "><", html)
    return re.sub(r'<td( tabindex="-?\d")?( class="(alab-n\d+)?( alab-related)?")?>', "<td>", html)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_no_control_moves_the_frame(n):
    widget = PositionExplorer()
    widget.n.value = n
    before = frame(widget)
    assert before.count("<table>") == 3
    for encoding in widget.encoding.options:
        widget.encoding.value = encoding
        for causal in (False, True):
            widget.causal.value = causal
            for order in ("reversed", "first to the end", "first two swapped", "as they are"):
                widget.order.value = order
                assert frame(widget) == before, (encoding, causal, order)
                # one message line: short enough for one, and the line has its height anyway
                assert len(text_of(widget.status.value)) < 100
    assert widget.status.layout.height == "40px"
    assert widget.status.layout.width == "100%"


def test_each_table_has_its_room_whatever_the_number_of_tokens():
    widget = PositionExplorer("rotary")
    rooms = set()
    for n in range(2, 9):
        widget.n.value = n
        rooms.add(tuple(re.findall(r"min-width:\d+px;min-height:\d+px", widget.picture.value)))
    assert len(rooms) == 1
    assert len(rooms.pop()) == 3
    assert "table-layout:fixed" in widget.picture.value


def test_an_error_moves_nothing():
    widget = PositionExplorer("ALiBi")
    before = widget.picture.value
    widget.typed.value = "a b b"
    assert "Not used" in widget.status.value
    assert widget.picture.value == before
    assert widget.status.layout.height == "40px"


def test_a_colour_means_the_same_number_in_both_tables_and_for_every_encoding():
    paint = {}
    for encoding in ENCODINGS:
        for n in (3, 8):
            widget = PositionExplorer(encoding)
            widget.n.value = n
            outputs = still(widget.picture.value).split("two positions")[0]
            for color, text in re.findall(r"background:(#\w+);color:#\w+\"[^>]*>([^<]+)<", outputs):
                paint.setdefault(text, set()).add(color)
    assert len(paint) > 100
    # a number of two decimals covers at most two neighbouring shades
    assert all(len(colors) <= 2 for colors in paint.values())


def test_no_output_that_is_shown_leaves_the_colour_scale():
    for encoding, causal, n in itertools.product(ENCODINGS, (False, True), range(2, 6)):
        x = _tokens(n)
        for order in itertools.permutations(range(n)):
            shown = _attend(x[list(order)], encoding, causal).output[:, :SHOWN]
            assert shown.abs().max() <= LARGEST
