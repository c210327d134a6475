"""Notebook 03: the worked example."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.core.attention import attention
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import compare
from attention_lab.grading.feedback import Problem, call, three_tensors

__all__ = [
    "attention_in_three_lines",
    "find_query",
    "predict_shapes",
    "repaired_derivation",
    "true_statements",
]


def _problem(n_q: int, n_k: int, d_k: int, d_v: int, *lead: int) -> dict[str, Tensor]:
    shapes = {"Q": (n_q, d_k), "K": (n_k, d_k), "V": (n_k, d_v)}
    return {name: normal(*lead, *shape, seed=ord(name)) for name, shape in shapes.items()}


Made = Callable[[Tensor, Tensor, Tensor], Tensor]


def _from_scores(make: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Made:
    """Make an output of Q, K, V from the scores, K and V."""
    return lambda Q, K, V: make(Q @ K.transpose(-2, -1), K, V)


def _scaled(scores: Tensor, K: Tensor) -> Tensor:
    return scores / math.sqrt(K.shape[-1])


# what typical mistakes give, by the message each deserves
WRONG_OUTPUTS: dict[str, Made] = {
    message: _from_scores(make)
    for message, make in {
        "the scores are not scaled: divide them by √d_k before the softmax": lambda s, K, V: (
            s.softmax(-1) @ V
        ),
        "the scores are divided by d_k; divide by √d_k, its square root": lambda s, K, V: (
            (s / K.shape[-1]).softmax(-1) @ V
        ),
        "the scores are multiplied by √d_k; divide by it": lambda s, K, V: (
            (s * math.sqrt(K.shape[-1])).softmax(-1) @ V
        ),
        "the scores are scaled by √n_k; d_k is the number of features of a key, K.shape[-1]": (
            lambda s, K, V: (s / math.sqrt(K.shape[-2])).softmax(-1) @ V
        ),
        "the softmax runs over the queries (its columns sum to 1); each query shares its weight "
        "among the keys, dim=-1": lambda s, K, V: _scaled(s, K).softmax(-2) @ V,
        "there is no softmax: the scores themselves were used as weights": lambda s, K, V: (
            _scaled(s, K) @ V
        ),
        "there is no softmax and no scale: the scores themselves were used as weights": (
            lambda s, K, V: s @ V
        ),
        "the scale came after the softmax; it belongs to the scores, before it": lambda s, K, V: (
            s.softmax(-1) @ V / math.sqrt(K.shape[-1])
        ),
        "the exponentials are not divided by the sum of their row": lambda s, K, V: (
            _scaled(s, K).exp() @ V
        ),
        "the weights were multiplied with K; they belong to V": lambda s, K, V: (
            _scaled(s, K).softmax(-1) @ K
        ),
    }.items()
}


@exercise
def attention_in_three_lines(answer: Callable[..., Tensor]) -> str:
    """``attention(Q, K, V)`` that returns the output."""
    worked = {
        name: torch.tensor(column)[:, None]
        for name, column in (("Q", [1.0, 2, 3]), ("K", [4.0, 5, 6]), ("V", [7.0, 8, 9]))
    }
    plain = [_problem(2, 5, 3, 4), _problem(3, 4, 5, 5), _problem(4, 2, 7, 7), worked]
    judge(answer, plain, F.scaled_dot_product_attention, "the outputs", WRONG_OUTPUTS)
    leading = [_problem(3, 4, 5, 2, 7), _problem(3, 4, 5, 2, 2, 6), _problem(2, 3, 4, 5, 2, 1, 3)]
    judge(
        answer,
        [*plain, *leading],
        F.scaled_dot_product_attention,
        "the outputs",
        {
            "right for one matrix, but not with leading axes: K.transpose(-2, -1) swaps only the "
            "last two axes, K.T swaps all": lambda Q, K, V: (
                _scaled(Q @ _turned(K), K).softmax(-1) @ V
            ),
        },
    )
    large = [
        {name: 40 * each for name, each in problem.items()}
        for problem in (_problem(2, 3, 4, 5), _problem(3, 4, 5, 2, 2))
    ]
    judge(answer, [*plain, *leading, *large], F.scaled_dot_product_attention, "the outputs")
    return "Equal to PyTorch's scaled_dot_product_attention, with leading axes too."


def _turned(K: Tensor) -> Tensor:
    """What K.T gives: all axes the other way round."""
    return K.permute(*reversed(range(K.ndim)))


@exercise
def repaired_derivation(answer: Callable[..., Any]) -> str:
    """A function that returns (scores, weights, output), free of the article's mistakes."""
    for sizes in ((3, 4, 5, 5), (2, 6, 3, 4), (5, 2, 4, 1), (1, 3, 2, 6)):
        _judge_derivation(answer, *sizes)
    return "Scores with their scale, a softmax for each row, and w_ij with its own v_j."


def _judge_derivation(answer: Callable[..., Any], n_q: int, n_k: int, d_k: int, d_v: int) -> None:
    inputs = _problem(n_q, n_k, d_k, d_v)
    names = ("the scores", "the weights", "the output")
    returned = three_tensors(call(answer, inputs), answer, "(scores, weights, output)", names)
    scores, weights, output = (tensor.double() for tensor in returned)
    steps = attention(*inputs.values())
    K, V = inputs["K"], inputs["V"]
    if scores.ndim < 2:
        raise Problem(
            "formula 1: the scores are not a matrix. One score for each pair of a query and a key "
            f"makes (n_q, n_k) = {(n_q, n_k)}"
        )
    if tuple(scores.shape) != (n_q, n_k):
        raise Problem(
            f"formula 1: the scores have shape {tuple(scores.shape)}; rows are queries and columns "
            f"are keys, {(n_q, n_k)}"
        )
    compare(
        scores,
        steps.scaled,
        "formula 1: the scores",
        {"formula 1: the scale is still missing: divide by √d_k": steps.scores},
    )
    if weights.shape != scores.shape:
        raise Problem(f"formula 2: the weights have shape {tuple(weights.shape)}, not {(n_q, n_k)}")
    total = scores.exp() / scores.exp().sum()
    compare(
        weights,
        steps.weights,
        "formula 2: the weights",
        {
            "formula 2: one sum for the whole matrix; each row needs its own": total,
            "formula 2: the softmax runs over the queries; each row must sum to 1": scores.softmax(
                0
            ),
            "formula 2: the exponentials are not divided by their sum": scores.exp(),
        },
    )
    if tuple(output.shape) != (n_q, d_v):
        raise Problem(
            f"formula 3: the output has shape {tuple(output.shape)}; each query gets one mean of "
            f"the values, (n_q, d_v) = {(n_q, d_v)}"
        )
    compare(
        output,
        steps.output,
        "formula 3: the outputs",
        {
            "formula 3: each weight goes with its own value, sum over j of w_ij v_j; here the "
            "weights were summed first": weights.sum(-1, keepdim=True) * V.sum(0),
            "formula 3: the weights were multiplied with K; they belong to V": weights @ K,
        },
    )


@exercise
def find_query(answer: Any) -> str:
    """The number q for which K = [4, 5, 6] and V = [7, 8, 9] give the output 8.5."""
    if isinstance(answer, str):
        raise Problem(f"write q as a number, without quotes: {answer!r}")
    given = numbers(answer, "write one number")
    if given.numel() != 1:
        raise Problem(f"q is one number, and these are {given.numel()}")
    query = given.item()
    key = torch.tensor([4.0, 5.0, 6.0], dtype=torch.float64)
    output = float((query * key).softmax(dim=0) @ (key + 3))
    if math.isnan(output):
        raise Problem(f"q = {query:g} is so large that its scores are no numbers any more")
    exact = math.log((1 + math.sqrt(13)) / 2)
    if not abs(query - exact) <= 5.5e-4:
        direction = "larger" if output < 8.5 else "smaller"
        raise Problem(f"q = {query:g} gives {output:.4f}; 8.5 needs a {direction} q")
    return f"q = {query:g} gives {output:.4f}. The exact answer is ln((1 + √13) / 2) = 0.8341."


SHAPES = {"scores": (3, 4), "weights": (3, 4), "output": (3, 6)}


@exercise
def predict_shapes(answer: Any) -> str:
    """The shapes for n_q = 3, n_k = 4, d_k = 2, d_v = 6."""
    if not isinstance(answer, Mapping) or set(answer) != set(SHAPES):
        raise Problem(f"write a dictionary with the keys {', '.join(SHAPES)}")
    for name, wanted in SHAPES.items():
        shape = answer[name]
        try:
            shape = tuple(operator.index(size) for size in shape)
        except TypeError:
            shape = ()
        if len(shape) != 2 or isinstance(answer[name], (set, frozenset)):
            raise Problem(
                f"write the shape of the {name} as a pair of whole numbers, such as (2, 4)"
            )
        if shape == wanted:
            continue
        nudges = {
            ("scores", (4, 3)): "rows are queries: n_q comes first",
            ("scores", (3, 2)): "(3, 2) is the shape of Q; the product with K^T sums over d_k",
            ("weights", (4, 3)): "rows are queries: n_q comes first",
            ("output", (3, 2)): "the output mixes values, so it has d_v features, not d_k",
            ("output", (4, 6)): "that is the shape of V; there is one output for each query",
            (
                "output",
                (3, 4),
            ): "that is the shape of the weights; the product with V sums over n_k",
        }
        nudge = nudges.get((name, shape), "which axis is summed over, and which two are left?")
        raise Problem(f"{name}: {shape} is not right. {nudge[0].upper()}{nudge[1:]}")
    return "scores (3, 2) @ (2, 4) = (3, 4), weights the same, output (3, 4) @ (4, 6) = (3, 6)."


@exercise
def true_statements(answer: Any) -> str:
    """The letters of the true statements about the worked example."""
    return judge_statements(
        answer,
        {
            "A": (True, "A is true: 1·4 + 2·5 + 3·6 = 32"),
            "B": (
                False,
                "B is false: there is one weight, and it is 1. Equal weights over three keys are "
                "1/3",
            ),
            "C": (True, "C is true: softmax of one score is e^s / e^s = 1, for any s"),
            "D": (
                False,
                "D is false: (1, 3) @ (3, 1) has shape (1, 1); the matrix needs (3, 1) @ (1, 3)",
            ),
            "E": (
                True,
                "E is true: query 2 has three times the scores of query 0, as at temperature 1/3",
            ),
            "F": (
                False,
                "F is false: the rows of the weights sum to 1, the columns to 0.108, 0.409 and "
                "2.482",
            ),
        },
    )
