"""The pictures of `WeightsExplorer`: from scores to weights, and kernel regression."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from attention_lab.pictures.formulas import power, sum_of
from attention_lab.pictures.style import (
    ACCENT,
    DARK,
    exponent,
    format_number,
    format_weight,
)
from attention_lab.pictures.svg import Axes, image, text
from attention_lab.pictures.tables import (
    bar_cell,
    cell,
    head,
    row_head,
    table,
    title,
    weight_cell,
)

__all__ = ["FIXED", "kernel_regression", "weights_table"]

# Columns keep their width while their numbers change: wide enough for >0.999 and −1000.125, and
# the third one for a usual head, exp(score / 0.123); there is room for a second line of it. A full
# bar is as wide as its column. For a live page, once.
FIXED = """<style>
.alab table.alab-steps td:nth-child(-n+4){min-width:5.6em}
.alab table.alab-steps td:nth-child(3){min-width:11.5em}
.alab table.alab-steps th:nth-child(3){white-space:normal;max-width:11.5em}
.alab table.alab-steps thead th{height:3em;vertical-align:bottom}
.alab table.alab-steps td.alab-bar{font-size:10px}
.alab table.alab-map td{min-width:4em}
</style>"""


def weights_table(
    scores: Tensor,
    weights: Tensor,
    *,
    keys: Sequence[str],
    temperature: float = 1.0,
    caption: str = "one query",
    made: Sequence[str] = (),
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
    made : sequence of str
        How each score was made, as HTML, if it was not typed.

    Returns
    -------
    str
        One table; its last row holds the sums. On a page with `FIXED` its columns do not move
        while numbers change. Exponentials and weights say how they were made.
    """
    name, scaled = exponent(scores, temperature)
    powers = scaled.exp()
    total = powers.sum().item()
    all_powers = sum_of([power(each) for each in scaled.tolist()])
    rows = []
    columns = (keys, scores.tolist(), scaled.tolist(), powers.tolist(), weights.tolist())
    for k, (key, score, x, exponential, weight) in enumerate(zip(*columns, strict=True)):
        share = f"{format_number(exponential)} / {format_number(total)} = {format_weight(weight)}"
        rows.append(
            [
                row_head(key),
                cell(format_number(score), "", made[k] if made else "", is_first=k == 0),
                cell(
                    format_number(exponential), "", f"{power(x)} = {format_number(exponential)}",
                    is_first=k == 0 and not made,
                ),
                weight_cell(weight, why=f"{power(x)} / ({all_powers}) = {share}", is_first=False),
                bar_cell(weight),
            ]
        )  # fmt: skip
    sums = "", format_number(total)  # a sum of scores means nothing
    rows.append([row_head("sum"), *map(cell, (*sums, format_weight(weights.sum().item()), ""))])
    heads = [*map(head, ("key", "score", name, "weight")), head("0 … 1", "alab-bar")]
    return table(title(caption, ": scores → exp → weights"), heads, rows, kind="alab-steps")


def kernel_regression(
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
    y_low = min(values.min().item(), estimate.min().item())
    y_high = max(values.max().item(), estimate.max().item())
    y_span = (y_high - y_low) or 1.0
    axes = Axes(
        (grid.min().item(), grid.max().item()), (y_low, y_low + y_span),
        width=460, height=300, left=44, right=14, top=22, bottom=40,
    )  # fmt: skip
    output = float(weights @ values)
    middle = axes.foot / 2
    parts = [
        axes.x_line(axes.width - 8),
        axes.y_line(10),
        text((axes.left + axes.width) / 2, axes.height - 6, "key, query"),
        text(12, middle, "value, output",
             f'text-anchor="middle" transform="rotate(-90 12 {middle})"'),
        *(axes.y_tick(y, format_number(round(y, 1))) for y in (y_low, y_high)),
        f'<line x1="{axes.across(query)}" y1="10" x2="{axes.across(query)}" y2="{axes.foot}" '
        f'stroke="{ACCENT}" stroke-dasharray="4 3"/>',
        axes.path(grid.tolist(), estimate.tolist(), 'stroke="#7a8794" stroke-width="2"'),
    ]  # fmt: skip
    for x, y, weight in zip(keys.tolist(), values.tolist(), weights.tolist(), strict=True):
        radius = 3 + 11 * math.sqrt(weight)
        parts.append(
            f'<circle cx="{axes.across(x)}" cy="{axes.up(y)}" r="{radius:.1f}" fill="{DARK}" '
            'fill-opacity="0.85"/>'
        )
        parts.append(axes.x_tick(x, format_number(x), drop=15))
    parts.append(
        f'<rect x="{axes.across(query) - 6}" y="{axes.up(output) - 6}" width="12" height="12" '
        f'fill="{ACCENT}" stroke="#ffffff" stroke-width="2"/>'
    )
    alternative = f"query {format_number(query)} gets the output {format_number(output)}"
    return image(parts, alternative, axes.width, axes.height)
