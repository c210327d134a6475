"""The picture on top of notebook 08."""

from __future__ import annotations

from attention_lab.core.positions import sinusoidal
from attention_lab.pictures import figures

__all__ = ["opening"]


def opening() -> figures.Picture:
    """Draw the sines and cosines of eight positions: a row of eight numbers for each."""
    return figures.heatmap(
        sinusoidal(8, 8),
        title="Eight positions, written as eight numbers each",
        rows=[str(p) for p in range(8)],
        columns=[f"f{c}" for c in range(8)],
        row_axis="position",
        column_axis="feature",
    )
