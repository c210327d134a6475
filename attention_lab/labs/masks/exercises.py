"""Notebook 06: masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.attention import masked_softmax
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import compare
from attention_lab.grading.feedback import Problem, call, name_of, returned, run, wrong_shape

__all__ = [
    "cached_mask",
    "causal_and_padding",
    "find_leaks",
    "one_convention",
    "safe_softmax",
]


def _masks(
    answer: Callable[..., Any],
    cases: Sequence[dict[str, Any]],
    right: Callable[..., Tensor],
    mistakes: Mapping[str, Callable[..., Tensor]],
) -> None:
    """Hold an answer to giving the right boolean mask in every case.

    A known mistake gets its own message if it explains every case.
    """
    name, pairs = name_of(answer), []
    for inputs in cases:
        result, wanted = returned(answer, inputs), right(*inputs.values())
        if not isinstance(result, Tensor):
            raise Problem(f"{name} must return a tensor, but it returned a {type(result).__name__}")
        if result.dtype != torch.bool:
            raise Problem(
                f"{name} must return a boolean mask, but it returned {result.dtype}; a comparison "
                "such as j <= i gives one"
            )
        if result.shape != wanted.shape:
            raise wrong_shape(name, result, inputs, wanted.shape)
        pairs.append((inputs, result, wanted))
    wrong = [pair for pair in pairs if not torch.equal(pair[1], pair[2])]
    if not wrong:
        return
    turned = {
        "True and False are the wrong way round": lambda *given: ~right(*given),
        **mistakes,
    }
    for message, mistake in turned.items():
        if all(torch.equal(came, mistake(*inputs.values())) for inputs, came, _ in pairs):
            raise Problem(message)
    inputs, came, wanted = wrong[0]
    index = (came != wanted).nonzero()[0].tolist()
    given = ", ".join(
        f"{key} = {each.tolist() if isinstance(each, Tensor) else each}"
        for key, each in inputs.items()
    )
    raise Problem(
        f"for {given} the masks differ first at {index}: {came[tuple(index)].item()} instead of "
        f"{wanted[tuple(index)].item()}"
    )


@exercise
def causal_and_padding(answer: Callable[..., Tensor]) -> str:
    """``mask(lengths, n)``: (batch, n, n), causal, and no key of the padding."""

    def places(lengths: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
        place = torch.arange(n)
        causal = (place[None, :] <= place[:, None]).expand(len(lengths), n, n)  # key j <= query i
        real = (place[None, None, :] < lengths[:, None, None]).expand(len(lengths), n, n)
        return causal, real, real.mT

    def made(join: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda lengths, n: join(*places(lengths, n))

    def longer(lengths: Tensor, n: int) -> Tensor:
        causal, real, _ = places(lengths + 1, n)
        return causal & real

    cases = [
        {"lengths": torch.tensor(lengths), "n": n}
        for lengths, n in (([5, 3, 1], 5), ([2, 3], 4), ([1, 6, 2, 4], 7), ([3], 3), ([0, 2], 2))
    ]
    _masks(
        answer,
        cases,
        made(lambda causal, real, queries: causal & real),
        {
            "this is only the causal mask; the keys past each length are padding": made(
                lambda causal, real, queries: causal
            ),
            "this is only the padding mask; no query may see a later key": made(
                lambda causal, real, queries: real
            ),
            "the two are joined by or; a key must pass both, so join them by and (&)": made(
                lambda causal, real, queries: causal | real
            ),
            "the queries of the padding are hidden (lengths against the places of the queries); "
            "hide its keys, and let those queries be": made(
                lambda causal, real, queries: causal & queries
            ),
            "causal is the wrong way round: query i may see keys j <= i": made(
                lambda causal, real, queries: causal.mT & real
            ),
            "the diagonal is missing: a query may see its own place": made(
                lambda causal, real, queries: causal.tril(-1) & real
            ),
            "one key too many: places count from 0, so a sentence of length 3 has the places "
            "0, 1, 2": longer,
        },
    )
    return (
        "Key j passes for query i if j <= i and j < length: 15, 12 and 5 pairs of the first three."
    )


@exercise
def safe_softmax(answer: Callable[[Tensor], Tensor]) -> str:
    """A softmax in which a row of -inf gives zeros, and no nan in the gradient."""
    hidden = -math.inf
    plain = torch.tensor(
        [[1.0, hidden, 3.0], [hidden, hidden, hidden], [0.5, 0.1, -2.0]], dtype=torch.float64
    )
    came = run(answer, {"scores": plain}, (3, 3))
    if came[1].isnan().any():
        raise Problem(
            "the row with every key hidden gives nan. Find such rows, and give them zeros"
        )
    rows = [
        plain,
        torch.tensor([[hidden, 1.0, 2.0], [0.3, 0.1, hidden]]),  # one key hidden at either end
        torch.tensor([[hidden, 1.0, hidden, hidden], [hidden] * 4]),
        torch.tensor([[-1.0, -2.0, -3.0], [-60.0, -70.0, hidden]]),  # all below 0
        torch.tensor([[-1000.0, -1001.0, -1002.0], [1000.0, 1001.0, hidden]]),
        torch.tensor([[-20.0, -30.0, hidden, 0.0]], dtype=torch.float64),
        torch.tensor([[-20000.0, hidden, -20001.0]]),
        torch.tensor([hidden, hidden]),
        torch.stack([plain, plain.flip(0)])[:, None],  # (2, 1, 3, 3)
    ]
    judge(
        answer,
        [{"scores": scores} for scores in rows],
        masked_softmax,
        "the weights",
        {
            "the hidden row has equal weights; with no key allowed each weight must be 0": (
                lambda scores: scores.masked_fill(
                    scores.isinf().all(-1, keepdim=True), 0.0
                ).softmax(-1)
            ),
            "the softmax runs over the queries; use the last axis": (
                lambda scores: masked_softmax(scores.mT).mT
            ),
        },
        zeros=True,
    )
    for scores in (plain, rows[3].double()):
        moving, own = (scores.clone().requires_grad_() for _ in range(2))
        result = call(answer, {"scores": moving})
        if not isinstance(result, Tensor) or not result.requires_grad:
            raise Problem("no gradient goes through: compute with the scores themselves, in torch")
        (gradient,) = torch.autograd.grad(result.pow(2).sum(), moving)
        if gradient.isnan().any():
            raise Problem(
                "the weights are right, and their gradient is nan: a nan that is only replaced "
                "afterwards (nan_to_num, where) is still there on the way back. Replace the -inf "
                "of that row before the softmax"
            )
        (right,) = torch.autograd.grad(masked_softmax(own).pow(2).sum(), own)
        compare(gradient, right, "the weights are right, and the numbers of their gradient")
    return "Zeros for the hidden row, and a gradient without nan."


@exercise
def one_convention(answer: Callable[..., Tensor]) -> str:
    """``sdpa_mask(attn_mask, key_padding_mask)``: the masks of nn.MultiheadAttention as one."""

    def blocked(*rows: str) -> Tensor:
        """A row of 0 and 1 for each row of a mask; 1 = blocked."""
        return torch.tensor([[mark == "1" for mark in row] for row in rows])

    cases = [
        {"attn_mask": attn_mask, "key_padding_mask": padding}
        for attn_mask, padding in (
            (blocked("001", "100"), blocked("010", "000", "011")),
            (blocked("0111", "0011", "0001"), blocked("0001", "1000")),
            (blocked("00", "10", "01", "00"), blocked("01")),
            (blocked("0000"), blocked("0011", "0001", "0000", "1000", "0110")),
        )
    ]
    _masks(
        answer,
        cases,
        lambda block, padding: ~(block[None, None] | padding[:, None, None, :]),
        {
            "only attn_mask is turned; key_padding_mask (True = padding) hides keys as well": (
                lambda block, padding: (~block).expand(len(padding), 1, *block.shape)
            ),
            "only key_padding_mask is turned; attn_mask hides pairs as well": (
                lambda block, padding: (~padding)[:, None, None, :].expand(
                    len(padding), 1, *block.shape
                )
            ),
            "your mask blocks a pair only if both masks block it; one of them is enough: join the "
            "blocked masks by |": lambda block, padding: (
                ~(block[None, None] & padding[:, None, None, :])
            ),
            "attn_mask was turned, key_padding_mask was not: in both, True means blocked": (
                lambda block, padding: (~block)[None, None] & padding[:, None, None, :]
            ),
        },
    )
    return "One mask, (batch, 1, n_q, n_k), that broadcasts over the heads; True = may attend."


@exercise
def cached_mask(answer: Callable[..., Tensor]) -> str:
    """``mask(n_q, n_k)``: causal, for the last n_q of n_k tokens."""

    def shifted(by: int) -> Callable[[int, int], Tensor]:
        return lambda n_q, n_k: torch.ones(n_q, n_k, dtype=torch.bool).tril(n_k - n_q + by)

    _masks(
        answer,
        [{"n_q": n_q, "n_k": n_k} for n_q, n_k in ((3, 5), (1, 4), (3, 3), (2, 9), (6, 7))],
        shifted(0),
        {
            "query 0 sees only key 0. It is not the first token: it stands at place n_k - n_q": (
                lambda n_q, n_k: torch.ones(n_q, n_k, dtype=torch.bool).tril()
            ),
            "each query sees one key too few: its own place is allowed": shifted(-1),
            "each query sees one key too many, the next token": shifted(1),
            "every key is allowed; all but the last query would see later tokens": (
                lambda n_q, n_k: torch.ones(n_q, n_k, dtype=torch.bool)
            ),
        },
    )
    return "Query i stands at place n_k − n_q + i, and sees the keys up to there."


Model = Callable[[Tensor], Tensor]


def _models(n: int) -> dict[str, tuple[Model, set[tuple[int, int]]]]:
    """Models of n tokens, and which later tokens their outputs depend on."""
    later = {(i, j) for i in range(n) for j in range(i + 1, n)}
    next_ones = {(i, i + 1) for i in range(n - 1)}
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    one_hole = causal.clone()
    one_hole[1, 3] = True

    def attend(x: Tensor, axis: int, mask: Tensor) -> Tensor:
        return (x @ x.T).masked_fill(~mask, -math.inf).softmax(axis) @ x

    def following(x: Tensor) -> Tensor:
        """The token after each; zeros after the last."""
        return torch.cat([x[1:], 0 * x[:1]])

    def into(x: Tensor, *factors: float) -> Tensor:
        return torch.tensor(factors, dtype=x.dtype)

    return {
        "a causal model": (lambda x: attend(x, -1, causal), set()),
        "a model that applies no mask": (lambda x: (x @ x.T).softmax(-1) @ x, later),
        "a model with one hole in its mask": (lambda x: attend(x, -1, one_hole), {(1, 3)}),
        "a model with the softmax over the queries": (lambda x: attend(x, 0, causal), later),
        "a model that subtracts the mean of all tokens": (
            lambda x: attend(x - x.mean(0), -1, causal),
            later,
        ),
        "a model that leaks one feature into another": (
            lambda x: x + following(x)[:, 2:] * into(x, 0.0, 1.0, 0.0),
            next_ones,
        ),
        "a model whose leaks cancel in the sum": (
            lambda x: x + following(x)[:, :1] * into(x, 1.0, -1.0, 0.0),
            next_ones,
        ),
        "a model whose outputs are a running sum": (lambda x: x.cumsum(0), set()),
        "a model that adds a millionth of the next token": (
            lambda x: x + 1e-6 * following(x),
            next_ones,
        ),
        "a model that adds a billionth of the next token": (
            lambda x: x + 1e-9 * following(x),
            next_ones,
        ),
    }


@exercise
def find_leaks(answer: Callable[..., Any]) -> str:
    """``leaks(model, tokens)``: the pairs (i, j), j > i, where output i depends on token j."""
    for n, seed in ((4, 5), (6, 6)):
        tokens = normal(n, 3, seed=seed)
        for what, (model, right) in _models(n).items():
            result = returned(answer, {"model": model, "tokens": tokens})
            try:
                found = {(int(i), int(j)) for i, j in result}
            except (TypeError, ValueError):
                raise Problem(
                    "return a list of pairs, such as [(0, 1), (0, 2)], or [] if there is none"
                ) from None
            if found == right:
                continue
            what = f"{what}, of {n} tokens"
            if right and found == {(j, i) for i, j in right}:
                raise Problem(
                    "the pairs are the wrong way round: first the output i, then the token j"
                )
            if extra := sorted(pair for pair in found - right if pair[1] <= pair[0]):
                raise Problem(f"{extra[0]} is no leak: a causal output may depend on token j <= i")
            if extra := sorted(found - right):
                raise Problem(f"{what}: {extra[0]} was found, and is no leak there")
            missing = sorted(right - found)
            raise Problem(
                f"{what}: {missing[0]} was not found. Look at every feature of output "
                f"{missing[0][0]} while every feature of token {missing[0][1]} moves, and compare "
                "exactly: a tolerance hides a small leak"
            )
    return "Every leak of ten models was found, also one of a billionth, and none where none is."
