"""Notebook 03: the worked example."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.attention import attention
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, call, name_of, returned, three_tensors

__all__ = [
    "ask_both",
    "find_query",
    "next_in_circle",
    "repaired_derivation",
    "true_statements",
]

Made = Callable[..., Tensor]


def _two_sequences(n_q: int, n_k: int, d: int, d_k: int, d_v: int, *lead: int) -> dict[str, Tensor]:
    """Tokens of a decoder and of an encoder, and three matrices, by the names of the exercise."""
    shapes = {
        "decoder": (*lead, n_q, d),
        "encoder": (*lead, n_k, d),
        "W_Q": (d, d_k),
        "W_K": (d, d_k),
        "W_V": (d, d_v),
    }
    return {name: normal(*shape, seed=i) for i, (name, shape) in enumerate(shapes.items())}


def _made_of(
    query: str = "decoder",
    found: str = "both",
    weights: Made = lambda s, k: (s / math.sqrt(k.shape[-1])).softmax(-1),
    turned: Made = lambda k: k.transpose(-2, -1),
) -> Made:
    """Make an output of the two sequences, with one thing done otherwise."""

    def make(decoder: Tensor, encoder: Tensor, W_Q: Tensor, W_K: Tensor, W_V: Tensor) -> Tensor:
        tokens = {
            "decoder": decoder,
            "encoder": encoder,
            "both": torch.cat([encoder, decoder], dim=-2),
        }
        q, k, v = tokens[query] @ W_Q, tokens[found] @ W_K, tokens[found] @ W_V
        return weights(q @ turned(k), k) @ v

    return make


def _two_rounds(times: float) -> Made:
    """Attend to each sequence by itself, and add what came out."""
    return lambda *inputs: (
        times * (_made_of(found="encoder")(*inputs) + _made_of(found="decoder")(*inputs))
    )


# what typical mistakes give, by the message each deserves
WRONG_OUTPUTS: dict[str, Made] = {
    "only the encoder is asked: the decoder's own tokens have keys and values, too": _made_of(
        found="encoder"
    ),
    "only the decoder's own tokens are asked: that is self-attention. The encoder's have keys and "
    "values, too": _made_of(found="decoder"),
    "each sequence has a softmax of its own, and the two outputs are added, so each query hands "
    "out 2 in all. Join the keys first: one softmax over all of them": _two_rounds(1.0),
    "each sequence has a softmax of its own, so each gets half of the weight, whatever fits. Join "
    "the keys first: one softmax over all of them": _two_rounds(0.5),
    "the scores are not scaled: divide them by √d_k before the softmax": _made_of(
        weights=lambda s, k: s.softmax(-1)
    ),
    "the scores are divided by d_k; divide by √d_k, its square root": _made_of(
        weights=lambda s, k: (s / k.shape[-1]).softmax(-1)
    ),
    "the scores are multiplied by √d_k; divide by it": _made_of(
        weights=lambda s, k: (s * math.sqrt(k.shape[-1])).softmax(-1)
    ),
    "the scores are scaled by √(n_q + n_k); d_k is the number of features of a key, its last "
    "axis": _made_of(weights=lambda s, k: (s / math.sqrt(k.shape[-2])).softmax(-1)),
    "the softmax runs over the queries (its columns sum to 1); each query shares its weight among "
    "the keys, dim=-1": _made_of(weights=lambda s, k: (s / math.sqrt(k.shape[-1])).softmax(-2)),
    "there is no softmax: the scores themselves were used as weights": _made_of(
        weights=lambda s, k: s / math.sqrt(k.shape[-1])
    ),
    "the scale came after the softmax; it belongs to the scores, before it": _made_of(
        weights=lambda s, k: s.softmax(-1) / math.sqrt(k.shape[-1])
    ),
    "the exponentials are not divided by the sum of their row": _made_of(
        weights=lambda s, k: (s / math.sqrt(k.shape[-1])).exp()
    ),
}


@exercise
def ask_both(answer: Callable[..., Tensor]) -> str:
    """``ask_both(decoder, encoder, W_Q, W_K, W_V)``: one softmax over the tokens of both."""
    # d is the number of features of a token: the scale is that of d_k, another number
    plain = [
        _two_sequences(2, 5, 7, 3, 4),
        _two_sequences(3, 4, 6, 5, 2),
        _two_sequences(5, 5, 4, 2, 3),
    ]
    leading = [_two_sequences(3, 4, 5, 2, 7, 2), _two_sequences(3, 4, 5, 2, 6, 2, 5)]
    right = _made_of()
    of_tokens = {
        "the scores are divided by √d, with the number of features of a token; d_k is that of a "
        "key": lambda *inputs: _made_of(
            weights=lambda s, k: (s / math.sqrt(inputs[0].shape[-1])).softmax(-1)
        )(*inputs),
    }
    judge(answer, plain, right, "the outputs", {**WRONG_OUTPUTS, **of_tokens})
    turned = {
        "right for one sequence, but not with leading axes: K.transpose(-2, -1) swaps only the "
        "last two axes, K.T swaps all": _made_of(turned=_all_turned),
    }
    judge(answer, [*plain, *leading], right, "the outputs", turned)
    large = [
        {name: 20 * each if "W" in name else each for name, each in inputs.items()}
        for inputs in (plain[1], leading[0])
    ]
    judge(answer, [*plain, *leading, *large], right, "the outputs")
    return "One softmax over the tokens of both, with leading axes too. Their order does not count."


def _all_turned(K: Tensor) -> Tensor:
    """What K.T gives: all axes the other way round."""
    return K.permute(*reversed(range(K.ndim)))


def _step(name: str) -> Made:
    return lambda Q, K, V: getattr(attention(Q.T, K.T, V.T), name)


# what each formula gives, and the mistakes that are told apart
FORMULAS: tuple[tuple[Made, dict[str, Made]], ...] = (
    (
        _step("scaled"),
        {
            "the scale is still missing: divide by √d_k": _step("scores"),
            "the scores are divided by d_k; divide by √d_k, its square root": (
                lambda Q, K, V: Q.T @ K / len(K)
            ),
            "the scores are divided by √n_k; d_k is the number of rows here, K.shape[0]": (
                lambda Q, K, V: Q.T @ K / math.sqrt(K.shape[1])
            ),
            "the scores have a row for each key; a row is a query": (
                lambda Q, K, V: K.T @ Q / math.sqrt(len(K))
            ),
            "the scores are not a matrix: there is one score for each pair of a query and a key": (
                lambda Q, K, V: (Q * K).sum()
            ),
        },
    ),
    (
        _step("weights"),
        {
            "one sum for the whole matrix; each row needs its own": lambda Q, K, V: (
                _step("scaled")(Q, K, V).flatten().softmax(0).reshape(Q.shape[1], -1)
            ),
            "the softmax runs over the queries; each row must sum to 1": lambda Q, K, V: _step(
                "scaled"
            )(Q, K, V).softmax(0),
            "the exponentials are not divided by their sum": lambda Q, K, V: _step("scaled")(
                Q, K, V
            ).exp(),
        },
    ),
    (
        lambda Q, K, V: _step("output")(Q, K, V).T,
        {
            "the outputs stand below each other, one in a row; they are columns here, as the "
            "tokens are": _step("output"),
            "each weight goes with its own value, sum over j of w_ij v_j; here the weights were "
            "summed first": lambda Q, K, V: (
                V.sum(1, keepdim=True) * _step("weights")(Q, K, V).sum(-1)
            ),
        },
    ),
)


@exercise
def repaired_derivation(answer: Callable[..., Any]) -> str:
    """A function that returns (scores, weights, output) of tokens that stand side by side."""
    sizes = [(3, 4, 5, 6), (2, 6, 3, 4), (5, 2, 4, 3), (4, 3, 2, 1), (1, 3, 2, 6)]
    names = ("the scores", "the weights", "the output")
    cases, made = [], []
    for n_q, n_k, d_k, d_v in sizes:
        shapes = {"Q": (d_k, n_q), "K": (d_k, n_k), "V": (d_v, n_k)}
        case = {name: normal(*shape, seed=ord(name)) for name, shape in shapes.items()}
        result = call(answer, case)
        made.append(three_tensors(result, answer, "(scores, weights, output)", names))
        cases.append(case)
    for k, (name, (right, mistakes)) in enumerate(zip(names, FORMULAS, strict=True)):
        results = iter(made)

        def formula(Q: Tensor, K: Tensor, V: Tensor, k: int = k, results=results) -> Tensor:
            return next(results)[k]

        formula.__name__ = f"formula {k + 1}"
        told = {f"formula {k + 1}: {said}": mistake for said, mistake in mistakes.items()}
        judge(formula, cases, right, f"of formula {k + 1} {name}", told)
    return "Scores with their scale, a softmax for each row, and w_ij with its own v_j."


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


CIRCLE_WEIGHT = 0.9


@exercise
def next_in_circle(answer: Callable[..., Any]) -> str:
    """``next_in_circle(n)`` gives W_Q and W_K with which each token finds the next one."""
    for n in (3, 4, 7, 2, 50):
        _judge_circle(answer, n)
    return (
        "Each token finds the next, and the last the first, in circles of 2, 3, 4, 7 and 50. No "
        "single "
        "matrix does that: its scores are the same in both directions."
    )


def _judge_circle(answer: Callable[..., Any], n: int) -> None:
    name, pair = name_of(answer), returned(answer, {"n": n})
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise Problem(f"{name} must return the pair (W_Q, W_K)")
    W_Q, W_K = (numbers(each, f"{name}({n}) must return two matrices") for each in pair)
    if W_Q.ndim != 2 or W_Q.shape != W_K.shape or len(W_Q) != n or not W_Q.shape[1]:
        raise Problem(
            f"for n = {n} W_Q and W_K must both have the shape ({n}, d_k), with one d_k; they have "
            f"{tuple(W_Q.shape)} and {tuple(W_K.shape)}"
        )
    # the tokens are the rows of the unit matrix, so their queries are the rows of W_Q
    weights = attention(W_Q, W_K, W_K).weights
    tokens = torch.arange(n)
    found = weights[tokens, (tokens + 1) % n]
    if bool((found >= CIRCLE_WEIGHT).all()):
        return
    begins = f"for n = {n} "
    if torch.equal(W_Q, W_K):
        raise Problem(
            f"{begins}W_Q and W_K are the same: then token i scores token j as j scores i, and the "
            "next as well as the one before"
        )
    if n > 2 and bool((weights[tokens, (tokens - 1) % n] >= CIRCLE_WEIGHT).all()):
        raise Problem(f"{begins}each token finds the one before it; turn the circle round")
    if bool((weights.diagonal() >= CIRCLE_WEIGHT).all()):
        raise Problem(f"{begins}each token finds itself; it should find the next one")
    i = int((~(found >= CIRCLE_WEIGHT)).nonzero()[0])  # nan, too
    most = int(weights[i].argmax())
    if most == (i + 1) % n and bool((weights.argmax(-1) == (tokens + 1) % n).all()):
        raise Problem(
            f"{begins}every token prefers the next one, but not enough: the weight of token {i} on "
            f"token {most} is {weights[i, most]:.3f}; larger numbers make it sharper"
        )
    raise Problem(
        f"{begins}token {i} gives the weight {found[i]:.3f} to token {(i + 1) % n}, and it should "
        f"be {CIRCLE_WEIGHT} or more"
    )


@exercise
def true_statements(answer: Any) -> str:
    """The letters of the true statements about the worked example."""
    return judge_statements(
        answer,
        {
            "A": (True, "A is true: the weight is 1, so the output is V, and doubles with it"),
            "B": (
                False,
                "B is false: each of the two keys gets the weight 1/2, and the output is the mean "
                "of two equal values",
            ),
            "C": (
                False,
                "C is false: query i gets i + 1 more on each of its scores, and a softmax does not "
                "see what is added to a whole row: 8.575, 8.851 and 8.948 again",
            ),
            "D": (
                True,
                "D is true: scores twice as large are scores at half the temperature: 8.851, "
                "8.981 and 8.998 either way",
            ),
            "E": (
                True,
                "E is true: the weights of a row stand the other way round, and 7 and 9 lie as far "
                "from 8: 7.425, 7.149 and 7.052",
            ),
            "F": (
                True,
                "F is true: with the signs turned each query prefers the key 4, whose value is 7: "
                "7.425, 7.149 and 7.052",
            ),
        },
    )
