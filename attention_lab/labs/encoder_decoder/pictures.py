"""Pictures of `BlockExplorer` and `DecodingExplorer` whose frames stand still."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from torch import Tensor

from attention_lab.pictures.style import (
    ACCENT,
    DARK,
    GREY,
    escaped,
    format_number,
    format_weight,
)
from attention_lab.pictures.svg import LOOKS, Axes, image, text
from attention_lab.pictures.tables import cell, head, row_head, table, title, weight_cell

__all__ = ["STILL", "block_diagram", "curves", "growing_table", "to_come"]

WIDTH, HEIGHT, BOX = 350, 380, 142  # BOX: the width of one
DENSE = 8  # a table with more rows or columns gets small print
FEW = 7  # up to here there is room for wider columns

# Columns as wide as their longest number, heads as wide as a long word: a new row moves nothing.
STILL = """<style>
.alab .alab-still table tbody th{min-width:5.6em;max-width:5.6em;overflow:hidden;
text-overflow:ellipsis}
.alab .alab-growing table td{min-width:4.4em}
.alab .alab-growing table thead th{min-width:4.4em;max-width:4.4em;overflow:hidden;
text-overflow:ellipsis}
.alab .alab-few table td,.alab .alab-few table thead th{min-width:4.4em;max-width:4.4em}
</style>"""


def to_come(word: str) -> str:
    """Return what stands for a word that is not written yet: as many dots as it has letters."""
    return "·" * len(word)


def growing_table(
    weights: Tensor,
    *,
    caption: str,
    rows: Sequence[str],
    columns: Sequence[str],
    known: int,
    is_causal: bool = False,
    marked: int | None = None,
) -> str:
    """Draw weights of which only the first rows are known; the frame has all rows at once.

    Parameters
    ----------
    weights : Tensor, shape (n_q, n_k)
        From 0 to 1; the rows from ``known`` on are left empty.
    caption : str
    rows, columns : sequence of str
    known : int
    is_causal : bool
        Key j > i is hidden from query i.
    marked : int, optional
        This row is outlined.

    Returns
    -------
    str
        One ``<table>`` in a ``<div>``, the same frame for every ``known``; a live page needs
        `STILL` once.
    """
    lines, is_small = [], max(weights.shape) <= DENSE
    for i, (name, own) in enumerate(zip(rows, weights.tolist(), strict=True)):
        kind = "alab-related" if i == marked else ""
        cells = [row_head(name)]
        for j, weight in enumerate(own):
            if i >= known:
                cells.append(cell("\u00a0"))  # as high as a number
            elif is_causal and j > i:
                cells.append(cell("", "alab-hidden"))
            else:
                pair = f"{escaped(name)} → {escaped(columns[j])}"
                said = f"{pair}: weight {format_weight(weight)}" if is_small else ""
                cells.append(weight_cell(weight, why=said, kind=kind, is_first=i == j == 0))
        lines.append(cells)
    drawn = table(
        title(caption, f" ({len(rows)} × {len(columns)})"),
        [cell(), *map(head, columns)],
        lines,
        dense=not is_small,
    )
    few = " alab-few" if len(columns) <= FEW else ""
    return f'<div class="alab-still alab-growing{few}">{drawn}</div>'


def curves(
    drawn: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    caption: str,
    x_axis: str,
    highest: float,
) -> str:
    """Draw lines between 0 and a fixed height; what is higher is drawn at the upper edge.

    Parameters
    ----------
    drawn : mapping of name to (x, y)
        At most three, over the same range of x.
    caption, x_axis : str
    highest : float
        The upper end of the y axis.

    Returns
    -------
    str
        One ``<img>`` of 245 × 250 pixels with an alternative text.
    """
    xs = [x for x_, _ in drawn.values() for x in x_]
    axes = Axes(
        (min(xs), max(xs)), (0.0, highest),
        width=245, height=250, left=34, right=12, top=58, bottom=36,
    )  # fmt: skip
    parts = [
        text(axes.left, 14, caption, 'font-weight="bold"'),
        axes.x_line(axes.width - 8),
        axes.y_line(axes.top - 4),
        text((axes.left + axes.width) / 2, axes.height - 4, x_axis),
        *(axes.y_tick(y, format_number(y)) for y in (0.0, highest / 2, highest)),
        *(axes.x_tick(x, format_number(x)) for x in axes.x),
    ]
    for k, ((name, (x_, y_)), (color, dash)) in enumerate(zip(drawn.items(), LOOKS, strict=False)):
        look = f'stroke="{color}" stroke-width="2" stroke-dasharray="{dash}"'
        level = 26 + 13 * k
        parts.append(axes.path(x_, [min(y, highest) for y in y_], look))
        parts.append(
            f'<line x1="{axes.left + 4}" y1="{level}" x2="{axes.left + 28}" y2="{level}" {look}/>'
        )
        parts.append(text(axes.left + 33, level + 4, f"{name}: {format_number(y_[-1])}", ""))
    ends = "; ".join(f"{name} ends at {format_number(y[-1])}" for name, (_, y) in drawn.items())
    return image(parts, f"{caption}: {ends}", axes.width, axes.height)


def block_diagram(without: Collection[str]) -> str:
    """Draw an encoder layer and a decoder layer, and which of their parts are missing.

    Parameters
    ----------
    without : collection of str
        Of "residual", "norm", "feed_forward", "output", "position", "causal".

    Returns
    -------
    str
        One ``<img>`` of 350 × 380 pixels with an alternative text.
    """
    encoder, decoder = 14, 200  # left edges of the boxes
    causal = "no mask" if "causal" in without else "causal"
    parts, _ = _column(encoder, "encoder layer", ["self-attention", "feed-forward"], without)
    drawn, at = _column(
        decoder,
        "decoder layer",
        [f"self-attention, {causal}", "cross-attention", "feed-forward"],
        without,
    )
    end, into = encoder + BOX // 2, at["cross-attention"] + 11
    parts += [
        *drawn,
        f'<path d="M{end} 60 H{decoder - 20} V{into} H{decoder - 3}" fill="none" '
        f'stroke="{DARK}" stroke-width="2"/>'
        f'<path d="M{decoder} {into} l-7 -4 v8 z" fill="{DARK}"/>',
        _said((end + decoder - 20) / 2, 55, "encoder output"),
    ]
    missing = f"without {', '.join(without)}" if without else "with all parts"
    alternative = f"encoder and decoder layer, {missing}".replace("_", " ")
    return image(parts, alternative, WIDTH, HEIGHT)


def _column(
    x: int, title: str, layers: Sequence[str], without: Collection[str]
) -> tuple[list[str], dict[str, int]]:
    """Draw one layer from the bottom up; return the parts, and where each box has its top."""
    middle, y, at = x + BOX // 2, HEIGHT - 26, {}
    parts = [
        f'<path d="M{middle} {y} V26" stroke="{DARK}" stroke-width="2"/>'
        f'<path d="M{middle} 22 l-4 8 h8 z" fill="{DARK}"/>'
    ]
    gone = "position" in without
    parts += _box(x, y, "tokens (positions: out)" if gone else "tokens + positions")
    for name in layers:
        low = y - 6
        boxes = _boxes(name, without)
        y -= 14
        for each, is_out in boxes.items():
            y -= 25
            parts += _box(x, y, each, is_out)
            at[each] = y
        y -= 12
        if "residual" not in without and not boxes.get("feed-forward"):
            parts += _way_around(x, middle, low, y)
    parts.append(_said(middle, 14, title, look='font-weight="bold"'))
    return parts, at


def _boxes(layer: str, without: Collection[str]) -> dict[str, bool]:
    """Return the boxes of one sub-layer from the bottom up, and which of them are out."""
    if layer == "feed-forward":  # out with its norm
        out = "feed_forward" in without
        return {"norm": out or "norm" in without, layer: out}
    return {"norm": "norm" in without, layer: False, "W_O": "output" in without}


def _box(x: int, y: int, name: str, is_out: bool = False) -> list[str]:
    look = 'fill="#ffffff" stroke-dasharray="4 3"' if is_out else 'fill="#e8edf3"'
    ink = GREY if is_out else "#000000"
    return [
        f'<rect x="{x}" y="{y}" width="{BOX}" height="22" rx="4" {look} stroke="{GREY}"/>',
        _said(x + BOX / 2, y + 15, f"{name}: out" if is_out else name, ink),
    ]


def _way_around(x: int, middle: int, low: int, y: int) -> list[str]:
    return [
        f'<path d="M{middle} {low} H{x - 8} V{y} H{middle}" fill="none" '
        f'stroke="{ACCENT}" stroke-width="2"/>'
        f'<circle cx="{middle}" cy="{y}" r="7" fill="#ffffff" stroke="{ACCENT}" '
        'stroke-width="2"/>',
        _said(middle, y + 4, "+", look='font-weight="bold"'),
    ]


def _said(x: float, y: float, said: str, ink: str = "#000000", look: str = "") -> str:
    return text(x, y, said, f'text-anchor="middle" fill="{ink}" {look}')
