"""Tones and spoken digits: what is heard, and where each digit lies."""

import io
import tomllib
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from attention_lab.labs.speech import tones, words
from attention_lab.labs.speech.training import HOP, WINDOW, heard_call, tone_batch


@pytest.mark.parametrize("digit", tones.DIGITS)
def test_a_key_is_loudest_at_its_two_frequencies(digit):
    call = tones.dial(digit, seed=3)
    start, end = call.spans[0].tolist()
    energies = tones.log_energies(call.samples[(start + end) // 2 - 128 :][:256])[0]
    loudest = sorted(energies.topk(2).indices.tolist())
    assert tuple(tones.FREQUENCIES[band] for band in loudest) == tones.frequencies_of(digit)
    assert energies.topk(2).values.exp().tolist() == pytest.approx([1, 1], abs=0.02)


def test_two_keys_never_have_the_same_pair():
    assert len({tones.frequencies_of(digit) for digit in tones.DIGITS}) == 10
    assert tones.frequencies_of("#") == (941, 1477)
    for wrong in ("a", "", "12"):
        with pytest.raises(ValueError, match="a key is one of 1 2 3"):
            tones.frequencies_of(wrong)


def test_outside_its_spans_a_call_is_silent_and_inside_it_is_not():
    call = tones.dial("4027", seed=1)
    sounding = torch.zeros(len(call.samples), dtype=torch.bool)
    for start, end in call.spans.tolist():
        sounding[start:end] = True
        assert 60 <= (end - start) / 8 <= 180
        assert call.samples[start:end].pow(2).mean() == pytest.approx(1, abs=0.1)
    assert (call.samples[~sounding] == 0).all()
    gaps = (call.spans[1:, 0] - call.spans[:-1, 1]) / 8
    assert ((gaps >= 29.9) & (gaps <= 120.1)).all()


def test_speed_changes_the_lengths_and_not_the_pitch():
    slow, fast = (tones.dial("58", speed=speed, seed=2) for speed in (0.5, 2.0))
    lengths = [call.spans[:, 1] - call.spans[:, 0] for call in (slow, fast)]
    assert (lengths[0] / lengths[1]).tolist() == pytest.approx([4, 4], abs=0.02)
    assert torch.equal(
        slow.samples[slow.spans[0, 0] :][:100], fast.samples[fast.spans[0, 0] :][:100]
    )
    with pytest.raises(ValueError, match="at most 8000 samples"):
        tones.tone("5", 8001)


def test_no_digit_is_a_call_of_silence():
    call = tones.dial("", seed=0)
    assert call.spans.shape == (0, 2)
    assert (call.samples == 0).all()


def test_a_frame_lies_at_the_middle_of_its_window():
    call = tones.dial("5", seed=4)
    _, batch = heard_call(call, noise=0.0)
    start, end = batch.spans[0, 0].tolist()
    loud = (batch.features[0, :, 1] > batch.features[0, :, 1].amax() - 0.4).nonzero()[:, 0]
    assert loud[0] >= start - 0.5
    assert loud[-1] <= end + 0.5
    assert start * HOP + WINDOW / 2 == pytest.approx(call.spans[0, 0].item(), abs=0.1)


def test_a_batch_holds_what_each_call_holds_alone():
    random = torch.Generator().manual_seed(0)
    batch = tone_batch(["12", "90817"], random, noise=0.0)
    assert batch.lengths[0] < batch.lengths[1] == batch.features.shape[1]
    again = torch.Generator().manual_seed(0)
    short, _ = tones.calls(["12", "90817"], again)
    _, alone = heard_call(short, noise=0.0)
    n = int(batch.lengths[0])
    assert torch.allclose(batch.features[0, :n], alone.features[0], atol=1e-5)
    assert (batch.features[0, n:] == 0).all()
    assert batch.digits.tolist() == [[1, 2, 10, 10, 10, 10], [9, 0, 8, 1, 7, 10]]
    assert batch.spans[0, 2:].tolist() == [[-1, -1]] * 3


def test_a_wav_file_is_what_it_should_be(capsys):
    data = tones.wav_bytes(torch.tensor([0.0, 2.0, -2.0, 1.0]), rate=4000)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (4000, 1, 1)
        assert list(file.readframes(4)) == [128, 255, 1, 192]
    assert len(tones.wav_bytes(tones.dial("271905", seed=1).samples)) < 15_000


def test_a_sound_is_shown_with_its_words(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    tones.sound(torch.zeros(10), "You hear nothing.")
    words.hear("apart", "You hear a number.")
    assert [type(each).__name__ for each in shown] == ["Audio", "HTML"] * 2
    assert "You hear nothing." in shown[1].data
    assert shown[2].data == words.recording("apart")


# --- spoken digits ------------------------------------------------------------------------------


def test_the_kept_speech_is_whole():
    kept = words.spoken()
    sizes = {name: len(voices) for name, voices in kept.split.items()}
    assert sizes == {"train": 55, "choose": 12, "test": 14}
    assert len(set(kept.voices)) == 81
    assert len(kept.clips) == 810
    assert all(len(pair) == 2 for pair in kept.clips.values())
    lengths = [len(clip.features) for pair in kept.clips.values() for clip in pair]
    assert min(lengths) >= 5
    assert max(lengths) <= 60
    assert len(kept.sentences) == 6 * 14
    for voice, features, number, onsets in kept.sentences:
        assert voice in kept.split["test"]
        assert len(number) == len(onsets) == 4
        assert sorted(onsets) == onsets
        assert onsets[-1] < 20 * len(features)


def test_each_digit_is_told_from_the_others_by_its_clips():
    """The nearest clip of the training voices says the same digit, for nearly all test voices."""
    kept = words.spoken()

    def shape(clip):
        return torch.nn.functional.interpolate(clip.features.T[None], 8, mode="linear").flatten()

    known = [(shape(c), c.digit) for (v, _), p in kept.clips.items() for c in p if v < 55]
    asked = [(shape(c), c.digit) for (v, _), p in kept.clips.items() for c in p if v >= 67]
    distances = torch.cdist(torch.stack([x for x, _ in asked]), torch.stack([x for x, _ in known]))
    found = torch.tensor([digit for _, digit in known])[distances.argmin(1)]
    assert (found == torch.tensor([digit for _, digit in asked])).double().mean() > 0.9


def test_features_survive_being_packed():
    samples = torch.sin(torch.arange(4410) * 0.3)
    features = words.log_mel(samples)
    assert features.shape == (11, 24)
    kept = words.unpacked(words.packed(features))
    assert kept.numpy() == pytest.approx(
        ((features - words.MIDDLE) / words.SPREAD).numpy(),
        abs=0.5 * words.NAT / words.SPREAD + 1e-6,
    )
    hertz = 0.3 / (2 * np.pi) * words.SPEECH_RATE  # 1053 Hz: band 7 is around 991, band 8 1157
    assert 991 < hertz < 1157
    assert features[5].argmax() in (7, 8)


def test_resampling_keeps_the_wave():
    slow = words.resampled(torch.sin(torch.arange(2205) * 2 * torch.pi * 0.01), 22050, 8000)
    assert len(slow) == 800
    peak = torch.fft.rfft(slow).abs().argmax().item() * 8000 / 800
    assert peak == pytest.approx(220.5, abs=10)


def test_joined_words_lie_where_they_are_said_to():
    random = torch.Generator().manual_seed(0)
    features, spans = words.joined("407", 60, random)
    silent = (features - words.SILENCE).abs().amax(1) < 1e-6
    for start, end in spans.int().tolist():
        assert not silent[start:end].all()
    outside = torch.ones(len(features), dtype=torch.bool)
    for start, end in spans.int().tolist():
        outside[start:end] = False
    assert silent[outside].all()
    assert outside[-1]
    assert outside[0]


def test_noise_fills_the_silence_and_leaves_what_is_loud():
    plain, _ = words.joined("4", 60, torch.Generator().manual_seed(0))
    loud, _ = words.joined("4", 60, torch.Generator().manual_seed(0), noise=100.0)
    assert loud[0].mean() > plain[0].mean() + 1
    assert loud.amax() == pytest.approx(plain.amax().item(), abs=0.02)


def test_a_changed_voice_is_another_one_and_its_spans_move_along():
    one, spans = words.joined("47", 60, torch.Generator().manual_seed(5))
    other, moved = words.joined("47", 60, torch.Generator().manual_seed(5), changed=True)
    assert one.shape[0] != other.shape[0]
    ratio = (other.shape[0] - 1) / (one.shape[0] - 1)
    assert torch.allclose(moved, spans * ratio)
    assert 0.8 < ratio < 1.2


def test_sentences_have_a_batch_of_their_own():
    batch = words.sentence_batch()
    assert len(batch.numbers) == 84
    assert (batch.spans[..., 1] > batch.spans[..., 0]).all()
    assert (batch.spans[:, 1:, 0] == batch.spans[:, :-1, 1]).all()


def test_a_batch_takes_voices_of_its_split_only(monkeypatch):
    drawn = []

    def noted(number, voice, random, **_):
        drawn.append(voice)
        return torch.zeros(5, 24), torch.zeros(len(number), 2)

    monkeypatch.setattr(words, "joined", noted)
    random = torch.Generator().manual_seed(0)
    words.word_batch(["1"] * 100, random, split="test")
    assert set(drawn) <= set(words.spoken().split["test"])
    drawn.clear()
    words.word_batch(["1"] * 100, random, voices=3)
    assert set(drawn) == {0, 1, 2}


def test_what_is_kept_is_package_data_and_small():
    data = Path(words.__file__).with_name("data")
    project = tomllib.loads((Path(words.__file__).parents[3] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["attention_lab.labs.speech"]
    for path in data.iterdir():
        assert any(path.match(pattern) for pattern in patterns), path.name
    assert (data / "spoken.npz").stat().st_size < 1_000_000
    assert all(path.stat().st_size < 60_000 for path in data.iterdir() if path.stem != "spoken")
    assert all(path.stat().st_size < 25_000 for path in data.glob("*.wav"))


def test_tones_are_half_of_a_call():
    """As the question of notebook 14 says."""
    batch = tone_batch(["271905"] * 100, torch.Generator().manual_seed(0))
    lengths = (batch.spans[..., 1] - batch.spans[..., 0]).sum(1)
    assert (lengths / batch.lengths).mean() == pytest.approx(0.54, abs=0.02)
