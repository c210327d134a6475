"""Every checker: its solution, other right answers, and wrong ones with their message."""

import itertools
import math
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F

import answers_transformer
import lint
from attention_lab import masked_softmax
from attention_lab.core import scores as scoring
from attention_lab.exercises import check, grade
from attention_lab.grading.base import is_open
from attention_lab.core.leaks import leak_map

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
FOLDED = re.compile(
    r"<details><summary>Solution</summary>\s+```python\n(.*?)```.*?</details>", re.S
)


def solutions():
    """Every folded solution of the notebooks: exercise name, answer."""
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        imports, threads = {}, torch.get_num_threads()
        exec(next(cell.source for cell in cells if cell.id == "import"), imports)
        torch.set_num_threads(threads)
        for cell, following in itertools.pairwise(cells):
            called = lint.CHECK.search(cell.source)
            if cell.cell_type != "code" or not called:
                continue
            name, variable = called.groups()
            folded = FOLDED.search(following.source)
            assert folded, f"{path.name}: check.{name} is not followed by a folded solution"
            assert "<summary>Hint</summary>" in following.source, f"{path.name}: {name} has no hint"
            namespace = dict(imports)
            exec(folded[1], namespace)
            yield pytest.param(name, namespace[variable], id=name)


SOLUTIONS = list(solutions())


def test_every_exercise_has_a_solution_in_a_notebook():
    assert sorted(parameter.id for parameter in SOLUTIONS) == sorted(dir(check))


@pytest.mark.parametrize(("name", "answer"), SOLUTIONS)
def test_the_folded_solution_passes(name, answer):
    verdict = grade(name, answer)
    assert verdict.passed, verdict


def loop_softmax(scores):
    if scores.ndim > 1:
        return torch.stack([loop_softmax(row) for row in scores])
    top = max(x.item() for x in scores)
    powers = [math.exp(x.item() - top) for x in scores]
    return torch.tensor([p / sum(powers) for p in powers])


def sum_first(weights, values):
    return sum(w * v for w, v in zip(weights, values, strict=True))


def einsum_attention(Q, K, V):
    scores = torch.einsum("...qd,...kd->...qk", Q, K) * K.shape[-1] ** -0.5
    return torch.einsum("...qk,...kv->...qv", torch.softmax(scores, -1), V)


def derivation_with_loops(Q, K, V):
    scores = torch.tensor([[float(q @ k) / math.sqrt(len(k)) for k in K] for q in Q])
    weights = torch.softmax(scores, dim=1)
    return scores, weights, torch.stack([sum_first(row.double(), V) for row in weights])


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


def temperature_by_grid(scores, target):
    grid = torch.logspace(-2, 2, 20_001, dtype=torch.float64)
    weights = (scores / grid[:, None]).softmax(-1)
    spread = -torch.xlogy(weights, weights).sum(-1)
    return grid[(spread - target).abs().argmin()].item()


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


def scores_by_einsum(query, key, weight):
    dot = torch.einsum("...qd,...kd->...qk", query, key)
    return [
        dot,
        dot * key.shape[-1] ** -0.5,
        torch.einsum("...qd,de,...ke->...qk", query, weight, key),
    ]


def scores_transposed(query, key, weight):
    key = key.mT
    dot = torch.matmul(query, key)
    return dot, dot / torch.tensor(query.shape[-1]).sqrt(), query @ (weight @ key)


RIGHT = answers_transformer.RIGHT | {
    "strongest_key": [1.0, 1, torch.tensor([1.0, 3, 2]).argmax()],
    "stable_softmax": [
        loop_softmax,
        lambda s: torch.exp(s - torch.logsumexp(s, dim=-1, keepdim=True)),
        lambda s: F.softmax(s, dim=-1),
        lambda s: s.double().softmax(-1),
    ],
    "three_scores": [scores_by_einsum, scores_transposed],
    "choose_query": [torch.tensor([-2.0, 1.0]), (0, 100), [[-3, 3]], np.array([-2.0, 1.0])],
    "softmax_formula": ["ab", {"A", "B"}, ["B", "A"], "A, B", "A and B", "(a, b)."],
    "move_rows": [
        lambda s: s - s.max(dim=-1, keepdim=True).values,
        lambda s: torch.stack([row - max(row) for row in s]),
        lambda s: s.float() - s.float().amax(-1)[:, None],
    ],
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
        [torch.tensor([0.5, 0, 0, 0.5]), torch.tensor([0, 0.5, 0.5, 0])],
        np.array([[1 / 3, 0.0, 2 / 3, 0.0], [0.0, 2 / 3, 0.0, 1 / 3]]),
    ],
    "repair_flow_chart": [
        set(ARROWS),
        [*ARROWS, ("encoder states", "decoder")],
        (*ARROWS, ("output", "decoder")),
    ],
    "equal_values": [
        [torch.tensor([2.0, 5])] * 3,
        torch.tensor([[2, 5]] * 3),
        ((2.0, 5.0),) * 3,
        np.array([[2, 5]] * 3),
    ],
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
        {"scores": [3, 4], "weights": torch.Size([3, 4]), "output": (3, 6)},
        {"output": (3, 6), "weights": (3, 4), "scores": (3, 4)},
    ],
    "true_statements": ["ACE", "a c e", {"E", "C", "A"}],
    "variance_of_scores": [
        lambda d_k, mu: d_k * ((1 + mu**2) ** 2 - mu**4),
        lambda d_k, mu: torch.tensor(float(d_k)) + 2 * d_k * mu * mu,
        lambda d_k, mu: sum(1 + 2 * mu * mu for _ in range(d_k)),
    ],
    "temperature_for": [
        temperature_by_grid,
        lambda scores, target: torch.tensor(temperature_by_grid(scores, target)),
    ],
    "softmax_jacobian": [
        lambda w: torch.diag(w) - w[:, None] * w[None, :],
        lambda w: torch.stack([w[i] * (torch.eye(len(w))[i] - w) for i in range(len(w))]),
        lambda w: (torch.eye(len(w), dtype=w.dtype) - w) * w[:, None],
    ],
    "tempered_softmax": [
        lambda s, T: ((s - s.amax(-1, keepdim=True)) / T).softmax(-1),
        lambda s, T: loop_softmax(s.double() / T),
        lambda s, T: (s.double() / T).softmax(-1).to(s.dtype),
    ],
    "zero_gradients": ["BD", "b, d", {"D", "B"}],
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


@pytest.mark.parametrize(
    ("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers]
)
def test_other_right_answers_pass(name, answer):
    verdict = grade(name, answer)
    assert verdict.passed, verdict


def test_each_checker_has_at_least_two_other_right_answers():
    assert set(RIGHT) == set(dir(check))
    assert all(len(answers) >= 2 for answers in RIGHT.values())


def in_place(scores):
    scores -= scores.amax(-1, keepdim=True)
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


def moved_in_place(scores):
    scores -= scores.amax(-1, keepdim=True)
    return scores


def last_only(weights, values):
    for w, v in zip(weights, values, strict=True):
        output = w * v
    return output


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


def three(dot=None, scaled=None, general=None):
    def answer(q, k, w):
        plain = q @ k.transpose(-2, -1)
        return (
            dot(q, k) if dot else plain,
            scaled(plain, q, k) if scaled else plain / q.shape[-1] ** 0.5,
            general(q, k, w) if general else q @ w @ k.transpose(-2, -1),
        )

    return answer


def naive(s):
    return s.exp() / s.exp().sum(-1, keepdim=True)


def halve(entropy_of, low=0.01, high=100.0):
    """Solve for a temperature by halving; ``entropy_of(scores, T)`` may be wrong."""

    def answer(scores, target):
        a, b = low, high
        for _ in range(60):
            T = (a + b) / 2
            a, b = (T, b) if entropy_of(scores, T) < target else (a, T)
        return T

    return answer


def spread_of(weights):
    return -torch.xlogy(weights, weights).sum().item()


def pairs_of(query, key, w_query, w_key):
    return (query @ w_query)[..., :, None, :] + (key @ w_key)[..., None, :, :]


WRONG = answers_transformer.WRONG | {
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
            "10 words came, though most = 7",
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
    "causal_and_padding": [
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
            "the padding hides rows (queries)",
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
        (lambda s: masked_softmax(s.T).T, "runs over the queries"),
        (lambda s: masked_softmax(s).detach(), "no gradient goes through"),
        (lambda s: masked_softmax(s)[:2], "returned shape (2, 3)"),
    ],
    "one_convention": [
        (lambda a, p: (~a).expand(2, 1, 2, 3), "only attn_mask is turned"),
        (lambda a, p: (~p)[:, None, None].expand(2, 1, 2, 3), "only key_padding_mask is turned"),
        (lambda a, p: a | p[:, None, None], "True and False are the wrong way round"),
        (lambda a, p: ~(a & p[:, None, None]), "one of them is enough"),
        (lambda a, p: (~a) & p[:, None, None], "key_padding_mask was not"),
        (lambda a, p: ~(a | p[:, None, :, None]), "raised RuntimeError"),
        (lambda a, p: ~(a | p[:, None]), "returned shape (2, 2, 3)"),
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
        (lambda m, t: [], "a model that applies no mask: (0, 1) was not found"),
        (lambda m, t: [(j, i) for i, j in leaks_by_moving(m, t)], "is no leak: a causal output"),
        (lambda m, t: [(0, 0)], "(0, 0) is no leak"),
        (lambda m, t: [(0, 1)], "a causal model: (0, 1) was found"),
        (
            lambda m, t: [(i, j) for i, j in leaks_by_moving(m, t) if leak_map(m, t)[i, j] > 1e-3],
            "a millionth of the next token: (0, 1) was not found",
        ),
        (
            lambda m, t: [
                (i, j)
                for i, j in leaks_by_moving(m, t)
                if torch.autograd.functional.jacobian(m, t).sum((1, 3))[i, j] != 0
            ],
            "a model whose leaks cancel in the sum: (0, 1) was not found",
        ),
        (
            lambda m, t: [
                (i, j)
                for i, j in leaks_by_moving(m, t)
                if torch.autograd.functional.jacobian(m, t)[i, 0, j].abs().sum() > 0
            ],
            "one feature into another: (0, 1) was not found",
        ),
        (lambda m, t: 3, "return a list of pairs"),
        (lambda m, t: [1, 2], "return a list of pairs"),
        (no_return, "returned None"),
    ],
    "variance_of_scores": [
        (lambda d, mu: d, "the mean does not come in"),
        (lambda d, mu: d * (1 + mu**2), "Both factors have a mean"),
        (lambda d, mu: d * (1 + mu**2) ** 2, "from each the square of its mean"),
        (lambda d, mu: (d * (1 + 2 * mu**2)) ** 0.5, "this is the standard deviation"),
        (lambda d, mu: 1 + 2 * mu**2, "the variance of one feature of the sum"),
        (lambda d, mu: d**2 * (1 + 2 * mu**2), "variances of independent terms add up"),
        (lambda d, mu: d * mu**2, "mu = 0.5 gives 16 instead of 96"),
        (lambda d, mu: d * (1 + mu) ** 2, "mu = 0.5 gives 144 instead of 96"),
        (lambda d, mu: 1.001 * d * (1 + 2 * mu**2), "an exact formula is wanted"),
        (lambda d, mu: [d, mu], "must return one number, and it returned 2"),
        (lambda d, mu: "64", "must return one number"),
        (lambda d: d, "is called with 2 arguments (d_k, mu)"),
        (no_return, "returned None"),
        (192, "must be a function"),
    ],
    "temperature_for": [
        (lambda s, t: 1.0, "T = 1 gives 0.8324; that needs a higher T"),
        (lambda s, t: 50.0, "that needs a lower T"),
        (lambda s, t: 1 / temperature_by_grid(s, t), "return 1 over this number"),
        (
            halve(lambda s, T: spread_of((s / T).softmax(-1)) / math.log(2)),
            "this entropy is in bits",
        ),
        (lambda s, t: -2.0, "a temperature is above 0"),
        (lambda s, t: 1e-6, "Is your entropy nan where a weight is 0?"),
        (lambda s, t: 1e-320, "is so small that scores / T is too large"),
        (lambda s, t: (s / t).softmax(-1), "must return one number, and it returned 3"),
        (lambda s, t: math.nan, "must be finite"),
    ],
    "softmax_jacobian": [
        (lambda w: torch.outer(w, w) - torch.diag(w), "the sign is the wrong way round"),
        (lambda w: torch.diag(w) + torch.outer(w, w), "off the diagonal it is −w_i w_j"),
        (lambda w: torch.diag(w * (1 - w)), "only the diagonal is there"),
        (lambda w: w * (1 - w), "returned shape (4,) for weights (4,); (4, 4) is right"),
        (lambda w: torch.eye(len(w)).double() - torch.outer(w, w), "1 stands on the diagonal"),
        (lambda w: torch.outer(w, w), "it is taken away from diag(w)"),
        (
            lambda w: torch.diag(w) - torch.outer(w, w) * (1 - torch.eye(len(w)).double()),
            "w_i² has to be taken away there as well",
        ),
        (lambda w: torch.diag(w.softmax(-1)) - torch.outer(w, w), "the entries differ first"),
    ],
    "tempered_softmax": [
        (lambda s, T: (s * T).softmax(-1), "multiplied by T"),
        (lambda s, T: s.softmax(-1), "T is not used"),
        (lambda s, T: s.softmax(-1) / T, "T divides the weights"),
        (lambda s, T: (s / T).softmax(0), "the softmax runs over the queries"),
        (lambda s, T: (s / T).exp(), "not divided by their sum"),
        (lambda s, T: naive(s / T), "gives nan: an exponential became inf"),
        (lambda s, T: naive((s - s.mean(-1, keepdim=True)) / T), "gives nan"),
        (lambda s, T: naive((s - s.max()) / T), "subtract from each row its own"),
        (
            lambda s, T: naive(s / T - (s / T).amax(-1, keepdim=True)),
            "Subtract the largest score before you divide by T",
        ),
        (lambda s, T: (s / T).log_softmax(-1), "the weights differ first"),
    ],
    "zero_gradients": [
        ("A", "A is false: b_Q changes the scores"),
        ("BCD", "C is false"),
        ("B", "1 more of the five is true"),
        ("BDE", "E is false: the Jacobian is 0 there"),
        ("F", "F is no statement here"),
    ],
    "strongest_key": [
        (2, "key 2 has the score 2"),
        (3, "3 is the score"),
        (0, "key 0 does not have the largest score"),
        ("one", "write one number"),
        (True, "write one number"),
    ],
    "stable_softmax": [
        (lambda s: s.softmax(0), "the columns sum to 1, not the rows"),
        (lambda s: naive(s), "[1000., 1001.] gives nan"),
        (lambda s: s.exp(), "not divided by their sum"),
        (lambda s: s.exp() / s.exp().sum(), "all the numbers together sum to 1"),
        (lambda s: (s - s.max()).exp() / (s - s.max()).exp().sum(-1, keepdim=True), "each row"),
        (in_place, "changed its input scores in place"),
        (
            lambda s: (s - s[..., -1:]).exp() / (s - s[..., -1:]).exp().sum(-1, keepdim=True),
            "[1000.0, 0.0] does not give the right weights",
        ),
        (lambda s: ((s.T - s.amax(-1)).exp() / (s.T - s.amax(-1)).exp().sum(0)).T, "raised"),
        (lambda s: s.softmax(-1) + 5j, "floating point numbers, but it is torch.complex"),
        (lambda s: s.softmax(-1).to_sparse(), "but it is torch.sparse"),
        (lambda s: s.log_softmax(-1), "logarithm of the weights"),
        (no_return, "returned None: is a return missing?"),
        (lambda s: s.softmax(-1).tolist(), "must be a tensor, but it is a list"),
        (lambda s: (s == s.amax(-1, keepdim=True)).double(), "the weights differ first at [0, 0]"),
        (lambda s: s.exp() / s.exp().sum(-1), "raised RuntimeError"),
        (lambda: 1, "is called with 1 arguments (scores)"),
        (3.0, "must be a function"),
    ],
    "three_scores": [
        (three(scaled=lambda s, q, k: s), "the scaled scores are not scaled"),
        (three(scaled=lambda s, q, k: s / 5), "divided by d_k; divide by √d_k"),
        (three(scaled=lambda s, q, k: s / len(q)), "differ first"),
        (three(scaled=lambda s, q, k: s / len(k) ** 0.5), "divided by √n_k"),
        (three(scaled=lambda s, q, k: s / k.shape[1] ** 0.5), "divided by √n_k"),
        (three(dot=lambda q, k: q @ k.mT if q.ndim == 2 else 0 * (q @ k.mT)), "dot scores differ"),
        (lambda q, k, w: (q @ k.mT, q @ k.mT), "it returned 2 things"),
        (three(scaled=lambda s, q, k: s / 3**0.5), "divided by √n_k"),
        (three(general=lambda q, k, w: q @ w.T @ k.transpose(-2, -1)), "transpose of M"),
        (three(general=lambda q, k, w: q @ k.transpose(-2, -1)), "do not use M"),
        (three(dot=lambda q, k: k @ q.transpose(-2, -1)), "have shape (3, 2)"),
        (
            lambda q, k, w: (q @ k.T, q @ k.T / 5**0.5, q @ w @ k.T),
            "right for one matrix, but not with a leading axis: use key.transpose(-2, -1)",
        ),
        (lambda q, k, w: q @ k.T, "must return three tensors"),
        (no_return, "returned None"),
    ],
    "choose_query": [
        ([1, 0], "key 0 has as much as key 1, or more"),
        ([0, 0], "key 0 has as much"),
        ([0.1, 1], "0.9 needs larger gaps"),
        ([1, 2, 3], "needs 2, but it has 3"),
        ("up", "write the query as two numbers"),
        ([math.nan, 1], "must be finite"),
        ([0, 1e308], "up to a million"),
        ([1j, 1], "write the query as two numbers"),
    ],
    "softmax_formula": [
        ("A", "statement B"),
        ("ABD", "D is no mistake"),
        ("CDE", "C is no mistake"),
        ("Z", "Z is no statement"),
        ("", "at least one letter"),
        (5, "write the letters as a string"),
    ],
    "move_rows": [
        (lambda s: s - s.max(), "only one row reaches 0"),
        (lambda s: s - s.amax(0), "each column's largest"),
        (lambda s: s / s.amax(-1, keepdim=True), "the weights changed"),
        (lambda s: s - s.mean(-1, keepdim=True), "the largest entries are"),
        (lambda s: s, "the largest entries are"),
        (lambda s: torch.zeros_like(s), "the weights changed"),
        (lambda s: s * math.nan, "hold nan"),
        (lambda s: s.round().long(), "floating point numbers, but it is torch.int64"),
        (moved_in_place, "in place"),
    ],
    "sum_by_loop": [
        (last_only, "only the last term is left"),
        (lambda w, v: v.sum(0), "the weights are not used: this is the plain sum"),
        (lambda w, v: v.mean(0), "the weights are not used: this is the plain mean"),
        (lambda w, v: (w[:, None] * v).mean(0), "divided by the number of keys"),
        (lambda w, v: w[:, None] * v, "four terms"),
        (lambda w, v: (w[:, None] * v).sum(), "features were added together"),
        (lambda w, v: sum(w[j] * v[j] for j in range(3)), "the last key is missing"),
        (lambda w, v: w * v, "raised RuntimeError"),
    ],
    "sum_by_product": [
        (lambda w, v: w.transpose(-2, -1) @ v, "the weights were transposed"),
        (lambda w, v: v @ w, "raised RuntimeError"),
        (lambda w, v: torch.stack([sum_first(row, v) for row in w]), "raised"),
        (lambda w, v: v, "the outputs differ first"),
    ],
    "two_weightings": [
        ([[0.25] * 4, [0, 0.5, 0.5, 0]], "divergence is 0.216"),
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
        (without(("weighted sum", "decoder")), "still goes nowhere"),
        (without(("decoder", "attention weights")), "The query comes from the decoder"),
        (without(("encoder states", "attention weights")), "need the keys"),
        (without(("encoder states", "weighted sum")), "needs the values"),
        (without(("attention weights", "weighted sum")), "needs the attention weights"),
        ([*ARROWS, ("input", "weighted sum")], "raw input"),
        ([*ARROWS, ("weighted sum", "output")], "skips the decoder"),
        (
            [*without(("decoder", "output")), ("attention weights", "output")],
            "from “decoder” to “output” is missing",
        ),
        (
            [*without(("encoder", "encoder states")), ("input", "decoder")],
            "from “encoder” to “encoder states” is missing",
        ),
        ([*ARROWS, ("decoder", "decoder")], "from “decoder” to “decoder” does not belong"),
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
        ([2, 5], "there are three"),
        ([[8, 20]] * 3, "sum of the four values"),
        ([[2, 5]] * 4, "for each query (3), not for each key (4)"),
        ([[2, 5]] * 2, "make shape (3, 2)"),
        ([[5, 2]] * 3, "differ first at [0, 0]"),
    ],
    "attention_in_three_lines": [
        (attend(scale=lambda q, k: 1), "the scores are not scaled"),
        (attend(scale=lambda q, k: q.shape[-1]), "divided by d_k; divide by √d_k"),
        (attend(scale=lambda q, k: k.shape[-2] ** 0.5), "scaled by √n_k"),
        (attend(scale=lambda q, k: q.shape[-1] ** -0.5), "multiplied by √d_k"),
        (attend(softmax_dim=-2), "the softmax runs over the queries"),
        (attend(softmax_dim=0), "the softmax runs over the queries"),
        (attend(softmax_dim=1), "with leading axes"),
        (attend(use="K"), "multiplied with K"),
        (lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5) @ v, "there is no softmax"),
        (lambda q, k, v: (q @ k.T / q.shape[-1] ** 0.5).softmax(-1) @ v, "K.T swaps all"),
        (lambda q, k, v: (q @ k.mT).softmax(-1) @ v / q.shape[-1] ** 0.5, "after the softmax"),
        (lambda q, k, v: v[: q.shape[-2]], "differ first"),
        (lambda q, k, v: attend()(q, k, v) if q.ndim == 2 else None, "with two leading axes"),
        (attend(after=lambda x: x * (1 + 9e-5)), "differ first"),
        (no_return, "returned None"),
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
        (-0.8341, "larger q"),
        ("0.8341", "without quotes"),
        ([1, 2], "q is one number, and these are 2"),
        (1e308, "q = 1e+308 gives nan"),
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
        ("AC", "1 more of the six"),
        ("ABCE", "B is false: there is one weight"),
        ("ACDE", "D is false"),
        ("ACEF", "F is false"),
    ],
}


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [(name, answer, says) for name, cases in WRONG.items() for answer, says in cases],
)
def test_wrong_answers_fail_with_their_message(name, answer, says):
    verdict = grade(name, answer)
    assert verdict.status == "not yet", verdict
    assert says in verdict.message, verdict


def test_each_checker_has_at_least_three_wrong_answers():
    assert set(WRONG) == set(dir(check))
    assert all(len(cases) >= 3 for cases in WRONG.values())


def stub(x): ...


def stub_with_docstring(x, y=1):
    """What to do."""
    ...


def stub_with_pass(x):
    """What to do."""
    pass


def stub_returning_dots(x):
    """What to do."""
    return ...


@pytest.mark.parametrize(
    "answer",
    [
        ...,
        None,
        [..., ...],
        {"a": ...},
        {"a": 1, "b": ...},
        [1, ...],
        [(..., ...)],
        stub,
        stub_with_docstring,
        stub_with_pass,
        stub_returning_dots,
    ],
)
@pytest.mark.parametrize("name", dir(check))
def test_not_attempted_says_so(name, answer):
    verdict = grade(name, answer)
    assert verdict.status == "open"
    assert str(verdict).startswith("Not attempted: replace ")


@pytest.mark.parametrize(
    "answer", [0, [], {}, "", lambda x: x, lambda x: 1, no_return, print, max, F.softmax, int]
)
def test_an_attempt_is_no_stub(answer):
    assert not is_open(answer)


class Odd:
    def __call__(self, *args):
        return self

    def __repr__(self):
        return "odd"


class Hostile(dict):
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __getitem__(self, key):
        raise RuntimeError(key)


def leaves(*args):
    sys.exit("bye")


RECURSIVE = []
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    "answer",
    [
        0,
        -1.5,
        "x",
        [],
        (),
        {},
        set(),
        object(),
        Odd(),
        print,
        lambda: 1,
        lambda *a: a,
        torch.ones(2),
        1j,
        pytest.param(Hostile(a=1), id="hostile"),
        leaves,
        pytest.param(RECURSIVE, id="recursive"),
        torch.tensor(1 + 5j),
        torch.eye(2).to_sparse(),
        [torch.eye(2), torch.ones(3)],
        lambda *a: 1 / 0,
        lambda *a: torch.ones(1),
        10**400,
        b"ab",
        [[1], [2, 3]],
        [None, 1],
        int,
    ],
)
# Python 3.13 warns where C code asks the hostile object for an attribute
@pytest.mark.filterwarnings("ignore:Exception ignored in PyObject_HasAttr")
@pytest.mark.parametrize("name", dir(check))
def test_no_answer_makes_a_check_raise(name, answer):
    verdict = grade(name, answer)
    assert verdict.status in ("not yet", "open")


def test_a_verdict_shows_itself():
    verdict = grade("strongest_key", 1)
    bundle = verdict._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Right. Key 1")
    assert "✓ <b>Right.</b> Key 1" in bundle["text/html"]
    assert "✗ <b>Not yet:</b>" in grade("strongest_key", "<b>")._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;" in grade("strongest_key", "<b>")._repr_mimebundle_()["text/html"]


def test_check_displays_and_returns_nothing(capsys):
    assert check.strongest_key(1) is None
    assert "Right. Key 1" in capsys.readouterr().out


def test_an_unknown_exercise_is_named():
    with pytest.raises(AttributeError, match="there is no exercise 'nothing'"):
        check.nothing(1)
