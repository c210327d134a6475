"""What is drawn of three digits and a question: a drawing as SVG, for the widget."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from attention_lab.labs.applications.triptych import CELLS
from attention_lab.pictures.style import ACCENT, DARK, GREY, format_weight
from attention_lab.pictures.svg import image, text

__all__ = ["triptych_picture"]

WIDTH, HEIGHT = 700, 316
PIXEL, SIDE = 14, 8
LEFT, STEP, TOP = 16, 140, 30  # of the cells
ASKED_AT = (LEFT + STEP + SIDE * PIXEL / 2, 262)  # where the lines from the question begin
BARS, BAR = 470, 150  # where the bars of the answers begin, and how long a whole one is
LEFT_ALIGNED, RIGHT_ALIGNED = 'text-anchor="start"', 'text-anchor="end"'


def triptych_picture(
    images: Tensor, weights: Sequence[float], question: str, answer: Sequence[float], said: str
) -> str:
    """Draw three cells, the weight of the question on each, and how likely each digit is.

    Parameters
    ----------
    images : Tensor, shape (3, 8, 8)
        From 0, paper, to 1, ink.
    weights : sequence of 3 float
        A line from the question to a cell is as thick as its weight.
    question : str
    answer : sequence of 10 float
        Probability of each digit.
    said : str
        The alternative text.
    """
    parts = []
    for cell, (name, weight) in enumerate(zip(CELLS, weights, strict=True)):
        x, size = LEFT + cell * STEP, SIDE * PIXEL
        middle, foot = x + size / 2, TOP + size
        parts += _ink(images[cell], x, TOP)
        parts.append(
            f'<rect x="{x}" y="{TOP}" width="{size}" height="{size}" fill="none" '
            f'stroke="{DARK}" stroke-width="{1 + 4 * weight:.2f}"/>'
        )
        parts.append(text(middle, TOP - 9, name))
        parts.append(text(middle, foot + 20, format_weight(weight), f'{MIDDLE} font-weight="bold"'))
        parts.append(
            f'<line x1="{ASKED_AT[0]}" y1="{ASKED_AT[1]}" x2="{middle}" y2="{foot + 28}" '
            f'stroke="{DARK}" stroke-width="{14 * weight:.2f}" stroke-linecap="round"/>'
        )
    parts.append(text(ASKED_AT[0], ASKED_AT[1] + 22, question, f'{MIDDLE} font-size="14"'))
    parts += _bars(answer)
    return f'<div class="alab">{image(parts, said, WIDTH, HEIGHT)}</div>'


MIDDLE = 'text-anchor="middle"'


def _ink(digit: Tensor, left: float, top: float) -> list[str]:
    """Draw the pixels that are not white."""
    drawn = []
    for (row, column), ink in zip(
        digit.nonzero().tolist(), digit[digit != 0].tolist(), strict=True
    ):
        level = round(255 * (1 - ink))
        drawn.append(
            f'<rect x="{left + column * PIXEL}" y="{top + row * PIXEL}" width="{PIXEL}" '
            f'height="{PIXEL}" fill="rgb({level},{level},{level})"/>'
        )
    return drawn


def _bars(answer: Sequence[float]) -> list[str]:
    """Draw how likely each digit is; the likeliest is bold, and of another colour."""
    parts = [text(BARS, TOP - 9, "answer, and its probability", LEFT_ALIGNED)]
    best = max(range(len(answer)), key=lambda digit: answer[digit])
    for digit, share in enumerate(answer):
        y = TOP + 6 + digit * 24
        bold = ' font-weight="bold"' if digit == best else ""
        color = ACCENT if digit == best else GREY
        parts.append(text(BARS, y + 12, str(digit), LEFT_ALIGNED + bold))
        parts.append(
            f'<rect x="{BARS + 18}" y="{y}" width="{max(BAR * share, 0.5):.1f}" height="15" '
            f'fill="{color}"/>'
        )
        parts.append(text(WIDTH - 8, y + 12, format_weight(share), RIGHT_ALIGNED + bold))
    return parts
