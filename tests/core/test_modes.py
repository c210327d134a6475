"""Modes: the library counted, and each composition run in three ways that must agree."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import create_block_mask, create_mask, flex_attention

from attention_lab import attention, masked_softmax
from attention_lab.core import masks, modes
from attention_lab.core.modes import Mode
from attention_lab.core.normalisers import sigmoid, softmax_plus_one, sparsemax
from attention_lab.core.positions import alibi_bias

FLEX = "ignore:flex_attention called without torch.compile"
LSE = "ignore:.*return_lse.*"


def heads_of(n_q, n_k, *, dtype=torch.float64, seed=0, batch=2, heads=3):
    random = torch.Generator().manual_seed(seed)
    shapes = [(batch, heads, n_q, 4), (batch, heads, n_k, 4), (batch, heads, n_k, 8)]
    return [
        2 * torch.randn(shape, generator=random, dtype=torch.float64).to(dtype) for shape in shapes
    ]


def flex(mode, query, key, value):
    """Run a mode by PyTorch's flex_attention, its rules unchanged; a sink by what LSE says."""
    n_q, n_k = query.shape[-2], key.shape[-2]
    blocks = create_block_mask(mode.mask_mod, *query.shape[:2], n_q, n_k, device="cpu")
    output, lse = flex_attention(
        query, key, value, score_mod=mode.score_rule, block_mask=blocks, return_lse=True
    )
    if mode.normalizer is None:
        return output
    sink = torch.as_tensor(mode.normalizer.sink, dtype=lse.dtype)
    sink = sink[:, None] if sink.ndim else sink
    return output * torch.sigmoid(lse - sink)[..., None].to(output.dtype)


# --- the library --------------------------------------------------------------------------------

window_3 = modes.causal & modes.window(3)
COUNTS = {
    "every key": (modes.full, 8, 64),
    "causal": (modes.causal, 8, 36),
    "causal and at most 2 back": (window_3, 8, 21),
    "causal or the first 4 keys": (modes.prefix(4), 8, 42),
    "causal and in the same document (4 and 4 tokens)": (
        modes.causal & modes.documents([4, 4]),
        8,
        20,
    ),
    "causal and a multiple of 2 away": (modes.causal & modes.dilated(2), 8, 20),
    "causal and (at most 2 back or the first key)": (
        modes.causal & (modes.window(3) | modes.sink()),
        8,
        26,
    ),
    "on one's own path of a tree of 7": (modes.tree([-1, 0, 0, 1, 1, 2, 2]), 7, 17),
    "within 3 × 3 on a grid of 8 × 8": (modes.neighbourhood(8, 8), 64, 484),
    "within 3 × 3 on a grid of 8 × 8, shifted at the edge": (
        modes.neighbourhood(8, 8, shifted=True),
        64,
        576,
    ),
    "in one of 3 of 4 blocks of 3 × 3": (modes.block_sparse([[1, 0], [1, 1]], 3), 6, 27),
    "causal, plus ALiBi of 8 heads": (modes.causal + modes.alibi(), 8, 36),
}


@pytest.mark.parametrize("words", COUNTS)
def test_the_pairs_of_the_library(words):
    mode, n, pairs = COUNTS[words]
    assert mode.pairs(n) == pairs
    assert mode.pairs(n, heads=3) == 3 * pairs
    assert str(mode) == words
    assert repr(mode) == f"<Mode: {words}>"


def test_each_mask_of_the_library_by_hand():
    n = 9
    i, j = torch.arange(n)[:, None], torch.arange(n)[None]
    document = torch.tensor([0, 0, 1, 1, 1, 2, 2, 2, 2])
    by_hand = {
        modes.full: i == i + 0 * j,
        modes.causal: j <= i,
        modes.window(4): i - j < 4,
        modes.dilated(3): (i - j).abs() % 3 == 0,
        modes.prefix(2): (j <= i) | (j < 2),
        modes.documents([2, 3, 1]): document[:, None] == document[None],  # the last one goes on
        modes.sink(3): (j < 3).expand(n, n),
        modes.neighbourhood(3, 3): ((i // 3 - j // 3).abs() <= 1) & ((i % 3 - j % 3).abs() <= 1),
        modes.neighbourhood(3, 3, shifted=True): i == i + 0 * j,
        ~modes.causal: j > i,
        modes.block_sparse(torch.eye(3), 3): i // 3 == j // 3,
    }
    for mode, visible in by_hand.items():
        assert torch.equal(mode.dense(n, n)[0][0], visible.expand(n, n)), mode


def test_a_shifted_edge_gives_every_query_nine_keys_and_keeps_its_own():
    visible = modes.neighbourhood(5, 7, shifted=True).dense(35, 35)[0][0]
    assert visible.sum(dim=-1).tolist() == [9] * 35
    assert visible.diagonal().all()
    plain = modes.neighbourhood(5, 7).dense(35, 35)[0][0]
    assert (visible | plain).equal(visible)
    assert plain.sum(dim=-1).min() == 4


def test_a_node_of_the_tree_sees_its_path():
    mode = modes.tree([-1, 0, 1, 0, -1])
    sees = mode.dense(5, 5)[0][0].int().tolist()
    assert sees == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
    ]


def test_shares_of_blocks_that_can_be_skipped():
    assert modes.causal.skippable_blocks(1024) == 0.4375
    assert (modes.causal & modes.window(64)).skippable_blocks(1024) == 0.765625
    assert modes.causal.pairs(1024) == 524_800
    assert (modes.causal & modes.window(64)).pairs(1024) == 63_520
    assert modes.alibi().skippable_blocks(1024) == 0
    # a strip that fills no whole block
    assert modes.causal.skippable_blocks(5, 2) == pytest.approx(3 / 9)


def test_alibi_is_what_the_positions_give():
    for heads in (1, 3, 8, 9):
        _, bias = modes.alibi(heads).dense(4, 6, heads=heads, offset=2)
        assert torch.allclose(bias, alibi_bias(heads, 4, 6))


def test_a_learned_bias_goes_by_distance_and_gets_a_gradient():
    table = torch.tensor([[1.0, 2, 3, 4, 5], [6, 7, 8, 9, 10]], requires_grad=True)
    _, bias = modes.relative_bias(table).dense(4, 4, heads=2)
    assert bias[0].tolist() == [[3, 4, 5, 5], [2, 3, 4, 5], [1, 2, 3, 4], [1, 1, 2, 3]]
    assert torch.equal(bias[1], bias[0] + 5)
    bias[0].sum().backward()
    assert table.grad.tolist() == [[3, 3, 4, 3, 3], [0, 0, 0, 0, 0]]
    _, one = modes.relative_bias(table[0]).dense(4, 4)
    assert torch.equal(one[0], bias[0])


def test_a_spotlight_lifts_keys_to_the_wanted_share():
    query, key, value = (x[0, 0] for x in heads_of(5, 6))
    before = modes.full.attention(query, key, value).weights
    share = before[3, [1, 4]].sum().item()
    bias = modes.prior_bias(share, 0.9)
    after = (modes.full + modes.spotlight([1, 4], bias)).attention(query, key, value).weights
    assert after[3, [1, 4]].sum().item() == pytest.approx(0.9, abs=1e-7)  # the bias is float32
    once = modes.spotlight([1, 4], bias, queries=[3]).attention(query, key, value).weights
    assert torch.equal(once[3], after[3])
    assert torch.allclose(once[[0, 1, 2, 4]], before[[0, 1, 2, 4]], atol=1e-15)
    # .1 to .5 needs ln 9, and the log of the ratio reaches .357 only
    assert modes.prior_bias(0.1, 0.5) == pytest.approx(math.log(9))
    assert pytest.approx(0.357, abs=5e-4) == 0.5 / (0.5 + 0.9)


def test_names_say_what_the_numbers_are():
    assert str(modes.spotlight([2], 1.5)) == "+1.5 on key 2"
    assert str(modes.spotlight([2, 3], -2, queries=[7])) == "-2 on keys 2 and 3 for query 7"
    assert str(modes.spotlight(range(9), 1, queries=[1, 2])) == (
        "+1 on keys 0, 1, 2, 3, 4, 5, … for queries 1 and 2"
    )
    assert str(modes.alibi(1)) == "ALiBi of 1 head"
    assert str(modes.sink(4)) == "the first 4 keys"
    assert str(modes.learnable_sink(0.5)) == "a sink of score 0.5"
    assert str(modes.learnable_sink(torch.zeros(3))) == "a sink for each head"
    assert str(modes.temperature(2) + modes.soft_cap(50)) == (
        "every key, plus temperature 2 and scores capped at 50"
    )


def test_a_soft_cap_of_50():
    rule = modes.soft_cap(50).score_rule
    capped = [rule(torch.tensor(float(s)), *[torch.tensor(0)] * 4).item() for s in (32, 100)]
    assert capped == pytest.approx([28.245, 48.201], abs=5e-4)


def test_the_learnable_sink_by_hand():
    query = torch.ones(1, 1, dtype=torch.float64)
    key = torch.tensor([[1.0], [2], [3]], dtype=torch.float64)
    value = torch.tensor([[7.0], [8], [9]], dtype=torch.float64)
    steps = modes.learnable_sink(0.0).attention(query, key, value)
    assert steps.weights[0].tolist() == pytest.approx([0.0871, 0.2369, 0.6439], abs=5e-5)
    assert steps.weights.sum().item() == pytest.approx(0.9679, abs=5e-5)
    assert steps.output.item() == pytest.approx(8.3003, abs=5e-5)
    assert torch.allclose(steps.weights, softmax_plus_one(steps.masked), atol=1e-15)
    lse = steps.masked.logsumexp(-1).item()
    assert lse == pytest.approx(3.4076, abs=5e-5)
    half = modes.learnable_sink(lse).attention(query, key, value)
    assert half.weights.sum().item() == pytest.approx(0.5, abs=1e-12)
    assert torch.allclose(half.weights, 0.5 * masked_softmax(half.masked), atol=1e-15)


def test_a_sink_is_learned_and_no_score_rule_does_it():
    sink = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    inputs = heads_of(4, 5)
    modes.learnable_sink(sink).attention(*inputs).output.sum().backward()
    assert (sink.grad != 0).all()
    # whatever is done to the scores, a softmax sums to 1
    for rule in (modes.soft_cap(1), modes.alibi(), modes.spotlight([0], -9)):
        sums = rule.attention(*inputs).weights.sum(-1)
        assert torch.allclose(sums, torch.ones_like(sums))


# --- joining ------------------------------------------------------------------------------------


def test_words_have_brackets_where_they_would_fall_apart():
    a, b, c = (Mode(name, masks.causal) for name in "abc")
    assert str(a & b | c) == "a and b or c"
    assert str(a & (b | c)) == "a and (b or c)"
    assert str(~(a & b)) == "not (a and b)"
    assert str(~~a & ~b) == "not not a and not b"
    assert str((a | b) | c) == "a or b or c"
    assert str((a | b) & modes.full) == "a or b"
    assert str(modes.full & modes.alibi(2)) == "every key, plus ALiBi of 2 heads"
    assert str(modes.alibi(2) + (a | b) + modes.alibi(4)) == (
        "a or b, plus ALiBi of 2 heads and ALiBi of 4 heads"
    )
    both = Mode("near first", masks.causal, bias=lambda b, h, q_idx, kv_idx: kv_idx - q_idx)
    assert str(both) == "near first"
    assert str(both & a) == "near first and a, plus the rest of “near first”"


def test_masks_multiply_and_biases_add():
    masks_ = [modes.causal, modes.dilated(2), ~modes.sink(1)]
    joined = masks_[0] & masks_[1] & masks_[2]
    product = math.prod(mode.dense(7, 7)[0].int() for mode in masks_)
    assert torch.equal(joined.dense(7, 7)[0].int(), product)
    biases = [modes.alibi(2), modes.spotlight([1, 3], 0.5), modes.relative_bias(torch.randn(5))]
    added = biases[0] + biases[1] + biases[2]
    sum_ = sum(mode.dense(7, 7, heads=2)[1] for mode in biases)
    assert torch.allclose(added.dense(7, 7, heads=2)[1], sum_)
    # a mask is a bias of minus infinity, so & and + are the same
    inputs = heads_of(7, 7)
    never = Mode(
        "never later",
        bias=lambda b, h, q_idx, kv_idx: torch.where(kv_idx <= q_idx, 0.0, -math.inf),
    )
    want = (modes.causal & added).attention(*inputs)
    for mode in (modes.causal + added, added & modes.causal, added + never):
        assert torch.allclose(mode.attention(*inputs).output, want.output, atol=1e-15)


def test_a_bias_is_a_prior():
    inputs = heads_of(5, 6)
    prior = modes.alibi(3)
    plain = modes.full.attention(*inputs).weights
    bias = prior.dense(5, 6, heads=3, dtype=torch.float64)[1]
    by_hand = plain * bias.exp()
    by_hand = by_hand / by_hand.sum(-1, keepdim=True)
    assert torch.allclose(prior.attention(*inputs).weights, by_hand, atol=1e-15)
    # the example of the curriculum: a prior of .01 on all keys but the second
    weights = torch.tensor([0.2, 0.0723, 0.5, 0.2277], dtype=torch.float64)
    kept = weights[1] / (weights[1] + 0.01 * (1 - weights[1]))
    assert kept.item() == pytest.approx(0.886, abs=5e-4)


def test_of_what_there_can_be_one_two_are_refused():
    hot, capped, sunk = modes.temperature(2), modes.soft_cap(3), modes.learnable_sink(1)
    for part, says in (
        (hot, "divided once"),
        (capped, "acts first"),
        (sunk, "the weights are made once"),
    ):
        for join in (lambda x: x + x, lambda x: (modes.causal + x) & x):
            with pytest.raises(ValueError, match=says):
                join(part)
    all_three = hot + capped + sunk
    assert (all_three.temperature, all_three.score_mod) == (2, capped.score_mod)
    assert all_three.normalizer is sunk.normalizer
    inputs = heads_of(4, 4)
    steps = all_three.attention(*inputs)
    want = 3 * torch.tanh(attention(*inputs).scaled / 2 / 3)
    assert torch.allclose(steps.scaled, want)


@pytest.mark.parametrize(
    "mode", [modes.alibi(), modes.soft_cap(2), modes.temperature(2), modes.learnable_sink()]
)
def test_or_and_not_are_for_masks(mode):
    for join in (lambda: modes.causal | mode, lambda: mode | modes.causal):
        with pytest.raises(TypeError, match=r"joins masks, but “.*has also a .*by \|, then"):
            join()
    with pytest.raises(TypeError, match=r"turns a mask round.*has no opposite"):
        ~(modes.causal + mode)


def test_what_is_no_mode_cannot_be_joined():
    for join in (
        lambda: modes.causal & masks.causal,
        lambda: modes.causal + 2,
        lambda: modes.causal | masks.causal,
    ):
        with pytest.raises(TypeError, match=r"joins two modes, but one is a .*makes a mode"):
            join()
    with pytest.raises(TypeError, match="write & for and"):
        modes.causal and modes.window(3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        modes.causal.name = "x"


def test_positions_are_those_of_the_part_that_knows_fewest():
    mode = modes.tree([-1, 0, 1]) & modes.block_sparse([[1]], 5)
    assert mode.positions == (~mode).positions == (modes.causal | mode).positions == 3
    assert modes.causal.positions is (modes.causal & modes.full).positions is None
    assert mode.dense(1, 3, offset=2)[0].tolist() == [[[True, True, True]]]
    for ask in (
        lambda: mode.pairs(4),
        lambda: mode.dense(2, 3, offset=2),
        lambda: mode.attention(*heads_of(2, 4)),
    ):
        with pytest.raises(ValueError, match="has 3 positions, but 4 are asked for"):
            ask()


# --- three ways to run it -----------------------------------------------------------------------


@st.composite
def mask_modes(draw, depth=2):
    if depth and draw(st.booleans()):
        first = draw(mask_modes(depth=depth - 1))
        sign = draw(st.sampled_from("&|~"))
        if sign == "~":
            return ~first
        second = draw(mask_modes(depth=depth - 1))
        return first & second if sign == "&" else first | second
    number = draw(st.integers(1, 4))
    return draw(
        st.sampled_from(
            [
                modes.full,
                modes.causal,
                modes.window(number),
                modes.dilated(number),
                modes.prefix(number),
                modes.documents([number, 2, 1]),
                modes.sink(number),
                modes.tree([-1, 0, 0, 1, 3, 2, 0]),
                modes.neighbourhood(3, 3, shifted=number > 2),
                modes.block_sparse([[0, 1], [1, 0]], 4),
                Mode("head by head", lambda b, h, q_idx, kv_idx: (q_idx + kv_idx) % 3 != h),
                Mode("not in the second", lambda b, h, q_idx, kv_idx: (b == 0) & (kv_idx != q_idx)),
            ]
        )
    )


@st.composite
def any_modes(draw):
    mode = draw(mask_modes())
    table = torch.randn(3, 5, generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    for part in draw(
        st.lists(
            st.sampled_from(
                [
                    modes.alibi(3),
                    modes.relative_bias(table),
                    modes.relative_bias(table[0]),
                    modes.spotlight([1, 2], 1.5),
                    modes.spotlight([0], -2.0, queries=[1]),
                    Mode("a constant", bias=lambda b, h, q_idx, kv_idx: 0.25),
                    Mode("whole numbers", bias=lambda b, h, q_idx, kv_idx: kv_idx - b),
                ]
            ),
            max_size=3,
        )
    ):
        mode = mode + part
    for part in (
        modes.temperature(draw(st.sampled_from([0.5, 2.0]))),
        modes.soft_cap(1.5),
        draw(st.sampled_from([modes.learnable_sink(-0.5), modes.learnable_sink(table[:, 0])])),
    ):
        if draw(st.booleans()):
            mode = mode + part
    return mode


@pytest.mark.filterwarnings(FLEX, LSE)
@settings(max_examples=30, deadline=None)
@given(any_modes(), st.integers(1, 6), st.integers(1, 7), st.integers(0, 99))
def test_all_ways_agree(mode, n_q, n_k, seed):
    inputs = heads_of(n_q, n_k, seed=seed)
    steps = mode.attention(*inputs)
    hidden = steps.masked == -math.inf
    assert torch.equal(~hidden, create_mask(mode.mask_mod, 2, 3, n_q, n_k, device="cpu"))
    assert torch.allclose(steps.output, flex(mode, *inputs), atol=1e-6)
    visible, bias = mode.dense(n_q, n_k, heads=3, dtype=torch.float64)
    assert torch.equal(visible, ~hidden[0])
    # what dense says, done by hand
    scores = attention(*inputs).scaled[0] / mode.temperature
    if mode.score_mod:
        scores = 1.5 * torch.tanh(scores / 1.5)
    scores = scores if bias is None else scores + bias
    masked = scores.masked_fill(~visible, -math.inf)
    weights = masked_softmax(masked) if mode.normalizer is None else mode.normalizer(masked)
    assert torch.allclose(weights, steps.weights[0], atol=1e-6)
    if mode.normalizer is None and mode.score_mod is None:
        mask = dataclasses.replace(mode, temperature=1).attn_mask(
            n_q, n_k, heads=3, dtype=torch.float64
        )
        one = [each[:1] for each in inputs]
        scale = 1 / (2 * mode.temperature)
        assert torch.allclose(
            F.scaled_dot_product_attention(*one, attn_mask=mask, scale=scale), steps.output[:1]
        )


@pytest.mark.filterwarnings(FLEX, LSE)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(
    "mode",
    [
        modes.causal & modes.window(3),
        modes.causal + modes.alibi(3),
        ~modes.sink(1) & modes.causal,  # the first query sees nothing
        modes.soft_cap(2) + modes.temperature(2) + modes.learnable_sink(0.5),
    ],
    ids=str,
)
def test_half_precision_is_computed_in_float32(mode, dtype):
    inputs = heads_of(6, 6, dtype=dtype)
    steps = mode.attention(*inputs)
    assert {step.dtype for step in steps} == {dtype}
    exact = mode.attention(*(each.double() for each in inputs)).output
    step = torch.finfo(dtype).eps
    error = (steps.output.double() - exact).abs().max().item()
    assert error <= step * exact.abs().max().item()
    assert torch.allclose(flex(mode, *inputs).double(), exact, atol=8 * step, rtol=0)


def test_with_a_cache_the_queries_are_the_last():
    mode = modes.causal & (modes.window(3) | modes.sink()) + modes.alibi(3) + modes.soft_cap(3)
    query, key, value = heads_of(7, 7)
    whole = mode.attention(query, key, value)
    last = mode.attention(query[..., 5:, :], key, value, offset=5)
    assert torch.allclose(last.output, whole.output[..., 5:, :], atol=1e-15)
    for ours, all_ in zip(
        mode.dense(2, 7, heads=3, offset=5), mode.dense(7, 7, heads=3), strict=True
    ):
        assert torch.equal(ours, all_[:, 5:])


def test_what_no_number_added_to_scores_can_do_is_refused():
    for mode, says in (
        (modes.soft_cap(3), "has a score_mod.*mode.attention"),
        (modes.learnable_sink(), "has a normaliser.*mode.attention"),
        (modes.temperature(2), r"scale=1 / \(math.sqrt\(d_k\) \* 2\)"),
    ):
        with pytest.raises(ValueError, match=says):
            (modes.causal + mode).attn_mask(3, 3)
    assert modes.causal.attn_mask(2, 2).tolist() == [[[0, -math.inf], [0, 0]]]


def test_sizes_and_inputs_of_attention_are_checked_as_ever():
    with pytest.raises(ValueError, match="d_k, must be equal"):
        modes.causal.attention(torch.ones(2, 3), torch.ones(2, 4), torch.ones(2, 4))
    with pytest.raises(TypeError, match="query must be a torch"):
        modes.causal.attention([[1.0]], torch.ones(2, 4), torch.ones(2, 4))


# --- invariants ---------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(any_modes(), st.integers(0, 99))
def test_every_composition_keeps_its_invariants(mode, seed):
    found = modes.check_mode(mode, 6, heads=3, seed=seed)
    assert all(each.holds and each.number < 1e-9 for each in found)
    with_sink = mode.normalizer is not None
    assert ("and 0" in found[3].name) == with_sink
    assert (found[0].name == "weights sum to 1") == (not with_sink)


@pytest.mark.parametrize("normalizer", [sparsemax, softmax_plus_one, sigmoid, masked_softmax])
def test_normalisers_that_keep_what_they_promise(normalizer):
    mode = ~modes.sink(1) & modes.causal + Mode("by another", normalizer=normalizer)
    found = modes.invariants(mode)
    assert [each.holds for each in found] == [True, True, True, normalizer is not sigmoid]


BROKEN = {
    "large number": (lambda x: x.nan_to_num(neginf=-3.0).softmax(-1), [1, 2, 3]),
    "over the queries": (lambda x: masked_softmax(x.mT).mT, [0, 2]),
    "0 after it": (lambda x: x.nan_to_num(neginf=0).softmax(-1) * (x > -math.inf), [0]),
    "weights below 0": (lambda x: 2 * masked_softmax(x) - 1 / x.shape[-1], [1, 3]),
    "reads the others": (
        lambda x: masked_softmax(x * x.nan_to_num(neginf=0).sum((-1, -2), keepdim=True).exp()),
        [2],
    ),
    "no number": (lambda x: x.softmax(-1) * math.nan, [0, 2, 3]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_normaliser_is_found(name):
    normalizer, broken = BROKEN[name]
    mode = modes.causal + Mode(name, normalizer=normalizer)
    found = modes.invariants(mode)
    assert [k for k in broken if found[k].holds] == []
    with pytest.raises(ValueError, match=f"“causal, plus {name}” breaks “"):
        modes.check_mode(mode)


def test_an_output_outside_of_the_hull_is_found_though_the_weights_sum_to_1():
    mode = Mode("sharpened", normalizer=lambda x: 1.5 * masked_softmax(x) - 0.5 / x.shape[-1])
    found = modes.invariants(mode, seed=3)
    assert [each.holds for each in found] == [True, True, True, False]
    assert found[3].number > 0.05
    assert found[3].says == "farthest outside"


def test_the_random_state_stays_and_a_small_mode_is_tried_at_its_size():
    before = torch.get_rng_state()
    with torch.no_grad():
        assert len(modes.check_mode(modes.tree([-1, 0, 1]))) == 4
    assert torch.equal(torch.get_rng_state(), before)


# --- a learner's rule ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (
            lambda: Mode("x", lambda b, h, q, k: q - k < 3 and k <= q),
            TypeError,
            ["the mask of “x”", "instead of “q - k < 3 and k <= q”", "“(q - k < 3) & (k <= q)”"],
        ),
        (
            lambda: Mode("x", bias=lambda b, h, q, k: -1.0 if k < q else 0.0),
            TypeError,
            ["the bias of “x”", "“torch.where(k < q, -1.0, 0.0)”"],
        ),
        (
            lambda: Mode("x", score_mod=lambda score, b, h, q, k: max(score, 0)),
            TypeError,
            ["the score_mod of “x”", "instead of “max(score, 0)” write “score.clamp(min=0)”"],
        ),
        (
            lambda: Mode("x", bias=lambda b, h, q, k: min(-3, k - q) + max(q, k)),
            TypeError,
            ["write “(k - q).clamp(max=-3) + torch.maximum(q, k)”"],
        ),
        (
            lambda: Mode("x", lambda b, h, q, k: 1),
            TypeError,
            ["the mask of “x” must return a boolean tensor, but it returned int"],
        ),
        (
            lambda: Mode("x", lambda b, h, q, k: q - k),
            TypeError,
            ["the mask of “x” must return a boolean tensor, but it returned torch.int64"],
        ),
        (
            lambda: Mode("x", lambda b, h, q, k: torch.arange(3) <= q),
            ValueError,
            ["the mask of “x” must return one number for one query and one key", "(3,)"],
        ),
        (
            lambda: Mode("x", lambda q, k: k <= q),
            TypeError,
            ["is called with (b, h, q_idx, kv_idx)", "it takes (q, k)", "write lambda b, h,"],
        ),
        (
            lambda: Mode("x", score_mod=lambda b, h, q, k: q),
            TypeError,
            ["is called with (score, b, h, q_idx, kv_idx)"],
        ),
        (
            lambda: Mode("x", lambda b, h, q, k: k <= quary),  # noqa: F821
            ValueError,
            ["the mask of “x”, “k <= quary”, raised NameError: name 'quary' is not defined"],
        ),
        (
            lambda: Mode("x", bias=lambda b, h, q, k: k <= q),
            TypeError,
            ["the bias of “x” must return a number", "True or False", "mask_mod="],
        ),
        (
            lambda: Mode("x", bias=lambda b, h, q, k: "much"),
            TypeError,
            ["the bias of “x” must return a number, but it returned a str"],
        ),
        (lambda: Mode("x", 3), TypeError, ["the mask of “x” must be a function, but it is 3"]),
        (lambda: Mode(masks.causal), TypeError, ["begins with its name", "in a few words"]),
        (lambda: Mode("x", temperature=0.0), ValueError, ["must be one number above 0", "0.0"]),
        (lambda: Mode("x", temperature="2"), ValueError, ["one number above 0", "'2'"]),
        (lambda: Mode("x", normalizer=2), TypeError, ["the normaliser of “x” must be a function"]),
        (lambda: modes.window(0), ValueError, ["window: size must be a whole number from 1 on"]),
        (lambda: modes.sink(2.5), ValueError, ["sink: count must be a whole number", "2.5"]),
        (lambda: modes.dilated(True), ValueError, ["dilated: step", "True"]),
        (lambda: modes.documents([3, 0]), ValueError, ["documents: each length", "not 0"]),
        (lambda: modes.tree([-1, 1]), ValueError, ["the parent of node 1", "not 1"]),
        (lambda: modes.neighbourhood(3, 3, 2), ValueError, ["size must be odd", "not 2"]),
        (lambda: modes.neighbourhood(3, 2, 3), ValueError, ["fit into the grid of 3 × 2"]),
        (lambda: modes.block_sparse([[1, 0]], 2), ValueError, ["must be square", "(1, 2)"]),
        (lambda: modes.relative_bias(torch.ones(4)), ValueError, ["(2 r + 1,)", "(4,)"]),
        (lambda: modes.spotlight([], 1), ValueError, ["one key or more"]),
        (lambda: modes.soft_cap(0), ValueError, ["the cap must be above 0"]),
        (lambda: modes.prior_bias(0.1, 1), ValueError, ["wanted must lie between 0 and 1"]),
        (
            lambda: Mode("x", normalizer=lambda masked: masked.sum(-1)).attention(*heads_of(2, 2)),
            ValueError,
            ["the normaliser of “x” must give weights of the shape", "gave (2, 3, 2)"],
        ),
        (
            lambda: Mode("x", normalizer=lambda masked: None).attention(*heads_of(2, 2)),
            ValueError,
            ["gave NoneType"],
        ),
    ],
)
def test_what_is_wrong_in_a_mode_is_said_where_it_is_made(make, error, says):
    with pytest.raises(error) as caught:
        make()
    for part in says:
        assert part in str(caught.value)
