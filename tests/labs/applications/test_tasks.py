"""Stories, visits and pictures are what they are said to be, and so are the models."""

import math

import pytest
import torch
import torch.nn.functional as F

from attention_lab.core.modes import Mode
from attention_lab.labs.applications import shop, stories, triptych
from attention_lab.labs.vision.images import splits
from attention_lab.models.data.digits import all_digits


def random(seed=0):
    return torch.Generator().manual_seed(seed)


# --- stories ------------------------------------------------------------------------------------


def test_in_a_plain_story_every_name_and_thing_stands_once_and_the_answer_is_there():
    lengths = set()
    for seed in range(20):
        drawn = stories.draw(50, random(seed))
        lengths.add(drawn.names.shape[1])
        for row in (*drawn.names.tolist(), *drawn.things.tolist()):
            assert len(set(row)) == len(row)
        at = drawn.at[:, None]
        assert torch.equal(drawn.names.gather(1, at)[:, 0], drawn.answer)
        assert torch.equal(drawn.things.gather(1, at)[:, 0], drawn.asked)
    assert lengths == {3, 4, 5, 6}
    assert len(set(stories.NAMES)) == len(set(stories.THINGS)) == 32
    names = stories.told(drawn, 3)
    assert names[drawn.at[3]].startswith(stories.NAMES[drawn.answer[3]])
    assert names[drawn.at[3]].endswith(f"has the {stories.THINGS[drawn.asked[3]]}")


def test_a_thing_changes_hands_three_times_and_the_last_holds():
    drawn = stories.draw_latest(200, random(), 7)
    same = drawn.things == drawn.asked[:, None]
    assert (same.sum(1) == 3).all()
    last = 6 - same.int().flip(1).argmax(1)
    assert torch.equal(last, drawn.at)
    assert torch.equal(drawn.names.gather(1, last[:, None])[:, 0], drawn.answer)


def test_two_books_name_the_same_things_in_turn_and_the_first_is_asked():
    drawn = stories.draw_two_books(200, random(), 8)
    first, other = drawn.things[:, ::2], drawn.things[:, 1::2]
    assert torch.equal(first.sort(1).values, other.sort(1).values)
    assert (drawn.at % 2 == 0).all()
    assert ((drawn.things == drawn.asked[:, None]).sum(1) == 2).all()


def test_in_a_diary_both_stories_name_the_thing_and_the_last_of_the_first_holds():
    drawn = stories.draw_diary(300, random(), 12)
    same = drawn.things == drawn.asked[:, None]
    assert (same[:, ::2].sum(1) == 3).all()
    assert (same[:, 1::2].sum(1) >= 3).all()
    assert torch.equal(2 * (5 - same[:, ::2].int().flip(1).argmax(1)), drawn.at)
    assert torch.equal(drawn.names.gather(1, drawn.at[:, None])[:, 0], drawn.answer)
    assert all(len(set(row)) == 12 for row in drawn.names.tolist())


@pytest.mark.parametrize("over", ["story", "uniform", "question"])
def test_what_a_teller_attends_to_is_what_moves_its_answer(over):
    torch.manual_seed(0)
    model, drawn = stories.Teller(over=over), stories.draw(4, random(), 5)
    other = drawn._replace(names=(drawn.names + 1) % 32)
    assert torch.equal(model(drawn), model(other)) == (over == "question")
    asked = drawn._replace(asked=(drawn.asked + 1) % 32)
    assert not torch.equal(model(drawn), model(asked))
    if over == "uniform":  # in another order it is the same to a mean
        turned = drawn._replace(names=drawn.names.flip(1), things=drawn.things.flip(1))
        assert torch.allclose(model(drawn), model(turned), atol=1e-6)
    else:
        assert model.look(drawn).weights.shape == (4, 1, 1 if over == "question" else 5)


def test_a_mode_changes_where_a_teller_looks():
    torch.manual_seed(0)
    model, drawn = stories.Teller(), stories.draw(4, random(), 5)
    only_third = Mode("the third", lambda b, h, q_idx, kv_idx: kv_idx == 2)
    assert model.look(drawn, only_third).weights[:, 0].argmax(1).tolist() == [2] * 4
    assert not torch.equal(model(drawn, only_third), model(drawn))
    loss = stories.loss_of(model, drawn)
    assert loss.item() == pytest.approx(F.cross_entropy(model(drawn), drawn.answer).item())


# --- the shop -----------------------------------------------------------------------------------


def test_the_count_of_a_visit_is_right_and_tells_nothing_of_its_length():
    drawn = shop.draw(4000, random())
    same = (drawn.seen == drawn.offered[:, None]) & drawn.real
    assert torch.equal(same.sum(1), drawn.count)
    lengths = drawn.real.sum(1)
    assert (lengths.min().item(), lengths.max().item()) == shop.LENGTHS
    assert (drawn.seen[~drawn.real] == 0).all()
    for c in range(7):  # clicks follow the true probability
        these = drawn.count == c
        share, true = drawn.clicked[these].mean().item(), shop.truth(torch.tensor(c)).item()
        assert share == pytest.approx(true, abs=0.06)
    long = lengths > 8
    assert drawn.count[long].double().mean() == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize("kind", shop.KINDS)
def test_the_weights_of_each_kind_sum_to_what_they_should(kind):
    torch.manual_seed(0)
    model, drawn = shop.Clicker(kind), shop.draw(30, random())
    weights = model.weights(drawn)
    assert weights.shape == drawn.seen.shape
    assert (weights[~drawn.real] == 0).all()
    sums, lengths = weights.sum(1), drawn.real.sum(1)
    if kind in ("mean", "softmax", "softmax, told n"):
        assert torch.allclose(sums, torch.ones(30))
    elif kind == "sum":
        assert torch.equal(sums, lengths.float())
    elif kind == "softmax plus one":
        assert ((sums > 0) & (sums < 1)).all()
    else:
        assert ((sums > 0) & (sums < lengths)).all()
        assert sums.max() > 1
    offered = drawn._replace(offered=(drawn.offered + 1) % shop.N_ITEMS)
    is_target = kind not in ("mean", "sum")
    assert torch.equal(model.weights(offered), weights) != is_target
    assert shop.loss_of(model, drawn).item() > 0


def test_all_kinds_have_nearly_as_many_parameters():
    counts = [sum(p.numel() for p in shop.Clicker(kind).parameters()) for kind in shop.KINDS]
    assert max(counts) <= 1.03 * min(counts)


def test_the_auc_counts_pairs_and_halves():
    scores = torch.tensor([3.0, 1.0, 1.0, -2.0, 0.5])
    clicked = torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0])
    pairs = [
        (a > b) + 0.5 * (a == b)
        for a in scores[clicked.bool()].tolist()
        for b in scores[~clicked.bool()].tolist()
    ]
    assert shop.auc(scores, clicked) == pytest.approx(sum(pairs) / len(pairs))
    assert shop.auc(torch.zeros(6), torch.tensor([1.0, 0, 1, 0, 0, 1])) == 0.5
    assert shop.auc(-scores, clicked) == pytest.approx(1 - shop.auc(scores, clicked))


# --- pictures -----------------------------------------------------------------------------------


def test_the_digits_are_those_of_notebook_13_in_the_same_parts():
    assert len(all_digits().images) == 1797
    for name in ("test", "validation", "train"):
        mine, theirs = triptych.parts()[name], splits()[name]
        assert torch.equal(mine.images, theirs.images)
        assert torch.equal(mine.labels, theirs.labels)


def test_three_different_digits_and_the_cell_that_is_asked_about():
    drawn = triptych.draw(500, random(), "test")
    test = triptych.parts()["test"]
    for row, digits in zip(drawn.images[:40], drawn.digits[:40].tolist(), strict=True):
        assert len(set(digits)) == 3
        for image, digit in zip(row, digits, strict=True):
            found = (test.images == image).all(dim=(1, 2)).nonzero()[:, 0]
            assert digit in test.labels[found].tolist()
    cell = triptych.asked_cell(drawn.digits, drawn.question)
    for q, (digits, at, answer) in zip(
        drawn.question.tolist(),
        zip(drawn.digits.tolist(), cell.tolist(), triptych.answers(drawn).tolist(), strict=True),
        strict=True,
    ):
        wanted = {0: digits[0], 1: digits[1], 2: digits[2], 3: max(digits), 4: min(digits)}[q]
        assert digits[at] == answer == wanted
    assert set(drawn.question.tolist()) == set(range(5))


@pytest.mark.parametrize("kind", ["attention", "uniform", "joined"])
def test_a_reader_answers_by_its_output_or_by_weights_that_are_given(kind):
    torch.manual_seed(0)
    model, drawn = triptych.Reader(kind), triptych.draw(6, random())
    logits = model(drawn.images, drawn.question)
    assert logits.shape == (6, 10)
    assert triptych.loss_of(model, drawn).item() == pytest.approx(math.log(10), abs=0.5)
    assert 0 <= triptych.accuracy(logits, drawn) <= 1
    other = model(drawn.images, (drawn.question + 1) % 5)
    assert not torch.equal(logits, other)
    if kind == "attention":
        weights = model.look(drawn.images, drawn.question).weights
        given = model(drawn.images, drawn.question, weights)
        assert torch.allclose(given, logits, atol=1e-5)
        even = model(drawn.images, drawn.question, triptych.uniform(6))
        assert not torch.allclose(even, logits)
        # with equal weights the question does not reach the answer
        assert torch.equal(even, model(drawn.images, (drawn.question + 1) % 5, triptych.uniform(6)))


def test_the_controls_have_no_fewer_parameters():
    count = {k: sum(p.numel() for p in triptych.Reader(k).parameters())
             for k in ("attention", "uniform", "joined")}  # fmt: skip
    assert min(count, key=count.get) == "attention"
    assert max(count.values()) < 1.15 * count["attention"]
