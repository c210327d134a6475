"""Parts taken out of a Transformer, and the kept runs."""

import itertools

import pytest
import torch

from attention_lab.labs.encoder_decoder.ablation import (
    EVERY,
    PARTS,
    REPEATED,
    STEPS,
    TASKS,
    build,
    committed,
    key_of,
    spread,
    starts,
    train_without,
)
from attention_lab.models.data.sequences import draw
from attention_lab.models.transformer import MultiHeadAttention


def test_every_combination_is_kept():
    wanted = {
        key_of(without, task)
        for task in TASKS
        for count in range(len(PARTS) + 1)
        for without in itertools.combinations(PARTS, count)
    }
    runs = committed()
    assert set(runs) == wanted
    for run in runs.values():
        assert len(run.losses) == STEPS // EVERY + 1
        assert len(run.spread) == 3
        assert 0 <= run.exact_match <= 1
        assert 0 <= run.accuracy <= 1


def test_what_four_starts_say():
    assert set(starts()) == {key_of(parts, task) for parts in REPEATED for task in TASKS}
    for key, each in starts().items():
        assert len(each.exact_match) == len(each.spread) == 4
        run = committed()[key]
        assert (each.exact_match[0], each.spread[0]) == (run.exact_match, run.spread[-1])
    for task in TASKS:
        for parts in ((), ("norm",), ("feed_forward",), ("output",)):
            assert min(starts()[key_of(parts, task)].exact_match) >= 0.98
        for part in ("residual", "causal"):
            assert max(starts()[key_of([part], task)].exact_match) <= 0.05
    assert max(starts()["reverse -position"].exact_match) == 0
    assert min(starts()["sort -position"].exact_match) >= 0.99
    three = starts()[key_of(("norm", "feed_forward", "output"), "reverse")].exact_match
    assert three[0] == min(three) == 0.82
    assert sorted(three)[1] >= 0.9


def test_collapse_does_not_explain_why_sorting_fails_without_residual_sums():
    reverse, sort = (starts()[key_of(["residual"], task)] for task in TASKS)
    assert max(reverse.spread) < 0.3
    assert min(sort.spread) > 0.4
    assert max(sort.spread) > 0.7
    assert max(sort.exact_match) < 0.05


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_out_is_out(part):
    random = torch.Generator().manual_seed(1)
    source, target = draw("reverse", 2, 8, random)
    whole, model = build(()), build([part])
    sizes = [sum(p.numel() for p in each.parameters()) for each in (whole, model)]
    assert (sizes[1] < sizes[0]) == (part in ("norm", "feed_forward", "output"))
    if part in ("residual", "position", "causal"):
        model.load_state_dict(whole.state_dict())
    assert not torch.allclose(whole(source, target), model(source, target), atol=1e-3)
    names = {type(m).__name__ for m in model.modules()}
    assert ("LayerNorm" in names) == (part != "norm")
    assert ("FeedForward" in names) or part == "feed_forward"
    attentions = [m for m in model.modules() if isinstance(m, MultiHeadAttention)]
    assert all(isinstance(a.out, torch.nn.Identity) == (part == "output") for a in attentions)


def test_wrong_names_and_half_a_training():
    with pytest.raises(ValueError, match="there is no part 'noise'; the parts are resi"):
        build(["noise"])
    with pytest.raises(ValueError, match="not a string; the parts are"):
        build("norm")
    with pytest.raises(ValueError, match="task must be one of reverse, sort, not 'count'"):
        key_of([], "count")

    def stop(step, loss):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(RuntimeError, match="sort -norm: stopped after 3 of 300 steps"):
        train_without(["norm"], "sort", watch=stop)


def test_building_leaves_the_random_numbers_alone():
    torch.manual_seed(4)
    wanted = torch.rand(1)
    torch.manual_seed(4)
    build([])
    assert torch.equal(torch.rand(1), wanted)


def test_spread():
    assert spread(torch.ones(4, 3)) == 0
    x = torch.randn(4, 3)
    assert spread(x - x.mean(0)) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("without", "task"),
    [
        ((), "reverse"),
        (("residual",), "sort"),
        (("position",), "sort"),
        (("causal",), "sort"),
        (("norm", "feed_forward", "output"), "reverse"),
    ],
)
def test_the_kept_runs_can_be_made_again(without, task):
    again = train_without(without, task, seed=1)
    # another processor rounds otherwise, so the digits may differ
    assert again.exact_match == pytest.approx(
        starts()[key_of(without, task)].exact_match[1], abs=0.08
    )
    if "causal" in without:
        assert again.accuracy > 0.95
