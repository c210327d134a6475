"""What the notebook concludes from its trainings holds for other seeds, and larger d, too."""

import math

import nbformat
import pytest
import torch

from helpers import NOTEBOOKS, names_in

pytestmark = pytest.mark.slow
NOTEBOOK = "04_scale_and_temperature.ipynb"


@pytest.fixture(scope="module")
def train():
    return names_in(NOTEBOOK, "import", "problems-code", "gradient-code")["train"]


@pytest.fixture(scope="module")
def loss_of(train):
    def run(d, scaled, rate, **options):
        seen = train(d, 1 / math.sqrt(d) if scaled else 1.0, rate, **options)
        return seen[-10:, 0].mean().item()

    return run


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_the_scale_gradients_are_longer(train, seed):
    for d in (64, 256):
        first = [train(d, scale, 0.1, seed=seed, steps=1)[0, 1] for scale in (1, 1 / math.sqrt(d))]
        assert first[0] > 4 * first[1]


@pytest.mark.parametrize("seed", [1, 2])
def test_each_model_has_its_own_best_learning_rate(loss_of, seed):
    d, rates = 256, (0.1, 0.3, 1.0, 3.0, 10.0)
    scaled, plain = ({r: loss_of(d, s, r, seed=seed) for r in rates} for s in (True, False))
    assert min(scaled, key=scaled.get) == 3
    assert min(plain, key=plain.get) <= 0.3
    assert plain[0.1] < scaled[0.1]  # one rate decides for the one,
    assert scaled[3.0] < 0.01  # another for the other
    assert plain[3.0] > 1
    assert scaled[3.0] < min(plain.values())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_the_scale_it_learns_more_slowly_not_less(loss_of, seed):
    assert loss_of(256, False, 0.2, seed=seed) > 0.02
    assert loss_of(256, False, 0.2, seed=seed, steps=400) < 0.01
    assert loss_of(64, False, 0.3, seed=seed, steps=400) < 0.01


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_adam_needs_the_smaller_start(loss_of, seed):
    adam = {"seed": seed, "kind": torch.optim.Adam}
    assert loss_of(64, True, 0.001, **adam) < 0.3
    assert 0.8 < loss_of(64, False, 0.001, **adam) < 1.3  # always 0 would cost 1
    assert loss_of(256, True, 0.001, **adam) < 0.05
    assert 0.8 < loss_of(256, False, 0.001, **adam) < 1.3
    assert loss_of(64, True, 0.01, **adam) < loss_of(64, False, 0.01, **adam) < 0.1
    assert loss_of(256, True, 0.01, **adam) < 0.01
    assert loss_of(256, False, 0.003, **adam) < loss_of(256, False, 0.01, **adam)


@pytest.mark.parametrize("d", [16, 64, 256])
def test_the_scale_is_a_start_and_a_learning_rate(train, d):
    root, fourth = math.sqrt(d), d**0.25
    with_scale = train(d, 1 / root, 3.0, steps=30)
    without = train(d, 1.0, 3.0 / root, start=1 / fourth, steps=30)
    exact = d != 64  # a factor that is a power of 2 rounds nothing
    tolerance = {"rtol": 0, "atol": 0 if exact else 1e-5}
    torch.testing.assert_close(without[:, 0], with_scale[:, 0], **tolerance)
    torch.testing.assert_close(without[:, 1], fourth * with_scale[:, 1], rtol=1e-4, atol=0)
    for wrong in (3.0, 3.0 / fourth, 3.0 * root):
        other = train(d, 1.0, wrong, start=1 / fourth, steps=30)
        assert (other[:, 0] - with_scale[:, 0]).abs().max() > 0.01
    # Adam divides by the size of the gradient; only its small constant knows it
    adam = train(d, 1 / root, 0.01, steps=30, kind=torch.optim.Adam)
    smaller = train(d, 1.0, 0.01 / fourth, start=1 / fourth, steps=30, kind=torch.optim.Adam)
    torch.testing.assert_close(smaller[:, 0], adam[:, 0], rtol=0, atol=1e-3)


def test_every_cell_can_be_run_again_after_the_last(capsys):
    cells = nbformat.read(NOTEBOOKS / NOTEBOOK, as_version=4).cells
    cells = [cell for cell in cells if cell.cell_type == "code" and cell.id != "set-up"]
    namespace, printed = {}, {}
    for cell in cells:
        exec(cell.source, namespace)
        printed[cell.id] = capsys.readouterr().out
    for cell in reversed(cells):
        exec(cell.source, namespace)
        if cell.id != "import":
            assert capsys.readouterr().out == printed[cell.id], cell.id
