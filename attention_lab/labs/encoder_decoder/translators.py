"""Translators of the phrases of notebook 05, and where their weights lie.

What came of four starts is kept in ``translators.json`` beside this file, which
``tools/ablations.py`` makes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.models.data.translation import (
    ENGLISH,
    FRENCH,
    NOUNS,
    SINGULARS,
    Phrase,
    phrases,
)
from attention_lab.models.kept import read_json
from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.training import seeded, train
from attention_lab.models.transformer import Transformer, recorded
from attention_lab.models.vocabulary import Vocabulary

__all__ = [
    "KINDS",
    "MODELS",
    "Translated",
    "agreement",
    "committed_translators",
    "english",
    "french",
    "measure",
    "train_translator",
    "translated",
    "unseen",
]

KINDS = ("noun", "adjective", "determiner", "de")
MODELS = {"recurrent": Seq2Seq, "Transformer": Transformer}
STARTS = (0, 1, 2, 3)

english, french = Vocabulary(ENGLISH), Vocabulary(FRENCH)


@cache
def _all() -> tuple[list[Phrase], list[Phrase]]:
    every = phrases(5000)
    return every[:4500], every[4500:]


def unseen() -> list[Phrase]:
    """Return the 500 phrases that are in no training."""
    return _all()[1]


def _batch(random: torch.Generator) -> tuple[Tensor, Tensor]:
    training = _all()[0]
    chosen = [training[i] for i in torch.randint(len(training), (64,), generator=random).tolist()]
    source = english.encode([phrase.english for phrase in chosen])
    return source, french.encode([phrase.french for phrase in chosen], start=True)


def train_translator(
    model: str, seed: int = 0, watch: Callable[[int, float], None] | None = None
) -> Seq2Seq | Transformer:
    """Train a model of `MODELS` for 300 steps of 64 phrases, with d_model = 64.

    Parameters
    ----------
    model : str
        "recurrent" (notebook 05, with the additive score) or "Transformer" (one layer on each
        side, four heads).
    seed : int
        Of the start and of the batches.
    watch : callable, optional
        ``watch(step, loss)`` after each step.
    """
    with seeded(seed):
        translator = MODELS[model](len(english), len(french), d_model=64)
    train(translator, lambda m, b: m.loss(*b), _batch, steps=300, seed=seed, watch=watch)
    return translator.eval()


class Translated(NamedTuple):
    """What a model made of the unseen phrases.

    Attributes
    ----------
    words : list of tuple of str
    weights : Tensor, shape (500, h, n_q, n_k)
        Of its cross-attention; with h = 1 of a recurrent model.
    exact_match : float
        Share of the phrases that are translated exactly right.
    """

    words: list[tuple[str, ...]]
    weights: Tensor
    exact_match: float


def translated(model: Seq2Seq | Transformer) -> Translated:
    """Translate the unseen phrases."""
    sources = english.encode([phrase.english for phrase in unseen()])
    if isinstance(model, Seq2Seq):
        numbers, weights = model.decode(sources)
        weights = weights[:, None]
    else:
        with recorded(model) as found:
            numbers = model.decode(sources)
        weights = torch.cat(found["decoder.layers.0.cross_attention"], dim=2)
    words = [french.decode(row) for row in numbers.tolist()]
    right = sum(tuple(w) == p.french for w, p in zip(words, unseen(), strict=True))
    return Translated(words, weights, right / len(unseen()))


def agreement(words: Sequence[Sequence[str]], weights: Tensor) -> dict[str, float]:
    """Return for each of `KINDS` how often the largest weight is on the word that is translated.

    Only phrases that were written exactly right count; nan where there is none.

    Parameters
    ----------
    words : sequence
        What was written for each of the `unseen` phrases.
    weights : Tensor, shape (500, n_q, n_k)
        Of one head, or the mean of several.
    """
    total, right = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for written, own, phrase in zip(words, weights, unseen(), strict=True):
        if tuple(written) != phrase.french:
            continue
        best = own[: len(written)].argmax(dim=-1).tolist()
        for french_word, looked, position in zip(written, best, phrase.alignment, strict=True):
            kind = _kind_of(french_word, phrase.english[position])
            total[kind] += 1
            right[kind] += looked == position
    return {kind: right[kind] / total[kind] if total[kind] else math.nan for kind in KINDS}


def _kind_of(french_word: str, english_word: str) -> str:
    if french_word == "de":
        return "de"
    if english_word in ("the", "my", "your", "'s"):
        return "determiner"
    return "noun" if english_word in NOUNS or english_word in SINGULARS else "adjective"


def measure(model: Seq2Seq | Transformer) -> dict[str, float | dict[str, float]]:
    """Return a model's ``exact_match``, and the `agreement` of its mean and of each head."""
    words, weights, exact_match = translated(model)
    shares = {"mean": weights.mean(dim=1)}
    shares |= {f"head {h}": weights[:, h] for h in range(weights.shape[1])}
    rounded = {
        name: {kind: round(share, 3) for kind, share in agreement(words, own).items()}
        for name, own in shares.items()
    }
    return {"exact_match": exact_match, **rounded}


@cache
def committed_translators() -> dict[str, list[Mapping[str, float | Mapping[str, float]]]]:
    """Return for each of `MODELS` what `measure` found from the starts 0 to 3."""
    rows = read_json(__package__, "translators.json")
    return {model: [rows[f"{model} {start}"] for start in STARTS] for model in MODELS}
