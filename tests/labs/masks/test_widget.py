"""MaskExplorer, driven by the values of its fields."""

import re

import pytest
import torch

from attention_lab.core.leaks import leak_map
from attention_lab.labs.masks.widget import WAYS
from attention_lab.widgets import MaskExplorer
from helpers import marked, tables


def test_mask_explorer_shows_weights_and_leaks():
    explorer = MaskExplorer()
    (caption, rows), (_, leaks) = tables(explorer.picture.value)
    assert caption.startswith("weights (5 × 5)")
    want = explorer.weights(explorer.tokens)
    for i in range(5):
        assert float(rows[i + 1][i + 1]) == pytest.approx(want[i, i].item(), abs=6e-4)
    assert torch.equal(want.triu(1), torch.zeros(5, 5, dtype=torch.float64))
    assert leaks[1][2:] == ["0"] * 4
    assert "15 of 25 pairs may attend. No leak" in explorer.note


@pytest.mark.parametrize(
    ("way", "leaks"),
    [("−∞", 0), ("−1e9", 0), ("× 0", 10), ("softmax over", 10), ("mask the wrong", 10)],
)
def test_mask_explorer_finds_the_leaks_of_each_way(way, leaks):
    explorer = MaskExplorer(way=next(name for name in WAYS if name.startswith(way)))
    found = leak_map(explorer.output, explorer.tokens).triu(1) > 0
    assert int(found.sum()) == leaks
    assert (f"Leaks: {leaks}." in explorer.note) == (leaks > 0)
    assert marked(explorer.picture.value, "related") == leaks


def test_mask_explorer_says_what_a_row_without_keys_gets():
    explorer = MaskExplorer()
    explorer.mask.boxes[0, 0].value = False
    assert "Query 0 may attend to no key" in explorer.note
    assert "No leak" in explorer.note
    assert tables(explorer.picture.value)[0][1][1][1:] == ["0"] * 6
    explorer.way.value = "−1e9 before the softmax"
    assert "Leaks: 4. Output 0 depends on token 1" in explorer.note
    assert tables(explorer.picture.value)[0][1][1][1] == "0.200"
    explorer.mask.rule.value = "every key"
    explorer.way.value = "mask the wrong way round"
    assert "The rows of the weights sum to 0." in explorer.note


def test_mask_explorer_changes_its_number_of_tokens():
    explorer = MaskExplorer()
    for n in (16, 2, 7):
        explorer.n.value = n
        assert f"{n * (n + 1) // 2} of {n * n} pairs" in explorer.note
        assert explorer.mask.tensor.shape == (n, n)
    assert "7 queries, 7 keys" in explorer.mask.twin_text()
    assert "1 = may attend" in explorer.twin_html()


def frame_of(html):
    """Return a picture without its numbers, colours and outlines: what must stand still."""
    text = re.sub(r"<td[^>]*>[^<].*?</td>", "<td>something</td>", html)
    return re.sub(r'(<div class="alab-pinned">)[^<]*', r"\1", text)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_mask_explorer_stands_still_whatever_mask_way_and_pin(n):
    explorer = MaskExplorer()
    explorer.n.value = n
    frames = {frame_of(explorer.picture.value)}
    longest, cells = 0, []
    for rule in explorer.mask.rules:
        explorer.mask.rule.value = rule
        for way in WAYS:
            explorer.way.value = way
            frames.add(frame_of(explorer.picture.value))
            for _, rows in tables(explorer.picture.value):
                cells += [text for line in rows for text in line]
            longest = max(longest, len(explorer.note))
    assert len(frames) == 1
    # a column is as wide as six characters, and the status line has room for two lines
    assert max(len(cell) for cell in cells if not cell.startswith("output")) <= len(">0.999")
    assert "min-width:3.4em!important" in explorer.twin_html()
    assert longest < 200
    empty = frame_of(explorer.pinned.value)
    explorer.pin.click()
    assert frame_of(explorer.pinned.value) == empty


def test_mask_explorer_keeps_what_is_pinned_beside_the_next_way():
    explorer = MaskExplorer()
    assert "Nothing is pinned yet" in explorer.pinned.value
    assert "is pinned" not in explorer.twin_html()
    assert not re.search(
        r"\d\.\d", re.sub(r"<style>.*?</style>", "", explorer.pinned.value, flags=re.S)
    )
    explorer.way.value = "× 0 after the softmax"
    before = tables(explorer.picture.value)
    explorer.pin.click()
    explorer.way.value = "−1e9 before the softmax"
    explorer.mask.rule.value = "every key"
    assert tables(explorer.pinned.value) == before != tables(explorer.picture.value)
    assert "Pinned: × 0 after the softmax; causal: no later key. Leaks: 10." in (
        explorer.pinned.value
    )
    assert "Pinned: × 0 after the softmax" in explorer.twin_html()
    explorer.n.value = 4  # tables of another size cannot be compared
    assert "Nothing is pinned yet" in explorer.pinned.value


def test_mask_explorer_stripes_what_is_hidden_and_0_and_outlines_what_leaks():
    explorer = MaskExplorer()
    assert marked(explorer.picture.value, "hidden") == 20  # ten in each table
    explorer.way.value = "mask the wrong way round"
    # the last row of the weights is 0 on what it may see, and that is not hidden
    assert marked(explorer.picture.value, "hidden") == 0
    assert marked(explorer.picture.value, "related") == 10


def test_mask_explorer_names_a_few_queries_without_keys():
    explorer = MaskExplorer()
    explorer.mask.rule.value = "only its own position"
    for i in range(5):
        explorer.mask.boxes[i, i].value = False
    assert "Query 0, 1, 2, 3 and others may attend to no key." in explorer.note
    assert len(explorer.note) < 200


def test_a_large_number_and_infinity_differ_in_rows_without_a_key_only():
    explorer = MaskExplorer()
    right, large = list(WAYS)[:2]
    both = []
    for way in (right, large):
        explorer.way.value = way
        both.append((explorer.picture.value, explorer.note))
    assert both[0] == both[1]
    explorer.mask.boxes[0, 0].value = False
    of_large = explorer.shown()
    explorer.way.value = right
    of_right = explorer.shown()
    assert torch.equal(of_large.weights[1:], of_right.weights[1:])
    assert torch.equal(of_large.leaks[1:], of_right.leaks[1:])
    assert torch.equal(of_large.weights[0], torch.full((5,), 0.2, dtype=torch.float64))
    assert not of_right.weights[0].any()


def test_each_cell_says_what_it_is():
    explorer = MaskExplorer(way="× 0 after the softmax")
    for said in (
        "query 0, key 4: hidden, weight 0<",
        "query 4, key 0: may attend, weight 0.1",
        "output 0 moves by 0.01 with token 1: a leak<",
        "output 1 moves by 0",
    ):
        assert f">{said}" in explorer.picture.value
    explorer.mask.rule.value = "every position but its own"
    assert "with token 0: own query<" in explorer.picture.value
