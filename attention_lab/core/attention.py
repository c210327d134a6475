"""Scaled dot-product attention, with every intermediate step kept.

The whole mechanism is `attention`: scores, scale, mask, softmax, weighted sum. What comes
before it in this file only checks the inputs, so that a mistake gets a sentence and not a
stack trace.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.core.rules import MaskMod, ScoreMod, at_each_point

__all__ = ["AttentionSteps", "attention", "check_inputs", "check_mask", "masked_softmax"]

HALF = (torch.float16, torch.bfloat16)


class AttentionSteps(NamedTuple):
    """Everything `attention` computes, in the order it computes it.

    Attributes
    ----------
    scores : Tensor, shape (..., n_q, n_k)
        ``query @ key^T``.
    scaled : Tensor, shape (..., n_q, n_k)
        The scores after the scale and after ``score_mod``.
    masked : Tensor, shape (..., n_q, n_k)
        The scaled scores, with ``-inf`` where a key is hidden.
    weights : Tensor, shape (..., n_q, n_k)
        Softmax of ``masked`` over the keys. Each row sums to 1, or is all zero if every key
        of that row is hidden.
    output : Tensor, shape (..., n_q, d_v)
        ``weights @ value``.
    """

    scores: Tensor
    scaled: Tensor
    masked: Tensor
    weights: Tensor
    output: Tensor


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    score_mod: ScoreMod | None = None,
    mask_mod: MaskMod | None = None,
) -> AttentionSteps:
    """Compute ``softmax(query @ key^T * scale) @ value`` and return each step.

    The names, the meaning of the mask and the broadcasting are those of
    `torch.nn.functional.scaled_dot_product_attention`. ``score_mod`` is that of
    `torch.nn.attention.flex_attention.flex_attention`, and ``mask_mod`` that of
    `create_block_mask` beside it. No input is changed.

    Parameters
    ----------
    query : Tensor, shape (..., n_q, d_k)
    key : Tensor, shape (..., n_k, d_k)
    value : Tensor, shape (..., n_k, d_v)
        Floating point, all of one dtype; half precision is computed in float32, and only what is
        returned is rounded. Leading axes broadcast.
    attn_mask : Tensor, optional
        Broadcasts to (..., n_q, n_k). Boolean: True = may attend. Floating point: added to
        the scaled scores.
    is_causal : bool
        Query i may attend to keys 0..i only. Not together with ``attn_mask``.
    scale : float, optional
        Factor on the scores; ``1 / sqrt(d_k)`` if not given.
    score_mod : callable, optional
        ``score_mod(score, b, h, q_idx, kv_idx)`` gives the new score of one query and one
        key. Called on scalars, after the scale.
    mask_mod : callable, optional
        ``mask_mod(b, h, q_idx, kv_idx)`` gives True where the query may attend to the key.
        Joined by AND with the other masks.

    Returns
    -------
    AttentionSteps
        ``scores, scaled, masked, weights, output``.

    Raises
    ------
    ValueError
        Shapes that do not fit, or ``attn_mask`` together with ``is_causal``.
    TypeError
        Inputs that are no tensors, are not floating point or differ in dtype; a mask that
        is neither boolean nor floating point.

    References
    ----------
    Vaswani et al. 2017, *Attention Is All You Need*, section 3.2.1, equation (1).
    Dong et al. 2024, *Flex Attention* (arXiv:2412.05496), for the two ``_mod`` arguments.

    Examples
    --------
    >>> query = torch.tensor([[1.0], [2.0], [3.0]])
    >>> key = torch.tensor([[4.0], [5.0], [6.0]])
    >>> value = torch.tensor([[7.0], [8.0], [9.0]])
    >>> attention(query, key, value).output
    tensor([[8.5752],
            [8.8509],
            [8.9480]])
    """
    check_inputs(query, key, value)
    if attn_mask is not None and is_causal:
        causal = "torch.ones(n_q, n_k, dtype=torch.bool).tril()"
        added = isinstance(attn_mask, Tensor) and attn_mask.is_floating_point()
        raise ValueError(
            "attn_mask and is_causal=True were both given; give one of them (to join them: "
            + (
                f"attn_mask.masked_fill(~{causal}, -torch.inf))"
                if added
                else f"attn_mask & {causal})"
            )
        )
    if scale is None:
        scale = 1.0 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    elif not isinstance(scale, (int, float)) and getattr(scale, "ndim", None) != 0:
        raise TypeError(f"scale must be one number or None, but it is {scale!r}")

    # Half precision is computed in float32, step by step, as SDPA does inside: a product above
    # 65 504 is no number in float16, though its scaled score is.
    dtype = query.dtype
    if dtype in HALF:
        query, key, value = query.float(), key.float(), value.float()

    scores = query @ key.transpose(-2, -1)  # (..., n_q, d_k) @ (..., d_k, n_k)
    scaled = scores * scale
    if score_mod is not None:
        scaled = at_each_point(score_mod, "score_mod", scaled.shape, scaled, device=scaled.device)

    masked = scaled
    if attn_mask is not None:
        lead = torch.broadcast_shapes(scores.shape[:-2], value.shape[:-2])
        check_mask(attn_mask, scores.shape, lead)
        if attn_mask.dtype == torch.bool:
            masked = masked.masked_fill(~attn_mask, -math.inf)
        else:
            masked = masked + attn_mask.to(masked.dtype)
    if is_causal:
        visible = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        masked = masked.masked_fill(~visible, -math.inf)
    if mask_mod is not None:
        visible = at_each_point(mask_mod, "mask_mod", scores.shape, device=scores.device)
        masked = masked.masked_fill(~visible, -math.inf)

    weights = masked_softmax(masked)
    output = weights @ value  # (..., n_q, n_k) @ (..., n_k, d_v)
    return AttentionSteps(*(step.to(dtype) for step in (scores, scaled, masked, weights, output)))


def masked_softmax(masked: Tensor) -> Tensor:
    """Softmax over the last axis in which ``-inf`` means hidden.

    Parameters
    ----------
    masked : Tensor, shape (..., n_k)
        Scores, ``-inf`` where a key is hidden.

    Returns
    -------
    Tensor, shape (..., n_k)
        Non-negative; each row sums to 1. A row with every key hidden is all zero, where a
        plain softmax gives NaN (and a NaN gradient).
    """
    hidden_row = (masked == -math.inf).all(dim=-1, keepdim=True)
    # Filled before the softmax as well as after it: a NaN that is only covered up afterwards
    # still reaches the gradient.
    return masked.masked_fill(hidden_row, 0.0).softmax(dim=-1).masked_fill(hidden_row, 0.0)


def check_inputs(query: Tensor, key: Tensor, value: Tensor) -> None:
    """Say in one sentence what does not fit; the errors are those of `attention`."""
    named = {"query": query, "key": key, "value": value}
    for name, tensor in named.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"{name} must be a torch.Tensor, but it is {type(tensor).__name__}; "
                f"torch.tensor({name}, dtype=torch.float32) makes one"
            )
        if not tensor.is_floating_point():
            raise TypeError(
                f"{name} has dtype {tensor.dtype}, but attention needs floating point "
                f"numbers: write {name}.float(), or put a decimal point in the data"
            )
        if tensor.ndim < 2:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}, but it needs at least two axes, "
                f"(tokens, features): {name}[None, :] reads it as one token, "
                f"{name}[:, None] as tokens with one feature each"
            )
    if len({tensor.dtype for tensor in named.values()}) > 1:
        came = ", ".join(f"{name} {tensor.dtype}" for name, tensor in named.items())
        raise TypeError(f"query, key and value must have one dtype, but came as {came}")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"query has shape {tuple(query.shape)} and key {tuple(key.shape)}: their last "
            f"axis, d_k, must be equal, but {query.shape[-1]} != {key.shape[-1]}"
        )
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"key has shape {tuple(key.shape)} and value {tuple(value.shape)}: their axis -2, "
            f"n_k, must be equal (one value for each key), "
            f"but {key.shape[-2]} != {value.shape[-2]}"
        )
    try:
        torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    except RuntimeError:
        leading = ", ".join(f"{name} {tuple(t.shape[:-2])}" for name, t in named.items())
        raise ValueError(f"the leading axes do not broadcast: {leading}") from None


def check_mask(attn_mask: Tensor, scores_shape: torch.Size, lead: torch.Size) -> None:
    """Hold a mask to its kind and to the scores (..., n_q, n_k); ``lead`` are the other axes."""
    if not isinstance(attn_mask, Tensor):
        raise TypeError(
            f"attn_mask must be a torch.Tensor, but it is {type(attn_mask).__name__}; "
            "torch.as_tensor(attn_mask) makes one"
        )
    if attn_mask.dtype != torch.bool and not attn_mask.is_floating_point():
        raise TypeError(
            f"attn_mask has dtype {attn_mask.dtype}; it must be boolean (True = may attend) "
            "or floating point (added to the scores): for a mask of 0 and 1 write "
            "attn_mask.bool()"
        )
    try:
        joined = torch.broadcast_shapes(attn_mask.shape, (*lead, *scores_shape[-2:]))
        fits = joined[-2:] == scores_shape[-2:]
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"attn_mask has shape {tuple(attn_mask.shape)}, which does not broadcast to the "
            f"scores {(*lead, *scores_shape[-2:])}: its last two axes must be n_q = "
            f"{scores_shape[-2]} (or 1) and n_k = {scores_shape[-1]} (or 1), and axes before "
            "them must fit the other leading axes"
        )
