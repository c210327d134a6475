"""When two tensors agree: the one tolerance of all exercises and widgets."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from attention_lab.grading.feedback import Problem

__all__ = ["agree", "compare", "same"]


def agree(left: Tensor, right: Tensor) -> Tensor:
    """Tell for each pair of numbers whether they are equal but for the rounding of their dtype.

    Parameters
    ----------
    left, right : Tensor, of one shape

    Returns
    -------
    Tensor, of this shape, boolean
        False for nan.
    """
    exact = left.dtype == right.dtype == torch.float64
    tolerance = 1e-6 if exact else 2e-5
    return torch.isclose(
        left.detach().double(), right.detach().double(), rtol=tolerance, atol=tolerance
    )


def same(left: Tensor, right: Tensor) -> bool:
    """Tell whether two tensors have one shape, and all their numbers `agree`."""
    return left.shape == right.shape and bool(agree(left, right).all())


def compare(
    result: Tensor, right: Tensor, what: str, mistakes: Mapping[str, Tensor] | None = None
) -> None:
    """Raise a `Problem` unless a result is right; a known mistake gets its own message.

    Parameters
    ----------
    result, right : Tensor, of one shape
    what : str
        What the result is, as in "the weights".
    mistakes : mapping of message to wrong result
        What typical mistakes give for the same input.
    """
    if same(result, right):
        return
    for message, wrong in (mistakes or {}).items():
        if same(result, wrong):
            raise Problem(message)
    if result.isnan().any():
        raise Problem(f"among {what} is nan (not a number)")
    index = (~agree(result, right)).nonzero()[0].tolist()
    came, wanted = result[tuple(index)].item(), right[tuple(index)].item()
    raise Problem(f"{what} differ first at {index}: {came:.6g} instead of {wanted:.6g}")
