"""The pictures of `WeightedSumExplorer`: the values in the plane, and the sum term by term."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from attention_lab.pictures.geometry import convex_hull
from attention_lab.pictures.style import format_number, format_weight
from attention_lab.pictures.svg import image
from attention_lab.pictures.tables import bar_cell, cell, head, row_head, table, title, weight_cell

__all__ = ["plane", "terms_table"]


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
    rows = [
        [row_head(key), weight_cell(weight.item()), cell(_vector(value)), cell(_vector(term)),
         bar_cell(term.norm().item() / largest if largest else 0)]
        for key, weight, value, term in zip(keys, weights, values, terms, strict=True)
    ]  # fmt: skip
    total = f"<b>{_vector(terms.sum(dim=0))}</b>"
    sums = format_weight(weights.sum().item()), "", total, ""
    rows.append([row_head("sum"), *map(cell, sums)])
    heads = [head(each) for each in ("", "weight", "value", "weight × value")]
    heads.append(head("size of the term", "alab-bar"))
    return table(title("output", " = sum of weight × value"), heads, rows)


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
    return image(parts, alternative, width, height, font_size=13)


def _vector(vector: Tensor) -> str:
    return "[" + ", ".join(format_number(number) for number in vector.tolist()) + "]"
