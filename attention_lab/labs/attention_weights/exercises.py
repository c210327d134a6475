"""Notebook 01: attention weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.calls import written_out
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import same
from attention_lab.grading.feedback import Problem, run

__all__ = [
    "READINGS",
    "break_a_softmax",
    "choose_query",
    "cosine_scores",
    "log_sum_exp",
    "softmax_readings",
]


def hasty_softmax(scores: Tensor) -> Tensor:
    """The softmax of exercise 1.1, which subtracts one number from all rows."""
    powers = (scores - scores.max()).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


@exercise
def break_a_softmax(answer: Any) -> str:
    """Finite scores for which `hasty_softmax` gives nan."""
    scores = numbers(answer, "write the scores as a matrix, such as [[1.0, 2.0], [3.0, 4.0]]")
    if scores.ndim != 2 or len(scores) < 2 or scores.shape[1] < 1:
        raise Problem(
            f"a matrix of at least two rows is wanted, and this has shape {tuple(scores.shape)}"
        )
    scores = scores.float()
    if not scores.isfinite().all():
        raise Problem("a float32 cannot hold one of these numbers: all scores must be finite")
    came, right = hasty_softmax(scores), scores.softmax(dim=-1)
    broken = came.isnan().any(dim=-1)
    if broken.any():
        row = int(broken.nonzero()[0])
        return (
            f"Row {row} lies so far below the largest score, {scores.max():g}, that all its "
            "exponentials are 0, and 0 / 0 is nan. Each row needs its own largest score."
        )
    if not same(came, right):
        off = float((came - right).abs().max())
        raise Problem(
            f"close: no nan, but the weights are wrong by {off:.2g}, since the exponentials of a "
            "row are too small for all their digits. Put that row a little further from the others"
        )
    smallest = hasty_sums(scores).min()
    raise Problem(
        "for these scores it is right. The row with the smallest sum of exponentials still has "
        f"{smallest:.2g}, which is not 0"
    )


def hasty_sums(scores: Tensor) -> Tensor:
    """What `hasty_softmax` divides each row by."""
    return (scores - scores.max()).exp().sum(dim=-1)


def _score_cases() -> list[dict[str, Tensor]]:
    """Scores of other sizes, signs, gaps and numbers of axes; a row may be far from the others."""
    double = torch.float64
    rows = [
        torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, -1.0]], dtype=double),
        normal(3, 5, seed=1),
        normal(4, seed=2) - 3,
        normal(2, 3, 4, seed=3) - 7,
        normal(2, 3, 2, 6, seed=4).float(),
        torch.tensor([1000.0, 1001.0]),
        torch.tensor([1000.0, 0.0]),
        torch.tensor([-1000.0, -1001.0, -1002.0]),
        torch.tensor([[-3000.0, 0.0, 3000.0], [2.0, 1.0, 0.0]], dtype=double),
        torch.tensor([[[0.0, 1.0]], [[1000.0, 1001.0]], [[-1000.0, -1001.0]]]),
        torch.tensor([-math.inf, 0.0]),
        torch.tensor([[-1000.0, -math.inf, -1001.0], [5.0, -math.inf, -math.inf]]),
        torch.tensor([-20.0, 0.0, -math.inf], dtype=double),
    ]
    return [{"scores": each} for each in rows]


@exercise
def log_sum_exp(answer: Callable[[Tensor], Tensor]) -> str:
    """The logarithm of the sum of exponentials, for any finite scores and -inf."""
    cases = _score_cases()
    # first on small scores: what a formula gives there is told apart from how it overflows
    judge(
        answer,
        cases[:5],
        lambda scores: scores.logsumexp(dim=-1),
        "the logarithms",
        {
            "this is the logarithm after the largest score was subtracted: that score has to be "
            "added again, since the sum, unlike a weight, is moved by it": lambda scores: (
                (scores - scores.amax(dim=-1, keepdim=True)).exp().sum(dim=-1).log()
            ),
            "this is the sum of the exponentials; take its logarithm": lambda scores: (
                scores.exp().sum(dim=-1)
            ),
            "these are the logarithms of the weights; what is wanted is one number for each row, "
            "the logarithm of the sum": lambda scores: scores.log_softmax(dim=-1),
            "these are the weights; what is wanted is one number for each row": lambda scores: (
                scores.softmax(dim=-1)
            ),
            "the axis of the keys is still there, with length 1. One number for each row: leave "
            "keepdim out of the last sum, or squeeze(-1)": lambda scores: scores.logsumexp(
                dim=-1, keepdim=True
            ),
            "the sum runs over the first axis (dim=0); the keys of a query lie along the last, "
            "dim=-1": lambda scores: scores.logsumexp(dim=0),
            "the sum runs over all scores together; each row has its own": lambda scores: (
                scores.exp().sum().log()
            ),
            "this is each row's largest score alone; the other keys are missing": lambda scores: (
                scores.amax(dim=-1)
            ),
            "this is the sum of the scores: the logarithm was taken of each exponential, and not "
            "of their sum": lambda scores: scores.sum(dim=-1),
        },
    )
    naive = run(answer, {"scores": torch.tensor([1000.0, 1001.0])}, ())
    low = run(answer, {"scores": torch.tensor([-1000.0, -1001.0])}, ())
    if naive == math.inf and low == -math.inf:
        raise Problem(
            "right for small scores. But [1000., 1001.] gives inf, and [-1000., -1001.] gives "
            "-inf: the exponentials are too large or too small for the computer. Subtract the "
            "largest score of each row first, and add it to the logarithm"
        )
    judge(answer, cases, lambda scores: scores.logsumexp(dim=-1), "the logarithms")
    written_out(answer, cases[1], "build it from amax, exp, sum and log")
    return (
        "[1000, 1001] gives 1001.313 and [-1000, -1001] gives -999.687: no exponential larger "
        "than 1 was needed."
    )


def _along(x: Tensor, axis: int) -> Tensor:
    """Divide by the lengths of the vectors along an axis."""
    return x / x.norm(dim=axis, keepdim=True)


def _cosines(query: Tensor, key: Tensor) -> Tensor:
    return _along(query, -1) @ _along(key, -1).mT


@exercise
def cosine_scores(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """The cosine of the angle between each query and each key."""
    sizes = (((), 2, 3, 5), ((), 4, 2, 7), ((), 1, 6, 3), ((), 3, 3, 2), ((7,), 4, 3, 6),
             ((2, 3), 5, 4, 2), ((2, 1, 4), 3, 2, 8))  # fmt: skip
    cases = [
        {"query": 3 * normal(*lead, n_q, d, seed=n_q), "key": normal(*lead, n_k, d, seed=9 + n_k)}
        for lead, n_q, n_k, d in sizes
    ]
    cases[1:3] = [{name: each.float() for name, each in case.items()} for case in cases[1:3]]
    judge(
        answer,
        cases,
        _cosines,
        "the cosines",
        {
            "these are the dot products: no length was divided out": lambda q, k: q @ k.mT,
            "these are the scaled dot products; √d_k is one number for all, and each query and "
            "each key has its own length": lambda q, k: q @ k.mT / math.sqrt(k.shape[-1]),
            "the lengths of the keys are divided out, and those of the queries are not": (
                lambda q, k: q @ _along(k, -1).mT
            ),
            "the lengths of the queries are divided out, and those of the keys are not": (
                lambda q, k: _along(q, -1) @ k.mT
            ),
            "the squares of the lengths were taken: divide by the root of the sum of the squares": (
                lambda q, k: (
                    q @ k.mT / (q.square().sum(-1)[..., None] * k.square().sum(-1)[..., None, :])
                )
            ),
            "the lengths were taken along the axis of the queries and keys (-2); a vector lies "
            "along the last axis (dim=-1)": lambda q, k: _along(q, -2) @ _along(k, -2).mT,
            "one length was taken of each whole matrix; every query and every key has its own "
            "(norm(dim=-1, keepdim=True))": lambda q, k: q @ k.mT / (q.norm() * k.norm()),
            "a row must belong to a query: this is turned round": lambda q, k: _cosines(k, q),
        },
    )
    return "All scores lie between -1 and 1, and a longer key gets no more than a short one."


KEYS = torch.tensor([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]], dtype=torch.float64)


@exercise
def choose_query(answer: Any) -> str:
    """A query that gives key 1 a weight of at least 0.9."""
    query = numbers(answer, "write the query as two numbers, such as [0.5, 1.0]").reshape(-1)
    if len(query) != 2:
        raise Problem(f"the keys have 2 features, so the query needs 2, but it has {len(query)}")
    if query.abs().max() > 1e6:
        raise Problem("numbers up to a million are more than enough")
    scores = KEYS @ query
    weights = scores.softmax(dim=-1)
    shown = ", ".join(f"{w:.3f}" for w in weights.tolist())
    rivals = [j for j in (0, 2) if weights[j] >= weights[1] - 1e-9]
    if rivals:
        raise Problem(
            f"the weights are [{shown}]: key {rivals[0]} has as much as key 1, or more. Key 1 "
            "points along the second feature"
        )
    if weights[1] < 0.9:
        raise Problem(
            f"the weights are [{shown}]: the direction is good, but 0.9 needs larger gaps "
            "between the scores. A longer query makes them"
        )
    return f"The weights are [{shown}]."


READINGS = {
    "A": "x.exp() / x.exp().sum()",
    "B": "x.exp() / x.exp().sum(dim=0)",
    "C": "torch.stack([row.exp() / row.exp().sum() for row in x])",
    "D": "(x - x.max()).exp() / (x - x.max()).exp().sum(dim=-1, keepdim=True)",
    "E": "x.exp() / x.exp().mean(dim=-1, keepdim=True)",
    "F": "(x.T.exp() / x.exp().sum(dim=-1)).T",
}


@exercise
def softmax_readings(answer: Any) -> str:
    """The letters of the lines of code that give each query its weights."""
    judge_statements(
        answer,
        {
            "A": (False, "A makes all the numbers together sum to 1: right for one query alone"),
            "B": (False, "B makes the columns sum to 1, not the rows"),
            "C": (True, "C reads the formula as lists, one query at a time"),
            "D": (True, "D moves all scores by one number, which moves no weight"),
            "E": (False, "E divides by the mean of a row, so that the row sums to 3"),
            "F": (
                True,
                "F turns the queries into columns, divides each by its sum, and turns back",
            ),
        },
    )
    return (
        "C reads the formula as lists, one query at a time; D moves all scores by one number, "
        "which moves no weight; F does with columns of the turned matrix what belongs to rows."
    )
