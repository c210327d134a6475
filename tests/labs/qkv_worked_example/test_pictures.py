"""The five steps as tables, and a cell in words."""

import pytest
import torch

from attention_lab import attention
from attention_lab.labs.qkv_worked_example.pictures import explain, steps_tables
from helpers import column, marked, tables


@pytest.fixture
def steps():
    return attention(column(1, 2, 3), column(4, 5, 6), column(7, 8, 9))


def test_steps_tables_hold_the_numbers(steps):
    (scores, scaled, masked, weights, output) = tables(steps_tables(steps))
    assert scores[0] == "scores (3 × 3) Q Kᵀ"
    assert scores[1][1] == ["q0", "4", "5", "6", "15"]
    assert scaled[1] == masked[1] == scores[1]
    assert weights[1][0] == ["", "k0", "k1", "k2", "sum"]
    assert weights[1][1:] == [
        ["q0", "0.090", "0.245", "0.665", "1.000"],
        ["q1", "0.016", "0.117", "0.867", "1.000"],
        ["q2", "0.002", "0.047", "0.950", "1.000"],
    ]
    assert [row[1] for row in output[1][1:]] == ["8.575", "8.851", "8.948"]


def test_hidden_cells_are_marked_and_not_only_coloured():
    causal = attention(column(1, 2), column(4, 5), column(7, 8), is_causal=True)
    masked = steps_tables(causal)
    assert 'class="alab-hidden"' in masked
    assert tables(masked)[2][1][1] == ["q0", "4", "−∞", "−∞"]


def test_the_chosen_cell_outlines_what_it_is_made_of(steps):
    html = steps_tables(steps, chosen=("output", 1, 0))
    assert marked(html, "chosen") == 1
    assert marked(html, "related") == 3  # the three weights of row 1


def test_steps_that_a_function_did_not_return_are_left_out(steps):
    only_output = steps._replace(scores=None, scaled=None, masked=None, weights=None)
    assert [caption for caption, _ in tables(steps_tables(only_output))] == [
        "output (3 × 1) weights × V"
    ]


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        (("scores", 0, 1), "scores[0, 1] = q0 · k1 = 1×5 = 5"),
        (("scaled", 0, 1), "scaled[0, 1] = scores[0, 1] × scale = 5 × 1 = 5"),
        (("masked", 0, 1), "masked[0, 1] = scaled[0, 1] = 5: query 0 may attend to key 1"),
        (("weights", 1, 2), "weights[1, 2] = e^12 / (e^8 + e^10 + e^12) = 0.867"),
        (("output", 0, 0), "output[0, 0] = 0.090×7 + 0.245×8 + 0.665×9 = 8.575"),
    ],
)
def test_a_cell_is_explained_in_one_line(steps, cell, line):
    inputs = column(1, 2, 3), column(4, 5, 6), column(7, 8, 9)
    assert explain(*inputs, steps, cell) == line


def test_explanations_of_masks_and_signs():
    query, key, value = column(0, -2), column(4, 5), column(-7, 8)
    mask = torch.tensor([[False, False], [True, False]])
    steps = attention(query, key, value, attn_mask=mask)

    def said(*cell):
        return explain(query, key, value, steps, cell)

    assert said("masked", 1, 1) == "masked[1, 1] = −∞: query 1 may not attend to key 1"
    assert said("weights", 1, 1) == "weights[1, 1] = 0: e^−∞ is exactly 0, key 1 is hidden"
    assert said("weights", 0, 0) == "weights[0, 0] = 0: every key of query 0 is hidden"
    assert said("scaled", 0, 0) == "scaled[0, 0] = scores[0, 0] × scale = 0"
    assert said("output", 1, 0) == "output[1, 0] = 1.000×(−7) + 0×8 = −7"
    with pytest.raises(ValueError, match=r"output\[1, 3\] does not exist: output has 2 rows and 1"):
        said("output", 1, 3)
    with pytest.raises(ValueError, match="the steps are scores, scaled, masked"):
        said("values", 0, 0)


def test_an_added_mask_is_explained():
    query = key = value = column(1, 2)
    bias = torch.tensor([[0.0, 1.5], [0.0, 0.0]], dtype=torch.float64)
    steps = attention(query, key, value, attn_mask=bias)
    line = explain(query, key, value, steps, ("masked", 0, 1))
    assert line == "masked[0, 1] = scaled[0, 1] + mask = 3.5"


@pytest.mark.parametrize(
    ("n_q", "n_k", "is_table"), [(16, 16, True), (17, 4, False), (4, 17, False)]
)
def test_past_16_tokens_the_steps_are_pictures_and_the_largest_weights(n_q, n_k, is_table):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(n, 2, generator=generator) for n in (n_q, n_k, n_k))
    steps = attention(query, key, value, is_causal=n_q == n_k)
    html = steps_tables(steps, chosen=("weights", 2, 1))
    assert ("<img" not in html) == is_table
    if is_table:
        return
    assert "weights (" in html
    (caption, rows), *_ = [t for t in tables(html) if "largest weights" in t[0]]
    count = min(8, n_k)
    assert caption == f"query 2: its {count} largest weights"
    values, indices = steps.weights[2].topk(count)
    assert [row[0] for row in rows[1:-1]] == [f"k{i}" for i in indices.tolist()]
    assert [float(row[1]) for row in rows[1:-1]] == pytest.approx(values.tolist(), abs=6e-4)
    rest = 1 - values.sum().item()
    assert rows[-1][0] == f"other {n_k - count}"
    assert float(rows[-1][1].replace("−", "-")) == pytest.approx(rest, abs=6e-4)


def test_a_long_sum_is_explained_by_its_first_terms():
    query, key, value = torch.ones(1, 20), torch.ones(9, 20), torch.ones(9, 1)
    steps = attention(query, key, value, scale=1.0)
    said = [explain(query, key, value, steps, (step, 0, 0)) for step in ("scores", "weights")]
    assert said == [
        "scores[0, 0] = q0 · k0 = 1×1 + 1×1 + 1×1 + … (20 terms) = 20",
        "weights[0, 0] = e^20 / (e^20 + e^20 + e^20 + … (9 terms)) = 0.111",
    ]
