"""Which key each query may attend to: by a rule, or cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets
import torch
import traitlets
from torch import Tensor

from attention_lab.core.masks import causal, everything, mask_from, others, window
from attention_lab.pictures.style import labels
from attention_lab.pictures.tables import matrix_view, side_by_side
from attention_lab.ui.base import Guard, StaticTwin
from attention_lab.ui.fields import STYLE, choice, count_field, fill_grid, row, watch

__all__ = ["MASKS", "OWN_MASK", "MaskEditor"]

OWN_MASK = "your own cells"
MASKS = {
    "every key": everything,
    "causal: no later key": causal,
    "at most 1 position away": window(1),
    "only its own position": window(0),
    "every position but its own": others,
}
MOST_BOXES = 36


class MaskEditor(StaticTwin, ipywidgets.VBox):
    """A mask by a rule, and a box for each cell; in a large mask, a box for one cell at a time.

    Parameters
    ----------
    n_q, n_k : int
        Number of queries and of keys.
    rules : mapping of name to mask_mod
        The list to choose from, see `attention_lab.core.masks`.
    most : int
        The largest number of queries and of keys.

    Attributes
    ----------
    value : tuple of tuples of bool
        Row = query, column = key, True = may attend. Observe it.
    rule : ipywidgets.Dropdown
        The chosen rule; a changed cell turns it to "your own cells".
    """

    value = traitlets.Any(((True,),))

    def __init__(
        self,
        n_q: int,
        n_k: int,
        *,
        rules: Mapping[str, Callable[..., Tensor]] = MASKS,
        most: int = 128,
    ) -> None:
        super().__init__()
        self.rules = dict(rules)
        self._visible = torch.ones(most, most, dtype=torch.bool)  # those out of sight, too
        self.writing = Guard()
        self.rule = choice("mask", [*self.rules, OWN_MASK], width="250px")
        self.boxes: dict[tuple[int, int], ipywidgets.Checkbox] = {}
        self._grid = ipywidgets.GridBox()
        self._grid.add_class("alab-cells")
        self.one_query = count_field("query", 0, most - 1, least=0, width="110px")
        self.one_key = count_field("key", 0, most - 1, least=0, width="100px")
        self.one_box = ipywidgets.Checkbox(
            description="may attend", indent=False, layout={"width": "110px"}
        )
        self._one = row(self.one_query, self.one_key, self.one_box)
        self.cells = ipywidgets.VBox()
        style = ipywidgets.HTML(STYLE, layout={"display": "none"})
        self.children = [style, self.rule, self.cells]
        self._shape = (0, 0)
        self._follow_rule()
        self.resize(n_q, n_k)
        self.rule.observe(lambda _: self._follow_rule(), names="value")
        watch(lambda _: self._show(), self.one_query, self.one_key)
        self.one_box.observe(
            lambda change: self._toggled(self.one_query.value, self.one_key.value, change["new"]),
            names="value",
        )

    @property
    def tensor(self) -> Tensor:
        """The mask as a boolean tensor, shape (n_q, n_k), True = may attend."""
        n_q, n_k = self._shape
        return self._visible[:n_q, :n_k].clone()

    def give_cells(self) -> ipywidgets.Widget:
        """Take the boxes out, for a place of their own."""
        self.children = [child for child in self.children if child is not self.cells]
        return self.cells

    def resize(self, n_q: int, n_k: int) -> None:
        """Change the shape; cells that come into sight are as the rule or the last hand left them.

        Parameters
        ----------
        n_q, n_k : int
        """
        if (n_q, n_k) == self._shape:
            return
        self._shape = n_q, n_k
        self.one_query.max, self.one_key.max = n_q - 1, n_k - 1
        if n_q * n_k <= MOST_BOXES:
            fill_grid(self._grid, labels("q", n_q), labels("k", n_k), self._box, width=30)
        self.cells.children = [self._grid if n_q * n_k <= MOST_BOXES else self._one]
        self._show()

    def _box(self, i: int, j: int) -> ipywidgets.Checkbox:
        if (i, j) not in self.boxes:
            # one layout and one style for all, as in the matrix editor
            first = next(iter(self.boxes.values()), None)
            shared = {"layout": first.layout, "style": first.style} if first else {}
            box = ipywidgets.Checkbox(
                value=True, description=f"query {i} may attend to key {j}", indent=False, **shared
            )
            box.observe(lambda change: self._toggled(i, j, change["new"]), names="value")
            self.boxes[i, j] = box
        return self.boxes[i, j]

    def _follow_rule(self) -> None:
        if self.rule.value == OWN_MASK:
            return
        self._visible = mask_from(self.rules[self.rule.value], *self._visible.shape)
        self._show()

    def _toggled(self, i: int, j: int, visible: bool) -> None:
        if self.writing:
            return
        self._visible = self._visible.clone()  # a rule may have given an expanded tensor
        self._visible[i, j] = visible
        self.rule.value = OWN_MASK
        self._show()

    def _show(self) -> None:
        """Write the cells into the boxes that are in sight, and tell who observes the value."""
        mask = self.tensor.tolist()
        n_q, n_k = self._shape
        with self.writing:
            for (i, j), box in self.boxes.items():
                if i < n_q and j < n_k:
                    box.value = mask[i][j]
            if mask:
                self.one_box.value = mask[self.one_query.value][self.one_key.value]
        self.value = tuple(map(tuple, mask))

    def twin_html(self) -> str:
        n_q, n_k = self._shape
        return side_by_side(
            matrix_view(
                self.tensor.double(),
                caption=f"mask, {self.rule.value}; 1 = may attend",
                rows=labels("q", n_q),
                columns=labels("k", n_k),
            )
        )

    def twin_text(self) -> str:
        n_q, n_k = self._shape
        return f"MaskEditor: {self.rule.value}, {n_q} queries, {n_k} keys"
