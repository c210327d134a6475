"""What the exercises of notebook 01 claim, computed."""

from pathlib import Path

import nbformat
import pytest
import torch

from attention_lab.exercises import grade
from attention_lab.grading.cases import normal
from attention_lab.labs.attention_weights.exercises import READINGS

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "01_attention_weights.ipynb"


@pytest.mark.parametrize("letter", READINGS)
def test_a_reading_counts_as_right_where_it_gives_the_weights(letter):
    x = normal(3, 3, seed=1).clamp(-5, 5)
    made = eval(READINGS[letter], {"torch": torch, "x": x})
    assert torch.allclose(made, x.softmax(dim=-1)) == (letter in "CDF")


def test_the_notebook_asks_about_these_readings():
    cells = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    for letter, line in READINGS.items():
        assert f"- **{letter}** `{line}`" in cells["ex4-md"]


def test_the_verdict_on_a_broken_softmax_names_the_row():
    verdict = grade("break_a_softmax", [[500.0, 1.0], [3.0, 2.0], [499.0, 0.0]])
    assert verdict.message.startswith("Row 1 lies so far below the largest score, 500")
