"""AttentionExplorer, driven by the values of its fields."""

import math

import ipywidgets
import pytest
import torch

from attention_lab import attention
from attention_lab.labs.qkv_worked_example.widget import EXAMPLES
from attention_lab.pictures.tables import still
from attention_lab.ui.mask_editor import MASKS
from attention_lab.widgets import AttentionExplorer
from helpers import all_inside, shown, text_of, type_into


@pytest.fixture
def explorer():
    return AttentionExplorer()


def test_it_starts_with_the_worked_example(explorer):
    assert [row[-2] for row in shown(explorer, "weights")] == ["0.665", "0.867", "0.950"]
    assert [row[1] for row in shown(explorer, "output")] == ["8.575", "8.851", "8.948"]
    assert "e<sup>4</sup> / (e<sup>4</sup> + e<sup>5</sup> + e<sup>6</sup>) = 0.090" in (
        explorer.picture.value
    )
    assert 'title="e^4 / (e^4 + e^5 + e^6) = 0.090"' in still(explorer.twin_html())


def test_every_step_follows_an_edit(explorer):
    type_into(explorer.query, 0, 0, "0")
    assert shown(explorer, "scores")[0][1:4] == ["0", "0", "0"]
    assert shown(explorer, "weights")[0][1:5] == ["0.333", "0.333", "0.333", "1.000"]
    assert shown(explorer, "output")[0][1] == "8"


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("mask", MASKS)
def test_the_picture_is_what_pytorch_computes(explorer, example, mask):
    explorer.example.value = example
    explorer.mask.rule.value = mask
    explorer.temperature.value = 2
    q, k, v = explorer.query.tensor, explorer.key.tensor, explorer.value.tensor
    theirs = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=explorer.mask.tensor, scale=1 / math.sqrt(k.shape[1]) / 2
    )
    assert torch.allclose(explorer.steps.output, theirs)
    read = [[float(x.replace("−", "-")) for x in row[1:]] for row in shown(explorer, "output")]
    assert torch.allclose(torch.tensor(read).double(), theirs, atol=6e-4)


def test_one_redraw_for_a_whole_change(explorer):
    redraws = []
    draw = explorer.draw
    explorer.draw = lambda: redraws.append(1) or draw()
    explorer.example.value = "six tokens, d_k = 4"
    assert len(redraws) == 1
    explorer.mask.rule.value = "causal: no later key"
    assert len(redraws) == 2
    explorer.sizes["d_k"].value = 3
    assert len(redraws) == 3
    explorer.query.paste("1 2 3")
    assert len(redraws) == 4


def test_sizes_change_the_matrices_that_share_them(explorer):
    explorer.sizes["n_k"].value = 4
    assert len(explorer.key.value) == len(explorer.value.value) == 4
    explorer.sizes["d_k"].value = 2
    assert len(explorer.query.value[0]) == len(explorer.key.value[0]) == 2
    explorer.sizes["d_v"].value = 3
    explorer.sizes["n_q"].value = 1
    assert explorer.steps.output.shape == (1, 3)
    explorer.reset.click()
    assert explorer.query.value == ((1,), (2,), (3,))
    assert explorer.steps.output.shape == (3, 1)


def test_scale_and_temperature(explorer):
    explorer.example.value = "one token of dimension 3"
    assert shown(explorer, "scaled")[0][1] == "18.475"
    explorer.scaled.value = False
    assert shown(explorer, "scaled") is None  # as the scores
    explorer.temperature.value = 10
    assert shown(explorer, "scaled")[0][1] == "3.2"
    assert "1 (not divided by √d_k) / 10 = 0.1" in text_of(explorer.status.value)


def test_mask_cells_and_presets(explorer):
    explorer.mask.rule.value = "causal: no later key"
    assert [row[1] for row in shown(explorer, "output")] == ["7", "7.881", "8.948"]
    explorer.mask.boxes[0, 0].value = False
    assert explorer.mask.rule.value == "your own cells"
    assert shown(explorer, "weights")[0][1:5] == ["0", "0", "0", "0"]
    assert "Query 0 may attend to no key" in text_of(explorer.status.value)
    explorer.mask.rule.value = "every key"
    assert explorer.mask.tensor.all()
    assert shown(explorer, "output")[0][1] == "8.575"


def test_own_mask_cells_survive_a_new_size(explorer):
    explorer.mask.boxes[0, 1].value = False
    explorer.sizes["n_q"].value = 4
    assert explorer.mask.rule.value == "your own cells"
    assert explorer.mask.tensor.tolist()[0] == [True, False, True]
    assert explorer.mask.tensor.shape == (4, 3)


def test_matrices_that_share_a_size_follow_a_paste(explorer):
    explorer.query.paste("1 2\n3 4")
    assert explorer.key.value == ((4, 0), (5, 0), (6, 0))
    assert "K now has 2 columns (d_k) as well, like Q" in text_of(explorer.status.value)
    explorer.key.paste("1 0\n0 1")
    assert explorer.value.value == ((7,), (8,))
    assert "V now has 2 rows (n_k) as well, like K" in text_of(explorer.status.value)
    assert [explorer.sizes[name].value for name in ("n_q", "n_k", "d_k", "d_v")] == [2, 2, 2, 1]
    explorer.value.paste("1 2\n3 4\n5 6")
    assert explorer.key.value == ((1, 0), (0, 1), (6, 0))  # what stood there before
    type_into(explorer.value, 0, 0, "3")
    assert "now has" not in text_of(explorer.status.value)
    explorer.reset.click()
    assert shown(explorer, "output")[0][1] == "8.575"
    assert "now has" not in text_of(explorer.status.value)


def test_numbers_come_back_when_a_shared_size_does(explorer):
    explorer.key.paste("4")
    assert explorer.value.value == ((7,),)
    explorer.sizes["n_k"].value = 3
    assert explorer.value.value == ((7,), (8,), (9,))


def test_a_problem_stands_in_one_line_and_dims_the_pictures(explorer):
    for editor, text in ((explorer.query, "abc"), (explorer.value, "x y")):
        type_into(editor, 0, 0, text)
        assert f"“{text}” is not a number" in text_of(explorer.status.value)
        assert editor.message_line.layout.display == "none"
        assert "alab-stale" in explorer.picture._dom_classes
        assert shown(explorer, "output")[0][1] == "8.575"
        type_into(editor, 0, 0, str(editor.value[0][0]))
        assert "alab-stale" not in explorer.picture._dom_classes
    explorer.temperature.field.value = "cold"
    assert "temperature: “cold” is not a number" in text_of(explorer.status.value)
    explorer.temperature.field.value = "2"
    assert "/ 2 = 0.5" in text_of(explorer.status.value)


def test_what_is_used_seldom_is_folded(explorer):
    for inside in (explorer.sizes["n_q"], explorer.query.tools, explorer.mask.cells):
        (home,) = [w for w in all_inside(explorer) if inside in getattr(w, "children", ())]
        while home not in explorer.children:
            (home,) = [w for w in all_inside(explorer) if home in getattr(w, "children", ())]
        assert home.layout.display == "none"
    for button in [w for w in all_inside(explorer) if isinstance(w, ipywidgets.ToggleButton)]:
        button.value = True
    assert all(child.layout.display != "none" for child in explorer.children[1:])


def test_a_change_sends_one_picture_and_no_change_none(explorer):
    sent = []
    explorer.picture.observe(sent.append, names="value")
    explorer.scaled.value = False  # d_k is 1
    assert not sent
    type_into(explorer.value, 0, 0, "1")
    assert len(sent) == 1


def test_an_abandoned_mask_rule_does_not_come_back(explorer):
    explorer.mask.rule.value = "causal: no later key"
    explorer.sizes["n_q"].value = explorer.sizes["n_k"].value = 2
    explorer.mask.rule.value = "every key"
    explorer.mask.boxes[0, 1].value = False
    explorer.sizes["n_q"].value = explorer.sizes["n_k"].value = 3
    assert explorer.mask.tensor.tolist() == [[True, False, True], [True] * 3, [True] * 3]


def test_own_matrices_can_be_given():
    explorer = AttentionExplorer([[1, 0]], [[1, 0], [0, 1]], torch.tensor([[0.7], [0.1]]))
    assert explorer.example.value == "yours"
    assert explorer.value.value == ((0.7,), (0.1,))
    with pytest.raises(ValueError, match="together"):
        AttentionExplorer([[1, 0]])


def test_extreme_numbers(explorer):
    type_into(explorer.query, 0, 0, "1e307")
    assert "too large; write a number up to 1e+30" in text_of(explorer.status.value)
    for text in ("1e30", "-1e30", "1e-308", "0"):
        type_into(explorer.query, 0, 0, text)
        assert explorer.picture.value
    type_into(explorer.query, 0, 0, "1")
    assert shown(explorer, "output")[0][1] == "8.575"


@pytest.mark.parametrize("n", [16, 17, 128])
def test_an_explorer_of_many_tokens(n):
    generator = torch.Generator().manual_seed(n)
    query, key, value = (torch.randn(n, 16, generator=generator) for _ in range(3))
    explorer = AttentionExplorer(query, key, value)
    assert len(explorer.query.fields) == len(explorer.mask.boxes) == 0
    html = explorer.picture.value  # two of scores; past 16 also weights and output
    assert (html.count("<img"), html.count("<td") > n * n) == ((4, False) if n > 16 else (2, True))
    explorer.query.one_row.value = n - 1
    explorer.one_query.value = min(n - 1, explorer.one_query.max)
    explorer.query.one_number.value = "3"
    query = query.double()
    query[-1, 0] = 3
    want = attention(query, key.double(), value.double())
    assert torch.allclose(explorer.steps.output, want.output, atol=1e-6)
    explorer.mask.one_query.value, explorer.mask.one_key.value = n - 1, 0
    explorer.mask.one_box.value = False
    assert explorer.steps.weights[n - 1, 0] == 0
    if n > 16:
        assert f"query {n - 1}: its 8 largest weights" in text_of(explorer.picture.value)
    assert (explorer.one_query.layout.display == "none") == (n <= 16)
    assert ("too large" in explorer.twin_text()) == (n > 16)
    assert "weights: q0 " in explorer.twin_text()
    assert "q2 " in explorer.twin_text()
    assert ", and so on; output" in explorer.twin_text()


def test_the_twin_says_on_which_key_each_query_has_most_if_there_are_weights():
    explorer = AttentionExplorer()
    said = "q0 most on k2 (0.665), q1 most on k2 (0.867), q2 most on k2 (0.950)"
    assert f"; weights: {said}; output" in explorer.twin_text()
    bare = AttentionExplorer(function=lambda query, key, value: query @ key.T @ value)
    assert "weights" not in bare.twin_text()


def test_more_tokens_than_fit_are_refused_in_words():
    query = torch.zeros(129, 2)
    with pytest.raises(ValueError, match="Q is 129 × 2, but this editor holds at most 128 × 64"):
        AttentionExplorer(query, query, query)
