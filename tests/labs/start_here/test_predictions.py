"""What the guesses of notebook 00 are told, computed."""

import pytest
import torch

from attention_lab.labs.start_here import predictions
from attention_lab.labs.start_here.figures import THINGS


def test_the_first_key_after_and_before_it_grows():
    asked = predictions.first_key_grows
    before, after = (torch.tensor(scores).softmax(0) for scores in ([1.0, 1, 3], [6.0, 1, 3]))
    assert all(f"{weight:.3f}" in asked.question for weight in before.tolist())
    assert asked.right == pytest.approx(after[0].item(), abs=5e-4)
    assert list(asked.mistakes) == pytest.approx([6 / 10, before.max().item()], abs=5e-4)
    ratios = after[1:] / after[0]
    assert all(f"{ratio:.3f}" in asked.high for ratio in ratios.tolist())
    assert not asked.reply(1.0).is_right


def test_who_gets_most_where_nothing_fits():
    keys = torch.tensor(list(THINGS.values()))
    scores = keys @ torch.tensor([-3.0, -2.0])
    assert dict(zip(THINGS, scores.tolist(), strict=True)) == {
        "apple": -5,
        "honey": -2,
        "cracker": -1,
    }
    assert "cracker" in predictions.nothing_fits.right
