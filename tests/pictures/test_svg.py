"""Plots as SVG."""

import re
from base64 import b64decode
from itertools import pairwise

import pytest
import torch

from attention_lab.pictures.svg import curve, histogram, lines


def drawing(html):
    return b64decode(re.search(r"base64,([^\"]*)", html)[1]).decode()


def test_a_histogram_holds_all_numbers_of_its_axis_and_counts_the_others():
    sample = torch.tensor([-2.0, -1, 0, 0, 1, 2, 50, 60], dtype=torch.float64)
    html = histogram(sample, caption="scores < 3", reach=4)
    deviation = sample.std(correction=0).item()
    assert f'alt="scores &lt; 3: standard deviation {deviation:.3f}"' in html
    svg = drawing(html)
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" fill="#aab7c4"', svg)]
    assert len(heights) == 61 + 1  # and the sign in the legend
    drawn = sorted(height for height in heights[:61] if height > 0)
    assert len(drawn) == 5
    assert drawn[-1] == pytest.approx(2 * drawn[0], rel=0.02)
    assert heights[30] == drawn[-1]  # 0 is in the middle
    assert re.findall("beyond: [^<]*", svg) == ["beyond: 0.0%", "beyond: 25.0%"]
    for extreme in (torch.zeros(5), torch.full((5,), 1e6)):
        assert "<img" in histogram(extreme, caption="s", reach=1.0)


def test_the_frame_of_a_histogram_stands_still():
    def frame(factor):
        sample = factor * torch.linspace(-1, 1, 50)
        html = histogram(sample, caption="s", reach=3.0, ghost=sample / 2, ghost_name="half")
        words = [w for w in re.findall(r"<text[^>]*>[^<]*", drawing(html)) if "beyond" not in w]
        return words, re.findall(r'(?:width|height)="\d+"', html)

    assert frame(1.0) == frame(1e-3) == frame(100.0)
    assert ">half" in str(frame(1.0)[0])


def test_the_ghost_of_a_histogram_is_another_sample():
    sample = torch.tensor([0.0, 0.0, 1.0, 2.0])
    svg = drawing(histogram(sample, caption="s", reach=4, ghost=2 * sample, ghost_name="twice"))
    points = re.search(r'points="([^"]*)"', svg)[1].split()
    outline = [186 - float(point.split(",")[1]) for point in points[1:-1:2]]
    assert len(outline) == 61
    tall = [k for k, height in enumerate(outline) if height > 0]
    assert tall == [30, 45, 60]  # 0, 2 and 4 of ±4
    assert outline[30] == pytest.approx(2 * outline[45])


def test_lines_say_what_they_show():
    curves = {"all": ((1, 10, 20), (2.5, 1.0, 0.0004)), "one out <b>": ((1, 20), (3.0, 2.0))}
    drawn = lines(curves, caption="loss", x_axis="step")
    assert 'alt="loss: all ends at 0.0004; one out &lt;b&gt; ends at 2"' in drawn
    with pytest.raises(ValueError, match="5 lines are too many"):
        lines({str(k): ((0, 1), (1, 2)) for k in range(5)}, caption="x", x_axis="x")


def test_a_curve_marks_one_point_and_stands_still():
    def frame(at):
        svg = drawing(curve([4, 2, 1, 0.5], caption="loss", x_axis="step", at=at))
        mark = re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="6" fill="[^"]*"/>', svg)
        return svg.replace(mark[0], ""), (float(mark[1]), float(mark[2]))

    frames, marks = zip(*map(frame, range(4)), strict=True)
    assert len(set(frames)) == 1
    assert marks[0] == (44, 30)  # the highest point of the axis
    assert [b[0] - a[0] for a, b in pairwise(marks)] == [69] * 3
    assert marks[1][1] == 184 - 154 / 2
    assert 'alt="loss, from 4 to 0.5; at step 2: 1"' in curve(
        [4, 2, 1, 0.5], caption="loss", x_axis="step", at=2
    )
    assert "<img" in curve([0.0], caption="loss", x_axis="step", at=0)
