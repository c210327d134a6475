"""How large scores are, and what the scale and the temperature make of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import ipywidgets
import torch
from torch import Tensor

from attention_lab.core import normalisers
from attention_lab.pictures.formulas import power
from attention_lab.pictures.style import format_number, format_weight, labels
from attention_lab.pictures.svg import histogram
from attention_lab.pictures.tables import (
    bar_cell,
    cell,
    head,
    matrix_view,
    row_head,
    side_by_side,
    table,
    title,
    weight_cell,
)
from attention_lab.ui.base import Guard, LiveView
from attention_lab.ui.fields import Knob, box, choice, count_field, row, watch
from attention_lab.ui.keys import ARROWS

__all__ = ["ScaleExplorer", "Setting"]

DIMENSIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
QUERIES, MOST_KEYS, MOST_WEIGHTS = 200, 32, 8
MOST_SAID = 10  # keys: the cells of a larger Jacobian say nothing, for the sake of speed
REACH = 3.5  # of the axis of the scores, in standard deviations of the scores without a scale
LOWEST, HIGHEST, MOMENTS = 0.1, 10, 40  # temperatures, and how many steps there are to play

# A cell is as wide as its widest number, so that other numbers move nothing.
STYLE = """<style>
.alab-scale td{min-width:62px!important}
.alab-scale td.alab-bar{min-width:164px!important;font-size:10px!important}
.alab-scale .alab-dense td{min-width:37px!important;padding:1px!important}
</style>"""


def _softmax_jacobian(weights: Tensor) -> Tensor:
    return torch.diag_embed(weights) - weights[..., :, None] * weights[..., None, :]


def _sigmoid_jacobian(weights: Tensor) -> Tensor:
    return torch.diag_embed(weights * (1 - weights))


def _sparsemax_jacobian(weights: Tensor) -> Tensor:
    kept = (weights > 0).to(weights.dtype)
    shared = kept[..., :, None] * kept[..., None, :] / kept.sum(dim=-1)[..., None, None]
    return torch.diag_embed(kept) - shared


# what makes weights of scores, and what gives the Jacobian from these weights
NORMALISERS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "softmax": (normalisers.softmax, _softmax_jacobian),
    "softmax-plus-one": (normalisers.softmax_plus_one, _softmax_jacobian),
    "sigmoid": (normalisers.sigmoid, _sigmoid_jacobian),
    "sparsemax": (normalisers.sparsemax, _sparsemax_jacobian),
}


@cache
def draw_scores(d_k: int, n_k: int) -> Tensor:
    """Return scores of 200 queries, each over its own n_k keys, all features standard normal."""
    generator = torch.Generator().manual_seed(d_k)
    query = torch.randn(QUERIES, 1, d_k, generator=generator)
    # the keys of fewer keys are the first of those of more
    key = torch.randn(MOST_KEYS, QUERIES, d_k, generator=generator)[:n_k].transpose(0, 1)
    return (query @ key.mT)[:, 0].double()


class Means(NamedTuple):
    """What is measured over 200 queries.

    Attributes
    ----------
    deviation : float
        The standard deviation of the scores as they go into the normaliser.
    largest, total : float
        The mean of the largest weight, and of the sum of a row.
    entropy : float
        The mean entropy; nan where a row does not sum to 1.
    jacobian : float
        The mean size of the Jacobian.
    """

    deviation: float
    largest: float
    total: float
    entropy: float
    jacobian: float


class Setting(NamedTuple):
    """How scores are drawn, and what is made of them."""

    d_k: int
    scaled: bool = False
    temperature: float = 1.0
    n_k: int = 10
    normaliser: str = "softmax"

    def __str__(self) -> str:
        said = f"{'scaled' if self.scaled else 'not scaled'}, T = {self.temperature:g}"
        return said if self.normaliser == "softmax" else f"{said}, {self.normaliser}"

    @property
    def scores(self) -> Tensor:
        """The scores as they go into the normaliser, shape (200, n_k)."""
        divisor = self.temperature * (math.sqrt(self.d_k) if self.scaled else 1)
        return draw_scores(self.d_k, self.n_k) / divisor

    @property
    def weights(self) -> Tensor:
        """What the normaliser makes of the scores, shape (200, n_k)."""
        return NORMALISERS[self.normaliser][0](self.scores)

    @property
    def jacobians(self) -> Tensor:
        """How each weight moves with each score, shape (200, n_k, n_k)."""
        return NORMALISERS[self.normaliser][1](self.weights)

    @property
    def means(self) -> Means:
        """What is measured over the 200 queries."""
        return _means(self)


@lru_cache(maxsize=64)
def _means(setting: Setting) -> Means:
    weights, sums_to_1 = setting.weights, setting.normaliser in ("softmax", "sparsemax")
    return Means(
        deviation=setting.scores.std().item(),
        largest=weights.amax(dim=-1).mean().item(),
        total=weights.sum(dim=-1).mean().item(),
        entropy=normalisers.entropy(weights).mean().item() if sums_to_1 else math.nan,
        jacobian=setting.jacobians.flatten(1).norm(dim=-1).mean().item(),
    )


class ScaleExplorer(LiveView):
    """Choose d_k, the scale, the temperature; see scores, weights and the Jacobian.

    The axis of the scores stays while the scale and the temperature move. What is compared with,
    the scores without a scale or a setting that was pinned, is an outline in the picture and a
    column of the tables.

    Parameters
    ----------
    d_k : int
        A power of 2 up to 1024.
    scaled : bool
        Divide the scores by the square root of d_k.

    Attributes
    ----------
    setting : Setting
        What is shown.
    pinned : Setting or None
        What was pinned to be compared with.
    """

    def __init__(self, d_k: int = 64, *, scaled: bool = False) -> None:
        super().__init__()
        self.pinned: Setting | None = None
        self.d_k = choice("d_k", [(str(d), d) for d in DIMENSIONS], value=d_k, width="130px")
        self.scaled = box("divide by √d_k", scaled, width="150px")
        self.temperature = Knob("temperature", 1, low=LOWEST, high=HIGHEST, log=True)
        self.n_k = count_field("keys", 10, MOST_KEYS, least=2, width="110px")
        self.normaliser = choice("normaliser", list(NORMALISERS), width="230px")
        self.query = count_field("query", 0, QUERIES - 1, least=0, width="120px")
        self.pin = ipywidgets.Button(description="pin this", layout={"width": "100px"})
        self.unpin = ipywidgets.Button(description="compare with not scaled", disabled=True)
        self.unpin.layout.width = "190px"
        self.play = ipywidgets.Play(
            value=MOMENTS // 2, min=0, max=MOMENTS, step=1, interval=200, show_repeat=False
        )
        inputs = (
            self.d_k, self.scaled, self.temperature, self.n_k, self.normaliser, self.query,
        )  # fmt: skip
        playing = ipywidgets.HTML("temperature from 10 down to 0.1:")
        self.children = [
            row(*inputs),
            row(self.pin, self.unpin, playing, self.play),
            self.status,
            self.picture,
            ipywidgets.HTML(ARROWS, layout={"display": "none"}),
        ]
        self.add_class("alab-arrows")
        self.speak_for(self.temperature)
        self.redraw()
        watch(self.redraw, *inputs)
        self.pin.on_click(lambda _: self._pin(self.setting))
        self.unpin.on_click(lambda _: self._pin(None))
        self._following = Guard()
        self.play.observe(self._played, names="value")
        self.temperature.observe(self._warmed, names="value")

    @property
    def setting(self) -> Setting:
        """What is shown."""
        fields = (self.d_k, self.scaled, self.temperature, self.n_k, self.normaliser)
        return Setting(*(field.value for field in fields))

    def _pin(self, setting: Setting | None) -> None:
        self.pinned, self.unpin.disabled = setting, setting is None
        self.redraw()

    def _played(self, change: dict[str, Any]) -> None:
        if not self._following:
            share = change["new"] / MOMENTS
            self.temperature.value = float(f"{HIGHEST * (LOWEST / HIGHEST) ** share:.3g}")

    def _warmed(self, change: dict[str, Any]) -> None:
        share = math.log(change["new"] / HIGHEST) / math.log(LOWEST / HIGHEST)
        with self._following:
            self.play.value = round(share * MOMENTS)

    def draw(self) -> tuple[str, str]:
        now = self.setting
        other = self.pinned or Setting(now.d_k, n_k=now.n_k)
        name = f"pinned: d_k = {other.d_k}, {other}" if self.pinned else str(other)
        index = self.query.value
        parts = (
            histogram(
                now.scores.flatten(),
                caption="score that goes into the normaliser",
                reach=REACH * math.sqrt(now.d_k),
                ghost=other.scores.flatten(),
                ghost_name=name,
            ),
            _table_of_means(now.means, other.means),
            _table_of_weights(now, other, index),
            _jacobian_view(now, index),
        )
        means = now.means
        said = f"Mean over {QUERIES} queries: largest weight {format_weight(means.largest)}"
        if not math.isnan(means.entropy):
            most = f"ln {now.n_k} = {format_number(math.log(now.n_k))}"
            said += f", entropy {format_number(means.entropy)} (at most {most})"
        picture = f'{STYLE}<div class="alab-scale">{side_by_side(*parts)}</div>'
        return picture, f"{said}."

    def twin_text(self) -> str:
        return f"ScaleExplorer, d_k = {self.d_k.value}, {self.setting}: {self.note}"


def _table_of_means(now: Means, other: Means) -> str:
    rows = (
        ("standard deviation of the scores", format_number, now.deviation, other.deviation),
        ("largest weight", format_weight, now.largest, other.largest),
        ("entropy", format_number, now.entropy, other.entropy),
        ("size of the Jacobian", format_number, now.jacobian, other.jacobian),
        ("sum of a row", format_weight, now.total, other.total),
    )
    lines = [
        [row_head(what), *(cell("–" if math.isnan(x) else write(x)) for x in pair)]
        for what, write, *pair in rows
    ]
    caption = title("means", f" over {QUERIES} queries")
    return table(caption, [head("what"), head("now"), head("outline")], lines)


def _table_of_weights(now: Setting, other: Setting, index: int) -> str:
    """Draw the largest weights of one query, beside those that the same keys have elsewhere."""
    weights, others = now.weights[index], other.weights[index]
    order = weights.argsort(descending=True, stable=True)
    count = min(MOST_WEIGHTS, now.n_k)
    # another d_k has other keys
    known = range(other.n_k if other.d_k == now.d_k else 0)
    lines = [
        [
            row_head(f"k{k}"),
            weight_cell(weights[k].item(), why=_made(now, index, k), is_first=i == 0),
            bar_cell(weights[k].item()),
            weight_cell(others[k].item()) if k in known else cell("–"),
        ]
        for i, k in enumerate(order[:count].tolist())
    ]
    rest = [k for k in order[count:].tolist() if k in known]
    lines.append(
        [
            row_head(f"other {now.n_k - count}"),
            cell(format_weight(weights[order[count:]].sum().item())),
            cell(kind="alab-bar"),
            cell(format_weight(others[rest].sum().item()) if known else "–"),
        ]
    )
    caption = title(f"query {index}", f": its {count} largest weights")
    heads = [head("key"), head("now"), head("0 … 1", "alab-bar"), head("outline")]
    return table(caption, heads, lines)


def _made(now: Setting, index: int, k: int) -> str:
    """Say how a weight was made of the score of its key."""
    score = draw_scores(now.d_k, now.n_k)[index, k].item()
    x, said = now.scores[index, k].item(), f"score {format_number(score)}"
    if now.scaled:
        said += f" / √{now.d_k}"
    if now.temperature != 1:
        said += f" / {format_number(now.temperature)}"
    said += f" = {format_number(x)}" if x != score else ""
    weight = now.weights[index, k].item()
    if now.normaliser == "sigmoid":
        return f"{said}; 1 / (1 + {power(-x)}) = {format_weight(weight)}"
    if now.normaliser == "sparsemax":
        return f"{said}; sparsemax: {format_weight(weight)}"
    largest = now.scores[index].max().item()  # is subtracted, as in every stable softmax
    one = f"{power(-largest)} + " if now.normaliser == "softmax-plus-one" else ""
    return (
        f"{said}; less the largest, {format_number(largest)}: "
        f"{power(x - largest)} / ({one}sum of {now.n_k} such) = {format_weight(weight)}"
    )


def _jacobian_view(now: Setting, index: int) -> str:
    """Draw one Jacobian; the colours stand for the same numbers at every temperature."""
    keys, weights = labels("k", now.n_k), now.weights[index].tolist()
    jacobian = now.jacobians[index].tolist()

    def why(i: int, j: int) -> str:
        moved = f"weight {i} by score {j}: "
        if now.normaliser == "sparsemax":
            return f"{moved}{format_number(jacobian[i][j])}"
        w, other = format_weight(weights[i]), format_weight(weights[j])
        if i == j:
            return f"{moved}{w} × (1 − {w}) = {format_number(jacobian[i][i])}"
        if now.normaliser == "sigmoid":
            return f"{moved}0, each weight has its own score only"
        return f"{moved}−{w} × {other} = {format_number(jacobian[i][j])}"

    return matrix_view(
        now.jacobians[index],
        caption=f"Jacobian of query {index}",
        rows=keys,
        columns=keys,
        largest=1.0 if now.normaliser == "sparsemax" else 0.25,  # the largest entry there can be
        why=why if now.n_k <= MOST_SAID else None,
    )
