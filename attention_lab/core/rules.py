"""Rules of one query and one key: what `attention` and flex_attention take, and how it is called.

A `MaskMod` says whether the query may attend to the key, a `ScoreMod` gives the new score.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ["MaskMod", "ScoreMod", "at_each_point"]

ScoreMod = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class _LookUps(TorchFunctionMode):
    """Read ``table[q_idx]`` as a look-up, as flex_attention does; vmap in torch 2.6 refuses it."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is Tensor.__getitem__:
            table, index = args
            indices = index if isinstance(index, tuple) else (index,)
            if all(isinstance(each, Tensor) for each in indices):
                return torch.ops.aten.index(table, indices)
        return function(*args, **(kwargs or {}))


def at_each_point(
    rule: Callable[..., Tensor],
    name: str,
    shape: torch.Size,
    *scores: Tensor,
    device: torch.device | None = None,
) -> Tensor:
    """Call a rule on the scalars of each point of the scores.

    Through `torch.vmap`, as flex_attention does, so that a rule means the same here and there
    (``table[q_idx][kv_idx]`` is right on scalars and wrong on broadcast index tensors).

    Parameters
    ----------
    rule : callable
        ``rule(*scores, b, h, q_idx, kv_idx)`` gives one number: a score if there are scores, else
        True or False.
    name : str
        What to call it in a message.
    shape : torch.Size
        Of the scores: (n_q, n_k), (b, n_q, n_k) or (b, h, n_q, n_k).
    *scores : Tensor, of this shape
        None for a `MaskMod`, one tensor for a `ScoreMod`.
    device : torch.device, optional
        Of the indices.

    Returns
    -------
    Tensor, of this shape
        Boolean, or of the dtype of the scores.

    Raises
    ------
    TypeError
        The rule returns no tensor, or one of another kind.
    ValueError
        More than four axes, or the rule returns more than one number.
    """
    if len(shape) > 4:
        raise ValueError(
            f"{name} is called with (b, h, q_idx, kv_idx), so the scores may have at most four "
            f"axes, but they have shape {tuple(shape)}"
        )
    # (n_q, n_k) -> (1, 1, n_q, n_k) and (b, n_q, n_k) -> (b, 1, n_q, n_k)
    batch = shape[0] if len(shape) > 2 else 1
    heads = shape[1] if len(shape) == 4 else 1
    full = (batch, heads, *shape[-2:])
    indices = [torch.arange(size, device=device) for size in full]

    def call(*arguments: Tensor) -> Tensor:
        result = rule(*arguments)
        wanted = "a floating point tensor" if scores else "a boolean tensor"
        right = isinstance(result, Tensor) and (
            result.is_floating_point() if scores else result.dtype == torch.bool
        )
        if not right:
            came = result.dtype if isinstance(result, Tensor) else type(result).__name__
            raise TypeError(f"{name} must return {wanted}, but it returned {came}")
        return result

    mapped = call
    for axis in (3, 2, 1, 0):  # the innermost map runs over kv_idx
        index_dims = [0 if axis == other else None for other in range(4)]
        mapped = torch.vmap(mapped, in_dims=(*(0 for _ in scores), *index_dims))
    with _LookUps():
        result = mapped(*(s.reshape(full) for s in scores), *indices)
    if result.shape != torch.Size(full):
        raise ValueError(
            f"{name} must return one number for one query and one key, but it returned "
            f"shape {tuple(result.shape[4:])}"
        )
    return result.reshape(shape).to(scores[0].dtype) if scores else result.reshape(shape)
