"""Notebook 12: what attention costs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from attention_lab.core.attention import attention
from attention_lab.core.tiled import Partial, merge, partial
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import same
from attention_lab.grading.feedback import (
    Problem,
    name_of,
    returned,
    run,
    tensor_of,
    three_tensors,
)
from attention_lab.labs.cost.measure import multiply_adds, peak_bytes

__all__ = [
    "causal_by_tiles",
    "cheaper_order",
    "cross_attention_work",
    "grouped_without_copies",
    "logits_one_by_one",
    "merge_parts",
    "rolling_cache",
]

HIDDEN = -math.inf


# --- 12.1: two parts of a softmax become one ----------------------------------------------------


def _parts() -> list[tuple[Partial, Partial]]:
    """Pairs of partial results: plain, either one larger, huge scores, every key hidden."""
    plain, value = normal(3, 7, seed=1), normal(7, 2, seed=2)
    huge = 800 + 3 * normal(4, 6, seed=3)
    hidden = plain.clone()
    hidden[1, :3] = HIDDEN  # nothing to see in the first part
    none = torch.full((2, 4), HIDDEN, dtype=torch.float64)
    lead = normal(2, 2, 5, seed=5)
    cuts = (
        (plain, value, 3),
        (plain.flip(-1) - 50 * torch.arange(7), value, 5),
        (plain + 40 * torch.arange(7), value, 2),
        (huge, normal(6, 3, seed=4), 1),
        (-huge, normal(6, 3, seed=4), 4),
        (hidden, value, 3),
        (none, normal(4, 1, seed=6), 2),
        (lead, normal(2, 5, 3, seed=7), 4),
    )
    return [
        (partial(s[..., :cut], v[..., :cut, :]), partial(s[..., cut:], v[..., cut:, :]))
        for s, v, cut in cuts
    ]


def _unscaled(keep: Callable[[Partial, Partial], tuple[Tensor, Tensor]]):
    """A wrong merge that multiplies the two sums by given factors."""

    def made(one: Partial, other: Partial) -> Partial:
        a, b = keep(one, other)
        m = torch.maximum(one.m, other.m)
        return Partial(m, a * one.l + b * other.l, a * one.o + b * other.o)

    return made


def _one(like: Partial) -> Tensor:
    return torch.ones_like(like.m)


MERGING = {
    "the sums are added as they are: each is counted from its own maximum, and must first shrink "
    "by e^(its m − larger m)": _unscaled(lambda a, b: (_one(a), _one(b))),
    "only the first part is rescaled: where the first has the larger m, the second must shrink": (
        _unscaled(lambda a, b: ((a.m - torch.maximum(a.m, b.m)).exp(), _one(b)))
    ),
    "only the second part is rescaled: where the second has the larger m, the first must shrink": (
        _unscaled(lambda a, b: (_one(a), (b.m - torch.maximum(a.m, b.m)).exp()))
    ),
    "the factors are upside down: e^(larger m − its m) makes the smaller part grow": _unscaled(
        lambda a, b: (
            (torch.maximum(a.m, b.m) - a.m).exp(), (torch.maximum(a.m, b.m) - b.m).exp(),
        )
    ),
}  # fmt: skip


@exercise
def merge_parts(answer: Callable[..., Any]) -> str:
    """``merge(one, other)``: two (m, l, o), each of a part of the keys, become one."""
    results = []
    for one, other in _parts():
        came = three_tensors(
            returned(answer, {"one": _plain(one), "other": _plain(other)}),
            answer, "(m, l, o)", ["m", "l", "o"],
        )  # fmt: skip
        results.append((one, other, came))
    right = [_same_parts(came, merge(one, other)) for one, other, came in results]
    if not all(right):
        _why_not_merged(results, right)
    return (
        "The larger m counts, and the sums of the other part shrink to it; a part in which every "
        "key is hidden adds nothing."
    )


def _plain(part: Partial) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(each.clone() for each in part)


def _same_parts(came: Sequence[Tensor], right: Partial) -> bool:
    return all(
        mine.shape == wanted.shape
        and torch.equal(mine == HIDDEN, wanted == HIDDEN)
        and same(mine.nan_to_num(neginf=0.0), wanted.nan_to_num(neginf=0.0))
        and not mine.isnan().any()
        for mine, wanted in zip(came, right, strict=True)
    )


def _why_not_merged(results: Sequence[tuple[Partial, Partial, Any]], right: list[bool]) -> None:
    for message, mistake in MERGING.items():
        finite = [r for r in results if r[0].m.isfinite().all() and r[1].m.isfinite().all()]
        if all(_same_parts(came, mistake(one, other)) for one, other, came in finite):
            raise Problem(message)
    one, other, came = results[right.index(False)]
    wanted = merge(one, other)
    for name, mine, its in zip("mlo", came, wanted, strict=True):
        if mine.shape != its.shape:
            raise Problem(f"{name} has shape {tuple(mine.shape)}; {tuple(its.shape)} is right")
        if mine.isnan().any() or (mine.isinf() & ~its.isinf()).any():
            raise Problem(
                f"{name} holds nan or ∞ where the maxima are {one.m.flatten().tolist()} and "
                f"{other.m.flatten().tolist()}: what is e^(m − larger m) there?"
            )
        if not _same_parts([mine], [its]):
            kind = "right for other inputs, but " if any(right) else ""
            raise Problem(
                f"{kind}for the maxima {_short(one.m)} and {_short(other.m)} {name} should be "
                f"{_short(its)}, and {_short(mine)} came out"
            )


def _short(tensor: Tensor) -> str:
    numbers = tensor.flatten().tolist()
    told = ", ".join(f"{number:.4g}" for number in numbers[:4])
    return f"[{told}{', ...' if len(numbers) > 4 else ''}]"


# --- 12.2: attention by tiles, causal -----------------------------------------------------------


def _causal(query: Tensor, key: Tensor, value: Tensor, tile: int = 0) -> Tensor:
    return attention(query, key, value, is_causal=True).output


@exercise
def causal_by_tiles(answer: Callable[..., Tensor]) -> str:
    """``tiled(query, key, value, tile)``: causal, exact, and never an n × n matrix."""
    cases = [
        {"query": 4 * normal(n, d, seed=n), "key": normal(n, d, seed=n + 1),
         "value": normal(n, d_v, seed=n + 2), "tile": tile}
        for n, d, d_v, tile in ((6, 2, 2, 2), (7, 3, 2, 3), (5, 2, 4, 8), (9, 4, 3, 1))
    ]  # fmt: skip
    judge(
        answer,
        cases,
        _causal,
        "the outputs",
        {
            "every query sees every key: it is not causal": lambda q, k, v, tile: (
                attention(q, k, v).output
            ),
            "the scale is missing: divide the scores by √d": lambda q, k, v, tile: (
                attention(q, k, v, is_causal=True, scale=1.0).output
            ),
            "each query sees the keys before it and not its own": lambda q, k, v, tile: (
                attention(
                    q, k, v, attn_mask=torch.ones(len(q), len(q), dtype=torch.bool).tril(-1)
                ).output
            ),
            "each query sees its own tile only: the tiles before it are missing": _own_tile,
            "the causal mask is that of whole tiles: within its own tile a query sees later keys": (
                _whole_tiles
            ),
        },
    )
    n, tile = 512, 32
    big = {"query": normal(n, 4, seed=1), "key": normal(n, 4, seed=2),
           "value": normal(n, 4, seed=3), "tile": tile}  # fmt: skip
    came = run(answer, big, (n, 4))
    if not same(came, _causal(**big)):
        raise Problem(f"right for short texts, but not for n = {n} with tiles of {tile}")
    peak = peak_bytes(functools.partial(returned, answer, big))
    allowed, scores = 8 * n * (8 * tile), 8 * n * n
    if peak > allowed:
        raise Problem(
            f"the outputs are right, but for n = {n} and tile = {tile} the tensors take "
            f"{peak / 1024:.0f} KiB at once (all scores are {scores / 1024:.0f} KiB): at most "
            f"{allowed / 1024:.0f} KiB are allowed. Keep m, l and o of the queries, not scores"
        )
    return (
        f"Exact, and {peak / 1024:.0f} KiB at most where all scores take {scores / 1024:.0f}: tile "
        "by tile, the same softmax."
    )


def _own_tile(q: Tensor, k: Tensor, v: Tensor, tile: int) -> Tensor:
    block = torch.arange(len(q)) // tile
    causal = torch.ones(len(q), len(q), dtype=torch.bool).tril()
    return attention(q, k, v, attn_mask=causal & (block[:, None] == block)).output


def _whole_tiles(q: Tensor, k: Tensor, v: Tensor, tile: int) -> Tensor:
    block = torch.arange(len(q)) // tile
    return attention(q, k, v, attn_mask=block[:, None] >= block).output


# --- 12.3: linear attention in the cheaper order ------------------------------------------------


def _linear(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    weights = query @ key.T
    return weights @ value / weights.sum(dim=-1, keepdim=True)


@exercise
def cheaper_order(answer: Callable[..., Tensor]) -> str:
    """``linear(query, key, value)``: features above 0; by whichever order costs less."""
    sizes = ((40, 50, 3, 2), (4, 5, 20, 30), (2, 60, 30, 5), (60, 3, 8, 40), (9, 9, 2, 3))
    cases = [
        {"query": normal(n_q, d, seed=1).exp(), "key": normal(n_k, d, seed=2).exp(),
         "value": 3 * normal(n_k, d_v, seed=n_q)}
        for n_q, n_k, d, d_v in sizes
    ]  # fmt: skip
    judge(
        answer,
        cases,
        _linear,
        "the outputs",
        {
            "the outputs are not divided: the weights of a query must sum to 1": lambda q, k, v: (
                q @ k.T @ v
            ),
            "this is softmax attention; here the weight is the product itself, over its row sum": (
                lambda q, k, v: attention(q, k, v).output
            ),
            "the outputs are divided by the number of keys, not by the sum of the weights": (
                lambda q, k, v: q @ k.T @ v / len(k)
            ),
        },
    )
    for inputs, (n_q, n_k, d, d_v) in zip(cases, sizes, strict=True):
        came = multiply_adds(functools.partial(returned, answer, inputs))
        by_weights, by_state = n_q * n_k * (d + d_v), d * d_v * (n_k + n_q)
        least = min(by_weights, by_state)
        # the sum below the fraction may be a product as well
        if came > least + n_q * d + n_q * n_k + n_k * d:
            other = "(Q Kᵀ) V" if by_weights < by_state else "Q (Kᵀ V)"
            raise Problem(
                f"the outputs are right, but for n_q = {n_q}, n_k = {n_k}, d = {d}, d_v = {d_v} "
                f"they took {came} multiply-adds, and {other} takes {least}: choose by the sizes"
            )
    return "Both orders give the same numbers; which one is cheaper, the sizes decide."


# --- 12.4: a window whose cache rolls -----------------------------------------------------------

FEATURES, VALUES = 3, 2  # of a key and of a value


def _windowed(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    n = len(query)
    distance = torch.arange(n)[:, None] - torch.arange(n)
    return attention(query, key, value, attn_mask=(distance >= 0) & (distance < window)).output


def _text(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    return (
        3 * normal(n, FEATURES, seed=seed),
        normal(n, FEATURES, seed=seed + 1),
        normal(n, VALUES, seed=seed + 2),
    )


@exercise
def rolling_cache(answer: Callable[..., Any]) -> str:
    """``step(query, key, value, cache, window)``: (output, cache), for tokens that come in pieces.

    ``cache`` is None at first, then what the step before returned.
    """
    for number, (window, pieces) in enumerate(
        ((4, (1, 1, 1, 1, 1, 1, 1)), (4, (3, 3, 3, 1, 2)), (1, (2, 1, 3)), (3, (7, 1, 4)),
         (9, (2, 2, 3)))
    ):  # fmt: skip
        text = _text(sum(pieces), 10 * number)
        right = _windowed(*text, window)
        cache, start = None, 0
        for size in pieces:
            end = start + size
            piece = {
                name: each[start:end]
                for name, each in zip(("query", "key", "value"), text, strict=True)
            }
            came = returned(answer, {**piece, "cache": cache, "window": window})
            if not isinstance(came, (tuple, list)) or len(came) != 2:
                raise Problem(f"{name_of(answer)} must return (output, cache)")
            output, cache = came
            output = tensor_of(output, "the output")
            where = f"window = {window}, tokens {start} to {end - 1} in one piece"
            _hold_piece(output, right[start:end], text, (start, end, window), where)
            _hold_cache(cache, window, where)
            start = end
    return "Exact for pieces of any size, and what is kept between them does not grow."


def _hold_piece(
    output: Tensor, right: Tensor, text: tuple[Tensor, ...], at: tuple[int, int, int], where: str
) -> None:
    """Hold the output of one piece to what the whole text gives there."""
    start, end, window = at
    if output.shape != right.shape:
        raise Problem(f"{where}: the output has shape {tuple(output.shape)}, not "
                      f"{tuple(right.shape)}")  # fmt: skip
    if same(output, right):
        return
    first = max(0, end - window)
    cut = [
        each if k == 0 else each[first:end]
        for k, each in enumerate((text[0][start:end], text[1], text[2]))
    ]
    distance = torch.arange(start, end)[:, None] - torch.arange(first, end)
    mask = (distance >= 0) & (distance < window)
    if end - start > 1 and same(output, attention(*cut, attn_mask=mask).output):
        raise Problem(
            f"{where}: only the last {window} keys were at hand. The first token of the piece "
            "looks back too: cut the cache after this step, not before it"
        )
    whole = attention(
        text[0][start:end], text[1][:end], text[2][:end],
        attn_mask=torch.arange(start, end)[:, None] >= torch.arange(end),
    ).output  # fmt: skip
    if same(output, whole):
        raise Problem(f"{where}: causal, but without a window: keys further back were seen")
    row = (output - right).abs().amax(-1).argmax().item()
    raise Problem(
        f"{where}: the output of token {start + row} is {_short(output[row])} instead of "
        f"{_short(right[row])}"
    )


def _hold_cache(cache: Any, window: int, where: str) -> None:
    if cache is None:
        return
    if not isinstance(cache, (tuple, list, dict, Tensor)):
        raise Problem(f"the cache must be a tuple of tensors, but it is {type(cache).__name__}")
    kept = sum(each.numel() for each in tree_leaves(cache) if isinstance(each, Tensor))
    allowed = window * (FEATURES + VALUES)
    if kept > allowed:
        raise Problem(
            f"{where}: right, but {kept} numbers are kept for the next step, and the keys and "
            f"values of {window} tokens, the most that a later one can see, are {allowed}"
        )


# --- 12.5: a cache, and the same logits ---------------------------------------------------------


def _logits(tokens: Tensor, words: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor) -> Tensor:
    x = words[tokens]
    return (x + attention(x @ w_q, x @ w_k, x @ w_v, is_causal=True).output) @ words.T


@exercise
def logits_one_by_one(answer: Callable[..., Tensor]) -> str:
    """``logits(tokens, words, W_Q, W_K, W_V)``: one token at a time, keys and values kept."""
    cases, sizes = [], ((5, 6, 3), (8, 4, 2), (3, 9, 5), (11, 7, 4))
    for n, n_words, d in sizes:
        random = torch.Generator().manual_seed(n)
        cases.append(
            {
                "tokens": torch.randint(n_words, (n,), generator=random),
                "words": normal(n_words, d, seed=1),
                "w_q": normal(d, d, seed=2),
                "w_k": normal(d, d, seed=3),
                "w_v": normal(d, d, seed=4),
            }
        )
    judge(
        answer,
        cases,
        _logits,
        "the logits",
        {
            "later tokens are seen: the logits of a token change with those after it": (
                lambda t, e, q, k, v: (e[t] + attention(e[t] @ q, e[t] @ k, e[t] @ v).output) @ e.T
            ),
            "the token's own vector is missing: x + what attention returns": (
                lambda t, e, q, k, v: _logits(t, e, q, k, v) - e[t] @ e.T
            ),
            "the scale is missing: divide the scores by √d": lambda t, e, q, k, v: (
                (e[t] + attention(e[t] @ q, e[t] @ k, e[t] @ v, is_causal=True, scale=1.0).output)
                @ e.T
            ),
            "keys and values have changed places": lambda t, e, q, k, v: _logits(t, e, q, v, k),
        },
    )
    for inputs, (n, n_words, d) in zip(cases, sizes, strict=True):
        came = multiply_adds(functools.partial(returned, answer, inputs))
        allowed = 3 * n * d**2 + d * n * (n + 1) + n * d * n_words
        if came > allowed:
            raise Problem(
                f"the logits are right, but {n} tokens took {came} multiply-adds, and with a cache "
                f"{allowed} are enough: project each token once, and let one query meet the keys "
                "kept so far"
            )
    return "The same logits, each token projected once, and one query a step."


# --- 12.6: grouped heads without copies ---------------------------------------------------------


def _grouped(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    shared = len(query) // len(key)
    key, value = (each.repeat_interleave(shared, dim=0) for each in (key, value))
    return attention(query, key, value).output


def _tiled_heads(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    shared = len(query) // len(key)
    return attention(query, key.repeat(shared, 1, 1), value.repeat(shared, 1, 1)).output


@exercise
def grouped_without_copies(answer: Callable[..., Tensor]) -> str:
    """``gqa(query, key, value)``: (h, n_q, d), (g, n_k, d): no copy of keys for each query head."""
    sizes = ((6, 2, 3, 4, 2, 3), (4, 4, 2, 5, 3, 2), (8, 1, 1, 6, 2, 4), (12, 3, 5, 2, 4, 1))
    cases = [
        {"query": 2 * normal(h, n_q, d, seed=h), "key": normal(g, n_k, d, seed=h + 1),
         "value": normal(g, n_k, d_v, seed=h + 2)}
        for h, g, n_q, n_k, d, d_v in sizes
    ]  # fmt: skip
    judge(
        answer,
        cases,
        _grouped,
        "the outputs",
        {
            "query head i must use key head i // (h / g): neighbours share one. Here it uses i % g "
            "(as repeat does)": _tiled_heads,
            "the scale is missing: divide the scores by √d": lambda q, k, v: (
                attention(
                    q, *(x.repeat_interleave(len(q) // len(k), dim=0) for x in (k, v)), scale=1.0
                ).output
            ),
        },
    )
    h, g, n_k, d = 8, 2, 512, 64
    big = {
        "query": normal(h, 1, d, seed=1), "key": normal(g, n_k, d, seed=2),
        "value": normal(g, n_k, d, seed=3),
    }  # fmt: skip
    came = run(answer, big, (h, 1, d))
    if not same(came, _grouped(**big)):
        raise Problem(f"right for few keys, but not for {n_k}")
    peak, kept = peak_bytes(functools.partial(_uncopied, answer, big)), 8 * g * n_k * d
    if peak >= kept:
        raise Problem(
            f"the outputs are right, but {peak / 1024:.0f} KiB of new tensors are made for one "
            f"query, and all keys are {kept / 1024:.0f} KiB: they are copied for each query head "
            "(matmul copies what was only expanded). Give the queries an axis of groups instead"
        )
    return (
        f"Exact, with {peak / 1024:.0f} KiB of new tensors beside {kept / 1024:.0f} KiB of keys: "
        "the query heads of a group read the same keys."
    )


def _uncopied(answer: Callable[..., Tensor], inputs: dict[str, Tensor]) -> Tensor:
    return answer(*inputs.values())


# --- 12.7: cross-attention --------------------------------------------------------------------


def _work(n_q: int, n_k: int, d: int, cached: bool) -> Tensor:
    source = 2 * n_k * d**2  # keys and values
    own = n_q * 2 * d**2 + 2 * n_q * n_k * d  # queries, W_O; scores, weighted sums
    return torch.tensor(float(own + (source if cached else n_q * source)), dtype=torch.float64)


@exercise
def cross_attention_work(answer: Callable[..., Any]) -> str:
    """``work(n_q, n_k, d, cached)``: multiply-adds of a translation written word by word."""
    cases = [
        {"n_q": n_q, "n_k": n_k, "d": d, "cached": cached}
        for n_q, n_k, d in ((3, 5, 4), (10, 2, 8), (1, 7, 16), (6, 6, 2))
        for cached in (True, False)
    ]

    def as_tensor(*given: Any) -> Any:
        came = answer(*given)
        is_number = isinstance(came, (int, float)) and not isinstance(came, bool)
        return torch.tensor(float(came), dtype=torch.float64) if is_number else came

    def less(what: Callable[..., float]):
        return lambda n_q, n_k, d, cached: _work(n_q, n_k, d, cached) - what(n_q, n_k, d, cached)

    judge(
        functools.wraps(answer)(as_tensor) if callable(answer) else answer,
        cases,
        _work,
        "the multiply-adds",
        {
            "the four projections are missing: d² for each token that is projected": (
                lambda n_q, n_k, d, cached: torch.tensor(2.0 * n_q * n_k * d).double()
            ),
            "one of the two products is missing: Q Kᵀ, and the weights times V": less(
                lambda n_q, n_k, d, cached: n_q * n_k * d
            ),
            "W_O is missing: each output is projected as well": less(
                lambda n_q, n_k, d, cached: n_q * d**2
            ),
            "keys and values come from the source: n_k tokens, not n_q": (
                lambda n_q, n_k, d, cached: torch.tensor(
                    float(n_q * 4 * d**2 + 2 * n_q * n_k * d)
                ).double()
            ),
            "with and without the cache give the same: without it every new word projects the "
            "source again": lambda n_q, n_k, d, cached: _work(n_q, n_k, d, True),
            "the scores are n_q × n_q here: a query of cross-attention meets n_k source words": (
                lambda n_q, n_k, d, cached: _work(n_q, n_k, d, cached) + 2 * n_q * d * (n_q - n_k)
            ),
        },
    )
    return (
        "Linear in each of the two lengths, n_q n_k for the pairs; the source is projected once if "
        "its keys and values are kept."
    )
