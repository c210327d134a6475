"""Formulas with their numbers, as HTML: what a cell says when it is pointed at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from attention_lab.pictures.style import format_number

__all__ = ["bracketed", "power", "sum_of", "sum_of_products"]

MOST_TERMS = 8  # of a sum that is written out


def bracketed(number: float) -> str:
    """Write a number that follows a sign: in brackets where it is below 0."""
    return f"({format_number(number)})" if number < 0 else format_number(number)


def power(number: float) -> str:
    """Write e to the power of a number."""
    return f"e<sup>{format_number(number)}</sup>"


def sum_of(terms: Sequence[str], most: int = MOST_TERMS) -> str:
    """Write a sum; of more than ``most`` terms only the first three."""
    if len(terms) > most:
        return f"{' + '.join(terms[:3])} + … ({len(terms)} terms)"
    return " + ".join(terms)


def sum_of_products(
    left: Tensor | Sequence[float],
    right: Tensor | Sequence[float],
    *,
    first: Callable[[float], str] = format_number,
    most: int = MOST_TERMS,
) -> str:
    """Write a dot product of two vectors (n,): ``2 × 1 + 3 × (−1)``.

    ``first`` writes the numbers on the left; for ``most`` see `sum_of`.
    """
    left, right = (v.tolist() if isinstance(v, Tensor) else v for v in (left, right))
    pairs = zip(left, right, strict=True)
    return sum_of([f"{first(a)} × {bracketed(b)}" for a, b in pairs], most)
