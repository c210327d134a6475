"""Where, when, which, and what is hidden: the networks, and the kept runs."""

import dataclasses

import pytest
import torch

from attention_lab.labs.vision import tasks
from attention_lab.labs.vision.images import of_patches, patches, splits
from attention_lab.labs.vision.networks import build
from attention_lab.labs.vision.runs import SEEDS
from attention_lab.labs.vision.scenes import hidden_patches, scenes
from attention_lab.labs.vision.seekers import (
    Chooser,
    Filler,
    Labeller,
    Pointer,
    expected_patches,
)


def test_every_run_is_kept_and_the_best_rate_lies_between_others():
    for name, task in tasks.TASKS.items():
        for kind in task.kinds:
            three = tasks.best(name, kind)
            assert [found.seed for found in three] == list(SEEDS)
            rates = sorted(f.lr for f in tasks.committed().values() if f.key[:2] == (name, kind))
            assert rates[0] < three[0].lr < rates[-1], (name, kind)


def numbers(name, kind, what):
    return [found.test[what] for found in tasks.best(name, kind)]


def test_what_the_notebook_concludes_holds_for_three_seeds():
    assert min(numbers("pointing", "query", "in the box")) > 0.98
    assert min(numbers("pointing", "query", "right")) > 0.95
    assert max(numbers("pointing", "mean", "right")) < min(numbers("pointing", "query", "right"))
    assert min(numbers("clips", "query", "at the frame")) > 0.99
    alone, near, all_ = (numbers("labels", k, "right") for k in ("itself", "neighbours", "all"))
    assert max(alone) < 0.5 < min(near)
    assert min(all_) > 0.9
    short, long = (
        numbers("filling", "400 steps", "error"),
        numbers("filling longer", "1600 steps", "error"),
    )
    data, hidden = splits(), hidden_patches(450, torch.Generator().manual_seed(tasks.TEST_SEED))
    true = patches(data["test"].images, 2)
    linear = expected_patches(data["all"], data["test"].images, hidden)
    error = (linear - true)[hidden].pow(2).mean().item()
    assert max(long) < error < min(short)


def test_the_mean_has_equal_weights_and_the_query_has_not():
    cnn = build("CNN")
    images = scenes(splits()["test"], 4, torch.Generator().manual_seed(0)).images
    frames = torch.rand(4, 8, 8, 8)
    for make, given, n in ((lambda u: Pointer(cnn, u), images, 144), (Chooser, frames, 8)):
        for is_uniform in (True, False):
            logits, weights = make(is_uniform).eval()(given)
            assert logits.shape == (4, 10)
            assert weights.shape == (4, n)
            assert torch.allclose(weights.sum(-1), torch.ones(4))
            assert torch.allclose(weights, torch.full_like(weights, 1 / n)) == is_uniform


def test_the_first_layers_of_the_pointer_stay_as_they_are():
    cnn = build("CNN")
    before = {name: numbers.clone() for name, numbers in cnn.state_dict().items()}
    pointer = Pointer(cnn).train()
    pointer(torch.rand(3, 24, 24))[0].sum().backward()
    assert all(each.grad is None for each in pointer.seen.parameters())
    assert all(torch.equal(before[name], now) for name, now in cnn.state_dict().items())
    assert all(torch.equal(before[name], now) for name, now in pointer.seen.state_dict().items())


@pytest.mark.parametrize(("reach", "seen", "reached"), [(0, 1, 1), (1, 9, 20), (8, 32, 32)])
def test_a_patch_sees_as_far_as_the_mask_reaches(reach, seen, reached):
    labeller = Labeller(reach).eval()
    assert labeller.mask[11].sum() == seen  # row 1, column 3 of 4 × 8
    images = torch.rand(1, 8, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(labeller(images)[0, 11].pow(2).sum(), images)
    # two layers: two rows (of which one is there above) and two columns to each side
    assert (patches(gradient, 2) != 0).any(-1).sum() == reached


def test_the_filler_does_not_see_what_is_hidden():
    torch.manual_seed(0)
    filler, images = Filler().eval(), torch.rand(2, 8, 8)
    hidden = hidden_patches(2, torch.Generator().manual_seed(0))
    other = images.clone()
    cut = patches(other, 2)
    cut[hidden] = 1 - cut[hidden]
    assert torch.equal(filler(images, hidden), filler(of_patches(cut, 2, 8), hidden))


def test_the_linear_guess_is_the_conditional_mean_and_keeps_what_is_seen():
    data, images = splits()["all"], splits()["test"].images[:6]
    hidden = hidden_patches(6, torch.Generator().manual_seed(2))
    guess = expected_patches(data, images, hidden)
    true = patches(images, 2)
    assert torch.equal(guess[~hidden], true[~hidden])
    everything = torch.ones(6, 16, dtype=torch.bool)
    mean = patches(data.images, 2).mean(0).expand(6, -1, -1)
    assert torch.allclose(expected_patches(data, images, everything), mean, atol=1e-5)
    assert (guess - true)[hidden].pow(2).mean() < (mean - true)[hidden].pow(2).mean()


def test_the_peak_is_in_pixels_and_the_brightest_box_is_found():
    weights = torch.zeros(2, 144)
    weights[0, 0] = weights[1, 12 * 3 + 5] = 1
    assert tasks.peaks(weights).tolist() == [[0.5, 0.5], [6.5, 10.5]]
    seen = scenes(splits()["test"], 3, torch.Generator().manual_seed(0))
    only = torch.zeros_like(seen.images)
    for canvas, (top, left) in zip(only, seen.corners.tolist(), strict=True):
        canvas[top : top + 8, left : left + 8] = 1
    found = tasks.brightest(seen._replace(images=only))
    assert torch.equal(found, seen.corners + 3.5)


@pytest.mark.parametrize("name", tasks.TASKS)
def test_each_task_trains_and_is_measured(name, monkeypatch):
    monkeypatch.setitem(tasks.TASKS, name, dataclasses.replace(tasks.TASKS[name], steps=2))
    monkeypatch.setattr(tasks, "N_SEEN", 20)
    monkeypatch.setattr(tasks, "_reader", lambda seed: build("CNN", seed))
    kind = next(iter(tasks.TASKS[name].kinds))
    found = tasks.train_task(name, kind, lr=1e-3)
    assert found.key == (name, kind, 1e-3, 0)
    assert set(found.test) == set(tasks.best(name, kind)[0].test)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"), [("pointing", "query"), ("clips", "mean"), ("labels", "all"),
                       ("filling", "400 steps")],
)  # fmt: skip
def test_the_kept_runs_can_be_made_again(name, kind):
    kept = tasks.best(name, kind)[0]
    again = tasks.train_task(name, kind, lr=kept.lr)
    for what, number in kept.test.items():
        assert again.test[what] == pytest.approx(number, abs=0.03), what
