"""Notebook 05: alignment."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core import scores as scoring
from attention_lab.grading.answers import letters_in, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, call, name_of, returned

__all__ = ["additive_scores", "alignment_score", "greedy_decoding", "order_of_papers"]


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


def _share(best: Tensor, gold: Tensor) -> Tensor:
    return (best == gold).double().mean()


@exercise
def alignment_score(answer: Callable[..., Any]) -> str:
    """``score(weights, gold)``: the share of written words that look most at their source."""
    cases = []
    for n_q, n_k, gold in (
        (4, 5, [0, 2, 1, 2]),
        (3, 6, [5, 5, 0]),
        (5, 2, [1, 0, 0, 1, 1]),
        (7, 4, [3, 0, 1, 2, 3, 3, 0]),
        (1, 3, [2]),
    ):
        weights = normal(n_q, n_k, seed=n_q).softmax(-1)
        weights[-1] = weights[-1].sort().values  # a word that looks most at the last of the source
        cases.append({"weights": weights, "gold": torch.tensor(gold)})
    cases.append({"weights": torch.eye(3), "gold": torch.tensor([0, 1, 2])})
    cases.append({"weights": torch.eye(3), "gold": torch.tensor([1, 2, 0])})

    def number(weights: Tensor, gold: Tensor) -> Tensor:
        came = numbers(
            call(answer, {"weights": weights, "gold": gold}),
            f"{name_of(answer)} must return one number",
        )
        if came.numel() != 1:
            raise Problem(f"{name_of(answer)} must return one number, not {came.numel()}")
        return came.reshape(())

    judge(
        number,
        cases,
        lambda weights, gold: _share(weights.argmax(-1), gold),
        "the share",
        {
            "this is the mean weight on the right word; count the words whose largest weight is "
            "there": lambda w, gold: w.double().gather(1, gold[:, None]).mean(),
            "this counts the words; divide by their number": lambda w, gold: (
                (w.argmax(-1) == gold).double().sum()
            ),
            "the largest weight is taken over the queries (dim=0); each written word is a row": (
                lambda w, gold: _share(w.argmax(0)[: len(gold)], gold[: w.shape[1]])
            ),
            "divide by the number of written words, not of source words": lambda w, gold: (
                (w.argmax(-1) == gold).double().sum() / w.shape[1]
            ),
        },
    )
    return "It counts the largest weight of each row, as the cell above does."


class _Toy:
    """A model whose likeliest word is known, and that says what is wrong with how it is asked.

    Its state is a string; what it is called with must be the word it wrote last, and its own state.
    """

    def __init__(self, text: list[int], start: int, state: str, lowest: float) -> None:
        self.text, self.start, self.state, self.lowest = text, start, state, lowest
        self.calls, self.problem = 0, ""

    def __call__(self, word: Any, state: Any) -> tuple[Tensor, str]:
        if isinstance(word, Tensor) and word.numel() == 1:
            word = word.item()
        try:
            word = operator.index(word)
        except TypeError:
            raise TypeError(f"step takes a word as a whole number, not {word!r}") from None
        n, self.calls = self.calls, self.calls + 1
        before = self.start if n == 0 else self.text[(n - 1) % len(self.text)]
        if not self.problem and word != before:
            what = "the start" if n == 0 else "the word written last"
            also = ", the start again" if n and word == self.start else ""
            self.problem = (
                f"call {n} of step was given the word {word}{also}, and {what} is {before}"
            )
        if not self.problem and state != f"{self.state}{n or ''}":
            what = "the state that was given" if n == 0 else "the one that step returned last"
            self.problem = f"call {n} of step was given another state than {what}"
        if self.calls > 300:
            raise RuntimeError(
                "step was called 300 times: stop after max_new_tokens words, end or not"
            )
        # the likeliest word, though another has the largest absolute value
        logits = self.lowest - torch.arange(12.0).flip(0) % 5 - 1
        logits[self.text[n % len(self.text)]] = self.lowest
        return logits, f"{self.state}{n + 1}"


@exercise
def greedy_decoding(answer: Callable[..., Any]) -> str:
    """``decode(step, state, start, end, max_new_tokens)``: the likeliest word, up to the end."""
    # text, start, end, state, most, the largest logit
    cases = (
        ([3, 4, 5, 2], 1, 2, "s", 20, 1.0),
        ([3, 4, 5], 1, 2, "s", 7, 0.5),  # never ends
        ([2], 1, 2, "t", 5, -1.0),  # ends at once
        ([1, 1, 6, 6, 2, 0], 7, 0, "u", 30, -3.0),  # words may repeat, and be 1 and 2
        ([9, 10, 4, 11], 0, 11, "v", 3, -0.1),  # the limit comes first
        ([8, 3, 5], 2, 5, "w", 2, 4.0),
        ([5, 8, 6, 9], 8, 9, "y", 9, -2.0),  # the start may be written
        ([4, 5], 3, 9, "x", 0, 1.0),
    )
    for text, start, end, state, most, lowest in cases:
        model = _Toy(text, start, state, lowest)
        given = {"step": model, "state": state, "start": start, "end": end, "max_new_tokens": most}
        forever = text * (most // len(text) + 1)
        right = (forever[: forever.index(end)] if end in forever else forever)[:most]
        what = f"a model that writes {text[:5]}, start = {start}, end = {end}, limit {most}"
        try:
            came = [int(word) for word in returned(answer, given)]
        except (TypeError, ValueError):
            raise Problem(
                "return the list of the words (their numbers), without start and end"
            ) from None
        if model.problem:
            raise Problem(f"{what}: {model.problem}")
        if came == right:
            continue
        if came == [*right, end]:
            raise Problem(f"{what}: the end is no word of the answer; leave it out")
        if came == [start, *right]:
            raise Problem(f"{what}: the start is no word of the answer; leave it out")
        if len(came) > most:
            raise Problem(f"{what}: {len(came)} words came, though max_new_tokens = {most}")
        raise Problem(f"{what}: {right} is right, and {came} came out")
    return "It feeds back its own words and the state, stops at the end, and never runs on."


@exercise
def order_of_papers(answer: Any) -> str:
    """The letters of six papers, oldest first."""
    if hasattr(answer, "tolist"):  # an array
        answer = answer.tolist()
    if not isinstance(answer, (str, list, tuple)):
        raise Problem("write the six letters in their order, as in “ABCDEF”")
    letters = [c for c in ("".join(map(str, answer))).upper() if c.isalpha()]
    letters_in(letters, "ABCDEF")
    if len(letters) != 6 or len(set(letters)) != 6:
        raise Problem(f"each of the six letters once; there are {''.join(letters)}")
    years = {"C": 1964, "E": 2013, "A": 2014.5, "F": 2014.9, "B": 2015, "D": 2017}
    for earlier, later in itertools.pairwise(letters):
        if years[earlier] > years[later]:
            raise Problem(f"{earlier} is younger than {later}: compare them in the table")
    return "1964, 2013, June 2014, September 2014, 2015, 2017."
