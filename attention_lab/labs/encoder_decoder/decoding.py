"""Step through decoding: the words so far, what may come next, and every map of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ipywidgets
import torch
from torch import Tensor

from attention_lab.labs.encoder_decoder.pictures import STILL, growing_table, to_come
from attention_lab.models.transformer import Transformer, recorded
from attention_lab.models.vocabulary import END, START, Vocabulary
from attention_lab.pictures.flow import FLOW_CSS, flow
from attention_lab.pictures.tables import bars_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import (
    MOST_WORDS,
    choice,
    count_field,
    row,
    text_field,
    watch,
    words_in,
)

__all__ = ["DecodingExplorer"]

MEAN = "mean of the heads"
CROSS, OWN, ENCODER = "cross-attention", "decoder, self-attention", "encoder, self-attention"
ATTENTIONS = {  # what the table may show, and its name in the model
    CROSS: "decoder.layers.{}.cross_attention",
    OWN: "decoder.layers.{}.self_attention",
    ENCODER: "encoder.layers.{}.self_attention",
}
PAUSE = 900  # milliseconds from one word to the next when it plays
# two columns of the same width and a fixed height, whatever the words are; without a kernel two
# pictures, each as wide as it is
COLUMNS = "display:grid;grid-template-columns:1fr 1fr;gap:0 16px;min-height:228px"
WRAPPED = "display:flex;flex-wrap:wrap;gap:4px 24px"


class _Written(NamedTuple):
    words: tuple[str, ...]  # with <end>, if it was written
    chances: Tensor  # (n_q, n_target)
    weights: dict[str, Tensor]  # by the name of the attention, (h, n_q, n_k)


class DecodingExplorer(LiveView):
    """Decode what is typed, and play it word by word, with the weights of a layer.

    Two heads stand side by side, as lines between the words. Nothing in the picture moves when a
    word is written: what is still to come has its place from the start.

    Parameters
    ----------
    model : Transformer
    source, target : Vocabulary
    text : str
        What to start with: words with spaces between them.
    step : int
        Which written word is shown, from 1 on.
    right : callable, optional
        Takes the tuple of words and returns the right words; None, or a ValueError, where
        there are none.

    Raises
    ------
    TypeError
        The model is no `Transformer`.
    ValueError
        Its decoder is not causal: then each new word would change all earlier maps.
    """

    sheets = FLOW_CSS

    def __init__(
        self,
        model: Transformer,
        source: Vocabulary,
        target: Vocabulary,
        *,
        text: str,
        step: int = 1,
        right: Callable[[tuple[str, ...]], Sequence[str] | None] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(model, Transformer):
            raise TypeError(f"model must be a Transformer, not a {type(model).__name__}")
        if not model.is_causal:
            raise ValueError("the decoder of this model is not causal, so it cannot be stepped")
        self.model, self.source, self.target, self.right = model, source, target, right
        self._kept: tuple[Any, _Written] | None = None
        self._drawn: tuple[str, ...] = ()
        self.text = text_field("source", text, width="420px")
        self.step = count_field("step", step, 2 * MOST_WORDS, width="110px")
        self.layer = choice("layer", list(range(len(model.decoder.layers))), width="110px")
        n_heads = model.decoder.layers[0].self_attention.n_heads
        heads = [(MEAN, -1), *((f"head {h}", h) for h in range(n_heads))]
        self.head = choice("head", heads, width="200px")
        self.beside = choice("beside it", heads, value=0, width="220px")
        self.table = choice("table", list(ATTENTIONS), width="260px")
        self.play = ipywidgets.Play(
            value=step, min=1, max=2 * MOST_WORDS, interval=PAUSE, description="play"
        )
        ipywidgets.link((self.play, "value"), (self.step, "value"))
        style = ipywidgets.HTML(STILL, layout={"display": "none"})
        self.children = [
            style,
            row(self.text, self.play, self.step),
            row(self.layer, self.head, self.beside, self.table),
            self.status,
            self.picture,
        ]
        self.redraw()
        watch(self.redraw, self.text, self.step, self.layer, self.head, self.beside, self.table)

    @torch.no_grad()
    def _write(self, words: tuple[str, ...]) -> _Written:
        """Decode step by step; kept until other words are typed or the model learns."""
        state = words, tuple(p._version for p in self.model.parameters())
        if self._kept and self._kept[0] == state:
            return self._kept[1]
        model = self.model.eval()
        numbers, chances = [START], []
        with recorded(model) as found:
            memory, real = model.encode(self.source.encode([words]))
            caches = model.new_caches()
            while len(numbers) <= 2 * MOST_WORDS and numbers[-1] != END:
                logits = model.read(torch.tensor([numbers[-1:]]), memory, real, caches)[0, -1]
                chances.append(logits.softmax(dim=-1))
                numbers.append(int(logits.argmax()))
        weights = {}
        for name, rows in found.items():
            n_k = rows[-1].shape[-1]
            filled = [torch.nn.functional.pad(r[0], (0, n_k - r.shape[-1])) for r in rows]
            weights[name] = torch.cat(filled, dim=1).double()  # (h, n_q, n_k)
        written = tuple(self.target.words[number] for number in numbers[1:])
        self._kept = (state, _Written(written, torch.stack(chances), weights))
        return self._kept[1]

    def draw(self) -> tuple[str, str]:
        words = words_in(self.text, self.source)
        written = self._write(words)
        with self.holding:
            self.play.max = self.step.max = len(written.words)
        self._drawn = words
        return self._picture(live=True), self._said(words, written.words, self.step.value)

    def _picture(self, *, live: bool) -> str:
        words, step, layer = self._drawn, self.step.value, self.layer.value
        written = self._write(words)
        sources = [*words, "<end>"]
        shown = [w if i < step else to_come(w) for i, w in enumerate(written.words)]

        def weights_of(table: str, head: int) -> Tensor:
            each = written.weights[ATTENTIONS[table].format(layer)]
            return each.mean(dim=0) if head < 0 else each[head]

        flows = []
        for field in (self.head, self.beside):
            known = weights_of(CROSS, field.value).clone()
            known[step:] = 0  # no lines from what is not written yet
            name = MEAN if field.value < 0 else f"head {field.value}"
            drawn = flow(known, sources, shown, live=live)
            flows.append(f"<div><b>cross-attention, {name}</b>{drawn}</div>")
        tables = side_by_side(
            f'<div class="alab-still">{self._chances(written.chances[step - 1])}</div>',
            self._table(shown, sources, weights_of(self.table.value, self.head.value)),
        )
        return f'<div style="{COLUMNS if live else WRAPPED}">{"".join(flows)}</div>{tables}'

    def _table(self, shown: list[str], sources: list[str], weights: Tensor) -> str:
        name, step = self.table.value, self.step.value
        read = ["<start>", *shown[:-1]]
        rows = {CROSS: shown, OWN: read, ENCODER: sources}[name]
        is_encoder = name == ENCODER  # it reads all words before the first one is written
        return growing_table(
            weights,
            caption=name,
            rows=rows,
            columns=read if name == OWN else sources,
            known=len(rows) if is_encoder else step,
            is_causal=name == OWN,
            marked=None if is_encoder else step - 1,
        )

    def twin_html(self) -> str:
        # no inline SVG: without a kernel its text would stay behind
        drawn = self._picture(live=False) if self._drawn else self.picture.value
        return self.status.value + drawn

    def _said(self, words: tuple[str, ...], written: tuple[str, ...], step: int) -> str:
        before = " ".join(("<start>", *written[: step - 1]))
        said = (
            f"Step {step} of {len(written)}: after “{before}” the model writes "
            f"“{written[step - 1]}”."
        )
        if written[-1] != "<end>":
            said += f" It was stopped after {len(written)} words, without an <end>."
        try:
            right = self.right(words) if self.right else None
        except ValueError:
            right = None
        if right is None:
            return said
        same = tuple(word for word in written if word != "<end>") == tuple(right)
        return said + (" All of it is right." if same else f" Right would be: {' '.join(right)}.")

    def _chances(self, chances: Tensor) -> str:
        best = chances.topk(min(5, len(chances)))
        return bars_table(
            [self.target.words[i] for i in best.indices.tolist()],
            best.values,
            caption="what may come next",
            note=", with its probability p",
            heads=("word", "p"),
        )

    def twin_text(self) -> str:
        return f"DecodingExplorer, “{' '.join(self._drawn)}”. {self.note}"
