"""Exact attention, a tile of the scores at a time: the whole matrix is never in memory.

A softmax needs the largest score and the sum of all exponentials of its row. Both can be kept
*while* the keys go by (Milakov and Gimelshein 2018), and so can the weighted sum (Rabe and Staats
2021). `Partial` holds the three, `merge` joins what two parts of the keys gave, and
`tiled_attention` is nothing but these two in two loops.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.core.attention import HALF, check_inputs, check_mask

__all__ = ["Partial", "merge", "partial", "tiled_attention"]


class Partial(NamedTuple):
    """What has been seen of a row of scores so far.

    Attributes
    ----------
    m : Tensor, shape (..., n_q, 1)
        The largest score; ``-inf`` if every key so far is hidden.
    l : Tensor, shape (..., n_q, 1)
        The sum of ``exp(score - m)``; 0 if every key so far is hidden.
    o : Tensor, shape (..., n_q, d_v)
        The sum of ``exp(score - m) * value``.
    """

    m: Tensor
    l: Tensor  # noqa: E741 (the letter of the papers)
    o: Tensor

    @property
    def output(self) -> Tensor:
        """The weighted mean of the values, (..., n_q, d_v); zero where every key is hidden."""
        return self.o / self.l.masked_fill(self.l == 0, 1.0)

    @property
    def log_sum_exp(self) -> Tensor:
        """The logarithm of the sum of all ``exp(score)``, (..., n_q, 1)."""
        return self.m + self.l.log()


def partial(scores: Tensor, value: Tensor) -> Partial:
    """Return what some keys give.

    Parameters
    ----------
    scores : Tensor, shape (..., n_q, n_k)
        After scale and mask: ``-inf`` where a key is hidden.
    value : Tensor, shape (..., n_k, d_v)

    Returns
    -------
    Partial
    """
    m = scores.amax(dim=-1, keepdim=True)
    exponentials = (scores - _finite(m)).exp()
    return Partial(m, exponentials.sum(dim=-1, keepdim=True), exponentials @ value)


def merge(one: Partial, other: Partial) -> Partial:
    """Join what two parts of the keys gave, in any order.

    The larger maximum counts; the sums of the other part shrink by ``exp(its m - larger m)``.
    """
    m = torch.maximum(one.m, other.m)
    a, b = (one.m - _finite(m)).exp(), (other.m - _finite(m)).exp()
    return Partial(m, a * one.l + b * other.l, a * one.o + b * other.o)


def _finite(m: Tensor) -> Tensor:
    """Put 0 for ``-inf``: ``-inf - (-inf)`` is no number, ``exp(-inf - 0)`` is 0."""
    return m.masked_fill(m == -math.inf, 0.0)


def tiled_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    tile: int = 256,
) -> Tensor:
    """Return the output of `attention` without ever holding its (n_q, n_k) scores.

    The same multiplications in another order, so the same numbers but for rounding. Beyond inputs
    and output it needs memory for some tiles, whatever n is. That holds without gradients: where
    they are wanted PyTorch keeps every tile for the way back (a fused kernel computes them anew).

    Parameters
    ----------
    query : Tensor, shape (..., n_q, d_k)
    key : Tensor, shape (..., n_k, d_k)
    value : Tensor, shape (..., n_k, d_v)
    attn_mask, is_causal, scale
        As for `attention`. A mask has the size of the scores: ``is_causal`` needs none, and skips
        the tiles that lie wholly in the future.
    tile : int
        Queries and keys of one tile.

    Returns
    -------
    Tensor, shape (..., n_q, d_v)
        Zero where every key is hidden.

    Raises
    ------
    ValueError
        As `attention`, or a tile below 1.
    TypeError
        As `attention`.

    References
    ----------
    Dao et al. 2022, *FlashAttention* (arXiv:2205.14135), algorithm 1, in plain PyTorch.

    Examples
    --------
    >>> query, key = torch.tensor([[1.0], [2.0]]), torch.tensor([[4.0], [5.0], [6.0]])
    >>> tiled_attention(query, key, torch.tensor([[7.0], [8.0], [9.0]]), tile=2)
    tensor([[8.5752],
            [8.8509]])
    """
    check_inputs(query, key, value)
    if attn_mask is not None and is_causal:
        raise ValueError("attn_mask and is_causal=True were both given; give one of them")
    if tile < 1:
        raise ValueError(f"a tile has at least one query and one key, but tile = {tile}")
    n_q, n_k = query.shape[-2], key.shape[-2]
    lead = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    if attn_mask is not None:
        scores_shape = torch.Size((*torch.broadcast_shapes(query.shape[:-2], key.shape[:-2]),
                                   n_q, n_k))  # fmt: skip
        check_mask(attn_mask, scores_shape, lead)
        lead = torch.broadcast_shapes(lead, attn_mask.shape[:-2])
        attn_mask = attn_mask.expand(*attn_mask.shape[:-2], n_q, n_k)  # a view
    dtype = query.dtype
    if dtype in HALF:
        query, key, value = query.float(), key.float(), value.float()
    if scale is None:
        scale = 1.0 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0

    rows = []
    for i in range(0, n_q, tile):
        q = query[..., i : i + tile, :] * scale  # (..., n_q of the tile, d_k)
        seen = _nothing_seen(q, lead, value.shape[-1])
        for j in range(0, n_k, tile):
            if is_causal and j >= i + tile:
                break  # every key of this tile comes after every query
            scores = q @ key[..., j : j + tile, :].transpose(-2, -1)  # (..., tile, tile)
            if is_causal and j + tile > i + 1:
                scores = scores.masked_fill(_later(i, j, scores), -math.inf)
            if attn_mask is not None:
                scores = _with_mask(scores, attn_mask[..., i : i + tile, j : j + tile])
            seen = merge(seen, partial(scores, value[..., j : j + tile, :]))
        rows.append(seen.output.to(dtype))
    return torch.cat(rows, dim=-2) if rows else query.new_zeros(*lead, 0, value.shape[-1])


def _nothing_seen(q: Tensor, lead: torch.Size, d_v: int) -> Partial:
    n = q.shape[-2]
    return Partial(
        q.new_full((*lead, n, 1), -math.inf), q.new_zeros(*lead, n, 1), q.new_zeros(*lead, n, d_v)
    )


def _later(i: int, j: int, scores: Tensor) -> Tensor:
    """Tell which keys, from j on, come after the queries, from i on: a boolean tile."""
    n_q, n_k = scores.shape[-2:]
    queries = torch.arange(i, i + n_q, device=scores.device)
    return torch.arange(j, j + n_k, device=scores.device) > queries[:, None]


def _with_mask(scores: Tensor, attn_mask: Tensor) -> Tensor:
    if attn_mask.dtype == torch.bool:
        return scores.masked_fill(~attn_mask, -math.inf)
    return scores + attn_mask.to(scores.dtype)
