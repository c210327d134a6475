"""What every puzzle has: a title, a budget of statements, a picture, and what became of it."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from attention_lab.grading.base import Verdict, exercise

__all__ = ["PROGRESS", "PUZZLES", "Progress", "Puzzle", "in_order", "puzzle", "statements"]

State = Literal["not attempted", "not yet", "over budget", "solved"]
RANK: tuple[State, ...] = ("not attempted", "not yet", "over budget", "solved")


@dataclass(frozen=True)
class Puzzle:
    """A puzzle as the board lists it."""

    number: int
    name: str
    title: str
    budget: int
    part: str


PUZZLES: dict[str, Puzzle] = {}


class Progress:
    """What became of each puzzle: the best answer counts.

    Attributes
    ----------
    best : dict of name to state
        Only of puzzles that were attempted.
    listeners : deque of callables
        Called, without arguments, when something changes; of boards that were displayed, the last.
    """

    def __init__(self) -> None:
        self.best: dict[str, State] = {}
        self.used: dict[str, int] = {}
        self.listeners: deque[Callable[[], None]] = deque(maxlen=4)

    def state(self, name: str) -> State:
        return self.best.get(name, "not attempted")

    def note(self, name: str, state: State, used: int | None = None) -> None:
        """Keep the state of a puzzle, if it is no worse than before, and its statements."""
        if RANK.index(state) < RANK.index(self.state(name)):
            return
        self.best[name] = state
        if used is not None:
            self.used[name] = used
        for listener in self.listeners:
            listener()

    def recall(self, states: Mapping[str, str]) -> None:
        """Take over what was kept of earlier days, where it is better."""
        for name in PUZZLES:
            found = states.get(name, "not attempted")
            if RANK.index(found) > RANK.index(self.state(name)):
                self.best[name] = found

    def counts(self) -> dict[State, int]:
        """Return how many puzzles are in each state."""
        states = [self.state(name) for name in PUZZLES]
        return {state: states.count(state) for state in RANK}


PROGRESS = Progress()


def in_order() -> list[Puzzle]:
    """Return the puzzles as they stand on the page."""
    return sorted(PUZZLES.values(), key=lambda each: each.number)


Grader = Callable[[Any], str]


def puzzle(
    number: int, title: str, *, budget: int, part: str, picture: Callable[[Any], str]
) -> Callable[[Grader], Callable[[Any], Verdict]]:
    """Register a grader as a puzzle, and as an exercise of its name.

    Parameters
    ----------
    number : int
        Its position on the page, from 1.
    title : str
        In a few words, as on the page.
    budget : int
        Statements that a short answer takes; see `statements`.
    part : str
        The section of the page.
    picture : callable
        Takes an answer, or None, and returns HTML: what is wanted, and what the answer gives.
    """

    def registered(grader: Grader) -> Callable[[Any], Verdict]:
        name = grader.__name__

        @functools.wraps(grader)
        def graded(answer: Any) -> Verdict:
            PROGRESS.note(name, "not yet")
            said = grader(answer)
            used = statements(answer)
            if used is not None and used > budget:
                PROGRESS.note(name, "over budget", used)
                return Verdict("over budget", f"{said} {_counted(used)}; the budget is {budget}.")
            PROGRESS.note(name, "solved", used)
            line = "" if used is None else f" {_counted(used)}, within the budget of {budget}."
            return Verdict("pass", f"{said}{line}")

        graded.picture = picture
        PUZZLES[name] = Puzzle(number, name, title, budget, part)
        return exercise(graded)

    return registered


def _counted(used: int) -> str:
    return f"It takes {used} statement{'s' * (used > 1)}"


def statements(function: Any) -> int | None:
    """Count the statements in the body of a function.

    Each ``return``, assignment, ``for``, ``if``, ``import`` and inner ``def`` is one, wherever it
    stands; a docstring is none, and a lambda is one. How they are laid out makes no difference.

    Returns
    -------
    int or None
        None where the source is not known.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    name = getattr(function, "__name__", "")
    if name == "<lambda>":
        return 1
    found = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    if not found:
        return None
    inner = [each for each in ast.walk(found[0]) if isinstance(each, ast.stmt)]
    return sum(not _is_docstring(each) for each in inner) - 1  # the function itself


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
