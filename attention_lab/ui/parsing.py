"""Numbers, matrices and expressions as a person types or pastes them."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from fractions import Fraction

from attention_lab.grading.feedback import Problem

__all__ = ["LARGEST", "Rows", "parse_expression", "parse_matrix", "parse_number", "plain_signs"]

Rows = tuple[tuple[float, ...], ...]

# Far beyond any lesson, and small enough that no product of two numbers overflows.
LARGEST = 1e30
LONGEST = 40  # characters of what was typed that a message repeats

SIGNS = str.maketrans(
    {"\u3000": " ", "、": ", ", "−": "-", "·": "*", "×": "*", "≤": "<=", "≥": ">=", "≠": "!="}
)
WHOLE = r"[-+]?\d+"
DECIMAL_COMMA = re.compile(rf"{WHOLE},\d+")  # 1,5
THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+")  # 1,234 and 1,234,567
# 1.234,5 and 1,234.5: a point and a comma in one number
POINT_AND_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+,\d+|\d{1,3}(,\d{3})+\.\d+)")


def parse_number(text: str) -> float:
    """Read a number as a person types it: ``2``, ``-0.5``, ``1e3``, ``1/3``, ``−2``, ``２``.

    Raises
    ------
    Problem
        No number, or not a finite one; the text says which.
    """
    plain = plain_signs(text).strip()
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"  # what a message repeats of it
    if not plain:
        raise Problem("the field is empty; write a number, such as 0.5")
    if DECIMAL_COMMA.fullmatch(plain) or POINT_AND_COMMA.fullmatch(plain):
        raise Problem(f"“{text}” has a decimal comma; write {_with_point(plain)}")
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


def parse_expression(text: str) -> ast.expr:
    """Read one expression of Python, which is not run, as a person types it: ``k ≤ q − 1``.

    Raises
    ------
    SyntaxError
        It is none, or too deep.
    """
    try:
        return ast.parse(plain_signs(text).strip(), mode="eval").body
    except (ValueError, RecursionError, MemoryError):
        raise SyntaxError from None


def plain_signs(text: str) -> str:
    """Turn what an East Asian keyboard types, and the signs of mathematics, into ASCII.

    Examples
    --------
    >>> plain_signs("－２·ｋ ≤ ｑ")
    '-2*k <= q'
    """
    wide = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    return text.translate({**wide, **SIGNS})


def _with_point(number: str) -> str:
    """Write a number with its last comma or point as the decimal point, and without the others."""
    at = max(number.rfind(","), number.rfind("."))
    return re.sub(r"[,.]", "", number[:at]) + "." + number[at + 1 :]


def parse_matrix(text: str, max_rows: int, max_columns: int) -> Rows:
    """Read a matrix from text: a row per line, or a Python, NumPy or torch matrix.

    Between tabs (from a spreadsheet) a comma is a decimal comma, and so it is between semicolons
    where there are several lines; in brackets, and before a space, it stands between numbers.

    Raises
    ------
    Problem
        Nothing there, what can be read in two ways, rows of different length, too large, or an
        entry that is no number.
    """
    lines = _cells(plain_signs(text))
    if not lines:
        raise Problem("there is nothing to use; write one row per line, such as “1 2 3”")
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


def _cells(plain: str) -> list[list[str]]:
    """Cut text into the cells of its rows, each written with a decimal point."""
    if "[" in plain:  # what stands outside belongs to Python: Q = torch.tensor([[1.]], dtype=...)
        inside = plain[plain.index("[") : plain.rfind("]") + 1]
        return _split_all(inside.replace("\n", " ").replace("]", "\n").replace("[", " "))
    if "(" in plain:
        return _split_all(plain.replace("\n", " ").replace(")", "\n").replace("(", " "))
    lines = [line.strip(" ;\r") for line in plain.split("\n")]
    lines = [line for line in lines if line.strip()]
    if "\t" in plain:
        return _decimal_commas([[c.strip() for c in line.split("\t")] for line in lines])
    if len(lines) > 1 and any(";" in line for line in lines):
        return _decimal_commas([[c.strip() for c in line.split(";")] for line in lines])
    _refuse_two_readings(plain)
    return _split_all(plain)


def _split_all(plain: str) -> list[list[str]]:
    """Split rows at line ends and semicolons, and numbers at spaces and commas."""
    lines = [re.split(r"[\s,]+", line.strip(" ,\t\r")) for line in re.split(r"[\n;]", plain)]
    return [line for line in lines if line != [""]]


def _decimal_commas(rows: list[list[str]]) -> list[list[str]]:
    """Write cells that are one number each with a decimal point.

    Raises
    ------
    Problem
        ``1,234`` can be 1.234 or 1234, and no other cell tells which.
    """
    cells = [cell for row in rows for cell in row]
    sure = [c for c in cells if DECIMAL_COMMA.fullmatch(c) and not THOUSANDS.fullmatch(c)]
    for cell in cells:
        if THOUSANDS.fullmatch(cell) and not sure:
            whole = cell.replace(",", "")
            other = f" or as {_with_point(cell)}" if cell.count(",") == 1 else ""
            raise Problem(
                f"“{cell}” can be read as {whole}{other}: write it without a comma, or with a point"
            )
    return [
        [
            _with_point(c) if DECIMAL_COMMA.fullmatch(c) or POINT_AND_COMMA.fullmatch(c) else c
            for c in row
        ]
        for row in rows
    ]


def _refuse_two_readings(plain: str) -> None:
    """Refuse commas that may be decimal commas, or stand between numbers.

    A comma with a space behind it, a sign behind it, two commas in a row of digits, or a point
    anywhere says that commas stand between numbers.

    Raises
    ------
    Problem
        It names both readings.
    """
    chunks = [chunk.strip(",") for chunk in re.split(r"[\s;]+", plain)]
    tight = [chunk for chunk in chunks if "," in chunk]
    for chunk in tight:
        if POINT_AND_COMMA.fullmatch(chunk):
            raise _two_ways(chunk, [_with_point(chunk)], chunk.split(","))
    if not tight or re.search(r",\s", plain.rstrip()) or "." in plain:
        return
    if all(THOUSANDS.fullmatch(chunk) and chunk.count(",") > 1 for chunk in tight):
        raise _two_ways(tight[0], [tight[0].replace(",", "")], tight[0].split(","))
    if all(DECIMAL_COMMA.fullmatch(chunk) for chunk in tight):
        decimal = [_with_point(c) if "," in c else c for c in chunks if c]
        apart = [number for c in chunks if c for number in c.split(",")]
        raise _two_ways(plain.strip(), decimal, apart)


def _two_ways(text: str, one: Sequence[str], other: Sequence[str]) -> Problem:
    def listed(numbers: Sequence[str]) -> str:
        return " ".join(numbers[:4]) + (" …" if len(numbers) > 4 else "")

    shown = " / ".join(text.split("\n"))
    shown = shown if len(shown) <= 30 else f"{shown[:30]}…"
    return Problem(
        f"“{shown}” can be read in two ways, as {listed(one)} or as {listed(other)}: write decimal "
        "points, or a space behind each comma"
    )
