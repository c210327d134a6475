"""What the predictions of notebook 08 say is so, where it is a number or a rule."""

import math
import re

import pytest
import torch

from attention_lab.core.attention import attention
from attention_lab.core.positions import alibi_slopes, rotate, sinusoidal
from attention_lab.exercises import predict
from attention_lab.labs.position import lengths
from attention_lab.labs.position.exercises import needing_positions


def test_a_constant_gate_is_alibi_with_the_slope_of_its_logarithm():
    asked = predict["forgotten_keys"]
    slope = -math.log(0.5)
    weights = (-slope * torch.arange(3, -1, -1, dtype=torch.float64)).softmax(dim=0)
    assert weights.tolist() == pytest.approx([1 / 15, 2 / 15, 4 / 15, 8 / 15])
    assert weights[3].item() == pytest.approx(asked.right, abs=5e-4)
    assert asked.reply(8 / 15).is_right
    assert asked.reply(0.53).is_right
    assert "without gates" in asked.reply(0.25).text
    assert not asked.reply(0.5).is_right  # a half is too low
    assert alibi_slopes(8)[0] == 0.5  # the notebook's 1/2 is a slope, not a gate


def test_the_same_word_twice_has_the_same_output_and_the_mask_tells_them_apart():
    the, dog, bites, man = torch.randn(4, 8, generator=torch.Generator().manual_seed(0)).double()
    x = torch.stack([the, dog, bites, the, man])
    for is_causal, different in ((False, predict["different_outputs"].right), (True, 5)):
        output = attention(x, x, x, is_causal=is_causal).output
        assert len((torch.cdist(output, output) < 1e-9).unique(dim=0)) == different


def test_a_turned_score_is_the_same_a_thousand_positions_on():
    assert predict["same_difference"].reply("the same one").is_right
    q, k = torch.randn(2, 1, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    near, far = (
        (rotate(q, torch.tensor([p])) @ rotate(k, torch.tensor([p - 2])).T).item()
        for p in (5, 1005)
    )
    assert near == pytest.approx(far, abs=1e-12)


def test_products_of_sines_fall_with_rises_in_between():
    right = predict["products_fall"].right
    assert "rises" in right
    table = sinusoidal(33, 64, dtype=torch.float64)
    steps = (table @ table[0]).diff()
    assert (steps[:5] < 0).all()
    assert steps[5] > 0


def test_a_shuffled_word_keeps_its_output():
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    order = torch.tensor([0, 4, 2, 3, 1])
    moved = attention(x[order], x[order], x[order]).output - attention(x, x, x).output[order]
    assert moved.abs().max() < 1e-12


def test_what_can_be_done_without_an_encoding():
    assert predict["sort_or_reverse"].right == "only sorting"
    assert {"C", "D"} & needing_positions() == {"D"}  # sorted, reversed


def test_the_orders_that_are_right_are_those_of_the_kept_runs():
    words = {"sines": "sinusoidal", "rotary": "rotary", "ALiBi": "alibi", "learned": "learned",
             "none": "none"}  # fmt: skip
    right = [words[word] for word in predict["order_at_64"].right.split(", ")]
    means = [sum(run.accuracy[-1] for run in lengths.runs("previous", p)) for p in right]
    assert means == sorted(means, reverse=True)
    assert len(set(right)) == len(means) == 5
    worst = min(words.values(), key=lambda p: sum(r.accuracy[-1] for r in lengths.runs("first", p)))
    assert worst == predict["worst_for_the_first"].right


def test_the_replies_give_the_shares_of_the_kept_runs_and_no_cause():
    means = {
        (task, position): [
            f"{sum(at) / 3:.2f}"
            for at in zip(*(run.accuracy for run in lengths.runs(task, position)), strict=True)
        ]
        for task in ("previous", "first")
        for position in ("alibi", "rotary", "none", "sinusoidal", "learned")
    }
    alibi, rotary, none, sines, learned = list(means.values())[:5]  # of the token before
    at_32 = lengths.LENGTHS.index(32)
    for choice, shares in {
        "sines, rotary, ALiBi, learned, none": [sines[-1], none[-1]],
        "rotary, ALiBi, sines, none, learned": [rotary[at_32], alibi[at_32], rotary[-1], alibi[-1]],
        "ALiBi, rotary, none, sines, learned": [
            each[-1] for each in (alibi, rotary, none, sines, learned)
        ],
        "all but learned near 1, learned at 0": [learned[-1], sines[-1]],
    }.items():
        assert re.findall(r"\d\.\d\d", predict["order_at_64"].reply(choice).text) == shares
    at_16 = lengths.LENGTHS.index(16)
    for choice, shares in {
        "none": [means["first", "none"][-1], none[-1]],
        "ALiBi": [means["first", "alibi"][-1], alibi[-1]],
        "the learned table": [means["first", "learned"][-1], learned[-1]],
        "rotary": [means["first", "rotary"][at_16], means["first", "rotary"][-1]],
    }.items():
        assert re.findall(r"\d\.\d\d", predict["worst_for_the_first"].reply(choice).text) == shares
