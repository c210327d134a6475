"""Normalisers: from scores to weights.

Each takes scores (..., n_k) and gives weights of the same shape, for the last axis; a score of
``-inf`` means hidden and gets the weight 0. `softmax` is the one that attention uses.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from attention_lab.core.attention import masked_softmax

__all__ = ["entropy", "sigmoid", "softmax", "softmax_plus_one", "sparsemax"]


def softmax(scores: Tensor) -> Tensor:
    """``e^s_j / sum_l e^s_l``: positive, and each row sums to 1.

    Parameters
    ----------
    scores : Tensor, shape (..., n_k)

    Returns
    -------
    Tensor, shape (..., n_k)
        A row with every key hidden is all zero.
    """
    return masked_softmax(scores)


def softmax_plus_one(scores: Tensor) -> Tensor:
    """``e^s_j / (1 + sum_l e^s_l)``: each row sums to less than 1.

    The same as a softmax with one more key, whose score is 0 and whose value is 0: a query that
    fits nothing may take nothing.

    Parameters, shapes and hidden keys are those of `softmax`.
    """
    nothing = scores.new_zeros(*scores.shape[:-1], 1)
    return torch.cat([scores, nothing], dim=-1).softmax(dim=-1)[..., :-1]


def sigmoid(scores: Tensor) -> Tensor:
    """``1 / (1 + e^-s_j)``: each key for itself, so a row may sum to anything up to n_k.

    Parameters, shapes and hidden keys are those of `softmax`. Ramapuram et al. 2024 subtract
    log(n_k) from the scores, so that a row sums to about 1 at the start.
    """
    return scores.sigmoid()


def sparsemax(scores: Tensor) -> Tensor:
    """The weights nearest to the scores: each row sums to 1, and many weights are exactly 0.

    The projection of the scores onto the weights that are not negative and sum to 1 (Martins and
    Astudillo 2016, algorithm 1).

    Parameters, shapes and hidden keys are those of `softmax`.
    """
    hidden_row = (scores == -math.inf).all(dim=-1, keepdim=True)
    ordered = scores.masked_fill(hidden_row, 0.0).sort(dim=-1, descending=True).values
    total = ordered.cumsum(dim=-1)
    count = torch.arange(1, scores.shape[-1] + 1, dtype=scores.dtype, device=scores.device)
    support = (1 + count * ordered > total).sum(dim=-1, keepdim=True)  # how many weights are not 0
    threshold = (total.gather(-1, support - 1) - 1) / support
    return (scores - threshold).clamp(min=0).masked_fill(hidden_row, 0.0)


def entropy(weights: Tensor) -> Tensor:
    """``-sum_j w_j ln w_j`` in nats: 0 for one key alone, ``ln n_k`` for equal weights.

    Parameters
    ----------
    weights : Tensor, shape (..., n_k)
        Not negative; a weight of 0 adds 0.

    Returns
    -------
    Tensor, shape (...)
    """
    return -torch.xlogy(weights, weights).sum(dim=-1)
