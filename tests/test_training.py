"""The training loop; and what a notebook concludes from a training holds for other seeds, too."""

import math
from pathlib import Path

import nbformat
import pytest
import torch
from torch import nn

from attention_lab.models.training import train

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def names_in(notebook, *cells):
    """Run some cells of a notebook, and return what they define."""
    namespace = {}
    for cell in nbformat.read(NOTEBOOKS / notebook, as_version=4).cells:
        if cell.id in cells:
            exec(cell.source, namespace)
    return namespace


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_without_the_scale_gradients_are_larger_and_large_steps_fail(seed):
    train = names_in("04_scale_and_temperature.ipynb", "import", "gradient-code")["train"]
    first, loss = {}, {}
    for d, scaled, rate in (
        (64, True, 1.0),
        (64, False, 1.0),
        (256, True, 1.0),
        (256, False, 1.0),
        (256, True, 0.1),
        (256, False, 0.1),
        (64, True, 0.1),
        (64, False, 0.1),
    ):
        seen = train(d, scaled, rate, seed=seed)
        first[d, scaled] = seen["gradient"][0]
        loss[d, scaled, rate] = sum(seen["loss"][-10:]) / 10
        if (d, scaled, rate) == (256, False, 1.0):
            assert sum(seen["largest"][-10:]) / 10 > 0.95
            assert sum(seen["right"][-10:]) / 10 < 0.5
    assert first[256, False] > 4 * first[256, True]
    assert first[64, False] > 4 * first[64, True]
    assert loss[256, False, 0.1] < loss[256, True, 0.1]
    assert loss[64, False, 0.1] < loss[64, True, 0.1]
    assert max(loss[64, True, 1.0], loss[256, True, 1.0]) < 0.05
    assert loss[64, False, 1.0] < 0.5
    assert loss[256, False, 1.0] > 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_translation_needs_attention_and_its_map_is_not_the_alignment(seed):
    names = names_in("05_alignment.ipynb", "import", "data-code", "bottleneck-code", "kinds-define")
    models = names["models"] = {}
    exact = {}
    for score in ("none", "dot", "additive"):
        models[score], _ = names["train_one"](score, seed=seed)
        pairs = zip(names["written_by"](models[score])[0], names["unseen"], strict=True)
        exact[score] = sum(words == phrase.french for words, phrase in pairs) / 500
    assert exact["none"] < 0.75
    assert min(exact["dot"], exact["additive"]) >= 0.8
    shares, on_noun = names["agreement"](models["additive"])
    assert min(shares["adjective"], shares["noun"]) >= 0.95
    assert shares["determiner"] < 0.6
    assert on_noun > 0.4


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_which_places_tell_what_comes_first(seed):
    names = names_in("08_position.ipynb", "import", "need-define")
    test = names["which_first"](torch.Generator().manual_seed(98), 1000)
    for position, causal, sees in (
        ("none", False, False),
        ("alibi", False, False),
        ("sinusoidal", False, True),
        ("rotary", False, True),
        ("none", True, True),
    ):
        model, _ = names["train_reader"](
            names["which_first"], position, 2, causal=causal, pooled=True, seed=seed
        )
        right = names["share_right"](model, test)
        assert right >= 0.98 if sees else 0.4 < right < 0.6, (position, causal)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_what_places_do_past_the_trained_length(seed):
    names = names_in("08_position.ipynb", "import", "need-define", "long-define")
    at = {}
    for position in names["POSITIONS"]:
        model, _ = names["train_reader"](
            names["previous"], position, 12, layers=2, causal=True, seed=seed
        )
        at[position] = dict(zip(names["LENGTHS"], names["by_length"](model), strict=True))
    assert min(at[position][16] for position in at if position != "none") > 0.9
    assert at["none"][16] < 0.9
    assert all(at[name][16] - at[name][64] > 0.4 for name in ("sinusoidal", "learned"))
    assert at["alibi"][16] - at["alibi"][64] < 0.1
    assert at["rotary"][32] > 0.9
    assert at["rotary"][32] - at["rotary"][64] > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_token_far_back_is_found_by_sines_and_alibi_not_by_rotary(seed):
    names = names_in("08_position.ipynb", "import", "need-define", "far-define")
    far = {p: names["far_right"](p, seed=seed) for p in ("sinusoidal", "rotary", "alibi")}
    assert min(far["sinusoidal"], far["alibi"]) >= 0.95
    assert far["rotary"] < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_sorting_needs_no_places_and_reversing_does(seed):
    names = names_in("08_position.ipynb", "import", "sort-define")
    train_digits = names["train_digits"]
    assert train_digits("sort", "none", seed=seed) >= 0.95
    assert train_digits("reverse", "none", seed=seed) <= 0.05
    assert train_digits("reverse", "sinusoidal", seed=seed) >= 0.95


def names_of_09(*cells):
    return names_in("09_encoder_decoder.ipynb", "import", "count-code", *cells)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_transformer_learns_digits_and_a_leak_is_no_learning(seed):
    names = names_of_09("train-define", "leak-define", "leak-test")
    exact_match = names["exact_match"]
    for task in ("reverse", "sort"):
        model, history = names["train_digits"](task, seed=seed)
        assert exact_match(model, task) >= 0.98
        assert history.losses[0] > math.log(13)
    assert names["moves"]("right", 3) == 0
    for kind in ("no causal mask", "not shifted"):
        assert names["moves"](kind, 3) > 0
        model, history = names["train_leaky"](kind, seed=seed)
        assert history.losses[-1] < 0.1
        assert exact_match(model, "reverse") <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_transformer_translates_and_no_head_is_the_alignment(seed):
    names = names_of_09("translate-define")
    written_by, agreement = names["written_by"], names["agreement"]
    shares = {}
    for kind in (names["Seq2Seq"], names["Transformer"]):
        words, weights = written_by(names["train_translator"](kind, seed=seed))
        exact = sum(w == p.french for w, p in zip(words, names["unseen"], strict=True)) / 500
        assert exact >= 0.95
        shares[kind.__name__] = agreement(words, weights.mean(dim=1))
    recurrent, mean = shares["Seq2Seq"], shares["Transformer"]
    assert min(recurrent["noun"], recurrent["adjective"]) >= 0.95
    assert min(mean["noun"], mean["adjective"]) >= 0.85
    for h in range(4):
        head = agreement(words, weights[:, h])
        assert min(head.values()) < 0.9  # no head is the alignment


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_sums_need_the_feed_forward_part(seed):
    names = names_of_09("train-define", "add-define")
    exact = {
        part: names["exact_match"](names["train_sums"](part, seed=seed)[0], "add")
        for part in ((), ("feed_forward",))
    }
    assert exact[()] >= 0.95
    assert exact[("feed_forward",)] < 0.5


# --- the loop -------------------------------------------------------------------------------


def line(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(1, 1)


def points(generator):
    x = torch.randn(16, 1, generator=generator)
    return x, 3 * x + 1


def squared(model, batch):
    x, y = batch
    return (model(x) - y).pow(2).mean()


def test_it_learns_and_keeps_its_history():
    model, seen = line(), []
    history = train(
        model,
        squared,
        points,
        steps=300,
        rate=0.05,
        measure=lambda m: m.weight.item(),
        every=100,
        watch=lambda step, loss: seen.append((step, loss)),
    )
    assert abs(model.weight.item() - 3) < 0.01
    assert abs(model.bias.item() - 1) < 0.01
    assert [step for step, _ in history.metrics] == [100, 200, 300]
    assert history.metrics[-1][1] == model.weight.item()
    assert seen == list(enumerate(history.losses, start=1))
    assert history.stopped == ""


def test_the_seed_decides_everything():
    def losses(seed):
        return train(line(), squared, points, steps=20, seed=seed).losses

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)


def test_a_loss_that_is_no_number_ends_it_and_spoils_nothing():
    model, calls = line(), []

    def loss(model, batch):
        calls.append(1)
        return squared(model, batch) * (math.nan if len(calls) == 5 else 1)

    history = train(model, loss, points, steps=20)
    assert len(history.losses) == 4
    assert "the loss of step 5 is nan" in history.stopped
    assert all(p.isfinite().all() for p in model.parameters())


def test_an_interrupt_keeps_what_was_learned():
    threads, model = torch.get_num_threads(), line()
    before = model.weight.item()

    def interrupt(step, _loss):
        if step == 7:
            raise KeyboardInterrupt

    history = train(model, squared, points, steps=20, watch=interrupt)
    assert history.stopped == "interrupted after 7 steps; what was learned is kept"
    assert len(history.losses) == 7
    assert model.weight.item() != before
    assert torch.get_num_threads() == threads
