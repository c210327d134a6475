"""The task whose truth is known, and what is measured of the models that learn it."""

import math

import pytest
import torch

from attention_lab.labs.interpretation import keyword


def sentences(count=6, seed=0):
    return keyword.draw(count, torch.Generator().manual_seed(seed))


def test_each_sentence_has_one_keyword_and_it_says_the_class():
    words, labels, at = sentences(50)
    is_keyword = words >= keyword.N_FILLERS
    assert is_keyword.sum(dim=1).tolist() == [1] * 50
    assert torch.equal(is_keyword.long().argmax(dim=1), at)
    assert torch.equal(words.gather(1, at[:, None])[:, 0] - keyword.N_FILLERS, labels)
    assert 0 < labels.sum() < 50


def test_a_word_is_taken_out_and_the_others_stay_in_order():
    found = sentences(3)
    places = torch.tensor([0, 5, 11])
    less = keyword.without(found, places)
    for row, kept, place in zip(found.words.tolist(), less.tolist(), places.tolist(), strict=True):
        assert kept == row[:place] + row[place + 1 :]


@pytest.mark.parametrize("encoder", keyword.ENCODERS)
def test_what_is_said_is_the_weighted_mean_of_the_votes(encoder):
    torch.manual_seed(0)
    model, batch = keyword.Pooling(encoder), sentences()
    weights = model.weights(batch.words)
    assert torch.allclose(weights.sum(dim=1), torch.ones(6))
    logits = model(batch.words)
    said = (weights * model.votes(batch.words)).sum(dim=1)
    assert torch.allclose(logits[:, 1] - logits[:, 0], said, atol=1e-5)
    alike = keyword.Pooling(encoder, uniform=True).weights(batch.words)
    assert torch.allclose(alike, torch.full((6, 12), 1 / 12))


def test_an_embedding_knows_its_own_word_and_a_gru_the_others_too():
    batch = sentences(1)
    changed = batch.words.clone()
    changed[0, 3] = (changed[0, 3] + 1) % keyword.N_FILLERS
    for encoder, moved in (("embedding", 1), ("biGRU", 12)):
        torch.manual_seed(0)
        model = keyword.Pooling(encoder)
        apart = (model.vectors(batch.words) != model.vectors(changed)).any(dim=-1)
        assert int(apart.sum()) == moved


def test_a_short_training_gives_what_is_taught():
    model = keyword.trained("embedding", 0)
    found = keyword.found(model, 300)
    assert found.accuracy > 0.99
    assert min(found.on_keyword) > 0.85
    assert 0.4 < found.without_keyword < 0.6
    assert found.permuted < 0.75
    assert 0.4 < sum(found.swayed) / 2 < 0.6
    # the default class is the one whose answers stay
    default = int(found.default > 0.5)
    assert found.swayed[default] < found.swayed[1 - default]
    assert found.sure[0] > 0.99
    assert 0.5 < found.sure[1] < found.sure[0] - 0.01


def test_other_weights_keep_the_answer_and_skip_the_keyword():
    model, batch = keyword.trained("embedding", 0, steps=100), sentences(200, seed=3)
    with torch.no_grad():
        weights, votes = model.weights(batch.words), model.votes(batch.words)
        other, works = keyword.far_apart(weights, votes, batch.at)
        own = model(batch.words).softmax(dim=-1)
        changed = model(batch.words, other).softmax(dim=-1)
    assert torch.allclose(other.sum(dim=1), torch.ones(200), atol=1e-5)
    assert (other >= 0).all()
    assert other.gather(1, batch.at[:, None]).abs().max() == 0
    assert works.any()
    assert (own - changed).abs()[works].max() <= 0.0101
    assert (own - changed).abs()[~works].max() > 0.01


def test_the_divergence_is_0_for_equal_and_ln_2_for_disjoint_weights():
    one, other = torch.tensor([[0.5, 0.5, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.1, 0.9]])
    assert keyword.jensen_shannon(one, one).item() == 0
    assert keyword.jensen_shannon(one, other).item() == pytest.approx(math.log(2))


def test_the_look_up_needs_its_weights():
    batch = keyword.draw_items(20, torch.Generator().manual_seed(1))
    assert torch.equal(batch.names.sort(dim=1).values[0], torch.arange(8))
    assert torch.equal(batch.names.gather(1, batch.at[:, None])[:, 0], batch.asked)
    learned = keyword.found_look_up(keyword.trained_look_up(0))
    alike = keyword.found_look_up(keyword.trained_look_up(0, uniform=True, steps=100))
    assert learned.accuracy > 0.95
    assert learned.on_asked > 0.8
    assert learned.permuted < 0.7
    assert 0.4 < learned.swayed < 0.6  # without the item it guesses, and is right in half
    assert learned.possible > 0.9  # another item has the same mark
    assert alike.accuracy < 0.75
    assert alike.on_asked == pytest.approx(1 / 8)


def test_the_weights_of_one_look_up_serve_another_and_moved_they_do_not():
    guide = keyword.trained_look_up(0)
    before = [each.clone() for each in guide.parameters()]
    guided = keyword.trained_look_up(7, guide=guide, steps=200)
    assert all(torch.equal(a, b) for a, b in zip(before, guide.parameters(), strict=True))
    assert keyword.found_look_up(guided).accuracy > 0.95
    moved = keyword.trained_look_up(7, guide=guide, moved=True, steps=200)
    assert keyword.found_look_up(moved).accuracy < 0.75
