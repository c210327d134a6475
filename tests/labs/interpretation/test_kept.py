"""A part of what is kept of SmolLM2 is measured again; the tools are those that made the files."""

import pytest
import torch

import found_heads
from attention_lab.labs.interpretation import found, sentiment
from attention_lab.labs.interpretation.sentences import SENTENCES
from attention_lab.models.pretrained import is_installed, smollm2
from real_model_lessons import PROSE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="needs SmolLM2"),
]


@pytest.fixture(scope="module")
def lm():
    torch.set_num_threads(1)
    return smollm2()


@pytest.mark.parametrize("name", found.EXAMPLES)
def test_the_kept_weights_are_those_of_the_model(lm, name):
    text = found.EXAMPLES[name].text
    made, kept = found.weights_of(lm, text), found.kept(text)
    assert made.queries == kept.queries
    for mine, its in zip(made.layers, kept.layers, strict=True):
        assert (mine - its).abs().max() < 1 / 510 + 2e-3


def test_the_sink_is_measured_again(lm):
    kept = found.measured("sinks")
    tokens = lm.read(PROSE)[:, : kept["tokens"]]
    with torch.no_grad():
        own = found_heads.all_weights(lm, tokens)
        assert own[:, 1:, 0].mean().item() == pytest.approx(kept["position 0"], abs=0.005)
        moved = torch.cat([tokens[:, 1:11], tokens[:, :1], tokens[:, 11:]], dim=1)
        there = found_heads.all_weights(lm, moved)[:, 11:, 10].mean().item()
        assert there == pytest.approx(kept["its own first token, moved to 10"], abs=0.005)
        ratio = found_heads.values(lm)["first to the others, by layer"]
    again = found.measured("values")["first to the others, by layer"]
    assert ratio == pytest.approx(again, abs=0.02)


def test_a_fold_of_the_sentences_is_read_and_judged_again(lm):
    fold = sentiment.folds()[0]
    rows = fold.train[::2] + fold.test
    read = sentiment.read_sentences(lm, [SENTENCES[i].text for i in rows])
    labels = torch.tensor([float(SENTENCES[i].is_glad) for i in rows])
    n = len(fold.train[::2])
    judge = sentiment.trained_judge(read.only(range(n)), labels[:n])
    with torch.no_grad():
        right = (judge(read.only(range(n, len(rows)))) > 0) == (labels[n:] > 0)
    assert right.double().mean() > 0.85
    assert sentiment.kept_scores()["attention"][0][0] > 0.93
    assert sentiment.kept_scores()["drawn labels"][0] < 0.65
