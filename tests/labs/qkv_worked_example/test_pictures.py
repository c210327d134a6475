"""The steps as tables, and how each cell was made."""

import re

import pytest
import torch

from attention_lab import attention
from attention_lab.core.attention import AttentionSteps
from attention_lab.labs.qkv_worked_example.pictures import (
    STRIP_CSS,
    Reasons,
    output_table,
    steps_tables,
)
from helpers import column, tables

POWERS = {k: f"e<sup>{k}</sup>" for k in (8, 10, 12)}


@pytest.fixture
def inputs():
    return column(1, 2, 3), column(4, 5, 6), column(7, 8, 9)


@pytest.fixture
def steps(inputs):
    return attention(*inputs)


def captions(html):
    return [caption.split()[0] for caption, _ in tables(html)]


def test_steps_tables_hold_the_numbers(steps):
    (scores, weights) = tables(steps_tables(steps))
    assert scores[0] == "scores (3 × 3) Q Kᵀ"
    assert scores[1][1] == ["q0", "4", "5", "6"]  # a sum stands only beside weights
    assert weights[1][0] == ["", "k0", "k1", "k2", "sum"]
    assert weights[1][1:] == [
        ["q0", "0.090", "0.245", "0.665", "1.000"],
        ["q1", "0.016", "0.117", "0.867", "1.000"],
        ["q2", "0.002", "0.047", "0.950", "1.000"],
    ]
    ((_, output),) = tables(output_table(steps.output))
    assert [row[1] for row in output[1:]] == ["8.575", "8.851", "8.948"]


def test_a_step_that_changes_nothing_is_left_out(inputs):
    two = torch.ones(3, 2).double()
    assert captions(steps_tables(attention(*inputs))) == ["scores", "weights"]
    assert captions(steps_tables(attention(two, two, two))) == ["scores", "scaled", "weights"]
    assert captions(steps_tables(attention(*inputs, is_causal=True))) == [
        "scores",
        "masked",
        "weights",
    ]
    masked = attention(two, two, two, is_causal=True)
    assert captions(steps_tables(masked)) == ["scores", "scaled", "masked", "weights"]
    only = masked._replace(scores=None, scaled=None, masked=None)
    assert captions(steps_tables(only)) == ["weights"]
    assert steps_tables(AttentionSteps(None, None, None, None, masked.output)).count("<table") == 0


def test_scores_and_scaled_share_one_scale():
    query, key = torch.eye(2).double() * 6, torch.ones(2, 2).double()
    html = steps_tables(attention(query, key, key, scale=0.5))
    scores, scaled = re.findall(r'<table class="of-sc.*?</table>', html)
    assert re.findall(r"alab-n(\d+)", scores) == ["64"] * 4  # 6, the largest of both
    assert re.findall(r"alab-n(\d+)", scaled) == ["48"] * 4  # 3: half way from 32, which is 0


def test_hidden_cells_are_striped_in_the_scores_and_in_the_weights():
    causal = attention(column(1, 2), column(4, 5), column(7, 8), is_causal=True)
    html = steps_tables(causal)
    assert html.count('class="alab-hidden"') == 2
    assert tables(html)[1][1][1] == ["q0", "4", "−∞"]
    assert tables(html)[2][1][1] == ["q0", "1.000", "0", "1.000"]


@pytest.mark.parametrize(
    ("step", "i", "j", "why"),
    [
        ("scores", 0, 1, "q0 · k1 = 1 × 5 = 5"),
        ("scaled", 0, 1, "score × scale = 5 × 1 = 5"),
        ("masked", 0, 1, "query 0 may attend to key 1: the score stays = 5"),
        ("weights", 1, 2, f"{POWERS[12]} / ({POWERS[8]} + {POWERS[10]} + {POWERS[12]}) = 0.867"),
        ("output", 0, 0, "0.090 × 7 + 0.245 × 8 + 0.665 × 9 = 8.575"),
    ],
)  # fmt: skip
def test_a_cell_says_how_it_was_made(inputs, steps, step, i, j, why):
    assert Reasons(*inputs, steps).of(step)(i, j) == why


def test_reasons_of_masks_and_signs():
    query, key, value = column(0, -2), column(4, 5), column(-7, 8)
    mask = torch.tensor([[False, False], [True, False]])
    reasons = Reasons(query, key, value, attention(query, key, value, attn_mask=mask))
    assert reasons.of("masked")(1, 1) == "query 1 may not attend to key 1: masked = −∞"
    assert reasons.of("weights")(1, 1) == "e<sup>−∞</sup> / (e<sup>−8</sup>) = 0"
    assert reasons.of("weights")(0, 0) == "every key of query 0 is hidden: weight = 0"
    assert reasons.of("scaled")(0, 0) == "score × scale = 0 × scale = 0"
    assert reasons.of("output")(1, 0) == "1.000 × (−7) + 0 × 8 = −7"


def test_a_cell_of_another_function_says_both_numbers(inputs, steps):
    theirs = steps._replace(weights=steps.weights.flip(-1), scaled=None)
    reasons = Reasons(*inputs, steps, theirs, "mine")
    assert reasons.of("weights")(0, 0).endswith(" = 0.090; mine has 0.665")
    assert reasons.of("weights")(0, 1).endswith(" = 0.245")
    assert "mine" not in reasons.of("output")(0, 0)
    assert reasons.of("scaled")(0, 0)  # a step that was not returned


def test_a_long_sum_is_written_with_its_first_terms():
    query, key, value = torch.ones(1, 20), torch.ones(9, 20), torch.ones(9, 1)
    reasons = Reasons(query, key, value, attention(query, key, value, scale=1.0))
    assert reasons.of("scores")(0, 0) == "q0 · k0 = 1 × 1 + 1 × 1 + 1 × 1 + … (20 terms) = 20"
    assert reasons.of("weights")(0, 0).endswith("… (9 terms)) = 0.111")


def test_each_table_has_the_class_by_which_its_cells_are_lit_up(inputs, steps):
    html = steps_tables(attention(*inputs, is_causal=True), reasons=Reasons(*inputs, steps))
    assert re.findall(r'<table class="([^"]*)"', html) == [
        "of-scores",
        "of-masked into-softmax",
        "of-weights",
    ]
    assert output_table(steps.output).count('<table class="of-output"') == 1
    for name in ("of-scores", "of-weights", "of-output", "into-softmax"):
        assert f"'{name}'" in STRIP_CSS  # what the script asks for


@pytest.mark.parametrize(
    ("n_q", "n_k", "pictures"), [(8, 8, 0), (9, 9, 3), (16, 2, 2), (17, 4, 3), (4, 17, 3)]
)
def test_of_many_tokens_scores_are_pictures_then_weights_too_with_the_largest(n_q, n_k, pictures):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(n, 2, generator=generator) for n in (n_q, n_k, n_k))
    steps = attention(query, key, value, is_causal=n_q == n_k)
    html = steps_tables(steps, reasons=Reasons(query, key, value, steps), query=2)
    assert html.count("<img") == pictures
    assert ("alab-why" in html) == (pictures == 0)  # too many for one message
    assert html.count("is outlined") == (pictures if max(n_q, n_k) > 16 else 0)
    if max(n_q, n_k) <= 16:
        assert [t for t in tables(html) if t[0].startswith("weights")]
        return
    assert "weights</b> (" in html
    (caption, rows), *_ = [t for t in tables(html) if "largest weights" in t[0]]
    count = min(8, n_k)
    assert caption == f"query 2: its {count} largest weights"
    values, indices = steps.weights[2].topk(count)
    assert [row[0] for row in rows[1:-1]] == [f"k{i}" for i in indices.tolist()]
    assert [float(row[1]) for row in rows[1:-1]] == pytest.approx(values.tolist(), abs=6e-4)
    rest = 1 - values.sum().item()
    assert rows[-1][0] == f"other {n_k - count}"
    assert float(rows[-1][1].replace("≈", "")) == pytest.approx(rest, abs=6e-4)
