"""Answers that are values: numbers, and the letters of statements."""

from __future__ import annotations

import re
from collections.abc import KeysView, Mapping
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
    if hasattr(answer, "tolist"):  # an array
        answer = answer.tolist()
    if isinstance(answer, (Mapping, KeysView)):
        answer = [letter for letter in answer if not isinstance(answer, Mapping) or answer[letter]]
    parts = [answer] if isinstance(answer, str) else answer
    if not isinstance(parts, (set, frozenset, list, tuple)) or any(
        not isinstance(part, str) for part in parts
    ):
        raise Problem(
            f"write the letters as a string, such as {allowed[:2]!r}, not {_short(answer)}"
        )
    text = re.sub(r"\b(and|or|both)\b", " ", " ".join(parts), flags=re.I)
    letters = {c for c in text.upper() if c.isalnum()}
    unknown = sorted(letters - set(allowed))
    if unknown:
        are = "is no statement" if len(unknown) == 1 else "are no statements"
        raise Problem(
            f"{', '.join(unknown)} {are} here; the letters are {allowed[0]} to {allowed[-1]}"
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
        All comments.

    Raises
    ------
    Problem
        It says how many are judged wrong, and not which.
    """
    named = letters_in(answer, "".join(statements))
    holding = {letter for letter, (holds, _) in statements.items() if holds}
    wrong = len(named ^ holding)
    if wrong:
        # Which, is not said: to name it would give the answer away.
        raise Problem(
            f"{len(statements) - wrong} of the {len(statements)} statements are judged right, and "
            f"{wrong} {'is' if wrong == 1 else 'are'} not (named, and it does not hold; or not "
            "named, and it does)"
        )
    return " ".join(f"{statements[letter][1]}." for letter in statements)
