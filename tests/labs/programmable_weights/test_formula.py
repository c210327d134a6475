"""What may be typed into the console, and what is said of the rest."""

import pytest
import torch

from attention_lab.grading.feedback import Problem
from attention_lab.labs.programmable_weights.formula import sequence

TOKENS = torch.tensor([3, 1, 4])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("tokens", [3, 1, 4]),
        ("positions", [0, 1, 2]),
        ("length", [3, 3, 3]),
        ("length - 1 - positions", [2, 1, 0]),
        ("−tokens·2 + 1", [-5, -1, -7]),
        ("(positions - 1) % 3", [2, 0, 1]),
        (" 7 ", [7, 7, 7]),
    ],
)
def test_a_sequence_is_read(text, numbers):
    found = sequence(text, TOKENS)
    assert found.tolist() == numbers
    assert found.dtype == torch.int64


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a field is empty"),
        ("tokens +", "“tokens +” cannot be read"),
        ("positions" * 20, "cannot be read"),
        ("token", "“token” is not known here"),
        ("__import__('os')", "is not known here"),
        ("tokens.numpy", "is not known here"),
        ("1.5", "“1.5” is not known here"),
        ("True", "“True” is not known here"),
        ("tokens / 2", "is not known here"),
        ("tokens ** 9", "is not known here"),
        ("5000", "“5000” is not known here"),
        ("tokens * 1000", "goes beyond 1000"),
        ("tokens % 0", "divides by 0"),
        ("tokens % (tokens - 1)", "divides by 0"),
        ("~tokens", "is not known here"),
    ],
)
def test_what_is_no_sequence_is_said(text, says):
    with pytest.raises(Problem, match=r".") as caught:
        sequence(text, TOKENS)
    assert says in str(caught.value)
