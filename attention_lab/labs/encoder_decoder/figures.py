"""The picture on top of notebook 09."""

from __future__ import annotations

import torch

from attention_lab.pictures import figures

__all__ = ["READ", "WEIGHTS", "WRITTEN", "reversing"]

READ = ("1", "4", "7", "5", "6", "0", "2", "3", "<end>")
WRITTEN = (*READ[-2::-1], "<end>")
# What the first training of the notebook ends with: the mean over the heads of the cross-attention.
WEIGHTS = torch.tensor(
    [
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.01, 0.17, 0.83, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.01, 0.16, 0.62, 0.22, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.11, 0.53, 0.29, 0.07, 0.00],
        [0.00, 0.00, 0.00, 0.08, 0.55, 0.31, 0.05, 0.00, 0.00],
        [0.00, 0.00, 0.04, 0.68, 0.20, 0.06, 0.01, 0.00, 0.00],
        [0.02, 0.12, 0.58, 0.25, 0.02, 0.00, 0.00, 0.00, 0.00],
        [0.14, 0.56, 0.24, 0.04, 0.00, 0.00, 0.00, 0.00, 0.02],
        [0.48, 0.33, 0.01, 0.00, 0.00, 0.00, 0.00, 0.00, 0.17],
        [0.50, 0.23, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.27],
    ]
)


def reversing() -> figures.Picture:
    """Draw where a trained Transformer looks while it writes eight digits in reverse."""
    return figures.flow(
        WEIGHTS, READ, WRITTEN, title="Cross-attention while reversing, mean of the heads"
    )
