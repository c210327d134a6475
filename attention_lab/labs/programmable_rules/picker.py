"""The controls that make a mode: one of the library, a rule of one's own, or two of them joined.

Whatever is chosen becomes one line of Python, which is shown and run: what a reader pastes into a
cell is what they saw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ipywidgets
import torch
import traitlets

from attention_lab.core import modes
from attention_lab.core.modes import Mode
from attention_lab.grading.feedback import Problem
from attention_lab.labs.programmable_rules.rule_text import in_tensors
from attention_lab.ui.fields import STYLE as FIELDS
from attention_lab.ui.fields import Knob, box, choice, count_field, row, text_field
from attention_lab.ui.parsing import parse_number

__all__ = ["LIBRARY", "OWN_BIAS", "OWN_MASK", "ModePicker"]

OWN_MASK, OWN_BIAS = "your own mask", "your own bias"
JOINS = {"nothing more": "", "& and": "&", "| or": "|", "+ plus": "+"}
MOST = 1024  # of a number that counts positions
# Two modes side by side where there is room, each line as high as the highest field: nothing moves.
# In a narrow window they stand one below the other, and what is not used takes no line there.
STYLE = """<style>
.alab-pickers{container-type:inline-size}
.alab-picker>div{width:400px}
.alab-picker>div>div{height:36px}
@container (max-width:815px){.alab-picker .alab-unused{display:none!important}}
</style>"""


# --- the parameters of a mode: a field, and what its value is in Python -------------------------


class Count(NamedTuple):
    """A whole number from 1 on."""

    name: str
    start: int
    most: int = MOST

    def field(self) -> ipywidgets.Widget:
        return count_field(self.name, self.start, self.most, width="130px")

    def read(self, value: int, n: int) -> str:
        return str(value)


class Real(NamedTuple):
    """A number, with a slider."""

    name: str
    start: float
    low: float
    high: float
    log: bool = False

    def field(self) -> ipywidgets.Widget:
        knob = Knob(self.name, self.start, low=self.low, high=self.high, log=self.log)
        knob.slider.layout.width = "100px"
        return knob

    def read(self, value: float, n: int) -> str:
        return f"{value:.10g}"


class Numbers(NamedTuple):
    """Numbers with spaces between them."""

    name: str
    start: str
    whole: bool = True
    least: float = -math.inf
    width: str = "210px"

    def field(self) -> ipywidgets.Widget:
        return text_field(self.name, self.start, width=self.width)

    def read(self, value: str, n: int) -> str:
        try:
            numbers = [parse_number(each) for each in value.replace(",", " ").split()]
        except Problem as problem:
            raise Problem(f"{self.name}: {problem}") from None
        wrong = [each for each in numbers if each < self.least or (self.whole and each % 1)]
        if wrong or not numbers:
            kind = "whole numbers" if self.whole else "numbers"
            least = f" from {self.least:g} on" if self.least > -math.inf else ""
            came = f", not {wrong[0]:g}" if wrong else ""
            raise Problem(
                f"{self.name}: write {kind}{least} with spaces between, as {self.start}{came}"
            )
        return f"[{', '.join(f'{each:.10g}' for each in numbers)}]"


class Layout(NamedTuple):
    """Rows of 0 and 1, ``10 11``: which blocks are seen."""

    name: str
    start: str

    def field(self) -> ipywidgets.Widget:
        return text_field(self.name, self.start, width="210px")

    def read(self, value: str, n: int) -> str:
        rows = value.split()
        if not rows or any(set(each) - set("01") or len(each) != len(rows) for each in rows):
            raise Problem(
                f"{self.name}: write 0 and 1, as many rows as columns, a space between the rows, "
                f"as {self.start}"
            )
        return str([[int(cell) for cell in each] for each in rows])


class Rule(NamedTuple):
    """A rule of q and k, as a learner writes it."""

    name: str
    start: str
    wants: str

    def field(self) -> ipywidgets.Widget:
        return text_field(self.name, self.start, width="372px")

    def read(self, value: str, n: int) -> str:
        text = value.strip()
        named = f"({text})" if " and " in text or " or " in text else text
        part = "bias=" if self.wants == "bias" else ""
        return f"{named!r}, {part}lambda b, h, q, k: {in_tensors(text, self.wants, n)}"


class Entry(NamedTuple):
    """A mode to choose: its parameters, and the Python that makes it of n and of them."""

    fields: tuple[Any, ...]
    code: Callable[..., str]


def _plain(code: str) -> Entry:
    return Entry((), lambda n: code)


LIBRARY = {
    "every key": _plain("modes.full"),
    "causal": _plain("modes.causal"),
    "window": Entry((Count("size", 3),), lambda n, size: f"modes.window({size})"),
    "sink": Entry((Count("keys", 1),), lambda n, count: f"modes.sink({count})"),
    "prefix": Entry((Count("size", 4),), lambda n, size: f"modes.prefix({size})"),
    "dilated": Entry((Count("step", 2),), lambda n, step: f"modes.dilated({step})"),
    "documents": Entry(
        (Numbers("lengths", "4 4", least=1),), lambda n, lengths: f"modes.documents({lengths})"
    ),
    "tree": Entry(
        (Numbers("parents", "-1 0 0 1 1 2 2 3", least=-1, width="260px"),),
        lambda n, parents: f"modes.tree({parents})",
    ),
    "neighbourhood": Entry(
        (Count("width of the grid", 4),),
        lambda n, width: f"modes.neighbourhood({math.ceil(n / int(width))}, {width})",
    ),
    "blocks": Entry(
        (Layout("rows", "10 11"), Count("block", 4)),
        lambda n, layout, block: f"modes.block_sparse({layout}, {block})",
    ),
    "ALiBi": Entry((Count("heads", 8, 64),), lambda n, heads: f"modes.alibi({heads})"),
    "relative bias": Entry(
        (Numbers("table", "-1 0 1 0.5 0", whole=False, width="260px"),),
        lambda n, table: f"modes.relative_bias(torch.tensor({table}, dtype=torch.float))",
    ),
    "spotlight": Entry(
        (Numbers("keys", "1", least=0, width="120px"), Real("bias", 2.0, -10, 10)),
        lambda n, keys, bias: f"modes.spotlight({keys}, {bias})",
    ),
    "soft cap": Entry(
        (Real("cap", 2.0, 0.1, 100, log=True),), lambda n, cap: f"modes.soft_cap({cap})"
    ),
    "temperature": Entry(
        (Real("temperature", 2.0, 0.1, 10, log=True),),
        lambda n, degrees: f"modes.temperature({degrees})",
    ),
    "learnable sink": Entry(
        (Real("score of nothing", 0.0, -10, 10),), lambda n, value: f"modes.learnable_sink({value})"
    ),
    OWN_MASK: Entry(
        (Rule("mask", "k <= q and q - k < 3", "mask"),), lambda n, rule: f"modes.Mode({rule})"
    ),
    OWN_BIAS: Entry(
        (Rule("bias", "-0.5 * abs(q - k)", "bias"),), lambda n, rule: f"modes.Mode({rule})"
    ),
}


class _Part(ipywidgets.VBox):
    """One mode: which, whether it is turned round, and its parameters.

    Parameters
    ----------
    start : str
        The mode.
    width : str
        Of the list of modes.
    suffix : str
        Behind the label of each input: no two inputs of a widget have one label.
    before, behind : sequence of Widget
        On the same line.

    Attributes
    ----------
    value : tuple
        The name, whether it is turned round, and the values of the parameters. Observe it.
    problem : str
        What is wrong in a parameter that is a `Knob`.
    """

    value = traitlets.Tuple()
    problem = traitlets.Unicode()

    def __init__(
        self,
        start: str,
        width: str,
        suffix: str = "",
        before: Sequence[ipywidgets.Widget] = (),
        behind: Sequence[ipywidgets.Widget] = (),
    ) -> None:
        super().__init__()
        self.suffix = suffix
        self.mode = choice(f"mode{suffix}", list(LIBRARY), value=start, width=width)
        self.turned = box(f"not{suffix}", False)
        self.kept: dict[str, str] = {}
        self._fields: dict[str, list[ipywidgets.Widget]] = {}
        self.parameters = row()
        head = row(*before, self.mode, self.turned, *behind)
        head.layout.grid_gap = "4px 8px"
        self.children = [head, self.parameters]
        self.mode.observe(self._choose, names="value")
        self.turned.observe(self._tell, names="value")
        self._choose()

    @property
    def fields(self) -> list[ipywidgets.Widget]:
        """The parameters of the chosen mode, made when they are first needed."""
        name = self.mode.value
        if name not in self._fields:
            made = [each.field() for each in self._asked(name)]
            for each in made:
                each.observe(self._tell, names="value")
                if isinstance(each, Knob):
                    each.message_line.layout.display = "none"
                    each.observe(self._tell, names="problem")
            self._fields[name] = made
        return self._fields[name]

    def _asked(self, name: str) -> list[Any]:
        """Return the parameters of a mode; one that was kept has none."""
        fields = () if name in self.kept else LIBRARY[name].fields
        return [each._replace(name=f"{each.name}{self.suffix}") for each in fields]

    def code(self, n: int) -> str:
        """Return the Python of this part.

        Raises
        ------
        Problem
            A parameter cannot be read.
        """
        name = self.mode.value
        if name in self.kept:
            code = f"({self.kept[name]})"
        else:
            pairs = zip(self._asked(name), self.fields, strict=True)
            code = LIBRARY[name].code(n, *(each.read(field.value, n) for each, field in pairs))
        return f"~{code}" if self.turned.value else code

    def offer(self, name: str, code: str) -> None:
        """Add a mode that was kept to the list."""
        self.kept[name] = code
        if name not in self.mode.options:
            self.mode.options = (*self.mode.options, name)

    def _choose(self, _change: Any = None) -> None:
        self.parameters.children = self.fields
        self._tell()

    def _tell(self, _change: Any = None) -> None:
        self.problem = next((said for f in self.fields if (said := getattr(f, "problem", ""))), "")
        self.value = (self.mode.value, self.turned.value, *(field.value for field in self.fields))


class ModePicker(ipywidgets.VBox):
    """Choose a mode, or write one, or join two; what was made can be kept and joined again.

    Parameters
    ----------
    first, second : str
        Of `LIBRARY`.
    join : str
        "", "&", "|" or "+"; without one the second is not used.

    Attributes
    ----------
    value : tuple
        All that was chosen. Observe it.
    problem : str
        What is wrong in a parameter; the last good number is still used.
    message_line : ipywidgets.HTML
        Never shown: who has a status line says the problem there.
    keep : ipywidgets.Button
        Keeps the present mode under a name of its own.
    """

    value = traitlets.Tuple()
    problem = traitlets.Unicode()

    def __init__(self, first: str = "causal", join: str = "&", second: str = "window") -> None:
        super().__init__()
        sign = next(name for name, each in JOINS.items() if each == join)
        self.join = choice("join", list(JOINS), value=sign, width="146px")
        self.keep = ipywidgets.Button(description="keep", layout={"width": "70px"})
        self.first = _Part(first, "236px", behind=[self.keep])
        self.second = _Part(second, "172px", " 2", before=[self.join])
        self.message_line = ipywidgets.HTML()
        self.n = 8  # of the mode that is kept
        columns = row(self.first, self.second)
        columns.add_class("alab-picker")
        style = ipywidgets.HTML(FIELDS + STYLE, layout={"display": "none"})
        self.children = [style, columns]
        self.add_class("alab-pickers")
        for each in (self.first, self.second):
            each.observe(self._tell, names=["value", "problem"])
        self.join.observe(self._tell, names="value")
        self.keep.on_click(lambda _: self._keep())
        self._tell()

    def code(self, n: int) -> str:
        """Return the Python that makes the mode, for n tokens.

        Raises
        ------
        Problem
            Something that was typed cannot be read.
        """
        sign = JOINS[self.join.value]
        first = self.first.code(n)
        return f"{first} {sign} {self.second.code(n)}" if sign else first

    def mode(self, n: int) -> Mode:
        """Return the mode, for n tokens.

        Raises
        ------
        Problem
            Something that was typed cannot be read, or the two cannot be joined.
        """
        try:
            # Made of checked numbers and of rules that `in_tensors` let through, and nothing else.
            return eval(self.code(n), {"modes": modes, "torch": torch})
        except (TypeError, ValueError) as error:
            raise Problem(str(error)) from None

    def _keep(self) -> None:
        try:
            code, mode = self.code(self.n), self.mode(self.n)
        except Problem:  # it is said already
            return
        name = f"kept {len(self.first.kept) + 1}: {mode}"
        for each in (self.first, self.second):
            each.offer(name, code)

    def _tell(self, _change: Any = None) -> None:
        self.problem = self.first.problem or (JOINS[self.join.value] and self.second.problem)
        joined = bool(JOINS[self.join.value])
        for each in (self.second.mode, self.second.turned, self.second.parameters):
            each.layout.visibility = "visible" if joined else "hidden"
        unused = self.second.parameters
        (unused.remove_class if joined else unused.add_class)("alab-unused")
        self.value = (self.first.value, self.join.value, self.second.value)
