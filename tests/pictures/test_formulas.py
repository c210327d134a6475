"""Formulas with their numbers."""

import torch

from attention_lab.pictures.formulas import bracketed, power, sum_of, sum_of_products


def test_formulas_are_written_as_by_hand():
    assert bracketed(-0.5) == "(−0.5)"
    assert bracketed(2) == "2"
    assert power(-1) == "e<sup>−1</sup>"
    assert sum_of_products(torch.tensor([2.0, -3.0]), torch.tensor([1.0, -1.0])) == (
        "2 × 1 + −3 × (−1)"
    )


def test_a_long_sum_is_cut():
    assert sum_of(list("abcdefgh")) == "a + b + c + d + e + f + g + h"
    assert sum_of(list("abcdefghi")) == "a + b + c + … (9 terms)"
