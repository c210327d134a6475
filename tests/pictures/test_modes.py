"""The table of one mode, and the gallery of several."""

import math

import torch

from attention_lab.core import modes
from attention_lab.pictures.mode_gallery import mode_gallery
from attention_lab.pictures.modes import mode_table
from helpers import marked, tables

MODES = {
    "causal": modes.causal,
    "tree": modes.tree([-1, 0, 0, 1, 1, 2, 2]),
    "ALiBi": modes.causal + modes.alibi(8),
    "own": modes.Mode("nobody", lambda b, h, q_idx, kv_idx: q_idx < kv_idx - 99),
    "window": modes.causal & modes.window(3),
}


def test_the_gallery_draws_each_mask_and_says_its_pairs():
    picture = mode_gallery(MODES, head=1)
    drawn = [axes for axes in picture.figure.axes if axes.axison]
    assert [axes.get_title() for axes in drawn] == list(MODES)
    assert [axes.get_xlabel() for axes in drawn] == [
        "36 of 64",
        "17 of 49",
        "36 of 64",
        "0 of 64",
        "21 of 64",
    ]
    assert "tree: 17 of 49 pairs; ALiBi: 36 of 64 pairs" in picture.sentence
    # as many striped cells as there are hidden pairs
    assert [len(axes.patches) for axes in drawn] == [28, 32, 28, 64, 43]
    shown = torch.tensor(drawn[2].images[0].get_array().filled(math.nan))
    assert shown[7, 0] == -7 / 4  # the slope of the second head
    assert shown[0, 1].isnan()


def test_the_table_of_a_mode():
    visible, bias = (modes.causal + modes.alibi(1)).dense(3, 3, dtype=torch.float64)
    html = mode_table(visible[0], bias[0], ["a", "<long>er", "c"])
    (caption, rows), *_ = tables(html)
    assert caption == "added to the scores (3 × 3) striped: hidden"
    assert rows[0] == ["", "0\na", "1\n<long>…", "2\nc"]
    assert rows[3] == ["2 c", "−0.008", "−0.004", "0"]
    assert marked(html, "hidden") == 3
    assert "query 2 “c”, key 1 “&lt;long&gt;er”: seen, −0.004 is added: a prior of 0.996" in html
    large = mode_table(torch.eye(9) > 0, 800 * torch.eye(9), ["longer"] * 9)
    assert tables(large)[0][1][0][1] == "0\nlong…"
    assert "a prior of 1.0e+304" in large
    none = mode_table(visible[0] & False, torch.zeros(3, 3), list("abc"))
    assert marked(none, "hidden") == 9
