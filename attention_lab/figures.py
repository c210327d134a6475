"""Static pictures: what a reader without a kernel sees.

Each function returns a `Picture`: a matplotlib figure and one sentence that says what it
shows. A notebook prints the sentence under the figure, so the lesson also reaches a reader
who cannot see it, and a test can compare it.
"""

from __future__ import annotations

import base64
import io
import itertools
import math
from collections.abc import Collection, Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from torch import Tensor

from attention_lab.attention import AttentionSteps
from attention_lab.style import (
    COLORMAP,
    color_range,
    format_number,
    format_weight,
    labels,
    limits,
    palette,
    shades,
)
from attention_lab.views import convex_hull, exponent

__all__ = [
    "Picture",
    "curves",
    "flow_chart",
    "heads",
    "heatmap",
    "histograms",
    "kernel_regression",
    "plane",
    "reachable",
    "steps",
    "weight_bars",
]

DARK = "#00204d"  # the dark end of cividis
ACCENT = "#d55e00"  # vermilion: apart from blue and grey for every kind of colour vision
GREY = "#5b6b7b"
SCREEN_DPI = 84  # text of 9 points is then as large as the code around the figure
PIXELS_PER_POINT = 2  # sharp on screens with two pixels to the point


class Picture:
    """A figure and the sentence that says what it shows.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        Not known to pyplot, so that nothing piles up in memory.
    sentence : str
        The alternative text; printed under the figure.
    """

    def __init__(self, figure: Figure, sentence: str) -> None:
        self.figure = figure
        self.sentence = sentence

    def png(self) -> bytes:
        """Return the picture as a PNG on opaque white, the same bytes on every call."""
        buffer = io.BytesIO()
        self.figure.savefig(
            buffer,
            format="png",
            dpi=SCREEN_DPI * PIXELS_PER_POINT,
            facecolor="white",
            metadata={"Software": None},
        )
        return buffer.getvalue()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        width, height = (round(inches * SCREEN_DPI) for inches in self.figure.get_size_inches())
        # The bundle by hand: the Image of IPython 7 (Colab) takes no alternative text.
        bundle = {
            "image/png": base64.b64encode(self.png()).decode(),
            "text/plain": f"<Picture {width} × {height}>",
        }
        details = {"width": width, "height": height, "alt": self.sentence}
        display(bundle, raw=True, metadata={"image/png": details})
        print(self.sentence)

    def __repr__(self) -> str:
        return f"Picture: {self.sentence}"


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
    rows = rows or labels("q", matrix.shape[0])
    columns = columns or labels("k", matrix.shape[1])
    figure = Figure(
        figsize=(2.4 + 0.72 * matrix.shape[1], 1.5 + 0.5 * matrix.shape[0]), layout="constrained"
    )
    axes = figure.add_subplot()
    image = _draw_matrix(axes, matrix, rows, columns, weights)
    axes.set(xlabel=column_axis, ylabel=row_axis)
    axes.set_title(title, fontsize=11)
    figure.colorbar(image, ax=axes, shrink=0.9)
    described = _describe_weights(matrix, rows, columns) if weights else _describe_range(matrix)
    return Picture(figure, f"{title}, {_size(matrix)}: {described}.")


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
    n_heads, n_q, n_k = weights.shape
    names = names or labels("head ", n_heads)
    rows, columns = rows or labels("q", n_q), columns or labels("k", n_k)
    width = min(0.8 + 0.5 * n_k, 5.2)
    down = math.ceil(n_heads * width / 11.6)
    across = math.ceil(n_heads / down)
    figure = Figure(
        figsize=(0.9 + width * across, 0.6 + (0.9 + 0.38 * n_q) * down), layout="constrained"
    )
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in panels.flat[n_heads:]:
        axes.axis("off")
    for axes, name, matrix in zip(panels.flat, names, weights, strict=False):
        _draw_matrix(axes, matrix, rows, columns, weights=True, numbers=n_k <= 8)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(column_axis)
        if max(map(len, columns)) > 3:
            axes.tick_params(axis="x", rotation=60)
    for axes in panels[:, 0]:
        axes.set_ylabel(row_axis)
    figure.suptitle(title, fontsize=11)
    described = "; ".join(
        f"{name}: {_describe_weights(matrix, rows, columns)}"
        for name, matrix in zip(names, weights, strict=True)
    )
    return Picture(figure, f"{title}. {described}.")


def steps(
    steps: AttentionSteps, *, rows: Sequence[str] | None = None, keys: Sequence[str] | None = None
) -> Picture:
    """Draw the five steps of attention side by side.

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
    rows = rows or labels("q", steps.scores.shape[0])
    keys = keys or labels("k", steps.scores.shape[1])
    n_k, d_v = steps.scores.shape[1], steps.output.shape[1]
    cell = 0.62
    widths = [n_k * cell + 0.55] * 4 + [d_v * cell + 0.55]
    figure = Figure(
        figsize=(max(sum(widths), 8.5), 1.25 + max(0.5 * len(rows), 0.8)), layout="constrained"
    )
    panels = figure.subplots(1, 5, width_ratios=widths)
    for axes, name, step in zip(panels, steps._fields, steps, strict=True):
        columns = labels("d", d_v) if name == "output" else keys
        _draw_matrix(axes, step, rows, columns, weights=name == "weights")
        axes.set_title(name, fontsize=11)
    sentence = (
        f"From left to right: scores ({_describe_range(steps.scores)}), scaled, masked, "
        f"weights ({_describe_weights(steps.weights, rows, keys)}) "
        f"and output {_matrix_text(steps.output)}."
    )
    return Picture(figure, sentence)


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
    keys = keys or labels("k", len(scores))
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


def plane(weights: Tensor, values: Tensor, *, keys: Sequence[str] | None = None) -> Picture:
    """Draw values as points in the plane and their weighted sum.

    Parameters
    ----------
    weights : Tensor, shape (n_k,)
    values : Tensor, shape (n_k, 2)
    keys : sequence of str, optional
        A label for each value.

    Returns
    -------
    Picture
        The larger a point, the larger its weight; the hull of the values is shaded.
    """
    keys = keys or labels("v", len(values))
    output = weights @ values
    figure = Figure(figsize=(5.2, 3.9), layout="constrained")
    axes = figure.add_subplot()
    hull = values[convex_hull(values)].numpy()
    axes.add_patch(Polygon(hull, facecolor="#e8edf3", edgecolor=GREY, linestyle="--"))
    for label, weight, (x, y) in zip(keys, weights.tolist(), values.tolist(), strict=True):
        axes.plot([x, output[0]], [y, output[1]], color=GREY, alpha=0.5, lw=0.5 + 5 * abs(weight))
        axes.scatter([x], [y], s=30 + 260 * abs(weight), color=DARK, zorder=3)
        axes.annotate(
            f"{label}: {format_weight(weight)}",
            (x, y),
            xytext=(0, 13),
            textcoords="offset points",
            ha="center",
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85},
            zorder=5,
        )
    axes.scatter([output[0]], [output[1]], s=110, marker="s", color=ACCENT, ec="white", zorder=6)
    axes.annotate(
        "output", output.tolist(), xytext=(11, -14), textcoords="offset points", weight="bold"
    )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.22)
    axes.set(xlabel="first feature", ylabel="second feature")
    where = "inside" if _is_inside(output, values) else "outside"
    sentence = (
        f"{len(keys)} values in the plane, with weights "
        f"{', '.join(format_weight(w) for w in weights.tolist())}: their weighted sum lies at "
        f"({', '.join(format_number(x) for x in output.tolist())}), {where} the hull of the values."
    )
    return Picture(figure, sentence)


def _is_inside(point: Tensor, values: Tensor) -> bool:
    """Tell whether a point lies in the convex hull, its edge included, but for rounding."""
    corners = values[convex_hull(values)].double()
    point = point.double()
    slack = 1e-5 * (1 + float(values.abs().max()))
    sides = torch.roll(corners, -1, dims=0) - corners  # from each corner to the next
    to_point = point - corners
    if len(corners) > 2:
        turns = sides[:, 0] * to_point[:, 1] - sides[:, 1] * to_point[:, 0]
        return bool((turns >= -slack * sides.norm(dim=1)).all())
    along = (to_point[0] @ sides[0] / (sides[0] @ sides[0]).clamp(min=1e-30)).clamp(0, 1)
    return bool((corners[0] + along * sides[0] - point).norm() <= slack)


def kernel_regression(
    keys: Tensor, values: Tensor, weights: Tensor, grid: Tensor, estimate: Tensor, query: float
) -> Picture:
    """Draw kernel regression: attention whose query and keys are places on a line.

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


def curves(
    places: Sequence[float],
    lines: Mapping[str, Sequence[float]],
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
    lines : mapping of name to sequence of float
        As many numbers as places.
    title, x_axis, y_axis : str
    log : bool
        Give each doubling of x the same room.

    Returns
    -------
    Picture
        The sentence names both ends of each line.
    """
    figure = Figure(figsize=(6.6, 3.3), layout="constrained")
    axes = figure.add_subplot()
    looks = itertools.cycle(((DARK, "o", "-"), (ACCENT, "s", "--"), (GREY, "^", ":")))
    for (name, numbers), (color, marker, style) in zip(lines.items(), looks, strict=False):
        axes.plot(places, numbers, color=color, marker=marker, ls=style, lw=2, label=name)
    if log:
        axes.set_xscale("log", base=2)
        axes.set_xticks(places, [format_number(place) for place in places])
        axes.minorticks_off()
    elif len(places) <= 10:
        axes.set_xticks(places)
    axes.set(xlabel=x_axis, ylabel=y_axis)
    axes.set_title(title, fontsize=11)
    axes.margins(y=0.12)
    axes.legend()
    ends = "; ".join(
        f"{name} goes from {format_number(numbers[0])} to {format_number(numbers[-1])}"
        for name, numbers in lines.items()
    )
    across = f"from {x_axis} {format_number(places[0])} to {format_number(places[-1])}"
    return Picture(figure, f"{title}, {across}: {ends}.")


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


def reachable(edges: Collection[tuple[str, str]], start: str) -> set[str]:
    """Return the nodes that can be reached from ``start`` along the edges, itself included."""
    found, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        following = {to for came_from, to in edges if came_from == node} - found
        found |= following
        waiting += following
    return found


def flow_chart(
    edges: Collection[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    *,
    start: str,
    end: str,
    title: str,
) -> Picture:
    """Draw a flow chart and mark what can be reached from one of its boxes.

    Parameters
    ----------
    edges : collection of (from, to)
    rows : sequence of sequence of str
        The boxes, line by line from the top; ``""`` leaves a place empty.
    start, end : str
        Boxes reachable from ``start`` are drawn dark; the sentence says whether ``end`` is
        among them.
    title : str

    Returns
    -------
    Picture
    """
    dark = reachable(edges, start)
    places = {name: (x, y) for y, row in enumerate(rows) for x, name in enumerate(row) if name}
    columns, lines = max(map(len, rows)), len(rows)
    figure = Figure(figsize=(1.72 * columns + 0.2, 0.95 * lines + 0.5), layout="constrained")
    axes = figure.add_subplot()
    half_width, half_height = 0.41, 0.27
    boxes = {}
    for name, (x, y) in places.items():
        filled = name in dark
        boxes[name] = axes.add_patch(
            FancyBboxPatch(
                (x - half_width, y - half_height),
                2 * half_width,
                2 * half_height,
                boxstyle="round,pad=0.02",
                facecolor=DARK if filled else "white",
                edgecolor=ACCENT if name == end else GREY,
                linewidth=2.5 if name == end else 1.2,
            )
        )
        ink = "white" if filled else "black"
        axes.text(x, y, name, ha="center", va="center", color=ink, fontsize=9)
    for came_from, to in sorted(edges):
        axes.add_patch(
            FancyArrowPatch(
                places[came_from],
                places[to],
                arrowstyle="-|>",
                mutation_scale=13,
                color=ACCENT if came_from in dark else GREY,
                linewidth=1.6,
                patchA=boxes[came_from],
                patchB=boxes[to],
                shrinkA=0,
                shrinkB=2,
            )
        )
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(lines - 0.55, -0.45))
    axes.axis("off")
    axes.set_title(title, fontsize=11)
    verdict = "is" if end in dark else "is not"
    sentence = (
        f"{title}: from “{start}” the arrows lead to "
        f"{_listing(name for name in places if name in dark and name != start)}; "
        f"“{end}” {verdict} reachable."
    )
    return Picture(figure, sentence)


def _listing(names) -> str:
    quoted = [f"“{name}”" for name in names]
    return ", ".join(quoted) if quoted else "nothing"


def _draw_matrix(
    axes: Axes,
    matrix: Tensor,
    rows: Sequence[str],
    columns: Sequence[str],
    weights: bool,
    numbers: bool = True,
):
    low, high = color_range(matrix, weights=weights)
    write = format_weight if weights else format_number
    shown = matrix.masked_fill(~torch.isfinite(matrix), math.nan)
    image = axes.imshow(shown.numpy(), cmap=COLORMAP, vmin=low, vmax=high, aspect="auto")
    colors, places = palette(), shades(matrix, low, high).tolist()
    for i, row in enumerate(matrix.tolist() if numbers else []):
        for j, number in enumerate(row):
            color = "#000000" if number == -math.inf else colors[places[i][j]][1]
            axes.text(j, i, write(number), ha="center", va="center", color=color, fontsize=9)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
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


def _describe_weights(matrix: Tensor, rows: Sequence[str], columns: Sequence[str]) -> str:
    described = [
        f"{row} {_describe_row(weights, columns)}"
        for row, weights in zip(rows, matrix, strict=True)
    ]
    if len(described) > 4:
        described = [*described[:3], "and so on"]
    return ", ".join(described)


def _describe_row(weights: Tensor, columns: Sequence[str]) -> str:
    largest = weights.max().item()
    best = [c for c, w in zip(columns, weights.tolist(), strict=True) if w > largest - 1e-6]
    if len(best) == 1:
        return f"most on {best[0]} ({format_weight(largest)})"
    if len(best) == len(columns):
        return f"the same on all ({format_weight(largest)} each)"
    return f"most on {' and '.join(best)} ({format_weight(largest)} each)"


def _matrix_text(matrix: Tensor) -> str:
    rows = (
        "[" + ", ".join(format_number(number) for number in row) + "]" for row in matrix.tolist()
    )
    return "[" + ", ".join(rows) + "]"
