"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def loop_softmax(scores):
    if scores.ndim > 1:
        return torch.stack([loop_softmax(row) for row in scores])
    top = max(x.item() for x in scores)
    powers = [math.exp(x.item() - top) for x in scores]
    return torch.tensor([p / sum(powers) for p in powers])


def scores_by_einsum(query, key, weight):
    dot = torch.einsum("...qd,...kd->...qk", query, key)
    return [
        dot,
        dot * key.shape[-1] ** -0.5,
        torch.einsum("...qd,de,...ke->...qk", query, weight, key),
    ]


def scores_transposed(query, key, weight):
    key = key.mT
    dot = torch.matmul(query, key)
    return dot, dot / torch.tensor(query.shape[-1]).sqrt(), query @ (weight @ key)


def in_place(scores):
    scores -= scores.amax(-1, keepdim=True)
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


def moved_in_place(scores):
    scores -= scores.amax(-1, keepdim=True)
    return scores


def no_return(*_):
    print("computed")


def three(dot=None, scaled=None, general=None):
    def answer(q, k, w):
        plain = q @ k.transpose(-2, -1)
        return (
            dot(q, k) if dot else plain,
            scaled(plain, q, k) if scaled else plain / q.shape[-1] ** 0.5,
            general(q, k, w) if general else q @ w @ k.transpose(-2, -1),
        )

    return answer


def exp_over_sum(x):
    return x.exp() / x.exp().sum(-1, keepdim=True)


def naive(s):
    return s.exp() / s.exp().sum(-1, keepdim=True)


RIGHT = {
    "stable_softmax": [
        loop_softmax,
        lambda s: torch.exp(s - torch.logsumexp(s, dim=-1, keepdim=True)),
        lambda s: F.softmax(s, dim=-1),
        lambda s: s.double().softmax(-1),
    ],
    "three_scores": [scores_by_einsum, scores_transposed],
    "choose_query": [torch.tensor([-2.0, 1.0]), (0, 100), [[-3, 3]], np.array([-2.0, 1.0])],
    "softmax_formula": ["ab", {"A", "B"}, ["B", "A"], "A, B", "A and B", "(a, b)."],
    "move_rows": [
        lambda s: s - s.max(dim=-1, keepdim=True).values,
        lambda s: torch.stack([row - max(row) for row in s]),
        lambda s: s.float() - s.float().amax(-1)[:, None],
    ],
}


WRONG = {
    "stable_softmax": [
        (lambda s: s.softmax(0), "the columns sum to 1, not the rows"),
        (lambda s: naive(s), "[1000., 1001.] gives nan"),
        (lambda s: s.exp(), "not divided by their sum"),
        (lambda s: s.exp() / s.exp().sum(), "all the numbers together sum to 1"),
        (
            lambda s: (s - s.max()).exp() / (s - s.max()).exp().sum(-1, keepdim=True),
            "right for other inputs, but for scores = [[-3000, 0, 3000]",
        ),
        (lambda s: exp_over_sum(s - s.amax(-1, keepdim=True).clamp(min=0)), "[-1000, -1001"),
        (lambda s: exp_over_sum(s - s.abs().amax(-1, keepdim=True)), "[-1000, -1001"),
        (lambda s: exp_over_sum(s - s.sum(-1, keepdim=True)), "too large (inf) or too small (0)"),
        (
            lambda s: exp_over_sum((s - s.amax(-1, keepdim=True)).clamp(min=-12)),
            "and [1, 6.144e-06] came out",
        ),
        (lambda s: s.softmax(-1).clamp(min=1e-6), "right for other inputs"),
        (lambda s: s.masked_fill(s == -math.inf, -20.0).softmax(-1), "right for other inputs"),
        (lambda s: s.clamp(min=-1001).softmax(-1), "right for other inputs"),
        (lambda s: exp_over_sum(s.double() - s.double().mean(-1, keepdim=True)), "right for other"),
        (
            lambda s: exp_over_sum(s - (s.amax(-1, keepdim=True) if s.ndim < 3 else s.amax())),
            "right for other inputs",
        ),
        (in_place, "changed its input scores in place"),
        (
            lambda s: (s - s[..., -1:]).exp() / (s - s[..., -1:]).exp().sum(-1, keepdim=True),
            "for scores = [1000, 0] the weights should be [1, 0]",
        ),
        (lambda s: ((s.T - s.amax(-1)).exp() / (s.T - s.amax(-1)).exp().sum(0)).T, "raised"),
        (lambda s: s.softmax(-1) + 5j, "floating point numbers, but it is torch.complex"),
        (lambda s: s.softmax(-1).to_sparse(), "but it is torch.sparse"),
        (lambda s: s.log_softmax(-1), "logarithm of the weights"),
        (no_return, "returned None: is a return missing?"),
        (lambda s: s.softmax(-1).tolist(), "must be a tensor, but it is a list"),
        (lambda s: (s == s.amax(-1, keepdim=True)).double(), "and [[0, 0, 1], [1, 1, 0]] came out"),
        (lambda s: s.exp() / s.exp().sum(-1), "raised RuntimeError"),
        (lambda: 1, "is called with 1 arguments (scores)"),
        (3.0, "must be a function"),
    ],
    "three_scores": [
        (three(scaled=lambda s, q, k: s), "the scaled scores are not scaled"),
        (three(scaled=lambda s, q, k: s / 5), "divided by d_k; divide by √d_k"),
        (three(scaled=lambda s, q, k: s / len(q)), "differ first"),
        (three(scaled=lambda s, q, k: s / len(k) ** 0.5), "divided by √n_k"),
        (three(scaled=lambda s, q, k: s / k.shape[1] ** 0.5), "divided by √n_k"),
        (three(dot=lambda q, k: q @ k.mT if q.ndim == 2 else 0 * (q @ k.mT)), "dot scores differ"),
        (lambda q, k, w: (q @ k.mT, q @ k.mT), "it returned 2 things"),
        (three(scaled=lambda s, q, k: s / k.shape[-2] ** 0.5), "divided by √n_k"),
        (three(scaled=lambda s, q, k: s / 5**0.5), "right for other sizes"),
        (
            three(scaled=lambda s, q, k: s / (q.shape[-2] + k.shape[-2]) ** 0.5),
            "right for other sizes",
        ),
        (three(general=lambda q, k, w: q @ w.T @ k.transpose(-2, -1)), "transpose of M"),
        (three(general=lambda q, k, w: q @ k.transpose(-2, -1)), "do not use M"),
        (three(dot=lambda q, k: k @ q.transpose(-2, -1)), "have shape (3, 2)"),
        (
            lambda q, k, w: (q @ k.T, q @ k.T / k.shape[-1] ** 0.5, q @ w @ k.T),
            "right for one matrix, but not with leading axes",
        ),
        (lambda q, k, w: q @ k.T, "must return three tensors"),
        (no_return, "returned None"),
    ],
    "choose_query": [
        ([1, 0], "key 0 has as much as key 1, or more"),
        ([0, 0], "key 0 has as much"),
        ([0.1, 1], "0.9 needs larger gaps"),
        ([1, 2, 3], "needs 2, but it has 3"),
        ("up", "write the query as two numbers"),
        ([math.nan, 1], "must be finite"),
        ([0, 1e308], "up to a million"),
        ([1j, 1], "write the query as two numbers"),
    ],
    "softmax_formula": [
        ("A", "4 of the 5 statements"),
        ("ABD", "4 of the 5 statements"),
        ("CDE", "0 of the 5 statements are judged right, and 5 are not"),
        ("Z", "Z is no statement"),
        ("", "at least one letter"),
        (5, "write the letters as a string"),
    ],
    "move_rows": [
        (lambda s: s - s.max(), "only one row reaches 0"),
        (lambda s: s - s.amax(0), "each column's largest"),
        (lambda s: s / s.amax(-1, keepdim=True), "the weights changed"),
        (lambda s: s - s.mean(-1, keepdim=True), "the mean of each row was subtracted"),
        (lambda s: s - s.amax(-1, keepdim=True).clamp(min=0), "right for other inputs"),
        (lambda s: s - s.abs().amax(-1, keepdim=True), "right for other inputs"),
        (lambda s: (s - s.amax(-1, keepdim=True)).clamp(min=-10), "right for other inputs"),
        (lambda s: (s - s.amax(-1, keepdim=True)).round(decimals=3), "the weights changed"),
        (lambda s: s, "the largest entries are"),
        (lambda s: torch.zeros_like(s), "the weights changed"),
        (lambda s: s * math.nan, "hold nan"),
        (lambda s: s.round().long(), "floating point numbers, but it is torch.int64"),
        (moved_in_place, "in place"),
    ],
}
