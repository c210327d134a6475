"""What is counted is so: multiply-adds, bytes at once, slopes; no test looks at a clock."""

import math

import pytest
import torch
from torch import nn

from attention_lab.core.attention import attention
from attention_lab.core.tiled import tiled_attention
from attention_lab.labs.cost.measure import (
    Times,
    crossing,
    multiply_adds,
    peak_bytes,
    slope,
    times,
)

MIB = 2**20


@pytest.fixture(autouse=True)
def one_thread(threads):
    """Two threads that wait for each other on a busy machine would take minutes."""
    torch.set_num_threads(1)


def test_multiply_adds_are_those_of_the_formulas():
    n, d, k = 50, 512, 3
    x = torch.randn(1, n, d)
    assert multiply_adds(lambda: attention(x, x, x)) == 2 * n * n * d
    assert multiply_adds(lambda: nn.Conv1d(d, d, k, padding=1)(x.mT)) == k * n * d * d
    assert multiply_adds(lambda: nn.GRU(d, d, batch_first=True)(x)) == 6 * n * d * d
    assert multiply_adds(lambda: tiled_attention(x, x, x, tile=16)) == 2 * n * n * d


def test_peak_bytes_counts_what_is_there_at_once_and_not_what_was_there_before():
    before = torch.ones(1000, 1000)

    def one_after_the_other():
        for _ in range(5):
            made = before + 1  # the one before is freed when the name moves on, after this one
        return made

    assert peak_bytes(lambda: torch.zeros(1000, 1000)) == 4_000_000
    assert peak_bytes(lambda: before.T[:10]) == 0  # a view
    assert peak_bytes(lambda: before.clone().add_(1)) == 4_000_000  # in place
    assert peak_bytes(one_after_the_other) == 8_000_000
    assert peak_bytes(lambda: (before + 1) @ (before + 2)) == 12_000_000
    assert peak_bytes(lambda: 3) == 0


def test_peak_bytes_knows_that_what_was_given_away_is_gone():
    def both():
        first = torch.ones(1000)
        del first
        return torch.ones(1000)

    assert peak_bytes(both) == 4000


def test_tiled_attention_takes_less_than_a_twentieth_of_the_naive_way():
    query, key, value = torch.randn(3, 4096, 16)  # the notebook does it with 8192

    def naive():
        return (query @ key.T / 4).softmax(dim=-1) @ value

    whole = peak_bytes(naive)
    assert whole == 2 * 4096**2 * 4  # scores and weights; the output comes when the scores are gone
    tiled = peak_bytes(lambda: tiled_attention(query, key, value))
    assert tiled < whole / 20
    # half as many tokens: half the output, and the same tiles
    shorter = torch.randn(3, 2048, 16)
    assert peak_bytes(lambda: tiled_attention(*shorter)) < tiled < 2 * MIB + 3 * 4096 * 16 * 4


def test_slope_and_crossing_of_known_lines():
    xs = [1.0, 2.0, 4.0, 8.0]
    assert slope(xs, [3 * x**2 for x in xs]) == pytest.approx(2)
    assert slope(xs, [5 * x for x in xs]) == pytest.approx(1)
    flat, square = [9.0] * 4, [x**2 for x in xs]
    assert crossing(xs, square, flat) == pytest.approx(3)
    assert crossing(xs, flat, square) is None  # it falls below, and never rises above
    assert crossing(xs, [0.1] * 4, flat) is None


@pytest.mark.parametrize(("xs", "ys"), [([1], [1]), ([2, 2], [1, 3]), ([1, 2], [0.0, 1.0])])
def test_a_slope_needs_two_sizes_and_positive_numbers(xs, ys):
    with pytest.raises(ValueError, match="two sizes or more, all positive"):
        slope(xs, ys)


def test_times_take_turns_after_one_call_each_that_does_not_count():
    order = []
    made = times({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=3)
    assert order == ["a", "b"] * 4
    assert {name: len(each.all) for name, each in made.items()} == {"a": 3, "b": 3}
    assert all(list(each.all) == sorted(each.all) for each in made.values())


def test_times_say_median_and_spread():
    each = Times((1.0, 2.0, 9.0))
    assert (each.median, each.fastest, each.spread) == (2.0, 1.0, (1.0, 9.0))
    assert str(each) == "2.00 ms (1.00 to 9.00)"
    assert math.isclose(Times((1.0, 2.0)).median, 1.5)
