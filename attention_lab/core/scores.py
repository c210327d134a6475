"""Scoring functions: how well does a query fit a key?

Each takes queries (..., n_q, d_q) and keys (..., n_k, d_k) and gives one score per pair,
(..., n_q, n_k). None has a softmax in it: scores are any real numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["additive", "dot", "gaussian", "general", "scaled_dot"]


def dot(query: Tensor, key: Tensor) -> Tensor:
    """``q . k``, without parameters (Luong et al. 2015, section 3.1, "dot").

    Parameters
    ----------
    query : Tensor, shape (..., n_q, d_k)
    key : Tensor, shape (..., n_k, d_k)

    Returns
    -------
    Tensor, shape (..., n_q, n_k)

    Raises
    ------
    ValueError
        Query and key differ in their last axis.
    """
    _same_size("query", query, -1, "key", key, -1)
    return query @ key.transpose(-2, -1)


def scaled_dot(query: Tensor, key: Tensor) -> Tensor:
    """``q . k / sqrt(d_k)`` (Vaswani et al. 2017, section 3.2.1, equation 1).

    Parameters, shapes and errors are those of `dot`.
    """
    return dot(query, key) / math.sqrt(key.shape[-1])


def general(query: Tensor, key: Tensor, weight: Tensor) -> Tensor:
    """``q^T W k`` (Luong et al. 2015, section 3.1, "general").

    Parameters
    ----------
    query : Tensor, shape (..., n_q, d_q)
    key : Tensor, shape (..., n_k, d_k)
    weight : Tensor, shape (d_q, d_k)
        Learned. With the identity this is `dot`.

    Returns
    -------
    Tensor, shape (..., n_q, n_k)

    Raises
    ------
    ValueError
        ``weight`` does not fit the query on its first axis or the key on its second.
    """
    _same_size("query", query, -1, "weight", weight, -2)
    _same_size("key", key, -1, "weight", weight, -1)
    return query @ weight @ key.transpose(-2, -1)


def additive(query: Tensor, key: Tensor, w_query: Tensor, w_key: Tensor, v: Tensor) -> Tensor:
    """``v . tanh(q W_q + k W_k)`` (Bahdanau, Cho and Bengio 2014, arXiv:1409.0473).

    Parameters
    ----------
    query : Tensor, shape (..., n_q, d_q)
    key : Tensor, shape (..., n_k, d_k)
    w_query : Tensor, shape (d_q, d_a)
    w_key : Tensor, shape (d_k, d_a)
    v : Tensor, shape (d_a,)
        The three are learned; d_a is free to choose.

    Returns
    -------
    Tensor, shape (..., n_q, n_k)

    Raises
    ------
    ValueError
        A matrix does not fit its query, key or ``v``.
    """
    _same_size("query", query, -1, "w_query", w_query, -2)
    _same_size("key", key, -1, "w_key", w_key, -2)
    _same_size("w_query", w_query, -1, "v", v, -1)
    _same_size("w_key", w_key, -1, "v", v, -1)
    from_query = (query @ w_query).unsqueeze(-2)  # (..., n_q, 1, d_a)
    from_key = (key @ w_key).unsqueeze(-3)  # (..., 1, n_k, d_a)
    return torch.tanh(from_query + from_key) @ v


def gaussian(query: Tensor, key: Tensor, bandwidth: float = 1.0) -> Tensor:
    """``-|q - k|^2 / (2 h^2)``: the nearer the key, the higher the score.

    Its softmax gives the weights of kernel regression (Nadaraya 1964; Watson 1964).

    Parameters
    ----------
    query : Tensor, shape (..., n_q, d_k)
    key : Tensor, shape (..., n_k, d_k)
    bandwidth : float
        h, in the units of query and key; larger spreads the weights over more keys.

    Returns
    -------
    Tensor, shape (..., n_q, n_k)

    Raises
    ------
    ValueError
        Query and key differ in their last axis, or the bandwidth is not above 0.
    """
    _same_size("query", query, -1, "key", key, -1)
    if not bandwidth > 0:
        raise ValueError(f"bandwidth must be above 0, but it is {bandwidth}")
    distance = query.unsqueeze(-2) - key.unsqueeze(-3)  # (..., n_q, n_k, d_k)
    return -distance.square().sum(dim=-1) / (2 * bandwidth**2)


def _same_size(
    name: str, tensor: Tensor, axis: int, other_name: str, other: Tensor, other_axis: int
) -> None:
    if tensor.shape[axis] != other.shape[other_axis]:
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)} and {other_name} {tuple(other.shape)}: "
            f"axis {axis} of {name} must equal axis {other_axis} of {other_name}, "
            f"but {tensor.shape[axis]} != {other.shape[other_axis]}"
        )
