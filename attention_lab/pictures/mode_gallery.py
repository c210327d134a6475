"""Several modes next to each other: which pairs each keeps, and what it adds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from attention_lab.core.modes import Mode
from attention_lab.pictures.picture import Picture, in_own_style, wrapped
from attention_lab.pictures.style import color_range, colormap

__all__ = ["mode_gallery"]

ACROSS = 4  # panels in a row
SEEN = 0.72  # how dark a pair is that is kept, and to which nothing is added


@in_own_style
def mode_gallery(modes: Mapping[str, Mode], *, n: int = 8, head: int = 0) -> Picture:
    """Draw the mask of each mode; of one with a bias, what it adds.

    Parameters
    ----------
    modes : mapping of str to Mode
        What stands above each panel, and the mode.
    n : int
        Queries, from above, and keys, from the left; fewer where a mode knows fewer.
    head : int
        The one that is drawn.

    Returns
    -------
    Picture
        Filled: seen; striped: hidden. Under each panel how many pairs are kept.
    """
    down = math.ceil(len(modes) / ACROSS)
    across = min(len(modes), ACROSS)
    figure = Figure(figsize=(2.4 * across, 2.6 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for axes in panels.flat[len(modes) :]:
        axes.axis("off")
    said = []
    for axes, (name, mode) in zip(panels.flat, modes.items(), strict=False):
        size = min(n, mode.positions or n)
        visible, bias = mode.dense(size, size, heads=head + 1, dtype=torch.float64)
        visible = visible[head]
        shown = torch.full((size, size), SEEN) if bias is None else bias[head].detach()
        low, high = (0.0, 1.0) if bias is None else color_range(shown[visible])
        shown = shown.masked_fill(~visible, math.nan)
        colors = colormap(weights=bias is None)
        axes.imshow(shown.numpy(), cmap=colors, vmin=low, vmax=high)
        for i, j in (~visible).nonzero().tolist():
            stripes = {"hatch": "////", "facecolor": "white", "edgecolor": "#c9c9c9", "lw": 0}
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **stripes))
        axes.set_xticks([k - 0.5 for k in range(1, size)], minor=True)
        axes.set_yticks([k - 0.5 for k in range(1, size)], minor=True)
        axes.grid(which="minor", color="#ffffff", lw=0.6)
        axes.set(xticks=[], yticks=[])
        axes.tick_params(which="both", length=0)
        kept = f"{int(visible.sum())} of {size * size}"
        axes.set_title(wrapped(name, 2.3), fontsize=9)
        axes.set_xlabel(kept, fontsize=9)
        said.append(f"{name}: {kept} pairs")
    return Picture(figure, f"{'; '.join(said)}.")
