"""What the notebook concludes from its trainings holds for other seeds, too."""

import pytest

from helpers import names_in

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2])
def test_translation_needs_attention_and_its_map_is_not_the_alignment(seed):
    names = names_in("05_alignment.ipynb", "import", "data-code", "bottleneck-code", "kinds-define")
    models = names["models"] = {}
    exact = {}
    for score in ("none", "dot", "additive"):
        models[score], _ = names["train_one"](score, seed=seed)
        pairs = zip(names["written_by"](models[score])[0], names["unseen"], strict=True)
        exact[score] = sum(words == phrase.french for words, phrase in pairs) / 500
    assert exact["none"] < 0.75
    assert min(exact["dot"], exact["additive"]) >= 0.8
    shares, on_noun = names["agreement"](models["additive"])
    assert min(shares["adjective"], shares["noun"]) >= 0.95
    assert shares["determiner"] < 0.6
    assert on_noun > 0.4
