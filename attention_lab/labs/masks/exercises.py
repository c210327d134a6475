"""Notebook 06: masks."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.attention import masked_softmax
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import compare
from attention_lab.grading.feedback import Problem, call, name_of, returned, run

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
    """Hold an answer to giving the right boolean mask in every case, by `judge`."""
    name, first = name_of(answer), returned(answer, cases[0])
    if isinstance(first, Tensor) and first.dtype != torch.bool:
        raise Problem(
            f"{name} must return a boolean mask, but it returned {first.dtype}; a comparison such "
            "as j <= i gives one"
        )

    def numbers(mask: Callable[..., Any]) -> Callable[..., Any]:
        """Give 1 for True and 0 for False: `judge` compares numbers."""

        @functools.wraps(mask)
        def as_numbers(*given: Any) -> Any:
            made = mask(*given)
            return made.double() if isinstance(made, Tensor) else made

        return as_numbers

    turned = {"True and False are the wrong way round": lambda *given: ~right(*given), **mistakes}
    judge(
        numbers(answer),
        cases,
        numbers(right),
        "the masks, 1 = may attend,",
        {message: numbers(mistake) for message, mistake in turned.items()},
    )


def _parts(lengths: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return what a mask with padding on the left is made of, each (batch, n, n).

    Key j <= query i; key j is real; key j is query i itself.
    """
    position = torch.arange(n)
    shape = (len(lengths), n, n)
    causal = (position[None, :] <= position[:, None]).expand(shape)
    real = (position[None, None, :] >= n - lengths[:, None, None]).expand(shape)
    return causal, real, torch.eye(n, dtype=torch.bool).expand(shape)


@exercise
def causal_and_padding(answer: Callable[..., Tensor]) -> str:
    """``mask(lengths, n)``: causal, padding on the left, and each padding token sees itself."""

    def made(join: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda lengths, n: join(*_parts(lengths, n))

    def right(causal: Tensor, real: Tensor, itself: Tensor) -> Tensor:
        return causal & real | itself

    def on_the_right(lengths: Tensor, n: int) -> Tensor:
        causal, real, itself = _parts(lengths, n)
        return causal & real.flip(-1) | itself

    cases = [
        {"lengths": torch.tensor(lengths), "n": n}
        for lengths, n in (([5, 3, 1], 5), ([2, 3], 4), ([1, 6, 2, 4], 7), ([3], 3), ([0, 2], 2))
    ]
    _masks(
        answer,
        cases,
        made(right),
        {
            "a padding token has no key here: let it see itself": made(
                lambda causal, real, itself: causal & real
            ),
            "the padding is on the left: the real tokens are the last ones": on_the_right,
            "the padding is on the left: the real tokens are the last ones; and let a padding "
            "token see itself": made(lambda causal, real, itself: causal & real.flip(-1)),
            "this is only the causal mask; the tokens before the last `length` are padding": made(
                lambda causal, real, itself: causal
            ),
            "this is only the padding mask; no query may see a later key": made(
                lambda causal, real, itself: real
            ),
            "this is only the padding mask, and each token sees itself; no query may see a later "
            "key": made(lambda causal, real, itself: real | itself),
            "causal and padding are joined by or; a key must pass both, so join them by and (&)": (
                made(lambda causal, real, itself: causal | real)
            ),
            "real queries are asked for (lengths against the positions of the queries); padding "
            "hides keys": made(lambda causal, real, itself: causal & real.mT | itself),
            "causal is the wrong way round: query i may see keys j <= i": made(
                lambda causal, real, itself: causal.mT & real | itself
            ),
            "the diagonal is missing: each token may see its own position": made(
                lambda causal, real, itself: causal & real & ~itself
            ),
            "one key too many: of n = 5 tokens and length 3 the real ones are 2, 3 and 4": (
                lambda lengths, n: right(*_parts(lengths + 1, n))
            ),
        },
    )
    return (
        "Key j passes for query i if it is real and j <= i; and each token passes for itself, so "
        "that no row is empty: 15, 8 and 5 pairs of the first three."
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
    """``mask(n_q, n_k, window)``: the last n_q of n_k tokens see themselves and some before."""

    def seen(from_end: Callable[[Tensor, int], Tensor], shift: int | None = None):
        """Make a mask from the distance of a query to each key before it."""

        def made(n_q: int, n_k: int, window: int) -> Tensor:
            first = n_k - n_q if shift is None else shift
            distance = first + torch.arange(n_q)[:, None] - torch.arange(n_k)[None, :]
            return from_end(distance, window)

        return made

    def right(distance: Tensor, window: int) -> Tensor:
        return (distance >= 0) & (distance < window)

    _masks(
        answer,
        [
            {"n_q": n_q, "n_k": n_k, "window": window}
            for n_q, n_k, window in ((3, 5, 2), (1, 4, 3), (3, 3, 5), (2, 9, 1), (6, 7, 3))
        ],
        seen(right),
        {
            "this is causal without a window: keys that are window or more positions back are seen"
            " as well": seen(lambda distance, window: distance >= 0),
            "the window is right, and queries see later keys: it is causal as well": seen(
                lambda distance, window: distance < window
            ),
            "the window reaches to both sides; no query may see a later key": seen(
                lambda distance, window: distance.abs() < window
            ),
            "query 0 is taken for the first token. It is at position n_k - n_q": seen(right, 0),
            "each query sees one key too many: the window counts its own position": seen(
                lambda distance, window: (distance >= 0) & (distance <= window)
            ),
            "each query sees one key too few: the window counts its own position": seen(
                lambda distance, window: (distance >= 0) & (distance < window - 1)
            ),
            "each query sees the window before it and not itself; its own position is the last of "
            "the window": seen(lambda distance, window: (distance > 0) & (distance <= window)),
        },
    )
    return "Query i is at position p = n_k − n_q + i, and sees the keys from p − window + 1 to p."


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
        "a model that cuts the gradient of the next token": (
            lambda x: x + following(x).detach(),
            next_ones,
        ),
        "a model that reads of the next token only what is above 10": (
            lambda x: x + (following(x) - 10).relu(),
            next_ones,
        ),
        "a model that reads of the next token only what is below -10": (
            lambda x: x + (-following(x) - 10).relu(),
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
            raise Problem(f"{what}: {missing[0]} was not found. {_missed(what, *missing[0])}")
    return (
        "Every leak of thirteen models was found, also one of a billionth, one without a gradient "
        "and two that these tokens do not show; and none where none is."
    )


def _missed(what: str, i: int, j: int) -> str:
    """Say what finds a leak of this model."""
    if "cuts the gradient" in what:
        return "A derivative is 0 there, and the output moves all the same: move the token"
    if "only what is" in what:
        return "A small step of the token changes nothing there: move it by ±100 as well"
    return (
        f"Look at every feature of output {i} while every feature of token {j} moves, and compare "
        "exactly: a tolerance hides a small leak"
    )
