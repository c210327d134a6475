"""Notebook 01: attention weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core import scores as scoring
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import compare, same
from attention_lab.grading.feedback import Problem, call, run, three_tensors

__all__ = [
    "choose_query",
    "move_rows",
    "softmax_formula",
    "stable_softmax",
    "three_scores",
]


def _softmax_cases() -> list[dict[str, Tensor]]:
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


def _sums(powers: Tensor, axis: int = -1) -> Tensor:
    return powers / powers.sum(dim=axis, keepdim=True)


@exercise
def stable_softmax(answer: Callable[[Tensor], Tensor]) -> str:
    """A softmax over the last axis that survives large scores and -inf."""
    cases = _softmax_cases()
    # first on small scores: what a formula gives there is told apart from how it overflows
    judge(
        answer,
        cases[:5],
        lambda scores: scores.softmax(dim=-1),
        "the weights",
        {
            "the columns sum to 1, not the rows: the softmax runs over the first axis (dim=0). "
            "Each query shares its weight among the keys, the last axis (dim=-1)": lambda scores: (
                scores.softmax(dim=0)
            ),
            "all the numbers together sum to 1: divide each row by its own sum "
            "(dim=-1, keepdim=True)": lambda scores: scores.exp() / scores.exp().sum(),
            "these are exponentials that are not divided by their sum": torch.exp,
            "the largest score was subtracted, and the exponentials are still not divided by "
            "their sum": lambda scores: (scores - scores.amax(dim=-1, keepdim=True)).exp(),
            "this is the logarithm of the weights": lambda scores: scores.log_softmax(dim=-1),
            "a constant was subtracted after the exponential; subtract it from the scores "
            "before": lambda scores: _sums(scores.exp() - scores.exp().amax(dim=-1, keepdim=True)),
        },
    )
    naive = run(answer, {"scores": torch.tensor([1000.0, 1001.0])}, (2,))
    if same(run(answer, cases[0], (2, 3)), cases[0]["scores"].softmax(-1)) and naive.isnan().all():
        low = run(answer, {"scores": torch.tensor([-1000.0, -1001.0])}, (2,))
        if low.isnan().all() or (low == 0).all():
            raise Problem(
                "[1000., 1001.] gives nan, and [-1000., -1001.] no softmax: the exponentials are "
                "too large (inf) or too small (0) for the computer. Subtract the largest score of "
                "the row first, so that the largest exponent is 0; that changes no weight"
            )
    judge(answer, cases, lambda scores: scores.softmax(dim=-1), "the weights", zeros=True)
    return (
        "The rows sum to 1, [1000, 1001] gives [0.269, 0.731], and a key with the score -inf "
        "gets exactly 0."
    )


@exercise
def three_scores(answer: Callable[..., Any]) -> str:
    """A function that returns the dot, the scaled dot and the general scores."""
    _judge_scores(answer, 2, 3, 5)
    for sizes in ((4, 2, 7), (1, 6, 3), (3, 3, 2)):
        _judge_scores(answer, *sizes)
    for lead in ((7,), (2, 3), (2, 1, 4)):
        _judge_scores(answer, 4, 3, 6, *lead)
    return "Three scoring functions, one score for each query and key, with leading axes too."


def _judge_scores(answer: Callable[..., Any], n_q: int, n_k: int, d_k: int, *lead: int) -> None:
    query, key = normal(*lead, n_q, d_k, seed=1), normal(*lead, n_k, d_k, seed=2)
    M = normal(d_k, d_k, seed=3)
    try:
        result = call(answer, {"query": query, "key": key, "M": M})
    except Problem as problem:
        if not lead:
            raise
        raise Problem(
            f"right for one matrix, but not with leading axes {lead}: of each tensor use the last "
            f"two axes, as in key.transpose(-2, -1). {problem}"
        ) from None
    dot = query @ key.transpose(-2, -1)
    wanted = {
        "dot": (dot, {}),
        "scaled": (
            dot / math.sqrt(d_k),
            {
                "the scaled scores are not scaled: divide by √d_k": dot,
                "the scaled scores are divided by d_k; divide by √d_k, its square root": dot / d_k,
                "the scaled scores are divided by √n_k; d_k is the number of features of a key, "
                "key.shape[-1]": dot / math.sqrt(n_k),
                "the scaled scores are divided by √n_q; d_k is the number of features of a key, "
                "key.shape[-1]": dot / math.sqrt(n_q),
                "the scaled scores are multiplied by √d_k; divide by it": dot * math.sqrt(d_k),
            },
        ),
        "general": (
            scoring.general(query, key, M),
            {
                "the general scores use the transpose of M: query @ M @ key^T": query
                @ M.T
                @ key.transpose(-2, -1),
                "the general scores do not use M": dot,
            },
        ),
    }
    returned = three_tensors(
        result,
        answer,
        "three tensors (dot, scaled, general)",
        [f"the {name} scores" for name in wanted],
    )
    for (name, (right, mistakes)), came in zip(wanted.items(), returned, strict=True):
        if came.shape != right.shape:
            turned = ": a row must belong to a query" if came.shape == right.mT.shape else ""
            raise Problem(
                f"the {name} scores have shape {tuple(came.shape)} for query "
                f"{tuple(query.shape)} and key {tuple(key.shape)}; one score for each pair makes "
                f"{tuple(right.shape)}{turned}"
            )
        what = f"the {name} scores" if (n_q, n_k) == (2, 3) else (
            f"right for other sizes, but for query {tuple(query.shape)} and key "
            f"{tuple(key.shape)} the {name} scores"
        )  # fmt: skip
        compare(came, right, what, mistakes)


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


@exercise
def softmax_formula(answer: Any) -> str:
    """The letters of the statements that name a mistake of the article's softmax formula."""
    judge_statements(
        answer,
        {
            "A": (True, "A is right: the left side is one number for each j, but e^x has no index"),
            "B": (
                True,
                "B is right: the index belongs to the exponent, e^(x_i), and not to e^x as a whole",
            ),
            "C": (False, "C is no mistake: the sum runs over all keys, and it should"),
            "D": (
                False,
                "D is no mistake: softmax needs no scale; the scale belongs to the scores",
            ),
            "E": (
                False,
                "E is no mistake: any real score is allowed, exp makes it positive",
            ),
        },
    )
    return "A and B: with its indices, softmax(x)_j = e^(x_j) / sum over i of e^(x_i)."


def _moved_how(moved: Tensor, scores: Tensor) -> str:
    if moved.isnan().any():
        return "they hold nan (not a number)"
    if not same(moved.softmax(dim=-1), scores.softmax(dim=-1)):
        return "the weights changed. Only a constant added to a whole row leaves them as they are"
    largest = ", ".join(f"{x:.3g}" for x in moved.amax(dim=-1).tolist())
    return f"the weights are unchanged, and the largest entries are {largest}, not 0"


@exercise
def move_rows(answer: Callable[[Tensor], Tensor]) -> str:
    """Scores whose largest entry in each row is 0, with unchanged weights."""
    cases = [
        normal(3, 4, seed=1) * 3 + 5,
        normal(2, 5, seed=2) - 9,  # every score below 0
        normal(4, 3, seed=3) * 30,
        torch.tensor([[-1.0, -7.0], [-100.0, 50.0], [0.0, 0.0]]),
        normal(1, 6, seed=4).float(),
    ]
    judge(
        answer,
        [{"scores": scores} for scores in cases],
        lambda scores: scores - scores.amax(dim=-1, keepdim=True),
        "the scores",
        {
            "the largest entry of the whole matrix was subtracted, so only one row reaches 0: "
            "use each row's own largest entry (amax(dim=-1, keepdim=True))": (
                lambda scores: scores - scores.max()
            ),
            "each column's largest entry was subtracted; that moves the keys of a row against "
            "each other. Use each row's largest entry, dim=-1": (
                lambda scores: scores - scores.amax(dim=0)
            ),
            "the mean of each row was subtracted; its largest entry is to become 0": (
                lambda scores: scores - scores.mean(dim=-1, keepdim=True)
            ),
            "each row was divided by its largest entry, which changes the weights: subtract it": (
                lambda scores: scores / scores.amax(dim=-1, keepdim=True)
            ),
            "these are the weights; return the scores, moved": (
                lambda scores: scores.softmax(dim=-1)
            ),
        },
        fact=_moved_how,
    )
    return "The largest score of each row is 0, and no weight moved: only differences count."
