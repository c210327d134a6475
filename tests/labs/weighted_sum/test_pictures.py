"""Values in the plane, terms of a sum, and a flow chart."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.labs.attention_weights.pictures import kernel_regression
from attention_lab.labs.weighted_sum import figures
from attention_lab.labs.weighted_sum.pictures import plane, terms_table
from helpers import svg_of, tables


def test_terms_table_adds_up():
    weights, values = torch.tensor([0.9, 0.1]), torch.tensor([[0.05, 0.0], [0.0, 2.0]])
    ((_, rows),) = tables(terms_table(weights, values, keys=["v0", "v1"]))
    assert rows[1][1:4] == ["0.900", "[0.05, 0]", "[0.045, 0]"]
    assert rows[3][1:4] == ["1.000", "", "[0.045, 0.2]"]


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


DRAFT = [("a", "b"), ("b", "end"), ("a", "x"), ("x", "y")]


def test_flow_chart_says_what_is_reachable():
    rows = [["a", "b", "end"], ["", "x", "y"]]
    picture = figures.flow_chart(DRAFT, rows, start="x", end="end", title="Draft")
    assert picture.sentence == ("Draft: from “x” the arrows lead to “y”; “end” is not reachable.")
    repaired = figures.flow_chart([*DRAFT, ("y", "b")], rows, start="x", end="end", title="New")
    assert "“end” is reachable" in repaired.sentence
