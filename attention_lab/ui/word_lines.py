"""Words joined by lines, as a display of its own."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
from torch import Tensor

from attention_lab.pictures.flow import FLOW_CSS, arcs, described, flow
from attention_lab.ui.base import StaticTwin

__all__ = ["WordLines"]


class WordLines(StaticTwin, ipywidgets.VBox):
    """Show weights as lines between words; over a word its own lines stay, with their numbers.

    Parameters
    ----------
    weights : Tensor, shape (n_q, n_k)
        From 0 to 1.
    above : sequence of str
        The keys.
    below : sequence of str, optional
        The queries. Without them ``above`` is one sentence whose words attend to each other, and
        the lines are arcs.

    Raises
    ------
    ValueError
        The words are too many, or not as many as the weights say.
    """

    sheets = FLOW_CSS

    def __init__(
        self, weights: Tensor, above: Sequence[str], below: Sequence[str] | None = None
    ) -> None:
        super().__init__()
        self.weights, self.above = weights, list(above)
        self.below = list(above if below is None else below)
        self.is_one_sentence = below is None
        self.picture = ipywidgets.HTML(self._drawn(live=True))
        self.children = [self.picture]

    def _drawn(self, *, live: bool) -> str:
        if self.is_one_sentence:
            return arcs(self.weights, self.above, live=live)
        return flow(self.weights, self.above, self.below, live=live)

    def twin_html(self) -> str:
        return self._drawn(live=False)

    def twin_text(self) -> str:
        return f"WordLines: {described(self.weights, self.above, self.below)}"
