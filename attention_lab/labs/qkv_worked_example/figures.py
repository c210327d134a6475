"""The picture on top of notebook 03."""

from __future__ import annotations

import torch

from attention_lab.core.attention import attention
from attention_lab.pictures import figures

__all__ = ["opening"]


def opening() -> figures.Picture:
    """Draw every step of two queries and three keys; each value is another mix of two features."""
    query = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    key = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    value = torch.tensor([[10.0, 0.0], [0.0, 10.0], [5.0, 5.0]])
    return figures.steps(attention(query, key, value))
