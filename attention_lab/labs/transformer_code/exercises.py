"""Notebook 07: the Transformer code, repaired."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import same
from attention_lab.grading.feedback import Problem, call, name_of, tensor_of
from attention_lab.labs.transformer_code.suspects import (
    FAULTS,
    SUSPECTS,
    CausalLayer,
    caught_by,
    suspects,
)
from attention_lab.models.training import seeded
from attention_lab.models.transformer import MultiHeadAttention

__all__ = ["copy_weights", "find_faults", "grouped_query", "repaired", "runs_when"]

# --- 7.1 ---------------------------------------------------------------------------------------


@exercise
def find_faults(answer: Any) -> str:
    """``{"A": fault, ...}``: the fault of each of six layers."""
    if not isinstance(answer, dict):
        raise Problem(f"write a dictionary of {len(SUSPECTS)} letters, each with a fault")
    layers = suspects()
    if answer.keys() != layers.keys():
        raise Problem(f"the letters must be {', '.join(layers)}")
    if unknown := [name for name in layers if not _is_fault(answer[name])]:
        raise Problem(f"{unknown[0]}: the fault must be one of: {', '.join(FAULTS)}")
    wrong = [name for name in layers if answer[name] != SUSPECTS[name]]
    if not wrong:
        return "All six, and the one without a fault among them."
    name = wrong[0]
    layer, guess = layers[name], answer[name]
    guessed = CausalLayer(guess, d_model=layer.d_model, n_heads=layer.n_heads)
    fails, would_fail = caught_by(layer), caught_by(guessed)
    said = f"{len(layers) - len(wrong)} of {len(layers)} are right. "
    if fails != would_fail:
        raise Problem(
            f"{said}{name} fails {_tests(fails)}; a layer with your answer ({guess}) fails "
            f"{_tests(would_fail)}"
        )
    raise Problem(
        f"{said}{name} and a layer with your answer ({guess}) fail the same tests. By how much are "
        "the weights off? Compare the logarithm of the ratio of two of them with yours by hand"
    )


def _is_fault(guess: Any) -> bool:
    return isinstance(guess, str) and guess in FAULTS


def _tests(names: list[str]) -> str:
    if not names:
        return "none of the tests"
    return f"the test{'s' * (len(names) > 1)} {', '.join(names)}"


# --- 7.2 ---------------------------------------------------------------------------------------


def _attend(x: Tensor, maps: list[Tensor], n_heads: int, mask: Tensor | None, **changed) -> Any:
    """Multi-head attention, column c in head c mod n_heads; ``changed`` makes one mistake."""
    w_query, w_key, w_value, w_out = maps
    batch, n, _ = x.shape

    def split(t: Tensor) -> Tensor:
        if changed.get("reshape"):
            return t.reshape(batch, n_heads, n, -1)
        if changed.get("neighbours"):
            return t.reshape(batch, n, n_heads, -1).transpose(1, 2)
        return t.reshape(batch, n, -1, n_heads).permute(0, 3, 1, 2)

    q, k, v = split(x @ w_query), split(x @ w_key), split(x @ w_value)
    d = changed.get("d", q.shape[-1])
    scores = q @ k.transpose(-2, -1) / math.sqrt(d)
    if mask is not None and not changed.get("unmasked"):
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=changed.get("axis", -1))
    heads = weights @ v
    joined = {
        "": heads.permute(0, 2, 3, 1),
        "reshape": heads,
        "neighbours": heads.transpose(1, 2),
    }[changed.get("join", "")].reshape(batch, n, -1)
    return joined @ w_out, weights


MAPS = ("w_query", "w_key", "w_value", "w_out")


class _Asked:
    """What an answer to 7.2 gives for some inputs, and the properties of a right one."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self.answer, self.n, self.heads = answer, 5, 2
        random = torch.Generator().manual_seed(3)

        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=random)

        def maps(d_model: int, n_heads: int, d_k: int, d_v: int) -> list[Tensor]:
            return [
                draw(d_model, n_heads * d_k) / 2, draw(d_model, n_heads * d_k) / 2,
                draw(d_model, n_heads * d_v), draw(n_heads * d_v, d_model),
            ]  # fmt: skip

        self.x, self.usual = draw(2, self.n, 8), maps(8, self.heads, 4, 4)
        self.wide = maps(8, self.heads, 3, 6)  # d_v is not d_k, and h * d_v is not d_model
        eye = torch.eye(self.n, dtype=torch.bool)
        self.causal = torch.ones(self.n, self.n, dtype=torch.bool).tril()
        self.window = self.causal & self.causal.T.roll(2, 0) | eye  # another mask
        self.output, self.weights = self.ask(self.x, self.usual)
        self.wide_output, self.wide_weights = self.ask(self.x, self.wide)
        self.masked = self.ask(self.x, self.usual, mask=self.causal)
        self.windowed = self.ask(self.x, self.usual, mask=self.window)

    def ask(
        self, x: Tensor, maps: list[Tensor], n_heads: int = 2, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the answer's output and weights."""
        inputs = {"x": x, **dict(zip(MAPS, maps, strict=True)), "n_heads": n_heads}
        result = call(self.answer, inputs, {} if mask is None else {"mask": mask})
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            came = "None" if result is None else f"a {type(result).__name__}"
            raise Problem(
                f"{name_of(self.answer)} must return (output, weights), but it returned {came}"
            )
        return tensor_of(result[0], "the output"), tensor_of(result[1], "the weights")

    def head_alone(self) -> bool:
        other = [each.clone() for each in self.usual]
        other[0][:, 1::2] += 1  # the queries of head 1
        return same(self.ask(self.x, other)[1][:, 0], self.weights[:, 0])

    def order_moves_along(self) -> bool:
        order = torch.tensor([3, 0, 4, 1, 2])
        return same(self.ask(self.x[:, order], self.usual)[0], self.output[:, order])

    def mask_hides(self) -> bool:
        pairs = ((self.masked, self.causal), (self.windowed, self.window))
        # large scores show that -20 or -50 is no -inf
        pairs += ((self.ask(3 * self.x, self.usual, mask=self.causal), self.causal),)
        hidden = all((weights.masked_fill(m, 0) == 0).all() for (_, weights), m in pairs)
        return hidden and same(self.masked[1].sum(-1), torch.ones(2, self.heads, self.n))

    def no_look_ahead(self) -> bool:
        changed = self.x.clone()
        changed[:, -1] += 1
        output, _ = self.ask(changed, self.usual, mask=self.causal)
        return same(output[:, :-1], self.masked[0][:, :-1])

    def equal_to_pytorch(self) -> bool:
        cases = [
            (self.output, self.usual, 2, None),
            (self.wide_output, self.wide, 2, None),
            (self.masked[0], self.usual, 2, self.causal),
            (self.windowed[0], self.usual, 2, self.window),
            *((self.ask(self.x, self.usual, h)[0], self.usual, h, None) for h in (1, 4)),
        ]
        other = normal(3, 7, 8, seed=8, dtype=torch.float32)  # other sizes
        return all(same(came, _attend(self.x, *given)[0]) for came, *given in cases) and same(
            self.ask(other, self.usual)[0], _attend(other, self.usual, 2, None)[0]
        )

    def properties(self) -> list[tuple[str, Callable[[], bool]]]:
        """Return what must hold, and how it is tried, from the plain to the strict."""
        x, output, weights, heads, n = self.x, self.output, self.weights, self.heads, self.n

        def right_weights(maps: list[Tensor]) -> Tensor:
            return _attend(x, maps, heads, None)[1]

        return [
            ("one output for each token: the output has the shape of x", lambda: (
                output.shape == x.shape)),
            ("one weight for each pair: the weights have the shape (B, n_heads, n, n)", lambda: (
                weights.shape == (2, heads, n, n))),
            ("the weights of a query sum to 1: softmax over the last axis", lambda: same(
                weights.sum(-1), torch.ones(2, heads, n))),
            ("head 0 (columns 0, 2, 4 ...) does not depend on the queries of head 1",
             self.head_alone),
            ("the weights are softmax(q · k / √d_k), with the d_k of one head", lambda: same(
                weights, right_weights(self.usual))),
            ("the same with another d_k", lambda: same(
                self.wide_weights, right_weights(self.wide))),
            ("the output has the shape of x also where n_heads * d_v is not d_model", lambda: (
                self.wide_output.shape == x.shape)),
            ("reordered tokens give reordered outputs", self.order_moves_along),
            ("a sentence alone gives what it gives in a batch", lambda: same(
                self.ask(x[1:], self.usual)[0], output[1:])),
            ("the mask hides: its weights are 0 where it is False", self.mask_hides),
            ("with a causal mask no output moves when a later token does", self.no_look_ahead),
            ("equal to PyTorch's scaled_dot_product_attention, joined, times w_out",
             self.equal_to_pytorch),
        ]  # fmt: skip


@exercise
def repaired(answer: Callable[..., Any]) -> str:
    """``multi_head(x, w_query, w_key, w_value, w_out, n_heads, mask=None)``: twelve properties."""
    asked = _Asked(answer)
    properties, held = asked.properties(), []
    for _, holds in properties:
        try:
            held.append(bool(holds()))
        except (RuntimeError, IndexError):  # a comparison of shapes that do not fit
            held.append(False)
    if all(held):
        return f"All {len(held)} properties hold."
    guess = _guess(asked.output, asked.weights, asked.x, asked.usual, asked.heads)
    raise Problem(
        f"{sum(held)} of {len(held)} properties hold. The first that does not: "
        f"{properties[held.index(False)][0]}{guess}"
    )


def _guess(output: Tensor, weights: Tensor, x: Tensor, maps: list[Tensor], heads: int) -> str:
    """Name the mistake that gives just these weights, or this output, if it is a known one."""
    known = {
        "the scores are divided by √d_model, not by √d_k": {"d": 8},
        "the scores are not divided by √d_k": {"d": 1},
        "the scores are divided by d_k, not by its root": {"d": 16},
        "the softmax runs over the queries": {"axis": -2},
        "the heads are split by one reshape, which mixes tokens: split the last axis, then "
        "change the places of the axes": {"reshape": True},
        "head 0 gets the first columns, as in section 2; here column c belongs to head c mod "
        "n_heads": {"neighbours": True},
    }
    for what, changed in known.items():
        if same(weights, _attend(x, maps, heads, None, **changed)[1]):
            return f" ({what})"
    joins = {
        "reshape": "the heads are joined without turning back: bring their axis to the end first",
        "neighbours": "the heads are joined one behind the other, as in section 2; here row c of "
        "w_out belongs to head c mod n_heads",
    }
    for join, what in joins.items():
        if same(output, _attend(x, maps, heads, None, join=join)[0]):
            return f" ({what})"
    return ""


# --- 7.3 ---------------------------------------------------------------------------------------


def _attend_in_groups(
    query: Tensor, key: Tensor, value: Tensor, *, go_round: bool = False, d: int | None = None
) -> Tensor:
    """Return the output of grouped queries; ``go_round`` and ``d`` make known mistakes."""
    groups = query.shape[1] // key.shape[1]
    if go_round:
        key, value = (t.repeat(1, groups, 1, 1) for t in (key, value))
    else:
        key, value = (t.repeat_interleave(groups, dim=1) for t in (key, value))
    scores = query @ key.transpose(-2, -1) / math.sqrt(d or query.shape[-1])
    return scores.softmax(dim=-1) @ value


@exercise
def grouped_query(answer: Callable[..., Any]) -> str:
    """``grouped_attention(query, key, value)``: several query heads share a key head."""
    cases = []
    # batch, heads, key heads, n_q, n_k, d_k, d_v
    for seed, (b, h, h_k, n_q, n_k, d_k, d_v) in enumerate(
        [
            (1, 6, 2, 2, 3, 4, 5),
            (2, 4, 2, 3, 5, 2, 3),
            (3, 6, 3, 4, 2, 9, 1),
            (2, 5, 5, 3, 4, 3, 2),
            (1, 4, 1, 5, 6, 8, 7),
        ]
    ):
        cases.append(
            {
                "query": 2 * normal(b, h, n_q, d_k, seed=3 * seed),
                "key": normal(b, h_k, n_k, d_k, seed=3 * seed + 1),
                "value": normal(b, h_k, n_k, d_v, seed=3 * seed + 2),
            }
        )
    cases.append({name: tensor.float() for name, tensor in cases[0].items()})
    mistakes = {
        "the key heads go round: query heads 0 to 5 of 6 read key heads 0, 1, 0, 1, 0, 1 of 2, "
        "which is what `repeat` gives. Neighbours share: 0, 0, 0, 1, 1, 1. So heads 0, 2, 3 and 5 "
        "are right by chance, and 1 and 4 are not": partial(_attend_in_groups, go_round=True),
        "the scores are not divided by √d_k": partial(_attend_in_groups, d=1),
        "the scores are divided by d_k, not by its root": lambda q, k, v: _attend_in_groups(
            q, k, v, d=q.shape[-1] ** 2
        ),
        "every query head reads key head 0; the others are never used": lambda q, k, v: (
            _attend_in_groups(q, k[:, :1], v[:, :1])
        ),
    }
    judge(answer, cases, _attend_in_groups, "the outputs", mistakes)
    return "Right for groups of 1, 2, 3 and 4 query heads."


# --- 7.4, 7.5 ----------------------------------------------------------------------------------


@exercise
def copy_weights(answer: Callable[..., Any]) -> str:
    """``copy_over(ours, theirs)``: our parameters into ``nn.MultiheadAttention``."""
    for d_model, n_heads in ((8, 2), (12, 3)):
        with seeded(5):
            ours = MultiHeadAttention(d_model, n_heads)
            theirs = nn.MultiheadAttention(d_model, n_heads, batch_first=True)
            with torch.no_grad():  # PyTorch starts them at 0, which would hide a mistake
                for parameter in (*ours.parameters(), *theirs.parameters()):
                    parameter.add_(torch.randn_like(parameter) / 4)
            x = torch.randn(2, 5, d_model)
        before = ours(x, x, x).detach()
        shapes = {name: p.shape for name, p in theirs.named_parameters()}
        call(answer, {"ours": ours, "theirs": theirs})
        after = dict(theirs.named_parameters())
        if strange := sorted(after.keys() ^ shapes.keys()):
            has = "has a new" if strange[0] in after else "has lost its"
            raise Problem(
                f"theirs {has} parameter {strange[0]}; write into those it has: {', '.join(shapes)}"
            )
        for name, parameter in after.items():
            if parameter.shape != shapes[name] or parameter.dtype != torch.float32:
                raise Problem(
                    f"theirs.{name} is now {tuple(parameter.shape)}, {parameter.dtype}; it must "
                    f"stay {tuple(shapes[name])}, torch.float32"
                )
        # the parameters in a layer of PyTorch's, whatever was done to this one
        kept, theirs = theirs, nn.MultiheadAttention(d_model, n_heads, batch_first=True)
        theirs.load_state_dict(kept.state_dict())
        if not same(ours(x, x, x).detach(), before):
            raise Problem("ours was changed; copy from ours into theirs")
        with torch.no_grad():
            came = theirs(x, x, x)[0]
        if same(came, before):
            continue
        maps = {"query": ours.query, "key": ours.key, "value": ours.value}
        for i, (name, own) in enumerate(maps.items()):
            part = slice(i * d_model, (i + 1) * d_model)
            if not same(theirs.in_proj_weight[part], own.weight):
                if same(theirs.in_proj_weight[part], own.weight.T):
                    raise Problem(
                        f"the weight of the {name} is transposed: both are (out, in), as in every "
                        "nn.Linear"
                    )
                raise Problem(
                    f"rows {part.start} to {part.stop - 1} of in_proj_weight must be "
                    f"ours.{name}.weight: query, key and value lie below each other, in this order"
                )
            if not same(theirs.in_proj_bias[part], own.bias):
                raise Problem(f"the bias of the {name} is missing, or not in its place")
        if same(theirs.out_proj.weight, ours.out.weight.T):
            raise Problem("the weight of out_proj is transposed: both are (out, in)")
        raise Problem("out_proj is not ours.out: it has a weight and a bias, too")
    return "The same outputs from both, for two sizes."


SMALL = [*itertools.product(*[range(1, 6)] * 4, range(1, 7))]  # all 3750 small configurations


def runs(n: int, n_heads: int, d_k: int, d_v: int, d_model: int) -> bool:
    """Tell whether the draft's encoder runs on vectors; a test runs it in all of `SMALL`."""
    if d_k != n_heads or not (n_heads == n or 1 in (n_heads, n)):
        return False  # (B, h, n, d_k) @ (B, n, h, d_k)
    if d_k != n:
        return False  # (B, max(h, n), n, d_k) @ (B, h, n, d_v)
    return max(n_heads, n) * n * d_v % d_model == 0


def _is_truth(answer: Any) -> bool:
    """Tell whether an answer is one True or False, or 1 or 0: Python's, NumPy's, or torch's."""
    if isinstance(answer, Tensor):
        return answer.numel() == 1 and answer.dtype == torch.bool
    return isinstance(answer, (bool, np.bool_)) or (
        isinstance(answer, (int, np.integer)) and answer in (0, 1)
    )


@exercise
def runs_when(answer: Callable[..., Any]) -> str:
    """``runs(n, n_heads, d_k, d_v, d_model)``: does the draft's encoder run on vectors?"""
    names, wrong = ("n", "n_heads", "d_k", "d_v", "d_model"), []
    for k, numbers in enumerate(SMALL):
        # called with care once; then plainly, 3750 times
        result = answer(*numbers) if k else call(answer, dict(zip(names, numbers, strict=True)))
        if not _is_truth(result):
            came = "None" if result is None else repr(result)[:40]
            what = ", ".join(f"{a} = {b}" for a, b in zip(names, numbers, strict=True))
            raise Problem(
                f"{name_of(answer)} must return True or False, but for {what} it returned {came}"
            )
        if bool(result) != runs(*numbers):
            wrong.append(numbers)
    if wrong:
        # one that runs tells more than one of the many that do not
        first = max(wrong, key=lambda numbers: (runs(*numbers), -wrong.index(numbers)))
        what = ", ".join(f"{name} = {size}" for name, size in zip(names, first, strict=True))
        does = "runs" if runs(*first) else "does not run"
        raise Problem(
            f"right for {len(SMALL) - len(wrong)} of {len(SMALL)} configurations. With {what} "
            f"the encoder {does}"
        )
    return f"Right for all {len(SMALL)} configurations; {sum(runs(*each) for each in SMALL)} run."
