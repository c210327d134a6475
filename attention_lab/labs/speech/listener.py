"""A model that hears a sound and writes digits, with several ways to find its place in the sound.

Frame by frame a sound becomes local *values*: none of them knows what was heard before. What
differs is how the decoder finds the frames of the next digit (`KINDS`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.core.mode import Mode

__all__ = ["END", "KINDS", "START", "Listener", "Memory", "State", "Written", "window_after"]

END, START = 10, 11  # after the ten digits
KINDS = {
    "count": "keys from a GRU over the frames, query from a GRU over the digits written",
    "location": "keys that are local, plus where the weights lay at the step before",
    "state": "as location, and the decoder has a recurrent state",
    "content": "as location, without where the weights lay",
    "uniform": "the same weight for each frame",
    "last": "no weights: the last state of a GRU over the frames",
}
KERNEL = 31  # frames of the weights before that the location features see
# about as many parameters for each kind: 17 000 to 18 000 on tones
WIDTHS = {"count": 32, "location": 40, "state": 32, "content": 41, "uniform": 46, "last": 32}
Window = Callable[[Tensor], Mode]


class Memory(NamedTuple):
    """What is kept of a sound.

    Attributes
    ----------
    values : Tensor, shape (batch, n_k, width)
    keys : Tensor, shape (batch, n_k, width)
    real : Tensor, shape (batch, n_k), boolean
        False where a shorter sound was padded.
    """

    values: Tensor
    keys: Tensor
    real: Tensor


class State(NamedTuple):
    """What the decoder knows between two digits: its own state, context and weights before."""

    hidden: Tensor  # (batch, width)
    context: Tensor  # (batch, width)
    weights: Tensor  # (batch, n_k)


class Written(NamedTuple):
    """What was written.

    Attributes
    ----------
    digits : list of str
    weights : Tensor, shape (batch, steps, n_k)
        A row for each digit, and for the end.
    steps : Tensor, shape (batch,)
        How many rows are of this sound: its digits, and the end where it came.
    """

    digits: list[str]
    weights: Tensor
    steps: Tensor


def window_after(first: int, last: int) -> Window:
    """Let a step see only frames near the centre of the weights before it.

    Parameters
    ----------
    first, last : int
        Frames after the centre, both included; the centre is the mean position of the weights of
        the step before, rounded.

    Returns
    -------
    callable
        Takes the centres (batch,), and returns the `Mode` of the next step, in which query i is the
        one of sound i.
    """
    if first > last:
        raise ValueError(f"a window from {first} to {last} frames after the centre has no frame")

    def mode_at(centre: Tensor) -> Mode:
        def near(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
            after = kv_idx - centre[q_idx]  # each sound has one query at a step: its number
            return (after >= first) & (after <= last)

        return Mode(f"{first} to {last} frames after the last look", near)

    return mode_at


class Listener(nn.Module):
    """Values from the sound, and a decoder that reads them at the weights that it makes.

    Parameters
    ----------
    n_bands : int
        Numbers in a frame.
    kind : str
        One of `KINDS`.
    stride : int
        Frames of the sound to one frame of the values.
    """

    def __init__(self, n_bands: int, kind: str, *, stride: int = 2) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        width = WIDTHS[kind]
        self.kind, self.stride, self.width = kind, stride, width
        self.reach = 2 * stride + 1  # frames that a value sees
        self.local = nn.Conv1d(n_bands, width, self.reach, stride, padding=stride)
        self.mix = nn.Conv1d(width, width, 1)
        self.embed = nn.Embedding(12, width)
        self.readout = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 11))
        if kind in ("count", "last"):
            self.over_frames = nn.GRU(width, width, batch_first=True)
        else:
            self.near = nn.Conv1d(width, width, 3, padding=1)
        if kind in ("count", "last"):
            self.cell = nn.GRUCell(width, width)
        elif kind == "state":
            self.cell = nn.GRUCell(2 * width, width)
        else:
            self.before = nn.Linear(2 * width, width)
        if kind in ("location", "state", "content"):
            self.of_query = nn.Linear(width, width)
            self.v = nn.Linear(width, 1, bias=False)
        if kind in ("location", "state"):
            self.where = nn.Conv1d(1, 8, KERNEL, padding=KERNEL // 2)
            self.of_where = nn.Linear(8, width, bias=False)

    def listen(self, features: Tensor, lengths: Tensor) -> Memory:
        """Turn sounds into values and keys.

        Parameters
        ----------
        features : Tensor, shape (batch, frames, n_bands)
        lengths : Tensor, shape (batch,)
            Frames of each sound.
        """
        heard = self.local(features.transpose(1, 2)).relu()  # (batch, width, n_k)
        steps = torch.arange(heard.shape[2], device=heard.device)
        real = steps < -(-lengths // self.stride)[:, None]
        # padding is 0, as beyond the edge: what is written must not depend on the rest of a batch
        heard = self.mix(heard).relu() * real[:, None]
        values = heard.transpose(1, 2)
        if self.kind in ("count", "last"):
            keys = self.over_frames(values)[0]
        else:
            keys = self.near(heard).transpose(1, 2)
        return Memory(values, keys, real)

    def start(self, memory: Memory) -> State:
        """Return the state before the first digit: all weight lies on frame 0."""
        batch, n_k, width = memory.values.shape
        zeros = memory.values.new_zeros(batch, width)
        weights = memory.values.new_zeros(batch, n_k)
        weights[:, 0] = 1
        return State(zeros, zeros, weights)

    def scores(self, hidden: Tensor, state: State, memory: Memory) -> Tensor:
        """Return the score of each frame for the next digit, (batch, n_k)."""
        if self.kind == "count":
            return (memory.keys @ hidden[:, :, None])[:, :, 0]
        if self.kind == "uniform":
            return torch.zeros_like(state.weights)
        added = self.of_query(hidden)[:, None] + memory.keys  # (batch, n_k, width)
        if self.kind != "content":
            where = self.where(state.weights[:, None]).transpose(1, 2)  # (batch, n_k, 8)
            added = added + self.of_where(where)
        return self.v(added.tanh())[:, :, 0]

    def step(
        self, digit: Tensor, state: State, memory: Memory, seen: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Write one digit.

        Parameters
        ----------
        digit : Tensor, shape (batch,)
            The digit before, or `START`.
        state : State
        memory : Memory
        seen : Tensor, shape (batch, n_k), boolean, optional
            False where this step must not look.

        Returns
        -------
        Tensor, shape (batch, 11)
            Logits of the ten digits and the end.
        State
        """
        token = self.embed(digit)
        if self.kind in ("count", "last"):
            hidden = self.cell(token, state.hidden)
        elif self.kind == "state":
            hidden = self.cell(torch.cat([token, state.context], dim=1), state.hidden)
        else:
            hidden = self.before(torch.cat([token, state.context], dim=1)).tanh()
        if self.kind == "last":
            at = memory.real.sum(1) - 1
            weights = F.one_hot(at, memory.real.shape[1]).to(token.dtype)
            context = (weights[:, None] @ memory.keys)[:, 0]
        else:
            allowed = memory.real if seen is None else memory.real & seen
            # where nothing is left the window is at the end of the sound: look at its last frame
            last = F.one_hot(memory.real.sum(1) - 1, memory.real.shape[1]).bool()
            allowed = torch.where(allowed.any(1, keepdim=True), allowed, last)
            scores = self.scores(hidden, state, memory).masked_fill(~allowed, -math.inf)
            weights = scores.softmax(-1)
            context = (weights[:, None] @ memory.values)[:, 0]
        logits = self.readout(torch.cat([hidden, context], dim=1))
        return logits, State(hidden, context, weights)

    def forward(self, features: Tensor, lengths: Tensor, digits: Tensor) -> tuple[Tensor, Tensor]:
        """Write with the right digits given (teacher forcing).

        Parameters
        ----------
        features : Tensor, shape (batch, frames, n_bands)
        lengths : Tensor, shape (batch,)
        digits : Tensor, shape (batch, n)
            `END` after the last digit.

        Returns
        -------
        logits : Tensor, shape (batch, n, 11)
        weights : Tensor, shape (batch, n, n_k)
        """
        memory = self.listen(features, lengths)
        state, before = self.start(memory), torch.full_like(digits[:, 0], START)
        logits, weights = [], []
        for wanted in digits.unbind(1):
            out, state = self.step(before, state, memory)
            logits.append(out)
            weights.append(state.weights)
            before = wanted
        return torch.stack(logits, 1), torch.stack(weights, 1)

    @torch.no_grad()
    def write(
        self, features: Tensor, lengths: Tensor, *, most: int = 16, window: Window | None = None
    ) -> Written:
        """Write what is heard: the likeliest digit at each step, until the end.

        Parameters
        ----------
        features : Tensor, shape (batch, frames, n_bands)
        lengths : Tensor, shape (batch,)
        most : int
            Digits at most.
        window : callable, optional
            Takes the centres of the weights before, (batch,), and returns the `Mode` of the next
            step, such as `window_after`. The first step sees all.

        Returns
        -------
        Written
        """
        memory = self.listen(features, lengths)
        state = self.start(memory)
        batch, n_k = memory.real.shape
        places = torch.arange(n_k, device=features.device)
        digit = torch.full((batch,), START, device=features.device)
        done = torch.zeros(batch, dtype=torch.bool, device=features.device)
        rows, numbers = [], []
        for count in range(most + 1):
            seen = None
            if window is not None and count:
                centre = (state.weights * places).sum(1).round().long()
                seen = window(centre).dense(batch, n_k)[0][0]
            logits, state = self.step(digit, state, memory, seen)
            digit = torch.where(done, END, logits.argmax(-1))
            rows.append(state.weights)
            numbers.append(digit)
            done = done | (digit == END)
            if done.all():
                break
        table = torch.stack(numbers, 1).tolist()
        digits = ["".join(map(str, row[: (*row, END).index(END)]))[:most] for row in table]
        steps = torch.tensor([min(len(d) + 1, len(rows)) for d in digits])
        return Written(digits, torch.stack(rows, 1), steps)
