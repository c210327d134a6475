"""Dial a number, hear it, and see where a listener looked for each digit that it writes."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import ipywidgets
import traitlets

from attention_lab.grading.feedback import Problem
from attention_lab.labs.speech.listener import Listener, window_after
from attention_lab.labs.speech.pictures import FRAME_MS, Alignment, alignment_picture
from attention_lab.labs.speech.runs import kept_listener
from attention_lab.labs.speech.tones import DIGITS, RATE, dial, wav_bytes
from attention_lab.labs.speech.training import TONE_BANDS, heard_call
from attention_lab.pictures.tables import (
    cell,
    head,
    row_head,
    side_by_side,
    table,
    title,
    weight_cell,
)
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import Knob, choice, count_field, player, row, text_field, watch

__all__ = ["DialExplorer"]

MILLISECONDS = 700  # from one written digit to the next, while it plays
MOST_DIGITS = 12
SLOWEST, FASTEST = 0.6, 1.6
LOUDEST = 2.0
WINDOWS = {
    "all frames": None,
    "1 to 6 after the last look": (1, 6),
    "1 to 9 after the last look": (1, 9),
}
KEYS = {"location": "where it looked", "count": "what it has heard"}


class _Heard(NamedTuple):
    """A sound as it is played, and what was written of it."""

    wav: bytes
    seconds: float
    drawn: Alignment
    axis: int  # milliseconds
    said: str


class DialExplorer(LiveView):
    """Dial a number: its sound to hear, its bands, the weights of each digit, and the answer.

    Parameters
    ----------
    number : str
        What to start with: at most 12 digits.
    models : mapping of str to Listener, optional
        Listeners of tones to choose from; the kept ones with the keys "location" and "count" if
        not given.
    """

    def __init__(
        self, number: str = "271905", *, models: Mapping[str, Listener] | None = None
    ) -> None:
        super().__init__()
        if models is None:
            models = {f"{kind}: {KEYS[kind]}": kept_listener("tones", kind) for kind in KEYS}
        self.models = dict(models)
        self.number = text_field("number", number, width="190px")
        self.kind = choice("keys", list(self.models), width="270px")
        self.window = choice("may see", list(WINDOWS), width="260px")
        self.noise = Knob("noise", 0.5, low=0.0, high=LOUDEST)
        self.speed = Knob("speed", 1.0, low=SLOWEST, high=FASTEST)
        self.shown = count_field("steps shown", 0, 0, least=0, width="160px")
        self.play = player(0, MILLISECONDS)
        traitlets.link((self.play, "value"), (self.shown, "value"))
        self.sound = ipywidgets.HTML()
        self.picture.layout.width = "100%"
        self.speak_for(self.noise, self.speed)
        self.children = [
            row(self.number, self.kind, self.window),
            row(self.noise, self.speed, self.play, self.shown),
            self.sound,
            self.status,
            self.picture,
        ]
        self.heard: _Heard | None = None
        self._listen()
        watch(self._listen, self.number, self.kind, self.window, self.noise, self.speed)
        watch(self.redraw, self.shown)

    def _listen(self, _change: Any = None) -> None:
        """Dial and write again, and show all digits; what cannot be dialled leaves all as it is."""
        with self.one_redraw():
            self.heard = None
            try:
                heard = self._write()
            except Exception:  # redraw says what it is
                return
            self.heard = heard
            self.sound.value = _audio(heard)
            self.play.max = self.shown.max = max(len(heard.drawn.weights), 1)
            self.shown.value = self.shown.max

    def draw(self) -> tuple[str, str]:
        heard = self.heard or self._write()
        shown, rows = self.shown.value, heard.drawn.rows
        said = heard.said
        if shown < len(rows):
            said = f"{shown} of {len(rows)} steps."
            if shown:
                weights = heard.drawn.weights[shown - 1]
                at = weights.argmax().item() * heard.drawn.stride * FRAME_MS
                said += f" For “{rows[shown - 1]}” it looks most at {at} ms ({weights.max():.3f})."
        picture = alignment_picture(
            heard.drawn, shown=shown, milliseconds=heard.axis, rows=MOST_DIGITS + 1
        )
        return picture, said

    def _write(self) -> _Heard:
        number = _digits_of(self.number.value)
        model = self.models[self.kind.value]
        call = dial(number, speed=self.speed.value, seed=len(number))
        slow = dial(number, speed=SLOWEST, seed=len(number))
        noise = self.noise.value
        samples, batch = heard_call(call, noise)
        window = WINDOWS[self.window.value]
        written = model.write(
            batch.features, batch.lengths, most=MOST_DIGITS,
            window=None if window is None else window_after(*window),
        )  # fmt: skip
        drawn = Alignment(
            batch.features[0], TONE_BANDS, number, batch.spans[0], written.digits[0],
            written.weights[0], model.stride,
        )  # fmt: skip
        # the axis is that of the slowest speed, so that it stands still while the knob moves
        axis = 500 * math.ceil(len(slow.samples) / RATE * 2)
        return _Heard(wav_bytes(samples), len(samples) / RATE, drawn, axis, _answer(drawn, number))

    def twin_html(self) -> str:
        # with the numbers as a table: not every reader shows the picture
        rows = _looks(self.heard.drawn) if self.heard else ""
        return f"{self.status.value}{self.picture.value}{rows}"

    def twin_text(self) -> str:
        return f"DialExplorer, {self.kind.value}: {self.number.value}. {self.note}"


def _digits_of(text: str) -> str:
    """Return what was typed without its spaces and hyphens."""
    number = "".join(text.split()).replace("-", "")
    wrong = sorted(set(number) - set(DIGITS), key=number.index)
    if wrong:
        named = ", ".join(f"“{each}”" for each in wrong)
        raise Problem(f"a number has digits from 0 to 9 only, and this one has {named}")
    if not number:
        raise Problem("write a number of at least one digit")
    if len(number) > MOST_DIGITS:
        raise Problem(f"write at most {MOST_DIGITS} digits, not {len(number)}")
    return number


def _answer(drawn: Alignment, number: str) -> str:
    said = f"The model writes: {drawn.written or '(nothing)'}."
    if drawn.written == number:
        said += " Right."
    else:
        said += f" Dialled was: {number}."
    looks = drawn.weights[: min(len(drawn.written), len(number))].argmax(1) * drawn.stride
    spans = drawn.spans[: len(looks)]
    inside = int(((looks >= spans[:, 0]) & (looks < spans[:, 1])).sum())
    return f"{said} {inside} of {len(looks)} digits have their largest weight inside their tone."


def _looks(drawn: Alignment) -> str:
    """Return a table: where each digit was looked for, and where it lies."""
    lines = []
    for i, (name, weights) in enumerate(zip(drawn.rows, drawn.weights, strict=False)):
        at = weights.argmax().item() * drawn.stride * FRAME_MS
        lies = ""
        if i < len(drawn.number):
            start, end = (drawn.spans[i] * FRAME_MS).round().int().tolist()
            lies = f"{drawn.number[i]}: {start} to {end}"
        lines.append([row_head(name), cell(str(at)), weight_cell(weights.max().item()), cell(lies)])
    heads = [head("written"), head("looks at (ms)"), head("weight there"), head("dialled (ms)")]
    return side_by_side(table(title("largest weights"), heads, lines))


def _audio(heard: _Heard) -> str:
    data = base64.b64encode(heard.wav).decode()
    many = f"{len(heard.drawn.number)} tones" if len(heard.drawn.number) > 1 else "one tone"
    return (
        '<div style="display:flex;align-items:center;gap:12px">'
        '<audio controls style="height:34px" aria-label="the dialled number" '
        f'src="data:audio/wav;base64,{data}"></audio>'
        f"<span>{many}, {heard.seconds:.1f} seconds</span></div>"
    )
