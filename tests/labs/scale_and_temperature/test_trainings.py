"""What the notebook concludes from its trainings holds for other seeds, too."""

import pytest

from helpers import names_in

pytestmark = pytest.mark.slow


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
        (64, True, 0.1),
        (64, False, 0.1),
    ):
        seen = train(d, scaled, rate, seed=seed)
        first[d, scaled] = seen["gradient"][0]
        loss[d, scaled, rate] = sum(seen["loss"][-10:]) / 10
        if (d, scaled, rate) == (256, False, 1.0):
            assert sum(seen["largest"][-10:]) / 10 > 0.95
            assert sum(seen["right"][-10:]) / 10 < 0.5
    assert first[256, False] > 4 * first[256, True]
    assert first[64, False] > 4 * first[64, True]
    assert loss[256, False, 0.1] < loss[256, True, 0.1]
    assert loss[64, False, 0.1] < loss[64, True, 0.1]
    assert max(loss[64, True, 1.0], loss[256, True, 1.0]) < 0.05
    assert loss[64, False, 1.0] < 0.5
    assert loss[256, False, 1.0] > 1
