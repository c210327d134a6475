"""What notebook 07 says of W_O, with other seeds than its own."""

import pytest

from helpers import names_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def notebook():
    return names_in("07_transformer_code.ipynb", "import", "w-out-model", "w-out-train")


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_without_w_o_half_is_the_bound_and_with_it_all_can_be_explained(notebook, seed):
    train = notebook["train"]
    assert train(seed, True)[0] > 0.99
    assert 0.45 < train(seed, False)[0] < 0.52


def test_a_sum_needs_no_w_o(notebook):
    assert notebook["train"](0, False, sign=1)[0] > 0.99
