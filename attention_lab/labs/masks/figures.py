"""The picture on top of notebook 06."""

from __future__ import annotations

import torch

from attention_lab.core.attention import attention
from attention_lab.pictures import figures

__all__ = ["WORDS", "opening"]

WORDS = ["the", "thirsty", "cat", "drank", "cold", "milk"]
# animal, drink, action, quality: what each word is, and what it looks for, as in the notebook
IS_A = torch.tensor(
    [
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 0.0],
    ]
)
LOOKS_FOR = torch.tensor(
    [
        [0.0, 0.0, 0.0, 0.0],
        [6.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 6.0, 6.0],
        [6.0, 6.0, 0.0, 0.0],
        [0.0, 6.0, 0.0, 0.0],
        [0.0, 0.0, 6.0, 6.0],
    ]
)


def opening() -> figures.Picture:
    """Draw which words a sentence attends to under the causal mask."""
    weights = attention(LOOKS_FOR, IS_A, IS_A, is_causal=True).weights
    return figures.flow(weights, WORDS, WORDS)
