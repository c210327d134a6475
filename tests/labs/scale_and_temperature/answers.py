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
}


WRONG = {
    "variance_of_scores": [
        (lambda d, mu: d, "the mean does not come in"),
        (lambda d, mu: d * (1 + mu**2), "Both factors have a mean"),
        (lambda d, mu: d * (1 + mu**2) ** 2, "from each the square of its mean"),
        (lambda d, mu: (d * (1 + 2 * mu**2)) ** 0.5, "this is the standard deviation"),
        (lambda d, mu: 1 + 2 * mu**2, "the variance of one feature of the sum"),
        (lambda d, mu: d**2 * (1 + 2 * mu**2), "variances of independent terms add up"),
        (lambda d, mu: d * mu**2, "mu = 0.5 gives 16 instead of 96"),
        (lambda d, mu: d * (1 + mu) ** 2, "mu = 0.5 gives 144 instead of 96"),
        (lambda d, mu: 1.001 * d * (1 + 2 * mu**2), "mu = 0.5 gives 96.096 instead of 96"),
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
        (halve(lambda s, T: spread_of((s / T).softmax(-1)), 0.001, 10.0), "1000.0, 2000.0"),
        (halve(lambda s, T: spread_of((s / T).softmax(-1)), 0.5, 1000.0), "entropy 0.05"),
        (halve(lambda s, T: spread_of((s / T).softmax(-1)), 0.001, 1e6), "0.001, 0.002"),
        (lambda s, t: 1e-6, "that needs a higher T. (A bracket must hold T"),
        (lambda s, t: 1e-320, "is so small that scores / T is too large"),
        (lambda s, t: (s / t).softmax(-1), "must return one number, and it returned 3"),
        (lambda s, t: math.nan, "must be finite"),
    ],
    "softmax_jacobian": [
        (lambda w: torch.outer(w, w) - torch.diag(w), "the sign is the wrong way round"),
        (lambda w: torch.diag(w) + torch.outer(w, w), "off the diagonal it is −w_i w_j"),
        (lambda w: torch.diag(w * (1 - w)), "only the diagonal is there"),
        (lambda w: w * (1 - w), "returned shape (4,) for weights = "),
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
