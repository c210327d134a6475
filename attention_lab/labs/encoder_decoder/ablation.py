"""Take parts out of a Transformer, train what is left, and keep what came of it.

The runs of all 64 combinations are kept in ``ablations.json`` beside this file, and what came of
some of them from three more starts in ``starts.json``; ``tools/ablations.py`` makes both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from attention_lab.models.data.sequences import DIGITS, draw
from attention_lab.models.kept import read_json, whole
from attention_lab.models.training import seeded, train
from attention_lab.models.transformer import (
    Decoder,
    Encoder,
    MultiHeadAttention,
    Residual,
    Transformer,
)

__all__ = [
    "PARTS",
    "REPEATED",
    "TASKS",
    "Run",
    "Starts",
    "build",
    "committed",
    "key_of",
    "spread",
    "starts",
    "train_without",
    "without_parts",
]

# what the box says
PARTS = {
    "residual": "residual sums",
    "norm": "norms",
    "feed_forward": "feed-forward",
    "output": "W_O",
    "position": "positions",
    "causal": "causal mask",
}
TASKS = ("reverse", "sort")
# what was trained from four starts
REPEATED = ((), *((part,) for part in PARTS), ("norm", "feed_forward", "output"))
D_MODEL, N_HEADS, N_LAYERS, LENGTH, STEPS, EVERY = 32, 4, 2, 8, 300, 10


@dataclass(frozen=True)
class Run:
    """What came of one training.

    Attributes
    ----------
    losses : tuple of float
        At the first step and after every 10.
    exact_match : float
        Share of 300 new sequences of which every digit is written right; <end> does not count.
    accuracy : float
        Share of their digits that are right when the right target is read (teacher forcing).
    spread : tuple of float
        How different the tokens are, before the first layer of the encoder and after each.
    """

    losses: tuple[float, ...]
    exact_match: float
    accuracy: float
    spread: tuple[float, ...]


class Starts(NamedTuple):
    """What came of four trainings, from the starts 0 to 3.

    Attributes
    ----------
    exact_match : tuple of float
    spread : tuple of float
        After the last layer of the encoder.
    """

    exact_match: tuple[float, ...]
    spread: tuple[float, ...]


class _NoSum(nn.Module):
    """The layer and the norm of a pre-norm `Residual`, without the way around them."""

    def __init__(self, residual: Residual) -> None:
        super().__init__()
        self.norm, self.dropout = residual.norm, residual.dropout

    def forward(self, x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        return self.dropout(layer(self.norm(x)))


class _Around(nn.Module):
    """Only the way around: the layer is left out."""

    def forward(self, x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        return x


def _check(without: Collection[str]) -> None:
    known = f"the parts are {', '.join(PARTS)}"
    if isinstance(without, str):
        raise ValueError(f"without must be a collection, [{without!r}], not a string; {known}")
    if unknown := [part for part in without if part not in PARTS]:
        raise ValueError(f"there is no part {unknown[0]!r}; {known}")


def without_parts(model: Transformer, without: Collection[str]) -> Transformer:
    """Take some of its `PARTS` out of a model, in place.

    Parameters
    ----------
    model : Transformer
        Pre-norm, with sinusoidal positions or none.
    without : collection of str
        Names in `PARTS`. "norm" takes out the norms at the ends of the two stacks as well,
        "feed_forward" takes out its norm and its sum, too.

    Returns
    -------
    Transformer
        The model that was given.

    Raises
    ------
    ValueError
        There is no such part.
    """
    _check(without)
    if "position" in without:
        model.source.position = model.target.position = "none"
    if "causal" in without:
        model.is_causal = False
    for module in list(model.modules()):
        if isinstance(module, MultiHeadAttention) and "output" in without:
            module.out = nn.Identity()
        if isinstance(module, (Encoder, Decoder)) and "norm" in without:
            module.norm = nn.Identity()
        for name, child in list(module.named_children()):
            if not isinstance(child, Residual):
                continue
            if name == "around_feed" and "feed_forward" in without:
                setattr(module, name, _Around())
                module.feed_forward = nn.Identity()
                continue
            if "norm" in without:
                child.norm = nn.Identity()
            if "residual" in without:
                setattr(module, name, _NoSum(child))
    return model


def build(without: Collection[str], seed: int = 0) -> Transformer:
    """Return a small Transformer for digits, without some of its `PARTS`."""
    with seeded(seed):
        model = Transformer(
            len(DIGITS), len(DIGITS), d_model=D_MODEL, n_heads=N_HEADS, n_layers=N_LAYERS
        )
    return without_parts(model, without)


def spread(tokens: Tensor) -> float:
    """Return how different tokens (..., n, d) are: 0 if all are equal.

    The size of what is left of them without their mean, over their own size. Dong et al. 2021
    (arXiv:2103.03404) measure the same by another norm.
    """
    rest = tokens - tokens.mean(dim=-2, keepdim=True)
    return (rest.norm() / tokens.norm()).item()


@torch.no_grad()
def _spreads(model: Transformer, source: Tensor) -> tuple[float, ...]:
    x = model.source(source)  # (B, n, d_model); digits have no padding, so there is no mask
    found = [spread(x)]
    for layer in model.encoder.layers:
        x = layer(x)
        found.append(spread(x))
    return tuple(found)


def train_without(
    without: Collection[str],
    task: str = "reverse",
    *,
    seed: int = 0,
    watch: Callable[[int, float], None] | None = None,
) -> Run:
    """Train a Transformer without some of its parts: a few seconds.

    Parameters
    ----------
    without : collection of str
        Names in `PARTS`.
    task : str
        "reverse" or "sort", of 8 digits.
    watch : callable, optional
        ``watch(step, loss)`` after each step.

    Raises
    ------
    ValueError
        There is no such part, or no such task.
    RuntimeError
        It was interrupted, or a loss was no number: half a training is not kept.
    """
    name = key_of(without, task)
    model = build(without, seed)
    history = whole(
        name,
        lambda: train(
            model,
            lambda model, batch: model.loss(*batch),
            lambda random: draw(task, 64, LENGTH, random),
            steps=STEPS,
            seed=seed,
            watch=watch,
        ),
    )
    source, target = draw(task, 300, LENGTH, torch.Generator().manual_seed(99))
    with torch.no_grad():
        written = model.decode(source, LENGTH + 1)
        read = model(source, target).argmax(dim=-1)  # (300, 9)
    digits = target[:, 1:-1]
    full = torch.zeros_like(target[:, 1:])
    full[:, : written.shape[1]] = written
    losses = [history.losses[0], *history.losses[EVERY - 1 :: EVERY]]
    return Run(
        tuple(round(loss, 3) for loss in losses),
        round((full[:, :-1] == digits).all(dim=1).double().mean().item(), 3),
        round((read[:, :-1] == digits).double().mean().item(), 3),
        tuple(float(f"{each:.2g}") for each in _spreads(model, source)),
    )


def key_of(without: Collection[str], task: str) -> str:
    """Return the name of a run in the file: ``"reverse -norm -output"``."""
    _check(without)
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, not {task!r}")
    return " ".join([task, *(f"-{part}" for part in PARTS if part in without)])


@cache
def committed() -> dict[str, Run]:
    """Return the kept runs by `key_of`."""
    return {
        key: Run(*(tuple(v) if isinstance(v, list) else v for v in run.values()))
        for key, run in read_json(__package__, "ablations.json").items()
    }


@cache
def starts() -> dict[str, Starts]:
    """Return by `key_of` what came of the four trainings of what is in `REPEATED`."""
    return {
        key: Starts(*map(tuple, each))
        for key, each in read_json(__package__, "starts.json").items()
    }
