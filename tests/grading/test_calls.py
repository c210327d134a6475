"""What an answer calls of PyTorch on its way."""

import math

import pytest
import torch
import torch.nn.functional as F

from attention_lab import attention
from attention_lab.grading.calls import calls_of, written_out
from attention_lab.grading.feedback import Problem

SCORES = {"scores": torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])}


def by_hand(scores):
    powers = scores.exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def test_the_calls_of_an_answer_are_heard_with_what_they_give():
    calls = calls_of(by_hand, SCORES)
    assert [call.name for call in calls][:2] == ["exp", "sum"]
    assert torch.equal(calls[0].result, SCORES["scores"].exp())


def test_plain_python_is_not_heard():
    calls = calls_of(lambda s: [math.exp(x) for x in s.flatten().tolist()], SCORES)
    assert "exp" not in {call.name for call in calls}


@pytest.mark.parametrize(
    "whole",
    [
        lambda s: s.softmax(-1),
        lambda s: torch.softmax(s, -1),
        lambda s: F.softmax(s, -1),
        torch.nn.Softmax(-1),
        lambda s: s.log_softmax(-1).exp(),
        lambda s: (s - torch.special.logsumexp(s, -1, keepdim=True)).exp(),
        lambda s: F.scaled_dot_product_attention(s, s, s),
        lambda s: attention(s, s, s).output,
    ],
)
def test_what_does_the_work_in_one_step_is_named(whole):
    with pytest.raises(Problem, match="which does the work in one step; write it out"):
        written_out(whole, SCORES, "write it out")


def test_an_answer_in_steps_passes_and_its_calls_are_returned():
    assert written_out(by_hand, SCORES, "write it out")[0].name == "exp"


def test_an_error_of_the_answer_is_told_as_always():
    with pytest.raises(Problem, match="raised ZeroDivisionError"):
        calls_of(lambda s: 1 / 0, SCORES)
