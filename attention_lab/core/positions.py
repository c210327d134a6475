"""Ways to tell attention where a token stands: added to the tokens, turned in, or a bias.

Positions count from 0. Attention itself does not see them: with its tokens reordered it gives the
same outputs, reordered.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["alibi_bias", "alibi_slopes", "rotate", "sinusoidal"]

BASE = 10_000.0  # Vaswani et al. 2017 chose it, Su et al. 2021 kept it


def _frequencies(d: int, base: float, device: torch.device | None = None) -> Tensor:
    """Radians per position of each pair of features, from 1 down to nearly 1 / base: (d / 2,)."""
    if d % 2:
        raise ValueError(f"features are taken in pairs, so their number must be even, not {d}")
    return base ** (-torch.arange(0, d, 2, dtype=torch.float64, device=device) / d)


def sinusoidal(
    n: int,
    d_model: int,
    *,
    start: int = 0,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Sines and cosines of the position, to be added to the tokens.

    Vaswani et al. 2017, section 3.5: feature 2i is ``sin(p / 10000^(2i / d_model))``, feature
    2i + 1 the cosine of the same.

    Parameters
    ----------
    n : int
        Number of positions, from ``start`` on.
    d_model : int
        Even.
    device : torch.device, optional
    dtype : torch.dtype
        Of the result; the sines are computed in float64.

    Returns
    -------
    Tensor, shape (n, d_model)

    Raises
    ------
    ValueError
        ``d_model`` is odd.
    """
    positions = torch.arange(start, start + n, dtype=torch.float64, device=device)
    angles = positions[:, None] * _frequencies(d_model, BASE, device)  # (n, d_model / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(dtype)  # (n, d_model)


def rotate(x: Tensor, positions: Tensor, *, base: float = BASE) -> Tensor:
    """Turn each pair of features by an angle that grows with the position (rotary, RoPE).

    Su et al. 2021 (arXiv:2104.09864). Done to queries and keys, it makes their dot product
    depend on the difference of the two positions only. Lengths do not change.

    Parameters
    ----------
    x : Tensor, shape (..., n, d)
        Queries or keys; d even. Features 2i and 2i + 1 are a pair.
    positions : Tensor, shape (n,)
    base : float
        The slowest pair needs less than 2 pi * base positions for a full turn. Real models choose
        others: 100 000 in SmolLM2.

    Returns
    -------
    Tensor, shape (..., n, d)

    Raises
    ------
    ValueError
        ``d`` is odd.
    """
    frequencies = _frequencies(x.shape[-1], base, x.device)
    angles = positions.double()[:, None] * frequencies  # (n, d / 2)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., 0::2], x[..., 1::2]  # (..., n, d / 2) each
    turned = torch.stack([first * cos - second * sin, first * sin + second * cos], dim=-1)
    return turned.flatten(-2)  # (..., n, d)


def alibi_slopes(n_heads: int, device: torch.device | None = None) -> Tensor:
    """Slopes ``2^(-8 i / n_heads)`` for i = 1 to n_heads, a different one for each head.

    Press, Smith and Lewis 2021 (arXiv:2108.12409), section 3: for 8 heads 1/2, 1/4, ... 1/256.

    Returns
    -------
    Tensor, shape (n_heads,)
    """
    return 2.0 ** (-8.0 * torch.arange(1, n_heads + 1, device=device) / n_heads)


def alibi_bias(n_heads: int, n_q: int, n_k: int, device: torch.device | None = None) -> Tensor:
    """Return what ALiBi adds to the scores: minus a slope times the distance.

    The queries are the last ``n_q`` of ``n_k`` positions. The paper has keys before the query
    only; for those after it the same distance counts here.

    Returns
    -------
    Tensor, shape (n_heads, n_q, n_k)
    """
    queries = torch.arange(n_k - n_q, n_k, device=device)[:, None]
    distance = (queries - torch.arange(n_k, device=device)).abs()  # (n_q, n_k)
    return -alibi_slopes(n_heads, device)[:, None, None] * distance
