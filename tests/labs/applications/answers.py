"""Right answers, and wrong ones with what must be said of them."""

import itertools
import json
import math

import torch
import torch.nn.functional as F


def no_return(*_):
    print("computed")


def span_by_loops(start, end, longest):
    best, found = -math.inf, None
    for i in range(len(start)):
        for j in range(i, min(i + longest, len(end))):
            if start[i] + end[j] > best:
                best, found = start[i] + end[j], (i, j)
    return found


def span_by_masks(start, end, longest):
    n = len(start)
    allowed = torch.ones(n, n, dtype=torch.bool).triu() & torch.ones(n, n).tril(longest - 1).bool()
    sums = (start[:, None] + end).masked_fill(~allowed, -math.inf)
    return torch.stack([sums.amax(1).argmax(), sums.amax(0).argmax()])


def gates(query, key, scaled=True):
    return (key @ query / (math.sqrt(len(query)) if scaled else 1)).sigmoid()


def pooled_by_loop(query, key, value, real):
    total = torch.zeros(value.shape[1], dtype=value.dtype)
    for k, v, is_real in zip(key, value, real, strict=True):
        if is_real:
            total = total + v / (1 + torch.exp(-(k @ query) / len(query) ** 0.5))
    return total


def softmax_pooled(query, key, value, real):
    scores = (key @ query / math.sqrt(len(query))).masked_fill(~real, -math.inf)
    return scores.softmax(0).nan_to_num(0) @ value


def area_by_pairs(scores, clicked):
    yes, no = scores[clicked].tolist(), scores[~clicked].tolist()
    return sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))


def area_by_ranks(scores, clicked):
    rank = (scores[:, None] > scores).sum(1) + ((scores[:, None] == scores).sum(1) + 1) / 2
    n = clicked.sum()
    return (rank[clicked].sum() - n * (n + 1) / 2) / (n * (~clicked).sum())


def similarities(image, text, scale):
    return scale * F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T


def one_way(logits):
    return F.cross_entropy(logits, torch.arange(len(logits)))


def clip_by_hand(image, text, scale):
    s = (
        scale
        * (image / image.norm(dim=1, keepdim=True))
        @ (text / text.norm(dim=1, keepdim=True)).T
    )
    return -(s.log_softmax(0).diagonal() + s.log_softmax(1).diagonal()).mean() / 2


def clip_both(image, text, scale):
    s = similarities(image, text, scale)
    return (one_way(s) + one_way(s.T)) / 2


def match_by_brute_force(cost):
    rows = range(len(cost))
    return list(min(itertools.permutations(rows), key=lambda p: sum(cost[i, p[i]] for i in rows)))


def match_by_scipy(cost):
    from scipy.optimize import linear_sum_assignment

    return torch.as_tensor(linear_sum_assignment(cost.numpy())[1])


def greedy(cost):
    taken = []
    for row in cost.tolist():
        free = [j for j in range(len(row)) if j not in taken]
        taken.append(min(free, key=lambda j: row[j]))
    return taken


def reversed_matching(cost):
    return match_by_brute_force(cost.T)


DIARY = {"name": "first story, late", "mask": "k % 2 == 0", "bias": "2*k"}

RIGHT = {
    "best_span": [span_by_loops, span_by_masks, lambda *given: list(span_by_loops(*given))],
    "interests": [
        pooled_by_loop,
        lambda q, k, v, real: (gates(q, k)[:, None] * v)[real].sum(0),
    ],
    "area_under_curve": [area_by_pairs, area_by_ranks],
    "contrastive_loss": [clip_by_hand, clip_both, lambda *given: clip_both(*given).item()],
    "match_objects": [match_by_brute_force, match_by_scipy],
    "my_mode": [
        json.dumps(DIARY),
        {"name": "a bias may hide, too", "bias": "2*k if k % 2 == 0 else -60"},
        DIARY | {"bias": "3*k", "normalizer": "softmax_plus_one"},
    ],
}

WRONG = {
    "best_span": [
        (lambda s, e, m: (int(s.argmax()), int(e.argmax())), "chosen apart"),
        (lambda s, e, m: span_by_loops(s, e, len(s)), "longer than longest are allowed"),
        (lambda s, e, m: span_by_loops(s, e, m + 1), "one word too many"),
        (
            lambda s, e, m: divmod(int((s[:, None] + e).argmax()), len(s)),
            "chosen apart, so the last may stand before",
        ),
        (
            lambda s, e, m: (
                i := int(s.argmax()),
                i + int(e[i : i + m].argmax()),
            ),
            "is fixed before the last is looked at",
        ),
        (lambda s, e, m: 3, "must return 2 numbers, not 1"),
        (lambda s, e, m: "first", "must return whole numbers"),
        (no_return, "None"),
    ],
    "interests": [
        (softmax_pooled, "these weights are a softmax"),
        (lambda q, k, v, real: gates(q, k) @ v, "padding is counted"),
        (
            lambda q, k, v, real: (gates(q, k) * real) @ v / real.sum().clamp(min=1),
            "this is a mean",
        ),
        (
            lambda q, k, v, real: (gates(q, k) * real) @ v / (gates(q, k) * real).sum().clamp(1e-9),
            "divided by their sum",
        ),
        (lambda q, k, v, real: (gates(q, k, scaled=False) * real) @ v, "not divided by the root"),
        (
            lambda q, k, v, real: (k @ q / math.sqrt(len(q)) * real).sigmoid() @ v,
            "sigmoid(0) is a half",
        ),
        (lambda q, k, v, real: (k @ q / math.sqrt(len(q)) * real) @ v, "the gates are missing"),
        (no_return, "returned None"),
    ],
    "area_under_curve": [
        (
            lambda s, c: (s[c][:, None] > s[~c]).double().mean(),
            "equal scores count nothing here",
        ),
        (lambda s, c: (s[c][:, None] >= s[~c]).double().mean(), "count as right here"),
        (lambda s, c: 1 - area_by_pairs(s, c), "the wrong way round"),
        (lambda s, c: ((s > 0.5) == c).double().mean(), "this is the accuracy"),
        (lambda s, c: s, "shape"),
        (
            lambda s, c: area_by_pairs(s, c) if len(s) < 100 else 0.5,
            "but not for 500 of the shop",
        ),
    ],
    "contrastive_loss": [
        (lambda i, t, s: one_way(similarities(i, t, s)), "chooses captions for images only"),
        (lambda i, t, s: one_way(similarities(i, t, s).T), "chooses images for captions only"),
        (lambda i, t, s: 2 * clip_both(i, t, s), "take their mean"),
        (
            lambda i, t, s: (one_way(s * i @ t.T) + one_way(s * t @ i.T)) / 2,
            "do not have length 1",
        ),
        (lambda i, t, s: clip_both(i, t, 1 / s), "divided by the scale"),
        (lambda i, t, s: clip_both(i, t, 1.0), "the scale is missing"),
    ],
    "match_objects": [
        (lambda cost: cost.argmin(1), "two queries may take the same"),
        (greedy, "the first query takes its best"),
        (lambda cost: match_by_brute_force(-cost), "this is the largest sum"),
        (reversed_matching, "which query each object gets"),
        (lambda cost: cost, "returned shape"),
    ],
    "my_mode": [
        ({"name": "nothing"}, "0.9 are wanted. The weight on the other story is"),
        ({"name": "only the first", "mask": "k % 2 == 0"}, "0.9 are wanted"),
        (DIARY | {"mask": "k % 2 == 1"}, "The weight on the other story is 1.000, on earlier"),
        (DIARY | {"mask": "k % 2 == 0 and k < q"}, "it breaks “every query sees a key”: rows"),
        (DIARY | {"mask": "k % 2 == 1 or k == 0"}, "0.9 are wanted"),
        (DIARY | {"normalizer": "sigmoid"}, "it breaks “outputs in the hull"),
        (DIARY | {"normalizer": "max"}, "'max' is no normaliser here"),
        (DIARY | {"slope": 2}, "slope is no part of a design"),
        ({"mask": "k % 2 == 0"}, 'a design needs a "name"'),
        ('{"name": "late",}', "this is no JSON"),
        (DIARY | {"bias": 2}, '"bias" is a rule, written as text'),
        (DIARY | {"bias": "2*n"}, "its rules know no n"),
        (DIARY | {"bias": "2*x"}, "“x” is not known"),
        (DIARY | {"temperature": 0}, "a temperature must be one number above 0"),
        (7, "a design is a mapping"),
    ],
}
