"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def no_return(*_):
    print("computed")


# --- one sequence asks two ----------------------------------------------------------------------


def joined(decoder, encoder):
    return torch.cat([encoder, decoder], dim=-2)


def with_einsum(decoder, encoder, W_Q, W_K, W_V):
    found = joined(encoder, decoder)  # the other way round: the order does not count
    q = torch.einsum("...nd,dk->...nk", decoder, W_Q)
    k = torch.einsum("...nd,dk->...nk", found, W_K)
    scores = torch.einsum("...qd,...kd->...qk", q, k) * W_K.shape[-1] ** -0.5
    return torch.einsum("...qk,...kv->...qv", torch.softmax(scores, -1), found @ W_V)


def by_shares(decoder, encoder, W_Q, W_K, W_V):
    """Attend to each sequence alone, and weigh the two outputs by the sums of exponentials."""
    q, outputs, sums = decoder @ W_Q, [], []
    for tokens in (decoder, encoder):
        scores = q @ (tokens @ W_K).mT / W_K.shape[-1] ** 0.5
        outputs.append(scores.softmax(-1) @ (tokens @ W_V))
        sums.append(scores.logsumexp(-1))
    shares = torch.stack(sums, dim=-1).softmax(-1)
    return outputs[0] * shares[..., :1] + outputs[1] * shares[..., 1:]


def asks(q="d", k="b", v="b", scale=lambda q, k, x: k.shape[-1] ** 0.5, axis=-1, turn=None):
    def answer(d, e, W_Q, W_K, W_V):
        tokens = {"d": d, "e": e, "b": joined(d, e)}
        Q, K, V = tokens[q] @ W_Q, tokens[k] @ W_K, tokens[v] @ W_V
        scores = Q @ (turn(K) if turn else K.mT) / scale(Q, K, d)
        return scores.softmax(axis) @ V

    return answer


def two_rounds(times):
    def answer(*given):
        return times * (asks(k="e", v="e")(*given) + asks(k="d", v="d")(*given))

    return answer


def weighed(weights):
    def answer(d, e, W_Q, W_K, W_V):
        found = joined(d, e)
        K = found @ W_K
        return weights(d @ W_Q @ K.mT, K.shape[-1] ** 0.5) @ (found @ W_V)

    return answer


def exp_over_sum(x):
    return x.exp() / x.exp().sum(-1, keepdim=True)


# --- tokens side by side ------------------------------------------------------------------------


def derivation_with_loops(Q, K, V):
    d_k = len(K)
    scores = torch.tensor([[float(q @ k) / math.sqrt(d_k) for k in K.T] for q in Q.T])
    weights = torch.stack([torch.softmax(row, dim=0) for row in scores])
    outputs = [sum(w * v for w, v in zip(row, V.T.float(), strict=True)) for row in weights]
    return scores, weights, torch.stack(outputs, dim=1)


def row_by_row(Q, K, V):
    """The article's formula, read number by number: one sum for each row."""
    scores = Q.T @ K / K.shape[0] ** 0.5
    weights = exp_over_sum(scores)
    return scores, weights, torch.einsum("qk,vk->vq", weights, V)


def derive(scores=None, weights=None, output=None):
    def answer(Q, K, V):
        s = scores(Q, K) if scores else Q.T @ K / K.shape[0] ** 0.5
        w = weights(s) if weights else s.softmax(-1)
        return s, w, output(w, V) if output else V @ w.T

    return answer


# --- a circle -----------------------------------------------------------------------------------


def moved(n, steps=1, size=20.0):
    return size * torch.eye(n).roll(steps, dims=1), torch.eye(n)


def on_the_circle(n):
    """Keys at equal angles, and queries one step further: two features are enough."""
    angle = 2 * math.pi * torch.arange(n) / n
    step = angle + 2 * math.pi / n
    return 2 * n**2 * torch.stack([step.cos(), step.sin()], 1), torch.stack(
        [angle.cos(), angle.sin()], 1
    )


def in_numpy(n):
    return [30 * n * np.roll(np.eye(n), 1, axis=1), np.eye(n)]


def one_matrix(n):
    W = 5 * torch.eye(n) + 5 * torch.eye(n).roll(1, dims=1)
    return W, W


RIGHT = {
    "ask_both": [
        with_einsum,
        by_shares,
        lambda d, e, q, k, v: F.scaled_dot_product_attention(
            d @ q, joined(d, e) @ k, joined(d, e) @ v
        ),
    ],
    "repaired_derivation": [
        derivation_with_loops,
        row_by_row,
        lambda q, k, v: [
            s := torch.einsum("dq,dk->qk", q, k) / k.shape[0] ** 0.5,
            w := s.softmax(1),
            (w @ v.T).T,
        ],
    ],
    "find_query": [0.834, torch.tensor(0.8341), [0.8341], np.float32(0.8341)],
    "next_in_circle": [on_the_circle, in_numpy, lambda n: moved(n, size=1e3)],
    "true_statements": ["ADEF", "f e d a", {"A", "D", "E", "F"}],
}


WRONG = {
    "ask_both": [
        (asks(k="e", v="e"), "only the encoder is asked"),
        (asks(k="d", v="d"), "only the decoder's own tokens are asked: that is self-attention"),
        (two_rounds(1), "hands out 2 in all"),
        (two_rounds(0.5), "each gets half of the weight, whatever fits"),
        (asks(q="b"), "(2, 4) is right"),
        (asks(q="e", k="d", v="d"), "(2, 4) is right"),
        (asks(v="e"), "raised"),
        (asks(scale=lambda q, k, x: 1), "the scores are not scaled"),
        (asks(scale=lambda q, k, x: q.shape[-1]), "divided by d_k; divide by √d_k"),
        (asks(scale=lambda q, k, x: x.shape[-1] ** 0.5), "with the number of features of a token"),
        (asks(scale=lambda q, k, x: k.shape[-2] ** 0.5), "scaled by √(n_q + n_k)"),
        (asks(scale=lambda q, k, x: q.shape[-1] ** -0.5), "multiplied by √d_k"),
        (asks(scale=lambda q, k, x: 5**0.5), "came out"),
        (asks(axis=-2), "the softmax runs over the queries"),
        (asks(axis=0), "the softmax runs over the queries"),
        (asks(axis=1), "right for other inputs"),
        (asks(turn=lambda k: k.permute(*reversed(range(k.ndim)))), "K.T swaps all"),
        (weighed(lambda s, root: s / root), "there is no softmax"),
        (weighed(lambda s, root: s.softmax(-1) / root), "the scale came after the softmax"),
        (weighed(lambda s, root: (s / root).exp()), "not divided by the sum of their row"),
        (weighed(lambda s, root: exp_over_sum(s / root)), "right for other inputs"),
        (lambda d, e, q, k, v: (e @ v)[..., : d.shape[-2], :], "came out"),
        (lambda d, e, q, k, v: asks()(d, e, q, k, v) * (1 + 9e-5), "came out"),
        (lambda d, e, q, k, v: asks()(d, e, q, k, v) if d.ndim == 2 else None, "returned None"),
        (lambda d, e: d, "is called with 5 arguments"),
        (no_return, "returned None"),
    ],
    "repaired_derivation": [
        (derive(scores=lambda q, k: q.T @ k), "formula 1: the scale is still missing"),
        (derive(scores=lambda q, k: q.T @ k / len(k)), "formula 1: the scores are divided by d_k"),
        (
            derive(scores=lambda q, k: q.T @ k / k.shape[1] ** 0.5),
            "formula 1: the scores are divided by √n_k",
        ),
        (derive(scores=lambda q, k: q.T @ k / 5**0.5), "of formula 1 the scores"),
        (
            derive(scores=lambda q, k: k.T @ q / len(k) ** 0.5, output=lambda w, v: v),
            "formula 1: the scores have a row for each key",
        ),
        (
            derive(scores=lambda q, k: (q[:, :1] * k[:, :1]).sum(), output=lambda w, v: v),
            "formula 1 returned shape ()",
        ),
        (derive(scores=lambda q, k: q @ k.T), "raised RuntimeError"),
        (derive(weights=lambda s: s.softmax(0)), "formula 2: the softmax runs over the queries"),
        (
            derive(weights=lambda s: s.exp() / s.exp().sum()),
            "formula 2: one sum for the whole matrix",
        ),
        (derive(weights=lambda s: s.exp()), "formula 2: the exponentials are not divided"),
        (derive(weights=lambda s: (s / 2).softmax(1)), "of formula 2 the weights"),
        (derive(output=lambda w, v: w @ v.T), "formula 3: the outputs stand below each other"),
        (
            derive(output=lambda w, v: v.sum(1, keepdim=True) * w.sum(-1)),
            "formula 3: each weight goes",
        ),
        (derive(output=lambda w, v: sum(w * x for x in v[0])), "formula 3 returned shape"),
        (lambda q, k, v: q, "must return (scores, weights, output)"),
    ],
    "find_query": [
        (1, "q = 1 gives 8.5752; 8.5 needs a smaller q"),
        (0, "q = 0 gives 8.0000; 8.5 needs a larger q"),
        (0.835, "8.5 needs a smaller q"),
        (5 / 6, "8.5 needs a larger q"),
        (-0.8341, "larger q"),
        ("0.8341", "without quotes"),
        ([1, 2], "q is one number, and these are 2"),
        (1e308, "q = 1e+308 is so large"),
        (object(), "write one number"),
        (math.inf, "finite"),
    ],
    "next_in_circle": [
        (lambda n: moved(n, steps=-1), "each token finds the one before it"),
        (lambda n: moved(n, steps=0), "each token finds itself"),
        (lambda n: moved(n, size=2.0), "every token prefers the next one, but not enough"),
        (moved, "for n = 50 every token prefers the next one, but not enough"),
        (lambda n: moved(n, size=-20.0), "gives the weight 0.000 to token 1"),
        (one_matrix, "W_Q and W_K are the same"),
        (lambda n: moved(3), "for n = 4 W_Q and W_K must both have the shape (4, d_k)"),
        (lambda n: moved(n)[0], "must return the pair (W_Q, W_K)"),
        (lambda n: (torch.ones(n, 2), torch.ones(n, 3)), "with one d_k; they have (3, 2)"),
        (lambda n: (torch.ones(n, 0), torch.ones(n, 0)), "must both have the shape"),
        (lambda n: moved(n) if n > 2 else moved(n, steps=0), "for n = 2 each token finds itself"),
        (lambda n: (torch.full((n, 1), 1e308), torch.full((n, 1), 1e308)), "are the same"),
        (lambda n: (torch.full((n, 1), 1e308), torch.arange(n) * 1e308), "finite"),
        (no_return, "returned None"),
    ],
    "true_statements": [
        ("ADE", "5 of the 6 statements"),
        ("ABDEF", "5 of the 6 statements"),
        ("ACDEF", "5 of the 6"),
        ("ADF", "5 of the 6"),
        ("BC", "0 of the 6"),
    ],
}
