"""The picture on top of notebook 00."""

from __future__ import annotations

import torch

from attention_lab.pictures import figures

__all__ = ["QUESTIONS", "THINGS", "opening"]

# (sweet, crunchy), as in the notebook
THINGS = {"apple": (1.0, 1.0), "honey": (2.0, -2.0), "cracker": (-1.0, 2.0)}
QUESTIONS = {
    "something sweet": (1.0, 0.0),
    "sweet and crunchy": (1.0, 1.0),
    "something crunchy": (0.0, 1.0),
}


def opening() -> figures.Picture:
    """Draw three questions, and how much each thing has to say to them."""
    query, key = torch.tensor(list(QUESTIONS.values())), torch.tensor(list(THINGS.values()))
    weights = (query @ key.T).softmax(dim=-1)
    return figures.flow(weights, list(THINGS), list(QUESTIONS))
