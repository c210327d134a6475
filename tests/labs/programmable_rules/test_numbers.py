"""Numbers of notebook 10 that no other test holds."""

import math

import pytest
import torch

from attention_lab.core import modes
from attention_lab.exercises import predict
from helpers import names_in


def test_what_a_spotlight_of_ln_100_does():
    scores = torch.tensor([[1.0, 0.0, -1.0, 0.0]])
    assert scores.softmax(dim=-1)[0, 2].item() == pytest.approx(0.0723, abs=5e-5)
    bias = modes.spotlight([2], math.log(100)).dense(1, 4)[1][0]
    weights = (scores + bias).softmax(dim=-1)[0]
    assert weights.tolist() == pytest.approx([0.0655, 0.0241, 0.8863, 0.0241], abs=5e-5)
    # for 0.9 the other keys must count at most 0.00866 times
    assert math.exp(-modes.prior_bias(0.0723, 0.9)) == pytest.approx(0.00866, abs=5e-6)


def test_how_far_windows_reach_through_layers():
    window = (modes.causal & modes.window(64)).dense(300, 300)[0][0].double()
    heard = torch.linalg.matrix_power(window, 4)[-1]
    assert int((heard > 0).sum()) == 4 * 63 + 1 == 253


def test_the_pairs_of_a_long_text():
    causal, window = modes.causal.pairs(1024), (modes.causal & modes.window(64)).pairs(1024)
    assert (causal, window) == (524_800, 63_520)
    assert causal / window == pytest.approx(8.26, abs=5e-3)


def test_the_bias_by_distance_and_the_soft_cap_of_the_notebook():
    names = names_in("10_programmable_rules.ipynb", "import", "cap")
    assert names["bias"][2].tolist() == [-2, -2, 0, 1]
    assert names["capped"].tolist() == pytest.approx([4.983, 28.245, 48.201], abs=5e-4)


def test_the_pairs_of_ten_tokens_and_the_guesses_that_are_known():
    asked = predict["pairs_in_a_window"]
    windowed = modes.causal & modes.window(4)
    assert windowed.pairs(10) == asked.right == 34
    assert modes.causal.pairs(10) == 55
    assert int((windowed.dense(10, 10)[0][0].sum(dim=-1) == 4).sum()) * 4 == 28
    assert set(asked.mistakes) == {4 * 10, 28, 55}


def test_a_sink_one_above_the_lse_leaves_0_269_of_the_output():
    asked = predict["factor_of_a_sink"]
    scores = torch.tensor([0.5, 1.5, 2.0])
    at_the_lse, above = (
        modes.SinkSoftmax(scores.logsumexp(-1).item() + more)(scores[None, None]).sum().item()
        for more in (0, 1)
    )
    assert above == pytest.approx(asked.right, abs=5e-4)
    assert {0.5, 0.731, 0.368, 1.0} == set(asked.mistakes)
    assert at_the_lse == pytest.approx(0.5)
    assert 1 - above == pytest.approx(0.731, abs=5e-4)
    assert above / (1 - above) == pytest.approx(0.368, abs=5e-4)


def test_a_mask_after_the_softmax_leaks_nothing_where_hidden_scores_were_replaced():
    names = names_in("10_programmable_rules.ipynb", "import", "keep")
    mode = modes.causal + modes.Mode("after", normalizer=names["mask_after"])
    query, key, value = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(0))
    moved_key, moved_value = key.clone(), value.clone()
    moved_key[-1] += 100
    moved_value[-1] += 100
    moved = mode.attention(query, moved_key, moved_value).output
    assert torch.equal(moved[:-1], mode.attention(query, key, value).output[:-1])
    # with the hidden scores themselves in the sum, as in notebook 06, it leaks

    def after(keys):
        weights = (query @ keys.T / 2).softmax(dim=-1).tril()
        return weights @ value

    assert not torch.allclose(after(moved_key)[:-1], after(key)[:-1])
