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
from attention_lab.grading.compare import compare, same
from attention_lab.grading.feedback import Problem, call, run, three_tensors

__all__ = [
    "choose_query",
    "move_rows",
    "softmax_formula",
    "stable_softmax",
    "three_scores",
]


@exercise
def stable_softmax(answer: Callable[[Tensor], Tensor]) -> str:
    """A softmax over the last axis that survives large scores and -inf."""
    scores = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, -1.0]], dtype=torch.float64)
    shifted = scores - scores.amax(dim=-1, keepdim=True)
    powers = scores.exp()
    shifted_late = powers - powers.amax(dim=-1, keepdim=True)
    compare(
        run(answer, {"scores": scores}, (2, 3)),
        scores.softmax(dim=-1),
        "the weights",
        {
            "the columns sum to 1, not the rows: the softmax runs over the queries. Each query "
            "shares its weight among the keys, the last axis (dim=-1)": scores.softmax(dim=0),
            "all the numbers together sum to 1: divide each row by its own sum "
            "(dim=-1, keepdim=True)": powers / powers.sum(),
            "these are exponentials that are not divided by their sum": powers,
            "the largest score was subtracted, and the exponentials are still not divided by "
            "their sum": shifted.exp(),
            "this is the logarithm of the weights": scores.log_softmax(dim=-1),
            "a constant was subtracted after the exponential; subtract it from the scores "
            "before": shifted_late / shifted_late.sum(dim=-1, keepdim=True),
        },
    )
    row = torch.tensor([1000.0, 1001.0])
    large = run(answer, {"scores": row}, (2,))
    if not large.isfinite().all():
        raise Problem(
            "[1000., 1001.] gives nan: e^1000 is too large for the computer (inf), and inf / inf "
            "is nan. Subtract the largest score of the row first; that changes no weight"
        )
    compare(large, row.softmax(dim=-1), "the weights of [1000., 1001.]")
    for pair in ([1000.0, 0.0], [0.0, 1000.0], [-1000.0, -1001.0]):
        row = torch.tensor(pair)
        if not same(run(answer, {"scores": row}, (2,)), row.softmax(dim=-1)):
            raise Problem(
                f"{pair} does not give the right weights: subtract the largest score of the row, "
                "so that no exponent is above 0"
            )
    apart = torch.tensor([[0.0, 1.0], [1000.0, 1001.0]])
    if not same(run(answer, {"scores": apart}, (2, 2)), apart.softmax(dim=-1)):
        raise Problem(
            "[[0., 1.], [1000., 1001.]] gives a row that is not a softmax: subtract the largest "
            "score of each row from that row (amax(dim=-1, keepdim=True)), not one for all"
        )
    deep = torch.arange(12.0, dtype=torch.float64).reshape(2, 3, 2).sin()
    compare(
        run(answer, {"scores": deep}, (2, 3, 2)),
        deep.softmax(dim=-1),
        "the weights of scores of shape (2, 3, 2)",
    )
    hidden = torch.tensor([-math.inf, 0.0])
    if not same(run(answer, {"scores": hidden}, (2,)), torch.tensor([0.0, 1.0])):
        raise Problem("[-inf, 0.] must give [0., 1.]: e^-inf is 0, a hidden key")
    return (
        "The rows sum to 1, [1000, 1001] gives [0.269, 0.731], and a key with the score -inf "
        "gets exactly 0."
    )


@exercise
def three_scores(answer: Callable[..., Any]) -> str:
    """A function that returns the dot, the scaled dot and the general scores."""
    _judge_scores(answer, ())
    _judge_scores(answer, (7,))
    return "Three scoring functions, one score for each query and key, with leading axes too."


def _judge_scores(answer: Callable[..., Any], lead: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    n_q, n_k, d_k = 2, 3, 5
    query = torch.randn(*lead, n_q, d_k, generator=generator, dtype=torch.float64)
    key = torch.randn(*lead, n_k, d_k, generator=generator, dtype=torch.float64)
    M = torch.randn(d_k, d_k, generator=generator, dtype=torch.float64)
    try:
        result = call(answer, {"query": query, "key": key, "M": M})
    except Problem as problem:
        if not lead:
            raise
        raise Problem(
            f"right for one matrix, but not with a leading axis: use key.transpose(-2, -1), which "
            f"swaps only the last two axes. {problem}"
        ) from None
    dot = query @ key.transpose(-2, -1)
    root = math.sqrt(d_k)
    wanted = {
        "dot": (dot, {}),
        "scaled": (
            dot / root,
            {
                "the scaled scores are not scaled: divide by √d_k": dot,
                "the scaled scores are divided by d_k; divide by √d_k, its square root": dot / d_k,
                "the scaled scores are divided by √n_k; d_k is the number of features of a key, "
                "key.shape[-1]": dot / math.sqrt(n_k),
                "the scaled scores are divided by √n_q; d_k is the number of features of a key, "
                "key.shape[-1]": dot / math.sqrt(n_q),
                "the scaled scores are multiplied by √d_k; divide by it": dot * root,
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
        if came.shape == right.mT.shape:
            raise Problem(
                f"the {name} scores have shape {tuple(came.shape)} for {n_q} queries and {n_k} "
                "keys: a row must belong to a query"
            )
        if came.shape != right.shape:
            raise Problem(
                f"the {name} scores have shape {tuple(came.shape)} for query "
                f"{tuple(query.shape)} and key {tuple(key.shape)}; one score for each pair makes "
                f"{tuple(right.shape)}"
            )
        compare(came, right, f"the {name} scores", mistakes)


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


@exercise
def move_rows(answer: Callable[[Tensor], Tensor]) -> str:
    """Scores whose largest entry in each row is 0, with unchanged weights."""
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(3, 4, generator=generator, dtype=torch.float64) * 3 + 5
    moved = run(answer, {"scores": scores}, (3, 4)).double()
    if moved.isnan().any():
        raise Problem("the scores that came back hold nan (not a number)")
    if same(moved, scores - scores.max()):
        raise Problem(
            "the largest entry of the whole matrix was subtracted, so only one row reaches 0: "
            "use each row's own largest entry (amax(dim=-1, keepdim=True))"
        )
    if same(moved, scores - scores.amax(dim=0)):
        raise Problem(
            "each column's largest entry was subtracted; that moves the keys of a row against "
            "each other. Use each row's largest entry, dim=-1"
        )
    weights = scores.softmax(dim=-1)
    if not same(moved.softmax(dim=-1), weights):
        raise Problem(
            "the weights changed. Only a constant added to a whole row leaves them as they are; "
            "multiplying or dividing does not"
        )
    largest = moved.amax(dim=-1)
    if not torch.allclose(largest, torch.zeros_like(largest), atol=1e-6):
        wrong = ", ".join(f"{x:.3g}" for x in largest.tolist())
        raise Problem(f"the weights are unchanged, but the largest entries are {wrong}, not 0")
    return "The largest score of each row is 0, and no weight moved: only differences count."
