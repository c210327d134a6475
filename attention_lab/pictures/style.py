"""What the static figures and the HTML tables share: how numbers and colours look."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

__all__ = [
    "ACCENT",
    "COLORMAP",
    "DARK",
    "GREY",
    "color_range",
    "escaped",
    "exponent",
    "format_number",
    "format_weight",
    "ink",
    "labels",
    "limits",
    "palette",
    "shade",
    "shades",
]

DARK = "#00204d"  # the dark end of cividis
ACCENT = "#d55e00"  # vermilion: apart from blue and grey for every kind of colour vision
GREY = "#5b6b7b"
COLORMAP = "cividis"  # reads the same with and without colour vision, and in grey
# Above this relative luminance black text has the higher contrast, below it white has.
INK_SWITCH = 0.179


def escaped(text: str) -> str:
    """Return text as HTML that says just that; a dollar sign begins no formula (MathJax)."""
    return html.escape(text).replace("$", "<span>$</span>")


def format_number(number: float) -> str:
    """Write a number with at most 3 decimals: ``4``, ``18.475``, ``-0.5``, ``1.4e-08``."""
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number == 0:
        return "0"
    if abs(number) >= 1e5 or abs(number) < 5e-4:
        return f"{number:.1e}".replace("-", "−", 1 if number < 0 else 0)
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def format_weight(weight: float) -> str:
    """Write a weight with 3 decimals: ``0.090``, ``1.4e-08``.

    Only an exact zero is ``0``, and only 1 (but for rounding) is ``1.000``; what is just
    below is ``>0.999``.
    """
    if weight == 0:
        return "0"
    if 0.9995 <= weight < 1 - 1e-6:
        return ">0.999"
    if not math.isfinite(weight) or abs(weight) < 5e-4 or abs(weight) >= 1e5:
        return format_number(weight)
    return f"{weight:.3f}".replace("-", "−")


def exponent(scores: Tensor, temperature: float = 1.0) -> tuple[str, Tensor]:
    """Return what goes into the exponential of a softmax, and its name.

    Where e^score would be too large or too small to show, the largest score is subtracted
    first, as every stable softmax does.

    Parameters
    ----------
    scores : Tensor, shape (n_k,)
    temperature : float

    Returns
    -------
    name : str
        For example ``exp(score / 2)``.
    exponents : Tensor, shape (n_k,)
    """
    scaled = scores / temperature
    name = "score" if temperature == 1 else f"score / {format_number(temperature)}"
    largest = scaled.max().item()
    if abs(largest) <= 30 or not math.isfinite(largest):
        return f"exp({name})", scaled
    sign = "−" if largest > 0 else "+"
    return f"exp({name} {sign} {format_number(abs(largest))})", scaled - largest


def labels(letter: str, count: int) -> list[str]:
    """``labels("q", 2)`` is ``["q0", "q1"]``: positions count from 0, as in the code."""
    return [f"{letter}{index}" for index in range(count)]


def limits(matrix: Tensor) -> tuple[float, float]:
    """Return the smallest and largest finite number; 0 and 1 if there is none."""
    finite = matrix[torch.isfinite(matrix)]
    if finite.numel() == 0:
        return 0.0, 1.0
    return finite.min().item(), finite.max().item()


def color_range(matrix: Tensor, *, weights: bool) -> tuple[float, float]:
    """Return the ends of the colour scale: 0 and 1 for weights, else the `limits`.

    Where all numbers are equal it opens around them, so that they lie in its middle.
    """
    if weights:
        return 0.0, 1.0
    low, high = limits(matrix)
    return (low, high) if low < high else (low - 1, high + 1)


def shades(matrix: Tensor, low: float, high: float) -> Tensor:
    """Return the places of numbers on the colour scale from low to high, 0..255.

    What is not finite lies in the middle.
    """
    if high <= low:
        return torch.full(matrix.shape, 128)
    # halves: high - low itself may be too large for a float
    places = 255 * (matrix.double() / 2 - low / 2) / (high / 2 - low / 2)
    places = places.round().clamp(0, 255).where(matrix.isfinite(), 128)
    return places.long()


def shade(number: float, low: float, high: float) -> int:
    """Return the place of one number on the colour scale, see `shades`."""
    return int(shades(torch.tensor(number, dtype=torch.float64), low, high))


@cache
def palette() -> Sequence[tuple[str, str]]:
    """Return 256 pairs (background, text colour), each with a contrast of 4.5:1 or better."""
    import matplotlib as mpl  # a quarter of a second, for those who draw

    colors = mpl.colormaps[COLORMAP](range(256))[:, :3]
    return [(mpl.colors.to_hex(color), ink(color)) for color in colors]


def ink(background: Sequence[float]) -> str:
    """Return black or white, whichever reads better on a background (r, g, b in 0..1).

    By relative luminance as WCAG 2.2 defines it.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in background]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > INK_SWITCH else "#ffffff"
