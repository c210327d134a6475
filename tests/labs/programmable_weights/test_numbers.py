"""Numbers of notebook 11 that no other test holds."""

import math
import operator

import pytest
import torch

from attention_lab.labs.programmable_weights import figures, programs
from attention_lab.labs.programmable_weights.rasp import aggregate, compiled, select, width
from helpers import names_in


def stray(n, beta):
    """The weight beside the right address, in the middle of a row."""
    j = torch.arange(n).double()
    key, query = torch.stack([2 * j, -(j**2)], 1), torch.stack([j, torch.ones(n)], 1)
    return 1 - (beta * query @ key.T).softmax(-1)[n // 2, n // 2].item()


@pytest.mark.parametrize(("beta", "two", "of_8", "of_1000"), [
    (1, 0.436, 0.720, 0.997), (5, 0.0133, 0.045, 0.871), (10, 9.1e-5, 3.2e-4, 0.0434),
])  # fmt: skip
def test_an_address_in_two_numbers_does_not_blur_with_more_keys(beta, two, of_8, of_1000):
    for n in (8, 64, 1000):
        assert stray(n, beta) == pytest.approx(two, rel=6e-3)
    for n, one_hot in ((8, of_8), (1000, of_1000)):
        assert (n - 1) / (math.exp(beta) + n - 1) == pytest.approx(one_hot, rel=1e-2)


def wrong(dtype, positions, n):
    """How many of some positions do not find themselves among n."""
    j = torch.arange(n).to(dtype)
    i = positions.to(dtype)[:, None]
    return int(((i * (2 * j) - j * j).argmax(-1) != positions).sum())


def test_where_an_address_in_two_numbers_ends():
    assert wrong(torch.float32, torch.arange(3897, 4097), 4097) == 0
    assert wrong(torch.float32, torch.tensor([4097]), 4098) == 1
    assert wrong(torch.float32, torch.arange(7992, 8192), 8192) == 200
    assert wrong(torch.float64, torch.arange(7992, 8192), 8192) == 0
    assert wrong(torch.bfloat16, torch.arange(17), 17) == 0
    assert wrong(torch.bfloat16, torch.tensor([17]), 18) == 1
    find = names_in("11_programmable_weights.ipynb", "import", "far")["wrong_from"]
    assert [find(dtype) for dtype in (torch.float32, torch.bfloat16)] == [4097, 17]
    assert find(torch.float64) is None


@pytest.mark.parametrize(("beta", "empty", "match"), [(10, 0.051, 0.0070), (20, 3.6e-4, 4.5e-5)])
def test_what_a_bos_token_at_half_the_score_costs(beta, empty, match):
    bos = math.exp(beta / 2)
    assert 8 / (bos + 8) == pytest.approx(empty, rel=1e-2)
    assert (bos + 7) / (math.exp(beta) + bos + 7) == pytest.approx(match, rel=1e-2)


def test_the_picture_on_top_shows_five_heads_of_a_sum_with_a_nine():
    drawn = figures.opening()
    assert all(name in drawn.sentence for name in figures.HEADS)
    assert programs.as_text(programs.adder(programs.read(figures.SUM))) == "405"
    with compiled(20) as heads:
        programs.adder(programs.read(figures.SUM))
    assert len(heads) == len(figures.HEADS)
    assert heads[4].weights[3, 6] > 0.999  # over the 9, to the last column


def test_a_long_input_does_not_spoil_a_count():
    tokens = torch.arange(64) % 3
    with compiled(20, domain=range(3)):
        counts = width(select(tokens, tokens, lambda k, q: k == q))
    assert counts.round().tolist() == [22 if t == 0 else 21 for t in tokens.tolist()]


@pytest.mark.parametrize(("beta", "is_read"), [(1, False), (1.94, False), (1.95, True), (2, True)])
def test_a_key_outweighs_seven_others_from_ln_7_on(beta, is_read):
    at, tokens = torch.arange(8), torch.tensor([3] + [1] * 7)
    with compiled(beta, bos=False):
        share = aggregate(select(at, at - 1, operator.eq), (tokens == 3).long())[1].item()
    assert share == pytest.approx(math.exp(beta) / (math.exp(beta) + 7))
    assert (share > 0.5) == is_read == (beta > math.log(7))


@pytest.mark.parametrize("beta", [1, 2, 5, 10, 20])
def test_how_far_a_count_is_off(beta):
    tokens = torch.arange(8)
    with compiled(beta):
        error = (width(select(tokens, tokens, operator.eq)) - 1).max().item()
    golden = {1: 2.58, 2: 0.947, 5: 0.0472, 10: 3.2e-4, 20: 1.4e-8}
    assert error == pytest.approx(golden[beta], rel=0.05)
