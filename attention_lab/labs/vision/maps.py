"""Two maps of one image: where a ViT looks, and what it needs; and how far the two agree."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from attention_lab.labs.vision.images import of_patches, patches
from attention_lab.labs.vision.networks import ViT
from attention_lab.models.transformer import recorded

__all__ = [
    "accuracy_covered",
    "attention_map",
    "covered",
    "occlusion_map",
    "rank_correlation",
    "rollout_map",
]


def attention_map(vit: ViT, images: Tensor) -> Tensor:
    """Return where the token CLS looks in the last layer, the mean of the heads: (B, n).

    The weights of the patches alone, so that each row sums to 1: what CLS has on itself is left
    out.
    """
    weights = vit.looks(images).mean(dim=1)  # (B, h, n) -> (B, n)
    return weights / weights.sum(dim=-1, keepdim=True)


def rollout_map(vit: ViT, images: Tensor) -> Tensor:
    """Return how far each patch reaches CLS through all layers (Abnar and Zuidema 2020): (B, n).

    In each layer half of a token is what it was, and half what the mean of the heads mixes; of the
    product of all layers, the row of CLS, without CLS itself.
    """
    with torch.no_grad(), recorded(vit) as weights:
        vit(images)
    through = torch.eye(1 + (8 // vit.patch) ** 2)
    for (each,) in weights.values():
        through = (each.mean(dim=1) + torch.eye(each.shape[-1])) / 2 @ through
    reached = through[:, 0, 1:]
    return reached / reached.sum(dim=-1, keepdim=True)


def covered(images: Tensor, hidden: Tensor, size: int = 2) -> Tensor:
    """Put paper over patches: images (B, H, W), ``hidden`` (B, n) is True where it lies."""
    cut = patches(images, size).masked_fill(hidden[..., None], 0.0)
    return of_patches(cut, size, images.shape[-1])


@torch.no_grad()
def occlusion_map(
    network: Callable[[Tensor], Tensor],
    images: Tensor,
    size: int = 2,
    classes: Tensor | None = None,
) -> Tensor:
    """Return how much a network needs each patch (Zeiler and Fergus 2014): (B, n).

    Each patch in turn is covered with paper, all in one batch. The number is what the
    log-probability of the class loses.

    Parameters
    ----------
    network : callable
        Takes images (B, H, W), gives logits.
    images : Tensor, shape (B, H, W)
    size : int
        Side of a patch.
    classes : Tensor, shape (B,), optional
        Of which class; if not given, the one that the network reads in the whole image.
    """
    whole = network(images).log_softmax(dim=-1)  # (B, 10)
    classes = whole.argmax(dim=-1) if classes is None else classes
    cut = patches(images, size)
    n = cut.shape[-2]
    each = torch.eye(n, dtype=torch.bool).repeat(len(images), 1)  # (B·n, n)
    without = network(covered(images.repeat_interleave(n, dim=0), each, size)).log_softmax(dim=-1)
    of_class = without.view(len(images), n, -1).gather(-1, classes[:, None, None].expand(-1, n, 1))
    lost = whole.gather(-1, classes[:, None]) - of_class[..., 0]
    return lost.masked_fill((cut == 0).all(dim=-1), 0.0)  # paper over paper: not even rounding


def rank_correlation(one: Tensor, other: Tensor) -> Tensor:
    """Return the correlation of the ranks in each row (Spearman 1904): (B, n), (B, n) -> (B,).

    1: the same order, -1: the opposite order. Equal numbers share their rank. A row of equal
    numbers has no order: nan.
    """

    def centred(rows: Tensor) -> Tensor:
        above = (rows[:, :, None] > rows[:, None, :]).double()
        ranks = (above + 0.5 * (rows[:, :, None] == rows[:, None, :])).sum(dim=-1)
        return ranks - ranks.mean(dim=-1, keepdim=True)

    a, b = centred(one), centred(other)
    return (a * b).sum(dim=-1) / (a.pow(2).sum(dim=-1) * b.pow(2).sum(dim=-1)).sqrt()


def accuracy_covered(network: nn.Module, images: Tensor, labels: Tensor, order: Tensor) -> list:
    """Return the accuracy after 0, 1, 2, ... n patches are covered, in an order (B, n) of them.

    The first column of ``order`` says which patch of each image is covered first.
    """
    n = order.shape[-1]
    place = order.argsort(dim=-1)  # when each patch is covered
    found = []
    with torch.no_grad():
        for count in range(n + 1):
            read = network(covered(images, place < count)).argmax(dim=-1)
            found.append((read == labels).double().mean().item())
    return found
