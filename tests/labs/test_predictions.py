"""Every question before an answer, as it stands in the rooms; the lint looks where it is asked."""

import re

import pytest

from attention_lab.exercises import predict
from attention_lab.grading.predict import Choices, Number

NAMES = dir(predict)
LONGEST = 110  # characters of a choice: a button with more is a paragraph
every_prediction = pytest.mark.parametrize("name", NAMES)


def test_there_are_predictions_and_an_unknown_one_is_named():
    assert len(NAMES) > 3
    with pytest.raises(AttributeError, match="there is no prediction 'nothing'; there are "):
        predict.nothing  # noqa: B018


@every_prediction
def test_each_answer_gets_a_reply_of_its_own_in_whole_sentences(name):
    texts = [reply.text for reply in predict[name].replies]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert re.search(r"[.?]$", text), text
        assert not re.match(r"(?!sin|nan)[a-z]{2}", text), text  # "v1" may begin a sentence
        assert not re.match(r"(right|wrong|not so|yes|no[,.])(?!\w)", text, re.I), text
        assert len(text.split()) >= 4, text
        assert "$" not in text  # no formula is set here
    assert sum(reply.is_right for reply in predict[name].replies) == 1


@every_prediction
def test_the_choices_do_not_give_the_answer_away(name):
    asked = predict[name]
    if isinstance(asked, Number):
        pytest.skip("a number is typed")
    assert 3 <= len(asked.choices) <= 5
    assert all(len(choice) <= LONGEST for choice in asked.choices)
    assert not re.search(r"[`$]", "".join(asked.choices)), "a button sets no code and no formula"
    others = [len(choice) for choice in asked.choices if choice != asked.right]
    assert len(asked.right) <= 1.6 * max(others), "the right one is by far the longest"


def test_the_right_choice_does_not_always_stand_in_the_same_place():
    asked = [predict[name] for name in NAMES if isinstance(predict[name], Choices)]
    at = [list(each.choices).index(each.right) for each in asked]
    for position in set(at):
        assert at.count(position) <= 0.6 * len(at)


ROOMS = sorted({predict.room_of(name) for name in NAMES})


def extreme(asked, most):
    """The shortest or longest choices; the right one among n of them counts 1 / n."""
    length = most(map(len, asked.choices))
    return [choice for choice in asked.choices if len(choice) == length]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("most", [min, max])
def test_the_right_choice_is_not_known_by_its_length(room, most):
    all_asked = [predict[name] for name in NAMES if predict.room_of(name) == room]
    asked = [each for each in all_asked if isinstance(each, Choices)]
    ends = [(each.right, extreme(each, most)) for each in asked]
    known = sum(1 / len(end) for right, end in ends if right in end)
    by_chance = sum(1 / len(each.choices) for each in asked)
    assert known <= by_chance + 1, f"the right choice is the {most.__name__} in {known} of {asked}"


@every_prediction
def test_the_right_choice_is_not_known_by_having_a_reason_or_none(name):
    asked = predict[name]
    if isinstance(asked, Number):
        pytest.skip("a number is typed")
    reasoned = {choice: ": " in choice for choice in asked.choices}
    is_right = reasoned.pop(asked.right)
    otherwise = sum(each != is_right for each in reasoned.values())
    assert otherwise <= len(reasoned) / 2


@every_prediction
def test_without_a_kernel_each_reply_is_folded(name):
    asked = predict[name]
    html = getattr(predict, name)().twin_html()
    seen = re.sub(r"<details>.*?</details>", "", html, flags=re.S)
    for reply in asked.replies:
        assert reply.text[:30] not in re.sub(r"<[^>]*>", "", seen)
    folded = re.findall(r"<summary>.*?</summary>", html)
    assert len(folded) == (len(asked.choices) if isinstance(asked, Choices) else 1)


@every_prediction
def test_a_click_or_a_number_is_answered_and_nothing_moves(name):
    asked, card = predict[name], getattr(predict, name)()
    sizes = {card.replies.value.count("alab-slab")}
    if isinstance(asked, Choices):
        for button in card.buttons:
            button.click()
            (said,) = re.findall(r'alab-said alab-slab"[^>]*>(.*?)</div>', card.replies.value)
            assert said.startswith("Right." if button.description == asked.right else "Not so.")
            assert [b for b in card.buttons if "alab-guessed" in b._dom_classes] == [button]
            sizes.add(card.replies.value.count("alab-slab"))
        assert len(sizes) == 1  # all replies keep their room
        return
    for text, start in (("abc", "“abc” is not a number"), (str(asked.right), "Right.")):
        card.number.value = text
        (said,) = re.findall(r'alab-said alab-slab"[^>]*>(.*?)</div>', card.replies.value)
        assert said.startswith(start)
    assert card.guess == pytest.approx(asked.right)
