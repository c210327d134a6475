"""The figures of notebook 12: lines over two logarithmic axes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from attention_lab.labs.cost.measure import Times, slope
from attention_lab.labs.cost.shapes import DESIGNS, MODELS, parameters, size
from attention_lab.pictures.picture import Picture, in_own_style
from attention_lab.pictures.style import ACCENT, DARK, GREY

__all__ = ["log_lines", "opening", "timed"]

LOOKS = (
    (DARK, "o", "-"),
    (ACCENT, "s", "--"),
    (GREY, "^", ":"),
    ("#009e73", "D", "-."),
    ("#7b3294", "v", (0, (1, 1))),
    ("#8c510a", "P", (0, (5, 1, 1, 1, 1, 1))),
)


def _written(number: float) -> str:
    """Write a size with a thin space between thousands."""
    return f"{number:,.0f}".replace(",", " ")


@in_own_style
def log_lines(
    sizes: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    title: str,
    x_axis: str,
    y_axis: str,
    spreads: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    marks: Mapping[str, float] | None = None,
    levels: Mapping[str, float] | None = None,
    sentence: str,
) -> Picture:
    """Draw lines whose slope is the power with which something grows.

    Parameters
    ----------
    sizes : sequence of float
        On the x axis.
    curves : mapping of name to sequence of float
        As many numbers as sizes.
    title, x_axis, y_axis, sentence : str
    spreads : mapping of name to sequence of (lowest, highest), optional
        Drawn as bars through the points.
    marks, levels : mapping of name to float, optional
        Vertical and horizontal lines.

    Returns
    -------
    Picture
    """
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log", xlabel=x_axis, ylabel=y_axis)
    for (name, numbers), (color, marker, style) in zip(
        curves.items(), itertools.cycle(LOOKS), strict=False
    ):
        look = {"color": color, "marker": marker, "ls": style, "lw": 2, "ms": 5, "label": name}
        spread = (spreads or {}).get(name)
        if spread:
            low, high = zip(*spread, strict=True)
            bars = [
                [a - b for a, b in zip(numbers, low, strict=True)],
                [b - a for a, b in zip(numbers, high, strict=True)],
            ]
            axes.errorbar(sizes, numbers, yerr=bars, capsize=3, **look)
        else:
            axes.plot(sizes, numbers, **look)
    axes.set_xticks(sizes, [_written(each) for each in sizes])
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:,g}".replace(",", " "))
    axes.minorticks_off()
    for name, place in (marks or {}).items():
        axes.axvline(place, color="black", lw=1, ls=(0, (2, 2)))
        axes.annotate(name, (place, 0.02), xycoords=("data", "axes fraction"), rotation=90,
                      fontsize=8, ha="right", va="bottom")  # fmt: skip
    for name, place in (levels or {}).items():
        axes.axhline(place, color="black", lw=1, ls=(0, (2, 2)))
        axes.annotate(name, (0.01, place), xycoords=("axes fraction", "data"), fontsize=8,
                      va="bottom")  # fmt: skip
    axes.set_title(title, fontsize=11)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=3.5)
    return Picture(figure, sentence)


def timed(
    sizes: Sequence[int],
    measured: Mapping[str, Sequence[Times]],
    *,
    title: str,
    marks: Mapping[str, float] | None = None,
) -> Picture:
    """Draw medians of measured times, from the fastest run to the slowest, and name the slopes.

    A slope is that of the fastest runs: what disturbs a run only adds to it.

    Parameters
    ----------
    sizes : sequence of int
        Tokens.
    measured : mapping of name to sequence of Times
    title : str
    marks : mapping of name to float, optional
        Vertical lines.

    Returns
    -------
    Picture
    """
    medians = {name: [each.median for each in own] for name, own in measured.items()}
    slopes = {name: slope(sizes, [each.fastest for each in own]) for name, own in measured.items()}
    said = ", ".join(f"{name} {each:.2f}" for name, each in slopes.items())
    return log_lines(
        sizes,
        {f"{name} (slope {slopes[name]:.2f})": own for name, own in medians.items()},
        title=title,
        x_axis="tokens",
        y_axis="milliseconds",
        spreads={
            f"{name} (slope {slopes[name]:.2f})": [each.spread for each in own]
            for name, own in measured.items()
        },
        marks=marks,
        sentence=f"{title}; bars go from the fastest to the slowest run. Slopes: {said}.",
    )


def opening() -> Picture:
    """Draw the cache of one real model over the length of the text, as six designs."""
    shape = MODELS["Llama 3.1 8B (2024)"].shape
    sizes = [2**k for k in range(7, 18, 2)]
    gib = {
        name: [design(_at(shape, n)).cache / 2**30 for n in sizes]
        for name, design in DESIGNS.items()
    }
    weights = 2 * parameters(shape, 14_336, 128_256)
    ends = ", ".join(f"{name} {size(own[-1] * 2**30)}" for name, own in gib.items())
    return log_lines(
        sizes,
        gib,
        title="What one text keeps in memory, 32 layers as in Llama 3.1 8B",
        x_axis="tokens of the text",
        y_axis="GiB, 2 bytes a number",
        levels={f"all weights of the model: {size(weights)}": weights / 2**30},
        sentence=f"Keys and values that are kept for one text of 131 072 tokens: {ends}. "
        f"The weights of the model take {size(weights)}.",
    )


def _at(shape, context: int):
    return type(shape)(**{**vars(shape), "context": context})
