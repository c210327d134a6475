"""Train models that are attention and nothing else on repeated tokens, and look into them.

The runs of all learning rates and seeds are kept in ``induction.json`` beside this file, which
``tools/induction_runs.py`` makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from statistics import mean

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.models.evaluation import evaluation
from attention_lab.models.training import History, train
from attention_lab.models.transformer import Embedding, MultiHeadAttention, recorded

__all__ = [
    "HEADS",
    "N_TOKENS",
    "PERIODS",
    "RATES",
    "SEEDS",
    "STEPS",
    "AttentionOnly",
    "Run",
    "accuracy",
    "best_rate",
    "committed",
    "heads_off",
    "induction_scores",
    "measured",
    "previous_scores",
    "repeated",
    "test_batch",
    "train_model",
]

N_TOKENS = 26
PERIODS = range(5, 11)  # how many different tokens, before they are repeated
LONGEST = 64  # positions that a model has a vector for
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
SEEDS = (0, 1, 2)
STEPS = 400
HEADS = {1: 8, 2: 4}  # in each layer: 8 heads in all, and as many parameters


class AttentionOnly(nn.Module):
    """Embedding, layers of attention, each added to what it read; a readout.

    Parameters
    ----------
    n_layers : int
    n_heads : int, optional
        In each layer; 8 divided by the layers if not given. Each has 16 features.
    d_model : int
    position : str
        As for `attention_lab.models.transformer.Embedding`.
    """

    def __init__(
        self,
        n_layers: int,
        n_heads: int | None = None,
        *,
        d_model: int = 64,
        position: str = "learned",
    ) -> None:
        super().__init__()
        n_heads = n_heads or HEADS[n_layers]
        self.embedding = Embedding(N_TOKENS, d_model, position, LONGEST)
        self.layers = nn.ModuleList(
            MultiHeadAttention(d_model, n_heads, d_k=16, d_v=16, position=position)
            for _ in range(n_layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(n_layers + 1))
        self.readout = nn.Linear(d_model, N_TOKENS)

    def forward(self, tokens: Tensor) -> Tensor:
        """Say for each token (B, n) what comes next: logits (B, n, N_TOKENS)."""
        x = self.embedding(tokens)  # (B, n) -> (B, n, d_model)
        for norm, layer in zip(self.norms, self.layers, strict=False):
            y = norm(x)
            x = x + layer(y, y, y, is_causal=True)
        return self.readout(self.norms[-1](x))


def repeated(random: torch.Generator, count: int = 64, period: int | None = None) -> Tensor:
    """Draw different tokens, and write them twice: (count, 2 * period)."""
    p = period or int(torch.randint(PERIODS.start, PERIODS.stop, (1,), generator=random))
    once = torch.rand(count, N_TOKENS, generator=random).argsort(dim=-1)[:, :p]
    return torch.cat([once, once], dim=-1)


def loss_of(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return the mean cross-entropy of the tokens that come for the second time, but the first."""
    half = tokens.shape[1] // 2
    logits = model(tokens[:, :-1])[:, half:]
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, half + 1 :].flatten())
