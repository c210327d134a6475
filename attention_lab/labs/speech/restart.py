"""Write a long number in parts: begin again, every few digits, behind the last look."""

from __future__ import annotations

import torch
from torch import Tensor

from attention_lab.labs.speech.listener import Listener

__all__ = ["restarted"]


@torch.no_grad()
def restarted(
    model: Listener, features: Tensor, lengths: Tensor, *, every: int = 3, lead: int = 4,
    most: int = 40,
) -> list[str]:  # fmt: skip
    """Write sounds in parts of ``every`` digits, each part as if it were a call of its own.

    The cut is made behind the tone that was looked at last; before the rest go a few frames of
    the quietest one of the call, as the beginning of a new call.

    Parameters
    ----------
    model : Listener
    features : Tensor, shape (batch, frames, n_bands)
    lengths : Tensor, shape (batch,)
    every : int
        Digits of a part.
    lead : int
        Frames of the sound put before each later part: the quietest frame of the call.
    most : int
        Digits at most.

    Returns
    -------
    list of str
    """
    return [
        _one(model, sound[:length], every, lead, most)
        for sound, length in zip(features, lengths.tolist(), strict=True)
    ]


def _one(model: Listener, sound: Tensor, every: int, lead: int, most: int) -> str:
    quiet = sound[sound.sum(1).argmin()].expand(lead, -1)
    digits, rest = "", sound
    while len(digits) < most and len(rest) > model.reach:
        written = model.write(rest[None], torch.tensor([len(rest)]), most=every)
        digits += written.digits[0]
        if len(written.digits[0]) < every:
            break
        at = int(written.weights[0, every - 1].argmax()) * model.stride
        rest = torch.cat([quiet, rest[_end_of_sound(rest, at) :]])
    return digits


def _end_of_sound(sound: Tensor, at: int) -> int:
    """Return the first frame from ``at`` on that is nearer to the quietest than to this one."""
    level = sound.mean(1)
    border = (level[at] + level.min()) / 2
    later = (level[at:] < border).nonzero()
    return at + int(later[0]) if len(later) else len(sound)
