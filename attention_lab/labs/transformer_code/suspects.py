"""Causal multi-head attention with one fault or none, and the tests that tell them apart.

Notebook 07 shows each fault as a line, and has the same tests on its page.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["FAULTS", "SUSPECTS", "TESTS", "CausalLayer", "caught_by", "suspects"]

# fault: the line that makes it, as the notebook shows it
FAULTS = {
    "none": "",
    "mask inverted": "scores.masked_fill(mask, -math.inf)",
    "softmax over the queries": "scores.softmax(dim=-2)",
    "mask after the softmax": "weights = scores.softmax(dim=-1) * mask",
    "positions on the batch axis": "x + positions[:B, None]",
    "no scale": "scores = q @ k.transpose(-2, -1)",
    "scale √d_model": "scores / math.sqrt(d_model)",
    "heads split by one reshape": "t.reshape(B, h, n, d_k)",
    "heads joined by one reshape": "output.reshape(B, n, d_model)",
}
SUSPECTS = {
    "A": "no scale",
    "B": "heads joined by one reshape",
    "C": "none",
    "D": "mask after the softmax",
    "E": "positions on the batch axis",
    "F": "scale √d_model",
}
MOST = 16  # positions that have a vector


class CausalLayer:
    """Causal attention with several heads, without biases: ``layer(x)`` is (output, weights).

    Parameters
    ----------
    fault : str
        One of `FAULTS`.
    d_model, n_heads : int
    seed : int
        Of the parameters.

    Attributes
    ----------
    w_query, w_key, w_value, w_out : Tensor, shape (d_model, d_model)
    positions : Tensor, shape (16, d_model)
        A vector for each position, which is added to the token there.
    """

    def __init__(
        self, fault: str = "none", *, d_model: int = 8, n_heads: int = 2, seed: int = 0
    ) -> None:
        if fault not in FAULTS:
            raise ValueError(f"there is no fault {fault!r}; there are {', '.join(FAULTS)}")
        self._fault, self.d_model, self.n_heads = fault, d_model, n_heads
        random = torch.Generator().manual_seed(seed)
        shape = (4, d_model, d_model)
        maps = torch.randn(shape, generator=random, dtype=torch.float32) * 1.4 / math.sqrt(d_model)
        self.w_query, self.w_key, self.w_value, self.w_out = maps
        self.positions = torch.randn(MOST, d_model, generator=random, dtype=torch.float32)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Take tokens (B, n, d_model); return output of this shape, and weights (B, h, n, n)."""
        fault, (batch, n, _) = self._fault, x.shape
        on_batch = fault == "positions on the batch axis"
        x = x + (self.positions[:batch, None] if on_batch else self.positions[:n])
        q, k, v = (self._split(x @ w) for w in (self.w_query, self.w_key, self.w_value))
        d = {"no scale": 1, "scale √d_model": self.d_model}.get(fault, q.shape[-1])
        scores = q @ k.transpose(-2, -1) / math.sqrt(d)  # (B, h, n, n)
        mask = torch.ones(n, n, dtype=torch.bool).tril()
        if fault == "mask after the softmax":
            weights = scores.softmax(dim=-1) * mask
        else:
            scores = scores.masked_fill(mask if fault == "mask inverted" else ~mask, -math.inf)
            weights = scores.softmax(dim=-2 if fault == "softmax over the queries" else -1)
        output = weights @ v  # (B, h, n, d_k)
        if fault != "heads joined by one reshape":
            output = output.transpose(1, 2)
        return output.reshape(x.shape) @ self.w_out, weights

    def _split(self, t: Tensor) -> Tensor:
        batch, n, _ = t.shape
        if self._fault == "heads split by one reshape":
            return t.reshape(batch, self.n_heads, n, -1)
        return t.reshape(batch, n, self.n_heads, -1).transpose(1, 2)


def suspects() -> dict[str, CausalLayer]:
    """Return six layers of different sizes; which fault each has is for the reader to find."""
    sizes = [(8, 2), (12, 3), (12, 2), (16, 4), (8, 4), (18, 3)]
    return {
        name: CausalLayer(fault, d_model=d_model, n_heads=n_heads, seed=seed)
        for seed, ((name, fault), (d_model, n_heads)) in enumerate(
            zip(SUSPECTS.items(), sizes, strict=True), 1
        )
    }


# --- tests: each True of a right layer ---------------------------------------------------------


def _close(left: Tensor, right: Tensor) -> bool:
    return torch.allclose(left, right, atol=1e-5)


def shape(layer: CausalLayer, x: Tensor) -> bool:
    """The output has the shape of the input."""
    return layer(x)[0].shape == x.shape


def sum_1(layer: CausalLayer, x: Tensor) -> bool:
    """The weights of each query sum to 1."""
    sums = layer(x)[1].sum(-1)
    return _close(sums, torch.ones_like(sums))


def no_leak(layer: CausalLayer, x: Tensor) -> bool:
    """When the last token moves, no earlier output does."""
    changed = x.clone()
    changed[:, -1] += 1
    return _close(layer(changed)[0][:, :-1], layer(x)[0][:, :-1])


def alone(layer: CausalLayer, x: Tensor) -> bool:
    """The last sentence gives by itself what it gives in the batch."""
    return _close(layer(x[-1:])[0], layer(x)[0][-1:])


def by_hand(layer: CausalLayer, x: Tensor) -> bool:
    """The weights of the last query, which sees every key, in head 0."""
    tokens = x[0] + layer.positions[: x.shape[1]]
    d_k = layer.d_model // layer.n_heads
    q = tokens[-1] @ layer.w_query[:, :d_k]  # (d_k)
    k = tokens @ layer.w_key[:, :d_k]  # (n, d_k)
    return _close(layer(x)[1][0, 0, -1], (k @ q / math.sqrt(d_k)).softmax(dim=0))


TESTS: dict[str, Callable[[CausalLayer, Tensor], bool]] = {
    "shape": shape,
    "sum 1": sum_1,
    "no leak": no_leak,
    "alone": alone,
    "by hand": by_hand,
}


def caught_by(layer: CausalLayer) -> list[str]:
    """Return the names of the tests that a layer fails, for three sentences of six tokens."""
    random = torch.Generator().manual_seed(9)
    x = torch.randn(3, 6, layer.d_model, generator=random, dtype=torch.float32)
    return [name for name, holds in TESTS.items() if not holds(layer, x)]
