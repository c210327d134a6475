"""The picture on top of notebook 11."""

from __future__ import annotations

import torch

from attention_lab.labs.programmable_weights.programs import adder, read
from attention_lab.labs.programmable_weights.rasp import compiled
from attention_lab.pictures import figures

__all__ = ["HEADS", "opening"]

SUM = "47+358"  # its columns are 3, 9 and 15: the carry passes over the 9
# what the heads of the adder do, in the order in which they run
HEADS = [
    "1 how many tokens",
    "2 where is the +",
    "3 first number, moved",
    "4 columns that decide",
    "5 the carry",
]


def opening() -> figures.Picture:
    """Draw the weights of the five heads that add two numbers."""
    with compiled(beta=20) as heads:
        adder(read(SUM))
    return figures.heads(
        torch.stack([head.weights for head in heads]),
        title=f"Five heads that compute {SUM}, written by hand",
        names=HEADS,
        rows=list(SUM),
        columns=["<bos>", *SUM],
    )
