"""The centre of the collection: every step of attention, for numbers you can change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from attention_lab import views
from attention_lab.attention import AttentionSteps, attention
from attention_lab.feedback import Problem, call, describe, name_of
from attention_lab.style import format_number
from attention_lab.widgets.base import Knob, LiveView, count_field, row, watch
from attention_lab.widgets.mask_editor import MaskEditor
from attention_lab.widgets.matrix_editor import MatrixEditor

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

    Parameters
    ----------
    query, key, value : matrix, optional
        What to start with: (n_q, d_k), (n_k, d_k), (n_k, d_v), at most 128 tokens of dimension
        64. Without them the first example is shown. More than 16 tokens are shown as pictures.
    function : callable
        Computes the picture. Called as ``function(query, key, value)``, and with
        ``attn_mask=`` and ``scale=`` where they differ from "all keys" and ``1 / sqrt(d_k)``.
        It may return `AttentionSteps`, the pair (output, weights), or the output alone.
    examples : mapping of name to (query, key, value)
        The list to choose from.
    cell : (step name, row, column)
        The cell that is explained first.
    """

    def __init__(
        self,
        query: Any = None,
        key: Any = None,
        value: Any = None,
        *,
        function: Callable[..., Any] = attention,
        examples: Mapping[str, tuple[Any, Any, Any]] = EXAMPLES,
        cell: tuple[str, int, int] = ("weights", 0, 0),
    ) -> None:
        super().__init__()
        given = [each is not None for each in (query, key, value)]
        if any(given) and not all(given):
            raise ValueError("give query, key and value together, or none of them")
        self.function = function
        self.examples = {"yours": (query, key, value), **examples} if all(given) else dict(examples)
        self._syncing = False
        self._fitting = 0
        self._fitted = ""  # what was resized to fit the last edit
        self.steps: AttentionSteps | None = None  # None until the function has worked once

        first = next(iter(self.examples))
        self.example = ipywidgets.Dropdown(
            options=list(self.examples),
            value=first,
            description="example",
            layout={"width": "340px"},
        )
        self.reset = ipywidgets.Button(description="Reset all", layout={"width": "90px"})
        matrices = self.examples[first]
        self.query, self.key, self.value = (
            MatrixEditor(
                name,
                matrix,
                rows=letter,
                columns="d",
                max_rows=MAX_TOKENS,
                max_columns=MAX_FEATURES,
            )
            for name, letter, matrix in zip("QKV", "qkv", matrices, strict=True)
        )
        self.sizes = {
            name: count_field(text, 1, most, width=width)
            for name, text, most, width in (
                ("n_q", "queries (n_q)", MAX_TOKENS, "150px"),
                ("n_k", "keys (n_k)", MAX_TOKENS, "130px"),
                ("d_k", "d_k", MAX_FEATURES, "80px"),
                ("d_v", "d_v", MAX_FEATURES, "80px"),
            )
        }
        self.scaled = ipywidgets.Checkbox(
            value=True, description="divide by √d_k", indent=False, layout={"width": "150px"}
        )
        self.temperature = Knob("temperature", 1, low=0.1, high=10, log=True)
        self.mask = MaskEditor(*self.query.shape[:1], *self.key.shape[:1], most=MAX_TOKENS)
        small = {"width": "120px"}
        narrow = {"description_width": "60px"}
        self.step = ipywidgets.Dropdown(
            options=views.STEP_NAMES,
            value=cell[0],
            description="explain",
            layout={"width": "180px"},
        )
        self.row = ipywidgets.BoundedIntText(
            value=cell[1], min=0, max=MAX_TOKENS - 1, description="row", layout=small, style=narrow
        )
        self.column = ipywidgets.BoundedIntText(
            value=cell[2],
            min=0,
            max=MAX_TOKENS - 1,
            description="column",
            layout=small,
            style=narrow,
        )
        self.explanation = ipywidgets.HTML()

        self.children = [
            row(self.example, self.reset),
            row(*self.sizes.values()),
            row(self.query, self.key, self.value, self.mask),
            row(self.scaled, self.temperature),
            self.status,
            self.picture,
            row(self.step, self.row, self.column),
            self.explanation,
        ]
        with self.one_redraw():
            self._show_sizes()
        self.example.observe(lambda _: self._choose_example(), names="value")
        self.reset.on_click(lambda _: self._choose_example())
        for editor in (self.query, self.key, self.value):
            editor.observe(lambda change: self._matrix_changed(change["owner"]), names="value")
        for name, field in self.sizes.items():
            field.observe(
                lambda change, name=name: self._resize(name, change["new"]), names="value"
            )
        watch(
            self.redraw, self.mask, self.scaled, self.temperature, self.step, self.row, self.column
        )

    # --- the inputs -------------------------------------------------------------------------

    def _choose_example(self) -> None:
        with self.one_redraw():
            matrices = self.examples[self.example.value]
            for editor, matrix in zip((self.query, self.key, self.value), matrices, strict=True):
                editor.start_with(matrix)
            self.scaled.value, self.temperature.value = True, 1
            self.mask.rule.value = next(iter(self.mask.rules))
            self._fitted = ""

    def _matrix_changed(self, editor: MatrixEditor) -> None:
        """Give the matrices that share a size with the changed one the same size."""
        with self.one_redraw():
            if not self._fitting:
                self._fitted = ""
            self._fitting += 1
            if editor is self.query:
                self._fit(self.key, editor, axis=1)
            elif editor is self.key:
                self._fit(self.query, editor, axis=1)
                self._fit(self.value, editor, axis=0)
            else:
                self._fit(self.key, editor, axis=0)
            self._fitting -= 1
            self._show_sizes()
            self.mask.resize(self.query.shape[0], self.key.shape[0])

    def _fit(self, other: MatrixEditor, changed: MatrixEditor, *, axis: int) -> None:
        size = changed.shape[axis]
        if other.shape[axis] == size:
            return
        _resize_axis(other, axis, size)
        what = "columns (d_k)" if axis else "rows (n_k)"
        self._fitted += (
            f" {other.matrix_name} now has {size} {what} as well, like {changed.matrix_name}."
        )

    def _resize(self, name: str, size: int) -> None:
        if self._syncing:
            return
        axes = {
            "n_q": (self.query, 0),
            "n_k": (self.key, 0),
            "d_k": (self.query, 1),
            "d_v": (self.value, 1),
        }
        with self.one_redraw():
            _resize_axis(*axes[name], size)  # those that share the size follow
            self._fitted = ""

    def _show_sizes(self) -> None:
        self._syncing = True
        try:
            self.sizes["n_q"].value = self.query.shape[0]
            self.sizes["n_k"].value, self.sizes["d_k"].value = self.key.shape
            self.sizes["d_v"].value = self.value.shape[1]
        finally:
            self._syncing = False

    @property
    def scale(self) -> float:
        """The factor on the scores: ``1 / sqrt(d_k)`` or 1, divided by the temperature."""
        factor = 1 / math.sqrt(self.key.shape[1]) if self.scaled.value else 1.0
        return factor / self.temperature.value

    # --- the picture ------------------------------------------------------------------------

    def draw(self) -> str:
        query, key, value = self.query.tensor, self.key.tensor, self.value.tensor
        mask = self.mask.tensor
        options: dict[str, Any] = {}
        if not mask.all():
            options["attn_mask"] = mask
        if not self.scaled.value or self.temperature.value != 1:
            options["scale"] = self.scale
        reference = attention(query, key, value, **options)
        shown = (
            reference
            if self.function is attention
            else call_learner(self.function, query, key, value, options)
        )
        self.steps = shown
        self.note = self._sizes_in_words(mask)
        if self.function is not attention:
            self.note += " " + compare(name_of(self.function), shown, reference)

        cell = (
            self.step.value,
            min(self.row.value, query.shape[0] - 1),
            min(
                self.column.value,
                (value.shape[1] if self.step.value == "output" else key.shape[0]) - 1,
            ),
        )
        self.explanation.value = views.message(
            _explain(query, key, value, reference, shown, cell, self.function)
        )
        return views.steps_tables(shown, chosen=cell, formulas=self.function is attention)

    def _sizes_in_words(self, mask: Tensor) -> str:
        d_k = self.key.shape[1]
        root = f"1/√{d_k}" if self.scaled.value else "1 (not divided by √d_k)"
        if self.temperature.value != 1:
            root += f" / {format_number(self.temperature.value)}"
        note = f"Scale: {root} = {format_number(self.scale)}."
        blind = [str(i) for i, line in enumerate(mask.any(dim=1).tolist()) if not line]
        if blind:
            note += f" Query {', '.join(blind)} may attend to no key: its weights are all 0."
        return note + self._fitted

    def twin_html(self) -> str:
        inputs = views.side_by_side(*(e.table() for e in (self.query, self.key, self.value)))
        return inputs + super().twin_html() + self.explanation.value

    def twin_text(self) -> str:
        if self.steps is None:
            return f"AttentionExplorer of {name_of(self.function)}: nothing to show yet"
        sizes = ", ".join(f"{name} = {field.value}" for name, field in self.sizes.items())
        output: Any = "too large to write out"
        if max(self.steps.output.shape) <= views.MOST_CELLS:
            output = [[float(f"{x:.4g}") for x in line] for line in self.steps.output.tolist()]
        return f"AttentionExplorer of {name_of(self.function)}: {sizes}; output = {output}"


def _resize_axis(editor: MatrixEditor, axis: int, size: int) -> None:
    shape = list(editor.shape)
    shape[axis] = size
    editor.resize(*shape)


def call_learner(
    function: Callable[..., Any], query: Tensor, key: Tensor, value: Tensor, options: dict[str, Any]
) -> AttentionSteps:
    """Call a learner's attention function, and bring its result into one form.

    Parameters
    ----------
    function : callable
        See `AttentionExplorer`.
    query, key, value : Tensor
        The function gets copies.
    options : dict
        Keyword arguments for the function.

    Returns
    -------
    AttentionSteps
        With None for what the function did not return.

    Raises
    ------
    Problem
        The function raised, does not take an argument it needs here, changed its input, or
        returned something else than agreed; the text says which.
    """
    inputs = {"query": query, "key": key, "value": value}
    result, name = call(function, inputs, options), name_of(function)
    try:
        return _as_steps(name, result, query, key, value)
    except Problem:
        raise
    except Exception as error:
        raise Problem(
            f"what {name} returned cannot be read ({type(error).__name__}: {describe(error)})"
        ) from error


def _as_steps(name: str, result: Any, query: Tensor, key: Tensor, value: Tensor) -> AttentionSteps:
    n_q, n_k, d_v = query.shape[0], key.shape[0], value.shape[1]
    if isinstance(result, Tensor):
        found = {"output": result}
    elif hasattr(result, "output") and hasattr(result, "weights"):
        found = {step: getattr(result, step, None) for step in views.STEP_NAMES}
    elif isinstance(result, (tuple, list)) and len(result) == 2:
        found = {"output": result[0], "weights": result[1]}
    else:
        came = "None (is a return missing?)" if result is None else f"a {type(result).__name__}"
        raise Problem(
            f"{name} returned {came}; it must return the output, the pair (output, weights), or "
            "an object with the steps"
        )
    if found["output"] is None:
        raise Problem(f"{name} returned no output (None)")
    for step, tensor in found.items():
        if tensor is None:
            continue
        if not isinstance(tensor, Tensor):
            raise Problem(f"{name} returned a {type(tensor).__name__} as {step}, not a tensor")
        wanted, axes = ((n_q, d_v), "n_q, d_v") if step == "output" else ((n_q, n_k), "n_q, n_k")
        if tuple(tensor.shape) != wanted:
            raise Problem(
                f"{name} returned {step} of shape {tuple(tensor.shape)}; "
                f"({axes}) = {wanted} is right"
            )
        if tensor.is_complex():
            raise Problem(f"{name} returned complex numbers as {step}")
        found[step] = tensor.detach().to_dense().double()
    return AttentionSteps(*(found.get(step) for step in views.STEP_NAMES))


def compare(name: str, shown: AttentionSteps, reference: AttentionSteps) -> str:
    """Say whether the steps of a learner's function are those of `attention`."""
    for step in views.STEP_NAMES:
        ours, theirs = getattr(reference, step), getattr(shown, step)
        if theirs is None:
            continue
        wrong = ~_agree(theirs, ours)
        if wrong.any():
            i, j = wrong.nonzero()[0].tolist()
            return (
                f"{name} differs from attention first at {step}[{i}, {j}]: "
                f"{format_number(theirs[i, j].item())} instead of "
                f"{format_number(ours[i, j].item())}."
            )
    return f"{name} agrees with attention."


def _agree(theirs: Tensor, ours: Tensor) -> Tensor:
    return torch.isclose(theirs, ours, rtol=1e-5, atol=1e-6, equal_nan=True)


def _explain(query, key, value, reference, shown, cell, function) -> str:
    text = views.explain(query, key, value, reference, cell)
    step, i, j = cell
    theirs = getattr(shown, step)
    if theirs is None:
        return f"{text}. {name_of(function)} did not return its {step}"
    number = theirs[i, j]
    if not _agree(number, getattr(reference, step)[i, j]):
        text += f". {name_of(function)} has {format_number(number.item())} there"
    return text
