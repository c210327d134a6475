"""Still pictures of notebook 16."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from attention_lab.labs.applications import triptych
from attention_lab.pictures.picture import Picture, in_own_style
from attention_lab.pictures.style import DARK, GREY, format_weight

__all__ = ["bars", "opening", "questions"]


# What the training of the notebook ends with, for a picture of the first 4, 9 and 1 of the test
# digits: the weights of three questions on the three cells, and the answers.
DIGITS = (4, 9, 1)
LOOKS = {
    "left": ((0.998, 0.002, 0.0), 4),
    "largest": ((0.0, 1.0, 0.0), 9),
    "smallest": ((0.0, 0.0, 1.0), 1),
}


def opening() -> Picture:
    """Draw where three questions about one picture look."""
    shown = triptych.parts()["test"]
    images = torch.stack([shown.images[shown.labels == digit][0] for digit in DIGITS])
    return questions(images, LOOKS)


@in_own_style
def questions(images: Tensor, looks: Mapping[str, tuple[Sequence[float], int]]) -> Picture:
    """Draw where questions about one picture look, and what is answered.

    Parameters
    ----------
    images : Tensor, shape (3, 8, 8)
    looks : mapping of question to (weights, answer)
        The weights of a question on the three cells, and the digit that is answered.
    """
    figure = Figure(figsize=(2.9 * len(looks), 2.5), layout="constrained")
    said = []
    panels = figure.subplots(1, len(looks), squeeze=False)[0]
    for (question, (weights, answer)), axes in zip(looks.items(), panels, strict=True):
        for cell, weight in enumerate(weights):
            middle, extent = cell + 0.5, (cell + 0.06, cell + 0.94, 0, 0.88)
            ink = images[cell].numpy()
            axes.imshow(ink, cmap="gray_r", vmin=0, vmax=1, extent=extent, aspect="auto")
            axes.plot((1.5, middle), (-0.8, -0.3), color=DARK, lw=8 * weight, zorder=0)
            axes.text(middle, -0.06, format_weight(weight), ha="center", va="top", fontsize=9)
            axes.add_patch(_frame(cell, weight))
        axes.text(1.5, -0.92, f"“{question}?”", ha="center", va="top", fontsize=11)
        axes.text(1.5, 1.0, f"answer: {answer}", ha="center", va="bottom", fontsize=11)
        axes.set(xlim=(-0.05, 3.05), ylim=(-1.25, 1.3), aspect="equal")
        axes.set_axis_off()
        most = max(range(3), key=lambda cell: weights[cell])
        said.append(
            f"“{question}?” looks most at the {triptych.CELLS[most]} cell "
            f"({format_weight(weights[most])}) and is answered {answer}"
        )
    begins = f"One picture of three digits, {len(looks)} questions"
    return Picture(figure, f"{begins}: {'; '.join(said)}.")


def _frame(cell: int, weight: float):
    from matplotlib.patches import Rectangle

    return Rectangle((cell + 0.06, 0), 0.88, 0.88, fill=False, ec=DARK, lw=0.8 + 2 * weight)


@in_own_style
def bars(
    measured: Mapping[str, tuple[float, float]],
    *,
    title: str,
    x_axis: str,
    limit: tuple[float, str] | None = None,
    start: float = 0.0,
) -> Picture:
    """Draw a mean and its standard error as a bar, one for each name.

    Parameters
    ----------
    measured : mapping of name to (mean, standard error)
    title, x_axis : str
    limit : (float, str), optional
        A dashed line, and what it is.
    start : float
        Where the axis begins.
    """
    figure = Figure(figsize=(7, 0.9 + 0.36 * len(measured)), layout="constrained")
    axes = figure.add_subplot()
    names, means = list(measured), [mean for mean, _ in measured.values()]
    errors = [error for _, error in measured.values()]
    axes.barh(names, [m - start for m in means], left=start, xerr=errors, color=DARK,
              error_kw={"ecolor": GREY, "capsize": 3}, height=0.6)  # fmt: skip
    axes.invert_yaxis()
    for place, (mean, error) in enumerate(zip(means, errors, strict=True)):
        axes.text(mean + error, place, f"  {mean:.3f}", va="center", fontsize=9)
    if limit:
        axes.axvline(limit[0], color=GREY, ls="--", lw=1.5)
        axes.text(limit[0], -0.7, limit[1], ha="center", va="bottom", fontsize=9)
    axes.set_xlim(start, start + 1.12 * (max([*means, limit[0] if limit else 0]) - start))
    axes.set_xlabel(x_axis)
    axes.set_title(title, fontsize=11, pad=20 if limit else 6)
    told = "; ".join(f"{name} {mean:.3f} ± {error:.3f}" for name, (mean, error) in measured.items())
    beside = f" {limit[1]}: {limit[0]:.3f}." if limit else ""
    return Picture(figure, f"{title}, {x_axis}: {told}.{beside}")
