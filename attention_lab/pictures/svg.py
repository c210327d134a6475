"""Plots and diagrams as SVG in an ``<img>``: tensors in, a string out.

An ``<img>``, not an inline ``<svg>``: it survives the sanitiser of an untrusted notebook.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.pictures.style import ACCENT, DARK, GREY, format_number

__all__ = ["Axes", "curve", "histogram", "image", "lines", "text"]

BINS = 61  # of a histogram: odd, so that 0 lies in the middle of a bar
LOOKS = ((DARK, ""), (ACCENT, "6 3"), (GREY, "2 3"), ("#009e73", "8 2 2 2"))  # color, dashes


def image(
    parts: Sequence[str], alternative: str, width: int, height: int, *, font_size: int = 12
) -> str:
    """Put the parts of a drawing into one ``<img>``, on white, with an alternative text."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="{font_size}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="{html.escape(alternative)}" width="{width}" height="{height}" '
        f'decoding="sync" src="data:image/svg+xml;base64,{data}">'
    )


def text(x: float, y: float, said: str, look: str = 'text-anchor="middle"') -> str:
    """Write a text at a point; ``look`` is its attributes."""
    return f'<text x="{x}" y="{y}"{" " if look else ""}{look}>{html.escape(said)}</text>'


class Axes(NamedTuple):
    """Two axes, and where a number lies between them in pixels.

    Attributes
    ----------
    x, y : (float, float)
        The numbers at the ends of each axis.
    width, height : int
        Of the whole picture.
    left, right, top, bottom : int
        What is left free around the plot.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int
    left: int = 0
    right: int = 0
    top: int = 10
    bottom: int = 34

    @property
    def foot(self) -> int:
        """Where the x axis lies."""
        return self.height - self.bottom

    def across(self, x: float) -> float:
        """Return the place of a number on the x axis."""
        low, high = self.x
        return round(
            self.left + (x - low) / (high - low) * (self.width - self.left - self.right), 1
        )

    def up(self, y: float) -> float:
        """Return the place of a number on the y axis."""
        low, high = self.y
        return round(self.foot - (y - low) / (high - low) * (self.foot - self.top), 1)

    def x_line(self, end: int) -> str:
        """Draw the x axis, up to ``end``."""
        return _line(self.left, self.foot, end, self.foot)

    def y_line(self, top: int) -> str:
        """Draw the y axis, from ``top`` down."""
        return _line(self.left, top, self.left, self.foot)

    def x_tick(self, x: float, said: str, anchor: str = "middle", drop: int = 14) -> str:
        """Write what a place on the x axis stands for."""
        return text(self.across(x), self.foot + drop, said, f'text-anchor="{anchor}"')

    def y_tick(self, y: float, said: str) -> str:
        """Write what a place on the y axis stands for."""
        return text(self.left - 5, self.up(y) + 4, said, 'text-anchor="end"')

    def path(self, xs: Iterable[float], ys: Iterable[float], look: str) -> str:
        """Draw a line through points."""
        points = " ".join(f"{self.across(x)},{self.up(y)}" for x, y in zip(xs, ys, strict=True))
        return f'<polyline points="{points}" fill="none" {look}/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{GREY}"/>'


def _short(number: float) -> str:
    """Write a number of an axis, which may be very small on a very small axis."""
    return f"{number:.3g}".replace("-", "−", 1 if number < 0 else 0)


def histogram(
    sample: Tensor, *, caption: str, reach: float, ghost: Tensor | None = None, ghost_name: str = ""
) -> str:
    """Draw how numbers are distributed, over an axis that does not follow them.

    The tallest bar has the full height, so what is compared is the width. Numbers beyond the axis
    are counted at its ends.

    Parameters
    ----------
    sample : Tensor, shape (n,)
    caption : str
        What the numbers are.
    reach : float
        The axis goes from ``-reach`` to ``reach``.
    ghost : Tensor, shape (m,), optional
        Other numbers, to be drawn as an outline over the same axis.
    ghost_name : str
        What they are.

    Returns
    -------
    str
        One ``<img>`` of 360 × 220 pixels with an alternative text.
    """
    axes = Axes((-reach, reach), (0.0, 1.0), width=360, height=220, top=40)
    step = axes.width / BINS
    parts = [
        f'<rect x="{i * step + 0.5:.1f}" y="{axes.up(height)}" width="{step - 1:.1f}" '
        f'height="{axes.foot - axes.up(height):.1f}" fill="#aab7c4"/>'
        for i, height in enumerate(_heights(sample, reach))
    ]
    parts.append('<rect x="8" y="4" width="18" height="10" fill="#aab7c4"/>')
    parts.append(text(30, 13, "now", ""))
    if ghost is not None:
        look = f'stroke="{ACCENT}" stroke-width="2"'
        edges = [reach * (2 * i / BINS - 1) for i in range(BINS + 1) for _ in (0, 1)]
        outline = [0.0, *(h for height in _heights(ghost, reach) for h in (height, height)), 0.0]
        parts.append(axes.path(edges, outline, look))
        parts.append(f'<line x1="70" y1="9" x2="88" y2="9" {look}/>')
        parts.append(text(92, 13, ghost_name, ""))
    for x, anchor, beyond in (
        (-reach, "start", (sample < -reach)),
        (reach, "end", (sample > reach)),
    ):
        share = beyond.double().mean().item()
        at = 2 if anchor == "start" else axes.width - 2
        said = f"beyond: {share:.1%}"
        parts.append(text(at, 32, said, f'text-anchor="{anchor}" font-size="11"'))
        parts.append(axes.x_tick(x, _short(x), anchor))
    parts += [axes.x_line(axes.width), axes.x_tick(0.0, "0")]
    parts.append(text(axes.width / 2, axes.height - 4, caption))
    deviation = format_number(sample.double().std(correction=0).item())
    alternative = f"{caption}: standard deviation {deviation}"
    if ghost is not None:
        drawn = format_number(ghost.double().std(correction=0).item())
        alternative += f"; outline: {ghost_name}, standard deviation {drawn}"
    return image(parts, alternative, axes.width, axes.height)


def _heights(sample: Tensor, reach: float) -> list[float]:
    """Return the height of each bar; the tallest has 1."""
    counts = torch.histc(sample.double(), BINS, -reach, reach)
    return (counts / counts.max().clamp(min=1)).tolist()


def lines(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    caption: str,
    x_axis: str,
) -> str:
    """Draw lines over one axis, with 0 at its foot.

    Parameters
    ----------
    curves : mapping of name to (x, y)
        At most four.
    caption, x_axis : str

    Returns
    -------
    str
        One ``<img>`` of 265 × 250 pixels with an alternative text.

    Raises
    ------
    ValueError
        There are more than four.
    """
    if len(curves) > 4:
        raise ValueError(f"{len(curves)} lines are too many for one picture; it holds four")
    xs = [x for x_, _ in curves.values() for x in x_]
    ys = [y for _, y_ in curves.values() for y in y_]
    x_low, x_span, y_span = min(xs), (max(xs) - min(xs)) or 1.0, max(ys) or 1.0
    axes = Axes(
        (x_low, x_low + x_span), (0.0, y_span),
        width=265, height=250, left=44, right=12, top=44, bottom=36,
    )  # fmt: skip
    left = axes.left
    parts = [
        text(left, 14, caption, 'font-weight="bold"'),
        axes.x_line(axes.width - 8),
        axes.y_line(axes.top - 4),
        text((left + axes.width) / 2, axes.height - 4, x_axis),
    ]
    parts += [axes.y_tick(y, _short(y)) for y in (0.0, y_span)]
    parts += [axes.x_tick(x, format_number(x)) for x in axes.x]
    for k, ((name, (x_, y_)), (color, dash)) in enumerate(zip(curves.items(), LOOKS, strict=False)):
        look = f'stroke="{color}" stroke-width="2" stroke-dasharray="{dash}"'
        at, level = left + 4 + 110 * (k % 2), 24 + 13 * (k // 2)
        parts.append(axes.path(x_, y_, look))
        parts.append(f'<line x1="{at}" y1="{level}" x2="{at + 24}" y2="{level}" {look}/>')
        parts.append(text(at + 29, level + 4, name, ""))
    ends = "; ".join(f"{name} ends at {_short(y[-1])}" for name, (_, y) in curves.items())
    return image(parts, f"{caption}: {ends}", axes.width, axes.height)


def curve(ys: Sequence[float], *, caption: str, x_axis: str, at: int) -> str:
    """Draw one line over 0, 1, 2, ..., and mark one of its points: the frame never moves.

    Parameters
    ----------
    ys : sequence of float
        Not below 0.
    caption, x_axis : str
    at : int
        The point that is marked.

    Returns
    -------
    str
        One ``<img>`` of 265 × 220 pixels with an alternative text.
    """
    highest = max(ys) or 1.0
    axes = Axes((0.0, max(len(ys) - 1, 1)), (0.0, highest),
                width=265, height=220, left=44, right=14, top=30, bottom=36)  # fmt: skip
    x, y = axes.across(at), axes.up(ys[at])
    parts = [
        text(axes.left, 14, caption, 'font-weight="bold"'),
        axes.x_line(axes.width - 8),
        axes.y_line(axes.top - 4),
        text((axes.left + axes.width) / 2, axes.height - 4, x_axis),
        *(axes.y_tick(each, _short(each)) for each in (0.0, highest)),
        *(axes.x_tick(each, format_number(each)) for each in axes.x),
        axes.path(range(len(ys)), ys, f'stroke="{DARK}" stroke-width="1.5"'),
        f'<circle cx="{x}" cy="{y}" r="6" fill="{ACCENT}"/>',
    ]
    said = (
        f"{caption}, from {_short(ys[0])} to {_short(ys[-1])}; at {x_axis} {at}: {_short(ys[at])}"
    )
    return image(parts, said, axes.width, axes.height)
