"""Step through decoding: the words so far, what may come next, and every map of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from attention_lab.models.transformer import Transformer, recorded
from attention_lab.models.vocabulary import END, START, Vocabulary
from attention_lab.pictures.tables import bars_table, matrix_table, side_by_side
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


class _Written(NamedTuple):
    words: tuple[str, ...]  # with <end>, if it was written
    chances: Tensor  # (n_q, n_target)
    weights: dict[str, Tensor]  # by the name of the attention, (h, n_q, n_k)


class DecodingExplorer(LiveView):
    """Decode what is typed, and show one step of it with the weights of a layer and a head.

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
        self.head = choice(
            "head", [(MEAN, -1), *((f"head {h}", h) for h in range(n_heads))], width="220px"
        )
        self.children = [
            row(self.text),
            row(self.step, self.layer, self.head),
            self.status,
            self.picture,
        ]
        self.redraw()
        watch(self.redraw, self.text, self.step, self.layer, self.head)

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
            self.step.max = len(written.words)
        step = self.step.value
        done = written.words[:step]
        read = ("<start>", *done)[:step]
        sources = [*words, "<end>"]
        layer, head = self.layer.value, self.head.value

        def weights_of(name: str) -> Tensor:
            each = written.weights[name]
            return each.mean(dim=0) if head < 0 else each[head]

        last = step - 1
        maps = (
            (f"decoder.layers.{layer}.cross_attention", "cross-attention", done, sources),
            (f"decoder.layers.{layer}.self_attention", "decoder, self-attention", read, read),
            (f"encoder.layers.{layer}.self_attention", "encoder, self-attention", sources, sources),
        )
        parts = [self._chances(written.chances[last])]
        for name, caption, rows, columns in maps:
            shown = weights_of(name)[: len(rows), : len(columns)]
            own = set() if rows is sources else {(last, j) for j in range(len(columns))}
            parts.append(
                matrix_table(
                    shown, caption=caption, rows=rows, columns=columns, weights=True, related=own
                )
            )
        self._drawn = words
        return side_by_side(*parts), self._said(words, written.words, step)

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
            heads=("word", "probability"),
        )

    def twin_text(self) -> str:
        return f"DecodingExplorer, “{' '.join(self._drawn)}”. {self.note}"
