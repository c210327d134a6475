"""A bar that shows how far a training is."""

from __future__ import annotations

import ipywidgets

from attention_lab.pictures.style import format_number
from attention_lab.ui.base import StaticTwin

__all__ = ["TrainingBar"]

EVERY = 10  # steps from one move to the next: each is a message to the browser


class TrainingBar(StaticTwin, ipywidgets.HBox):
    """Show a training's steps and its loss: give it to `train` as ``watch``.

    Parameters
    ----------
    steps : int
        Of one training. It can be used for several, one after the other.

    Attributes
    ----------
    name : str
        What is trained now; set it before each training.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps, self.name = steps, ""
        self.bar = ipywidgets.IntProgress(
            min=0, max=steps, layout={"width": "300px", "flex": "none"}
        )
        self.label = ipywidgets.HTML()
        # a long name moves nothing: what does not fit on the line is cut
        self.layout.height, self.label.layout.overflow = "32px", "hidden"
        self.reset()
        self.children = [self.bar, self.label]

    def reset(self) -> None:
        """Go back to the start, for another training."""
        self.bar.value, self.label.value = 0, f"{self.steps} steps"

    def __call__(self, step: int, loss: float) -> None:
        if step % EVERY == 0 or step in (1, self.steps):
            self.bar.value = step
            name = f"{self.name}: " if self.name else ""
            self.label.value = f"{name}step {step} of {self.steps}, loss {format_number(loss)}"

    def twin_html(self) -> str:
        return f"<div>{self.label.value}</div>"

    def twin_text(self) -> str:
        return f"TrainingBar: {self.label.value}"
