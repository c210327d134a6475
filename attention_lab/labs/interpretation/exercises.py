"""Notebook 15: attention as an explanation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.grading.answers import judge_statements
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, name_of, run, tensor_of

__all__ = [
    "attention_rollout",
    "deletion_effects",
    "induction_score",
    "keeps_the_answer",
    "said_of_heads",
    "weight_times_norm",
]

Function = Callable[..., Any]


# --- other weights, the same answer ---


@exercise
def keeps_the_answer(answer: Function) -> str:
    """``answer(weights, votes, banned)``: other weights with the same answer, or zeros."""
    name = name_of(answer)
    for weights, votes, banned in _banned_cases():
        inputs = {"weights": weights, "votes": votes, "banned": banned}
        said = (weights * votes).sum()
        rest = torch.cat([votes[:banned], votes[banned + 1 :]])
        possible = bool(rest.min() <= said <= rest.max())
        where = f"for votes {_short(votes)}, weights {_short(weights)} and banned = {banned}"
        came = tensor_of(run(answer, inputs), f"what {name} returns").double()
        if came.shape == weights.shape and not came.any():
            if possible:
                raise Problem(
                    f"{name} returned zeros {where}. The answer {said:.3f} lies between the votes "
                    f"{rest.min():.3f} and {rest.max():.3f} of other words, so it can be kept"
                )
            continue
        _hold_to(name, came, inputs, where, possible)
    return "Other weights, the same answer, and zeros only where no weights can give it."


def _banned_cases() -> list[tuple[Tensor, Tensor, int]]:
    """Cases with the target inside, at both sides outside, and a single other word."""
    made = [
        ([0.8, 0.1, 0.1], [4.0, -1.0, 5.0], 0),
        ([0.1, 0.2, 0.6, 0.1], [-3.0, 2.0, 1.5, -0.5], 2),
        ([0.05, 0.9, 0.05], [1.0, 6.0, -2.0], 1),  # nobody else says so much
        ([0.1, 0.1, 0.1, 0.6, 0.1], [2.0, -1.0, 3.0, -7.0, 1.0], 3),  # nor so little
        ([0.25, 0.75], [-2.0, -2.0], 1),
    ]
    cases = [
        (torch.tensor(w, dtype=torch.float64), torch.tensor(v, dtype=torch.float64), banned)
        for w, v, banned in made
    ]
    for n, seed in ((7, 3), (12, 4)):
        cases.append((normal(n, seed=seed).softmax(dim=-1), normal(n, seed=seed + 10), n // 3))
    return cases


def _hold_to(name: str, came: Tensor, inputs: dict, where: str, possible: bool) -> None:
    """Check what an answer's weights must hold."""
    weights, votes, banned = inputs["weights"], inputs["votes"], inputs["banned"]
    if came.shape != weights.shape:
        raise Problem(f"{name} returned {tuple(came.shape)}, wanted is {tuple(weights.shape)}")
    if not came.isfinite().all():
        raise Problem(
            f"{name} returned {_short(came)} {where}: is something divided by zero, as where two "
            "votes are equal?"
        )
    if not possible:
        raise Problem(
            f"{name} returned weights {where}, but no weights without word {banned} give the same "
            "answer: return zeros there"
        )
    if came[banned].abs() > 1e-9:
        raise Problem(f"{name} gives word {banned} the weight {came[banned]:.3f} {where}")
    if (came < -1e-9).any():
        raise Problem(f"{name} gives a negative weight, {came.min():.3f}, {where}")
    if (came.sum() - 1).abs() > 1e-6:
        raise Problem(f"the weights of {name} sum to {came.sum():.3f}, not to 1, {where}")
    said, wanted = (came * votes).sum(), (weights * votes).sum()
    if (said - wanted).abs() > 1e-5:
        raise Problem(f"the answer was {wanted:.3f} and becomes {said:.3f} {where}")


def _short(numbers: Tensor) -> str:
    return "[" + ", ".join(f"{x:.2f}" for x in numbers.tolist()[:6]) + "]"


# --- rollout ---


def _rollout(layers: Tensor, residual: float) -> Tensor:
    n = layers.shape[-1]
    flow = torch.eye(n, dtype=layers.dtype)
    for layer in layers:
        flow = (residual * torch.eye(n, dtype=layers.dtype) + (1 - residual) * layer.mean(0)) @ flow
    return flow


@exercise
def attention_rollout(answer: Function) -> str:
    """``answer(layers, residual)``: (n_layers, h, n, n) -> (n, n)."""

    def reverse(layers: Tensor, residual: float) -> Tensor:
        return _rollout(layers.flip(0), residual)

    def no_residual(layers: Tensor, _residual: float) -> Tensor:
        return _rollout(layers, 0.0)

    def half(layers: Tensor, _residual: float) -> Tensor:
        return _rollout(layers, 0.5)

    def exchanged(layers: Tensor, residual: float) -> Tensor:
        return _rollout(layers, 1 - residual)

    cases = [
        {"layers": normal(2, 1, 3, 3).softmax(-1), "residual": 0.5},
        {"layers": normal(3, 2, 4, 4, seed=1).softmax(-1), "residual": 0.25},
        {"layers": normal(1, 4, 5, 5, seed=2).softmax(-1), "residual": 0.0},
        {"layers": normal(4, 3, 2, 2, seed=3).softmax(-1), "residual": 0.8},
    ]
    judge(
        answer,
        cases,
        _rollout,
        "the rollout",
        {
            "the layers are multiplied in the wrong order: the first one acts first, so it stands "
            "to the right": reverse,
            "the residual path is missing": no_residual,
            "residual is taken as one half, whatever is given": half,
            "residual is the share that goes around the attention, not through it": exchanged,
        },
    )
    return "Every path through every layer, and around it."


# --- deletion ---


@exercise
def deletion_effects(answer: Function) -> str:
    """``answer(model, words)``: how far the output moves without each word, (n,)."""

    def right(model: Function, words: Tensor) -> Tensor:
        own = model(words)
        return torch.stack(
            [own - model(torch.cat([words[:i], words[i + 1 :]])) for i in range(len(words))]
        )

    def signed(model: Function, words: Tensor) -> Tensor:
        return -right(model, words)

    def size(model: Function, words: Tensor) -> Tensor:
        return right(model, words).abs()

    def zeroed(model: Function, words: Tensor) -> Tensor:
        own = model(words)
        found = []
        for i in range(len(words)):
            changed = words.clone()
            changed[i] = 0
            found.append(own - model(changed))
        return torch.stack(found)

    def alone(model: Function, words: Tensor) -> Tensor:
        return torch.stack([model(words[i : i + 1]) for i in range(len(words))])

    cases = [
        {"model": _mean_model(seed), "words": torch.tensor(words)}
        for seed, words in ((0, [3, 1, 2]), (1, [4, 0, 4, 2, 1]), (2, [5, 1]), (3, [2, 2, 3, 0]))
    ]
    judge(
        answer,
        cases,
        right,
        "the effects",
        {
            "the sign is turned round: the effect is the output with the word less the output "
            "without it": signed,
            "the sign is lost: a word that speaks against the answer has a negative effect": size,
            "the word is replaced by word 0 and not taken out": zeroed,
            "that is what each word says alone, not what its absence changes": alone,
        },
    )
    return "One run of the model for each word: the price of a cause."


def _mean_model(seed: int) -> Callable[[Tensor], Tensor]:
    """Return a small model: attention over words by a table, read out through a tanh."""
    scores, values = normal(6, seed=seed), 2 * normal(6, seed=seed + 20)

    def model(words: Tensor) -> Tensor:
        return torch.tanh((scores[words].softmax(dim=-1) * values[words]).sum())

    return model


# --- norms ---


@exercise
def weight_times_norm(answer: Function) -> str:
    """``answer(weights, values)``: (h, n_q, n_k), (h, n_k, d) -> shares (h, n_q, n_k)."""

    def right(weights: Tensor, values: Tensor) -> Tensor:
        sizes = weights * values.norm(dim=-1)[:, None, :]
        return sizes / sizes.sum(dim=-1, keepdim=True)

    def raw(weights: Tensor, values: Tensor) -> Tensor:
        return weights * values.norm(dim=-1)[:, None, :]

    def squared(weights: Tensor, values: Tensor) -> Tensor:
        sizes = weights * values.square().sum(dim=-1)[:, None, :]
        return sizes / sizes.sum(dim=-1, keepdim=True)

    def only(weights: Tensor, _values: Tensor) -> Tensor:
        return weights

    def first(weights: Tensor, values: Tensor) -> Tensor:
        sizes = weights * values[:1].norm(dim=-1)[:, None, :]
        return sizes / sizes.sum(dim=-1, keepdim=True)

    cases = [
        {"weights": normal(1, 2, 3).softmax(-1), "values": normal(1, 3, 4, seed=1)},
        {"weights": normal(2, 4, 4, seed=2).softmax(-1), "values": normal(2, 4, 3, seed=3)},
        {"weights": normal(3, 1, 5, seed=4).softmax(-1), "values": 5 * normal(3, 5, 2, seed=5)},
    ]
    judge(
        answer,
        cases,
        right,
        "the shares",
        {
            "the rows do not sum to 1 yet: divide by their sum": raw,
            "that is the squared length of each value, not its length": squared,
            "the values are not used": only,
            "every head has values of its own, and those of head 0 are used for all": first,
        },
    )
    return "A large weight on a short vector moves little."


# --- a head's score ---


@exercise
def induction_score(answer: Function) -> str:
    """``answer(weights, tokens)``: (n, n), (n,) -> the mean weight on what came next last time."""

    def targets(tokens: Tensor) -> list[tuple[int, int]]:
        listed = tokens.tolist()
        return [
            (q, max(k for k in range(q) if listed[k] == listed[q]))
            for q in range(len(listed))
            if listed[q] in listed[:q]
        ]

    def mean_of(shift: int, last: bool = True) -> Callable[..., Tensor]:
        def score(weights: Tensor, tokens: Tensor) -> Tensor:
            pairs = targets(tokens)
            if not last:
                pairs = [(q, tokens.tolist().index(tokens[q].item())) for q, _ in pairs]
            return torch.stack([weights[q, k + shift] for q, k in pairs]).mean()

        return score

    def all_queries(weights: Tensor, tokens: Tensor) -> Tensor:
        return torch.stack([weights[q, k + 1] for q, k in targets(tokens)]).sum() / len(tokens)

    cases = [
        {"weights": _causal(n, seed), "tokens": torch.tensor(tokens)}
        for seed, (n, tokens) in enumerate(
            [
                (6, [5, 7, 9, 5, 7, 9]),
                (5, [1, 2, 1, 3, 2]),
                (8, [4, 4, 2, 4, 6, 2, 4, 1]),
                (7, [3, 0, 3, 1, 3, 0, 2]),
            ]
        )
    ]
    judge(
        answer,
        cases,
        mean_of(1),
        "the score",
        {
            "that is the weight on the same token, one before what came next": mean_of(0),
            "where a token came more than once before, the last time counts": mean_of(1, False),
            "the mean is over all queries, also those whose token is new": all_queries,
        },
    )
    return "The score of notebook 11, for any text."


def _causal(n: int, seed: int) -> Tensor:
    scores = normal(n, n, seed=seed)
    return scores.masked_fill(~torch.ones(n, n).tril().bool(), -torch.inf).softmax(dim=-1)


# --- what may be said ---

STATEMENTS = {
    "A": (
        True,
        "A holds: four others, drawn 20 times, never did a third of the harm",
    ),
    "B": (
        False,
        "B does not: the head looks at the right name, but the model hardly answers better than by "
        "a guess, so nothing that is switched off could show it",
    ),
    "C": (
        False,
        "C does not: moved to other places at random, the weights of the look-up give a guess",
    ),
    "D": (
        True,
        "D holds: without the keyword the model says its default, which is that class",
    ),
    "E": (
        False,
        "E does not: four heads drawn at random raised it as much, once in ten",
    ),
    "F": (
        True,
        "F holds: another token in that place draws as much, and the old one elsewhere does not",
    ),
}


@exercise
def said_of_heads(answer: object) -> str:
    """A string with the letters of the statements that the measurements support."""
    return judge_statements(answer, STATEMENTS)
