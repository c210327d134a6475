"""Guesses before the answer: a question, what may be answered, and a reply to each answer.

Data and sentences only. `attention_lab.ui.prediction` shows them; each room has its own in
``labs/NAME/predictions.py``, and ``predict.name()`` finds them (`attention_lab.exercises`).
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

__all__ = ["Choices", "Number", "Predictions", "Reply"]


@dataclass(frozen=True)
class Reply:
    """What is said to a guess."""

    is_right: bool
    text: str

    def __str__(self) -> str:
        return f"{'Right.' if self.is_right else 'Not so.'} {self.text}"


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A question with a few answers to choose from.

    Attributes
    ----------
    question : str
        Plain text; what stands in backticks is code.
    choices : mapping of str to str
        Each answer, in plain text, and what is said to it: why it holds, or what it overlooks.
    right : str
        The answer that holds.
    shown_by : str
        What the cell that computes the answer prints: a number or a word of its output, which
        stands nowhere in the section above that cell (the lint looks).

    Raises
    ------
    ValueError
        The right answer is not among the choices, there are fewer than two, or one has no reply.
    """

    question: str
    choices: Mapping[str, str]
    right: str
    shown_by: str

    def __post_init__(self) -> None:
        if self.right not in self.choices:
            raise ValueError(f"{self.right!r} is right and no choice; the choices are "
                             f"{', '.join(map(repr, self.choices))}")  # fmt: skip
        if len(self.choices) < 2:
            raise ValueError(f"one choice is no question: {self.question!r}")
        if mute := [choice for choice, said in self.choices.items() if not said]:
            raise ValueError(f"nothing is said to {', '.join(mute)}")

    @property
    def replies(self) -> list[Reply]:
        """What can be said, in the order of the choices."""
        return [self.reply(choice) for choice in self.choices]

    def reply(self, guess: str) -> Reply:
        """Answer one of the choices."""
        return Reply(guess == self.right, self.choices[guess])


@dataclass(frozen=True, kw_only=True)
class Number:
    """A question whose answer is a number.

    Attributes
    ----------
    question : str
        Plain text; what stands in backticks is code.
    right : float
    within : float
        How far a guess may lie from it and still be called right.
    because : str
        Why it is this number.
    low, high : str
        What is said to a guess that is too small, or too large, and no mistake that is known.
    mistakes : mapping of float to str
        A number that a certain mistake leads to, and what it overlooks.
    shown_by : str
        As for `Choices`.

    Raises
    ------
    ValueError
        A mistake lies so near to the right number, or to another mistake, that a guess could be
        taken for both.
    """

    question: str
    right: float
    within: float
    because: str
    low: str
    high: str
    mistakes: Mapping[float, str] = field(default_factory=dict)
    shown_by: str

    def __post_init__(self) -> None:
        known = sorted([self.right, *self.mistakes])
        for one, other in pairwise(known):
            if other - one <= 2 * self.within:
                raise ValueError(f"{one:g} and {other:g} lie too near for ± {self.within:g}")

    @property
    def replies(self) -> list[Reply]:
        """What can be said: to the right number first."""
        wrong = [*self.mistakes.values(), self.low, self.high]
        return [Reply(True, self.because), *(Reply(False, text) for text in wrong)]

    def reply(self, guess: float) -> Reply:
        """Answer a number."""
        if abs(guess - self.right) <= self.within * (1 + 1e-9):
            return Reply(True, self.because)
        for number, overlooked in self.mistakes.items():
            if abs(guess - number) <= self.within * (1 + 1e-9):
                return Reply(False, overlooked)
        return Reply(False, self.low if guess < self.right else self.high)


class Predictions:
    """``predict.name()`` asks the question of that name.

    Parameters
    ----------
    labs : str
        A package. Each room in it may have a module ``predictions``; what it holds of `Choices` and
        `Number` is known by its name there.
    card : callable
        Makes what is displayed, of a question and its name.
    """

    def __init__(self, labs: str, card: Callable[[Choices | Number, str], Any]) -> None:
        self._labs, self._card = labs, card

    @cached_property
    def _found(self) -> dict[str, tuple[str, Choices | Number]]:
        found: dict[str, tuple[str, Choices | Number]] = {}
        for room in pkgutil.iter_modules(import_module(self._labs).__path__):
            module = self._predictions_of(room.name)
            for name, asked in vars(module).items() if module else ():
                if not isinstance(asked, (Choices, Number)):
                    continue
                if name in found:
                    raise ValueError(
                        f"there are two predictions {name!r}, in {found[name][0]} and in "
                        f"{room.name}: rename one"
                    )
                found[name] = room.name, asked
        return found

    def _predictions_of(self, room: str) -> ModuleType | None:
        name = f"{self._labs}.{room}.predictions"
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            return None

    def __getitem__(self, name: str) -> Choices | Number:
        if name not in self._found:
            known = ", ".join(sorted(self._found))
            raise KeyError(f"there is no prediction {name!r}; there are {known}")
        return self._found[name][1]

    def __getattr__(self, name: str) -> Callable[[], Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            asked = self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None
        return lambda: self._card(asked, name)

    def __dir__(self) -> Iterable[str]:
        return sorted(self._found)

    def room_of(self, name: str) -> str:
        """Return the room in which a prediction lives."""
        return self._found[name][0]
