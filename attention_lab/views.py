"""HTML pictures as pure functions: tensors in, a string out.

They are what the widgets show, and what a notebook shows that was opened but not run. Every
picture is a real table with a caption and headers, the numbers are in the cells, and colour
only repeats them. Cells set both of their colours, so that a dark theme changes neither.
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from attention_lab.attention import AttentionSteps
from attention_lab.style import (
    color_range,
    format_number,
    format_weight,
    labels,
    palette,
    shade,
    shades,
)

__all__ = [
    "bars_table",
    "block_diagram",
    "convex_hull",
    "curve",
    "explain",
    "exponent",
    "histogram",
    "largest_weights_table",
    "lines",
    "list_table",
    "matrix_picture",
    "matrix_table",
    "matrix_view",
    "message",
    "plane",
    "side_by_side",
    "steps_tables",
    "terms_table",
    "weights_table",
]

Cell = tuple[int, int]

# Up to here a matrix is a table with its numbers; a larger one is a picture. Five tables with
# more rows would not fit on a screen, and an edit would show its effect out of sight.
MOST_CELLS = 16  # on either axis
DENSE = 8  # a table with more rows or columns than this gets small print
MOST_PIXELS = 256  # a picture with more on either axis is pooled
MOST_TERMS = 8  # an explanation writes a longer sum with an ellipsis

# Only what cannot stand in the cell: a reader that strips <style> still gets table and colours.
CSS = """<style>
.alab{display:flex;flex-wrap:wrap;align-items:flex-start;overflow-x:auto}
.alab table{border-collapse:separate;border-spacing:2px;margin:0;table-layout:auto;
font-size:13px;line-height:1.3;width:auto;border:0}
.alab caption{caption-side:top;text-align:left;padding:2px;color:inherit;font-size:13px;
white-space:nowrap}
.alab tr,.alab tr:nth-child(n),.alab tr:hover{background:transparent}
.alab table th,.alab table td{padding:3px 4px;text-align:right;border:2px solid transparent;
min-width:2em;max-width:none;vertical-align:middle;white-space:nowrap;font-variant-numeric:tabular-nums}
.alab table th,.alab table thead td{font-weight:600;min-width:0}
.alab table td.alab-hidden{border:2px dashed #767676}
.alab table td.alab-related{border:2px solid #d55e00}
.alab table td.alab-chosen{border:2px solid #d55e00;outline:2px solid #d55e00;font-weight:700}
.alab table td.alab-text,.alab table th.alab-text{text-align:left;min-width:0;
white-space:normal;max-width:34em}
.alab table td.alab-text code{background:transparent;color:inherit;padding:0;font-size:12px}
.alab table td.alab-bar,.alab table th.alab-bar{text-align:left;min-width:164px}
.alab table.alab-dense{font-size:10px;border-spacing:0}
.alab table.alab-dense td,.alab table.alab-dense th{padding:1px 2px;border-width:1px;min-width:0}
.alab-picture{position:relative;border:1px solid #767676;line-height:0}
.alab-picture img{image-rendering:pixelated;width:100%;height:100%}
.alab-row{position:absolute;left:0;right:0;outline:2px solid #d55e00}
.alab-note{margin:2px 0;line-height:1.5}
.alab img{max-width:100%;height:auto;background:#ffffff}
</style>"""


BESIDE = "display:inline-block;vertical-align:top;margin:0 10px 8px 0"


def matrix_table(
    matrix: Tensor,
    *,
    caption: str,
    rows: Sequence[str],
    columns: Sequence[str],
    formula: str = "",
    weights: bool = False,
    row_sums: bool = False,
    column_sums: bool = False,
    chosen: Cell | None = None,
    related: Collection[Cell] = (),
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
        Colour on the fixed scale 0..1 and 3 decimals. Otherwise the scale runs from the
        smallest to the largest finite number.
    row_sums, column_sums : bool
        Add a column, or a row, with the sums.
    chosen, related : cells (row, column)
        Outlined: the cell that is explained, and those it is made of.

    Returns
    -------
    str
        One ``<table>``.
    """
    write = format_weight if weights else format_number
    low, high = color_range(matrix, weights=weights)
    colors = palette()
    size = f"({len(rows)} × {len(columns)})"
    dense = ' class="alab-dense"' if max(matrix.shape) > DENSE else ""
    parts = [
        f"<table{dense}><caption><b>{html.escape(caption)}</b> {size}"
        f"{'<br>' if formula else ''}{html.escape(formula)}</caption><thead><tr><td></td>"
    ]
    parts += [f'<th scope="col">{html.escape(label)}</th>' for label in columns]
    parts.append('<th scope="col">sum</th>' if row_sums else "")
    parts.append("</tr></thead><tbody>")
    numbers, places = matrix.tolist(), shades(matrix, low, high).tolist()
    for i, (label, row) in enumerate(zip(rows, numbers, strict=True)):
        parts.append(f'<tr><th scope="row">{html.escape(label)}</th>')
        for j, number in enumerate(row):
            marks = []
            if number == -math.inf:
                background, text = "#ffffff", "#000000"
                marks.append("alab-hidden")
            else:
                background, text = colors[places[i][j]]
            if (i, j) == chosen:
                marks.append("alab-chosen")
            elif (i, j) in related:
                marks.append("alab-related")
            mark = f' class="{" ".join(marks)}"' if marks else ""
            parts.append(
                f'<td{mark} style="background:{background};color:{text}">{write(number)}</td>'
            )
        parts.append(f"<td>{write(sum(row))}</td></tr>" if row_sums else "</tr>")
    if column_sums:
        parts.append('<tr><th scope="row">sum</th>')
        parts += [f"<td>{write(sum(column))}</td>" for column in zip(*numbers, strict=True)]
        parts.append("</tr>")
    parts.append("</tbody></table>")
    return "".join(parts)


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
        ``-inf`` is white, nan grey.
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
    colors = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c, _ in palette()], np.uint8)
    rgb = colors[shades(pixels, low, high).numpy()]
    rgb[(pixels == -math.inf).numpy()] = 255
    rgb[pixels.isnan().numpy()] = 128
    png = io.BytesIO()
    Image.fromarray(rgb).save(png, format="png", compress_level=1)

    size = f"({n_rows} × {n_columns})"
    ends = f"dark {format_number(low)}, light {format_number(high)}"
    if (matrix == -math.inf).any():
        ends += ", white hidden"
    if block > 1:
        ends += f"; a pixel is the largest of {block} × {block}"
    marked = "" if row is None else f"; row {row} is outlined"
    cell = side / max(n_rows, n_columns)
    width, height = (max(round(cell * count), 48) for count in (n_columns, n_rows))
    frame = ""
    if row is not None:
        thick = max(height / n_rows, 1)
        frame = f'<div class="alab-row" style="top:{row * height / n_rows:.1f}px;height:{thick}px">'
        frame += "</div>"
    return (
        f"<div><b>{html.escape(caption)}</b> {size}"
        f"{'<br>' if formula else ''}{html.escape(formula)}</div>"
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


def largest_weights_table(weights: Tensor, *, query: int, count: int = MOST_TERMS) -> str:
    """Draw the largest weights of one query, and what the other keys have together.

    Parameters
    ----------
    weights : Tensor, shape (n_k,)
    query : int
        Its index, for the caption.
    count : int
        How many keys are shown.

    Returns
    -------
    str
        One table, largest weight first.
    """
    order = weights.argsort(descending=True, stable=True)
    count = min(count, len(order))
    largest = order[:count].tolist()
    return bars_table(
        [f"k{index}" for index in largest],
        weights[largest],
        caption=f"<b>query {query}</b>: its {count} largest weights",
        heads=("key", "weight"),
        rest=(f"other {len(order) - count}", weights[order[count:]].sum().item()),
    )


def bars_table(
    names: Sequence[str],
    shares: Tensor,
    *,
    caption: str,
    heads: tuple[str, str],
    rest: tuple[str, float] | None = None,
) -> str:
    """Draw numbers from 0 to 1 with a bar each.

    Parameters
    ----------
    names : sequence of str
    shares : Tensor, shape (n,)
        One for each name.
    caption : str
        HTML.
    heads : (str, str)
        What stands above the names, and above the numbers.
    rest : (name, number), optional
        A last row, without a bar.

    Returns
    -------
    str
        One table.
    """
    colors = palette()
    parts = [
        f"<table><caption>{caption}</caption><thead><tr>",
        *(f'<th scope="col">{html.escape(head)}</th>' for head in heads),
        '<th scope="col" class="alab-bar">0 … 1</th></tr></thead><tbody>',
    ]
    for name, share in zip(names, shares.tolist(), strict=True):
        background, text = colors[shade(share, 0, 1)]
        parts.append(
            f'<tr><th scope="row">{html.escape(name)}</th>'
            f'<td style="background:{background};color:{text}">{format_weight(share)}</td>'
            f'<td class="alab-bar" style="background:#ffffff;color:#000000">{_bar(share)}</td>'
            "</tr>"
        )
    if rest:
        parts.append(
            f'<tr><th scope="row">{html.escape(rest[0])}</th><td>{format_weight(rest[1])}</td>'
            "<td></td></tr>"
        )
    parts.append("</tbody></table>")
    return "".join(parts)


# mark: (sign, background, text)
MARKS = {
    "good": ("✓", "#e6f4ea", "#0b3d1c"),
    "bad": ("✗", "#fff4e5", "#5c2b00"),
    "open": ("○", "#eef1f5", "#1f2933"),
}


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
    parts = [f"<table><caption><b>{html.escape(caption)}</b></caption><thead><tr><td></td>"]
    parts += [f'<th scope="col" class="alab-text">{html.escape(head)}</th>' for head in heads]
    parts.append("</tr></thead><tbody>")
    for mark, texts in rows:
        sign, background, ink = MARKS[mark]
        style = f'class="alab-text" style="background:{background};color:{ink}"'
        parts.append(f'<tr><td {style} aria-label="{mark}">{sign}</td>')
        for text in texts:
            written = html.escape(text.strip("`"))
            if text.startswith("`"):
                written = f"<code>{written}</code>"
            parts.append(f"<td {style}>{written}</td>")
        parts.append("</tr>")
    parts.append("</tbody></table>")
    return "".join(parts)


def side_by_side(*parts: str) -> str:
    """Put tables next to each other, with the style they share; they wrap when space is short."""
    # The inline style is for a reader that strips <style>.
    cells = "".join(f'<div style="{BESIDE}">{part}</div>' for part in parts)
    return f'{CSS}<div class="alab">{cells}</div>'


def message(text: str, *, problem: bool = False) -> str:
    """Write one line for the status of a widget; a problem says so in words, not by colour."""
    if not text:
        return ""
    if problem:
        return (
            '<div role="status" class="alab-note" style="background:#fff4e5;color:#5c2b00;'
            'border-left:4px solid #d55e00;padding:4px 8px"><b>Not used:</b> '
            f"{html.escape(text)}</div>"
        )
    return f'<div role="status" class="alab-note">{html.escape(text)}</div>'


STEP_NAMES = ("scores", "scaled", "masked", "weights", "output")


def steps_tables(
    steps: AttentionSteps,
    *,
    rows: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    chosen: tuple[str, int, int] | None = None,
    formulas: bool = True,
) -> str:
    """Draw the five steps of attention next to each other.

    With more than 16 queries or keys the steps are pictures, and a table shows the largest
    weights of the chosen query.

    Parameters
    ----------
    steps : AttentionSteps
        Of one head: (n_q, n_k) and (n_q, d_v). A step that is None is left out.
    rows, keys : sequence of str, optional
        Labels of the queries and of the keys.
    chosen : (step name, row, column), optional
        This cell is outlined, with the cells it was made of.
    formulas : bool
        Say under each name how `attention` makes this step; not for the steps of a function
        that may do something else.

    Returns
    -------
    str
        HTML.
    """
    made_by = {
        "scores": "Q Kᵀ",
        "scaled": "scores × scale",
        "masked": "−∞ where hidden",
        "weights": "softmax of each row",
        "output": "weights × V",
    }
    n_q = next(step for step in steps if step is not None).shape[0]
    rows = rows or labels("q", n_q)
    parts = []
    for name in STEP_NAMES:
        step = getattr(steps, name)
        if step is None:
            continue
        is_output = name == "output"
        columns = labels("d", step.shape[1]) if is_output else keys or labels("k", step.shape[1])
        parts.append(
            matrix_view(
                step,
                caption=name,
                formula=made_by[name] if formulas else "",
                rows=rows,
                columns=columns,
                weights=name == "weights",
                row_sums=not is_output,
                chosen=chosen[1:] if chosen and chosen[0] == name else None,
                related=_made_of(name, chosen, step.shape) if chosen else (),
                row=chosen[1] if chosen else None,
            )
        )
    if steps.weights is not None and max(steps.weights.shape) > MOST_CELLS:
        query = chosen[1] if chosen else 0
        parts.append(largest_weights_table(steps.weights[query], query=query))
    return side_by_side(*parts)


def _made_of(name: str, chosen: tuple[str, int, int], shape: torch.Size) -> set[Cell]:
    """Return the cells of step ``name`` that the chosen cell of a later step is made of."""
    step, row, column = chosen
    whole_row = {(row, j) for j in range(shape[1])}
    sources = {
        ("scaled", "scores"): {(row, column)},
        ("masked", "scaled"): {(row, column)},
        ("weights", "masked"): whole_row,
        ("output", "weights"): whole_row,
    }
    return sources.get((step, name), set())


def explain(
    query: Tensor, key: Tensor, value: Tensor, steps: AttentionSteps, cell: tuple[str, int, int]
) -> str:
    """Say in one line which numbers made a cell.

    Parameters
    ----------
    query, key, value : Tensor, shapes (n_q, d_k), (n_k, d_k), (n_k, d_v)
    steps : AttentionSteps
        Of these inputs.
    cell : (step name, row, column)

    Returns
    -------
    str
        For example ``weights[1, 2] = e^12 / (e^8 + e^10 + e^12) = 0.867``.

    Raises
    ------
    ValueError
        There is no such cell.
    """
    step, i, j = cell
    if step not in STEP_NAMES:
        raise ValueError(f"{step!r} is no step of attention; the steps are {STEP_NAMES}")
    shown = getattr(steps, step)
    if not (0 <= i < shown.shape[0] and 0 <= j < shown.shape[1]):
        raise ValueError(
            f"{step}[{i}, {j}] does not exist: {step} has {shown.shape[0]} rows and "
            f"{shown.shape[1]} columns, counted from 0"
        )
    name = f"{step}[{i}, {j}]"
    number = shown[i, j].item()
    written = format_number(number)
    if step == "scores":
        return f"{name} = q{i} · k{j} = {_sum_of_products(query[i], key[j])} = {written}"
    if step == "output":
        terms = _sum_of_products(steps.weights[i], value[:, j], first=format_weight)
        return f"{name} = {terms} = {written}"
    score = steps.scores[i, j].item()
    if step == "scaled":
        factor = number / score if score else None
        if factor is None:
            return f"{name} = scores[{i}, {j}] × scale = 0"
        return (
            f"{name} = scores[{i}, {j}] × scale = {format_number(score)} × {format_number(factor)} "
            f"= {written}"
        )
    scaled = steps.scaled[i, j].item()
    if step == "masked":
        if number == -math.inf:
            return f"{name} = −∞: query {i} may not attend to key {j}"
        if number == scaled:
            return f"{name} = scaled[{i}, {j}] = {written}: query {i} may attend to key {j}"
        return f"{name} = scaled[{i}, {j}] + mask = {written}"
    row = steps.masked[i].tolist()
    seen = [entry for entry in row if entry != -math.inf]
    if not seen:
        return f"{name} = 0: every key of query {i} is hidden"
    if row[j] == -math.inf:
        return f"{name} = 0: e^−∞ is exactly 0, key {j} is hidden"
    powers = _sum([f"e^{format_number(entry)}" for entry in seen])
    return f"{name} = e^{format_number(row[j])} / ({powers}) = {format_weight(number)}"


def _sum_of_products(left: Tensor, right: Tensor, first=format_number) -> str:
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    return _sum([f"{first(a)}×{_bracketed(b)}" for a, b in pairs])


def _sum(terms: Sequence[str]) -> str:
    if len(terms) > MOST_TERMS:
        return f"{' + '.join(terms[:3])} + … ({len(terms)} terms)"
    return " + ".join(terms)


def _bracketed(number: float) -> str:
    return f"({format_number(number)})" if number < 0 else format_number(number)


def weights_table(
    scores: Tensor,
    weights: Tensor,
    *,
    keys: Sequence[str],
    temperature: float = 1.0,
    caption: str = "one query",
) -> str:
    """Draw one row of scores on its way to weights: score, exponential, weight, bar.

    Parameters
    ----------
    scores, weights : Tensor, shape (n_k,)
        ``weights = softmax(scores / temperature)``.
    keys : sequence of str
        A label for each key.
    temperature : float
        What the scores are divided by before the exponential.
    caption : str
        Whose scores these are.

    Returns
    -------
    str
        One table; its last row holds the sums.
    """
    power, scaled = exponent(scores, temperature)
    powers = scaled.exp()
    colors = palette()
    parts = [
        f"<table><caption><b>{html.escape(caption)}</b>: scores → exp → weights</caption>"
        "<thead><tr>"
        '<th scope="col">key</th><th scope="col">score</th>'
        f'<th scope="col">{power}</th><th scope="col">weight</th>'
        '<th scope="col" class="alab-bar">0 … 1</th></tr></thead><tbody>'
    ]
    rows = zip(keys, scores.tolist(), powers.tolist(), weights.tolist(), strict=True)
    for label, score, exponential, weight in rows:
        background, text = colors[shade(weight, 0, 1)]
        parts.append(
            f'<tr><th scope="row">{html.escape(label)}</th><td>{format_number(score)}</td>'
            f"<td>{format_number(exponential)}</td>"
            f'<td style="background:{background};color:{text}">{format_weight(weight)}</td>'
            f'<td class="alab-bar" style="background:#ffffff;color:#000000">{_bar(weight)}</td>'
            "</tr>"
        )
    total = powers.sum().item()
    parts.append(
        f'<tr><th scope="row">sum</th><td>{format_number(scores.sum().item())}</td>'
        f"<td>{format_number(total)}</td><td>{format_weight(weights.sum().item())}</td>"
        "<td></td></tr></tbody></table>"
    )
    return "".join(parts)


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


def _bar(weight: float) -> str:
    # The number stands beside it, so a screen reader may skip the bar.
    width = round(160 * max(0.0, min(1.0, weight)))
    return f'<div aria-hidden="true" style="background:#00204d;width:{width}px;height:12px"></div>'


def terms_table(weights: Tensor, values: Tensor, *, keys: Sequence[str]) -> str:
    """Draw a weighted sum term by term.

    Parameters
    ----------
    weights : Tensor, shape (n_k,)
    values : Tensor, shape (n_k, d_v)
    keys : sequence of str
        A label for each value.

    Returns
    -------
    str
        One table: a row for each term ``weight × value``, and the sums.
    """
    terms = weights.unsqueeze(-1) * values  # (n_k, d_v)
    largest = terms.norm(dim=-1).max().item()
    colors = palette()
    parts = [
        "<table><caption><b>output</b> = sum of weight × value</caption><thead><tr>"
        '<th scope="col"></th><th scope="col">weight</th><th scope="col">value</th>'
        '<th scope="col">weight × value</th><th scope="col" class="alab-bar">size of the term</th>'
        "</tr></thead><tbody>"
    ]
    for label, weight, value, term in zip(keys, weights, values, terms, strict=True):
        weight, size = weight.item(), term.norm().item()
        background, text = colors[shade(weight, 0, 1)]
        parts.append(
            f'<tr><th scope="row">{html.escape(label)}</th>'
            f'<td style="background:{background};color:{text}">{format_weight(weight)}</td>'
            f"<td>{_vector(value)}</td><td>{_vector(term)}</td>"
            f'<td class="alab-bar" style="background:#ffffff;color:#000000">'
            f"{_bar(size / largest if largest else 0)}</td></tr>"
        )
    parts.append(
        f'<tr><th scope="row">sum</th><td>{format_weight(weights.sum().item())}</td><td></td>'
        f"<td><b>{_vector(terms.sum(dim=0))}</b></td><td></td></tr></tbody></table>"
    )
    return "".join(parts)


def _vector(vector: Tensor) -> str:
    return "[" + ", ".join(format_number(number) for number in vector.tolist()) + "]"


def plane(weights: Tensor, values: Tensor, *, keys: Sequence[str]) -> str:
    """Draw values as points in the plane, their convex hull, and the weighted sum.

    Parameters
    ----------
    weights : Tensor, shape (n_k,)
    values : Tensor, shape (n_k, 2)
    keys : sequence of str
        A label for each value.

    Returns
    -------
    str
        One ``<img>`` of 360 × 300 pixels with an alternative text.
    """
    output = weights @ values
    width, height, margin = 360, 300, 34
    points = torch.cat([values, output.unsqueeze(0)])
    low, high = points.amin(dim=0), points.amax(dim=0)
    span = (high - low).max().clamp(min=1e-9).item()
    center = (low + high) / 2
    unit = min(width - 2 * margin, height - 2 * margin) / span  # one scale for both axes

    def place(point: Tensor) -> tuple[float, float]:
        x, y = ((point - center) * unit).tolist()
        return round(width / 2 + x, 1), round(height / 2 - y, 1)

    corners = " ".join(f"{x},{y}" for x, y in (place(values[i]) for i in convex_hull(values)))
    parts = [
        f'<polygon points="{corners}" fill="#e8edf3" stroke="#5b6b7b" stroke-dasharray="4 3"/>'
    ]
    end_x, end_y = place(output)
    for label, weight, value in zip(keys, weights.tolist(), values, strict=True):
        x, y = place(value)
        thick = 0.5 + 5 * min(1.0, abs(weight))
        radius = 4 + 8 * math.sqrt(min(1.0, abs(weight)))
        parts.append(
            f'<line x1="{x}" y1="{y}" x2="{end_x}" y2="{end_y}" stroke="#7a8794" '
            f'stroke-width="{thick:.1f}" stroke-opacity="0.5"/>'
            f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="#00204d"/>'
            f'<text x="{x}" y="{y - radius - 4:.1f}" text-anchor="middle" stroke="#ffffff" '
            f'stroke-width="3" paint-order="stroke">{html.escape(label)}</text>'
        )
    parts.append(
        f'<rect x="{end_x - 6:.1f}" y="{end_y - 6:.1f}" width="12" height="12" fill="#d55e00" '
        f'stroke="#ffffff" stroke-width="2"/><text x="{end_x}" y="{end_y + 22:.1f}" '
        'text-anchor="middle" font-weight="bold" stroke="#ffffff" stroke-width="3" '
        'paint-order="stroke">output</text>'
    )
    alternative = f"{len(keys)} values in the plane; the output lies at {_vector(output)}"
    return _image(parts, alternative, width, height, font_size=13)


def convex_hull(points: Tensor) -> list[int]:
    """Return the indices of the corners of the convex hull, counter-clockwise.

    Andrew's monotone chain (1979).

    Parameters
    ----------
    points : Tensor, shape (n, 2)
    """
    at = points.tolist()
    order = sorted(range(len(at)), key=lambda index: at[index])
    if len(order) < 3:
        return order

    def half(indices: Sequence[int]) -> list[int]:
        chain: list[int] = []
        for index in indices:
            while len(chain) > 1 and _turn(at[chain[-2]], at[chain[-1]], at[index]) <= 0:
                chain.pop()
            chain.append(index)
        return chain[:-1]

    return half(order) + half(order[::-1])


def _turn(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def curve(
    keys: Tensor, values: Tensor, weights: Tensor, grid: Tensor, estimate: Tensor, query: float
) -> str:
    """Draw kernel regression: the values, the weights of one query, the estimated curve.

    Parameters
    ----------
    keys, values, weights : Tensor, shape (n_k,)
    grid, estimate : Tensor, shape (n,)
        The output for every query of the grid.
    query : float
        The query that the weights belong to.

    Returns
    -------
    str
        One ``<img>`` of 460 × 300 pixels with an alternative text.
    """
    width, height, left, bottom = 460, 300, 44, 40
    x_low, x_high = grid.min().item(), grid.max().item()
    y_low = min(values.min().item(), estimate.min().item())
    y_high = max(values.max().item(), estimate.max().item())
    y_span = (y_high - y_low) or 1.0

    def across(x: float) -> float:
        return round(left + (x - x_low) / (x_high - x_low) * (width - left - 14), 1)

    def up(y: float) -> float:
        return round(height - bottom - (y - y_low) / y_span * (height - bottom - 22), 1)

    output = float(weights @ values)
    path = " ".join(
        f"{across(x)},{up(y)}" for x, y in zip(grid.tolist(), estimate.tolist(), strict=True)
    )
    parts = [
        f'<line x1="{left}" y1="{height - bottom}" x2="{width - 8}" y2="{height - bottom}" '
        'stroke="#5b6b7b"/>'
        f'<line x1="{left}" y1="10" x2="{left}" y2="{height - bottom}" stroke="#5b6b7b"/>'
        f'<text x="{(left + width) / 2}" y="{height - 6}" text-anchor="middle">key, query</text>'
        f'<text x="12" y="{(height - bottom) / 2}" text-anchor="middle" '
        f'transform="rotate(-90 12 {(height - bottom) / 2})">value, output</text>'
    ]
    for tick in (y_low, y_high):
        parts.append(
            f'<text x="{left - 5}" y="{up(tick) + 4}" text-anchor="end">'
            f"{format_number(round(tick, 1))}</text>"
        )
    parts.append(
        f'<line x1="{across(query)}" y1="10" x2="{across(query)}" y2="{height - bottom}" '
        'stroke="#d55e00" stroke-dasharray="4 3"/>'
        f'<polyline points="{path}" fill="none" stroke="#7a8794" stroke-width="2"/>'
    )
    for x, y, weight in zip(keys.tolist(), values.tolist(), weights.tolist(), strict=True):
        radius = 3 + 11 * math.sqrt(weight)
        parts.append(
            f'<circle cx="{across(x)}" cy="{up(y)}" r="{radius:.1f}" fill="#00204d" '
            'fill-opacity="0.85"/>'
            f'<text x="{across(x)}" y="{height - bottom + 15}" text-anchor="middle">'
            f"{format_number(x)}</text>"
        )
    parts.append(
        f'<rect x="{across(query) - 6}" y="{up(output) - 6}" width="12" height="12" '
        'fill="#d55e00" stroke="#ffffff" stroke-width="2"/>'
    )
    alternative = f"query {format_number(query)} gets the output {format_number(output)}"
    return _image(parts, alternative, width, height)


def histogram(sample: Tensor, *, caption: str, deviation: float) -> str:
    """Draw how numbers are spread, and the normal curve with mean 0.

    Parameters
    ----------
    sample : Tensor, shape (n,)
    caption : str
        What the numbers are.
    deviation : float
        The standard deviation of the curve.

    Returns
    -------
    str
        One ``<img>`` of 360 × 200 pixels with an alternative text.
    """
    width, height, bottom, bins = 360, 200, 34, 31
    reach = max(sample.abs().max().item(), 3 * deviation, 1e-9)
    counts = torch.histc(sample, bins, -reach, reach)
    density = counts / counts.sum() / (2 * reach / bins)
    grid = torch.linspace(-reach, reach, 121, dtype=torch.float64)
    normal = (-(grid**2) / (2 * deviation**2)).exp() / (deviation * math.sqrt(2 * math.pi))
    highest = max(density.max().item(), normal.max().item())
    room, step = height - bottom - 10, width / bins

    def up(number: float) -> float:
        return round(height - bottom - number / highest * room, 1)

    parts = []
    parts += [
        f'<rect x="{i * step + 0.5:.1f}" y="{up(number)}" width="{step - 1:.1f}" '
        f'height="{height - bottom - up(number):.1f}" fill="#aab7c4"/>'
        for i, number in enumerate(density.tolist())
    ]
    path = " ".join(
        f"{(x + reach) / (2 * reach) * width:.1f},{up(y)}"
        for x, y in zip(grid.tolist(), normal.tolist(), strict=True)
    )
    parts.append(
        f'<polyline points="{path}" fill="none" stroke="#00204d" stroke-width="2"/>'
        f'<line x1="0" y1="{height - bottom}" x2="{width}" y2="{height - bottom}" '
        'stroke="#5b6b7b"/>'
    )
    for x, anchor in ((-reach, "start"), (0.0, "middle"), (reach, "end")):
        place = (x + reach) / (2 * reach) * width
        parts.append(
            f'<text x="{place:.1f}" y="{height - bottom + 14}" text-anchor="{anchor}">'
            f"{format_number(round(x, 2))}</text>"
        )
    parts.append(
        f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">{html.escape(caption)}</text>'
    )
    alternative = f"{caption}: spread around 0, standard deviation {format_number(deviation)}"
    return _image(parts, alternative, width, height)


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
    width, height, left, bottom, top = 265, 250, 44, 36, 44
    looks = (("#00204d", ""), ("#d55e00", "6 3"), ("#5b6b7b", "2 3"), ("#009e73", "8 2 2 2"))

    xs = [x for x_, _ in curves.values() for x in x_]
    ys = [y for _, y_ in curves.values() for y in y_]
    x_low, x_span = min(xs), (max(xs) - min(xs)) or 1.0
    y_span = max(ys) or 1.0

    def across(x: float) -> float:
        return round(left + (x - x_low) / x_span * (width - left - 12), 1)

    def up(y: float) -> float:
        return round(height - bottom - y / y_span * (height - bottom - top), 1)

    parts = [
        f'<text x="{left}" y="14" font-weight="bold">{html.escape(caption)}</text>'
        f'<line x1="{left}" y1="{height - bottom}" x2="{width - 8}" y2="{height - bottom}" '
        f'stroke="#5b6b7b"/><line x1="{left}" y1="{top - 4}" x2="{left}" y2="{height - bottom}" '
        'stroke="#5b6b7b"/>'
        f'<text x="{(left + width) / 2}" y="{height - 4}" text-anchor="middle">'
        f"{html.escape(x_axis)}</text>"
    ]
    for y in (0.0, y_span):
        parts.append(
            f'<text x="{left - 5}" y="{up(y) + 4}" text-anchor="end">'
            f"{format_number(float(f'{y:.4g}'))}</text>"
        )
    for x in (x_low, x_low + x_span):
        parts.append(
            f'<text x="{across(x)}" y="{height - bottom + 14}" text-anchor="middle">'
            f"{format_number(x)}</text>"
        )
    for k, ((name, (x_, y_)), (color, dash)) in enumerate(zip(curves.items(), looks, strict=False)):
        path = " ".join(f"{across(x)},{up(y)}" for x, y in zip(x_, y_, strict=True))
        stroke = f'stroke="{color}" stroke-width="2" stroke-dasharray="{dash}"'
        at = left + 4 + 110 * (k % 2)
        parts.append(
            f'<polyline points="{path}" fill="none" {stroke}/>'
            f'<line x1="{at}" y1="{24 + 13 * (k // 2)}" x2="{at + 24}" '
            f'y2="{24 + 13 * (k // 2)}" {stroke}/>'
            f'<text x="{at + 29}" y="{28 + 13 * (k // 2)}">{html.escape(name)}</text>'
        )
    ends = "; ".join(f"{name} ends at {format_number(y[-1])}" for name, (_, y) in curves.items())
    return _image(parts, f"{caption}: {ends}", width, height)


def block_diagram(without: Collection[str]) -> str:
    """Draw an encoder layer and a decoder layer, and which of their parts are missing.

    Parameters
    ----------
    without : collection of str
        Of "residual", "norm", "feed_forward", "output", "places", "causal".

    Returns
    -------
    str
        One ``<img>`` of 350 × 380 pixels with an alternative text.
    """
    width, height, box_width = 350, 380, 142
    encoder, decoder = 14, 200  # left edges of the boxes
    parts = []

    def text(x: float, y: float, said: str, ink: str = "#000000", look: str = "") -> None:
        parts.append(
            f'<text x="{x}" y="{y}" text-anchor="middle" fill="{ink}" {look}>{said}</text>'
        )

    def box(x: int, y: int, said: str, gone: bool = False) -> None:
        look = 'fill="#ffffff" stroke-dasharray="4 3"' if gone else 'fill="#e8edf3"'
        parts.append(
            f'<rect x="{x}" y="{y}" width="{box_width}" height="22" rx="4" {look} '
            'stroke="#5b6b7b"/>'
        )
        said = f"{said}: out" if gone else said
        text(x + box_width / 2, y + 15, said, "#5b6b7b" if gone else "#000000")

    def column(x: int, title: str, layers: Sequence[str]) -> dict[str, int]:
        middle, y, at = x + box_width // 2, height - 26, {}
        parts.append(
            f'<path d="M{middle} {y} V26" stroke="#00204d" stroke-width="2"/>'
            f'<path d="M{middle} 22 l-4 8 h8 z" fill="#00204d"/>'
        )
        box(x, y, "tokens + places" if "places" not in without else "tokens (places: out)")
        for said in layers:
            low = y - 6
            boxes = {"norm": "norm" in without, said: False, "W_O": "output" in without}
            if said == "feed-forward":  # out with its norm
                out = "feed_forward" in without
                boxes = {"norm": out or boxes["norm"], said: out}
            y -= 14
            for each, gone in boxes.items():
                y -= 25
                box(x, y, each, gone)
                at[each] = y
            y -= 12
            if "residual" not in without and not boxes.get("feed-forward"):
                parts.append(
                    f'<path d="M{middle} {low} H{x - 8} V{y} H{middle}" fill="none" '
                    'stroke="#d55e00" stroke-width="2"/>'
                    f'<circle cx="{middle}" cy="{y}" r="7" fill="#ffffff" stroke="#d55e00" '
                    'stroke-width="2"/>'
                )
                text(middle, y + 4, "+", look='font-weight="bold"')
        text(middle, 14, title, look='font-weight="bold"')
        return at

    causal = "no mask" if "causal" in without else "causal"
    column(encoder, "encoder layer", ["self-attention", "feed-forward"])
    at = column(
        decoder,
        "decoder layer",
        [f"self-attention, {causal}", "cross-attention", "feed-forward"],
    )
    end, into = encoder + box_width // 2, at["cross-attention"] + 11
    parts.append(
        f'<path d="M{end} 60 H{decoder - 20} V{into} H{decoder - 3}" fill="none" '
        'stroke="#00204d" stroke-width="2"/>'
        f'<path d="M{decoder} {into} l-7 -4 v8 z" fill="#00204d"/>'
    )
    text((end + decoder - 20) / 2, 55, "memory")
    missing = f"without {', '.join(without)}" if without else "with all parts"
    alternative = f"encoder and decoder layer, {missing}".replace("_", " ")
    return _image(parts, alternative, width, height)


def _image(
    parts: Sequence[str], alternative: str, width: int, height: int, *, font_size: int = 12
) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="{font_size}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>'
    )
    # An <img>, not an inline <svg>: it survives the sanitiser of an untrusted notebook.
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="{html.escape(alternative)}" width="{width}" height="{height}" '
        f'decoding="sync" src="data:image/svg+xml;base64,{data}">'
    )
