"""What the notebook says of SmolLM2 is what was measured and kept."""

from collections import Counter

import pytest
import torch

from attention_lab.labs.interpretation import figures
from attention_lab.labs.interpretation.found import lessons, measured
from attention_lab.labs.interpretation.predictions import four_heads_at_zero, place_or_token
from attention_lab.labs.interpretation.sentences import SENTENCES, TOPICS
from attention_lab.labs.interpretation.sentiment import (
    accuracy,
    folds,
    kept_scores,
    scored_by_words,
    without_word,
)


def test_the_first_place_draws_the_weight_whatever_stands_there():
    sinks = measured("sinks")
    here = list(sinks["another first token"].values())
    there = list(sinks["the same token at 10"].values())
    assert min(here) > 0.35
    assert max(there) < 0.05
    assert sinks["its own first token, moved to 10"] < 0.05
    assert sinks["what is first then"] > 0.35
    moved = sinks["its own first token, moved to 10"]
    assert f"it gets {moved:.3f}" == place_or_token.shown_by
    assert place_or_token.right == pytest.approx(moved, abs=0.001)
    assert sinks["position 1, with 0 hidden"] > 0.35
    price = {p: sinks[f"loss, with {p} hidden"] - sinks["loss"] for p in (0, 1, 5, 10, 30, 60)}
    assert max(price, key=price.get) == 0
    assert price[1] > 0.8 * price[0]  # with a hundredth of the weight
    assert sinks["position 1"] < 0.02
    assert max(price[p] for p in (5, 10, 30, 60)) < 0.05
    late = {p: sinks[f"loss from 64, with {p} hidden"] - sinks["loss from 64"] for p in (0, 1)}
    assert 0.01 < late[0] < price[0] / 3
    assert abs(late[1]) < 0.01
    for ratio in measured("values").values():
        assert sum(each < 0.45 for each in ratio) == 25


def test_four_heads_at_zero_lie_among_their_controls_and_at_the_mean_they_do_not():
    before = measured("previous")
    assert min(before["4 others off, zero"]) < before["4 off, zero"]
    assert before["4 off, zero"] < max(before["4 others off, zero"])
    assert before["4 off, mean"] > max(before["4 others off, mean"])
    as_dear = [each for each in before["4 others off, zero"] if each >= before["4 off, zero"]]
    assert len(as_dear) == four_heads_at_zero.right
    assert sum(each < 2.61 for each in before["4 others off, zero"]) == 7
    assert len(before["4 others off, zero"]) == len(before["4 others off, mean"]) == 10
    assert before["best"][0] == [16, 0]


def test_the_head_of_it_looks_at_what_moves_and_others_matter_as_much():
    it = measured("it")
    for name in ("first noun", "turned round"):
        on, off = it[f"{name}: weight on the one that moves, on the other"]
        assert on > 2 * off
    for how in ("zero", "mean"):
        others = it[f"moved by others, {how}"]
        assert max(others) > it[f"moved by it, {how}"]


def test_what_is_said_of_the_head_that_reads_names():
    she = lessons("pronoun")
    assert she["Last summer: (9, 2) right"] == 1
    assert 80 * she["bare: (9, 2) right"] == 68
    assert 80 * max(she["bare: right most often"].values()) == 70
    assert round(80 * she["Last summer: drawn labels, best head, mean of 20"]) == 51
    # the model hardly knows the answer, so nothing that is switched off can show a loss
    right = {name: 80 * she[name]["right"] for name in she if name.startswith("asked")}
    assert all(abs(each - 40) < 2.2 * (80 / 4) ** 0.5 for each in right.values())
    assert right["asked"] - 40 < 1.2 * (80 / 4) ** 0.5


def test_the_controls_of_the_verbs_number():
    number = lessons("number")
    for how in ("(26, 0) off", "(26, 0) at its mean"):
        assert number[how]["difference"] < 1
    for how in ("off", "at their mean"):
        drawn = [number[f"4 others {how}, draw {d}"]["difference"] for d in range(4)]
        assert 2.2 < min(drawn) < max(drawn) < 2.9


def test_what_the_words_alone_and_their_letters_tell():
    feeling = kept_scores()
    right, error = accuracy(scored_by_words())
    assert (right, error) == pytest.approx(feeling["words alone"], abs=0.02)
    assert 0.55 < right < 0.7
    agree = feeling["deletion"]["rank correlation"]
    assert agree["letters of the word"][0] == pytest.approx(agree["weights"][0], abs=0.01)
    assert agree["letters of the word"][2] < 0.3 < 0.55 < agree["weights"][2]


def test_the_sentences_are_balanced_within_each_topic_and_none_is_there_twice():
    assert len(SENTENCES) == 208 == len({each.text for each in SENTENCES})
    assert len(TOPICS) == 26
    assert Counter((each.topic, each.is_glad) for each in SENTENCES) == {
        (topic, glad): 4 for topic in range(26) for glad in (True, False)
    }
    assert all(each.text.endswith(".") and each.text[0].isupper() for each in SENTENCES)


def test_no_topic_is_learned_from_and_held_out():
    seen = []
    for fold in folds():
        assert not {SENTENCES[i].topic for i in fold.train} & {
            SENTENCES[i].topic for i in fold.test
        }
        assert len(fold.train) + len(fold.test) == 208
        seen += fold.test
    assert sorted(seen) == list(range(208))


def test_a_word_of_a_sentence_is_left_out():
    assert without_word("The soup was cold.", 3) == "The soup was."
    assert without_word("The soup was cold.", 0) == "soup was cold."


def test_the_pictures_say_what_they_show():
    said = figures.against_controls(
        {"zero": (2.0, [1.0, 3.0]), "mean": (4.0, [1.0, 3.0, 2.0])},
        normal=1.0, title="Off", x_axis="loss",
    ).sentence  # fmt: skip
    assert "zero is among its 2 controls; mean is outside of its 3 controls" in said
    dots = figures.dots([1, 2], [3, 4], title="T", x_axis="a", y_axis="b", names=["x"])
    assert dots.sentence == "T: 2 dots, a to the right, b upward."
    said = figures.opening().sentence
    assert said.startswith("it: animal")
    assert said.count(":") == 1  # of the other words nothing is drawn


@pytest.mark.parametrize("name", ["number", "importance"])
def test_the_lessons_are_there(name):
    assert lessons(name)


def test_no_measure_of_importance_comes_near_1():
    kept = lessons("importance")
    means = [
        kept[f"rank correlation of {name} and effect"]
        for name in ("weight", "rollout", "gradient", "nearness")
    ]
    assert max(map(abs, means)) < 0.5
    assert torch.tensor(means).argmax() == 3  # nearness
