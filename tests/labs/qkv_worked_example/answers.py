"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def sum_first(weights, values):
    return sum(w * v for w, v in zip(weights, values, strict=True))


def einsum_attention(Q, K, V):
    scores = torch.einsum("...qd,...kd->...qk", Q, K) * K.shape[-1] ** -0.5
    return torch.einsum("...qk,...kv->...qv", torch.softmax(scores, -1), V)


def derivation_with_loops(Q, K, V):
    scores = torch.tensor([[float(q @ k) / math.sqrt(len(k)) for k in K] for q in Q])
    weights = torch.softmax(scores, dim=1)
    return scores, weights, torch.stack([sum_first(row.double(), V) for row in weights])


def exp_over_sum(x):
    return x.exp() / x.exp().sum(-1, keepdim=True)


def no_return(*_):
    print("computed")


def attend(softmax_dim=-1, scale=lambda q, k: q.shape[-1] ** 0.5, after=lambda x: x, use=None):
    def answer(Q, K, V):
        scores = Q @ K.transpose(-2, -1) / scale(Q, K)
        return after(scores.softmax(softmax_dim) @ (K if use == "K" else V))

    return answer


def derive(scores=None, weights=None, output=None):
    def answer(Q, K, V):
        s = scores(Q, K) if scores else Q @ K.T / K.shape[-1] ** 0.5
        w = weights(s) if weights else s.softmax(-1)
        return s, w, output(w, V, K) if output else w @ V

    return answer


SHAPES = {"scores": (3, 4), "weights": (3, 4), "output": (3, 6)}
RIGHT = {
    "attention_in_three_lines": [
        einsum_attention,
        F.scaled_dot_product_attention,
        lambda q, k, v: F.softmax(q @ k.mT / k.shape[-1] ** 0.5, dim=-1) @ v,
    ],
    "repaired_derivation": [
        derivation_with_loops,
        lambda q, k, v: [
            s := torch.einsum("qd,kd->qk", q, k) / k.shape[1] ** 0.5,
            w := s.softmax(1),
            torch.einsum("qk,kv->qv", w, v),
        ],
    ],
    "find_query": [0.834, torch.tensor(0.8341), [0.8341], np.float32(0.8341)],
    "predict_shapes": [
        {name: np.array(shape) for name, shape in SHAPES.items()},
        {name: tuple(map(np.int64, shape)) for name, shape in SHAPES.items()},
        {name: torch.tensor(shape) for name, shape in SHAPES.items()},
        {"scores": [3, 4], "weights": torch.Size([3, 4]), "output": (3, 6)},
        {"output": (3, 6), "weights": (3, 4), "scores": (3, 4)},
    ],
    "true_statements": ["ACE", "a c e", {"E", "C", "A"}],
}


WRONG = {
    "attention_in_three_lines": [
        (attend(scale=lambda q, k: 1), "the scores are not scaled"),
        (attend(scale=lambda q, k: q.shape[-1]), "divided by d_k; divide by √d_k"),
        (attend(scale=lambda q, k: k.shape[-2] ** 0.5), "scaled by √n_k"),
        (attend(scale=lambda q, k: q.shape[-1] ** -0.5), "multiplied by √d_k"),
        (attend(softmax_dim=-2), "the softmax runs over the queries"),
        (attend(softmax_dim=0), "the softmax runs over the queries"),
        (attend(softmax_dim=1), "right for other inputs"),
        (attend(use="K"), "multiplied with K"),
        (lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5) @ v, "there is no softmax"),
        (lambda q, k, v: (q @ k.T / q.shape[-1] ** 0.5).softmax(-1) @ v, "K.T swaps all"),
        (lambda q, k, v: (q @ k.mT).softmax(-1) @ v / q.shape[-1] ** 0.5, "after the softmax"),
        (lambda q, k, v: v[..., : q.shape[-2], :], "came out"),
        (lambda q, k, v: attend()(q, k, v) if q.ndim == 2 else None, "returned None"),
        (attend(after=lambda x: x * (1 + 9e-5)), "came out"),
        (no_return, "returned None"),
        (
            lambda q, k, v: exp_over_sum(q @ k.mT / q.shape[-1] ** 0.5) @ v,
            "right for other inputs",
        ),
        (
            lambda q, k, v: (
                attend()(q, k, v) if q.ndim in (2, 4) else attend(softmax_dim=0)(q, k, v)
            ),
            "right for other inputs",
        ),
        (attend(scale=lambda q, k: 5**0.5), "came out"),
    ],
    "repaired_derivation": [
        (derive(scores=lambda q, k: q @ k.T), "formula 1: the scale is still missing"),
        (
            derive(scores=lambda q, k: (q[:3] * k[:3]).sum(), output=lambda w, v, k: v),
            "formula 1: the scores are not a matrix",
        ),
        (derive(scores=lambda q, k: k @ q.T / 5**0.5, output=lambda w, v, k: v), "formula 1"),
        (
            lambda Q, K, V: derive(scores=lambda q, k: q @ k.T / V.shape[-1] ** 0.5)(Q, K, V),
            "formula 1",
        ),
        (derive(scores=lambda q, k: q @ k.T / 5**0.5), "formula 1: the scores differ"),
        (derive(weights=lambda s: s.softmax(0)), "formula 2: the softmax runs over the queries"),
        (derive(weights=lambda s: s.exp() / s.exp().sum()), "formula 2: one sum for the whole"),
        (derive(weights=lambda s: s.exp()), "formula 2: the exponentials are not divided"),
        (derive(output=lambda w, v, k: w @ k), "formula 3: the weights were multiplied with K"),
        (derive(output=lambda w, v, k: w.sum(-1, keepdim=True) * v.sum(0)), "formula 3: each"),
        (derive(output=lambda w, v, k: sum(w * x for x in v[0])), "formula 3: the output has"),
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
    "predict_shapes": [
        ({"scores": (4, 3), "weights": (3, 4), "output": (3, 6)}, "Rows are queries"),
        ({"scores": (3, 4), "weights": (3, 4), "output": (3, 2)}, "d_v features, not d_k"),
        ({"scores": (3, 4), "weights": (3, 4), "output": (4, 6)}, "shape of V"),
        ({"scores": (3, 4), "weights": (3, 4), "output": (3, 4)}, "shape of the weights"),
        ({"scores": (3, 2), "weights": (3, 4), "output": (3, 6)}, "shape of Q"),
        ({"scores": (6, 6), "weights": (3, 4), "output": (3, 6)}, "Which axis is summed over"),
        ({"scores": 5, "weights": (3, 4), "output": (3, 6)}, "as a pair"),
        ({"scores": (3.0, 4.9), "weights": (3, 4), "output": (3, 6)}, "as a pair"),
        ({"scores": "34", "weights": (3, 4), "output": (3, 6)}, "as a pair"),
        ({"scores": (3, 4), "weights": (3, 4), "output": {3, 6}}, "as a pair"),
        ({"scores": (3, 4)}, "a dictionary with the keys scores, weights, output"),
        ((3, 4), "a dictionary"),
    ],
    "true_statements": [
        ("AC", "5 of the 6 statements"),
        ("ABCE", "5 of the 6 statements"),
        ("ACDE", "5 of the 6"),
        ("ACEF", "5 of the 6"),
    ],
}
