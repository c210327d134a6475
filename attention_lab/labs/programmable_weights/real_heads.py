"""Induction heads in SmolLM2: find them by their weights, then test them by taking them away.

The measures that take longer are kept in ``models/data/real_heads.json``, which
``tools/real_heads.py`` makes.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.models.kept import read_json
from attention_lab.models.language_model import Head, LanguageModel, recorded

__all__ = [
    "COUNTS",
    "DRAWS",
    "Copying",
    "Scores",
    "ablations",
    "best",
    "copying",
    "kept_scores",
    "others",
    "scan",
    "twice",
]

PERIOD = 24
FIRST, LAST = 1000, 10000  # tokens of the vocabulary that are drawn from: pieces of common words
COUNTS = (1, 2, 4, 8)  # heads that are taken away at once
DRAWS = 20  # of as many other heads
BEST = 20  # heads of either kind that no control may hold


class Scores(NamedTuple):
    """What a head looks at, on tokens that come twice.

    Attributes
    ----------
    induction : float
        Mean weight on what came after the same token before.
    previous : float
        Mean weight on the token before.
    """

    induction: float
    previous: float


class Copying(NamedTuple):
    """How well a model says what comes next.

    Attributes
    ----------
    first, second : float
        Loss where the tokens come for the first, and for the second time.
    accuracy : float
        Of the second time.
    """

    first: float
    second: float
    accuracy: float


def twice(count: int = 3, seed: int = 0) -> Tensor:
    """Draw 24 different tokens and write them twice: (count, 48)."""
    random = torch.Generator().manual_seed(seed)
    once = torch.stack(
        [torch.randperm(LAST - FIRST, generator=random)[:PERIOD] for _ in range(count)]
    )
    return torch.cat([once, once], dim=-1) + FIRST


@torch.no_grad()
def scan(model: LanguageModel, tokens: Tensor) -> dict[Head, Scores]:
    """Score every head of a model on tokens (B, 2 p) that come twice."""
    p = tokens.shape[1] // 2
    with recorded(model, step="weights") as found:
        model.hidden(tokens)
    return {
        head: Scores(
            # query p + i attends to key i + 1: p - 1 back
            weights[0].diagonal(1 - p, -2, -1)[:, 1:].mean().item(),
            weights[0].diagonal(-1, -2, -1).mean().item(),
        )
        for head, weights in found.items()
    }


@torch.no_grad()
def copying(model: LanguageModel, tokens: Tensor) -> Copying:
    """Measure how well a model continues tokens (B, 2 p) that come twice."""
    p = tokens.shape[1] // 2
    logits = model(tokens)[:, :-1]
    losses = F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
    right = (logits.argmax(dim=-1) == tokens[:, 1:]).double()
    return Copying(
        losses[:, : p - 1].mean().item(), losses[:, p:].mean().item(), right[:, p:].mean().item()
    )


def best(scores: dict[Head, Scores], kind: str, count: int) -> list[Head]:
    """Return the heads with the largest scores of a kind, "induction" or "previous"."""
    return sorted(scores, key=lambda head: -getattr(scores[head], kind))[:count]


def others(scores: dict[Head, Scores], count: int, seed: int) -> list[Head]:
    """Draw heads that are not among the 20 best of either kind."""
    taken = {*best(scores, "induction", BEST), *best(scores, "previous", BEST)}
    left = [head for head in scores if head not in taken]
    order = torch.randperm(len(left), generator=torch.Generator().manual_seed(seed))
    return [left[i] for i in order[:count].tolist()]


@cache
def _kept() -> dict:
    return read_json("attention_lab.models.data", "real_heads.json")


def kept_scores() -> dict[Head, Scores]:
    """Return the scores of all 270 heads that are kept."""
    return {
        tuple(map(int, name.split(","))): Scores(*each) for name, each in _kept()["scores"].items()
    }


def ablations() -> dict[str, list[float]]:
    """Return the kept losses of the second time.

    For example "induction, 4 off, zero" (one number) and "others, 4 off, mean" (one for each draw);
    "normal" is without ablation.
    """
    return _kept()["losses"]
