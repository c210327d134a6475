"""Notebook 00: how a check answers."""

from __future__ import annotations

from typing import Any

from attention_lab.grading.answers import numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.feedback import Problem

__all__ = ["strongest_key"]


@exercise
def strongest_key(answer: Any) -> str:
    """The number of the key with the largest weight for the scores 1, 3, 2."""
    given = numbers(answer, "write one number, 0, 1 or 2")
    if given.numel() != 1 or isinstance(answer, bool):
        raise Problem("write one number, 0, 1 or 2")
    answer = given.item()
    if answer == 2:
        raise Problem("key 2 has the score 2. Which key has the score 3, counting from 0?")
    if answer == 3:
        raise Problem("3 is the score. Write the number of the key that has it, counting from 0")
    if answer != 1:
        raise Problem(f"key {answer:g} does not have the largest score. Softmax keeps the order")
    return "Key 1 has the largest score, and softmax keeps the order: its weight is 0.665."
