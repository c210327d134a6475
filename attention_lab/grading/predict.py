"""Guesses before the answer: a question, what may be answered, and a reply to each answer.

Data and sentences only. `attention_lab.ui.prediction` shows them; each room has its own in
``labs/NAME/predictions.py``, and ``predict.name()`` finds them (`attention_lab.exercises`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Choices", "Number", "Reply"]


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
