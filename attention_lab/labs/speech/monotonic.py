"""Attention that only moves forward: its expected weights by recursion, and by drawing lots.

Raffel et al. 2017, *Online and Linear-Time Attention by Enforcing Monotonic Alignments*
(arXiv:1704.00784), section 2.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["expected_weights", "walks"]


def expected_weights(stop: Tensor) -> Tensor:
    """Return how likely each step stops at each frame.

    A step begins where the step before stopped, looks at one frame after another, and stops at
    frame j with the probability ``stop[i, j]``. The first step begins at frame 0. What walks past
    the last frame stops nowhere, so a row may sum to less than 1.

    Parameters
    ----------
    stop : Tensor, shape (n_q, n_k)
        From 0 to 1.

    Returns
    -------
    Tensor, shape (n_q, n_k)
        ``alpha[i, j] = stop[i, j] * here[i, j]``, where
        ``here[i, j] = (1 - stop[i, j - 1]) * here[i, j - 1] + alpha[i - 1, j]`` is how likely
        step i comes to frame j (equations 8 and 9 of the paper).
    """
    n_q, n_k = stop.shape
    before = torch.zeros(n_k, dtype=stop.dtype)
    before[0] = 1
    rows = []
    for i in range(n_q):
        here, row = torch.zeros((), dtype=stop.dtype), []
        for j in range(n_k):
            passed = (1 - stop[i, j - 1]) * here if j else 0
            here = passed + before[j]
            row.append(stop[i, j] * here)
        before = torch.stack(row)
        rows.append(before)
    return torch.stack(rows)


def walks(stop: Tensor, count: int, random: torch.Generator) -> Tensor:
    """Draw walks, and return where each step stops.

    Parameters
    ----------
    stop : Tensor, shape (n_q, n_k)
    count : int
    random : torch.Generator

    Returns
    -------
    Tensor, shape (count, n_q), whole numbers
        n_k where a step walks past the last frame.
    """
    n_q, n_k = stop.shape
    at = torch.zeros(count, dtype=torch.long)
    places = torch.arange(n_k)
    stops = []
    for i in range(n_q):
        may = torch.rand(count, n_k, generator=random, dtype=stop.dtype) < stop[i]
        may &= places >= at[:, None]  # where a walk has ended no place is left
        found = may.any(1)
        at = torch.where(found, may.int().argmax(1), n_k)
        stops.append(at)
    return torch.stack(stops, 1)
