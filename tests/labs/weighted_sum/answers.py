"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch


def sum_first(weights, values):
    return sum(w * v for w, v in zip(weights, values, strict=True))


ARROWS = [
    ("input", "encoder"),
    ("encoder", "encoder states"),
    ("decoder", "output"),
    ("decoder", "attention weights"),
    ("encoder states", "attention weights"),
    ("encoder states", "weighted sum"),
    ("attention weights", "weighted sum"),
    ("weighted sum", "decoder"),
]


def without(*arrows):
    return [arrow for arrow in ARROWS if arrow not in arrows]


def last_only(weights, values):
    for w, v in zip(weights, values, strict=True):
        output = w * v
    return output


RIGHT = {
    "sum_by_loop": [sum_first, lambda w, v: w @ v, lambda w, v: (w[:, None] * v).sum(0)],
    "sum_by_product": [
        torch.matmul,
        lambda w, v: torch.einsum("...qk,...kv->...qv", w, v),
        lambda w, v: (w.unsqueeze(-1) * v.unsqueeze(-3)).sum(-2),
    ],
    "two_weightings": [
        torch.tensor([[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5]]),
        ([1 / 3, 0.0, 2 / 3, 0.0], (0.0, 2 / 3, 0.0, 1 / 3)),
        [[0.333, 0.0, 0.667, 0.0], [0.0, 0.667, 0.0, 0.333]],
        [[0.5, 0.3 - 0.1 * 3, 0, 0.5], [0, 0.5, 0.5, 0]],
        [torch.tensor([0.5, 0, 0, 0.5]), torch.tensor([0, 0.5, 0.5, 0])],
        np.array([[1 / 3, 0.0, 2 / 3, 0.0], [0.0, 2 / 3, 0.0, 1 / 3]]),
    ],
    "repair_flow_chart": [
        set(ARROWS),
        [*ARROWS, ("encoder states", "decoder")],
        (*ARROWS, ("output", "decoder")),
        [*ARROWS, ("decoder", "decoder"), ("encoder", "encoder")],
        [(a.title(), f"{b} ") for a, b in ARROWS],
    ],
    "equal_values": [
        [torch.tensor([2.0, 5])] * 3,
        torch.tensor([[2, 5]] * 3),
        ((2.0, 5.0),) * 3,
        np.array([[2, 5]] * 3),
    ],
}


WRONG = {
    "sum_by_loop": [
        (last_only, "only the last term is left"),
        (lambda w, v: v.sum(0), "the weights are not used: this is the plain sum"),
        (lambda w, v: v.mean(0), "the weights are not used: this is the plain mean"),
        (lambda w, v: (w[:, None] * v).mean(0), "divided by the number of keys"),
        (lambda w, v: w[:, None] * v, "these are the terms"),
        (lambda w, v: (w[:, None] * v).sum(), "features were added together"),
        (lambda w, v: w[:-1] @ v[:-1], "the last key is missing"),
        (lambda w, v: sum(w[j] * v[j] for j in range(3)), "right for other inputs"),
        (lambda w, v: w[: v.shape[-1] + 1] @ v[: v.shape[-1] + 1], "right for other inputs"),
        (lambda w, v: w.round(decimals=1) @ v, "for weights = "),
        (lambda w, v: w * v, "raised RuntimeError"),
    ],
    "sum_by_product": [
        (lambda w, v: w.transpose(-2, -1) @ v, "the weights were transposed"),
        (lambda w, v: v @ w, "raised RuntimeError"),
        (lambda w, v: torch.stack([sum_first(row, v) for row in w]), "raised"),
        (lambda w, v: v, "the outputs differ first"),
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
    "repair_flow_chart": [
        (without(("weighted sum", "decoder")), "goes nowhere"),
        (without(("decoder", "attention weights")), "The query comes from the decoder"),
        (without(("encoder states", "attention weights")), "need the keys"),
        (without(("encoder states", "weighted sum")), "needs the values"),
        (without(("attention weights", "weighted sum")), "needs the attention weights"),
        ([*ARROWS, ("input", "weighted sum")], "raw input"),
        ([*ARROWS, ("weighted sum", "output")], "goes past the decoder"),
        (
            [*without(("decoder", "output")), ("attention weights", "output")],
            "from “decoder” to “output” is missing",
        ),
        (
            [*without(("encoder", "encoder states")), ("input", "decoder")],
            "from “encoder” to “encoder states” is missing",
        ),
        ([*ARROWS, ("output", "encoder")], "from “output” to “encoder” does not belong"),
        (without(("decoder", "output")), "from “decoder” to “output” is missing"),
        (without(("input", "encoder")), "cannot be reached from “input”"),
        (
            [
                *without(("weighted sum", "decoder"), ("decoder", "attention weights")),
                ("weighted sum", "encoder"),
                ("encoder states", "decoder"),
                ("decoder", "encoder"),
            ],
            "without a detour",
        ),
        (
            [*without(("decoder", "attention weights")), ("decoder", "encoder")],
            "no arrow leads from the decoder to the attention weights",
        ),
        ([*ARROWS, ("query", "decoder")], "there is no box “query”"),
        ("decoder", "write a list of arrows"),
    ],
    "equal_values": [
        ([8, 20], "that is one row; there are three queries"),
        ([2, 5], "there are three"),
        ([[8, 20]] * 3, "sum of the four values"),
        ([[2, 5]] * 4, "for each query (3), not for each key (4)"),
        ([[2, 5]] * 2, "make shape (3, 2)"),
        ([[5, 2]] * 3, "differ first at [0, 0]"),
    ],
}
