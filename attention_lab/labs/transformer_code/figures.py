"""The picture on top of notebook 07."""

from __future__ import annotations

import math

import torch

from attention_lab.pictures import figures

__all__ = ["opening"]


def opening() -> figures.Picture:
    """Draw three heads over five tokens: one looks back by one, one at the first, one at all."""
    n = 5
    query, key = torch.arange(n)[:, None], torch.arange(n)
    likes = torch.stack(
        [key == (query - 1).clamp(min=0), (key == 0).expand(n, n), query >= 0 * key]
    )
    scores = 3.0 * likes.double().masked_fill(key > query, -math.inf)  # (3, n, n), causal
    return figures.heads(
        scores.softmax(dim=-1),
        title="Weights of three heads over the same five tokens",
        names=["the token before", "the first token", "all tokens so far"],
    )
