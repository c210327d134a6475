"""Right answers, and wrong ones with what must be said of them."""

import math

import torch


def sines(n, d, start=0):
    angles = torch.arange(start, start + n).double()[:, None]
    angles = angles * 10_000.0 ** (-torch.arange(0, d, 2).double() / d)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def nearest(most=1000, first=0):
    """Build an answer to 8.1 that looks a row up among those of ``first`` to ``most``."""

    def answer(rows):
        return (rows.double() @ sines(most, rows.shape[1], first).T).argmax(dim=1)

    return answer


def nearest_by_distance(rows):
    return torch.cdist(rows.double(), sines(1000, rows.shape[1])).argmin(dim=1)


def hand_by_hand(rows):
    """Read the slowest hand first, and let each faster one sharpen it."""
    d = rows.shape[1]
    angles = torch.atan2(rows[:, 0::2].double(), rows[:, 1::2].double())  # (n, d / 2)
    found = torch.zeros(len(rows), dtype=torch.float64)
    for i in reversed(range(d // 2)):
        speed = 10_000.0 ** (-2 * i / d)
        turns = ((found * speed - angles[:, i]) / (2 * math.pi)).round()
        found = (angles[:, i] + 2 * math.pi * turns) / speed
    return found.round()


def fastest_hand(rows):
    return torch.atan2(rows[:, 0], rows[:, 1])


def summed(sign=1, order="alternate", turned=False):
    """Build an answer to 8.2, right or with a fault."""

    def answer(one, other):
        if turned:
            one, other = other, one
        s, c, t, e = one[:, 0::2], one[:, 1::2], other[:, 0::2], other[:, 1::2]
        sine, cosine = s * e + sign * c * t, c * e - sign * s * t
        if order == "halves":
            return torch.cat([sine, cosine], dim=1)
        pair = (cosine, sine) if order == "swapped" else (sine, cosine)
        return torch.stack(pair, dim=-1).flatten(1)

    return answer


def summed_by_complex_numbers(one, other):
    # cos + i sin: the sine is the imaginary part, and comes first in a row
    a, b = (torch.complex(x[:, 1::2], x[:, 0::2]) for x in (one, other))
    return torch.stack([(a * b).imag, (a * b).real], dim=-1).flatten(1)


def summed_by_angles(one, other):
    angle = sum(torch.atan2(x[:, 0::2], x[:, 1::2]) for x in (one, other))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def turn(sign=1, halves=True, shift=0, stretch=1.0, out_halves=True):
    """Build an answer to 8.3, right or with a fault."""

    def answer(x, positions):
        d = x.shape[1]
        angle = 10_000.0 ** (-torch.arange(0, d, 2).double() / d) * (positions[:, None] + shift)
        u, v = (x[:, : d // 2], x[:, d // 2 :]) if halves else (x[:, 0::2], x[:, 1::2])
        a = u * angle.cos() - sign * v * angle.sin()
        b = sign * u * angle.sin() + v * angle.cos()
        if halves and out_halves:
            return stretch * torch.cat([a, b], dim=1)
        return stretch * torch.stack([a, b], dim=-1).flatten(1)

    return answer


def turn_by_a_second_copy(x, positions):
    """x cos + rotate_half(x) sin, as in many libraries."""
    d = x.shape[1]
    angle = positions[:, None] * 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    angle = torch.cat([angle, angle], dim=1)
    half = torch.cat([-x[:, d // 2 :], x[:, : d // 2]], dim=1)
    return x * angle.cos() + half * angle.sin()


def turn_by_complex_numbers(x, positions):
    d = x.shape[1]
    theta = 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    arrows = torch.complex(x[:, : d // 2].double(), x[:, d // 2 :].double())
    turned = arrows * torch.polar(torch.ones_like(theta), positions[:, None] * theta)
    return torch.cat([turned.real, turned.imag], dim=1)


def gates_by_loop(gates):
    logs, n = gates.log().tolist(), len(gates)
    bias = torch.full((n, n), -math.inf)
    for i in range(n):
        for j in range(i + 1):
            bias[i, j] = sum(logs[j + 1 : i + 1])
    return bias


def gates(first=1, last=1, sign=1, hide=True, product=False, constant=False, turned=False):
    """Build an answer to 8.4: gates from j + first up to i + last, i + last not included."""

    def answer(given):
        n = len(given)
        bias = given.new_full((n, n), -math.inf)
        for i in range(n):
            for j in range(n if not hide else i + 1):
                low, high = sorted((j, i))
                steps = given[low + first : high + last]
                if constant:
                    steps = given[i].expand(i - j)
                forward = 1 if j <= i else -1
                bias[i, j] = sign * forward * steps.log().sum()
        if product:
            bias = torch.where(bias > -math.inf, bias.exp(), bias)
        return bias.mT if turned else bias

    return answer


def gates_by_cumsum(given):
    total = given.log().cumsum(dim=0)
    bias = total[:, None] - total[None, :]
    return bias.masked_fill(torch.ones_like(bias).triu(1) > 0, -math.inf)


RIGHT = {
    "read_the_clocks": [nearest(), nearest(most=3000), nearest_by_distance, hand_by_hand],
    "add_positions": [summed(), summed(turned=True), summed_by_complex_numbers, summed_by_angles],
    "rotary_by_halves": [turn(), turn_by_complex_numbers, turn_by_a_second_copy],
    "forget_gates": [gates(), gates_by_loop, gates_by_cumsum],
    "needs_positions": ["bde", ["B", "D", "E"], "B, D and E"],
    "position_from_mean": [
        lambda y, first, others: (first - y) / (y - others),
        lambda y, first, others: (first - others) / (y - others) - 1,
        lambda y, first, others: [((first - x) / (x - others)) for x in y.tolist()],
        lambda y, first, others: ((first - others) / (y - others)).round().long() - 1,
    ],
}


WRONG = {
    "read_the_clocks": [
        (fastest_hand, "right up to whole turns of the fastest hand"),
        (lambda rows: fastest_hand(rows) % (2 * math.pi), "up to whole turns of the fastest hand"),
        (lambda rows: nearest()(rows) + 1, "positions count from 0"),
        (nearest(most=100), "none of yours is 100 or more"),
        (lambda rows: torch.arange(len(rows)), "the row of position 9 (d_model = 8) is read as"),
        (lambda rows: rows @ sines(1000, rows.shape[1]).to(rows).T, "shape (4), not (4, 1000)"),
        (lambda rows: (rows.double() @ sines(1000, rows.shape[1]).T).argmin(1), "is read as"),
    ],
    "add_positions": [
        (summed(sign=-1), "that is PE(p − q)"),
        (summed(sign=-1, turned=True), "that is PE(q − p)"),
        (lambda one, other: one + other, "the rows are added number by number"),
        (lambda one, other: one * other, "the rows are multiplied number by number"),
        (summed(order="swapped"), "the cosine comes first in your rows"),
        (summed(order="halves"), "all your sines come before all cosines"),
        (lambda one, other: (one + other) / 2, "a hand (sine, cosine) has length 1"),
        (lambda one, other: one, "so they are turned, but by other angles"),
    ],
    "rotary_by_halves": [
        (turn(sign=-1), "the other way round"),
        (turn(halves=False), "those are the pairs of section 4"),
        (turn(out_halves=False), "in another order"),
        (turn(shift=1), "the lengths of the rows are right"),
        (lambda x, p: turn()(x, p) * math.nan, "nan"),
        (
            lambda x, p: turn()(x, p[0] + torch.arange(len(x))),
            "positions are given, and need not follow each other",
        ),
        (lambda x, p: turn()(x, torch.arange(len(x))), "yours always begin at 0"),
        (turn(stretch=2.0), "a turn changes no length"),
        (lambda x, positions: x, "the numbers differ first"),
    ],
    "forget_gates": [
        (gates(sign=-1), "its logarithm is below 0 already"),
        (gates(product=True), "the bias is their logarithm"),
        (gates(hide=False), "later keys are not hidden"),
        (gates(first=0), "the gate of key j was counted too"),
        (gates(first=0, last=0), "the gates from j to i - 1 were counted"),
        (gates(constant=True), "every step has a gate of its own"),
        (gates(turned=True), "the other way round"),
        (lambda given: gates()(given)[None], "(4, 4) is right"),
        (lambda given: gates()(given) + 1, "your diagonal is 1"),
        (lambda given: 2 * gates()(given), "the diagonal is right, 0"),
    ],
    "needs_positions": [
        ("ABDE", "5 of the 6 statements are judged right, and 1 is not"),
        ("BCDE", "5 of the 6 statements are judged right, and 1 is not"),
        ("BD", "5 of the 6 statements are judged right"),
        ("ABCDEF", "3 of the 6 statements are judged right, and 3 are not"),
        ("G", "G is no statement here"),
    ],
    "position_from_mean": [
        (lambda y, first, others: 1 / y, "positions count from 0"),
        (lambda y, first, others: (first - others) / (y - others), "positions count from 0"),
        (lambda y, first, others: 1 / y - 1, "is right only where first is 1 and others are 0"),
        (lambda y, first, others: y, "it is that of position"),
        (lambda y, first, others: torch.arange(64), "it is that of position"),
        (lambda y, first, others: first / y - 1, "first = 1 and others = -2: "),
        (lambda y, first, others: (first - y) / (y - others) + 1e-4, "it is that of position"),
        (lambda y, first, others: y.argsort(descending=True), "it is that of position"),
        (lambda y, first, others: 1 / y.mean(), "shape (64)"),
    ],
}
