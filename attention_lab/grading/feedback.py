"""Calling code that a learner wrote, and saying in plain words what went wrong."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "Problem",
    "call",
    "describe",
    "name_of",
    "returned",
    "run",
    "shapes_of",
    "tensor_of",
    "three_tensors",
    "wrong_shape",
]

LONGEST = 300  # characters of an error that are shown


class Problem(Exception):
    """Something a learner gave cannot be used; the text is the sentence they read."""


def name_of(function: Callable[..., Any]) -> str:
    """Return what to call a function in a sentence."""
    try:
        name = str(getattr(function, "__name__", type(function).__name__))
    except Exception:  # an object may raise on any look at it
        name = type(function).__name__
    return "your function" if name == "<lambda>" else name


def call(
    function: Callable[..., Any],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Call a learner's function on copies of the inputs.

    Parameters
    ----------
    function : callable
    inputs : mapping of name to argument
        Passed by position. Tensors are copied first.
    options : mapping of name to argument, optional
        Passed by keyword; tensors are copied as well.

    Returns
    -------
    Any
        What the function returned.

    Raises
    ------
    Problem
        It cannot be called like this, it raised, or it changed an input in place.
    """
    name, options = name_of(function), options or {}
    _check_arguments(function, name, inputs, options)
    given = {**inputs, **options}
    copies = {
        key: value.clone() if isinstance(value, Tensor) else value for key, value in given.items()
    }
    try:
        result = function(*(copies[key] for key in inputs), **{key: copies[key] for key in options})
    except (Exception, SystemExit) as error:
        raise Problem(_raised(function, error, inputs)) from error
    for key, copy in copies.items():
        if isinstance(copy, Tensor) and not _identical(copy, given[key]):
            raise Problem(
                f"{name} changed its input {key} in place. Whoever called it still needs that "
                "tensor: make a new one (x = x + 1, not x += 1)"
            )
    return result


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

    A Python number is as good as a tensor with one number.

    Raises
    ------
    Problem
        Everything `returned` and `tensor_of` raise for, or another shape.
    """
    name = name_of(answer)
    result = returned(answer, inputs)
    if isinstance(result, int | float) and not isinstance(result, bool):
        result = torch.tensor(result, dtype=torch.float64)
    result = tensor_of(result, f"what {name} returns")
    if shape is not None and tuple(result.shape) != tuple(shape):
        raise wrong_shape(name, result, inputs, shape)
    return result


def wrong_shape(
    name: str, result: Tensor, inputs: Mapping[str, Any], shape: Sequence[int]
) -> Problem:
    """Say which shape came for which inputs, and which is right."""
    given = shapes_of(inputs) or ", ".join(f"{key} = {each}" for key, each in inputs.items())
    return Problem(
        f"{name} returned shape {tuple(result.shape)} for {given}; {tuple(shape)} is right"
    )


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


def _identical(left: Tensor, right: Tensor) -> bool:
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return torch.equal(left.isnan(), right.isnan()) and torch.equal(
        torch.nan_to_num(left), torch.nan_to_num(right)
    )


def _check_arguments(
    function: Callable[..., Any],
    name: str,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    if not callable(function):
        raise Problem(f"this must be a function, but it is {function!r}")
    try:
        signature = inspect.signature(function)
    except Exception:  # written in C, or an object that raises: there is nothing to ask
        return
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for option in options:
        if option not in signature.parameters and not takes_any:
            raise Problem(
                f"{name} takes no argument {option}=; give it one ({option}=None), or set that "
                "control back"
            )
    try:
        signature.bind(*inputs.values(), **options)
    except TypeError:
        wanted = ", ".join(inputs)
        raise Problem(
            f"{name} is called with {len(inputs)} arguments ({wanted}), but it is defined as "
            f"{name}{signature}"
        ) from None


def _raised(function: Callable[..., Any], error: BaseException, inputs: Mapping[str, Any]) -> str:
    """Write what an error says, in which line it arose, and what the function was given."""
    said = f"{name_of(function)} raised {type(error).__name__}{_place(function, error)}"
    if text := describe(error):
        said += f": {text}"
    shapes = shapes_of(inputs)
    return f"{said} (it was called with {shapes})" if shapes else said


def shapes_of(inputs: Mapping[str, Any]) -> str:
    """Write the shapes of the tensors among some inputs: ``weights (4,), values (4, 3)``."""
    return ", ".join(f"{k} {tuple(v.shape)}" for k, v in inputs.items() if isinstance(v, Tensor))


def describe(error: BaseException) -> str:
    """Return the first line of what an error says, cut where it is very long."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # an error may raise when asked what it says
        return ""
    text = lines[0].rstrip(".") if lines else ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _place(function: Callable[..., Any], error: BaseException) -> str:
    """Say in which line of the learner's own code an error arose."""
    try:
        code = getattr(inspect.unwrap(function), "__code__", None)
    except Exception:
        return ""
    place, trace = "", error.__traceback__
    while trace is not None:
        if code is not None and trace.tb_frame.f_code.co_filename == code.co_filename:
            line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            place = f" in the line “{line}”" if line else ""
        trace = trace.tb_next
    return place
