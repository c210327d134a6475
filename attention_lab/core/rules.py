"""Rules of one query and one key: what `attention` and flex_attention take, and how it is called.

A `MaskMod` says whether the query may attend to the key, a `ScoreMod` gives the new score.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ["MaskMod", "ScoreMod", "at_each_point", "source_of"]

ScoreMod = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

# what PyTorch says where plain Python asks a tensor for one number, or for True or False
NEEDS_A_NUMBER = ("data-dependent", "item()", "converted to an index", "must be integers or slices")


class _LookUps(TorchFunctionMode):
    """Read ``table[q_idx]`` as a look-up, as flex_attention does; vmap in torch 2.6 refuses it."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is Tensor.__getitem__:
            table, index = args
            indices = index if isinstance(index, tuple) else (index,)
            if all(isinstance(each, Tensor) for each in indices):
                return torch.ops.aten.index(table, indices)
        return function(*args, **(kwargs or {}))


def at_each_point(
    rule: Callable[..., Tensor],
    name: str,
    shape: torch.Size,
    *scores: Tensor,
    device: torch.device | None = None,
) -> Tensor:
    """Call a rule on the scalars of each point of the scores.

    Through `torch.vmap`, as flex_attention does, so that a rule means the same here and there
    (``table[q_idx][kv_idx]`` is right on scalars and wrong on broadcast index tensors).

    Parameters
    ----------
    rule : callable
        ``rule(*scores, b, h, q_idx, kv_idx)`` gives one number: a score if there are scores, else
        True or False.
    name : str
        What to call it in a message.
    shape : torch.Size
        Of the scores: (n_q, n_k), (b, n_q, n_k) or (b, h, n_q, n_k).
    *scores : Tensor, of this shape
        None for a `MaskMod`, one tensor for a `ScoreMod`.
    device : torch.device, optional
        Of the indices.

    Returns
    -------
    Tensor, of this shape
        Boolean, or of the dtype of the scores.

    Raises
    ------
    TypeError
        The rule returns no tensor, or one of another kind.
    ValueError
        More than four axes, or the rule returns more than one number.
    """
    if len(shape) > 4:
        raise ValueError(
            f"{name} is called with (b, h, q_idx, kv_idx), so the scores may have at most four "
            f"axes, but they have shape {tuple(shape)}"
        )
    # (n_q, n_k) -> (1, 1, n_q, n_k) and (b, n_q, n_k) -> (b, 1, n_q, n_k)
    batch = shape[0] if len(shape) > 2 else 1
    heads = shape[1] if len(shape) == 4 else 1
    full = (batch, heads, *shape[-2:])
    indices = [torch.arange(size, device=device) for size in full]

    def call(*arguments: Tensor) -> Tensor:
        try:
            result = rule(*arguments)
        except (RuntimeError, TypeError, IndexError) as error:
            if any(sign in str(error) for sign in NEEDS_A_NUMBER):
                raise TypeError(_not_in_tensors(rule, name)) from None
            raise
        wanted = "a floating point tensor" if scores else "a boolean tensor"
        right = isinstance(result, Tensor) and (
            result.is_floating_point() if scores else result.dtype == torch.bool
        )
        if not right:
            came = result.dtype if isinstance(result, Tensor) else type(result).__name__
            raise TypeError(f"{name} must return {wanted}, but it returned {came}")
        return result

    mapped = call
    for axis in (3, 2, 1, 0):  # the innermost map runs over kv_idx
        index_dims = [0 if axis == other else None for other in range(4)]
        mapped = torch.vmap(mapped, in_dims=(*(0 for _ in scores), *index_dims))
    with _LookUps():
        result = mapped(*(s.reshape(full) for s in scores), *indices)
    if result.shape != torch.Size(full):
        raise ValueError(
            f"{name} must return one number for one query and one key, but it returned "
            f"shape {tuple(result.shape[4:])}"
        )
    return result.reshape(shape).to(scores[0].dtype) if scores else result.reshape(shape)


def _not_in_tensors(rule: Callable[..., Tensor], name: str) -> str:
    """Say what in a rule is plain Python, and how to write it with tensors."""
    said = (
        f"{name} is called with tensors, so it cannot ask them for one number, or for True or False"
    )
    if forms := _both_forms(rule):
        return f"{said}: instead of “{forms[0]}” write “{forms[1]}”"
    return (
        f"{said}: write & | ~ for and, or, not; (0 <= d) & (d < 2) for 0 <= d < 2; "
        "torch.where(condition, a, b) for if; torch.maximum, torch.minimum and torch.exp for max, "
        "min and math.exp; and torch.tensor(table)[q_idx] for a look-up in a list"
    )


def source_of(rule: Callable[..., Tensor]) -> str | None:
    """Return the expression of a rule as it was written, on one line.

    None where the source is not known, or is more than one expression.
    """
    expression = _expression_of(rule)
    return None if expression is None else ast.unparse(expression)


def _both_forms(rule: Callable[..., Tensor]) -> tuple[str, str] | None:
    """Return the expression of a rule in plain Python, and the same with tensors.

    None where the source is not known, or is more than one expression.
    """
    expression = _expression_of(rule)
    if expression is None:
        return None
    plain = ast.unparse(expression)
    written = ast.unparse(_InTensors(inspect.unwrap(rule)).visit(expression))
    return None if written == plain else (plain, written)


def _expression_of(rule: Callable[..., Tensor]) -> ast.expr | None:
    rule = inspect.unwrap(rule)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(rule)).strip().rstrip(","))
    except (OSError, TypeError, SyntaxError):
        return None
    wanted = list(inspect.signature(rule).parameters)
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.Lambda, ast.FunctionDef))
        and [argument.arg for argument in node.args.args] == wanted
    ]
    if len(found) != 1:  # two rules on one line: which it is, nobody can tell
        return None
    if isinstance(found[0], ast.Lambda):
        return found[0].body
    *before, last = found[0].body
    if not isinstance(last, ast.Return) or any(isinstance(each, ast.If) for each in before):
        return None
    return last.value


class _InTensors(ast.NodeTransformer):
    """Rewrite an expression: ``and`` to ``&``, ``if`` to ``torch.where`` and so on."""

    def __init__(self, rule: Callable[..., Tensor]) -> None:
        known = inspect.getclosurevars(rule)
        self.names = {**known.globals, **known.nonlocals}

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        sign = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        return functools.reduce(lambda left, right: ast.BinOp(left, sign, right), node.values)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Invert(), node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        pairs = [
            ast.Compare(left, [sign], [right])
            for (left, right), sign in zip(itertools.pairwise(sides), node.ops, strict=True)
        ]
        return functools.reduce(lambda left, right: ast.BinOp(left, ast.BitAnd(), right), pairs)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        where = ast.Attribute(ast.Name("torch"), "where")
        return ast.Call(where, [node.test, node.body, node.orelse], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "id", "")
        if name not in ("max", "min") or len(node.args) != 2:
            return node
        # torch.maximum takes two tensors only; a plain number is a bound: x.clamp(min=0)
        bounds, others = [], []
        for each in node.args:
            is_number = not any(isinstance(part, ast.Name) for part in ast.walk(each))
            (bounds if is_number else others).append(each)
        if len(bounds) == 1:
            bound = ast.keyword("min" if name == "max" else "max", bounds[0])
            return ast.Call(ast.Attribute(others[0], "clamp"), [], [bound])
        node.func = ast.Attribute(ast.Name("torch"), f"{name}imum")
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if isinstance(self.names.get(getattr(node.value, "id", "")), (list, tuple)):
            node.value = ast.Call(ast.Attribute(ast.Name("torch"), "tensor"), [node.value], [])
        return node
