"""Three digits and a question: where the question looks, and what is answered."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from attention_lab.labs.applications.pictures import triptych_picture
from attention_lab.labs.applications.triptych import (
    CELLS,
    QUESTIONS,
    Reader,
    asked_cell,
    parts,
    uniform,
)
from attention_lab.pictures.style import format_weight
from attention_lab.pictures.tables import cell, head, row_head, table, title, weight_cell
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, count_field, row, watch

__all__ = ["TriptychExplorer"]

OWN, EVEN, WRONG = "of this question", "a third each", "of a wrong question"
WRONG_ONE = {"left": "middle", "middle": "right", "right": "left",
             "largest": "smallest", "smallest": "largest"}  # fmt: skip


class TriptychExplorer(LiveView):
    """Choose three digits and a question; see the weights over the picture, and the answer.

    Parameters
    ----------
    model : Reader
        Trained, with attention.
    digits : sequence of int
        What to start with.
    question : str
    """

    def __init__(
        self, model: Reader, digits: tuple[int, int, int] = (7, 2, 9), question: str = "middle"
    ) -> None:
        super().__init__()
        self.model = model
        shown = parts()["test"]
        self.images = [shown.images[shown.labels == digit] for digit in range(10)]
        hands = min(map(len, self.images))
        self.digits = [
            choice(name, list(range(10)), width="110px", value=digit)
            for name, digit in zip(CELLS, digits, strict=True)
        ]
        self.hand = count_field(f"handwriting, 1 to {hands}", 1, hands, width="200px")
        self.question = choice("question", list(QUESTIONS), width="180px", value=question)
        self.weights = choice("weights", [OWN, EVEN, WRONG], width="250px")
        self.picture.layout.width = "100%"
        self.children = [
            row(*self.digits, self.hand),
            row(self.question, self.weights),
            self.status,
            self.picture,
        ]
        watch(self.redraw, *self.digits, self.hand, self.question, self.weights)
        self.redraw()

    def draw(self) -> tuple[str, str]:
        digits = torch.tensor([[field.value for field in self.digits]])
        # three hands, so that the same digit is written in three ways
        images = torch.stack(
            [
                self.images[digit][(self.hand.value - 1 + place) % len(self.images[digit])]
                for place, digit in enumerate(digits[0].tolist())
            ]
        )[None]
        asked = self.question.value
        weights = self._weights(images, asked)
        with torch.no_grad():
            answer = self.model(images, _number(asked), weights)[0].softmax(-1)
        shares, said = weights[0, 0].tolist(), int(answer.argmax())
        self.numbers = _numbers(digits[0].tolist(), shares)
        right = int(digits[0, int(asked_cell(digits, _number(asked)))])
        looked = ", ".join(f"{n} {format_weight(w)}" for n, w in zip(CELLS, shares, strict=True))
        verdict = "and so it is" if said == right else f"and it is {right}: not so here"
        note = (
            f"Asked: {asked}. Weights {self.weights.value}: {looked}. It says {said} "
            f"({format_weight(answer[said].item())}), {verdict}."
        )
        drawn = triptych_picture(images[0], shares, f"“{asked}?”", answer.tolist(), note)
        return drawn, note

    def _weights(self, images: Tensor, asked: str) -> Tensor:
        """Return the weights to answer with, (1, 1, 3)."""
        if self.weights.value == EVEN:
            return uniform(1)
        of = WRONG_ONE[asked] if self.weights.value == WRONG else asked
        with torch.no_grad():
            return self.model.look(images, _number(of)).weights

    def twin_html(self) -> str:
        # a page that shows no images has the numbers all the same
        return f'{self.status.value}{self.picture.value}<div class="alab">{self.numbers}</div>'

    def twin_text(self) -> str:
        return f"TriptychExplorer. {self.note}"


def _numbers(digits: Sequence[int], weights: Sequence[float]) -> str:
    """Write what stands in the cells, and their weights, as a table."""
    rows = [
        [row_head("digit"), *(cell(str(digit)) for digit in digits)],
        [row_head("weight"), *(weight_cell(weight) for weight in weights)],
    ]
    return table(title("Where the question looks"), [head(""), *map(head, CELLS)], rows)


def _number(question: str) -> Tensor:
    return torch.tensor([QUESTIONS.index(question)])
