"""One small training loop, for every notebook that trains a model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["History", "train"]


@dataclass
class History:
    """What a training went through.

    Attributes
    ----------
    losses : list of float
        The loss of each step.
    metrics : list of (step, value)
        What ``measure`` returned, and after how many steps.
    stopped : str
        Why it ended early; empty if it did not.
    """

    losses: list[float] = field(default_factory=list)
    metrics: list[tuple[int, float]] = field(default_factory=list)
    stopped: str = ""


def train(
    model: nn.Module,
    loss_of: Callable[[nn.Module, Any], Tensor],
    batch_of: Callable[[torch.Generator], Any],
    *,
    steps: int,
    lr: float = 3e-3,
    seed: int = 0,
    measure: Callable[[nn.Module], float] | None = None,
    every: int = 100,
    watch: Callable[[int, float], None] | None = None,
) -> History:
    """Train a model by Adam, on one thread, with the gradient clipped to length 1.

    An interrupt (the stop button) ends it, and keeps what was learned. A loss that is no number
    ends it as well, before the model is spoilt.

    Parameters
    ----------
    model : nn.Module
        Changed in place.
    loss_of : callable
        ``loss_of(model, batch)``, one number.
    batch_of : callable
        ``batch_of(generator)`` draws a batch; what it draws depends on the generator only.
    steps : int
    lr : float
        The learning rate at the start; it falls to 0 along a half cosine.
    seed : int
        Of the generator. The model has its start already: seed torch before you make it.
    measure : callable, optional
        ``measure(model)``, called after every ``every`` steps and at the end, without gradients.
    watch : callable, optional
        ``watch(step, loss)`` after each step: a progress bar.

    Returns
    -------
    History
    """
    history, generator = History(), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small matrices: with a second busy process two threads only wait
    try:
        for step in range(1, steps + 1):
            model.train()
            loss = loss_of(model, batch_of(generator))
            if not math.isfinite(number := loss.item()):
                history.stopped = (
                    f"the loss of step {step} is {number}: nothing was changed by it. A smaller "
                    "learning rate may help"
                )
                break
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for group in optimiser.param_groups:
                group["lr"] = lr * (1 + math.cos(math.pi * step / steps)) / 2
            optimiser.step()
            history.losses.append(number)
            if watch:
                watch(step, number)
            if measure and (step % every == 0 or step == steps):
                history.metrics.append((step, _measured(measure, model)))
    except KeyboardInterrupt:
        history.stopped = f"interrupted after {len(history.losses)} steps; what was learned is kept"
    finally:
        torch.set_num_threads(threads)
    return history


def _measured(measure: Callable[[nn.Module], float], model: nn.Module) -> float:
    model.eval()
    with torch.no_grad():
        return float(measure(model))
