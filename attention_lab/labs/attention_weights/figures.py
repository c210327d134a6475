"""The figures of notebook 01: the one on top, and kernel regression."""

from __future__ import annotations

from matplotlib.figure import Figure
from torch import Tensor, tensor

from attention_lab.pictures import figures
from attention_lab.pictures.picture import Picture, in_own_style, numbers_of
from attention_lab.pictures.style import ACCENT, DARK, GREY, format_number, format_weight

__all__ = ["kernel_regression", "opening"]


def opening() -> Picture:
    """Draw how three scores become weights."""
    scores = tensor([0.5, 2.0, -1.0])
    return figures.weight_bars(scores, scores.softmax(dim=-1))


@in_own_style
def kernel_regression(
    keys: Tensor, values: Tensor, weights: Tensor, grid: Tensor, estimate: Tensor, query: float
) -> Picture:
    """Draw kernel regression: attention whose query and keys are points on a line.

    Parameters
    ----------
    keys, values, weights : Tensor, shape (n_k,)
        ``weights`` belong to ``query``.
    grid, estimate : Tensor, shape (n,)
        The output for every query of the grid.
    query : float

    Returns
    -------
    Picture
    """
    keys, values, weights = numbers_of(keys), numbers_of(values), numbers_of(weights)
    grid, estimate = numbers_of(grid), numbers_of(estimate)
    output = float(weights @ values)
    figure = Figure(figsize=(6.2, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(grid, estimate, color=GREY, lw=2, label="output for every query")
    sizes = 20 + 500 * weights.numpy()
    axes.scatter(keys, values, s=sizes, color=DARK, zorder=3, label="values (size: weight)")
    axes.axvline(query, color=ACCENT, ls="--", lw=1)
    axes.scatter(
        [query], [output], s=90, marker="s", color=ACCENT, ec="white", zorder=4, label="output"
    )
    axes.set(xlabel="key, query", ylabel="value, output")
    handles = axes.get_legend_handles_labels()
    legend = axes.legend(*handles, loc="upper left")
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([60])
    sentence = (
        f"The query {format_number(query)} weighs the keys "
        f"{', '.join(format_number(k) for k in keys.tolist())} with "
        f"{', '.join(format_weight(w) for w in weights.tolist())}; the output is "
        f"{format_number(output)}."
    )
    return Picture(figure, sentence)
