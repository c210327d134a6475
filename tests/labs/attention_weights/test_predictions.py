"""What the guesses of notebook 01 are told, computed."""

import math

import pytest
import torch

from attention_lab.exercises import predict
from attention_lab.grading.predict import Choices
from attention_lab.labs.attention_weights import predictions


def test_the_right_choice_stands_in_other_places_and_is_seldom_the_longest():
    asked = [each for each in vars(predictions).values() if isinstance(each, Choices)]
    assert len({list(each.choices).index(each.right) for each in asked}) > 2
    longest = [each.right == max(each.choices, key=len) for each in asked]
    assert sum(longest) < len(asked) / 2


def test_a_share_of_three_scores_and_what_mistakes_lead_to():
    asked = predict["share_of_three"]
    weights = torch.tensor([1.0, 2.0, 3.0]).softmax(dim=-1)
    assert asked.reply(weights[2].item()).is_right
    assert "divided by their sum" in asked.reply(3 / 6).text
    assert "were equal" in asked.reply(1 / 3).text
    assert not asked.reply(0.8).is_right


def test_the_numbers_in_the_replies_about_a_gap():
    def others(gap):
        return 7 / (math.exp(gap) + 7)

    assert others(5) == pytest.approx(0.045, abs=5e-4)
    assert others(2.8) == pytest.approx(0.3, abs=5e-3)
    assert math.exp(-5) == pytest.approx(0.0067, abs=5e-5)


def test_a_sweet_and_a_little_crunchy_wish_scores_two_foods_alike():
    keys = torch.tensor([[1.0, 1.0], [2.0, -2.0], [-1.0, 2.0]])
    assert (keys @ torch.tensor([3.0, 1.0])).tolist() == [4, 4, -1]
