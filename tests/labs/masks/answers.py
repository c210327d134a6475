"""Right answers, and wrong ones with what must be said of them."""

import math

import torch

from attention_lab import masked_softmax
from attention_lab.core.leaks import leak_map


def leaks_by_moving(model, tokens, steps=(1, 100, -100)):
    found = set()
    for j in range(len(tokens)):
        for step in steps:
            changed = tokens.clone()
            changed[j] += step
            moved = (model(changed) != model(tokens)).any(dim=-1)
            found |= {(i, j) for i in range(j) if moved[i]}
    return found


def leaks_by_replacing(model, tokens):
    return [
        [i, j]
        for j in range(len(tokens))
        for i in range(j)
        for other in (tokens[j] + 0.5, tokens[j] - 50, tokens[j] + 50)
        if not torch.equal(model(with_token(tokens, j, other))[i], model(tokens)[i])
    ]


def with_token(tokens, j, other):
    changed = tokens.clone()
    changed[j] = other
    return changed


def leaks_by_gradient(model, tokens):
    found = []
    for i in range(len(tokens)):
        x = tokens.clone().requires_grad_()
        mixed = model(x)[i] @ torch.tensor([1.0, 2.3, 3.1], dtype=x.dtype)  # cancels nothing
        (gradient,) = torch.autograd.grad(mixed, x)
        found += [[i, j] for j in range(i + 1, len(tokens)) if gradient[j].abs().sum() > 0]
    return found


def padded_left(lengths, n):
    """Causal, and which keys are real: the last ones."""
    return torch.ones(n, n).tril().bool(), torch.arange(n) >= n - lengths[:, None, None]


def itself(n):
    return torch.eye(n, dtype=torch.bool)


def distance(n_q, n_k):
    return torch.arange(n_k - n_q, n_k)[:, None] - torch.arange(n_k)


def found_by(scores, hidden):
    """A safe softmax whose hidden rows are found by a rule of its own."""
    return scores.masked_fill(hidden, 0.0).softmax(-1).masked_fill(hidden, 0.0)


def moved_nearly(model, tokens, i, j, by):
    changed = tokens.clone()
    changed[j] += by
    return torch.allclose(model(changed)[i], model(tokens)[i])


def no_return(*_):
    print("computed")


RIGHT = {
    "causal_and_padding": [
        lambda lengths, n: torch.stack(
            [
                torch.ones(n, n).tril().bool() & (torch.arange(n) >= n - length) | itself(n)
                for length in lengths
            ]
        ),
        lambda lengths, n: torch.tensor(
            [
                [[i == j or n - m <= j <= i for j in range(n)] for i in range(n)]
                for m in lengths.tolist()
            ]
        ),
    ],
    "safe_softmax": [
        masked_softmax,
        lambda s: s.where(seen := s.amax(-1, keepdim=True) > -math.inf, 0.0).softmax(-1) * seen,
        lambda s: s.clamp(min=-1e6).softmax(-1) * (s > -math.inf),
    ],
    "one_convention": [
        lambda a, p: (~a) & (~p)[:, None, None],
        lambda a, p: torch.logical_not(torch.logical_or(a, p[:, None, None, :])),
    ],
    "cached_mask": [
        lambda n_q, n_k, w: (distance(n_q, n_k) >= 0) & (distance(n_q, n_k) < w),
        lambda n_q, n_k, w: torch.ones(n_k, n_k).tril().triu(1 - w).bool()[n_k - n_q :],
        lambda n_q, n_k, w: torch.ones(n_q, n_k).tril(n_k - n_q).triu(n_k - n_q - w + 1).bool(),
    ],
    "find_leaks": [
        leaks_by_moving,
        leaks_by_replacing,
        lambda m, t: {*map(tuple, leaks_by_gradient(m, t)), *leaks_by_moving(m, t)},
    ],
}


WRONG = {
    "causal_and_padding": [
        (
            lambda m, n: padded_left(m[:1], n)[0] & padded_left(m[:1], n)[1] | itself(n)[None],
            "returned shape (1, 5, 5)",
        ),
        (
            lambda m, n: (
                padded_left(m, n)[0] & padded_left(m.max().expand(len(m)), n)[1] | itself(n)
            ),
            "the masks, 1 = may attend, differ first at [1, 1, 0]: 1 instead of 0",
        ),
        (lambda m, n: torch.ones(len(m), n, n).tril().bool(), "this is only the causal mask"),
        (lambda m, n: padded_left(m, n)[1].expand(-1, n, n), "this is only the padding mask; no"),
        (lambda m, n: padded_left(m, n)[1] | itself(n), "and each token sees itself; no query"),
        (lambda m, n: padded_left(m, n)[0] | padded_left(m, n)[1], "joined by or"),
        (lambda m, n: padded_left(m, n)[0] & padded_left(m, n)[1], "let it see itself"),
        (
            lambda m, n: padded_left(m, n)[0] & padded_left(m, n)[1].mT | itself(n),
            "real queries are asked for",
        ),
        (
            lambda m, n: padded_left(m, n)[0].T & padded_left(m, n)[1] | itself(n),
            "causal is the wrong way round",
        ),
        (
            lambda m, n: ~(padded_left(m, n)[0] & padded_left(m, n)[1] | itself(n)),
            "True and False are the wrong way round",
        ),
        (
            lambda m, n: padded_left(m, n)[0] & (torch.arange(n) < m[:, None, None]) | itself(n),
            "the padding is on the left: the real tokens are the last ones",
        ),
        (
            lambda m, n: padded_left(m, n)[0] & (torch.arange(n) < m[:, None, None]),
            "and let a padding token see itself",
        ),
        (
            lambda m, n: padded_left(m, n)[0] & padded_left(m + 1, n)[1] | itself(n),
            "one key too many",
        ),
        (
            lambda m, n: padded_left(m, n)[0].tril(-1) & padded_left(m, n)[1],
            "the diagonal is missing",
        ),
        (lambda m, n: torch.ones(n, n).tril().bool(), "returned shape (5, 5)"),
        (lambda m, n: torch.ones(len(m), n, n).tril(), "a boolean mask, but it returned"),
        (lambda m, n: m.missing, "raised AttributeError in the line"),
        (lambda m: m, "is called with 2 arguments (lengths, n)"),
        (no_return, "returned None"),
    ],
    "safe_softmax": [
        (lambda s: s.softmax(-1), "every key hidden gives nan"),
        (lambda s: s.softmax(-1).nan_to_num(0), "the weights are right, and their gradient is nan"),
        (lambda s: s.clamp(min=-1e9).softmax(-1), "the hidden row has equal weights"),
        (
            lambda s: s.masked_fill((s == -math.inf).all(-1, keepdim=True), 0).softmax(-1),
            "the hidden row has equal weights",
        ),
        (lambda s: masked_softmax(s.mT).mT, "runs over the queries"),
        (lambda s: found_by(s, s[..., :1] == -math.inf), "right for other inputs"),
        (lambda s: found_by(s, s[..., -1:] == -math.inf), "should be"),
        (lambda s: found_by(s, (s == -math.inf).sum(-1, keepdim=True) >= 2), "right for other"),
        (lambda s: found_by(s, (s == -math.inf).sum(-1, keepdim=True) == 3), "right for other"),
        (lambda s: found_by(s, (s < 0).all(-1, keepdim=True)), "right for other inputs"),
        (lambda s: found_by(s, (s < -50).all(-1, keepdim=True)), "right for other inputs"),
        (
            lambda s: s.clamp(min=-50).softmax(-1).masked_fill(s == -math.inf, 0.0),
            "right for other inputs",
        ),
        (
            lambda s: found_by(s.clamp(min=-50), (s == -math.inf).all(-1, keepdim=True)),
            "should be",
        ),
        (
            lambda s: found_by(
                s.masked_fill(s == -math.inf, -1e4), (s == -math.inf).all(-1, keepdim=True)
            ),
            "right for other inputs",
        ),
        (
            lambda s: masked_softmax(s.detach()) + 0 * s.masked_fill(s == -math.inf, 0.0),
            "the numbers of their gradient",
        ),
        (
            lambda s: 2 * masked_softmax(s) - masked_softmax(s).detach(),
            "the numbers of their gradient",
        ),
        (lambda s: s.exp() / (s.exp().sum(-1, keepdim=True) + 1e-12), "right for other inputs"),
        (lambda s: masked_softmax(s).detach(), "no gradient goes through"),
        (lambda s: masked_softmax(s)[:2], "returned shape (2, 3)"),
    ],
    "one_convention": [
        (
            lambda a, p: (torch.ones_like(a).tril() > 0)[None, None] & ~p[:, None, None],
            "the masks, 1 = may attend, differ first",
        ),
        (
            lambda a, p: ~(a | p[:1, None, None]).expand(len(p), 1, *a.shape),
            "the masks, 1 = may attend, differ",
        ),
        (
            lambda a, p: ~((a | p[0])[None, None] | p[:, None, None]),
            "the masks, 1 = may attend, differ first",
        ),
        (lambda a, p: ~(a[None, None] | p.view(a.shape[0], 1, 1, -1)), "raised RuntimeError"),
        (lambda a, p: ~(a | p[:, None, None]).expand(len(p), 1, len(p), -1), "raised"),
        (lambda a, p: (~a).expand(len(p), 1, *a.shape), "only attn_mask is turned"),
        (
            lambda a, p: (~p)[:, None, None].expand(len(p), 1, *a.shape),
            "only key_padding_mask is turned",
        ),
        (lambda a, p: a | p[:, None, None], "True and False are the wrong way round"),
        (lambda a, p: ~(a & p[:, None, None]), "one of them is enough"),
        (lambda a, p: (~a) & p[:, None, None], "key_padding_mask was not"),
        (lambda a, p: ~(a | p[:, None, :, None]), "raised RuntimeError"),
        (lambda a, p: ~(a | p[:, None]), "returned shape (3, 2, 3)"),
    ],
    "cached_mask": [
        (lambda n_q, n_k, w: distance(n_q, n_k) >= 0, "causal without a window"),
        (lambda n_q, n_k, w: distance(n_q, n_k) < w, "and queries see later keys"),
        (lambda n_q, n_k, w: distance(n_q, n_k).abs() < w, "reaches to both sides"),
        (
            lambda n_q, n_k, w: torch.ones(n_q, n_k).tril().triu(1 - w).bool(),
            "query 0 is taken for the first token",
        ),
        (
            lambda n_q, n_k, w: (distance(n_q, n_k) >= 0) & (distance(n_q, n_k) <= w),
            "one key too many",
        ),
        (
            lambda n_q, n_k, w: (distance(n_q, n_k) >= 0) & (distance(n_q, n_k) < w - 1),
            "one key too few",
        ),
        (
            lambda n_q, n_k, w: (distance(n_q, n_k) > 0) & (distance(n_q, n_k) <= w),
            "not itself; its own position",
        ),
        (
            lambda n_q, n_k, w: ~((distance(n_q, n_k) >= 0) & (distance(n_q, n_k) < w)),
            "wrong way round",
        ),
        (
            lambda n_q, n_k, w: (distance(n_q, n_k) >= 0) & (distance(n_q, n_k) < 2),
            "right for other inputs",
        ),
        (
            lambda n_q, n_k, w: (distance(n_k, n_k) >= 0) & (distance(n_k, n_k) < w),
            "returned shape (5, 5)",
        ),
        (lambda n_q, n_k, w: [[True] * n_k] * n_q, "it is a list"),
    ],
    "find_leaks": [
        (lambda m, t: [], "a model that applies no mask, of 4 tokens: (0, 1) was not found"),
        (leaks_by_gradient, "cuts the gradient of the next token, of 4 tokens: (0, 1) was not"),
        (
            lambda m, t: leaks_by_moving(m, t, steps=[1]),
            "only what is above 10, of 4 tokens: (0, 1) was not found. A small step",
        ),
        (lambda m, t: leaks_by_moving(m, t, steps=[1, 100]), "only what is below -10"),
        (
            lambda m, t: [(j, i) for i, j in leaks_by_moving(m, t)],
            "the pairs are the wrong way round",
        ),
        (lambda m, t: [(0, 0)], "(0, 0) is no leak"),
        (lambda m, t: [(0, 1)], "a causal model, of 4 tokens: (0, 1) was found"),
        (
            lambda m, t: [(i, j) for i, j in leaks_by_moving(m, t) if leak_map(m, t)[i, j] > 1e-3],
            "a millionth of the next token, of 4 tokens: (0, 1)",
        ),
        (
            lambda m, t: [
                (i, j)
                for i, j in leaks_by_moving(m, t)
                if torch.autograd.functional.jacobian(m, t).sum((1, 3))[i, j] != 0
            ],
            "a model whose leaks cancel in the sum, of 4 tokens: (0, 1)",
        ),
        (
            lambda m, t: [
                (i, j)
                for i, j in leaks_by_moving(m, t)
                if torch.autograd.functional.jacobian(m, t)[i, 0, j].abs().sum() > 0
            ],
            "one feature into another, of 4 tokens: (0, 1)",
        ),
        (
            lambda m, t: [(i, j) for i, j in leaks_by_moving(m, t) if leak_map(m, t)[i, j] > 1e-6],
            "a billionth of the next token",
        ),
        (
            lambda m, t: [
                (i, j) for i, j in leaks_by_moving(m, t) if not moved_nearly(m, t, i, j, 1000)
            ],
            "was not found",
        ),
        (lambda m, t: leaks_by_moving(m, torch.eye(4, 3).double()), "tokens"),
        (lambda m, t: [(i, j) for i, j in leaks_by_moving(m, t) if j < 4], "of 6 tokens"),
        (lambda m, t: [(0, 0), *leaks_by_moving(m, t)], "(0, 0) is no leak: a causal output"),
        (lambda m, t: 3, "return a list of pairs"),
        (lambda m, t: [1, 2], "return a list of pairs"),
        (no_return, "returned None"),
    ],
}
