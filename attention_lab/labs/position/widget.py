"""Reorder tokens; see whether their outputs only move along, and what an encoding does."""

from __future__ import annotations

import re
from typing import NamedTuple

import ipywidgets
import torch
from torch import Tensor

from attention_lab.core.attention import attention
from attention_lab.core.positions import alibi_bias, rotate, sinusoidal
from attention_lab.grading.feedback import Problem
from attention_lab.pictures.formulas import sum_of_products
from attention_lab.pictures.style import color_range, format_number, labels, shade
from attention_lab.pictures.tables import cell, head, row_head, table, title
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import box, choice, count_field, row, text_field, watch
from attention_lab.ui.keys import ARROWS

__all__ = ["PositionExplorer"]

D, SHOWN, MOST = 16, 4, 8
LARGEST = 3.0  # no output that is shown is larger: the ends of the colours
ENCODINGS = ("none", "sinusoidal", "learned", "rotary", "ALiBi")
ORDERS = {
    "as they are": lambda tokens: tokens,
    "reversed": lambda tokens: tokens[::-1],
    "first to the end": lambda tokens: tokens[1:] + tokens[:1],
    "first two swapped": lambda tokens: tokens[1::-1] + tokens[2:],
}
OWN = "as typed"
# Every table has its room from the start, so that no control moves anything but numbers.
STILL = """<style>
.alab-position table{table-layout:fixed;width:236px;font-size:12px}
.alab-position .alab-map table{width:340px}
.alab-position tr>:first-child{width:44px}
.alab-position .alab-map tr>:first-child{width:24px}
.alab-position table th,.alab-position table td{height:26px;padding:0 2px;min-width:0}
</style>"""
OUTPUTS_WIDE, MAP_WIDE, HIGH = 246, 342, 336  # pixels of the screen, for 8 tokens


class PositionExplorer(LiveView):
    """Choose an encoding and an order of the tokens; compare the outputs token by token.

    Parameters
    ----------
    encoding : str
        "none", "sinusoidal", "learned", "rotary" or "ALiBi".
    order : str
        "as they are", "reversed", "first to the end" or "first two swapped".
    """

    def __init__(self, encoding: str = "none", order: str = "reversed") -> None:
        super().__init__()
        self.encoding = choice("encoding", ENCODINGS, value=encoding, width="190px")
        self.causal = box("causal mask", False, width="130px")
        self.n = count_field("tokens", 5, MOST, least=2, width="120px")
        self.order = choice("order", [*ORDERS, OWN], value=order, width="220px")
        self.typed = text_field(
            "tokens in this order", " ".join(ORDERS[order](self._tokens())), width="330px"
        )
        # one line of fixed height: what is said moves nothing
        self.status.layout.width, self.status.layout.height = "100%", "40px"
        self.children = [
            row(self.encoding, self.causal, self.n),
            row(self.order, self.typed),
            self.status,
            self.picture,
            ipywidgets.HTML(ARROWS, layout={"display": "none"}),
        ]
        self.add_class("alab-arrows")
        self.redraw()
        watch(self._write_order, self.order, self.n)
        self.typed.observe(self._own_order, names="value")
        watch(self.redraw, self.encoding, self.causal)

    def _tokens(self) -> list[str]:
        return list("abcdefgh"[: self.n.value])

    def _write_order(self, change) -> None:
        with self.one_redraw():
            if self.order.value == OWN:
                if change["owner"] is self.order or self._is_order():
                    return
                self.order.value = "as they are"  # what was typed has another number of tokens
            self.typed.value = " ".join(ORDERS[self.order.value](self._tokens()))

    def _own_order(self, _change) -> None:
        if self.holding:
            return
        with self.one_redraw():
            self.order.value = OWN

    def _is_order(self) -> bool:
        return sorted(self._letters()) == self._tokens()

    def _letters(self) -> list[str]:
        """Return what is typed, letter by letter: each token is one letter."""
        return list(re.sub(r"[\s,;]", "", self.typed.value).lower())

    def _read_order(self) -> list[int]:
        tokens = self._tokens()
        if not self._is_order():
            raise Problem(f"write each of {' '.join(tokens)} once, in any order")
        return [tokens.index(token) for token in self._letters()]

    def draw(self) -> tuple[str, str]:
        order, tokens = torch.tensor(self._read_order()), self._tokens()
        x = _tokens(self.n.value)
        before = _attend(x, self.encoding.value, self.causal.value)
        # each output beside that of the same token
        after = _attend(x[order], self.encoding.value, self.causal.value)
        back = after._replace(
            output=_back(after.output, order), weights=_back(after.weights, order)
        )
        written = " ".join(tokens[i] for i in order)
        return _picture(
            _outputs(before, before, f"order {' '.join(tokens)}", tokens),
            _outputs(back, before, f"order {written}", tokens),
            _map(self.encoding.value),
        ), _said(order, (back.output - before.output).abs().max().item())

    def twin_text(self) -> str:
        return f"PositionExplorer, encoding: {self.encoding.value}, {self.order.value}. {self.note}"


# --- what is computed ---------------------------------------------------------------------------


def _tokens(n: int) -> Tensor:
    """Return the tokens, always the same: (n, D)."""
    random = torch.Generator().manual_seed(1)
    return torch.randn(MOST, D, generator=random, dtype=torch.float64)[:n]


def _learned(n: int) -> Tensor:
    """Return learned vectors as they are before anything was learned: (n, D)."""
    random = torch.Generator().manual_seed(2)
    return torch.randn(MOST, D, generator=random, dtype=torch.float64)[:n]


class _Attended(NamedTuple):
    """What one head made of n tokens."""

    output: Tensor  # (n, D)
    weights: Tensor  # (n, n)
    value: Tensor  # (n, D)


def _back(rows: Tensor, order: Tensor) -> Tensor:
    """Return rows that were in another order in the order of the tokens."""
    back = torch.empty_like(rows)
    back[order] = rows
    return back


def _attend(x: Tensor, encoding: str, causal: bool) -> _Attended:
    """One head of attention on tokens (n, D), at the positions 0 to n - 1."""
    n, random = len(x), torch.Generator().manual_seed(3)
    w_query, w_key, w_value = torch.randn(3, D, D, generator=random, dtype=torch.float64) / D**0.5
    if encoding == "sinusoidal":
        x = x + sinusoidal(n, D).double()
    elif encoding == "learned":
        x = x + _learned(n)
    query, key, bias = x @ w_query, x @ w_key, torch.zeros(n, n, dtype=torch.float64)
    if encoding == "rotary":
        query, key = (rotate(each, torch.arange(n)) for each in (query, key))
    elif encoding == "ALiBi":
        bias = alibi_bias(8, n, n)[0].double()
    if causal:
        bias = bias.masked_fill(~torch.ones(n, n, dtype=torch.bool).tril(), -torch.inf)
    steps = attention(query, key, x @ w_value, attn_mask=bias)
    return _Attended(steps.output, steps.weights, x @ w_value)


def _similarity(encoding: str) -> tuple[Tensor | None, str]:
    """Return what an encoding says of two positions, (MOST, MOST), and what to call it."""
    if encoding == "sinusoidal":
        rows = sinusoidal(MOST, D).double()
        return rows @ rows.T, "products of two rows of sines"
    if encoding == "learned":
        return _learned(MOST) @ _learned(MOST).T, "products of two rows, before training"
    if encoding == "rotary":
        turned = rotate(torch.ones(MOST, D, dtype=torch.float64), torch.arange(MOST))
        return turned @ turned.T, "score of two equal tokens, all features 1"
    if encoding == "ALiBi":
        return alibi_bias(8, MOST, MOST)[0].double(), "bias of the first of 8 heads, slope 0.5"
    return None, "nothing is said of positions"


def _said(order: Tensor, moved: float) -> str:
    if order.tolist() == list(range(len(order))):
        return "Both orders are the same: choose another one."
    if moved < 1e-9:
        return (
            "Each token has the same output in both orders: this attention cannot tell them apart."
        )
    return (
        f"Outputs of the same token differ by up to {format_number(moved)}: this attention sees "
        "the order."
    )


# --- what is drawn ------------------------------------------------------------------------------


def _written(number: float, digits: int) -> str:
    return f"{round(number, digits) + 0.0:.{digits}f}".replace("-", "−")


def _outputs(these: _Attended, others: _Attended, caption: str, tokens: list[str]) -> str:
    """Draw the first features of the outputs; those that differ from the others are outlined."""
    differs = ((these.output - others.output).abs() > 1e-9).tolist()

    def paint(i: int, f: int, number: float) -> str:
        kind = f"alab-n{shade(number, -LARGEST, LARGEST)}"
        made = sum_of_products(these.weights[i], these.value[:, f])
        why = f"weights × values, in this order: {made} = {_written(number, 2)}"
        return cell(
            _written(number, 2),
            f"{kind} alab-related" if differs[i][f] else kind,
            why,
            is_first=i == f == 0,
        )

    rows = [
        [row_head(token), *(paint(i, f, x) for f, x in enumerate(these.output[i, :SHOWN].tolist()))]
        for i, token in enumerate(tokens)
    ]
    heads = [head("token"), *map(head, labels("d", SHOWN))]
    note = f"outputs, first {SHOWN} of {D} features"
    return table(title(caption, "", note), heads, rows)


def _map(encoding: str) -> str:
    """Draw what an encoding says of two positions; the frame is there where it says nothing."""
    mapped, caption = _similarity(encoding)
    positions = [str(p) for p in range(MOST)]
    shown = torch.zeros(MOST, MOST) if mapped is None else mapped
    low, high = color_range(shown)

    def paint(p: int, q: int, number: float) -> str:
        if mapped is None:
            return cell("·")
        why = f"{_formula(encoding, p, q)} = {_written(number, 3)}"
        kind = f"alab-n{shade(number, low, high)}"
        return cell(_written(number, 1), kind, why, is_first=p == q == 0)

    rows = [
        [row_head(positions[p]), *(paint(p, q, x) for q, x in enumerate(line))]
        for p, line in enumerate(shown.tolist())
    ]
    return table(title(f"two positions, {encoding}", "", caption), [cell(), *map(head, positions)],
                 rows)  # fmt: skip


def _formula(encoding: str, p: int, q: int) -> str:
    """Say how a cell of the map was made."""
    if encoding == "ALiBi":
        return f"−0.5 × |{p} − {q}|"
    if encoding == "rotary":
        angles = [f"2 cos({abs(p - q)} × {10000 ** (-2 * k / D):.3g})" for k in range(2)]
        return f"{' + '.join(angles)} + … ({D // 2} terms)"
    return f"row {p} · row {q}, {D} features"


def _picture(before: str, after: str, mapped: str) -> str:
    parts = [(before, OUTPUTS_WIDE, ""), (after, OUTPUTS_WIDE, ""), (mapped, MAP_WIDE, "alab-map")]
    return f"{STILL}<div class='alab alab-position'>" + "".join(
        f'<div class="{kind}" style="display:inline-block;vertical-align:top;min-width:{width}px;'
        f'min-height:{HIGH}px;margin:0 8px 0 0">{part}</div>'
        for part, width, kind in parts
    ) + "</div>"  # fmt: skip
