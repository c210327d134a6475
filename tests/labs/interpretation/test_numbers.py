"""What the notebook says of SmolLM2 is what was measured and kept."""

from collections import Counter

import pytest
import torch

from attention_lab.labs.interpretation import figures
from attention_lab.labs.interpretation.found import lessons, measured
from attention_lab.labs.interpretation.predictions import place_or_token
from attention_lab.labs.interpretation.sentences import SENTENCES, TOPICS
from attention_lab.labs.interpretation.sentiment import folds, without_word


def test_the_first_place_draws_the_weight_whatever_stands_there():
    sinks = measured("sinks")
    here = list(sinks["another first token"].values())
    there = list(sinks["the same token at 10"].values())
    assert min(here) > 0.35
    assert max(there) < 0.05
    assert sinks["its own first token, moved to 10"] < 0.05
    assert sinks["what is first then"] > 0.35
    assert f"{sinks['what is first then']:.3f}" == place_or_token.shown_by
    assert sinks["position 1, with 0 hidden"] > 0.35
    assert sinks["loss, with 0 hidden"] - sinks["loss"] < 0.3


def test_four_heads_at_zero_lie_among_their_controls_and_at_the_mean_they_do_not():
    before = measured("previous")
    assert min(before["4 others off, zero"]) < before["4 off, zero"]
    assert before["4 off, zero"] < max(before["4 others off, zero"])
    assert before["4 off, mean"] > max(before["4 others off, mean"])
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


def test_no_answer_depends_on_the_head_that_reads_names():
    she = lessons("pronoun")
    assert she["Last summer: (9, 2) right"] == 1
    assert abs(she["asked"]["right"] - she["asked, (9, 2) off"]["right"]) < 0.05


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
