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
    slow, _ = train_one("none", seed=seed)
    names.update(names_of(names, "bottleneck-keep"))
    dot, history = train_one("dot", seed=seed, measure=names["weights_now"])
    maps, phrase = dict(history.metrics), names["followed"]
    content = [t for t, word in enumerate(phrase.french) if word not in ("les", "de", "ma")]
    assert len(content) == 4

    def settled(step):
        at = maps[step].argmax(dim=1)
        return all(at[t] == phrase.alignment[t] for t in content)

    assert maps[0].max() < 0.5
    assert maps[25].max() > 0.9
    assert not settled(25)
    assert all(map(settled, range(100, 301, 25)))
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
