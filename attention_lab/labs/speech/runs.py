"""What came of the trainings of this room: three seeds of each kind, measured in many ways.

The runs are kept in ``runs.json`` beside this file, and a few trained listeners in
``data/NAME.npz``; ``tools/speech_runs.py`` makes both.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import torch

from attention_lab.labs.speech.listener import Listener, window_after
from attention_lab.labs.speech.restart import restarted
from attention_lab.labs.speech.training import (
    STEPS,
    Batch,
    answers,
    as_batch,
    exact,
    inside,
    numbers,
    tone_batch,
    train_on_tones,
)
from attention_lab.labs.speech.words import (
    BANDS,
    WORD_STEPS,
    joined,
    sentence_batch,
    spoken,
    train_on_words,
    word_batch,
)
from attention_lab.models.kept import read_json, whole

__all__ = ["KEPT", "LENGTHS", "RUNS", "SEEDS", "kept_listener", "mean_and_error", "run", "runs"]

SEEDS = (0, 1, 2)
LENGTHS = (3, 6, 7, 8, 10, 12, 20, 30)
WORD_LENGTHS = (3, 5, 6, 8, 10)
WINDOWS = ((1, 6), (1, 9))
SPEEDS = (0.7, 1.0, 1.3)
NOISES = (0.5, 1.0, 1.5, 2.0)
VARIED = (0.6, 1.5)  # speeds of the kind "varied"
WORD_NOISES = (1, 10, 100, 1000)
FEW_VOICES = 12
# what is trained, and with which seeds; "varied" is location on calls of many speeds, "few" is
# location on the first 12 voices
RUNS = {
    **{("tones", kind): SEEDS for kind in ("location", "count", "state", "varied", "content")},
    **{("tones", kind): SEEDS[:1] for kind in ("uniform", "last")},
    **{("words", kind): SEEDS for kind in ("location", "count")},
    **{("words", kind): SEEDS[:1] for kind in ("uniform", "last", "few")},
}
KEPT = {  # which listeners are kept: sound and kind, of seed 0
    ("tones", "location"): "tones_location",
    ("tones", "count"): "tones_count",
    ("tones", "state"): "tones_state",
    ("words", "location"): "words_location",
    ("words", "count"): "words_count",
}
KIND_OF = {"varied": "location", "few": "location"}


def _aligned(model: Listener, batch: Batch) -> list[float]:
    """Return weight inside, with a frame of tolerance, and share of peaks inside; right ones given.

    Rounded to four digits.
    """
    with torch.no_grad():
        weights = model(batch.features, batch.lengths, batch.digits)[1]
    strict, peaks = inside(weights, batch, model.stride)
    wide = inside(weights, batch, model.stride, tolerance=1.0)[0]
    return [round(each.double().mean().item(), 4) for each in (strict, wide, peaks)]


def run(sound: str, kind: str, seed: int) -> tuple[Listener, dict[str, Any]]:
    """Train one listener, and measure it on numbers that it has not heard."""
    low, high = VARIED if kind == "varied" else (1.0, 1.0)
    trained: list[Listener] = []

    def training():
        if sound == "tones":
            model, history = train_on_tones(KIND_OF.get(kind, kind), seed=seed, speeds=(low, high))
        else:
            voices = FEW_VOICES if kind == "few" else None
            model, history = train_on_words(KIND_OF.get(kind, kind), seed=seed, voices=voices)
        trained.append(model)
        return history

    history = whole(f"{kind} on {sound}, seed {seed}", training)
    model = trained[0]
    measured = tones_measured(model) if sound == "tones" else words_measured(model, kind == "few")
    row = {
        "sound": sound, "kind": kind, "seed": seed,
        "steps": STEPS if sound == "tones" else WORD_STEPS,
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": round(statistics.fmean(history.losses[-10:]), 4),
    }  # fmt: skip
    return model, row | measured


def tones_measured(model: Listener) -> dict[str, Any]:
    """Measure a listener of tones: by length, window, speed, noise, restart; 200 numbers each."""

    def share(length: int, window: Any = None, **how: Any) -> float:
        return exact(*answers(model, _toned(**how), length, window=window))

    written, batch = answers(model, _toned(), 8)
    firsts = [w[:6] == n[:6] for w, n in zip(written.digits, batch.numbers, strict=True)]
    row: dict[str, Any] = {
        "exact": {str(n): share(n) for n in LENGTHS},
        "inside": _aligned(model, answers(model, _toned(), 6)[1]),
        "noise": {str(v): share(6, noise=v) for v in NOISES},
        "noise_inside": {
            str(v): _aligned(model, answers(model, _toned(noise=v), 6)[1]) for v in NOISES
        },
        "speed": {str(v): share(6, speed=v) for v in SPEEDS},
        "written_at_8": statistics.fmean(map(len, written.digits)),
        "first_six_at_8": statistics.fmean(firsts),
        "same_digit": _same_digit(model),
    }
    if model.kind in ("uniform", "last"):
        return row
    row["windowed"] = {
        f"{first}-{last}": {str(n): share(n, window_after(first, last)) for n in (6, 12, 20, 30)}
        for first, last in WINDOWS
    }
    row["slow_windowed"] = share(6, window_after(1, 9), speed=0.7)
    row["restarted"] = {str(n): _restarted_share(model, n) for n in (6, 8, 10, 12)}
    return row


def _toned(**how: Any) -> Callable[[Sequence[str], torch.Generator], Batch]:
    return lambda named, random: tone_batch(named, random, **how)


def _restarted_share(model: Listener, length: int) -> float:
    batch = answers(model, _toned(), length, count=100)[1]
    pairs = zip(restarted(model, batch.features, batch.lengths), batch.numbers, strict=True)
    return sum(one == other for one, other in pairs) / len(batch.numbers)


def _same_digit(model: Listener) -> float:
    random = torch.Generator().manual_seed(55)
    batch = tone_batch([str(d) * 5 for d in range(10) for _ in range(10)], random)
    return exact(model.write(batch.features, batch.lengths), batch)


def words_measured(model: Listener, is_few: bool = False) -> dict[str, Any]:
    """Measure a listener of words, on the voices to choose with and on those to test with."""

    def make(split: str, noise: float = 0.0, voices: int | None = None):
        return lambda named, random: word_batch(
            named, random, split=split, noise=noise, voices=voices
        )

    def share(length: int, *how: Any) -> float:
        return exact(*answers(model, make(*how), length))

    row: dict[str, Any] = {
        "exact": {str(n): share(n, "test") for n in WORD_LENGTHS},
        "choose": share(4, "choose"),
        "inside": _aligned(model, answers(model, make("test"), 4)[1]),
    }
    if is_few:
        row["seen"], row["unseen"] = share(4, "train", 0.0, FEW_VOICES), share(4, "test")
        return row
    row["noise"] = {str(v): share(4, "test", float(v)) for v in WORD_NOISES}
    row["noise_inside"] = {
        str(v): _aligned(model, answers(model, make("test", float(v)), 4)[1]) for v in WORD_NOISES
    }
    row["by_voice"] = {spoken().voices[v]: by_voice(model, v) for v in spoken().split["test"]}
    batch = sentence_batch()
    row["sentences"] = exact(model.write(batch.features, batch.lengths), batch)
    row["sentences_inside"] = _aligned(model, batch)
    return row


def by_voice(model: Listener, voice: int, count: int = 40) -> float:
    """Return the share of numbers of four digits, spoken by one voice, that are right."""
    random = torch.Generator().manual_seed(voice)
    named = numbers(count, 4, 4, random)
    made = [joined(number, voice, random) for number in named]
    batch = as_batch([each for each, _ in made], [where for _, where in made], named)
    return exact(model.write(batch.features, batch.lengths), batch)


@functools.cache
def runs() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the kept runs, by sound and kind, each a list with a run for each seed."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in read_json(__package__, "runs.json"):
        found.setdefault((row["sound"], row["kind"]), []).append(row)
    return found


def mean_and_error(shares: Sequence[float]) -> tuple[float, float]:
    """Return the mean, and the standard error of the mean, over seeds (0 for one seed).

    Examples
    --------
    >>> mean_and_error([0.9, 1.0, 0.95])
    (0.95, 0.0288...)
    """
    if len(shares) == 1:
        return shares[0], 0.0
    return statistics.fmean(shares), statistics.stdev(shares) / math.sqrt(len(shares))


def kept_listener(sound: str, kind: str) -> Listener:
    """Return a trained listener of seed 0, from its file, ready to write.

    Parameters
    ----------
    sound : str
        "tones" or "words".
    kind : str
        "location" or "count".
    """
    if (sound, kind) not in KEPT:
        known = "; ".join(" ".join(pair) for pair in KEPT)
        raise ValueError(f"there is no kept listener for {sound} {kind}; there are {known}")
    model = Listener(7, kind) if sound == "tones" else Listener(BANDS, kind, stride=3)
    path = files(__package__) / "data" / f"{KEPT[sound, kind]}.npz"
    with path.open("rb") as file, np.load(file) as kept:
        state = {name: torch.from_numpy(kept[name].astype(np.float32)) for name in kept.files}
    model.load_state_dict(state)
    return model.eval()
