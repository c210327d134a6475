"""Right answers, and wrong ones with what must be said of them."""

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
        lambda *given: torch.tensor(greedy_by_loop(*given)),
    ],
    "order_of_papers": ["CEAFBD", "c, e, a, f, b, d", ["C", "E", "A", "F", "B", "D"]],
}


WRONG = {
    "additive_scores": [
        (lambda q, k, wq, wk, v: pairs_of(q, k, wq, wk) @ v, "the tanh is missing"),
        (
            lambda q, k, wq, wk, v: pairs_of(q.new_zeros(2, 3), k, wq, wk).tanh() @ v,
            "the scores differ first",
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
            "right for one sentence, but not for a batch",
        ),
        (lambda q, k, wq, wk, v: q @ k.mT, "raised RuntimeError"),
        (lambda q, k, wq, wk, v: (pairs_of(q, k, wq, wk).tanh() @ v).mT, "returned shape (4, 2)"),
    ],
    "alignment_score": [
        (lambda w, gold: w[range(4), gold].mean(), "this is the mean weight on the right word"),
        (lambda w, gold: (w.argmax(-1) == gold).sum(), "divide by their number"),
        (lambda w, gold: (w.argmax(0) == gold).double().mean(), "taken over the queries"),
        (lambda w, gold: 0.6, "the score is 0.25, and 0.6 came out"),
        (lambda w, gold: (w[range(4), gold] > 0.2).float().mean(), "the score is 0.25"),
        (lambda w, gold: (w.argmax(-1) == gold).sum() / w.shape[1], "not of source words"),
        (lambda w, gold: w.argmax(-1) == gold, "must return one number, not 4"),
        (no_return, "must return one number"),
    ],
    "greedy_decoding": [
        (lambda *given: greedy_by_loop(*given, with_end=True), "the end is no word of the answer"),
        (lambda *given: greedy_by_loop(*given, feed_back=False), "always given the start"),
        (lambda *given: greedy_by_loop(*given, keep=False), "the state stays the same"),
        (lambda *given: [given[2], *greedy_by_loop(*given)], "the start is no word"),
        (
            lambda step, state, start, end, most: greedy_by_loop(step, state, start, end, most + 3),
            "10 words came, though max_new_tokens = 7",
        ),
        (lambda *given: greedy_by_loop(*given)[::-1], "[3, 4, 5] is right, and [5, 4, 3]"),
        (lambda *given: greedy_by_loop(*given[:4], 10**9), "step was called 500 times"),
        (lambda step, *given: step(torch.zeros(3), 0), "a word as a whole number, not tensor"),
        (no_return, "returned None"),
        (lambda *given: 3, "return the list of the words"),
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
