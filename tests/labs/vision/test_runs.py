"""The kept comparison, and what the notebook concludes from it."""

import pytest
import torch

from attention_lab.labs.vision import runs
from attention_lab.labs.vision.images import splits
from attention_lab.labs.vision.networks import build


def test_every_run_is_kept_and_the_best_rate_lies_between_others():
    for part, kinds in runs.TRAINED.items():
        for kind in kinds:
            three = runs.best(kind, part)
            assert [run.seed for run in three] == list(runs.SEEDS), (kind, part)
            tuned = runs.TUNED.get(part, part)
            tried = [
                run for key, run in runs.committed().items()
                if key[:2] == (kind, tuned) and run.seed == 0
            ]  # fmt: skip
            rates = sorted(run.lr for run in tried)
            assert rates[0] < three[0].lr < rates[-1], (kind, part)
            assert all(len(run.right) == 450 and len(run.moved) == 4 for run in three)


def test_no_module_can_be_told_from_the_plain_cnn():
    cnns = runs.best("CNN")
    for kind in runs.MODULES[1:]:
        assert abs(runs.mean(runs.best(kind)) - runs.mean(cnns)) <= 0.005
        for one, cnn in zip(runs.best(kind), cnns, strict=True):
            assert runs.mcnemar(one.right, cnn.right)[2] > 0.05


def paired(better, worse, part):
    pairs = zip(runs.best(better, part), runs.best(worse, part), strict=True)
    return [runs.mcnemar(one.right, other.right) for one, other in pairs]


def test_what_is_real():
    for better, worse, part, most in (
        ("ViT", "ViT without positions", "all", 0.001),
        ("CNN", "ViT", "few", 0.002),
        ("CNN", "MLP", "few", 0.02),
        ("CNN", runs.SMALL_START, "few", 0.001),
    ):
        for only_one, only_other, p in paired(better, worse, part):
            assert only_one > only_other
            assert p < most, (better, worse)
    mended = paired("ViT", runs.SMALL_START, "few")
    assert all(one > other for one, other, _ in mended)
    assert sorted(p for *_, p in mended)[1] < 0.001


def test_what_cannot_be_told_apart():
    for kind in ("ViT", "CNN"):
        assert max(p for *_, p in paired(kind, "MLP", "all")) > 0.05
    assert max(p for *_, p in paired("MLP", "ViT", "few")) > 0.05


def test_what_a_network_knows_beforehand():
    for kind, low, high in (("MLP", 0.4, 0.6), ("ViT", 0.4, 0.6), ("CNN", 0.85, 0.95)):
        for run in runs.best(kind):
            assert low < run.shifted < high, (kind, run.seed)
        for run in runs.best(kind, "moved"):
            assert run.shifted > 0.85, kind
    for run in runs.best("CNN, pixels rearranged"):
        assert run.accuracy > 0.95
        assert run.shifted < 0.6
    assert min(run.accuracy for run in runs.best("CNN", "few")) > 0.95
    start, mended = (runs.mean(runs.best(kind, "few")) for kind in (runs.SMALL_START, "ViT"))
    assert 0.8 < start < 0.87 < 0.89 < mended < 0.93


def test_the_exact_test_counts_what_only_one_reads_right():
    assert runs.mcnemar("1100", "1010") == (1, 1, 1.0)
    assert runs.mcnemar("1" * 10, "0" * 10) == (10, 0, 2 / 2**10)
    assert runs.mcnemar("01", "01") == (0, 0, 1.0)
    with pytest.raises(ValueError, match="longer"):
        runs.mcnemar("1", "10")


def test_a_standard_error_is_the_spread_of_a_share():
    torch.manual_seed(0)
    shares = (torch.rand(4000, 450) < 0.9).double().mean(dim=1)
    assert runs.standard_error(0.9, 450) == pytest.approx(shares.std().item(), rel=0.05)
    assert round(runs.standard_error(0.98, 450), 4) == 0.0066


def test_moved_images_are_learned_from_in_all_nine_ways():
    seen = []

    class Looks(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = torch.nn.Parameter(torch.zeros(10))

        def forward(self, images):
            seen.append(images)
            return self.bias.expand(len(images), 10)

    one = splits()["test"]
    only = runs.Split(one.images[:1], one.labels[:1])
    runs.fit(Looks(), only, lr=1e-3, steps=4, moved=True)
    assert len(torch.cat(seen).flatten(1).unique(dim=0)) == 9
    seen.clear()
    runs.fit(Looks(), only, lr=1e-3, steps=2)
    assert len(torch.cat(seen).flatten(1).unique(dim=0)) == 1


def test_a_run_says_what_came_of_it(monkeypatch):
    monkeypatch.setattr(runs, "STEPS", 3)
    monkeypatch.setitem(runs.fit.__kwdefaults__, "steps", 3)
    run = runs.train_run("MLP", "few", lr=1e-2)
    assert run.key == ("MLP", "few", 1e-2, 0)
    assert run.accuracy == run.right.count("1") / 450
    assert min(run.moved) <= run.shifted <= max(run.moved)


def test_half_a_training_is_not_kept():
    def stop(step, loss):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(RuntimeError, match="MLP: stopped after 2 of 600 steps"):
        runs.train_run("MLP", lr=1e-2, watch=stop)


def test_classify_tells_for_each_image():
    network, data = build("MLP").eval(), splits()["few"]
    want = network(data.images).argmax(-1) == data.labels
    assert torch.equal(runs.classify(network, data), want)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "part", "seed"),
    [("MLP", "all", 1), ("CNN", "all", 2), ("CNN + SE", "few", 1), ("ViT", "few", 1),
     (runs.SMALL_START, "few", 0), ("CNN, pixels rearranged", "all", 0), ("ViT", "moved", 0)],
)  # fmt: skip
def test_the_kept_runs_can_be_made_again(kind, part, seed):
    kept = runs.best(kind, part)[seed]
    again = runs.train_run(kind, part, lr=kept.lr, seed=seed)
    assert again.accuracy == pytest.approx(kept.accuracy, abs=0.04)
    assert again.shifted == pytest.approx(kept.shifted, abs=0.12)
