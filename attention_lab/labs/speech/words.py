"""Spoken digits: what a listener hears of them, cut into words, to be joined again.

The file ``data/spoken.npz`` is made by ``tools/spoken_digits.py`` with eSpeak NG: 81 voices, each
digit twice. A sound is kept as 24 numbers for each 20 ms, the logarithm of the energy in 24 bands.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.labs.speech.listener import Listener
from attention_lab.labs.speech.tones import show_sound
from attention_lab.labs.speech.training import LR, WARM_UP, Batch, as_batch, batches, loss_of
from attention_lab.models.training import History, seeded, train

__all__ = [
    "BANDS",
    "SPEECH_RATE",
    "Clip",
    "Spoken",
    "hear",
    "joined",
    "log_mel",
    "recording",
    "sentence_batch",
    "spoken",
    "train_on_words",
    "word_batch",
]

SPEECH_RATE, FRAME, STEP = 22050, 706, 441  # samples a second; 32 ms, every 20 ms
BANDS = 24
LOWEST, HIGHEST = 100.0, 7600.0  # Hz
FLOOR = 1e-8
NAT = 0.1  # what a step of the kept whole numbers stands for
MIDDLE, SPREAD = -9.0, 4.0  # so that a model gets numbers of about -2 to 2
GAP = (40.0, 200.0)  # milliseconds between two words
WORD_STEPS = 900


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


@functools.cache
def _bands() -> Tensor:
    """Return triangles, as wide as the ear's bands, over the frequencies of a frame."""
    hertz = torch.arange(FRAME // 2 + 1) * SPEECH_RATE / FRAME
    mel = 2595 * torch.log10(1 + hertz / 700)
    edges = torch.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2)
    rising = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return triangles / triangles.sum(0)


def log_mel(samples: Tensor) -> Tensor:
    """Return the logarithm of the energy in 24 bands, every 20 ms.

    Parameters
    ----------
    samples : Tensor, shape (n,)
        22050 in a second.

    Returns
    -------
    Tensor, shape (frames, 24)
    """
    padded = F.pad(samples, (FRAME // 2, FRAME // 2))
    frames = padded.unfold(0, FRAME, STEP) * torch.hann_window(FRAME)
    power = torch.fft.rfft(frames).abs() ** 2 / FRAME
    return (power @ _bands() + FLOOR).log()


def packed(features: Tensor) -> np.ndarray:
    """Round features to tenths, and keep each in one byte."""
    return ((features - MIDDLE) / NAT).round().clamp(-127, 127).to(torch.int8).numpy()


def unpacked(kept: np.ndarray) -> Tensor:
    """Return what a listener gets of kept features: about -2 to 2."""
    return torch.from_numpy(kept.astype(np.float32)) * NAT / SPREAD


def resampled(samples: Tensor, rate: int, new_rate: int) -> Tensor:
    """Bring a sound to another rate: what is too high is taken out, the rest interpolated."""
    spectrum = torch.fft.rfft(samples)
    n = round(len(samples) * new_rate / rate)
    return torch.fft.irfft(spectrum[: n // 2 + 1], n) * n / len(samples)


class Clip(NamedTuple):
    """One spoken digit: who says it, which it is, and its features (frames, 24)."""

    voice: int
    digit: int
    features: Tensor


class Spoken(NamedTuple):
    """All that is kept.

    Attributes
    ----------
    clips : dict of (voice, digit) to list of Clip
    sentences : list of (voice, features, number, onsets in ms)
        Four digits, spoken without a pause.
    voices : list of str
    split : dict of str to list of int
        The voices to train with, to choose with, and to test with.
    """

    clips: dict[tuple[int, int], list[Clip]]
    sentences: list[tuple[int, Tensor, str, list[int]]]
    voices: list[str]
    split: dict[str, list[int]]


@functools.cache
def spoken() -> Spoken:
    """Read the spoken digits."""
    with (files(__package__) / "data" / "spoken.npz").open("rb") as file, np.load(file) as kept:
        arrays = {name: kept[name] for name in kept.files}
    clips: dict[tuple[int, int], list[Clip]] = {}
    at = 0
    for voice, digit, length in arrays["rows"].tolist():
        features = unpacked(arrays["clips"][at : at + length])
        clips.setdefault((voice, digit), []).append(Clip(voice, digit, features))
        at += length
    sentences, at = [], 0
    for voice, length, *rest in arrays["said"].tolist():
        features = unpacked(arrays["sentences"][at : at + length])
        sentences.append((voice, features, "".join(map(str, rest[:4])), rest[4:]))
        at += length
    splits = arrays["splits"].tolist()
    split = {
        name: [i for i, each in enumerate(splits) if each == name] for name in dict.fromkeys(splits)
    }
    return Spoken(clips, sentences, arrays["voices"].tolist(), split)


WORD_BANDS = ((2, "360 Hz"), (7, "1 kHz"), (12, "2 kHz"), (20, "5 kHz"))
SILENCE = (math.log(FLOOR) - MIDDLE) / SPREAD


def joined(
    number: str, voice: int, random: torch.Generator, *, changed: bool = False, noise: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Join spoken digits of one voice, with gaps between them.

    Parameters
    ----------
    number : str
    voice : int
    random : torch.Generator
        Draws which of the two clips, and the gaps.
    changed : bool
        Make a new voice of the old one, for training: all frames stretched by up to 15 %, the
        bands shifted by up to one, tilted by up to one nat, and four neighbouring ones silenced.
    noise : float
        Energy of a noise that is the same in all bands, as a multiple of the floor.

    Returns
    -------
    features : Tensor, shape (frames, 24)
    spans : Tensor, shape (len(number), 2)
        The first frame of each word, and the first after it.
    """

    def silence() -> int:
        low, high = GAP
        milliseconds = low + (high - low) * torch.rand((), generator=random).item()
        return round(milliseconds / 20)

    parts, spans = [torch.full((silence(), BANDS), SILENCE)], []
    at = len(parts[0])
    for digit in number:
        pair = spoken().clips[voice, int(digit)]
        which = int(torch.randint(0, len(pair), (), generator=random))
        gap = torch.full((silence(), BANDS), SILENCE)
        parts += [pair[which].features, gap]
        spans.append((at, at + len(pair[which].features)))
        at = spans[-1][1] + len(gap)
    features, where = torch.cat(parts), torch.tensor(spans, dtype=torch.float32).reshape(-1, 2)
    if noise:
        nats = features * SPREAD
        level = math.log(FLOOR * noise) - MIDDLE
        features = torch.logaddexp(nats, torch.full_like(nats, level)) / SPREAD
    return _changed(features, where, random) if changed else (features, where)


def _changed(features: Tensor, spans: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Stretch, shift, tilt and mask; see `joined`."""
    stretch, shift, tilt = (2 * torch.rand(3, generator=random) - 1).tolist()
    frames = max(round(len(features) * (1 + 0.15 * stretch)), 1)
    grid_y = torch.linspace(-1, 1, frames)
    grid_x = torch.linspace(-1, 1, BANDS) + shift * 2 / (BANDS - 1)
    grid = torch.stack(torch.meshgrid(grid_y, grid_x, indexing="ij")[::-1], dim=-1)
    moved = F.grid_sample(
        features[None, None], grid[None], align_corners=True, padding_mode="border"
    )[0, 0]
    moved = moved + tilt / SPREAD * torch.linspace(-1, 1, BANDS)
    first = int(torch.randint(0, BANDS - 3, (), generator=random))
    moved[:, first : first + 4] = moved.mean()
    scale = (frames - 1) / max(len(features) - 1, 1)
    return moved, spans * scale


def word_batch(
    named: Sequence[str],
    random: torch.Generator,
    *,
    split: str = "train",
    changed: bool = False,
    noise: float = 0.0,
    voices: int | None = None,
) -> Batch:
    """Join spoken digits, each number by a voice of this split, drawn; see `joined`.

    With ``voices`` only the first so many of the split are drawn.
    """
    of_split = spoken().split[split][:voices]
    made = []
    for number in named:
        voice = of_split[int(torch.randint(0, len(of_split), (), generator=random))]
        made.append(joined(number, voice, random, changed=changed, noise=noise))
    return as_batch([each for each, _ in made], [where for _, where in made], named)


def sentence_batch() -> Batch:
    """Return the whole sentences of the test voices: four digits without a pause."""
    features, spans, named = [], [], []
    for _, heard, number, onsets in spoken().sentences:
        starts = torch.tensor(onsets, dtype=torch.float32) / 20
        ends = torch.cat([starts[1:], torch.tensor([float(len(heard))])])
        features.append(heard)
        spans.append(torch.stack([starts, ends], 1))
        named.append(number)
    return as_batch(features, spans, named)


def recording(name: str) -> bytes:
    """Return a WAV file of this room: "apart" or "whole", both "seven two nine zero"."""
    return (files(__package__) / "data" / f"{name}.wav").read_bytes()


def train_on_words(
    kind: str,
    *,
    seed: int = 0,
    steps: int = WORD_STEPS,
    lr: float = LR,
    voices: int | None = None,
    watch: Callable[[int, float], None] | None = None,
) -> tuple[Listener, History]:
    """Train a listener on joined spoken digits, 3 to 5 in a number.

    Parameters
    ----------
    kind : str
        One of `attention_lab.labs.speech.listener.KINDS`.
    seed, steps, lr
        Of the training.
    voices : int, optional
        Train with the first so many of the voices.
    watch : callable, optional
        ``watch(step, loss)`` after each step.
    """
    with seeded(seed):
        model = Listener(BANDS, kind, stride=3)

    def make(named: Sequence[str], random: torch.Generator) -> Batch:
        return word_batch(named, random, changed=True, voices=voices)

    draw = batches(make, steps, short=(1, 1), long=(3, 5))
    history = train(
        model, loss_of, draw, steps=steps, lr=lr, warm_up=WARM_UP, seed=seed, watch=watch
    )
    return model, history


def hear(name: str, said: str) -> None:
    """Show a player for a `recording`, and below it what is heard, in words."""
    show_sound(recording(name), said)
