"""What the comparisons of notebook 16 came to: kept in ``trials.json``.

``tools/applications.py`` makes that file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import nn

from attention_lab.labs.applications import shop, stories, triptych
from attention_lab.models.kept import read_json, whole
from attention_lab.models.training import seeded, train

__all__ = [
    "LONG",
    "SEEDS",
    "STEPS",
    "TASKS",
    "TRAINED_LONG",
    "Trial",
    "best",
    "committed",
    "every",
    "key_of",
    "run_trial",
    "summary",
]

SEEDS = (0, 1, 2)
STEPS = {"stories": 800, "shop": 1000, "triptych": 1200}
LONG = 4  # times as long, for those that may only be slow
RATES = {
    "stories": (1e-3, 3e-3, 1e-2, 3e-2, 6e-2),
    "shop": (3e-3, 1e-2, 3e-2, 6e-2, 1e-1),
    "triptych": (2e-3, 5e-3, 1e-2, 2e-2),
}
TASKS = {
    "stories": ("story", "uniform", "question"),
    "shop": shop.KINDS,
    "triptych": ("attention", "uniform", "joined"),
}
TRAINED_LONG = {
    "stories": ("uniform",),
    "shop": ("sum", "softmax", "sigmoid"),
    "triptych": TASKS["triptych"],
}


class Trial(NamedTuple):
    """What came of one training.

    Attributes
    ----------
    parameters : int
    validation, test : float
        Share of right answers, or the AUC of the shop.
    more : mapping of name to float
        Other measurements, on the test.
    """

    parameters: int
    validation: float
    test: float
    more: dict[str, float]


def key_of(task: str, kind: str, lr: float, seed: int, *, long: bool = False) -> str:
    """Return the name of a trial in the file."""
    return f"{task}, {kind}, lr {lr:g}, seed {seed}{f', {LONG} times as long' if long else ''}"


def every() -> Iterator[tuple[str, str, float, int, bool]]:
    """Yield task, kind, rate, seed and length of each trial that is kept."""
    for task, kinds in TASKS.items():
        for kind, lr, seed in itertools.product(kinds, RATES[task], SEEDS):
            yield task, kind, lr, seed, False
            if kind in TRAINED_LONG[task]:
                yield task, kind, lr, seed, True


def run_trial(
    task: str, kind: str, lr: float, seed: int, *, long: bool = False, steps: int | None = None
) -> Trial:
    """Train one model, and measure it: two to six seconds on one core, or four times that."""
    make = {
        "stories": lambda: stories.Teller(over=kind),
        "shop": lambda: shop.Clicker(kind),
        "triptych": lambda: triptych.Reader(kind),
    }[task]
    loss_of, batch_of = {
        "stories": (stories.loss_of, lambda random: stories.draw(128, random)),
        "shop": (shop.loss_of, lambda random: shop.draw(256, random)),
        "triptych": (triptych.loss_of, lambda random: triptych.draw(triptych.BATCH, random)),
    }[task]
    with seeded(seed):
        model = make()
    steps = steps or STEPS[task] * (LONG if long else 1)
    name = key_of(task, kind, lr, seed, long=long)
    whole(name, lambda: train(model, loss_of, batch_of, steps=steps, lr=lr, seed=seed))
    with torch.no_grad():
        validation, test, more = MEASURES[task](model, kind)
    parameters = sum(p.numel() for p in model.parameters())
    more = {name: round(value, 4) for name, value in more.items()}
    return Trial(parameters, round(validation, 4), round(test, 4), more)


def _random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _measure_stories(model: nn.Module, kind: str) -> tuple[float, float, dict[str, float]]:
    shares = []
    for seed in (98, 99):
        drawn = [stories.draw(1000, _random(seed), n) for n in (3, 4, 5, 6)]
        shares.append(sum(stories.right_share(model(each), each) for each in drawn) / 4)
    more = {}
    for n in (6, 16, 32):
        long = stories.draw(1000, _random(99), n)
        more[f"right of {n}"] = stories.right_share(model(long), long)
        if kind == "story":
            weight = model.look(long).weights[:, 0].gather(1, long.at[:, None])
            more[f"weight of {n}"] = weight.mean().item()
    return *shares, more


def _measure_shop(model: nn.Module, kind: str) -> tuple[float, float, dict[str, float]]:
    validation, test = (shop.draw(8000, _random(seed)) for seed in (98, 99))
    sums = model.weights(test).sum(-1)
    more = {f"sum at {c}": sums[test.count == c].mean().item() for c in range(shop.MOST + 1)}
    return (*(shop.auc(model(each), each.clicked) for each in (validation, test)), more)


def _measure_triptych(model: nn.Module, kind: str) -> tuple[float, float, dict[str, float]]:
    validation, test = (
        triptych.draw(2000, _random(seed), part)
        for seed, part in ((98, "validation"), (99, "test"))
    )
    said = [triptych.accuracy(model(*each[::2]), each) for each in (validation, test)]
    right = model(test.images, test.question).argmax(-1) == triptych.answers(test)
    more = {
        name: right[test.question == q].double().mean().item()
        for q, name in enumerate(triptych.QUESTIONS)
    }
    if kind == "attention":
        more |= triptych.controls(model, test)
    return *said, more


MEASURES = {"stories": _measure_stories, "shop": _measure_shop, "triptych": _measure_triptych}


@cache
def committed() -> dict[str, Trial]:
    """Return the kept trials by `key_of`."""
    return {key: Trial(*row) for key, row in read_json(__package__, "trials.json").items()}


def best(task: str, kind: str, *, long: bool = False) -> tuple[float, list[Trial]]:
    """Return the rate with the best mean on validation, and the trials of all seeds with it."""
    kept = committed()
    runs: Mapping[float, Sequence[Trial]] = {
        lr: [kept[key_of(task, kind, lr, seed, long=long)] for seed in SEEDS] for lr in RATES[task]
    }
    lr = max(runs, key=lambda lr: sum(run.validation for run in runs[lr]))
    return lr, list(runs[lr])


def summary(task: str, kind: str, name: str = "", *, long: bool = False) -> tuple[float, float]:
    """Return mean and standard error over the seeds: of the test, or of another measurement."""
    _, runs = best(task, kind, long=long)
    values = torch.tensor([run.more[name] if name else run.test for run in runs])
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()
