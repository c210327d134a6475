"""Right answers, and wrong ones with what must be said of them."""

import math

import torch

from attention_lab.core.attention import attention
from attention_lab.core.tiled import merge, partial, tiled_attention


def no_return(*_):
    print("computed")


# --- merge_parts --------------------------------------------------------------------------------


def finite(m):
    return m.clamp(min=-1e300)


def merged_by_logarithms(one, other):
    m = torch.maximum(one[0], other[0])
    total = torch.logaddexp(one[0] + one[1].log(), other[0] + other[1].log())
    a, b = ((part[0] - finite(m)).exp() for part in (one, other))
    return m, (total - finite(m)).exp(), a * one[2] + b * other[2]


def merged(scale_one, scale_other):
    def made(one, other):
        m = torch.maximum(one[0], other[0])
        a, b = scale_one(one[0], m), scale_other(other[0], m)
        return m, a * one[1] + b * other[1], a * one[2] + b * other[2]

    return made


def shrink(own, m):
    return (own - finite(m)).exp()


def keep(own, m):
    return torch.ones_like(own)


# --- causal_by_tiles ----------------------------------------------------------------------------


def rows_of_tiles(q, k, v, tile):
    out = []
    for i in range(0, len(q), tile):
        end = min(i + tile, len(q))
        mask = torch.arange(i, end)[:, None] >= torch.arange(end)
        out.append(attention(q[i:end], k[:end], v[:end], attn_mask=mask).output)
    return torch.cat(out)


def all_queries_at_once(q, k, v, tile):
    seen = None
    for j in range(0, len(k), tile):
        scores = q @ k[j : j + tile].T / math.sqrt(q.shape[-1])
        later = torch.arange(j, j + scores.shape[1]) > torch.arange(len(q))[:, None]
        part = partial(scores.masked_fill(later, -math.inf), v[j : j + tile])
        seen = part if seen is None else merge(seen, part)
    return seen.output


def own_tile(q, k, v, tile):
    return torch.cat(
        [
            attention(q[i : i + tile], k[i : i + tile], v[i : i + tile], is_causal=True).output
            for i in range(0, len(q), tile)
        ]
    )


def softmax_of_each_tile(q, k, v, tile):
    """Adds outputs of tiles that were each normalised on their own."""
    out = torch.zeros(len(q), v.shape[-1], dtype=q.dtype)
    for j in range(0, len(k), tile):
        keys = torch.arange(j, min(j + tile, len(k)))
        mask = torch.arange(len(q))[:, None] >= keys
        out = out + attention(q, k[keys], v[keys], attn_mask=mask).output
    return out


# --- cheaper_order ------------------------------------------------------------------------------


def by_weights(q, k, v):
    weights = q @ k.T
    return weights @ v / weights.sum(-1, keepdim=True)


def by_state(q, k, v):
    return (q @ (k.T @ v)) / (q @ k.sum(0))[:, None]


def the_cheaper(q, k, v):
    (n_q, d), (n_k, d_v) = q.shape, v.shape
    return (by_weights if n_q * n_k * (d + d_v) < d * d_v * (n_k + n_q) else by_state)(q, k, v)


def the_cheaper_by_multi_dot(q, k, v):
    return torch.linalg.multi_dot([q, k.T, v]) / (q @ k.sum(0))[:, None]


# --- rolling_cache ------------------------------------------------------------------------------


def rolling(keep_after, keep_before=None, distance_of=None):
    def step(query, key, value, cache, window):
        if cache is not None:
            key, value = torch.cat([cache[0], key]), torch.cat([cache[1], value])
        if keep_before is not None:
            key, value = key[-keep_before(window) :], value[-keep_before(window) :]
        n_q, n_k = len(query), len(key)
        distance = torch.arange(n_k - n_q, n_k)[:, None] - torch.arange(n_k)
        mask = (distance >= 0) & (distance < window)
        if distance_of is not None:
            mask = distance_of(distance, window)
        output = attention(query, key, value, attn_mask=mask).output
        kept = keep_after(window)
        return output, (key[n_k - kept :] if kept < n_k else key,
                        value[n_k - kept :] if kept < n_k else value)  # fmt: skip

    return step


def token_by_token(query, key, value, cache, window):
    kept = list(cache) if cache else []
    outputs = []
    for q, k, v in zip(query, key, value, strict=True):
        kept = [*kept, torch.cat([k, v])][-window:]
        rows = torch.stack(kept)
        outputs.append(attention(q[None], rows[:, : len(k)], rows[:, len(k) :]).output)
    return torch.cat(outputs), kept


# --- logits_one_by_one --------------------------------------------------------------------------


def decoder(attend, *, own=True, scale=None):
    def logits(tokens, words, w_q, w_k, w_v):
        keys, values, out = [], [], []
        for token in tokens.tolist():
            x = words[token]
            keys.append(x @ w_k)
            values.append(x @ w_v)
            y = attend((x @ w_q)[None], torch.stack(keys), torch.stack(values), scale)
            out.append((x + y if own else y) @ words.T)
        return torch.stack(out)

    return logits


def attend(q, k, v, scale=None):
    return attention(q, k, v, scale=scale).output[0]


def by_hand(q, k, v, scale=None):
    return ((q @ k.T) / math.sqrt(q.shape[-1])).softmax(-1)[0] @ v


def all_at_once(tokens, words, w_q, w_k, w_v, is_causal=True):
    x = words[tokens]
    return (x + attention(x @ w_q, x @ w_k, x @ w_v, is_causal=is_causal).output) @ words.T


def again_and_again(tokens, words, *weights):
    return torch.stack(
        [all_at_once(tokens[: t + 1], words, *weights)[-1] for t in range(len(tokens))]
    )


# --- grouped_without_copies ---------------------------------------------------------------------


def repeated(q, k, v):
    shared = len(q) // len(k)
    return attention(q, *(x.repeat_interleave(shared, 0) for x in (k, v))).output


def expanded(q, k, v):
    shared = len(q) // len(k)
    q = q.unflatten(0, (len(k), shared))
    k, v = (x[:, None].expand(-1, shared, -1, -1) for x in (k, v))
    return attention(q, k, v).output.flatten(0, 1)


def folded(q, k, v):
    """The query heads of a group are further queries of its key head."""
    g, (h, n_q, d) = len(k), q.shape
    out = attention(q.reshape(g, h // g * n_q, d), k, v).output
    return out.reshape(h, n_q, -1)


def by_einsum(q, k, v):
    grouped = q.unflatten(0, (len(k), -1))
    scores = torch.einsum("grqd,gkd->grqk", grouped, k) / math.sqrt(q.shape[-1])
    return torch.einsum("grqk,gkd->grqd", scores.softmax(-1), v).flatten(0, 1)


def head_by_head(q, k, v):
    shared = len(q) // len(k)
    return torch.stack(
        [attention(q[i], k[i // shared], v[i // shared]).output for i in range(len(q))]
    )


def by_remainder(q, k, v):
    return torch.stack(
        [attention(q[i], k[i % len(k)], v[i % len(k)]).output for i in range(len(q))]
    )


# --- cross_attention_work -----------------------------------------------------------------------


def work(n_q, n_k, d, cached):
    return 2 * n_q * d * (d + n_k) + 2 * n_k * d * d * (1 if cached else n_q)


RIGHT = {
    "merge_parts": [
        merged(shrink, shrink),
        merged_by_logarithms,
        lambda one, other: list(merged(shrink, shrink)(other, one)),
    ],
    "causal_by_tiles": [
        rows_of_tiles,
        all_queries_at_once,
        lambda q, k, v, tile: tiled_attention(q, k, v, is_causal=True, tile=tile),
    ],
    "cheaper_order": [
        the_cheaper,
        the_cheaper_by_multi_dot,
    ],
    "rolling_cache": [
        rolling(lambda window: window - 1),
        rolling(lambda window: window),
        token_by_token,
    ],
    "logits_one_by_one": [decoder(attend), decoder(by_hand)],
    "grouped_without_copies": [folded, by_einsum, head_by_head],
    "cross_attention_work": [
        work,
        lambda n_q, n_k, d, cached: torch.tensor(float(work(n_q, n_k, d, cached))),
    ],
}

WRONG = {
    "merge_parts": [
        (merged(keep, keep), "the sums are added as they are"),
        (merged(shrink, keep), "only the first part is rescaled"),
        (merged(keep, shrink), "only the second part is rescaled"),
        (
            merged(lambda own, m: (m - own).exp(), lambda own, m: (m - own).exp()),
            "the factors are upside down",
        ),
        (
            merged(lambda own, m: (own - m).exp(), lambda own, m: (own - m).exp()),
            "holds nan or ∞ where the maxima are",
        ),
        (lambda one, other: one, "should be"),
        (lambda one, other: (one[0], one[1]), "must return (m, l, o), but it returned 2 things"),
        (
            lambda one, other: (
                (a := merged(shrink, shrink)(one, other))[0], a[1], a[2] / a[1].clamp(min=1e-9)
            ),
            "o should be",
        ),
        (
            lambda one, other: (
                (a := merged(shrink, shrink)(one, other))[0].squeeze(-1), a[1], a[2]
            ),
            "m has shape (3,); (3, 1) is right",
        ),
        (no_return, "returned None"),
    ],
    "causal_by_tiles": [
        (lambda q, k, v, tile: attention(q, k, v).output, "every query sees every key"),
        (
            lambda q, k, v, tile: attention(q, k, v, is_causal=True, scale=1.0).output,
            "the scale is missing",
        ),
        (own_tile, "each query sees its own tile only"),
        (
            lambda q, k, v, tile: attention(
                q, k, v,
                attn_mask=torch.arange(len(q))[:, None] // tile >= torch.arange(len(q)) // tile,
            ).output,
            "the causal mask is that of whole tiles",
        ),
        (
            lambda q, k, v, tile: attention(q, k, v, is_causal=True).output,
            "the outputs are right, but for n = 512 and tile = 32 the tensors take",
        ),
        (softmax_of_each_tile, "the outputs"),
        (
            lambda q, k, v, tile: rows_of_tiles(q, k, v, tile) * (1 if len(q) < 100 else 2),
            "right for short texts, but not for n = 512",
        ),
        (
            lambda q, k, v, tile: attention(
                q, k, v, attn_mask=torch.ones(len(q), len(q)).tril(-1).bool()
            ).output,
            "and not its own",
        ),
        (no_return, "returned None"),
    ],
    "cheaper_order": [
        (by_weights, "choose by the sizes"),
        (by_state, "(Q Kᵀ) V takes"),
        (lambda q, k, v: q @ (k.T @ v), "not divided"),
        (lambda q, k, v: attention(q, k, v).output, "softmax attention"),
        (lambda q, k, v: q @ (k.T @ v) / len(k), "divided by the number of keys"),
        (lambda q, k, v: by_state(q, k, v) + 1, "the outputs differ first"),
        (no_return, "returned None"),
    ],
    "rolling_cache": [
        (rolling(lambda w: w, keep_before=lambda w: w), "only the last 4 keys were at hand"),
        (rolling(lambda w: 1000), "numbers are kept for the next step"),
        (
            rolling(lambda w: 1000, distance_of=lambda distance, w: distance >= 0),
            "causal, but without a window",
        ),
        (rolling(lambda w: max(w - 2, 0)), "the output of token"),
        (
            rolling(lambda w: w, distance_of=lambda distance, w: distance.abs() < w),
            "the output of token",
        ),
        (lambda q, k, v, cache, w: attention(q, k, v).output, "must return (output, cache)"),
        (lambda q, k, v, cache, w: (q, k), "the output has shape"),
        (
            lambda q, k, v, cache, w: (
                *rolling(lambda w: w)(q, k, v, None, w)[:1], "nothing"
            ),
            "the cache must be a tuple of tensors, but it is str",
        ),
        (no_return, "returned None"),
    ],
    "logits_one_by_one": [
        (all_at_once, "with a cache"),
        (again_and_again, "with a cache"),
        (lambda *given: all_at_once(*given, is_causal=False), "later tokens are seen"),
        (decoder(attend, own=False), "the token's own vector is missing"),
        (
            decoder(lambda q, k, v, scale: attend(q, k, v, 1.0)),
            "the scale is missing",
        ),
        (decoder(lambda q, k, v, scale: attend(q, v, k)), "have changed places"),
        (
            decoder(lambda q, k, v, scale: attend(q, k[-1:], v[-1:])),
            "the logits",
        ),
        (no_return, "returned None"),
    ],
    "grouped_without_copies": [
        (by_remainder, "neighbours share one"),
        (repeated, "copied for each query head"),
        (
            lambda q, k, v: folded(q, k, v) * (1 if k.shape[1] < 100 else 2),
            "right for few keys, but not for 512",
        ),
        (expanded, "copied for each query head"),
        (
            lambda q, k, v: folded(q * math.sqrt(q.shape[-1]), k, v),
            "the scale is missing",
        ),
        (lambda q, k, v: attention(q[: len(k)], k, v).output, "returned shape"),
        (lambda q, k, v: attention(q, k, v).output, "raised ValueError"),
        (no_return, "returned None"),
    ],
    "cross_attention_work": [
        (lambda n_q, n_k, d, cached: 2 * n_q * n_k * d, "the four projections are missing"),
        (lambda n_q, n_k, d, cached: work(n_q, n_k, d, True), "with and without the cache"),
        (
            lambda n_q, n_k, d, cached: work(n_q, n_k, d, cached) - n_q * n_k * d,
            "one of the two products is missing",
        ),
        (
            lambda n_q, n_k, d, cached: work(n_q, n_k, d, cached) - n_q * d**2,
            "W_O is missing",
        ),
        (
            lambda n_q, n_k, d, cached: 4 * n_q * d**2 + 2 * n_q * n_k * d,
            "keys and values come from the source",
        ),
        (
            lambda n_q, n_k, d, cached: work(n_q, n_k, d, cached) + 2 * n_q * d * (n_q - n_k),
            "the scores are n_q × n_q here",
        ),
        (lambda n_q, n_k, d, cached: 2 * work(n_q, n_k, d, cached), "should be"),
        (lambda n_q, n_k, d, cached: "many", "must be a tensor"),
        (no_return, "returned None"),
    ],
}  # fmt: skip
