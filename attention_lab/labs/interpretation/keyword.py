"""A task whose truth is known: one word of a sentence decides, and we know which.

A sentence has 12 words. One of them, at a place drawn anew, is a keyword of class 0 or of class 1;
all others are fillers and say nothing. The model encodes the words, one learned query attends to
the vectors, and the weighted sum is read out.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.models.training import seeded, train

__all__ = [
    "ENCODERS",
    "Found",
    "FoundLookUp",
    "Items",
    "LookUp",
    "Pooling",
    "Sentences",
    "draw",
    "draw_items",
    "far_apart",
    "found",
    "found_look_up",
    "jensen_shannon",
    "trained",
    "trained_look_up",
    "without",
]

N_FILLERS, LENGTH, WIDTH = 40, 12, 16
N_ITEMS = 8
KEYWORDS = (N_FILLERS, N_FILLERS + 1)  # the words that mean class 0 and class 1
N_WORDS = N_FILLERS + 2
STEPS, BATCH = 300, 64
ENCODERS = ("embedding", "biGRU")


class Sentences(NamedTuple):
    """A batch whose truth is known.

    Attributes
    ----------
    words : Tensor, (B, 12)
    labels : Tensor, (B,)
    at : Tensor, (B,)
        Where the keyword stands.
    """

    words: Tensor
    labels: Tensor
    at: Tensor


def draw(count: int, generator: torch.Generator) -> Sentences:
    """Draw sentences of fillers with one keyword each."""
    words = torch.randint(N_FILLERS, (count, LENGTH), generator=generator)
    labels = torch.randint(2, (count,), generator=generator)
    at = torch.randint(LENGTH, (count,), generator=generator)
    words[torch.arange(count), at] = N_FILLERS + labels
    return Sentences(words, labels, at)


def without(sentences: Sentences, places: Tensor) -> Tensor:
    """Return the words (B, 11) without the one at the place (B,) of each sentence."""
    keep = torch.arange(sentences.words.shape[1]) != places[:, None]
    return sentences.words[keep].view(len(places), -1)


class LookUp(nn.Module):
    """A task in which attention is needed: a question names one of eight items.

    Each item has a name and a mark, 0 or 1, at random. The query is made from the name that is
    asked for, and the answer is the mark of that item.

    Parameters
    ----------
    uniform : bool
        Every item gets the same weight.
    guide : LookUp, optional
        Its weights are used, as they are; only votes are learned.
    moved : bool
        The guide's weights, each row moved one item on.
    """

    def __init__(
        self, *, uniform: bool = False, guide: LookUp | None = None, moved: bool = False
    ) -> None:
        super().__init__()
        self.uniform, self.moved = uniform, moved
        self.guides = [guide] if guide else []  # a list: its parameters are not ours to train
        self.asked = nn.Embedding(N_ITEMS, WIDTH)
        self.names = nn.Embedding(N_ITEMS, WIDTH)
        self.marks = nn.Embedding(2, WIDTH)
        self.readout = nn.Linear(WIDTH, 2)

    def weights(self, batch: Items) -> Tensor:
        """Return the weights of the question on the items: (B, 8)."""
        if self.guides:
            with torch.no_grad():
                return self.guides[0].weights(batch).roll(int(self.moved), dims=-1)
        scores = torch.einsum("bd,bnd->bn", self.asked(batch.asked), self.names(batch.names))
        return (scores * (0.0 if self.uniform else WIDTH**-0.5)).softmax(dim=-1)

    def votes(self, batch: Items) -> Tensor:
        """Return what each item would say alone: logit of 1 less that of 0, (B, 8)."""
        logits = self.readout(self.marks(batch.marks) + self.names(batch.names))
        return logits[..., 1] - logits[..., 0]

    def forward(self, batch: Items, weights: Tensor | None = None) -> Tensor:
        """Return logits (B, 2)."""
        weights = self.weights(batch) if weights is None else weights
        said = (weights * self.votes(batch)).sum(dim=-1)
        return torch.stack([-said / 2, said / 2], dim=-1)


class Items(NamedTuple):
    """Items with names and marks (B, 8), the name that is asked for and where it stands (B,)."""

    names: Tensor
    marks: Tensor
    asked: Tensor
    at: Tensor

    @property
    def labels(self) -> Tensor:
        """The mark of the item that is asked for."""
        return self.marks.gather(1, self.at[:, None])[:, 0]


def draw_items(count: int, generator: torch.Generator) -> Items:
    """Draw questions."""
    names = torch.rand(count, N_ITEMS, generator=generator).argsort(dim=-1)
    marks = torch.randint(2, (count, N_ITEMS), generator=generator)
    at = torch.randint(N_ITEMS, (count,), generator=generator)
    return Items(names, marks, names.gather(1, at[:, None])[:, 0], at)


def trained_look_up(seed: int, *, steps: int = 2 * STEPS, **options) -> LookUp:
    """Train it as `trained` does, twice as long and with twice the learning rate.

    ``options`` are those of `LookUp`.
    """
    with seeded(seed):
        model = LookUp(**options)
    train(
        model,
        lambda model, batch: F.cross_entropy(model(batch), batch.labels),
        lambda generator: draw_items(BATCH, generator),
        steps=steps,
        lr=2e-2,
        seed=seed,
    )
    return model


class FoundLookUp(NamedTuple):
    """What was measured of a look-up: shares of right answers, and a mean weight.

    Attributes
    ----------
    accuracy, with_uniform, permuted : float
        As it is; with the same weight for every item; with its weights moved at random.
    on_asked : float
        Weight on the item that is asked for.
    swayed : float
        Share of the answers that change if this item gets nothing and the others share its weight.
    possible : float
        Share of the questions in which weights that give it nothing give the same answer.
    """

    accuracy: float
    with_uniform: float
    permuted: float
    on_asked: float
    swayed: float
    possible: float


@torch.no_grad()
def found_look_up(model: LookUp, count: int = 500, seed: int = 1000) -> FoundLookUp:
    """Measure a look-up on new questions."""
    generator = torch.Generator().manual_seed(seed)
    batch = draw_items(count, generator)
    weights = model.weights(batch)
    order = torch.rand(weights.shape, generator=generator).argsort(dim=-1)

    def share(given: Tensor, wanted: Tensor = batch.labels) -> float:
        return (model(batch, given).argmax(dim=-1) == wanted).double().mean().item()

    less = weights.scatter(1, batch.at[:, None], 0.0)
    less = less / less.sum(dim=-1, keepdim=True)
    _, works = far_apart(weights, model.votes(batch), batch.at)
    return FoundLookUp(
        share(weights),
        share(torch.full_like(weights, 1 / N_ITEMS)),
        share(weights.gather(1, order)),
        weights.gather(1, batch.at[:, None]).mean().item(),
        1 - share(less, model(batch).argmax(dim=-1)),
        works.double().mean().item(),
    )


class Pooling(nn.Module):
    """A classifier: encode, attend with one learned query, read out.

    Parameters
    ----------
    encoder : str
        "embedding": each vector is of its own word only. "biGRU": each vector has read the whole
        sentence, from both sides.
    uniform : bool
        Every word gets the same weight; nothing is learned there.
    """

    def __init__(self, encoder: str = "embedding", *, uniform: bool = False) -> None:
        super().__init__()
        self.uniform = uniform
        self.embedding = nn.Embedding(N_WORDS, WIDTH)
        self.gru = (
            nn.GRU(WIDTH, WIDTH // 2, batch_first=True, bidirectional=True)
            if encoder == "biGRU"
            else None
        )
        self.query = nn.Parameter(torch.randn(WIDTH) / WIDTH**0.5)
        self.to_key = nn.Linear(WIDTH, WIDTH)
        self.readout = nn.Linear(WIDTH, 2)

    def vectors(self, words: Tensor) -> Tensor:
        """Return what is attended to: (B, n, d)."""
        x = self.embedding(words)
        return x if self.gru is None else self.gru(x)[0]

    def weights(self, words: Tensor) -> Tensor:
        """Return the weights of the learned query: (B, n)."""
        if self.uniform:
            return torch.full(words.shape, 1 / words.shape[1])
        return (torch.tanh(self.to_key(self.vectors(words))) @ self.query).softmax(dim=-1)

    def forward(self, words: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return logits (B, 2); with other weights than its own, if they are given."""
        weights = self.weights(words) if weights is None else weights
        return self.readout((weights[:, None] @ self.vectors(words))[:, 0])

    def votes(self, words: Tensor) -> Tensor:
        """Return for each word the logit of class 1 less that of class 0, if it had all weight.

        What the model says is the weighted mean of these: (B, n).
        """
        logits = self.readout(self.vectors(words))
        return logits[..., 1] - logits[..., 0]


def trained(encoder: str, seed: int, *, uniform: bool = False, steps: int = STEPS) -> Pooling:
    """Train a classifier: Adam, 300 steps of 64 sentences."""
    with seeded(seed):
        model = Pooling(encoder, uniform=uniform)
    train(
        model,
        lambda model, batch: F.cross_entropy(model(batch.words), batch.labels),
        lambda generator: draw(BATCH, generator),
        steps=steps,
        lr=1e-2,
        seed=seed,
    )
    return model


class Found(NamedTuple):
    """What was measured of a classifier on sentences that it has not seen.

    Attributes
    ----------
    accuracy, with_uniform, without_keyword : float
        Share right: as it is; with the same weight for every word; without the keyword.
    permuted : float
        Share right with its own weights, moved to other places at random.
    on_keyword : (float, float)
        Mean weight on the keyword, in class 0 and in class 1.
    swayed : (float, float)
        Share of the sentences of each class whose answer changes without the keyword.
    default : float
        Probability of class 1 for sentences of fillers only.
    sure : (float, float)
        Mean probability of the right answer in the class that is said by default: with the
        keyword, and without it.
    possible : (float, float)
        Share of the sentences of each class in which weights that give the keyword nothing give
        the same answer.
    distance : float
        Mean Jensen-Shannon divergence of these weights from its own, in nats (at most .693).
    """

    accuracy: float
    with_uniform: float
    without_keyword: float
    permuted: float
    on_keyword: tuple[float, float]
    swayed: tuple[float, float]
    default: float
    sure: tuple[float, float]
    possible: tuple[float, float]
    distance: float


@torch.no_grad()
def found(model: Pooling, count: int = 500, seed: int = 1000) -> Found:
    """Measure a classifier."""
    generator = torch.Generator().manual_seed(seed)
    sentences = draw(count, generator)
    words, labels, at = sentences
    weights = model.weights(words)
    on_keyword = weights.gather(1, at[:, None])[:, 0]

    def share(logits: Tensor) -> float:
        return (logits.argmax(dim=-1) == labels).double().mean().item()

    def sure(logits: Tensor) -> Tensor:
        return logits.softmax(dim=-1).gather(1, labels[:, None])[:, 0]

    own, deleted = model(words), model(without(sentences, at))
    changed = (own.argmax(dim=-1) != deleted.argmax(dim=-1)).double()
    order = torch.rand(weights.shape, generator=generator).argsort(dim=-1)
    fillers = torch.randint(N_FILLERS, (count, LENGTH), generator=generator)
    default = model(fillers).softmax(dim=-1)[:, 1].mean().item()
    other, works = far_apart(weights, model.votes(words), at)
    distances = jensen_shannon(weights, other)[works]
    return Found(
        share(own),
        share(model(words, torch.full_like(weights, 1 / LENGTH))),
        share(deleted),
        share(model(words, weights.gather(1, order))),
        tuple(on_keyword[labels == c].mean().item() for c in (0, 1)),
        tuple(changed[labels == c].mean().item() for c in (0, 1)),
        default,
        tuple(
            sure(logits)[labels == int(default > 0.5)].mean().item() for logits in (own, deleted)
        ),
        tuple(works[labels == c].double().mean().item() for c in (0, 1)),
        distances.mean().item() if works.any() else 0.0,
    )


def far_apart(own: Tensor, votes: Tensor, at: Tensor, most: float = 0.01) -> tuple[Tensor, Tensor]:
    """Look for weights that give one word nothing and change no probability by more than .01.

    What the model says is a weighted mean of votes, so two words suffice: those of the others with
    the least and the most extreme vote, mixed to come nearest to what was said.

    Parameters
    ----------
    own, votes : Tensor, (B, n)
        The weights of the model, and what each word would say alone.
    at : Tensor, (B,)
        The word that gets nothing.

    Returns
    -------
    weights : Tensor, (B, n)
    works : Tensor of bool, (B,)
        Whether they keep the answer.
    """
    said = (own * votes).sum(dim=-1)
    banned = F.one_hot(at, own.shape[1]).bool()
    low, low_at = votes.masked_fill(banned, torch.inf).min(dim=-1)
    high, high_at = votes.masked_fill(banned, -torch.inf).max(dim=-1)
    share = ((said - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
    weights = torch.zeros_like(own)
    weights.scatter_add_(1, low_at[:, None], (1 - share)[:, None])
    weights.scatter_add_(1, high_at[:, None], share[:, None])
    moved = (said.sigmoid() - (weights * votes).sum(dim=-1).sigmoid()).abs()
    return weights, moved <= most


def jensen_shannon(left: Tensor, right: Tensor) -> Tensor:
    """Return how far apart two weightings are: 0 if equal, ln 2 = .693 if they share no key."""

    def divergence(p: Tensor, q: Tensor) -> Tensor:
        return torch.where(p > 0, p * (p / q).log(), 0.0).sum(dim=-1)

    middle = (left + right) / 2
    return (divergence(left, middle) + divergence(right, middle)) / 2
