"""What the notebook concludes from its trainings holds for other seeds, too."""

import nbformat
import pytest

from helpers import NOTEBOOKS, names_in

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2])
def test_one_vector_learns_slowly_and_the_weights_are_used(seed):
    names = names_in(
        "05_alignment.ipynb", "import", "data-code", "adds-code", "bottleneck-code", "use-code"
    )
    train_one, share_right = names["train_one"], names["share_right"]
    slow, dot = (train_one(score, seed=seed)[0] for score in ("none", "dot"))
    faster, _ = train_one("none", lr=names["best"]("none")[0].lr, seed=seed)
    assert share_right(slow) < 0.75
    assert min(share_right(dot), share_right(faster)) >= 0.8

    names["dot"] = dot.eval()
    names.update(names_of(names, "black-code"))
    written_with, look_at, cat = names["written_with"], names["look_at"], names["cat"]
    assert written_with(dot, look_at(1, 1), cat)[0][1] == "noir"
    names.update(names_of(names, "grammar-code"))
    own, _, same, grammar, first = names["shares"].values()
    assert same < 0.1
    assert max(grammar, first) <= own - 0.3
    assert own == pytest.approx(share_right(dot), abs=0.01)


def names_of(names, cell):
    """Run one more cell with the names that there are."""
    cells = nbformat.read(NOTEBOOKS / "05_alignment.ipynb", as_version=4).cells
    exec(next(each.source for each in cells if each.id == cell), names)
    return names
