"""Notebook 02: the weighted sum."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.grading.answers import numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import compare
from attention_lab.grading.feedback import Problem
from attention_lab.pictures.geometry import reachable

__all__ = ["equal_values", "repair_flow_chart", "sum_by_loop", "sum_by_product", "two_weightings"]


def _shares(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return normal(*shape, seed=seed).softmax(dim=-1).to(dtype)


@exercise
def sum_by_loop(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """The output of one query as a loop over the keys."""
    sizes = ((4, 3), (2, 1), (3, 5), (6, 2), (1, 4))
    cases = [
        {"weights": _shares(n_k, seed=n_k), "values": normal(n_k, d_v, seed=9)}
        for n_k, d_v in sizes
    ]
    cases[1:3] = [{name: each.float() for name, each in case.items()} for case in cases[1:3]]
    judge(
        answer,
        cases,
        lambda weights, values: weights @ values,
        "the numbers of the output",
        {
            "these are the terms weight × value; add them up to one vector": lambda w, v: (
                w[:, None] * v
            ),
            "the features were added together as well; the sum runs over the keys only, and the "
            "output has as many features as a value": lambda w, v: (w[:, None] * v).sum(),
            "the weights are not used: this is the plain sum of the values": lambda w, v: v.sum(0),
            "the weights are not used: this is the plain mean of the values": (
                lambda w, v: v.mean(0)
            ),
            "the sum was divided by the number of keys; the weights already sum to 1": (
                lambda w, v: w @ v / len(w)
            ),
            "the last key is missing: does the loop stop one too early?": (
                lambda w, v: w[:-1] @ v[:-1]
            ),
            "the first key is missing: the loop starts at 0": lambda w, v: w[1:] @ v[1:],
            "only the last term is left: add to the total, do not replace it": (
                lambda w, v: w[-1] * v[-1]
            ),
        },
    )
    return "output = w_0 v_0 + w_1 v_1 + w_2 v_2 + w_3 v_3, feature by feature."


@exercise
def sum_by_product(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """The outputs of all queries as one matrix product, with leading axes."""
    sizes = (((), 4, 4, 3), ((), 2, 5, 1), ((7,), 2, 3, 6), ((2, 5), 6, 4, 3), ((2, 1, 3), 1, 2, 5))
    cases = [
        {"weights": _shares(*lead, n_q, n_k, seed=n_q), "values": normal(*lead, n_k, d_v, seed=8)}
        for lead, n_q, n_k, d_v in sizes
    ]
    cases.append({name: each.float() for name, each in cases[1].items()})
    judge(
        answer,
        cases,
        lambda weights, values: weights @ values,
        "the outputs",
        {
            "the weights were transposed: row i of the weights belongs to query i, so the "
            "product is weights @ values": lambda w, v: w.mT @ v,
        },
    )
    return "One product for all queries; leading axes (batch, heads) come along."


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


RAW_INPUT = "attention still reads the raw input; it works on the encoder states"
# arrow, whether it belongs, what to say otherwise; the first that applies is said
ARROWS = (
    (
        ("weighted sum", "output"),
        False,
        "the arrow from “weighted sum” to “output” goes past the decoder, which makes the output",
    ),
    (
        ("weighted sum", "decoder"),
        True,
        "the weighted sum must go into the decoder itself, without a detour",
    ),
    (
        ("decoder", "attention weights"),
        True,
        "no arrow leads from the decoder to the attention weights. The query comes from the "
        "decoder: without it there is nothing to compare the keys with",
    ),
    (
        ("encoder states", "attention weights"),
        True,
        "the attention weights need the keys, which are the encoder states",
    ),
    (
        ("encoder states", "weighted sum"),
        True,
        "the weighted sum needs the values, which are the encoder states (the weights are not "
        "multiplied with the input)",
    ),
    (
        ("attention weights", "weighted sum"),
        True,
        "the weighted sum needs the attention weights",
    ),
    (("input", "attention weights"), False, RAW_INPUT),
    (("input", "weighted sum"), False, RAW_INPUT),
)
NEEDED = {
    *(arrow for arrow, belongs, _ in ARROWS if belongs),
    ("input", "encoder"),
    ("encoder", "encoder states"),
    ("decoder", "output"),
}
BOXES = {box for arrow in NEEDED for box in arrow}
# What such models also do: start the decoder from a state, and show it its last word.
ALLOWED = {
    ("encoder states", "decoder"),
    ("output", "decoder"),
    ("encoder", "decoder"),  # its last state
    ("decoder", "decoder"),  # the state of the step before
    ("encoder", "encoder"),
}


@exercise
def repair_flow_chart(answer: Any) -> str:
    """Arrows with which attention reaches the output."""
    try:
        edges = {(str(a).strip().lower(), str(b).strip().lower()) for a, b in answer}
    except (TypeError, ValueError):
        raise Problem('write a list of arrows, each ("from", "to")') from None
    unknown = sorted({box for edge in edges for box in edge} - BOXES)
    if unknown:
        raise Problem(f"there is no box “{unknown[0]}”; the boxes are {', '.join(sorted(BOXES))}")
    if not any(start == "weighted sum" for start, _ in edges):
        raise Problem(
            "no arrow leads away from “weighted sum”: the result of attention goes nowhere. Which "
            "box needs it?"
        )
    if ("weighted sum", "decoder") in edges and ("decoder", "output") not in edges:
        raise Problem("the arrow from “decoder” to “output” is missing")
    if "output" not in reachable(edges, "weighted sum"):
        raise Problem(
            "“output” cannot be reached from “weighted sum”. Which box needs the result of "
            "attention?"
        )
    for arrow, belongs, otherwise in ARROWS:
        if (arrow in edges) is not belongs:
            raise Problem(otherwise)
    if "output" not in reachable(edges, "input"):
        raise Problem("“output” cannot be reached from “input” any more")
    missing = sorted(NEEDED - edges)
    if missing:
        raise Problem(f"the arrow from “{missing[0][0]}” to “{missing[0][1]}” is missing")
    extra = sorted(edges - NEEDED - ALLOWED)
    if extra:
        raise Problem(
            f"the arrow from “{extra[0][0]}” to “{extra[0][1]}” does not belong in this model; "
            "take it out"
        )
    return (
        "The decoder asks (query), the encoder states answer (keys, values), and the weighted sum "
        "goes into the decoder."
    )


@exercise
def equal_values(answer: Any) -> str:
    """The output of three queries when all values are [2, 5]."""
    output = numbers(answer, "write the output as a matrix, one row for each query")
    if tuple(output.shape) == (2,):
        said = "that is the output of one query" if output.tolist() == [2, 5] else "that is one row"
        raise Problem(f"{said}; there are three queries, so write three rows")
    if tuple(output.shape) == (4, 2):
        raise Problem("there is a row for each query (3), not for each key (4)")
    if tuple(output.shape) != (3, 2):
        raise Problem(
            f"3 queries and values of dimension 2 make shape (3, 2), not {tuple(output.shape)}"
        )
    right = torch.tensor([[2.0, 5.0]] * 3, dtype=torch.float64)
    compare(
        output,
        right,
        "the numbers",
        {"that is the sum of the four values; the weights of a row sum to 1, not to 4": right * 4},
    )
    return "A mean of equal values is that value, whatever the weights."
