"""What is wanted beside what an answer gives, as small HTML tables that need no style sheet.

Colours stand in the cells, and each state has a sign of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.pictures.style import ACCENT, HATCH, LEVELS, MARKS, escaped, palette

__all__ = ["Limit", "beside", "limits_table", "mask_table", "weights_table"]

PAPER, INK = "#ffffff", "#14213d"
SEEN, HIDDEN, TOO_MANY, MISSING = "■", "·", "✗", "○"
FRAME = (
    "display:inline-table;border-collapse:collapse;margin:0 22px 6px 0;width:auto;"
    "table-layout:auto;vertical-align:top;font-size:12px;line-height:1.2"
)
HEAD = (
    "padding:0 3px;border:0;min-width:0;max-width:none;font-weight:400;text-align:center;"
    "background:transparent;font-size:10px"
)


class Limit(NamedTuple):
    """One thing that is asked of an answer: what, the wanted, and what came (None: not yet)."""

    what: str
    wanted: str
    came: str | None = None
    holds: bool = False


def _cell(text: str, background: str, ink: str, edge: str, wide: int) -> str:
    style = (
        f"padding:0;border:1px solid {edge};background:{background};color:{ink};"
        f"min-width:{wide}px;width:{wide}px;height:16px;text-align:center;font-size:11px"
    )
    return f'<td style="{style}">{text}</td>'


def _table(caption: str, cells: Sequence[Sequence[str]]) -> str:
    """Put a table together whose rows are queries and whose columns are keys."""
    heads = "".join(f'<th scope="col" style="{HEAD}">k{j}</th>' for j in range(len(cells[0])))
    rows = "".join(
        f'<tr style="background:transparent"><th scope="row" style="{HEAD}">q{i}</th>'
        f"{''.join(row)}</tr>"
        for i, row in enumerate(cells)
    )
    above = "caption-side:top;text-align:left;padding:2px 0;color:inherit;white-space:nowrap"
    heads = f'<tr style="background:transparent"><td style="{HEAD}"></td>{heads}</tr>'
    return (
        f'<table style="{FRAME}"><caption style="{above}">{caption}</caption>'
        f'<thead style="border:0">{heads}</thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def mask_table(caption: str, mask: Tensor, wanted: Tensor | None = None) -> str:
    """Draw a mask; with the wanted one each pair that differs has a sign and an edge of its own."""
    right = mask if wanted is None else wanted

    def cell(is_seen: bool, should: bool) -> str:
        if is_seen == should:
            ground = "#c7dcf2" if is_seen else PAPER
            return _cell(SEEN if is_seen else HIDDEN, ground, INK, "#9aa5b1", 17)
        return _cell(TOO_MANY if is_seen else MISSING, MARKS["bad"][1], "#5c2b00", ACCENT, 17)

    rows = zip(mask.tolist(), right.tolist(), strict=True)
    cells = [[cell(*pair) for pair in zip(*row, strict=True)] for row in rows]
    return _table(escaped(caption), cells)


def weights_table(caption: str, weights: Tensor, wanted: Tensor | None = None) -> str:
    """Draw weights with two decimals; what differs from the wanted by .005 or more has an edge."""
    right = weights if wanted is None else wanted
    colors = palette(weights=True)

    def cell(weight: float, should: float) -> str:
        edge = "#9aa5b1" if abs(weight - should) < 0.005 else ACCENT
        if weight != weight:
            return _cell("nan", "#d9d9d9", INK, ACCENT, 30)
        if weight == 0 and should == 0:
            return _cell("0", HATCH, INK, edge, 30)
        ground, ink = colors[round(max(0.0, min(1.0, weight)) * (LEVELS - 1))]
        text = f"{weight:.2f}".removeprefix("0")
        return _cell(text if edge != ACCENT else f"{text}✗", ground, ink, edge, 30)

    rows = zip(weights.tolist(), right.tolist(), strict=True)
    cells = [[cell(*pair) for pair in zip(*row, strict=True)] for row in rows]
    return _table(escaped(caption), cells)


def beside(wanted: str, came: str = "", note: str = "") -> str:
    """Put what is wanted and what came next to each other, with a line below."""
    line = f'<div style="font-size:12px;line-height:1.4">{escaped(note)}</div>' if note else ""
    return f'<div style="margin:6px 0 2px">{wanted}{came}{line}</div>'


def signs(mask: Tensor, wanted: Tensor) -> str:
    """Say what the signs of a picture mean, where one of them stands in it."""
    parts = []
    if bool((mask & ~wanted).any()):
        parts.append(f"{TOO_MANY} seen, and should not be")
    if bool((~mask & wanted).any()):
        parts.append(f"{MISSING} not seen, and should be")
    return "; ".join(parts)


def limits_table(caption: str, limits: Sequence[Limit]) -> str:
    """Draw what is asked of an answer, with what came and whether it holds."""
    text = "text-align:left;padding:2px 10px 2px 4px;border:0;white-space:normal;max-width:26em"
    rows = []
    for limit in limits:
        mark = "open" if limit.came is None else "good" if limit.holds else "bad"
        sign, ground, ink, _ = MARKS[mark]
        style = f"{text};background:{ground};color:{ink}"
        rows.append(
            f'<tr style="background:transparent"><td style="{style}" aria-label="{mark}">{sign}'
            f'</td><td style="{style}">{escaped(limit.what)}</td>'
            f'<td style="{style}">{escaped(limit.wanted)}</td>'
            f'<td style="{style}">{escaped(limit.came or "–")}</td></tr>'
        )
    heads = "".join(
        f'<th scope="col" style="{text};font-weight:600">{each}</th>'
        for each in ("", "", "wanted", "yours")
    )
    above = "caption-side:top;text-align:left;padding:2px 0;color:inherit"
    return (
        f'<table style="{FRAME}"><caption style="{above}">{escaped(caption)}</caption>'
        f'<thead style="border:0"><tr style="background:transparent">{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def differ(came: Tensor, wanted: Tensor) -> bool:
    """Whether two matrices of weights differ so that it can be seen."""
    return not bool(torch.allclose(came.double(), wanted.double(), atol=0.005))
