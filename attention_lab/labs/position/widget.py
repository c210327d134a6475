"""Reorder tokens; see whether their outputs only change places, and what an encoding does."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from attention_lab.core.attention import attention
from attention_lab.core.positions import alibi_bias, rotate, sinusoidal
from attention_lab.grading.feedback import Problem
from attention_lab.pictures.style import format_number, labels
from attention_lab.pictures.tables import matrix_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import box, choice, count_field, row, text_field, watch

__all__ = ["PositionExplorer"]

D, SHOWN, MOST = 16, 4, 12
ENCODINGS = ("none", "sinusoidal", "learned", "rotary", "ALiBi")
ORDERS = {
    "as they are": lambda tokens: tokens,
    "reversed": lambda tokens: tokens[::-1],
    "first to the end": lambda tokens: tokens[1:] + tokens[:1],
    "first two swapped": lambda tokens: tokens[1::-1] + tokens[2:],
}
OWN = "as typed"


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
        self.encoding = choice("places", ENCODINGS, value=encoding, width="190px")
        self.causal = box("causal mask", False, width="130px")
        self.n = count_field("tokens", 5, MOST, least=2, width="120px")
        self.order = choice("order", [*ORDERS, OWN], value=order, width="220px")
        self.typed = text_field(
            "tokens in this order", " ".join(ORDERS[order](self._tokens())), width="330px"
        )
        self.children = [
            row(self.encoding, self.causal, self.n),
            row(self.order, self.typed),
            self.status,
            self.picture,
        ]
        self.redraw()
        watch(self._write_order, self.order, self.n)
        self.typed.observe(self._own_order, names="value")
        watch(self.redraw, self.encoding, self.causal)

    def _tokens(self) -> list[str]:
        return list("abcdefghijkl"[: self.n.value])

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
        after = _attend(x[order], self.encoding.value, self.causal.value)
        back = torch.empty_like(after)
        back[order] = after  # each output beside that of the same token
        moved = (back - before).abs().max().item()
        if order.tolist() == list(range(self.n.value)):
            said = "Both orders are the same: choose another one."
        elif moved < 1e-9:
            said = (
                "Each token has the same output in both orders: this attention cannot tell them "
                "apart."
            )
        else:
            said = (
                f"Outputs of the same token differ by up to {format_number(moved)}: this "
                "attention sees the order."
            )
        heads = labels("d", SHOWN)
        written = " ".join(tokens[i] for i in order)
        mapped, caption = _similarity(self.encoding.value, self.n.value)
        parts = [
            matrix_table(
                shown[:, :SHOWN], caption=what, rows=[f"output of {t}" for t in tokens],
                columns=heads, formula=f"first {SHOWN} of {D} features",
            )
            for what, shown in ((f"order {' '.join(tokens)}", before), (f"order {written}", back))
        ]  # fmt: skip
        if mapped is not None:
            places = [str(place) for place in range(self.n.value)]
            parts.append(matrix_table(mapped, caption=caption, rows=places, columns=places))
        return side_by_side(*parts), said

    def twin_text(self) -> str:
        return f"PositionExplorer, places: {self.encoding.value}, {self.order.value}. {self.note}"


def _tokens(n: int) -> Tensor:
    """Return the tokens, always the same: (n, D)."""
    random = torch.Generator().manual_seed(1)
    return torch.randn(MOST, D, generator=random, dtype=torch.float64)[:n]


def _learned(n: int) -> Tensor:
    """Return learned vectors as they are before anything was learned: (n, D)."""
    random = torch.Generator().manual_seed(2)
    return torch.randn(MOST, D, generator=random, dtype=torch.float64)[:n]


def _attend(x: Tensor, encoding: str, causal: bool) -> Tensor:
    """One head of attention on tokens (n, D), at the places 0 to n - 1."""
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
    return attention(query, key, x @ w_value, attn_mask=bias).output


def _similarity(encoding: str, n: int) -> tuple[Tensor | None, str]:
    """Return what an encoding says of two places, (n, n), and what to call it."""
    if encoding == "sinusoidal":
        table = sinusoidal(n, D).double()
        return table @ table.T, "dot products of the sines of two places"
    if encoding == "learned":
        return _learned(n) @ _learned(n).T, "dot products, before anything is learned"
    if encoding == "rotary":
        turned = rotate(torch.ones(n, D, dtype=torch.float64), torch.arange(n))
        return turned @ turned.T, "score of two equal tokens (all features 1) at two places"
    if encoding == "ALiBi":
        return alibi_bias(8, n, n)[0], "bias of the first of 8 heads, slope 0.5"
    return None, ""
