"""Each program, on True and False and compiled, against plain Python: shorter and longer inputs."""

from collections import Counter

import pytest
import torch

from attention_lab.labs.programmable_weights import programs
from attention_lab.labs.programmable_weights.rasp import compiled

LENGTHS = [1, 2, 3, 5, 8, 13, 32]


def depth_is_right(tokens):
    depth = 0
    for token in tokens:
        depth += 1 if token == programs.OPEN else -1
        if depth < 0:
            return 0
    return int(depth == 0)


def most(tokens):
    counts = Counter(tokens)
    return next(t for t in tokens if counts[t] == max(counts.values()))


def seen_before(tokens):
    return [
        next((tokens[j] for j in range(i, 0, -1) if tokens[j - 1] == tokens[i]), -1)
        for i in range(len(tokens))
    ]


# program, what it should give, heads, tokens from and to
PROGRAMS = {
    "previous": (programs.previous, lambda t: [0, *t[:-1]], 1, (0, 9)),
    "shift by 3": (lambda t: programs.shift(t, 3), lambda t: [0] * min(3, len(t)) + t[:-3], 1,
                   (0, 9)),
    "shift by -2": (lambda t: programs.shift(t, -2, 5),
                    lambda t: t[2:] + [5] * min(2, len(t)), 1, (0, 9)),
    "length": (programs.length, lambda t: [len(t)] * len(t), 1, (0, 9)),
    "reverse": (programs.reverse, lambda t: t[::-1], 2, (0, 9)),
    "histogram": (programs.histogram, lambda t: [t.count(x) for x in t], 1, (0, 4)),
    "sort": (programs.sort, sorted, 3, (0, 9)),
    "most frequent": (programs.most_frequent, lambda t: [most(t)] * len(t), 4, (0, 4)),
    "palindrome": (programs.palindrome, lambda t: [int(t == t[::-1])] * len(t), 3, (0, 1)),
    "balanced": (programs.balanced, lambda t: [depth_is_right(t)] * len(t), 4, (1, 2)),
    "first index of 3": (lambda t: programs.first_index(t, 3),
                         lambda t: [t.index(3) if 3 in t else -1] * len(t), 2, (0, 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("n", LENGTHS)
def test_a_program_is_right_on_random_tokens_in_both_ways(name, n):
    program, right, heads_used, (low, high) = PROGRAMS[name]
    random = torch.Generator().manual_seed(n)
    for _ in range(20):
        tokens = torch.randint(low, high + 1, (n,), generator=random)
        wanted = right(tokens.tolist())
        assert program(tokens).tolist() == wanted, tokens
        with compiled(20) as heads:
            assert program(tokens).round().tolist() == wanted, tokens
        assert len(heads) == heads_used


def test_palindromes_are_found():
    for text in ([1], [1, 1], [2, 1, 2], [0, 3, 3, 0], [4, 5, 6, 5, 4]):
        with compiled(20):
            assert programs.palindrome(torch.tensor(text)).tolist() == [1] * len(text)


def test_brackets_of_every_kind_up_to_ten():
    right = 0
    for n in range(1, 11):
        for number in range(2**n):
            tokens = [programs.OPEN + (number >> k) % 2 for k in range(n)]
            found = programs.balanced(torch.tensor(tokens)).tolist()
            assert found == [depth_is_right(tokens)] * n
            right += found[0]
    assert right == 1 + 2 + 5 + 14 + 42  # the Catalan numbers


def test_induction_finds_what_came_next():
    for period in (1, 2, 5, 13, 16):
        random = torch.Generator().manual_seed(period)
        once = torch.randperm(26, generator=random)[:period]
        tokens = torch.cat([once, once])
        wanted = seen_before(tokens.tolist())
        assert wanted[period:-1] == once[1:].tolist()
        assert programs.induction(tokens).tolist() == wanted
        with compiled(20) as heads:
            assert programs.induction(tokens).round().tolist() == wanted
        assert len(heads) == 2


def test_induction_averages_where_a_token_is_there_three_times():
    found = programs.induction(torch.tensor([1, 5, 1, 7, 1]))
    assert found.tolist()[-1] == 6  # which is neither


SUMS = [
    "0+0",
    "1+9",
    "5+5",
    "47+385",
    "999+1",
    "4+995",
    "10+0",
    "9999999+1",
    "1+9999999",
    "0+7",
    "88+12",
    "12+88",
    "123456789+987654321",
    "111222333444555+999999999999999",
]


@pytest.mark.parametrize("text", SUMS)
def test_the_adder_adds(text):
    one, other = map(int, text.split("+"))
    assert programs.as_text(programs.adder(programs.read(text))) == str(one + other)
    with compiled(20) as heads:
        assert programs.as_text(programs.adder(programs.read(text))) == str(one + other)
    assert len(heads) == 5


def test_the_adder_adds_random_numbers_of_every_length():
    random = torch.Generator().manual_seed(0)

    def number(digits):
        return int(torch.randint(10 ** (digits - 1), 10**digits, (1,), generator=random))

    for first in (1, 2, 5, 12):
        for second in (1, 3, 5, 12):
            for _ in range(5):
                one, other = number(first), number(second)
                with compiled(20):
                    came = programs.as_text(programs.adder(programs.read(f"{one}+{other}")))
                assert came == str(one + other)
