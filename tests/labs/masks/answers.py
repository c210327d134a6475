"""Right answers, and wrong ones with what must be said of them."""

import math

import torch

from attention_lab import masked_softmax
from attention_lab.core.leaks import leak_map


def leaks_by_moving(model, tokens):
    found = []
    for j in range(len(tokens)):
        changed = tokens.clone()
        changed[j] += 1
        moved = (model(changed) != model(tokens)).any(dim=-1)
        found += [(i, j) for i in range(j) if moved[i]]
    return found


def leaks_by_gradient(model, tokens):
    found = []
    for i in range(len(tokens)):
        x = tokens.clone().requires_grad_()
        mixed = model(x)[i] @ torch.tensor([1.0, 2.3, 3.1], dtype=x.dtype)  # cancels nothing
        (gradient,) = torch.autograd.grad(mixed, x)
        found += [[i, j] for j in range(i + 1, len(tokens)) if gradient[j].abs().sum() > 0]
    return found


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
            [torch.ones(n, n).tril().bool() & (torch.arange(n) < length) for length in lengths]
        ),
        lambda lengths, n: torch.tensor(
            [[[j <= i and j < m for j in range(n)] for i in range(n)] for m in lengths.tolist()]
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
        lambda n_q, n_k: torch.arange(n_k)[None, :] <= torch.arange(n_k - n_q, n_k)[:, None],
        lambda n_q, n_k: torch.ones(n_k, n_k).tril().bool()[n_k - n_q :],
    ],
    "find_leaks": [leaks_by_moving, lambda m, t: set(leaks_by_moving(m, t)), leaks_by_gradient],
}


WRONG = {
    "causal_and_padding": [
        (
            lambda m, n: (torch.ones(len(m), n, n).tril() > 0) & (torch.arange(n) < m[0]),
            "the masks differ first",
        ),
        (
            lambda m, n: (torch.ones(len(m), n, n).tril() > 0) & (torch.arange(n) < m.max()),
            "the masks differ first",
        ),
        (lambda m, n: torch.ones(len(m), n, n).tril().bool(), "this is only the causal mask"),
        (
            lambda m, n: (torch.arange(n) < m[:, None, None]).expand(-1, n, n),
            "this is only the padding mask",
        ),
        (
            lambda m, n: torch.ones(n, n).tril().bool() | (torch.arange(n) < m[:, None, None]),
            "joined by or",
        ),
        (
            lambda m, n: (
                torch.ones(n, n).tril().bool() & (torch.arange(n)[:, None] < m[:, None, None])
            ),
            "the queries of the padding are hidden",
        ),
        (
            lambda m, n: torch.ones(n, n).triu().bool() & (torch.arange(n) < m[:, None, None]),
            "causal is the wrong way round",
        ),
        (
            lambda m, n: ~(torch.ones(n, n).tril().bool() & (torch.arange(n) < m[:, None, None])),
            "True and False are the wrong way round",
        ),
        (
            lambda m, n: torch.ones(n, n).tril().bool() & (torch.arange(n) <= m[:, None, None]),
            "one key too many",
        ),
        (
            lambda m, n: torch.ones(n, n).tril(-1).bool() & (torch.arange(n) < m[:, None, None]),
            "the diagonal is missing",
        ),
        (lambda m, n: torch.ones(n, n).tril().bool(), "returned shape (5, 5)"),
        (lambda m, n: torch.ones(len(m), n, n).tril(), "a boolean mask, but it returned"),
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
            "the masks differ first",
        ),
        (lambda a, p: ~(a | p[:1, None, None]).expand(len(p), 1, *a.shape), "the masks differ"),
        (lambda a, p: ~((a | p[0])[None, None] | p[:, None, None]), "the masks differ first"),
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
        (lambda n_q, n_k: torch.ones(n_q, n_k).tril().bool(), "query 0 sees only key 0"),
        (lambda n_q, n_k: torch.ones(n_q, n_k).tril(n_k - n_q - 1).bool(), "one key too few"),
        (lambda n_q, n_k: torch.ones(n_q, n_k).bool(), "every key is allowed"),
        (lambda n_q, n_k: torch.ones(n_k, n_k).tril().bool(), "returned shape (5, 5)"),
        (lambda n_q, n_k: torch.ones(n_q, n_k).triu(n_k - n_q + 1).bool(), "wrong way round"),
        (lambda n_q, n_k: [[True] * n_k] * n_q, "it returned a list"),
    ],
    "find_leaks": [
        (lambda m, t: [], "a model that applies no mask, of 4 tokens: (0, 1) was not found"),
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
