"""What the guesses of notebook 04 are told, computed."""

import math

import pytest
import torch

from attention_lab.core import normalisers
from attention_lab.labs.scale_and_temperature import predictions


def size_of_jacobian(top):
    w = torch.tensor([top] + [(1 - top) / 9] * 9, dtype=torch.float64)
    return (torch.diag(w) - torch.outer(w, w)).norm().item()


def test_the_size_of_the_jacobian_is_largest_at_four_tenths():
    asked = predictions.jacobian_peak
    sizes = {f"w = {w}": size_of_jacobian(w) for w in (0.1, 0.4, 0.5, 0.9)}
    assert set(sizes) == set(asked.choices)
    assert asked.right == max(sizes, key=sizes.get)
    assert asked.shown_by == f"{max(sizes.values()):.3f}"
    tops = [i / 1000 for i in range(1, 1000)]
    assert max(tops, key=size_of_jacobian) == pytest.approx(0.4)  # of all w, and not of four


def test_what_softmax_plus_one_hands_out_where_nothing_fits():
    scores = torch.tensor([-2.0, -3.5, -1.5])
    given = normalisers.softmax_plus_one(scores).sum().item()
    assert predictions.three_below_zero.shown_by == f"sum {given:.3f}"
    assert 0.1 < given < 0.4
    assert [round(math.exp(s), 2) for s in scores.tolist()] == [0.14, 0.03, 0.22]


def test_a_lead_of_two_among_ten_and_among_a_thousand():
    ten, thousand = (math.exp(2) / (math.exp(2) + n - 1) for n in (10, 1000))
    assert f"{ten:.3f}" in predictions.fading_lead.question
    assert predictions.fading_lead.right == f"about {thousand:.3f}"
