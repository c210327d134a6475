"""Images made of several digits: one to be found, scrambled ones beside it, clips, hidden parts."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.labs.vision.images import SIDE, Split, patches

__all__ = [
    "CANVAS",
    "Clips",
    "Scenes",
    "clips",
    "hidden_patches",
    "inside",
    "scenes",
    "scrambled",
    "two_digits",
]

CANVAS, CELL = 24, 12  # pixels; a digit lies somewhere in one of four cells
FRAMES = 8


class Scenes(NamedTuple):
    """Canvases with a digit somewhere, and three scrambled ones.

    Attributes
    ----------
    images : Tensor, shape (B, 24, 24)
    labels : Tensor, shape (B,)
        The digit that is not scrambled.
    corners : Tensor, shape (B, 2)
        Row and column of its upper left pixel. No network sees it.
    """

    images: Tensor
    labels: Tensor
    corners: Tensor


class Clips(NamedTuple):
    """Short clips, in which one frame shows a digit and the others scrambled ones.

    Attributes
    ----------
    frames : Tensor, shape (B, 8, 8, 8)
        Frame, row, column.
    labels, at : Tensor, shape (B,)
        The digit, and the frame that shows it. No network sees ``at``.
    """

    frames: Tensor
    labels: Tensor
    at: Tensor


def _drawn(
    data: Split, shape: tuple[int, ...], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    chosen = torch.randint(len(data.images), shape, generator=generator)
    return data.images[chosen], data.labels[chosen]


def scrambled(images: Tensor, generator: torch.Generator) -> Tensor:
    """Put the pixels of each image (..., 8, 8) in an order of its own: as much ink, no digit."""
    flat = images.flatten(-2)
    order = torch.rand(flat.shape, generator=generator).argsort(dim=-1)
    return flat.gather(-1, order).view(images.shape)


def scenes(data: Split, n: int, generator: torch.Generator) -> Scenes:
    """Draw ``n`` canvases: in each of the four cells something, in one of them a digit."""
    images, labels = _drawn(data, (n, 4), generator)
    things = scrambled(images, generator)
    cell = torch.randint(4, (n,), generator=generator)
    each = torch.arange(n)
    things[each, cell] = images[each, cell]
    jitter = torch.randint(CELL - SIDE + 1, (n, 4, 2), generator=generator)
    grid = torch.tensor([(0, 0), (0, CELL), (CELL, 0), (CELL, CELL)])
    corners = grid + jitter  # (n, 4, 2)
    canvas = torch.zeros(n, CANVAS, CANVAS)
    along = torch.arange(SIDE)
    rows = corners[..., 0, None, None] + along[:, None]  # (n, 4, 8, 1)
    columns = corners[..., 1, None, None] + along  # (n, 4, 1, 8)
    canvas[each[:, None, None, None], rows, columns] = things
    return Scenes(canvas, labels[each, cell], corners[each, cell])


def inside(points: Tensor, corners: Tensor) -> Tensor:
    """Tell whether points (B, 2), in pixels, lie in the box of the digit: (B,)."""
    return ((points >= corners) & (points < corners + SIDE)).all(dim=-1)


def clips(data: Split, n: int, generator: torch.Generator) -> Clips:
    """Draw ``n`` clips of eight frames."""
    images, labels = _drawn(data, (n, FRAMES), generator)
    frames = scrambled(images, generator)
    at, each = torch.randint(FRAMES, (n,), generator=generator), torch.arange(n)
    frames[each, at] = images[each, at]
    return Clips(frames, labels[each, at], at)


def two_digits(data: Split, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw images (n, 8, 16) of two digits side by side, and a label for each patch of 2 × 2.

    The label is the digit that the ink of the patch belongs to, (n, 32); -1 where there is none.
    """
    images, labels = _drawn(data, (n, 2), generator)
    canvas = torch.cat([images[:, 0], images[:, 1]], dim=-1)  # (n, 8, 16)
    left = torch.arange(32) % 8 < 4  # of eight patches in a row, four are of the first digit
    of_patch = torch.where(left, labels[:, :1], labels[:, 1:])
    return canvas, of_patch.masked_fill(patches(canvas, 2).sum(dim=-1) == 0, -1)


def hidden_patches(n: int, generator: torch.Generator, count: int = 8, of: int = 16) -> Tensor:
    """Choose ``count`` of the patches of each image: (n, of), True = hidden."""
    return torch.rand(n, of, generator=generator).argsort(dim=-1) < count
