"""How numbers and colours look."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.pictures.style import format_number, format_weight, ink, palette, shade


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
