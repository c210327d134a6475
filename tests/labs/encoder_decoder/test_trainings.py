"""What the notebook concludes from its trainings holds for other seeds, too."""

import math

import pytest
import torch

from attention_lab.labs.encoder_decoder import figures
from helpers import names_in

pytestmark = pytest.mark.slow


def names_of_09(*cells):
    return names_in("09_encoder_decoder.ipynb", "import", "count-code", *cells)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_transformer_learns_digits_and_a_leak_is_no_learning(seed):
    names = names_of_09("train-define", "train-keep", "leak-define", "leak-test")
    exact_match = names["exact_match"]
    for task in ("sort", "reverse"):
        model, history = names["train_digits"](task, seed=seed, measure=names["cross_now"])
        assert exact_match(model, task) >= 0.98
        assert history.losses[0] > math.log(13)
    maps, diagonal = dict(history.metrics), list(range(7, -1, -1))
    assert maps[0].max() < 0.25
    assert maps[25].argmax(dim=1)[:8].tolist() != diagonal
    assert all(maps[k].argmax(dim=1)[:8].tolist() == diagonal for k in range(100, 301, 25))
    assert history.losses[-1] < history.losses[100] / 2
    assert names["moves"]("right", 3) == 0
    for kind in ("no causal mask", "not shifted"):
        assert names["moves"](kind, 3) > 0
        model, history = names["train_leaky"](kind, seed=seed)
        assert history.losses[-1] < 0.1
        assert exact_match(model, "reverse") <= 0.05


def test_the_picture_on_top_shows_the_end_of_the_first_training():
    names = names_of_09("train-define", "train-keep")
    _, history = names["train_digits"]("reverse", measure=names["cross_now"])
    assert torch.allclose(history.metrics[-1][1], figures.WEIGHTS, atol=0.1)
    words = names["DIGITS"].words
    assert [words[k] for k in names["one_source"][0]] == list(figures.READ)
    assert [words[k] for k in names["one_target"][0, 1:]] == list(figures.WRITTEN)
