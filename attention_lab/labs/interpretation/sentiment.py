"""Attention pooling over a real model's vectors: is a sentence glad or cross, and which words say so.

SmolLM2 reads a sentence; the vectors after its middle layer (15 of 30, chosen before anything was
measured) are what is attended to. One learned query gives a weight to each token, and the weighted
sum is read out. Tested on topics that were not in the training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.labs.interpretation.sentences import SENTENCES, Sentence
from attention_lab.models.language_model import View
from attention_lab.models.pretrained import SmolLM2

__all__ = [
    "LAYER",
    "Fold",
    "Judge",
    "Read",
    "folds",
    "read_sentences",
    "scored",
    "trained_judge",
    "without_word",
    "words_of",
]

LAYER = 15
OPENING = "Review:"  # the first token is a sink, and its vector is of no word: it is left out
N_FOLDS = 6
STEPS = 150
DECAY = 0.05


class Read(NamedTuple):
    """Sentences as the model sees them.

    Attributes
    ----------
    vectors : Tensor, (B, n, 576)
        After layer 15; the opening is cut off. Padded with zeros.
    real : Tensor of bool, (B, n)
        False where a row is padded.
    pieces : list of list of str
    """

    vectors: Tensor
    real: Tensor
    pieces: list[list[str]]

    def only(self, rows: Sequence[int]) -> Read:
        """Return some of the sentences."""
        rows = list(rows)
        return Read(self.vectors[rows], self.real[rows], [self.pieces[i] for i in rows])


@torch.no_grad()
def read_sentences(lm: SmolLM2, texts: Sequence[str], batch: int = 32) -> Read:
    """Run the lower half of the model over sentences."""
    opening = lm.read(OPENING).shape[1]
    rows = [lm.read(f"{OPENING} {text}")[0] for text in texts]
    n = max(map(len, rows))
    tokens = torch.stack([F.pad(row, (0, n - len(row))) for row in rows])
    found = []
    for part in tokens.split(batch):
        positions = torch.arange(n)
        view = View(lm.model.config.n_heads, n, n, positions, positions, None, True)
        x = lm.model.words(part)  # padding stands behind, where a causal model does not look
        for layer in lm.model.layers[:LAYER]:
            x = layer(x, view)
        found.append(x[:, opening:])
    real = torch.stack([torch.arange(opening, n) < len(row) for row in rows])
    pieces = [[lm.write(token[None]) for token in row[opening:]] for row in rows]
    return Read(torch.cat(found) * real[..., None], real, pieces)


def words_of(pieces: Sequence[str]) -> list[list[int]]:
    """Group the tokens of a sentence by word: a new one begins with a space or a sign."""
    groups: list[list[int]] = []
    for i, piece in enumerate(pieces):
        starts = piece.startswith(" ") or not piece.strip().isalnum()
        if starts or not groups:
            groups.append([i])
        else:
            groups[-1].append(i)
    return groups


def without_word(sentence: str, word: int) -> str:
    """Return a sentence without one of its words, counted from 0; its full stop stays."""
    words = sentence.rstrip(".").split(" ")
    return " ".join(words[:word] + words[word + 1 :]) + "."


class Judge(nn.Module):
    """One query over the tokens, a weighted sum, a logit: glad if it is above 0.

    Parameters
    ----------
    mean, spread : Tensor, (d,)
        Of the vectors of the training, which are brought to mean 0 and variance 1.
    uniform : bool
        Every token gets the same weight.
    """

    def __init__(self, mean: Tensor, spread: Tensor, *, uniform: bool = False) -> None:
        super().__init__()
        d = len(mean)
        self.uniform = uniform
        self.mean, self.spread = mean, spread
        self.query = nn.Parameter(torch.zeros(d))
        self.readout = nn.Parameter(torch.randn(d) / d)
        self.bias = nn.Parameter(torch.zeros(()))

    def votes(self, read: Read) -> Tensor:
        """Return the logit of each token alone: (B, n). What is said is their weighted mean."""
        return ((read.vectors - self.mean) / self.spread) @ self.readout + self.bias

    def weights(self, read: Read) -> Tensor:
        """Return the weight of each token: (B, n)."""
        scores = ((read.vectors - self.mean) / self.spread) @ self.query
        scores = scores * (0.0 if self.uniform else 1 / len(self.query) ** 0.5)
        return scores.masked_fill(~read.real, -torch.inf).softmax(dim=-1)

    def forward(self, read: Read) -> Tensor:
        """Return a logit for each sentence: (B,)."""
        return (self.weights(read) * self.votes(read)).sum(dim=-1)


def trained_judge(read: Read, labels: Tensor, *, uniform: bool = False, seed: int = 0) -> Judge:
    """Train on all sentences at once: Adam with weight decay, 150 steps."""
    torch.manual_seed(seed)
    tokens = read.vectors[read.real]
    judge = Judge(tokens.mean(dim=0), tokens.std(dim=0) + 1e-6, uniform=uniform)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=1e-2, weight_decay=DECAY)
    for _ in range(STEPS):
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(judge(read), labels).backward()
        optimiser.step()
    return judge.eval()


class Fold(NamedTuple):
    """Which sentences are learned from, and which are held out: other topics."""

    train: list[int]
    test: list[int]


def folds(sentences: Sequence[Sentence] = SENTENCES, count: int = N_FOLDS) -> list[Fold]:
    """Divide the topics: topic t is held out in fold t % 6."""
    found = []
    for fold in range(count):
        test = [i for i, each in enumerate(sentences) if each.topic % count == fold]
        found.append(Fold([i for i in range(len(sentences)) if i not in set(test)], test))
    return found


def scored(read: Read, *, uniform: bool = False, seed: int = 0) -> Tensor:
    """Return the logit of each sentence from a judge that has not seen its topic: (B,)."""
    labels = torch.tensor([float(each.is_glad) for each in SENTENCES])
    logits = torch.zeros(len(SENTENCES))
    for fold in folds():
        judge = trained_judge(read.only(fold.train), labels[fold.train], uniform=uniform, seed=seed)
        with torch.no_grad():
            logits[fold.test] = judge(read.only(fold.test))
    return logits
