"""What the static figures and the HTML tables share: how numbers and colours look."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from attention_lab.core.attention import AttentionSteps

__all__ = [
    "ACCENT",
    "DARK",
    "GREY",
    "HATCH",
    "LEVELS",
    "MARKS",
    "color_range",
    "colormap",
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
    "steps_that_differ",
    "weights_in_words",
]

DARK = "#08306b"
ACCENT = "#d55e00"  # vermilion: apart from blue and grey for every kind of colour vision
GREY = "#5b6b7b"
# White is 0. What is above is blue, and what is below orange: apart for every kind of colour
# vision, and equally dark in grey where the numbers are equally large.
UP = ("#ffffff", "#d3e3f3", "#8fbbdf", "#3f83c0", "#1c559b", "#08306b")
DOWN = ("#ffffff", "#fbe0c8", "#f2b27c", "#d97f31", "#a04f0c", "#5f2a03")
LEVELS = 65  # of a scale: an odd number, so that 0 has a level of its own
# what is right, wrong, or still open: (sign, background, text, edge)
MARKS = {
    "good": ("✓", "#e6f4ea", "#0b3d1c", "#1a7f37"),
    "bad": ("✗", "#fff4e5", "#5c2b00", ACCENT),
    "open": ("○", "#eef1f5", "#1f2933", GREY),
}
# a hidden cell is striped: no weight and no score looks so
STRIPES = "45deg,#ffffff,#ffffff 4px,#d9d9d9 4px,#d9d9d9 5px"
HATCH = f"repeating-linear-gradient({STRIPES}) #ffffff"
# Above this relative luminance black text has the higher contrast, below it white has.
INK_SWITCH = 0.179


def escaped(text: str) -> str:
    """Return text as HTML that says just that; a dollar sign begins no formula (MathJax)."""
    return html.escape(text).replace("$", "<span>$</span>")


def format_number(number: float) -> str:
    """Write a number with at most 3 decimals: ``4``, ``18.475``, ``−0.5``, ``1.0e+05``.

    Only an exact zero is ``0``; what is nearer to it than .0005 is ``≈0``.
    """
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number == 0:
        return "0"
    if abs(number) < 5e-4:
        return "≈0"
    if abs(number) >= 1e5:
        return f"{number:.1e}".replace("-", "−")
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def format_weight(weight: float) -> str:
    """Write a weight with 3 decimals: ``0.090``; below .0005 it is ``≈0``.

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


def weights_in_words(weights: Tensor, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Say on which key each query has most: ``q0 most on k1 (0.693), q1 most on k0 (0.754)``.

    With more than four queries the first three are named.

    Parameters
    ----------
    weights : Tensor, shape (n_q, n_k)
    rows, columns : sequence of str
        The names of the queries and of the keys.
    """
    named = len(weights) if len(weights) <= 4 else 3
    described = [
        f"{row} {_row_in_words(each, columns)}"
        for row, each in zip(rows[:named], weights[:named], strict=True)
    ]
    return ", ".join(described if named == len(weights) else [*described, "and so on"])


def _row_in_words(weights: Tensor, columns: Sequence[str]) -> str:
    seen = [(c, w) for c, w in zip(columns, weights.tolist(), strict=True) if not math.isnan(w)]
    if not seen:
        return "no number (nan)"
    largest = max(w for _, w in seen)
    best = [c for c, w in seen if w > largest - 1e-6]
    if len(best) == 1:
        return f"most on {best[0]} ({format_weight(largest)})"
    if len(best) == len(columns):
        return f"the same on all ({format_weight(largest)} each)"
    return f"most on {' and '.join(best)} ({format_weight(largest)} each)"


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


def steps_that_differ(steps: AttentionSteps) -> dict[str, Tensor]:
    """Return the steps that are worth a picture, by name: they are there and change something.

    A scale of 1 or a mask that hides nothing leaves the step before it as it was.
    """
    shown = {name: step for name, step in steps._asdict().items() if step is not None}
    for name, before in (("masked", "scaled"), ("scaled", "scores")):
        if name in shown and before in shown and torch.equal(shown[name], shown[before]):
            del shown[name]
    return shown


def limits(matrix: Tensor) -> tuple[float, float]:
    """Return the smallest and largest finite number; 0 and 1 if there is none."""
    finite = matrix[torch.isfinite(matrix)]
    if finite.numel() == 0:
        return 0.0, 1.0
    return finite.min().item(), finite.max().item()


def color_range(*matrices: Tensor, weights: bool = False) -> tuple[float, float]:
    """Return the ends of the colour scale of matrices that are compared.

    From 0 to 1 for weights; else as far below 0 as above it, so that 0 lies in the middle and is
    white.
    """
    if weights:
        return 0.0, 1.0
    largest = max((max(map(abs, limits(matrix))) for matrix in matrices), default=0.0)
    return (-largest, largest) if largest else (-1.0, 1.0)


def shades(matrix: Tensor, low: float, high: float) -> Tensor:
    """Return the levels of numbers on the colour scale from low to high, 0 to ``LEVELS - 1``.

    What is not finite lies in the middle.
    """
    # halves: high - low itself may be too large for a float
    levels = (LEVELS - 1) * (matrix.double() / 2 - low / 2) / (high / 2 - low / 2)
    levels = levels.round().clamp(0, LEVELS - 1).where(matrix.isfinite(), LEVELS // 2)
    return levels.long()


def shade(number: float, low: float, high: float) -> int:
    """Return the level of one number on the colour scale, see `shades`."""
    return int(shades(torch.tensor(number, dtype=torch.float64), low, high))


@cache
def palette(*, weights: bool) -> Sequence[tuple[str, str]]:
    """Return a pair (background, text colour) for each level, with a contrast of 4.5:1 or better.

    Parameters
    ----------
    weights : bool
        From white to dark blue; otherwise from orange over white to blue.
    """
    ends = UP if weights else (*DOWN[:0:-1], *UP)
    pairs = []
    for level in range(LEVELS):
        at = level / (LEVELS - 1) * (len(ends) - 1)
        left = min(int(at), len(ends) - 2)
        mixed = [
            (1 - at + left) * one + (at - left) * other
            for one, other in zip(_rgb(ends[left]), _rgb(ends[left + 1]), strict=True)
        ]
        color = "#" + "".join(f"{round(255 * each):02x}" for each in mixed)
        pairs.append((color, ink(_rgb(color))))
    return pairs


def _rgb(color: str) -> list[float]:
    return [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def colormap(*, weights: bool):
    """Return the colours of `palette` as a colour map for matplotlib."""
    from matplotlib.colors import ListedColormap  # a quarter of a second, for those who draw

    return ListedColormap([background for background, _ in palette(weights=weights)])


def ink(background: Sequence[float]) -> str:
    """Return black or white, whichever reads better on a background (r, g, b in 0..1).

    By relative luminance as WCAG 2.2 defines it.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in background]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > INK_SWITCH else "#ffffff"
