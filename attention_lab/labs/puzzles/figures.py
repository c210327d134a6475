"""Still pictures of the page of puzzles."""

from __future__ import annotations

import torch

from attention_lab.pictures import figures

__all__ = ["BIAS", "CHOICES", "LAYERS", "SHARES", "opening"]

# What SmolLM2 says after the text of the yard: its own, then with a bias on one of the words for
# the last query, in four layers. A test measures it again.
CHOICES = (" cat", " dog", " horse")
BIAS, LAYERS = 5.0, range(21, 25)
SHARES = ((0.752, 0.147, 0.005), (0.947, 0.012, 0.0), (0.002, 0.977, 0.0), (0.001, 0.0, 0.937))


def opening() -> figures.Picture:
    """Draw what comes next, without a choice and with each of three."""
    shares = torch.tensor(SHARES)
    words = [word.strip() for word in CHOICES]
    return figures.heatmap(
        torch.cat([shares, 1 - shares.sum(-1, keepdim=True)], -1),
        title="The model says the word that was chosen",
        rows=["nothing chosen", *(f"{word} chosen" for word in words)],
        columns=[*words, "another"],
        row_axis="the rule",
        column_axis="the next word",
        weights=True,
    )
