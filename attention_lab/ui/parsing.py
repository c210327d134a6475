"""Numbers and matrices as a person types or pastes them."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from attention_lab.grading.feedback import Problem

__all__ = ["LARGEST", "Rows", "parse_matrix", "parse_number"]

Rows = tuple[tuple[float, ...], ...]

# Far beyond any lesson, and small enough that no product of two numbers overflows.
LARGEST = 1e30


def parse_number(text: str) -> float:
    """Read a number as a person types it: ``2``, ``-0.5``, ``1e3``, ``1/3``, ``−2``, ``２``.

    Raises
    ------
    Problem
        No number, or not a finite one; the text says which.
    """
    plain = _ascii(text).strip()
    if not plain:
        raise Problem("the field is empty; write a number, such as 0.5")
    if re.fullmatch(r"[-+]?\d+,\d+", plain):
        raise Problem(f"“{text}” has a decimal comma; write {plain.replace(',', '.')}")
    try:
        number = float(Fraction(plain)) if "/" in plain else float(plain)
    except ZeroDivisionError:
        raise Problem(f"“{text}” divides by zero") from None
    except OverflowError:
        number = math.inf
    except ValueError:
        raise Problem(f"“{text}” is not a number; write one such as 0.5 or 1/3") from None
    if not math.isfinite(number):
        raise Problem(f"“{text}” is not a finite number; write one such as 0.5")
    if abs(number) > LARGEST:
        raise Problem(f"“{text}” is too large; write a number up to {LARGEST:g}")
    return number


def _ascii(text: str) -> str:
    """Turn the full-width characters of an East Asian keyboard, and the minus sign, into ASCII."""
    wide = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    return text.translate({**wide, 0x3000: " ", ord("−"): "-", ord("、"): ","})


def parse_matrix(text: str, max_rows: int, max_columns: int) -> Rows:
    """Read a matrix from text: a row per line, or a Python, NumPy or torch matrix.

    Raises
    ------
    Problem
        Nothing there, rows of different length, too large, or an entry that is no number.
    """
    example = "write one row per line, such as “1 2 3”"
    plain = _ascii(text)
    if "[" in plain:  # what stands outside belongs to Python: Q = torch.tensor([[1.]], dtype=...)
        plain = plain[plain.index("[") : plain.rfind("]") + 1]
    else:
        plain = plain.replace("(", "[").replace(")", "]")
    if "[" in plain:  # the end of a bracket ends the row
        plain = plain.replace("\n", " ").replace("]", "\n")
    elif comma := re.search(r"^[ \t]*-?\d+,\d+[ \t]+-?\d+,\d+", plain, re.M):
        raise Problem(f"“{comma[0].strip()}…” has decimal commas; write points, as in 0.5")
    lines = [
        re.split(r"[\s,;]+", line.replace("[", " ").strip(" ,;\t\r"))
        for line in re.split(r"[\n;]", plain)
    ]
    lines = [line for line in lines if line != [""]]
    if not lines:
        raise Problem(f"there is nothing to use; {example}")
    for index, line in enumerate(lines):
        if len(line) != len(lines[0]):
            raise Problem(
                f"row {index} has {len(line)} numbers and row 0 has {len(lines[0])}; "
                "every row needs the same count"
            )
    if len(lines) > max_rows or len(lines[0]) > max_columns:
        raise Problem(
            f"this matrix is {len(lines)} × {len(lines[0])}; at most {max_rows} × {max_columns} "
            "fits here"
        )
    rows = []
    for i, line in enumerate(lines):
        rows.append([])
        for j, entry in enumerate(line):
            try:
                rows[-1].append(parse_number(entry))
            except Problem as problem:
                raise Problem(f"row {i}, column {j}: {problem}") from None
    return tuple(tuple(line) for line in rows)
