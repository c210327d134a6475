"""Three handwritten digits side by side, a question about them, and a model that answers it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.core.attention import AttentionSteps, attention
from attention_lab.models.data.digits import SIDE, Digits, all_digits
from attention_lab.models.training import seeded, train

__all__ = [
    "BATCH",
    "CELLS",
    "N_TEST",
    "QUESTIONS",
    "Asked",
    "Reader",
    "accuracy",
    "answers",
    "asked_cell",
    "controls",
    "draw",
    "loss_of",
    "parts",
    "reader",
    "uniform",
]

CELLS = ("left", "middle", "right")
QUESTIONS = (*CELLS, "largest", "smallest")
N_TEST, N_VALIDATION, BATCH = 450, 250, 128


class Asked(NamedTuple):
    """Pictures and questions.

    Attributes
    ----------
    images : Tensor, shape (b, 3, 8, 8)
        The three cells of each picture, from left to right.
    digits : Tensor, shape (b, 3)
        What is written on them. The three differ.
    question : Tensor, shape (b,)
        Which of `QUESTIONS`.
    """

    images: Tensor
    digits: Tensor
    question: Tensor


@cache
def parts() -> dict[str, Digits]:
    """Return the digits: 450 to "test", 250 for "validation", the other 1097 to "train"."""
    digits, first = all_digits(), N_TEST + N_VALIDATION
    return {
        "test": digits.part(0, N_TEST),
        "validation": digits.part(N_TEST, first),
        "train": digits.part(first),
    }


def asked_cell(digits: Tensor, question: Tensor) -> Tensor:
    """Return which of the three cells each question is about, shape (b,)."""
    of_each = torch.stack(
        [
            *(torch.full_like(question, cell) for cell in range(3)),
            digits.argmax(1),
            digits.argmin(1),
        ]
    )  # (5, b)
    return of_each.gather(0, question[None])[0]


def answers(asked: Asked) -> Tensor:
    """Return the digit in the cell that each question is about, shape (b,)."""
    cell = asked_cell(asked.digits, asked.question)
    return asked.digits.gather(1, cell[:, None])[:, 0]


def draw(count: int, random: torch.Generator, part: str = "train") -> Asked:
    """Draw pictures of three different digits, and a question about each."""
    digits = parts()[part]
    order = torch.rand(count, 10, generator=random).argsort(1)[:, :3]  # three different digits
    found = [torch.nonzero(digits.labels == d)[:, 0] for d in range(10)]
    sizes = torch.tensor([len(each) for each in found])
    table = nn.utils.rnn.pad_sequence(found, batch_first=True)  # (10, most)
    which = (torch.rand(count, 3, generator=random) * sizes[order]).long()
    images = digits.images[table[order, which]]
    question = torch.randint(len(QUESTIONS), (count,), generator=random)
    return Asked(images, order, question)


class Reader(nn.Module):
    """Cross-attention from a question to three cells of a picture.

    The query is made of the question, the keys of what is seen in each cell and of its place, the
    values of what is seen.

    Parameters
    ----------
    kind : str
        "attention"; or one of the two controls, whose last layers get the question as well:
        "uniform" weighs the three cells the same and may put their places into the values, "joined"
        reads the three cells side by side.
    d_model : int
    """

    def __init__(self, kind: str = "attention", d_model: int = 32) -> None:
        super().__init__()
        self.kind = kind
        self.eye = nn.Sequential(
            nn.Linear(SIDE * SIDE, 64), nn.ReLU(), nn.Linear(64, d_model), nn.ReLU()
        )
        self.question = nn.Embedding(len(QUESTIONS), d_model)
        wide = {"attention": 1, "uniform": 2, "joined": 4}[kind] * d_model
        hidden = {"attention": 32, "uniform": 48, "joined": 32}[kind]
        if kind != "joined":
            self.place = nn.Embedding(3, d_model)
            self.to_value = nn.Linear(d_model, d_model)
        if kind == "attention":
            self.to_key = nn.Linear(d_model, d_model)
        self.readout = nn.Sequential(nn.Linear(wide, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    def look(self, images: Tensor, question: Tensor) -> AttentionSteps:
        """Let each question attend to the cells of its picture: weights (b, 1, 3)."""
        cells = self.eye(images.flatten(-2))  # (b, 3, 64) -> (b, 3, d)
        query = self.question(question)[:, None]  # (b, 1, d)
        return attention(query, self.to_key(cells + self.place.weight), self.to_value(cells))

    def forward(self, images: Tensor, question: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return logits of the ten digits, (b, 10); ``weights`` (b, 1, 3) replace its own."""
        if self.kind == "attention" and weights is None:
            return self.readout(self.look(images, question).output[:, 0])
        cells = self.eye(images.flatten(-2))
        if self.kind == "attention":
            return self.readout((weights @ self.to_value(cells))[:, 0])
        read = cells.flatten(1)
        if self.kind == "uniform":
            read = self.to_value(cells + self.place.weight).relu().mean(dim=1)
        return self.readout(torch.cat([read, self.question(question)], dim=-1))


def loss_of(model: Reader, asked: Asked) -> Tensor:
    """Return the cross-entropy of the answers."""
    return F.cross_entropy(model(asked.images, asked.question), answers(asked))


def uniform(count: int) -> Tensor:
    """Return weights of a third on each cell, (count, 1, 3)."""
    return torch.full((count, 1, 3), 1 / 3)


def accuracy(logits: Tensor, asked: Asked) -> float:
    """Return the share of right answers."""
    return (logits.argmax(-1) == answers(asked)).double().mean().item()


def controls(model: Reader, asked: Asked) -> dict[str, float]:
    """Measure what an answer hangs on.

    Returns
    -------
    dict
        "weight": mean weight on the cell that is asked about; "weight, by place" and "weight, by
        size": the same for the two kinds of question; "uniform": right answers with a third on
        each cell; "wrong question": right answers if another place was asked; "other cell": how
        often the digit of that other place is named then.
    """
    cell = asked_cell(asked.digits, asked.question)
    weight = model.look(asked.images, asked.question).weights[:, 0].gather(1, cell[:, None])[:, 0]
    by_place = asked.question < len(CELLS)
    images, digits = asked.images[by_place], asked.digits[by_place]
    other = (asked.question[by_place] + 1) % len(CELLS)
    said = model(images, other).argmax(-1)
    wanted = answers(asked)[by_place]
    even = model(asked.images, asked.question, uniform(len(cell)))
    return {
        "weight": weight.mean().item(),
        "weight, by place": weight[by_place].mean().item(),
        "weight, by size": weight[~by_place].mean().item(),
        "uniform": accuracy(even, asked),
        "wrong question": (said == wanted).double().mean().item(),
        "other cell": (said == digits.gather(1, other[:, None])[:, 0]).double().mean().item(),
    }


@cache
def reader(seed: int = 0) -> Reader:
    """Return a trained reader: four seconds, the first time."""
    with seeded(seed), torch.enable_grad():
        model = Reader()
        train(model, loss_of, lambda random: draw(BATCH, random), steps=1200, lr=1e-2, seed=seed)
    return model
