"""Notebook 08: position and permutation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.positions import rotate, sinusoidal
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, returned

__all__ = [
    "add_positions",
    "forget_gates",
    "needs_positions",
    "position_from_mean",
    "read_the_clocks",
    "rotary_by_halves",
]


def _rows(positions: list[int], d_model: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return the sines and cosines of some positions, in their order: (n, d_model)."""
    return sinusoidal(max(positions) + 1, d_model, dtype=torch.float64)[positions].to(dtype)


@exercise
def read_the_clocks(answer: Callable[..., Tensor]) -> str:
    """``position_of(rows)``: from rows of the table of sines back to their positions."""
    for positions, d, dtype in (
        ([0, 1, 2, 3], 16, torch.float64),
        ([5, 2, 9, 2, 0], 8, torch.float64),
        ([100, 37, 999, 7], 32, torch.float64),  # the fastest hand has gone round many times
        ([640], 64, torch.float32),
    ):
        rows = _rows(positions, d, dtype)
        came = numbers(
            returned(answer, {"rows": rows}), "return one position for each row, a tensor (n)"
        )
        if came.shape != (len(positions),):
            raise Problem(
                f"return one position for each of the {len(rows)} rows: shape ({len(rows)}), not "
                f"{tuple(came.shape)}"
            )
        wanted = torch.tensor(positions).double()
        off = (came - wanted).abs()
        if (off <= 0.01).all():
            continue
        at = int(off.argmax())
        said = f"the row of position {positions[at]} (d_model = {d}) is read as {came[at]:.6g}"
        turns = (came - wanted) / (2 * torch.pi)
        if ((turns - turns.round()).abs() < 0.01).all():
            raise Problem(
                f"{said}: right up to whole turns of the fastest hand, 6.28 positions each. The "
                "slower hands say how many turns there were"
            )
        if ((came - wanted - 1).abs() < 0.01).all():
            raise Problem(f"{said}: positions count from 0")
        if max(positions) >= 100 and (came < 100).all():
            raise Problem(f"{said}, and none of yours is 100 or more: positions go up to 999")
        raise Problem(said)
    return "All rows read back, up to position 999: no two of them have the same hands."


@exercise
def add_positions(answer: Callable[..., Tensor]) -> str:
    """``add_positions(one, other)``: from PE(p) and PE(q) to PE(p + q), p and q unknown."""

    def parts(rows: Tensor) -> tuple[Tensor, Tensor]:
        return rows[:, 0::2], rows[:, 1::2]  # sines, cosines

    def joined(sines: Tensor, cosines: Tensor) -> Tensor:
        return torch.stack([sines, cosines], dim=-1).flatten(1)

    def combined(one: Tensor, other: Tensor, sign: int = 1) -> Tensor:
        (s, c), (t, e) = parts(one), parts(other)
        return joined(s * e + sign * c * t, c * e - sign * s * t)

    cases = [
        {"one": _rows(p, d, dtype), "other": _rows(q, d, dtype)}
        for p, q, d, dtype in (
            ([1, 2], [3, 1], 4, torch.float64),
            ([0, 40, 7], [5, 0, 90], 8, torch.float64),
            ([300], [12], 16, torch.float32),
            ([3, 3, 9, 20, 1], [4, 11, 2, 20, 0], 2, torch.float64),
        )
    ]
    judge(
        answer,
        cases,
        combined,
        "the rows",
        {
            "that is PE(p − q): the hands of the second row are turned back, and should be turned "
            "on": lambda one, other: combined(one, other, -1),
            "that is PE(q − p): the hands of the first row are turned back, and should be turned "
            "on": lambda one, other: combined(other, one, -1),
            "the rows are added number by number; the sine of a sum is not the sum of the sines": (
                lambda one, other: one + other
            ),
            "the rows are multiplied number by number; each new sine needs the sines and the "
            "cosines of both": lambda one, other: one * other,
            "the cosine comes first in your rows; the sine does": lambda one, other: joined(
                *parts(combined(one, other))[::-1]
            ),
            "the numbers are right, and stand in another order: all your sines come before all "
            "cosines": lambda one, other: torch.cat(parts(combined(one, other)), 1),
        },
        fact=_hands,
    )
    return "Adding two positions is turning each hand by the other's angle."


def _hands(came: Tensor, one: Tensor, other: Tensor) -> str:
    lengths = came[:, 0::2] ** 2 + came[:, 1::2] ** 2
    if not torch.allclose(lengths.double(), torch.ones_like(lengths).double(), atol=1e-4):
        return "a hand (sine, cosine) has length 1, and some of yours have not"
    return "all hands have length 1, so they are turned, but by other angles"


@exercise
def rotary_by_halves(answer: Callable[..., Tensor]) -> str:
    """``rotate_halves(x, positions)``: rotary with the pairs (i, i + d / 2)."""

    def side_by_side(x: Tensor) -> Tensor:
        """Put feature i and feature i + d / 2 side by side."""
        return torch.stack([x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]], -1).flatten(1)

    def in_halves(x: Tensor) -> Tensor:
        """First all first features of the pairs, then all second ones."""
        return torch.cat([x[:, 0::2], x[:, 1::2]], dim=1)

    def right(x: Tensor, positions: Tensor) -> Tensor:
        return in_halves(rotate(side_by_side(x), positions))

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
        right,
        "the numbers",
        {
            "those are the pairs of section 4, (0, 1), (2, 3) and so on; here feature i belongs "
            "to feature i + d / 2": rotate,
            "the turns are right, and their features are in another order: first all first "
            "features of the pairs, then all second ones, as in x": lambda x, at: rotate(
                side_by_side(x), at
            ),
            "positions are given; yours always begin at 0": lambda x, at: right(
                x, torch.arange(len(x))
            ),
            "positions are given, and need not follow each other: yours count on from the first": (
                lambda x, at: right(x, at[0] + torch.arange(len(x)))
            ),
            "every pair turns the other way round: first · cos - second · sin is the new first": (
                lambda x, at: right(x, -at)
            ),
        },
        fact=_lengths,
    )
    return "The same turns in the other layout: the pairs (i, i + d / 2)."


def _lengths(came: Tensor, x: Tensor, positions: Tensor) -> str:
    if not torch.allclose(came.double().norm(dim=1), x.double().norm(dim=1), atol=1e-4):
        return "a turn changes no length, and the lengths of your rows differ"
    return "the lengths of the rows are right, so they are turned, but by other angles or pairs"


@exercise
def forget_gates(answer: Callable[..., Tensor]) -> str:
    """``forget_bias(gates)``: the sum of the log gates after a key, and -inf for later keys."""

    def signed(gates: Tensor) -> Tensor:
        total = gates.log().cumsum(dim=0)
        return total[:, None] - total  # (n, n)

    def hide(bias: Tensor) -> Tensor:
        return bias.masked_fill(torch.ones(bias.shape, dtype=torch.bool).triu(1), -torch.inf)

    def right(gates: Tensor) -> Tensor:
        return hide(signed(gates))

    def with_own(gates: Tensor) -> Tensor:
        """Count the gate of the key as well."""
        total = gates.log().cumsum(dim=0)
        return hide(total[:, None] - torch.cat([gates.new_zeros(1), total[:-1]]))

    def without_query(gates: Tensor) -> Tensor:
        """Count from the key on, and leave out the gate of the query."""
        total = torch.cat([gates.new_zeros(1), gates.log().cumsum(dim=0)[:-1]])
        return hide(total[:, None] - total)

    def constant(gates: Tensor) -> Tensor:
        """Take the gate of the query at every step, as if all were equal to it."""
        at = torch.arange(len(gates))
        return hide((at[:, None] - at) * gates.log()[:, None])

    given = (
        torch.tensor([0.5, 0.5, 0.5, 0.5]),
        torch.tensor([0.9, 0.1, 0.8, 0.95], dtype=torch.float64),
        torch.tensor([0.3, 1.0, 0.7, 0.2, 0.99]),
        torch.tensor([0.4]),
    )
    judge(
        answer,
        [{"gates": gates} for gates in given],
        right,
        "the biases",
        {
            "a gate below 1 must push a key down, and its logarithm is below 0 already: no minus": (
                lambda gates: hide(-signed(gates))
            ),
            "the products of the gates are right, and they are weights before they are "
            "normalised; the bias is their logarithm": lambda gates: hide(signed(gates).exp()),
            "later keys are not hidden: -inf above the diagonal": signed,
            "the gate of key j was counted too: it is what came before j that it lets go": with_own,
            "the gates from j to i - 1 were counted; it is those from j + 1 to i that stand "
            "between key j and query i": without_query,
            "every step has a gate of its own; yours takes the query's for all of them": constant,
            "rows are queries and columns keys; yours are the other way round": (
                lambda gates: right(gates).mT
            ),
        },
        fact=_constant_only,
    )
    return "With one gate for all it is ALiBi, with its own gate for each token it is learned."


def _constant_only(came: Tensor, gates: Tensor) -> str:
    diagonal = came.diagonal().tolist()
    if any(abs(x) > 1e-6 for x in diagonal):
        return f"a key is not pushed down for its own query, and your diagonal is {diagonal[0]:.4g}"
    return "the diagonal is right, 0"


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
    """``position_of_mean(output, first, others)``: the output of a causal uniform head, back."""
    random = torch.Generator().manual_seed(2)
    for count, most, dtype, first, others in (
        (64, 64, torch.float64, 1.0, 0.0),
        (50, 300, torch.float64, 1.0, -2.0),
        (9, 12, torch.float64, -0.5, 2.5),  # the mean rises
        (50, 100, torch.float32, 3.0, 2.0),
        (1, 9, torch.float64, 0.25, 4.0),
    ):
        positions = torch.randint(0, most, (count,), generator=random).double()
        output = ((first + positions * others) / (positions + 1)).to(dtype)
        inputs = {"output": output, "first": first, "others": others}
        came = numbers(returned(answer, inputs), "return one position for each output, (n)")
        if came.shape != output.shape:
            raise Problem(
                f"return one position for each output: shape ({count}), not {tuple(came.shape)}"
            )
        # a mean near `others` tells positions apart by little, the more so in float32
        near = (1e-6 if dtype == torch.float64 else 4e-6) * (1 + positions) ** 2
        if ((came - positions).abs() <= near).all():
            continue
        if (first, others) != (1.0, 0.0):
            begins = f"with first = {first:g} and others = {others:g}: "
        else:
            begins = ""
        if ((came - positions - 1).abs() <= near).all():
            raise Problem(f"{begins}positions count from 0: the first token sees itself only")
        if begins and ((came - (1 / output.double() - 1)).abs() <= near).all():
            raise Problem(f"{begins}1 / output − 1 is right only where first is 1 and others are 0")
        at = int((came - positions).abs().argmax())
        raise Problem(
            f"{begins}for the output {output[at].item():.6g} ({output.dtype}) you give "
            f"{came[at].item():.6g}; it is that of position {int(positions[at])}"
        )
    return "Any two values will do, as long as the first token's differs from the others'."
