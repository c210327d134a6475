"""A mode in the real model: what comes next before and after, the text continued, the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import ipywidgets
import torch

from attention_lab.core.modes import Mode
from attention_lab.grading.feedback import Problem
from attention_lab.labs.programmable_rules.picker import OWN_BIAS, OWN_MASK, ModePicker
from attention_lab.labs.programmable_rules.steering import (
    ANIMALS,
    MOST_WRITTEN,
    Compared,
    Reading,
    compared,
    kept,
)
from attention_lab.models.pretrained import MISSING, SmolLM2, is_installed, smollm2
from attention_lab.pictures.style import escaped, format_weight, palette, shade
from attention_lab.pictures.tables import (
    head,
    table,
    title,
    weight_cell,
    wide,
)
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, count_field, row, text_field, watch

__all__ = ["EXAMPLES", "Example", "ModeOnModel"]

MOST_TOKENS = 40
PAUSE = 700  # milliseconds from one token to the next when it plays
NUMBER_WIDTH = 5  # em of a probability
WORD_WIDTH = 8  # em of the first column, whatever the words are
NO_MODEL = f"This is what was kept of the model. {MISSING}"


class Example(NamedTuple):
    """A text and a mode to begin with.

    Attributes
    ----------
    text : str
    first : tuple
        A mode of the picker, and the values of its parameters.
    join : str
        As the picker names it.
    second : tuple
    layers : (int, int)
        The first and the last one in which the mode acts.
    """

    text: str
    first: tuple
    join: str = "nothing more"
    second: tuple = ("window", 3)
    layers: tuple[int, int] | None = None


LYON = "In this story, the capital of France is Lyon. The capital of France is"
DOG = "4 if k == 6 and q == n - 1 else 0"
EXAMPLES = {
    "a spotlight on “dog”": Example(ANIMALS, (OWN_BIAS, DOG)),
    "a spotlight, in layers 0 to 9 only": Example(ANIMALS, (OWN_BIAS, DOG), layers=(0, 9)),
    "the same for every query": Example(ANIMALS, ("spotlight", "6", 4.0)),
    "a story against a fact": Example(LYON, (OWN_BIAS, "4 if k == 9 and q == n - 1 else 0")),
    "“dog” hidden from the last word": Example(ANIMALS, (OWN_MASK, "not (k == 6 and q == n - 1)")),
    "only the last 4 tokens": Example(ANIMALS, ("window", 4)),
    "the last 4 tokens and the first": Example(ANIMALS, ("window", 4), "| or", ("sink", 1)),
    "one distance hidden": Example(ANIMALS, (OWN_MASK, "q - k != 1")),
}
# Inline: without them the picture falls apart where no style sheet is kept (GitHub).
TOKEN = (
    "display:inline-block;vertical-align:top;margin:0 3px 6px 0;text-align:center;"
    "font-size:13px;line-height:1.35;white-space:pre"
)
LINE = "display:block;margin:0"  # side by side, two short ones would move what is below
HALVES = "display:flex;flex-wrap:wrap;gap:6px 20px;align-items:flex-start"
STYLE = """<style>
.alab-steered{max-width:900px}
.alab-said{height:1.7em;overflow-y:auto;line-height:1.6}
</style>"""


class ModeOnModel(LiveView):
    """Let a mode act in SmolLM2, and see what comes next before and after.

    Parameters
    ----------
    example : str
        One of `EXAMPLES`.
    lm : SmolLM2, optional
        The installed one, if not given. Without it the widget shows the first example, as it was
        kept, and says how to get the model.

    Attributes
    ----------
    picker : ModePicker
    mode : Mode
        What is made, for a cell below.
    """

    def __init__(self, example: str = "a spotlight on “dog”", *, lm: SmolLM2 | None = None) -> None:
        super().__init__()
        self.lm = lm or (smollm2() if is_installed() else None)
        self._before: tuple[Any, Reading] | None = None
        self._after: tuple[Any, Reading] | None = None
        self.add_class("alab-steered")
        style = ipywidgets.HTML(STYLE, layout={"display": "none"})
        if self.lm is None:
            self.children = [style, self.status, self.picture]
            self.redraw()
            return
        config = self.lm.model.config
        last = config.n_layers - 1
        self.example = choice("example", list(EXAMPLES), value=example, width="330px")
        self.text = text_field("text", width="98%")
        self.text.add_class("alab-long")  # may be longer than its field
        self.picker = ModePicker("causal", "", "window")
        self.picker.keep.layout.display = "none"
        self.from_layer = count_field("layers from", 0, last, least=0, width="140px")
        self.to_layer = count_field("to", last, last, least=0, width="90px")
        heads = [("all", -1), *((f"only head {h}", h) for h in range(config.n_heads))]
        self.head = choice("heads", heads, width="180px")
        self.written = count_field("tokens written", 8, MOST_WRITTEN, least=0, width="170px")
        self.play = ipywidgets.Play(
            value=8, min=0, max=MOST_WRITTEN, interval=PAUSE, description="play"
        )
        ipywidgets.link((self.play, "value"), (self.written, "value"))
        self.speak_for(self.picker)
        self.children = [
            style,
            row(self.example),
            self.text,
            self.picker,
            row(self.from_layer, self.to_layer, self.head, self.play, self.written),
            self.status,
            self.picture,
        ]
        self._show_example()
        self.example.observe(self._show_example, names="value")
        inputs = (self.text, self.picker, self.from_layer, self.to_layer, self.head, self.written)
        watch(self.redraw, *inputs)

    # --- what is asked ---

    def _show_example(self, _change: Any = None) -> None:
        """Put the text, the mode and the layers of the example into their fields."""
        chosen = EXAMPLES[self.example.value]
        first, last = chosen.layers or (0, self.to_layer.max)
        with self.one_redraw():
            self.text.value = chosen.text
            self.from_layer.value, self.to_layer.value, self.head.value = first, last, -1
            for part, (name, *values) in (
                (self.picker.first, chosen.first),
                (self.picker.second, chosen.second),
            ):
                part.mode.value, part.turned.value = name, False
                for field, value in zip(part.fields, values, strict=True):
                    field.value = value
            self.picker.join.value = chosen.join

    @property
    def mode(self) -> Mode:
        """The mode that is made.

        Raises
        ------
        Problem
            What is typed makes none.
        """
        return self.picker.mode(len(self._pieces()))

    def _pieces(self) -> list[str]:
        text = self.text.value
        if not text.strip():
            raise Problem(f"text: write some words, at most {MOST_TOKENS} tokens")
        pieces = self.lm.pieces(text)
        if len(pieces) > MOST_TOKENS:
            raise Problem(
                f"text: at most {MOST_TOKENS} tokens are read here, and this has {len(pieces)}"
            )
        return pieces

    def _where(self) -> tuple[list[int], list[int] | None]:
        """Return the layers and the heads in which the mode acts."""
        first, last = self.from_layer.value, self.to_layer.value
        if first > last:
            raise Problem(f"layers: from {first} to {last} is none")
        return list(range(first, last + 1)), None if self.head.value < 0 else [self.head.value]

    # --- what is computed ---

    def compared(self) -> Compared:
        """Read the text with the mode and without it; what is known already is kept."""
        pieces, (layers, heads) = self._pieces(), self._where()
        text, mode = self.text.value, self.picker.mode(len(pieces))
        if self._before is None or self._before[0] != text:
            self._before = text, Reading(self.lm, text)
        asked = text, self.picker.code(len(pieces)), layers, heads
        if self._after is None or self._after[0] != asked:
            try:
                self._after = asked, Reading(self.lm, text, mode, layers, heads)
            except ValueError as error:
                raise Problem(str(error)) from None
        after = self._after[1]
        if not torch.isfinite(after.chances).all():
            raise Problem(f"“{mode}” leaves no number to be read: make its biases smaller")
        try:
            return compared(self._before[1], after, pieces, self.written.value)
        except ValueError as error:  # a mode that knows no more positions
            raise Problem(str(error)) from None

    # --- what is shown ---

    def draw(self) -> tuple[str, str]:
        if self.lm is None:
            return drawn(kept()[0]), NO_MODEL
        found = self.compared()
        return drawn(found), self._said(found)

    def _said(self, found: Compared) -> str:
        read = self._after[1]
        n_heads = self.lm.model.config.n_heads
        number = len(read.layers) * (n_heads if read.heads is None else 1)
        likeliest = [max(found.next, key=lambda each: each[i]) for i in (1, 2)]
        before, after = (
            f"“{_seen(each[0])}” {each[i + 1]:.2f}" for i, each in enumerate(likeliest)
        )
        return (
            f"“{read.mode}” acts in {number} of {self.to_layer.max * n_heads + n_heads} heads. "
            f"Likeliest next word: {before} without it, {after} with it."
        )

    def twin_html(self) -> str:
        return f"{STYLE}{super().twin_html()}"

    def twin_text(self) -> str:
        return f"ModeOnModel: {self.note}"


def _seen(piece: str) -> str:
    return piece.replace("\n", "↵")


def drawn(found: Compared) -> str:
    """Draw a text before and after: how it goes on, what comes next, where the last token looks."""
    said = "".join(
        f'<div class="alab-said" style="{LINE}"><b>{name}:</b> … '
        f"{escaped(found.pieces[-1].strip())}<b>{escaped(_seen(text))}</b></div>"
        for name, text in zip(("without", "with the mode"), found.written, strict=True)
    )
    return (
        f'<div class="alab" style="display:block">{said}<div style="{HALVES}">'
        f'<div style="flex:none">{_next_words(found.next)}</div>'
        f'<div style="flex:1 1 320px;min-width:0">{_looks(found.pieces, found.looks)}</div>'
        "</div></div>"
    )


def _next_words(rows: Sequence[tuple[str, float, float]]) -> str:
    lines = [
        [
            f'<th scope="row">{_cut(word)}</th>',
            *(weight_cell(p, NUMBER_WIDTH) for p in chances),
        ]
        for word, *chances in rows
    ]
    heads = map(head, ("word", "without", "with"))
    return table(title("what may come next"), heads, lines)


def _cut(word: str) -> str:
    shown = _seen(word)
    return wide(escaped(f"“{shown if len(shown) < 13 else shown[:12] + '…'}”"), WORD_WIDTH)


def _looks(pieces: Sequence[str], looks: Sequence[tuple[float, float]]) -> str:
    """Show each token with its number, and its weight before and after on one scale."""
    tokens = []
    for i, (piece, weights) in enumerate(zip(pieces, looks, strict=True)):
        name = escaped(_seen(piece).strip() or "·")
        tokens.append(
            f'<div class="alab-token" style="{TOKEN}">{i} <b>{name}</b>'
            f"{''.join(map(_shaded, weights))}</div>"
        )
    return (
        "<div><b>where the last token looks</b>, a mean over the heads of the mode; above "
        f"without it, below with it</div><div>{''.join(tokens)}</div>"
    )


def _shaded(weight: float) -> str:
    background, ink = palette(weights=True)[shade(weight, 0, 1)]
    look = f"display:block;padding:0 3px;font-size:12px;background:{background};color:{ink}"
    return f'<span style="{look}">{format_weight(weight)}</span>'
