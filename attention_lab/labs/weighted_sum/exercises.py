"""Notebook 02: the weighted sum."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.grading.answers import numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.calls import calls_of, written_out
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import compare, same
from attention_lab.grading.feedback import Problem, run

__all__ = [
    "hide_a_key",
    "outputs_on_a_line",
    "self_attention_chart",
    "sum_in_one_loop",
    "two_weightings",
]


def _shares(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return normal(*shape, seed=seed).softmax(dim=-1).to(dtype)


def _by_softmax(scores: Tensor, values: Tensor) -> Tensor:
    return scores.softmax(dim=-1) @ values


@exercise
def sum_in_one_loop(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """The output of one query from its scores, by two running totals."""
    sizes = ((4, 3), (2, 1), (3, 5), (6, 2), (1, 4))
    cases = [
        {"scores": normal(n_k, seed=n_k) - 1, "values": normal(n_k, d_v, seed=9)}
        for n_k, d_v in sizes
    ]
    cases[1:3] = [{name: each.float() for name, each in case.items()} for case in cases[1:3]]
    # first on small scores: what a formula gives there is told apart from how it overflows
    judge(
        answer,
        cases,
        _by_softmax,
        "the numbers of the output",
        {
            "the sum of e^s v is not divided by the sum of e^s": lambda s, v: s.exp() @ v,
            "the same with the largest score subtracted: the sum of e^s v is not divided by the "
            "sum of e^s": lambda s, v: (s - s.max()).exp() @ v,
            "the values are weighted by the scores themselves; their exponentials are needed": (
                lambda s, v: s @ v
            ),
            "the values are weighted by the scores divided by their sum; their exponentials are "
            "needed": lambda s, v: s @ v / s.sum(),
            "the sum of e^s v is divided by the number of keys; divide it by the sum of e^s": (
                lambda s, v: s.exp() @ v / len(s)
            ),
            "the scores are not used: this is the plain mean of the values": (
                lambda s, v: v.mean(0)
            ),
            "the scores are not used: this is the plain sum of the values": lambda s, v: v.sum(0),
            "the features were added together as well; the output has as many features as a "
            "value": lambda s, v: _by_softmax(s, v).sum(),
            "the last key is missing: does the loop stop one too early?": (
                lambda s, v: _by_softmax(s[:-1], v[:-1])
            ),
            "the first key is missing: the loop starts at 0": lambda s, v: _by_softmax(
                s[1:], v[1:]
            ),
            "only the last key counts: add to the totals, do not replace them": lambda s, v: v[-1],
        },
    )
    far = [
        {"scores": torch.tensor([1000.0, 1001.0]), "values": normal(2, 3, seed=4).float()},
        {"scores": torch.tensor([-1000.0, -1001.0, -1002.0]),
         "values": normal(3, 2, seed=5).float()},
    ]  # fmt: skip
    made = [run(answer, case) for case in far]
    if all(came.isnan().all() for came in made):
        raise Problem(
            "right for small scores. But [1000., 1001.] gives nan, and so does [-1000., -1001., "
            "-1002.]: the exponentials are too large (inf) or too small (0) for the computer. "
            "Subtract the largest score from all of them; it cancels in the division"
        )
    later = [
        {"scores": torch.tensor([0.0, 800.0, -800.0], dtype=torch.float64),
         "values": normal(3, 2, seed=6)},
        {"scores": torch.tensor([-math.inf, 2.0, 3.0]), "values": normal(3, 4, seed=7).float()},
    ]  # fmt: skip
    judge(answer, [*cases, *far, *later], _by_softmax, "the numbers of the output")
    _hold_to_one_loop(answer)
    return "Two totals and one division at the end: no list of weights is needed for an output."


def _hold_to_one_loop(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Refuse weights that were written down, and exponentials of all scores in one call."""
    small, large = ({"scores": normal(n_k, seed=n_k), "values": normal(n_k, 3, seed=9)}
                    for n_k in (5, 9))  # fmt: skip
    calls = written_out(answer, small, "add up e^s v and e^s in a loop over the keys")
    results = [call.result for call in calls if isinstance(call.result, Tensor)]
    weights = small["scores"].softmax(dim=-1)
    if any(x.numel() == len(weights) and same(x.double().flatten(), weights) for x in results):
        raise Problem(
            "the numbers are right, but the list of weights was computed on the way; keep the two "
            "totals, and divide once, at the end"
        )
    exponentials = [call for call in calls if call.name in ("exp", "exp2", "pow", "rpow")]
    if exponentials and len(calls) == len(calls_of(answer, large)):
        raise Problem(
            "the numbers are right, but there is no loop: for 5 keys and for 9 PyTorch was called "
            "equally often. Take one key after the other, and add to two totals"
        )


def _hidden(weights: Tensor, values: Tensor, j: int) -> Tensor:
    share = weights[..., j : j + 1]
    return (weights @ values - share * values[..., j : j + 1, :]) / (1 - share)


def _without_key(weights: Tensor, j: int) -> Tensor:
    return weights * (torch.arange(weights.shape[-1]) != j)


@exercise
def hide_a_key(answer: Callable[[Tensor, Tensor, int], Tensor]) -> str:
    """The outputs of all queries when one key is hidden, from the weights."""
    sizes = (((), 3, 4, 2, 1), ((), 5, 3, 6, 0), ((), 1, 2, 1, 1), ((7,), 2, 5, 3, 4),
             ((2, 5), 4, 6, 3, 3), ((2, 1, 3), 6, 4, 5, 0))  # fmt: skip
    cases = [
        {"weights": _shares(*lead, n_q, n_k, seed=n_q), "values": normal(*lead, n_k, d_v, seed=8),
         "j": j}
        for lead, n_q, n_k, d_v, j in sizes
    ]  # fmt: skip
    single = {name: each.float() for name, each in cases[1].items() if isinstance(each, Tensor)}
    cases.append(single | {"j": 2})
    judge(
        answer,
        cases,
        _hidden,
        "the outputs",
        {
            "these are the outputs with all keys: nothing is hidden yet": lambda w, v, j: w @ v,
            "the term of key j is gone, but the weights that are left sum to less than 1: divide "
            "by what they sum to": lambda w, v, j: _without_key(w, j) @ v,
            "a second softmax was taken of weights, with 0 for key j: e^0 is 1, and the others are "
            "no scores": lambda w, v, j: _without_key(w, j).softmax(dim=-1) @ v,
            "the others were divided by key j's weight; divide by their own sum, 1 minus that "
            "weight": lambda w, v, j: _without_key(w, j) @ v / w[..., j : j + 1],
            "the weight of key j was shared out equally; the others keep their ratios": (
                lambda w, v, j: (_without_key(w, j) + _equal_parts(w, j)) @ v
            ),
            "this is hidden from the output: only key j is left": lambda w, v, j: (
                w[..., j : j + 1] * v[..., j : j + 1, :]
            ),
        },
    )
    return "Each query gave the weight of that key back to the others, in their own ratios."


def _equal_parts(weights: Tensor, j: int) -> Tensor:
    others = _without_key(torch.ones_like(weights), j)
    return weights[..., j : j + 1] * others / (weights.shape[-1] - 1)


VALUES = torch.tensor([6.0, 7.0, 9.0, 10.0], dtype=torch.float64)


@exercise
def two_weightings(answer: Any) -> str:
    """Two weightings of 6, 7, 9, 10 with the output 8 that differ as much as possible."""
    pair = numbers(answer, "write two weightings: [[?, ?, ?, ?], [?, ?, ?, ?]]")
    if tuple(pair.shape) != (2, 4):
        raise Problem(f"two weightings of four values make shape (2, 4), not {tuple(pair.shape)}")
    for name, weights in zip(("first", "second"), pair, strict=True):
        if (weights < -1e-9).any():  # but for rounding
            raise Problem(f"the {name} weighting has a weight below 0")
        if not abs(weights.sum().item() - 1) <= 2e-3:
            raise Problem(f"the {name} weighting sums to {weights.sum():.4g}, not to 1")
        output = float(weights @ VALUES)
        if not abs(output - 8) <= 1e-2:
            raise Problem(f"the {name} weighting gives {output:.4g}, not 8")
    distance = _divergence(*pair.clamp(min=0))
    if (pair > 1e-9).all(dim=0).any() or not distance >= math.log(2) - 2e-3:
        raise Problem(
            f"both give 8, but their Jensen-Shannon divergence is {distance:.4f}; the largest "
            "possible is ln 2 = 0.6931, when no value has weight in both"
        )
    return "Both give 8, and they share no value: from this output nobody can tell the weights."


def _divergence(p: Tensor, q: Tensor) -> float:
    """Jensen-Shannon divergence in nats: 0 for equal distributions, ln 2 for disjoint ones."""
    middle = (p + q) / 2

    def relative(a: Tensor) -> float:
        seen = a > 0
        return float((a[seen] * (a[seen] / middle[seen]).log()).sum())

    return (relative(p) + relative(q)) / 2


TOKENS = "the tokens come in through their queries, keys and values only"
# arrow, whether it belongs, what to say otherwise; the first that applies is said
ARROWS = (
    (
        ("values", "attention weights"),
        False,
        "the weights come from comparing queries with keys; values are not compared",
    ),
    (
        ("keys", "weighted sum"),
        False,
        "keys are compared, and not mixed: what is mixed are the values",
    ),
    (
        ("queries", "weighted sum"),
        False,
        "queries are compared, and not mixed: what is mixed are the values",
    ),
    (
        ("tokens", "attention weights"),
        False,
        TOKENS,
    ),
    (
        ("tokens", "weighted sum"),
        False,
        TOKENS,
    ),
    (
        ("attention weights", "weighted sum"),
        True,
        "the weighted sum needs the attention weights",
    ),
    (
        ("values", "weighted sum"),
        True,
        "the weighted sum needs something to mix: the values",
    ),
    (
        ("queries", "attention weights"),
        True,
        "no arrow leads from the queries to the attention weights: who asks?",
    ),
    (
        ("keys", "attention weights"),
        True,
        "no arrow leads from the keys to the attention weights: what is a query compared with?",
    ),
)
NEEDED = {
    *(arrow for arrow, belongs, _ in ARROWS if belongs),
    ("tokens", "queries"),
    ("tokens", "keys"),
    ("tokens", "values"),
    ("weighted sum", "output"),
}
BOXES = {box for arrow in NEEDED for box in arrow}
# What layers of such models also do: add what came in to what goes out.
ALLOWED = {("tokens", "output")}


@exercise
def self_attention_chart(answer: Any) -> str:
    """Arrows of self-attention: who makes what, what is compared, what is mixed."""
    try:
        edges = {(str(a).strip().lower(), str(b).strip().lower()) for a, b in answer}
    except (TypeError, ValueError):
        raise Problem('write a list of arrows, each ("from", "to")') from None
    unknown = sorted({box for edge in edges for box in edge} - BOXES)
    if unknown:
        raise Problem(f"there is no box “{unknown[0]}”; the boxes are {', '.join(sorted(BOXES))}")
    if not any(start == "attention weights" for start, _ in edges):
        raise Problem(
            "no arrow leads away from “attention weights”: they go nowhere. Which box needs them?"
        )
    for arrow, belongs, otherwise in ARROWS:
        if (arrow in edges) is not belongs:
            raise Problem(otherwise)
    missing = sorted(NEEDED - edges)
    if missing:
        raise Problem(f"the arrow from “{missing[0][0]}” to “{missing[0][1]}” is missing")
    extra = sorted(edges - NEEDED - ALLOWED)
    if extra:
        raise Problem(
            f"the arrow from “{extra[0][0]}” to “{extra[0][1]}” does not belong in this chart; "
            "take it out"
        )
    return "Queries meet keys, and the weights that come of it meet the values."


@exercise
def outputs_on_a_line(answer: Any) -> str:
    """Three outputs of values that lie on the line second = first + 3."""
    output = numbers(answer, "write the outputs as a matrix, one row for each query")
    if tuple(output.shape) == (2, 3):
        raise Problem("this is turned round: write one row for each query, three rows of two")
    if tuple(output.shape) != (3, 2):
        raise Problem(
            f"3 queries and values of 2 features make shape (3, 2), not {tuple(output.shape)}"
        )
    first = torch.tensor([1.5, 4.0, 0.25], dtype=torch.float64)
    if not torch.allclose(output[:, 0], first):
        raise Problem("the first features are given: 1.5, 4 and 0.25, in this order")
    right = torch.stack([first, first + 3], dim=1)
    means = torch.stack([first, torch.full_like(first, 5.0)], dim=1)
    compare(
        output,
        right,
        "the numbers",
        {
            "5 is the plain mean of the second features; with other weights the first feature of "
            "the output moves, and the second moves with it": means,
        },
    )
    return "The values lie on one line, and so does every mean of them: second = first + 3."
