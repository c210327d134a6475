"""A sound as bands over time, and below it, on the same axis, where each written digit looked."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from attention_lab.pictures import svg
from attention_lab.pictures.style import ACCENT, GREY, format_weight, palette, shades

__all__ = ["Alignment", "alignment_picture"]

WIDTH, LEFT, RIGHT = 720, 66, 52
TOP, BANDS_HEIGHT, GAP, ROW = 20, 112, 26, 16
MOST_ROWS = 13  # twelve digits, and the end
FRAME_MS = 20


class Alignment(NamedTuple):
    """A sound, and what was written of it.

    Attributes
    ----------
    features : Tensor, shape (frames, n_bands)
        As a listener gets them.
    bands : sequence of (band, label)
        Bands that are named on the left.
    number : str
        What was dialled or said.
    spans : Tensor, shape (len(number), 2)
        In frames.
    written : str
    weights : Tensor, shape (steps, n_k)
        A row for each digit, and for the end.
    stride : int
        Frames of the sound to one frame of the weights.
    """

    features: Tensor
    bands: Sequence[tuple[int, str]]
    number: str
    spans: Tensor
    written: str
    weights: Tensor
    stride: int

    @property
    def rows(self) -> list[str]:
        """What each row wrote: its digit, or the end."""
        names = [*self.written, "end"]
        return names[: len(self.weights)]

    def said(self) -> str:
        """Return in words where the largest weight of each digit lies."""
        told = []
        for i, digit in enumerate(self.rows):
            if digit == "end":
                continue
            at = self.weights[i].argmax().item() * self.stride
            where = "past the last digit"
            if i < len(self.number):
                start, end = self.spans[i].tolist()
                inside = start <= at < end
                where = "inside its outline" if inside else "not inside its outline"
            weight = format_weight(self.weights[i].max().item())
            told.append(f"{digit} at {at * FRAME_MS} ms ({weight}, {where})")
        return ", ".join(told)


def _pixels(features: Tensor) -> str:
    """Return the bands as a PNG, the lowest band at the bottom, dark where there is energy."""
    shown = palette(weights=True)
    colors = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c, _ in shown], np.uint8)
    rgb = colors[shades(features.T.flip(0), -1.4, 1.6).numpy()]
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="png", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode()


def alignment_picture(
    drawn: Alignment, *, shown: int | None = None, milliseconds: int = 0, rows: int = 0
) -> str:
    """Draw a sound and the weights over one axis of time.

    Parameters
    ----------
    drawn : Alignment
    shown : int, optional
        How many rows are drawn; all if not given.
    milliseconds : int
        Where the axis ends, at least: the same for sounds that are compared.
    rows : int
        Room for so many rows, at least.

    Returns
    -------
    str
        One ``<img>`` with an alternative text. Each row has the frame of its tone outlined; its
        weights are dark where they are large.
    """
    frames = len(drawn.features)
    last = max(milliseconds, frames * FRAME_MS)
    count = max(rows, len(drawn.weights), len(drawn.number) + 1)
    foot = TOP + BANDS_HEIGHT + GAP + count * ROW
    height = foot + 36
    axes = svg.Axes((0.0, last), (0.0, 1.0), WIDTH, height, LEFT, RIGHT, TOP, height - foot)
    shown = len(drawn.weights) if shown is None else shown
    parts = _bands(drawn, axes, frames) + _rows(drawn, axes, shown) + _time(axes, last, foot)
    said = (
        f"The sound, {frames * FRAME_MS} ms, and below it a row for each digit written: "
        f"{drawn.said()}"
    )
    # in a narrow pane it shrinks, and nothing is cut off
    return svg.image(parts, said, WIDTH, height).replace(
        "<img ", '<img style="max-width:100%;height:auto" ', 1
    )


def _bands(drawn: Alignment, axes: svg.Axes, frames: int) -> list[str]:
    n_bands = drawn.features.shape[1]
    x, end = axes.across(0), axes.across(frames * FRAME_MS)
    parts = [
        f'<image x="{x}" y="{TOP}" width="{end - x:.1f}" height="{BANDS_HEIGHT}" '
        'preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{_pixels(drawn.features)}"/>',
        f'<rect x="{x}" y="{TOP}" width="{end - x:.1f}" height="{BANDS_HEIGHT}" fill="none" '
        f'stroke="{GREY}"/>',
    ]
    for band, label in drawn.bands:
        y = TOP + BANDS_HEIGHT * (1 - (band + 0.5) / n_bands) + 4
        parts.append(svg.text(LEFT - 5, round(y, 1), label, 'text-anchor="end" font-size="11"'))
    for digit, (start, stop) in zip(drawn.number, drawn.spans.tolist(), strict=True):
        middle = axes.across((start + stop) / 2 * FRAME_MS)
        parts.append(svg.text(middle, TOP - 6, digit, 'text-anchor="middle" font-weight="bold"'))
    return parts


def _rows(drawn: Alignment, axes: svg.Axes, shown: int) -> list[str]:
    colors = palette(weights=True)
    top = TOP + BANDS_HEIGHT + GAP
    small = 'text-anchor="end" font-size="11"'
    parts = [svg.text(LEFT - 5, top - 6, "written", small)]
    parts.append(svg.text(WIDTH - 2, top - 6, "largest", small))
    for i, digit in enumerate(drawn.rows[:shown]):
        y = top + i * ROW
        wrong = i < len(drawn.number) and digit != drawn.number[i]
        wrong = wrong or (digit != "end" and i >= len(drawn.number))
        label = f"{digit} ✗" if wrong else digit
        parts.append(svg.text(LEFT - 5, y + 13, label, 'text-anchor="end"'))
        for j, weight in enumerate(drawn.weights[i].tolist()):
            if weight < 0.01:
                continue
            # a frame of the weights lies around its place
            x = axes.across(max((j - 0.5) * drawn.stride * FRAME_MS, 0))
            end = axes.across(min((j + 0.5) * drawn.stride * FRAME_MS, axes.x[1]))
            color = colors[round(weight * (len(colors) - 1))][0]
            parts.append(
                f'<rect x="{x}" y="{y + 2}" width="{end - x:.1f}" height="{ROW - 4}" '
                f'fill="{color}"/>'
            )
        largest = format_weight(drawn.weights[i].max().item())
        parts.append(svg.text(WIDTH - 2, y + 13, largest, small))
        if i < len(drawn.number):
            start, stop = (axes.across(each * FRAME_MS) for each in drawn.spans[i].tolist())
            parts.append(
                f'<rect x="{start}" y="{y + 1}" width="{stop - start:.1f}" height="{ROW - 2}" '
                f'fill="none" stroke="{ACCENT}" stroke-width="1.5"/>'
            )
    return parts


def _time(axes: svg.Axes, last: int, foot: int) -> list[str]:
    step = next(each for each in (100, 250, 500, 1000, 2000) if last / each <= 9)
    parts = [axes.x_line(WIDTH - RIGHT)]
    parts += [axes.x_tick(at, str(at)) for at in range(0, int(last) + 1, step)]
    parts.append(svg.text(WIDTH - RIGHT, foot + 30, "milliseconds", 'text-anchor="end"'))
    said = "outlined: where the digit truly lies; white to dark: weight from 0 to 1"
    parts.append(svg.text(LEFT, foot + 30, said, ""))
    return parts
