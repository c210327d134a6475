"""Right answers, and wrong ones with what must be said of them."""

import math

import torch


def sines(order="alternate", base=10_000.0, first=0, exponent=1.0, swap=False, every=False):
    """Build an answer to 8.1, right or with a fault."""

    def answer(n, d_model):
        p = torch.arange(first, first + n).double()[:, None]
        features = torch.arange(d_model) if every else torch.arange(0, d_model, 2)
        angles = p * base ** (-exponent * features.double() / d_model)
        if every:
            even = torch.arange(d_model) % 2 == 0
            return torch.where(even, angles.sin(), angles.cos())
        pair = (angles.cos(), angles.sin()) if swap else (angles.sin(), angles.cos())
        if order == "halves":
            return torch.cat(pair, dim=1)
        return torch.stack(pair, dim=-1).flatten(1)

    return answer


def sines_by_loop(n, d_model):
    rows = [
        [
            (math.sin if j % 2 == 0 else math.cos)(p / 10_000 ** ((j - j % 2) / d_model))
            for j in range(d_model)
        ]
        for p in range(n)
    ]
    return torch.tensor(rows)


def rotation(sign=1, scale=1.0, same=False):
    def answer(k, d_model):
        matrix = torch.eye(d_model, dtype=torch.float64)
        for i in range(0, d_model, 2):
            b = k * 10_000.0 ** (-(0 if same else i) / d_model) * scale
            matrix[i, i] = matrix[i + 1, i + 1] = math.cos(b)
            matrix[i, i + 1], matrix[i + 1, i] = sign * math.sin(b), -sign * math.sin(b)
        return matrix

    return answer


def rotation_by_least_squares(k, d_model):
    table = sines()(300 + k, d_model)
    return torch.linalg.lstsq(table[:300], table[k:]).solution.T


def turn(sign=1, halves=False, shift=0, stretch=1.0):
    """Build an answer to 8.3, right or with a fault."""

    def answer(x, places):
        d = x.shape[1]
        angle = 10_000.0 ** (-torch.arange(0, d, 2).double() / d) * (places[:, None] + shift)
        u, v = (x[:, : d // 2], x[:, d // 2 :]) if halves else (x[:, 0::2], x[:, 1::2])
        a = u * angle.cos() - sign * v * angle.sin()
        b = sign * u * angle.sin() + v * angle.cos()
        if halves:
            return stretch * torch.cat([a, b], dim=1)
        return stretch * torch.stack([a, b], dim=-1).flatten(1)

    return answer


def turn_by_complex_numbers(x, places):
    d = x.shape[1]
    theta = 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    arrows = torch.view_as_complex(x.double().reshape(len(x), -1, 2).contiguous())
    turned = arrows * torch.polar(torch.ones_like(theta), places[:, None] * theta)
    return torch.view_as_real(turned).flatten(1)


def alibi_by_loop(slopes, n):
    return torch.tensor(
        [
            [[-m * (i - j) if j <= i else -math.inf for j in range(n)] for i in range(n)]
            for m in slopes.tolist()
        ]
    )


def alibi_of_the_hint(slopes, n):
    i = torch.arange(n)
    return -slopes[:, None, None] * (i[:, None] - i)


def alibi(sign=-1.0, hide=True, turned=False):
    def answer(slopes, n):
        distance = (torch.arange(n)[:, None] - torch.arange(n)).float()
        bias = sign * slopes[:, None, None] * distance.abs()
        if hide:
            bias = bias.masked_fill(distance < 0, -math.inf)
        return bias.mT if turned else bias

    return answer


RIGHT = {
    "sines_and_cosines": [sines(), sines_by_loop],
    "rotation_of_sines": [rotation(), rotation_by_least_squares],
    "rotary": [turn(), turn_by_complex_numbers],
    "alibi": [alibi(), alibi_by_loop],
    "needs_positions": ["bde", ["B", "D", "E"], "B, D and E"],
    "position_from_mean": [
        lambda y: (1 / y - 1).round(),
        lambda y: [1 / x - 1 for x in y.tolist()],
        lambda y: (1 - y) / y,
        lambda y: (1 / y).round().long() - 1,
    ],
}


WRONG = {
    "sines_and_cosines": [
        (sines(order="halves"), "all sines stand before all cosines"),
        (sines(swap=True), "sine and cosine are the wrong way round"),
        (sines(first=1), "positions count from 0"),
        (sines(exponent=2.0), "doubled once more"),
        (sines(every=True), "the exponent changes with every pair"),
        (sines(base=1000.0), "the numbers differ first at [1, 2]"),
        (lambda n, d_model: sines()(d_model, n), "(5, 8) is right"),
    ],
    "rotation_of_sines": [
        (rotation(sign=-1), "R turns the wrong way"),
        (rotation(same=True), "Each pair of features turns by its own angle"),
        (rotation(scale=0.5), "is off positions(p + k)"),
        (lambda k, d: torch.eye(d), "is off positions(p + k)"),
        (lambda k, d: torch.eye(d - 1), "(8, 8) is right"),
    ],
    "rotary": [
        (turn(sign=-1), "the other way round"),
        (turn(halves=True), "you paired feature i with feature i + d / 2"),
        (turn(shift=1), "the lengths of the rows are right"),
        (lambda x, p: torch.cat([turn()(x, p)[:, i::2] for i in (0, 1)], 1), "in another order"),
        (lambda x, p: turn()(x, p) * math.nan, "nan"),
        (
            lambda x, p: turn()(x, p[0] + torch.arange(len(x))),
            "positions are given, and need not follow each other",
        ),
        (
            lambda x, p: turn()(x, torch.arange(len(x))),
            "yours always begin at 0",
        ),
        (turn(stretch=2.0), "a turn changes no length"),
        (lambda x, places: x, "the numbers differ first"),
    ],
    "alibi": [
        (alibi(sign=1.0), "a key far away must be pushed down"),
        (alibi(hide=False), "later keys are not hidden, they only count as far away"),
        (alibi_of_the_hint, "later keys are not hidden: -inf"),
        (
            lambda slopes, n: alibi()(
                2.0 ** (-8 * torch.arange(1, len(slopes) + 1) / len(slopes)), n
            ),
            "the slopes are given, and others were used",
        ),
        (alibi(turned=True), "the other way round"),
        (lambda slopes, n: alibi()(slopes, n)[0], "(8, 4, 4) is right"),
        (lambda slopes, n: alibi()(slopes**2, n), "the biases differ first"),
    ],
    "needs_positions": [
        ("ABDE", "5 of the 6 statements are judged right, and 1 is not"),
        ("BCDE", "5 of the 6 statements are judged right, and 1 is not"),
        ("BD", "5 of the 6 statements are judged right"),
        ("ABCDEF", "3 of the 6 statements are judged right, and 3 are not"),
        ("G", "G is no statement here"),
    ],
    "position_from_mean": [
        (lambda y: 1 / y, "positions count from 0"),
        (lambda y: y, "it is that of position"),
        (lambda y: torch.arange(64), "it is that of position"),
        (lambda y: (1 / y - 1).long(), "it is that of position"),
        (lambda y: 1 / y - 0.9999, "it is that of position"),
        (lambda y: y.argsort(descending=True), "it is that of position"),
        (lambda y: 1 / y.mean(), "shape (64)"),
    ],
}
