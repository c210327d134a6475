"""Where, when, which, and what is hidden: four small tasks, each with a baseline that could win.

The runs are kept in ``tasks.json`` beside this file, which ``tools/vision_tasks.py`` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.labs.vision.images import SIDE, Split, patches, splits
from attention_lab.labs.vision.networks import build
from attention_lab.labs.vision.runs import SEEDS, fit, nearest
from attention_lab.labs.vision.scenes import (
    CANVAS,
    Scenes,
    clips,
    hidden_patches,
    inside,
    scenes,
    two_digits,
)
from attention_lab.labs.vision.seekers import Chooser, Filler, Labeller, Pointer
from attention_lab.models.kept import read_json, whole
from attention_lab.models.training import History, seeded, train

__all__ = [
    "TASKS",
    "TEST_SEED",
    "Found",
    "Task",
    "best",
    "best_rate",
    "brightest",
    "committed",
    "fit_task",
    "peaks",
    "train_task",
]

N_SEEN, TEST_SEED, VALIDATION_SEED = 1000, 100, 101
Measured = dict[str, float]


# --- what is measured -----------------------------------------------------------------------------


def peaks(weights: Tensor) -> Tensor:
    """Return where the weights (B, 144) of 12 × 12 places are largest, in pixels: (B, 2)."""
    at = weights.argmax(dim=-1)
    return torch.stack([at // 12, at % 12], dim=-1) * 2 + 0.5


def brightest(seen: Scenes) -> Tensor:
    """Return the middle of the 8 × 8 pixels with the most ink, on each canvas: (B, 2).

    To look where the ink is: what a query must beat.
    """
    sums = F.avg_pool2d(seen.images[:, None], SIDE, stride=1).flatten(1)  # (B, 17 · 17)
    at, across = sums.argmax(dim=-1), CANVAS - SIDE + 1
    return torch.stack([at // across, at % across], dim=-1) + (SIDE - 1) / 2


def _share(right: Tensor) -> float:
    return right.double().mean().item()


def _measure_pointing(network: nn.Module, data: Split, seed: int) -> Measured:
    seen = scenes(data, N_SEEN, torch.Generator().manual_seed(seed))
    logits, weights = network(seen.images)
    return {
        "right": _share(logits.argmax(dim=-1) == seen.labels),
        "in the box": _share(inside(peaks(weights), seen.corners)),
    }


def _measure_clips(network: nn.Module, data: Split, seed: int) -> Measured:
    seen = clips(data, N_SEEN, torch.Generator().manual_seed(seed))
    logits, weights = network(seen.frames)
    return {
        "right": _share(logits.argmax(dim=-1) == seen.labels),
        "at the frame": _share(weights.argmax(dim=-1) == seen.at),
    }


def _measure_labels(network: nn.Module, data: Split, seed: int) -> Measured:
    images, labels = two_digits(data, N_SEEN, torch.Generator().manual_seed(seed))
    right = network(images).argmax(dim=-1) == labels
    return {"right": _share(right[labels >= 0])}


def _measure_filling(network: nn.Module, data: Split, seed: int) -> Measured:
    hidden = hidden_patches(len(data.images), torch.Generator().manual_seed(seed))
    error = (network(data.images, hidden) - patches(data.images, 2))[hidden]
    return {"error": error.pow(2).mean().item()}


# --- what is learned ------------------------------------------------------------------------------


def _loss_of_class(network: nn.Module, batch: Any) -> Tensor:
    images, labels, _ = batch
    return F.cross_entropy(network(images)[0], labels)


def _loss_of_labels(network: nn.Module, batch: Any) -> Tensor:
    images, labels = batch
    return F.cross_entropy(network(images).flatten(0, 1), labels.flatten(), ignore_index=-1)


def _loss_of_filling(network: nn.Module, batch: Any) -> Tensor:
    images, hidden = batch
    return (network(images, hidden) - patches(images, 2))[hidden].pow(2).mean()


def _batch_to_fill(data: Split, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    chosen = torch.randint(len(data.images), (n,), generator=generator)
    return data.images[chosen], hidden_patches(n, generator)


@cache
def _reader(seed: int):
    """Return a CNN that has read single digits, for `Pointer`."""
    cnn = build("CNN", seed)
    whole("CNN", lambda: fit(cnn, splits()["train"], lr=1e-2, seed=seed))
    return cnn


@dataclass(frozen=True)
class Task:
    """A task, and the networks that are compared in it.

    Attributes
    ----------
    kinds : mapping of name to callable
        Makes a network from a seed.
    batch : callable
        ``batch(data, n, generator)`` draws what is learned from.
    size, steps : int
        Of a batch, and of the training, for every kind.
    loss : callable
    measure : callable
        ``measure(network, data, seed)``, on drawings of its own; the first number is what the
        learning rate is chosen by.
    less_is_better : bool
        Of that number.
    """

    kinds: Mapping[str, Callable[[int], nn.Module]]
    batch: Callable[[Split, int, torch.Generator], Any]
    size: int
    steps: int
    loss: Callable[[nn.Module, Any], Tensor]
    measure: Callable[[nn.Module, Split, int], Measured]
    less_is_better: bool = False


TASKS = {
    "pointing": Task(
        kinds={
            "query": lambda seed: Pointer(_reader(seed)),
            "mean": lambda seed: Pointer(_reader(seed), is_uniform=True),
        },
        batch=scenes, size=32, steps=400, loss=_loss_of_class, measure=_measure_pointing,
    ),
    "clips": Task(
        kinds={"query": lambda _: Chooser(), "mean": lambda _: Chooser(is_uniform=True)},
        batch=clips, size=64, steps=600, loss=_loss_of_class, measure=_measure_clips,
    ),
    "labels": Task(
        kinds={
            "itself": lambda _: Labeller(0),
            "neighbours": lambda _: Labeller(1),
            "all": lambda _: Labeller(8),
        },
        batch=two_digits, size=32, steps=600, loss=_loss_of_labels, measure=_measure_labels,
    ),
    "filling": Task(
        kinds={"400 steps": lambda _: Filler()}, batch=_batch_to_fill, size=64, steps=400,
        loss=_loss_of_filling, measure=_measure_filling, less_is_better=True,
    ),
    "filling longer": Task(
        kinds={"1600 steps": lambda _: Filler()}, batch=_batch_to_fill, size=64, steps=1600,
        loss=_loss_of_filling, measure=_measure_filling, less_is_better=True,
    ),
}  # fmt: skip


def fit_task(
    name: str, network: nn.Module, *, lr: float, seed: int = 0, on: str = "train", watch=None
) -> History:
    """Train a network for a task, in place; on "train", or on "all" but the test images."""
    task, data = TASKS[name], splits()[on]
    return train(
        network,
        task.loss,
        lambda generator: task.batch(data, task.size, generator),
        steps=task.steps,
        lr=lr,
        seed=seed,
        watch=watch,
    )


# --- what came of it ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What came of one training for a task.

    Attributes
    ----------
    task, kind : str
    lr, seed
        Of the training.
    validation : float
        What the learning rate is chosen by: on drawings from the validation images.
    test : dict of str to float
        On drawings from the test images.
    """

    task: str
    kind: str
    lr: float
    seed: int
    validation: float
    test: dict[str, float]

    @property
    def key(self) -> tuple[str, str, float, int]:
        """What was trained, and how."""
        return self.task, self.kind, self.lr, self.seed


def train_task(name: str, kind: str, *, lr: float, seed: int = 0, watch=None) -> Found:
    """Train one network for a task, 3 to 20 seconds, and measure it."""
    task = TASKS[name]
    with seeded(seed):
        network = task.kinds[kind](seed)
    whole(f"{name}, {kind}", lambda: fit_task(name, network, lr=lr, seed=seed, watch=watch))
    with torch.no_grad():
        validation = task.measure(network, splits()["validation"], VALIDATION_SEED)
        test = task.measure(network, splits()["test"], TEST_SEED)
    return Found(
        task=name,
        kind=kind,
        lr=lr,
        seed=seed,
        validation=round(next(iter(validation.values())), 5),
        test={what: round(number, 5) for what, number in test.items()},
    )


def best_rate(tried: list[Found]) -> float:
    """Return the learning rate that was best on the validation images; see `nearest`."""
    sign = -1 if TASKS[tried[0].task].less_is_better else 1
    return max(tried, key=lambda found: (sign * found.validation, *nearest(found.lr))).lr


@cache
def committed() -> dict[tuple[str, str, float, int], Found]:
    """Return the kept runs by their `key`."""
    found = [Found(**row) for row in read_json(__package__, "tasks.json")]
    return {each.key: each for each in found}


def best(task: str, kind: str) -> list[Found]:
    """Return the kept runs of the three seeds, each with the learning rate that was best."""
    of_kind = [each for each in committed().values() if (each.task, each.kind) == (task, kind)]
    rate = best_rate([each for each in of_kind if each.seed == SEEDS[0]])
    return sorted((each for each in of_kind if each.lr == rate), key=lambda each: each.seed)
