"""The images of notebook 13: digits of 8 × 8 pixels, and a photograph; both ship with scikit-learn.

An image is a tensor (H, W), 0 = paper, 1 = ink; a batch of them is (B, H, W).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "SHIFTS",
    "SIDE",
    "Split",
    "ink",
    "of_patches",
    "patches",
    "photograph",
    "pixel_order",
    "rearranged",
    "shifted",
    "splits",
]

SIDE = 8
SHIFTS = ((-1, 0), (1, 0), (0, -1), (0, 1))  # up, down, left, right
N_TEST, N_VALIDATION = 450, 250


class Split(NamedTuple):
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


@cache
def splits() -> dict[str, Split]:
    """Return the 1797 digits (Alpaydin and Kaynak 1998, test part) in four parts, drawn once.

    Returns
    -------
    dict
        "test" has 450, "validation" 250 (to choose a learning rate by), "train" the 1097 that are
        left, "all" train and validation together, and "few" the first 200 of train.
    """
    from sklearn.datasets import load_digits

    read = load_digits()
    images = torch.tensor(read.images, dtype=torch.float32) / 16
    labels = torch.tensor(read.target, dtype=torch.long)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, labels = images[order], labels[order]
    first = N_TEST + N_VALIDATION

    def part(start: int, end: int | None = None) -> Split:
        return Split(images[start:end], labels[start:end])

    return {
        "test": part(0, N_TEST),
        "validation": part(N_TEST, first),
        "train": part(first),
        "all": part(N_TEST),
        "few": part(first, first + 200),
    }


def shifted(images: Tensor, down: int, right: int) -> Tensor:
    """Move images (..., H, W) by whole pixels; paper comes in at the edge, what leaves is lost."""
    height, width = images.shape[-2:]
    moved = torch.zeros_like(images)
    rows, columns = _overlap(height, down), _overlap(width, right)
    moved[..., rows[1], columns[1]] = images[..., rows[0], columns[0]]
    return moved


def _overlap(size: int, by: int) -> tuple[slice, slice]:
    """Return what of a side is seen after a move: where it was, and where it is."""
    return slice(max(-by, 0), size - max(by, 0)), slice(max(by, 0), size - max(-by, 0))


def pixel_order(seed: int = 0) -> Tensor:
    """Return an order of the 64 pixels, the same at every call."""
    return torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(seed))


def rearranged(images: Tensor, order: Tensor) -> Tensor:
    """Give the pixels of every image (..., H, W) one other order."""
    return images.flatten(-2)[..., order].view(images.shape)


def patches(images: Tensor, size: int) -> Tensor:
    """Cut images (..., H, W) into patches, row by row: (..., n, size · size).

    Raises
    ------
    ValueError
        The size does not divide a side.
    """
    height, width = images.shape[-2:]
    if height % size or width % size:
        raise ValueError(f"patches of {size} × {size} do not fill an image of {height} × {width}")
    cut = images.unflatten(-1, (-1, size)).unflatten(-3, (-1, size))  # (..., rows, p, columns, p)
    return cut.transpose(-3, -2).flatten(-2).flatten(-3, -2)


def of_patches(cut: Tensor, size: int, width: int) -> Tensor:
    """Put patches (..., n, size · size) together again: the inverse of `patches`."""
    parts = cut.unflatten(-2, (-1, width // size)).unflatten(-1, (size, size))
    return parts.transpose(-3, -2).flatten(-2).flatten(-3, -2)


def ink(images: Tensor, size: int = 2) -> Tensor:
    """Return how much ink is in each patch of images (..., H, W): (..., n)."""
    return patches(images, size).sum(dim=-1)


def photograph(name: str = "china.jpg", side: int = 224) -> Tensor:
    """Return the middle of a photograph that ships with scikit-learn: (3, side, side), 0 to 1."""
    from sklearn.datasets import load_sample_image

    pixels = torch.tensor(load_sample_image(name), dtype=torch.float32) / 255  # (427, 640, 3)
    top, left = ((size - side) // 2 for size in pixels.shape[:2])
    return pixels[top : top + side, left : left + side].permute(2, 0, 1)
