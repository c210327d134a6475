"""What the guesses of notebook 02 are told, computed."""

import torch

from attention_lab.grading.predict import Choices
from attention_lab.labs.weighted_sum import predictions


def test_the_right_choice_stands_in_other_places_and_is_seldom_the_longest():
    asked = [each for each in vars(predictions).values() if isinstance(each, Choices)]
    assert len({list(each.choices).index(each.right) for each in asked}) > 2
    longest = [each.right == max(each.choices, key=len) for each in asked]
    assert sum(longest) < len(asked) / 2


def test_a_new_origin_turns_the_lengths_of_the_terms_round():
    weights, values = torch.tensor([0.9, 0.1]), torch.tensor([[0.05, 0.0], [0.0, 2.0]])
    before = weights * values.norm(dim=1)
    after = weights * (values + torch.tensor([10.0, 0.0])).norm(dim=1)
    assert [round(x, 3) for x in before.tolist()] == [0.045, 0.2]
    assert [round(x, 3) for x in after.tolist()] == [9.045, 1.02]


def test_hiding_the_favourite_moves_nothing():
    values = torch.tensor([[2.0, 1.0], [0.0, 0.0], [4.0, 2.0]])
    weights = torch.tensor([0.8, 0.1, 0.1])
    without = torch.tensor([0.0, 0.5, 0.5])
    assert torch.allclose(weights @ values, without @ values)
