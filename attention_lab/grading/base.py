"""Exercises that check themselves: how a grader is registered and found, and its verdict."""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import CodeType
from typing import Any, Literal

from attention_lab.grading.feedback import Problem, describe
from attention_lab.pictures.style import escaped

__all__ = ["Checks", "Verdict", "exercise", "is_open"]

Grader = Callable[[Any], str]


@dataclass(frozen=True)
class Verdict:
    """What a check has to say."""

    status: Literal["pass", "not yet", "open"]
    message: str

    @property
    def passed(self) -> bool:
        return self.status == "pass"

    @property
    def head(self) -> str:
        return {"pass": "Right.", "not yet": "Not yet:", "open": "Not attempted:"}[self.status]

    def __str__(self) -> str:
        return f"{self.head} {self.message}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        looks = {
            "pass": ("#e6f4ea", "#0b3d1c", "#1a7f37", "✓"),
            "not yet": ("#fff4e5", "#5c2b00", "#d55e00", "✗"),
            "open": ("#eef1f5", "#1f2933", "#5b6b7b", "○"),
        }
        background, text, edge, mark = looks[self.status]
        box = (
            f'<div style="background:{background};color:{text};border-left:4px solid {edge};'
            f'padding:6px 10px;line-height:1.5">{mark} <b>{self.head}</b> '
            f"{escaped(self.message)}</div>"
        )
        return {"text/plain": str(self), "text/html": box}


GRADERS: dict[str, Grader] = {}


def exercise(grader: Grader) -> Grader:
    """Register a grader under its name.

    A grader takes the answer and returns what to say when it is right; it raises `Problem`
    with the specific mistake when it is wrong.

    Raises
    ------
    ValueError
        There is already a grader of this name.
    """
    name = grader.__name__
    if name in GRADERS:
        raise ValueError(
            f"there are two exercises {name!r}, in {GRADERS[name].__module__} and in "
            f"{grader.__module__}: rename one"
        )
    GRADERS[name] = grader
    return grader


class Checks:
    """``check.name(answer)`` shows the verdict on an answer under the cell.

    Parameters
    ----------
    rooms : mapping of name to module
        Where the grader of each exercise is; its module is imported when it is first asked for.
    """

    def __init__(self, rooms: Mapping[str, str]) -> None:
        self._rooms = dict(rooms)

    def grade(self, name: str, answer: Any) -> Verdict:
        """Judge an answer without showing anything.

        Parameters
        ----------
        name : str
            The name of the exercise.
        answer : Any
            A function or a value, as the exercise asks.

        Returns
        -------
        Verdict
            Whatever the answer is, and whatever it raises.

        Raises
        ------
        ValueError
            There is no such exercise.
        """
        grader = self._grader(name)
        try:
            if is_open(answer):
                where = (
                    "every ... in the answer" if _many(answer) else "the ... above by your answer"
                )
                return Verdict("open", f"replace {where}, and run the cell again.")
            return Verdict("pass", grader(answer))
        except Problem as problem:
            text = str(problem)
            return Verdict("not yet", text if text.endswith((".", "?")) else f"{text}.")
        except Exception as error:  # an answer that no grader foresaw: show it, with what it did
            said = f"{type(error).__name__}: {describe(error)}"
            return Verdict("not yet", f"this answer cannot be read ({said}).")

    def _grader(self, name: str) -> Grader:
        if name not in self._rooms:
            known = ", ".join(sorted(self._rooms))
            raise ValueError(f"there is no exercise {name!r}; there are {known}")
        import_module(self._rooms[name])
        return GRADERS[name]

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        try:
            grader = self._grader(name)
        except ValueError as error:
            raise AttributeError(str(error)) from None

        def show(answer: Any) -> None:
            from IPython.display import display

            display(self.grade(name, answer))

        show.__doc__ = grader.__doc__
        return show

    def __dir__(self) -> Iterable[str]:
        return sorted(self._rooms)


def _many(answer: Any) -> bool:
    return isinstance(answer, (Mapping, list, tuple))


def is_open(answer: Any) -> bool:
    """Tell whether there is still a ``...`` of the exercise in an answer."""
    if answer is ... or answer is None:
        return True
    if isinstance(answer, Mapping):
        return any(is_open(value) for value in answer.values())
    if isinstance(answer, (list, tuple)):
        return any(is_open(value) for value in answer)
    code = getattr(answer, "__code__", None)
    return code is not None and _shape_of(code) in _STUBS


def _shape_of(code: CodeType) -> tuple[Any, ...]:
    operations = tuple(each.opname for each in dis.get_instructions(code))
    loaded = {each.argval for each in dis.get_instructions(code) if "CONST" in each.opname}
    return operations, loaded <= {None, ...}


def _empty(): ...


def _returns_dots():
    return ...


_STUBS = {_shape_of(function.__code__) for function in (_empty, _returns_dots)}
