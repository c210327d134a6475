"""Exercises that check themselves: how a grader is registered and found, and its verdict."""

from __future__ import annotations

import dis
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from importlib import import_module
from types import CodeType
from typing import Any, Literal

import torch

from attention_lab.grading.feedback import Problem, describe
from attention_lab.grading.progress import note_verdict
from attention_lab.pictures.style import MARKS, escaped

__all__ = ["GRADERS", "Checks", "Verdict", "exercise", "is_open", "what_is_open"]


@dataclass(frozen=True)
class Verdict:
    """What a check has to say, and a picture of it as HTML, if there is one.

    An answer "over budget" is right, and longer than the exercise wants it.
    """

    status: Literal["pass", "over budget", "not yet", "open"]
    message: str
    picture: str = ""

    @property
    def passed(self) -> bool:
        return self.status in ("pass", "over budget")

    @property
    def head(self) -> str:
        return {
            "pass": "Right.",
            "over budget": "Right, but over budget.",
            "not yet": "Not yet:",
            "open": "Not attempted:",
        }[self.status]

    def __str__(self) -> str:
        return f"{self.head} {self.message}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        look = {"pass": "good", "not yet": "bad"}.get(self.status, "open")
        mark, background, text, edge = MARKS[look]
        box = (
            f'<div class="alab-slab" style="background:{background};color:{text};'
            f'border-left:4px solid {edge};padding:6px 10px;line-height:1.5">'
            f"{mark} <b>{self.head}</b> {escaped(self.message)}</div>"
        )
        return {"text/plain": str(self), "text/html": box + self.picture}


Grader = Callable[[Any], str | Verdict]
GRADERS: dict[str, Grader] = {}


def exercise(grader: Grader) -> Grader:
    """Register a grader under its name.

    A grader takes the answer and returns what to say when it is right, or a whole `Verdict`; it
    raises `Problem` with the specific mistake when it is wrong. If it has an attribute ``picture``,
    that is called with the answer, None for one not attempted, and returns HTML for every verdict.

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
        verdict = self._verdict(grader, answer)
        if draw := getattr(grader, "picture", None):
            with _the_same_for_all():
                picture = draw(None if verdict.status == "open" else answer)
            verdict = replace(verdict, picture=picture)
        return verdict

    def _verdict(self, grader: Grader, answer: Any) -> Verdict:
        try:
            if missing := what_is_open(answer):
                return Verdict("open", f"{missing}, and run the cell again.")
            with _the_same_for_all():
                said = grader(answer)
            return said if isinstance(said, Verdict) else Verdict("pass", said)
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

            verdict = self.grade(name, answer)
            display(verdict)
            note_verdict(name, verdict.status)

        show.__doc__ = grader.__doc__
        return show

    def __dir__(self) -> Iterable[str]:
        return sorted(self._rooms)


MOST_LINES = 10  # that an answer may print while it is graded


@contextmanager
def _the_same_for_all() -> Iterator[None]:
    """Grade under torch's usual settings, whatever the notebook has set, and leave them as found.

    That is float32 by default, gradients on, and a random state that grading does not move.
    """
    default = torch.get_default_dtype()
    said = _FewLines(sys.stdout)
    with (
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(False),
        torch.enable_grad(),
        redirect_stdout(said),
    ):
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(default)
            said.close()


class _FewLines(io.TextIOBase):
    """Pass on the first lines of what is printed, and count the others."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.stream, self.lines = stream, 0

    def write(self, text: str) -> int:
        before, self.lines = self.lines, self.lines + text.count("\n")
        if before < MOST_LINES:
            self.stream.write(text)
        return len(text)

    def close(self) -> None:
        if self.lines > MOST_LINES:
            self.stream.write(f"... and {self.lines - MOST_LINES} more lines\n")
        super().close()


def is_open(answer: Any) -> bool:
    """Tell whether there is still a ``...`` of the exercise in an answer, or nothing at all."""
    return bool(what_is_open(answer))


def what_is_open(answer: Any) -> str:
    """Say what is still to be done before an answer can be graded; nothing if it can."""
    if answer is ...:
        return "replace the ... above by your answer"
    if answer is None:
        return "the answer is None, which is nothing: give it a value"
    if isinstance(answer, (Mapping, list, tuple, set)):
        parts = answer.values() if isinstance(answer, Mapping) else answer
        open_parts = [said for said in map(what_is_open, parts) if said]
        if any(said.startswith("replace") for said in open_parts):
            return "replace every ... in the answer"
        return "a part of the answer is None, which is nothing: give it a value" * bool(open_parts)
    code = getattr(answer, "__code__", None)
    if code is None or _shape_of(code) not in _STUBS:
        return ""
    if ... in code.co_consts:
        return "replace the ... above by your answer"
    return "the function has no body yet: write it"


def _shape_of(code: CodeType) -> tuple[Any, ...]:
    operations = tuple(each.opname for each in dis.get_instructions(code))
    loaded = {each.argval for each in dis.get_instructions(code) if "CONST" in each.opname}
    return operations, loaded <= {None, ...}


def _empty(): ...


def _returns_dots():
    return ...


_STUBS = {_shape_of(function.__code__) for function in (_empty, _returns_dots)}
