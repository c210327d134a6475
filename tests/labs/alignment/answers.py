"""Right answers, and wrong ones with what must be said of them."""

import numpy as np
import torch

from attention_lab.core import scores as scoring


def aer(weights, sure, possible, least, at_least=torch.ge, over=None, also=None):
    links = at_least(weights, least)
    found = (links & sure).sum() + (links & (possible if also is None else also)).sum()
    return 1 - found / (links.sum() + (sure if over is None else over).sum())


def aer_by_sets(weights, sure, possible, least):
    links, s, p = (
        {(t, j) for t, row in enumerate(m.tolist()) for j, x in enumerate(row) if x >= limit}
        for m, limit in ((weights, least), (sure, 1), (possible, 1))
    )
    return 1 - (len(links & s) + len(links & p)) / (len(links) + len(s))


def log_p(
    step, state, words, start, end, feed=lambda wanted, logits: wanted, keep=True,
    logits_to=torch.log_softmax, last=True, first=0,
):  # fmt: skip
    total, word = 0.0, start
    for wanted in [*words, end][: None if last else -1][first:]:
        logits, new = step(word, state)
        state = new if keep else state
        total += logits_to(logits, -1)[wanted].item()
        word = feed(wanted, logits)
    return total


def log_p_by_probabilities(step, state, words, start, end):
    read, probability = [start, *words], 1.0
    for word, wanted in zip(read, [*words, end], strict=True):
        logits, state = step(torch.tensor([word]), state)
        probability = probability * logits.softmax(-1)[wanted]
    return probability.log()


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
    "alignment_error_rate": [aer, aer_by_sets, lambda *given: aer(*given).item()],
    "log_probability": [
        log_p,
        log_p_by_probabilities,
        lambda *given: torch.tensor([log_p(*given)]),
    ],
    "what_is_shown": ["ADF", "a, d and f", {"F", "A", "D"}],
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
    "alignment_error_rate": [
        (lambda *given: 1 - aer(*given), "this is 1 minus the error rate"),
        (lambda w, s, p, least: aer(w, s, s, least), "count |A ∩ P| as well"),
        (lambda w, s, p, least: aer(w, s, p, least, over=p), "not by |A| + |P|"),
        (lambda w, s, p, least: aer(w, s, p, least, torch.gt), "exactly least is a link, too"),
        (
            lambda w, s, p, least: aer((w == w.amax(-1, keepdim=True)).float(), s, p, 0.5),
            "links of the largest weights",
        ),
        (lambda w, s, p, least: aer(w, s, p, 0.3), "the error rate should be"),
        (lambda w, s, p, least: aer(w, s, p, least) * 2, "the error rate should be"),
        (lambda w, s, p, least: aer(w[:, :-1], s[:, :-1], p[:, :-1], least), "the error rate"),
        (lambda w, s, p, least: (w >= least).double().mean(), "the error rate should be"),
        (lambda w, s, p, least: w >= least, "must return one number, not 12"),
        (no_return, "must return one number"),
    ],
    "log_probability": [
        (lambda *given: log_p(*given, last=False), "the <end> is left out"),
        (lambda *given: log_p(*given, logits_to=lambda x, dim: x), "the sum of the logits"),
        (lambda *given: log_p(*given, feed=lambda w, x: x.argmax().item()), "read the given word"),
        (lambda *given: log_p(*given, keep=False), "the step before returned"),
        (lambda *given: np.exp(log_p(*given)), "this is the probability"),
        (lambda *given: -log_p(*given), "leave the minus out"),
        (lambda *given: log_p(*given) / (len(given[2]) + 1), "this is the mean"),
        (lambda *given: log_p(*given, first=1), "the log-probability should be"),
        (lambda step, s, w, start, end: log_p(step, s, w, 1, end), "right for other inputs"),
        (lambda step, s, w, start, end: log_p(step, s, w, start, 2), "right for other inputs"),
        (lambda step, s, w, start, end: log_p(step, 3, w, start, end), "right for other inputs"),
        (lambda step, s, w, start, end: log_p(step, s, w[:2], start, end), "right for other"),
        (lambda step, s, *_: step(torch.zeros(3), s), "a word as a whole number"),
        (lambda *given: given[0](1, 1)[0], "must return one number, not"),
        (no_return, "must return one number"),
    ],
    "what_is_shown": [
        ("ADFB", "5 of the 6 statements are judged right"),
        ("AD", "5 of the 6 statements are judged right"),
        ("BCE", "0 of the 6 statements are judged right"),
        ("ADX", "X is no statement here"),
        (6, "write the letters as a string"),
    ],
}
