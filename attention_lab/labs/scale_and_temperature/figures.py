"""The picture on top of notebook 04."""

from __future__ import annotations

import torch

from attention_lab.pictures import figures

__all__ = ["opening"]


def opening() -> figures.Picture:
    """Draw the weights of three scores, 0, 2 and 3, over the temperature."""
    temperatures = torch.tensor([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0], dtype=torch.float64)
    scores = torch.tensor([0.0, 2.0, 3.0], dtype=torch.float64)
    weights = (scores / temperatures[:, None]).softmax(dim=-1)  # (7, 3)
    return figures.lines(
        temperatures.tolist(),
        {f"score {score:g}": weights[:, j].tolist() for j, score in enumerate(scores.tolist())},
        title="Three scores, divided by a temperature before the softmax",
        x_axis="temperature",
        y_axis="weight",
        log=True,
    )
