"""What the notebook concludes from its trainings holds for other seeds, too."""

import pytest
import torch

from helpers import names_in

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2])
def test_which_places_tell_what_comes_first(seed):
    names = names_in("08_position.ipynb", "import", "need-define")
    test = names["which_first"](torch.Generator().manual_seed(98), 1000)
    for position, causal, sees in (
        ("none", False, False),
        ("alibi", False, False),
        ("sinusoidal", False, True),
        ("rotary", False, True),
        ("none", True, True),
    ):
        model, _ = names["train_reader"](
            names["which_first"], position, 2, causal=causal, pooled=True, seed=seed
        )
        right = names["share_right"](model, test)
        assert right >= 0.98 if sees else 0.4 < right < 0.6, (position, causal)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_places_do_past_the_trained_length(seed):
    names = names_in("08_position.ipynb", "import", "need-define", "long-define")
    at = {}
    for position in names["POSITIONS"]:
        model, _ = names["train_reader"](
            names["previous"], position, 12, layers=2, causal=True, seed=seed
        )
        at[position] = dict(zip(names["LENGTHS"], names["by_length"](model), strict=True))
    assert min(at[position][16] for position in at if position != "none") > 0.9
    assert at["none"][16] < 0.9
    assert all(at[name][16] - at[name][64] > 0.4 for name in ("sinusoidal", "learned"))
    assert at["alibi"][16] - at["alibi"][64] < 0.1
    assert at["rotary"][32] > 0.9
    assert at["rotary"][32] - at["rotary"][64] > 0.1


@pytest.mark.parametrize("seed", [1, 2])
def test_a_token_far_back_is_found_by_sines_and_alibi_not_by_rotary(seed):
    names = names_in("08_position.ipynb", "import", "need-define", "far-define")
    far = {p: names["far_right"](p, seed=seed) for p in ("sinusoidal", "rotary", "alibi")}
    assert min(far["sinusoidal"], far["alibi"]) >= 0.95
    assert far["rotary"] < 0.95


@pytest.mark.parametrize("seed", [1, 2])
def test_sorting_needs_no_places_and_reversing_does(seed):
    names = names_in("08_position.ipynb", "import", "sort-define")
    train_digits = names["train_digits"]
    assert train_digits("sort", "none", seed=seed) >= 0.95
    assert train_digits("reverse", "none", seed=seed) <= 0.05
    assert train_digits("reverse", "sinusoidal", seed=seed) >= 0.95
