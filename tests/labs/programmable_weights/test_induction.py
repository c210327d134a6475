"""Tokens that come twice, and what is measured on them."""

import pytest
import torch

from attention_lab.labs.programmable_weights import induction
from attention_lab.labs.programmable_weights.induction import (
    AttentionOnly,
    accuracy,
    heads_off,
    held_out,
    induction_scores,
    previous_scores,
    repeated,
    weights_of,
)


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("period", [2, 5, 10])
def test_each_sequence_holds_the_same_tokens_twice(period, turned):
    tokens, scored = repeated(torch.Generator().manual_seed(0), 50, period, turned=turned)
    first, second = tokens.split(period, dim=1)
    assert all(len(set(row.tolist())) == period for row in first)
    assert torch.equal(first.sort().values, second.sort().values)
    assert torch.equal(first, second) != turned
    for row, known in zip(tokens.tolist(), scored.tolist(), strict=True):
        assert not any(known[:period])
        for i in range(period, 2 * period - 1):
            follows = row.index(row[i]) + 1 < period and row[row.index(row[i]) + 1] == row[i + 1]
            assert known[i] == follows
    # of each row one step is not known, from the last token to the first, if it is there
    assert (~scored[:, period:]).sum(dim=1).max() <= 1
    if not turned:
        assert scored[:, period:].all()


def test_a_period_is_drawn_if_none_is_given():
    random = torch.Generator().manual_seed(0)
    drawn = {repeated(random, 1).tokens.shape[1] // 2 for _ in range(100)}
    assert drawn == set(induction.PERIODS)


def by_hand(tokens):
    """A perfect model: logits for what came after the same token before."""
    logits = torch.zeros(*tokens.shape, induction.N_TOKENS)
    for b, row in enumerate(tokens.tolist()):
        for i, token in enumerate(row):
            before = row.index(token)
            if before < i:
                logits[b, i, row[before + 1]] = 1.0
    return logits


def test_accuracy_counts_where_it_can_be_known():
    batch = held_out(5)
    assert accuracy(lambda tokens, hide: by_hand(tokens), batch) == 1
    assert accuracy(lambda tokens, hide: -by_hand(tokens), batch) < 0.2
    assert torch.equal(held_out(5).tokens, batch.tokens)


def test_the_earliest_token_that_is_there_once():
    tokens = torch.tensor([[3, 1, 4, 3, 1, 4], [2, 2, 5, 5, 7, 2]])
    assert induction.earliest_single(tokens).tolist() == [[3, 3, 3, 1, 4, 0], [2, 0, 5, 0, 7, 7]]
    in_order, turned = held_out(turned=False), held_out()
    for batch, low, high in ((in_order, 1, 1), (turned, 0.5, 0.65)):
        rule = induction.earliest_single(batch.tokens)[:, :-1]
        right = (rule == batch.tokens[:, 1:])[batch.scored].double().mean()
        assert low <= right <= high


def test_the_scores_of_weights_that_are_known():
    batch = held_out(4)
    n = batch.tokens.shape[1]
    back = torch.zeros(300, 1, n, n)
    back[:, 0, torch.arange(1, n), torch.arange(n - 1)] = 1.0
    copy = torch.zeros(300, 1, n, n)
    for b, row in enumerate(batch.tokens.tolist()):
        for i, token in enumerate(row):
            copy[b, 0, i, row.index(token) + 1] = 1.0
    both = torch.cat([back, copy, torch.full((300, 1, n, n), 1 / n)], dim=1)
    assert previous_scores(both)[0] == 1
    assert previous_scores(both)[2] == pytest.approx(1 / n)
    scores = induction_scores(both, batch)
    assert scores[1] == 1
    assert scores[0] < 0.2
    assert scores[2] == pytest.approx(1 / n)


def test_both_models_have_as_many_parameters_but_for_a_norm():
    one, two = (sum(p.numel() for p in AttentionOnly(layers).parameters()) for layers in (1, 2))
    assert two - one == 2 * 64 + 64  # a norm, and an offset of W_O
    for layers in (1, 2):
        tokens = held_out(3).tokens[:2]
        weights = weights_of(AttentionOnly(layers), tokens)
        assert [tuple(each.shape) for each in weights] == [(2, 8 // layers, 6, 6)] * layers


def test_a_hidden_diagonal_is_hidden_in_its_layer_only():
    torch.manual_seed(0)
    model, tokens = AttentionOnly(2).eval(), held_out(4).tokens[:3]
    with induction.recorded(model) as found:
        model(tokens, {0: 1})
    first, second = (each[0] for each in found.values())
    assert not first.diagonal(-1, -2, -1).any()
    assert (second.diagonal(-1, -2, -1) > 0).all()
    assert torch.allclose(first.sum(dim=-1), torch.ones(3, 4, 8))


def test_heads_that_are_off_add_nothing_and_come_back():
    torch.manual_seed(0)
    model, tokens = AttentionOnly(2).eval(), held_out(4).tokens[:3]
    with torch.no_grad():
        before = model(tokens)
        with heads_off(model, [(1, h) for h in range(4)]):
            one = model(tokens)
            with heads_off(model, [(0, 2)]):
                assert not torch.allclose(model(tokens), one)
            assert torch.equal(model(tokens), one)
        assert not torch.allclose(one, before)
        assert torch.equal(model(tokens), before)


def test_what_the_notebook_says_of_the_kept_runs():
    assert len(induction.committed()) == 54
    for turned in (True, False):
        assert induction.best_rate(1, turned=turned) == 1e-2
        assert all(run.accuracy > 0.99 for run in induction.runs(2, 1e-2, turned=turned))
    assert all(run.accuracy < 0.2 for lr in induction.RATES for run in induction.runs(1, lr))
    longer = [run.accuracy for run in induction.runs(1, 1e-2, induction.LONGER)]
    assert 0.12 < min(longer) < max(longer) < 0.3
    in_order = [run.accuracy for run in induction.runs(1, 1e-2, turned=False)]
    assert 0.6 < min(in_order) < max(in_order) < 0.75
    for run in induction.runs(2, 1e-2):
        assert run.previous[0] > 0.3 > 0.2 > run.previous[1]
        assert run.induction[1] > 0.9 > 0.2 > run.induction[0]


def test_runs_are_written_one_a_line_and_read_back():
    text = induction.as_text(induction.committed())
    assert len(text.splitlines()) == 54 + 2
    run = induction.measured(2, 1e-2, 0, steps=2)
    assert run.n_parameters == 41114
    assert 0 <= run.accuracy < 0.3
