"""Run a draft of multi-head attention line by line, with or without each repair.

Nothing moves but what is written: each line of the code has its row from the start, the columns
have fixed widths, and PyTorch's messages wrap inside the status, whose height is fixed.
"""

from __future__ import annotations

import torch

from attention_lab.labs.transformer_code.draft import (
    INPUTS,
    PROPERTIES,
    REPAIRS,
    Draft,
    Line,
    Sizes,
    make_input,
)
from attention_lab.models.training import seeded
from attention_lab.pictures.tables import list_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import box, choice, count_field, row, watch

__all__ = ["ShapeExplorer"]

# name: sizes
PRESETS = {
    "the article's": Sizes(3, 3, 2, 5, 10, 10),
    "as many tokens as heads": Sizes(1, 2, 2, 5, 10, 10),
    "n = n_heads = d_k": Sizes(2, 5, 5, 5, 2, 10),
    "n = n_heads = d_k, large d_v": Sizes(2, 5, 5, 5, 10, 10),
    "n = n_heads = d_k, odd d_v": Sizes(2, 5, 5, 5, 3, 10),
    "small d_v": Sizes(4, 4, 2, 5, 2, 8),
    "usual: d_k = d_v = d_model / n_heads": Sizes(2, 6, 4, 4, 4, 16),
}
OWN = "my own"
MOST = 16

# A row for each line of the repaired code. With these words the line begins, also in the draft.
ROWS = (
    "query = to_query", "query = query.view", "key = ", "value = ", "scores = query", "scores = sc",
    "weights = ", "output = weights", "output = output.transpose", "output = to_output",
)  # fmt: skip
LAST = len(ROWS) - 1

STATUS_HEIGHT = "64px"  # three lines: the longest message of PyTorch, and what is said of it


def _columns(name: str, *widths: int) -> str:
    """Return the style of a table whose columns have these widths, in px, whatever is in them."""
    gaps = 2 * (len(widths) + 1)
    return f".alab .{name} table{{width:{sum(widths) + gaps}px}}" + "".join(
        f".{name} thead tr>:nth-child({k}){{width:{width}px}}" for k, width in enumerate(widths, 1)
    )


STYLE = f"""<style>
.alab .alab-still table{{table-layout:fixed}}
.alab .alab-still table th,.alab .alab-still table td,.alab .alab-still table td.alab-text{{
height:20px;padding:0 4px;border-width:1px;box-sizing:border-box;
white-space:nowrap;overflow:hidden;text-overflow:ellipsis;max-width:none;min-width:0}}
.alab .alab-still table td.alab-text code{{font-size:10.5px;white-space:pre}}
{_columns("alab-lines", 26, 38, 478, 106, 218)}
{_columns("alab-holds", 26, 300, 120)}
</style>"""


class ShapeExplorer(LiveView):
    """Choose sizes and repairs; see each line's shape, the line that fails, and what holds.

    Parameters
    ----------
    preset : str
        A name in `PRESETS`.
    given : str
        What goes in, one of `attention_lab.labs.transformer_code.draft.INPUTS`.
    repairs : sequence of str
        Names in `attention_lab.labs.transformer_code.draft.REPAIRS`.
    """

    def __init__(
        self, preset: str = "the article's", *, given: str = INPUTS[0], repairs: tuple = ()
    ) -> None:
        super().__init__()
        self.preset = choice("sizes", [*PRESETS, OWN], value=preset, width="350px")
        self.given = choice("input", INPUTS, value=given, width="280px")
        names = ("B", "n", "n_heads", "d_k", "d_v", "d_model")
        self.sizes = [
            count_field(name, size, MOST, width="100px" if len(name) < 4 else "140px")
            for name, size in zip(names, PRESETS[preset], strict=True)
        ]
        self.repairs = {name: box(text, name in repairs) for name, text in REPAIRS.items()}
        self.decoder = box("then the decoder", False)
        # a text of one line or of three moves nothing below it
        self.status.layout.height, self.status.layout.overflow = STATUS_HEIGHT, "auto"
        self.children = [
            row(self.preset, self.given),
            row(*self.sizes),
            row(*self.repairs.values(), self.decoder),
            self.status,
            self.picture,
        ]
        self.redraw()
        self.preset.observe(self._take_preset, names="value")
        watch(self._own_sizes, *self.sizes)
        watch(self.redraw, self.given, *self.repairs.values(), self.decoder)

    def _take_preset(self, change) -> None:
        if change["new"] == OWN:
            return
        with self.one_redraw():
            for field, size in zip(self.sizes, PRESETS[change["new"]], strict=True):
                field.value = size

    def _own_sizes(self, _change) -> None:
        if not self.holding and self.preset.value != OWN:
            self.preset.value = OWN
        self.redraw()

    def draw(self) -> tuple[str, str]:
        sizes = Sizes(*(field.value for field in self.sizes))
        repairs = {name for name, box in self.repairs.items() if box.value}
        with seeded(0):
            encoder, decoder = Draft(sizes, repairs), Draft(sizes, repairs)
        x = make_input(self.given.value, sizes)
        with torch.no_grad():
            lines, output = encoder.trace(x)
            first, which = _lines_table("the block, as encoder", x, lines), "encoder"
            second = ""
            if self.decoder.value:
                caption = "the block again, as decoder: memory is the encoder's output"
                if output is not None:
                    lines, output = decoder.trace(x, output)
                    which = "decoder"
                    second = _lines_table(caption, x, lines)
                else:  # it keeps its place
                    second = _lines_table(caption, x, decoder.lines())
            properties = self._properties(encoder, sizes)
        parts = [first, _properties_table(properties), *([second] if second else [])]
        summary = self._summary(which, lines, output, properties)
        return STYLE + side_by_side(*parts), summary

    @staticmethod
    def _properties(draft: Draft, sizes: Sizes) -> dict[str, bool | None]:
        """Whether each property holds; None where the draft does not run."""
        x, found = make_input(INPUTS[2], sizes), {}
        for name, holds in PROPERTIES.items():
            try:
                found[name] = holds(draft, x)
            except RuntimeError:
                found[name] = None
        return found

    def _summary(self, which: str, lines: list[Line], output, properties) -> str:
        for line in lines:
            if line.error:
                return (
                    f"The {which} fails in line {_row_of(line) + 1}. PyTorch says: {line.error}"
                    f"{self._on_vectors(properties)}"
                )
        held, n = sum(map(bool, properties.values())), self.sizes[1].value
        right_shapes = all(line.shape == line.wanted for line in lines)
        if held == len(properties) and right_shapes and all(b.value for b in self.repairs.values()):
            return f"Right: it runs, and all {held} properties hold."
        if held == len(properties) and right_shapes:
            return (
                f"All {held} properties hold with these sizes, and not with others: take more "
                "tokens, heads and features."
            )
        said = "It runs without an error, and is wrong: "
        if output.shape[1] != n:
            said += f"{n} tokens went in, {output.shape[1]} came out; "
        return f"{said}{held} of {len(properties)} properties hold."

    def _on_vectors(self, properties: dict[str, bool | None]) -> str:
        """Say that the properties were tried on another input than the one that failed."""
        if self.given.value == INPUTS[2] or None in properties.values():
            return ""
        return (
            f" With {INPUTS[2]} it runs: the {len(properties)} properties below are tried on those."
        )

    def twin_text(self) -> str:
        return f"ShapeExplorer, {self.preset.value}: {self.note}"


def _said(holds: bool | None) -> str:
    return {True: "holds", False: "does not hold", None: "cannot be tried"}[holds]


def _row_of(line: Line) -> int:
    """Return the row in which a line of code stands, whatever is repaired."""
    return next(k for k, begins in enumerate(ROWS) if line.code.startswith(begins))


def _lines_table(caption: str, x: torch.Tensor, lines: list[Line]) -> str:
    rows = [("good", ("", "`x`", "", str(tuple(x.shape))))]
    rows += [("open", (str(k), "(no line)", "", "")) for k in range(1, len(ROWS) + 1)]
    for line in lines:
        number = _row_of(line) + 1
        mark, came = "good", str(line.shape)
        if line.error:
            mark, came = "bad", "fails: see above"
        elif line.shape is None:
            mark, came = "open", "not reached"
        elif line.shape != line.wanted:
            mark, came = "bad", f"{line.shape}; right is {line.wanted}"
        rows[number] = (mark, (str(number), f"`{line.code}`", line.axes, came))
    if _row_of(lines[-1]) < LAST:  # without W_O, what comes out is what the line before it gave
        mark, (_, _, axes, came) = rows[LAST]
        if lines[-1].error:
            mark, came = "open", "not reached"
        rows[LAST + 1] = (mark, (str(LAST + 1), "`output`", axes, came))
    heads = ("line", "code", "axes", "shape of the result")
    return _still("alab-lines", list_table(rows, caption=caption, heads=heads))


def _properties_table(properties: dict[str, bool | None]) -> str:
    rows = [
        ({True: "good", False: "bad", None: "open"}[holds], (name, _said(holds)))
        for name, holds in properties.items()
    ]
    heads = ("property (tried on vectors)", "")
    caption = "what is true of every right block"
    return _still("alab-holds", list_table(rows, caption=caption, heads=heads))


def _still(name: str, table: str) -> str:
    return f'<div class="alab-still {name}">{table}</div>'
