"""The figures: their sentences, their bytes."""

import io
import itertools
import math
import sys
from base64 import b64decode

import matplotlib as mpl
import pytest
import torch
from matplotlib.image import imread

from attention_lab import attention, figures
from attention_lab.labs.attention_weights.figures import kernel_regression
from attention_lab.labs.weighted_sum.figures import flow_chart, plane
from helpers import column


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


@pytest.mark.parametrize("number", [32.0, -3.0, 0.0])
def test_zero_lies_in_the_middle_of_the_scale(number):
    axes = figures.heatmap(torch.full((2, 2), number), title="W").figure.axes[0]
    low, high = axes.images[0].get_clim()
    assert low == -high
    assert high == (abs(number) or 1)


def test_steps_leave_out_what_changes_nothing_and_share_a_scale():
    inputs = column(1, 2), column(4, 5), column(7, 8)

    def panels(**options):
        axes = figures.steps(attention(*inputs, **options)).figure.axes
        return {a.get_title(): a.images[0].get_clim() for a in axes if a.images}

    assert list(panels()) == ["scores", "weights", "output"]
    shown = panels(scale=0.5, is_causal=True)
    assert list(shown) == ["scores", "scaled", "masked", "weights", "output"]
    assert shown["scores"] == shown["scaled"] == shown["masked"] == (-10, 10)


def test_steps_stay_narrow_enough_to_read():
    for n in (3, 6, 9):
        steps = attention(*(torch.randn(n, 4) for _ in range(3)), is_causal=True)
        figure = figures.steps(steps).figure
        assert figure.get_figwidth() <= 8.5
        texts = [text for axes in figure.axes for text in axes.texts]
        assert min(text.get_fontsize() for text in texts) >= 11


def test_png_is_the_same_each_time_and_opaque(steps):
    picture = figures.steps(steps)
    assert picture.png() == figures.steps(steps).png()
    pixels = imread(io.BytesIO(picture.png()))
    assert pixels.shape[2] == 3 or (pixels[..., 3] == 1).all()


def test_hidden_cells_can_be_drawn():
    causal = attention(column(1, 2), column(4, 5), column(7, 8), is_causal=True)
    assert figures.steps(causal).png()


def test_curves_and_histograms_say_what_they_show():
    picture = figures.lines(
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


def test_figures_do_not_pile_up_in_pyplot(steps):
    figures.steps(steps).png()
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


def test_a_picture_is_displayed_with_its_alternative_text(steps, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kw: shown.append((args, kw)))
    picture = figures.steps(steps)
    picture._ipython_display_()
    (((bundle,), options), ((sentence,), _)) = shown
    assert b64decode(bundle["image/png"]) == picture.png()
    details = options["metadata"]["image/png"]
    assert details["alt"] == picture.sentence
    assert details["width"] > details["height"] > 0
    assert sentence["text/plain"] == picture.sentence
    assert picture.sentence in sentence["text/html"]  # which wraps between words
    assert not capsys.readouterr().out


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


@pytest.fixture
def steps():
    return attention(column(1, 2, 3), column(4, 5, 6), column(7, 8, 9))


# --- other people's styles, numbers and labels -----------------------------------------------

COLUMN = torch.tensor([[1.0], [2.0], [3.0]])
FIGURES = {
    "heatmap": lambda wrap=lambda x: x, **labels: figures.heatmap(
        wrap(torch.arange(6.0).reshape(2, 3)), title="M", **labels
    ),
    "flow": lambda wrap=lambda x: x, **labels: figures.flow(
        wrap(torch.eye(2)), ["a", "b"], ["c", "d"], title="W"
    ),
    "heads": lambda wrap=lambda x: x, **labels: figures.heads(
        wrap(torch.ones(2, 2, 3)), title="H", **labels
    ),
    "steps": lambda wrap=lambda x: x: figures.steps(
        attention(COLUMN, COLUMN, COLUMN)._make(map(wrap, attention(COLUMN, COLUMN, COLUMN)))
    ),
    "weight_bars": lambda wrap=lambda x: x: figures.weight_bars(
        wrap(torch.tensor([1.0, 2.0])), wrap(torch.tensor([0.0, 1.0]))
    ),
    "lines": lambda wrap=lambda x: x: figures.lines(
        wrap(torch.tensor([1.0, 2.0])), {"a": wrap(torch.tensor([3.0, 1.0]))},
        title="L", x_axis="x", y_axis="y",
    ),
    "histograms": lambda wrap=lambda x: x: figures.histograms(
        {"a": wrap(torch.tensor([-1.0, 1.0, 2.0]))}, title="S", x_axis="x"
    ),
    "kernel_regression": lambda wrap=lambda x: x: kernel_regression(
        *map(wrap, (torch.arange(2.0), torch.arange(2.0), torch.ones(2),
                    torch.arange(2.0), torch.arange(2.0))), query=1.0
    ),
    "plane": lambda wrap=lambda x: x: plane(
        wrap(torch.ones(3)), wrap(torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]))
    ),
    "flow_chart": lambda wrap=None: flow_chart(
        [("a", "b")], [["a", "b"]], start="a", end="b", title="F"
    ),
}  # fmt: skip
every_figure = pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)


def test_every_figure_is_tried():
    drawn = set(figures.__all__) - {"Picture"} | {"kernel_regression", "plane", "flow_chart"}
    assert set(FIGURES) == drawn


@every_figure
def test_the_users_style_changes_nothing_and_the_bytes_are_the_same_on_every_call(draw):
    picture = draw()
    plain = picture.png()
    assert picture.png() == plain
    own = {"image.origin": "lower", "axes.grid": True, "font.size": 20, "text.color": "red"}
    with mpl.style.context(["dark_background", own]):
        styled = draw()
    assert styled.png() == plain


@every_figure
@pytest.mark.parametrize(
    "wrap",
    [
        lambda x: x.clone().requires_grad_(),
        lambda x: x.to(torch.bfloat16),
        lambda x: x.to(torch.int64),
        lambda x: x.numpy(),
        lambda x: x.tolist(),
    ],
    ids=["gradient", "bfloat16", "integers", "numpy", "list"],
)
def test_a_figure_takes_what_a_learner_has(draw, wrap):
    said, plain = draw(wrap).sentence, draw().sentence
    assert said == plain or draw is FIGURES["steps"]  # whose weights are no integers


ODD_LABELS = ["$5$", "$\\frac{$", "a_b", "x < y", "a" * 60, "two\nlines", "", 7, 3.5, None]


@pytest.mark.parametrize("label", ODD_LABELS, ids=repr)
def test_any_label_is_shown_as_it_is(label):
    matrix = torch.eye(2)
    for picture in (
        figures.heatmap(matrix, title=str(label), rows=[label, "b"], columns=[label, "b"]),
        figures.heads(matrix[None], title=str(label), names=[label], rows=[label, "b"]),
        figures.weight_bars(matrix[0], matrix[0], keys=[label, "b"]),
        figures.lines([1, 2], {label: [1, 2]}, title="t", x_axis=str(label), y_axis="y"),
        plane(matrix[0], matrix, keys=[label, "b"]),
    ):
        assert picture.png()
        assert picture.missing == set()
    drawn = figures.heatmap(matrix, title="t", columns=[label, "b"]).figure.axes[0]
    shown = drawn.get_xticklabels()[0].get_text()
    assert shown == str(label)[:31] + "…" if len(str(label)) > 32 else shown == str(label)


def test_long_labels_do_not_meet():
    picture = figures.heatmap(torch.eye(3), title="t", columns=["a long word here"] * 3)
    picture.png()
    boxes = [each.get_window_extent() for each in picture.figure.axes[0].get_xticklabels()]
    for left, right in itertools.pairwise(boxes):
        assert left.x0 + left.height < right.x1  # turned: each begins behind the one before
    assert picture.figure.axes[0].get_xticklabels()[0].get_rotation() == 60


def test_a_missing_font_is_named_once(monkeypatch, capsys):
    monkeypatch.setattr("IPython.display.display", lambda *args, **kw: None)
    for _ in range(2):
        picture = figures.heatmap(torch.eye(2), title="t", rows=["\U0001f9ff", "\u3402"])
        picture._ipython_display_()
        picture.missing.add("\U0001f9ff")
    said = capsys.readouterr().out
    assert said.count("No font here has") == (1 if picture.missing - {"\U0001f9ff"} else 0)


def test_too_few_labels_are_named():
    for draw in (
        lambda: figures.heatmap(torch.eye(3), title="t", rows=["a"]),
        lambda: figures.heatmap(torch.eye(3), title="t", columns=list("abcd")),
        lambda: figures.heads(torch.ones(2, 3, 3), title="t", names=["a"]),
        lambda: figures.weight_bars(torch.ones(3), torch.ones(3), keys=[]),
        lambda: plane(torch.ones(3), torch.ones(3, 2), keys=["a"]),
    ):
        with pytest.raises(ValueError, match=r"there are \d labels for \d [rchkv]"):
            draw()


def test_what_is_no_number_is_not_called_a_weight():
    nan = math.nan
    weights = torch.tensor([[nan, nan], [nan, 0.5], [0.5, 0.5]])
    assert figures.heatmap(weights, title="W", weights=True).sentence == (
        "W, 3 × 2: q0 no number (nan), q1 most on k1 (0.500), q2 the same on all (0.500 each)."
    )
