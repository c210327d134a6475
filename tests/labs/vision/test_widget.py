"""VisionExplorer, driven by its buttons and fields."""

import re

import pytest
import torch

from attention_lab.grading.feedback import Problem
from attention_lab.labs.vision.images import shifted, splits
from attention_lab.labs.vision.maps import attention_map, occlusion_map
from attention_lab.labs.vision.networks import build
from attention_lab.labs.vision.trained import load
from attention_lab.labs.vision.widget import COVER, EMPTY, STYLE, VisionExplorer
from driving import boxes_of
from helpers import marked, redraws_of, tables


@pytest.fixture
def explorer():
    return VisionExplorer()


def first(digit):
    test = splits()["test"]
    return test.images[int((test.labels == digit).nonzero()[0])]


def test_it_shows_what_the_network_reads_where_it_looks_and_what_it_needs(explorer):
    image = first(3)
    assert torch.equal(explorer.image, image)
    vit = load("ViT")
    (_, looks), (_, needs), (_, shares) = tables(explorer.picture.value)
    want = attention_map(vit, image[None])[0].view(4, 4)
    cost = occlusion_map(vit, image[None])[0].view(4, 4)
    for i in range(4):
        for j in range(4):
            for rows, number in ((looks, want), (needs, cost)):
                text = rows[i + 1][j + 1].replace("−", "-").replace("≈", "")
                assert float(text) == pytest.approx(number[i, j].item(), abs=6e-4)
    share = vit(image[None]).softmax(-1)[0]
    assert float(shares[4][1].strip(">")) == pytest.approx(share[3].item(), abs=1e-3)
    assert explorer.note.startswith("It reads a 3 (")
    assert "Rank correlation of the two maps: 0." in explorer.note


def test_a_click_draws_in_three_levels_and_one_redraw(explorer):
    explorer.example.value = EMPTY
    counted = redraws_of(explorer)
    pixel = explorer.pixels[2, 5]
    seen = []
    for _ in range(3):
        pixel.click()
        seen.append((pixel.description, pixel._dom_classes, explorer.image[2, 5].item()))
    assert seen == [("8", ("alab-ink8",), 0.5), ("16", ("alab-ink16",), 1.0),
                    ("0", ("alab-ink0",), 0.0)]  # fmt: skip
    assert len(counted) == 3
    explorer.set_image(torch.full((8, 8), 5 / 16))
    pixel.click()
    assert pixel.description == "0"  # a level between is wiped out


def test_a_click_covers_a_patch_and_uncovers_it(explorer):
    explorer.click.value = COVER
    before = explorer.image
    explorer.pixels[2, 5].click()
    lies = [at for at, pixel in explorer.pixels.items() if "alab-cover" in pixel._dom_classes]
    assert lies == [(2, 4), (2, 5), (3, 4), (3, 5)]
    assert not explorer.image[2:4, 4:6].any()
    rest = torch.ones(8, 8, dtype=torch.bool)
    rest[2:4, 4:6] = False
    assert torch.equal(explorer.image[rest], before[rest])
    explorer.moves["→"].click()  # what covers stays where it is
    assert "alab-cover" in explorer.pixels[2, 4]._dom_classes
    explorer.moves["←"].click()
    explorer.pixels[3, 4].click()
    assert not any("alab-cover" in pixel._dom_classes for pixel in explorer.pixels.values())


def test_moves_and_the_way_back(explorer):
    counted = redraws_of(explorer)
    for arrow, by in (("↑", (-1, 0)), ("→", (0, 1)), ("↓", (1, 0)), ("←", (0, -1))):
        explorer.moves[arrow].click()
        assert torch.equal(explorer.image, shifted(first(3), *by)), arrow
        explorer.again.click()
        assert torch.equal(explorer.image, first(3))
    assert len(counted) == 8


def test_a_network_without_attention_leaves_its_map_empty(explorer):
    explorer.network.value = "CNN"
    (caption, looks), (_, needs), _ = tables(explorer.picture.value)
    assert "this network has none" in caption
    assert {text for line in looks[1:] for text in line[1:]} == {"0"}
    assert needs[1][1:] != ["0"] * 4
    assert marked(explorer.picture.value, "hidden") == 16
    assert "It has no attention." in explorer.note


def frame_of(html):
    """What stays when numbers and colours go."""
    html = re.sub(r'<span class="alab-why".*?</span>(?=</td>)', "", html, flags=re.S)
    html = re.sub(r"(<td[^>]*?)alab-(?:[wn]\d+|hidden) ?", r"\1", html)
    html = re.sub(r"on the patches: they sum to 1|this network has none", "", html)
    return re.sub(r">[^<>]*(?=</(td|span|div)>)", ">", html)


def test_it_stands_still_whatever_is_shown(explorer):
    frames, longest = set(), 0
    for name in explorer.networks:
        explorer.network.value = name
        for example in explorer._examples:
            explorer.example.value = example
            frames.add(frame_of(explorer.picture.value))
            longest = max(longest, len(explorer.note))
            for _, rows in tables(explorer.picture.value)[:2]:
                assert max(len(text) for line in rows[1:] for text in line[1:]) <= len("−10.123")
    assert len(frames) == 1
    assert longest < 200  # two lines


@pytest.mark.browser
def test_on_the_page_every_part_stays_where_it_is(explorer):
    pictures = []
    for name in explorer.networks:
        explorer.network.value = name
        for example in ("a 3", "a 6", EMPTY):
            explorer.example.value = example
            pictures.append(f'<div class="alab-vision">{explorer.picture.value}</div>')
    first_, *others = boxes_of(pictures, STYLE)
    assert len(first_) > 40
    assert all(boxes == first_ for boxes in others)


def test_an_empty_sheet_has_nothing_to_cover(explorer):
    explorer.example.value = EMPTY
    assert explorer.note.endswith("covering paper with paper costs nothing.")


def test_networks_of_ones_own(explorer):
    own = VisionExplorer({"mine": build("ViT").eval()}, start=7)
    assert torch.equal(own.image, first(7))
    assert list(own.networks) == ["mine"]


def test_a_network_that_fails_is_named_and_the_last_picture_stays():
    class Broken(torch.nn.Module):
        def forward(self, images):
            raise ValueError("no such layer")

    both = VisionExplorer({"good": load("ViT"), "bad": Broken()})
    before = both.picture.value
    both.network.value = "bad"
    assert both.picture.value == before
    assert "no such layer" in both.status.value
    assert "alab-stale" in both.picture._dom_classes
    both.network.value = "good"
    assert "alab-stale" not in both.picture._dom_classes


def test_an_image_of_another_shape_or_ink_is_refused(explorer):
    with pytest.raises(Problem, match=r"an image has the shape \(8, 8\), not \(4, 4\)"):
        explorer.set_image(torch.zeros(4, 4))
    with pytest.raises(Problem, match="between 0 and 1"):
        explorer.set_image(torch.full((8, 8), 16.0))


def test_the_twin_holds_the_image_and_the_pictures(explorer):
    found = tables(explorer.twin_html())
    assert [caption.split(" (")[0] for caption, _ in found][:3] == [
        "image", "weights of CLS", "occlusion map"
    ]  # fmt: skip
    assert marked(explorer.twin_html(), "hidden") == 0
    assert len(explorer.twin_text()) < 240
    assert explorer.twin_text().startswith("VisionExplorer, a 3, ViT: It reads")


def test_every_pixel_says_where_it_is(explorer):
    said = {pixel.tooltip for pixel in explorer.pixels.values()}
    assert len(said) == 64
    assert "ink of row 7, column 0" in said
