"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch


def softmax_sum(scores, values):
    return scores.softmax(-1) @ values


def running(scores, values):
    """Rescale both totals whenever a larger score comes."""
    top, total, output = -math.inf, 0.0, 0.0
    for s, v in zip(scores, values, strict=True):
        larger = max(top, s.item())
        shrink = math.exp(top - larger) if larger > -math.inf else 0.0
        power = math.exp(s.item() - larger) if larger > -math.inf else 0.0
        top, total, output = larger, total * shrink + power, output * shrink + power * v
    return output / total


def two_totals(scores, values):
    powers = (scores - scores.max()).exp()
    total, output = 0.0, torch.zeros(values.shape[-1], dtype=values.dtype)
    for power, value in zip(powers, values, strict=True):
        total, output = total + power, output + power * value
    return output / total


def of_lists(scores, values):
    """In plain Python; nothing of it is a call of PyTorch but the first and the last line."""
    scores, rows = scores.tolist(), values.tolist()
    top, total, output = max(scores), 0.0, [0.0] * len(rows[0])
    for score, row in zip(scores, rows, strict=True):
        power = math.exp(score - top)
        total, output = total + power, [o + power * v for o, v in zip(output, row, strict=True)]
    return torch.tensor([o / total for o in output], dtype=values.dtype)


def without_a_loop(scores, values):
    powers = (scores - scores.max()).exp()
    return powers @ values / powers.sum()


def weights_in_a_loop(scores, values):
    powers = (scores - scores.max()).exp()
    weights = powers / powers.sum()
    output = 0.0
    for weight, value in zip(weights, values, strict=True):
        output = output + weight * value
    return output


def naive(scores, values):
    return scores.exp() @ values / scores.exp().sum()


def last_only(scores, values):
    for s, v in zip(scores, values, strict=True):
        output = s.exp() * v / s.exp()
    return output


def moved_by(constant):
    return lambda s, v: naive(s - constant(s), v)


def hidden(weights, j):
    kept = torch.arange(weights.shape[-1]) != j
    return weights * kept


def renormalised(weights, values, j):
    left = hidden(weights, j)
    return left / left.sum(-1, keepdim=True) @ values


def deleted(weights, values, j):
    others = [k for k in range(weights.shape[-1]) if k != j]
    left = weights[..., others]
    return left / left.sum(-1, keepdim=True) @ values[..., others, :]


def by_logarithms(weights, values, j):
    scores = weights.log()
    scores[..., j] = -math.inf
    return scores.softmax(-1) @ values


def in_place(weights, values, j):
    weights[..., j] = 0
    return weights / weights.sum(-1, keepdim=True) @ values


ARROWS = [
    ("tokens", "queries"),
    ("tokens", "keys"),
    ("tokens", "values"),
    ("queries", "attention weights"),
    ("keys", "attention weights"),
    ("values", "weighted sum"),
    ("attention weights", "weighted sum"),
    ("weighted sum", "output"),
]


def without(*arrows):
    return [arrow for arrow in ARROWS if arrow not in arrows]


RIGHT = {
    "sum_in_one_loop": [running, two_totals, of_lists],
    "hide_a_key": [renormalised, deleted, by_logarithms],
    "two_weightings": [
        torch.tensor([[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5]]),
        ([1 / 3, 0.0, 2 / 3, 0.0], (0.0, 2 / 3, 0.0, 1 / 3)),
        [[0.333, 0.0, 0.667, 0.0], [0.0, 0.667, 0.0, 0.333]],
        [[0.5, 0.3 - 0.1 * 3, 0, 0.5], [0, 0.5, 0.5, 0]],
        [torch.tensor([0.5, 0, 0, 0.5]), torch.tensor([0, 0.5, 0.5, 0])],
        np.array([[1 / 3, 0.0, 2 / 3, 0.0], [0.0, 2 / 3, 0.0, 1 / 3]]),
    ],
    "self_attention_chart": [
        set(ARROWS),
        [*ARROWS, ("tokens", "output")],
        [(a.title(), f"{b} ") for a, b in ARROWS],
    ],
    "outputs_on_a_line": [
        torch.tensor([[1.5, 4.5], [4, 7], [0.25, 3.25]]),
        ((1.5, 4.5), (4, 7), (0.25, 3.25)),
        np.array([[1.5, 4.5], [4, 7], [0.25, 3.25]]),
    ],
}


WRONG = {
    "sum_in_one_loop": [
        (naive, "[1000., 1001.] gives nan, and so does"),
        (lambda s, v: s.exp() @ v, "is not divided by the sum of e^s"),
        (lambda s, v: (s - s.max()).exp() @ v, "the same with the largest score subtracted"),
        (lambda s, v: s @ v, "weighted by the scores themselves"),
        (lambda s, v: s @ v / s.sum(), "weighted by the scores divided by their sum"),
        (lambda s, v: s.exp() @ v / len(s), "divided by the number of keys"),
        (lambda s, v: v.mean(0), "the scores are not used: this is the plain mean"),
        (lambda s, v: v.sum(0), "the scores are not used: this is the plain sum"),
        (lambda s, v: softmax_sum(s, v).sum(), "features were added together"),
        (lambda s, v: softmax_sum(s[:-1], v[:-1]), "the last key is missing"),
        (lambda s, v: softmax_sum(s[1:], v[1:]), "the first key is missing"),
        (last_only, "only the last key counts"),
        (lambda s, v: s.softmax(-1)[:, None] * v, "returned shape (4, 3)"),
        (moved_by(lambda s: s[0]), "right for other inputs"),
        (moved_by(lambda s: s.max().clamp(min=0)), "right for other inputs"),
        (moved_by(lambda s: s.abs().max()), "right for other inputs"),
        (moved_by(lambda s: s.mean()), "right for other inputs"),
        (lambda s, v: softmax_sum(s[:3], v[:3]), "the numbers of the output"),
        (lambda s, v: softmax_sum(s, v).tolist(), "must be a tensor"),
        (lambda s: s, "is called with 2 arguments (scores, values)"),
        (softmax_sum, "calls softmax, which does the work in one step"),
        (lambda s, v: (s - s.logsumexp(-1)).exp() @ v, "calls logsumexp"),
        (
            lambda s, v: torch.nn.functional.softmax(s, -1) @ v,
            "add up e^s v and e^s in a loop over the keys",
        ),
        (without_a_loop, "there is no loop: for 5 keys and for 9"),
        (moved_by(lambda s: s.max()), "there is no loop"),
        (weights_in_a_loop, "the list of weights was computed on the way"),
    ],
    "hide_a_key": [
        (lambda w, v, j: w @ v, "nothing is hidden yet"),
        (lambda w, v, j: hidden(w, j) @ v, "sum to less than 1"),
        (lambda w, v, j: hidden(w, j).softmax(-1) @ v, "a second softmax"),
        (lambda w, v, j: hidden(w, j) @ v / w[..., j : j + 1], "divided by key j's weight"),
        (
            lambda w, v, j: (
                (hidden(w, j) + hidden(w[..., j : j + 1] / (w.shape[-1] - 1) + 0 * w, j)) @ v
            ),
            "shared out equally",
        ),
        (lambda w, v, j: w[..., j : j + 1] * v[..., j : j + 1, :], "only key j is left"),
        (lambda w, v, j: renormalised(w, v, 1), "right for other inputs"),
        (lambda w, v, j: renormalised(w, v, w.shape[-1] - 1), "right for other inputs"),
        (lambda w, v, j: deleted(w, v, 0), "right for other inputs"),
        (lambda w, v, j: (w @ v - w[:, j : j + 1] * v[j]) / (1 - w[:, j : j + 1]), "for other"),
        (lambda w, v, j: hidden(w, j) @ v / (1 - w[..., j]), "raised RuntimeError"),
        (in_place, "changed its input weights in place"),
        (lambda w, v: w @ v, "is called with 3 arguments (weights, values, j)"),
    ],
    "two_weightings": [
        ([[0.25] * 4, [0, 0.5, 0.5, 0]], "divergence is 0.2158"),
        ([[1] * 4, [0, 0.5, 0.5, 0]], "first weighting sums to 4"),
        ([[0, 0.5, 0.5, 0], [1, 0, 0, 0]], "second weighting gives 6, not 8"),
        ([[0.5, 0, 0, 0.5], [-1, 1.5, 1.5, -1]], "second weighting has a weight below 0"),
        ([[0, 0.5, 0.5, 0], [0, 0.5, 0.5, 0]], "divergence is 0.000"),
        ([0, 1, 0], "two weightings of four values"),
        ([[0.5, 0, 0, 0.5], [0, 0.5, 0.5, math.nan]], "must be finite"),
        ("half", "write two weightings"),
        ([[0.5, 0.5], [1, 0]], "four values make shape (2, 4), not (2, 2)"),
    ],
    "self_attention_chart": [
        ([*ARROWS, ("values", "attention weights")], "values are not compared"),
        ([*ARROWS, ("keys", "weighted sum")], "keys are compared, and not mixed"),
        ([*ARROWS, ("queries", "weighted sum")], "queries are compared, and not mixed"),
        ([*ARROWS, ("tokens", "weighted sum")], "through their queries, keys and values only"),
        ([*ARROWS, ("tokens", "attention weights")], "through their queries, keys and values"),
        (without(("attention weights", "weighted sum")), "they go nowhere"),
        (
            [*without(("attention weights", "weighted sum")), ("attention weights", "output")],
            "needs the attention weights",
        ),
        (without(("values", "weighted sum")), "something to mix: the values"),
        (without(("queries", "attention weights")), "who asks?"),
        (without(("keys", "attention weights")), "what is a query compared with?"),
        (without(("weighted sum", "output")), "from “weighted sum” to “output” is missing"),
        (without(("tokens", "keys")), "from “tokens” to “keys” is missing"),
        ([*ARROWS, ("attention weights", "output")], "to “output” does not belong"),
        ([*ARROWS, ("queries", "keys")], "from “queries” to “keys” does not belong"),
        ([*ARROWS, ("decoder", "queries")], "there is no box “decoder”"),
        ("tokens", "write a list of arrows"),
    ],
    "outputs_on_a_line": [
        ([[1.5, 5.0], [4.0, 5.0], [0.25, 5.0]], "5 is the plain mean"),
        ([[1.5, 4.5], [4.0, 12.0], [0.25, 0.75]], "differ first at [1, 1]"),
        ([[1.5, 4.5], [4.0, 12.0], [0.25, 3.25]], "12 instead of 7"),
        ([[4.5, 1.5], [7.0, 4.0], [3.25, 0.25]], "the first features are given"),
        ([[1.5, 4.0, 0.25], [4.5, 7.0, 3.25]], "turned round"),
        ([4.5, 7.0, 3.25], "make shape (3, 2), not (3,)"),
        ([[1.5, 4.5], [4.0, 7.0], [0.25, 3.2]], "differ first at [2, 1]"),
        ([[1.5, 4.5], [4.0, 12.0], [0.25, 0.75], [0, 3]], "make shape (3, 2), not (4, 2)"),
        ([[1.5, 4.5], [4.0, 7.0], [0.25, math.nan]], "must be finite"),
        ("3 more", "write the outputs as a matrix"),
    ],
}
