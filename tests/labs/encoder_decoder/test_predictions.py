"""What the predictions of notebook 09 say of kept trainings and of data is so."""

from collections import Counter

import torch

from attention_lab.exercises import predict
from attention_lab.labs.encoder_decoder.ablation import committed, key_of, starts
from attention_lab.labs.encoder_decoder.translators import KINDS, committed_translators
from attention_lab.models.data.sequences import draw


def test_no_head_of_any_start_is_the_alignment_in_every_kind_of_word():
    runs = committed_translators()["Transformer"]
    heads = [[run[f"head {h}"][kind] for kind in KINDS] for run in runs for h in range(4)]
    assert len(heads) == 16
    assert sum(min(head) >= 0.9 for head in heads) == predict["heads_that_align"].right
    assert max(max(head) for head in heads) >= 0.9  # in some kind they are


def test_which_head_is_best_is_told_by_the_notebook_as_it_is_kept():
    runs = committed_translators()["Transformer"]
    better = {
        kind: sum(run["mean"][kind] > max(run[f"head {h}"][kind] for h in range(4)) for run in runs)
        for kind in KINDS
    }
    assert better == {"noun": 1, "adjective": 3, "determiner": 1, "de": 0}
    best = [max(range(4), key=lambda h: run[f"head {h}"]["determiner"]) for run in runs]
    assert best == [3, 3, 3, 3]


def test_a_target_of_four_digits_has_five_words_to_predict():
    _, target = draw("reverse", 2, 4, torch.Generator().manual_seed(0))
    assert target[0, 1:].numel() == predict["what_is_predicted"].right


THREE = ("norm", "feed_forward", "output")


def test_each_of_three_parts_can_be_spared_and_not_all_of_them():
    asked = predict["what_reversing_can_spare"]
    alone = [starts()[key_of((part,), "reverse")].exact_match for part in THREE]
    together = starts()[key_of(THREE, "reverse")].exact_match
    assert min(map(min, alone)) == 0.997
    assert (min(together), max(together)) == (0.82, 0.953)
    for choice, reply in zip(asked.choices, asked.replies, strict=True):
        assert "0.997" in reply.text
        assert reply.is_right == (choice == "without any one, and not without all three")


def test_what_the_pairs_of_parts_give_is_told_as_it_is_kept():
    pairs = [committed()[key_of(set(THREE) - {part}, "reverse")].exact_match for part in THREE]
    assert pairs == [1.0, 1.0, 0.977]  # without: norm stays, feed-forward stays, W_O stays
    without = (
        committed()[key_of(["residual"], "sort")],
        committed()[key_of(["residual", "feed_forward"], "sort")],
    )
    assert [run.exact_match for run in without] == [0.04, 0.283]
    no_mask = committed()[key_of(["causal"], "sort")]
    nor_order = committed()[key_of(["causal", "position"], "sort")]
    assert [no_mask.accuracy, nor_order.accuracy] == [1.0, 0.793]
    assert no_mask.exact_match == nor_order.exact_match == 0


def test_how_much_can_be_copied_where_equal_digits_have_equal_outputs():
    _, target = draw("sort", 300, 8, torch.Generator().manual_seed(99))  # as they were tested
    right = len(target)  # the smallest digit, after <start>
    for digits in target[:, 1:-1].tolist():
        for digit, times in Counter(digits).items():
            right += max(times - 1, digit != digits[-1])  # it is followed by itself, or goes on
    at_best = right / (8 * len(target))
    assert f"{at_best:.3f}" == "0.817"
    assert committed()[key_of(["causal", "position"], "sort")].accuracy <= at_best
