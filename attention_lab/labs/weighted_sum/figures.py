"""The figures of notebook 02: values in the plane, and a flow chart."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from torch import Tensor

from attention_lab.pictures.geometry import convex_hull, is_inside, reachable
from attention_lab.pictures.picture import Picture, in_own_style, numbers_of, texts_of
from attention_lab.pictures.style import ACCENT, DARK, GREY, format_number, format_weight

__all__ = ["flow_chart", "plane"]


@in_own_style
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
    weights, values = numbers_of(weights), numbers_of(values)
    keys = texts_of(keys, "v", len(values), "values")
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
    where = "inside" if is_inside(output, values) else "outside"
    sentence = (
        f"{len(keys)} values in the plane, with weights "
        f"{', '.join(format_weight(w) for w in weights.tolist())}: their weighted sum lies at "
        f"({', '.join(format_number(x) for x in output.tolist())}), {where} the hull of the values."
    )
    return Picture(figure, sentence)


@in_own_style
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
