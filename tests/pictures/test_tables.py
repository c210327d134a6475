"""Tables, and pictures of large matrices."""

import math
import re

import pytest
import torch

from attention_lab.grading.base import Verdict
from attention_lab.labs.attention_weights.pictures import weights_table
from attention_lab.labs.weighted_sum.pictures import terms_table
from attention_lab.pictures.style import HATCH, palette
from attention_lab.pictures.tables import (
    LIVE_CSS,
    bars_table,
    list_table,
    matrix_picture,
    matrix_table,
    still,
)
from attention_lab.ui.base import message
from attention_lab.ui.matrix_editor import MatrixEditor
from helpers import color_of, pixels_of, tables

ODD = '<i>&"'


@pytest.mark.parametrize(
    "html",
    [
        matrix_table(torch.ones(1, 1), caption=ODD, formula=ODD, rows=[ODD], columns=[ODD]),
        matrix_picture(torch.ones(20, 20), caption=ODD, formula=ODD),
        bars_table(
            [ODD], torch.ones(1), caption=ODD, note=ODD, heads=(ODD, ODD), rest=(ODD, 0.5)
        ),
        list_table([("good", (ODD, f"`{ODD}`"))], caption=ODD, heads=(ODD, ODD)),
        weights_table(torch.ones(1), torch.ones(1), keys=[ODD], caption=ODD),
        terms_table(torch.ones(1), torch.ones(1, 2), keys=[ODD]),
        MatrixEditor(ODD, [[1]], rows=ODD, columns=ODD).twin_html(),
        MatrixEditor(ODD, [[1]]).head.value,
        MatrixEditor("Q", [[1]], rows=ODD, columns=ODD).grid.children[1].value,
    ],
)  # fmt: skip
def test_every_caption_and_label_is_escaped(html):
    assert "&lt;i&gt;&amp;" in html
    assert "<i>" not in html


def test_a_large_matrix_is_a_picture_with_a_pixel_for_each_cell():
    matrix = torch.linspace(-2, 3, 20 * 40, dtype=torch.float64).reshape(20, 40)
    matrix[3, 4], matrix[5, 6] = -math.inf, math.nan
    html = matrix_picture(matrix, caption="a < b", row=2)
    pixels, alternative = pixels_of(html)
    assert pixels.shape == (20, 40, 3)
    for i, j in [(0, 0), (0, 39), (7, 30), (19, 39)]:
        assert pixels[i, j].tolist() == color_of(matrix[i, j].item(), -3, 3)
    assert pixels[3, 4].tolist() == [217] * 3
    assert pixels[5, 6].tolist() == [128] * 3
    ends = "white 0, blue to 3, orange to −3, grey hidden"
    assert alternative == f"a &lt; b (20 × 40): {ends}; row 2 is outlined"
    assert f"{ends}</div>" in html


def test_a_pooled_picture_keeps_a_single_large_weight():
    weights = torch.zeros(1000, 1000, dtype=torch.float64)
    weights[501, 7] = 1
    pixels, alternative = pixels_of(matrix_picture(weights, caption="w", weights=True))
    assert pixels.shape == (250, 250, 3)
    assert pixels[125, 1].tolist() == color_of(1, 0, 1, weights=True)
    dark = torch.tensor(color_of(1, 0, 1, weights=True))
    assert (pixels.flatten(0, 1) == dark).all(dim=1).sum() == 1
    assert "a pixel is the largest of 4 × 4" in alternative


@pytest.mark.parametrize("number", [0.0, 1e30, -1e308, 1e308, -math.inf, math.nan])
def test_any_large_matrix_can_be_drawn(number):
    full = torch.full((20, 3), number, dtype=torch.float64)
    for matrix in (full, torch.cat([full, torch.zeros_like(full)])):
        assert "<img" in matrix_picture(matrix, caption="m")


@pytest.mark.parametrize("text", ["$5$ and $6$", "a $ and a $"])
def test_dollars_begin_no_formula(text):
    """MathJax joins two dollar signs only where no element stands between them."""
    for html in (
        matrix_table(torch.ones(1, 1), caption=text, rows=[text], columns=[text]),
        bars_table([text], torch.ones(1), caption=text, note=text, heads=(text, text)),
        list_table([("good", (text,))], caption=text, heads=(text,)),
        message(text),
        message(text, problem=True),
        Verdict("pass", text)._repr_mimebundle_()["text/html"],
    ):
        assert html.count("$") == html.count("<span>$</span>") > 0


def test_a_still_picture_carries_its_colours_and_says_what_hovering_would():
    live = matrix_table(
        torch.tensor([[1.0, -math.inf]]), caption="m", rows=["a"], columns=["b", "c"],
        why=lambda i, j: f"e<sup>{j}</sup> \"x\"",
    )  # fmt: skip
    assert "style=" not in live.replace('style="display:none"', "")
    assert live.count('tabindex="0"') == live.count('tabindex="-1"') == 1
    fixed = still(live)
    assert "tabindex" not in fixed
    assert "alab-why" not in fixed
    assert f'style="background:{palette(weights=False)[-1][0]};color:#ffffff"' in fixed
    assert f'style="background:{HATCH};color:#000000"' in fixed
    assert 'title="e^1 &quot;x&quot;">−∞</td>' in fixed
    assert still(fixed) == fixed


def test_what_a_still_picture_loses_without_styles_is_only_colour():
    """As GitHub shows it: bars are letters, and the numbers are there."""
    html = bars_table(["a", "b"], torch.tensor([0.25, 1.0]), caption="w", heads=("k", "w"))
    bare = re.sub(r' (style|class)="[^"]*"', "", still(html))
    assert [row[1:] for row in tables(bare)[0][1][1:]] == [["0.250", "█" * 5], ["1.000", "█" * 20]]


def test_every_class_of_a_cell_has_its_colour_in_the_live_style_sheet():
    for weights in (True, False):
        html = matrix_table(
            torch.tensor([[0.0, 0.4, 1.0, math.nan, -math.inf]]), weights=weights,
            caption="m", rows=["a"], columns=list("vwxyz"),
        )  # fmt: skip
        kinds = re.findall(r'<td class="([^"]*)"', html)
        assert len(kinds) == 5
        assert all(f"td.{kind}{{background:" in LIVE_CSS for kind in kinds)
