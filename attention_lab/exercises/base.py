"""How an answer is called, compared and answered."""

from __future__ import annotations

import dis
import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, Literal

import torch
from torch import Tensor

from attention_lab.feedback import Problem, call, describe, name_of, shapes_of

__all__ = [
    "Problem",
    "Verdict",
    "check",
    "compare",
    "exercise",
    "grade",
    "is_open",
    "letters_in",
    "numbers",
    "returned",
    "run",
    "same",
    "tensor_of",
    "three_tensors",
]


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
            f"{html.escape(self.message)}</div>"
        )
        return {"text/plain": str(self), "text/html": box}


_graders: dict[str, Callable[[Any], str]] = {}


def exercise(grader: Callable[[Any], str]) -> Callable[[Any], str]:
    """Register a grader under its name.

    A grader takes the answer and returns what to say when it is right; it raises `Problem`
    with the specific mistake when it is wrong.
    """
    _graders[grader.__name__] = grader
    return grader


def grade(name: str, answer: Any) -> Verdict:
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
        Never raises because of the answer.
    """
    try:
        if is_open(answer):
            which = "every ... in the answer" if _many(answer) else "the ... above by your answer"
            return Verdict("open", f"replace {which}, and run the cell again.")
        return Verdict("pass", _graders[name](answer))
    except Problem as problem:
        text = str(problem)
        return Verdict("not yet", text if text.endswith((".", "?")) else f"{text}.")
    except Exception as error:  # an answer that no grader foresaw: show it, with what it did
        said = f"{type(error).__name__}: {describe(error)}"
        return Verdict("not yet", f"this answer cannot be read ({said}).")


def _many(answer: Any) -> bool:
    return isinstance(answer, (Mapping, list, tuple))


class _Checks:
    """``check.name(answer)`` shows the verdict on an answer under the cell."""

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        if name not in _graders:
            raise AttributeError(f"there is no exercise {name!r}; there are {', '.join(dir(self))}")

        def show(answer: Any) -> None:
            from IPython.display import display

            display(grade(name, answer))

        show.__doc__ = _graders[name].__doc__
        return show

    def __dir__(self) -> Iterable[str]:
        return sorted(_graders)


check = _Checks()


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


def returned(answer: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
    """Call an answer that must return something.

    Raises
    ------
    Problem
        Everything `call` raises for, or None.
    """
    result = call(answer, inputs)
    if result is None:
        raise Problem(f"{name_of(answer)} returned None: is a return missing?")
    return result


def run(
    answer: Callable[..., Any], inputs: Mapping[str, Any], shape: Sequence[int] | None = None
) -> Tensor:
    """Call an answer that must return a tensor, and hold it to its shape.

    Raises
    ------
    Problem
        Everything `returned` and `tensor_of` raise for, or another shape.
    """
    name = name_of(answer)
    result = tensor_of(returned(answer, inputs), f"what {name} returns")
    if shape is not None and tuple(result.shape) != tuple(shape):
        given = shapes_of(inputs) or ", ".join(f"{key} = {each}" for key, each in inputs.items())
        raise Problem(
            f"{name} returned shape {tuple(result.shape)} for {given}; {tuple(shape)} is right"
        )
    return result


def three_tensors(
    result: Any, answer: Callable[..., Any], wanted: str, names: Sequence[str]
) -> list[Tensor]:
    """Hold the result of an answer to being three tensors.

    Parameters
    ----------
    result : Any
        What the answer returned.
    answer : callable
    wanted : str
        What it must return, as in "(scores, weights, output)".
    names : three str
        What to call each of them in a sentence.

    Raises
    ------
    Problem
        Everything `tensor_of` raises for, or not three things.
    """
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        many = f"{len(result)} things" if isinstance(result, (tuple, list)) else None
        came = many or ("None" if result is None else f"a {type(result).__name__}")
        raise Problem(f"{name_of(answer)} must return {wanted}, but it returned {came}")
    return [tensor_of(tensor, name) for tensor, name in zip(result, names, strict=True)]


def tensor_of(result: Any, what: str) -> Tensor:
    """Hold a result to being an ordinary tensor of floating point numbers.

    Raises
    ------
    Problem
        No tensor, a sparse one, or another kind of number; ``what`` names it.
    """
    if not isinstance(result, Tensor):
        raise Problem(f"{what} must be a tensor, but it is a {type(result).__name__}")
    if result.layout != torch.strided or not result.is_floating_point():
        raise Problem(
            f"{what} must be an ordinary tensor of floating point numbers, but it is "
            f"{result.layout if result.layout != torch.strided else result.dtype}"
        )
    return result.detach()


def numbers(answer: Any, wanted: str) -> Tensor:
    """Read an answer that is a list, an array or a tensor of numbers, as float64.

    Raises
    ------
    Problem
        It is none, or a number in it is not finite; ``wanted`` says what to write.
    """
    try:
        if isinstance(answer, (list, tuple)) and any(isinstance(x, Tensor) for x in answer):
            answer = torch.stack([torch.as_tensor(x) for x in answer])
        read = (
            answer if isinstance(answer, Tensor) else torch.as_tensor(answer, dtype=torch.float64)
        )
        if read.is_complex():
            raise TypeError
        read = read.detach().to(torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise Problem(f"{wanted}, not {_short(answer)}") from None
    if not read.isfinite().all():
        raise Problem(f"all numbers must be finite, but among them are {_short(answer)}")
    return read


def _short(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else f"{text[:57]}..."


def same(left: Tensor, right: Tensor) -> bool:
    """Tell whether two tensors are equal but for the rounding of their dtype."""
    return left.shape == right.shape and bool(_close(left, right).all())


def _close(left: Tensor, right: Tensor) -> Tensor:
    exact = left.dtype == right.dtype == torch.float64
    tolerance = 1e-6 if exact else 2e-5
    return torch.isclose(
        left.detach().double(), right.detach().double(), rtol=tolerance, atol=tolerance
    )


def compare(
    result: Tensor, right: Tensor, what: str, mistakes: Mapping[str, Tensor] | None = None
) -> None:
    """Raise a `Problem` unless a result is right; a known mistake gets its own message.

    Parameters
    ----------
    result, right : Tensor, of one shape
    what : str
        What the result is, as in "the weights".
    mistakes : mapping of message to wrong result
        What typical mistakes give for the same input.
    """
    if same(result, right):
        return
    for message, wrong in (mistakes or {}).items():
        if same(result, wrong):
            raise Problem(message)
    if result.isnan().any():
        raise Problem(f"among {what} is nan (not a number)")
    index = (~_close(result, right)).nonzero()[0].tolist()
    came, wanted = result[tuple(index)].item(), right[tuple(index)].item()
    raise Problem(f"{what} differ first at {index}: {came:.6g} instead of {wanted:.6g}")


def letters_in(answer: Any, allowed: str) -> set[str]:
    """Read which statements an answer names: ``"AB"``, ``"a, b"``, ``{"A", "B"}`` or a list."""
    if not isinstance(answer, (str, set, frozenset, list, tuple)):
        raise Problem(
            f"write the letters as a string, such as {allowed[:2]!r}, not {_short(answer)}"
        )
    text = answer if isinstance(answer, str) else " ".join(map(str, answer))
    letters = {c for c in re.sub(r"\band\b", "", text, flags=re.I).upper() if c.isalnum()}
    unknown = letters - set(allowed)
    if unknown:
        raise Problem(
            f"{', '.join(sorted(unknown))} is no statement here; the letters are "
            f"{allowed[0]} to {allowed[-1]}"
        )
    if not letters:
        raise Problem("name at least one letter")
    return letters
