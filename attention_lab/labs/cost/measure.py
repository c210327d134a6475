"""Measuring honestly: multiply-adds counted, bytes counted, times repeated with their spread."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["Times", "crossing", "multiply_adds", "peak_bytes", "slope", "times"]

Call = Callable[[], Any]
# The processor's time of this process, where it is fine enough (not on Windows): what other
# programs take meanwhile does not count.
FINE = time.get_clock_info("process_time").resolution < 1e-5
CLOCK = time.process_time if FINE else time.perf_counter


def multiply_adds(call: Call) -> int:
    """Count the multiply-adds of the matrix products and convolutions of a call.

    PyTorch's own counter, whose FLOPs are two for each multiply-add. Softmax, sums and other work
    on single numbers are not counted, nor is what a fused kernel of the CPU does inside.

    Parameters
    ----------
    call : callable without arguments

    Returns
    -------
    int
    """
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        call()
    return counter.get_total_flops() // 2


class _Ledger(TorchDispatchMode):
    """Books each block of memory when an operation of PyTorch makes it, and when it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._known: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        for tensor in _tensors((args, kwargs)):
            self._book(tensor, is_new=False)
        self._known = {k: pair for k, pair in self._known.items() if not pair[0].expired()}
        result = function(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            self._book(tensor, is_new=True)
        self.peak = max(self.peak, sum(size for _, size in self._known.values()))
        return result

    def _book(self, tensor: Tensor, *, is_new: bool) -> None:
        """Count a block once; what was there before the call counts nothing."""
        storage = tensor.untyped_storage()
        known = StorageWeakRef(storage)
        self._known.setdefault(known.cdata, (known, storage.nbytes() if is_new else 0))


def _tensors(tree: Any) -> list[Tensor]:
    return [each for each in tree_leaves(tree) if isinstance(each, Tensor)]


def peak_bytes(call: Call) -> int:
    """Return the most bytes that the tensors of a call take together, its result included.

    Every operation of PyTorch is watched: what it makes is added, what nothing refers to any more
    is taken off. What was there before the call (the inputs) is not counted, nor what one operation
    needs inside for itself.

    Parameters
    ----------
    call : callable without arguments

    Returns
    -------
    int
    """
    ledger = _Ledger()
    with torch.no_grad(), ledger:
        result = call()
    del result
    return ledger.peak


class Times(NamedTuple):
    """The times of one call, in milliseconds, sorted."""

    all: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.all)

    @property
    def fastest(self) -> float:
        return self.all[0]

    @property
    def spread(self) -> tuple[float, float]:
        """The fastest and the slowest."""
        return self.all[0], self.all[-1]

    def __str__(self) -> str:
        low, high = self.spread
        return f"{self.median:.2f} ms ({low:.2f} to {high:.2f})"


@torch.no_grad()
def times(calls: Mapping[str, Call], *, repeats: int = 5) -> dict[str, Times]:
    """Time calls that take turns, so that a busy moment of the machine falls on all of them.

    The time is that of the processor, on one thread the same as the clock's on an idle machine.

    Parameters
    ----------
    calls : mapping of name to callable without arguments
    repeats : int
        Of each call, after one that does not count.

    Returns
    -------
    dict of name to Times
    """
    for call in calls.values():
        call()
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = CLOCK()
            call()
            found[name].append(1000 * (CLOCK() - start))
    return {name: Times(tuple(sorted(own))) for name, own in found.items()}


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the slope of the straight line through points whose axes are both logarithmic.

    1: twice the size takes twice as long; 2: four times.

    Raises
    ------
    ValueError
        Fewer than two sizes, or a number that is not positive.
    """
    if len(set(xs)) < 2 or min(*xs, *ys) <= 0:
        raise ValueError(f"a slope needs two sizes or more, all positive: {list(xs)}, {list(ys)}")
    return statistics.linear_regression([*map(math.log, xs)], [*map(math.log, ys)]).slope


def crossing(xs: Sequence[float], one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return where one curve rises above another, on logarithmic axes between the sizes measured.

    None if it does not within them; the last place if there are several.
    """
    gaps = [math.log(a / b) for a, b in zip(one, other, strict=True)]
    found = None
    for k in range(len(xs) - 1):
        if gaps[k] < 0 <= gaps[k + 1]:
            part = -gaps[k] / (gaps[k + 1] - gaps[k])
            found = xs[k] * (xs[k + 1] / xs[k]) ** part
    return found
