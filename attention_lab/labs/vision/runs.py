"""The comparison of notebook 13: the same training for every network, and what came of it.

The runs are kept in ``runs.json`` beside this file, which ``tools/vision_runs.py`` makes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.labs.vision.images import SHIFTS, Split, shifted, splits
from attention_lab.labs.vision.networks import KINDS, build
from attention_lab.models.kept import read_json, whole
from attention_lab.models.training import train

__all__ = [
    "FIRST_RATES",
    "MODULES",
    "PARTS",
    "SEEDS",
    "SMALL_START",
    "TRAINED",
    "TUNED",
    "Run",
    "best",
    "best_rate",
    "classify",
    "committed",
    "fit",
    "mcnemar",
    "mean",
    "nearest",
    "neighbours",
    "standard_error",
    "train_run",
]

STEPS, BATCH = 600, 64
SEEDS = (0, 1, 2)
FIRST_RATES = (3e-3, 1e-2)  # further ones are tried until the best has a worse one on either side
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
MODULES = ("CNN", "CNN + SE", "CNN + CBAM", "CNN + non-local", "CNN, wider")
SMALL_START = "ViT, positions start at 0.02"
TRAINED = {  # on what; "moved": all images, each moved by up to a pixel
    "all": tuple(KINDS),
    "few": ("MLP", *MODULES, "ViT", SMALL_START),
    "moved": ("MLP", "CNN", "ViT"),
}
PARTS = tuple(TRAINED)
TUNED = {"all": "train", "moved": "train moved"}  # else on itself


@dataclass(frozen=True)
class Run:
    """What came of one training.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    part : str
        Which images were learned from: "all" 1347, "few" 200, "moved" 1347, moved about,
        "train" and "train moved": without the 250 images that the learning rate is chosen by.
    lr, seed
        Of the training.
    loss : float
        Mean of the last ten steps.
    validation : float
        Accuracy on those 250 images; nothing is said by it where they were learned from.
    right : str
        "1" for each of the 450 test images that is read right, "0" for the others.
    moved : list of float
        Accuracy on the test images moved by one pixel up, down, left and right.
    """

    kind: str
    part: str
    lr: float
    seed: int
    loss: float
    validation: float
    right: str
    moved: list[float]

    @property
    def key(self) -> tuple[str, str, float, int]:
        """What was trained, on what, and how."""
        return self.kind, self.part, self.lr, self.seed

    @property
    def accuracy(self) -> float:
        """Share of the test images that are read right."""
        return self.right.count("1") / len(self.right)

    @property
    def shifted(self) -> float:
        """Accuracy on test images moved by one pixel, over four directions."""
        return sum(self.moved) / len(self.moved)


def fit(
    network: nn.Module,
    data: Split,
    *,
    lr: float,
    steps: int = STEPS,
    seed: int = 0,
    moved: bool = False,
    watch: Callable[[int, float], None] | None = None,
):
    """Train a network in place, with 64 images a step, and return its `History`.

    Parameters
    ----------
    network : nn.Module
        Takes images (B, 8, 8), gives logits (B, 10).
    data : Split
    lr, steps, seed, watch
        As for `train`.
    moved : bool
        Move each image of a step by -1, 0 or 1 pixel down and as many to the right.
    """
    by = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)] if moved else []
    ways = torch.stack([shifted(data.images, *each) for each in by]) if moved else data.images

    def batch_of(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(data.images), (BATCH,), generator=generator)
        if not moved:
            return data.images[chosen], data.labels[chosen]
        way = torch.randint(len(ways), (BATCH,), generator=generator)
        return ways[way, chosen], data.labels[chosen]

    def loss_of(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = batch
        return F.cross_entropy(model(images), labels)

    return train(network, loss_of, batch_of, steps=steps, lr=lr, seed=seed, watch=watch)


@torch.no_grad()
def classify(network: nn.Module, data: Split) -> Tensor:
    """Tell for each image whether the network reads it right: (n,), boolean."""
    return network(data.images).argmax(dim=-1) == data.labels


def train_run(
    kind: str,
    part: str = "all",
    *,
    lr: float,
    seed: int = 0,
    watch: Callable[[int, float], None] | None = None,
) -> Run:
    """Train one network, 1 to 10 seconds, and see what it reads.

    Raises
    ------
    RuntimeError
        The training was stopped, or came to numbers that are not finite.
    """
    data, network = splits(), build(kind, seed)
    learned = data["train" if part.startswith("train") else "few" if part == "few" else "all"]
    options = {
        "lr": lr,
        "seed": seed,
        "moved": part.endswith("moved"),
        "watch": watch,
    }
    history = whole(kind, lambda: fit(network, learned, **options))
    images, labels = data["test"]
    bits = classify(network, data["test"]).tolist()
    return Run(
        kind=kind,
        part=part,
        lr=lr,
        seed=seed,
        loss=round(sum(history.losses[-10:]) / 10, 5),
        validation=round(classify(network, data["validation"]).double().mean().item(), 4),
        right="".join("01"[bit] for bit in bits),
        moved=[
            round(classify(network, Split(shifted(images, *by), labels)).double().mean().item(), 4)
            for by in SHIFTS
        ],
    )


def neighbours(rates: Iterable[float], best: float) -> list[float]:
    """Return the rates to try next: beside the best so far, where nothing was tried.

    Examples
    --------
    >>> neighbours([3e-3, 1e-2], best=1e-2)
    [0.03]
    >>> neighbours([3e-3, 1e-2, 3e-2], best=1e-2)
    []
    """
    at, known = RATES.index(best), set(rates)
    return [rate for rate in RATES[max(at - 1, 0) : at + 2] if rate not in known]


@cache
def committed() -> dict[tuple[str, str, float, int], Run]:
    """Return the kept runs by their `key`."""
    runs = [Run(**row) for row in read_json(__package__, "runs.json")]
    return {run.key: run for run in runs}


def best(kind: str, part: str = "all") -> list[Run]:
    """Return the kept runs of the three seeds, each with the learning rate that was best."""
    of_kind = [run for run in committed().values() if (run.kind, run.part) == (kind, part)]
    rate = _rate(kind, part)
    return sorted((run for run in of_kind if run.lr == rate), key=lambda run: run.seed)


def _rate(kind: str, part: str) -> float:
    tuned = TUNED.get(part, part)
    tried = [r for r in committed().values() if (r.kind, r.part, r.seed) == (kind, tuned, 0)]
    return best_rate(tried)


def best_rate(tried: Iterable[Run]) -> float:
    """Return the learning rate with which the validation images are read best; see `nearest`."""
    return max(tried, key=lambda run: (run.validation, *nearest(run.lr))).lr


def nearest(rate: float) -> tuple[int, float]:
    """Return what decides between rates that are equally good: the nearest to the first one."""
    return -abs(RATES.index(rate) - RATES.index(FIRST_RATES[0])), rate


def mean(runs: Iterable[Run]) -> float:
    """Return the mean accuracy of runs."""
    found = [run.accuracy for run in runs]
    return sum(found) / len(found)


def standard_error(accuracy: float, n: int) -> float:
    """Return how far a share that was measured on n images may lie from the true one."""
    return math.sqrt(accuracy * (1 - accuracy) / n)


def mcnemar(one: str, other: str) -> tuple[int, int, float]:
    """Compare two readings of the same images (McNemar 1947), by the exact test.

    Parameters
    ----------
    one, other : str
        "1" where an image is read right, "0" where not.

    Returns
    -------
    only_one, only_other : int
        How many images only one of them reads right.
    p : float
        How often a fair coin, thrown for each such image, would be as one-sided, or more.

    Examples
    --------
    >>> mcnemar("111110", "000001")
    (5, 1, 0.21875)
    """
    pairs = list(zip(one, other, strict=True))
    only_one, only_other = pairs.count(("1", "0")), pairs.count(("0", "1"))
    n = only_one + only_other
    tail = sum(math.comb(n, k) for k in range(min(only_one, only_other) + 1)) / 2**n
    return only_one, only_other, min(1.0, 2 * tail)
