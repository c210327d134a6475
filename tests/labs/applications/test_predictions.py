"""What the predictions of notebook 16 say is so."""

import math

import pytest
import torch
import torch.nn.functional as F

from attention_lab.exercises import predict
from attention_lab.labs.applications import trials
from attention_lab.labs.applications.design import eight, read_design


def test_a_softmax_knows_the_share_and_gates_the_number():
    outputs = []
    for lamps, others in ((2, 4), (6, 12)):
        scores = torch.tensor([2.0] * lamps + [0.0] * others)
        value = torch.tensor([1.0] * lamps + [0.0] * others)
        outputs.append((scores.softmax(0) @ value, scores.sigmoid() @ value))
    (soft_a, gates_a), (soft_b, gates_b) = outputs
    assert soft_a.item() == pytest.approx(soft_b.item(), abs=1e-6)
    assert f"{soft_a.item():.3f}" == predict["two_of_six"].shown_by
    assert gates_b.item() == pytest.approx(3 * gates_a.item(), rel=1e-6)


def test_the_loss_of_64_equal_similarities_is_ln_64():
    asked = predict["loss_at_the_start"]
    loss = F.cross_entropy(torch.zeros(64, 64), torch.arange(64)).item()
    assert loss == pytest.approx(math.log(64), abs=1e-6)
    assert asked.reply(loss).is_right
    for wrong in (math.log(2), math.log2(64), math.log10(64), math.log(64 * 64), 1 / 64):
        assert asked.reply(wrong).text in asked.mistakes.values()


def test_the_length_closes_most_of_the_gap():
    auc = {
        kind: trials.summary("shop", kind)[0] for kind in ("softmax", "softmax, told n", "sigmoid")
    }
    closed = (auc["softmax, told n"] - auc["softmax"]) / (auc["sigmoid"] - auc["softmax"])
    assert closed > 0.8
    assert predict["softmax_told_n"].right == "it comes close to the gates"


def test_the_question_alone_is_worth_one_in_32():
    assert trials.summary("stories", "question")[0] == pytest.approx(1 / 32, abs=0.01)
    assert predict["attends_to_question"].right == "about 1 time in 32"


def test_of_the_four_designs_one_breaks_a_check():
    parts = {
        "the mask k <= q": {"mask": "k <= q"},
        "the bias 100*k": {"bias": "100*k"},
        "the mask k < q": {"mask": "k < q"},
        "the temperature 0.01": {"temperature": 0.01},
    }
    asked = predict["breaks_a_check"]
    assert set(parts) == set(asked.choices)
    for choice, part in parts.items():
        kept = all(each.holds for each in eight(read_design({"name": "x"} | part)))
        assert asked.reply(choice).is_right != kept
