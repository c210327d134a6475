"""HTML tables as pure functions: tensors in, a string out.

They are what the widgets show, and what a notebook shows that was opened but not run. Every
picture is a real table with a caption and headers, the numbers are in the cells, and colour
only repeats them. A live page has the style sheet `CSS` once and its cells have classes, so that a
change is a short message; `still` gives the same picture for a page that has no style sheet.
"""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from attention_lab.pictures.style import (
    DARK,
    HATCH,
    LEVELS,
    MARKS,
    color_range,
    escaped,
    format_number,
    format_weight,
    palette,
    shade,
    shades,
)

__all__ = [
    "CSS",
    "LIVE_CSS",
    "MOST_CELLS",
    "bar_cell",
    "bars_table",
    "cell",
    "head",
    "largest_weights_table",
    "list_table",
    "matrix_picture",
    "matrix_table",
    "matrix_view",
    "row_head",
    "side_by_side",
    "still",
    "table",
    "title",
    "weight_cell",
    "wide",
]

Cell = tuple[int, int]

# Up to here a matrix is a table with its numbers; a larger one is a picture. Five tables with
# more rows would not fit on a screen, and an edit would show its effect out of sight.
MOST_CELLS = 16  # on either axis
DENSE = 8  # a table with more rows or columns than this gets small print
MOST_PIXELS = 256  # a picture with more on either axis is pooled
MOST_WEIGHTS = 8  # how many of the weights of one query are worth a row

BESIDE = "display:inline-block;vertical-align:top;margin:0 10px 8px 0"
# class of a cell: (background, text colour)
COLORS = {
    f"alab-{letter}{level}": palette(weights=weights)[level]
    for letter, weights in (("w", True), ("n", False))
    for level in range(LEVELS)
}
COLORS["alab-hidden"] = HATCH, "#000000"
COLORS["alab-nan"] = "#d9d9d9", "#000000"
# In JupyterLab's dark theme what is drawn on white is turned over; blue stays blue.
DARKENED = (
    ".alab td[class*='alab-w'],.alab td[class*='alab-n'],.alab td.alab-hidden,"
    ".alab td.alab-bar,.alab td[style],"
    ".alab img,.alab-slab,.jp-RenderedImage img,.jp-RenderedMarkdown img[src^='data:']"
)

# For every page, also for a twin whose cells carry their colours themselves.
CSS = f"""<style>
.alab{{display:flex;flex-wrap:wrap;align-items:flex-start}}
.alab>div{{{BESIDE}}}
.alab table{{border-collapse:separate;border-spacing:2px;margin:0;table-layout:auto;
font-size:13px;line-height:1.3;width:auto;border:0}}
.alab caption{{caption-side:top;text-align:left;padding:2px;color:inherit;font-size:13px;
white-space:nowrap}}
.alab tr,.alab tr:nth-child(n),.alab tr:hover{{background:transparent}}
.alab table th,.alab table td{{padding:3px 4px;text-align:right;border:2px solid transparent;
min-width:2em;max-width:none;vertical-align:middle;white-space:nowrap;
font-variant-numeric:tabular-nums}}
.alab table th,.alab table thead td{{font-weight:600;min-width:0;padding-bottom:0;padding-top:0}}
.alab table td.alab-related{{border:2px solid #d55e00}}
.alab table td.alab-text,.alab table th.alab-text{{text-align:left;min-width:0;
white-space:normal;max-width:34em}}
.alab table td.alab-text code{{background:transparent;color:inherit;padding:0;font-size:12px}}
.alab table td.alab-bar,.alab table th.alab-bar{{text-align:left;min-width:164px;
letter-spacing:0}}
.alab table td.alab-bar{{background:#ffffff;color:{DARK}}}
.alab table.alab-dense{{font-size:10px;border-spacing:0}}
.alab table.alab-dense td,.alab table.alab-dense th{{padding:1px 2px;border-width:1px;min-width:0}}
.alab-picture{{position:relative;border:1px solid #767676;line-height:0}}
.alab .alab-picture img{{image-rendering:pixelated;width:100%;height:100%;max-width:none}}
.alab-row{{position:absolute;left:0;right:0;outline:2px solid #d55e00}}
.alab-note{{margin:2px 0;line-height:1.5}}
.alab img{{max-width:100%;height:auto;background:#ffffff}}
</style>"""

# For a live page, once, beside `CSS`.
LIVE_CSS = f"""<style>
.alab td[tabindex]{{position:relative}}
.alab td[tabindex]:is(:hover,:focus){{border-color:#d55e00!important;outline:none}}
.alab td:is(:hover,:focus)>.alab-why{{display:block!important}}
.alab-why{{position:absolute;z-index:20;top:calc(100% + 3px);left:0;background:#14213d;
color:#ffffff;padding:5px 9px;border-radius:5px;font-weight:400;text-align:left;
font-size:13px;pointer-events:none;white-space:normal;width:max-content;max-width:300px}}
.alab td:nth-child(n+4)>.alab-why,.alab td:last-child>.alab-why{{left:auto;right:0}}
[data-jp-theme-light="false"] :is({DARKENED}){{filter:invert(.92) hue-rotate(180deg)}}
{"".join(f".alab td.{k}{{background:{b};color:{c}}}" for k, (b, c) in COLORS.items())}
</style>"""


def still(html: str) -> str:
    """Return a live picture for a page without our style sheet: colours stand in the cells.

    What hovering would say of a cell becomes its ``title``.
    """

    def colored(match: re.Match[str]) -> str:
        start, kinds = match[1], match[2].split()
        found = next((COLORS[kind] for kind in kinds if kind in COLORS), None)
        style = f' style="background:{found[0]};color:{found[1]}"' if found else ""
        return f'<td{start}class="{match[2]}"{style}'

    html = re.sub(r'<td([^>]*? )class="([^"]*)"(?! style)', colored, html)
    html = re.sub(
        r'<td([^>]*)>([^<]*)<span class="alab-why"[^>]*>(.*?)</span></td>',
        lambda m: f'<td{m[1]} title="{_plain(m[3])}">{m[2]}</td>',
        html,
    )
    return re.sub(r' tabindex="-?\d"', "", html)


def _plain(html_text: str) -> str:
    """Return a formula without its tags: ``e^12``."""
    return re.sub(r"<[^>]*>", "", html_text.replace("<sup>", "^")).replace('"', "&quot;")


# --- one frame for every table ----------------------------------------------------------------


def table(
    caption: str,
    heads: Iterable[str],
    rows: Iterable[Iterable[str]],
    *,
    dense: bool = False,
    kind: str = "",
) -> str:
    """Put a table together from what `title`, `head`, `row_head` and the cells below give.

    Parameters
    ----------
    caption : str
        HTML.
    heads : iterable of str
        HTML, a ``<th>`` or ``<td>`` for each column.
    rows : iterable of iterable of str
        HTML, the cells of each row.
    dense : bool
        Small print, for a table with many columns.
    kind : str
        Classes of the table.

    Returns
    -------
    str
        One ``<table>``.
    """
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f"<table{_class(f'{kind} alab-dense' if dense else kind)}><caption>{caption}</caption>"
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table>"
    )


def title(name: str, rest: str = "", *lines: str) -> str:
    """Return a caption: a name in bold, what else stands beside it, and further lines."""
    return "<br>".join([f"<b>{escaped(name)}</b>{escaped(rest)}", *map(escaped, lines)])


def head(text: str, kind: str = "") -> str:
    """Return the head of a column; ``kind`` is a class of the style sheet."""
    return f'<th scope="col"{_class(kind)}>{escaped(text)}</th>'


def row_head(text: str) -> str:
    """Return the head of a row."""
    return f'<th scope="row">{escaped(text)}</th>'


def cell(text: str = "", kind: str = "", why: str = "", *, is_first: bool = True) -> str:
    """Return a cell with a number as it is written.

    ``kind`` is its classes, ``why`` what is said of it when it is pointed at (HTML). The first such
    cell of a table can be reached by Tab, and the others from there by the arrow keys.
    """
    if not why:
        return f"<td{_class(kind)}>{text}</td>"
    return (
        f'<td tabindex="{0 if is_first else -1}"{_class(kind)}>{text}'
        f'<span class="alab-why" style="display:none">{why}</span></td>'
    )


def weight_cell(
    weight: float, width: int = 0, why: str = "", *, kind: str = "", is_first: bool = True
) -> str:
    """Return a cell with a number from 0 to 1, and its colour.

    For ``width`` see `wide`, for ``kind`` (more classes), ``why`` and ``is_first`` `cell`.
    """
    text = format_weight(weight)
    color = f"alab-w{shade(weight, 0, 1)} {kind}".rstrip()
    return cell(wide(text, width) if width else text, color, why, is_first=is_first)


def wide(text: str, width: int) -> str:
    """Return a text that takes so many em at least: a column does not move with its numbers."""
    return f'<div style="min-width:{width}em">{text}</div>'


EIGHTHS = " ▏▎▍▌▋▊▉"
BLOCKS = 20  # of the longest bar


def bar_cell(share: float) -> str:
    """Return a cell with a bar of letters, as long as a number from 0 to 1 says."""
    # The number stands beside it, so a screen reader may skip the bar.
    eighths = round(8 * BLOCKS * max(0.0, min(1.0, share)))
    bar = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    look = 'style="text-align:left"'  # also without a style sheet
    return f'<td class="alab-bar" {look}><span aria-hidden="true">{bar}</span></td>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


# --- matrices -----------------------------------------------------------------------------------


def matrix_table(
    matrix: Tensor,
    *,
    caption: str,
    rows: Sequence[str],
    columns: Sequence[str],
    formula: str = "",
    weights: bool = False,
    row_sums: bool = False,
    related: Collection[Cell] = (),
    largest: float | None = None,
    hidden: Tensor | None = None,
    part: str = "",
    why: Callable[[int, int], str] | None = None,
) -> str:
    """Draw a matrix as a table with the numbers in the cells and colour behind them.

    Parameters
    ----------
    matrix : Tensor, shape (n_rows, n_columns)
        ``-inf`` is shown as a hidden cell.
    caption : str
        The name of the matrix, above it.
    rows, columns : sequence of str
        A label for each row and column.
    formula : str
        How the matrix was made, under its name.
    weights : bool
        Colour on the fixed scale 0..1 and 3 decimals. Otherwise white is 0, and the scale reaches
        as far on both sides as the largest finite number.
    row_sums : bool
        Add a column with the sums.
    related : cells (row, column)
        Outlined.
    largest : float, optional
        How far the colour scale reaches, for tables that are compared.
    hidden : Tensor, shape (n_rows, n_columns), optional
        True where a cell is striped although it has a number: the weight of a hidden key.
    part : str
        Classes of the table, by which a style sheet finds its cells.
    why : callable, optional
        ``why(i, j)`` is the HTML that is shown when a cell is pointed at.

    Returns
    -------
    str
        One ``<table>``.
    """
    write = format_weight if weights else format_number
    ends = (-largest, largest) if largest else color_range(matrix, weights=weights)
    levels, letter = shades(matrix, *ends).tolist(), "w" if weights else "n"
    striped = (matrix == -math.inf if hidden is None else hidden).tolist()
    marks = dict.fromkeys(related, "alab-related")

    def paint(i: int, j: int, number: float) -> str:
        color = f"alab-{letter}{levels[i][j]}"
        if striped[i][j]:
            color = "alab-hidden"
        elif not math.isfinite(number):
            color = "alab-nan"
        kinds = f"{color} {marks.get((i, j), '')}".rstrip()
        said = why(i, j) if why else ""
        return cell(write(number), kinds, said, is_first=i == j == 0)

    numbers = matrix.tolist()
    lines = [
        [
            row_head(label),
            *(paint(i, j, number) for j, number in enumerate(row)),
            *([cell(write(sum(row)), "alab-sum")] if row_sums else []),
        ]
        for i, (label, row) in enumerate(zip(rows, numbers, strict=True))
    ]
    return table(
        title(caption, f" ({len(rows)} × {len(columns)})", *([formula] if formula else [])),
        [cell(), *map(head, columns), *([head("sum")] if row_sums else [])],
        lines,
        dense=max(matrix.shape) > DENSE,
        kind=part,
    )


def matrix_picture(
    matrix: Tensor,
    *,
    caption: str,
    formula: str = "",
    weights: bool = False,
    row: int | None = None,
    side: int = 288,
) -> str:
    """Draw a matrix as a picture, a pixel for each cell: for what is too large for a table.

    Of a matrix with more than 256 rows or columns, each pixel shows the largest number of a
    block: a mean would make a single large weight disappear.

    Parameters
    ----------
    matrix : Tensor, shape (n_rows, n_columns)
        ``-inf`` is light grey, nan grey.
    caption, formula, weights
        As for `matrix_table`.
    row : int, optional
        This row is outlined.
    side : int
        How long the longer side is, about, in pixels of the screen.

    Returns
    -------
    str
        One ``<div>`` with an ``<img>``, its alternative text, and the ends of the colour scale.
    """
    n_rows, n_columns = matrix.shape
    low, high = color_range(matrix, weights=weights)
    block = math.ceil(max(n_rows, n_columns) / MOST_PIXELS)
    pixels = F.max_pool2d(matrix.detach().double()[None], block, ceil_mode=True)[0]
    shown = palette(weights=weights)
    colors = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c, _ in shown], np.uint8)
    rgb = colors[shades(pixels, low, high).numpy()]
    rgb[(pixels == -math.inf).numpy()] = 217
    rgb[pixels.isnan().numpy()] = 128
    png = io.BytesIO()
    Image.fromarray(rgb).save(png, format="png", compress_level=1)

    size = f"({n_rows} × {n_columns})"
    ends = "white 0, dark 1" if weights else f"white 0, blue to {format_number(high)}"
    if not weights and (matrix.nan_to_num(neginf=0) < 0).any():
        ends += f", orange to {format_number(low)}"
    if (matrix == -math.inf).any():
        ends += ", grey hidden"
    if block > 1:
        ends += f"; a pixel is the largest of {block} × {block}"
    marked = "" if row is None else f"; row {row} is outlined"
    unit = side / max(n_rows, n_columns)
    width, height = (max(round(unit * count), 48) for count in (n_columns, n_rows))
    frame = ""
    if row is not None:
        thick = max(height / n_rows, 1)
        frame = f'<div class="alab-row" style="top:{row * height / n_rows:.1f}px;height:{thick}px">'
        frame += "</div>"
    return (
        f"<div>{title(caption, f' {size}', *([formula] if formula else []))}</div>"
        f'<div class="alab-picture" style="width:{width}px;height:{height}px">'
        f'<img alt="{html.escape(caption)} {size}: {ends}{marked}" decoding="sync" '
        f'src="data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}">{frame}</div>'
        f"<div>{ends}</div>"
    )


def matrix_view(matrix: Tensor, *, row: int | None = None, **options) -> str:
    """Draw a matrix as a table, or as a picture where it has more than 16 rows or columns.

    Takes the arguments of `matrix_table`, and ``row``: what `matrix_picture` outlines.
    """
    if max(matrix.shape) <= MOST_CELLS:
        return matrix_table(matrix, **options)
    kept = {name: options[name] for name in ("caption", "formula", "weights") if name in options}
    return matrix_picture(matrix, row=row, **kept)


def largest_weights_table(weights: Tensor, *, query: int) -> str:
    """Draw the eight largest weights of one query, and what the other keys have together.

    Parameters
    ----------
    weights : Tensor, shape (n_k,)
    query : int
        Its index, for the caption.

    Returns
    -------
    str
        One table, largest weight first.
    """
    order = weights.argsort(descending=True, stable=True)
    count = min(MOST_WEIGHTS, len(order))
    largest = order[:count].tolist()
    return bars_table(
        [f"k{index}" for index in largest],
        weights[largest],
        caption=f"query {query}",
        note=f": its {count} largest weights",
        heads=("key", "weight"),
        rest=(f"other {len(order) - count}", weights[order[count:]].sum().item()),
    )


# --- lists --------------------------------------------------------------------------------------


def bars_table(
    names: Sequence[str],
    shares: Tensor,
    *,
    caption: str,
    note: str = "",
    heads: tuple[str, str],
    rest: tuple[str, float] | None = None,
) -> str:
    """Draw numbers from 0 to 1 with a bar each.

    Parameters
    ----------
    names : sequence of str
    shares : Tensor, shape (n,)
        One for each name.
    caption, note : str
        A name in bold, and what stands beside it.
    heads : (str, str)
        What stands above the names, and above the numbers.
    rest : (name, number), optional
        A last row, without a bar.

    Returns
    -------
    str
        One table.
    """
    rows = [
        [row_head(name), weight_cell(share), bar_cell(share)]
        for name, share in zip(names, shares.tolist(), strict=True)
    ]
    if rest:
        rows.append([row_head(rest[0]), cell(format_weight(rest[1])), cell()])
    return table(title(caption, note), [*map(head, heads), head("0 … 1", "alab-bar")], rows)


def list_table(
    rows: Sequence[tuple[str, Sequence[str]]], *, caption: str, heads: Sequence[str]
) -> str:
    """Draw a list whose rows are good, bad, or open.

    Parameters
    ----------
    rows : sequence of (mark, texts)
        The mark is "good", "bad" or "open"; a text in backquotes is code.
    caption : str
    heads : sequence of str
        What stands above each text.

    Returns
    -------
    str
        One table. The mark is a sign of its own column, not only a colour.
    """
    lines = []
    for mark, texts in rows:
        sign, *colors = MARKS[mark]
        style = (
            f'class="alab-text" style="background:{colors[0]};color:{colors[1]};text-align:left"'
        )
        cells = [f'<td {style} aria-label="{mark}">{sign}</td>']
        for text in texts:
            written = escaped(text.strip("`"))
            cells.append(
                f"<td {style}>{f'<code>{written}</code>' if text[:1] == '`' else written}</td>"
            )
        lines.append(cells)
    return table(title(caption), [cell(), *(head(each, "alab-text") for each in heads)], lines)


def side_by_side(*parts: str) -> str:
    """Put pictures next to each other; they wrap when space is short."""
    # The inline style is for a reader that strips <style>.
    cells = "".join(f'<div style="{BESIDE}">{part}</div>' for part in parts)
    return f'<div class="alab">{cells}</div>'
