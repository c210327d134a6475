"""The mechanism, held equal to PyTorch's own functions."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import create_mask, flex_attention

from attention_lab import attention, masked_softmax

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


@st.composite
def problems(draw, max_size=6):
    """Shapes and inputs of one call: leading axes that broadcast, n_q != n_k, d_v != d_k."""
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    lead = draw(st.lists(st.integers(1, 3), min_size=0, max_size=3))
    n_q, n_k, d_k, d_v = (draw(st.integers(1, max_size)) for _ in range(4))
    magnitude = draw(st.sampled_from([1e-30, 1e-3, 1.0, 10.0, 1e4]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def tensor(n, d):
        kept = [size if draw(st.booleans()) else 1 for size in lead]
        shape = [*kept[draw(st.integers(0, len(kept))) :], n, d]
        made = torch.randn(shape, generator=generator, dtype=dtype) * magnitude
        if draw(st.booleans()):  # the same numbers, not contiguous
            made = made.transpose(-1, -2).contiguous().transpose(-1, -2)
        return made

    query, key, value = tensor(n_q, d_k), tensor(n_k, d_k), tensor(n_k, d_v)
    mask_kind = draw(st.sampled_from(["none", "bool", "float", "causal"]))
    mask = None
    if mask_kind == "bool":
        mask = torch.rand(n_q, n_k, generator=generator) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    elif mask_kind == "float":
        mask = torch.randn(n_q, n_k, generator=generator, dtype=dtype)
        mask[torch.rand(n_q, n_k, generator=generator) < 0.3] = -math.inf
    scale = draw(st.sampled_from([None, 1.0, 0.0, 0.3, -2.0]))
    return query, key, value, mask, mask_kind == "causal", scale


def expanded(query, key, value):
    """SDPA's CPU kernels do not broadcast every leading axis: write them out for it."""
    lead = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    return [t.expand(*lead, *t.shape[-2:]) for t in (query, key, value)]


def close(ours, theirs):
    scale = max(1.0, theirs.abs().max().item()) if theirs.numel() else 1.0
    return torch.allclose(ours, theirs, atol=TOLERANCE[ours.dtype] * scale, rtol=1e-4)


@settings(max_examples=300, deadline=None)
@given(problems())
def test_equals_scaled_dot_product_attention(problem):
    query, key, value, mask, is_causal, scale = problem
    before = [t.clone() for t in (query, key, value)]
    steps = attention(query, key, value, attn_mask=mask, is_causal=is_causal, scale=scale)
    q, k, v = expanded(query, key, value)
    if query.abs().max() * key.abs().max() < 1e5:
        if is_causal and scale is not None and scale <= 0:
            # SDPA 2.13 on the CPU gives nan here: it scales after it has masked (0 * -inf). The
            # same mask, given as attn_mask, is right.
            mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
            is_causal = False
        theirs = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=is_causal, scale=scale
        )
        assert close(steps.output.expand_as(theirs), theirs)
    else:
        # Scores of 1e8: float32 rounds them by whole units, so two right answers differ.
        # What must hold is that nothing overflows.
        assert torch.isfinite(steps.output).all()
    for tensor, copy in zip((query, key, value), before, strict=True):
        assert torch.equal(tensor, copy)


@settings(max_examples=200, deadline=None)
@given(problems())
def test_the_steps_fit_together(problem):
    query, key, value, mask, is_causal, scale = problem
    steps = attention(query, key, value, attn_mask=mask, is_causal=is_causal, scale=scale)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    assert torch.equal(steps.scores, query @ key.transpose(-1, -2))
    assert torch.equal(steps.scaled, steps.scores * factor)
    hidden = steps.masked == -math.inf
    # hidden keys weigh exactly nothing, and rows sum to 1, or to 0 where all is hidden
    assert (steps.weights[hidden] == 0).all()
    sums = steps.weights.sum(-1)
    expected = (~hidden.all(-1)).to(sums.dtype)
    assert torch.allclose(sums, expected, atol=1e-5)
    # every output lies between the smallest and the largest value of its column
    seen = ~hidden.all(-1)
    low, high = value.amin(-2, keepdim=True), value.amax(-2, keepdim=True)
    slack = 1e-5 * value.abs().max()
    inside = (steps.output >= low - slack) & (steps.output <= high + slack)
    assert inside[seen.unsqueeze(-1).expand_as(inside)].all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_hidden_rows_are_zero_as_in_sdpa(dtype):
    query, key, value = (torch.randn(3, 2, dtype=dtype) for _ in range(3))
    mask = torch.tensor([[True, False, True], [False] * 3, [True] * 3])
    steps = attention(query, key, value, attn_mask=mask)
    assert (steps.weights[1] == 0).all()
    assert (steps.output[1] == 0).all()
    theirs = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    assert close(steps.output, theirs)


def test_a_hidden_row_leaves_the_gradient_clean():
    query, key, value = (torch.randn(3, 2, requires_grad=True) for _ in range(3))
    mask = torch.tensor([[True, False, True], [False] * 3, [True] * 3])
    attention(query, key, value, attn_mask=mask).output.sum().backward()
    for tensor in (query, key, value):
        assert torch.isfinite(tensor.grad).all()
    assert (query.grad[1] == 0).all()


def test_no_keys_at_all_gives_zeros_as_in_sdpa():
    query, key, value = torch.randn(2, 3), torch.randn(0, 3), torch.randn(0, 4)
    ours = attention(query, key, value).output
    assert torch.equal(ours, F.scaled_dot_product_attention(query, key, value))


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e6, 1e150])
def test_extreme_scores_do_not_overflow(size):
    query = torch.tensor([[size], [-size]], dtype=torch.float64)
    key = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    steps = attention(query, key, key)
    theirs = F.scaled_dot_product_attention(query, key, key)
    assert torch.isfinite(steps.output).all()
    assert torch.allclose(steps.output, theirs)


def test_gradcheck():
    torch.manual_seed(0)
    query, key, value = (torch.randn(3, 2, dtype=torch.float64, requires_grad=True) for _ in "qkv")
    mask = torch.tensor([[True, False, True], [True] * 3, [False] * 3])
    torch.autograd.gradcheck(
        lambda *inputs: attention(*inputs, attn_mask=mask).output, (query, key, value)
    )
    bias = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(
        lambda *inputs: attention(*inputs[:3], attn_mask=inputs[3], scale=0.7).output,
        (query, key, value, bias),
    )
    slope = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(
        lambda q, k, v, s: (
            attention(q, k, v, score_mod=lambda score, b, h, i, j: score - s * (i - j)).output
        ),
        (query, key, value, slope),
    )


# --- flex_attention -------------------------------------------------------------------------

table = torch.linspace(-1, 1, 25).reshape(5, 5)
slopes = torch.tensor([0.5, 0.25])
lengths = torch.tensor([5, 3, 1])

SCORE_MODS = {
    "distance": lambda score, b, h, q_idx, kv_idx: score - 0.5 * (q_idx - kv_idx).abs(),
    "per head": lambda score, b, h, q_idx, kv_idx: score + slopes[h] * (kv_idx - q_idx),
    "chained lookup": lambda score, b, h, q_idx, kv_idx: score + table[q_idx][kv_idx],
    "soft cap": lambda score, b, h, q_idx, kv_idx: 2 * torch.tanh(score / 2),
    "where": lambda score, b, h, q_idx, kv_idx: torch.where(q_idx == 1, score * 3, score),
    "reads as sum": lambda score, b, h, q_idx, kv_idx: score.sum(),
}
MASK_MODS = {
    "causal": lambda b, h, q_idx, kv_idx: kv_idx <= q_idx,
    "padding": lambda b, h, q_idx, kv_idx: kv_idx < lengths[b],
    "window": lambda b, h, q_idx, kv_idx: (q_idx - kv_idx).abs() <= h,
    "hidden rows": lambda b, h, q_idx, kv_idx: (kv_idx > q_idx) & (b >= 0),
}


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def batch(request):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(3, 2, 5, 4, generator=generator, dtype=request.param) for _ in range(3)]


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("name", SCORE_MODS)
def test_score_mod_equals_flex_attention(batch, name):
    ours = attention(*batch, score_mod=SCORE_MODS[name])
    assert close(ours.output, flex_attention(*batch, score_mod=SCORE_MODS[name]))


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("name", MASK_MODS)
def test_mask_mod_equals_flex_attention(batch, name):
    from torch.nn.attention.flex_attention import create_block_mask

    rule = MASK_MODS[name]
    visible = create_mask(rule, 3, 2, 5, 5, device="cpu")
    ours = attention(*batch, mask_mod=rule)
    assert torch.equal(ours.masked != -math.inf, visible)
    block_mask = create_block_mask(rule, 3, 2, 5, 5, device="cpu")
    assert close(ours.output, flex_attention(*batch, block_mask=block_mask))


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_both_mods_together_equal_flex_attention(batch):
    from torch.nn.attention.flex_attention import create_block_mask

    score_mod, mask_mod = SCORE_MODS["distance"], MASK_MODS["causal"]
    ours = attention(*batch, score_mod=score_mod, mask_mod=mask_mod, scale=0.2)
    block_mask = create_block_mask(mask_mod, 3, 2, 5, 5, device="cpu")
    theirs = flex_attention(*batch, score_mod=score_mod, block_mask=block_mask, scale=0.2)
    assert close(ours.output, theirs)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_flex_attention_where_the_sizes_differ(dtype):
    generator = torch.Generator().manual_seed(4)
    # powers of 2: torch 2.6's flex_attention takes no other d_k and d_v
    query = torch.randn(2, 3, 3, 4, generator=generator, dtype=dtype)
    key = torch.randn(2, 3, 5, 4, generator=generator, dtype=dtype)
    value = torch.randn(2, 3, 5, 8, generator=generator, dtype=dtype)
    score_mod = SCORE_MODS["distance"]
    for options in ({}, {"scale": 0.1}, {"score_mod": score_mod}):
        ours = attention(query, key, value, **options).output
        assert close(ours, flex_attention(query, key, value, **options))


def test_masks_join_by_and(batch):
    mask = torch.rand(5, 5, generator=torch.Generator().manual_seed(2)) < 0.6
    joined = attention(*batch, attn_mask=mask, mask_mod=MASK_MODS["causal"])
    by_hand = attention(*batch, attn_mask=mask & torch.ones(5, 5, dtype=torch.bool).tril())
    assert torch.equal(joined.output, by_hand.output)


def test_the_future_does_not_reach_the_past():
    torch.manual_seed(3)
    query, key, value = (torch.randn(6, 4) for _ in range(3))
    before = attention(query, key, value, is_causal=True).output
    key[4:] += 100
    value[4:] -= 100
    after = attention(query, key, value, is_causal=True).output
    assert torch.equal(before[:4], after[:4])
    assert not torch.allclose(before[4:], after[4:])


# --- bad input ------------------------------------------------------------------------------

Q, K, V = torch.zeros(3, 4), torch.zeros(5, 4), torch.zeros(5, 2)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "says"),
    [
        ((Q, K[:, :2], V), {}, ValueError, ["query has shape (3, 4)", "key (5, 2)", "4 != 2"]),
        ((Q, K, V[:3]), {}, ValueError, ["key has shape (5, 4)", "value (3, 2)", "5 != 3"]),
        ((Q.expand(2, 3, 4), K.expand(3, 5, 4), V), {}, ValueError, ["leading axes", "(2,)"]),
        ((Q[0], K, V), {}, ValueError, ["query has shape (4,)", "query[None, :]"]),
        ((Q.long(), K, V), {}, TypeError, ["torch.int64", "query.float()"]),
        ((Q, K, V.int()), {}, TypeError, ["value has dtype", "value.float()"]),
        ((Q, K.double(), V), {}, TypeError, ["one dtype", "key torch.float64"]),
        (([[1.0]], K, V), {}, TypeError, ["query must be a torch.Tensor", "list"]),
        (
            (Q, K, V),
            {"attn_mask": torch.ones(3, 5, dtype=torch.bool), "is_causal": True},
            ValueError,
            ["both given"],
        ),
        ((Q, K, V), {"attn_mask": torch.ones(3, 5).long()}, TypeError, ["attn_mask.bool()"]),
        ((Q, K, V), {"attn_mask": [[True]]}, TypeError, ["attn_mask must be", "list"]),
        (
            (Q, K, V),
            {"attn_mask": torch.ones(5, 3, dtype=torch.bool)},
            ValueError,
            ["(5, 3)", "n_q = 3", "n_k = 5"],
        ),
        (
            (Q[:1], K, V),
            {"attn_mask": torch.ones(4, 5, dtype=torch.bool)},
            ValueError,
            ["(4, 5)", "n_q = 1"],
        ),
        (
            (Q, K, V.expand(4, 5, 2)),
            {"attn_mask": torch.ones(2, 3, 5, dtype=torch.bool)},
            ValueError,
            ["(2, 3, 5)", "(4, 3, 5)", "leading axes"],
        ),
        (
            (Q, K, V),
            {"score_mod": lambda s, b, h, q, k: s + 1j},
            TypeError,
            ["score_mod must return a floating point tensor", "complex"],
        ),
        ((Q, K, V), {"scale": "big"}, TypeError, ["scale must be one number", "'big'"]),
        (
            (Q, K, V),
            {"mask_mod": lambda b, h, q, k: True},
            TypeError,
            ["mask_mod must return a boolean tensor", "bool"],
        ),
        (
            (Q, K, V),
            {"score_mod": lambda s, b, h, q, k: q > k},
            TypeError,
            ["score_mod must return a floating point tensor"],
        ),
        (
            (Q, K, V),
            {"score_mod": lambda s, b, h, q, k: s + torch.zeros(2)},
            ValueError,
            ["one number for one query and one key", "(2,)"],
        ),
        (
            (Q.expand(1, 1, 1, 3, 4), K, V),
            {"score_mod": lambda s, b, h, q, k: s},
            ValueError,
            ["at most four axes"],
        ),
    ],
)
def test_bad_input_is_named(arguments, options, error, says):
    with pytest.raises(error) as caught:
        attention(*arguments, **options)
    for part in says:
        assert part in str(caught.value)


def test_masked_softmax_equals_softmax_where_that_is_defined():
    scores = torch.randn(4, 5, dtype=torch.float64)
    assert torch.equal(masked_softmax(scores), scores.softmax(-1))
    assert masked_softmax(torch.tensor([1000.0, 1001.0])).tolist() == pytest.approx(
        [0.2689, 0.7311], abs=5e-5
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow_where_sdpa_does_not(dtype):
    query, value = torch.full((3, 64), 100.0, dtype=dtype), torch.randn(3, 2).to(dtype)
    steps = attention(query, query, value)  # q . k is 640 000
    theirs = F.scaled_dot_product_attention(query, query, value)
    assert steps.output.dtype == steps.scaled.dtype == dtype
    torch.testing.assert_close(steps.output, theirs, atol=1e-3, rtol=2e-2)
    assert steps.scaled.isinf().any() == (dtype == torch.float16)  # 80 000
    assert steps.weights.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_large_negative_mask_over_a_whole_row_gives_what_sdpa_gives(dtype):
    query, key, value = (torch.randn(2, 3, dtype=torch.float64).to(dtype) for _ in range(3))
    mask = torch.tensor([[-1e9, -1e9], [0.0, 0.0]])
    mask = mask if dtype == torch.float16 else mask.to(dtype)
    ours = attention(query, key, value, attn_mask=mask).output
    theirs = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(ours, theirs, atol=2e-2, rtol=2e-2)
    if dtype != torch.float64:
        torch.testing.assert_close(ours[0], value.mean(0), atol=2e-2, rtol=2e-2)


def test_the_advice_on_joining_a_mask_and_the_causal_rule_works():
    x, n_q, n_k = torch.randn(3, 2), 3, 3
    for attn_mask in (torch.rand(3, 3) < 2, torch.zeros(3, 3)):
        with pytest.raises(ValueError, match="to join them: ") as caught:
            attention(x, x, x, attn_mask=attn_mask, is_causal=True)
        advice = str(caught.value).split("to join them: ")[1].removesuffix(")")
        joined = eval(advice, {"torch": torch, "attn_mask": attn_mask, "n_q": n_q, "n_k": n_k})
        causal = attention(x, x, x, is_causal=True).output
        assert torch.equal(attention(x, x, x, attn_mask=joined).output, causal)
