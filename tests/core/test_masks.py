import pytest
import torch

from attention_lab import attention
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


TABLE = [0, 1, 0, 1]


def with_if(b, h, q_idx, kv_idx):
    if q_idx > kv_idx:
        return q_idx == q_idx
    return kv_idx < 0


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (
            lambda b, h, q, k: q >= k and k > 0,
            "instead of “q >= k and k > 0” write “(q >= k) & (k > 0)”",
        ),
        (lambda b, h, q, k: q > k or k > 2, "write “(q > k) | (k > 2)”"),
        (lambda b, h, q, k: not (q > k), "write “~(q > k)”"),
        (lambda b, h, q, k: 0 <= q - k < 2, "write “(0 <= q - k) & (q - k < 2)”"),
        (lambda b, h, q, k: max(q, k) < 3, "write “torch.maximum(q, k) < 3”"),
        (lambda b, h, q, k: (q > k) if k > 1 else (q < k), "torch.where(k > 1, q > k, q < k)”"),
        (lambda b, h, q, k: TABLE[q] > TABLE[k], "torch.tensor(TABLE)[q] > torch.tensor(TABLE)[k]"),
        (with_if, "torch.where(condition, a, b) for if"),
    ],
)  # fmt: skip
def test_a_rule_in_plain_python_is_shown_in_tensors(rule, says):
    with pytest.raises(TypeError) as caught:
        mask_from(rule, 4, 4)
    assert says in str(caught.value)
    assert "github" not in str(caught.value)


def test_the_form_in_tensors_is_right():
    plain = [[0 <= i - j < 2 and j > 0 for j in range(4)] for i in range(4)]
    with pytest.raises(TypeError) as caught:
        mask_from(lambda b, h, q, k: 0 <= q - k < 2 and k > 0, 4, 4)
    written = str(caught.value).split("“")[-1].rstrip("”")
    rule = eval(f"lambda b, h, q, k: {written}", {"torch": torch})
    assert mask_from(rule, 4, 4).tolist() == plain


def test_a_score_rule_in_plain_python_and_an_error_of_ones_own():
    x = torch.randn(4, 2)
    with pytest.raises(TypeError, match=r"score_mod is called with tensors.*torch\.where"):
        attention(x, x, x, score_mod=lambda score, b, h, q, k: score if q > k else -score)
    with pytest.raises(NameError, match="unknown"):
        mask_from(lambda b, h, q, k: unknown > k, 4, 4)  # noqa: F821

    def raises(b, h, q, k):
        raise RuntimeError("my own")

    with pytest.raises(RuntimeError, match="my own"):
        mask_from(raises, 4, 4)
