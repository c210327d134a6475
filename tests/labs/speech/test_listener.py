"""Listeners: how they find their place, what a window and a restart do, and how they are scored."""

import itertools

import pytest
import torch

from attention_lab.labs.speech import runs, training
from attention_lab.labs.speech.listener import END, KINDS, START, Listener, window_after
from attention_lab.labs.speech.monotonic import expected_weights, walks
from attention_lab.labs.speech.restart import restarted
from attention_lab.labs.speech.tones import dial
from attention_lab.labs.speech.training import (
    answers,
    exact,
    heard_call,
    inside,
    loss_of,
    numbers,
    tone_batch,
    train_on_tones,
)
from attention_lab.labs.speech.words import spoken, train_on_words


@pytest.fixture(scope="module")
def batch():
    return tone_batch(["12", "90817", "4"], torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_weights_and_padding_gets_none(kind, batch):
    torch.manual_seed(0)
    model = Listener(7, kind)
    logits, weights = model(batch.features, batch.lengths, batch.digits)
    assert logits.shape == (3, 6, 11)
    assert torch.allclose(weights.sum(-1), torch.ones(3, 6))
    real = model.listen(batch.features, batch.lengths).real
    assert (weights[~real[:, None].expand_as(weights)] == 0).all()
    loss_of(model, batch).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_written_alone_as_in_a_batch(kind, batch):
    torch.manual_seed(1)
    model = Listener(7, kind).eval()
    written = model.write(batch.features, batch.lengths, most=4)
    for i, n in enumerate(batch.lengths.tolist()):
        alone = model.write(batch.features[i : i + 1, :n], torch.tensor([n]), most=4)
        assert alone.digits == [written.digits[i]]
        steps = int(alone.steps)
        mine = written.weights[i, :steps, : alone.weights.shape[2]]
        assert torch.allclose(mine, alone.weights[0, :steps], atol=1e-5)
    assert all(len(each) <= 4 for each in written.digits)


def test_kinds_have_about_as_many_parameters():
    counts = {k: sum(p.numel() for p in Listener(7, k).parameters()) for k in KINDS}
    assert counts["count"] == 17707
    assert counts["location"] == 17587
    assert max(counts.values()) < 1.15 * min(counts.values())
    with pytest.raises(ValueError, match="kind must be one of count, location"):
        Listener(7, "dot")


def test_writing_is_what_teacher_forcing_gives_for_its_own_digits(batch):
    model = runs.kept_listener("tones", "location")
    written = model.write(batch.features, batch.lengths)
    assert written.digits == ["12", "90817", "4"]
    assert written.steps.tolist() == [3, 6, 2]
    _, weights = model(batch.features, batch.lengths, batch.digits)
    assert torch.allclose(weights[1], written.weights[1], atol=1e-5)


def test_only_order_tells_two_frames_apart():
    """Without counting and without the weights before, two equal tones get equal weights."""
    torch.manual_seed(0)
    model = Listener(7, "content").eval()
    sound = torch.zeros(1, 80, 7)
    sound[0, 20:28, 1] = sound[0, 20:28, 5] = 1.0
    sound[0, 50:58, 1] = sound[0, 50:58, 5] = 1.0
    memory = model.listen(sound, torch.tensor([80]))
    _, state = model.step(torch.tensor([START]), model.start(memory), memory)
    assert torch.allclose(state.weights[0, 8:16], state.weights[0, 23:31], atol=1e-6)
    torch.manual_seed(0)
    placed = Listener(7, "location").eval()
    memory = placed.listen(sound, torch.tensor([80]))
    _, state = placed.step(torch.tensor([START]), placed.start(memory), memory)
    assert not torch.allclose(state.weights[0, 5:13], state.weights[0, 20:28], atol=1e-6)


# --- windows ------------------------------------------------------------------------------------


def test_a_window_is_a_mode_with_a_query_for_each_sound():
    mode = window_after(1, 3)(torch.tensor([0, 4]))
    assert mode.dense(2, 8)[0][0].int().tolist() == [
        [0, 1, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1, 1],
    ]
    assert str(mode) == "1 to 3 frames after the last look"
    with pytest.raises(ValueError, match="a window from 4 to 2"):
        window_after(4, 2)


def test_a_window_hides_all_else_and_ends_at_the_last_frame(batch):
    model = runs.kept_listener("tones", "state")
    written = model.write(batch.features, batch.lengths, window=window_after(2, 5))
    places = torch.arange(written.weights.shape[2])
    for i, steps in enumerate(written.steps.tolist()):
        rows = written.weights[i, :steps]
        for before, row in itertools.pairwise(rows):
            centre = (before * places).sum().round()
            seen = places[row > 0]
            assert seen.min() >= min(centre + 2, model.listen(
                batch.features[i : i + 1], batch.lengths[i : i + 1]).real.sum() - 1)  # fmt: skip
            assert seen.max() <= centre + 5
    far = model.write(batch.features, batch.lengths, window=window_after(1000, 1001))
    assert all(far.weights[i, 1].max() == 1 for i in range(3))


def test_a_restart_writes_in_parts():
    model = runs.kept_listener("tones", "location")
    _, batch = heard_call(dial("271905", seed=1))
    assert restarted(model, batch.features, batch.lengths) == ["271905"]
    assert restarted(model, batch.features, batch.lengths, every=2) == ["271905"]
    assert restarted(model, batch.features, batch.lengths, most=3) == ["271"]


# --- scores -------------------------------------------------------------------------------------


def test_inside_counts_weight_and_peaks():
    batch = training.as_batch(
        [torch.zeros(20, 7)], [torch.tensor([[2.0, 6.0], [9.0, 14.0]])], ["12"]
    )
    weights = torch.zeros(1, 3, 10)
    weights[0, 0, 1], weights[0, 0, 3] = 0.6, 0.4  # at frames 2 and 6: the end is outside
    weights[0, 1, 4], weights[0, 1, 5] = 0.7, 0.3  # at 8 and 10
    weights[0, 2, 9] = 1.0
    weight, peak = inside(weights, batch, 2)
    assert weight.tolist() == pytest.approx([0.6, 0.3])
    assert peak.tolist() == [True, False]
    wide, peak = inside(weights, batch, 2, tolerance=1.0)
    assert wide.tolist() == pytest.approx([1.0, 1.0])
    assert peak.tolist() == [True, True]


def test_numbers_have_all_lengths_asked_for():
    drawn = numbers(200, 3, 6, torch.Generator().manual_seed(0))
    assert {len(number) for number in drawn} == {3, 4, 5, 6}
    assert set("".join(drawn)) == set("0123456789")


def test_a_training_begins_with_short_numbers():
    draw = training.batches(lambda named, _: named, steps=8, short=(1, 2), long=(4, 5))
    random = torch.Generator().manual_seed(0)
    longest = [max(map(len, draw(random))) for _ in range(8)]
    assert longest == [2, 2, 5, 5, 5, 5, 5, 5]


def test_a_few_steps_lower_the_loss():
    torch.set_num_threads(1)
    _, history = train_on_tones("location", steps=12, speeds=(0.9, 1.1))
    assert len(history.losses) == 12
    assert history.losses[-1] < history.losses[0]
    _, words = train_on_words("count", steps=3, voices=2)
    assert len(words.losses) == 3


# --- kept ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sound", "kind"), runs.KEPT)
def test_a_kept_listener_is_the_one_of_the_kept_run(sound, kind):
    model = runs.kept_listener(sound, kind)
    row = runs.runs()[sound, kind][0]
    assert sum(p.numel() for p in model.parameters()) == row["parameters"]
    if sound == "tones":
        written, batch = answers(model, tone_batch, 6)
        assert exact(written, batch) == pytest.approx(row["exact"]["6"], abs=0.03)


def test_what_is_not_kept_is_named():
    with pytest.raises(ValueError, match="no kept listener for tones uniform; there are tones"):
        runs.kept_listener("tones", "uniform")


def shares(sound, kind, *keys):
    found = []
    for row in runs.runs()[sound, kind]:
        for key in keys:
            row = row[key]
        found.append(row)
    return found


def test_what_the_notebook_says_of_tones():
    assert {key: len(rows) for key, rows in runs.runs().items()} == {
        key: len(seeds) for key, seeds in runs.RUNS.items()
    }
    assert min(shares("tones", "location", "exact", "6")) > 0.98
    assert min(shares("tones", "location", "exact", "12")) > 0.9
    assert min(shares("tones", "location", "exact", "30")) > 0.2
    assert max(shares("tones", "count", "exact", "7")) < 0.05
    assert max(shares("tones", "count", "exact", "8")) == 0
    assert max(shares("tones", "content", "exact", "6")) == 0
    assert min(shares("tones", "count", "speed", "0.7")) > 0.6
    assert max(shares("tones", "location", "speed", "0.7")) < 0.1
    varied = sorted(shares("tones", "varied", "speed", "0.7"))
    assert varied[0] > 0.4  # one training of three mends half of it
    assert varied[1] > 0.9
    for row in runs.runs()["tones", "state"]:
        assert row["windowed"]["1-6"]["6"] < row["exact"]["6"] - 0.1
        assert row["windowed"]["1-9"]["20"] > row["exact"]["20"] + 0.05
        assert row["windowed"]["1-9"]["30"] > row["exact"]["30"] + 0.25
    for row in runs.runs()["tones", "location"]:
        assert row["inside"][0] > 0.9
        assert row["inside"][2] > 0.94
    assert shares("tones", "uniform", "exact", "6") == [0]
    assert shares("tones", "last", "exact", "6")[0] < 0.05


def test_a_run_measures_what_is_kept(monkeypatch):
    """The measurements of a run, on a listener that is trained already, few numbers each."""
    monkeypatch.setattr(runs, "LENGTHS", (3,))
    monkeypatch.setattr(runs, "WORD_LENGTHS", (3,))
    few = training.answers

    def quick(model, make, length, *, count=200, **more):
        return few(model, make, min(length, 4), count=4, **more)

    monkeypatch.setattr(runs, "answers", quick)
    monkeypatch.setattr(runs, "by_voice", lambda *_: 1.0)
    for sound, kind in (("tones", "location"), ("words", "location")):
        model, history = runs.kept_listener(sound, kind), training.History(losses=[0.1] * 10)
        monkeypatch.setattr(runs, f"train_on_{sound}", lambda *_, m=model, h=history, **__: (m, h))
        _, row = runs.run(sound, kind, 0)
        assert set(row) == set(runs.runs()[sound, kind][0])
    _, row = runs.run("words", "few", 0)
    assert set(row) == set(runs.runs()["words", "few"][0])


def test_a_voice_that_is_understood_is_understood_alone():
    best = max(runs.runs()["words", "location"][0]["by_voice"].items(), key=lambda pair: pair[1])
    model = runs.kept_listener("words", "location")
    assert runs.by_voice(model, spoken().voices.index(best[0]), count=4) >= 0.75


def test_mean_and_error():
    assert runs.mean_and_error([0.5]) == (0.5, 0.0)
    assert runs.mean_and_error([0.0, 1.0]) == pytest.approx((0.5, 0.5))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["location", "count"])
def test_a_training_comes_out_as_it_was_kept(kind):
    torch.set_num_threads(1)
    model, _ = train_on_tones(kind, seed=2)
    written, batch = answers(model, tone_batch, 6)
    assert exact(written, batch) > 0.95
    longer = exact(*answers(model, tone_batch, 10))
    assert longer > 0.9 if kind == "location" else longer < 0.05


@pytest.mark.slow
def test_by_voice_is_a_share_of_right_numbers():
    model = runs.kept_listener("words", "location")
    row = runs.runs()["words", "location"][0]["by_voice"]
    name, share = next(iter(row.items()))
    assert runs.by_voice(model, spoken().voices.index(name)) == pytest.approx(share, abs=0.06)


# --- walks --------------------------------------------------------------------------------------


def test_expected_weights_are_how_often_walks_stop():
    random = torch.Generator().manual_seed(0)
    stop = torch.rand(4, 6, generator=random, dtype=torch.float64)
    alpha = expected_weights(stop)
    stops = walks(stop, 50_000, random)
    for i in range(4):
        counted = torch.bincount(stops[:, i], minlength=7)[:6] / 50_000
        assert (counted - alpha[i]).abs().max() < 0.01
    assert (stops.diff(dim=1) >= 0).all()
    assert (alpha.sum(1) <= 1 + 1e-12).all()
    assert (alpha.sum(1).diff() <= 0).all()


def test_certain_stops_make_an_alignment():
    stop = torch.zeros(3, 5, dtype=torch.float64)
    stop[0, 1] = stop[1, 1] = stop[2, 4] = 1
    expected = torch.zeros(3, 5, dtype=torch.float64)
    expected[0, 1] = expected[1, 1] = expected[2, 4] = 1
    assert torch.equal(expected_weights(stop), expected)


def test_end_is_no_digit():
    assert (END, START) == (10, 11)
