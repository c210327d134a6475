"""Handwritten digits of 8 × 8 pixels, as they ship with scikit-learn."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["SIDE", "Digits", "all_digits"]

SIDE = 8


class Digits(NamedTuple):
    """Images and what is written on them.

    Attributes
    ----------
    images : Tensor, shape (n, 8, 8)
        From 0, paper, to 1, ink, in steps of 1/16.
    labels : Tensor, shape (n,)
        0 to 9.
    """

    images: Tensor
    labels: Tensor

    def part(self, start: int, end: int | None = None) -> Digits:
        """Return some of them."""
        return Digits(self.images[start:end], self.labels[start:end])


@cache
def all_digits() -> Digits:
    """Return the 1797 digits (Alpaydin and Kaynak 1998, test part), in an order drawn once."""
    from sklearn.datasets import load_digits

    read = load_digits()
    images = torch.tensor(read.images, dtype=torch.float32) / 16
    labels = torch.tensor(read.target, dtype=torch.long)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return Digits(images[order], labels[order])
