"""Canvases, clips and hidden patches: what they hold, and what no network is told."""

import torch

from attention_lab.labs.vision.images import patches, splits
from attention_lab.labs.vision.scenes import (
    clips,
    hidden_patches,
    inside,
    scenes,
    scrambled,
    two_digits,
)

DATA = splits()["test"]


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_canvas_holds_one_digit_and_three_scrambled_ones():
    seen = scenes(DATA, 40, drawn())
    assert seen.images.shape == (40, 24, 24)
    for canvas, label, (top, left) in zip(
        seen.images, seen.labels, seen.corners.tolist(), strict=True
    ):
        box = canvas[top : top + 8, left : left + 8]
        same = (DATA.images == box).flatten(1).all(dim=1)
        assert same.any()
        assert label in DATA.labels[same]
        others = canvas.clone()
        others[top : top + 8, left : left + 8] = 0
        assert others.sum() > box.sum()
    assert len(seen.corners.unique(dim=0)) > 20
    assert torch.equal(scenes(DATA, 40, drawn()).images, seen.images)
    assert not torch.equal(scenes(DATA, 40, drawn(1)).images, seen.images)


def test_scrambled_images_keep_their_ink_and_each_has_an_order_of_its_own():
    images = DATA.images[:2].repeat_interleave(2, dim=0)
    mixed = scrambled(images, drawn())
    assert torch.equal(mixed.flatten(1).sort().values, images.flatten(1).sort().values)
    assert not torch.equal(mixed[0], mixed[1])


def test_a_point_is_inside_a_box_or_not():
    corners = torch.tensor([[2, 3]] * 4)
    points = torch.tensor([[2.0, 3.0], [9.9, 10.9], [10.0, 5.0], [5.0, 2.5]])
    assert inside(points, corners).tolist() == [True, True, False, False]


def test_a_clip_shows_its_digit_in_one_frame():
    seen = clips(DATA, 30, drawn())
    assert seen.frames.shape == (30, 8, 8, 8)
    for frames, label, at in zip(seen.frames, seen.labels, seen.at.tolist(), strict=True):
        same = (DATA.images == frames[at]).flatten(1).all(dim=1)
        assert label in DATA.labels[same]
    assert len(seen.at.unique()) == 8


def test_each_patch_with_ink_has_the_label_of_its_digit():
    images, labels = two_digits(DATA, 20, drawn())
    assert images.shape == (20, 8, 16)
    assert labels.shape == (20, 32)
    has_ink = patches(images, 2).sum(-1) > 0
    assert torch.equal(labels >= 0, has_ink)
    grid = labels.view(20, 4, 8)
    for half in (grid[:, :, :4], grid[:, :, 4:]):
        for each in half:
            assert len(set(each[each >= 0].tolist())) == 1


def test_half_of_the_patches_are_hidden():
    hidden = hidden_patches(50, drawn())
    assert hidden.sum(dim=1).tolist() == [8] * 50
    assert len(hidden.unique(dim=0)) > 40
    assert hidden_patches(3, drawn(), count=2, of=5).sum(dim=1).tolist() == [2, 2, 2]
