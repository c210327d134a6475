"""Right answers, and wrong ones with what must be said of them."""

import math

import torch


def loop_softmax(scores):
    if scores.ndim > 1:
        return torch.stack([loop_softmax(row) for row in scores])
    top = max(x.item() for x in scores)
    powers = [math.exp(x.item() - top) for x in scores]
    return torch.tensor([p / sum(powers) for p in powers])


def temperature_by_grid(scores, target):
    grid = torch.logspace(-2, 2, 40_001, dtype=torch.float64) * float(scores.max() - scores.min())
    weights = (scores / grid[:, None]).softmax(-1)
    spread = -torch.xlogy(weights, weights).sum(-1)
    return grid[(spread - target).abs().argmin()].item()


def jacobian_by_loops(w):
    kept = [j for j in range(len(w)) if w[j] > 0]
    J = torch.zeros(len(w), len(w), dtype=w.dtype)
    for j in kept:
        for other in kept:
            J[j, other] = (1 if j == other else 0) - 1 / len(kept)
    return J


def no_return(*_):
    print("computed")


def top_first(s, T):
    return (s - s.amax(-1, keepdim=True)) / T


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


RIGHT = {
    "variance_of_scores": [
        lambda d_k, mu: (d_k * (1 + mu**2), d_k * ((1 + mu**2) ** 2 - mu**4)),
        lambda d_k, mu: torch.tensor([1.0, 1.0]) * d_k + mu * mu * d_k * torch.tensor([1.0, 2.0]),
        lambda d_k, mu: [sum(1 + j * mu * mu for _ in range(d_k)) for j in (1, 2)],
    ],
    "temperature_for": [
        temperature_by_grid,
        lambda scores, target: torch.tensor(temperature_by_grid(scores, target)),
    ],
    "sparsemax_jacobian": [
        lambda w: torch.diag((w > 0).to(w)) - torch.outer(w > 0, w > 0) / (w > 0).sum(),
        jacobian_by_loops,
        lambda w: ((w > 0) / (w > 0).sum() - torch.eye(len(w)).to(w)) * -(w > 0)[:, None].to(w),
    ],
    "tempered_softmax": [
        lambda s, T: naive(top_first(s, T)),
        lambda s, T: loop_softmax(s.double() / T),
        lambda s, T: naive(top_first(s.double(), T)).to(s.dtype),
    ],
    "zero_gradients": ["BD", "b, d", {"D", "B"}],
}


WRONG = {
    "variance_of_scores": [
        (lambda d, mu: (d, d), "within a row: the mean does not come in"),
        (lambda d, mu: (d * (1 + mu**2), d), "over all pairs: the mean does not come in"),
        (lambda d, mu: (d * (1 + 2 * mu**2),) * 2, "Within a row q is fixed"),
        (lambda d, mu: (d * (1 + mu**2),) * 2, "this is the variance within a row"),
        (lambda d, mu: (d * (1 + 2 * mu**2), d * (1 + mu**2)), "in the wrong order"),
        (
            lambda d, mu: (d * (1 + mu**2), d * (1 + mu**2) ** 2),
            "over all pairs: this is the sum of the E[(q_c k_c)²]",
        ),
        (lambda d, mu: (d * mu**2, d * (1 + 2 * mu**2)), "how much the means of the rows differ"),
        (
            lambda d, mu: ((d * (1 + mu**2)) ** 0.5, (d * (1 + 2 * mu**2)) ** 0.5),
            "within a row: this is the standard deviation",
        ),
        (lambda d, mu: (d * (1 + mu**2), 1 + 2 * mu**2), "over all pairs: this is for one feature"),
        (lambda d, mu: (d * d * (1 + mu**2), d * (1 + 2 * mu**2)), "d_k times one, not d_k²"),
        (
            lambda d, mu: (d * (1 + mu), 1),
            "within a row: d_k = 64, mu = 0.5 gives 96 instead of 80",
        ),
        (
            lambda d, mu: (d * (1 + mu**2), 1.001 * d * (1 + 2 * mu**2)),
            "over all pairs: d_k = 64, mu = 0.5 gives 96.096 instead of 96",
        ),
        (lambda d, mu: d * (1 + 2 * mu**2), "must return two numbers: within a row"),
        (lambda d, mu: "64", "must return two numbers"),
        (lambda d: (d, d), "is called with 2 arguments (d_k, mu)"),
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
        (halve(lambda s, T: spread_of((s / T).softmax(-1)), 0.001, 10.0), "1000.0, 2000.0"),
        (halve(lambda s, T: spread_of((s / T).softmax(-1)), 0.5, 1000.0), "entropy 0.05"),
        (halve(lambda s, T: spread_of((s / T).softmax(-1)), 0.001, 1e6), "0.001, 0.002"),
        (lambda s, t: 1e-6, "that needs a higher T. (A bracket must hold T"),
        (lambda s, t: 1e-320, "is so small that scores / T is too large"),
        (lambda s, t: (s / t).softmax(-1), "must return one number, and it returned 3"),
        (lambda s, t: math.nan, "must be finite"),
    ],
    "sparsemax_jacobian": [
        (lambda w: torch.diag(w) - torch.outer(w, w), "this is the Jacobian of softmax"),
        (lambda w: torch.diag((w > 0).to(w)), "t moves as well"),
        (
            lambda w: torch.diag((w > 0).to(w)) - torch.outer((w > 0).to(w), (w > 0).to(w)),
            "not by 1",
        ),
        (lambda w: torch.eye(len(w)).to(w) - 1 / len(w), "keys with the weight 0 stay at 0"),
        (
            lambda w: (w > 0)[:, None] * (torch.eye(len(w)).to(w) - 1 / (w > 0).sum()),
            "the other columns are 0",
        ),
        (
            lambda w: torch.diag((w > 0).to(w)) - torch.outer(w > 0, w > 0) / len(w),
            "n counts the weights above 0",
        ),
        (
            lambda w: torch.diag((w > 0).to(w)) + torch.outer(w > 0, w > 0) / (w > 0).sum(),
            "the sign of the second part",
        ),
        (lambda w: -jacobian_by_loops(w), "a weight grows with its own score"),
        (lambda w: w * (1 - w), "returned shape (5,) for weights = "),
        (lambda w: torch.diag(w > 0) - torch.outer(w, w), "raised"),
        (lambda w: jacobian_by_loops(w) * (1 - 1e-3), "the entries differ first at [0, 0]"),
        (lambda w: jacobian_by_loops(w.clamp(min=0.05)), "keys with the weight 0 stay at 0"),
    ],
    "tempered_softmax": [
        (lambda s, T: (s * T).softmax(-1), "multiplied by T"),
        (lambda s, T: s.softmax(-1), "these are the weights at T = 1"),
        (lambda s, T: s.softmax(-1) / T, "T divides the weights"),
        (lambda s, T: (s / T).softmax(0), "the softmax runs over the queries"),
        (lambda s, T: (s / T).exp(), "not divided by their sum"),
        (lambda s, T: naive(s / T), "[0.2689, 0.7311], and [nan, nan] came out"),
        (lambda s, T: naive((s - s.mean(-1, keepdim=True)) / T), "and [0, nan] came out"),
        (
            lambda s, T: naive((s - s.max()) / T),
            "other inputs, but for scores = [[1000, 1001]",
        ),
        (
            lambda s, T: naive(s / T - (s / T).amax(-1, keepdim=True)),
            "Subtract the largest score first, then divide by T",
        ),
        (lambda s, T: (s / T).log_softmax(-1), "came out"),
        (lambda s, T: top_first(s, T).softmax(-1), "calls softmax, which does the work"),
        (lambda s, T: (s.double() / T).softmax(-1).to(s.dtype), "build it from exp and sum"),
        (lambda s, T: naive(top_first(s, T).clamp(min=-20)), "right for other inputs"),
        (lambda s, T: naive(top_first(s, T).clamp(min=-50)), "right for other inputs"),
        (
            lambda s, T: naive(top_first(s.masked_fill(s == -math.inf, -1e4), T)),
            "right for other inputs",
        ),
        (lambda s, T: naive(top_first(s.clamp(min=-1001), T)), "right for other inputs"),
        (lambda s, T: naive(top_first(s, max(T, 0.05))), "right for other inputs"),
        (lambda s, T: naive(top_first(s, T if T <= 1 else 2)), "right for other inputs"),
        (lambda s, T: naive(top_first(s, T)).clamp(min=1e-9), "right for other inputs"),
        (lambda s, T: top_first(s, T).exp() / top_first(s, T).exp().sum(1, True), "right for"),
    ],
    "zero_gradients": [
        ("A", "2 of the 5 statements are judged right"),
        ("BCD", "4 of the 5 statements are judged right"),
        ("B", "4 of the 5 statements"),
        ("BDE", "4 of the 5 statements"),
        ("F", "F is no statement here"),
    ],
}
