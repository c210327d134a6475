"""Calling a learner's attention function, and comparing what it does with ours, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from attention_lab.core.attention import AttentionSteps
from attention_lab.grading.compare import agree
from attention_lab.grading.feedback import Problem, call, describe, name_of
from attention_lab.pictures.style import format_number

__all__ = ["call_learner", "compare_steps", "dtype_for"]


def dtype_for(function: Callable[..., Any], inputs: Sequence[Tensor]) -> torch.dtype:
    """Return what kind of numbers a function is given: as torch.tensor makes them, float32.

    That of its parameters, if it is a module; float64 where a product would overflow in float32.
    """
    if isinstance(function, nn.Module):
        kinds = [p.dtype for p in function.parameters() if p.is_floating_point()]
        if kinds:
            return kinds[0]
    largest = max(float(each.abs().max()) for each in inputs)
    return torch.float32 if largest < 1e15 else torch.float64


def call_learner(
    function: Callable[..., Any], query: Tensor, key: Tensor, value: Tensor, options: dict[str, Any]
) -> AttentionSteps:
    """Call a learner's attention function, and bring its result into one form.

    Parameters
    ----------
    function : callable
        Takes query, key and value; returns the steps, (output, weights), or the output.
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
        found = {step: getattr(result, step, None) for step in AttentionSteps._fields}
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
        dense = tensor.detach().to_dense()
        found[step] = dense if dense.is_floating_point() else dense.double()
    return AttentionSteps(*(found.get(step) for step in AttentionSteps._fields))


def compare_steps(name: str, shown: AttentionSteps, reference: AttentionSteps) -> str:
    """Say whether the steps of a learner's function are those of `attention`.

    Parameters
    ----------
    name : str
        What to call the function.
    shown, reference : AttentionSteps
        A step that is None in ``shown`` is left out.
    """
    for step, theirs, ours in zip(AttentionSteps._fields, shown, reference, strict=True):
        if theirs is None:
            continue
        wrong = ~agree(theirs, ours)
        if wrong.any():
            i, j = wrong.nonzero()[0].tolist()
            return (
                f"{name} differs from attention first at {step}[{i}, {j}]: "
                f"{format_number(theirs[i, j].item())} instead of "
                f"{format_number(ours[i, j].item())}."
            )
    return f"{name} agrees with attention."
