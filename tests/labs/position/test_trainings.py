"""What the notebook concludes from its trainings holds for other seeds, too."""

import pytest
import torch

from attention_lab.labs.position import lengths
from attention_lab.labs.position.lengths import accuracy, committed, key_of, train_reader
from helpers import names_in

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2])
def test_which_encodings_tell_what_comes_first(seed):
    test = lengths.which_first(torch.Generator().manual_seed(98), 1000)
    for position, causal, sees in (
        ("none", False, False),
        ("alibi", False, False),
        ("sinusoidal", False, True),
        ("rotary", False, True),
        ("none", True, True),
    ):
        model = train_reader(
            lengths.which_first, position, 2, layers=1, causal=causal, pooled=True, seed=seed
        )
        right = accuracy(model, test)
        assert right >= 0.98 if sees else 0.4 < right < 0.6, (position, causal)


@pytest.mark.parametrize(
    ("task", "position", "lr", "seed"),
    [
        ("previous", "none", 1e-2, 1),
        ("previous", "sinusoidal", 3e-3, 2),
        ("previous", "learned", 3e-3, 1),
        ("previous", "alibi", 1e-3, 0),
        ("first", "learned", 3e-3, 2),
        ("first", "rotary", 1e-3, 2),
    ],
)
def test_a_part_of_the_kept_runs(task, position, lr, seed):
    again = lengths.measured(task, position, lr, seed)
    kept = committed()[key_of(task, position, lr, seed)]
    assert again.n_parameters == kept.n_parameters
    for now, then in zip(again.accuracy, kept.accuracy, strict=True):
        assert abs(now - then) < 0.1  # another processor may round otherwise
    assert abs(again.last - kept.last) < 0.1


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("task", ["previous", "first"])
def test_untrained_distances_are_what_rotary_fails_at(task, seed):
    model = train_reader(lengths.TASKS[task], "rotary", seed=seed)
    batch = lengths.test_batch(task, 64)
    assert accuracy(model, batch) < 0.95
    with lengths.clipped(model):
        assert accuracy(model, batch) > 0.97  # as many keys as before
    if task == "previous":
        assert accuracy(model, batch, lengths.last_keys(64)) > 0.98


@pytest.mark.parametrize("seed", [1, 2])
def test_sorting_needs_no_encoding_and_reversing_does(seed):
    train_digits = names_in("08_position.ipynb", "import", "sort-define")["train_digits"]
    assert train_digits("sort", "none", seed=seed) >= 0.95
    assert train_digits("reverse", "none", seed=seed) <= 0.05
    assert train_digits("reverse", "sinusoidal", seed=seed) >= 0.95
