"""One small training loop, for every notebook that trains a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from attention_lab.models.evaluation import evaluation

__all__ = ["History", "Interrupted", "NotTrained", "Trained", "seeded", "train"]


@dataclass
class History:
    """What a training went through.

    Attributes
    ----------
    losses : list of float
        The loss of each step.
    metrics : list of (step, value)
        After how many steps ``measure`` was called, and what it returned: a number, or weights.
    stopped : str
        Why it ended early; empty if it did not.
    """

    losses: list[float] = field(default_factory=list)
    metrics: list[tuple[int, Any]] = field(default_factory=list)
    stopped: str = ""


class Interrupted(KeyboardInterrupt):
    """A training was stopped by hand; what the model had learned is kept.

    In a notebook it ends the cell with one line, and Run All with it: no later cell draws from
    half a training.

    Attributes
    ----------
    history : History
        Up to the stop.
    """

    def __init__(self, history: History) -> None:
        super().__init__(history.stopped)
        self.history = history

    def _render_traceback_(self) -> list[str]:  # what IPython shows
        return [str(self)]


class NotTrained(KeyError):
    """What is asked for comes from a training that did not end; shown as one line."""

    def __str__(self) -> str:
        return str(self.args[0])

    def _render_traceback_(self) -> list[str]:  # what IPython shows
        return [str(self)]


class Trained(dict):
    """What came of trainings, by name; it says so where one is missing.

    Examples
    --------
    >>> models = Trained(dot="a model")
    >>> models["dot"]
    'a model'
    >>> models["none"]
    Traceback (most recent call last):
    ...
    attention_lab.models.training.NotTrained: nothing came of ...
    """

    def __missing__(self, name: object) -> Any:
        raise NotTrained(
            f"nothing came of the training of {name!r}: run its cell again, to the end"
        )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch draw from a seed, and leave its random state as it was.

    Parameters
    ----------
    seed : int

    Examples
    --------
    >>> with seeded(0):
    ...     first = nn.Linear(2, 2)
    >>> with seeded(0):
    ...     torch.equal(nn.Linear(2, 2).weight, first.weight)
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def train(
    model: nn.Module,
    loss_of: Callable[[nn.Module, Any], Tensor],
    batch_of: Callable[[torch.Generator], Any],
    *,
    steps: int,
    lr: float = 3e-3,
    warm_up: float = 0.0,
    seed: int = 0,
    measure: Callable[[nn.Module], Any] | None = None,
    every: int = 100,
    watch: Callable[[int, float], None] | None = None,
) -> History:
    """Train a model by Adam, on one thread, with the gradient clipped to length 1.

    The learning rate falls along half a cosine: step i of n is made with
    ``lr * (1 + cos(pi * i / n)) / 2``, so the first is a little below ``lr``, and the last, at 0,
    changes nothing. After it the model is in evaluation mode.

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
        The largest learning rate, which the first step nearly has.
    warm_up : float
        Share of the steps in which the rate rises from 0 to ``lr``, in equal parts, before it
        falls along the half cosine.
    seed : int
        Of the generator. The model has its start already: seed torch before you make it.
    measure : callable, optional
        ``measure(model)``, called before the first step, after every ``every`` steps and at the
        end, without gradients and in evaluation mode.
    watch : callable, optional
        ``watch(step, loss)`` after each step: a progress bar.

    Returns
    -------
    History
        A loss or a gradient that is not finite ends the training before that step changes
        anything; ``stopped`` says what it was.

    Raises
    ------
    Interrupted
        It was stopped by hand (the stop button). What was learned is kept.
    """
    history, generator = History(), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small matrices: with a second busy process two threads only wait

    def look(step: int) -> None:
        if measure and (step % every == 0 or step == steps):
            with evaluation(model), torch.no_grad():
                history.metrics.append((step, measure(model)))

    try:
        look(0)
        for step in range(1, steps + 1):
            optimiser.param_groups[0]["lr"] = lr * _share_of_rate(step, steps, warm_up)
            batch = batch_of(generator)
            loss, wrong = _step(model, optimiser, loss_of, batch)
            if wrong:
                history.stopped = f"step {step} was not made, and changed nothing: {wrong}"
                break
            history.losses.append(loss)
            if watch:
                watch(step, loss)
            look(step)
    except KeyboardInterrupt:
        history.stopped = (
            f"stopped after {len(history.losses)} of {steps} steps; what was learned is kept"
        )
        raise Interrupted(history) from None
    finally:
        torch.set_num_threads(threads)
        model.eval()
    return history


def _share_of_rate(step: int, steps: int, warm_up: float) -> float:
    """Return which share of the largest rate a step is made with."""
    rising = warm_up * steps
    if step < rising:
        return step / rising
    return (1 + math.cos(math.pi * (step - rising) / (steps - rising))) / 2


def _step(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    loss_of: Callable[[nn.Module, Any], Tensor],
    batch: Any,
) -> tuple[float, str]:
    """Make one step, and return its loss; or make none, and say what is not finite."""
    model.train()
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    loss = loss_of(model, batch)
    wrong = "" if math.isfinite(number := loss.item()) else f"its loss is {number}"
    if not wrong:
        optimiser.zero_grad()
        loss.backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        # before it is clipped: that would spread one nan to every parameter
        if norm.isfinite():
            nn.utils.clip_grads_with_norm_(model.parameters(), 1.0, norm)
            optimiser.step()
        else:
            wrong = _not_finite(model)
    if wrong:
        optimiser.zero_grad()
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
    return number, wrong


def _not_finite(model: nn.Module) -> str:
    """Name the first parameter whose gradient is not finite."""
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            what = "nan" if parameter.grad.isnan().any() else "inf"
            return f"the loss is finite, and the gradient of {name} holds {what}"
    return "the loss is finite, and the gradient is too long for its dtype"
