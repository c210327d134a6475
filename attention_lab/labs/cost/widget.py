"""Six designs of attention side by side, for a model shape that the reader chooses."""

from __future__ import annotations

import math

import ipywidgets
from traitlets import Bunch

from attention_lab.grading.feedback import Problem
from attention_lab.labs.cost.shapes import DESIGNS, MODELS, Cost, Shape, costs, size
from attention_lab.pictures import svg
from attention_lab.pictures.style import ACCENT, DARK, GREY
from attention_lab.pictures.tables import cell, head, row_head, table, title
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, count_field, row, watch
from attention_lab.ui.keys import ARROWS

__all__ = ["CostExplorer"]

OWN = "my own shape"
NUMBERS = {"4 (float32)": 4, "2 (bfloat16)": 2, "1 (8 bits)": 1}
# color, dashes and the sign at the end of each line, in the order of `DESIGNS`
LINES = (
    (DARK, ""), (ACCENT, "8 3"), (GREY, "2 3"), ("#007a5a", "8 3 2 3"),
    ("#7b3294", "4 2"), ("#8c510a", "12 3 2 3 2 3"),
)  # fmt: skip
FIRST, LAST = 7, 24  # the x axis, powers of two: 128 tokens to 16 million
LOW, HIGH = 20, 45  # the y axis: 1 MiB to 32 TiB
WIDTH, HEIGHT = 700, 320
# Every column has its width from the start, so that no field moves anything but numbers.
STILL = """<style>
.alab-cost{overflow-x:auto}
.alab-cost table{table-layout:fixed;width:700px;font-size:12px}
.alab-cost tr>:first-child{width:72px}
.alab-cost table th,.alab-cost table td{height:24px;padding:0 4px;min-width:0;text-align:right}
.alab-cost thead th{height:50px;white-space:normal;vertical-align:bottom;line-height:1.25}
.alab-cost caption{height:40px}
</style>"""


class CostExplorer(LiveView):
    """Choose a model or type a shape; see what six designs keep, read and compute for it.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    """

    def __init__(self, model: str = "Llama 3.1 8B (2024)") -> None:
        super().__init__()
        shape = MODELS[model].shape
        self.preset = choice("model", [*MODELS, OWN], value=model, width="250px")
        self.numbers = choice("bytes a number", list(NUMBERS), value="2 (bfloat16)", width="210px")
        self.fields = {
            "layers": count_field("layers", shape.layers, 500, width="120px"),
            "d_model": count_field("d_model", shape.d_model, 65_536, width="145px"),
            "heads": count_field("heads", shape.heads, 512, width="120px"),
            "kv_heads": count_field("kv heads (GQA)", shape.kv_heads, 512, width="170px"),
            "d_head": count_field("d_head", shape.d_head, 1024, width="125px"),
            "context": count_field("tokens", shape.context, 2**LAST, width="165px"),
            "window": count_field("window", shape.window, 2**LAST, width="150px"),
            "full_every": count_field("hybrid: one full layer in", shape.full_every, 500,
                                      width="220px"),
        }  # fmt: skip
        self.status.layout.width, self.status.layout.height = "100%", "58px"
        self.children = [
            row(self.preset, self.numbers),
            row(*self.fields.values()),
            self.status,
            self.picture,
            ipywidgets.HTML(ARROWS, layout={"display": "none"}),
        ]
        self.add_class("alab-arrows")
        self.redraw()
        self.preset.observe(self._load, names="value")
        watch(self._typed, *self.fields.values())
        watch(self.redraw, self.numbers)

    @property
    def shape(self) -> Shape:
        """The shape in the fields.

        Raises
        ------
        Problem
            No model has it.
        """
        sizes = {name: field.value for name, field in self.fields.items()}
        if sizes["heads"] % sizes["kv_heads"]:
            raise Problem(
                f"heads must be a multiple of kv heads: {sizes['heads']} heads cannot share "
                f"{sizes['kv_heads']} equally"
            )
        if sizes["d_head"] % 2:
            raise Problem(f"d_head must be even (RoPE turns pairs), but it is {sizes['d_head']}")
        if sizes["full_every"] > sizes["layers"]:
            raise Problem(
                f"one full layer in {sizes['full_every']}, but there are {sizes['layers']} layers"
            )
        return Shape(**sizes, n_bytes=NUMBERS[self.numbers.value])

    def _load(self, change: Bunch) -> None:
        if change["new"] == OWN:
            self.redraw()
            return
        shape = MODELS[change["new"]].shape
        with self.one_redraw():
            for name, field in self.fields.items():
                field.value = getattr(shape, name)

    def _typed(self, _change: Bunch) -> None:
        if self.holding:
            return
        with self.one_redraw():
            self.preset.value = OWN if not self._is_preset() else self.preset.value

    def _is_preset(self) -> bool:
        """Whether the fields hold the model that is named; the text may have another length."""
        if self.preset.value == OWN:
            return False
        shape = MODELS[self.preset.value].shape
        return all(
            field.value == getattr(shape, name)
            for name, field in self.fields.items()
            if name != "context"
        )

    def draw(self) -> tuple[str, str]:
        shape = self.shape
        found = costs(shape)
        own = None if self.preset.value == OWN else MODELS[self.preset.value]
        picture = (
            f'{STILL}<div class="alab alab-cost">{_table(shape, found, own and own.design)}'
            f"{_chart(shape)}</div>"
        )
        return picture, self._said(shape, found)

    def _said(self, shape: Shape, found: dict[str, Cost]) -> str:
        crosses = (
            f"Scores and weighted sums cost as much as a convolution of width 3 at "
            f"{shape.as_convolution} tokens, and as much as the rest of a layer (12 d_model²) at "
            f"{shape.as_the_rest}."
        )
        if self.preset.value == OWN:
            return f"{OWN}: MHA keeps {size(found['MHA'].cache)}. {crosses}"
        design, source = MODELS[self.preset.value].design, MODELS[self.preset.value].source
        return (
            f"{self.preset.value} itself is the row {design} ({source}), and keeps "
            f"{size(found[design].cache)}. {crosses}"
        )

    def twin_text(self) -> str:
        return f"CostExplorer, {self.preset.value}, {self.fields['context'].value} tokens."


def _short(number: float) -> str:
    """Write a large number: ``34.4 G``."""
    for letter, power in (("T", 12), ("G", 9), ("M", 6), ("k", 3)):
        if number >= 10**power:
            return f"{number / 10**power:.3g} {letter}"
    return f"{number:.3g}"


HEADS = ("design", "numbers a token and layer", "kept, all layers", "part of MHA",
         "scores of a layer, if stored", "multiply-adds, one more token",
         "multiply-adds a byte read")  # fmt: skip


def _table(shape: Shape, found: dict[str, Cost], own: str | None) -> str:
    mha = found["MHA"].cache

    def line(at: int, name: str, cost: Cost) -> list[str]:
        kind = "alab-related" if name == own else ""
        cells = (
            (f"{cost.per_token}", _why_kept(name, shape)),
            (size(cost.cache), _why_cache(name, shape, cost)),
            (f"{100 * cost.cache / mha:.3g}\u00a0%", f"{size(cost.cache)} / {size(mha)}"),
            (size(cost.scores), _why_scores(name, shape)),
            (_short(cost.multiply_adds), _why_work(name, shape)),
            (f"{cost.per_byte:.3g}", f"{_short(cost.multiply_adds)} / {_short(cost.cache)} bytes"),
        )
        return [
            row_head(name),
            *(cell(text, kind, why, is_first=at == k == 0) for k, (text, why) in enumerate(cells)),
        ]

    rows = [line(at, *each) for at, each in enumerate(found.items())]
    said = "outlined: what the model has" if own else "a shape of your own"
    caption = title("six designs, one shape", "", f"{said}; all for one text of so many tokens")
    return table(caption, map(head, HEADS), rows)


def _why_kept(name: str, shape: Shape) -> str:
    d = shape.d_head
    if name == "MLA":
        return f"4 × {d} + {d} / 2: a latent, and a part for RoPE"
    heads = {"MHA": shape.heads, "MQA": 1}.get(name, shape.kv_heads)
    return f"key and value: 2 × {heads} × {d}"


def _why_cache(name: str, shape: Shape, cost: Cost) -> str:
    near = min(shape.window, shape.context)
    tokens = {
        "window": f"{shape.layers} × {near}",
        "hybrid": f"({shape.full_layers} × {shape.context} + "
        f"{shape.layers - shape.full_layers} × {near})",
    }.get(name, f"{shape.layers} × {shape.context}")
    return f"{cost.per_token} × {tokens} × {shape.n_bytes} bytes"


def _why_scores(name: str, shape: Shape) -> str:
    keys = min(shape.window, shape.context) if name == "window" else shape.context
    of = " in a full layer" if name == "hybrid" else ""
    return f"{shape.heads} × {shape.context} × {keys} × {shape.n_bytes} bytes{of}"


def _why_work(name: str, shape: Shape) -> str:
    d = shape.d_head
    if name == "MLA":
        return f"{shape.heads} heads × ({shape.latent} + {4 * d}) × keys × {shape.layers} layers"
    return f"2 × {shape.heads} heads × {d} × keys, over {shape.layers} layers"


def _chart(shape: Shape) -> str:
    """Draw the caches over the length of the text; the axes stay whatever the shape is."""
    axes = svg.Axes((FIRST, LAST), (LOW, HIGH), width=WIDTH, height=HEIGHT, left=62, right=78,
                    top=26, bottom=58)  # fmt: skip
    xs = list(range(FIRST, LAST + 1))
    at = math.log2(shape.context)
    parts = [
        svg.text(axes.left, 14, "what is kept for one text, over its tokens", 'font-weight="bold"'),
        axes.x_line(WIDTH - 78),
        axes.y_line(axes.top),
        *(axes.x_tick(x, _tokens(x), drop=17) for x in range(FIRST, LAST + 1, 2)),
        *(axes.y_tick(y, size(2.0**y)) for y in range(LOW, HIGH + 1, 5)),
    ]
    ends = []
    for (name, design), (color, dashes) in zip(DESIGNS.items(), LINES, strict=True):
        ys = [math.log2(design(_longer(shape, 2**x)).cache) for x in xs]
        parts.append(
            axes.path(xs, [min(HIGH, max(LOW, y)) for y in ys],
                      f'stroke="{color}" stroke-width="2" stroke-dasharray="{dashes}"')
        )  # fmt: skip
        ends.append((axes.up(min(HIGH, max(LOW, ys[-1]))), name, color))
        if FIRST <= at <= LAST:
            y = math.log2(design(shape).cache)
            parts.append(
                f'<circle cx="{axes.across(at)}" cy="{axes.up(min(HIGH, max(LOW, y)))}" r="4" '
                f'fill="{color}"/>'
            )
    parts += [
        svg.text(WIDTH - 74, y + 4, name, f'fill="{color}" font-weight="bold"')
        for y, name, color in _apart(ends)
    ]
    marks = {
        f"here: {shape.context}": (at, 30),
        f"= convolution: {shape.as_convolution}": (math.log2(shape.as_convolution or 1), 42),
        f"= rest of a layer: {shape.as_the_rest}": (math.log2(shape.as_the_rest or 1), 54),
    }
    for said, (x, drop) in marks.items():
        inside = min(LAST, max(FIRST, x))
        place = axes.across(inside)
        anchor = "start" if inside < (FIRST + LAST) / 2 else "end"
        if x == inside:
            parts.append(
                f'<line x1="{place}" y1="{axes.top}" x2="{place}" y2="{axes.foot + drop}" '
                f'stroke="{GREY}" stroke-dasharray="2 2"/>'
            )
        shift = 4 if anchor == "start" else -4
        look = f'text-anchor="{anchor}" font-size="11"'
        parts.append(svg.text(place + shift, axes.foot + drop, said, look))
    told = ", ".join(f"{name} {size(cost.cache)}" for name, cost in costs(shape).items())
    return svg.image(parts, f"Kept for {shape.context} tokens: {told}.", WIDTH, HEIGHT)


def _longer(shape: Shape, context: int) -> Shape:
    return Shape(**{**vars(shape), "context": context})


def _tokens(power: int) -> str:
    """Write 2 to a power: 128, 2k, 8M."""
    for letter, least in (("M", 20), ("k", 10)):
        if power >= least:
            return f"{2 ** (power - least)}{letter}"
    return str(2**power)


def _apart(ends: list[tuple[float, str, str]], room: float = 14) -> list[tuple[float, str, str]]:
    """Move the names at the ends of lines apart, so that none covers another."""
    placed: list[tuple[float, str, str]] = []
    for y, name, color in sorted(ends):
        if placed and y < placed[-1][0] + room:
            y = placed[-1][0] + room
        placed.append((y, name, color))
    return placed
