"""Right answers, and wrong ones with what must be said of them."""

import numpy as np
import torch

from attention_lab.core import scores as scoring


def greedy_by_loop(step, state, start, end, most, feed_back=True, keep=True, with_end=False):
    words, word = [], start
    for _ in range(most):
        numbers, new = step(word if feed_back else start, state)
        state = new if keep else state
        word = int(numbers.argmax())
        if word == end:
            return words + [end] * with_end
        words.append(word)
    return words


def greedy_with_tensors(step, state, start, end, most):
    word, words = torch.tensor([start]), []
    while len(words) < most:
        numbers, state = step(word, state)
        word = numbers.argmax(dim=-1)
        if word == end:
            break
        words.append(word)
    return words


def greedy_variant(
    step, state, start, end, most, pick=torch.argmax, stop=lambda w, start, end: w == end,
    repeats=True,
):  # fmt: skip
    words, word = [], start
    for _ in range(most):
        numbers, state = step(word, state)
        new = int(pick(numbers))
        if stop(new, start, end) or (new == word and not repeats):
            break
        word = new
        words.append(word)
    return words


def no_return(*_):
    print("computed")


def pairs_of(query, key, w_query, w_key):
    return (query @ w_query)[..., :, None, :] + (key @ w_key)[..., None, :, :]


RIGHT = {
    "additive_scores": [
        scoring.additive,
        lambda q, k, wq, wk, v: (((q @ wq).unsqueeze(-2) + (k @ wk).unsqueeze(-3)).tanh() * v).sum(
            -1
        ),
    ],
    "alignment_score": [
        lambda w, gold: sum(w[t].argmax() == g for t, g in enumerate(gold)) / len(gold),
        lambda w, gold: (w.argmax(1) == gold).double().mean(),
    ],
    "greedy_decoding": [
        greedy_by_loop,
        greedy_with_tensors,
        greedy_variant,
        lambda *given: greedy_variant(*given, pick=lambda x: np.argmax(x.numpy())),
        lambda *given: torch.tensor(greedy_by_loop(*given)),
    ],
    "order_of_papers": ["CEAFBD", "c, e, a, f, b, d", ["C", "E", "A", "F", "B", "D"]],
}


WRONG = {
    "additive_scores": [
        (lambda q, k, wq, wk, v: pairs_of(q, k, wq, wk) @ v, "the tanh is missing"),
        (
            lambda q, k, wq, wk, v: pairs_of(q.new_zeros(2, 3), k, wq, wk).tanh() @ v,
            "came out",
        ),
        (lambda q, k, wq, wk, v: (pairs_of(q, k, wq, wk) @ v).tanh(), "the tanh comes last"),
        (lambda q, k, wq, wk, v: pairs_of(q, k, wq, wk).tanh().sum(-1), "without v"),
        (
            lambda q, k, wq, wk, v: (
                ((q @ wq).tanh()[..., :, None, :] + (k @ wk).tanh()[..., None, :, :]) @ v
            ),
            "add first, then tanh",
        ),
        (
            lambda q, k, wq, wk, v: ((q @ wq)[:, None] + (k @ wk)[None]).tanh() @ v,
            "right for other inputs",
        ),
        (lambda q, k, wq, wk, v: q @ k.mT, "raised RuntimeError"),
        (lambda q, k, wq, wk, v: (pairs_of(q, k, wq, wk).tanh() @ v).mT, "returned shape (4, 2)"),
    ],
    "alignment_score": [
        (lambda w, gold: w[range(len(w)), gold].mean(), "the mean weight on the right word"),
        (lambda w, gold: (w.argmax(-1) == gold).sum(), "divide by their number"),
        (lambda w, gold: (w.argmax(0) == gold).double().mean(), "taken over the queries"),
        (lambda w, gold: 0.6, "the share should be 0, and 0.6 came out"),
        (lambda w, gold: (w[range(len(w)), gold] > 0.2).float().mean(), "the share should be"),
        (lambda w, gold: (w.argmax(-1) == gold).sum() / 4, "the share should be"),
        (lambda w, gold: (w[:, :-1].argmax(-1) == gold).double().mean(), "the share should be"),
        (lambda w, gold: (w.argmax(-1) == gold).double().cumprod(0).mean(), "the share should be"),
        (lambda w, gold: float((w.argmax() == gold).double().mean()), "the share should be"),
        (lambda w, gold: (w.argmax(-1) == gold).sum() / w.shape[1], "not of source words"),
        (lambda w, gold: w.argmax(-1) == gold, "must return one number, not 4"),
        (no_return, "must return one number"),
    ],
    "greedy_decoding": [
        (lambda *given: greedy_by_loop(*given, with_end=True), "the end is no word of the answer"),
        (
            lambda *given: greedy_by_loop(*given, feed_back=False),
            "the start again, and the",
        ),
        (
            lambda *given: greedy_by_loop(*given, keep=False),
            "another state than",
        ),
        (lambda *given: [given[2], *greedy_by_loop(*given)], "the start is no word"),
        (
            lambda step, state, start, end, most: greedy_by_loop(step, state, start, end, most + 3),
            "10 words came, though max_new_tokens = 7",
        ),
        (lambda *given: greedy_by_loop(*given)[::-1], "[3, 4, 5] is right, and [5, 4, 3]"),
        (lambda *given: greedy_by_loop(*given[:4], 10**9), "step was called 300 times"),
        (lambda step, *given: step(torch.zeros(3), 0), "a word as a whole number, not tensor"),
        (no_return, "returned None"),
        (lambda *given: 3, "return the list of the words"),
        (lambda *given: greedy_variant(*given, stop=lambda w, start, end: w == 2), "limit 30"),
        (
            lambda *given: greedy_variant(*given, stop=lambda w, start, end: w in (start, end)),
            "limit",
        ),
        (lambda *given: greedy_variant(*given, pick=lambda x: x.abs().argmax()), "is right, and"),
        (lambda *given: greedy_variant(*given, pick=lambda x: (x > 0).nonzero()[0, 0]), "raised"),
        (lambda step, s, start, end, m: greedy_variant(step, s, 1, end, m), "and the start is 7"),
        (lambda step, s, start, end, m: greedy_variant(step, s, start, end, 7), "limit"),
        (lambda step, s, start, end, m: greedy_variant(step, 0, start, end, m), "another state"),
        (lambda *given: greedy_variant(*given, repeats=False), "[1, 1, 6, 6, 2] is right"),
    ],
    "order_of_papers": [
        ("ABCDEF", "is younger than"),
        ("CEFABD", "F is younger than A"),
        ("CEAFB", "each of the six letters once"),
        ("CEAFBB", "each of the six letters once"),
        ("CEAFBX", "X is no statement here"),
        (6, "write the six letters in their order"),
    ],
}
