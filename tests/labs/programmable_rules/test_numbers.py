"""Numbers of notebook 10 that no other test holds."""

import math

import pytest
import torch

from attention_lab.core import modes
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
