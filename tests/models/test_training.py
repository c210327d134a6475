"""The training loop."""

import math

import torch
from torch import nn

from attention_lab.models.training import train


def line(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(1, 1)


def points(generator):
    x = torch.randn(16, 1, generator=generator)
    return x, 3 * x + 1


def squared(model, batch):
    x, y = batch
    return (model(x) - y).pow(2).mean()


def test_it_learns_and_keeps_its_history():
    model, seen = line(), []
    history = train(
        model,
        squared,
        points,
        steps=300,
        lr=0.05,
        measure=lambda m: m.weight.item(),
        every=100,
        watch=lambda step, loss: seen.append((step, loss)),
    )
    assert abs(model.weight.item() - 3) < 0.01
    assert abs(model.bias.item() - 1) < 0.01
    assert [step for step, _ in history.metrics] == [100, 200, 300]
    assert history.metrics[-1][1] == model.weight.item()
    assert seen == list(enumerate(history.losses, start=1))
    assert history.stopped == ""


def test_the_seed_decides_everything():
    def losses(seed):
        return train(line(), squared, points, steps=20, seed=seed).losses

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)


def test_a_loss_that_is_no_number_ends_it_and_spoils_nothing():
    model, calls = line(), []

    def loss(model, batch):
        calls.append(1)
        return squared(model, batch) * (math.nan if len(calls) == 5 else 1)

    history = train(model, loss, points, steps=20)
    assert len(history.losses) == 4
    assert "the loss of step 5 is nan" in history.stopped
    assert all(p.isfinite().all() for p in model.parameters())


def test_an_interrupt_keeps_what_was_learned():
    threads, model = torch.get_num_threads(), line()
    before = model.weight.item()

    def interrupt(step, _loss):
        if step == 7:
            raise KeyboardInterrupt

    history = train(model, squared, points, steps=20, watch=interrupt)
    assert history.stopped == "interrupted after 7 steps; what was learned is kept"
    assert len(history.losses) == 7
    assert model.weight.item() != before
    assert torch.get_num_threads() == threads
