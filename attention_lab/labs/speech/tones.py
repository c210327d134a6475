"""Telephone keypad tones: sound, where each digit lies in it, and its spectrogram.

Each key is two sine waves at once, one for its row and one for its column (ITU-T Q.23). What a
model hears is the energy at these seven frequencies, 50 times a second.
"""

from __future__ import annotations

import functools
import io
import math
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "COLUMNS",
    "DIGITS",
    "FREQUENCIES",
    "HOP",
    "RATE",
    "ROWS",
    "WINDOW",
    "Call",
    "Timing",
    "calls",
    "dial",
    "frequencies_of",
    "log_energies",
    "show_sound",
    "sound",
    "tone",
    "wav_bytes",
]

RATE = 8000  # samples in a second, as on a telephone
WINDOW, HOP = 256, 160  # samples: 32 ms, every 20 ms
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)  # Hz
FREQUENCIES = (*ROWS, *COLUMNS)
DIGITS = "0123456789"
KEYPAD = ("123", "456", "789", "*0#")
FLOOR = 1e-3  # of the energies, before the logarithm: a full tone has 1


@dataclass(frozen=True)
class Timing:
    """How a number is dialled, in milliseconds; each length is drawn between two ends.

    Attributes
    ----------
    tone, gap : (float, float)
        How long a key is held, and the silence after it.
    edge : (float, float)
        Silence before the first tone and after the last one.
    """

    tone: tuple[float, float] = (60.0, 180.0)
    gap: tuple[float, float] = (30.0, 120.0)
    edge: tuple[float, float] = (60.0, 200.0)


@dataclass(frozen=True)
class Call:
    """A dialled number.

    Attributes
    ----------
    digits : str
    samples : Tensor, shape (n,)
        The sound without noise, 8000 samples a second. A sine wave has amplitude 1.
    spans : Tensor, shape (len(digits), 2)
        The first sample of each tone, and the first one after it.
    """

    digits: str
    samples: Tensor
    spans: Tensor


def frequencies_of(digit: str) -> tuple[int, int]:
    """Return the two frequencies of a key in Hz: of its row, and of its column.

    Examples
    --------
    >>> frequencies_of("5")
    (770, 1336)
    """
    for row, keys in zip(ROWS, KEYPAD, strict=True):
        if digit in keys and len(digit) == 1:
            return row, COLUMNS[keys.index(digit)]
    raise ValueError(f"a key is one of {' '.join(''.join(KEYPAD))}, not {digit!r}")


@functools.cache
def _second(digit: str) -> Tensor:
    time = torch.arange(RATE) / RATE
    return sum(torch.sin(2 * math.pi * each * time) for each in frequencies_of(digit))


def tone(digit: str, n: int) -> Tensor:
    """Return n samples of the sound of a key, at most 8000: two sine waves of amplitude 1."""
    if n > RATE:
        raise ValueError(f"a tone is at most {RATE} samples (one second) long, not {n}")
    return _second(digit)[:n]


def dial(digits: str, *, timing: Timing | None = None, speed: float = 1.0, seed: int = 0) -> Call:
    """Dial a number.

    Parameters
    ----------
    digits : str
    timing : Timing, optional
    speed : float
        2 makes tones and gaps half as long; the frequencies stay.
    seed : int
        Of the lengths.

    Returns
    -------
    Call
    """
    random = torch.Generator().manual_seed(seed)
    return _dialled(digits, timing or Timing(), speed, random)


def _dialled(digits: str, timing: Timing, speed: float, random: torch.Generator) -> Call:
    def samples_of(ends: tuple[float, float], count: int) -> list[int]:
        low, high = ends
        drawn = low + (high - low) * torch.rand(count, generator=random)
        return (drawn * RATE / 1000 / speed).round().long().tolist()

    tones, gaps = samples_of(timing.tone, len(digits)), samples_of(timing.gap, len(digits))
    before, after = samples_of(timing.edge, 2)
    spans, at = [], before
    for held, gap in zip(tones, gaps, strict=True):
        spans.append((at, at + held))
        at += held + gap
    end = (spans[-1][1] if spans else at) + after
    samples = torch.zeros(end)
    for digit, (start, stop) in zip(digits, spans, strict=True):
        samples[start:stop] = tone(digit, stop - start)
    return Call(digits, samples, torch.tensor(spans).reshape(-1, 2))


def calls(
    numbers: Sequence[str],
    random: torch.Generator,
    *,
    timing: Timing | None = None,
    speed: float = 1.0,
) -> list[Call]:
    """Dial several numbers; all lengths are drawn from one generator."""
    return [_dialled(number, timing or Timing(), speed, random) for number in numbers]


def _waves() -> Tensor:
    """Return a cosine and a sine of each frequency, under a Hann window, (WINDOW, 2 * 7)."""
    time = torch.arange(WINDOW) / RATE
    angles = 2 * math.pi * time[:, None] * torch.tensor(FREQUENCIES)
    waves = torch.cat([angles.cos(), angles.sin()], dim=1)
    # of a sine wave of amplitude 1 the energy is then 1
    return waves * torch.hann_window(WINDOW)[:, None] * 2 / torch.hann_window(WINDOW).sum()


_WAVES = _waves()


def log_energies(samples: Tensor) -> Tensor:
    """Return the logarithm of the energy at the seven frequencies, frame by frame.

    Parameters
    ----------
    samples : Tensor, shape (..., n)

    Returns
    -------
    Tensor, shape (..., frames, 7)
        Frame j looks at the 256 samples from 160 j on. 0 at a full tone, about -7 in silence.
    """
    frames = samples.unfold(-1, WINDOW, HOP)  # (..., frames, WINDOW)
    cosine, sine = (frames @ _WAVES).chunk(2, dim=-1)
    return (cosine**2 + sine**2 + FLOOR).log()


def noisy(samples: Tensor, noise: float, random: torch.Generator) -> Tensor:
    """Add white noise of standard deviation ``noise``."""
    return samples + noise * torch.randn(samples.shape, generator=random)


def wav_bytes(samples: Tensor, rate: int = RATE) -> bytes:
    """Return a WAV file of 8 bits a sample; the loudest sample has the full range.

    Parameters
    ----------
    samples : Tensor, shape (n,)
    rate : int
        Samples in a second.
    """
    peak = samples.abs().max().clamp(min=1e-9)
    whole = (samples / peak * 127 + 128).round().clamp(0, 255).to(torch.uint8)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(whole.numpy().tobytes())
    return buffer.getvalue()


def sound(samples: Tensor, said: str, rate: int = RATE) -> None:
    """Show a player, and below it what is heard, in words.

    Parameters
    ----------
    samples : Tensor, shape (n,)
    said : str
        What a person hears, for those who cannot listen.
    rate : int
        Samples in a second.
    """
    show_sound(wav_bytes(samples, rate), said)


def show_sound(wav: bytes, said: str) -> None:
    """Show a player for a WAV file, and below it what is heard, in words."""
    from IPython.display import HTML, Audio, display

    display(Audio(data=wav))
    display(HTML(f"<div>{said}</div>"))
