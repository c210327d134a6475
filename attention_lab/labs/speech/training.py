"""Batches of sounds, the training, and how a listener is scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attention_lab.labs.speech.listener import END, Listener, Window, Written
from attention_lab.labs.speech.tones import (
    FREQUENCIES,
    HOP,
    WINDOW,
    Call,
    Timing,
    calls,
    log_energies,
)
from attention_lab.models.training import History, train

__all__ = [
    "Batch",
    "exact",
    "inside",
    "loss_of",
    "numbers",
    "peaks_inside",
    "tone_batch",
    "train_on_tones",
]

MEAN, SPREAD = -3.5, 2.5  # of the log energies, so that a model gets numbers of about -1 to 1
NOISE = 0.5
TONE_BANDS = tuple((band, f"{hertz} Hz") for band, hertz in enumerate(FREQUENCIES))
LR, WARM_UP, BATCH = 0.01, 0.15, 32
STEPS = 450


class Batch(NamedTuple):
    """Sounds as a listener takes them.

    Attributes
    ----------
    features : Tensor, shape (batch, frames, n_bands)
    lengths : Tensor, shape (batch,)
        Frames of each sound; the rest is padding.
    digits : Tensor, shape (batch, n + 1)
        `END` after the last digit, and as padding.
    spans : Tensor, shape (batch, n, 2)
        The first frame of each digit, and the first after it, as fractions of frames: frame j
        lies at j. -1 as padding.
    numbers : list of str
    """

    features: Tensor
    lengths: Tensor
    digits: Tensor
    spans: Tensor
    numbers: list[str]


def numbers(count: int, shortest: int, longest: int, random: torch.Generator) -> list[str]:
    """Draw numbers of so many digits; each length is as likely as another."""
    lengths = torch.randint(shortest, longest + 1, (count,), generator=random)
    return [
        "".join(map(str, torch.randint(0, 10, (n,), generator=random).tolist()))
        for n in lengths.tolist()
    ]


def as_batch(features: Sequence[Tensor], spans: Sequence[Tensor], named: Sequence[str]) -> Batch:
    """Pad sounds to one length."""
    ended = [torch.tensor([*map(int, number), END]) for number in named]
    return Batch(
        pad_sequence(list(features), batch_first=True),
        torch.tensor([len(each) for each in features]),
        pad_sequence(ended, batch_first=True, padding_value=END),
        pad_sequence(list(spans), batch_first=True, padding_value=-1.0),
        list(named),
    )


def heard(samples: Tensor, noise: float, random: torch.Generator) -> Tensor:
    """Return what a listener gets of sounds, (..., frames, 7): log energies, noise added before."""
    samples = samples + noise * torch.randn(samples.shape, generator=random)
    return (log_energies(samples) - MEAN) / SPREAD


def in_frames(spans: Tensor) -> Tensor:
    """Turn samples into frames: frame j lies at the middle of its window."""
    return (spans.float() - WINDOW / 2) / HOP


def tone_batch(
    named: Sequence[str],
    random: torch.Generator,
    *,
    noise: float = NOISE,
    speed: float = 1.0,
    timing: Timing | None = None,
) -> Batch:
    """Dial numbers, and return what a listener hears.

    Parameters
    ----------
    named : sequence of str
    random : torch.Generator
        Draws the lengths and the noise.
    noise : float
        Standard deviation; a sine wave has amplitude 1.
    speed : float
    timing : Timing, optional
    """
    made = calls(named, random, timing=timing, speed=speed)
    # all at once: the silence behind a shorter call is cut off again
    features = heard(pad_sequence([c.samples for c in made], batch_first=True), noise, random)
    frames = [(len(call.samples) - WINDOW) // HOP + 1 for call in made]
    features = [each[:n] for each, n in zip(features, frames, strict=True)]
    return as_batch(features, [in_frames(call.spans) for call in made], named)


def loss_of(model: Listener, batch: Batch) -> Tensor:
    """Return the mean cross-entropy of the digits and the end, the right ones before given."""
    logits, _ = model(batch.features, batch.lengths, batch.digits)
    ends = torch.tensor([len(number) for number in batch.numbers])
    counted = torch.arange(batch.digits.shape[1]) <= ends[:, None]
    return F.cross_entropy(logits[counted], batch.digits[counted])


def batches(
    make: Callable[[Sequence[str], torch.Generator], Batch],
    steps: int,
    *,
    short: tuple[int, int] = (1, 2),
    long: tuple[int, int] = (3, 6),
) -> Callable[[torch.Generator], Batch]:
    """Return a function that draws the next batch: short numbers in the first quarter."""
    drawn = 0

    def batch_of(random: torch.Generator) -> Batch:
        nonlocal drawn
        shortest, longest = short if drawn < steps / 4 else long
        drawn += 1
        return make(numbers(BATCH, shortest, longest, random), random)

    return batch_of


def train_on_tones(
    kind: str,
    *,
    seed: int = 0,
    steps: int = STEPS,
    lr: float = LR,
    speeds: tuple[float, float] = (1.0, 1.0),
    watch: Callable[[int, float], None] | None = None,
) -> tuple[Listener, History]:
    """Train a listener on dialled numbers of 3 to 6 digits."""
    torch.manual_seed(seed)
    model = Listener(7, kind)

    def make(named: Sequence[str], random: torch.Generator) -> Batch:
        low, high = speeds
        speed = low + (high - low) * torch.rand((), generator=random).item()
        return tone_batch(named, random, speed=speed)

    history = train(
        model, loss_of, batches(make, steps), steps=steps, lr=lr, warm_up=WARM_UP, seed=seed,
        watch=watch,
    )  # fmt: skip
    return model, history


def exact(written: Written, batch: Batch) -> float:
    """Return the share of sounds that are written without a mistake."""
    pairs = zip(written.digits, batch.numbers, strict=True)
    return sum(one == other for one, other in pairs) / len(batch.numbers)


def frame_places(n_k: int, stride: int) -> Tensor:
    """Return where each frame of the values lies, in frames of the sound."""
    return torch.arange(n_k) * float(stride)


def inside(
    weights: Tensor, batch: Batch, stride: int, *, tolerance: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Return the weight inside the span of each digit, and whether the largest weight is there.

    Parameters
    ----------
    weights : Tensor, shape (batch, n, n_k)
        A row for each digit; later rows are not looked at.
    batch : Batch
    stride : int
        Frames of the sound to one frame of the values.
    tolerance : float
        Frames of the sound that count as inside at either end.

    Returns
    -------
    weight, is_inside : Tensor, shape (digits,)
        Of all digits of all sounds, one behind the other.
    """
    at = frame_places(weights.shape[2], stride)
    n = min(weights.shape[1], batch.spans.shape[1])
    spans = batch.spans[:, :n]
    within = (at >= spans[..., :1] - tolerance) & (at < spans[..., 1:] + tolerance)
    counted = torch.tensor([len(each) for each in batch.numbers])
    counted = torch.arange(n) < counted[:, None]
    weight = (weights[:, :n] * within).sum(-1)
    peak = within.gather(2, weights[:, :n].argmax(-1, keepdim=True))[..., 0]
    return weight[counted], peak[counted]


def peaks_inside(written: Written, batch: Batch, stride: int) -> float:
    """Return the share of digits whose largest weight lies inside the digit's own span."""
    return inside(written.weights, batch, stride)[1].double().mean().item()


def answers(
    model: Listener, make: Callable[[Sequence[str], torch.Generator], Batch], length: int,
    *, count: int = 200, seed: int = 1000, window: Window | None = None,
) -> tuple[Written, Batch]:  # fmt: skip
    """Write ``count`` new numbers of one length."""
    random = torch.Generator().manual_seed(seed + length)
    batch = make(numbers(count, length, length, random), random)
    most = length + 4
    return model.write(batch.features, batch.lengths, most=most, window=window), batch


def heard_call(call: Call, noise: float = NOISE, seed: int = 0) -> tuple[Tensor, Batch]:
    """Return one call as it sounds, with its noise, and as a listener gets it.

    Returns
    -------
    samples : Tensor, shape (n,)
    batch : Batch
        With this one call.
    """
    random = torch.Generator().manual_seed(seed)
    samples = call.samples + noise * torch.randn(call.samples.shape, generator=random)
    features = (log_energies(samples) - MEAN) / SPREAD
    return samples, as_batch([features], [in_frames(call.spans)], [call.digits])
