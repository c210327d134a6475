"""Right answers, and wrong ones with what must be said of them."""

import math
import operator

import torch

from attention_lab.labs.programmable_weights import programs
from attention_lab.labs.programmable_weights.rasp import aggregate, positions, select, width

eq, lt, gt, le = operator.eq, operator.lt, operator.gt, operator.le
BLANK = PLUS = 10


def aligned(tokens, budge=0, fill=0.0):
    at = positions(tokens)
    blanks = width(select(tokens, BLANK, eq)).round()
    digits = torch.where(tokens == BLANK, 0, tokens)
    return aggregate(select(at, (at - blanks - budge).clamp(min=-1), eq), digits, fill)


def aligned_from_the_right(tokens):
    """By counting the digits."""
    at, n = positions(tokens), len(tokens)
    count = width(select(tokens, BLANK, lt)).round()
    digits = torch.where(tokens == BLANK, 0, tokens)
    back = (at - (n - count)).clamp(min=-1)
    return aggregate(select(at, back, eq), digits).round()


def aligned_by_the_larger(tokens):
    """torch.max of two tensors is a map."""
    at, blanks = positions(tokens), width(select(tokens, BLANK, eq)).round()
    digits = torch.where(tokens == BLANK, 0, tokens)
    return aggregate(select(at, torch.max(at - blanks, torch.tensor(-1.0)), eq), digits)


def aligned_by_a_loop(tokens):
    digits = [t for t in tokens.tolist() if t != BLANK]
    return torch.tensor([0.0] * (len(tokens) - len(digits)) + digits)


def aligned_with_length(tokens):
    """Three heads, the length one of them."""
    programs.length(tokens)
    return aligned(tokens)


def aligned_with_blanks(tokens):
    """The blanks are fetched as well: they come from behind the digits, never."""
    at = positions(tokens)
    blanks = width(select(tokens, BLANK, eq)).round()
    return aggregate(select(at, (at - blanks) % len(tokens), eq), tokens)


def rarest(tokens, rarer=lt, later=gt):
    at, often = positions(tokens), programs.histogram(tokens).round()
    rank = width(select(often, often, rarer)).round()
    rank = rank + width(select(often, often, eq) & select(at, at, later)).round()
    return aggregate(select(rank, 0, eq), tokens)


def rarest_by_one_number(tokens):
    """Count and position in one key: larger is better."""
    at, often = positions(tokens), programs.histogram(tokens).round()
    as_rare_later = select(often, often, eq) & select(at, at, gt)
    rank = width(as_rare_later).round() + width(select(often, often, lt)).round()
    return aggregate(select((rank == 0).long(), 1, eq), tokens).round()


def rarest_unrounded(tokens):
    at, often = positions(tokens), programs.histogram(tokens)
    rank = width(select(often, often, lt)) + width(select(often, often, eq) & select(at, at, gt))
    return aggregate(select((rank == 0).long(), 1, eq), tokens)


def rarest_by_a_large_number(tokens):
    """Count and position in one key, beyond the numbers that weights are written for."""
    at, often = positions(tokens), programs.histogram(tokens).round()
    key = 100 * often - at  # smaller is rarer, or later
    return aggregate(select(width(select(key, key, lt)).round(), 0, eq), tokens)


def carried(sums):
    at, decides = positions(sums), (sums != 9).long()
    right = width(select(decides, 1, eq) & select(at, at, gt)).round()
    number = torch.where(decides == 1, right + 1, -1)
    return aggregate(select(number, right, eq), (sums > 9).long())


def carried_from_the_end(sums):
    """Two heads that count: columns on the right that decide, and are numbered from the left."""
    at, decides = positions(sums), (sums != 9).long()
    right = width(select(decides, 1, eq) & select(at, at, gt)).round()
    number = torch.where(decides == 1, right, -1)
    wanted = torch.where(right > 0, right - 1, 32)
    return aggregate(select(number, wanted, eq), (sums >= 10).double()).round()


def carried_from_any(sums):
    at = positions(sums)
    return (width(select((sums > 9).long(), 1, eq) & select(at, at, gt)).round() > 0).double()


def carried_from_the_next(sums):
    at = positions(sums)
    return aggregate(select(at, at + 1, eq), (sums > 9).long())


def carried_out(sums):
    return ((sums + carried(sums)) > 9).double()


def added_without_carry(tokens):
    at, digits = positions(tokens), torch.where(tokens == PLUS, 0, tokens)
    column = programs.length(tokens) - 1 - at
    plus = aggregate(select(tokens, PLUS, eq), at).round()
    first = aggregate(select(at, (plus - 1 - column).clamp(min=-1), eq), digits).round()
    return (first + torch.where(at > plus, digits, 0)) % 10


def added_in_four(tokens):
    """The length is no head here: it is known at every position, as a number in the program."""
    at, n, digits = positions(tokens), len(tokens), torch.where(tokens == PLUS, 0, tokens)
    plus = aggregate(select(tokens, PLUS, eq), at).round()
    first = aggregate(select(at, (plus - n + at).clamp(min=-1), eq), digits).round()
    sums = first + torch.where(at > plus, digits, 0)
    return (sums + carried(sums).round()) % 10


def added_in_many(tokens):
    programs.length(tokens)
    return programs.adder(tokens)


def added_from_the_left(tokens):
    row = tokens.tolist()
    plus = row.index(PLUS)
    one, other = row[:plus], row[plus + 1 :]
    wide = max(len(one), len(other))
    one, other = (each + [0] * (wide - len(each)) for each in (one, other))
    total = int("".join(map(str, one))) + int("".join(map(str, other)))
    return torch.tensor([float(d) for d in str(total).zfill(len(row))])


def aligned_by_a_sum(tokens):
    """Count the blanks by torch, not by a head."""
    at, blanks = positions(tokens), (tokens == BLANK).sum()
    digits = torch.where(tokens == BLANK, 0, tokens)
    return aggregate(select(at, (at - blanks).clamp(min=-1), eq), digits)


def rarest_by_min(tokens):
    often = programs.histogram(tokens).round()
    return aggregate(select(often, often.min(), eq), tokens)


def carried_by_a_loop(sums):
    """One head, whose result is not used."""
    width(select(sums, 9, eq))
    carry, found = 0, []
    for total in sums.tolist()[::-1]:
        found.insert(0, float(carry))
        carry = int(total + carry > 9)
    return torch.tensor(found)


def carried_by_indices(sums):
    width(select(sums, 9, eq))
    carry, found = 0, []
    for i in range(len(sums) - 1, -1, -1):
        found.insert(0, float(carry))
        carry = int(sums[i] + carry > 9)
    return torch.tensor(found)


def first_number(tokens):
    at, digits = positions(tokens), torch.where(tokens == PLUS, 0, tokens)
    plus = aggregate(select(tokens, PLUS, eq), at).round()
    return aggregate(select(at, (plus - len(tokens) + at).clamp(min=-1), eq), digits)


def by_int(tokens):
    text = "".join("+" if t == PLUS else str(t) for t in tokens.tolist())
    one, other = text.split("+")
    return torch.tensor([float(d) for d in str(int(one) + int(other)).zfill(len(text))])


def latest(tokens):
    at = positions(tokens)
    times = width(select(tokens, tokens, eq) & select(at, at, le)).round()
    before = programs.previous(tokens, default=-1)
    times_before = programs.previous(times, default=-1)
    seen = select(before, tokens, eq) & select(times_before, times - 1, eq)
    return aggregate(seen, tokens, default=-1)


def latest_with_earlier(tokens):
    """Counting those before, without itself."""
    at = positions(tokens)
    times = width(select(tokens, tokens, eq) & select(at, at, lt)).round()
    last = select(programs.previous(times, -1), times - 1, eq)
    here = select(programs.previous(tokens, -1), tokens, eq)
    return aggregate(here & last, tokens, default=-1).round()


def earliest(tokens):
    at = positions(tokens)
    times = width(select(tokens, tokens, eq) & select(at, at, le)).round()
    seen = select(programs.previous(tokens, -1), tokens, eq) & select(at, at, le)
    return aggregate(seen & select(programs.previous(times, -1), 1, eq), tokens, default=-1)


def latest_or_zero(tokens):
    return latest(tokens).clamp(min=0)


def no_return(*_):
    print("computed")


RIGHT = {
    "sharp_enough": [
        lambda n, stray: math.log(n - 1) + math.log(1 / stray - 1),
        lambda n, stray: torch.tensor((n - 1) * (1 - stray) / stray).log(),
        lambda n, stray: -math.log(stray / (1 - stray) / (n - 1)),
    ],
    "right_align": [
        aligned,
        aligned_by_the_larger,
        aligned_from_the_right,
        lambda tokens: aligned(tokens).round().long(),
    ],
    "least_frequent": [rarest, rarest_by_one_number, lambda tokens: rarest(tokens).round().long()],
    "carry_column": [carried, carried_from_the_end, lambda sums: carried(sums).round() > 0],
    "two_number_adder": [programs.adder, added_in_four, lambda t: programs.adder(t).long()],
    "last_induction": [latest, latest_with_earlier, lambda tokens: latest(tokens).round().long()],
}

WRONG = {
    "sharp_enough": [
        (lambda n, stray: math.log(n * (1 - stray) / stray), "n keys go astray here"),
        (lambda n, stray: math.log((n - 1) / stray), "the e^β of the selected key is missing"),
        (lambda n, stray: (n - 1) * (1 - stray) / stray, "this is e^β; take its logarithm"),
        (lambda n, stray: math.log((1 - stray) / stray), "this is for one other key"),
        (lambda n, stray: math.log((n - 1) * stray / (1 - stray)),
         "lets the selected key have only"),
        (lambda n, stray: math.log2((n - 1) * (1 - stray) / stray), "at that β the others have"),
        (lambda n, stray: 1e6, "at that β the others have 0"),
        (lambda n, stray: 20.0, "at that β the others have"),
        (lambda n, stray: True, "must be a tensor, but it is a bool"),
        (lambda n: 1.0, "called with 2 arguments (n, stray)"),
        (no_return, "returned None"),
    ],
    "right_align": [
        (lambda tokens: torch.where(tokens == BLANK, 0, tokens), "the digits stay at the left"),
        (aligned_with_blanks, "blanks come round to the left end"),
        (lambda tokens: aligned(tokens, budge=1), "one position too far"),
        (lambda tokens: programs.previous(tokens), "each digit moves by one"),
        (lambda tokens: tokens, "the blanks are still there"),
        (aligned_by_a_loop, "used no head"),
        (aligned_by_a_sum, "looks at several tokens outside of a head, by sum"),
        (aligned_with_length, "with 3 heads; 2 are enough"),
        (lambda tokens: aligned(tokens, fill=9.0), "right for other inputs, but for tokens = "),
        (lambda tokens: aligned(tokens) + width(select(tokens, tokens, lambda k, q: k > q and q)),
         "write &, | and ~"),
        (no_return, "returned None"),
    ],
    "least_frequent": [
        (lambda tokens: rarest(tokens, later=lt), "takes the first; the last is asked for"),
        (lambda tokens: rarest(tokens, rarer=gt), "this is the most frequent token"),
        (programs.histogram, "each position has its own count"),
        (rarest_by_min, "takes the mean, which is none of them"),
        (rarest_by_a_large_number, "through attention weights: rarest_by_a_large_number raised"),
        (rarest_unrounded, "round what a head has computed"),
        (programs.most_frequent, "for tokens = "),
        (lambda tokens: aggregate(select(programs.histogram(tokens), 1, eq), tokens),
         "for tokens = "),
        (lambda tokens: torch.full((len(tokens),), 2.0), "for tokens = "),
        (no_return, "returned None"),
    ],
    "carry_column": [
        (carried_from_the_next, "a carry dies there"),
        (carried_by_a_loop, "outside of a head, by tolist"),
        (carried_by_indices, "outside of a head, by getitem"),
        (carried_out, "this is the carry out of each column"),
        (carried_from_any, "only the nearest one that is not 9"),
        (lambda sums: carried(sums.flip(0)).flip(0), "the carry comes from the left"),
        (lambda sums: (sums > 9).double(), "for tokens = "),
        (lambda sums: torch.zeros(len(sums)), "right for other inputs, but for tokens = "),
        (no_return, "returned None"),
    ],
    "two_number_adder": [
        (added_without_carry, "the carries are missing"),
        (added_from_the_left, "added from their left ends"),
        (first_number, "this is only the first number"),
        (by_int, "used no head"),
        (added_in_many, "with 6 heads; 5 are enough"),
        (lambda tokens: programs.adder(tokens) + 1, "for tokens"),
        (lambda tokens: programs.adder(tokens)[-4:], "returned shape (4,)"),
        (no_return, "returned None"),
    ],
    "last_induction": [
        (earliest, "after the first time; the last time before"),
        (programs.induction, "this takes the mean of all that came after"),
        (latest_or_zero, "give aggregate default=-1"),
        (programs.previous, "for tokens = "),
        (lambda tokens: torch.full((len(tokens),), -1.0), "right for other inputs"),
        (lambda tokens: torch.tensor(
            [next((tokens[j - 1].item() for j in range(i - 1, 0, -1) if tokens[j] == tokens[i]), -1)
             for i in range(len(tokens))]), "this is what came before it"),
        (no_return, "returned None"),
    ],
}  # fmt: skip
