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
