"""Guesses: what may be asked, and what is said to each."""

import pytest

from attention_lab.grading.predict import Choices, Number

QUESTION = {
    "question": "How many?",
    "choices": {"one": "There are more.", "two": "Count them."},
    "right": "two",
    "shown_by": "2",
}
NUMBER = {
    "question": "How much?",
    "right": 0.5,
    "within": 0.05,
    "because": "It is a half.",
    "low": "It is more.",
    "high": "It is less.",
    "mistakes": {0.25: "That is a half of a half."},
    "shown_by": "0.500",
}


def test_each_choice_has_its_reply():
    asked = Choices(**QUESTION)
    assert str(asked.reply("one")) == "Not so. There are more."
    assert str(asked.reply("two")) == "Right. Count them."
    assert asked.replies == [asked.reply("one"), asked.reply("two")]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"right": "three"}, "'three' is right and no choice; the choices are 'one', 'two'"),
        ({"choices": {"two": "Yes."}}, "one choice is no question"),
        ({"choices": {"one": "", "two": "Yes."}}, "nothing is said to one"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        Choices(**{**QUESTION, **change})


@pytest.mark.parametrize(
    ("guess", "is_right", "said"),
    [
        (0.5, True, "It is a half."),
        (0.55, True, "It is a half."),
        (0.45, True, "It is a half."),
        (0.56, False, "It is less."),
        (0.44, False, "It is more."),
        (0.26, False, "That is a half of a half."),
        (-100, False, "It is more."),
        (1e30, False, "It is less."),
    ],
)
def test_a_number_is_right_within_its_margin_and_known_mistakes_are_named(guess, is_right, said):
    reply = Number(**NUMBER).reply(guess)
    assert (reply.is_right, reply.text) == (is_right, said)
    assert reply in Number(**NUMBER).replies


def test_a_mistake_that_could_be_taken_for_the_right_number_is_refused():
    with pytest.raises(ValueError, match=r"0.45 and 0.5 lie too near for ± 0.05"):
        Number(**{**NUMBER, "mistakes": {0.45: "x"}})
