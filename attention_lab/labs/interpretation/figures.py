"""The pictures of notebook 15 that no other one needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from attention_lab.labs.interpretation.found import EXAMPLES, kept
from attention_lab.pictures import figures
from attention_lab.pictures.picture import Picture, in_own_style
from attention_lab.pictures.style import ACCENT, DARK

__all__ = ["against_controls", "dots", "opening"]


def opening() -> Picture:
    """Draw where head (13, 8) of SmolLM2 looks from “it”; the other rows are left out."""
    text, head = EXAMPLES["it"]
    given = kept(text)
    weights, row = given.head(*head), given.queries.index("it")
    shown = torch.zeros_like(weights)
    shown[row] = weights[row] / weights[row].sum()
    return figures.flow(shown, given.queries, given.keys)


@in_own_style
def dots(
    x: Sequence[float],
    y: Sequence[float],
    *,
    title: str,
    x_axis: str,
    y_axis: str,
    names: Sequence[str] = (),
) -> Picture:
    """Draw a dot for each pair of numbers; those with a name bear it."""
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.scatter(x, y, s=22, color=DARK, alpha=0.65, linewidths=0)
    for at, height, name in zip(x, y, names, strict=False):
        axes.annotate(name, (at, height), xytext=(4, 3), textcoords="offset points", fontsize=9)
    axes.set(xlabel=x_axis, ylabel=y_axis)
    axes.margins(x=0.1, y=0.08)  # room for the name of the last dot
    axes.set_title(title, fontsize=11)
    return Picture(figure, f"{title}: {len(x)} dots, {x_axis} to the right, {y_axis} upward.")


@in_own_style
def against_controls(
    rows: Mapping[str, tuple[float, Sequence[float]]], *, normal: float, title: str, x_axis: str
) -> Picture:
    """Draw what was measured of some heads over what was measured of others.

    Parameters
    ----------
    rows : mapping of name to (number, controls)
    normal : float
        With all heads: a dashed line.
    title, x_axis : str

    Returns
    -------
    Picture
        The sentence says of each row whether it lies outside of its controls.
    """
    figure = Figure(figsize=(6.6, 0.55 * len(rows) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    said = []
    for place, (name, (number, controls)) in enumerate(rows.items()):
        axes.plot(controls, [place] * len(controls), "|", color=DARK, ms=14, mew=1.5)
        axes.plot([number], [place], "D", color=ACCENT, ms=8)
        beyond = "outside of" if not min(controls) <= number <= max(controls) else "among"
        said.append(f"{name} is {beyond} its {len(controls)} controls")
    axes.axvline(normal, color=DARK, ls="--", lw=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(x_axis)
    axes.set_title(title, fontsize=11)
    return Picture(
        figure,
        f"{title} (diamond: the heads that were found; strokes: others drawn at random; dashed: "
        f"all heads on): {'; '.join(said)}.",
    )
