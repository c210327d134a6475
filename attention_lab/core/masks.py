"""Masks by rule: who may attend to whom.

A rule is a function ``mask_mod(b, h, q_idx, kv_idx)`` that is True where query ``q_idx`` may
attend to key ``kv_idx``: the form that `torch.nn.attention.flex_attention.create_block_mask`
takes.
`mask_from` turns a rule into a boolean matrix that can be looked at.
"""

from __future__ import annotations

import torch
from torch import Tensor

from attention_lab.core.rules import MaskMod, at_each_point

__all__ = ["causal", "everything", "mask_from", "others", "window"]


def everything(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
    """Every query may attend to every key."""
    return kv_idx == kv_idx


def causal(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
    """No query may attend to a later key (Vaswani et al. 2017, section 3.2.3)."""
    return kv_idx <= q_idx


def others(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
    """No query may attend to the key at its own position."""
    return kv_idx != q_idx


def window(reach: int) -> MaskMod:
    """A rule that lets a query attend to keys at most ``reach`` positions away.

    ``window(0)`` leaves each query its own position only.
    """

    def within_window(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        return (q_idx - kv_idx).abs() <= reach

    return within_window


def mask_from(mask_mod: MaskMod, n_q: int, n_k: int) -> Tensor:
    """Write a rule out as a boolean matrix.

    Parameters
    ----------
    mask_mod : callable
        ``mask_mod(b, h, q_idx, kv_idx)``; called with b = h = 0.
    n_q, n_k : int
        Number of queries and of keys.

    Returns
    -------
    Tensor, shape (n_q, n_k), boolean
        True = may attend.
    """
    return at_each_point(mask_mod, "mask_mod", torch.Size((n_q, n_k)))
