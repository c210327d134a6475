"""Views and figures: the numbers in them, their contrast, their sentences."""

import io
import math
import re
import sys
import xml.etree.ElementTree as ET
from base64 import b64decode

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from PIL import Image

from attention_lab import attention, figures, views
from attention_lab.pictures.style import format_number, format_weight, ink, palette, shade


def column(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)[:, None]


@pytest.fixture
def steps():
    return attention(column(1, 2, 3), column(4, 5, 6), column(7, 8, 9))


def tables(html):
    """Read back every table: caption and rows of cell texts."""
    found = []
    for text in re.findall(r"<table\b.*?</table>", html, flags=re.S):
        table = ET.fromstring(text.replace("<br>", " "))
        caption = "".join(table.find("caption").itertext())
        rows = [["".join(cell.itertext()) for cell in line] for line in table.iter("tr")]
        found.append((caption, rows))
    return found


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4.0, "4"),
        (18.4752, "18.475"),
        (-0.5, "−0.5"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.443e-8, "1.4e-08"),
        (-2e-7, "−2.0e-07"),
        (123456.0, "1.2e+05"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "nan"),
        (99999.9999, "100000"),
    ],
)
def test_numbers_are_short(number, text):
    assert format_number(number) == text


def test_a_small_weight_is_not_written_as_zero():
    assert format_weight(0.09) == "0.090"
    assert format_weight(1.443e-8) == "1.4e-08"
    assert format_weight(0.0) == "0"


def test_a_large_weight_is_not_written_as_one():
    assert format_weight(0.99968) == ">0.999"
    assert format_weight(1.0) == format_weight(0.99999994) == "1.000"


@given(st.floats())
def test_every_number_can_be_written(number):
    text = format_number(number)
    assert 0 < len(text) <= 10
    if abs(number) < 1e300:
        assert float(text.replace("−", "-")) == pytest.approx(number, rel=0.06, abs=6e-4)


def contrast(one, other):
    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_on_every_shade_has_contrast():
    assert min(contrast(*pair) for pair in palette()) >= 4.5
    assert ink((1, 1, 1)) == "#000000"
    assert ink((0, 0, 0)) == "#ffffff"


def test_shades_stay_on_the_scale():
    assert shade(0, 0, 1) == 0
    assert shade(1, 0, 1) == 255
    assert shade(7, 0, 1) == 255
    assert shade(math.nan, 0, 1) == shade(3, 3, 3) == 128
    assert shade(1e308, -1e308, 1e308) == 255


def test_steps_tables_hold_the_numbers(steps):
    (scores, scaled, masked, weights, output) = tables(views.steps_tables(steps))
    assert scores[0] == "scores (3 × 3) Q Kᵀ"
    assert scores[1][1] == ["q0", "4", "5", "6", "15"]
    assert scaled[1] == masked[1] == scores[1]
    assert weights[1][0] == ["", "k0", "k1", "k2", "sum"]
    assert weights[1][1:] == [
        ["q0", "0.090", "0.245", "0.665", "1.000"],
        ["q1", "0.016", "0.117", "0.867", "1.000"],
        ["q2", "0.002", "0.047", "0.950", "1.000"],
    ]
    assert [row[1] for row in output[1][1:]] == ["8.575", "8.851", "8.948"]


def test_hidden_cells_are_marked_and_not_only_coloured():
    causal = attention(column(1, 2), column(4, 5), column(7, 8), is_causal=True)
    masked = views.steps_tables(causal)
    assert 'class="alab-hidden"' in masked
    assert tables(masked)[2][1][1] == ["q0", "4", "−∞", "−∞"]


def test_the_chosen_cell_outlines_what_it_is_made_of(steps):
    html = views.steps_tables(steps, chosen=("output", 1, 0))
    assert html.count("alab-chosen") - views.CSS.count("alab-chosen") == 1
    related = html.count("alab-related") - views.CSS.count("alab-related")
    assert related == 3  # the three weights of row 1


def test_steps_that_a_function_did_not_return_are_left_out(steps):
    only_output = steps._replace(scores=None, scaled=None, masked=None, weights=None)
    assert [caption for caption, _ in tables(views.steps_tables(only_output))] == [
        "output (3 × 1) weights × V"
    ]


def test_labels_are_escaped(steps):
    html = views.steps_tables(steps, rows=["<b>", "&", '"'])
    assert "&lt;b&gt;" in html
    assert tables(html)[0][1][1][0] == "<b>"


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        (("scores", 0, 1), "scores[0, 1] = q0 · k1 = 1×5 = 5"),
        (("scaled", 0, 1), "scaled[0, 1] = scores[0, 1] × scale = 5 × 1 = 5"),
        (("masked", 0, 1), "masked[0, 1] = scaled[0, 1] = 5: query 0 may attend to key 1"),
        (("weights", 1, 2), "weights[1, 2] = e^12 / (e^8 + e^10 + e^12) = 0.867"),
        (("output", 0, 0), "output[0, 0] = 0.090×7 + 0.245×8 + 0.665×9 = 8.575"),
    ],
)
def test_a_cell_is_explained_in_one_line(steps, cell, line):
    inputs = column(1, 2, 3), column(4, 5, 6), column(7, 8, 9)
    assert views.explain(*inputs, steps, cell) == line


def test_explanations_of_masks_and_signs():
    query, key, value = column(0, -2), column(4, 5), column(-7, 8)
    mask = torch.tensor([[False, False], [True, False]])
    steps = attention(query, key, value, attn_mask=mask)

    def explain(*cell):
        return views.explain(query, key, value, steps, cell)

    assert explain("masked", 1, 1) == "masked[1, 1] = −∞: query 1 may not attend to key 1"
    assert explain("weights", 1, 1) == "weights[1, 1] = 0: e^−∞ is exactly 0, key 1 is hidden"
    assert explain("weights", 0, 0) == "weights[0, 0] = 0: every key of query 0 is hidden"
    assert explain("scaled", 0, 0) == "scaled[0, 0] = scores[0, 0] × scale = 0"
    assert explain("output", 1, 0) == "output[1, 0] = 1.000×(−7) + 0×8 = −7"
    with pytest.raises(ValueError, match=r"output\[1, 3\] does not exist: output has 2 rows and 1"):
        explain("output", 1, 3)
    with pytest.raises(ValueError, match="no step"):
        explain("values", 0, 0)


def test_an_added_mask_is_explained():
    query = key = value = column(1, 2)
    bias = torch.tensor([[0.0, 1.5], [0.0, 0.0]], dtype=torch.float64)
    steps = attention(query, key, value, attn_mask=bias)
    line = views.explain(query, key, value, steps, ("masked", 0, 1))
    assert line == "masked[0, 1] = scaled[0, 1] + mask = 3.5"


def test_weights_table_holds_each_step():
    scores = torch.tensor([1.0, 2.0, 3.0])
    ((_, rows),) = tables(views.weights_table(scores, scores.softmax(-1), keys=["a", "b", "c"]))
    assert rows[0] == ["key", "score", "exp(score)", "weight", "0 … 1"]
    assert rows[1] == ["a", "1", "2.718", "0.090", ""]
    assert rows[4][:4] == ["sum", "6", "30.193", "1.000"]


def test_large_scores_are_shown_in_the_stable_form():
    scores = torch.tensor([1000.0, 1001.0])
    ((_, rows),) = tables(views.weights_table(scores, scores.softmax(-1), keys=["a", "b"]))
    assert rows[0][2] == "exp(score − 1001)"
    assert rows[1][1:4] == ["1000", "0.368", "0.269"]
    ((_, rows),) = tables(views.weights_table(-scores, (-scores).softmax(-1), keys=["a", "b"]))
    assert rows[0][2] == "exp(score + 1000)"
    assert rows[2][1:4] == ["−1001", "0.368", "0.269"]
    assert figures.weight_bars(scores, scores.softmax(-1)).png()


def test_terms_table_adds_up():
    weights, values = torch.tensor([0.9, 0.1]), torch.tensor([[0.05, 0.0], [0.0, 2.0]])
    ((_, rows),) = tables(views.terms_table(weights, values, keys=["v0", "v1"]))
    assert rows[1][1:4] == ["0.900", "[0.05, 0]", "[0.045, 0]"]
    assert rows[3][1:4] == ["1.000", "", "[0.045, 0.2]"]


def svg_of(html):
    data = re.search(r"base64,([^\"]+)", html)[1]
    return ET.fromstring(b64decode(data))


def pixels_of(html):
    """Read the picture back from the HTML: (rows, columns, 3), and its alternative text."""
    alternative, data = re.search(r'alt="([^"]*)".*?base64,([^"]*)"', html, re.S).groups()
    image = Image.open(io.BytesIO(b64decode(data)))
    return torch.tensor(np.array(image)).long(), alternative


def color_of(number, low, high):
    text = palette()[shade(number, low, high)][0]
    return [int(text[i : i + 2], 16) for i in (1, 3, 5)]


def test_a_large_matrix_is_a_picture_with_a_pixel_for_each_cell():
    matrix = torch.linspace(-2, 3, 20 * 40, dtype=torch.float64).reshape(20, 40)
    matrix[3, 4], matrix[5, 6] = -math.inf, math.nan
    html = views.matrix_picture(matrix, caption="a < b", row=2)
    pixels, alternative = pixels_of(html)
    assert pixels.shape == (20, 40, 3)
    for i, j in [(0, 0), (0, 39), (7, 30), (19, 39)]:
        assert pixels[i, j].tolist() == color_of(matrix[i, j].item(), -2, 3)
    assert pixels[3, 4].tolist() == [255] * 3
    assert pixels[5, 6].tolist() == [128] * 3
    assert alternative == "a &lt; b (20 × 40): dark −2, light 3, white hidden; row 2 is outlined"
    assert "dark −2, light 3, white hidden</div>" in html


def test_a_pooled_picture_keeps_a_single_large_weight():
    weights = torch.zeros(1000, 1000, dtype=torch.float64)
    weights[501, 7] = 1
    pixels, alternative = pixels_of(views.matrix_picture(weights, caption="w", weights=True))
    assert pixels.shape == (250, 250, 3)
    assert pixels[125, 1].tolist() == color_of(1, 0, 1)
    assert (pixels.flatten(0, 1) == torch.tensor(color_of(1, 0, 1))).all(dim=1).sum() == 1
    assert "a pixel is the largest of 4 × 4" in alternative


@pytest.mark.parametrize("number", [0.0, 1e30, -1e308, 1e308, -math.inf, math.nan])
def test_any_large_matrix_can_be_drawn(number):
    full = torch.full((20, 3), number, dtype=torch.float64)
    for matrix in (full, torch.cat([full, torch.zeros_like(full)])):
        assert "<img" in views.matrix_picture(matrix, caption="m")


@pytest.mark.parametrize(
    ("n_q", "n_k", "is_table"), [(16, 16, True), (17, 4, False), (4, 17, False)]
)
def test_past_16_tokens_the_steps_are_pictures_and_the_largest_weights(n_q, n_k, is_table):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(n, 2, generator=generator) for n in (n_q, n_k, n_k))
    steps = attention(query, key, value, is_causal=n_q == n_k)
    html = views.steps_tables(steps, chosen=("weights", 2, 1))
    assert ("<img" not in html) == is_table
    if is_table:
        return
    assert "weights (" in html
    (caption, rows), *_ = [t for t in tables(html) if "largest weights" in t[0]]
    count = min(8, n_k)
    assert caption == f"query 2: its {count} largest weights"
    values, indices = steps.weights[2].topk(count)
    assert [row[0] for row in rows[1:-1]] == [f"k{i}" for i in indices.tolist()]
    assert [float(row[1]) for row in rows[1:-1]] == pytest.approx(values.tolist(), abs=6e-4)
    rest = 1 - values.sum().item()
    assert rows[-1][0] == f"other {n_k - count}"
    assert float(rows[-1][1].replace("−", "-")) == pytest.approx(rest, abs=6e-4)


def test_a_long_sum_is_explained_by_its_first_terms():
    query, key, value = torch.ones(1, 20), torch.ones(9, 20), torch.ones(9, 1)
    steps = attention(query, key, value, scale=1.0)
    said = [views.explain(query, key, value, steps, (step, 0, 0)) for step in ("scores", "weights")]
    assert said == [
        "scores[0, 0] = q0 · k0 = 1×1 + 1×1 + 1×1 + … (20 terms) = 20",
        "weights[0, 0] = e^20 / (e^20 + e^20 + e^20 + … (9 terms)) = 0.111",
    ]


@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_plane_is_drawn_inside_its_frame(points, random):
    values = torch.tensor(points, dtype=torch.float64)
    weights = torch.tensor([random.uniform(-3, 3) for _ in points], dtype=torch.float64)
    picture = svg_of(views.plane(weights, values, keys=[f"v{i}" for i in range(len(points))]))
    for circle in picture.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(circle.get("cx")) <= 360
        assert 0 <= float(circle.get("cy")) <= 300


def test_pictures_have_an_alternative_text():
    weights, values = torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 0.0], [2.0, 4.0]])
    html = views.plane(weights, values, keys=["v0", "v1"])
    assert 'alt="2 values in the plane; the output lies at [1, 2]"' in html
    keys = torch.arange(2.0)
    html = views.curve(keys, keys, weights, keys, keys, 0.5)
    assert 'alt="query 0.5 gets the output 0.5"' in html


def test_curve_of_constant_values_is_drawn():
    keys, ones = torch.arange(3.0), torch.ones(3)
    assert svg_of(views.curve(keys, ones, ones / 3, keys, ones, 1.0)) is not None


def test_convex_hull():
    square = torch.tensor([[0.0, 0], [2, 0], [2, 2], [0, 2], [1, 1]])
    assert sorted(views.convex_hull(square)) == [0, 1, 2, 3]
    assert sorted(views.convex_hull(square[:2])) == [0, 1]
    on_a_line = torch.tensor([[0.0, 0], [1, 1], [2, 2]])
    assert sorted(views.convex_hull(on_a_line)) == [0, 2]


# --- figures --------------------------------------------------------------------------------


def test_sentences_say_what_the_figures_show(steps):
    assert figures.heatmap(steps.weights, title="Weights", weights=True).sentence == (
        "Weights, 3 × 3: q0 most on k2 (0.665), q1 most on k2 (0.867), q2 most on k2 (0.950)."
    )
    assert figures.heatmap(steps.scores, title="Scores").sentence == "Scores, 3 × 3: from 4 to 18."
    assert figures.weight_bars(steps.scaled[0], steps.weights[0]).sentence == (
        "Weights of one query: k0 0.090, k1 0.245, k2 0.665; they sum to 1.000."
    )
    assert figures.steps(steps).sentence.endswith("output [[8.575], [8.851], [8.948]].")


def test_ties_are_named_as_ties():
    weights = torch.tensor([[0.5, 0.0, 0.5], [1 / 3, 1 / 3, 1 / 3]])
    assert figures.heatmap(weights, title="W", weights=True).sentence == (
        "W, 2 × 3: q0 most on k0 and k2 (0.500 each), q1 the same on all (0.333 each)."
    )


def test_one_number_everywhere_is_drawn_in_the_middle_of_the_scale():
    axes = figures.heatmap(torch.full((2, 2), 32.0), title="W").figure.axes[0]
    low, high = axes.images[0].get_clim()
    assert low < 32 < high


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


def test_png_is_the_same_each_time_and_opaque(steps):
    picture = figures.steps(steps)
    assert picture.png() == figures.steps(steps).png()
    pixels = imread(io.BytesIO(picture.png()))
    assert pixels.shape[2] == 3 or (pixels[..., 3] == 1).all()


def test_hidden_cells_can_be_drawn():
    causal = attention(column(1, 2), column(4, 5), column(7, 8), is_causal=True)
    assert figures.steps(causal).png()


def test_curves_and_histograms_say_what_they_show():
    picture = figures.curves(
        (1, 4, 16),
        {"a": [0.1, 0.2, 0.9], "b": [0.5, 0.5, 0.25]},
        title="Two lines",
        x_axis="d_k",
        y_axis="weight",
        log=True,
    )
    assert picture.sentence == (
        "Two lines, from d_k 1 to 16: a goes from 0.1 to 0.9; b goes from 0.5 to 0.25."
    )
    assert [text.get_text() for text in picture.figure.axes[0].get_xticklabels()] == [
        "1",
        "4",
        "16",
    ]
    sample = torch.tensor([-1.0, 1.0, -1.0, 1.0])
    picture = figures.histograms({"s": sample, "t": 2 * sample}, title="Spread", x_axis="score")
    assert picture.sentence == "Spread; standard deviations: 1.155 (s), 2.309 (t)."
    left, right = picture.figure.axes
    assert left.get_xlim() == right.get_xlim()
    for drawn in (left, right):
        assert len(drawn.lines) == 1


def test_a_histogram_holds_all_numbers():
    sample = torch.tensor([-2.0, -1, 0, 0, 1, 2], dtype=torch.float64)
    html = views.histogram(sample, caption="scores < 3", deviation=1.0)
    assert "scores &lt; 3: spread around 0, standard deviation 1" in html
    svg = b64decode(re.search(r"base64,([^\"]*)", html)[1]).decode()
    bars = re.findall(r'height="([\d.]+)" fill="#aab7c4"', svg)
    assert len(bars) == 31
    heights = sorted(float(height) for height in bars if float(height) > 0)
    assert len(heights) == 5
    assert heights[-1] == pytest.approx(2 * heights[0], rel=0.02)
    for extreme in (torch.zeros(5), torch.full((5,), 1e6)):
        assert "<img" in views.histogram(extreme.double(), caption="s", deviation=1.0)


def test_figures_do_not_pile_up_in_pyplot(steps):
    figures.steps(steps).png()
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


DRAFT = [("a", "b"), ("b", "end"), ("a", "x"), ("x", "y")]


def test_reachable():
    assert figures.reachable(DRAFT, "x") == {"x", "y"}
    assert figures.reachable(DRAFT, "a") == {"a", "b", "end", "x", "y"}
    assert figures.reachable([("a", "b"), ("b", "a")], "a") == {"a", "b"}


def test_flow_chart_says_what_is_reachable():
    rows = [["a", "b", "end"], ["", "x", "y"]]
    picture = figures.flow_chart(DRAFT, rows, start="x", end="end", title="Draft")
    assert picture.sentence == ("Draft: from “x” the arrows lead to “y”; “end” is not reachable.")
    repaired = figures.flow_chart([*DRAFT, ("y", "b")], rows, start="x", end="end", title="New")
    assert "“end” is reachable" in repaired.sentence


def test_a_picture_is_displayed_with_its_alternative_text(steps, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kw: shown.append((args, kw)))
    picture = figures.steps(steps)
    picture._ipython_display_()
    (((bundle,), options),) = shown
    assert b64decode(bundle["image/png"]) == picture.png()
    details = options["metadata"]["image/png"]
    assert details["alt"] == picture.sentence
    assert details["width"] > details["height"] > 0
    assert capsys.readouterr().out == picture.sentence + "\n"


@pytest.mark.parametrize(
    ("n_heads", "n_k", "down", "across"),
    [(1, 5, 1, 1), (3, 6, 1, 3), (4, 7, 2, 2), (8, 3, 2, 4), (5, 20, 3, 2)],
)
def test_many_heads_stand_in_rows(n_heads, n_k, down, across):
    figure = figures.heads(torch.rand(n_heads, 4, n_k).softmax(-1), title="maps").figure
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == [f"head {h}" for h in range(n_heads)]
    grid = panels[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (down, across)
    assert figure.get_size_inches()[0] < 15


def test_lines_and_parts_say_what_they_show():
    curves = {"all": ((1, 10, 20), (2.5, 1.0, 0.0004)), "one out <b>": ((1, 20), (3.0, 2.0))}
    drawn = views.lines(curves, caption="loss", x_axis="step")
    assert 'alt="loss: all ends at 4.0e-04; one out &lt;b&gt; ends at 2"' in drawn
    with pytest.raises(ValueError, match="5 lines are too many"):
        views.lines({str(k): ((0, 1), (1, 2)) for k in range(5)}, caption="x", x_axis="x")
    for without, says in (
        ((), "with all parts"),
        (("feed_forward", "causal"), "without feed forward, causal"),
    ):
        drawn = views.block_diagram(without)
        assert f'alt="encoder and decoder layer, {says}"' in drawn
        svg = b64decode(re.search('base64,([^"]+)', drawn)[1]).decode()
        ET.fromstring(svg)
        texts = re.findall(">([^<]+)</text>", svg)
        assert texts.count("feed-forward: out") == (2 if without else 0)
        assert ("self-attention, no mask" in texts) == bool(without)
        assert texts.count("+") == (3 if without else 5)
