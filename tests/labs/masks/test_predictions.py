"""What the predictions of notebook 06 say of masks is so."""

import math

import pytest
import torch

from attention_lab.core.leaks import leak_map
from attention_lab.exercises import predict


@pytest.mark.parametrize(("axis", "moved"), [(-1, [4]), (0, [0, 1, 2, 3, 4])])
def test_with_the_softmax_over_the_queries_the_last_token_moves_every_output(axis, moved):
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    tokens, w_q, w_k = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(0))

    def layer(x):
        scores = (x @ w_q) @ (x @ w_k).T
        return scores.masked_fill(~causal, -math.inf).softmax(dim=axis) @ x

    depends = (leak_map(layer, tokens)[:, 4] > 0).nonzero()[:, 0].tolist()
    assert depends == moved
    said = {1: "output 4 only", 5: "all five of them"}[len(depends)]
    assert predict["zero_weights_leak"].reply(said).is_right == (axis == 0)


def test_a_row_of_billions_has_equal_weights_and_float64_gives_those_without_a_mask():
    asked = predict["empty_row_of_billions"]
    scores = torch.tensor([0.5, -1.0, 2.0])
    put = scores.masked_fill(torch.ones(3, dtype=torch.bool), -1e9).softmax(dim=-1)
    assert put.tolist() == pytest.approx([1 / 3] * 3)
    assert asked.right == "1/3, 1/3, 1/3"
    added = (scores.double() - 1e9).softmax(dim=-1)
    assert ", ".join(f"{w:.2f}" for w in added) in asked.choices


def test_a_swapped_causal_mask_leaves_the_last_row_without_a_key():
    layer = torch.nn.MultiheadAttention(4, 1, batch_first=True)
    x = torch.randn(1, 4, 4)
    _, weights = layer(x, x, x, attn_mask=torch.ones(4, 4, dtype=torch.bool).tril())
    assert weights[0].isnan().any(dim=-1).tolist() == [False, False, False, True]
    assert predict["swapped_last_row"].right == "in the last one"
