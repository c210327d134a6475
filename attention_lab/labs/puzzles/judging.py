"""Judging the answers of puzzles: a mask in many sizes, weights in many cases."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.rules import at_each_point
from attention_lab.grading.cases import shown
from attention_lab.grading.feedback import Problem, call, describe, name_of
from attention_lab.labs.puzzles.pictures import beside, mask_table, signs

__all__ = ["Case", "Masks", "mask_of"]

Case = tuple[int, dict[str, Any]]  # how many positions, and the arguments of the answer
Right = Callable[..., Tensor]


def mask_of(answer: Callable[..., Any], n: int, given: Mapping[str, Any], *, factory: bool):
    """Write an answer out as a mask.

    Parameters
    ----------
    answer : callable
        A rule ``(b, h, q_idx, kv_idx)``; or, if ``factory``, what returns one, or a whole mask.
    n : int
        Number of queries and of keys.
    given : mapping
        What the factory is called with.

    Returns
    -------
    Tensor, shape (n, n), boolean

    Raises
    ------
    Problem
        It is none.
    """
    name, made = name_of(answer), answer
    if factory:
        made = call(answer, dict(given))
        if made is None:
            raise Problem(f"{name} returned None: is a return missing?")
        if isinstance(made, Tensor):
            return _whole(name, made, n)
    if not callable(made):
        wanted = "a rule, lambda b, h, q_idx, kv_idx: ..., or a boolean mask" if factory else (
            "a function of b, h, q_idx, kv_idx"
        )  # fmt: skip
        came = f"{name} returned" if factory else "this is"
        raise Problem(f"{came} {_kind(made)}, and it must be {wanted}")
    what = f"the rule of {name}" if factory else name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # vmap says what it cannot do fast
            return at_each_point(made, what, torch.Size((n, n)))
    except (Exception, SystemExit) as error:
        said = describe(error)
        if what not in said:  # not a sentence of ours: say in which line it arose
            _call_once(made)
            said = f"{what} raised {type(error).__name__}: {said}"
        raise Problem(said) from error


def _call_once(rule: Callable[..., Any]) -> None:
    """Call a rule on one pair, for the message of `call`, without the shapes of four scalars.

    Raises
    ------
    Problem
        It takes other arguments, or raises.
    """
    index = torch.tensor(0)
    try:
        call(rule, {"b": index, "h": index, "q_idx": index, "kv_idx": index})
    except Problem as problem:
        raise Problem(str(problem).split(" (it was called with")[0]) from problem


def _kind(made: Any) -> str:
    return f"a {type(made).__name__}"


def _whole(name: str, made: Tensor, n: int) -> Tensor:
    if made.dtype != torch.bool or made.layout != torch.strided:
        raise Problem(
            f"{name} returned numbers ({made.dtype}); a mask is boolean, True = may attend: a "
            "comparison gives one"
        )
    if tuple(made.shape) != (n, n):
        raise Problem(
            f"{name} returned shape {tuple(made.shape)}; for {n} positions {(n, n)} is right"
        )
    return made


class Masks:
    """A puzzle whose answer is a rule: how it is judged, and what its picture shows.

    Parameters
    ----------
    right : callable
        ``right(q, k, **given)`` on positions (n, 1) and (1, n): True = may attend.
    cases : sequence of (n, arguments)
        The first is drawn. One position, empty rows and sizes larger than the drawn one belong to
        them.
    mistakes : mapping of message to callable
        As ``right``; a message is said if the answer gives this in every case.
    factory : bool
        The answer takes the arguments of a case and returns the rule; else it is the rule.
    """

    def __init__(
        self,
        right: Right,
        cases: Sequence[Case],
        mistakes: Mapping[str, Right],
        *,
        factory: bool = True,
    ) -> None:
        self.right, self.cases, self.factory = right, cases, factory
        self.mistakes = {"True and False are the wrong way round": _turned(right), **mistakes}

    def of(self, rule: Right, case: Case) -> Tensor:
        """Write one of our own rules out, (n, n)."""
        n, given = case
        q, k = torch.arange(n)[:, None], torch.arange(n)[None, :]
        return rule(q, k, **given).expand(n, n)

    def answered(self, answer: Any, case: Case) -> Tensor:
        return mask_of(answer, case[0], case[1], factory=self.factory)

    def judge(self, answer: Any) -> None:
        """Hold an answer to the right mask in every case.

        Raises
        ------
        Problem
            A known mistake, or the first pair that is wrong.
        """
        came: list[Tensor | Problem] = []
        for case in self.cases:
            try:
                came.append(self.answered(answer, case))
            except Problem as problem:
                came.append(problem)
        wanted = [self.of(self.right, case) for case in self.cases]
        wrong = [
            index
            for index, (one, other) in enumerate(zip(came, wanted, strict=True))
            if isinstance(one, Problem) or not torch.equal(one, other)
        ]
        if not wrong:
            return
        first = came[wrong[0]]
        begins = "right for other inputs, but " if len(wrong) < len(came) else ""
        if isinstance(first, Problem):
            raise Problem(f"{begins}{self._for(wrong[0])}{first}")
        for message, mistake in self.mistakes.items():
            made = [self.of(mistake, case) for case in self.cases]
            if all(isinstance(a, Tensor) and torch.equal(a, b) for a, b in zip(came, made)):  # noqa: B905
                raise Problem(message)
        raise Problem(f"{begins}{self._for(wrong[0])}{self._differs(first, wanted[wrong[0]])}")

    def _for(self, index: int) -> str:
        n, given = self.cases[index]
        said = [f"n = {n}"] if "n" not in given else []
        for name, value in given.items():
            if isinstance(value, Tensor):
                text = shown(value) if value.numel() <= 12 else f"of shape {tuple(value.shape)}"
                said.append(f"{name} {'' if value.numel() > 12 else '= '}{text}")
            else:
                said.append(f"{name} = {value}")
        return f"for {', '.join(said)}: "

    def _differs(self, came: Tensor, wanted: Tensor) -> str:
        i, j = (came != wanted).nonzero()[0].tolist()
        many = int((came != wanted).sum())
        may = "sees key {1}, and should not" if came[i, j] else "should see key {1}, and does not"
        rest = f" ({many} pairs differ)" if many > 1 else ""
        return f"query {i} {may.format(i, j)}{rest}"

    def picture(self, answer: Any) -> str:
        """Draw the first case: what is wanted, and what an answer gives."""
        case = self.cases[0]
        wanted = self.of(self.right, case)
        pairs = int(wanted.sum())
        given = self._for(0).removeprefix("for ").removesuffix(": ")
        left = mask_table(f"wanted: {pairs} pairs", wanted)
        note = given
        right = ""
        if answer is not None:
            try:
                came = self.answered(answer, case)
            except Problem:
                return beside(left, "", note)
            right = mask_table(f"yours: {int(came.sum())} pairs", came, wanted)
            note = ". ".join(each for each in (given, signs(came, wanted)) if each)
        return beside(left, right, note)


def _turned(right: Right) -> Right:
    return lambda q, k, **given: ~right(q, k, **given)
