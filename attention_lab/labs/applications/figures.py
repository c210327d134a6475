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


def opening() -> Picture:
    """Draw where two questions about one picture look."""
    shown, digits = triptych.parts()["test"], (4, 9, 1)
    images = torch.stack([shown.images[shown.labels == digit][0] for digit in digits])
    return questions(triptych.reader(), images, ("left", "largest", "smallest"))


@in_own_style
def questions(model: triptych.Reader, images: Tensor, asked: Sequence[str]) -> Picture:
    """Draw where questions about one picture look, and what is answered.

    Parameters
    ----------
    model : Reader
    images : Tensor, shape (3, 8, 8)
    asked : sequence of str
        Of `triptych.QUESTIONS`.
    """
    figure = Figure(figsize=(2.9 * len(asked), 2.5), layout="constrained")
    said = []
    panels = figure.subplots(1, len(asked), squeeze=False)[0]
    for question, axes in zip(asked, panels, strict=True):
        number = torch.tensor([triptych.QUESTIONS.index(question)])
        with torch.no_grad():
            weights = model.look(images[None], number).weights[0, 0].tolist()
            answer = int(model(images[None], number)[0].argmax())
        for cell, weight in enumerate(weights):
            extent = (cell + 0.06, cell + 0.94, 0, 0.88)
            axes.imshow(
                images[cell].numpy(), cmap="gray_r", vmin=0, vmax=1, extent=extent, aspect="auto"
            )
            middle = cell + 0.5
            axes.plot((1.5, middle), (-0.8, -0.3), color=DARK, lw=8 * weight, zorder=0)
            axes.text(middle, -0.06, format_weight(weight), ha="center", va="top", fontsize=9)
            axes.add_patch(_frame(cell, weight))
        axes.text(1.5, -0.92, f"“{question}?”", ha="center", va="top", fontsize=11)
        axes.text(1.5, 1.0, f"answer: {answer}", ha="center", va="bottom", fontsize=11)
        axes.set(xlim=(-0.05, 3.05), ylim=(-1.25, 1.3), aspect="equal")
        axes.set_axis_off()
        looked = max(range(3), key=lambda cell: weights[cell])
        said.append(
            f"“{question}?” looks most at the {triptych.CELLS[looked]} cell "
            f"({format_weight(weights[looked])}) and is answered {answer}"
        )
    return Picture(figure, f"One picture of three digits, {len(asked)} questions: "
                           f"{'; '.join(said)}.")  # fmt: skip


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
