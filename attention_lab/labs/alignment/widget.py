"""Type a phrase; see its translation, and what each written word looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.vocabulary import Vocabulary
from attention_lab.pictures.tables import matrix_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, row, text_field, watch, words_in

__all__ = ["AlignmentExplorer"]


class AlignmentExplorer(LiveView):
    """Translate what is typed, and show the weights as a table of words by words.

    Parameters
    ----------
    models : mapping of name to Seq2Seq
        Trained models to choose from.
    source, target : Vocabulary
    translate : callable, optional
        Gives a `Phrase`, the right translation and alignment, or raises ValueError with the
        reason why there is none. The right cells are outlined.
    phrase : str
        What to start with.
    """

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
        self.model = choice("model", list(self.models), width="200px")
        self.children = [row(self.text, self.model), self.status, self.picture]
        self.redraw()
        watch(self.redraw, self.text, self.model)

    def draw(self) -> tuple[str, str]:
        words = words_in(self.text, self.source)
        model = self.models[self.model.value].eval()
        decoded = model.decode(self.source.encode([words]))
        written = self.target.decode(decoded.numbers[0].tolist())
        gold, reason = self._gold(" ".join(words))
        said = f"The model writes: {' '.join(written) or '(nothing)'}."
        if gold is None:
            said += f" {reason}" if reason else ""
        elif written == gold.french:
            said += " Right."
        else:
            said += f" Right would be: {' '.join(gold.french)}."
        if model.score == "none":
            return "", f"{said} It has no attention: the whole phrase went through one vector."
        rows = [*written, "<end>"][: decoded.weights.shape[1]]
        cells = []
        if gold is not None and written == gold.french:
            cells = list(enumerate(gold.alignment))
            said += " Outlined: the English word that each French word translates."
        table = matrix_table(
            decoded.weights[0, : len(rows)].double(),
            caption="weights",
            rows=rows,
            columns=[*words, "<end>"],
            weights=True,
            row_sums=True,
            related=cells,
        )
        return side_by_side(table), said

    def _gold(self, text: str) -> tuple[Any, str]:
        if self.translate is None:
            return None, ""
        try:
            return self.translate(text), ""
        except ValueError as error:
            return None, f"The grammar has no translation for it: {error}."

    def twin_text(self) -> str:
        return f"AlignmentExplorer, {self.model.value}: “{self.text.value}”. {self.note}"
