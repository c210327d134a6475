"""TriptychExplorer, driven by the values of its fields."""

import re

import pytest
import torch

from attention_lab.labs.applications.triptych import QUESTIONS, Reader
from attention_lab.labs.applications.widget import EVEN, OWN, WRONG
from attention_lab.widgets import TriptychExplorer
from helpers import svg_of, tables, triptych_explorer


class Looker(Reader):
    """Looks at the cell that the number of the question names, and reads nothing."""

    def look(self, images, question):
        steps = super().look(images, question)
        weights = torch.nn.functional.one_hot(question % 3, 3).float()[:, None]
        return steps._replace(weights=weights)


def numbers_in(explorer):
    return tables(explorer.twin_html())[-1][1][-1][1:]


def test_the_weights_of_the_question_are_shown_and_go_into_the_answer():
    torch.manual_seed(0)
    explorer = TriptychExplorer(Looker(), question="left")
    assert numbers_in(explorer) == ["1.000", "0", "0"]
    explorer.question.value = "right"
    assert "left 0, middle 0, right 1.000." in explorer.note
    explorer.weights.value = EVEN
    assert numbers_in(explorer) == ["0.333"] * 3
    explorer.weights.value = WRONG  # “right” is given the weights of “left”
    assert numbers_in(explorer) == ["1.000", "0", "0"]


@pytest.mark.parametrize("weights", [OWN, EVEN, WRONG])
def test_what_is_said_is_what_the_model_answers(weights):
    explorer = triptych_explorer()
    explorer.weights.value = weights
    texts = [each.text for each in svg_of(explorer.picture.value).iter() if each.text]
    assert {"left", "middle", "right", "“middle?”"} <= set(texts)
    said = re.search(r"It says (\d) \(", explorer.note)[1]
    bold = [
        each.text
        for each in svg_of(explorer.picture.value).iter()
        if each.get("font-weight") == "bold" and each.get("text-anchor") == "start"
    ]
    assert bold == [said]


def test_three_times_the_same_digit_is_written_in_three_ways():
    explorer = triptych_explorer()
    for field in explorer.digits:
        field.value = 5
    inks = [
        each.get("fill")
        for each in svg_of(explorer.picture.value).iter()
        if (each.get("fill") or "").startswith("rgb")
    ]
    before = explorer.picture.value
    explorer.hand.value = 2
    assert explorer.picture.value != before
    assert len(inks) > 60
    shown = {image.numpy().tobytes() for image in explorer.images[5][:3]}
    assert len(shown) == 3


def frame_of(html):
    """What must stand still: everything but bars, lines, ink and numbers."""
    parts = []
    for each in svg_of(html).iter():
        if each.tag.endswith("text"):
            parts.append((each.get("x"), each.get("y")))
        if each.tag.endswith("rect") and each.get("fill") == "none":
            parts.append((each.get("x"), each.get("y"), each.get("width")))
    return tuple(parts), re.search(r'width="(\d+)" height="(\d+)"', html).groups()


def test_the_frame_stands_still_whatever_is_chosen():
    explorer = triptych_explorer()
    frames, longest = set(), 0
    for question in QUESTIONS:
        explorer.question.value = question
        for weights in (OWN, EVEN, WRONG):
            explorer.weights.value = weights
            frames.add(frame_of(explorer.picture.value))
            longest = max(longest, len(explorer.note))
    assert len(frames) == 1
    assert longest < 200  # two lines of the status


def test_the_twin_has_the_numbers_where_no_image_is_shown():
    explorer = triptych_explorer()
    caption, rows = tables(explorer.twin_html())[-1]
    assert caption == "Where the question looks"
    assert [row[0] for row in rows[1:]] == ["digit", "weight"]
    assert rows[1][1:] == ["7", "2", "9"]
    assert "Asked: middle" in explorer.twin_text()
