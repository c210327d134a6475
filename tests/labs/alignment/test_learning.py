"""Translators that learn at different speeds, and the kept runs."""

import itertools

import pytest
import torch

from attention_lab.labs.alignment.learning import (
    KINDS,
    RATES,
    SAME_RATE,
    SEEDS,
    SIDE_BY_SIDE,
    TRAINED,
    FirstOnly,
    at_same_rate,
    best,
    build,
    committed,
    data,
    in_english_order,
    kind_of,
    train_run,
    turned,
)
from attention_lab.models.data.translation import BEFORE, translate
from attention_lab.models.seq2seq import SCORES


def test_every_run_is_kept_and_no_other():
    wanted = set()
    for kind, lengths in TRAINED.items():
        for steps in lengths:
            wanted |= {(kind, steps, lr, 0) for lr in RATES}
            wanted |= {run.key for run in best(kind, steps)}
    wanted |= {(kind, 300, SAME_RATE, seed) for kind in SIDE_BY_SIDE for seed in SEEDS}
    runs = committed()
    assert set(runs) == wanted
    assert set(TRAINED) == set(KINDS)
    for run in runs.values():
        assert len(run.right) == 500
        assert set(run.right) <= {"0", "1"}
        assert bool(run.looks) == (run.kind not in ("none", "first", "kept"))


def test_with_one_vector_the_best_rate_lies_between_others_that_were_tried():
    for kind in ("none", "kept", "first"):
        for steps in TRAINED[kind]:
            assert RATES[0] < best(kind, steps)[0].lr < RATES[-1], (kind, steps)


def test_what_the_notebook_concludes_holds_for_three_seeds():
    _, unseen, _ = data()
    counts = [len(phrase.english) for phrase in unseen]
    turns = [turned(phrase) for phrase in unseen]
    adjectives = [sum(kind_of(w) == "adjective" for w in phrase.english) for phrase in unseen]
    assert {a for a, n in zip(adjectives, counts, strict=True) if n == 5} == {1}
    four, five = ([n == wanted for n in counts] for wanted in (4, 5))
    turned_four = [n and t for n, t in zip(four, turns, strict=True)]
    straight_four = [n and not t for n, t in zip(four, turns, strict=True)]
    assert not any(t for n, t in zip(five, turns, strict=True) if n)
    for slow, other, dot in zip(*map(at_same_rate, ("none", "kept", "dot")), strict=True):
        assert slow.exact < 0.75 < dot.exact
        assert slow.share(four) < slow.share(five)
        for run in (slow, other):  # the turning is not what is hard
            assert run.share(turned_four) < run.share(straight_four) - 0.3
        assert slow.share(turned_four) == pytest.approx(other.share(turned_four), abs=0.15)
        by_adjectives = [slow.share([n == wanted for n in adjectives]) for wanted in range(4)]
        assert by_adjectives == sorted(by_adjectives, reverse=True)
    for few, many in zip(best("none"), best("none", 1200), strict=True):
        assert 0.85 < few.exact < many.exact
    assert max(run.exact for run in best("first")) < min(run.exact for run in best("none"))
    assert min(r.exact for s in SCORES if s != "none" for r in best(s)) >= 0.99
    runs = [*best("dot"), *at_same_rate("dot"), *best("additive")]
    for run in runs:
        shares = {kind: looks[1] / looks[0] for kind, looks in run.looks.items()}
        assert shares["noun"] > 0.97
        assert shares["adjective"] > 0.75
        assert shares["determiner"] < 0.55
    on_noun = [run.looks["determiner"][2] / run.looks["determiner"][0] for run in runs]
    assert min(on_noun[6:]) > 0.75  # with additive scores
    assert max(on_noun[:6]) - min(on_noun[:6]) > 0.4  # with dot scores it depends on the start


def test_a_turned_phrase_and_the_same_in_english_order():
    phrase = translate("my sister 's heavy black books")
    assert turned(phrase)
    assert phrase.french == ("les", "livres", "noirs", "lourds", "de", "ma", "sœur")
    kept = in_english_order(phrase)
    assert kept.french == ("les", "livres", "lourds", "noirs", "de", "ma", "sœur")
    assert kept.alignment == (2, 5, 3, 4, 2, 0, 1)
    assert not turned(kept)
    assert kept.english == phrase.english
    straight = translate("the small black cat")
    assert not turned(straight)
    assert in_english_order(straight) == straight
    assert [kind_of(word) for word in phrase.english] == [
        "determiner", "noun", "determiner", "adjective", "adjective", "noun"
    ]  # fmt: skip
    assert {kind_of(word) for word in BEFORE} == {"adjective"}


def test_only_the_order_of_adjectives_is_another_in_the_other_french():
    for phrase in itertools.chain(*data()):
        kept = in_english_order(phrase)
        assert sorted(zip(kept.french, kept.alignment, strict=True)) == sorted(
            zip(phrase.french, phrase.alignment, strict=True)
        )
        assert (kept == phrase) != turned(phrase)


def test_phrases_to_learn_from_and_to_test_with_are_different():
    training, unseen, validation = data()
    assert [len(each) for each in (training, unseen, validation)] == [4500, 500, 500]
    assert len(set(itertools.chain(training, unseen, validation))) == 5500


def test_the_vector_is_read_once_by_first_and_at_each_step_by_none():
    first, none = build("first"), build("none")
    assert isinstance(first, FirstOnly)
    first.load_state_dict(none.state_dict())  # as many parameters, of the same shapes
    source = torch.tensor([[5, 6, 7, 2]])
    states, last, real = none.encode(source)
    word, state = torch.tensor([1]), torch.ones(1, 64)
    for model, reads in ((first, False), (none, True)):
        moved = [
            model.step(word, state, vector, (states, vector, real))[0] for vector in (last, -last)
        ]
        assert torch.equal(*moved) != reads


def test_building_leaves_the_random_numbers_alone_and_names_an_unknown_kind():
    torch.manual_seed(4)
    wanted = torch.rand(1)
    torch.manual_seed(4)
    build("additive")
    assert torch.equal(torch.rand(1), wanted)
    with pytest.raises(ValueError, match=r"kind must be one of additive, dot, .*, not 'best'"):
        build("best")


def test_half_a_training_is_not_kept():
    def stop(step, loss):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(RuntimeError, match="none: stopped after 2 of 300 steps"):
        train_run("none", watch=stop)


@pytest.mark.slow
@pytest.mark.parametrize(
    "key",
    [("none", 300, SAME_RATE, 1), ("kept", 300, SAME_RATE, 1), ("first", 300, 3e-2, 0),
     ("dot", 300, SAME_RATE, 1), ("additive", 300, 1e-2, 0), ("none", 600, 1e-2, 0)],
)  # fmt: skip
def test_the_kept_runs_can_be_made_again(key):
    kind, steps, lr, seed = key
    again = train_run(kind, steps=steps, lr=lr, seed=seed)
    kept = committed()[key]
    assert again.exact == pytest.approx(kept.exact, abs=0.1)
    assert again.loss == pytest.approx(kept.loss, rel=0.5)
    for word, looks in again.looks.items():
        if word in ("noun", "adjective"):
            assert looks[1] / looks[0] == pytest.approx(
                kept.looks[word][1] / kept.looks[word][0], abs=0.1
            )
