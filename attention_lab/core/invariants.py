"""What every mode has to keep, each with a number that is measured."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.core.mode import Mode
from attention_lab.core.normalisers import sigmoid, softmax_plus_one

__all__ = ["Invariant", "check_mode", "invariants"]

DIRECTIONS = 64  # in which the hull is looked at
CLOSE = 1e-9  # float64, numbers of about 1


class Invariant(NamedTuple):
    """One thing that a mode has to keep.

    Attributes
    ----------
    name : str
    holds : bool
    number : float
        By how much it is broken, at most; rounding leaves about 1e-16.
    says : str
        What the number is.
    """

    name: str
    holds: bool
    number: float
    says: str


def invariants(mode: Mode, n: int = 8, *, heads: int = 2, seed: int = 0) -> list[Invariant]:
    """Put a mode through random attention, and measure what it has to keep.

    Parameters
    ----------
    mode : Mode
    n : int
        Positions; fewer if the mode knows fewer.
    heads : int
    seed : int
        Of queries, keys and values.

    Returns
    -------
    list of Invariant
        What the rows sum to; no weight on a hidden key; no gradient to a hidden key or value, nor
        to another query; the output in the convex hull of the values that are seen.
    """
    n = min(n, mode.positions or n)
    random = torch.Generator().manual_seed(seed)
    shape = (1, heads, n, 2)  # values in the plane, where 64 directions leave no room for a miss
    query, key, value = (torch.randn(shape, generator=random, dtype=torch.float64) for _ in "qkv")
    query = 2 * query
    steps = mode.attention(query, key, value)
    hidden = steps.masked == -math.inf
    promised, said = _promise(mode, steps.masked)
    off = (steps.weights.sum(dim=-1) - promised).abs().max().item()
    on_hidden = steps.weights[hidden].abs().max().item() if hidden.any() else 0.0
    gradient = _gradient_to_hidden(mode, query, key, value, hidden)
    outside = _outside_of_hull(steps.output, value, ~hidden, with_0=said != "1")
    hull = "the hull of the values seen" + ("" if said == "1" else " and 0")
    return [
        _measured(f"weights sum to {said}", off, "farthest from it"),
        _measured("no weight on a hidden key", on_hidden, "largest weight on one"),
        _measured("no gradient to what is hidden", gradient.item(), "largest derivative"),
        _measured(f"outputs in {hull}", outside, "farthest outside"),
    ]


def check_mode(mode: Mode, n: int = 8, *, heads: int = 2, seed: int = 0) -> list[Invariant]:
    """Return the invariants of a mode, if it keeps all.

    Raises
    ------
    ValueError
        One is broken; the message says which, and by how much.
    """
    found = invariants(mode, n, heads=heads, seed=seed)
    for each in found:
        if not each.holds:
            raise ValueError(f"“{mode}” breaks “{each.name}”: {each.says} {each.number:.3g}")
    return found


def _measured(name: str, number: float, says: str) -> Invariant:
    return Invariant(name, number <= CLOSE, number, says)  # nan holds nothing


def _promise(mode: Mode, masked: Tensor) -> tuple[Tensor, str]:
    """Return what each row has to sum to, and that in words."""
    normalizer = mode.normalizer
    if normalizer is softmax_plus_one:
        return torch.sigmoid(masked.logsumexp(dim=-1)), "σ(LSE)"
    if normalizer is sigmoid:
        return masked.sigmoid().sum(dim=-1), "Σ σ(score)"
    if hasattr(normalizer, "row_sums"):
        return normalizer.row_sums(masked), "what the normaliser says"
    return (masked != -math.inf).any(dim=-1).to(masked.dtype), "1"


def _gradient_to_hidden(
    mode: Mode, query: Tensor, key: Tensor, value: Tensor, hidden: Tensor
) -> Tensor:
    """Return the largest derivative of an output (the sum of its features) by what is not its own.

    That is a key or value that is hidden from its query, another query, and another head.
    """
    heads, n = hidden.shape[1:3]
    largest = torch.zeros((), dtype=query.dtype)
    with torch.enable_grad():
        inputs = [each.clone().requires_grad_() for each in (query, key, value)]
        output = mode.attention(*inputs).output.sum(dim=-1)[0]  # (h, n)
        for h, i in itertools.product(range(heads), range(n)):
            found = torch.autograd.grad(
                output[h, i], inputs, retain_graph=True, materialize_grads=True
            )
            of_query, of_key, of_value = (each[0].abs().amax(dim=-1) for each in found)  # (h, n)
            own = torch.arange(heads)[:, None] == h
            is_query = own & (torch.arange(n) == i)
            seen = own & ~hidden[0, h, i]
            for size, allowed in ((of_query, is_query), (of_key, seen), (of_value, seen)):
                # a maximum keeps a nan that is there
                largest = torch.maximum(largest, size.masked_fill(allowed, 0.0).max())
    return largest


def _outside_of_hull(output: Tensor, value: Tensor, seen: Tensor, *, with_0: bool) -> float:
    """Return how far an output lies outside of the hull of its values, in some direction.

    A point lies in a convex hull if in no direction it reaches farther than the hull does. A query
    that sees nothing gives 0.
    """
    angles = torch.arange(DIRECTIONS, dtype=output.dtype) * (2 * math.pi / DIRECTIONS)
    directions = torch.stack([angles.cos(), angles.sin()])  # (2, directions)
    reach = (value @ directions).unsqueeze(-3)  # (1, h, 1, n_k, directions)
    farthest = reach.masked_fill(~seen[..., None], -math.inf).amax(dim=-2)  # (1, h, n_q, dir.)
    empty = ~seen.any(dim=-1, keepdim=True)
    farthest = torch.where(empty, 0.0, farthest)
    if with_0:
        farthest = farthest.clamp(min=0)
    return (output @ directions - farthest).clamp(min=0).max().item()
