"""Tiled attention gives what attention and SDPA give, whatever the tiles; see the file's head."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab.core.attention import attention
from attention_lab.core.tiled import merge, partial, tiled_attention

SIZES = st.integers(1, 9)


def inputs(seed, lead, n_q, n_k, d_k, d_v, scale=1.0):
    random = torch.Generator().manual_seed(seed)
    shapes = ((*lead, n_q, d_k), (*lead, n_k, d_k), (*lead, n_k, d_v))
    made = (torch.randn(*shape, generator=random, dtype=torch.float64) for shape in shapes)
    query, key, value = made
    return scale * query, key, value


def sdpa(query, key, value, **options):
    return F.scaled_dot_product_attention(query, key, value, **options)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000), n_q=SIZES, n_k=SIZES, d_k=st.integers(1, 4), d_v=st.integers(1, 4),
    tile=st.integers(1, 12), lead=st.sampled_from([(), (2,), (2, 3)]),
    kind=st.sampled_from(["none", "causal", "bool", "float", "one row", "one key"]),
    scale=st.sampled_from([None, 0.3, -1.0]), size=st.sampled_from([0.1, 1.0, 30.0]),
)  # fmt: skip
def test_equal_to_attention_and_to_sdpa(seed, n_q, n_k, d_k, d_v, tile, lead, kind, scale, size):
    given_ = inputs(seed, lead, n_q, n_k, d_k, d_v, size)
    random = torch.Generator().manual_seed(seed + 1)
    drawn = torch.randn(n_q, n_k, generator=random, dtype=torch.float64)
    masks = {
        "bool": drawn > 0,
        "float": drawn.masked_fill(drawn < -1, -math.inf),
        "one row": drawn[:1] > 0,
        "one key": drawn[:, :1] > 0,
    }
    options = {"is_causal": True} if kind == "causal" else {"attn_mask": masks.get(kind)}
    options["scale"] = scale
    came = tiled_attention(*given_, **options, tile=tile)
    torch.testing.assert_close(came, attention(*given_, **options).output, rtol=0, atol=1e-12)
    if kind in ("none", "causal", "bool", "float"):
        torch.testing.assert_close(came, sdpa(*given_, **options), rtol=0, atol=1e-12)


@pytest.mark.parametrize("tile", [1, 16, 64, 256, 300])
def test_a_longer_row_with_every_tile(tile):
    given_ = inputs(3, (2,), 300, 300, 8, 8)
    for options in ({}, {"is_causal": True}):
        came = tiled_attention(*given_, **options, tile=tile)
        assert (came - sdpa(*given_, **options)).abs().max() < 1e-12


def test_a_hidden_row_is_zero_and_has_a_gradient_without_nan():
    query, key, value = (x.requires_grad_() for x in inputs(0, (), 3, 5, 2, 2))
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[1] = False
    came = tiled_attention(query, key, value, attn_mask=mask, tile=2)
    assert came[1].tolist() == [0, 0]
    came.pow(2).sum().backward()
    own = [x.grad.clone() for x in (query, key, value)]
    for x in (query, key, value):
        x.grad = None
    attention(query, key, value, attn_mask=mask).output.pow(2).sum().backward()
    for mine, theirs in zip(own, (query.grad, key.grad, value.grad), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


def test_leading_axes_broadcast_also_those_of_a_mask():
    query, key, value = inputs(1, (), 4, 6, 3, 3)
    many = torch.rand(2, 1, 4, 6, generator=torch.Generator().manual_seed(0)) > 0.3
    came = tiled_attention(query.expand(3, 4, 3), key, value, attn_mask=many, tile=4)
    assert came.shape == (2, 3, 4, 3)
    right = attention(query.expand(3, 4, 3), key, value, attn_mask=many).output
    torch.testing.assert_close(came, right, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    given_ = [x.to(dtype) for x in inputs(2, (2,), 9, 9, 4, 4)]
    came = tiled_attention(*given_, tile=4)
    assert came.dtype == dtype
    # the last digit that the dtype has, of numbers of size 1
    assert (came - attention(*given_).output).abs().max() <= 2 * torch.finfo(dtype).eps


def test_without_keys_and_without_queries():
    query, key, value = inputs(0, (2,), 3, 4, 2, 5)
    none = tiled_attention(query, key[:, :0], value[:, :0])
    assert none.tolist() == torch.zeros(2, 3, 5).tolist()
    assert tiled_attention(query[:, :0], key, value).shape == (2, 0, 5)
    no_features = tiled_attention(query[..., :0], key[..., :0], value)
    torch.testing.assert_close(no_features, value.mean(-2, keepdim=True).expand(2, 3, 5))


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"tile": 0}, ValueError, "tile = 0"),
        (
            {"attn_mask": torch.ones(3, 4) > 0, "is_causal": True},
            ValueError,
            "attn_mask and is_causal=True were both given",
        ),
        ({"attn_mask": torch.ones(3, 5) > 0}, ValueError, r"attn_mask has shape \(3, 5\)"),
        ({"attn_mask": torch.ones(3, 4).long()}, TypeError, "must be boolean"),
    ],
)
def test_bad_input_gets_one_sentence(options, error, says):
    query, key, value = inputs(0, (), 3, 4, 2, 2)
    with pytest.raises(error, match=says):
        tiled_attention(query, key, value, **options)


def test_values_must_be_as_many_as_keys():
    query, key, value = inputs(0, (), 3, 4, 2, 2)
    with pytest.raises(ValueError, match="one value for each key"):
        tiled_attention(query, key, value[:3])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 8), min_size=2, max_size=2))
def test_merging_is_associative_and_does_not_mind_the_order(seed, cuts):
    scores, _, value = inputs(seed, (), 2, 8, 8, 3, 5.0)
    low, high = sorted(cuts)
    spans = [slice(0, low), slice(low, high), slice(high, 8)]
    spans = [span for span in spans if span.start < span.stop]
    parts = [partial(scores[:, span], value[span]) for span in spans]
    while len(parts) < 3:  # a part in which every key is hidden changes nothing
        hidden = torch.full((2, 1), -math.inf, dtype=torch.float64)
        parts.append(partial(hidden, torch.ones(1, 3, dtype=torch.float64)))
    a, b, c = parts
    whole = partial(scores, value)
    for joined in (merge(merge(a, b), c), merge(a, merge(b, c)), merge(c, merge(b, a))):
        for mine, right in zip(joined, whole, strict=True):
            torch.testing.assert_close(mine, right, rtol=1e-12, atol=1e-12)
        right = torch.logsumexp(scores, -1, keepdim=True)
        torch.testing.assert_close(joined.log_sum_exp, right, rtol=1e-12, atol=1e-12)


def test_the_running_numbers_of_the_curriculum():
    scores, value = torch.arange(1.0, 5.0), 10 * torch.arange(1.0, 5.0)
    keys = [partial(s.view(1, 1).double(), v.view(1, 1).double())
            for s, v in zip(scores, value, strict=True)]  # fmt: skip
    seen, rows = keys[0], [keys[0]]
    for each in keys[1:]:
        seen = merge(seen, each)
        rows.append(seen)
    kept = [[round(number.item(), 4) for number in row] for row in rows]
    assert kept == [[1, 1, 10], [2, 1.3679, 23.6788], [3, 1.5032, 38.7109], [4, 1.553, 54.241]]
    means = [round(row.output.item(), 4) for row in rows]
    assert means == [10, 17.3106, 25.7521, 34.9265]
    assert seen.log_sum_exp.item() == pytest.approx(4.4402, abs=1e-4)
