"""The pictures of `WeightedSumExplorer`: the values in the plane, and the sum term by term."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from torch import Tensor

from attention_lab.pictures.formulas import bracketed, power, sum_of
from attention_lab.pictures.geometry import convex_hull
from attention_lab.pictures.style import ACCENT, DARK, format_number, format_weight
from attention_lab.pictures.svg import Axes, image
from attention_lab.pictures.tables import bar_cell, cell, head, row_head, table, title, weight_cell

__all__ = ["FIXED", "plane", "terms_table"]

# Columns keep their width while their numbers change: wide enough for >0.999 and [−10.125, 3.5]. A
# full bar is as wide as its column. For a live page, once.
FIXED = """<style>
.alab table.alab-terms td:nth-child(2){min-width:5.5em}
.alab table.alab-terms :is(td:nth-child(3),td:nth-child(4)){min-width:10.8em}
.alab table.alab-terms td.alab-bar{font-size:10px}
.alab table.alab-terms tr:last-child td:nth-child(4){font-weight:700}
</style>"""


def terms_table(
    weights: Tensor, values: Tensor, *, keys: Sequence[str], scores: Tensor | None = None
) -> str:
    """Draw a weighted sum term by term.

    Parameters
    ----------
    weights : Tensor, shape (n_k,)
    values : Tensor, shape (n_k, d_v)
    keys : sequence of str
        A label for each value.
    scores : Tensor, shape (n_k,), optional
        Whose softmax the weights are, if they were not typed.

    Returns
    -------
    str
        One table: a row for each term ``weight × value``, and the sums; numbers say how they were
        made. On a page with `FIXED` its columns do not move while numbers change; the longest bar
        is as long as the longest value.
    """
    terms = weights.unsqueeze(-1) * values  # (n_k, d_v)
    # not by the longest term: then every bar would move with every weight
    longest = values.norm(dim=-1).max().item() or 1.0
    powers = [] if scores is None else [power(score) for score in scores.tolist()]
    rows = []
    for k, (key, value, term) in enumerate(zip(keys, values, terms, strict=True)):
        weight = weights[k].item()
        written = format_weight(weight)
        made = f"{powers[k]} / ({sum_of(powers)}) = {written}" if powers else ""
        product = f"{written} × {_vector(value)} = {_vector(term)}"
        rows.append(
            [
                row_head(key),
                weight_cell(weight, why=made, is_first=k == 0),
                cell(_vector(value)),
                cell(_vector(term), "", product, is_first=k == 0 and not made),
                bar_cell(term.norm().item() / longest),
            ]
        )
    each = [
        f"{sum_of([bracketed(x) for x in column.tolist()])} = {format_number(column.sum().item())}"
        for column in terms.T
    ]
    total = cell(_vector(terms.sum(dim=0)), "", "; ".join(each), is_first=False)
    rows.append([row_head("sum"), cell(format_weight(weights.sum().item())), cell(), total, cell()])
    heads = [head(each) for each in ("", "weight", "value", "weight × value")]
    heads.append(head("length of the term", "alab-bar"))
    return table(title("output", " = sum of weight × value"), heads, rows, kind="alab-terms")


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
        One ``<img>`` of 360 × 300 pixels with an alternative text. Its axes follow the values, in
        whole steps, and never the output: where that lies beyond the frame, an arrow at the edge
        points to it.
    """
    output = weights @ values
    axes = _frame(values)
    corners = " ".join(f"{x},{y}" for x, y in (_at(axes, values[i]) for i in convex_hull(values)))
    parts = [
        *_grid(axes, values),
        f'<polygon points="{corners}" fill="#e8edf3" stroke="#5b6b7b" stroke-dasharray="4 3"/>',
    ]
    end_x, end_y, is_beyond = _held(axes, *_at(axes, output))
    for label, weight, value in zip(keys, weights.tolist(), values, strict=True):
        x, y = _at(axes, value)
        thick = 0.5 + 5 * min(1.0, abs(weight))
        radius = 4 + 8 * math.sqrt(min(1.0, abs(weight)))
        parts.append(
            f'<line x1="{x}" y1="{y}" x2="{end_x}" y2="{end_y}" stroke="#7a8794" '
            f'stroke-width="{thick:.1f}" stroke-opacity="0.5"/>'
            f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="{DARK}"/>'
            f'<text x="{x}" y="{y - 15}" text-anchor="middle" {HALO}>{html.escape(label)}</text>'
        )
    said = "output"
    if is_beyond:
        said = f"output {_vector(output)}"
        up, across = end_y - HEIGHT / 2, end_x - WIDTH / 2
        turn = math.degrees(math.atan2(up, across))
        move = f'transform="translate({end_x} {end_y}) rotate({turn:.1f})"'
        mark = f'<path d="M10 0 L-8 -8 L-8 8 Z" {move}'
    else:
        mark = f'<rect x="{end_x - 6:.1f}" y="{end_y - 6:.1f}" width="12" height="12"'
    # beside the square: above and below it are the values that it lies near to
    side = -1 if end_x > WIDTH - 80 else 1
    anchor = "start" if side > 0 else "end"
    parts.append(
        f'{mark} fill="{ACCENT}" stroke="#ffffff" stroke-width="2"/>'
        f'<text x="{end_x + 13 * side:.1f}" y="{end_y + 5:.1f}" text-anchor="{anchor}" '
        f'font-weight="bold" {HALO}>'
        f"{html.escape(said)}</text>"
    )
    alternative = f"{len(keys)} values in the plane; the output lies at {_vector(output)}"
    return image(parts, alternative, WIDTH, HEIGHT, font_size=13)


WIDTH, HEIGHT = 360, 300
HALO = 'stroke="#ffffff" stroke-width="3" paint-order="stroke"'


def _frame(values: Tensor) -> Axes:
    """Return axes of one scale around the values, whose ends are whole steps."""
    low, high = values.amin(dim=0), values.amax(dim=0)
    step = _step(values)
    middle = [round(x / step) * step for x in ((low + high) / 2).tolist()]
    left, right, top, bottom = 58, 12, 12, 28
    width, height = WIDTH - left - right, HEIGHT - top - bottom
    # half of what is seen, in steps: the larger need decides, for both axes
    need = max(
        max(abs(edge - at) for edge in edges) / side
        for edges, at, side in zip(zip(low.tolist(), high.tolist(), strict=True), middle,
                                   (width, height), strict=True)
    )  # fmt: skip
    reach = (math.floor(need * height / step + 1e-9) + 1) * step
    ends = [(at - reach * side / height, at + reach * side / height)
            for at, side in zip(middle, (width, height), strict=True)]  # fmt: skip
    return Axes(*ends, width=WIDTH, height=HEIGHT, left=left, right=right, top=top, bottom=bottom)


def _step(values: Tensor) -> float:
    """Return 1, 2 or 5 times a power of ten: about a fifth of what the values span."""
    span = (values.amax(dim=0) - values.amin(dim=0)).max().item()
    rough = max(span, values.abs().max().item() * 1e-6, 1e-9 if span else 1.0) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(each for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9))


def _grid(axes: Axes, values: Tensor) -> list[str]:
    """Draw both axes, with a number at every step."""
    step = _step(values)
    parts = [axes.x_line(axes.width - axes.right), axes.y_line(axes.top)]
    for (low, high), tick in ((axes.x, axes.x_tick), (axes.y, axes.y_tick)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        stride = 1 + (last - first) // 8
        parts += [tick(k * step, format_number(k * step)) for k in range(first, last + 1, stride)]
    return parts


def _at(axes: Axes, point: Tensor) -> tuple[float, float]:
    x, y = point.tolist()
    return axes.across(x), axes.up(y)


def _held(axes: Axes, x: float, y: float) -> tuple[float, float, bool]:
    """Return a point moved to the edge of the frame if it lies beyond, and whether it does."""
    held_x = min(max(x, axes.left), axes.width - axes.right)
    held_y = min(max(y, axes.top), axes.foot)
    return held_x, held_y, (held_x, held_y) != (x, y)


def _vector(vector: Tensor) -> str:
    return "[" + ", ".join(format_number(number) for number in vector.tolist()) + "]"
