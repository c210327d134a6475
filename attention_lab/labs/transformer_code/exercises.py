"""Notebook 07: the Transformer code, repaired."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from attention_lab.grading.base import exercise
from attention_lab.grading.cases import normal
from attention_lab.grading.compare import same
from attention_lab.grading.feedback import Problem, call, name_of, tensor_of
from attention_lab.labs.transformer_code.draft import INPUTS, REPAIRS, Draft, Sizes, make_input
from attention_lab.models.transformer import MultiHeadAttention

__all__ = [
    "CONFIGURATIONS",
    "contradictions",
    "copy_weights",
    "predict_outcomes",
    "repaired",
    "runs_when",
]

# what goes in, the sizes, and what is repaired
CONFIGURATIONS: list[tuple[str, Sizes, tuple[str, ...]]] = [
    (INPUTS[2], Sizes(1, 4, 4, 4, 2, 8), ()),
    (INPUTS[0], Sizes(2, 8, 4, 4, 2, 8), ()),
    (INPUTS[2], Sizes(1, 4, 2, 4, 4, 8), ()),
    (INPUTS[2], Sizes(1, 4, 4, 2, 2, 8), ()),
    (INPUTS[1], Sizes(2, 4, 2, 4, 4, 8), ()),
    (INPUTS[2], Sizes(1, 3, 3, 3, 8, 8), ()),
    (INPUTS[2], Sizes(1, 3, 3, 3, 3, 8), ()),
    (INPUTS[2], Sizes(1, 4, 2, 5, 2, 8), ("transpose", "softmax")),
]
OUTCOMES = {
    "A": "it runs, with one output for each token",
    "B": "it runs, with another number of outputs",
    "C": "line 1: whole numbers meet decimal ones",
    "D": "line 1: the last axis is not d_model",
    "E": "line 5: the leading axes do not broadcast",
    "F": "line 5: the axes that are multiplied differ",
    "G": "the last line: no whole number of rows comes out",
}


def _outcome(given: str, sizes: Sizes, repairs: tuple[str, ...]) -> str:
    """Run a configuration, and return its letter."""
    lines, output = Draft(sizes, repairs).trace(make_input(given, sizes))
    if output is not None:
        return "A" if output.shape[1] == sizes.n else "B"
    failed = next(i for i, line in enumerate(lines, 1) if line.error)
    if failed == 1:
        return "C" if given == INPUTS[0] else "D"
    if failed == len(lines):
        return "G"
    # scores: (B, h, n, d_k) @ (B, n, h, d_k); (B, h) and (B, n) broadcast if equal or one is 1
    fits = sizes.n_heads == sizes.n or 1 in (sizes.n_heads, sizes.n)
    return "F" if fits else "E"


@exercise
def predict_outcomes(answer: Any) -> str:
    """Eight letters: what each configuration of the draft does."""
    if hasattr(answer, "tolist"):  # an array
        answer = answer.tolist()
    if not isinstance(answer, (str, list, tuple)):
        raise Problem(f"write eight letters, such as 'ABCDEFGA', not {answer!r}")
    letters = [c for c in "".join(map(str, answer)).upper() if c.isalnum()]
    if unknown := [c for c in letters if c not in OUTCOMES]:
        raise Problem(f"{unknown[0]} is no outcome here; the letters are A to G")
    if len(letters) != len(CONFIGURATIONS):
        raise Problem(
            f"there are {len(CONFIGURATIONS)} configurations, and you gave {len(letters)} letters"
        )
    right = [_outcome(*configuration) for configuration in CONFIGURATIONS]
    agreeing = sum(a == b for a, b in zip(letters, right, strict=True))
    if agreeing < len(right):
        # Which, is not said: seven tries would then find a letter without a thought.
        raise Problem(
            f"{agreeing} of {len(right)} are right. Write the shape that comes out of each line, "
            "for each configuration, and look for the first two that do not fit"
        )
    return "All eight, and each was run here."


# --- 7.2 ---------------------------------------------------------------------------------------


def _attend(x: Tensor, maps: list[Tensor], n_heads: int, mask: Tensor | None, **changed) -> Any:
    """Multi-head attention; ``changed`` makes one known mistake."""
    w_query, w_key, w_value, w_out = maps
    batch, n, _ = x.shape

    def split(t: Tensor) -> Tensor:
        if changed.get("reshape"):
            return t.reshape(batch, n_heads, n, -1)
        return t.reshape(batch, n, n_heads, -1).transpose(1, 2)

    q, k, v = split(x @ w_query), split(x @ w_key), split(x @ w_value)
    d = changed.get("d", q.shape[-1])
    scores = q @ k.transpose(-2, -1) / math.sqrt(d)
    if mask is not None and not changed.get("unmasked"):
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=changed.get("axis", -1))
    heads = weights @ v
    if changed.get("join"):
        joined = heads.reshape(batch, n, -1)
    else:
        joined = heads.transpose(1, 2).reshape(batch, n, -1)
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
        other[0][:, 4:] += 1  # the queries of head 1
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
            ("head 0 does not depend on the queries of head 1", self.head_alone),
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
        "change places with transpose": {"reshape": True},
    }
    for what, changed in known.items():
        if same(weights, _attend(x, maps, heads, None, **changed)[1]):
            return f" ({what})"
    if same(output, _attend(x, maps, heads, None, join=True)[0]):
        return " (the heads are joined without turning back: transpose(1, 2) first)"
    return ""


# --- 7.3 ---------------------------------------------------------------------------------------


def _is_truth(answer: Any) -> bool:
    """Tell whether an answer is one True or False, or 1 or 0: Python's, NumPy's, or torch's."""
    if isinstance(answer, Tensor):
        return answer.numel() == 1 and answer.dtype == torch.bool
    return isinstance(answer, (bool, np.bool_)) or (
        isinstance(answer, (int, np.integer)) and answer in (0, 1)
    )


Pair = tuple[Tensor, Tensor]


def _genuine(batch: int, n: int, d_model: int, lift: float) -> Pair:
    """Return (context, output) of two right blocks; ``lift`` is added to all outputs."""
    with torch.random.fork_rng():
        torch.manual_seed(d_model)
        sizes = Sizes(batch, n, 2, 5, d_model, d_model)
        block, other = Draft(sizes, REPAIRS), Draft(sizes, REPAIRS)
        with torch.no_grad():
            for each in (block, other):
                each.to_output.bias += lift
        x = torch.randn(batch, n, d_model)
    context = block(x)[0]
    return context.detach().requires_grad_(), other(x, context)[0]


def _prints(tokens: Tensor) -> list[Pair]:
    """Return the article's print, and pairs that have only some of its faults.

    Two checks that answer alike on all of them are one check. Each shape comes twice, with other
    numbers in it: checks that answer alike for one shape look at the shape alone.
    """
    random = torch.Generator().manual_seed(4)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    ones, equal = torch.ones(3, 3), drawn(3, 3, 10)
    return [
        (ones, ones),
        (torch.ones(3, 3, 10), torch.ones(3, 3, 10)),
        (drawn(3, 3), drawn(3, 3)),
        (equal, equal),
        (drawn(3, 3, 10).requires_grad_(), torch.ones(3, 3, 10).requires_grad_()),
        (drawn(3, 3, 10), drawn(3, 3, 10)),
        (drawn(3, 10), drawn(3, 10)),
        (torch.ones(3, 10), torch.ones(3, 10)),
        (drawn(3, 3, 7), drawn(3, 3, 7)),
        (torch.ones(3, 3, 7), torch.ones(3, 3, 7)),
        (tokens.float(), tokens.float() + 1),
        (drawn(3, 3, 10).round(), drawn(3, 3, 10).round()),
    ]


def _checks_of(result: Any) -> list[bool]:
    """Read what an answer to 7.3 returned: one True or False for each check."""
    if isinstance(result, Mapping):
        result = list(result.values())
    if not isinstance(result, (list, tuple)):
        raise Problem("return a dictionary of at least three checks, each True or False")
    if any(not _is_truth(each) for each in result):
        raise Problem("each check must be one True or False: torch.equal, .all() or == on shapes")
    return [bool(each) for each in result]


@exercise
def contradictions(answer: Callable[..., Any]) -> str:
    """``contradictions(context, output, tokens, d_model)``: three checks that refute a print."""
    tokens = torch.arange(1, 10).view(3, 3)

    def ask(context: Tensor, output: Tensor, tokens: Tensor = tokens) -> list[bool]:
        d_model = context.shape[-1] if tokens.shape != (3, 3) else 10
        given = {"context": context, "output": output, "tokens": tokens, "d_model": d_model}
        return _checks_of(call(answer, given))

    prints = _prints(tokens)
    printed = ask(*prints[0])
    speaks = [k for k, said in enumerate(printed) if said]
    if len(speaks) < 3:
        raise Problem(
            f"at least three checks must speak against the print, two tensors of shape (3, 3) full "
            f"of ones; {len(speaks)} of your {len(printed)} do"
        )
    for batch, n, d_model, lift in ((3, 3, 10, 0.0), (2, 5, 8, 0.0), (3, 3, 10, 50.0)):
        numbers = torch.arange(batch * n).view(batch, n)
        if any(found := ask(*_genuine(batch, n, d_model, lift), numbers)):
            raise Problem(
                f"check {found.index(True) + 1} also speaks against what a right block gives, "
                f"tensors of shape {(batch, n, d_model)} for tokens {(batch, n)} and d_model = "
                f"{d_model}"
            )
    answers = [ask(*pair) for pair in prints]
    if len({len(each) for each in answers}) > 1:
        raise Problem(
            "return the same checks every time, and False for those that do not speak against the "
            "pair"
        )
    return _count_reasons(prints, answers, speaks)


def _count_reasons(prints: list[Pair], answers: list[list[bool]], speaks: list[int]) -> str:
    """Count the different reasons; all checks of the shapes together are one."""
    patterns = list(zip(*answers, strict=True))
    shapes = [(context.shape, output.shape) for context, output in prints]

    def of_shapes_only(k: int) -> bool:
        by_shape: dict[Any, set[bool]] = {}
        for shape, said in zip(shapes, patterns[k], strict=True):
            by_shape.setdefault(shape, set()).add(said)
        return all(len(said) == 1 for said in by_shape.values())

    reasons = {"shape" if of_shapes_only(k) else patterns[k]: k for k in speaks}
    if len(reasons) >= 3:
        return f"{len(reasons)} different reasons, and none of them speaks against a right block."
    if sum(of_shapes_only(k) for k in speaks) > 1:
        raise Problem(
            f"{len(reasons)} different reason{'s' * (len(reasons) > 1)}: checks that look at the "
            "shapes alone are one of them. What is strange about the numbers?"
        )
    i, j = next((i, j) for i, j in itertools.combinations(speaks, 2) if patterns[i] == patterns[j])
    raise Problem(
        f"checks {i + 1} and {j + 1} find the same thing in every pair that was tried; give three "
        "different reasons"
    )


# --- 7.4, 7.5 ----------------------------------------------------------------------------------


@exercise
def copy_weights(answer: Callable[..., Any]) -> str:
    """``copy_over(ours, theirs)``: our parameters into ``nn.MultiheadAttention``."""
    for d_model, n_heads in ((8, 2), (12, 3)):
        with torch.random.fork_rng():
            torch.manual_seed(5)
            ours = MultiHeadAttention(d_model, n_heads)
            theirs = nn.MultiheadAttention(d_model, n_heads, batch_first=True)
            with torch.no_grad():  # PyTorch starts with biases of 0, which would hide a mistake
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
