"""Leak maps: which output depends on which token, whatever the mask says."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["leak_map"]


def leak_map(function: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
    """Return how much each output moves with each token, by the gradient.

    Parameters
    ----------
    function : callable
        Takes tokens (n, d) and returns one output for each query, (n_q, d_v). It must be
        differentiable by torch.
    tokens : Tensor, shape (n, d)
        Where the gradient is taken. With numbers drawn at random, an entry is exactly 0 only
        where the output does not depend on the token at all.

    Returns
    -------
    Tensor, shape (n_q, n)
        Entry (i, j) is the size (Frobenius norm) of the derivative of output i by token j.
    """
    tokens = tokens.detach()
    derivative = torch.autograd.functional.jacobian(function, tokens)  # (n_q, d_v, n, d)
    return derivative.pow(2).sum(dim=(1, 3)).sqrt()
