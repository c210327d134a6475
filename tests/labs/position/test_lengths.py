"""The kept runs, what is concluded from them, and the parts they are made with."""

import pytest
import torch

from attention_lab.labs.position import lengths
from attention_lab.labs.position.lengths import (
    LENGTHS,
    RATES,
    SEEDS,
    Reader,
    accuracy,
    best_rate,
    clipped,
    committed,
    key_of,
    last_keys,
    runs,
)
from attention_lab.models.transformer import POSITIONS


def at(task, position, n):
    return [run.accuracy[LENGTHS.index(n)] for run in runs(task, position)]


def test_every_encoding_was_tried_with_three_rates_and_three_seeds():
    for task in lengths.TASKS:
        for position in POSITIONS:
            for lr in RATES[:3]:
                assert len(runs(task, position, lr)) == len(SEEDS)
            if best_rate(task, position) == RATES[2]:  # the last that all had: one more was tried
                assert key_of(task, position, RATES[3], SEEDS[-1]) in committed()
    counts = {p: {run.n_parameters for run in runs("first", p)} for p in POSITIONS}
    assert counts.pop("learned") == {26252 + 64 * 32}  # its table
    assert all(count == {26252} for count in counts.values())


def test_the_token_before():
    encodings = POSITIONS[1:]
    for position in encodings:
        assert min(at("previous", position, 16)) > 0.9
        assert max(at("previous", "none", 16)) < min(at("previous", position, 16))
    for position in ("sinusoidal", "learned"):
        assert max(at("previous", position, 64)) < min(at("previous", "none", 64))
    means = {p: sum(at("previous", p, 64)) for p in POSITIONS}
    ordered = sorted(means, key=means.get, reverse=True)
    assert ordered == ["alibi", "rotary", "none", "sinusoidal", "learned"]


def test_the_first_token():
    assert min(at("first", "none", 64) + at("first", "alibi", 64)) >= 0.95
    assert max(at("first", "rotary", 64)) < 0.95
    assert min(at("first", "rotary", 16)) > 0.98
    means = {p: sum(at("first", p, 64)) for p in POSITIONS}
    assert min(means, key=means.get) == "rotary"


def test_the_last_keys_repair_rotary_only():
    assert min(run.last for run in runs("previous", "rotary")) > 0.98
    for position in ("sinusoidal", "learned"):
        assert max(run.last for run in runs("previous", position)) < 0.6


def test_more_steps_help_a_model_without_an_encoding_at_the_trained_lengths():
    longer = [run.accuracy for run in runs("previous", "none", steps=1200)]
    assert min(each[LENGTHS.index(16)] for each in longer) > max(at("previous", "none", 16))
    assert min(each[LENGTHS.index(16)] for each in longer) > 0.95
    assert max(each[LENGTHS.index(64)] for each in longer) < 0.8


def test_a_run_that_cannot_be_named():
    with pytest.raises(ValueError, match="no such task or encoding"):
        key_of("first", "t5", 1e-3, 0)


# --- parts ----------------------------------------------------------------------------------------


def test_tasks():
    random = torch.Generator().manual_seed(5)
    tokens, answers = lengths.previous_token(random, 7, 9)
    assert torch.equal(answers[:, 1:], tokens[:, :-1])
    assert (answers[:, 0] == 0).all()
    tokens, answers = lengths.first_token(random, 7, 9)
    assert torch.equal(answers, tokens[:, :1].expand(7, 9))
    drawn = {lengths.first_token(random, 1)[0].shape[1] for _ in range(300)}
    assert drawn == set(range(4, 17))
    tokens, answers = lengths.which_first(random, 200)
    zero, one = ((tokens == token).double().argmax(dim=1) for token in (0, 1))
    assert torch.equal(answers, (zero < one).long())
    assert ((tokens == 0).sum(dim=1) == 1).all()
    assert ((tokens == 1).sum(dim=1) == 1).all()
    assert 0.3 < answers.double().mean() < 0.7


@pytest.mark.parametrize("position", POSITIONS)
def test_a_reader_is_causal_unless_told_otherwise(position):
    torch.manual_seed(0)
    tokens = torch.randint(2, 12, (2, 10))
    changed = tokens.clone()
    changed[:, 7:] = 5
    for causal in (True, False):
        model = Reader(position, causal=causal)
        moved = (model(tokens) - model(changed)).abs().amax(dim=(0, 2)) > 1e-4
        assert moved[:7].any() == (not causal)
        assert moved[7:].all()


def test_last_keys():
    assert last_keys(5, 2).int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 1, 1],
    ]
    assert (last_keys(64).sum(dim=1) == torch.arange(1, 65).clamp(max=16)).all()


def test_distances_are_clipped_and_nothing_else_is():
    torch.manual_seed(0)
    model = Reader("rotary").eval()
    short, long = torch.randint(2, 12, (3, 16)), torch.randint(2, 12, (3, 40))
    plain, far = model(short), model(long)
    with clipped(model):
        torch.testing.assert_close(model(short), plain, atol=1e-5, rtol=1e-5)  # none is so far
        moved = (model(long) - far).abs().amax(dim=(0, 2))
        with_mask = model(long, last_keys(40))
    assert (moved[:16] < 1e-5).all()
    assert (moved[16:] > 1e-5).all()
    torch.testing.assert_close(with_mask, model(long, last_keys(40)), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model(long), far)  # as it was
    with clipped(model, 39):
        torch.testing.assert_close(model(long), far, atol=1e-5, rtol=1e-5)
    with (
        pytest.raises(ValueError, match="only distances of a rotary model"),
        clipped(Reader("none")),
    ):
        pass


def test_clipped_scores_of_one_layer():
    """With a single layer and head written out: distance 5 is seen as 3 where 3 is the most."""
    torch.manual_seed(1)
    layer = Reader("rotary", layers=1)
    attend = layer.encoder.layers[0].self_attention
    q, k, v = torch.randn(3, 1, 1, 6, 8, dtype=torch.float64)
    index = torch.arange(6)
    turned_q, turned_k = (lengths.rotate(each, index) for each in (q, k))
    with clipped(layer, 3):
        came = attend._attend(turned_q, turned_k, v, None, True)
    scores = torch.full((6, 6), -torch.inf, dtype=torch.float64)
    for i in range(6):
        for j in range(i + 1):
            back = torch.tensor([min(i - j, 3)])
            turned = lengths.rotate(q[0, 0, i : i + 1], back)
            scores[i, j] = (turned @ k[0, 0, j]).item() / 8**0.5
    torch.testing.assert_close(came[0, 0], scores.softmax(dim=1) @ v[0, 0])


def test_accuracy_gives_a_model_back_as_it_was():
    model = Reader("none").train()
    tokens, answers = lengths.first_token(torch.Generator().manual_seed(0), 4, 6)
    assert 0 <= accuracy(model, (tokens, answers)) <= 1
    assert model.training
