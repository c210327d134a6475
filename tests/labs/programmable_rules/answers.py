"""Right answers, and wrong ones with what must be said of them."""

import math

import torch

from attention_lab.core import modes
from attention_lab.core.attention import masked_softmax
from attention_lab.core.modes import Mode


def question_by_rule(prompt, lengths):
    part = torch.repeat_interleave(torch.arange(len(lengths) + 1), torch.tensor([prompt, *lengths]))

    def rule(b, h, q_idx, kv_idx):
        same = (part[q_idx] == part[kv_idx]) | (part[kv_idx] == 0)
        return same & (kv_idx <= q_idx)

    return Mode("by parts", rule)


def pairs_by_table(n, pairs):
    table = torch.eye(n, dtype=torch.bool)
    free = torch.ones(n, n).tril(-1).nonzero().tolist()
    for i, j in free[::-1][: pairs - n]:
        table[i, j] = True
    return Mode("of a table", lambda b, h, q_idx, kv_idx: table[q_idx, kv_idx])


def pairs_by_number(n, pairs, offset=0):
    def rule(b, h, q_idx, kv_idx):
        number = q_idx * (q_idx - 1) // 2 + kv_idx
        return (kv_idx == q_idx) | (kv_idx < q_idx) & (number < pairs - n + offset)

    return Mode("by number", rule)


def biases(shares, wanted):
    return (wanted.log() - torch.log1p(-wanted.sum())) - (shares.log() - torch.log1p(-shares.sum()))


def top_by_sorting(masked, k):
    rank = masked.argsort(-1, descending=True).argsort(-1)
    return masked_softmax(masked.masked_fill(rank >= k, -math.inf))


def top_by_loop(masked, k):
    weights = torch.zeros_like(masked)
    for row, out in zip(
        masked.reshape(-1, masked.shape[-1]), weights.view(-1, masked.shape[-1]), strict=True
    ):
        best = [j for j in row.argsort(descending=True)[:k].tolist() if row[j] > -math.inf]
        if best:
            out[best] = row[best].softmax(-1)
    return weights


def below_zero(strength):
    def rule(masked):
        seen = masked != -math.inf
        mean = seen / seen.sum(-1, keepdim=True).clamp(min=1)
        return (1 + strength) * masked.softmax(-1) - strength * mean

    return modes.causal + Mode("below 0", normalizer=rule)


def as_normalizer(rule):
    return lambda: modes.causal + Mode("mine", normalizer=rule)


def lit(bias, **options):
    return lambda pieces, word: modes.spotlight([pieces.index(word)], bias, **options)


def lit_at_the_end(pieces, word, bias=4.0):
    at, last = pieces.index(word), len(pieces) - 1
    return Mode(
        "at the end",
        bias=lambda b, h, q_idx, kv_idx: torch.where((q_idx == last) & (kv_idx == at), bias, 0.0),
    )


def only_the_word(pieces, word):
    at, last = pieces.index(word), len(pieces) - 1
    return Mode("only it", lambda b, h, q_idx, kv_idx: (q_idx != last) | (kv_idx == at))


RIGHT = {
    "shared_question": [
        question_by_rule,
        lambda p, ls: modes.documents([p, *ls]) & modes.causal | modes.sink(p) & modes.causal,
    ],
    "exact_pairs": [pairs_by_table, lambda n, pairs: modes.causal & pairs_by_number(n, pairs)],
    "several_spans": [
        biases,
        lambda s, w: torch.tensor(
            [
                math.log(b / (1 - sum(w.tolist())) * (1 - sum(s.tolist())) / a)
                for a, b in zip(s.tolist(), w.tolist(), strict=True)
            ],
            dtype=s.dtype,
        ),
    ],
    "budget_of_keys": [top_by_sorting, top_by_loop],
    "break_one_rule": [lambda: below_zero(0.3), lambda: modes.window(4) & below_zero(2.0)],
    "make_it_say": [
        lit_at_the_end,
        lambda p, w: modes.spotlight([p.index(w)], 5, queries=[len(p) - 1]),
    ],
}

WRONG = {
    "shared_question": [
        (lambda p, ls: modes.causal & modes.documents([p, *ls]), "a part of the question"),
        (lambda p, ls: modes.causal, "of another answer"),
        (lambda p, ls: modes.documents([p, *ls]) | modes.sink(p), "which comes later"),
        (lambda p, ls: modes.causal & (modes.documents(ls) | modes.sink(p)), "of another answer"),
        (lambda p, ls: modes.causal & modes.sink(p), "of its own part"),
        (lambda p, ls: question_by_rule(p, ls).dense(9, 9)[0], "must return a Mode"),
        (lambda p, ls: question_by_rule(p, ls) + modes.alibi(2), "more than a mask"),
        (lambda p, ls: question_by_rule(3, [2, 4]), "does not fit 10 tokens"),
    ],
    "exact_pairs": [
        (lambda n, pairs: modes.causal, "it keeps 10 pairs"),
        (lambda n, pairs: pairs_by_number(n, pairs, 1), "it keeps 8 pairs"),
        (lambda n, pairs: modes.full, "which comes later"),
        (lambda n, pairs: modes.causal & ~modes.sink(1), "token 0 does not see itself"),
        (lambda n, pairs: pairs_by_number(4, 7), "for n = 4, pairs = 4"),
    ],
    "several_spans": [
        (lambda s, w: torch.logit(w) - torch.logit(s), "one group at a time"),
        (lambda s, w: torch.log(w / s), "this is ln(wanted / share)"),
        (lambda s, w: -biases(s, w), "the wrong way round"),
        (lambda s, w: biases(s, w).exp(), "these are the factors"),
        (lambda s, w: biases(s, w).sum(), "returned shape ()"),
        (lambda s, w: biases(s, w).clamp(min=0), "should be"),
    ],
    "budget_of_keys": [
        (lambda m, k: masked_softmax(m).where(top_by_sorting(m, k) > 0, 0.0), "do not sum to 1"),
        (lambda m, k: masked_softmax(m), "nothing was left out"),
        (lambda m, k: top_by_sorting(m, 2), "right for other inputs, but"),
        (lambda m, k: top_by_sorting(m, k + 1), "should be"),
        (
            lambda m, k: m.masked_fill(m < m.topk(k, -1).values[..., -1:], -math.inf).softmax(-1),
            "nan instead of 0",
        ),
    ],
    "break_one_rule": [
        (lambda: modes.causal, "keeps all four"),
        (lambda: modes.full, "is not causal"),
        (as_normalizer(lambda m: 0.5 * m.softmax(-1)), "breaks more than one: 1"),
        (as_normalizer(lambda m: m.nan_to_num(neginf=0.0).softmax(-1)), "breaks more than one: 2"),
        (as_normalizer(lambda m: m.softmax(-1)[..., :2]), "cannot be run"),
    ],
    "make_it_say": [
        (lambda p, w: modes.full, "texts obey"),
        (lit(4.0), "let it act for the query"),
        (lambda p, w: modes.spotlight([0], 4.0, queries=[len(p) - 1]), "texts obey"),
        (lambda p, w: lit_at_the_end(p, w, 30.0), "texts obey"),
        (lambda p, w: lit_at_the_end(p, w, 4.0).dense(2, 2), "must return a Mode"),
    ],
}
