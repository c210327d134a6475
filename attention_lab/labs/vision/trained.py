"""Trained networks that are kept with the room, and what their maps are worth.

``tools/vision_maps.py`` makes the two files: ``weights.json``, as float16 in base64, and
``maps.json``.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from attention_lab.labs.vision.images import Split, ink
from attention_lab.labs.vision.maps import (
    accuracy_covered,
    attention_map,
    occlusion_map,
    rank_correlation,
    rollout_map,
)
from attention_lab.labs.vision.networks import CNN, ViT, build
from attention_lab.models.kept import read_json

__all__ = ["NETWORKS", "agreement", "kept_maps", "load", "packed"]

NETWORKS = ("ViT", "CNN")


def packed(network: nn.Module) -> dict[str, Any]:
    """Return what a network has learned, to be written as JSON: name, then shape and base64."""
    return {
        name: [
            list(numbers.shape),
            base64.b64encode(numbers.numpy().astype(np.float16).tobytes()).decode(),
        ]
        for name, numbers in network.state_dict().items()
        if "num_batches" not in name
    }


@cache
def load(kind: str) -> nn.Module:
    """Return a kept network, one of `NETWORKS`, in evaluation mode."""
    network, state = build(kind), {}
    for name, (shape, text) in read_json(__package__, "weights.json")[kind].items():
        numbers = np.frombuffer(base64.b64decode(text), np.float16).astype(np.float32)
        state[name] = torch.tensor(numbers).view(shape)
    network.load_state_dict(state, strict=False)
    return network.eval()


def kept_maps() -> list[dict[str, Any]]:
    """Return what `agreement` found for three ViTs, seeds 0 to 2."""
    return read_json(__package__, "maps.json")


def _mean(rows: Tensor) -> float:
    return round(rows[~rows.isnan()].mean().item(), 4)


def agreement(vit: ViT, cnn: CNN, data: Split, seed: int = 0) -> dict[str, Any]:
    """Compare maps over many images.

    Returns
    -------
    dict
        "correlation": the mean rank correlation of pairs of maps over the 16 patches; "with ink":
        of attention and occlusion over the patches that hold ink alone; "covered": for several
        orders, the accuracy after 0 to 16 patches are covered.
    """
    images = data.images
    looks, needs = attention_map(vit, images), occlusion_map(vit, images)
    amount, rolled = ink(images), rollout_map(vit, images)
    pairs: dict[str, tuple[Tensor, Tensor]] = {
        "attention, occlusion": (looks, needs),
        "rollout, occlusion": (rolled, needs),
        "ink, occlusion": (amount, needs),
        "attention, ink": (looks, amount),
        "occlusion of the CNN, occlusion": (occlusion_map(cnn, images), needs),
    }
    any_order = torch.rand(amount.shape, generator=torch.Generator().manual_seed(seed))
    orders = {"attention": looks, "occlusion": needs, "ink": amount, "any order": any_order}
    return {
        "seed": seed,
        "correlation": {name: _mean(rank_correlation(*pair)) for name, pair in pairs.items()},
        "with ink": {
            "attention, occlusion": _where_ink(looks, needs, amount),
            "ink, occlusion": _where_ink(amount, needs, amount),
        },
        "covered": {
            name: [round(share, 4) for share in _covered_by(vit, data, order)]
            for name, order in orders.items()
        },
    }


def _where_ink(one: Tensor, other: Tensor, amount: Tensor) -> float:
    rows = [
        rank_correlation(a[None, m], b[None, m])
        for a, b, m in zip(one, other, amount > 0, strict=True)
    ]
    return _mean(torch.cat(rows))


def _covered_by(vit: ViT, data: Split, amount: Tensor) -> list[float]:
    order = amount.argsort(dim=-1, descending=True, stable=True)
    return accuracy_covered(vit, *data, order)
