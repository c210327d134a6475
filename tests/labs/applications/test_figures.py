"""Still pictures of notebook 16."""

import torch

from attention_lab.labs.applications import figures, triptych


def test_the_picture_of_questions_says_where_each_looks():
    torch.manual_seed(0)
    model = triptych.Reader()
    images = triptych.parts()["test"].images[:3]
    picture = figures.questions(model, images, ("left", "largest"))
    assert picture.sentence.startswith("One picture of three digits, 2 questions: “left?” looks")
    with torch.no_grad():
        weights = model.look(images[None], torch.tensor([3])).weights[0, 0]
    at = triptych.CELLS[weights.argmax()]
    assert f"“largest?” looks most at the {at} cell ({weights.max():.3f})" in picture.sentence
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
    for question, digit in (("left", 4), ("largest", 9), ("smallest", 1)):
        assert f"“{question}?” looks most at" in sentence
        assert f"answered {digit}" in sentence
