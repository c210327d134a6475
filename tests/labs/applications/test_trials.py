"""The kept trials say what the notebook says, and a training today says the same."""

import pytest

from attention_lab.labs.applications import trials


def mean(task, kind, name=""):
    return trials.summary(task, kind, name)[0]


def test_every_trial_is_kept():
    wanted = {trials.key_of(*each, long=long) for *each, long in trials.every()}
    assert set(trials.committed()) == wanted


def test_the_best_rate_is_chosen_on_validation_and_lies_inside_of_those_tried():
    for task, kinds in trials.TASKS.items():
        for kind in kinds:
            lr, runs = trials.best(task, kind)
            assert len(runs) == 3
            for other in trials.RATES[task]:
                found = [
                    trials.committed()[trials.key_of(task, kind, other, seed)].validation
                    for seed in trials.SEEDS
                ]
                assert sum(found) <= sum(run.validation for run in runs)
            if (task, kind) != ("stories", "question"):  # which learns nothing at any rate
                assert min(trials.RATES[task]) < lr < max(trials.RATES[task]), (task, kind)


def test_stories_are_answered_by_attention_over_the_story_only():
    assert mean("stories", "story") > 0.99
    by_chance = (1 / 3 + 1 / 4 + 1 / 5 + 1 / 6) / 4
    assert mean("stories", "uniform") == pytest.approx(by_chance, abs=0.015)
    assert by_chance - 0.01 < trials.summary("stories", "uniform", long=True)[0] < 0.4
    assert mean("stories", "question") == pytest.approx(1 / 32, abs=0.01)


def test_the_missing_number_is_why_softmax_falls_behind_in_the_shop():
    auc = {kind: trials.summary("shop", kind) for kind in trials.TASKS["shop"]}
    assert auc["mean"][0] < auc["sum"][0] < auc["softmax"][0] < auc["softmax, told n"][0]
    assert auc["softmax"][0] - auc["sum"][0] < 0.02
    assert auc["sigmoid"][0] - auc["softmax"][0] > 0.03
    assert auc["sigmoid"][0] - auc["softmax, told n"][0] < 0.01
    assert auc["sigmoid"][0] - auc["softmax plus one"][0] < 0.005
    assert max(error for _, error in auc.values()) < 0.004
    long = {k: trials.summary("shop", k, long=True)[0] for k in trials.TRAINED_LONG["shop"]}
    assert long["sigmoid"] - long["softmax"] > 0.02


def test_attention_reads_pictures_soonest_and_is_not_the_only_way():
    right = {kind: mean("triptych", kind) for kind in trials.TASKS["triptych"]}
    assert right["attention"] > right["joined"] > 0.93 > right["uniform"] + 0.1
    long = {k: trials.summary("triptych", k, long=True)[0] for k in trials.TASKS["triptych"]}
    assert abs(long["attention"] - long["joined"]) < 0.01
    assert 0 < long["attention"] - long["uniform"] < 0.02
    assert mean("triptych", "attention", "uniform") < 0.35
    assert mean("triptych", "attention", "wrong question") < 0.01
    assert mean("triptych", "attention", "other cell") > 0.95
    assert mean("triptych", "attention", "weight, by place") > 0.99
    assert 0.8 < mean("triptych", "attention", "weight, by size") < 0.95


@pytest.mark.parametrize("task", trials.TASKS)
def test_a_short_training_gives_a_trial_of_the_same_kind(task):
    kind = trials.TASKS[task][0]
    run = trials.run_trial(task, kind, trials.RATES[task][0], 0, steps=3)
    kept = trials.committed()[trials.key_of(task, kind, trials.RATES[task][0], 0)]
    assert run.parameters == kept.parameters
    assert set(run.more) == set(kept.more)
    assert run.test < kept.test


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "kind", "within"),
    [("stories", "story", 0.01), ("shop", "sigmoid", 0.01), ("triptych", "attention", 0.03)],
)
def test_a_training_today_comes_to_what_is_kept(task, kind, within):
    lr, runs = trials.best(task, kind)
    assert trials.run_trial(task, kind, lr, 1).test == pytest.approx(runs[1].test, abs=within)
