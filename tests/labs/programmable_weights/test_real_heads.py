"""Scores and losses of a language model on tokens that come twice; what is kept of SmolLM2."""

import pytest
import torch

from attention_lab.labs.programmable_weights import real_heads
from attention_lab.labs.programmable_weights.real_heads import Scores
from attention_lab.models.language_model import Config, LanguageModel, recorded


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LanguageModel(Config(20, 16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=8)).eval()


def test_the_tokens_come_twice_and_are_the_same_at_every_call():
    tokens = real_heads.twice()
    assert tokens.shape == (3, 48)
    assert torch.equal(tokens[:, :24], tokens[:, 24:])
    assert all(len(set(row.tolist())) == 24 for row in tokens)
    assert not torch.equal(real_heads.twice(seed=1), tokens)


def test_the_scores_are_means_of_two_diagonals(model):
    tokens = torch.randint(0, 20, (2, 10), generator=torch.Generator().manual_seed(0))
    scores = real_heads.scan(model, tokens)
    assert len(scores) == 8
    with recorded(model, step="weights") as found, torch.no_grad():
        model.hidden(tokens)
    for head, each in scores.items():
        weights = found[head][0]
        copied = [weights[b, i, i - 4].item() for b in range(2) for i in range(5, 10)]
        before = [weights[b, i, i - 1].item() for b in range(2) for i in range(1, 10)]
        assert each.induction == pytest.approx(sum(copied) / 10, abs=1e-6)
        assert each.previous == pytest.approx(sum(before) / 18, abs=1e-6)


def test_copying_measures_both_halves(model):
    tokens = torch.randint(0, 20, (2, 10), generator=torch.Generator().manual_seed(0))
    found = real_heads.copying(model, tokens)
    with torch.no_grad():
        logs = model(tokens).log_softmax(dim=-1)
    losses = torch.stack([-logs[:, i].gather(1, tokens[:, i + 1 :][:, :1]) for i in range(9)])
    assert found.first == pytest.approx(losses[:4].mean().item(), abs=1e-5)
    assert found.second == pytest.approx(losses[5:].mean().item(), abs=1e-5)
    assert 0 <= found.accuracy <= 1


def test_the_best_and_the_others_have_nothing_in_common():
    scores = real_heads.kept_scores()
    assert len(scores) == 270
    taken = {*real_heads.best(scores, "induction", 20), *real_heads.best(scores, "previous", 20)}
    for seed in range(5):
        drawn = real_heads.others(scores, 8, seed)
        assert len(set(drawn)) == 8
        assert not taken & set(drawn)
    assert real_heads.others(scores, 4, 0) != real_heads.others(scores, 4, 1)
    small = {(0, h): Scores(h / 10, -h / 10) for h in range(5)}
    assert real_heads.best(small, "induction", 2) == [(0, 4), (0, 3)]
    assert real_heads.best(small, "previous", 1) == [(0, 0)]


def test_what_the_notebook_says_of_smollm2():
    scores, losses = real_heads.kept_scores(), real_heads.ablations()
    assert real_heads.best(scores, "induction", 4) == [(18, 6), (17, 3), (17, 4), (17, 5)]
    assert set(real_heads.best(scores, "previous", 2)) == {(16, 0), (11, 1)}
    (normal,) = losses["normal"]
    for how in ("zero", "mean"):
        for count in real_heads.COUNTS:
            others = losses[f"others, {count} off, {how}"]
            assert len(others) == real_heads.DRAWS
            for kind in ("induction", "previous"):
                (off,) = losses[f"{kind}, {count} off, {how}"]
                assert off > max(others) + 1
        of_induction = [losses[f"induction, {c} off, {how}"][0] for c in real_heads.COUNTS]
        assert of_induction == sorted(of_induction)  # each head more raises the loss
        assert max(losses[f"others, 4 off, {how}"]) < normal + 1
