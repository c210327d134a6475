"""Attention pooling over vectors of a model: small ones made by hand, and the kept scores."""

import pytest
import torch

from attention_lab.labs.interpretation import sentiment
from attention_lab.labs.interpretation.sentences import SENTENCES
from attention_lab.labs.interpretation.sentiment import Read
from attention_lab.models.pretrained import is_installed, smollm2


def by_hand(n=5, d=6, seed=0):
    """Vectors in which one token of each sentence says what it is."""
    random = torch.Generator().manual_seed(seed)
    vectors = 0.3 * torch.randn(len(SENTENCES), n, d, generator=random)
    real = torch.ones(len(SENTENCES), n, dtype=torch.bool)
    real[::2, -1] = False
    at = torch.randint(n - 1, (len(SENTENCES),), generator=random)
    for row, (place, sentence) in enumerate(zip(at.tolist(), SENTENCES, strict=True)):
        vectors[row, place, 0] = 3.0 if sentence.is_glad else -3.0
        vectors[row, place, 1] = 3.0  # how the query finds it
    return Read(vectors * real[..., None], real, [[""] * n] * len(SENTENCES)), at


def test_a_judge_finds_the_token_that_says_so_and_never_looks_at_padding():
    read, at = by_hand()
    labels = torch.tensor([float(each.is_glad) for each in SENTENCES])
    judge = sentiment.trained_judge(read, labels)
    with torch.no_grad():
        weights = judge.weights(read)
        assert torch.allclose((weights * judge.votes(read)).sum(dim=1), judge(read))
    assert weights[~read.real].abs().max() == 0
    assert weights.gather(1, at[:, None]).mean() > 0.4
    alike = sentiment.Judge(torch.zeros(6), torch.ones(6), uniform=True).weights(read)
    assert torch.allclose(alike[0], torch.tensor([0.25] * 4 + [0.0]))


def test_scores_are_of_topics_that_were_held_out_and_drawn_labels_give_half():
    read, _ = by_hand()
    right, error = sentiment.accuracy(sentiment.scored(read))
    assert right > 0.95
    assert error < 0.05
    drawn, _ = sentiment.accuracy(sentiment.scored(read, drawn=True), drawn=True)
    assert 0.3 < drawn < 0.7


def test_the_tokens_of_a_word_are_found():
    pieces = [" The", " s", "oup", " was", " hot", "."]
    assert sentiment._tokens_of(["The", "soup", "was", "hot"], pieces) == [[0], [1, 2], [3], [4]]
    with pytest.raises(ValueError, match="3 words, and 4 begin"):
        sentiment._tokens_of(["The", "soup", "was"], pieces)


def test_the_agreement_is_1_for_the_same_order():
    same = sentiment._agreement([[1, 2, 3], [3, 1, 2]], [[10, 20, 30], [9, 7, 8]])
    assert same == [1, 0, 1]
    turned = sentiment._agreement([[1, 2, 3], [3, 1, 2]], [[3, 2, 1], [1, 3, 2]])
    assert turned[0] == -1
    assert turned[2] == 0


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="needs SmolLM2")
def test_sentences_are_read_as_the_model_reads_them():
    lm = smollm2()
    texts = ["The soup was hot.", "We left the soup and asked for the bill."]
    read = sentiment.read_sentences(lm, texts)
    kept = []
    hook = lm.model.layers[sentiment.LAYER - 1].register_forward_hook(
        lambda _, __, output: kept.append(output)
    )
    lm.model.hidden(lm.read(f"{sentiment.OPENING} {texts[0]}"))
    hook.remove()
    opening = lm.read(sentiment.OPENING).shape[1]
    alone = kept[0][0, opening:]
    assert torch.allclose(read.vectors[0, : len(alone)], alone, atol=1e-3)
    assert read.pieces[0] == [" The", " soup", " was", " hot", "."]
