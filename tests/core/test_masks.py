import pytest
import torch

from attention_lab.core.masks import causal, everything, mask_from, others, window


@pytest.mark.parametrize(
    ("rule", "pairs"),
    [(everything, 64), (causal, 36), (others, 56), (window(0), 8), (window(1), 22)],
)
def test_pairs_that_may_attend_among_8_tokens(rule, pairs):
    assert mask_from(rule, 8, 8).sum() == pairs


def test_masks_are_what_they_say():
    assert torch.equal(mask_from(causal, 3, 5), torch.ones(3, 5).tril().bool())
    assert torch.equal(mask_from(others, 3, 3), ~torch.eye(3, dtype=torch.bool))
    assert mask_from(window(1), 4, 4)[0].tolist() == [True, True, False, False]


def test_a_rule_must_return_a_boolean_tensor():
    with pytest.raises(TypeError, match="mask_mod must return a boolean tensor"):
        mask_from(lambda b, h, q, k: q - k, 3, 3)
