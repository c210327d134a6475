"""Plots as SVG."""

import re
from base64 import b64decode

import pytest
import torch

from attention_lab.pictures.svg import histogram, lines


def test_a_histogram_holds_all_numbers():
    sample = torch.tensor([-2.0, -1, 0, 0, 1, 2], dtype=torch.float64)
    html = histogram(sample, caption="scores < 3", deviation=1.0)
    assert "scores &lt; 3: spread around 0, standard deviation 1" in html
    svg = b64decode(re.search(r"base64,([^\"]*)", html)[1]).decode()
    bars = re.findall(r'height="([\d.]+)" fill="#aab7c4"', svg)
    assert len(bars) == 31
    heights = sorted(float(height) for height in bars if float(height) > 0)
    assert len(heights) == 5
    assert heights[-1] == pytest.approx(2 * heights[0], rel=0.02)
    for extreme in (torch.zeros(5), torch.full((5,), 1e6)):
        assert "<img" in histogram(extreme.double(), caption="s", deviation=1.0)


def test_lines_say_what_they_show():
    curves = {"all": ((1, 10, 20), (2.5, 1.0, 0.0004)), "one out <b>": ((1, 20), (3.0, 2.0))}
    drawn = lines(curves, caption="loss", x_axis="step")
    assert 'alt="loss: all ends at 0.0004; one out &lt;b&gt; ends at 2"' in drawn
    with pytest.raises(ValueError, match="5 lines are too many"):
        lines({str(k): ((0, 1), (1, 2)) for k in range(5)}, caption="x", x_axis="x")
