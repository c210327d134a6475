"""How numbers and colours look."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.pictures.style import (
    LEVELS,
    color_range,
    format_number,
    format_weight,
    ink,
    palette,
    shade,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4.0, "4"),
        (18.4752, "18.475"),
        (-0.5, "−0.5"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.443e-8, "≈0"),
        (-2e-7, "≈0"),
        (0.0005, "0.001"),
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
    assert format_weight(1.443e-8) == format_weight(0.00049) == "≈0"
    assert format_weight(0.0) == "0"


def test_a_large_weight_is_not_written_as_one():
    assert format_weight(0.99968) == ">0.999"
    assert format_weight(1.0) == format_weight(0.99999994) == "1.000"


@given(st.floats())
def test_every_number_can_be_written(number):
    text = format_number(number)
    assert 0 < len(text) <= 10
    if text == "≈0":
        assert 0 < abs(number) < 5e-4
    elif abs(number) < 1e300:
        assert float(text.replace("−", "-")) == pytest.approx(number, rel=0.06, abs=6e-4)


def contrast(one, other):
    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("weights", [True, False])
def test_text_on_every_shade_has_contrast(weights):
    assert min(contrast(*pair) for pair in palette(weights=weights)) >= 4.5
    assert ink((1, 1, 1)) == "#000000"
    assert ink((0, 0, 0)) == "#ffffff"


def darkness(color):
    return contrast(color, "#ffffff")


def test_white_is_zero_and_dark_is_far_from_it():
    weights, signed = ([b for b, _ in palette(weights=w)] for w in (True, False))
    assert weights[0] == signed[LEVELS // 2] == "#ffffff"
    rising = [darkness(color) for color in weights]
    assert rising == sorted(rising)
    up = [darkness(color) for color in signed[LEVELS // 2 :]]
    down = [darkness(color) for color in signed[LEVELS // 2 :: -1]]
    assert up == sorted(up)
    assert down == sorted(down)
    # where two numbers are equally large, no side is much darker than the other
    assert max(abs(math.log(u / d)) for u, d in zip(up, down, strict=True)) < 0.35


def test_levels_stay_on_the_scale():
    assert shade(0, 0, 1) == 0
    assert shade(1, 0, 1) == shade(7, 0, 1) == LEVELS - 1
    assert shade(math.nan, 0, 1) == shade(0, -3, 3) == LEVELS // 2
    assert shade(1e308, -1e308, 1e308) == LEVELS - 1


def test_tables_that_are_compared_share_one_scale_around_zero():
    one, other = torch.tensor([[1.0, -4.0]]), torch.tensor([[2.0, -math.inf]])
    assert color_range(one, other) == (-4, 4)
    assert color_range(one * 0) == (-1, 1)
    assert color_range(one, weights=True) == (0, 1)
