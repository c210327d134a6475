"""Notebook 05: alignment."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core import scores as scoring
from attention_lab.grading.answers import letters_in, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.compare import compare
from attention_lab.grading.feedback import Problem, call, name_of, returned, run

__all__ = ["additive_scores", "alignment_score", "greedy_decoding", "order_of_papers"]


def _additive_problem(*lead: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return {
        "query": normal(*lead, 2, 3),
        "key": normal(*lead, 4, 5),
        "w_query": normal(3, 6),
        "w_key": normal(5, 6),
        "v": normal(6),
    }


@exercise
def additive_scores(answer: Callable[..., Tensor]) -> str:
    """``scores(query, key, w_query, w_key, v)``: v . tanh(q W_q + k W_k) for each pair."""
    given = _additive_problem()
    q, k = given["query"] @ given["w_query"], given["key"] @ given["w_key"]
    pairs = q[:, None] + k[None, :]  # (2, 4, 6)
    compare(
        run(answer, given, (2, 4)),
        scoring.additive(**given),
        "the scores",
        {
            "the tanh is missing: without it the query adds the same to all its scores": (
                pairs @ given["v"]
            ),
            "the tanh comes before the sum; add first, then tanh": (
                (q.tanh()[:, None] + k.tanh()[None, :]) @ given["v"]
            ),
            "the tanh comes last; v multiplies what comes out of it": (pairs @ given["v"]).tanh(),
            "the features are summed without v": pairs.tanh().sum(-1),
            "query and key are multiplied; here they are added": (
                (q[:, None] * k[None, :]).tanh() @ given["v"]
            ),
        },
    )
    deep = _additive_problem(7)
    try:
        result = run(answer, deep, (7, 2, 4))
    except Problem as problem:
        raise Problem(
            "right for one sentence, but not for a batch: insert the new axes from the right, "
            f"[..., :, None, :] and [..., None, :, :]. {problem}"
        ) from None
    compare(result, scoring.additive(**deep), "the scores of a batch")
    return "One score for each query and key, though d_q and d_k differ."


@exercise
def alignment_score(answer: Callable[..., Any]) -> str:
    """``score(weights, gold)``: the share of written words that look most at their source."""
    weights = torch.tensor(
        [
            [0.7, 0.2, 0.1, 0.0, 0.0],
            [0.1, 0.1, 0.35, 0.45, 0.0],
            [0.1, 0.2, 0.6, 0.1, 0.0],
            [0.22, 0.2, 0.2, 0.19, 0.19],
        ]
    )
    for gold, right in (([0, 2, 1, 2], 0.25), ([0, 3, 2, 0], 1.0), ([1, 0, 0, 1], 0.0)):
        given = torch.tensor(gold)
        came = numbers(
            call(answer, {"weights": weights, "gold": given}),
            f"{name_of(answer)} must return one number",
        )
        if came.numel() != 1:
            raise Problem(f"{name_of(answer)} must return one number, not {came.numel()}")
        best = weights.argmax(-1)
        mistakes = {
            "this is the mean weight on the right word; count the words whose largest weight is "
            "there": weights[torch.arange(4), given].mean().item(),
            "this counts the words; divide by their number": float((best == given).sum()),
            "the largest weight is taken over the queries (dim=0); each written word is a row": (
                (weights.argmax(0)[:4] == given).double().mean().item()
            ),
            "divide by the number of written words, not of source words": (
                float((best == given).sum()) / weights.shape[1]
            ),
        }
        if abs(came.item() - right) < 1e-6:
            continue
        for message, wrong in mistakes.items():
            if abs(came.item() - wrong) < 1e-6:
                raise Problem(message)
        raise Problem(f"for gold = {gold} the score is {right:g}, and {came.item():.4g} came out")
    return "It counts the largest weight of each row, as the cell above does."


@exercise
def greedy_decoding(answer: Callable[..., Any]) -> str:
    """``decode(step, state, start, end, max_new_tokens)``: the likeliest word, up to the end."""
    words_read: list[int] = []

    def read(word: Any) -> int:
        if not isinstance(word, int) and not (isinstance(word, Tensor) and word.numel() == 1):
            raise TypeError(f"step takes a word as a whole number, not {word!r}")
        words_read.append(int(word))
        if len(words_read) > 500:
            raise RuntimeError(
                "step was called 500 times: stop after max_new_tokens words, end or not"
            )
        return int(word)

    def counting(word: int, state: int) -> tuple[Tensor, int]:
        """Writes 3, 4, 5, then the end (2); the state counts, the word must be the last one."""
        word = read(word)
        logits = torch.zeros(6)
        following = {1: 3, 3: 4, 4: 5, 5: 2}.get(word, 3)
        logits[following] = 1.0 + state
        return logits, state + 1

    def by_state(word: int, state: int) -> tuple[Tensor, int]:
        """Never ends: the word depends on the state alone, 3, 4, 5, 3, 4, ..."""
        read(word)
        logits = torch.zeros(6)
        logits[3 + state % 3] = 1.0
        return logits, state + 1

    def at_once(word: int, state: int) -> tuple[Tensor, int]:
        return torch.tensor([0.0, 0.0, 1.0, 0.5]), state

    cases = {
        "a model that counts": (counting, 20, [3, 4, 5]),
        "a model that never ends": (by_state, 7, [3, 4, 5, 3, 4, 5, 3]),
        "a model that ends at once": (at_once, 5, []),
    }
    for what, (step, most, right) in cases.items():
        words_read.clear()
        given = {"step": step, "state": 0, "start": 1, "end": 2, "max_new_tokens": most}
        result = returned(answer, given)
        try:
            came = [int(word) for word in result]
        except (TypeError, ValueError):
            raise Problem(
                "return the list of the words (their numbers), without start and end"
            ) from None
        if came == right:
            continue
        if came == [*right, 2]:
            raise Problem(f"{what}: the end is no word of the answer; leave it out")
        if came == [1, *right]:
            raise Problem(f"{what}: the start is no word of the answer; leave it out")
        if len(came) > most:
            raise Problem(f"{what}: {len(came)} words came, though max_new_tokens = {most}")
        if set(words_read) == {1} and len(words_read) > 1:
            raise Problem(f"{what}: step was always given the start; give it the word just written")
        if what.endswith("ends") and len(set(came)) == 1:
            raise Problem(f"{what}: the state stays the same; keep the one that step returns")
        raise Problem(f"{what}: {right} is right, and {came} came out")
    return "It feeds back its own words and the state, stops at the end, and never runs on."


@exercise
def order_of_papers(answer: Any) -> str:
    """The letters of six papers, oldest first."""
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
