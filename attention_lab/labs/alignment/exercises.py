"""Notebook 05: alignment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attention_lab.core import scores as scoring
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, call, name_of

__all__ = ["additive_scores", "alignment_error_rate", "log_probability", "what_is_shown"]


def _additive_problem(
    n_q: int, n_k: int, d_q: int, d_k: int, d_a: int, *lead: int
) -> dict[str, Tensor]:
    return {
        "query": normal(*lead, n_q, d_q, seed=1),
        "key": normal(*lead, n_k, d_k, seed=2),
        "w_query": normal(d_q, d_a, seed=3),
        "w_key": normal(d_k, d_a, seed=4),
        "v": normal(d_a, seed=5),
    }


@exercise
def additive_scores(answer: Callable[..., Tensor]) -> str:
    """``scores(query, key, w_query, w_key, v)``: v . tanh(q W_q + k W_k) for each pair."""

    def apart(query, key, w_query, w_key):
        return (query @ w_query).unsqueeze(-2), (key @ w_key).unsqueeze(-3)

    def pairs(query, key, w_query, w_key):
        return sum(apart(query, key, w_query, w_key))  # (..., n_q, n_k, d_a)

    one = [_additive_problem(2, 4, 3, 5, 6), _additive_problem(3, 2, 4, 4, 1)]
    judge(
        answer,
        one,
        scoring.additive,
        "the scores",
        {
            "the tanh is missing: without it the query adds the same to all its scores": (
                lambda *given: pairs(*given[:4]) @ given[4]
            ),
            "the tanh comes before the sum; add first, then tanh": lambda *given: (
                sum(each.tanh() for each in apart(*given[:4])) @ given[4]
            ),
            "the tanh comes last; v multiplies what comes out of it": (
                lambda *given: (pairs(*given[:4]) @ given[4]).tanh()
            ),
            "the features are summed without v": lambda *given: pairs(*given[:4]).tanh().sum(-1),
            "query and key are multiplied; here they are added": lambda *given: (
                math.prod(apart(*given[:4])).tanh() @ given[4]
            ),
        },
    )
    batches = [
        _additive_problem(2, 4, 3, 5, 6, 7),
        _additive_problem(3, 2, 2, 4, 3, 2, 5),
        _additive_problem(1, 3, 2, 2, 4, 4),
    ]
    judge(answer, [*one, *batches], scoring.additive, "the scores")
    return "One score for each query and key, though d_q and d_k differ."


def _judge_number(
    answer: Callable[..., Any],
    cases: Sequence[Mapping[str, Any]],
    right: Callable[..., Tensor],
    what: str,
    mistakes: Mapping[str, Callable[..., Tensor]],
) -> None:
    """Judge an answer that returns one number, as a float or as a tensor."""
    came = []
    for inputs in cases:
        number = numbers(call(answer, inputs), f"{name_of(answer)} must return one number")
        if number.numel() != 1:
            raise Problem(f"{name_of(answer)} must return one number, not {number.numel()}")
        came.append(number.reshape(()))
    results = iter(came)

    def again(*_: Any) -> Tensor:
        return next(results)

    again.__name__ = name_of(answer)
    judge(again, cases, right, what, mistakes)


@exercise
def alignment_error_rate(answer: Callable[..., Any]) -> str:
    """``aer(weights, sure, possible, least)``: how far links from weights are from an alignment."""
    cases = []
    for n_q, n_k, least in ((3, 4, 0.3), (5, 3, 0.25), (2, 6, 0.2), (6, 6, 0.15), (4, 2, 0.5)):
        weights = normal(n_q, n_k, seed=n_q + n_k).softmax(-1)
        weights[0, -1] = least  # a weight of exactly this size is a link
        sure = torch.zeros(n_q, n_k, dtype=torch.bool)
        sure[range(n_q), [(2 * t + 1) % n_k for t in range(n_q)]] = True
        sure[0] = False  # a written word that has no sure link
        possible = sure | (normal(n_q, n_k, seed=n_q) > 0.4)
        possible[0, -1] = True
        cases.append({"weights": weights, "sure": sure, "possible": possible, "least": least})
    all_sure = torch.eye(3, dtype=torch.bool)
    cases.append({"weights": torch.eye(3), "sure": all_sure, "possible": all_sure, "least": 0.5})

    def counts(weights: Tensor, sure: Tensor, possible: Tensor, least: float) -> tuple[Tensor, ...]:
        links = weights >= least
        found = (links, links & sure, links & possible, sure, possible)
        return tuple(each.double().sum() for each in found)

    def rate(*given: Any) -> Tensor:
        links, in_sure, in_possible, n_sure, _ = counts(*given)
        return 1 - (in_sure + in_possible) / (links + n_sure)

    def only_sure(*given: Any) -> Tensor:
        links, in_sure, _, n_sure, _ = counts(*given)
        return 1 - 2 * in_sure / (links + n_sure)

    def over_possible(*given: Any) -> Tensor:
        links, in_sure, in_possible, _, n_possible = counts(*given)
        return 1 - (in_sure + in_possible) / (links + n_possible)

    def without_least(weights: Tensor, sure: Tensor, possible: Tensor, least: float) -> Tensor:
        return rate(
            weights, sure, possible, torch.nextafter(torch.tensor(least), torch.tensor(1.0))
        )

    def of_the_largest(weights: Tensor, sure: Tensor, possible: Tensor, least: float) -> Tensor:
        links = weights == weights.amax(-1, keepdim=True)
        return rate(links.double(), sure, possible, 0.5)

    _judge_number(
        answer,
        cases,
        rate,
        "the error rate",
        {
            "this is 1 minus the error rate": lambda *given: 1 - rate(*given),
            "the links that are only possible are left out: count |A ∩ P| as well": only_sure,
            "divide by |A| + |S|, not by |A| + |P|": over_possible,
            "a weight of exactly least is a link, too": without_least,
            "these are the links of the largest weights; a link is a weight of at least least": (
                of_the_largest
            ),
        },
    )
    return "It counts a possible link as right, and asks only for the sure ones."


class _Toy:
    """A model that only counts: what comes next depends on all words that it has read.

    Its state is a whole number, and the same call gives the same answer, whoever makes it.
    """

    def __init__(self, n_words: int, shift: float) -> None:
        self.n_words, self.shift = n_words, shift

    def __call__(self, word: Any, state: Any) -> tuple[Tensor, int]:
        if isinstance(word, Tensor) and word.numel() == 1:
            word = word.item()
        if not isinstance(word, int) or not isinstance(state, int):
            raise TypeError(
                "step takes a word as a whole number, and the state that it returned last, "
                f"not {word!r} and {state!r}"
            )
        logits = normal(self.n_words, seed=1000 * state + word) * 2 + self.shift
        return logits, (7 * state + word + 1) % 991


@exercise
def log_probability(answer: Callable[..., Any]) -> str:
    """``log_p(step, state, words, start, end)``: how likely a model finds a given translation."""
    cases = [
        {"step": _Toy(n, shift), "state": state, "words": words, "start": start, "end": end}
        for n, shift, state, words, start, end in (
            (6, 0.0, 3, [4, 5], 1, 2),
            (8, 3.0, 5, [3, 3, 7, 1], 0, 2),
            (5, -4.0, 11, [2], 4, 0),
            (9, 1.0, 2, [8, 6, 5, 6, 1, 3], 7, 4),
            (7, -2.0, 8, [], 1, 6),
        )
    ]

    def log_p(
        step: _Toy, state: int, words: list[int], start: int, end: int,
        *, given: bool = True, keeps: bool = True, ends: bool = True, logits: bool = False,
    ) -> Tensor:  # fmt: skip
        total, word = torch.zeros((), dtype=torch.float64), start
        for wanted in [*words, *([end] if ends else [])]:
            numbers, new = step(word, state)
            state = new if keeps else state
            total = total + (numbers if logits else numbers.log_softmax(-1))[wanted]
            word = wanted if given else numbers.argmax().item()
        return total

    def mean(*given: Any) -> Tensor:
        return log_p(*given) / (len(given[2]) + 1)

    _judge_number(
        answer,
        cases,
        log_p,
        "the log-probability",
        {
            "the <end> is left out: that the phrase ends here has its probability, too": (
                lambda *given: log_p(*given, ends=False)
            ),
            "this is the sum of the logits; take their log_softmax first": (
                lambda *given: log_p(*given, logits=True)
            ),
            "each step must read the given word; here it reads the likeliest one": (
                lambda *given: log_p(*given, given=False)
            ),
            "each step needs the state that the step before returned": (
                lambda *given: log_p(*given, keeps=False)
            ),
            "this is the probability; return its logarithm": lambda *given: log_p(*given).exp(),
            "this is the negative log-probability; leave the minus out": (
                lambda *given: -log_p(*given)
            ),
            "this is the mean over the words; the logarithms are added": mean,
        },
    )
    return "It reads the given words, and says how likely each is after those before it."


STATEMENTS = {
    "A": (
        True,
        "A holds: larger steps brought the model that reads one vector to about nine phrases in "
        "ten",
    ),
    "B": (
        False,
        "B does not: nothing here stayed out of reach of 64 numbers, and nothing longer was tried",
    ),
    "C": (
        False,
        "C does not: with the grammar's own alignment in their place fewer phrases came out right",
    ),
    "D": (
        True,
        "D holds: change the weights of one step, and another word is written",
    ),
    "E": (
        False,
        "E does not: where the adjectives keep their order, the same phrases are as hard",
    ),
    "F": (
        True,
        "F holds: where determiners look changes from seed to seed",
    ),
}


@exercise
def what_is_shown(answer: Any) -> str:
    """The letters of what the measurements of the notebook show."""
    return judge_statements(answer, STATEMENTS)
