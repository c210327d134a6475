"""The pictures of `AttentionExplorer`: the five steps, and one cell in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from attention_lab.core.attention import AttentionSteps
from attention_lab.pictures.style import format_number, format_weight, labels
from attention_lab.pictures.tables import (
    MOST_CELLS,
    largest_weights_table,
    matrix_view,
    side_by_side,
)

__all__ = ["explain", "steps_tables"]

MOST_TERMS = 8  # a longer sum is written with an ellipsis
MADE_BY = {
    "scores": "Q Kᵀ",
    "scaled": "scores × scale",
    "masked": "−∞ where hidden",
    "weights": "softmax of each row",
    "output": "weights × V",
}


def steps_tables(
    steps: AttentionSteps,
    *,
    chosen: tuple[str, int, int] | None = None,
    formulas: bool = True,
) -> str:
    """Draw the five steps of attention next to each other.

    With more than 16 queries or keys the steps are pictures, and a table shows the largest
    weights of the chosen query.

    Parameters
    ----------
    steps : AttentionSteps
        Of one head: (n_q, n_k) and (n_q, d_v). A step that is None is left out.
    chosen : (step name, row, column), optional
        This cell is outlined, with the cells it was made of.
    formulas : bool
        Say under each name how `attention` makes this step; not for the steps of a function
        that may do something else.

    Returns
    -------
    str
        HTML.
    """
    parts = []
    for name, step in zip(AttentionSteps._fields, steps, strict=True):
        if step is None:
            continue
        is_output = name == "output"
        parts.append(
            matrix_view(
                step,
                caption=name,
                formula=MADE_BY[name] if formulas else "",
                rows=labels("q", step.shape[0]),
                columns=labels("d" if is_output else "k", step.shape[1]),
                weights=name == "weights",
                row_sums=not is_output,
                chosen=chosen[1:] if chosen and chosen[0] == name else None,
                related=_made_of(name, chosen, step.shape) if chosen else (),
                row=chosen[1] if chosen else None,
            )
        )
    if steps.weights is not None and max(steps.weights.shape) > MOST_CELLS:
        query = chosen[1] if chosen else 0
        parts.append(largest_weights_table(steps.weights[query], query=query))
    return side_by_side(*parts)


def _made_of(name: str, chosen: tuple[str, int, int], shape: torch.Size) -> set[tuple[int, int]]:
    """Return the cells of step ``name`` that the chosen cell of a later step is made of."""
    step, row, column = chosen
    whole_row = {(row, j) for j in range(shape[1])}
    sources = {
        ("scaled", "scores"): {(row, column)},
        ("masked", "scaled"): {(row, column)},
        ("weights", "masked"): whole_row,
        ("output", "weights"): whole_row,
    }
    return sources.get((step, name), set())


def explain(
    query: Tensor, key: Tensor, value: Tensor, steps: AttentionSteps, cell: tuple[str, int, int]
) -> str:
    """Say in one line which numbers made a cell.

    Parameters
    ----------
    query, key, value : Tensor, shapes (n_q, d_k), (n_k, d_k), (n_k, d_v)
    steps : AttentionSteps
        Of these inputs.
    cell : (step name, row, column)

    Returns
    -------
    str
        For example ``weights[1, 2] = e^12 / (e^8 + e^10 + e^12) = 0.867``.

    Raises
    ------
    ValueError
        There is no such cell.
    """
    step, i, j = cell
    if step not in AttentionSteps._fields:
        known = ", ".join(AttentionSteps._fields)
        raise ValueError(f"{step!r} is no step of attention; the steps are {known}")
    shown = getattr(steps, step)
    if not (0 <= i < shown.shape[0] and 0 <= j < shown.shape[1]):
        raise ValueError(
            f"{step}[{i}, {j}] does not exist: {step} has {shown.shape[0]} rows and "
            f"{shown.shape[1]} columns, counted from 0"
        )
    name = f"{step}[{i}, {j}]"
    number = shown[i, j].item()
    written = format_number(number)
    if step == "scores":
        return f"{name} = q{i} · k{j} = {_sum_of_products(query[i], key[j])} = {written}"
    if step == "output":
        terms = _sum_of_products(steps.weights[i], value[:, j], first=format_weight)
        return f"{name} = {terms} = {written}"
    score = steps.scores[i, j].item()
    if step == "scaled":
        factor = number / score if score else None
        if factor is None:
            return f"{name} = scores[{i}, {j}] × scale = 0"
        return (
            f"{name} = scores[{i}, {j}] × scale = {format_number(score)} × {format_number(factor)} "
            f"= {written}"
        )
    scaled = steps.scaled[i, j].item()
    if step == "masked":
        if number == -math.inf:
            return f"{name} = −∞: query {i} may not attend to key {j}"
        if number == scaled:
            return f"{name} = scaled[{i}, {j}] = {written}: query {i} may attend to key {j}"
        return f"{name} = scaled[{i}, {j}] + mask = {written}"
    row = steps.masked[i].tolist()
    seen = [entry for entry in row if entry != -math.inf]
    if not seen:
        return f"{name} = 0: every key of query {i} is hidden"
    if row[j] == -math.inf:
        return f"{name} = 0: e^−∞ is exactly 0, key {j} is hidden"
    powers = _sum([f"e^{format_number(entry)}" for entry in seen])
    return f"{name} = e^{format_number(row[j])} / ({powers}) = {format_weight(number)}"


def _sum_of_products(left: Tensor, right: Tensor, first=format_number) -> str:
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    return _sum([f"{first(a)}×{_bracketed(b)}" for a, b in pairs])


def _sum(terms: Sequence[str]) -> str:
    if len(terms) > MOST_TERMS:
        return f"{' + '.join(terms[:3])} + … ({len(terms)} terms)"
    return " + ".join(terms)


def _bracketed(number: float) -> str:
    return f"({format_number(number)})" if number < 0 else format_number(number)
