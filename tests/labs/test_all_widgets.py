"""What every widget must hold."""

import re
import warnings

import ipywidgets
import pytest
import torch

from attention_lab.pictures.flow import FLOW_CSS
from attention_lab.pictures.tables import still
from attention_lab.widgets import (
    AttentionExplorer,
    CostExplorer,
    DialExplorer,
    MaskExplorer,
    MatrixEditor,
    ModeStudio,
    PositionExplorer,
    ScaleExplorer,
    SelectConsole,
    ShapeExplorer,
    VisionExplorer,
    WeightedSumExplorer,
    WeightsExplorer,
    WordLines,
    heads,
)
from helpers import (
    all_inside,
    digits_explorer,
    redraws_of,
    training_player,
    triptych_explorer,
    type_into,
)


@pytest.mark.parametrize("make", [WeightsExplorer, WeightedSumExplorer])
def test_every_preset_gives_a_picture(make):
    widget = make()
    for editor in (
        vars(widget)[name] for name in ("scores", "values", "weights") if name in vars(widget)
    ):
        for name in editor.presets:
            editor.preset.value = name
            assert editor.value == editor.presets[name]
            assert "Not used" not in widget.status.value
            assert widget.picture.value


def test_one_redraw_for_an_edit_in_every_widget():
    weights = WeightsExplorer("queries and keys")
    counted = redraws_of(weights)
    type_into(weights.query, 0, 0, "5")
    weights.n_k.value = 5
    weights.query.paste("1 2 3")
    weights.temperature.field.value = "0.123"
    assert len(counted) == 4
    summed = WeightedSumExplorer()
    counted = redraws_of(summed)
    type_into(summed.values, 0, 0, "5")
    summed.count.value = 6
    summed.scores.paste("1 2")
    assert len(counted) == 3


ALL = [
    AttentionExplorer,
    WeightsExplorer,
    lambda: WeightsExplorer("queries and keys"),
    lambda: WeightsExplorer("keys on a line"),
    WeightedSumExplorer,
    DialExplorer,
    lambda: MatrixEditor("Q", [[1]]),
    CostExplorer,
    MaskExplorer,
    ModeStudio,
    PositionExplorer,
    ScaleExplorer,
    SelectConsole,
    ShapeExplorer,
    VisionExplorer,
    triptych_explorer,
    digits_explorer,
    training_player,
]


@pytest.mark.parametrize("make", ALL)
def test_a_static_twin_is_displayed_before_the_live_widget(make, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    widget = make()
    for _ in range(2):  # a second display adds nothing to the widget
        widget._ipython_display_()
    twin, live, again, _ = shown
    assert set(live) == {"application/vnd.jupyter.widget-view+json"}
    assert set(twin) == {"text/plain", "text/html"}
    assert "<table" in twin["text/html"]
    assert "Run this cell to make it live." in twin["text/html"]
    assert "\n" not in twin["text/plain"]
    assert len(twin["text/plain"]) < 240
    # the twin of the same state is the same text, or nbval could not compare it
    assert still(widget.twin_html()) in twin["text/html"]
    assert make().twin_html() == widget.twin_html()
    assert again == twin
    mark = re.match(r'<div class="(alab-twin-\w{8})">', twin["text/html"])[1]
    styles = [child.value for child in widget.children if hasattr(child, "value")]
    assert sum(f".{mark}{{display:none}}" in str(value) for value in styles) == 1


@pytest.mark.parametrize(
    "make",
    [
        *ALL,
        lambda: WordLines(torch.eye(2), ["a", "b"]),
        lambda: heads(torch.full((2, 1, 2, 3, 3), 1 / 3), ["a", "b", "c"]),
    ],
)
def test_a_widget_brings_the_style_sheet_of_its_lines_and_no_other_does(make):
    widget = make()
    widget._make_live("mark")
    values = [str(getattr(each, "value", "")) for each in all_inside(widget)]
    has_lines = any('class="alab-flow"' in value for value in values)
    assert any(FLOW_CSS in value for value in values) == has_lines


@pytest.mark.parametrize("make", ALL)
def test_every_input_can_be_named_by_a_screen_reader(make):
    inputs = (
        ipywidgets.Text,
        ipywidgets.Textarea,
        ipywidgets.Checkbox,
        ipywidgets.Dropdown,
        ipywidgets.BoundedIntText,
        ipywidgets.Button,
        ipywidgets.ToggleButton,
    )
    for widget in all_inside(make()):
        if isinstance(widget, inputs):
            assert widget.description, widget


@pytest.mark.parametrize("make", ALL)
def test_no_deprecated_part_of_ipywidgets_is_used(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make()
