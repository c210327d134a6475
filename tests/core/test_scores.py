import math
import re

import pytest
import torch

from attention_lab import attention
from attention_lab.core.scores import additive, dot, gaussian, general, scaled_dot


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def by_loop(query, key, score):
    return torch.stack([torch.stack([score(q, k) for k in key]) for q in query])


def test_each_equals_its_formula_written_as_a_loop():
    query, key = torch.randn(3, 4).double(), torch.randn(5, 4).double()
    W = torch.randn(4, 4).double()
    W_q, W_k, v = torch.randn(4, 6).double(), torch.randn(4, 6).double(), torch.randn(6).double()
    cases = [
        (dot(query, key), lambda q, k: (q * k).sum()),
        (scaled_dot(query, key), lambda q, k: (q * k).sum() / math.sqrt(4)),
        (
            general(query, key, W),
            lambda q, k: sum(q[i] * W[i, j] * k[j] for i in range(4) for j in range(4)),
        ),
        (additive(query, key, W_q, W_k, v), lambda q, k: (v * torch.tanh(q @ W_q + k @ W_k)).sum()),
        (gaussian(query, key, 0.7), lambda q, k: -((q - k).norm() ** 2) / (2 * 0.7**2)),
    ]
    for ours, formula in cases:
        assert torch.allclose(ours, by_loop(query, key, formula))


def test_query_and_key_may_differ_in_size_for_general_and_additive():
    query, key = torch.randn(2, 3, 4), torch.randn(2, 5, 6)
    assert general(query, key, torch.randn(4, 6)).shape == (2, 3, 5)
    w_query, w_key = torch.randn(4, 7), torch.randn(6, 7)
    assert additive(query, key, w_query, w_key, torch.randn(7)).shape == (2, 3, 5)


def test_scaled_dot_is_what_attention_uses():
    query, key, value = torch.randn(3, 4), torch.randn(5, 4), torch.randn(5, 2)
    steps = attention(query, key, value)
    assert torch.allclose(steps.scaled, scaled_dot(query, key))
    assert torch.equal(steps.scores, dot(query, key))


def test_general_with_the_identity_is_dot():
    query, key = torch.randn(3, 4), torch.randn(5, 4)
    assert torch.allclose(general(query, key, torch.eye(4)), dot(query, key))


def test_all_leading_axes_broadcast():
    query, key = torch.randn(2, 1, 3, 4), torch.randn(6, 5, 4)
    W, w, v = torch.randn(4, 4), torch.randn(4, 7), torch.randn(7)
    for result in (
        dot(query, key),
        general(query, key, W),
        additive(query, key, w, w, v),
        gaussian(query, key),
    ):
        assert result.shape == (2, 6, 3, 5)


def test_gaussian_is_a_dot_product_with_a_bias():
    query, key = torch.randn(3, 4).double(), torch.randn(5, 4).double()
    biased = dot(query, key) - key.square().sum(-1) / 2
    difference = gaussian(query, key).softmax(-1) - biased.softmax(-1)
    assert difference.abs().max() < 1e-14


def test_kernel_regression_numbers():
    keys = torch.arange(5.0, dtype=torch.float64)[:, None]
    weights = gaussian(torch.tensor([[2.0]], dtype=torch.float64), keys).softmax(-1)[0]
    expected = [0.0545, 0.2442, 0.4026, 0.2442, 0.0545]
    assert weights.tolist() == pytest.approx(expected, abs=5e-5)
    assert float(weights @ keys[:, 0] ** 2) == pytest.approx(4.9243, abs=5e-5)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: dot(torch.zeros(3, 4), torch.zeros(5, 2)),
            "query has shape (3, 4) and key (5, 2)",
        ),
        (lambda: scaled_dot(torch.zeros(3, 4), torch.zeros(5, 2)), "4 != 2"),
        (
            lambda: general(torch.zeros(3, 4), torch.zeros(5, 4), torch.zeros(2, 4)),
            "axis -1 of query must equal axis -2 of weight",
        ),
        (
            lambda: additive(
                torch.zeros(3, 4),
                torch.zeros(5, 4),
                torch.zeros(4, 2),
                torch.zeros(4, 2),
                torch.zeros(3),
            ),
            "axis -1 of w_query must equal axis -1 of v",
        ),
        (lambda: gaussian(torch.zeros(3, 4), torch.zeros(5, 4), 0.0), "bandwidth must be above 0"),
    ],
)
def test_bad_shapes_are_named(call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call()
