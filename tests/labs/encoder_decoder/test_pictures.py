"""The diagram of the two layers, and pictures that grow without moving."""

import re
import xml.etree.ElementTree as ET
from base64 import b64decode

import torch

from attention_lab.labs.encoder_decoder.pictures import (
    block_diagram,
    curves,
    growing_table,
    to_come,
)
from helpers import marked, tables, whys


def test_the_diagram_says_which_parts_are_out():
    for without, says in (
        ((), "with all parts"),
        (("feed_forward", "causal"), "without feed forward, causal"),
    ):
        drawn = block_diagram(without)
        assert f'alt="encoder and decoder layer, {says}"' in drawn
        svg = b64decode(re.search('base64,([^"]+)', drawn)[1]).decode()
        ET.fromstring(svg)
        texts = re.findall(">([^<]+)</text>", svg)
        assert texts.count("feed-forward: out") == (2 if without else 0)
        assert ("self-attention, no mask" in texts) == bool(without)
        assert texts.count("+") == (3 if without else 5)


def test_a_table_has_all_rows_from_the_start():
    weights = torch.tensor([[1.0, 0, 0], [0.25, 0.75, 0], [1e-5, 0.4, 0.59999]])
    names = ["a", "b", "c"]
    options = {"caption": "self", "rows": names, "columns": names, "is_causal": True}
    for known in (1, 2, 3):
        html = growing_table(weights, known=known, marked=known - 1, **options)
        caption, rows = tables(html)[0]
        assert caption == "self (3 × 3)"
        assert [len(row) for row in rows] == [4, 4, 4, 4]
        assert [bool(row[1].strip()) for row in rows[1:]] == [k < known for k in range(3)]
        assert marked(html, "related") == known  # a class of its cells, not their width
        assert "min-width:alab" not in html
        assert whys(html)[0] == "a → a: weight 1.000"
        assert html.count("alab-hidden") == {1: 2, 2: 3, 3: 3}[known]
    assert rows[3] == ["c", "≈0", "0.400", "0.600"]
    assert to_come("noirs") == "·····"


def test_curves_keep_their_axes():
    def said(y):
        drawn = curves({"x": ((0, 1, 2), y)}, caption="loss", x_axis="step", highest=3.0)
        svg = b64decode(re.search('base64,([^"]+)', drawn)[1]).decode()
        ys = [float(point.split(",")[1]) for point in re.search('points="([^"]+)', svg)[1].split()]
        return re.findall(">([^<]+)</text>", svg), ys

    low, ys = said((1.5, 0.5, 0.0))
    high, tall = said((9.0, 3.0, 0.0))
    assert low == high
    assert ys[2] == tall[2] > ys[1] > ys[0]
    assert tall[0] == tall[1] == 58  # what is too high is drawn at the upper edge
