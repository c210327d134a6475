"""Notebook 06: masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.attention import masked_softmax
from attention_lab.grading.base import exercise
from attention_lab.grading.compare import compare
from attention_lab.grading.feedback import Problem, call, name_of, returned, run, shapes_of

__all__ = [
    "cached_mask",
    "causal_and_padding",
    "find_leaks",
    "one_convention",
    "safe_softmax",
]


def _mask(
    answer: Callable[..., Any],
    inputs: Mapping[str, Any],
    right: Tensor,
    mistakes: dict[str, Tensor],
) -> None:
    """Hold an answer to being a boolean mask; a known mistake gets its own message."""
    result, name = returned(answer, inputs), name_of(answer)
    if not isinstance(result, Tensor):
        raise Problem(f"{name} must return a tensor, but it returned a {type(result).__name__}")
    if result.dtype != torch.bool:
        raise Problem(
            f"{name} must return a boolean mask, but it returned {result.dtype}; a comparison "
            "such as j <= i gives one"
        )
    shapes = shapes_of(inputs)
    given = f" for {shapes}" if shapes else ""
    if result.shape != right.shape:
        raise Problem(
            f"{name} returned shape {tuple(result.shape)}{given}; {tuple(right.shape)} is right"
        )
    if torch.equal(result, right):
        return
    for message, wrong in {"True and False are the wrong way round": ~right, **mistakes}.items():
        if wrong.shape == right.shape and torch.equal(result, wrong):
            raise Problem(message)
    index = (result != right).nonzero()[0].tolist()
    came, wanted = result[tuple(index)].item(), right[tuple(index)].item()
    raise Problem(f"the masks differ first at {index}: {came} instead of {wanted}")


@exercise
def causal_and_padding(answer: Callable[..., Tensor]) -> str:
    """``mask(lengths, n)``: (batch, n, n), causal, and no key of the padding."""
    for numbers, n in (([5, 3, 1], 5), ([2, 3], 4)):
        lengths = torch.tensor(numbers)
        place = torch.arange(n)
        causal = place[None, :] <= place[:, None]  # (n, n): key j, query i
        real = place[None, None, :] < lengths[:, None, None]  # (batch, 1, n)
        queries = place[None, :, None] < lengths[:, None, None]
        _mask(
            answer,
            {"lengths": lengths, "n": n},
            causal & real,
            {
                "this is only the causal mask; the keys past each length are padding": (
                    causal.expand(len(numbers), n, n)
                ),
                "this is only the padding mask; no query may see a later key": real.expand(
                    len(numbers), n, n
                ),
                "the two are joined by or; a key must pass both, so join them by and (&)": (
                    causal | real
                ),
                "the padding hides rows (queries), not columns (keys): lengths[:, None, None] "
                "against the places of the keys": causal & queries,
                "the queries of the padding are hidden as well; those rows would then have no key "
                "at all": causal & real & queries,
                "causal is the wrong way round: query i may see keys j <= i": causal.T & real,
                "the diagonal is missing: a query may see its own place": (
                    (place[None, :] < place[:, None]) & real
                ),
                "one key too many: places count from 0, so a sentence of length 3 has the places "
                "0, 1, 2": causal & (place[None, None, :] <= lengths[:, None, None]),
            },
        )
    return (
        "Key j passes for query i if j <= i and j < length: 15, 12 and 5 pairs of the first three."
    )


@exercise
def safe_softmax(answer: Callable[[Tensor], Tensor]) -> str:
    """A softmax in which a row of -inf gives zeros, and no nan in the gradient."""
    hidden = -math.inf
    scores = torch.tensor(
        [[1.0, hidden, 3.0], [hidden, hidden, hidden], [0.5, 0.1, -2.0]], dtype=torch.float64
    )
    came = run(answer, {"scores": scores}, (3, 3))
    if came[1].isnan().any():
        raise Problem(
            "the row with every key hidden gives nan: e^-inf is 0 for each key, and 0 / 0 is nan. "
            "Find such rows, and give them zeros"
        )
    compare(
        came,
        masked_softmax(scores),
        "the weights",
        {
            "the hidden row has equal weights; with no key allowed each weight must be 0": (
                scores.masked_fill(scores.isinf().all(-1, keepdim=True), 0.0).softmax(-1)
            ),
            "the softmax runs over the queries; use the last axis": masked_softmax(scores.T).T,
        },
    )
    moving = scores.clone().requires_grad_()
    result = call(answer, {"scores": moving})
    if not isinstance(result, Tensor) or not result.requires_grad:
        raise Problem("no gradient goes through: compute with the scores themselves, in torch")
    (gradient,) = torch.autograd.grad(result.pow(2).sum(), moving)
    if gradient.isnan().any():
        raise Problem(
            "the weights are right, and their gradient is nan: a nan that is only replaced "
            "afterwards (nan_to_num, where) is still there on the way back. Replace the -inf of "
            "that row before the softmax"
        )
    deep = scores.reshape(1, 3, 3).expand(2, 3, 3)
    compare(
        run(answer, {"scores": deep}, (2, 3, 3)), masked_softmax(deep), "the weights of a batch"
    )
    large = torch.tensor([[1000.0, 1001.0]])
    compare(
        run(answer, {"scores": large}, (1, 2)), large.softmax(-1), "the weights of [1000, 1001]"
    )
    return "Zeros for the hidden row, and a gradient without nan."


@exercise
def one_convention(answer: Callable[..., Tensor]) -> str:
    """``sdpa_mask(attn_mask, key_padding_mask)``: the masks of nn.MultiheadAttention as one."""
    block = torch.tensor([[False, True, True], [False, False, True]])
    padding = torch.tensor([[False, False, True], [False, True, True]])
    keep = ~(block[None, None] | padding[:, None, None, :])
    _mask(
        answer,
        {"attn_mask": block, "key_padding_mask": padding},
        keep,
        {
            "only attn_mask is turned; key_padding_mask (True = padding) hides keys as well": (
                (~block).expand(2, 1, 2, 3)
            ),
            "only key_padding_mask is turned; attn_mask hides pairs as well": (
                (~padding)[:, None, None, :].expand(2, 1, 2, 3)
            ),
            "your mask blocks a pair only if both masks block it; one of them is enough: join the "
            "blocked masks by |": ~(block[None, None] & padding[:, None, None, :]),
            "attn_mask was turned, key_padding_mask was not: in both, True means blocked": (
                (~block)[None, None] & padding[:, None, None, :]
            ),
        },
    )
    return "One mask, (batch, 1, n_q, n_k), that broadcasts over the heads; True = may attend."


@exercise
def cached_mask(answer: Callable[..., Tensor]) -> str:
    """``mask(n_q, n_k)``: causal, for the last n_q of n_k tokens."""
    for n_q, n_k in ((3, 5), (1, 4), (3, 3)):
        ones = torch.ones(n_q, n_k, dtype=torch.bool)
        mistakes = {
            "query 0 sees only key 0. It is not the first token: it stands at place "
            f"n_k - n_q = {n_k - n_q}": ones.tril(),
            "each query sees one key too few: its own place is allowed": ones.tril(n_k - n_q - 1),
            "each query sees one key too many, the next token": ones.tril(n_k - n_q + 1),
            "every key is allowed; all but the last query would see later tokens": ones,
        }
        right = ones.tril(n_k - n_q)
        mistakes = {k: m for k, m in mistakes.items() if not torch.equal(m, right)}
        _mask(answer, {"n_q": n_q, "n_k": n_k}, right, mistakes)
    return "Query i stands at place n_k − n_q + i, and sees the keys up to there."


def _models() -> dict[str, tuple[Callable[[Tensor], Tensor], set[tuple[int, int]]]]:
    """Models of 4 tokens, and which later tokens their outputs depend on."""
    later = {(i, j) for i in range(4) for j in range(i + 1, 4)}
    causal = torch.ones(4, 4, dtype=torch.bool).tril()

    def attend(x: Tensor, axis: int, mask: Tensor) -> Tensor:
        return (x @ x.T).masked_fill(~mask, -math.inf).softmax(axis) @ x

    one_hole = causal.clone()
    one_hole[1, 3] = True
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
            lambda x: x + torch.cat([x[1:, 2:], 0 * x[:1, :1]]) * torch.tensor([0.0, 1.0, 0.0]),
            {(0, 1), (1, 2), (2, 3)},
        ),
        "a model whose leaks cancel in the sum": (
            lambda x: (
                x
                + torch.cat([x[1:, :1], 0 * x[:1, :1]])
                * torch.tensor([1.0, -1.0, 0.0], dtype=x.dtype)
            ),
            {(0, 1), (1, 2), (2, 3)},
        ),
        "a model whose outputs are a running sum": (lambda x: x.cumsum(0), set()),
        "a model that adds a millionth of the next token": (
            lambda x: x + 1e-6 * torch.cat([x[1:], 0 * x[:1]]),
            {(0, 1), (1, 2), (2, 3)},
        ),
    }


@exercise
def find_leaks(answer: Callable[..., Any]) -> str:
    """``leaks(model, tokens)``: the pairs (i, j), j > i, where output i depends on token j."""
    tokens = torch.randn(4, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    for what, (model, right) in _models().items():
        result = returned(answer, {"model": model, "tokens": tokens})
        try:
            found = {(int(i), int(j)) for i, j in result}
        except (TypeError, ValueError):
            raise Problem(
                "return a list of pairs, such as [(0, 1), (0, 2)], or [] if there is none"
            ) from None
        if found == right:
            continue
        if extra := sorted(pair for pair in found - right if pair[1] <= pair[0]):
            raise Problem(f"{extra[0]} is no leak: a causal output may depend on token j <= i")
        if found == {(j, i) for i, j in right}:
            raise Problem("the pairs are the wrong way round: first the output i, then the token j")
        if extra := sorted(found - right):
            raise Problem(f"{what}: {extra[0]} was found, and is no leak there")
        missing = sorted(right - found)
        raise Problem(
            f"{what}: {missing[0]} was not found. Look at every feature of output "
            f"{missing[0][0]} while every feature of token {missing[0][1]} moves, and compare "
            "exactly: a tolerance hides a small leak"
        )
    return "Every leak of nine models was found, also one of a millionth, and none where none is."
