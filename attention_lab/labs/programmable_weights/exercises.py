"""Notebook 11: weights that run algorithms."""

from __future__ import annotations

import functools
import inspect
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, shown
from attention_lab.grading.compare import same
from attention_lab.grading.feedback import Problem, name_of, run
from attention_lab.labs.programmable_weights.programs import PLUS
from attention_lab.labs.programmable_weights.rasp import compiled

__all__ = [
    "carry_column",
    "last_induction",
    "least_frequent",
    "right_align",
    "sharp_enough",
    "two_number_adder",
]

BETA = 20.0
Row = list[int]
TORCH = os.path.dirname(torch.__file__)
# what looks at more than one token
MIXES = {
    "sum", "mean", "prod", "max", "min", "amax", "amin", "argmax", "argmin", "sort", "argsort",
    "topk", "cumsum", "cumprod", "cummax", "cummin", "flip", "roll", "unique", "bincount",
    "histc", "any", "all", "matmul", "__matmul__", "__rmatmul__", "mm", "mv", "dot", "einsum",
    "gather", "index_select", "take", "searchsorted", "median", "mode", "count_nonzero",
    "nonzero", "outer", "tolist", "item", "softmax", "__getitem__", "__iter__", "unbind", "diff",
    "std", "var", "logsumexp",
}  # fmt: skip


class _MapsOnly(TorchFunctionMode):
    """Note what an answer itself, outside of a head, does with more than one token."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        super().__init__()
        code = getattr(inspect.unwrap(answer), "__code__", None)
        self.file = getattr(code, "co_filename", None)
        self.found: list[str] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        frame, name = sys._getframe(1), getattr(function, "__name__", "")
        while frame and frame.f_code.co_filename.startswith(TORCH):
            frame = frame.f_back
        of_two = name in ("max", "min") and len(args) == 2 and isinstance(args[1], Tensor)
        if frame and frame.f_code.co_filename == self.file and name in MIXES and not of_two:
            self.found.append(name.strip("_"))
        return function(*args, **(kwargs or {}))


def _program(
    answer: Callable[..., Any],
    rows: Sequence[Row],
    right: Callable[[Row], Row],
    heads: int,
    mistakes: Mapping[str, Callable[[Row], Row]],
) -> None:
    """Hold a program to being right, on True and False and compiled, with so many heads at most.

    Parameters
    ----------
    answer : callable
        Takes tokens (n), and returns numbers (n).
    rows : sequence of tokens
    right : callable
        What it should return, in plain Python.
    heads : int
    mistakes : mapping of message to callable
    """

    def as_tensors(plain: Callable[[Row], Row]) -> Callable[[Tensor], Tensor]:
        return lambda tokens: torch.tensor(plain(tokens.tolist())).double()

    @functools.wraps(answer)
    def numbers(tokens: Tensor) -> Any:
        made = answer(tokens)
        return made.double() if isinstance(made, Tensor) else made

    cases = [{"tokens": torch.tensor(row)} for row in rows]
    judge(
        numbers,
        cases,
        as_tensors(right),
        "the result",
        {message: as_tensors(mistake) for message, mistake in mistakes.items()},
    )
    for case in cases:
        _through_weights(numbers, case, as_tensors(right)(case["tokens"]), heads)


def _through_weights(
    answer: Callable[..., Any], case: dict[str, Tensor], wanted: Tensor, most: int
) -> None:
    """Run one case compiled: enough heads, not too many, and the same result when rounded."""
    with compiled(BETA) as used, _MapsOnly(answer) as maps:
        try:
            came = run(answer, case)
        except Problem as problem:
            raise Problem(
                f"right on True and False, but through attention weights: {problem}"
            ) from (None)
    if not used:
        raise Problem(
            f"the numbers are right, but {name_of(answer)} used no head: let select with "
            "aggregate or width look at the other tokens"
        )
    if maps.found:
        raise Problem(
            f"the numbers are right, but {name_of(answer)} looks at several tokens outside of a "
            f"head, by {maps.found[0]}: only select, aggregate and width may do that"
        )
    if len(used) > most:
        raise Problem(f"the numbers are right, with {len(used)} heads; {most} are enough")
    if came.shape != wanted.shape or not same(came.double().round(), wanted):
        raise Problem(
            f"right on True and False, but through attention weights at β = {BETA:g} and rounded "
            f"{shown(case['tokens'])} gives {shown(came.double().round())} instead of "
            f"{shown(wanted)}: round what a head has computed before you compare it (.round())"
        )


@exercise
def sharp_enough(answer: Callable[..., Any]) -> str:
    """``beta_for(n, stray)``: the smallest β at which so little goes astray."""

    @functools.wraps(answer)
    def number(n: int, stray: float) -> Any:
        made = answer(n, stray)
        if isinstance(made, (int, float)) and not isinstance(made, bool):
            return torch.tensor(float(made), dtype=torch.float64)
        return made.double() if isinstance(made, Tensor) else made

    def others_have(beta: Tensor, n: int, stray: float) -> str:
        return f"at that β the others have {(n - 1) / (beta.exp().item() + n - 1):.3g}"

    def right(n: int, stray: float) -> Tensor:
        return torch.tensor(math.log((n - 1) * (1 - stray) / stray), dtype=torch.float64)

    def wrong(formula: Callable[[int, float], float]) -> Callable[..., Tensor]:
        return lambda n, stray: torch.tensor(formula(n, stray), dtype=torch.float64)

    cases = [
        {"n": n, "stray": stray}
        for n, stray in ((8, 0.05), (2, 0.5), (16, 0.001), (1000, 0.25), (5, 0.9))
    ]
    judge(
        number,
        cases,
        right,
        "β",
        {
            "this lets the selected key have only that much; the stray weight is what the n − 1 "
            "others have together": wrong(
                lambda n, stray: -right(n, stray).item() + 2 * math.log(n - 1)
            ),
            "n keys go astray here; the selected one is not among them, so n − 1 do": wrong(
                lambda n, stray: math.log(n * (1 - stray) / stray)
            ),
            "the e^β of the selected key is missing below the fraction: stray = (n − 1) / (e^β + n "
            "− 1)": wrong(lambda n, stray: math.log((n - 1) / stray)),
            "this is e^β; take its logarithm": wrong(
                lambda n, stray: (n - 1) * (1 - stray) / stray
            ),
            "this is for one other key; there are n − 1": wrong(
                lambda n, stray: math.log((1 - stray) / stray)
            ),
        },
        fact=others_have,
    )
    return "e^β = (n − 1)(1 − stray) / stray: it grows with n, so β grows with ln n."


@exercise
def right_align(answer: Callable[..., Any]) -> str:
    """``right_align(tokens)``: digits and then blanks (10); the digits at the right end."""

    def digits(row: Row) -> Row:
        return [token for token in row if token != PLUS]

    def right(row: Row) -> Row:
        return [0] * (len(row) - len(digits(row))) + digits(row)

    def left(row: Row) -> Row:
        return digits(row) + [0] * (len(row) - len(digits(row)))

    def round_about(row: Row) -> Row:
        blanks = len(row) - len(digits(row))
        return [row[(i - blanks) % len(row)] for i in range(len(row))]

    def too_far(row: Row) -> Row:
        blanks = len(row) - len(digits(row)) + 1
        return [row[i - blanks] if i >= blanks else 0 for i in range(len(row))]

    def by_one(row: Row) -> Row:
        return [0, *row[:-1]]

    rows = [
        [4, 7, 10, 10, 10], [3, 8, 5, 10], [1, 0, 0, 10, 10], [9, 9, 9], [5, 10, 10, 10, 10, 10],
        [0], [6, 2, *[10] * 18], [10, 10], [*range(1, 10), 10, 10], [7, 10],
    ]  # fmt: skip
    _program(
        answer,
        rows,
        right,
        2,
        {
            "the digits stay at the left; each must move right by the number of blanks": left,
            "blanks come round to the left end; where no digit comes, there must be 0": (
                round_about
            ),
            "each digit moves one position too far": too_far,
            "each digit moves by one; how far it must move is the number of blanks, which a head "
            "counts": by_one,
            "the blanks are still there": list,
        },
    )
    return (
        "One head counts the blanks, one fetches from so far back. The empty rows gave the zeros."
    )


@exercise
def least_frequent(answer: Callable[..., Any]) -> str:
    """``least_frequent(tokens)``: the rarest token, of several the one that stands last."""

    def everywhere(choose: Callable[[Row], int]) -> Callable[[Row], Row]:
        return lambda row: [choose(row)] * len(row)

    def last(row: Row) -> int:
        counts = Counter(row)
        return next(t for t in reversed(row) if counts[t] == min(counts.values()))

    def first(row: Row) -> int:
        counts = Counter(row)
        return next(t for t in row if counts[t] == min(counts.values()))

    def most(row: Row) -> int:
        counts = Counter(row)
        return next(t for t in reversed(row) if counts[t] == max(counts.values()))

    def mean(row: Row) -> float:
        counts = Counter(row)
        rare = [t for t in row if counts[t] == min(counts.values())]
        return sum(rare) / len(rare)

    rows = [
        [3, 1, 3, 2, 1], [5, 5, 7], [2, 4], [9, 9, 1, 1, 1], [8], [0, 6, 0, 6, 6, 0, 2, 7],
        [7, 2, 7, 2, 3, 3, 1, 1, 1], [4, 4, 4], [1, 0, 2, 0, 3, 0, 4, 0, 5, 5, 6, 6, 6, 1],
    ]  # fmt: skip
    _program(
        answer,
        rows,
        everywhere(last),
        4,
        {
            "of several equally rare ones this takes the first; the last is asked for": everywhere(
                first
            ),
            "of several equally rare ones this takes the mean, which is none of them: select only "
            "the last": everywhere(mean),
            "this is the most frequent token": everywhere(most),
            "each position has its own count; the token is asked for": lambda row: [
                row.count(t) for t in row
            ],
        },
    )
    return "A rank that is 0 once only: how many are rarer, and how many as rare stand later."


def _carries(row: Row, nines: bool = True) -> Row:
    carry, found = 0, []
    for total in reversed(row):
        found.append(carry)
        carry = int(total + carry * nines > 9)
    return found[::-1]


@exercise
def carry_column(answer: Callable[..., Any]) -> str:
    """``carries(sums)``: what comes into each column of an addition from the right."""

    def out_of(row: Row) -> Row:
        return [int(total + carry > 9) for total, carry in zip(row, _carries(row), strict=True)]

    def from_the_left(row: Row) -> Row:
        return _carries(row[::-1])[::-1]

    def anywhere(row: Row) -> Row:
        return [int(any(total > 9 for total in row[i + 1 :])) for i in range(len(row))]

    rows = [
        [1, 12, 3], [0, 9, 14], [9, 9, 9, 10], [0, 9, 9, 8], [18], [5, 4, 17, 9, 0, 9, 11],
        [0, 10, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 13], [9, 9], [12, 3, 9, 15, 9, 9, 2, 18, 1],
        [0, 3, 3, 16, 8],
    ]  # fmt: skip
    _program(
        answer,
        rows,
        _carries,
        2,
        {
            "a column of 9 passes on what comes to it (9 + 1 = 10): here a carry dies there": (
                lambda row: _carries(row, nines=False)
            ),
            "this is the carry out of each column; the one that comes into it is asked for": out_of,
            "the carry comes from the left; the last column is the smallest one, so look to the "
            "right": from_the_left,
            "not every column on the right decides, only the nearest one that is not 9": anywhere,
        },
    )
    return "The nearest column on the right that is not 9 decides. Two heads, however many nines."


def _sum_of(row: Row, *, carry: bool = True) -> Row:
    plus = row.index(PLUS)
    one, other = row[:plus], row[plus + 1 :]
    n = len(row)
    one, other = ([0] * (n - len(each)) + each for each in (one, other))
    sums = [a + b for a, b in zip(one, other, strict=True)]
    comes = _carries(sums) if carry else [0] * n
    return [(total + c) % 10 for total, c in zip(sums, comes, strict=True)]


@exercise
def two_number_adder(answer: Callable[..., Any]) -> str:
    """``add(tokens)``: the digits of a sum, at the right end; at most five heads."""

    def left_aligned(row: Row) -> Row:
        plus = row.index(PLUS)
        wide = len(row)
        one, other = row[:plus], row[plus + 1 :]
        one, other = (each + [0] * (max(len(one), len(other)) - len(each)) for each in (one, other))
        sums = [a + b for a, b in zip(one, other, strict=True)]
        sums = [0] * (wide - len(sums)) + sums
        return [(s + c) % 10 for s, c in zip(sums, _carries(sums), strict=True)]

    rows = [
        [*map(int, one), PLUS, *map(int, other)]
        for one, other in (
            ("47", "385"), ("5", "7"), ("12", "30"), ("385", "47"), ("0", "0"), ("1", "9999"),
            ("99999", "1"), ("4", "995"), ("123456789", "987654321"), ("60", "4"),
            ("305", "1208406"),
        )
    ]  # fmt: skip
    _program(
        answer,
        rows,
        _sum_of,
        5,
        {
            "the columns are right, the carries are missing: 7 + 5 gives 2 and 1 for the next "
            "column": lambda row: _sum_of(row, carry=False),
            "the numbers are added from their left ends; their right ends belong together": (
                left_aligned
            ),
            "this is only the first number, moved to the right end": lambda row: [
                *[0] * (len(row) - row.index(PLUS)),
                *row[: row.index(PLUS)],
            ],
        },
    )
    return "Your adder adds numbers of any length, by attention weights that nobody trained."


def _last_next(row: Row) -> Row:
    return [
        next((row[j + 1] for j in range(i - 1, -1, -1) if row[j] == row[i]), -1)
        for i in range(len(row))
    ]


@exercise
def last_induction(answer: Callable[..., Any]) -> str:
    """``induction(tokens)``: what came after this token the last time before; else -1."""

    def after(row: Row, i: int) -> Row:
        return [row[j + 1] for j in range(i) if row[j] == row[i]]

    def first(row: Row) -> Row:
        return [(after(row, i) or [-1])[0] for i in range(len(row))]

    def mean(row: Row) -> list[float]:
        return [sum(a) / len(a) if (a := after(row, i)) else -1.0 for i in range(len(row))]

    def before(row: Row) -> Row:
        return [
            next((row[j - 1] for j in range(i - 1, 0, -1) if row[j] == row[i]), -1)
            for i in range(len(row))
        ]

    def zeros(row: Row) -> Row:
        return [max(token, 0) for token in _last_next(row)]

    rows = [
        [1, 5, 1, 7, 1], [2, 3, 4, 2, 3, 4], [6, 6, 6, 6], [9], [1, 2, 3], [4, 8, 4, 2, 4, 8, 4, 1],
        [7, 1, 2, 7, 3, 7, 5, 2, 7, 1, 7], [5, 3, 5, 3, 5, 9, 3, 5],
    ]  # fmt: skip
    _program(
        answer,
        rows,
        _last_next,
        4,
        {
            "this takes what came after the first time; the last time before is asked for": first,
            "this takes the mean of all that came after, which is none of them": mean,
            "this is what came before it; what came after it is asked for": before,
            "where a token is new the result must be -1: give aggregate default=-1": zeros,
        },
    )
    return (
        "Each key must know two things of the token before it: which it was, and which time it "
        "was there."
    )
