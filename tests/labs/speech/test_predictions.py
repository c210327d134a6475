"""The guesses of notebook 14 are what is measured."""

import statistics

import pytest

from attention_lab.exercises import predict
from attention_lab.labs.speech.monotonic import expected_weights
from attention_lab.labs.speech.runs import runs


def test_the_numbers_asked_for_are_right():
    import torch

    assert predict["bin_width"].right == 8000 / 256
    stop = torch.tensor([[0.2, 0.5, 0.9]], dtype=torch.float64)
    assert predict["third_frame"].right == pytest.approx(expected_weights(stop)[0, 2].item())
    peaks = [100 * run["inside"][2] for run in runs()["tones", "location"]]
    asked = predict["peak_in_tone"]
    assert asked.reply(statistics.fmean(peaks)).is_right


def test_the_choices_are_what_the_runs_say():
    tones = {kind: rows for (sound, kind), rows in runs().items() if sound == "tones"}
    assert statistics.fmean(run["exact"]["6"] for run in tones["count"]) == pytest.approx(
        0.93, abs=0.006
    )
    short = statistics.fmean(run["windowed"]["1-6"]["6"] for run in tones["state"])
    assert short == pytest.approx(5 / 6, abs=0.02)
    before = statistics.fmean(run["exact"]["6"] for run in tones["state"])
    assert before == pytest.approx(0.998, abs=0.001)
    words = runs()["words", "location"]
    assert statistics.fmean(run["noise_inside"]["1000"][0] for run in words) > 0.7
    assert all(run["noise_inside"]["1000"][0] > 0.5 for run in words)
    assert statistics.fmean(run["noise"]["1000"] for run in words) == pytest.approx(0.1, abs=0.03)
    assert statistics.fmean(run["inside"][0] for run in words) == pytest.approx(0.92, abs=0.005)
