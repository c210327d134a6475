"""WeightedSumExplorer, driven by the values of its fields."""

from attention_lab.widgets import WeightedSumExplorer
from helpers import bars, text_of, type_into


def test_weighted_sum_follows():
    widget = WeightedSumExplorer()
    assert "(3.339, 2.079)" in text_of(widget.status.value)
    widget.kind.value = "weights as typed"
    assert "(2, 1.5)" in text_of(widget.status.value)
    widget.weights.paste("1 1 1 1")
    assert "sum to 4, not 1" in text_of(widget.status.value)
    type_into(widget.weights, 0, 0, "-1")
    assert "below 0" in text_of(widget.status.value)
    widget.kind.value = "softmax of scores"
    widget.count.value = 2
    assert len(bars(widget)) == 4
    widget.values.paste("1 2\n3 4\n5 6")
    assert (widget.count.value, len(widget.scores.value[0])) == (3, 3)
    widget.scores.paste("1 2 3 4")
    assert (widget.count.value, len(widget.values.value)) == (4, 4)
    widget.count.value = 3
    widget.values.paste("1\n2\n3")
    assert "needs 2 numbers" in text_of(widget.status.value)


def test_the_line_says_whether_the_output_lies_inside_the_hull():
    widget = WeightedSumExplorer()
    assert "It lies inside the hull of the values." in text_of(widget.status.value)
    widget.kind.value = "weights as typed"
    for weights, where in (
        ("1 0 0 0", "inside"),  # a corner
        ("0.5 0.5 0 0", "inside"),  # an edge
        ("0.5 1 0.5 0", "outside"),
        ("0.1 0.1 0.1 0.1", "inside"),  # no mean, and inside all the same
        ("-0.01 1.01 0 0", "outside"),
    ):
        widget.weights.paste(weights)
        assert f"It lies {where} the hull of the values." in text_of(widget.status.value)
    assert "A weight is below 0: this is no mean." in text_of(widget.status.value)
    widget.values.preset.value = "all equal"
    widget.weights.paste("1 1 1 1")
    assert "outside the hull" in text_of(widget.status.value)


def test_the_foods_of_the_notebook_are_presets():
    widget = WeightedSumExplorer()
    widget.values.preset.value = "price and filling of apple, honey, cracker"
    assert widget.count.value == 3
    widget.scores.preset.value = "sweet, of apple, honey, cracker"
    assert "The output is (6.492, 1.365)." in text_of(widget.status.value)
