"""Type a phrase; see its translation, and what each written word looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import traitlets
from torch import Tensor

from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.vocabulary import Vocabulary
from attention_lab.pictures.flow import FLOW_CSS, flow
from attention_lab.pictures.style import escaped, format_weight
from attention_lab.pictures.tables import (
    DENSE,
    cell,
    head,
    row_head,
    side_by_side,
    table,
    title,
    weight_cell,
)
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, count_field, player, row, text_field, watch, words_in

__all__ = ["AlignmentExplorer"]

MILLISECONDS = 900  # from one written word to the next, while it plays
# The parts have their sizes whatever the phrase is: a longer one scrolls in its own frame.
LINES_HEIGHT, TABLE_HEIGHT = "226px", "300px"
STYLE = f"""<style>
.alab-lines{{height:{LINES_HEIGHT};overflow:hidden}}
.alab-rows{{height:{TABLE_HEIGHT};overflow:auto}}
</style>"""


class _Written(NamedTuple):
    """What a model made of a phrase."""

    words: tuple[str, ...]  # with <end> where it came
    weights: Tensor  # (n_q, n_k); zeros without attention
    source: tuple[str, ...]  # with <end>
    aligned: Collection[tuple[int, int]]
    said: str


class AlignmentExplorer(LiveView):
    """Translate what is typed, and show where each written word looked.

    Lines as thick as the weights, and below them the numbers. ``Play`` writes word by word.

    Parameters
    ----------
    models : mapping of name to Seq2Seq
        Trained models to choose from; also copies of one that were taken while it learned.
    source, target : Vocabulary
    translate : callable, optional
        Gives a `Phrase`, the right translation and alignment, or raises ValueError with the
        reason why there is none. The right cells are outlined.
    phrase : str
        What to start with.
    """

    sheets = FLOW_CSS

    def __init__(
        self,
        models: Mapping[str, Seq2Seq],
        source: Vocabulary,
        target: Vocabulary,
        *,
        translate: Callable[[str], Any] | None = None,
        phrase: str = "the small black cat",
    ) -> None:
        super().__init__()
        self.models, self.source, self.target = dict(models), source, target
        self.translate = translate
        self.text = text_field("phrase", phrase, width="440px")
        self.model = choice("model", list(self.models), width="260px")
        self.shown = count_field("words written", 0, 0, least=0, width="180px")
        self.play = player(0, MILLISECONDS)
        traitlets.link((self.play, "value"), (self.shown, "value"))
        self.picture.layout.width = "100%"
        self.children = [
            row(self.text, self.model),
            row(self.play, self.shown),
            self.status,
            self.picture,
        ]
        self.written: _Written | None = None
        self._translate()
        watch(self._translate, self.text, self.model)
        watch(self.redraw, self.shown)

    def _translate(self, _change: Any = None) -> None:
        """Translate again, and show all words; what cannot be read leaves all as it is."""
        with self.one_redraw():
            self.written = None
            try:
                written = self._write()
            except Exception:  # redraw says what it is
                return
            self.written = written
            self.play.max = self.shown.max = max(len(written.words), 1)
            self.shown.value = self.shown.max

    def draw(self) -> tuple[str, str]:
        written = self.written or self._write()
        shown = self.shown.value
        said = written.said
        if shown < len(written.words):
            said = f"{shown} of {len(written.words)} words written."
            if shown and written.weights[shown - 1].any():
                row_ = written.weights[shown - 1]
                at = written.source[row_.argmax()]
                said += (
                    f" “{written.words[shown - 1]}” looks most at “{at}” "
                    f"({format_weight(row_.max().item())})."
                )
        return self._drawn(written, shown), said

    def _write(self) -> _Written:
        words = words_in(self.text, self.source)
        model = self.models[self.model.value].eval()
        decoded = model.decode(self.source.encode([words]))
        french = self.target.decode(decoded.numbers[0].tolist())
        gold, reason = self._gold(" ".join(words))
        said = f"The model writes: {' '.join(french) or '(nothing)'}."
        aligned: Collection[tuple[int, int]] = ()
        if gold is None:
            said += f" {reason}" if reason else ""
        elif french == gold.french:
            said += " Right."
        else:
            said += f" Right would be: {' '.join(gold.french)}."
        weights = decoded.weights[0].double()
        if not weights.any():
            said += " It has no attention: the whole phrase went through one vector."
        elif gold is not None and french == gold.french:
            aligned = set(enumerate(gold.alignment))
            said += " Outlined: the English word that each French word translates."
        rows = (*french, "<end>")[: len(weights)]
        return _Written(rows, weights[: len(rows)], (*words, "<end>"), aligned, said)

    def _drawn(self, written: _Written, shown: int, *, live: bool = True) -> str:
        weights = written.weights.clone()
        weights[shown:] = 0
        # a word that is to come has its room already
        words = [w if t < shown else "·" * len(w) for t, w in enumerate(written.words)]
        lines = flow(weights, written.source, words, live=live)
        rows = _rows(written, shown) if written.weights.any() else ""
        if not live:
            return f"{lines}{rows}"
        frames = (
            f'<div class="alab-lines">{lines}</div><div class="alab-rows" tabindex="0">{rows}</div>'
        )
        return f"{STYLE}{frames}"

    def _gold(self, text: str) -> tuple[Any, str]:
        if self.translate is None:
            return None, ""
        try:
            return self.translate(text), ""
        except ValueError as error:
            return None, f"The grammar has no translation for it: {error}."

    def twin_html(self) -> str:
        if self.written is None:
            return super().twin_html()
        return self.status.value + self._drawn(self.written, self.shown.value, live=False)

    def twin_text(self) -> str:
        return f"AlignmentExplorer, {self.model.value}: “{self.text.value}”. {self.note}"


def _rows(written: _Written, shown: int) -> str:
    """Draw the weights as a table; the rows of words to come keep their room, unseen."""
    lines = []
    for t, (word, weights) in enumerate(zip(written.words, written.weights.tolist(), strict=True)):
        if t >= shown:
            lines.append([f'<th scope="row">{_unseen(word)}</th>'])
            lines[-1] += [cell(_unseen(format_weight(weight))) for weight in (*weights, 1)]
            continue
        cells = [
            weight_cell(
                weight,
                why=_why(written, t, j) if max(written.weights.shape) <= DENSE else "",
                kind="alab-related" if (t, j) in written.aligned else "",
                is_first=t == j == 0,
            )
            for j, weight in enumerate(weights)
        ]
        lines.append([row_head(word), *cells, cell(format_weight(sum(weights)))])
    heads = [cell(), *map(head, written.source), head("sum")]
    size = f" ({len(written.words)} × {len(written.source)})"
    return side_by_side(table(title("weights", size), heads, lines))


def _why(written: _Written, t: int, j: int) -> str:
    """Say how a weight is made, of which words, and whether it is on the word of the alignment."""
    word, source = escaped(written.words[t]), escaped(written.source[j])
    weight = format_weight(written.weights[t, j].item())
    said = f"softmax of the scores: the decoder, at “{word}”, with its state at “{source}” {weight}"
    return said + (", the word that it translates" if (t, j) in written.aligned else "")


def _unseen(text: str) -> str:
    return f'<span style="visibility:hidden">{escaped(text)}</span>'
