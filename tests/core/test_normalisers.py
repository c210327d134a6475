"""Softmax and its alternatives: their sums, their zeros, their gradients."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.core import normalisers
from attention_lab.core.normalisers import entropy, sigmoid, softmax, softmax_plus_one, sparsemax

ALL = [softmax, softmax_plus_one, sigmoid, sparsemax]
rows = st.lists(st.floats(-30, 30), min_size=1, max_size=7)


def tensor(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def test_golden_numbers():
    assert sparsemax(tensor(1, 1.5, 1.8)).tolist() == pytest.approx([0, 0.35, 0.65])
    assert softmax(tensor(1, 1.5, 1.8)).tolist() == pytest.approx([0.205, 0.338, 0.457], abs=5e-4)
    plus_one = softmax_plus_one(tensor(-2, -3, -1))
    assert plus_one.tolist() == pytest.approx([0.0871, 0.0321, 0.2369], abs=5e-5)
    assert plus_one.sum().item() == pytest.approx(0.356, abs=5e-4)
    assert entropy(softmax(tensor(1, 2, 3))).item() == pytest.approx(0.8324, abs=5e-5)


@given(rows)
def test_each_keeps_the_order_and_its_own_sum(row):
    scores = torch.tensor(row, dtype=torch.float64)
    for normalise in ALL:
        weights = normalise(scores)
        assert (weights >= 0).all()
        order = scores.argsort()
        assert (weights[order].diff() >= -1e-12).all()
        total = weights.sum().item()
        if normalise in (softmax, sparsemax):
            assert total == pytest.approx(1)
        else:
            assert 0 < total <= (1 if normalise is softmax_plus_one else len(row))


@given(rows, st.lists(st.floats(0, 1), min_size=7, max_size=7))
def test_no_other_weights_are_nearer_to_the_scores_than_sparsemax(row, other):
    scores = torch.tensor(row, dtype=torch.float64)
    other = torch.tensor(other[: len(row)], dtype=torch.float64) + 1e-9
    other = other / other.sum()
    weights = sparsemax(scores)
    assert (scores - weights).norm() <= (scores - other).norm() + 1e-9


@given(rows, st.floats(-5, 5))
def test_a_constant_moves_sigmoid_and_softmax_plus_one_only(row, constant):
    scores = torch.tensor(row, dtype=torch.float64)
    for normalise in (softmax, sparsemax):
        assert torch.allclose(normalise(scores + constant), normalise(scores))
    if abs(constant) > 0.1 and len(row) == 1:
        assert sigmoid(scores + constant) != sigmoid(scores)


@pytest.mark.parametrize("normalise", ALL)
def test_hidden_keys_get_exactly_0_and_large_scores_do_not_overflow(normalise):
    scores = tensor(1000, -math.inf, 1001)
    weights = normalise(torch.stack([scores, torch.full((3,), -math.inf)]))
    assert weights.isfinite().all()
    assert weights[0, 1] == 0
    assert weights[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("normalise", ALL)
def test_gradients(normalise):
    scores = torch.tensor(
        [[0.3, -0.2, 1.1, 0.4], [0.0, 0.9, -1, 0.25]], dtype=torch.float64, requires_grad=True
    )
    assert torch.autograd.gradcheck(normalise, (scores,))


def test_sigmoid_in_torch_is_ours():
    assert normalisers.sigmoid(tensor(0, 1)).tolist() == [0.5, 1 / (1 + math.exp(-1))]
