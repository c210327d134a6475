"""One head as two columns of words joined by lines: any number of words, in a box that scrolls.

Over a word its own lines stay, by one rule of CSS for all words: the lines of a query are in the
same group as the query. So the picture grows with what is drawn and not with n².
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from torch import Tensor

from attention_lab.pictures.style import ACCENT, GREY, escaped, format_weight
from attention_lab.pictures.svg import image

__all__ = ["COLUMNS_CSS", "columns", "looks"]

ROW, WIDTH, LEFT, RIGHT = 19, 520, 170, 350  # pixels
LONGEST = 20  # characters of a word that are shown
COLUMNS_CSS = f"""<style>
.alab-columns svg{{display:block}}
.alab-columns g{{outline:none;cursor:default}}
.alab-columns path{{fill:none;stroke:#2b62b8}}
.alab-columns text{{font-size:13px}}
.alab-columns svg:has(g:is(:hover,:focus)) g:not(:hover,:focus) path{{opacity:.05}}
.alab-columns g:is(:hover,:focus) text{{fill:{ACCENT};font-weight:600}}
</style>"""


def columns(
    weights: Tensor,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    least: float = 0.05,
    live: bool = True,
) -> str:
    """Draw the queries to the left, the keys to the right, and a line for each weight.

    Parameters
    ----------
    weights : Tensor, shape (n_q, n_k)
        From 0 to 1.
    queries, keys : sequence of str
    least : float
        A smaller weight has no line.
    live : bool
        An inline SVG that answers to hovering; otherwise an ``<img>``.
    """
    rows, places = (weights >= least).nonzero(as_tuple=True)
    drawn: list[list[str]] = [[] for _ in queries]
    for i, j, weight in zip(
        rows.tolist(), places.tolist(), weights[rows, places].tolist(), strict=True
    ):
        look = "" if live else ' fill="none" stroke="#2b62b8"'
        drawn[i].append(
            f'<path d="M{LEFT} {_middle(i)}L{RIGHT} {_middle(j)}" stroke-width="{7 * weight:.1f}" '
            f'stroke-opacity="{0.3 + 0.6 * weight:.2f}"{look}/>'
        )
    strongest = looks(weights, keys) if live else [""] * len(queries)
    parts = []
    for i, (word, lines, said) in enumerate(zip(queries, drawn, strongest, strict=True)):
        name = f'<text x="{LEFT - 8}" y="{_middle(i) + 4}" text-anchor="end">{_cut(word)}</text>'
        # the whole row answers to the mouse, not only its letters
        row = f'<rect y="{ROW * i}" width="{LEFT}" height="{ROW}" fill="transparent"/>'
        start = f'<g tabindex="0"><title>{html.escape(f"{word}: {said}")}</title>{row}'
        parts.append(f"{start if live else '<g>'}{''.join(lines)}{name}</g>")
    parts += [
        f'<text x="{RIGHT + 8}" y="{_middle(j) + 4}">{_cut(word)}</text>'
        for j, word in enumerate(keys)
    ]
    height = ROW * max(len(queries), len(keys)) + 6
    said = "queries to the left, keys to the right; a line is as thick as its weight"
    if not live:
        return f'{image(parts, said, WIDTH, height)}<div style="color:{GREY}">{escaped(said)}</div>'
    return (
        f'<div class="alab-columns"><svg role="group" aria-label="{said}" width="{WIDTH}" '
        f'height="{height}" font-family="sans-serif" fill="var(--jp-ui-font-color1,#14213d)">'
        f"{''.join(parts)}</svg></div>"
    )


def looks(weights: Tensor, keys: Sequence[str], most: int = 4) -> list[str]:
    """Say of each query which keys have most of its weight."""
    top = weights.topk(min(most, weights.shape[1]), dim=1)
    return [
        ", ".join(
            f"{keys[j]} ({j}) {format_weight(weight)}"
            for j, weight in zip(places, values, strict=True)
            if weight >= 0.005
        )
        for places, values in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


def _middle(index: int) -> int:
    return ROW * index + 13


def _cut(word: str) -> str:
    return html.escape(word if len(word) <= LONGEST else f"{word[: LONGEST - 1]}…")
