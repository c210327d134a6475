"""From scores to weights, and kernel regression."""

import torch

from attention_lab import figures
from attention_lab.core.scores import gaussian
from attention_lab.labs.attention_weights import figures as lab_figures
from attention_lab.labs.attention_weights.pictures import kernel_regression, weights_table
from helpers import svg_of, tables, whys


def test_weights_table_holds_each_step():
    scores = torch.tensor([1.0, 2.0, 3.0])
    ((_, rows),) = tables(weights_table(scores, scores.softmax(-1), keys=["a", "b", "c"]))
    assert rows[0] == ["key", "score", "exp(score)", "weight", "0 … 1"]
    assert rows[1] == ["a", "1", "2.718", "0.090", "█▊"]
    assert rows[4][:4] == ["sum", "", "30.193", "1.000"]


def test_large_scores_are_shown_in_the_stable_form():
    scores = torch.tensor([1000.0, 1001.0])
    ((_, rows),) = tables(weights_table(scores, scores.softmax(-1), keys=["a", "b"]))
    assert rows[0][2] == "exp(score − 1001)"
    assert rows[1][1:4] == ["1000", "0.368", "0.269"]
    ((_, rows),) = tables(weights_table(-scores, (-scores).softmax(-1), keys=["a", "b"]))
    assert rows[0][2] == "exp(score + 1000)"
    assert rows[2][1:4] == ["−1001", "0.368", "0.269"]
    assert figures.weight_bars(scores, scores.softmax(-1)).png()


def test_each_number_says_how_it_was_made():
    scores = torch.tensor([1.0, 2.0])
    said = whys(weights_table(scores, (scores / 0.5).softmax(-1), keys=["a", "b"], temperature=0.5))
    assert said == [
        "e^2 = 7.389", "e^2 / (e^2 + e^4) = 7.389 / 61.987 = 0.119",
        "e^4 = 54.598", "e^4 / (e^2 + e^4) = 54.598 / 61.987 = 0.881",
    ]  # fmt: skip
    html = weights_table(scores, scores.softmax(-1), keys=["a", "b"], made=["1 × 1", "2 × 1"])
    assert whys(html)[0::3] == ["1 × 1", "2 × 1"]
    assert html.count('tabindex="0"') == 1


def test_the_axes_of_kernel_regression_stand_still_while_query_and_bandwidth_move():
    keys = torch.arange(5.0, dtype=torch.float64)
    grid = torch.linspace(-0.5, 4.5, 101, dtype=torch.float64)
    drawn = set()
    for query in (-0.5, 2.0, 4.5):
        for bandwidth in (0.1, 1.0, 10.0):

            def weights_at(at, bandwidth=bandwidth):
                return gaussian(at[:, None], keys[:, None], bandwidth).softmax(dim=-1)

            estimate = weights_at(grid) @ keys**2
            weights = weights_at(torch.tensor([query], dtype=torch.float64))[0]
            picture = svg_of(kernel_regression(keys, keys**2, weights, grid, estimate, query))
            texts = picture.iter("{http://www.w3.org/2000/svg}text")
            drawn.add(tuple((text.get("x"), text.get("y"), text.text) for text in texts))
    assert len(drawn) == 1


def test_curve_of_constant_values_is_drawn():
    keys, ones = torch.arange(3.0), torch.ones(3)
    assert svg_of(kernel_regression(keys, ones, ones / 3, keys, ones, 1.0)) is not None


def test_the_figure_of_kernel_regression_says_what_it_shows():
    keys, weights = torch.arange(3.0), torch.tensor([0.2, 0.5, 0.3])
    picture = lab_figures.kernel_regression(keys, keys**2, weights, keys, keys, query=1.0)
    assert picture.sentence == (
        "The query 1 weighs the keys 0, 1, 2 with 0.200, 0.500, 0.300; the output is 1.7."
    )
    assert picture.png() == picture.png()
