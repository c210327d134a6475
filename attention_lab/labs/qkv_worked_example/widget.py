"""The centre of the collection: every step of attention, for numbers you can change."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ipywidgets
from torch import Tensor

from attention_lab.core.attention import AttentionSteps, attention
from attention_lab.grading.feedback import name_of
from attention_lab.labs.qkv_worked_example.learner import call_learner, compare_steps, dtype_for
from attention_lab.labs.qkv_worked_example.pictures import (
    STRIP_CSS,
    Reasons,
    output_table,
    steps_tables,
)
from attention_lab.pictures.style import format_number, labels, weights_in_words
from attention_lab.pictures.tables import MOST_CELLS, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import Knob, box, choice, count_field, fold, row, watch
from attention_lab.ui.keys import ARROWS
from attention_lab.ui.mask_editor import MaskEditor
from attention_lab.ui.matrix_editor import MatrixEditor
from attention_lab.ui.shared_sizes import SharedSizes, Size

__all__ = ["EXAMPLES", "AttentionExplorer"]

MAX_TOKENS, MAX_FEATURES = 128, 64

# name: (Q, K, V)
EXAMPLES = {
    "three tokens of dimension 1": ([[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]),
    "one token of dimension 3": ([[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]]),
    "two queries, three keys": (
        [[1, 0], [0, 2]],
        [[1, 0], [0, 1], [1, 1]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    ),
    "all keys equal": ([[1], [2], [3]], [[5], [5], [5]], [[7], [8], [9]]),
    "six tokens, d_k = 4": (
        [[3, 0, 0, 1], [0, 3, 0, 1], [0, 0, 3, 1], [3, 0, 0, -1], [0, 3, 0, -1], [0, 0, 3, -1]],
        [[3, 0, 0, 1], [0, 3, 0, 1], [0, 0, 3, 1], [3, 0, 0, -1], [0, 3, 0, -1], [0, 0, 3, -1]],
        [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [-1, -1]],
    ),
}


class AttentionExplorer(LiveView):
    """Edit Q, K, V, the scale and the mask; see scores, weights and output follow.

    Pointing at a cell, or moving to it with Tab and the arrow keys, says how it was made, and
    lights up the numbers that it was made of.

    Parameters
    ----------
    query, key, value : matrix, optional
        What to start with: (n_q, d_k), (n_k, d_k), (n_k, d_v), at most 128 tokens of dimension
        64. Without them the first example is shown. More than 16 tokens are shown as pictures.
    function : callable
        Computes the picture. Called as ``function(query, key, value)``, and with
        ``attn_mask=`` and ``scale=`` where they differ from "all keys" and ``1 / sqrt(d_k)``.
        It may return `AttentionSteps`, the pair (output, weights), or the output alone.

    Raises
    ------
    ValueError
        Only some of query, key and value are given, or one is too large.
    """

    def __init__(
        self,
        query: Any = None,
        key: Any = None,
        value: Any = None,
        *,
        function: Callable[..., Any] = attention,
    ) -> None:
        super().__init__()
        given = [each is not None for each in (query, key, value)]
        if any(given) and not all(given):
            raise ValueError("give query, key and value together, or none of them")
        self.function = function
        self.examples = {"yours": (query, key, value), **EXAMPLES} if all(given) else EXAMPLES
        self.steps: AttentionSteps | None = None  # None until the function has worked once
        self.example = choice("example", list(self.examples), width="290px")
        self.reset = ipywidgets.Button(description="Reset all", layout={"width": "90px"})
        self._build_inputs(*self.examples[self.example.value])
        self.parts = "", ""  # of the picture: the steps, and the output behind V
        self.speak_for(self.query, self.key, self.value, self.temperature)
        self.children = [
            ipywidgets.HTML(STRIP_CSS + ARROWS, layout={"display": "none"}),
            *self._controls(),
            self._strip(),
            self.status,
        ]
        self.add_class("alab-arrows")
        self.redraw()
        self.example.observe(lambda _: self._choose_example(), names="value")
        self.reset.on_click(lambda _: self._choose_example())
        watch(self.redraw, self.mask, self.scaled, self.temperature, self.one_query)

    # --- the inputs -------------------------------------------------------------------------

    def _controls(self) -> list[ipywidgets.Widget]:
        """Return what stands above the strip: what is used seldom is folded."""
        matrices = self.query, self.key, self.value
        sizes, size_row = fold("sizes…", *self.sizes.values())
        cells, cell_row = fold("mask cells…", self.mask.give_cells())
        names = (ipywidgets.HTML(f"<b>{editor.matrix_name}</b>") for editor in matrices)
        tools = (editor.give_tools() for editor in matrices)
        paste, paste_row = fold("reset or paste…", *map(row, names, tools))
        return [
            row(self.example, self.reset, sizes, cells, paste),
            row(self.mask, self.scaled, self.temperature, self.one_query),
            size_row,
            cell_row,
            paste_row,
        ]

    def _strip(self) -> ipywidgets.HBox:
        """Return Q and K, the steps, and V; the style sheet puts the output behind V."""

        def sign(text: str) -> ipywidgets.HTML:
            return ipywidgets.HTML(f'<div class="alab-sign">{text}</div>')

        strip = row(
            self.query, self.key, sign("→"), self.picture, sign("×"), self.value, sign("=")
        )  # fmt: skip
        strip.add_class("alab-strip")
        return strip

    def _build_inputs(self, *matrices: Any) -> None:
        self.query, self.key, self.value = (
            MatrixEditor(
                name,
                matrix,
                rows=letter,
                columns="d",
                max_rows=MAX_TOKENS,
                max_columns=MAX_FEATURES,
                width=42,
            )
            for name, letter, matrix in zip("QKV", "qkv", matrices, strict=True)
        )
        self.mask = MaskEditor(self.query.shape[0], self.key.shape[0], most=MAX_TOKENS)
        self.scaled = box("divide by √d_k", True, width="130px")
        self.temperature = Knob("temperature", 1, low=0.1, high=10, log=True)
        self.one_query = count_field(
            "largest weights of query", 0, MAX_TOKENS - 1, least=0, width="230px"
        )
        self.sizes = {
            "n_q": count_field("queries (n_q)", 1, MAX_TOKENS, width="150px"),
            "n_k": count_field("keys (n_k)", 1, MAX_TOKENS, width="130px"),
            "d_k": count_field("d_k", 1, MAX_FEATURES, width="80px"),
            "d_v": count_field("d_v", 1, MAX_FEATURES, width="80px"),
        }
        self.shared = SharedSizes(
            self,
            [
                Size({self.query: 0}, self.sizes["n_q"]),
                Size({self.query: 1, self.key: 1}, self.sizes["d_k"], "columns (d_k)"),
                Size({self.key: 0, self.value: 0}, self.sizes["n_k"], "rows (n_k)"),
                Size({self.value: 1}, self.sizes["d_v"]),
            ],
            then=lambda: self.mask.resize(self.query.shape[0], self.key.shape[0]),
        )

    def _choose_example(self) -> None:
        with self.one_redraw():
            matrices = self.examples[self.example.value]
            for editor, matrix in zip((self.query, self.key, self.value), matrices, strict=True):
                editor.start_with(matrix)
            self.scaled.value, self.temperature.value = True, 1
            self.mask.rule.value = next(iter(self.mask.rules))
            self.shared.said = ""

    @property
    def scale(self) -> float:
        """The factor on the scores: ``1 / sqrt(d_k)`` or 1, divided by the temperature."""
        factor = 1 / math.sqrt(self.key.shape[1]) if self.scaled.value else 1.0
        return factor / self.temperature.value

    # --- the picture ------------------------------------------------------------------------

    def draw(self) -> tuple[str, str]:
        inputs = self.query.tensor, self.key.tensor, self.value.tensor
        mask, options = self.mask.tensor, {}
        if not mask.all():
            options["attn_mask"] = mask
        if not self.scaled.value or self.temperature.value != 1:
            options["scale"] = self.scale
        shown = reference = attention(*inputs, **options)
        said = self._sizes_in_words(mask)
        if self.function is not attention:
            kind = dtype_for(self.function, inputs)
            shown = call_learner(self.function, *(each.to(kind) for each in inputs), options)
            said += " " + compare_steps(name_of(self.function), shown, reference)
        is_ours = self.function is attention
        reasons = Reasons(*inputs, reference, shown, name_of(self.function))
        options = {"reasons": reasons, "formulas": is_ours, "query": self._listed_query()}
        self.parts = steps_tables(shown, **options), output_table(shown.output, **options)
        self.steps = shown
        return "".join(self.parts), said

    def _listed_query(self) -> int:
        """Return the query whose largest weights are listed, and show its field if any is."""
        n_q, n_k = self.query.shape[0], self.key.shape[0]
        with self.holding:
            self.one_query.max = n_q - 1
        self.one_query.layout.display = None if max(n_q, n_k) > MOST_CELLS else "none"
        return self.one_query.value

    def _sizes_in_words(self, mask: Tensor) -> str:
        d_k = self.key.shape[1]
        root = f"1/√{d_k}" if self.scaled.value else "1 (not divided by √d_k)"
        if self.temperature.value != 1:
            root += f" / {format_number(self.temperature.value)}"
        note = f"Scale: {root} = {format_number(self.scale)}."
        blind = [str(i) for i, line in enumerate(mask.any(dim=1).tolist()) if not line]
        if blind:
            note += f" Query {', '.join(blind)} may attend to no key: its weights are all 0."
        return note + self.shared.said

    def twin_html(self) -> str:
        queries, keys, values = (e.table() for e in (self.query, self.key, self.value))
        steps, output = self.parts
        strip = side_by_side(queries, keys), steps, side_by_side(values), output
        wraps = "display:flex;flex-wrap:wrap;align-items:flex-start"
        return f'<div style="{wraps}">{"".join(strip)}</div>{self.status.value}'

    def twin_text(self) -> str:
        if self.steps is None:
            return f"AttentionExplorer of {name_of(self.function)}: nothing to show yet"
        said = ", ".join(f"{name} = {field.value}" for name, field in self.sizes.items())
        if (weights := self.steps.weights) is not None:
            queries, keys = labels("q", len(weights)), labels("k", weights.shape[1])
            said += f"; weights: {weights_in_words(weights, queries, keys)}"
        output: Any = "too large to write out"
        if max(self.steps.output.shape) <= MOST_CELLS:
            output = [[float(f"{x:.4g}") for x in line] for line in self.steps.output.tolist()]
        return f"AttentionExplorer of {name_of(self.function)}: {said}; output = {output}"
