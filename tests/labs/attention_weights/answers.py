"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def no_return(*_):
    print("computed")


def by_loop(scores):
    if scores.ndim > 1:
        return torch.stack([by_loop(row) for row in scores])
    top = max(x.item() for x in scores)
    return torch.tensor(top + math.log(sum(math.exp(x.item() - top) for x in scores)))


def after(largest):
    """Log-sum-exp with another number subtracted and added again."""
    return lambda s: largest(s).squeeze(-1) + (s - largest(s)).exp().sum(-1).log()


def in_place(scores):
    top = scores.amax(-1, keepdim=True)
    scores -= top
    return top.squeeze(-1) + scores.exp().sum(-1).log()


def top_of(scores):
    return scores.amax(-1, keepdim=True)


def along(x, axis=-1):
    return x / x.norm(dim=axis, keepdim=True)


def by_einsum(q, k):
    return torch.einsum("...qd,...kd->...qk", F.normalize(q, dim=-1), F.normalize(k, dim=-1))


def lengths_after(q, k):
    return q @ k.mT / (q.norm(dim=-1)[..., :, None] * k.norm(dim=-1)[..., None, :])


RIGHT = {
    "break_a_softmax": [
        torch.tensor([[0.0, 1.0], [1000.0, 1001.0]]),
        [[0, 500], [1, 2]],
        np.array([[200.0], [0.0], [-200.0]]),
        ((-104, -105, -106), (0, 0, 0)),
    ],
    "log_sum_exp": [
        by_loop,
        after(top_of),
        lambda s: after(top_of)(s.double()),
    ],
    "cosine_scores": [
        by_einsum,
        lengths_after,
        lambda q, k: F.cosine_similarity(q[..., :, None, :], k[..., None, :, :], dim=-1),
    ],
    "choose_query": [torch.tensor([-2.0, 1.0]), (0, 100), [[-3, 3]], np.array([0.0, 2.5])],
    "softmax_readings": [
        "fdc",
        {"C", "D", "F"},
        ["D", "C", "F"],
        "C, D, F",
        "C, D and F",
        "(c, d, f).",
    ],
}


WRONG = {
    "break_a_softmax": [
        ([[1.0, 2.0], [3.0, 4.0]], "for these scores it is right"),
        ([[0.0, 1.0], [60.0, 61.0]], "still has 1.2e-26, which is not 0"),
        ([[0.0, 1.0], [103.0, 103.0]], "close: no nan, but the weights are wrong by"),
        ([0.0, 1000.0], "at least two rows is wanted, and this has shape (2,)"),
        ([[0.0, 1000.0]], "at least two rows is wanted, and this has shape (1, 2)"),
        ([[0.0, 1.0], [math.inf, 1.0]], "must be finite"),
        ([[0.0, 1.0], [1e39, 1.0]], "a float32 cannot hold"),
        ("very large ones", "write the scores as a matrix"),
    ],
    "log_sum_exp": [
        (lambda s: s.exp().sum(-1).log(), "[1000., 1001.] gives inf, and [-1000., -1001.] gives"),
        (lambda s: (s - top_of(s)).exp().sum(-1).log(), "that score has to be added again"),
        (lambda s: s.exp().sum(-1), "take its logarithm"),
        (lambda s: s.log_softmax(-1), "these are the logarithms of the weights"),
        (lambda s: s.softmax(-1), "these are the weights"),
        (lambda s: s.logsumexp(-1, keepdim=True), "still there, with length 1"),
        (lambda s: s.logsumexp(0), "runs over the first axis"),
        (lambda s: s.exp().sum().log(), "all scores together"),
        (lambda s: s.amax(-1), "largest score alone"),
        (lambda s: s.exp().log().sum(-1), "the logarithm was taken of each exponential"),
        (after(lambda s: s.max().reshape([1] * s.ndim)), "right for other inputs"),
        (after(lambda s: top_of(s).clamp(min=0)), "right for other inputs"),
        (after(lambda s: s.abs().amax(-1, keepdim=True)), "right for other inputs"),
        (after(lambda s: s[..., :1]), "right for other inputs"),
        (lambda s: s.clamp(min=-1001.5).logsumexp(-1) + 0 * s[..., 0], "right for other inputs"),
        (lambda s: s.masked_fill(s == -math.inf, -20.0).logsumexp(-1), "right for other inputs"),
        (in_place, "changed its input scores in place"),
        (lambda s: s.logsumexp(-1).tolist(), "must be a tensor"),
        (no_return, "returned None: is a return missing?"),
        (3.0, "must be a function"),
        (lambda s: torch.logsumexp(s, dim=-1), "calls logsumexp, which does the work in one step"),
        (lambda s: s.double().logsumexp(-1), "build it from amax, exp, sum and log"),
        (
            lambda s: s[..., 0] - s.log_softmax(-1)[..., 0] if s.isfinite().all() else by_loop(s),
            "calls log_softmax",
        ),
    ],
    "cosine_scores": [
        (lambda q, k: q @ k.mT, "these are the dot products"),
        (lambda q, k: q @ k.mT / k.shape[-1] ** 0.5, "these are the scaled dot products"),
        (lambda q, k: q @ along(k).mT, "those of the queries are not"),
        (lambda q, k: along(q) @ k.mT, "those of the keys are not"),
        (
            lambda q, k: q @ k.mT / ((q**2).sum(-1)[..., None] * (k**2).sum(-1)[..., None, :]),
            "the squares of the lengths",
        ),
        (lambda q, k: along(q, -2) @ along(k, -2).mT, "the axis of the queries and keys"),
        (lambda q, k: q @ k.mT / (q.norm() * k.norm()), "one length was taken of each whole"),
        (lambda q, k: along(k) @ along(q).mT, "a row must belong to a query"),
        (lambda q, k: along(q) @ along(k).T, "right for other inputs"),
        (lambda q, k: along(q) @ along(k).mT if q.ndim < 4 else q @ k.mT, "right for other inputs"),
        (lambda q, k: (along(q) @ along(k).mT).softmax(-1), "the cosines should be"),
        (lambda q, k: (along(q) @ along(k).mT).clamp(min=0), "the cosines"),
        (lambda q, k: (along(q) @ along(k).mT).abs(), "the cosines"),
        (lambda q, k: 1 - along(q) @ along(k).mT, "the cosines should be"),
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
    "softmax_readings": [
        ("CD", "5 of the 6 statements"),
        ("CDEF", "5 of the 6 statements"),
        ("ABE", "0 of the 6 statements are judged right, and 6 are not"),
        ("Z", "Z is no statement"),
        ("", "at least one letter"),
        (5, "write the letters as a string"),
    ],
}
