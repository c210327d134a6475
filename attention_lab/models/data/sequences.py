"""Digits to be reversed, sorted or added up: small tasks with one right answer."""

from __future__ import annotations

import torch
from torch import Tensor

from attention_lab.models.vocabulary import END, START, Vocabulary

__all__ = ["DIGITS", "TASKS", "draw"]

DIGITS = Vocabulary("0123456789")
FIRST = len(DIGITS) - 10  # the number of the digit 0
TASKS = {
    "reverse": lambda digits: digits.flip(-1),
    "sort": lambda digits: digits.sort(dim=-1).values,
    "add": lambda digits: (digits - FIRST).cumsum(dim=-1) % 10 + FIRST,  # all up to here, no tens
}


def draw(task: str, count: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw digits, and what a model should write for them.

    Parameters
    ----------
    task : str
        One of `TASKS`.
    count, length : int
        Number of sequences, and of digits in each.
    generator : torch.Generator

    Returns
    -------
    source : Tensor, shape (count, length + 1)
        The digits as numbers of `DIGITS`, and <end>.
    target : Tensor, shape (count, length + 2)
        <start>, the digits as they should be, and <end>.
    """
    digits = torch.randint(FIRST, FIRST + 10, (count, length), generator=generator)
    end, start = torch.full((count, 1), END), torch.full((count, 1), START)
    return torch.cat([digits, end], dim=1), torch.cat([start, TASKS[task](digits), end], dim=1)
