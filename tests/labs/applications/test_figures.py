"""Still pictures of notebook 16."""

import pytest
import torch

from attention_lab.labs.applications import figures, triptych


def test_the_picture_of_questions_says_where_each_looks():
    images = triptych.parts()["test"].images[:3]
    looks = {"left": ((0.5, 0.25, 0.25), 7), "largest": ((0.1, 0.2, 0.7), 3)}
    picture = figures.questions(images, looks)
    assert picture.sentence == (
        "One picture of three digits, 2 questions: “left?” looks most at the left cell (0.500) and "
        "is answered 7; “largest?” looks most at the right cell (0.700) and is answered 3."
    )
    assert picture.png()[:4] == b"\x89PNG"


def test_bars_say_their_numbers_and_the_limit():
    picture = figures.bars(
        {"one": (0.5, 0.01), "two": (0.75, 0.0)},
        title="Two",
        x_axis="AUC",
        limit=(0.9, "the best"),
        start=0.4,
    )
    assert picture.sentence == "Two, AUC: one 0.500 ± 0.010; two 0.750 ± 0.000. the best: 0.900."
    (axes,) = picture.figure.axes
    assert [round(bar.get_width(), 2) for bar in axes.patches] == [0.1, 0.35]
    assert figures.bars({"one": (1.0, 0.1)}, title="T", x_axis="x").sentence.endswith("± 0.100.")


def test_the_opening_looks_where_it_says():
    sentence = figures.opening().sentence
    for question, digit in zip(("left", "largest", "smallest"), figures.DIGITS, strict=True):
        assert f"“{question}?” looks most at" in sentence
        assert f"is answered {digit}" in sentence


@pytest.mark.slow
def test_the_numbers_of_the_opening_are_those_of_the_training():
    model, shown = triptych.reader(), triptych.parts()["test"]
    images = torch.stack([shown.images[shown.labels == digit][0] for digit in figures.DIGITS])
    for question, (weights, answer) in figures.LOOKS.items():
        number = torch.tensor([triptych.QUESTIONS.index(question)])
        with torch.no_grad():
            came = model.look(images[None], number).weights[0, 0].tolist()
            assert int(model(images[None], number).argmax()) == answer
        assert came == pytest.approx(weights, abs=0.05)
