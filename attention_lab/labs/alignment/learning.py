"""How fast translators learn: the same training for several kinds, and what came of it.

The runs are kept in ``learning.json`` beside this file, which ``tools/learning.py`` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from attention_lab.models.data.translation import (
    AFTER,
    BEFORE,
    ENGLISH,
    FRENCH,
    NOUNS,
    SINGULARS,
    Phrase,
    phrases,
)
from attention_lab.models.kept import read_json, whole
from attention_lab.models.seq2seq import SCORES, Seq2Seq
from attention_lab.models.training import seeded, train
from attention_lab.models.vocabulary import Vocabulary

__all__ = [
    "KINDS",
    "RATES",
    "SAME_RATE",
    "SEEDS",
    "SIDE_BY_SIDE",
    "TRAINED",
    "FirstOnly",
    "Run",
    "at_same_rate",
    "best",
    "build",
    "committed",
    "data",
    "in_english_order",
    "kind_of",
    "train_run",
    "turned",
]

# "first": one vector, read at the first step only. "kept": as "none", and the French adjectives
# stand in the order of the English ones.
KINDS = (*SCORES, "first", "kept")
TRAINED = {  # for how many steps
    "none": (300, 600, 1200),
    "first": (300, 1200),
    "kept": (300,),
    "dot": (300, 600, 1200),
    "scaled": (300,),
    "general": (300,),
    "additive": (300,),
}
RATES = (3e-3, 1e-2, 3e-2, 1e-1)
SEEDS = (0, 1, 2)
# These are trained with all seeds at one and the same rate, too.
SIDE_BY_SIDE, SAME_RATE = ("none", "kept", "dot"), 3e-3
D_MODEL, BATCH = 64, 64


class FirstOnly(Seq2Seq):
    """One vector, with which the decoder starts, and which it never reads again."""

    def __init__(self, n_source: int, n_target: int, d_model: int = 64) -> None:
        super().__init__(n_source, n_target, d_model, score="none")

    def step(self, word, state, output, memory):
        states, _, real = memory
        nothing = torch.zeros_like(state)
        state = self.decoder(torch.cat([self.target(word), nothing], dim=-1), state)
        logits = self.readout(torch.cat([state, nothing], dim=-1))
        return logits, state, nothing, states.new_zeros(real.shape)


@dataclass(frozen=True)
class Run:
    """What came of one training.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    steps, lr, seed
        Of the training.
    loss : float
        Mean of the last ten steps.
    validation : float
        Share of 500 phrases, neither trained on nor unseen, that come out right: to choose the
        learning rate by.
    right : str
        "1" for each of the 500 unseen phrases that comes out right, "0" for the others.
    looks : mapping of kind of word to (count, at the aligned word, at its own noun, on <end>)
        Over the unseen phrases that come out right: how many French words of this kind there are,
        how many have their largest weight on the word of the alignment, how many on the noun that
        it belongs to, and the sum of the weights on <end>. Empty without attention.
    """

    kind: str
    steps: int
    lr: float
    seed: int
    loss: float
    validation: float
    right: str
    looks: dict[str, tuple[int, int, int, float]]

    @property
    def key(self) -> tuple[str, int, float, int]:
        """What was trained, for how long, and how."""
        return self.kind, self.steps, self.lr, self.seed

    @property
    def exact(self) -> float:
        """Share of the unseen phrases that come out right."""
        return self.right.count("1") / len(self.right)

    def share(self, holds: Sequence[bool]) -> float:
        """Return the share among the unseen phrases for which ``holds`` is True."""
        chosen = [bit for bit, wanted in zip(self.right, holds, strict=True) if wanted]
        return chosen.count("1") / len(chosen)


@cache
def data() -> tuple[list[Phrase], list[Phrase], list[Phrase]]:
    """Return 4500 phrases to learn from, 500 unseen ones, and 500 to choose the rate by."""
    drawn = phrases(5500)
    return drawn[:4500], drawn[4500:5000], drawn[5000:]


def kind_of(word: str) -> str:
    """Return what an English word is: a noun, a determiner ('s is one), or an adjective."""
    if word in NOUNS or word in SINGULARS:
        return "noun"
    return "adjective" if word in BEFORE or word in AFTER else "determiner"


def turned(phrase: Phrase) -> bool:
    """Tell whether two adjectives of one noun change their order: "noirs lourds"."""
    return bool(_pairs(phrase))


def _pairs(phrase: Phrase) -> list[int]:
    """Where in the French two adjectives of one noun stand in the other order."""
    kinds = [kind_of(phrase.english[at]) for at in phrase.alignment]
    return [
        t
        for t in range(len(kinds) - 1)
        if kinds[t] == kinds[t + 1] == "adjective"
        and phrase.alignment[t] == phrase.alignment[t + 1] + 1
    ]


def in_english_order(phrase: Phrase) -> Phrase:
    """Return the phrase with the French adjectives in the order of the English ones."""
    french, alignment = list(phrase.french), list(phrase.alignment)
    for t in _pairs(phrase):
        for words in (french, alignment):
            words[t], words[t + 1] = words[t + 1], words[t]
    return Phrase(phrase.english, tuple(french), tuple(alignment))


def build(kind: str, seed: int = 0) -> Seq2Seq:
    """Return a translator that has learned nothing yet.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    sizes = len(ENGLISH) + 3, len(FRENCH) + 3, D_MODEL
    with seeded(seed):
        if kind == "first":
            return FirstOnly(*sizes)
        return Seq2Seq(*sizes, score="none" if kind == "kept" else kind)


def train_run(
    kind: str,
    *,
    steps: int = 300,
    lr: float = 3e-3,
    seed: int = 0,
    watch: Callable[[int, float], None] | None = None,
) -> Run:
    """Train one translator, five seconds for 300 steps, and see what it writes.

    Raises
    ------
    ValueError
        There is no such kind.
    RuntimeError
        It was interrupted, or a loss was no number: half a training is not kept.
    """
    model = build(kind, seed)
    sets = data()
    if kind == "kept":
        sets = tuple([in_english_order(phrase) for phrase in each] for each in sets)
    training, unseen, validation = sets
    english, french = Vocabulary(ENGLISH), Vocabulary(FRENCH)

    def batch_of(random: torch.Generator) -> tuple[Tensor, Tensor]:
        drawn = torch.randint(len(training), (BATCH,), generator=random).tolist()
        chosen = [training[i] for i in drawn]
        source = english.encode([phrase.english for phrase in chosen])
        return source, french.encode([phrase.french for phrase in chosen], start=True)

    history = whole(
        kind,
        lambda: train(
            model,
            lambda model, batch: model.loss(*batch),
            batch_of,
            steps=steps,
            lr=lr,
            seed=seed,
            watch=watch,
        ),
    )

    def written(these: list[Phrase]) -> tuple[list[bool], Tensor]:
        decoded = model.decode(english.encode([phrase.english for phrase in these]))
        words = [french.decode(numbers) for numbers in decoded.numbers.tolist()]
        return [w == p.french for w, p in zip(words, these, strict=True)], decoded.weights

    right, weights = written(unseen)
    validated, _ = written(validation)
    has_attention = model.score != "none"
    return Run(
        kind,
        steps,
        lr,
        seed,
        round(sum(history.losses[-10:]) / 10, 4),
        sum(validated) / len(validated),
        "".join("01"[bit] for bit in right),
        _looks(unseen, right, weights) if has_attention else {},
    )


def _looks(
    unseen: list[Phrase], right: list[bool], weights: Tensor
) -> dict[str, tuple[int, int, int, float]]:
    found: dict[str, list[float]] = {}
    for phrase, is_right, rows in zip(unseen, right, weights, strict=True):
        if not is_right:
            continue
        end = len(phrase.english)
        nouns = [kind_of(word) == "noun" for word in phrase.english]
        for word, at, row in zip(phrase.french, phrase.alignment, rows, strict=False):
            kind = "de" if word == "de" else kind_of(phrase.english[at])
            looked = row.argmax().item()
            counts = found.setdefault(kind, [0, 0, 0, 0.0])
            counts[0] += 1
            counts[1] += looked == at
            counts[2] += looked == nouns.index(True, at)  # its own noun is the next one
            counts[3] += row[end].item()
    return {kind: (*counts[:3], round(counts[3], 2)) for kind, counts in sorted(found.items())}


@cache
def committed() -> dict[tuple[str, int, float, int], Run]:
    """Return the kept runs by `Run.key`."""
    runs = [
        Run(**{**run, "looks": {kind: tuple(each) for kind, each in run["looks"].items()}})
        for run in read_json(__package__, "learning.json")
    ]
    return {run.key: run for run in runs}


def best(kind: str, steps: int = 300) -> list[Run]:
    """Return the three seeds of a kind, at the learning rate that was best for it.

    Of the four rates it is the one with the most phrases right of those to choose by, seed 0.
    """
    runs = committed()
    rates = [lr for lr in RATES if (kind, steps, lr, 0) in runs]
    lr = max(rates, key=lambda lr: runs[kind, steps, lr, 0].validation)
    return [runs[kind, steps, lr, seed] for seed in SEEDS]


def at_same_rate(kind: str) -> list[Run]:
    """Return the three seeds of a kind after 300 steps at the rate 0.003."""
    runs = committed()
    return [runs[kind, 300, SAME_RATE, seed] for seed in SEEDS]
