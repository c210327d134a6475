"""Words joined by lines as thick as the weights: who looks at whom.

Two pictures of the same kind. `flow` has the keys above and the queries below, as in a
translation; `arcs` has one sentence whose words are both. Each is an inline SVG that answers to
the mouse and to Tab by CSS alone (over a word its lines stay, with their numbers, and the others
fade), or, for a notebook without a kernel, the same drawing as an ``<img>``, with its sentence.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from torch import Tensor

from attention_lab.pictures.style import ACCENT, GREY, escaped, format_weight
from attention_lab.pictures.svg import image

__all__ = [
    "FLOW_CSS",
    "MOST_WORDS",
    "Rows",
    "Word",
    "arcs",
    "checked",
    "described",
    "flow",
    "widths_of",
]

MOST_WORDS = 24  # on either side: more do not fit on a line
LONGEST = 18  # characters of a word that are shown
THICKEST = 13  # pixels of a line with the weight 1
FAINTEST = 0.01  # a smaller weight has no line, only its number
LINE = "#2b62b8"
INK, PILL, PILL_EDGE = "#14213d", "#e9effa", "#7b93bd"
GAP, WORD_HEIGHT, BAND = 18, 30, 18  # between words; of a word; where the numbers stand
DROP = 120  # from the numbers above to those below


def _rules() -> str:
    """Return what hovering a word does, for each position that a word can have."""
    said = []
    for side in "ab":
        for k in range(MOST_WORDS):
            on = f".alab-flow:has(.alab-word.{side}{k}:is(:hover,:focus))"
            said.append(f"{on} path:not(.{side}{k}){{opacity:.07}}")
            said.append(f"{on} .alab-of-{side}.{side}{k}{{visibility:visible}}")
            said.append(f"{on} .alab-word.{side}{k} rect{{stroke:{ACCENT};stroke-width:2}}")
    return "\n".join(said)


FLOW_CSS = f"""<style>
.alab-flow svg{{max-width:100%;height:auto;display:block}}
.alab-flow .alab-word{{cursor:default;outline:none}}
.alab-flow .alab-number{{visibility:hidden;font-size:12px;font-weight:600;
fill:var(--jp-ui-font-color1,#14213d)}}
.alab-flow path{{transition:opacity .12s}}
{_rules()}
</style>"""


class Word(NamedTuple):
    """A word, and where it stands, in pixels."""

    text: str
    middle: float
    width: float

    def draw(self, top: float, kind: str) -> str:
        left, middle = self.middle - self.width / 2, f"{self.middle:.1f}"
        return (
            f'<g class="alab-word {kind}" tabindex="0">'
            f'<rect x="{left:.1f}" y="{top}" width="{self.width:.1f}" height="{WORD_HEIGHT}" '
            f'rx="7" fill="{PILL}" stroke="{PILL_EDGE}"/>'
            f'<text x="{middle}" y="{top + 20}" text-anchor="middle" fill="{INK}" font-size="14">'
            f"{html.escape(self.text)}</text></g>"
        )


def _width_of(text: str) -> float:
    """Return about how wide a word is in pixels, with the room around it."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return max(34.0, 8.2 * (len(text) - wide) + 14.5 * wide + 20)


def _in_a_row(words: Sequence[str]) -> list[Word]:
    texts = [w if len(w) <= LONGEST else f"{w[: LONGEST - 1]}…" for w in map(str, words)]
    widths = [_width_of(text) for text in texts]
    ends = accumulate(width + GAP for width in widths)
    return [
        Word(text, end - GAP - width / 2, width)
        for text, width, end in zip(texts, widths, ends, strict=True)
    ]


def widths_of(words: Sequence[str]) -> float:
    """Return how wide a row of these words is, in pixels; too many are infinitely wide."""
    return _end(_in_a_row(words)) if len(words) <= MOST_WORDS else float("inf")


def _centred(row: Sequence[Word], width: float) -> list[Word]:
    shift = (width - _end(row)) / 2
    return [word._replace(middle=word.middle + shift) for word in row]


def _end(row: Sequence[Word]) -> float:
    return row[-1].middle + row[-1].width / 2


def _line(path: str, weight: float, kind: str) -> str:
    width, opacity = max(0.7, THICKEST * weight), 0.35 + 0.5 * weight
    return (
        f'<path class="{kind}" d="{path}" fill="none" stroke="{LINE}" stroke-linecap="round" '
        f'stroke-width="{width:.1f}" stroke-opacity="{opacity:.2f}"/>'
    )


def _number(x: float, y: float, weight: float, kind: str) -> str:
    return (
        f'<text class="alab-number {kind}" x="{x:.1f}" y="{y}" text-anchor="middle" '
        f'fill="{INK}" visibility="hidden">{format_weight(weight)}</text>'
    )


class Rows(NamedTuple):
    """Two rows of words, one above the other."""

    keys: list[Word]
    queries: list[Word]
    width: float

    @classmethod
    def of(cls, above: Sequence[str], below: Sequence[str]) -> Rows:
        """Put the words side by side, and the shorter row in the middle."""
        keys, queries = _in_a_row(above), _in_a_row(below)
        width = max(_end(keys), _end(queries)) + 4
        return cls(_centred(keys, width), _centred(queries, width), width)


def checked(weights: Tensor, rows: Sequence[str], columns: Sequence[str]) -> list[list[float]]:
    """Return weights that fit their words as a list of rows, each number from 0 to 1.

    Raises
    ------
    ValueError
        The words are too many, or not as many as the weights say.
    """
    if tuple(weights.shape) != (len(rows), len(columns)):
        raise ValueError(
            f"weights of shape {tuple(weights.shape)} do not fit {len(rows)} queries and "
            f"{len(columns)} keys; it must be ({len(rows)}, {len(columns)})"
        )
    if max(len(rows), len(columns)) > MOST_WORDS:
        raise ValueError(f"at most {MOST_WORDS} words fit on a line, not {max(weights.shape)}")
    return weights.detach().double().nan_to_num().clamp(0, 1).tolist()


def flow(weights: Tensor, above: Sequence[str], below: Sequence[str], *, live: bool = True) -> str:
    """Draw the keys above, the queries below, and lines between them as thick as the weights.

    Parameters
    ----------
    weights : Tensor, shape (n_q, n_k)
        From 0 to 1. A row of zeros (a word that is not written yet) has no line.
    above : sequence of str
        The keys, such as the words of a source sentence; at most 24.
    below : sequence of str
        The queries, such as the words that are written; at most 24.
    live : bool
        An inline SVG that answers to hovering; otherwise an ``<img>`` and a sentence.

    Returns
    -------
    str
        HTML. The page needs `FLOW_CSS` once.

    Raises
    ------
    ValueError
        The words are too many, or not as many as the weights say.
    """
    numbers = checked(weights, below, above)
    keys, queries, width = Rows.of(above, below)
    high = WORD_HEIGHT + BAND + 2  # where the lines begin, and where they end
    low = high + DROP
    lines, said = [], []
    for j, query in enumerate(queries):
        for i, key in enumerate(keys):
            weight, kinds = numbers[j][i], f"a{i} b{j}"
            if weight >= FAINTEST:
                bend = (high + low) / 2
                path = (
                    f"M{key.middle:.1f} {high}C{key.middle:.1f} {bend} "
                    f"{query.middle:.1f} {bend} {query.middle:.1f} {low}"
                )
                lines.append((weight, _line(path, weight, kinds)))
            if any(numbers[j]):
                said.append(_number(key.middle, high - 6, weight, f"alab-of-b {kinds}"))
                said.append(_number(query.middle, low + 14, weight, f"alab-of-a {kinds}"))
    parts = [line for _, line in sorted(lines)]  # the thick ones on top
    parts += [key.draw(1, f"a{i}") for i, key in enumerate(keys)]
    parts += [query.draw(low + BAND + 2, f"b{j}") for j, query in enumerate(queries)]
    height = low + BAND + WORD_HEIGHT + 3
    return _put_together(parts, said, round(width), height, described(weights, above, below), live)


def arcs(weights: Tensor, words: Sequence[str], *, live: bool = True) -> str:
    """Draw one sentence, and arcs from each word to the words it attends to.

    Over a word its own arcs stay: those of the row of that query.

    Parameters
    ----------
    weights : Tensor, shape (n, n)
        From 0 to 1; row: the word that attends, column: the word it attends to.
    words : sequence of str
        At most 24.
    live : bool
        As for `flow`.

    Returns
    -------
    str
        HTML. The page needs `FLOW_CSS` once.

    Raises
    ------
    ValueError
        The words are too many, or not as many as the weights say.
    """
    numbers = checked(weights, words, words)
    row = _in_a_row(words)
    highest = max((_rise(a.middle, b.middle) for a in row for b in row), default=0)
    base = round(0.75 * highest) + 14  # where the arcs end, above the words
    lines, said = [], []
    for j, query in enumerate(row):
        for i, key in enumerate(row):
            weight, kinds = numbers[j][i], f"a{i} b{j}"
            if any(numbers[j]):
                said.append(_number(key.middle, base + 16, weight, f"alab-of-b {kinds}"))
            if weight < FAINTEST:
                continue
            if i == j:
                lines.append((weight, _dot(query.middle, base, weight, kinds)))
            else:
                path = _arc(query.middle, key.middle, base)
                lines.append((weight, _line(path, weight, kinds)))
    parts = [line for _, line in sorted(lines)]
    parts += [word.draw(base + BAND + 4, f"b{j}") for j, word in enumerate(row)]
    height = base + BAND + WORD_HEIGHT + 6
    return _put_together(
        parts, said, round(_end(row)) + 4, height, described(weights, words, words), live
    )


def _rise(start: float, end: float) -> float:
    """Return how high an arc would reach; a curve gets three quarters of it."""
    # to the left a little higher than to the right, so that neither hides the other
    return min(150.0, 14 + abs(start - end) / 1.9 + (6 if end < start else 0))


def _arc(start: float, end: float, base: float) -> str:
    top = base - _rise(start, end)
    return f"M{start:.1f} {base}C{start:.1f} {top:.1f} {end:.1f} {top:.1f} {end:.1f} {base}"


def _dot(x: float, base: float, weight: float, kind: str) -> str:
    """Draw the weight of a word on itself: a disc as wide as its line would be."""
    radius = max(0.7, THICKEST * weight) / 2 + 1
    top = base - 2 * radius
    ring = f"A{radius:.1f} {radius:.1f} 0 1 1"
    return (
        f'<path class="{kind}" d="M{x:.1f} {base}{ring} {x:.1f} {top:.1f}{ring} {x:.1f} {base}" '
        f'fill="{LINE}" fill-opacity="0.85"/>'
    )


def _put_together(
    parts: list[str], numbers: list[str], width: int, height: int, sentence: str, live: bool
) -> str:
    if not live:
        drawn = image(parts, sentence, width, height)
        return f'<div>{drawn}<div style="color:{GREY}">{escaped(sentence)}</div></div>'
    return (
        f'<div class="alab-flow"><svg role="group" aria-label="{html.escape(sentence)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif">{"".join(parts)}{"".join(numbers)}</svg></div>'
    )


def described(weights: Tensor, above: Sequence[str], below: Sequence[str]) -> str:
    """Say for each query where most of its weight goes: at most two keys, from .1 on."""
    said = []
    for word, row in zip(below, weights.tolist(), strict=True):
        order = sorted(range(len(row)), key=lambda i: -row[i])[:2]
        seen = [f"{above[i]} {format_weight(row[i])}" for i in order if row[i] >= 0.1]
        if seen:
            said.append(f"{word}: {', '.join(seen)}")
    return " · ".join(said)
