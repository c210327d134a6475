"""Judging an answer by many cases at once: a cause is named only if it explains all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attention_lab.grading.compare import agree, same
from attention_lab.grading.feedback import Problem, name_of, run

__all__ = ["judge", "normal", "shown"]

Inputs = dict[str, Any]
MOST_SHOWN = 9  # numbers of an input or a result that are written out


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return standard normal numbers, the same at every call."""
    random = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=random, dtype=torch.float64).to(dtype)


def judge(
    answer: Callable[..., Any],
    cases: Sequence[Inputs],
    right: Callable[..., Tensor],
    what: str,
    mistakes: Mapping[str, Callable[..., Tensor]] | None = None,
    *,
    zeros: bool = False,
    fact: Callable[..., str] | None = None,
) -> None:
    """Call an answer for every case, and hold each result to the right one.

    Parameters
    ----------
    answer : callable
    cases : sequence of dict
        Inputs by name, passed by position; the plainest first. Sizes should all differ.
    right : callable
        Takes the inputs by position, and returns what the answer should.
    what : str
        What the result is, as in "the weights".
    mistakes : mapping of message to callable, optional
        What a typical mistake gives, from the same inputs. Its message is said only if the answer
        gives the same for every case.
    fact : callable, optional
        Takes a wrong result and its inputs by position, and returns something that is true of it,
        to be said as well.
    zeros : bool
        Where the right number is exactly 0, the answer's must be, too.

    Raises
    ------
    Problem
        A known mistake; or the first case that is wrong, with what came and what is wanted.
    """
    results: list[tuple[Inputs, Any, Tensor]] = []
    for inputs in cases:
        wanted = right(*inputs.values())
        try:
            came: Any = run(answer, inputs)
        except Problem as problem:
            came = problem
        results.append((inputs, came, wanted))

    def is_right(came: Any, wanted: Tensor) -> bool:
        if not isinstance(came, Tensor) or not same(came, wanted):
            return False
        return not zeros or bool((came[wanted == 0] == 0).all())

    wrong = [result for result in results if not is_right(result[1], result[2])]
    if not wrong:
        return
    for message, mistake in (mistakes or {}).items():
        if all(_explains(mistake, inputs, came) for inputs, came, _ in results):
            raise Problem(message)
    inputs, came, wanted = wrong[0]
    problem = _first_wrong(answer, what, inputs, came, wanted, len(wrong) < len(results))
    if fact and isinstance(came, Tensor) and came.shape == wanted.shape:
        problem = Problem(f"{problem}: {fact(came, *inputs.values())}")
    raise problem


def _explains(mistake: Callable[..., Tensor], inputs: Inputs, came: Any) -> bool:
    """Tell whether a mistake gives what came; both may have failed, where shapes do not fit."""
    try:
        made = mistake(*inputs.values())
    except (RuntimeError, IndexError, ValueError):
        return isinstance(came, Problem) and " raised " in str(came)
    return isinstance(came, Tensor) and same(came, made)


def _first_wrong(
    answer: Callable[..., Any], what: str, inputs: Inputs, came: Any, wanted: Tensor, some: bool
) -> Problem:
    """Say what came for one case and what is wanted; other cases may be right."""
    name, given = name_of(answer), _given(inputs)
    begins = "right for other inputs, but " if some else ""
    if isinstance(came, Problem):
        return Problem(f"{begins}{came}")
    if came.shape != wanted.shape:
        return Problem(
            f"{begins}{name} returned shape {tuple(came.shape)} for {given}; "
            f"{tuple(wanted.shape)} is right"
        )
    if max(came.numel(), wanted.numel()) <= MOST_SHOWN:
        return Problem(
            f"{begins}for {given} {what} should be {shown(wanted)}, and {shown(came)} came out"
        )
    index = (~agree(came, wanted)).nonzero()
    index = index[0].tolist() if len(index) else (came != wanted).nonzero()[0].tolist()
    one, other = came[tuple(index)].item(), wanted[tuple(index)].item()
    return Problem(
        f"{begins}for {given} {what} differ first at {index}: {one:.6g} instead of {other:.6g}"
    )


def _given(inputs: Inputs) -> str:
    said = []
    for name, each in inputs.items():
        if callable(each) or isinstance(each, list):
            continue  # parts of a layer
        if not isinstance(each, Tensor):
            said.append(f"{name} = {each}")
        elif each.numel() <= MOST_SHOWN:
            said.append(f"{name} = {shown(each)}")
        else:
            said.append(f"{name} of shape {tuple(each.shape)}")
    return ", ".join(said)


def shown(tensor: Tensor) -> str:
    """Write the numbers of a small tensor, with at most 4 digits each."""
    if tensor.ndim:
        return f"[{', '.join(map(shown, tensor))}]"
    number = tensor.item()
    return f"{number:.4g}" if isinstance(number, float) else str(number)
