"""Notebook 08: position and permutation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.positions import alibi_bias, alibi_slopes, rotate, sinusoidal
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, returned, run

__all__ = [
    "alibi",
    "needs_positions",
    "position_from_mean",
    "rotary",
    "rotation_of_sines",
    "sines_and_cosines",
]


def _sines(n: int, d_model: int, exponent: float = 1.0, every: bool = False) -> Tensor:
    """Return the table of 8.1 with another exponent, or with one angle for every feature."""
    positions = torch.arange(n, dtype=torch.float64)[:, None]
    features = torch.arange(0, d_model, 1 if every else 2, dtype=torch.float64)
    angles = positions * 10_000.0 ** (-exponent * features / d_model)
    if every:
        return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos())
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


@exercise
def sines_and_cosines(answer: Callable[..., Tensor]) -> str:
    """``positions(n, d_model)``: sines and cosines in turn."""

    def parts(n: int, d: int) -> tuple[Tensor, Tensor]:
        table = sinusoidal(n, d)
        return table[:, 0::2], table[:, 1::2]  # sines, cosines

    judge(
        answer,
        [{"n": n, "d_model": d} for n, d in ((5, 8), (12, 6), (1, 2), (70, 4))],
        sinusoidal,
        "the numbers",
        {
            "all sines stand before all cosines; in the formula they alternate: feature 2i is "
            "a sine, feature 2i + 1 a cosine": lambda n, d: torch.cat(parts(n, d), 1),
            "sine and cosine are the wrong way round: the sine comes first": lambda n, d: (
                torch.stack(parts(n, d)[::-1], dim=-1).flatten(1)
            ),
            "positions count from 0": lambda n, d: sinusoidal(n, d, start=1),
            "the exponent is 2i / d_model for the pair i, and it was doubled once more": (
                lambda n, d: _sines(n, d, exponent=2.0)
            ),
            "a sine and the cosine beside it have the same frequency: the exponent changes "
            "with every pair, not with every feature": lambda n, d: _sines(n, d, every=True),
        },
    )
    return "Sines and cosines of the same angle side by side, for four sizes."


@exercise
def rotation_of_sines(answer: Callable[..., Tensor]) -> str:
    """``rotation(k, d_model)``: R with positions(p + k) = R positions(p)."""
    for k, d in ((7, 8), (1, 4), (0, 6)):
        table = sinusoidal(60, d).double()
        came = run(answer, {"k": k, "d_model": d}, (d, d)).double()

        def error(matrix: Tensor, k: int = k, table: Tensor = table) -> float:
            return (table[: 60 - k] @ matrix.T - table[k:]).abs().max().item()

        if error(came) < 1e-4:
            if not torch.allclose(came @ came.T, torch.eye(d, dtype=torch.float64), atol=1e-4):
                raise Problem("R must only turn: R times its transpose is the identity")
            continue
        if error(came.T) < 1e-4:
            raise Problem(
                f"R turns the wrong way, from place p + {k} back to p. The rows of a pair are "
                "[cos, sin] and [-sin, cos], since the sine comes first"
            )
        raise Problem(
            f"for k = {k} and d_model = {d}, R positions(p) is off positions(p + k) by up to "
            f"{error(came):.3g}. Each pair of features turns by its own angle k · base^(-2i / d)"
        )
    return "The same matrix takes every place p to p + k."


@exercise
def rotary(answer: Callable[..., Tensor]) -> str:
    """``rotate(x, positions)``: each pair of features turned, further for later positions."""

    def in_order(turned: Tensor) -> Tensor:
        """First all first features, then all second ones."""
        return torch.cat([turned[:, 0::2], turned[:, 1::2]], dim=1)

    def by_halves(x: Tensor) -> Tensor:
        """Put feature i and feature i + d / 2 side by side."""
        return torch.stack([x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]], -1).flatten(1)

    cases = [
        {"x": normal(len(at), d, seed=d).to(dtype), "positions": torch.tensor(at)}
        for at, d, dtype in (
            ([0, 1, 2, 3], 6, torch.float32),
            ([20, 21, 22], 8, torch.float32),
            ([7, 0, 40, 3, 3], 4, torch.float64),  # in any order, and some twice
            ([2, 1000], 2, torch.float64),
            ([5], 10, torch.float32),
        )
    ]
    judge(
        answer,
        cases,
        rotate,
        "the numbers",
        {
            "the turns are right, and their features are in another order: put the two of a "
            "pair side by side again, as they were in x": lambda x, at: in_order(rotate(x, at)),
            "positions are given; yours always begin at 0": lambda x, at: rotate(
                x, torch.arange(len(x))
            ),
            "positions are given, and need not follow each other: yours count on from the first": (
                lambda x, at: rotate(x, at[0] + torch.arange(len(x)))
            ),
            "every pair turns the other way round: first · cos - second · sin is the new first": (
                lambda x, at: rotate(x, -at)
            ),
            "you paired feature i with feature i + d / 2; here the pairs are (0, 1), (2, 3) "
            "and so on": lambda x, at: in_order(rotate(by_halves(x), at)),
        },
        fact=_lengths,
    )
    return "Right at any positions, in any order: the score depends on the difference only."


def _lengths(came: Tensor, x: Tensor, positions: Tensor) -> str:
    if not torch.allclose(came.double().norm(dim=1), x.double().norm(dim=1), atol=1e-4):
        return "a turn changes no length, and the lengths of your rows differ"
    return "the lengths of the rows are right, so they are turned, but by other angles or pairs"


@exercise
def alibi(answer: Callable[..., Tensor]) -> str:
    """``alibi(slopes, n)``: what is added to the scores, and -inf for later keys."""

    def signed(slopes: Tensor, n: int) -> Tensor:
        at = torch.arange(n)
        return -slopes[:, None, None] * (at[:, None] - at)  # (n_heads, n, n)

    def hide(bias: Tensor) -> Tensor:
        later = torch.ones(bias.shape[1:], dtype=torch.bool).triu(1)
        return bias.masked_fill(later, -torch.inf)

    def right(slopes: Tensor, n: int) -> Tensor:
        return hide(signed(slopes, n))

    given = ((alibi_slopes(8), 4), (torch.tensor([0.3, 1.0, 0.07]), 5), (alibi_slopes(1), 1))
    judge(
        answer,
        [{"slopes": slopes, "n": n} for slopes, n in given],
        right,
        "the biases",
        {
            "a key far away must be pushed down: the bias is minus the slope times the "
            "distance": lambda slopes, n: hide(-signed(slopes, n)),
            "later keys are not hidden: -inf above the diagonal": signed,
            "later keys are not hidden, they only count as far away: -inf above the diagonal": (
                lambda slopes, n: -signed(slopes, n).abs()
            ),
            "the slopes are given, and others were used": lambda slopes, n: hide(
                alibi_bias(len(slopes), n, n)
            ),
            "rows are queries and columns keys; yours are the other way round": (
                lambda slopes, n: right(slopes, n).mT
            ),
        },
    )
    return "The first head of 8, in the row of query 3: −1.5, −1, −0.5, 0."


TASKS = {
    "A": lambda x: x.max(),
    "B": lambda x: (x == 1).nonzero()[0] < (x == 2).nonzero()[0],
    "C": lambda x: x.sort().values,
    "D": lambda x: x.flip(0),
    "E": lambda x: torch.cat([x.new_zeros(1), x[:-1]]),
    "F": lambda x: (x == 1).double().mean(),
}
PER_TOKEN = {"E"}  # one answer for each token: it must move along with the token


def needing_positions() -> set[str]:
    """Return the tasks whose answer changes when the tokens are reordered."""
    x, order = torch.tensor([3, 1, 4, 2, 0]), torch.tensor([4, 3, 1, 0, 2])
    found = set()
    for letter, task in TASKS.items():
        wanted = task(x)[order] if letter in PER_TOKEN else task(x)
        if not torch.equal(task(x[order]), wanted):
            found.add(letter)
    return found


@exercise
def needs_positions(answer: Any) -> str:
    """The letters of the tasks that cannot be done without positions."""
    right = needing_positions()
    judge_statements(answer, {letter: (letter in right, "") for letter in TASKS})
    return "B, D and E: for the other three a set of tokens is enough."


@exercise
def position_from_mean(answer: Callable[..., Tensor]) -> str:
    """``place(output)``: from 1 / (i + 1), the output of a causal uniform head, back to i."""
    random = torch.Generator().manual_seed(2)
    for count, most, dtype in ((64, 64, torch.float64), (50, 300, torch.float32), (1, 9, None)):
        positions = torch.randint(0, most, (count,), generator=random).double()
        output = (1 / (positions + 1)).to(dtype or torch.float32)
        result = returned(answer, {"output": output})
        came = numbers(result, "return one position for each output, a tensor (n)")
        if came.shape != output.shape:
            raise Problem(
                f"return one position for each output: shape ({count}), not {tuple(came.shape)}"
            )
        # 1 / output in float32 is off by a ten millionth of itself
        near = 1e-6 + 3e-7 * positions
        if count > 1 and ((came - positions - 1).abs() <= near).all():
            raise Problem("positions count from 0: the first token has the output 1")
        if wrong := ((came - positions).abs() > near).nonzero().flatten().tolist():
            at = wrong[0]
            raise Problem(
                f"for the output {output[at].item():.6g} ({output.dtype}) you give "
                f"{came[at].item():.6g}; it is that of position {int(positions[at])}"
            )
    return "All outputs, in float64 and in float32, each back to its position."
