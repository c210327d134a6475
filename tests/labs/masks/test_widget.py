"""MaskExplorer, driven by the values of its fields."""

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
