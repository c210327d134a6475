"""A mode as data, the eight things that it has to keep, and what it does for a task."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from attention_lab.core import modes
from attention_lab.core.invariants import Invariant, invariants
from attention_lab.core.mode import Mode
from attention_lab.core.normalisers import sigmoid, softmax_plus_one, sparsemax
from attention_lab.grading.feedback import Problem
from attention_lab.labs.applications import stories
from attention_lab.models.training import seeded, train
from attention_lab.pictures.tables import CSS, cell, head, row_head, table, title
from attention_lab.ui.rule_text import in_tensors

__all__ = [
    "DRAWS", "NORMALIZERS", "Report", "design", "eight", "read_design", "shares", "teller",
]  # fmt: skip

NORMALIZERS = {
    "softmax": None,
    "softmax_plus_one": softmax_plus_one,
    "sparsemax": sparsemax,
    "sigmoid": sigmoid,
}
PARTS = ("name", "mask", "bias", "temperature", "normalizer")
LOUD = 30  # times larger scores than usual
CLOSE = 1e-9

DRAWS: dict[str, Callable[..., stories.Stories]] = {
    "plain": stories.draw,
    "latest": stories.draw_latest,
    "two books": stories.draw_two_books,
    "diary": stories.draw_diary,
}
SIZES = {"plain": 6, "latest": 6, "two books": 6, "diary": 12}


def read_design(spec: Mapping[str, Any] | str) -> Mode:
    """Make a mode of a mapping, or of its JSON.

    Parameters
    ----------
    spec : mapping or str
        ``name``; and any of ``mask`` and ``bias`` (rules of q and k, as text), ``temperature`` and
        ``normalizer`` (one of `NORMALIZERS`).

    Raises
    ------
    Problem
        It is none; the text says what is wrong.

    Examples
    --------
    >>> read_design('{"name": "near", "mask": "abs(q - k) < 2"}').pairs(4)
    10
    """
    spec = _as_mapping(spec)
    unknown = [str(part) for part in spec if part not in PARTS]
    if unknown:
        raise Problem(
            f"{', '.join(unknown)} is no part of a design; its parts are {', '.join(PARTS)}"
        )
    if not isinstance(spec.get("name"), str) or not spec["name"].strip():
        raise Problem('a design needs a "name" of a few words')
    given: dict[str, Any] = {}
    for part, field in (("mask", "mask_mod"), ("bias", "bias")):
        if part in spec:
            given[field] = _rule(part, spec[part])
    if "temperature" in spec:
        given["temperature"] = spec["temperature"]
    name = spec.get("normalizer", "softmax")
    if name not in NORMALIZERS:
        raise Problem(f"{name!r} is no normaliser here; there are {', '.join(NORMALIZERS)}")
    given["normalizer"] = NORMALIZERS[name]
    mask = given.pop("mask_mod", modes.full.mask_mod)
    try:
        return Mode(spec["name"], mask, **given)
    except (TypeError, ValueError) as error:
        raise Problem(str(error)) from None


def _as_mapping(spec: Any) -> Mapping[str, Any]:
    if isinstance(spec, str):
        try:
            spec = json.loads(spec)
        except json.JSONDecodeError as error:
            raise Problem(
                f"this is no JSON: {error.msg} in line {error.lineno}; names and texts stand in "
                "double quotes, and no comma before the last brace"
            ) from None
    if not isinstance(spec, Mapping):
        raise Problem(
            'a design is a mapping, such as {"name": "near", "mask": "abs(q - k) < 2"}, not '
            f"{type(spec).__name__}"
        )
    return spec


def _rule(part: str, text: Any) -> Callable[..., Tensor]:
    if not isinstance(text, str):
        raise Problem(f'"{part}" is a rule, written as text, such as "k <= q", not {text!r}')
    if re.search(r"\bn\b", text):
        raise Problem(f'"{part}": a design holds at every length, so its rules know no n')
    try:
        written = in_tensors(text, part, 0)
    except Problem as problem:
        raise Problem(f'"{part}": {problem}') from None
    # Made of what `in_tensors` let through, and nothing else.
    return eval(f"lambda b, h, q, k: {written}", {"torch": torch, "__builtins__": {"abs": abs}})


# --- what it has to keep ------------------------------------------------------------------------


def eight(mode: Mode, n: int = 8) -> list[Invariant]:
    """Measure eight things that a mode has to keep: the four of `invariants`, and four of use.

    The others: every query sees a key; queries one at a time, with the keys of all, give the same
    rows; a text in a batch gives the same as alone; with scores 30 times larger, in float32, all
    outputs and gradients are finite.
    """
    heads = 2
    random = torch.Generator().manual_seed(1)
    query, key, value = torch.randn(3, 3, heads, n, 4, generator=random, dtype=torch.float64)
    whole = mode.attention(query, key, value)
    blind = int((whole.masked == -math.inf).all(dim=-1).sum())
    rows = [mode.attention(query[:, :, i : i + 1], key, value, offset=i).output for i in range(n)]
    alone = [mode.attention(*(x[b : b + 1] for x in (query, key, value))).output for b in range(3)]
    loud = [x.float().requires_grad_() for x in (LOUD * query, key, value)]
    with torch.enable_grad():
        output = mode.attention(*loud).output
        found = torch.autograd.grad(output.sum(), loud, materialize_grads=True)
    bad = sum(int((~each.isfinite()).sum()) for each in (output, *found))
    return [
        *invariants(mode, n),
        _measured("every query sees a key", blind, "rows without one"),
        _measured("one query at a time", _off(torch.cat(rows, -2), whole), "farthest from whole"),
        _measured("alone as in a batch", _off(torch.cat(alone), whole), "farthest from alone"),
        _measured("finite with loud scores", bad, "numbers that are not"),
    ]


def _measured(name: str, number: float, says: str) -> Invariant:
    return Invariant(name, number <= CLOSE, float(number), says)


def _off(output: Tensor, whole: Any) -> float:
    return (output - whole.output).abs().max().item()


# --- what it does -------------------------------------------------------------------------------


@cache
def teller(seed: int = 0) -> stories.Teller:
    """Return a model that has learned the plain stories: three seconds, the first time."""
    with seeded(seed), torch.enable_grad():
        model = stories.Teller()
        train(
            model,
            stories.loss_of,
            lambda random: stories.draw(128, random),
            steps=800,
            lr=1e-2,
            seed=seed,
        )
    return model


def shares(
    model: stories.Teller,
    task: str | Callable[[int, torch.Generator], stories.Stories],
    mode: Mode | None = None,
    *,
    count: int = 1000,
    seed: int = 99,
) -> float:
    """Return the share of right answers to new stories of a task, with a mode or without."""
    random = torch.Generator().manual_seed(seed)
    drawn = task(count, random) if callable(task) else DRAWS[task](count, random, SIZES[task])
    with torch.no_grad():
        return stories.right_share(model(drawn, mode), drawn)


class Report(NamedTuple):
    """What was measured of a design."""

    mode: Mode
    task: str
    kept: list[Invariant]
    before: float
    after: float
    plain: float

    def __str__(self) -> str:
        kept = sum(each.holds for each in self.kept)
        return (
            f"{self.mode}: keeps {kept} of {len(self.kept)}; right answers to “{self.task}” "
            f"{self.before:.3f} before, {self.after:.3f} with it; to plain stories {self.plain:.3f}"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = [
            [
                row_head(each.name),
                cell("kept" if each.holds else "<b>broken</b>", "alab-text"),
                cell(_number(each), "alab-text"),
            ]
            for each in self.kept
        ]
        for what, share in (
            (f"right, “{self.task}”, before", self.before),
            (f"right, “{self.task}”, with the mode", self.after),
            ("right, plain stories, with the mode", self.plain),
        ):
            rows.append([row_head(what), cell(), cell(f"{share:.3f}", "alab-text")])
        heads = [head("what"), head("verdict", "alab-text"), head("number", "alab-text")]
        html = table(title(str(self.mode)), heads, rows)
        return {
            "text/plain": str(self),
            "text/html": f'{CSS}<div class="alab"><div>{html}</div></div>',
        }


def _number(kept: Invariant) -> str:
    """Write by how much a check is off, and what that is."""
    number = f"{kept.number:.3g}"  # also where it is 0, or nan
    if 0 < kept.number < 5e-4:
        number = "≈0"
    return f"{number} ({kept.says})"


def design(
    spec: Mapping[str, Any] | str,
    task: str | Callable[[int, torch.Generator], stories.Stories] = "latest",
    model: stories.Teller | None = None,
) -> Report:
    """Put a design to the test: eight invariants, its task, and the task it must not spoil.

    Parameters
    ----------
    spec : mapping or str
        See `read_design`.
    task : str or callable
        One of `DRAWS`, or ``task(count, random)`` that draws `Stories`.
    model : Teller, optional
        `teller` if not given.

    Raises
    ------
    Problem
        The design cannot be read, or there is no such task.
    """
    mode = read_design(spec)
    if not callable(task) and task not in DRAWS:
        raise Problem(f"there is no task {task!r}; there are {', '.join(DRAWS)}")
    model = model or teller()
    name = task.__name__ if callable(task) else task
    return Report(
        mode,
        name,
        eight(mode),
        shares(model, task),
        shares(model, task, mode),
        shares(model, "plain", mode),
    )
