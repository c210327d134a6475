"""Static pictures: what a reader without a kernel sees.

Each function returns a `Picture`: a matplotlib figure and one sentence that says what it
shows. A notebook prints the sentence under the figure, so the lesson also reaches a reader
who cannot see it, and a test can compare it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path
from torch import Tensor

from attention_lab.core.attention import AttentionSteps
from attention_lab.pictures.flow import (
    FAINTEST,
    INK,
    LINE,
    PILL,
    PILL_EDGE,
    THICKEST,
    Rows,
    checked,
    described,
)
from attention_lab.pictures.picture import (
    Picture,
    in_own_style,
    label_columns,
    numbers_of,
    room_for,
    texts_of,
    wrapped,
)
from attention_lab.pictures.style import (
    ACCENT,
    DARK,
    GREY,
    color_range,
    colormap,
    exponent,
    format_number,
    format_weight,
    limits,
    palette,
    shades,
    steps_that_differ,
    weights_in_words,
)

__all__ = [
    "Picture",
    "flow",
    "heads",
    "heatmap",
    "histograms",
    "lines",
    "steps",
    "weight_bars",
]


@in_own_style
def heatmap(
    matrix: Tensor,
    *,
    title: str,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    row_axis: str = "queries",
    column_axis: str = "keys",
    weights: bool = False,
) -> Picture:
    """Draw a matrix with the numbers in its cells, named axes and one colour bar.

    Parameters
    ----------
    matrix : Tensor, shape (n_rows, n_columns)
    title : str
    rows, columns : sequence of str, optional
        Labels (tokens); q0, q1, ... and k0, k1, ... if not given.
    row_axis, column_axis : str
        What a row and a column stand for.
    weights : bool
        Colour on the fixed scale 0..1; the sentence names the strongest key of each row.

    Returns
    -------
    Picture
    """
    matrix = numbers_of(matrix)
    n_rows, n_columns = matrix.shape
    rows = texts_of(rows, "q", n_rows, "rows")
    columns = texts_of(columns, "k", n_columns, "columns")
    width = 2.4 + 0.72 * n_columns + room_for(rows)
    height = 1.5 + 0.5 * n_rows + room_for(columns)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    image = _draw_matrix(axes, matrix, rows, columns, weights, inches=0.72)
    axes.set(xlabel=column_axis, ylabel=row_axis)
    axes.set_title(wrapped(title, width), fontsize=11)
    bar = figure.colorbar(image, ax=axes, shrink=0.9)
    if not (matrix.nan_to_num(neginf=0) < 0).any():  # no orange where nothing is below 0
        bar.ax.set_ylim(bottom=0)
    described = weights_in_words(matrix, rows, columns) if weights else _describe_range(matrix)
    return Picture(figure, f"{title}, {_size(matrix)}: {described}.")


@in_own_style
def heads(
    weights: Tensor,
    *,
    title: str,
    names: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    row_axis: str = "queries",
    column_axis: str = "keys",
) -> Picture:
    """Draw the weights of several heads next to each other, on one colour scale from 0 to 1.

    Parameters
    ----------
    weights : Tensor, shape (n_heads, n_q, n_k)
    title : str
    names : sequence of str, optional
        One for each head; "head 0", "head 1", ... if not given.
    rows, columns : sequence of str, optional
        Labels (tokens); q0, q1, ... and k0, k1, ... if not given.
    row_axis, column_axis : str
        What a row and a column stand for.

    Returns
    -------
    Picture
        With up to 8 keys the numbers are in the cells.
    """
    weights = numbers_of(weights)
    n_heads, n_q, n_k = weights.shape
    names = texts_of(names, "head ", n_heads, "heads")
    rows, columns = texts_of(rows, "q", n_q, "rows"), texts_of(columns, "k", n_k, "columns")
    width = min(0.8 + 0.5 * n_k, 5.2)
    down = math.ceil(n_heads * width / 11.6)
    across = math.ceil(n_heads / down)
    figure = Figure(
        figsize=(
            0.9 + width * across + room_for(rows),
            0.6 + (0.9 + 0.38 * n_q + room_for(columns)) * down,
        ),
        layout="constrained",
    )
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in panels.flat[n_heads:]:
        axes.axis("off")
    for axes, name, matrix in zip(panels.flat, names, weights, strict=False):
        _draw_matrix(axes, matrix, rows, columns, weights=True, numbers=n_k <= 8, inches=0.38)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(column_axis)
    for axes in panels[:, 0]:
        axes.set_ylabel(row_axis)
    figure.suptitle(title, fontsize=11)
    described = "; ".join(
        f"{name}: {weights_in_words(matrix, rows, columns)}"
        for name, matrix in zip(names, weights, strict=True)
    )
    return Picture(figure, f"{title}. {described}.")


@in_own_style
def steps(
    steps: AttentionSteps, *, rows: Sequence[str] | None = None, keys: Sequence[str] | None = None
) -> Picture:
    """Draw the steps of attention: scores, scaled, masked, weights, output.

    A step that changes nothing is left out; scores, scaled and masked share one colour scale.

    Parameters
    ----------
    steps : AttentionSteps
        Of one head: (n_q, n_k) and (n_q, d_v).
    rows, keys : sequence of str, optional
        Labels of the queries and of the keys.

    Returns
    -------
    Picture
    """
    steps = AttentionSteps(*map(numbers_of, steps))
    rows = texts_of(rows, "q", steps.scores.shape[0], "queries")
    keys = texts_of(keys, "k", steps.scores.shape[1], "keys")
    n_k, d_v = steps.scores.shape[1], steps.output.shape[1]
    shown = steps_that_differ(steps)
    cell = 0.72
    widths = [(d_v if name == "output" else n_k) * cell + 0.6 for name in shown]
    lines = _broken(widths, WIDEST)
    figure = Figure(
        figsize=(
            max(max(sum(widths[k] for k in line) for line in lines), 4.6) + room_for(rows),
            (0.75 + max(0.42 * len(rows), 0.5) + room_for(keys)) * len(lines),
        ),
        layout="constrained",
    )
    ends = color_range(steps.scores, steps.scaled, steps.masked)
    names = list(shown)
    for strip, line in zip(
        figure.subfigures(len(lines), 1, squeeze=False)[:, 0], lines, strict=True
    ):
        ratios = [widths[k] for k in line]
        filled = max(figure.get_figwidth() - sum(ratios), 0) if len(lines) > 1 else 0
        panels = strip.subplots(
            1, len(line) + bool(filled), width_ratios=[*ratios, *([filled] if filled else [])],
            squeeze=False,
        )[0]  # fmt: skip
        for axes in panels[len(line) :]:
            axes.axis("off")
        for axes, k in zip(panels, line, strict=False):
            name = names[k]
            columns = texts_of(None, "d", d_v, "features") if name == "output" else keys
            scale = ends if name in ("scores", "scaled", "masked") else None
            _draw_matrix(
                axes, shown[name], rows, columns, name == "weights",
                inches=cell, ends=scale, font_size=11,
                hidden=steps.masked == -math.inf if name == "weights" else None,
            )  # fmt: skip
            axes.set_title(name, fontsize=12)
    sentence = (
        f"From left to right: scores ({_describe_range(steps.scores)}), "
        + "".join(f"{name}, " for name in names[1:-2])
        + f"weights ({weights_in_words(steps.weights, rows, keys)}) "
        f"and output {_matrix_text(steps.output)}."
    )
    return Picture(figure, sentence)


WIDEST = 7.2  # inches: more would be too small to read on a narrow page


def _broken(widths: Sequence[float], most: float) -> list[list[int]]:
    """Break panels into lines that are not wider than ``most``."""
    lines: list[list[int]] = [[]]
    for k, width in enumerate(widths):
        if lines[-1] and sum(widths[j] for j in lines[-1]) + width > most:
            lines.append([])
        lines[-1].append(k)
    return lines


@in_own_style
def flow(
    weights: Tensor, above: Sequence[str], below: Sequence[str], *, title: str = ""
) -> Picture:
    """Draw words joined by lines as thick as the weights.

    The same picture as `attention_lab.pictures.flow.flow`, which answers to hovering.

    Parameters
    ----------
    weights : Tensor, shape (n_q, n_k)
        From 0 to 1.
    above, below : sequence of str
        The keys and the queries; at most 24.
    title : str

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        The words are too many, or not as many as the weights say.
    """
    weights = numbers_of(weights)
    above = texts_of(above, "k", weights.shape[1], "keys")
    below = texts_of(below, "q", weights.shape[0], "queries")
    numbers, rows = checked(weights, below, above), Rows.of(above, below)
    pixels, height, top, bottom = 80, 190, 34, 156  # pixels of the layout to an inch
    figure = Figure(
        figsize=(max(rows.width, 300) / pixels, (height + 26 * bool(title)) / pixels),
        layout="constrained",
    )
    axes = figure.add_subplot()
    axes.set(xlim=(-4, rows.width + 4), ylim=(height, 0))
    axes.axis("off")
    axes.set_title(title, fontsize=11)
    lines = [
        (weight, key.middle, query.middle)
        for query, row in zip(rows.queries, numbers, strict=True)
        for key, weight in zip(rows.keys, row, strict=True)
        if weight >= FAINTEST
    ]
    for weight, start, end in sorted(lines):
        bend = (top + bottom) / 2
        path = Path([(start, top), (start, bend), (end, bend), (end, bottom)], [1, 4, 4, 4])
        width = max(0.5, 0.75 * THICKEST * weight)
        axes.add_patch(
            PathPatch(
                path, fc="none", ec=LINE, lw=width, alpha=0.35 + 0.5 * weight, capstyle="round"
            )
        )
    for word, y in [*((w, 17) for w in rows.keys), *((w, 173) for w in rows.queries)]:
        axes.add_patch(
            FancyBboxPatch(
                (word.middle - word.width / 2, y - 14), word.width, 28,
                boxstyle="round,pad=0,rounding_size=6", fc=PILL, ec=PILL_EDGE, lw=0.8,
            )
        )  # fmt: skip
        axes.text(word.middle, y, word.text, ha="center", va="center", fontsize=10, color=INK)
    said = described(weights, above, below)
    return Picture(figure, f"{title}. {said}." if title else f"{said}.")


@in_own_style
def weight_bars(
    scores: Tensor, weights: Tensor, *, keys: Sequence[str] | None = None, query: str = "one query"
) -> Picture:
    """Draw how the scores of one query become weights: scores, exponentials, weights.

    Parameters
    ----------
    scores : Tensor, shape (n_k,)
        What goes into the softmax.
    weights : Tensor, shape (n_k,)
        ``softmax(scores)``.
    keys : sequence of str, optional
        A label for each key.
    query : str
        Whose scores these are.

    Returns
    -------
    Picture
    """
    scores, weights = numbers_of(scores), numbers_of(weights)
    keys = texts_of(keys, "k", len(scores), "keys")
    figure = Figure(figsize=(8.2, 1.3 + 0.34 * len(keys)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    power, shifted = exponent(scores)
    columns = {
        "scores": (scores, format_number),
        power: (shifted.exp(), format_number),
        "weights = exp / sum": (weights, format_weight),
    }
    for axes, (title, (numbers, write)) in zip(panels, columns.items(), strict=True):
        _draw_bars(axes, title, numbers, write, keys)
    panels[2].set_xlim(0, 1.28)
    pairs = ", ".join(
        f"{k} {format_weight(w)}" for k, w in zip(keys, weights.tolist(), strict=True)
    )
    sentence = f"Weights of {query}: {pairs}; they sum to {format_weight(weights.sum().item())}."
    return Picture(figure, sentence)


@in_own_style
def lines(
    places: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    title: str,
    x_axis: str,
    y_axis: str,
    log: bool = False,
) -> Picture:
    """Draw lines over one axis.

    Parameters
    ----------
    places : sequence of float
        Where on the x axis.
    curves : mapping of name to sequence of float
        As many numbers as places.
    title, x_axis, y_axis : str
    log : bool
        Give each doubling of x the same room.

    Returns
    -------
    Picture
        The sentence names both ends of each line.
    """
    places = numbers_of(places).tolist()
    curves = {str(name): numbers_of(numbers).tolist() for name, numbers in curves.items()}
    figure = Figure(figsize=(6.6, 3.3), layout="constrained")
    axes = figure.add_subplot()
    drawn: list = []
    looks = itertools.cycle(((DARK, "o", "-"), (ACCENT, "s", "--"), (GREY, "^", ":")))
    for numbers, (color, marker, style) in zip(curves.values(), looks, strict=False):
        drawn += axes.plot(places, numbers, color=color, marker=marker, ls=style, lw=2)
    if log:
        axes.set_xscale("log", base=2)
        axes.set_xticks(places, [format_number(place) for place in places])
        axes.minorticks_off()
    elif len(places) <= 10:
        axes.set_xticks(places)
    axes.set(xlabel=x_axis, ylabel=y_axis)
    axes.set_title(title, fontsize=11)
    axes.margins(y=0.12)
    # named here: a label that begins with an underscore would be left out
    axes.legend(drawn, [f" {name}" if name[:1] in ("", "_") else name for name in curves])
    ends = "; ".join(
        f"{name} goes from {format_number(numbers[0])} to {format_number(numbers[-1])}"
        for name, numbers in curves.items()
    )
    across = f"from {x_axis} {format_number(places[0])} to {format_number(places[-1])}"
    return Picture(figure, f"{title}, {across}: {ends}.")


@in_own_style
def histograms(samples: Mapping[str, Tensor], *, title: str, x_axis: str) -> Picture:
    """Draw how samples are spread, one panel each, with the normal curve of their spread.

    Parameters
    ----------
    samples : mapping of name to Tensor, shape (n,)
    title, x_axis : str

    Returns
    -------
    Picture
        All panels have the same x axis; the sentence names the standard deviations.
    """
    samples = {str(name): numbers_of(sample) for name, sample in samples.items()}
    figure = Figure(figsize=(8.2, 2.9), layout="constrained")
    panels = figure.subplots(1, len(samples), sharex=True, squeeze=False)[0]
    said = []
    for axes, (name, sample) in zip(panels, samples.items(), strict=True):
        deviation = sample.std().item()
        axes.hist(sample.numpy(), bins=41, density=True, color="#aab7c4")
        axes.set_title(f"{name}: standard deviation {format_number(deviation)}", fontsize=10)
        axes.set(xlabel=x_axis, yticks=[])
        said.append(f"{format_number(deviation)} ({name})")
    low, high = panels[0].get_xlim()
    grid = torch.linspace(low, high, 400)
    for axes, sample in zip(panels, samples.values(), strict=True):
        deviation = sample.std().item()
        density = torch.distributions.Normal(sample.mean().item(), deviation).log_prob(grid).exp()
        axes.plot(grid, density, color=DARK, lw=1.5)
    figure.suptitle(title, fontsize=11)
    return Picture(figure, f"{title}; standard deviations: {', '.join(said)}.")


def _draw_matrix(
    axes: Axes,
    matrix: Tensor,
    rows: Sequence[str],
    columns: Sequence[str],
    weights: bool,
    *,
    inches: float,
    numbers: bool = True,
    ends: tuple[float, float] | None = None,
    hidden: Tensor | None = None,
    font_size: float = 9,
):
    """Draw a matrix whose columns are ``inches`` wide; ``ends`` are those of the colour scale.

    Hidden cells are striped: those given, and those with -inf.
    """
    low, high = ends or color_range(matrix, weights=weights)
    write = format_weight if weights else format_number
    shown = matrix.masked_fill(~torch.isfinite(matrix), math.nan)
    image = axes.imshow(
        shown.numpy(),
        cmap=colormap(weights=weights),
        vmin=low,
        vmax=high,
        aspect="auto",
        origin="upper",
    )
    for i, j in (matrix == -math.inf if hidden is None else hidden).nonzero().tolist():
        stripes = {"hatch": "////", "facecolor": "white", "edgecolor": "#c9c9c9", "lw": 0}
        axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **stripes))
    colors, levels = palette(weights=weights), shades(matrix, low, high).tolist()
    for i, row in enumerate(matrix.tolist() if numbers else []):
        for j, number in enumerate(row):
            color = colors[levels[i][j]][1] if math.isfinite(number) else "#000000"
            axes.text(
                j, i, write(number), ha="center", va="center", color=color, fontsize=font_size
            )
    if numbers:  # white cells need an edge
        axes.set_xticks([j - 0.5 for j in range(1, len(columns))], minor=True)
        axes.set_yticks([i - 0.5 for i in range(1, len(rows))], minor=True)
        axes.grid(which="minor", color="#d9dee6", lw=0.6)
    label_columns(axes, columns, inches)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(which="both", length=0)
    return image


def _draw_bars(axes: Axes, title: str, numbers: Tensor, write, keys: Sequence[str]) -> None:
    bars = axes.barh(range(len(keys)), numbers.numpy(), color=DARK, height=0.62)
    axes.bar_label(bars, [f" {write(number)}" for number in numbers.tolist()], fontsize=9)
    axes.set_yticks(range(len(keys)), keys)
    axes.invert_yaxis()
    axes.margins(x=0.3)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_title(title, fontsize=11)
    axes.set_xticks([])
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)


def _size(matrix: Tensor) -> str:
    return f"{matrix.shape[0]} × {matrix.shape[1]}"


def _describe_range(matrix: Tensor) -> str:
    low, high = limits(matrix)
    return f"from {format_number(low)} to {format_number(high)}"


def _matrix_text(matrix: Tensor) -> str:
    rows = (
        "[" + ", ".join(format_number(number) for number in row) + "]" for row in matrix.tolist()
    )
    return "[" + ", ".join(rows) + "]"
