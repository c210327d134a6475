"""Leak maps against what is known, and against moving a token by hand."""

import torch

from attention_lab import attention
from attention_lab.core.leaks import leak_map

tokens = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_linear_model_is_known():
    W = torch.randn(5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    # each of the 3 features moves with its own: W[i, j] on a diagonal of length 3
    assert torch.allclose(leak_map(lambda x: W @ x, tokens), W.abs() * 3**0.5)


def test_causal_attention_leaks_nothing_and_plain_attention_everything():
    causal = leak_map(lambda x: attention(x, x, x, is_causal=True).output, tokens)
    assert torch.equal(causal.triu(1), torch.zeros(5, 5, dtype=torch.float64))
    assert (causal.tril() > 0).sum() == 15
    assert (leak_map(lambda x: attention(x, x, x).output, tokens) > 0).all()


def test_outputs_may_be_fewer_and_tokens_stay_as_they_are():
    before = tokens.clone()
    moving = tokens.clone().requires_grad_()
    found = leak_map(lambda x: x[:2] * 2, moving)
    assert found.shape == (2, 5)
    assert torch.equal(tokens, before)
    assert moving.grad is None
