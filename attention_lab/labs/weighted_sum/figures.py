"""The figures of notebook 02: values in the plane, their hull, and a flow chart."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from torch import Tensor, tensor

from attention_lab.pictures.geometry import convex_hull, is_inside, reachable
from attention_lab.pictures.picture import Picture, in_own_style, numbers_of, texts_of
from attention_lab.pictures.style import ACCENT, DARK, GREY, format_number, format_weight

__all__ = ["flow_chart", "hull_and_box", "opening", "plane"]


def opening() -> Picture:
    """Draw the picture on top: four values, and the output that their weights give."""
    values = tensor([[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 3.0]])
    return plane(tensor([0.1, 0.2, 0.6, 0.1]), values)


@in_own_style
def plane(
    weights: Tensor,
    values: Tensor,
    *,
    keys: Sequence[str] | None = None,
    features: tuple[str, str] = ("first feature", "second feature"),
) -> Picture:
    """Draw values as points in the plane and their weighted sum.

    Parameters
    ----------
    weights : Tensor, shape (n_k,)
    values : Tensor, shape (n_k, 2)
    keys : sequence of str, optional
        A label for each value.
    features : two str
        What the two features are: the labels of the axes.

    Returns
    -------
    Picture
        The larger a point, the larger its weight; the hull of the values is shaded.
    """
    weights, values = numbers_of(weights), numbers_of(values)
    keys = texts_of(keys, "v", len(values), "values")
    across, up = texts_of(features, "feature ", 2, "features")
    output = weights @ values
    figure = Figure(figsize=(5.2, 3.9), layout="constrained")
    axes = figure.add_subplot()
    hull = values[convex_hull(values)].numpy()
    axes.add_patch(Polygon(hull, facecolor="#e8edf3", edgecolor=GREY, linestyle="--"))
    sizes = (30 + 260 * weights.abs()).tolist()
    for weight, size, (x, y) in zip(weights.tolist(), sizes, values.tolist(), strict=True):
        axes.plot([x, output[0]], [y, output[1]], color=GREY, alpha=0.5, lw=0.5 + 5 * abs(weight))
        axes.scatter([x], [y], s=size, color=DARK, zorder=3)
    axes.scatter([output[0]], [output[1]], s=110, marker="s", color=ACCENT, ec="white", zorder=6)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.22)
    axes.set(xlabel=across, ylabel=up)
    said = [
        f"{label}: {format_weight(weight)}"
        for label, weight in zip(keys, weights.tolist(), strict=True)
    ]
    _label_points(axes, [*said, "output"], [*values.tolist(), output.tolist()], [*sizes, 110])
    where = "inside" if is_inside(output, values) else "outside"
    sentence = (
        f"{len(keys)} values in the plane, with weights "
        f"{', '.join(format_weight(w) for w in weights.tolist())}: their weighted sum lies at "
        f"({', '.join(format_number(x) for x in output.tolist())}), {where} the hull of the values."
    )
    return Picture(figure, sentence)


def _label_points(
    axes: Axes, texts: Sequence[str], points: Sequence[Sequence[float]], sizes: Sequence[float]
) -> list[Annotation]:
    """Write beside each point what it is, where neither a point nor another label is covered.

    The last point is the output. Where there is no free room, the label that covers least is kept.
    """
    axes.figure.draw_without_rendering()  # the limits and the layout stand from here on
    unit = axes.figure.dpi / 72  # pixels to a point of type
    radii = [math.sqrt(size) / 2 + 1 for size in sizes]
    centers = axes.transData.transform(points)
    marks = [
        Bbox.from_bounds(x - radius * unit, y - radius * unit, 2 * radius * unit, 2 * radius * unit)
        for (x, y), radius in zip(centers, radii, strict=True)
    ]
    frame = axes.get_window_extent()
    written: list[Annotation] = []
    taken = list(marks)
    for text, point, radius in zip(texts, points, radii, strict=True):
        note = axes.annotate(
            text, point, (0, 0), textcoords="offset points", ha="center", va="center", zorder=5,
            weight="bold" if text == texts[-1] else None,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85},
        )  # fmt: skip
        note.set_in_layout(False)
        extent = note.get_window_extent()
        half_width, half_height = extent.width / 2 / unit, extent.height / 2 / unit

        def covered(offset: tuple[float, float], note: Annotation = note) -> float:
            note.xyann = offset
            box = note.get_window_extent().padded(1)
            outside = box.width * box.height - _shared(box, frame)
            return outside + sum(_shared(box, other) for other in taken)

        offsets = [
            (across * (radius + half_width + gap), up * (radius + half_height + gap))
            for gap in (2, 8, 14)
            for across, up in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
        ]
        note.xyann = min(offsets, key=covered)
        taken.append(note.get_window_extent().padded(1))
        written.append(note)
    return written


def _shared(one: Bbox, other: Bbox) -> float:
    both = Bbox.intersection(one, other)
    return both.width * both.height if both else 0.0


@in_own_style
def hull_and_box(values: Tensor, point: Tensor) -> Picture:
    """Draw the hull of values in the plane, the box of their features, and a point.

    Parameters
    ----------
    values : Tensor, shape (n_k, 2)
    point : Tensor, shape (2,)

    Returns
    -------
    Picture
        The sentence says whether the point lies in the hull, and whether in the box.
    """
    values, point = numbers_of(values), numbers_of(point)
    figure = Figure(figsize=(4.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    (left, low), (right, high) = values.amin(dim=0).tolist(), values.amax(dim=0).tolist()
    box = [(left, low), (right, low), (right, high), (left, high)]
    axes.add_patch(Polygon(box, facecolor="none", edgecolor=ACCENT, linestyle=":", linewidth=2))
    hull = values[convex_hull(values)].numpy()
    axes.add_patch(Polygon(hull, facecolor="#dfe6ee", edgecolor=GREY, linestyle="--"))
    axes.scatter(*values.T, s=60, color=DARK, zorder=3)
    axes.scatter(*point.unsqueeze(1), s=90, marker="x", color=ACCENT, linewidths=2.5, zorder=4)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.25)
    axes.set(xlabel="first feature", ylabel="second feature")
    where = f"({', '.join(format_number(x) for x in point.tolist())})"
    said = [*(f"v{j}" for j in range(len(values))), where]
    _label_points(axes, said, [*values.tolist(), point.tolist()], [60] * (len(values) + 1))
    in_box = bool(((point >= values.amin(dim=0)) & (point <= values.amax(dim=0))).all())
    in_hull = is_inside(point, values)
    sentence = (
        f"The hull of {len(values)} values (shaded) and the box of their features (dotted): the "
        f"point {where} lies {'inside' if in_box else 'outside'} the box and "
        f"{'inside' if in_hull else 'outside'} the hull."
    )
    return Picture(figure, sentence)


@in_own_style
def flow_chart(
    edges: Collection[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    *,
    start: str | None = None,
    end: str | None = None,
    title: str,
) -> Picture:
    """Draw a flow chart, and mark what can be reached from one of its boxes.

    Parameters
    ----------
    edges : collection of (from, to)
    rows : sequence of sequence of str
        The boxes, line by line from the top; ``""`` leaves a place empty.
    start, end : str, optional
        Boxes reachable from ``start`` are drawn dark; the sentence says whether ``end`` is
        among them. Without them the sentence names the arrows.
    title : str

    Returns
    -------
    Picture
    """
    dark = set() if start is None else reachable(edges, start)
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
    if start is None:
        arrows = ", ".join(f"{came_from} → {to}" for came_from, to in edges)
        return Picture(figure, f"{title}: {arrows}.")
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
