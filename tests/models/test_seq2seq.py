"""The bilingual grammar, the vocabulary, and the encoder-decoder."""

import math

import pytest
import torch

from attention_lab.models.data.translation import (
    AFTER,
    BEFORE,
    ENGLISH,
    FRENCH,
    NOUNS,
    SINGULARS,
    phrases,
    translate,
)
from attention_lab.models.seq2seq import SCORES, Seq2Seq
from attention_lab.models.vocabulary import END, PAD, START


@pytest.mark.parametrize(
    ("english", "french", "alignment"),
    [
        ("the cat", "le chat", (0, 1)),
        ("the house", "la maison", (0, 1)),
        ("the cats", "les chats", (0, 1)),
        ("the black cat", "le chat noir", (0, 2, 1)),
        ("the small black cats", "les petits chats noirs", (0, 1, 3, 2)),
        ("my white flower", "ma fleur blanche", (0, 2, 1)),
        ("your heavy black book", "ton livre noir lourd", (0, 3, 2, 1)),
        ("my sister 's red car", "la voiture rouge de ma sœur", (2, 4, 3, 2, 0, 1)),
        ("My brother 's big doors", "les grandes portes de mon frère", (2, 3, 4, 2, 0, 1)),
    ],
)
def test_phrases_are_translated_by_the_rules(english, french, alignment):
    phrase = translate(english)
    assert " ".join(phrase.french) == french
    assert phrase.alignment == alignment


@pytest.mark.parametrize(
    ("english", "says"),
    [
        ("the zebra", "unknown: zebra"),
        ("cat the", "must end with its only noun"),
        ("the cat dog", "must end with its only noun"),
        ("black cat", "must begin with the, my, your"),
        ("the my cat", "“my” is no adjective"),
        ("", "a noun phrase is missing"),
        ("my sister 's", "must end with its only noun"),
        ("my sister 's my brother 's car", "one possessor at most"),
        ("the brother 's house", "“the brother” cannot be the owner here"),
        ("my cats 's house", "“my cats” cannot be the owner here"),
    ],
)
def test_what_the_grammar_does_not_know_is_said(english, says):
    with pytest.raises(ValueError, match=says):
        translate(english)


def test_drawn_phrases_are_different_right_and_the_same_each_time():
    drawn = phrases(2000, seed=1)
    assert len({phrase.english for phrase in drawn}) == 2000
    assert drawn == phrases(2000, seed=1)
    assert drawn != phrases(2000, seed=2)
    assert any("'s" in phrase.english for phrase in drawn)
    for phrase in drawn:
        assert translate(phrase.english) == phrase
        assert len(phrase.alignment) == len(phrase.french)
        assert set(phrase.french) <= set(FRENCH)
        assert set(phrase.english) <= set(ENGLISH)
        for word, at in zip(phrase.french, phrase.alignment, strict=True):
            source = phrase.english[at]
            if source in NOUNS or source in SINGULARS:
                assert word.rstrip("s") == NOUNS[SINGULARS.get(source, source)][0].rstrip("s")
            elif forms := {**BEFORE, **AFTER}.get(source):
                assert word.removesuffix("s") in forms


@pytest.fixture(params=SCORES)
def model(request):
    torch.manual_seed(0)
    return Seq2Seq(9, 8, d_model=16, score=request.param).eval()


SOURCE = torch.tensor([[3, 4, 5, 6, END], [7, 8, END, PAD, PAD]])


def test_decoding_is_what_teacher_forcing_says_of_its_own_words(model):
    decoded = model.decode(SOURCE, max_new_tokens=6)
    start = torch.full((2, 1), START)
    logits, weights = model(SOURCE, torch.cat([start, decoded.numbers], dim=1))
    read = decoded.numbers != PAD  # what follows an end is not the model's
    assert torch.equal(logits.argmax(-1)[read], decoded.numbers[read])
    assert torch.allclose(weights, decoded.weights, atol=1e-6)


def test_padding_changes_nothing(model):
    together = model.decode(SOURCE, max_new_tokens=4)
    alone = model.decode(SOURCE[1:, :3], max_new_tokens=4)
    n = alone.numbers.shape[1]
    assert torch.equal(together.numbers[1, :n], alone.numbers[0])
    assert torch.allclose(together.weights[1, :n, :3], alone.weights[0], atol=1e-6)
    assert (together.weights[1, :, 3:] == 0).all()
    sums = together.weights.sum(-1)
    assert torch.allclose(sums, torch.full_like(sums, float(model.score != "none")))


def test_parameters_of_the_scores():
    def size(score):
        return sum(p.numel() for p in Seq2Seq(50, 85, 64, score).parameters())

    assert size("none") == size("dot") == size("scaled")
    assert size("general") - size("dot") == 64 * 64
    assert size("additive") - size("dot") == 2 * 64 * 64 + 64


def test_the_loss_leaves_padding_out():
    torch.manual_seed(0)
    model = Seq2Seq(9, 8, d_model=16)
    target = torch.tensor([[START, 3, 4, END], [START, 5, END, PAD]])
    longer = torch.cat([target, torch.full((2, 3), PAD)], dim=1)
    assert math.isclose(
        model.loss(SOURCE, target).item(), model.loss(SOURCE, longer).item(), rel_tol=1e-6
    )


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match="score must be one of additive, dot"):
        Seq2Seq(5, 5, score="cosine")


@pytest.mark.parametrize("score", SCORES)
def test_tensors_are_made_where_the_inputs_are(score):
    model = Seq2Seq(9, 8, d_model=16, score=score)
    with torch.device("meta"):  # what is made without a place lands there
        decoded = model.decode(SOURCE, max_new_tokens=3)
    assert decoded.numbers.device.type == decoded.weights.device.type == "cpu"


def test_what_follows_an_end_is_padding(model):
    with torch.no_grad():
        model.readout.bias[END] = 100.0
    assert model.decode(SOURCE).numbers.tolist() == [[END], [END]]
    with torch.no_grad():
        model.readout.bias[END] = 0
    steps = iter([[END, 5], [6, END], [6, 6]])
    step = model.step

    def forced(*given):
        _, *rest = step(*given)
        wanted = torch.nn.functional.one_hot(torch.tensor(next(steps)), 8).float()
        return wanted, *rest

    model.step = forced
    assert model.decode(SOURCE).numbers.tolist() == [[END, PAD], [5, END]]


def test_decoding_gives_the_mode_back(model):
    for training in (True, False):
        model.train(training)
        model.decode(SOURCE)
        assert model.training == training
