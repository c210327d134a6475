"""The figures: their sentences, their bytes."""

import io
import sys
from base64 import b64decode

import pytest
import torch
from matplotlib.image import imread

from attention_lab import attention, figures
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


def test_one_number_everywhere_is_drawn_in_the_middle_of_the_scale():
    axes = figures.heatmap(torch.full((2, 2), 32.0), title="W").figure.axes[0]
    low, high = axes.images[0].get_clim()
    assert low < 32 < high


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


@pytest.fixture
def steps():
    return attention(column(1, 2, 3), column(4, 5, 6), column(7, 8, 9))
