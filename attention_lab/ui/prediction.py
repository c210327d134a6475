"""A question before its answer, to be answered by a click or by a number."""

from __future__ import annotations

import re

import ipywidgets

from attention_lab.grading.feedback import Problem
from attention_lab.grading.predict import Choices, Number, Reply
from attention_lab.grading.progress import note_guess
from attention_lab.pictures.style import MARKS, escaped
from attention_lab.ui.base import StaticTwin
from attention_lab.ui.fields import text_field
from attention_lab.ui.parsing import parse_number

__all__ = ["PredictionCard"]

# All replies lie in one cell of a grid, and the one that was asked for is seen: the place is as
# high as the longest from the start, so that a click moves nothing.
STYLE = """<style>
.alab-predict{border-left:4px solid #5b6b7b;padding:2px 0 2px 12px}
.alab-predict .alab-question{line-height:1.5;white-space:normal}
.alab-predict .jupyter-button{width:auto!important;max-width:46em;height:auto!important;
min-height:28px;margin:2px 0!important;padding:4px 10px!important;white-space:normal!important;
text-align:left!important;line-height:1.4!important;border:1px solid #767676}
.alab-predict .alab-guessed{outline:2px solid #d55e00;font-weight:600}
.alab-replies{display:grid;max-width:50em;line-height:1.5}
.alab-replies>div{grid-area:1/1;visibility:hidden}
.alab-replies>div.alab-said{visibility:visible}
</style>"""

BOX = "border-left:4px solid {0};padding:2px 0 2px 12px;line-height:1.5"


def _written(text: str) -> str:
    """Return plain text as HTML, with code where backticks stand."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped(text))


def _reply_box(reply: Reply | Problem, *, said: bool = False) -> str:
    is_right = isinstance(reply, Reply) and reply.is_right
    kind = ' role="status" class="alab-said alab-slab"' if said else ' class="alab-slab"'
    _, background, ink, edge = MARKS["good" if is_right else "bad"]
    return (
        f'<div{kind} style="background:{background};color:{ink};border-left:4px solid {edge};'
        f'padding:4px 8px">{_written(str(reply))}</div>'
    )


class PredictionCard(StaticTwin, ipywidgets.VBox):
    """Ask a question, and answer the guess at once.

    Without a kernel each choice unfolds its own reply; the reply to a number is folded.

    Parameters
    ----------
    asked : Choices or Number
    name : str
        Under which the first guess is kept; an empty one keeps none.

    Attributes
    ----------
    guess : str or float or None
        What was answered last.
    buttons : list of ipywidgets.Button
        One for each choice.
    number : ipywidgets.Text
        Where a number is typed.
    """

    def __init__(self, asked: Choices | Number, name: str = "") -> None:
        super().__init__()
        self.asked, self.name = asked, name
        self.guess: str | float | None = None
        self.replies = ipywidgets.HTML()
        self.buttons: list[ipywidgets.Button] = []
        if isinstance(asked, Choices):
            self.buttons = [ipywidgets.Button(description=text) for text in asked.choices]
            for button in self.buttons:
                button.on_click(lambda pressed: self._answer(pressed.description))
            inputs: list[ipywidgets.Widget] = self.buttons
        else:
            self.number = text_field("your guess", width="220px")
            self.number.observe(lambda change: self._typed(change["new"]), names="value")
            inputs = [self.number]
        self._show()
        style = ipywidgets.HTML(STYLE, layout={"display": "none"})
        question = ipywidgets.HTML(f'<div class="alab-question">{self._head()}</div>')
        self.add_class("alab-predict")
        self.children = [style, question, *inputs, self.replies]

    def _head(self) -> str:
        return f"<b>Predict.</b> {_written(self.asked.question)}"

    def _typed(self, text: str) -> None:
        if not text.strip():
            return
        try:
            self._answer(parse_number(text))
        except Problem as problem:
            self._show(problem)

    def _answer(self, guess: str | float) -> None:
        self.guess = guess
        for button in self.buttons:
            mark = button.add_class if button.description == guess else button.remove_class
            mark("alab-guessed")
        reply = self.asked.reply(guess)
        self._show(reply)
        if self.name:
            note_guess(self.name, reply.is_right)

    def _show(self, said: Reply | Problem | None = None) -> None:
        """Show one reply; the others keep its place as high as the longest."""
        lines = [_reply_box(reply) for reply in self.asked.replies if reply != said]
        if said is not None:
            lines.append(_reply_box(said, said=True))
        self.replies.value = f'<div class="alab-replies">{"".join(lines)}</div>'

    def twin_html(self) -> str:
        if isinstance(self.asked, Choices):
            folded = [
                f"<details><summary>{escaped(choice)}</summary>{_reply_box(reply)}</details>"
                for choice, reply in zip(self.asked.choices, self.asked.replies, strict=True)
            ]
        else:
            right = f"{self.asked.right:g}. {self.asked.because}"
            folded = [f"<details><summary>The answer</summary>{_written(right)}</details>"]
        return f'<div style="{BOX.format("#5b6b7b")}">{self._head()}{"".join(folded)}</div>'

    def twin_text(self) -> str:
        said = f"Predict: {self.asked.question}"
        if isinstance(self.asked, Choices):
            said += f" ({' / '.join(self.asked.choices)})"
        return said
