"""What a learner types for keys, queries and values: ``length - 1 - positions``, read safely."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

import torch
from torch import Tensor

from attention_lab.grading.feedback import Problem
from attention_lab.ui.parsing import parse_expression

__all__ = ["sequence"]

OPERATORS: dict[type, Callable[[Tensor, Tensor], Tensor]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: torch.remainder,
}
LONGEST, LARGEST = 60, 1000
EXAMPLE = "made of tokens, positions, length, whole numbers, + - * % and brackets, as positions - 1"


def sequence(text: str, tokens: Tensor) -> Tensor:
    """Return the numbers (n) that a text means for tokens (n).

    Raises
    ------
    Problem
        The text holds something else, or leads to numbers beyond 1000.

    Examples
    --------
    >>> sequence("length - 1 - positions", torch.tensor([3, 1, 4])).tolist()
    [2, 1, 0]
    """
    named = {
        "tokens": tokens,
        "positions": torch.arange(len(tokens)),
        "length": torch.tensor(len(tokens)),
    }
    if not text.strip():
        raise Problem(f"a field is empty; it is {EXAMPLE}")
    try:
        if len(text) > LONGEST:
            raise SyntaxError
        tree = parse_expression(text)
    except SyntaxError:
        raise Problem(f"“{text[:LONGEST]}” cannot be read; it is {EXAMPLE}") from None

    def value(node: ast.expr) -> Tensor:
        if isinstance(node, ast.Name) and node.id in named:
            return named[node.id]
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value <= LARGEST:
            return torch.tensor(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            left, right = value(node.left), value(node.right)
            if isinstance(node.op, ast.Mod) and (right == 0).any():
                raise Problem(f"“{ast.unparse(node)}” divides by 0")
            result = OPERATORS[type(node.op)](left, right)
            if (result.abs() > LARGEST).any():
                raise Problem(f"“{ast.unparse(node)}” goes beyond {LARGEST}")
            return result
        raise Problem(f"“{ast.unparse(node)}” is not known here; a field is {EXAMPLE}")

    return value(tree).expand(len(tokens)).long()
