"""What a notebook concludes from a training holds for other seeds, too."""

from pathlib import Path

import nbformat
import pytest
import torch

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def names_in(notebook, *cells):
    """Run some cells of a notebook, and return what they define."""
    namespace = {}
    for cell in nbformat.read(NOTEBOOKS / notebook, as_version=4).cells:
        if cell.id in cells:
            exec(cell.source, namespace)
    return namespace


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("seed", [1, 2])
def test_without_the_scale_gradients_are_larger_and_large_steps_fail(seed):
    train = names_in("04_scale_and_temperature.ipynb", "import", "gradient-code")["train"]
    first, loss = {}, {}
    for d, scaled, rate in (
        (64, True, 1.0),
        (64, False, 1.0),
        (256, True, 1.0),
        (256, False, 1.0),
        (256, True, 0.1),
        (256, False, 0.1),
    ):
        first[d, scaled], loss[d, scaled, rate] = train(d, scaled, rate, seed=seed)
    assert first[256, False] > 5 * first[256, True]
    assert loss[256, False, 0.1] < loss[256, True, 0.1]
    assert max(loss[64, True, 1.0], loss[256, True, 1.0]) < 0.05
    assert loss[64, False, 1.0] < 0.5
    assert loss[256, False, 1.0] > 1
