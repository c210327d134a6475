"""Running sums with and without feed-forward parts: the kept runs."""

import pytest
import torch

from attention_lab.labs.encoder_decoder.sums import (
    SEEDS,
    SETTINGS,
    Setting,
    committed_sums,
    key_of,
    train_sums,
)


def exact(n_layers, has_feed_forward, steps, lr):
    runs = committed_sums()[Setting(n_layers, has_feed_forward, steps, lr)]
    return [run.exact_match for run in runs]


def test_every_setting_is_kept_from_three_starts():
    assert len({key_of(setting, seed) for setting in SETTINGS for seed in SEEDS}) == 36
    for runs in committed_sums().values():
        assert len(runs) == 3
        assert len({run.parameters for run in runs}) == 1


def test_two_layers_without_feed_forward_learn_with_fewer_parameters():
    parameters = {
        kind: committed_sums()[Setting(*kind, 600, 3e-3)][0].parameters
        for kind in ((1, True), (1, False), (2, False))
    }
    assert parameters == {(1, True): 31085, (1, False): 14253, (2, False): 27117}
    assert min(exact(1, True, 600, 7e-3)) >= 0.95
    assert max(exact(1, False, 600, 7e-3) + exact(2, False, 600, 7e-3)) <= 0.5
    assert min(exact(2, False, 1200, 3e-3)) >= 0.95  # with the default rate
    assert min(exact(2, False, 1200, 7e-3)) == 0  # the other rate: from one start it fails
    # less than half of the parameters: from one start nearly all, from another a good half
    assert exact(1, False, 1200, 3e-3) == [0.606, 0.858, 0.998]


@pytest.mark.slow
def test_a_kept_run_can_be_made_again():
    for setting in (Setting(1, True, 600, 7e-3), Setting(2, False, 1200, 3e-3)):
        torch.manual_seed(5)
        before = torch.get_rng_state()
        run = train_sums(setting, seed=1)
        assert torch.equal(torch.get_rng_state(), before)
        assert run.exact_match >= 0.95
        assert run.parameters == committed_sums()[setting][1].parameters
