"""A console for select and aggregate: the selector, the weights that run it, and what comes out."""

from __future__ import annotations

import operator
import re
from typing import NamedTuple

import ipywidgets
import torch
from torch import Tensor

from attention_lab.grading.feedback import Problem
from attention_lab.labs.programmable_weights.formula import sequence
from attention_lab.labs.programmable_weights.rasp import (
    Head,
    Predicate,
    Selector,
    aggregate,
    compiled,
    select,
)
from attention_lab.pictures.style import format_number, format_weight, labels
from attention_lab.pictures.tables import (
    cell,
    head,
    matrix_table,
    row_head,
    side_by_side,
    table,
    title,
)
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import STYLE as FIELDS
from attention_lab.ui.fields import Knob, box, choice, row, text_field, watch
from attention_lab.ui.keys import ARROWS

__all__ = ["PREDICATES", "PROGRAMS", "SelectConsole"]

MOST = 8  # tokens
DOMAIN = range(-1, 10)  # keys and queries that the shown weights are written for
LENGTHS, DRAWS = (1, 2, 4, 8, 16, 32), 4
NEAR = 0.5  # what is less off than this rounds to the right number
PREDICATES: dict[str, Predicate] = {
    "key == query": operator.eq,
    "key != query": operator.ne,
    "key < query": operator.lt,
    "key <= query": operator.le,
    "key > query": operator.gt,
    "key >= query": operator.ge,
}
# name: keys, predicate, queries, values
PROGRAMS = {
    "the token before": ("positions", "key == query", "positions - 1", "tokens"),
    "reverse": ("positions", "key == query", "length - 1 - positions", "tokens"),
    "where are equal tokens": ("tokens", "key == query", "tokens", "positions"),
    "mean of the tokens so far": ("positions", "key <= query", "positions", "tokens"),
    "mean of the smaller tokens": ("tokens", "key < query", "tokens", "tokens"),
    "every third position": ("positions % 3", "key == query", "0", "tokens"),
}
STYLE = """<style>
.alab-console .alab table.alab-wide td{width:3.4em;min-width:3.4em!important;padding:2px}
.alab-console .alab table.alab-narrow td{width:1.3em;min-width:1.3em!important;padding:2px;
text-align:center}
</style>"""


class Shown(NamedTuple):
    """What one program gives for the typed tokens.

    Attributes
    ----------
    selector : Selector
    head : Head
        Compiled for `DOMAIN`.
    exact, came : Tensor, shape (n)
        The average of what is selected, and what attention gives.
    """

    selector: Selector
    head: Head
    exact: Tensor
    came: Tensor


class SelectConsole(LiveView):
    """Write keys, predicate, queries and values; see the selector, its weights and the result.

    The weights run on the typed tokens, and on random ones of six lengths.

    Parameters
    ----------
    program : str
        One of `PROGRAMS`.

    Attributes
    ----------
    beta : Knob
        The inverse temperature.
    bos : ipywidgets.Checkbox
        Whether there is a BOS token, with half the score.
    """

    def __init__(self, program: str = next(iter(PROGRAMS))) -> None:
        super().__init__()
        self.tokens = text_field("tokens", "3 1 4 1 5 9", width="220px")
        self.program = choice("program", [*PROGRAMS, "your own"], value=program, width="300px")
        self.key_rule = text_field("keys", width="220px")
        self.predicate = choice("predicate", list(PREDICATES), width="210px")
        self.query_rule = text_field("queries", width="260px")
        self.value_rule = text_field("values", width="220px")
        self.beta = Knob("β", 6.0, low=0, high=30)
        self.bos = box("BOS token, at half the score", True)
        self.parts = (self.key_rule, self.predicate, self.query_rule, self.value_rule)
        self.children = [
            row(self.tokens, self.program),
            row(self.key_rule, self.predicate, self.query_rule, self.value_rule),
            row(self.beta, self.bos),
            self.status,
            self.picture,
            ipywidgets.HTML(STYLE + FIELDS + ARROWS, layout={"display": "none"}),
        ]
        self.add_class("alab-console")
        self.add_class("alab-arrows")
        self.speak_for(self.beta)
        self._load()
        self.program.observe(self._load, "value")
        watch(self._changed, *self.parts)
        watch(self.redraw, self.tokens, self.beta, self.bos)

    def _load(self, _change: object = None) -> None:
        """Write a program into the fields."""
        if self.holding or self.program.value not in PROGRAMS:
            return
        with self.one_redraw():
            for field, text in zip(self.parts, PROGRAMS[self.program.value], strict=True):
                field.value = text

    def _changed(self, _change: object = None) -> None:
        """Name the program that stands in the fields, if it has a name."""
        if self.holding:
            return
        now = tuple(field.value for field in self.parts)
        names = [name for name, parts in PROGRAMS.items() if parts == now]
        with self.one_redraw():
            self.program.value = names[0] if names else "your own"

    def _typed(self) -> Tensor:
        found = re.split(r"[\s,、]+", self.tokens.value.strip())
        if not all(re.fullmatch(r"\d", each) for each in found):
            raise Problem(
                "write tokens as single digits with spaces between, such as 3 1 4; not "
                f"“{self.tokens.value[:40]}”"
            )
        if len(found) > MOST:
            raise Problem(f"at most {MOST} tokens fit here, not {len(found)}")
        return torch.tensor([int(each) for each in found])

    def _select(self, tokens: Tensor) -> tuple[Selector, Tensor]:
        keys, queries, values = (
            sequence(field.value, tokens)
            for field in (self.key_rule, self.query_rule, self.value_rule)
        )
        return select(keys, queries, PREDICATES[self.predicate.value]), values

    def shown(self) -> Shown:
        """Run the program on the typed tokens.

        Raises
        ------
        Problem
            A field cannot be read, or a key or query is not in `DOMAIN`.
        """
        selector, values = self._select(self._typed())
        for what, numbers in (
            ("key", selector.parts[0].keys),
            ("query", selector.parts[0].queries),
        ):
            outside = [each for each in numbers.tolist() if each not in DOMAIN]
            if outside:
                raise Problem(
                    f"a {what} is {outside[0]}; the weights here are written for the numbers "
                    f"{DOMAIN.start} to {DOMAIN.stop - 1}"
                )
        with compiled(self.beta.value, domain=DOMAIN, bos=self.bos.value) as heads:
            came = aggregate(selector, values)
        return Shown(selector, heads[0], aggregate(selector, values), came)

    def tried(self) -> list[tuple[int, float, float | None, float]]:
        """Run it on random tokens: length, share of rows right, of empty rows, largest error."""
        random = torch.Generator().manual_seed(0)
        found = []
        for n in LENGTHS:
            off, empty = [], []
            for _ in range(DRAWS):
                selector, values = self._select(torch.randint(0, 10, (n,), generator=random))
                part = selector.parts[0]
                both = torch.cat([part.keys, part.queries])
                domain = range(int(both.min()), int(both.max()) + 1)
                with compiled(self.beta.value, domain=domain, bos=self.bos.value):
                    came = aggregate(selector, values)
                off.append((came - aggregate(selector, values)).abs())
                empty.append(~selector.matrix.any(dim=-1))
            off, empty = torch.cat(off), torch.cat(empty)
            right = (off < NEAR).double()
            of_empty = right[empty].mean().item() if empty.any() else None
            found.append((n, right.mean().item(), of_empty, off.max().item()))
        return found

    def draw(self) -> tuple[str, str]:
        shown = self.shown()
        above = side_by_side(_selector(shown), _result(shown), _weights(shown))
        below = side_by_side(*_matrices(shown.head, self.bos.value), _tried(self.tried()))
        return above + below, self._said(shown)

    def _said(self, shown: Shown) -> str:
        counts = shown.selector.matrix.sum(dim=-1)
        empty = (counts == 0).nonzero().flatten().tolist()
        off = (shown.came - shown.exact).abs()
        said = f"{int((off < NEAR).sum())} of {len(off)} rows are right (less than ½ off). "
        if empty:
            came, first = format_number(shown.came[empty[0]].item()), f"Row {empty[0]}"
            if len(empty) > 1:
                said += (
                    f"{len(empty)} rows select nothing. {first} should give 0, and gives {came}. "
                )
            else:
                said += f"{first} selects nothing: it should give 0, and gives {came}. "
        if (counts > 1).any():
            first = int((counts > 1).int().argmax())
            said += f"Row {first} selects {int(counts[first])} keys, and gives their mean."
        return said

    def twin_html(self) -> str:
        said = " · ".join(
            f"{field.description}: {field.value}" for field in (self.tokens, *self.parts)
        )
        bos = "with BOS" if self.bos.value else "no BOS"
        return (
            f'{STYLE}<div class="alab-console"><div>{said} · β = {self.beta.value:g}, {bos}</div>'
            f"{super().twin_html()}</div>"
        )

    def twin_text(self) -> str:
        keys, predicate, queries, values = (field.value for field in self.parts)
        return (
            f"SelectConsole: keys {keys}, {predicate}, queries {queries}, values {values}, "
            f"β = {self.beta.value:g}. {self.note.split('. ')[0]}."
        )


def _selector(shown: Shown) -> str:
    keys, queries, _ = shown.selector.parts[0]

    def why(i: int, j: int) -> str:
        says = "selected" if shown.selector.matrix[i, j] else "not selected"
        return f"query {int(queries[i])}, key {int(keys[j])}: {says}"

    return matrix_table(
        shown.selector.matrix.double(),
        caption="selector",
        formula="row: query, column: key",
        rows=[f"q{i} = {q}" for i, q in enumerate(queries.tolist())],
        columns=[str(k) for k in keys.tolist()],
        largest=2.0,
        part="alab-narrow",
        why=why,
    )


def _weights(shown: Shown) -> str:
    weights = shown.head.weights
    n = len(weights)
    names = labels("k", n) if weights.shape[1] == n else ["BOS", *labels("k", n)]
    return matrix_table(
        weights,
        caption="weights",
        formula="softmax of the scores β and 0",
        rows=labels("q", n),
        columns=names,
        weights=True,
        part="alab-wide",
    )


def _result(shown: Shown) -> str:
    rows = []
    for i, (exact, came) in enumerate(zip(shown.exact.tolist(), shown.came.tolist(), strict=True)):
        good = abs(exact - came) < NEAR
        rows.append(
            [row_head(f"q{i}"), cell(format_number(exact)), cell(format_number(came)),
             cell("✓" if good else "✗ off")]
        )  # fmt: skip
    heads = ["", "mean", "attention", "right?"]
    return table(title("aggregate", "", "of the values"), map(head, heads), rows, kind="alab-wide")


def _matrices(compiled_head: Head, bos: bool) -> tuple[str, str]:
    """Draw W_Q and W_K on the part of a token that they read."""
    d, layer = len(DOMAIN), compiled_head.layer
    numbers = [str(each) for each in DOMAIN]
    W_K, W_Q = layer.key.weight.detach(), layer.query.weight.detach()
    columns = [*range(d), 2 * d + 1] if bos else [*range(d)]
    largest = W_Q.max().clamp(min=1e-9)
    factor = format_number(round(W_Q.max().item(), 1))
    return (
        matrix_table(
            W_Q[:, d : 2 * d] / largest,
            caption="W_Q",
            formula=f"queries, times β√{d} = {factor}",
            rows=numbers,
            columns=numbers,
            largest=2.0,
            part="alab-narrow",
        ),
        matrix_table(
            W_K[:, columns],
            caption="W_K",
            formula="keys: 1 where q (row) selects k",
            rows=numbers,
            columns=[*numbers, "BOS"] if bos else numbers,
            largest=2.0,
            part="alab-narrow",
        ),
    )


def _tried(found: list[tuple[int, float, float | None, float]]) -> str:
    rows = [
        [
            row_head(str(n)),
            cell(format_weight(right)),
            cell("–" if empty is None else format_weight(empty)),
            cell(format_number(off)),
        ]
        for n, right, empty, off in found
    ]
    return table(
        title("random tokens", "", f"{DRAWS} draws of each length; share of rows right"),
        map(head, ["length", "rows", "empty rows", "most off"]),
        rows,
        kind="alab-wide",
    )
