"""Leak maps against what is known, and against moving a token by hand."""

import pytest
import torch

from attention_lab import attention
from attention_lab.core.leaks import leak_map, perturbation_map

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


def see_all(x):
    return attention(x, x, x).output


def through_numpy(x):
    return torch.from_numpy(see_all(x).detach().numpy())


@torch.no_grad()
def without_gradient(x):
    return see_all(x)


@pytest.mark.parametrize(
    "function",
    [
        through_numpy,
        without_gradient,
        lambda x: see_all(x.detach()),
        lambda x: see_all(x).detach(),
        lambda x: torch.nn.functional.one_hot(see_all(x).argmax(-1), 3).double(),
        lambda x: torch.ones(5, 3, requires_grad=True) * 2,
    ],
)
def test_a_gradient_that_is_cut_is_no_proof(function):
    with pytest.raises(ValueError, match="by autograd no output depends on the tokens"):
        leak_map(function, tokens)


@pytest.mark.parametrize("function", [through_numpy, without_gradient, see_all])
def test_moving_tokens_needs_no_gradient(function):
    found = perturbation_map(function, tokens)
    assert found.shape == (5, 5)
    assert (found > 0).all()
    causal = perturbation_map(lambda x: attention(x, x, x, is_causal=True).output, tokens)
    assert torch.equal(causal.triu(1), torch.zeros(5, 5, dtype=torch.float64))
    assert (causal.tril() > 0).sum() == 15


@pytest.mark.parametrize(
    "leaky",
    [
        lambda x: x + x[[1, 2, 3, 4, 4]].detach(),  # cut for a part
        lambda x: x + x[[1, 2, 3, 4, 4]].pow(2) * 0 + x[[1, 2, 3, 4, 4]].round(),
        lambda x: x + (x[[1, 2, 3, 4, 4]] - tokens[[1, 2, 3, 4, 4]]).pow(2),  # at its vertex
    ],
)
def test_what_the_gradient_misses_is_found_by_moving(leaky):
    assert leak_map(leaky, tokens)[0, 1] == 0
    assert perturbation_map(leaky, tokens)[0, 1] > 0


@pytest.mark.parametrize("side", [1, -1])
def test_a_leak_on_one_side_only_is_found_with_every_seed(side):
    at_zero = torch.zeros(2, 1, dtype=torch.float64)

    def leaky(x):  # output 0 sees token 1 only where it is above 0, or below
        return torch.stack([x[0] + (side * x[1]).relu(), x[1]])

    assert leak_map(leaky, -side * torch.ones(2, 1, dtype=torch.float64))[0, 1] == 0
    for seed in range(20):
        found = perturbation_map(leaky, at_zero, seed=seed)
        assert found[0, 1] > 0, seed
        assert found[1, 0] == 0


@pytest.mark.parametrize("draw", [leak_map, perturbation_map])
def test_maps_say_what_they_take(draw):
    with pytest.raises(ValueError, match=r"returned \(1, 5, 3\): for a function of a batch write"):
        draw(lambda x: see_all(x[None]), tokens)
    with pytest.raises(ValueError, match=r"float64 of shape \(1, 5, 3\)"):
        draw(see_all, tokens[None])
    with pytest.raises(ValueError, match=r"torch\.int64"):
        draw(see_all, torch.ones(5, 3, dtype=torch.long))


def test_a_map_does_not_depend_on_the_mode_it_is_called_in():
    with torch.no_grad():
        assert torch.equal(leak_map(see_all, tokens), leak_map(see_all, tokens))
