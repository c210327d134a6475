"""The figures of notebook 12 and their sentences."""

import io

from PIL import Image

from attention_lab.labs.cost.figures import log_lines, opening, timed
from attention_lab.labs.cost.measure import Times


def test_the_picture_on_top_says_what_each_design_keeps():
    picture = opening()
    for said in ("MHA 64 GiB", "GQA 16 GiB", "MLA 4.5 GiB", "window 512 MiB", "take 15 GiB"):
        assert said in picture.sentence
    (axes,) = picture.figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "MHA", "GQA", "MQA", "MLA", "window", "hybrid",
    ]  # fmt: skip
    assert Image.open(io.BytesIO(picture.png())).size[0] > 600


def test_timed_draws_medians_with_their_spread_and_fits_the_fastest_runs():
    def each(*numbers):
        return Times(tuple(sorted(numbers)))

    square = [each(n**2, 3 * n**2, 1.5 * n**2) for n in (1.0, 2.0, 4.0)]
    one = [each(n, n + 1, 50) for n in (1.0, 2.0, 4.0)]
    picture = timed([1, 2, 4], {"a": square, "b": one}, title="Two", marks={"here": 3})
    assert picture.sentence.endswith("Slopes: a 2.00, b 1.00.")
    (axes,) = picture.figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "a (slope 2.00)", "b (slope 1.00)",
    ]  # fmt: skip
    drawn = [line for line in axes.get_lines() if len(line.get_xdata()) == 3]
    assert list(drawn[0].get_ydata()) == [1.5, 6.0, 24.0]
    assert "here" in [note.get_text() for note in axes.texts]


def test_levels_and_marks_are_named():
    picture = log_lines(
        [10, 1000], {"a": [1, 2]}, title="t", x_axis="x", y_axis="y", levels={"limit": 1.5},
        sentence="A line.",
    )  # fmt: skip
    (axes,) = picture.figure.axes
    assert [note.get_text() for note in axes.texts] == ["limit"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "1 000"]
