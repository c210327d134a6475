"""All heads at a glance: a small picture of each, and what it does most on this text."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from attention_lab.labs.interpretation.given import Given
from attention_lab.models.language_model import Head
from attention_lab.pictures.style import LEVELS, palette

__all__ = ["habits", "map_image", "patterns", "side_of", "thumbnails"]

WIDEST = 840  # pixels of all layers side by side
SIDES = (14, 44)  # of one small picture, with its frame
GRID = 230  # the colour of the frame, grey


def side_of(n_layers: int) -> int:
    """Return how wide the small picture of a head is, with its frame, in pixels."""
    return max(SIDES[0], min(SIDES[1], WIDEST // n_layers))


def thumbnails(given: Given) -> bytes:
    """Draw all heads as one PNG: a column for each layer, a row for each head.

    Where a pixel stands for several weights it shows the largest: a mean would hide a line.
    """
    side = side_of(len(given.layers))
    inner = side - 1
    columns = [_small(layer, inner) for layer in given.layers]
    levels = torch.stack(columns, dim=1)  # (h, layers, inner, inner)
    framed = F.pad(levels, (0, 1, 0, 1), value=LEVELS)  # one level more: the frame
    pixels = framed.permute(0, 2, 1, 3).reshape(given.n_heads * side, -1)
    picture = Image.fromarray(pixels.to(torch.uint8).numpy())
    colors = [int(c[i : i + 2], 16) for c, _ in palette(weights=True) for i in (1, 3, 5)]
    picture.putpalette([*colors, GRID, GRID, GRID])
    png = io.BytesIO()
    picture.save(png, format="png", compress_level=6)
    return png.getvalue()


def _small(layer: Tensor, inner: int) -> Tensor:
    """Return the levels of one layer's heads: (h, inner, inner)."""
    weights = layer.to("cpu", torch.float32)
    if min(weights.shape[1:]) > inner:
        weights = F.adaptive_max_pool2d(weights, inner)
    else:
        n_q, n_k = weights.shape[1:]
        rows, keys = (torch.arange(inner) * n // inner for n in (n_q, n_k))
        weights = weights[:, rows][:, :, keys]
    return (weights.nan_to_num().clamp(0, 1) * (LEVELS - 1)).round()


def map_image(given: Given, png: bytes) -> str:
    """Put the PNG into an ``<img>`` with its sentence, for a notebook without a kernel."""
    data = base64.b64encode(png).decode()
    said = f"{len(given.layers)} layers (columns) of {given.n_heads} heads (rows): their weights"
    return (
        f'<div><img alt="{said}" style="max-width:none" src="data:image/png;base64,{data}"></div>'
    )


# --- what a head does most ---


def patterns(given: Given) -> dict[str, tuple[Head, float]]:
    """Name the head that does each of some simple things most, and how much.

    The score is the mean weight, over the queries that can do it, on the key that the pattern
    names. Only for self-attention.
    """
    if not given.is_self:
        return {}
    found = {}
    for name, (queries, keys) in _targets(given.queries).items():
        if not len(queries):
            continue
        scores = torch.stack(
            [layer[:, queries, keys].float().cpu().mean(dim=1) for layer in given.layers]
        ).nan_to_num()
        best = int(scores.argmax())
        head = divmod(best, given.n_heads)
        if scores[head] >= 0.1:
            found[name] = head, scores[head].item()
    return found


def habits(given: Given, head: Head) -> dict[str, float]:
    """Return how much one head does of each of these things on this text."""
    if not given.is_self:
        return {}
    weights = given.head(*head)
    return {
        name: weights[queries, keys].mean().item()
        for name, (queries, keys) in _targets(given.queries).items()
        if len(queries)
    }


def _targets(words: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return for each pattern the pairs (query, key) that it is made of."""
    n = len(words)
    every = torch.arange(n)
    last: dict[str, int] = {}
    same: list[tuple[int, int]] = []
    for i, word in enumerate(words):
        if word in last:
            same.append((i, last[word]))
        last[word] = i
    pairs = torch.tensor(same).reshape(-1, 2)
    queries, before = pairs.unbind(dim=1)
    return {
        "the token before": (every[1:], every[:-1]),
        "the first token": (every[1:], every[1:] * 0),
        "itself": (every[1:], every[1:]),
        "the token behind": (every[:-1], every[1:]),
        "the same token, earlier": (queries, before),
        "what followed it earlier": (queries, before + 1),
    }
