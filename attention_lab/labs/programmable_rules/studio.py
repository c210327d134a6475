"""The mode studio: make a mode, and see what it shows, what it adds, and what it keeps."""

from __future__ import annotations

import math
from typing import NamedTuple

import ipywidgets
import torch
from torch import Tensor

from attention_lab.core.attention import masked_softmax
from attention_lab.core.modes import Invariant, Mode, invariants
from attention_lab.grading.feedback import Problem
from attention_lab.labs.programmable_rules.picker import ModePicker
from attention_lab.pictures.modes import mode_table
from attention_lab.pictures.style import escaped, format_number
from attention_lab.pictures.tables import list_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, count_field, row, text_field, watch
from attention_lab.ui.keys import ARROWS

__all__ = ["ModeStudio"]

TOKENS = "the cat sat on the warm mat ."
MOST_TOKENS = 16
MOST_HEADS = 64
FAR, FAR_BLOCK = 1024, 128  # what flex_attention skips
NEAR_BLOCK = 2
MOST_WORDS = 120  # characters of a mode in words
VIEWS = {"mask and bias": False, "weights": True}
# Two modes side by side where there is room; every line has its height from the start.
STYLE = """<style>
.alab-studio .alab-mode td{min-width:2.7em!important}
.alab-studio .alab-mode thead th{white-space:pre-line;text-align:center}
.alab-studio .alab table:not(.alab-mode) td.alab-text{height:2.6em;max-width:13em;font-size:12px;
line-height:1.25}
.alab-studio .alab table:not(.alab-mode) td.alab-text:nth-child(2){min-width:5.3em!important}
.alab-studio .alab-code{line-height:1.5;overflow-wrap:anywhere}
</style>"""


class Studied(NamedTuple):
    """A mode, and what was measured of it.

    Attributes
    ----------
    mode : Mode
    code : str
        The Python that makes it.
    visible : Tensor, shape (n, n), boolean
    bias : Tensor, shape (n, n)
    weights : Tensor, shape (n, n)
        Of scores that are all equal.
    invariants : list of Invariant
    """

    mode: Mode
    code: str
    visible: Tensor
    bias: Tensor
    weights: Tensor
    invariants: list[Invariant]


class ModeStudio(LiveView):
    """Choose a mode or write one, join two, and see the pairs it keeps and the numbers it adds.

    One text and one head of it are shown: no mode of the library, and no rule that can be typed,
    asks for the text's place ``b`` in a batch.

    Parameters
    ----------
    tokens : str
        At most 16, with spaces between them.
    first, join, second : str
        As for `ModePicker`.

    Attributes
    ----------
    picker : ModePicker
    mode : Mode
        What is made, for a cell below: ``studio.mode.attention(query, key, value)``.
    """

    def __init__(
        self,
        tokens: str = TOKENS,
        first: str = "causal",
        join: str = "&",
        second: str = "window",
    ) -> None:
        super().__init__()
        self.text = text_field("tokens", tokens, width="270px")
        self.head = count_field("head", 0, MOST_HEADS - 1, least=0, width="110px")
        self.view = choice("shown", list(VIEWS), width="175px")
        self.picker = ModePicker(first, join, second)
        self.speak_for(self.picker)
        self.children = [
            row(self.text, self.head, self.view),
            self.picker,
            self.status,
            self.picture,
            ipywidgets.HTML(STYLE + ARROWS, layout={"display": "none"}),
        ]
        self.add_class("alab-studio")
        self.add_class("alab-arrows")
        self.redraw()
        watch(self.redraw, self.text, self.head, self.view, self.picker)

    @property
    def tokens(self) -> list[str]:
        """What is typed, as a list of words.

        Raises
        ------
        Problem
            None, or more than 16.
        """
        words = self.text.value.split()
        if not 0 < len(words) <= MOST_TOKENS:
            raise Problem(
                f"tokens: write 1 to {MOST_TOKENS} words with spaces between them, not {len(words)}"
            )
        return words

    @property
    def mode(self) -> Mode:
        """The mode that is made.

        Raises
        ------
        Problem
            What is typed makes none.
        """
        return self.picker.mode(len(self.tokens))

    def study(self) -> Studied:
        """Return the mode and what is to be shown of it.

        Raises
        ------
        Problem
            What is typed makes no mode, or it does not fit the tokens.
        """
        n = self.picker.n = len(self.tokens)
        mode, head = self.mode, self.head.value
        try:
            visible, bias = mode.dense(n, n, heads=head + 1, dtype=torch.float64)
        except (ValueError, IndexError, RuntimeError) as error:
            raise Problem(str(error)) from None
        bias = torch.zeros(n, n, dtype=torch.float64) if bias is None else bias[head].detach()
        if not torch.isfinite(bias).all():
            raise Problem(f"“{mode}” adds a number that is not finite: hide by a mask instead")
        masked = bias.masked_fill(~visible[head], -math.inf)
        normalizer = mode.normalizer or masked_softmax
        weights = normalizer(masked[None])[0].detach()
        return Studied(
            mode, self.picker.code(n), visible[head], bias, weights, invariants(mode, min(n, 6))
        )

    def draw(self) -> tuple[str, str]:
        studied = self.study()
        return _drawn(studied, self.tokens, VIEWS[self.view.value]), _said(studied, self.tokens)

    def twin_html(self) -> str:
        return f'{STYLE}<div class="alab-studio">{super().twin_html()}</div>'

    def twin_text(self) -> str:
        return f"ModeStudio: {self.note}"


def _drawn(studied: Studied, tokens: list[str], as_weights: bool) -> str:
    table = mode_table(
        studied.visible,
        studied.weights if as_weights else studied.bias,
        tokens,
        weights=as_weights,
    )
    code = f"mode = {escaped(studied.code)}"
    return (
        side_by_side(table, _facts(studied))
        + f'<div class="alab-code">In Python: <code>{code}</code></div>'
    )


def _facts(studied: Studied) -> str:
    """List what is counted, and what every mode must keep."""
    mode, visible = studied.mode, studied.visible
    n = len(visible)
    near = mode.skippable_blocks(n, NEAR_BLOCK)
    far = "–" if mode.positions else f"{mode.skippable_blocks(FAR, FAR_BLOCK):.2%}"
    counted = {
        "pairs kept": f"{int(visible.sum())} of {n * n}",
        f"of {NEAR_BLOCK} × {NEAR_BLOCK} blocks can be skipped": f"{near:.2%}",
        f"of {FAR_BLOCK} × {FAR_BLOCK} blocks, at {FAR} positions": far,
    }
    rows = [("open", (number, name)) for name, number in counted.items()]
    for each in studied.invariants:
        number = "≈0" if 0 < each.number < 1e-9 else format_number(each.number)
        rows.append(("good" if each.holds else "bad", (number, each.name)))
    return list_table(rows, caption="what it keeps", heads=("", ""))


def _said(studied: Studied, tokens: list[str]) -> str:
    """Say how many pairs are kept, and what is worth a look."""
    visible, n = studied.visible, len(tokens)
    words = str(studied.mode)
    words = words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"
    said = f"{int(visible.sum())} of {n * n} pairs are kept: {words}. "
    blind = (~visible.any(dim=-1)).nonzero().flatten().tolist()
    if blind:
        said += f"Query {blind[0]} “{tokens[blind[0]]}” sees no key: its output is 0. "
    later = visible.triu(1).nonzero().tolist()
    if later:
        i, j = later[0]
        said += (
            f"Query {i} “{tokens[i]}” sees key {j} “{tokens[j]}”, which comes later: a model that "
            "guesses the next word must not. "
        )
    elif not blind:
        said += "No query sees a later key. "
    return said.strip()
