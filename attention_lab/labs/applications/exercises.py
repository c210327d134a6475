"""Notebook 16: applications."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.grading.answers import numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, name_of, run
from attention_lab.labs.applications import design as project
from attention_lab.labs.applications import shop
from attention_lab.pictures.style import format_weight

__all__ = [
    "area_under_curve",
    "best_span",
    "contrastive_loss",
    "interests",
    "match_objects",
    "my_mode",
]

GOAL = 0.9  # of the diary


def _whole_numbers(answer: Callable[..., Any], count: int | None) -> Callable[..., Tensor]:
    """Let an answer return a list or tuple of whole numbers, for `judge`."""

    def as_tensor(*given: Any) -> Tensor:
        made = numbers(answer(*given), f"{name_of(answer)} must return whole numbers")
        if count is not None and made.shape != (count,):
            raise Problem(f"{name_of(answer)} must return {count} numbers, not {made.numel()}")
        return made

    as_tensor.__name__ = name_of(answer)
    return as_tensor


def _spans(start: Tensor, end: Tensor, longest: int) -> Tensor:
    """Return the score of each span (i, j), -inf where there is none."""
    n = len(start)
    i, j = torch.arange(n)[:, None], torch.arange(n)[None, :]
    scores = start[:, None] + end[None, :]
    return scores.masked_fill((j < i) | (j - i >= longest), -math.inf)


def _where(scores: Tensor) -> Tensor:
    return torch.tensor(divmod(int(scores.argmax()), scores.shape[1]), dtype=torch.float64)


@exercise
def best_span(answer: Callable[..., Any]) -> str:
    """``span(start, end, longest)``: first and last word of the best answer in a passage."""

    def apart(start: Tensor, end: Tensor, longest: int) -> Tensor:
        return torch.tensor([start.argmax(), end.argmax()], dtype=torch.float64)

    def any_length(start: Tensor, end: Tensor, longest: int) -> Tensor:
        return _where(_spans(start, end, len(start)))

    def one_more(start: Tensor, end: Tensor, longest: int) -> Tensor:
        return _where(_spans(start, end, longest + 1))

    def end_from_start(start: Tensor, end: Tensor, longest: int) -> Tensor:
        i = int(start.argmax())
        return torch.tensor([i, i + int(end[i : i + longest].argmax())], dtype=torch.float64)

    cases = [
        {"start": start, "end": end, "longest": longest}
        for start, end, longest in (
            (torch.tensor([0.0, 5.0, 4.0, -1.0]), torch.tensor([6.0, 0.0, 3.0, 5.0]), 2),
            (-normal(6, seed=1).abs() - 1, -normal(6, seed=2).abs() - 2, 3),
            (normal(9, seed=3), normal(9, seed=4), 2),
            (normal(7, seed=5), normal(7, seed=6), 7),
            (normal(5, seed=7), normal(5, seed=8), 1),
            (normal(12, seed=9), normal(12, seed=10), 4),
        )
    ]
    judge(
        _whole_numbers(answer, 2),
        cases,
        lambda *given: _where(_spans(*given)),
        "the span",
        {
            "first and last word are chosen apart, so the last may stand before the first; the sum "
            "of both is to be largest among the spans that are allowed": apart,
            "spans longer than longest are allowed here": any_length,
            "one word too many: a span from i to j has j - i + 1 words": one_more,
            "the first word is fixed before the last is looked at; the best sum may begin "
            "elsewhere": end_from_start,
        },
    )
    return "The best sum among all spans that are allowed, found as one maximum."


def _gates(query: Tensor, key: Tensor) -> Tensor:
    return (key @ query / math.sqrt(len(query))).sigmoid()


@exercise
def interests(answer: Callable[..., Tensor]) -> str:
    """``pooled(query, key, value, real)``: gated sum over what was seen; no sum of 1 is wanted."""

    def case(n: int, d_k: int, d_v: int, real: list[int], seed: int) -> dict[str, Tensor]:
        return {
            "query": normal(d_k, seed=seed),
            "key": normal(n, d_k, seed=seed + 1),
            "value": normal(n, d_v, seed=seed + 2),
            "real": torch.tensor([bool(x) for x in real]),
        }

    cases = [
        case(3, 4, 2, [1, 1, 0], 1),
        case(5, 2, 3, [1, 0, 1, 1, 1], 4),
        case(2, 9, 1, [1, 1], 7),
        case(4, 3, 4, [0, 0, 0, 0], 10),
        case(6, 5, 5, [1, 0, 0, 0, 0, 1], 13),
    ]

    def right(query: Tensor, key: Tensor, value: Tensor, real: Tensor) -> Tensor:
        return (_gates(query, key) * real) @ value

    def softmax(query: Tensor, key: Tensor, value: Tensor, real: Tensor) -> Tensor:
        scores = (key @ query / math.sqrt(len(query))).masked_fill(~real, -math.inf)
        return scores.softmax(-1).nan_to_num(0.0) @ value

    def mean(query: Tensor, key: Tensor, value: Tensor, real: Tensor) -> Tensor:
        return right(query, key, value, real) / real.sum().clamp(min=1)

    def normed(query: Tensor, key: Tensor, value: Tensor, real: Tensor) -> Tensor:
        gates = _gates(query, key) * real
        return gates @ value / gates.sum().clamp(min=1e-30)

    def half(query: Tensor, key: Tensor, value: Tensor, real: Tensor) -> Tensor:
        return ((key @ query / math.sqrt(len(query))) * real).sigmoid() @ value

    judge(
        answer,
        cases,
        right,
        "the pooled vector",
        {
            "these weights are a softmax and sum to 1: the number of matches is lost": softmax,
            "the gates are divided by their sum, so they sum to 1 again": normed,
            "this is a mean: divided by how many are real, the number of matches is lost": mean,
            "padding is counted: multiply the gates by real": (
                lambda query, key, value, real: _gates(query, key) @ value
            ),
            "a score of 0 is no mask here: sigmoid(0) is a half. Set the gate of padding to 0": (
                half
            ),
            "the scores are not divided by the root of d_k": (
                lambda query, key, value, real: ((key @ query).sigmoid() * real) @ value
            ),
            "the gates are missing: these are scores": (
                lambda query, key, value, real: (key @ query / math.sqrt(len(query)) * real) @ value
            ),
        },
    )
    return "Each item has a gate of its own from 0 to 1, and padding has 0; nothing is shared out."


@exercise
def area_under_curve(answer: Callable[..., Any]) -> str:
    """``area(scores, clicked)``: how often a click has the higher score; equal ones count half."""

    def case(scores: list[float], clicked: list[int]) -> dict[str, Tensor]:
        return {"scores": torch.tensor(scores).double(), "clicked": torch.tensor(clicked).bool()}

    cases = [
        case([0.9, 0.1, 0.4, 0.8], [1, 0, 1, 0]),
        case([-3.0, -1.0, -2.0, -5.0, -4.0], [1, 0, 0, 1, 1]),
        case([1.0, 1.0, 2.0, 0.0, 1.0, 2.0], [1, 0, 1, 0, 0, 0]),
        case([2.0, 2.0, 2.0], [1, 0, 1]),
        case(normal(15, seed=3).tolist(), (normal(15, seed=4) > 0).int().tolist()),
    ]

    def pairs(scores: Tensor, clicked: Tensor) -> tuple[Tensor, Tensor]:
        difference = scores[clicked][:, None] - scores[~clicked][None, :]
        return (difference > 0).double(), (difference == 0).double()

    def counted(half: float) -> Callable[..., Tensor]:
        def share(scores: Tensor, clicked: Tensor) -> Tensor:
            above, equal = pairs(scores, clicked)
            return (above + half * equal).mean()

        return share

    def accuracy(scores: Tensor, clicked: Tensor) -> Tensor:
        return ((scores > 0.5) == clicked).double().mean()

    judge(
        answer,
        cases,
        counted(0.5),
        "the area",
        {
            "pairs of equal scores count nothing here; each counts a half": counted(0.0),
            "pairs of equal scores count as right here; each counts a half": counted(1.0),
            "the pairs are the wrong way round: the click should have the higher score": (
                lambda *given: 1 - counted(0.5)(*given)
            ),
            "this is the accuracy at one half; the area needs no limit, only the order": accuracy,
        },
    )
    big = shop.draw(500, torch.Generator().manual_seed(5))
    again = run(answer, {"scores": big.count.double(), "clicked": big.clicked.bool()}).item()
    if abs(again - shop.auc(big.count.double(), big.clicked)) > 1e-6:
        raise Problem("right for few visits, but not for 500 of the shop, many of them equal")
    return "The share of pairs in the right order: no limit is chosen, and no scale matters."


def _logits(image: Tensor, text: Tensor, scale: float) -> Tensor:
    return scale * F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).mT


@exercise
def contrastive_loss(answer: Callable[..., Any]) -> str:
    """``loss(image, text, scale)``: CLIP's loss of N pairs, mean of both directions."""
    cases = [
        {"image": normal(n, d, seed=n), "text": normal(n, d, seed=n + 50), "scale": scale}
        for n, d, scale in ((3, 4, 2.0), (5, 2, 10.0), (2, 7, 0.5), (8, 3, 14.3), (4, 4, 1.0))
    ]

    def cross(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits, torch.arange(len(logits)))

    def both(logits: Tensor) -> Tensor:
        return (cross(logits) + cross(logits.mT)) / 2

    judge(
        answer,
        cases,
        lambda *given: both(_logits(*given)),
        "the loss",
        {
            "this chooses captions for images only; choose images for captions as well, and take "
            "the mean of the two": lambda *given: cross(_logits(*given)),
            "this chooses images for captions only; choose captions for images as well, and take "
            "the mean of the two": lambda *given: cross(_logits(*given).mT),
            "the two losses are added; take their mean": (lambda *given: 2 * both(_logits(*given))),
            "the vectors do not have length 1 here": (
                lambda image, text, scale: both(scale * image @ text.mT)
            ),
            "the similarities are divided by the scale; multiply": (
                lambda image, text, scale: both(_logits(image, text, 1 / scale))
            ),
            "the scale is missing": lambda image, text, scale: both(_logits(image, text, 1.0)),
        },
    )
    return "Both directions choose among N: ln N where all similarities are equal."


@exercise
def match_objects(answer: Callable[..., Any]) -> str:
    """``match(cost)``: which object each query gets, each once, with the smallest sum."""
    cases = [
        {"cost": cost}
        for cost in (
            torch.tensor([[1.0, 2.0, 9.0], [1.5, 9.0, 4.0], [9.0, 3.0, 8.0]]),
            torch.tensor([[-5.0, -4.0], [-4.9, -1.0]]),
            normal(4, 4, seed=1),
            normal(5, 5, seed=2),
            normal(6, 6, seed=3) - 3,
            normal(1, 1, seed=4),
        )
    ]

    def by_sum(cost: Tensor, choose: Callable[..., Any]) -> Tensor:
        n = len(cost)
        best = choose(
            itertools.permutations(range(n)),
            key=lambda p: sum(cost[i, j].item() for i, j in enumerate(p)),
        )
        return torch.tensor(best, dtype=torch.float64)

    def greedy(cost: Tensor) -> Tensor:
        cost, taken = cost.clone(), []
        for row in cost:
            row[taken] = math.inf
            taken.append(int(row.argmin()))
        return torch.tensor(taken, dtype=torch.float64)

    judge(
        _whole_numbers(answer, None),
        cases,
        lambda cost: by_sum(cost, min),
        "the objects",
        {
            "each query takes its cheapest object, and two queries may take the same": (
                lambda cost: cost.argmin(1).double()
            ),
            "the first query takes its best, then the next: the sum is not the smallest": greedy,
            "this is the largest sum; the smallest is wanted": lambda cost: by_sum(cost, max),
            "this is which query each object gets; which object each query gets is wanted": (
                lambda cost: by_sum(cost.T, min)
            ),
        },
    )
    return "One object for each query and no object twice: the whole sum decides."


@exercise
def my_mode(answer: Any) -> str:
    """A design for the diary: all eight kept, and at least nine answers in ten right."""
    report = project.design(answer, "diary")
    broken = [each for each in report.kept if not each.holds]
    if broken:
        raise Problem(f"it breaks “{broken[0].name}”: {broken[0].says} {broken[0].number:.3g}")
    if report.after < GOAL:
        raise Problem(
            f"all eight are kept, and {report.after:.3f} of the answers are right "
            f"({report.before:.3f} without a mode); {GOAL} are wanted. {_advice(report.mode)}"
        )
    return (
        f"All eight are kept, and {report.after:.3f} of the answers are right, "
        f"{report.before:.3f} without a mode."
    )


def _advice(mode: Any) -> str:
    """Say where the weight lies that is not on the right sentence."""
    model = project.teller()
    drawn = project.DRAWS["diary"](500, torch.Generator().manual_seed(7), 12)
    with torch.no_grad():
        weights = model.look(drawn, mode).weights[:, 0]
    place = torch.arange(12)
    own = place % 2 == 0  # sentences of the first story
    same = drawn.things == drawn.asked[:, None]

    def weight_on(sentences: Tensor) -> str:
        return format_weight((weights * sentences).sum(-1).mean().item())

    return (
        f"The weight on the other story is {weight_on(~own)}, on earlier sentences of the first "
        f"one about the thing {weight_on(own & same & (place < drawn.at[:, None]))}, on its "
        f"sentences about other things {weight_on(own & ~same)}"
    )
