"""Sines, rotations and biases against what is known of them."""

import pytest
import torch

from attention_lab.core.positions import alibi_bias, alibi_slopes, rotate, sinusoidal


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_sinusoids_of_64_features():
    table = sinusoidal(200, 64).double()
    torch.testing.assert_close(table.square().sum(1), torch.full((200,), 32.0).double())
    products = [(table[:100] * table[k : 100 + k]).sum(1) for k in (0, 1, 2, 4, 8, 16)]
    wanted = [32, 30.917, 28.304, 23.934, 22.414, 19.373]
    for product, number in zip(products, wanted, strict=True):
        assert product.max() - product.min() < 1e-4  # the same at every position
        assert product.mean().item() == pytest.approx(number, abs=6e-4)
    by_distance = (table[:33] @ table[0]).tolist()
    rises = [k for k in range(1, 33) if by_distance[k] > by_distance[k - 1]]
    assert rises == [6, 11, 12, 17, 18, 23, 24, 25, 30, 31, 32]  # in waves, not steadily
    torch.testing.assert_close(sinusoidal(5, 64, start=7), sinusoidal(12, 64)[7:])
    with pytest.raises(ValueError, match="even, not 5"):
        sinusoidal(3, 5)


def test_a_rotated_score_depends_on_the_difference_of_positions_only():
    q, k = torch.randn(2, 1, 8, dtype=torch.float64)
    scores = [
        (rotate(q, torch.tensor([a])) @ rotate(k, torch.tensor([b])).T).item()
        for a, b in ((5, 3), (105, 103), (1005, 1003))
    ]
    assert scores == pytest.approx([scores[0]] * 3, abs=1e-12)
    one = torch.tensor([[1.0, 0.0]]).expand(4, 2)
    turned = rotate(one, torch.arange(4))
    wanted = torch.tensor([1.0, 0.5403, -0.4161, -0.99])
    torch.testing.assert_close(turned @ one[0], wanted, atol=1e-4, rtol=0)
    torch.testing.assert_close(turned.norm(dim=1), torch.ones(4))


def test_alibi():
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    weights = alibi_bias(8, 1, 4)[0, 0].softmax(-1)
    wanted = torch.tensor([0.1015, 0.1674, 0.2760, 0.4551])
    torch.testing.assert_close(weights, wanted, atol=5e-5, rtol=0)
    assert torch.equal(alibi_bias(2, 2, 5), alibi_bias(2, 5, 5)[:, 3:])
