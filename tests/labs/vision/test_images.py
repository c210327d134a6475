"""Digits, patches, shifts, and the photograph."""

import pytest
import torch
import torch.nn.functional as F

from attention_lab.labs.vision.images import (
    SHIFTS,
    ink,
    of_patches,
    patches,
    photograph,
    pixel_order,
    rearranged,
    shifted,
    splits,
)


def test_the_parts_are_drawn_once_and_share_no_image():
    parts = splits()
    sizes = {name: len(part.images) for name, part in parts.items()}
    assert sizes == {"test": 450, "validation": 250, "train": 1097, "all": 1347, "few": 200}
    assert torch.equal(parts["all"].images[250:], parts["train"].images)
    assert torch.equal(parts["all"].labels[:250], parts["validation"].labels)
    assert torch.equal(parts["train"].images[:200], parts["few"].images)
    together = torch.cat([parts["test"].images, parts["all"].images])
    assert len(together.flatten(1).unique(dim=0)) == 1797
    assert together.min() == 0
    assert together.max() == 1
    assert set(parts["few"].labels.tolist()) == set(range(10))


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_patches_are_those_of_unfold_and_go_back(size):
    images = torch.randn(3, 8, 16)
    cut = patches(images, size)
    assert torch.equal(cut, F.unfold(images[:, None], size, stride=size).mT)
    assert torch.equal(of_patches(cut, size, 16), images)
    assert torch.equal(patches(images[0], size), cut[0])


def test_a_size_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match="patches of 3 × 3 do not fill an image of 8 × 8"):
        patches(torch.zeros(8, 8), 3)


def test_a_shift_moves_every_pixel_and_loses_what_leaves():
    image = torch.arange(12.0).view(3, 4) + 1
    assert shifted(image, 0, 0).equal(image)
    assert shifted(image, 1, 0).tolist() == [[0] * 4, [1, 2, 3, 4], [5, 6, 7, 8]]
    assert shifted(image, 0, -1).tolist() == [[2, 3, 4, 0], [6, 7, 8, 0], [10, 11, 12, 0]]
    for down, right in SHIFTS:
        there_and_back = shifted(shifted(image, down, right), -down, -right)
        kept = there_and_back != 0
        assert torch.equal(there_and_back[kept], image[kept])


def test_one_order_for_all_images_and_the_ink_of_patches():
    images, order = torch.rand(2, 8, 8), pixel_order()
    assert sorted(order.tolist()) == list(range(64))
    assert torch.equal(order, pixel_order())
    moved = rearranged(images, order)
    assert moved[1].flatten()[5] == images[1].flatten()[order[5]]
    assert torch.allclose(ink(images).sum(-1), images.sum((1, 2)))
    assert ink(images).shape == (2, 16)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_the_photograph_is_its_middle(name):
    photo = photograph(name)
    assert photo.shape == (3, 224, 224)
    assert 0 <= photo.min() < photo.max() <= 1
    assert torch.equal(photograph(name, 100), photo[:, 62:162, 62:162])
