"""PositionExplorer, driven by the values of its fields."""

import pytest

from attention_lab.widgets import PositionExplorer
from helpers import tables, text_of


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
    widget.n.value = 12
    assert widget.typed.value == "l k j i h g f e d c b a"
    assert "the same output" not in widget.note


@pytest.mark.parametrize("typed", ["edcba", "e,d,c,b,a", "E D C B A", " ed cb;a "])
def test_an_order_is_read_however_it_is_typed(typed):
    widget = PositionExplorer("sinusoidal", "as they are")
    widget.typed.value = typed
    assert "order e d c b a" in text_of(widget.picture.value)
    assert "Not used" not in widget.status.value


def test_the_map_of_places():
    def map_of(encoding):
        widget = PositionExplorer(encoding)
        return tables(widget.picture.value)[2][1][1:]

    sines = map_of("sinusoidal")
    assert sines[0][1] == "8"  # half of the 16 features
    assert sines[0][2] == sines[1][3] == sines[2][1 + 3]
    assert map_of("rotary")[0][1] == "16"
    assert map_of("ALiBi")[0][1:4] == ["0", "−0.5", "−1"]
    assert len(tables(PositionExplorer("none").picture.value)) == 2
