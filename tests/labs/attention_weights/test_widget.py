"""WeightsExplorer, driven by the values of its fields."""

import pytest

from attention_lab.labs.attention_weights.pictures import FIXED
from attention_lab.widgets import WeightsExplorer
from driving import boxes_of
from helpers import bars, tables, text_of, type_into, whys


def test_weights_from_typed_scores():
    widget = WeightsExplorer()
    assert [row[3] for row in bars(widget)[1:4]] == ["0.090", "0.245", "0.665"]
    widget.temperature.value = 0.5
    assert [row[3] for row in bars(widget)[1:4]] == ["0.016", "0.117", "0.867"]
    widget.temperature.value = 1
    type_into(widget.scores, 0, 0, "5")
    assert bars(widget)[1][3] == "0.844"
    widget.count.value = 5
    assert len(bars(widget)) == 7
    widget.scores.paste("1000 1001")
    assert [row[3] for row in bars(widget)[1:3]] == ["0.269", "0.731"]
    assert widget.count.value == 2


def test_weights_from_dot_products():
    widget = WeightsExplorer("queries and keys")
    heatmap = tables(widget.picture.value)[1][1]
    assert heatmap[1][:3] == ["q0", "0.464", "0.063"]
    before = heatmap[2]
    type_into(widget.query, 0, 1, "2")
    heatmap = tables(widget.picture.value)[1][1]
    assert heatmap[1][2] != "0.063"
    assert heatmap[2] == before
    widget.n_q.value = 4
    widget.shown.value = 3
    assert "query 3" in tables(widget.picture.value)[0][0]
    widget.query.paste("1 2 3")
    assert "K now has 3 columns as well, like Q" in text_of(widget.status.value)
    widget.key.paste("1 0 0\n0 1 0")
    assert "now has" not in text_of(widget.status.value)
    assert (widget.n_q.value, widget.n_k.value) == (1, 2)
    assert widget.shown.value == 0  # and "query 0" is what the picture shows
    assert "query 0" in tables(widget.picture.value)[0][0]


def test_the_line_says_on_which_key_each_query_has_most():
    widget = WeightsExplorer("queries and keys")
    said = "Weights, 2 × 4: q0 most on k0 and k2 (0.464 each), q1 most on k2 (0.560)."
    assert text_of(widget.status.value) == said
    assert widget.twin_text().endswith(said)
    type_into(widget.query, 0, 1, "2")
    assert "q0 most on k2 (" in text_of(widget.status.value)
    assert "q1 most on k2 (0.560)." in text_of(widget.status.value)  # its row stays


def test_the_foods_of_the_notebook_are_presets():
    widget = WeightsExplorer("queries and keys")
    widget.query.preset.value = "sweet, crunchy, both"
    widget.key.preset.value = "apple, honey, cracker"
    assert (widget.n_q.value, widget.n_k.value) == (3, 3)
    heatmap = tables(widget.picture.value)[1][1]
    assert [row[1:4] for row in heatmap[1:]] == [
        ["0.259", "0.705", "0.035"],
        ["0.265", "0.013", "0.721"],
        ["0.665", "0.090", "0.245"],
    ]
    for editor in (widget.query, widget.key):
        for name in editor.presets:
            editor.preset.value = name
            assert editor.value == editor.presets[name]
            assert "Not used" not in widget.status.value


def test_weights_on_a_line():
    widget = WeightsExplorer("keys on a line")
    assert "output 4.924" in text_of(widget.status.value)
    widget.bandwidth.value = 0.1
    assert "output 4." in text_of(widget.status.value)
    widget.place.value = -0.5
    widget.bandwidth.value = 10
    type_into(widget.values, 0, 0, "-3")
    widget.values.paste("1")
    assert "output 1." in text_of(widget.status.value)


def test_the_cells_of_each_view_say_their_formula():
    explorer = WeightsExplorer("queries and keys")
    said = whys(explorer.picture.value)
    assert len(said) == 4 * 3 + 2 * 4
    assert said[0] == "q0 · k0 = 2 × 1 + 0 × 0 = 2"
    assert said[12] == "e^2 / (e^2 + e^0 + e^2 + e^−2) = 0.464"
    explorer.temperature.value = 0.5
    assert whys(explorer.picture.value)[12] == "e^4 / (e^4 + e^0 + e^4 + e^−4) = 0.495"
    explorer.view.value = "keys on a line"
    explorer.place.value, explorer.bandwidth.value = -0.5, 2
    assert whys(explorer.picture.value)[3] == "−(−0.5 − 1)² / (2 × 2²) = −0.281"


@pytest.mark.browser
@pytest.mark.parametrize("view", ["scores", "queries and keys", "keys on a line"])
def test_no_number_moves_a_column(view):
    explorer = WeightsExplorer(view)
    pictures = [explorer.picture.value]
    for temperature in (0.1, 0.123, 10):
        explorer.temperature.value = temperature
        pictures.append(explorer.picture.value)
    for number in ("-1000.125", "0.0004"):
        for editor in (explorer.scores, explorer.query):
            type_into(editor, 0, 0, number)
        explorer.place.value = 0.123
        pictures.append(explorer.picture.value)
    seen = boxes_of(pictures, FIXED)
    assert len(set(pictures)) > 1
    assert all(boxes == seen[0] for boxes in seen), seen


def test_what_is_wrong_is_said_in_the_line_that_has_its_room():
    explorer = WeightsExplorer("queries and keys")
    for editor in (explorer.scores, explorer.query, explorer.key, explorer.values):
        assert editor.message_line.layout.display == "none"
    type_into(explorer.query, 0, 0, "abc")
    assert "Q[0, 0]: “abc” is not a number" in text_of(explorer.status.value)
    explorer.view.value = "scores"  # what is out of sight is not blamed
    assert "abc" not in explorer.status.value
    type_into(explorer.scores, 0, 0, "x")
    explorer.temperature.field.value = "cold"
    assert "“x” is not a number" in text_of(explorer.status.value)
    explorer.view.value = "queries and keys"
    assert "“abc”" in explorer.status.value
