"""The training loop."""

import math

import pytest
import torch
from torch import nn

from attention_lab.models.training import Interrupted, NotTrained, Trained, seeded, train


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
    assert [step for step, _ in history.metrics] == [0, 100, 200, 300]
    assert history.metrics[0][1] == line().weight.item()
    assert history.metrics[-1][1] == model.weight.item()
    assert seen == list(enumerate(history.losses, start=1))
    assert history.stopped == ""


def test_the_seed_decides_everything():
    def losses(seed):
        return train(line(), squared, points, steps=20, seed=seed).losses

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)


def state_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


class Remembers(nn.Module):
    """A model with a buffer that every call changes, as a batch norm has."""

    def __init__(self):
        super().__init__()
        self.map, self.norm = line(), nn.BatchNorm1d(1)

    def forward(self, x):
        return self.norm(self.map(x))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("make", [line, Remembers])
def test_a_loss_that_is_not_finite_ends_it_and_changes_nothing(number, make):
    model, calls, kept = make(), [], {}

    def loss(model, batch):
        calls.append(1)
        if len(calls) == 5:
            kept.update(state_of(model))
            return squared(model, batch) * 0 + number
        return squared(model, batch)

    history = train(model, loss, points, steps=20)
    assert len(history.losses) == 4
    assert history.stopped == f"step 5 was not made, and changed nothing: its loss is {number}"
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())


class NoGradient(torch.autograd.Function):
    """The identity, whose gradient is what it is told."""

    @staticmethod
    def forward(ctx, x, gradient):
        ctx.gradient = gradient
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return torch.full_like(gradient, ctx.gradient), None


@pytest.mark.parametrize(("gradient", "what"), [(math.nan, "nan"), (math.inf, "inf")])
def test_a_gradient_that_is_not_finite_ends_it_and_names_the_parameter(gradient, what):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1))
    calls, kept = [], {}

    def loss(model, batch):
        calls.append(1)
        x, y = batch
        hidden = model[0](x.abs())
        if len(calls) == 3:
            kept.update(state_of(model))
            hidden = NoGradient.apply(hidden, gradient)
        return (model[1](hidden) - y).pow(2).mean()

    history = train(model, loss, points, steps=20)
    assert len(history.losses) == 2
    assert history.stopped == (
        "step 3 was not made, and changed nothing: the loss is finite, and the gradient of "
        f"0.weight holds {what}"
    )
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())


def test_the_masked_softmax_of_notebook_06_is_found_in_the_step_where_it_happens():
    model = nn.Linear(2, 2)

    def loss(model, x):
        mask = torch.tensor([[-math.inf, -math.inf], [0, -math.inf]])
        scores = model(x) + mask  # the first query may attend to no key
        return scores.softmax(-1).nan_to_num(0).pow(2).sum()

    before = state_of(model)
    history = train(model, loss, lambda random: torch.randn(2, 2, generator=random), steps=3)
    assert history.losses == []
    assert "step 1 was not made" in history.stopped
    assert "the gradient of weight holds nan" in history.stopped
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_an_interrupt_keeps_what_was_learned_and_ends_the_cell_with_one_line():
    torch.set_num_threads(2)  # a fixture of all tests sets it back
    model = line()
    before = model.weight.item()

    def interrupt(step, _loss):
        if step == 7:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        train(model, squared, points, steps=20, watch=interrupt)
    said = "stopped after 7 of 20 steps; what was learned is kept"
    assert str(caught.value) == said
    assert caught.value._render_traceback_() == [said]
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.history.stopped == said
    assert len(caught.value.history.losses) == 7
    assert model.weight.item() != before
    assert torch.get_num_threads() == 2


def test_a_result_that_is_missing_says_what_to_do():
    models = Trained()
    models["dot"] = 1
    assert models["dot"] == 1
    with pytest.raises(NotTrained) as caught:
        models["none"]
    said = "nothing came of the training of 'none': run its cell again, to the end"
    assert str(caught.value) == said
    assert caught.value._render_traceback_() == [said]


def test_the_model_is_ready_to_be_used_and_measured_without_dropout():
    model = nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5))
    modes = []
    train(
        model, squared, points, steps=4, every=2,
        measure=lambda m: modes.append((m.training, torch.is_grad_enabled())) or 0.0,
        watch=lambda *_: modes.append(model.training),
    )  # fmt: skip
    assert modes == [(False, False), True, True, (False, False), True, True, (False, False)]
    assert not model.training


def test_the_learning_rate_is_what_the_docstring_says(monkeypatch):
    rates = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam,
        "step",
        lambda self: rates.append(self.param_groups[0]["lr"]) or step(self),
    )
    model = line()
    train(model, squared, points, steps=10, lr=0.5)
    wanted = [0.5 * (1 + math.cos(math.pi * i / 10)) / 2 for i in range(1, 11)]
    assert rates == pytest.approx(wanted)
    assert rates[0] < 0.5
    assert rates[-1] == 0


def test_with_a_warm_up_the_rate_rises_first_and_then_falls(monkeypatch):
    used = []
    make = torch.optim.Adam.step

    def noted(self, *args, **kwargs):
        used.append(self.param_groups[0]["lr"])
        return make(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    train(line(), squared, points, steps=20, lr=0.5, warm_up=0.2)
    assert used[:4] == pytest.approx([0.125, 0.25, 0.375, 0.5])
    assert used[4:] == pytest.approx(
        [0.5 * (1 + math.cos(math.pi * i / 16)) / 2 for i in range(1, 17)]
    )


def test_a_seed_is_used_and_the_random_state_stays():
    torch.manual_seed(3)
    expected = torch.randn(2)
    torch.manual_seed(3)
    with seeded(7):
        drawn = torch.randn(2)
    assert torch.equal(torch.randn(2), expected)
    with seeded(7):
        assert torch.equal(torch.randn(2), drawn)
