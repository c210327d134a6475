"""Values in the plane, terms of a sum, and a flow chart."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.labs.attention_weights.pictures import kernel_regression
from attention_lab.labs.weighted_sum import figures
from attention_lab.labs.weighted_sum.pictures import FIXED, plane, terms_table
from attention_lab.pictures.tables import side_by_side
from driving import boxes_of
from helpers import svg_of, tables, whys


def test_terms_table_adds_up():
    weights, values = torch.tensor([0.9, 0.1]), torch.tensor([[0.05, 0.0], [0.0, 2.0]])
    ((_, rows),) = tables(terms_table(weights, values, keys=["v0", "v1"]))
    assert rows[1][1:4] == ["0.900", "[0.05, 0]", "[0.045, 0]"]
    assert rows[3][1:4] == ["1.000", "", "[0.045, 0.2]"]


def test_the_axes_of_values_in_the_plane_say_what_the_features_are():
    weights, values = torch.tensor([0.5, 0.5]), torch.eye(2)
    for named, said in (({"features": ("price", "filling")}, ("price", "filling")),
                        ({}, ("first feature", "second feature"))):  # fmt: skip
        axes = figures.plane(weights, values, **named).figure.axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel()) == said
    with pytest.raises(ValueError, match="features"):
        figures.plane(weights, values, features=("price",))


@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_plane_is_drawn_inside_its_frame(points, random):
    values = torch.tensor(points, dtype=torch.float64)
    weights = torch.tensor([random.uniform(-3, 3) for _ in points], dtype=torch.float64)
    picture = svg_of(plane(weights, values, keys=[f"v{i}" for i in range(len(points))]))
    for circle in picture.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(circle.get("cx")) <= 360
        assert 0 <= float(circle.get("cy")) <= 300


SVG = "{http://www.w3.org/2000/svg}"


def scales(html):
    """Read what is written along the axes: x, y, number."""
    return [
        (text.get("x"), text.get("y"), text.text)
        for text in svg_of(html).iter(f"{SVG}text")
        if text.get("stroke") is None
    ]


def test_the_frame_of_the_plane_stands_still_while_weights_move():
    values = torch.tensor([[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 3.0]])
    keys = ["v0", "v1", "v2", "v3"]
    start = scales(plane(torch.full((4,), 0.25), values, keys=keys))
    assert {said for _, _, said in start} >= {"−1", "0", "1", "2", "3", "4", "5"}
    for weights in ([1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [-3.0, 0.0, 0.0, 9.0]):
        assert scales(plane(torch.tensor(weights), values, keys=keys)) == start
    values[2, 0] = 4.3  # nor does a value that stays within a step
    assert scales(plane(torch.full((4,), 0.25), values, keys=keys)) == start


def test_an_output_beyond_the_frame_is_an_arrow_at_its_edge():
    values = torch.tensor([[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 3.0]])
    keys = ["v0", "v1", "v2", "v3"]
    far = svg_of(plane(torch.ones(4), values, keys=keys))
    assert "output [8, 6]" in [text.text for text in far.iter(f"{SVG}text")]
    assert len(list(far.iter(f"{SVG}path"))) == 1
    near = svg_of(plane(torch.full((4,), 0.25), values, keys=keys))
    assert "output" in [text.text for text in near.iter(f"{SVG}text")]
    assert not list(near.iter(f"{SVG}path"))


def test_each_term_says_how_it_was_made():
    values = torch.tensor([[0.0, 4.0], [2.0, -1.0]])
    scores = torch.tensor([0.0, 1.0])
    html = terms_table(scores.softmax(-1), values, keys=["v0", "v1"], scores=scores)
    assert whys(html) == [
        "e^0 / (e^0 + e^1) = 0.269", "0.269 × [0, 4] = [0, 1.076]",
        "e^1 / (e^0 + e^1) = 0.731", "0.731 × [2, −1] = [1.462, −0.731]",
        "0 + 1.462 = 1.462; 1.076 + (−0.731) = 0.345",
    ]  # fmt: skip
    typed = terms_table(torch.tensor([0.5, 0.5]), values, keys=["v0", "v1"])
    assert whys(typed)[0] == "0.500 × [0, 4] = [0, 2]"
    assert [each.count('tabindex="0"') for each in (html, typed)] == [1, 1]


@pytest.mark.browser
def test_no_weight_moves_a_column_of_the_terms():
    values = torch.tensor([[0.05, -10.125], [-10.125, 2.0]])
    pictures = [
        side_by_side(terms_table(torch.tensor(weights), values, keys=["v0", "v1"]))
        for weights in ([0.9, 0.1], [1 / 3, 2 / 3], [1e-9, 1.0], [1.0, 0.9999])
    ]
    seen = boxes_of(pictures, FIXED)
    assert all(boxes == seen[0] for boxes in seen), seen


def bar_widths(weights, values):
    html = terms_table(torch.tensor(weights), values, keys=["v0", "v1"])
    return [len(bar) for bar in re.findall(r">(█+)<", html)]


def test_a_bar_moves_with_its_own_weight_only():
    values = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert bar_widths([0.5, 0.5], values) == [5, 10]
    assert bar_widths([0.5, 0.1], values) == [5, 2]


def test_pictures_have_an_alternative_text():
    weights, values = torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 0.0], [2.0, 4.0]])
    html = plane(weights, values, keys=["v0", "v1"])
    assert 'alt="2 values in the plane; the output lies at [1, 2]"' in html
    keys = torch.arange(2.0)
    html = kernel_regression(keys, keys, weights, keys, keys, 0.5)
    assert 'alt="query 0.5 gets the output 0.5"' in html


def test_plane_says_whether_the_output_is_inside():
    values = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    inside = figures.plane(torch.tensor([0.2, 0.3, 0.5]), values)
    assert "inside the hull" in inside.sentence
    outside = figures.plane(torch.tensor([1.0, 1.0, 1.0]), values)
    assert "outside the hull" in outside.sentence
    on_a_segment = figures.plane(torch.tensor([0.9, 0.1]), values[:2] + 0.05)
    assert "inside the hull" in on_a_segment.sentence
    single = figures.plane(torch.tensor([1.0]), values[:1])
    assert "inside the hull" in single.sentence


def annotations(picture):
    (axes,) = picture.figure.axes
    return {note.get_text(): note for note in axes.texts}


TWO = torch.tensor([[0.05, 0.0], [0.0, 2.0]])
THREE = torch.tensor([[2.0, 1.0], [0.0, 0.0], [4.0, 2.0]])
FOODS = torch.tensor([[3.0, 2.0], [8.0, 1.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    ("weights", "values"),
    [
        ([0.9, 0.1], TWO),
        ([0.9, 0.1], TWO + torch.tensor([10.0, 0.0])),
        ([0.8, 0.1, 0.1], THREE),
        ([0.259, 0.705, 0.035], FOODS),
        ([0.25, 0.25, 0.25, 0.25], torch.tensor([[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 3.0]])),
    ],
)
def test_no_label_of_the_plane_covers_a_point_or_another_label(weights, values):
    picture = figures.plane(torch.tensor(weights), values)
    picture.figure.draw_without_rendering()
    (axes,) = picture.figure.axes
    boxes = {text: note.get_window_extent() for text, note in annotations(picture).items()}
    assert len(boxes) == len(values) + 1
    frame = axes.get_window_extent()
    output = torch.tensor(weights) @ values
    centers = axes.transData.transform([*values.tolist(), output.tolist()])
    for text, box in boxes.items():
        assert all(frame.contains(*corner) for corner in box.corners()), text
        assert not any(box.contains(*center) for center in centers), text
        assert not any(box.overlaps(boxes[other]) for other in boxes if other != text), text


def test_a_box_holds_what_a_hull_does_not():
    triangle = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    said = figures.hull_and_box(triangle, torch.tensor([0.9, 0.9])).sentence
    assert said.endswith("(0.9, 0.9) lies inside the box and outside the hull.")
    said = figures.hull_and_box(triangle, torch.tensor([0.2, 0.3])).sentence
    assert said.endswith("(0.2, 0.3) lies inside the box and inside the hull.")
    said = figures.hull_and_box(triangle, torch.tensor([1.5, 0.3])).sentence
    assert said.endswith("(1.5, 0.3) lies outside the box and outside the hull.")


def test_a_flow_chart_without_a_start_marks_nothing():
    picture = figures.flow_chart([("a", "b")], [["a", "b"]], title="Draft")
    assert picture.sentence == "Draft: a → b."


DRAFT = [("a", "b"), ("b", "end"), ("a", "x"), ("x", "y")]


def test_flow_chart_says_what_is_reachable():
    rows = [["a", "b", "end"], ["", "x", "y"]]
    picture = figures.flow_chart(DRAFT, rows, start="x", end="end", title="Draft")
    assert picture.sentence == ("Draft: from “x” the arrows lead to “y”; “end” is not reachable.")
    repaired = figures.flow_chart([*DRAFT, ("y", "b")], rows, start="x", end="end", title="New")
    assert "“end” is reachable" in repaired.sentence
