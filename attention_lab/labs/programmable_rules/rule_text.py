"""A rule as a learner types it, ``k <= q and q - k < 3``, in the form that tensors take.

The text is parsed, never run: only what is named here comes through, so that what comes out can be
called.
"""

from __future__ import annotations

import ast
import re
from typing import NoReturn

from attention_lab.grading.feedback import Problem
from attention_lab.ui.parsing import parse_expression

__all__ = ["in_tensors"]

LONGEST = 200  # characters
LARGEST = 1e6
NAMES = {"q": "q", "k": "k", "h": "h", "q_idx": "q", "kv_idx": "k"}
MADE_OF = (
    "a rule is made of q, k, h, n, numbers, + - * / // %, < <= == != >= >, and, or, not, in (…), "
    "abs, min, max, exp, and “a if … else b”"
)
ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//",
              ast.Mod: "%"}  # fmt: skip
TRUTHS = {ast.BitAnd: "&", ast.BitOr: "|", ast.And: "&", ast.Or: "|"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=", ast.GtE: ">=",
               ast.Gt: ">"}  # fmt: skip

# What a part of a rule is: True or False, a number for each pair, or the same number for all.
TRUTH, NUMBER, CONSTANT = "truth", "number", "constant"
Part = tuple[ast.expr, str]


def in_tensors(text: str, wants: str, n: int) -> str:
    """Return a rule of q, k and h as Python that works on tensors.

    Parameters
    ----------
    text : str
        Plain Python: ``and``, ``or``, ``not``, chained comparisons and ``if`` are allowed. q is
        the position of the query, k that of the key, h the head, n the number of tokens.
    wants : str
        "mask", which is True or False, or "bias", a number.
    n : int
        What stands for ``n``.

    Returns
    -------
    str
        One expression.

    Raises
    ------
    Problem
        It is no such rule; the text says why, and how to write it.

    Examples
    --------
    >>> in_tensors("k <= q and q - k < 3", "mask", 8)
    '(k <= q) & (q - k < 3)'
    >>> in_tensors("2 if k == n - 1 else 0", "bias", 8)
    'torch.where(k == 8 - 1, 2, 0)'
    """
    text = text.strip()
    if not text:
        raise Problem("write a rule, such as k <= q and q - k < 3")
    if len(text) > LONGEST:
        raise Problem(f"the rule has {len(text)} characters; at most {LONGEST} fit here")
    try:
        tree = parse_expression(text)
    except SyntaxError:
        if re.search(r"(?<![<>!=])=(?!=)", text):
            raise Problem("= gives a name to something; write == to compare") from None
        raise Problem(
            f"“{text}” cannot be read; write a rule such as k <= q and q - k < 3"
        ) from None
    written, kind = _Reader(n).read(tree)
    if wants == "mask" and kind != TRUTH:
        raise Problem(
            f"a mask says True or False, but “{text}” is a number: compare it, as in q - k < 3"
        )
    if wants == "bias" and kind == TRUTH:
        raise Problem(
            f"a bias is a number, but “{text}” says True or False: write 2 if {text} else 0"
        )
    return ast.unparse(written)


class _Reader:
    """Check each part of a rule, and write it for tensors."""

    def __init__(self, n: int) -> None:
        self.n = n

    def read(self, node: ast.expr) -> Part:
        reader = getattr(self, f"_{type(node).__name__.lower()}", None)
        if reader is None:
            raise Problem(f"“{ast.unparse(node)}” cannot stand in a rule: {MADE_OF}")
        return reader(node)

    def _constant(self, node: ast.Constant) -> Part:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Problem(f"“{ast.unparse(node)}” cannot stand in a rule: {MADE_OF}")
        if not abs(value) <= LARGEST:
            raise Problem(f"{value:g} is too large: write numbers up to {LARGEST:g}")
        return ast.Constant(value), CONSTANT

    def _name(self, node: ast.Name) -> Part:
        if node.id == "n":
            return ast.Constant(self.n), CONSTANT
        if node.id == "b":
            raise Problem("“b”, the text of a batch, is always 0 here: there is one text")
        if node.id not in NAMES:
            raise Problem(
                f"“{node.id}” is not known: q is the position of the query, k that of the key, "
                "h the head, n the number of tokens"
            )
        return ast.Name(NAMES[node.id]), NUMBER

    def _unaryop(self, node: ast.UnaryOp) -> Part:
        if isinstance(node.op, (ast.Not, ast.Invert)):
            return ast.UnaryOp(ast.Invert(), self._truth(node.operand, "not")), TRUTH
        written, kind = self._number(node.operand)
        return ast.UnaryOp(node.op, written), kind

    def _boolop(self, node: ast.BoolOp) -> Part:
        word = type(node.op).__name__.lower()
        sign = ast.BitAnd() if word == "and" else ast.BitOr()
        written, *others = (self._truth(each, word) for each in node.values)
        for other in others:
            written = ast.BinOp(written, sign, other)
        return written, TRUTH

    def _binop(self, node: ast.BinOp) -> Part:
        if type(node.op) in TRUTHS:
            sign = TRUTHS[type(node.op)]
            left, right = (self._truth(each, sign) for each in (node.left, node.right))
            return ast.BinOp(left, node.op, right), TRUTH
        if type(node.op) not in ARITHMETIC:
            raise Problem(f"“{ast.unparse(node)}” cannot stand in a rule: {MADE_OF}")
        (left, of_left), (right, of_right) = self._number(node.left), self._number(node.right)
        divides = isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod))
        if divides and not (isinstance(right, ast.Constant) and right.value):
            raise Problem(
                f"“{ast.unparse(node)}” may divide by 0: write a number other than 0 behind "
                f"{ARITHMETIC[type(node.op)]}"
            )
        kind = CONSTANT if of_left == of_right == CONSTANT else NUMBER
        return ast.BinOp(left, node.op, right), kind

    def _compare(self, node: ast.Compare) -> Part:
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return self._one_of(node)
        sides = [self._number(each) for each in (node.left, *node.comparators)]
        pairs = []
        for (left, of_left), (right, of_right), sign in zip(
            sides[:-1], sides[1:], node.ops, strict=True
        ):
            if type(sign) not in COMPARISONS:
                raise Problem(f"“{ast.unparse(node)}” cannot stand in a rule: {MADE_OF}")
            if of_left == of_right == CONSTANT:
                self._looks_nowhere(ast.Compare(left, [sign], [right]))
            pairs.append(ast.Compare(left, [sign], [right]))
        written = pairs[0]
        for other in pairs[1:]:
            written = ast.BinOp(written, ast.BitAnd(), other)
        return written, TRUTH

    def _one_of(self, node: ast.Compare) -> Part:
        """Read ``k in (0, 3)`` as ``(k == 0) | (k == 3)``."""
        (among,) = node.comparators
        if not isinstance(among, (ast.Tuple, ast.List, ast.Set)) or not among.elts:
            raise Problem(
                f"“{ast.unparse(node)}” cannot be read: behind in stand numbers in brackets, as in "
                "k in (0, 3)"
            )
        equal = [
            self._compare(ast.Compare(node.left, [ast.Eq()], [each]))[0] for each in among.elts
        ]
        written = equal[0]
        for other in equal[1:]:
            written = ast.BinOp(written, ast.BitOr(), other)
        if isinstance(node.ops[0], ast.NotIn):
            written = ast.UnaryOp(ast.Invert(), written)
        return written, TRUTH

    def _ifexp(self, node: ast.IfExp) -> Part:
        test = self._truth(node.test, "if")
        (yes, of_yes), (no, of_no) = self.read(node.body), self.read(node.orelse)
        if (of_yes == TRUTH) != (of_no == TRUTH):
            raise Problem(
                f"“{ast.unparse(node)}” is a number in one case and True or False in the other"
            )
        return _torch("where", test, yes, no), TRUTH if of_yes == TRUTH else NUMBER

    def _call(self, node: ast.Call) -> Part:
        name = getattr(node.func, "id", "")
        count = {"abs": 1, "exp": 1, "min": 2, "max": 2}.get(name)
        if count is None or node.keywords:
            raise Problem(f"“{ast.unparse(node)}” cannot stand in a rule: {MADE_OF}")
        if len(node.args) != count:
            raise Problem(f"“{ast.unparse(node)}”: {name} takes {count} number{'s' * (count > 1)}")
        parts = [self._number(each) for each in node.args]
        if all(kind == CONSTANT for _, kind in parts):
            self._looks_nowhere(node)
        written = [each for each, _ in parts]
        if name == "abs":
            return ast.Call(ast.Name("abs"), written, []), NUMBER
        if name == "exp":
            return _torch("exp", *written), NUMBER
        sign = ast.Lt() if name == "min" else ast.Gt()
        return _torch("where", ast.Compare(written[0], [sign], [written[1]]), *written), NUMBER

    def _number(self, node: ast.expr) -> Part:
        written, kind = self.read(node)
        if kind == TRUTH:
            text = ast.unparse(node)
            raise Problem(
                f"“{text}” says True or False, and a number is wanted there: write 1 if {text} "
                "else 0; and put each comparison in brackets where & or | join them"
            )
        return written, kind

    def _truth(self, node: ast.expr, sign: str) -> ast.expr:
        written, kind = self.read(node)
        if kind != TRUTH:
            raise Problem(
                f"“{ast.unparse(node)}” is a number, but “{sign}” wants True or False: compare it, "
                "as in q - k < 3"
                + ("; and put each comparison in brackets" if sign in "&|" else "")
            )
        return written

    def _looks_nowhere(self, node: ast.expr) -> NoReturn:
        raise Problem(
            f"“{ast.unparse(node)}” is the same for every pair: it has no q, k or h in it"
        )


def _torch(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name("torch"), name), list(arguments), [])
