"""Select, aggregate and width: on True and False, and through the weights written for them."""

import math
import operator

import pytest
import torch

from attention_lab.labs.programmable_weights.rasp import (
    aggregate,
    compiled,
    positions,
    select,
    width,
)

TOKENS = torch.tensor([3, 1, 4, 1, 5])


def test_select_compares_each_query_with_each_key():
    selector = select(TOKENS, positions(TOKENS), operator.le)
    assert selector.matrix.tolist() == [[k <= q for k in TOKENS.tolist()] for q in range(5)]
    both = selector & select(positions(TOKENS), 1, operator.ge)
    assert both.matrix[4].tolist() == [False, True, True, True, False]
    assert both.matrix.shape == (5, 5)


def test_aggregate_averages_and_an_empty_row_has_the_default():
    at = positions(TOKENS)
    assert aggregate(select(at, at, operator.le), TOKENS).tolist() == pytest.approx(
        [3, 2, 8 / 3, 9 / 4, 14 / 5]
    )
    assert aggregate(select(at, at - 1, operator.eq), TOKENS, default=-1).tolist() == [
        -1, 3, 1, 4, 1,
    ]  # fmt: skip
    assert width(select(TOKENS, TOKENS, operator.eq)).tolist() == [1, 2, 1, 2, 1]


@pytest.mark.parametrize("beta", [1.0, 2.0, 5.0, 10.0, 20.0])
@pytest.mark.parametrize("n", [1, 2, 8, 20])
def test_the_error_of_a_count_is_what_the_closed_form_says(n, beta):
    tokens = torch.arange(n) // 2
    with compiled(beta):
        count = width(select(tokens, tokens, operator.eq))
    exact = width(select(tokens, tokens, operator.eq))
    assert torch.allclose(count - exact, (n - exact) * math.exp(-beta), atol=1e-11)


@pytest.mark.parametrize("beta", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("n", [2, 8, 30])
def test_the_stray_weight_is_what_the_closed_form_says(n, beta):
    at = torch.arange(n)
    with compiled(beta, bos=False) as heads:
        aggregate(select(at, at, operator.eq), at)
    stray = (n - 1) / (math.exp(beta) + n - 1)
    assert torch.allclose(1 - heads[0].weights.diagonal(), torch.tensor(stray).double())
    with compiled(beta) as heads:  # BOS has half the score
        aggregate(select(at, -1, operator.eq), at)
        aggregate(select(at, at, operator.eq), at)
    empty, match = heads
    bos = math.exp(beta / 2)
    assert 1 - empty.weights[0, 0].item() == pytest.approx(n / (bos + n))
    right = match.weights[:, 1:].diagonal()
    assert 1 - right[0].item() == pytest.approx((bos + n - 1) / (math.exp(beta) + bos + n - 1))


def test_an_empty_row_without_bos_is_the_average_of_everything():
    at = positions(TOKENS)
    nobody, everybody = select(at, -1, operator.eq), select(at, -1, operator.ne)
    with compiled(20, bos=False):
        assert torch.equal(aggregate(nobody, TOKENS), aggregate(everybody, TOKENS))
    with compiled(20):
        assert aggregate(nobody, TOKENS, default=7)[0] == pytest.approx(7, abs=2e-3)
        assert aggregate(everybody, TOKENS, default=7)[0] == pytest.approx(14 / 5, abs=1e-3)
    with compiled(20, bos=False), pytest.raises(ValueError, match="needs a BOS token"):
        width(everybody)


@pytest.mark.parametrize("n", [1, 3, 9, 32])
def test_both_machines_agree_on_random_selectors(n):
    random = torch.Generator().manual_seed(n)
    for _ in range(10):
        keys, queries, values = torch.randint(0, 6, (3, n), generator=random)
        for predicate in (operator.eq, operator.lt, operator.ge, lambda k, q: (k - q) % 3 == 1):
            one = select(keys, queries, predicate)
            both = one & select(positions(keys), positions(keys), operator.le)
            for selector in (one, both):
                with compiled(30) as heads:
                    came = aggregate(selector, values, default=-2), width(selector)
                assert torch.allclose(came[0], aggregate(selector, values, default=-2), atol=1e-4)
                assert torch.allclose(came[1], width(selector), atol=1e-6)
                assert len(heads) == 2
                assert heads[0].weights.shape == (n, n + 1)


def test_the_weights_do_not_depend_on_the_tokens_and_have_no_offsets():
    kept = []
    for tokens in (TOKENS, torch.tensor([9, 9])):
        with compiled(10) as heads:
            aggregate(select(tokens, 3, operator.lt), tokens)
        kept.append(heads[0].layer.state_dict())
    assert all(torch.equal(kept[0][name], kept[1][name]) for name in kept[0])
    assert not any(kept[0][name].any() for name in kept[0] if name.endswith("bias"))
    table = kept[0]["key.weight"][:, :34]  # W_K is the truth table, for the numbers -1 to 32
    assert torch.equal(table, torch.ones(34, 34).double().tril(-1))


def test_outside_of_with_nothing_is_compiled_and_blocks_can_be_nested():
    at = positions(TOKENS)
    selector = select(at, at, operator.eq)
    with compiled(1) as outer:
        with compiled(30) as inner:
            sharp = aggregate(selector, TOKENS)
        soft = aggregate(selector, TOKENS)
    exact = aggregate(selector, TOKENS)
    assert len(outer) == len(inner) == 1
    assert torch.equal(exact, TOKENS.double())
    assert (sharp - exact).abs().max() < 1e-4 < (soft - exact).abs().max()


def test_what_cannot_be_used_is_said():
    at = positions(TOKENS)
    with pytest.raises(ValueError, match="lengths are \\[2, 5\\]"):
        select(at, at[:2], operator.eq)
    with pytest.raises(ValueError, match="one of them a sequence; their lengths are \\[\\]"):
        select(1, 2, operator.eq)
    with pytest.raises(ValueError, match="write &, \\| and ~"):
        select(at, at, lambda k, q: k == q and k > 0)
    with pytest.raises(ValueError, match="True or False, but this one gave"):
        select(at, at, lambda k, q: k - q)
    with pytest.raises(ZeroDivisionError):
        select(at, at, lambda k, q: 1 / 0)
    # an average of categories: 1/2 is no token
    half = aggregate(select(at, at // 2, operator.eq), at) + 0.5
    with pytest.raises(ValueError, match=r"whole number, but one is 0\.5: was the average"):
        select(half, at, operator.eq)
    with pytest.raises(ValueError, match="a query must be a whole number, but one is nan"):
        select(at, torch.full((5,), math.nan), operator.eq)
    with compiled(10), pytest.raises(ValueError, match="36 is not among the numbers -1 to 32"):
        aggregate(select(at + 36, at, operator.eq), at)
    with pytest.raises(ValueError, match="joins two selectors"):
        select(at, at, operator.eq) & at


def test_a_predicate_that_raises_something_else_is_not_explained_away():
    def broken(key, query):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        select(TOKENS, TOKENS, broken)
