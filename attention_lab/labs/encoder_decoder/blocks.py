"""Take parts out of a Transformer, and see what its training was like without them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import ipywidgets

from attention_lab.labs.encoder_decoder.ablation import (
    EVERY,
    PARTS,
    STEPS,
    TASKS,
    Run,
    committed,
    key_of,
    train_without,
)
from attention_lab.labs.encoder_decoder.pictures import block_diagram, curves
from attention_lab.pictures.style import format_number, format_weight
from attention_lab.pictures.tables import side_by_side
from attention_lab.ui.base import LiveView, message
from attention_lab.ui.fields import box, choice, row, watch
from attention_lab.ui.training_bar import TrainingBar

__all__ = ["BlockExplorer"]

AT = (1, *range(EVERY, STEPS + 1, EVERY))  # the steps of which a loss is kept
HIGHEST_LOSS = 3.0  # a model that knows nothing has ln 13 = 2.56


class BlockExplorer(LiveView):
    """Switch parts off; see the kept training without them, and train again.

    Parameters
    ----------
    without : collection of str
        Names in `attention_lab.labs.encoder_decoder.ablation.PARTS`.
    task : str
        "reverse" or "sort".

    Raises
    ------
    ValueError
        There is no such part, or no such task.
    """

    def __init__(self, without: Collection[str] = (), task: str = "reverse") -> None:
        super().__init__()
        key_of(without, task)  # says what is wrong with them
        self.task = choice("task", TASKS, value=task, width="160px")
        self.parts = {name: box(text, name not in without) for name, text in PARTS.items()}
        self.again = ipywidgets.Button(
            description="Train again", tooltip="Train this model here, from another start"
        )
        self.bar = TrainingBar(STEPS)
        self._own: dict[str, tuple[int, Run]] = {}  # by key: the start, and what came of it
        self.children = [
            row(self.task, *self.parts.values()),
            row(self.again, self.bar),
            self.status,
            self.picture,
        ]
        self.redraw()
        watch(self._switched, self.task, *self.parts.values())
        self.again.on_click(self._train)

    @property
    def without(self) -> tuple[str, ...]:
        """The parts that are off."""
        return tuple(name for name, each in self.parts.items() if not each.value)

    def _switched(self, change: Any = None) -> None:
        self.bar.reset()
        self.redraw(change)

    def _train(self, _button: Any) -> None:
        key = key_of(self.without, self.task.value)
        start = self._own[key][0] + 1 if key in self._own else 1  # the kept runs have start 0
        self.again.disabled = True
        try:
            run = train_without(self.without, self.task.value, seed=start, watch=self.bar)
        except Exception as error:  # the picture and the earlier training stay
            self.status.value = message(str(error), problem=True)
        else:
            self._own[key] = (start, run)
            self.redraw()
        finally:
            self.again.disabled = False

    def draw(self) -> tuple[str, str]:
        task, key = self.task.value, key_of(self.without, self.task.value)
        runs = {"all parts": committed()[key_of((), task)]}
        model = "all parts"
        if self.without:
            model = "without " + ", ".join(PARTS[part] for part in self.without)
            runs["without"] = committed()[key]
        if key in self._own:
            start, runs["trained here"] = self._own[key]
            model += f", trained here from start {start}"
        shown = list(runs.values())[-1]
        said = (
            f"{task}, {model}. Exact match (all eight digits right): "
            f"{format_weight(shown.exact_match)}; accuracy (single digits, when the right ones "
            f"before them are read): {format_weight(shown.accuracy)}; last loss "
            f"{format_number(shown.losses[-1])}. Spread of the tokens after the encoder: "
            f"{format_number(shown.spread[-1])}"
        )
        if len(runs) > 1:
            said += f" (all parts: {format_number(runs['all parts'].spread[-1])})"
        said += "."
        losses = {name: (AT, run.losses) for name, run in runs.items()}
        spreads = {name: (range(len(run.spread)), run.spread) for name, run in runs.items()}
        pictures = side_by_side(
            block_diagram(self.without),
            curves(losses, caption="loss", x_axis="step", highest=HIGHEST_LOSS),
            curves(spreads, caption="spread of the tokens", x_axis="encoder layer", highest=1.0),
        )
        return pictures, said

    def twin_text(self) -> str:
        return f"BlockExplorer. {self.note}"
