"""The pictures of `AttentionExplorer`: the steps, and how each cell was made."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from attention_lab.core.attention import AttentionSteps
from attention_lab.grading.compare import agree
from attention_lab.pictures.formulas import power, sum_of, sum_of_products
from attention_lab.pictures.style import (
    color_range,
    escaped,
    format_number,
    format_weight,
    labels,
    steps_that_differ,
)
from attention_lab.pictures.tables import (
    DENSE,
    MOST_CELLS,
    largest_weights_table,
    matrix_picture,
    matrix_table,
    side_by_side,
)
from attention_lab.ui.keys import on_arrival

__all__ = ["STRIP_CSS", "Reasons", "output_table", "steps_tables"]

FEW = 4  # keys: for more there is no room for a column of sums
MOST_TERMS = 6  # a longer sum is written with an ellipsis
MADE_BY = {
    "scores": "Q Kᵀ",
    "scaled": "scores × scale",
    "masked": "−∞ where hidden",
    "weights": "softmax of each row",
    "output": "weights × V",
}


# What a cell that is pointed at was made of lights up in the other tables and in the fields. A
# script, not CSS: 80 rules with :has() took 6 to 15 ms at each redraw.
LIGHTS = on_arrival("""
const home = this.closest('.alab-arrows');
if (home && !home.dataset.lights) {
  home.dataset.lights = 'on';
  let lit = [];
  const find = (selector) => [...home.querySelectorAll(selector)];
  const sources = (at) => {
    const kind = at.closest('table').classList, i = at.parentNode.sectionRowIndex;
    const j = at.cellIndex - 1;  /* the head of a row is its first cell */
    const row = (table) => find(`table.${table} tbody tr:nth-child(${i + 1}) td:not(.alab-sum)`);
    const fields = (name, axis, k) => find(`.in-${name}.${axis}${k} input`);
    if (kind.contains('of-scores')) return [...fields('Q', 'r', i), ...fields('K', 'r', j)];
    if (kind.contains('of-weights')) return row('into-softmax');
    if (kind.contains('of-output')) return [...row('of-weights'), ...fields('V', 'c', j)];
    return [];
  };
  const light = (event) => {
    lit.forEach((each) => each.classList.remove('alab-lit'));
    const leaves = event.type === 'mouseout' || event.type === 'focusout';
    const at = leaves ? null : event.target.closest('td[tabindex]');
    lit = at ? sources(at) : [];
    lit.forEach((each) => each.classList.add('alab-lit'));
  };
  for (const each of ['mouseout', 'focusout', 'mouseover', 'focusin'])
    home.addEventListener(each, light);
}
""")

# For the page of an explorer, once. The output stands last, behind V, though it comes with the
# other steps: one message is quicker than two.
STRIP_CSS = (
    """<style>
.alab-strip{align-items:flex-start;gap:2px 5px!important}
.alab-strip,.alab-strip>*{overflow:visible!important}
.alab-strip>.widget-html,.alab-strip>.widget-html>*,.alab-strip .alab{display:contents}
.alab-strip .alab>div{margin:0!important;contain:layout style}
.alab-strip .alab>div:is(:hover,:focus-within){z-index:20}
.alab-strip .alab-stale .alab{opacity:1}
.alab-strip .alab-stale .alab>div{opacity:.45}
.alab-strip .alab-sign{font-size:17px;padding-top:26px}
.alab-strip .alab table{font-size:12px;border-spacing:1px}
.alab-strip .alab table :is(td,th){padding:1px 2px;border-width:1px}
.alab-strip .alab-cells{row-gap:0}
.alab-strip .alab-cells .widget-text,.alab-strip .alab-cells .widget-text input{height:25px}
.alab-strip .alab~.alab>div{order:1}
.alab-strip .alab-lit{box-shadow:inset 0 0 0 2px #d55e00}
</style>"""
    + LIGHTS
)


class Reasons:
    """How each number was made, as HTML with superscripts: e¹² / (e⁸ + e¹⁰ + e¹²) = 0.867.

    Parameters
    ----------
    query, key, value : Tensor, shapes (n_q, d_k), (n_k, d_k), (n_k, d_v)
    steps : AttentionSteps
        What `attention` makes of these inputs.
    shown : AttentionSteps, optional
        What is shown, if a function of the learner's made it; it may lack steps.
    name : str
        What that function is called.
    """

    def __init__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        steps: AttentionSteps,
        shown: AttentionSteps | None = None,
        name: str = "",
    ) -> None:
        # lists: looking a number up in a tensor takes a hundred times longer
        self.query, self.key, self.columns = query.tolist(), key.tolist(), value.T.tolist()
        self.steps = {step: matrix.tolist() for step, matrix in steps._asdict().items()}
        self.name, self.different = name, {}
        for step, own in (shown or steps)._asdict().items():
            reference = getattr(steps, step)
            if own is not None and own is not reference and own.shape == reference.shape:
                self.different[step] = own.tolist(), agree(own, reference).tolist()

    def of(self, step: str) -> Callable[[int, int], str]:
        """Return the function that explains the cell (i, j) of a step."""
        explain = getattr(self, f"_{step}")
        write = format_weight if step == "weights" else format_number
        numbers, (own, agrees) = self.steps[step], self.different.get(step, (None, None))

        def why(i: int, j: int) -> str:
            said = f"{explain(i, j)} = {write(numbers[i][j])}"
            if own and not agrees[i][j]:
                said += f"; {escaped(self.name)} has {write(own[i][j])}"
            return said

        return why

    def _scores(self, i: int, j: int) -> str:
        return f"q{i} · k{j} = {sum_of_products(self.query[i], self.key[j], most=MOST_TERMS)}"

    def _scaled(self, i: int, j: int) -> str:
        score, scaled = self.steps["scores"][i][j], self.steps["scaled"][i][j]
        factor = format_number(scaled / score) if score else "scale"
        return f"score × scale = {format_number(score)} × {factor}"

    def _masked(self, i: int, j: int) -> str:
        if self.steps["masked"][i][j] == -math.inf:
            return f"query {i} may not attend to key {j}: masked"
        return f"query {i} may attend to key {j}: the score stays"

    def _weights(self, i: int, j: int) -> str:
        row = self.steps["masked"][i]
        seen = [entry for entry in row if entry != -math.inf]
        if not seen:
            return f"every key of query {i} is hidden: weight"
        powers = sum_of([power(entry) for entry in seen], MOST_TERMS)
        return f"{power(row[j])} / ({powers})"

    def _output(self, i: int, j: int) -> str:
        weights, column = self.steps["weights"][i], self.columns[j]
        return sum_of_products(weights, column, first=format_weight, most=MOST_TERMS)


def steps_tables(
    steps: AttentionSteps, *, reasons: Reasons | None = None, formulas: bool = True, query: int = 0
) -> str:
    """Draw scores, scaled, masked and weights next to each other.

    A step that changes nothing is left out, and the others share one colour scale. With more than
    8 queries or keys the scores are pictures (a thousand cells take Chromium longer than all the
    rest of a redraw). With more than 16 the weights are one, too, and a table shows the largest of
    one query.

    Parameters
    ----------
    steps : AttentionSteps
        Of one head: (n_q, n_k) and (n_q, d_v). A step that is None is left out.
    reasons : Reasons, optional
        Says of each cell how it was made; for tables of up to 8 rows and columns.
    formulas : bool
        Say under each name how `attention` makes this step; not for the steps of a function
        that may do something else.
    query : int
        Whose largest weights are listed.

    Returns
    -------
    str
        HTML.
    """
    shown = steps_that_differ(steps)
    shown.pop("output", None)
    scores = [step for name, step in shown.items() if name != "weights"]
    _, largest = color_range(*scores)
    parts = []
    for place, (name, step) in enumerate(shown.items()):
        options = {
            "caption": name,
            "formula": MADE_BY[name] if formulas else "",
            "weights": name == "weights",
        }
        if max(step.shape) > (MOST_CELLS if name == "weights" else DENSE):
            outlined = query if max(step.shape) > MOST_CELLS else None
            parts.append(matrix_picture(step, row=outlined, **options))
            continue
        is_last = place + 2 == len(shown) and name != "weights"
        parts.append(
            matrix_table(
                step,
                rows=labels("q", step.shape[0]),
                columns=labels("k", step.shape[1]),
                row_sums=name == "weights" and step.shape[1] <= FEW,
                largest=None if name == "weights" else largest,
                hidden=_hidden(steps) if name == "weights" else None,
                part=f"of-{name} into-softmax" if is_last else f"of-{name}",
                why=reasons.of(name) if reasons and max(step.shape) <= DENSE else None,
                **options,
            )
        )
    if steps.weights is not None and max(steps.weights.shape) > MOST_CELLS:
        parts.append(largest_weights_table(steps.weights[query], query=query))
    return side_by_side(*parts)


def _hidden(steps: AttentionSteps) -> Tensor | None:
    return None if steps.masked is None else steps.masked == -math.inf


def output_table(
    output: Tensor, *, reasons: Reasons | None = None, formulas: bool = True, query: int = 0
) -> str:
    """Draw the output, (n_q, d_v); the options are those of `steps_tables`."""
    options = {"caption": "output", "formula": MADE_BY["output"] if formulas else ""}
    if max(output.shape) > MOST_CELLS:
        return side_by_side(matrix_picture(output, row=query, **options))
    return side_by_side(
        matrix_table(
            output,
            rows=labels("q", output.shape[0]),
            columns=labels("d", output.shape[1]),
            part="of-output",
            why=reasons.of("output") if reasons and max(output.shape) <= DENSE else None,
            **options,
        )
    )
