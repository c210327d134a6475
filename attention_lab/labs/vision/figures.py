"""Still pictures of notebook 13."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from attention_lab.labs.vision.images import splits
from attention_lab.labs.vision.maps import attention_map, occlusion_map, rank_correlation
from attention_lab.labs.vision.runs import Run, standard_error
from attention_lab.labs.vision.trained import load
from attention_lab.pictures.picture import Picture, in_own_style
from attention_lab.pictures.style import (
    ACCENT,
    DARK,
    color_range,
    colormap,
    format_number,
    ink,
)

__all__ = ["accuracies", "cut_photograph", "gallery", "opening", "two_maps"]

GAP = 3  # pixels between the patches of a photograph


@in_own_style
def cut_photograph(image: Tensor, size: int, *, order: Tensor | None = None) -> Picture:
    """Draw a photograph (3, H, W) whole, and cut into patches, which may stand in another order."""
    _, height, width = image.shape
    cells = image.unfold(1, size, size).unfold(2, size, size)  # (3, rows, columns, p, p)
    rows, columns = cells.shape[1:3]
    cells = cells.flatten(1, 2)  # (3, n, p, p)
    if order is not None:
        cells = cells[:, order]
    apart = torch.ones(3, rows * (size + GAP) - GAP, columns * (size + GAP) - GAP)
    for at in range(rows * columns):
        top, left = at // columns * (size + GAP), at % columns * (size + GAP)
        apart[:, top : top + size, left : left + size] = cells[:, at]
    figure = Figure(figsize=(8.2, 4.2), layout="constrained")
    for axes, shown, name in zip(
        figure.subplots(1, 2),
        (image, apart),
        (
            f"{height} × {width} = {height * width:,} pixels".replace(",", " "),
            f"{rows} × {columns} = {rows * columns} patches of {size} × {size}",
        ),
        strict=True,
    ):
        axes.imshow(shown.permute(1, 2, 0).numpy())
        axes.set_title(name, fontsize=11)
        axes.axis("off")
    moved = "" if order is None else ", in another order"
    said = f"A photograph of {height} × {width} pixels, and the same in {rows * columns} patches"
    return Picture(figure, f"{said} of {size} × {size}{moved}.")


@in_own_style
def gallery(
    images: Sequence[Tensor],
    names: Sequence[str],
    *,
    title: str,
    boxes: Sequence[Tensor] | None = None,
    points: Sequence[Tensor] | None = None,
) -> Picture:
    """Draw small images in a row, 0 white and 1 dark; with a box of 8 × 8 and a cross on each.

    Parameters
    ----------
    images : sequence of Tensor, shape (H, W)
    names : sequence of str
    title : str
    boxes, points : sequence of Tensor, shape (2,), optional
        Row and column of an upper left pixel, and of a point.
    """
    figure = Figure(figsize=(min(1.55 * len(images), 9.3), 2.2), layout="constrained")
    panels = figure.subplots(1, len(images), squeeze=False)[0]
    for k, (axes, image, name) in enumerate(zip(panels, images, names, strict=True)):
        axes.imshow(image.numpy(), cmap=colormap(weights=True), vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize=9)
        if boxes is not None:
            top, left = boxes[k].tolist()
            axes.add_patch(
                Rectangle((left - 0.5, top - 0.5), 8, 8, fill=False, ec=ACCENT, lw=2, ls="--")
            )
        if points is not None:
            axes.plot(points[k][1], points[k][0], marker="x", color=ACCENT, ms=9, mew=3)
    figure.suptitle(title, fontsize=11)
    return Picture(figure, f"{title}: {', '.join(names)}.")


@in_own_style
def two_maps(image: Tensor, maps: Mapping[str, Tensor], *, title: str) -> Picture:
    """Draw an image (8, 8), and maps (16,) of its patches beside it, each with its numbers."""
    figure = Figure(figsize=(2.7 * (1 + len(maps)), 3.1), layout="constrained")
    first, *others = figure.subplots(1, 1 + len(maps))
    first.imshow(image.numpy(), cmap=colormap(weights=True), vmin=0, vmax=1)
    first.set_title("image", fontsize=10)
    said = []
    for axes, (name, numbers) in zip(others, maps.items(), strict=True):
        square = numbers.detach().double().view(4, 4)
        low, high = color_range(square)
        drawn = axes.imshow(square.numpy(), cmap=colormap(weights=False), vmin=low, vmax=high)
        axes.set_title(name, fontsize=10)
        for i in range(4):
            for j in range(4):
                number = square[i, j].item()
                color = ink(drawn.to_rgba(number)[:3])
                text = f"{number:.2f}".replace("-", "−")
                if abs(number) < 0.005:
                    text = "≈0" if number else "0"
                axes.text(j, i, text, ha="center", va="center", fontsize=9, color=color)
        at = int(numbers.argmax())
        said.append(f"{name}: largest in row {at // 4}, column {at % 4} of the patches")
    for axes in (first, *others):
        axes.set(xticks=[], yticks=[])
    if title:
        figure.suptitle(title, fontsize=11)
    return Picture(figure, f"{title or 'A digit'}. {'; '.join(said)}.")


@in_own_style
def accuracies(groups: Mapping[str, Sequence[Run]], *, title: str, moved: bool = False) -> Picture:
    """Draw the accuracy of each seed, and the mean with two standard errors of 450 images.

    Parameters
    ----------
    groups : mapping of name to sequence of Run
    title : str
    moved : bool
        On test images moved by a pixel.
    """
    figure = Figure(figsize=(7.6, 0.9 + 0.36 * len(groups)), layout="constrained")
    axes = figure.subplots()
    said = []
    for row, runs in enumerate(groups.values()):
        each = [run.shifted if moved else run.accuracy for run in runs]
        middle = sum(each) / len(each)
        reach = 2 * standard_error(middle, len(runs[0].right))
        axes.plot([middle - reach, middle + reach], [row, row], color=DARK, lw=1.5)
        axes.plot([middle], [row], marker="|", color=DARK, ms=14, mew=2)
        axes.plot(each, [row] * len(each), "o", color=ACCENT, ms=5, mfc="none", mew=1.5)
        said.append(f"{list(groups)[row]} {format_number(middle)}")
    axes.set_yticks(range(len(groups)), list(groups))
    axes.invert_yaxis()
    axes.grid(axis="x", color="#d9d9d9")
    axes.set(xlabel="accuracy on 450 test images; circles: seeds; bar: mean ± 2 standard errors")
    axes.set_title(title, fontsize=11)
    return Picture(figure, f"{title}: {', '.join(said)}.")


def opening() -> Picture:
    """Draw a digit, where a trained ViT looks, and what it needs."""
    test, vit = splits()["test"], load("ViT")
    at = int((test.labels == 3).nonzero()[0])
    image = test.images[at : at + 1]
    looks, needs = attention_map(vit, image), occlusion_map(vit, image)
    same = format_number(rank_correlation(looks, needs).item())
    picture = two_maps(
        image[0], {"where the ViT looks": looks[0], "what it needs": needs[0]}, title=""
    )
    picture.sentence = f"{picture.sentence} The rank correlation of the two maps is {same}."
    return picture
