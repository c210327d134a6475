"""Attention pooling over a real model's vectors: is a sentence glad or cross, which words say so.

SmolLM2 reads a sentence; the vectors after its middle layer (15 of 30, chosen before anything was
measured) are what is attended to. One learned query gives a weight to each token, and the weighted
sum is read out. Tested on topics that were not in the training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.labs.interpretation.sentences import SENTENCES, Sentence
from attention_lab.models.kept import read_json
from attention_lab.models.language_model import View
from attention_lab.models.pretrained import SmolLM2
from attention_lab.models.training import seeded

__all__ = [
    "LAYER",
    "Fold",
    "Judge",
    "Read",
    "accuracy",
    "deletion",
    "folds",
    "kept_scores",
    "read_sentences",
    "scored",
    "trained_judge",
    "without_word",
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
    tokens = read.vectors[read.real]
    with seeded(seed):
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


def _labels(drawn: bool = False) -> Tensor:
    """Return 1 for glad, 0 for cross; drawn ones are the same, dealt out at random."""
    labels = torch.tensor([float(each.is_glad) for each in SENTENCES])
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return labels[order] if drawn else labels


def scored(read: Read, *, uniform: bool = False, seed: int = 0, drawn: bool = False) -> Tensor:
    """Return the logit of each sentence from a judge that has not seen its topic: (B,).

    ``drawn`` learns labels that were dealt out at random: a control, which must get half.
    """
    labels = _labels(drawn)
    logits = torch.zeros(len(SENTENCES))
    for fold in folds():
        judge = trained_judge(read.only(fold.train), labels[fold.train], uniform=uniform, seed=seed)
        with torch.no_grad():
            logits[fold.test] = judge(read.only(fold.test))
    return logits


def accuracy(logits: Tensor, *, drawn: bool = False) -> tuple[float, float]:
    """Return the share that is right, and its standard error from topic to topic."""
    right = ((logits > 0) == (_labels(drawn) > 0)).double()
    topics = torch.tensor([each.topic for each in SENTENCES])
    each = torch.stack([right[topics == t].mean() for t in topics.unique()])
    return each.mean().item(), (each.std() / len(each) ** 0.5).item()


def scored_by_words() -> Tensor:
    """Return the logit of each sentence from its words alone, counted; topics held out: (B,).

    What can be had without a language model: a logistic regression of which words are there.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    texts, labels = [each.text for each in SENTENCES], _labels().numpy()
    logits = torch.zeros(len(SENTENCES))
    for fold in folds():
        words = CountVectorizer(binary=True)
        counted = words.fit_transform([texts[i] for i in fold.train])
        judge = LogisticRegression(max_iter=1000).fit(counted, labels[fold.train])
        said = judge.decision_function(words.transform([texts[i] for i in fold.test]))
        logits[fold.test] = torch.as_tensor(said, dtype=logits.dtype)
    return logits


@torch.no_grad()
def deletion(lm: SmolLM2, read: Read, fold: int = 0) -> dict[str, Any]:
    """Take each word out of the held-out sentences of a fold, and read them again.

    Returns
    -------
    dict
        "words", "weights", "effects" (how far the logit falls), "votes" of each sentence; and for
        "weights", "weights times votes" and "letters of the word" (which need no judge) the mean
        rank correlation with the size of the effect, with its standard error, and how often the
        first of one is the first of the other.
    """
    part = folds()[fold]
    with torch.enable_grad():
        judge = trained_judge(read.only(part.train), _labels()[part.train])
    test = read.only(part.test)
    found: dict[str, Any] = {name: [] for name in ("words", "weights", "votes", "effects")}
    logits, weights, votes = judge(test), judge.weights(test), judge.votes(test)
    for row, index in enumerate(part.test):
        text = SENTENCES[index].text
        words = text.rstrip(".").split(" ")
        groups = _tokens_of(words, test.pieces[row])
        less = read_sentences(lm, [without_word(text, i) for i in range(len(words))])
        found["words"].append(words)
        found["weights"].append([weights[row, own].sum().item() for own in groups])
        found["votes"].append(
            [(weights[row, own] * votes[row, own]).sum().item() for own in groups]
        )
        found["effects"].append((logits[row] - judge(less)).tolist())
    sizes = [[abs(x) for x in each] for each in found["effects"]]
    shares = [[abs(x) for x in each] for each in found["votes"]]
    found["rank correlation"] = {
        "weights": _agreement(found["weights"], sizes),
        "weights times votes": _agreement(shares, sizes),
        "letters of the word": _agreement(
            [[float(len(word)) for word in each] for each in found["words"]], sizes
        ),
    }
    found["by chance the first is the same"] = sum(1 / len(x) for x in sizes) / len(sizes)
    found["logits"] = logits.tolist()
    return found


def kept_scores() -> dict[str, Any]:
    """Return what ``tools/sentiment.py`` measured."""
    return read_json(__package__, "sentiment.json")


def _tokens_of(words: Sequence[str], pieces: Sequence[str]) -> list[list[int]]:
    """Return the tokens that each word is made of; the full stop belongs to none."""
    groups: list[list[int]] = []
    for i, piece in enumerate(pieces):
        if piece.startswith(" ") or not groups:
            groups.append([i])
        elif piece != ".":
            groups[-1].append(i)
    if len(groups) != len(words):
        raise ValueError(f"{len(words)} words, and {len(groups)} begin in {pieces}")
    return groups


def _agreement(left: list[list[float]], right: list[list[float]]) -> list[float]:
    """Return mean rank correlation, its standard error, and how often the first is the same."""
    from scipy.stats import spearmanr

    each = torch.tensor(
        [spearmanr(a, b).statistic.item() for a, b in zip(left, right, strict=True)]
    )
    first = [a.index(max(a)) == b.index(max(b)) for a, b in zip(left, right, strict=True)]
    error = each.std() / len(each) ** 0.5
    return [each.mean().item(), error.item(), sum(first) / len(first)]
