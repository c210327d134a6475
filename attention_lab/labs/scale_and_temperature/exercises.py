"""Notebook 04: scale and temperature."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.normalisers import entropy
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.compare import compare, same
from attention_lab.grading.feedback import Problem, name_of, returned, run

__all__ = [
    "softmax_jacobian",
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


@exercise
def variance_of_scores(answer: Callable[..., Any]) -> str:
    """``variance(d_k, mu)``: of q . k, for independent features with mean mu and variance 1."""
    cases = ((64, 0.5), (64, 0.0), (64, 1.0), (7, 0.5), (16, -2.0))
    came = [_number(answer, {"d_k": d_k, "mu": mu}) for d_k, mu in cases]

    def is_(formula: Callable[[int, float], float]) -> bool:
        return all(
            math.isclose(number, formula(*case), rel_tol=1e-6)
            for number, case in zip(came, cases, strict=True)
        )

    if is_(lambda d, mu: d * (1 + 2 * mu**2)):
        return "Each feature adds (1 + mu²)² − mu⁴ = 1 + 2 mu², so the scores have d_k (1 + 2 mu²)."
    mistakes = {
        "the mean does not come in: with mu = 0 this is right, and only there": lambda d, mu: d,
        "this is the variance with 1 + mu² for each feature. Both factors have a mean: write "
        "(q_c k_c) out": lambda d, mu: d * (1 + mu**2),
        "this is the sum of the E[(q_c k_c)²]; from each the square of its mean, mu⁴, still has "
        "to be taken away": lambda d, mu: d * (1 + mu**2) ** 2,
        "this is the standard deviation; the variance is its square": lambda d, mu: math.sqrt(
            d * (1 + 2 * mu**2)
        ),
        "this is the variance of one feature of the sum; there are d_k of them": lambda d, mu: (
            1 + 2 * mu**2
        ),
        "variances of independent terms add up: d_k of them give d_k times one, not d_k²": (
            lambda d, mu: d**2 * (1 + 2 * mu**2)
        ),
    }
    for message, formula in mistakes.items():
        if is_(formula):
            raise Problem(message)
    for number, (d_k, mu) in zip(came, cases, strict=True):
        right = d_k * (1 + 2 * mu**2)
        if not math.isclose(number, right, rel_tol=1e-6):
            nearly = math.isclose(number, right, rel_tol=0.1)
            raise Problem(
                f"d_k = {d_k}, mu = {mu:g} gives {number:g} instead of {right:g}"
                + (": an exact formula is wanted, not a measurement" if nearly else "")
            )
    raise AssertionError("unreachable: some number is wrong")


@exercise
def temperature_for(answer: Callable[..., Any]) -> str:
    """``temperature(scores, target)``: where softmax(scores / T) has the entropy ``target``."""
    cases = [([1.0, 2.0, 3.0], 1.0), ([1.0, 2.0, 3.0], 0.4411), ([0.0, 5.0, 5.1, -3.0], 1.2)]
    for row, target in cases:
        scores = torch.tensor(row, dtype=torch.float64)
        came = _number(answer, {"scores": scores, "target": target})
        if came <= 0:
            raise Problem(f"a temperature is above 0, and {name_of(answer)} returned {came:g}")
        reached = entropy((scores / came).softmax(dim=-1)).item()
        if abs(reached - target) <= 1e-3:
            continue
        if math.isnan(reached):
            raise Problem(f"T = {came:.4g} is so small that scores / T is too large to compute")
        inverse = entropy((scores * came).softmax(dim=-1)).item()
        if abs(inverse - target) <= 1e-3:
            raise Problem("this multiplies the scores; T divides them: return 1 over this number")
        if abs(reached / math.log(2) - target) <= 1e-3:
            raise Problem("this entropy is in bits (log2); take the natural logarithm")
        if came < 0.01:
            raise Problem(
                f"for the scores {row} T = {came:.4g} came out. Is your entropy nan where a weight "
                "is 0? normalisers.entropy takes 0 ln 0 as 0"
            )
        direction = "higher" if reached < target else "lower"
        raise Problem(
            f"for the scores {row} and the entropy {target:g}, T = {came:.4g} gives "
            f"{reached:.4f}; that needs a {direction} T"
        )
    return "Entropy only grows with T, so halving an interval finds it: 1.769 for [1, 2, 3] and 1."


@exercise
def softmax_jacobian(answer: Callable[[Tensor], Tensor]) -> str:
    """``jacobian(weights)``: how each weight moves with each score, (n_k, n_k)."""
    scores = torch.tensor([0.2, 1.4, -0.7, 0.9], dtype=torch.float64)
    weights = scores.softmax(dim=-1)
    right = torch.autograd.functional.jacobian(lambda s: s.softmax(dim=-1), scores)
    outer = torch.outer(weights, weights)
    eye = torch.eye(4, dtype=torch.float64)
    compare(
        run(answer, {"weights": weights}, (4, 4)),
        right,
        "the entries",
        {
            "the sign is the wrong way round: a weight grows with its own score": -right,
            "off the diagonal it is −w_i w_j: the other weights shrink when one grows": (
                torch.diag(weights) + outer
            ),
            "the diagonal is w_i (1 − w_i), so w_i² has to be taken away there as well": (
                torch.diag(weights) - outer * (1 - eye)
            ),
            "only the diagonal is there; the other weights move as well, by −w_i w_j": torch.diag(
                weights * (1 - weights)
            ),
            "1 stands on the diagonal instead of the weights: diag(w) − w wᵀ": eye - outer,
            "this is w wᵀ; it is taken away from diag(w)": outer,
        },
    )
    one = torch.tensor([0.0, 1.0, 0.0])
    if not same(run(answer, {"weights": one}, (3, 3)), torch.zeros(3, 3)):
        raise Problem("with the weights [0, 1, 0] nothing can move: every entry must be 0")
    return "Equal to autograd. Its rows sum to 0, and it is all 0 once a weight is exactly 1."


@exercise
def tempered_softmax(answer: Callable[..., Tensor]) -> str:
    """``tempered_softmax(scores, T)``: stable, for any T above 0, with hidden keys."""
    scores = torch.tensor([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]], dtype=torch.float64)
    compare(
        run(answer, {"scores": scores, "T": 2.0}, (2, 3)),
        (scores / 2).softmax(dim=-1),
        "the weights",
        {
            "the scores are multiplied by T; divide by it": (scores * 2).softmax(dim=-1),
            "T is not used": scores.softmax(dim=-1),
            "T divides the weights; it belongs to the scores, before the softmax": (
                scores.softmax(dim=-1) / 2
            ),
            "the columns sum to 1: the softmax runs over the queries": (scores / 2).softmax(dim=0),
            "the exponentials are not divided by their sum": (scores / 2).exp(),
        },
    )
    for row, T in (
        ([1000.0, 1001.0], 1.0),
        ([1.0, 2.0], 0.001),
        ([-math.inf, 0.0], 1.0),
        ([-1000.0, -1000.5], 0.25),
    ):
        given = torch.tensor(row)
        came = run(answer, {"scores": given, "T": T}, (2,))
        text = f"{row} at T = {T:g}"
        if not came.isfinite().all():
            raise Problem(
                f"{text} gives nan: an exponential became inf, or all became 0. Subtract the "
                "largest score of the row before the exponential"
            )
        compare(came, (given / T).softmax(dim=-1), f"the weights of {text}")
    apart = torch.tensor([[1000.0, 1001.0], [-1000.0, -1000.5]])
    came = run(answer, {"scores": apart, "T": 1.0}, (2, 2))
    if not same(came, apart.softmax(dim=-1)):
        raise Problem(
            "[[1000, 1001], [-1000, -1000.5]] is wrong in a row: subtract from each row its own "
            "largest score (amax(dim=-1, keepdim=True)), not one number from all"
        )
    half = torch.tensor([[100.0, 99.0]], dtype=torch.float16)
    came = run(answer, {"scores": half, "T": 0.001}, (1, 2))
    if not torch.equal(came.float(), torch.tensor([[1.0, 0.0]])):
        raise Problem(
            "[100, 99] in float16 at T = 0.001 gives no softmax: 100 / 0.001 is too large for "
            "float16. Subtract the largest score before you divide by T"
        )
    half = torch.tensor([[12.0, 11.0]], dtype=torch.float16)
    came = run(answer, {"scores": half, "T": 1.0}, (1, 2))
    if not torch.allclose(came.float(), torch.tensor([[0.7311, 0.2689]]), atol=2e-3):
        raise Problem("[12, 11] in float16 gives no softmax: e^12 is too large for float16")
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
