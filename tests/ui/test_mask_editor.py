"""The mask editor."""

import torch

from attention_lab.widgets import MaskEditor
from helpers import tables


def test_a_mask_follows_its_rule_and_then_the_hand():
    mask = MaskEditor(3, 4)
    assert mask.tensor.all()
    assert mask.tensor.shape == (3, 4)
    mask.rule.value = "causal: no later key"
    assert torch.equal(mask.tensor, torch.ones(3, 4, dtype=torch.bool).tril())
    seen = []
    mask.observe(lambda change: seen.append(change["new"]), names="value")
    mask.boxes[0, 2].value = True
    assert mask.rule.value == "your own cells"
    assert mask.tensor.tolist()[0] == [True, False, True, False]
    assert len(seen) == 1
    assert seen[0] == tuple(map(tuple, mask.tensor.tolist()))
    assert "3 queries, 4 keys" in mask.twin_text()
    ((caption, rows),) = tables(mask.twin_html())
    assert "1 = may attend" in caption
    assert rows[1] == ["q0", "1", "0", "1", "0"]


def test_a_large_mask_has_one_box_for_the_chosen_cell():
    mask = MaskEditor(6, 6)
    mask.rule.value = "causal: no later key"
    mask.resize(8, 8)
    assert mask.one_box.value
    mask.one_key.value = 7
    assert not mask.one_box.value
    assert mask.rule.value == "causal: no later key"
    mask.one_box.value = True
    assert mask.tensor[0].tolist() == [True, *[False] * 6, True]
    mask.rule.value = "only its own position"
    assert not mask.one_box.value
    mask.resize(2, 2)
    assert (mask.one_query.value, mask.one_key.value) == (0, 1)
    mask.boxes[0, 1].value = True
    assert mask.tensor.tolist() == [[True, True], [False, True]]
