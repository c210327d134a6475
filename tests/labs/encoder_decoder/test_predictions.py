"""What the predictions of notebook 09 say of kept trainings and of data is so."""

import torch

from attention_lab.exercises import predict
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
