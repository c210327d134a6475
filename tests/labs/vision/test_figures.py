"""The still pictures."""

import pytest
import torch

from attention_lab.labs.vision import figures, runs
from attention_lab.labs.vision.images import photograph, splits


def test_a_photograph_is_cut_by_white_lines():
    photo = torch.full((3, 32, 48), 0.2)
    picture = figures.cut_photograph(photo, 16)
    assert "32 × 48 pixels, and the same in 6 patches of 16 × 16." in picture.sentence
    shown = picture.figure.axes[1].images[0].get_array()
    assert shown.shape == (2 * 19 - 3, 3 * 19 - 3, 3)
    assert float(shown[16, 0, 0]) == 1.0
    assert float(shown[15, 0, 0]) == pytest.approx(0.2)


def test_patches_may_stand_in_another_order():
    photo = photograph()
    order = torch.arange(196).flip(0)
    picture = figures.cut_photograph(photo, 16, order=order)
    first = torch.tensor(picture.figure.axes[1].images[0].get_array()[:16, :16])
    assert torch.equal(first.permute(2, 0, 1), photo[:, -16:, -16:])
    assert picture.sentence.endswith("in another order.")
    assert picture.png()[:4] == b"\x89PNG"


def test_a_gallery_has_a_panel_for_each_image():
    images = splits()["test"].images[:3]
    picture = figures.gallery(
        images,
        ["a", "b", "c"],
        title="Three",
        boxes=torch.zeros(3, 2),
        points=torch.ones(3, 2),
    )
    assert len(picture.figure.axes) == 3
    assert picture.sentence == "Three: a, b, c."
    assert len(picture.figure.axes[0].patches) == 1
    plain = figures.gallery(images, ["a", "b", "c"], title="Three")
    assert not plain.figure.axes[0].patches


def test_two_maps_carry_their_numbers():
    numbers = torch.arange(16.0) / 16
    picture = figures.two_maps(torch.rand(8, 8), {"one": numbers, "two": -numbers}, title="Both")
    image, one, two = picture.figure.axes
    assert not image.texts
    assert [text.get_text() for text in one.texts][-1] == "0.94"
    assert [text.get_text() for text in two.texts][-1] == "−0.94"
    assert "one: largest in row 3, column 3 of the patches" in picture.sentence


def test_accuracies_say_the_means():
    groups = {"CNN": runs.best("CNN"), "ViT": runs.best("ViT")}
    for moved in (False, True):
        picture = figures.accuracies(groups, title="Digits", moved=moved)
        assert "CNN 0." in picture.sentence
        assert len(picture.figure.axes[0].lines) == 6


def test_the_picture_on_top_shows_two_maps_that_differ():
    picture = figures.opening()
    assert len(picture.figure.axes) == 3
    assert "The rank correlation of the two maps is 0." in picture.sentence
