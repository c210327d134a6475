"""Notebook 04: scale and temperature."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.normalisers import entropy, sparsemax
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.calls import written_out
from attention_lab.grading.cases import judge, normal, shown
from attention_lab.grading.feedback import Problem, name_of, returned, run

__all__ = [
    "sparsemax_jacobian",
    "temperature_for",
    "tempered_softmax",
    "variance_of_scores",
    "zero_gradients",
]


def _number(answer: Callable[..., Any], inputs: dict[str, Any]) -> float:
    """Call an answer that must return one number."""
    result = returned(answer, inputs)
    read = numbers(result, f"{name_of(answer)} must return one number")
    if read.numel() != 1:
        raise Problem(f"{name_of(answer)} must return one number, and it returned {read.numel()}")
    return read.item()


Variance = Callable[[int, float], float]


def _within(d: int, mu: float) -> float:
    return d * (1 + mu**2)


def _overall(d: int, mu: float) -> float:
    return d * (1 + 2 * mu**2)


def _known_mistakes(right: Variance, own: dict[str, Variance]) -> dict[str, Variance]:
    return {
        "the mean does not come in: with mu = 0 this is right, and only there": lambda d, mu: d,
        "this is the sum of the E[(q_c k_c)²]; from each the square of its mean, mu⁴, still has "
        "to be taken away": lambda d, mu: d * (1 + mu**2) ** 2,
        **own,
        "this is the standard deviation; the variance is its square": (
            lambda d, mu: math.sqrt(right(d, mu))
        ),
        "this is for one feature; there are d_k of them": lambda d, mu: right(1, mu),
        "variances of independent terms add up: d_k of them give d_k times one, not d_k²": (
            lambda d, mu: d * right(d, mu)
        ),
    }


# what is asked for, its formula, and the mistakes that are told apart
VARIANCES: tuple[tuple[str, Variance, dict[str, Variance]], ...] = (
    (
        "within a row",
        _within,
        _known_mistakes(
            _within,
            {
                "this is the variance over all pairs. Within a row q is fixed, and only k is "
                "random: the variance of q_c k_c is then q_c²": _overall,
                "this is how much the means of the rows differ": lambda d, mu: d * mu**2,
            },
        ),
    ),
    (
        "over all pairs",
        _overall,
        _known_mistakes(
            _overall,
            {
                "this is the variance within a row. Over all pairs both factors are random: write "
                "(q_c k_c) out": _within
            },
        ),
    ),
)


@exercise
def variance_of_scores(answer: Callable[..., Any]) -> str:
    """``variances(d_k, mu)``: within a row, and over all pairs, for features with mean mu."""
    cases = ((64, 0.5), (64, 0.0), (64, 1.0), (7, 0.5), (16, -2.0), (1, 3.0), (1000, 0.1))
    came = []
    for d_k, mu in cases:
        result = returned(answer, {"d_k": d_k, "mu": mu})
        wanted = f"{name_of(answer)} must return two numbers: within a row, and over all pairs"
        read = numbers(result, wanted).flatten()
        if read.numel() != 2:
            raise Problem(f"{wanted}; it returned {read.numel()}")
        came.append(read.tolist())

    def is_(which: int, formula: Variance) -> bool:
        return all(
            math.isclose(pair[which], formula(*case), rel_tol=1e-6)
            for pair, case in zip(came, cases, strict=True)
        )

    if is_(0, _overall) and is_(1, _within):
        raise Problem("both are right, and in the wrong order: within a row first")
    for which, (what, right, mistakes) in enumerate(VARIANCES):
        if is_(which, right):
            continue
        for message, formula in mistakes.items():
            if is_(which, formula):
                raise Problem(f"{what}: {message}")
        pair, (d_k, mu) = next(
            (pair, case)
            for pair, case in zip(came, cases, strict=True)
            if not math.isclose(pair[which], right(*case), rel_tol=1e-6)
        )
        raise Problem(
            f"{what}: d_k = {d_k}, mu = {mu:g} gives {pair[which]:.8g} instead of "
            f"{right(d_k, mu):.8g}"
        )
    return (
        "Within a row one query is fixed, and its length squared is d_k (1 + mu²) on average. "
        "The means of the rows differ as well, by d_k mu²; softmax does not see that."
    )


@exercise
def temperature_for(answer: Callable[..., Any]) -> str:
    """``temperature(scores, target)``: where softmax(scores / T) has the entropy ``target``."""
    cases = [
        ([1.0, 2.0, 3.0], 1.0),
        ([1.0, 2.0, 3.0], 0.4411),
        ([0.0, 5.0, 5.1, -3.0], 1.2),
        ([1.0, 2.0, 3.0], 0.05),  # a small T
        ([-7.0, -7.5, -9.0, -8.0, -7.1], 1.5),
        ([1000.0, 2000.0, 3000.0], 1.0),  # a large T
        ([0.001, 0.002, 0.003], 0.5),  # and a tiny one
    ]
    for row, target in cases:
        scores = torch.tensor(row, dtype=torch.float64)
        came = _number(answer, {"scores": scores, "target": target})
        if came <= 0:
            raise Problem(f"a temperature is above 0, and {name_of(answer)} returned {came:g}")
        reached = entropy((scores / came).softmax(dim=-1)).item()
        if abs(reached - target) <= 2e-4:
            continue
        if math.isnan(reached):
            raise Problem(f"T = {came:.4g} is so small that scores / T is too large to compute")
        inverse = entropy((scores * came).softmax(dim=-1)).item()
        if abs(inverse - target) <= 2e-4:
            raise Problem("this multiplies the scores; T divides them: return 1 over this number")
        if abs(reached / math.log(2) - target) <= 2e-4:
            raise Problem("this entropy is in bits (log2); take the natural logarithm")
        direction = "higher" if reached < target else "lower"
        raise Problem(
            f"for the scores {row} and the entropy {target:g}, T = {came:.6g} gives "
            f"{reached:.4f}; that needs a {direction} T. (A bracket must hold T for scores of any "
            "size, and an entropy must not be nan where a weight is 0: normalisers.entropy is not)"
        )
    return "Entropy only grows with T, so halving an interval finds it: 1.769 for [1, 2, 3] and 1."


@exercise
def sparsemax_jacobian(answer: Callable[[Tensor], Tensor]) -> str:
    """``jacobian(weights)``: how each weight of sparsemax moves with each score, (n_k, n_k)."""
    rows = ((5, 1), (3, 2), (8, 3), (2, 4), (6, 5))
    cases = [{"weights": sparsemax(normal(n, seed=seed))} for n, seed in rows]
    cases += [
        {"weights": torch.tensor([0.0, 0.25, 0.75, 0.0])},
        {"weights": torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)},  # all above 0
        {"weights": torch.tensor([0.0, 1.0, 0.0])},
        {"weights": torch.tensor([1.0])},
    ]

    def kept(w: Tensor) -> Tensor:
        return (w > 0).to(w.dtype)

    def right(w: Tensor) -> Tensor:
        return torch.diag(kept(w)) - torch.outer(kept(w), kept(w)) / kept(w).sum()

    judge(
        answer,
        cases,
        right,
        "the entries",
        {
            "this is the Jacobian of softmax. A weight of sparsemax above 0 is s_j − t: take the "
            "derivative of that": lambda w: torch.diag(w) - torch.outer(w, w),
            "t moves as well when a score moves: it is (their sum − 1) / n over the n scores whose "
            "weight is above 0": lambda w: torch.diag(kept(w)),
            "t moves by 1/n for each of the n scores whose weight is above 0, not by 1": (
                lambda w: torch.diag(kept(w)) - torch.outer(kept(w), kept(w))
            ),
            "keys with the weight 0 stay at 0, and t does not depend on their scores": (
                lambda w: torch.eye(len(w), dtype=w.dtype) - 1 / len(w)
            ),
            "t depends only on the scores whose weight is above 0: the other columns are 0": (
                lambda w: (
                    torch.diag(kept(w)) - torch.outer(kept(w), torch.ones_like(w)) / kept(w).sum()
                )
            ),
            "n counts the weights above 0, not all keys": lambda w: (
                torch.diag(kept(w)) - torch.outer(kept(w), kept(w)) / len(w)
            ),
            "the sign of the second part: where t grows, the weights get smaller": lambda w: (
                torch.diag(kept(w)) + torch.outer(kept(w), kept(w)) / kept(w).sum()
            ),
            "the sign is the wrong way round: a weight grows with its own score": lambda w: (
                -right(w)
            ),
        },
    )
    return "Equal to autograd. It holds no weight: sparsemax passes on all of a gradient, or none."


def _tempered(scores: Tensor, T: float) -> Tensor:
    """The right answer, computed in float64 after the largest score is gone."""
    wide = scores.double()
    return ((wide - wide.amax(-1, keepdim=True)) / T).softmax(-1).to(scores.dtype)


@exercise
def tempered_softmax(answer: Callable[..., Tensor]) -> str:
    """``tempered_softmax(scores, T)``: stable, for any T above 0, with hidden keys."""
    small = [(normal(2, 3, seed=1), 2.0), (normal(4, 5, seed=2), 0.5), (normal(6, seed=3), 3.0),
             (normal(2, 3, 4, seed=4), 1.5), (normal(3, 2, seed=5).float(), 10.0)]  # fmt: skip
    cases = [{"scores": scores, "T": T} for scores, T in small]
    judge(
        answer,
        cases,
        _tempered,
        "the weights",
        {
            "the scores are multiplied by T; divide by it": lambda s, T: (s * T).softmax(dim=-1),
            "these are the weights at T = 1": lambda s, T: s.softmax(dim=-1),
            "T divides the weights; it belongs to the scores, before the softmax": (
                lambda s, T: s.softmax(dim=-1) / T
            ),
            "the columns sum to 1: the softmax runs over the queries": (
                lambda s, T: (s / T).softmax(dim=0)
            ),
            "the exponentials are not divided by their sum": lambda s, T: (s / T).exp(),
        },
    )
    hidden = -math.inf
    extreme = (
        ([1000.0, 1001.0], 1.0),
        ([1.0, 2.0], 0.001),
        ([-1000.0, -1000.5], 0.25),
        ([[1000.0, 1001.0], [-1000.0, -1000.5]], 1.0),
        ([hidden, 0.0], 1.0),
        ([[hidden, 0.0, 1.0], [-2000.0, hidden, -2001.0]], 5.0),
        ([hidden, 3.0, 1.0], 5000.0),
        ([-30.0, 0.0], 1.0),
    )
    cases += [{"scores": torch.tensor(row), "T": T} for row, T in extreme]
    cases.append({"scores": torch.tensor([[-30.0, 0.0]], dtype=torch.float64), "T": 1.0})
    judge(answer, cases, _tempered, "the weights", zeros=True)
    for row, T in (([[100.0, 99.0]], 0.001), ([[12.0, 11.0]], 1.0), ([[hidden, 9.0, 8.0]], 2.0)):
        half = torch.tensor(row, dtype=torch.float16)
        came, right = run(answer, {"scores": half, "T": T}, half.shape), _tempered(half, T)
        if not torch.allclose(came.double(), right.double(), atol=2e-3):
            raise Problem(
                f"{row[0]} in float16 at T = {T:g} gives {shown(came[0])} instead of "
                f"{shown(right[0])}: float16 ends at 65504, and e^12, 100 / 0.001 are above it. "
                "Subtract the largest score first, then divide by T"
            )
    written_out(answer, cases[1], "build it from exp and sum")
    return "It survives [1000, 1001], a temperature of 0.001, a hidden key, and float16."


@exercise
def zero_gradients(answer: Any) -> str:
    """The letters of the true statements about the gradients of the biases."""
    return judge_statements(
        answer,
        {
            "A": (
                False,
                "A is false: b_Q changes the scores of a query by b_Q · k_j, which differs by key",
            ),
            "B": (
                True,
                "B is true: b_K adds q_i · b_K to all scores of query i, and softmax does not see "
                "a constant",
            ),
            "C": (
                False,
                "C is false: b_V is added to every output, since the weights sum to 1",
            ),
            "D": (True, "D is true: with one key the weight is 1 whatever the score"),
            "E": (
                False,
                "E is false: the Jacobian is 0 there, and it stands between the loss and the "
                "scores, not between the loss and the values",
            ),
        },
    )
