"""What the notebook concludes from its trainings holds for other seeds, too."""

import math

import pytest

from helpers import names_in

pytestmark = pytest.mark.slow


def names_of_09(*cells):
    return names_in("09_encoder_decoder.ipynb", "import", "count-code", *cells)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_transformer_learns_digits_and_a_leak_is_no_learning(seed):
    names = names_of_09("train-define", "leak-define", "leak-test")
    exact_match = names["exact_match"]
    for task in ("reverse", "sort"):
        model, history = names["train_digits"](task, seed=seed)
        assert exact_match(model, task) >= 0.98
        assert history.losses[0] > math.log(13)
    assert names["moves"]("right", 3) == 0
    for kind in ("no causal mask", "not shifted"):
        assert names["moves"](kind, 3) > 0
        model, history = names["train_leaky"](kind, seed=seed)
        assert history.losses[-1] < 0.1
        assert exact_match(model, "reverse") <= 0.05


@pytest.mark.parametrize("seed", [1, 2])
def test_a_transformer_translates_and_no_head_is_the_alignment(seed):
    names = names_of_09("translate-define")
    written_by, agreement = names["written_by"], names["agreement"]
    shares = {}
    for kind in (names["Seq2Seq"], names["Transformer"]):
        words, weights = written_by(names["train_translator"](kind, seed=seed))
        exact = sum(w == p.french for w, p in zip(words, names["unseen"], strict=True)) / 500
        assert exact >= 0.95
        shares[kind.__name__] = agreement(words, weights.mean(dim=1))
    recurrent, mean = shares["Seq2Seq"], shares["Transformer"]
    assert min(recurrent["noun"], recurrent["adjective"]) >= 0.95
    assert min(mean["noun"], mean["adjective"]) >= 0.85
    for h in range(4):
        head = agreement(words, weights[:, h])
        assert min(head.values()) < 0.9  # no head is the alignment


@pytest.mark.parametrize("seed", [1, 2])
def test_sums_need_the_feed_forward_part(seed):
    names = names_of_09("train-define", "add-define")
    exact = {
        part: names["exact_match"](names["train_sums"](part, seed=seed)[0], "add")
        for part in ((), ("feed_forward",))
    }
    assert exact[()] >= 0.95
    assert exact[("feed_forward",)] < 0.5
