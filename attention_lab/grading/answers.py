"""Answers that are values: numbers, and the letters of statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from attention_lab.grading.feedback import Problem

__all__ = ["judge_statements", "letters_in", "numbers"]


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


def judge_statements(answer: Any, statements: Mapping[str, tuple[bool, str]]) -> str:
    """Grade an answer that names the letters of the statements that hold.

    Parameters
    ----------
    answer : Any
        See `letters_in`.
    statements : mapping of letter to (holds, comment)
        The comment says why it holds, or why not.

    Returns
    -------
    str
        The comments of those that hold.

    Raises
    ------
    Problem
        One that does not hold is named, or one that holds is not.
    """
    named = letters_in(answer, "".join(statements))
    holding = {letter for letter, (holds, _) in statements.items() if holds}
    for letter in sorted(named - holding):
        raise Problem(statements[letter][1])
    if missing := len(holding - named):
        raise Problem(
            f"what you named is right, and {missing} more of the {len(statements)} "
            f"{'is' if missing == 1 else 'are'} as well"
        )
    return " ".join(f"{statements[letter][1]}." for letter in sorted(holding))
