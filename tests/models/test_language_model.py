"""A tiny language model: against numbers of transformers, its cache, its heads under a mode."""

import copy
import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attention_lab.core import modes
from attention_lab.models.language_model import (
    Config,
    LanguageModel,
    RMSNorm,
    ablated,
    chosen,
    mean_outputs,
    programmed,
    recorded,
)

CONFIG = Config(
    n_words=50, d_model=24, n_layers=2, n_heads=6, n_kv_heads=2, d_ff=20, max_len=64, rope_base=1e3
)
TOKENS = torch.tensor([[3, 14, 15, 9, 26, 5, 35, 8]])
N = TOKENS.shape[1]
CLOSE = {"rtol": 1e-5, "atol": 2e-5}


def tiny():
    """Return a model whose numbers come from no generator, so that they never change."""
    model = LanguageModel(CONFIG)
    with torch.no_grad():
        for i, each in enumerate(model.parameters()):
            waves = (torch.arange(each.numel(), dtype=torch.float64) * (0.7 + 0.1 * i)).sin()
            if each.ndim == 2:
                each.copy_((4 * waves / each.shape[-1] ** 0.5).reshape(each.shape))
            else:
                waves = torch.arange(each.numel(), dtype=torch.float64).sin()
                each.copy_(1 + 0.3 * waves)
    return model.eval()


@pytest.fixture
def model():
    with torch.no_grad():
        yield tiny()


def half_split(weight, heads):
    """Reorder the rows of a map so that rotary pairs are half a head apart, as in transformers."""
    return weight.view(heads, -1, 2, weight.shape[-1]).transpose(1, 2).reshape(weight.shape)


def theirs(model):
    """Return the same model, of transformers."""
    transformers = pytest.importorskip("transformers", reason="the reference is not installed")
    config, sizes = model.config, transformers.LlamaConfig
    other = transformers.LlamaForCausalLM(
        sizes(
            vocab_size=config.n_words,
            hidden_size=config.d_model,
            intermediate_size=config.d_ff,
            num_hidden_layers=config.n_layers,
            num_attention_heads=config.n_heads,
            num_key_value_heads=config.n_kv_heads,
            max_position_embeddings=config.max_len,
            rms_norm_eps=config.eps,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_base},
            tie_word_embeddings=True,
            attn_implementation="eager",
        )
    ).eval()
    with torch.no_grad():
        other.model.embed_tokens.weight.copy_(model.words.weight)
        other.model.norm.weight.copy_(model.norm.weight)
        for own, its in zip(model.layers, other.model.layers, strict=True):
            look, feed = own.attention, own.feed_forward
            its.self_attn.q_proj.weight.copy_(half_split(look.query.weight, config.n_heads))
            its.self_attn.k_proj.weight.copy_(half_split(look.key.weight, config.n_kv_heads))
            its.self_attn.v_proj.weight.copy_(look.value.weight)
            its.self_attn.o_proj.weight.copy_(look.out.weight)
            its.mlp.gate_proj.weight.copy_(feed.gate.weight)
            its.mlp.up_proj.weight.copy_(feed.up.weight)
            its.mlp.down_proj.weight.copy_(feed.down.weight)
            its.input_layernorm.weight.copy_(own.attention_norm.weight)
            its.post_attention_layernorm.weight.copy_(own.feed_forward_norm.weight)
    return other


# --- the model ------------------------------------------------------------------------------

# what `theirs` says of TOKENS; the slow test below makes them anew
THEIR_LOGITS = [
    [2.7135, -1.5264, -2.5166, 2.7311],
    [-0.7955, 0.3994, 0.7530, -0.7951],
    [-3.3426, 0.8610, 3.4229, -3.2466],
]
THEIR_WEIGHTS = [
    [0.0671, 0.1695, 0.1352, 0.0667, 0.3409, 0.0879, 0.1328, 0.0],
    [0.2521, 0.1005, 0.1188, 0.2821, 0.0328, 0.1214, 0.0923, 0.0],
]


def test_it_says_what_transformers_says(model):
    with recorded(model, heads=[(1, 0), (1, 5)]) as weights:
        logits = model(TOKENS)
    got = logits[0, [0, 4, 7]][:, [0, 1, 17, 49]]
    torch.testing.assert_close(got, torch.tensor(THEIR_LOGITS), rtol=0, atol=2e-4)
    got = torch.stack([weights[1, head][0][0, 6] for head in (0, 5)])
    torch.testing.assert_close(got, torch.tensor(THEIR_WEIGHTS), rtol=0, atol=2e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_transformers_still_says_so(model):
    other = theirs(model)(TOKENS, output_attentions=True)
    torch.testing.assert_close(model(TOKENS), other.logits, rtol=0, atol=1e-4)
    got = other.logits[0, [0, 4, 7]][:, [0, 1, 17, 49]]
    torch.testing.assert_close(got, torch.tensor(THEIR_LOGITS), rtol=0, atol=2e-4)
    got = other.attentions[1][0, [0, 5], 6]
    torch.testing.assert_close(got, torch.tensor(THEIR_WEIGHTS), rtol=0, atol=2e-4)


def test_the_norm_is_that_of_pytorch():
    ours, pytorchs = RMSNorm(8, eps=1e-3), nn.RMSNorm(8, eps=1e-3)
    with torch.no_grad():
        for norm in (ours, pytorchs):
            norm.weight.copy_(torch.linspace(-1, 2, 8))
    x = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(x), pytorchs(x))
    torch.testing.assert_close(ours(0 * x), pytorchs(0 * x))


@pytest.mark.parametrize("sizes", [(7, 1), (1,) * 8, (3, 4, 1), (8,)])
def test_a_cache_changes_no_logit(model, sizes):
    caches, start, parts = model.new_caches(), 0, []
    for size in sizes:
        parts.append(model(TOKENS[:, start : start + size], caches=caches))
        start += size
    torch.testing.assert_close(torch.cat(parts, dim=1), model(TOKENS), **CLOSE)
    # two key/value heads of 4 numbers, not the six of the queries
    assert caches[0].key.shape == caches[1].value.shape == (1, 2, 8, 4)


def test_a_cache_of_another_batch_is_refused(model):
    caches = model.new_caches()
    model(TOKENS, caches=caches)
    with pytest.raises(ValueError, match="the cache holds 1 sentences, and 2 came"):
        model(TOKENS.repeat(2, 1), caches=caches)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_no_logit(model, side):
    short = TOKENS[:, :5]
    tokens, real = torch.zeros(2, N, dtype=torch.long), torch.zeros(2, N, dtype=torch.bool)
    where = slice(N - 5, N) if side == "left" else slice(0, 5)
    tokens[0], real[0] = TOKENS[0], True
    tokens[1, where], real[1, where] = short[0], True
    logits = model(tokens, real=real)
    torch.testing.assert_close(logits[0], model(TOKENS)[0], **CLOSE)
    torch.testing.assert_close(logits[1, where], model(short)[0], **CLOSE)
    assert logits.isfinite().all()
    if side == "left":  # and so with a cache, token by token
        caches = model.new_caches()
        for i in range(N):
            got = model(tokens[:, i : i + 1], real=real[:, : i + 1], caches=caches)
        torch.testing.assert_close(got[:, 0], logits[:, -1], **CLOSE)


@pytest.mark.parametrize("is_causal", [True, False])
def test_no_token_sees_a_later_one(model, is_causal):
    plain = model(TOKENS, is_causal=is_causal)[0]
    moved = torch.zeros(N, N, dtype=torch.bool)
    for j in range(N):
        other = TOKENS.clone()
        other[0, j] = 40
        moved[:, j] = ((model(other, is_causal=is_causal)[0] - plain).abs() > 0).any(dim=-1)
    expected = torch.ones(N, N, dtype=torch.bool)
    assert (moved == (expected.tril() if is_causal else expected)).all()


def test_only_distances_count(model):
    plain, here = model(TOKENS), torch.arange(N)
    torch.testing.assert_close(model(TOKENS, positions=here + 1000), plain, rtol=0, atol=1e-3)
    torch.testing.assert_close(
        model(TOKENS, positions=here + 7, query_positions=here + 7.0), plain, rtol=0, atol=1e-3
    )
    for other in ({"positions": here * 1.5}, {"query_positions": here + 1}):
        assert (model(TOKENS, **other) - plain).abs().max() > 0.05


def test_every_parameter_learns():
    model = tiny()
    logits = model(TOKENS)
    F.cross_entropy(logits[0, :-1], TOKENS[0, 1:]).backward()
    assert all(each.grad.abs().sum() > 0 for each in model.parameters())


@pytest.mark.parametrize(
    ("tokens", "options", "says"),
    [
        (TOKENS[0], {}, r"tokens has shape \(8,\), .* tokens\[None\] makes a batch"),
        (TOKENS[:, :0], {}, r"tokens has shape \(1, 0\), .* at least one text of one token"),
        (torch.tensor([[3, 50]]), {}, "there is no token 50: the vocabulary has 50, 0 to 49"),
        (torch.tensor([[-1, 2]]), {}, "there is no token -1"),
        (torch.zeros(1, 65, dtype=torch.long), {}, "65 tokens, but the model reads at most 64"),
        (TOKENS, {"real": torch.ones(1, 7, dtype=torch.bool)}, r"real has shape \(1, 7\)"),
        (TOKENS, {"real": torch.ones(1, 8)}, "dtype torch.float32, but it must be boolean"),
        (TOKENS, {"positions": torch.arange(7)}, r"positions has shape \(7,\), .* 8 tokens"),
        (TOKENS, {"query_positions": torch.zeros(8, 1)}, r"query_positions has shape \(8, 1\)"),
    ],
)
def test_wrong_input_is_named(model, tokens, options, says):
    with pytest.raises(ValueError, match=says):
        model(tokens, **options)


def test_sizes_that_do_not_divide_are_refused():
    for sizes in ({"n_heads": 6, "n_kv_heads": 4}, {"n_heads": 5, "n_kv_heads": 1}):
        with pytest.raises(ValueError, match="each must be divisible by the next"):
            Config(n_words=9, d_model=24, n_layers=1, d_ff=4, **sizes)


# --- which heads ----------------------------------------------------------------------------


def test_heads_are_chosen():
    assert chosen(CONFIG) == list(itertools.product(range(2), range(6)))
    assert chosen(CONFIG, layers=1, heads=2) == [(1, 2)]
    assert chosen(CONFIG, layers=range(2), heads=[5, 0]) == [(0, 0), (0, 5), (1, 0), (1, 5)]
    assert chosen(CONFIG, heads={(1, 3), (0, 2)}) == [(0, 2), (1, 3)]
    assert chosen(CONFIG, heads=[]) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"heads": (3, 4)}, r"may mean two heads or one pair: write \[3, 4\] .* \[\(3, 4\)\]"),
        ({"heads": 6}, "there is no head 6 in a layer 0: layers are 0 to 1, heads 0 to 5"),
        ({"layers": -1}, "there is no head 0 in a layer -1"),
        ({"heads": [(2, 0)]}, "there is no head 0 in a layer 2"),
        ({"heads": [(1, 0)], "layers": 1}, "which name their layers: leave out layers="),
    ],
)
def test_heads_that_are_not_there_are_named(given, says):
    with pytest.raises(ValueError, match=says):
        chosen(CONFIG, **given)


# --- looking --------------------------------------------------------------------------------


def test_only_chosen_heads_are_kept(model):
    plain = model(TOKENS)
    with recorded(model, heads=[(1, 4), (0, 0)]) as weights:
        torch.testing.assert_close(model(TOKENS), plain, rtol=0, atol=0)
        model(TOKENS[:, :3])
    assert list(weights) == [(0, 0), (1, 4)]
    assert [each.shape for each in weights[1, 4]] == [(1, 8, 8), (1, 3, 3)]
    # its memory is its own, not a part of that of all heads
    assert weights[1, 4][0].untyped_storage().nbytes() == 8 * 8 * 4
    model(TOKENS)
    assert len(weights[0, 0]) == 2


def test_each_step_can_be_kept(model):
    kept = {}
    for step in ("query", "key", "value", "scores", "scaled", "masked", "weights", "output"):
        with recorded(model, layers=1, step=step) as found:
            model(TOKENS)
        kept[step] = torch.stack([found[1, head][0][0] for head in range(6)])
    torch.testing.assert_close(kept["query"] @ kept["key"].mT, kept["scores"])
    torch.testing.assert_close(kept["scores"] / 2, kept["scaled"])
    torch.testing.assert_close(kept["masked"].softmax(dim=-1), kept["weights"])
    torch.testing.assert_close(kept["weights"] @ kept["value"], kept["output"])
    assert (kept["key"][0] == kept["key"][2]).all()  # three heads share them
    assert not (kept["key"][2] == kept["key"][3]).all()
    with (
        pytest.raises(ValueError, match=r"step must be one of query, key, value, .*, not 'weight'"),
        recorded(model, step="weight"),
    ):
        pass


# --- modes ----------------------------------------------------------------------------------

HERE = [
    modes.window(3),
    modes.sink(2) | modes.window(2),
    modes.full,
    modes.alibi(6),
    modes.spotlight([1, 2], 2.0, queries=[5, 7]),
    modes.temperature(0.3),
    modes.soft_cap(0.5) + modes.alibi(6),
    modes.Mode(
        "by head", score_mod=lambda score, b, h, q_idx, kv_idx: score + h * q_idx * kv_idx / 10
    ),
    modes.learnable_sink(torch.linspace(-2, 2, 6)),
    modes.documents([3, 5]) + modes.spotlight([0, 3], 1.5) + modes.temperature(2.0),
]


@pytest.mark.parametrize("mode", HERE, ids=str)
@pytest.mark.parametrize("heads", [None, [0, 3, 4]], ids=["all heads", "three heads"])
def test_a_mode_acts_as_it_does_alone(model, mode, heads):
    def steps(*wanted):
        found = []
        for step in wanted:
            with recorded(model, layers=1, step=step) as kept:
                model(TOKENS)
            found.append(torch.stack([kept[1, head][0][0] for head in range(6)])[None])
        return found

    plain, first = model(TOKENS), steps("weights")[0]
    with programmed(model, mode, layers=1, heads=heads):
        query, key, value, weights, output = steps("query", "key", "value", "weights", "output")
        assert mode is modes.full or (model(TOKENS) - plain).abs().max() > 1e-3
    alone = (mode & modes.causal).attention(query, key, value)
    own = heads or list(range(6))
    torch.testing.assert_close(weights[:, own], alone.weights[:, own])
    torch.testing.assert_close(output[:, own], alone.output[:, own])
    others = [head for head in range(6) if head not in own]
    torch.testing.assert_close(weights[:, others], first[:, others])
    torch.testing.assert_close(model(TOKENS), plain, rtol=0, atol=0)  # it is taken away


@pytest.mark.parametrize("mode", HERE, ids=str)
def test_a_mode_with_a_cache_is_the_same_mode(model, mode):
    with programmed(model, mode), programmed(model, modes.window(6), heads=[1, 5]):
        expected = model(TOKENS)
        caches = model.new_caches()
        parts = [model(TOKENS[:, i : i + 2], caches=caches) for i in range(0, N, 2)]
    torch.testing.assert_close(torch.cat(parts, dim=1), expected, **CLOSE)


def test_a_mode_and_padding(model):
    tokens = torch.cat([torch.zeros(1, 2, dtype=torch.long), TOKENS], dim=1)
    real = torch.ones(1, N + 2, dtype=torch.bool)
    real[0, :2] = False
    mode = modes.window(3) + modes.alibi(6)  # which counts distances, not positions
    with programmed(model, mode):
        torch.testing.assert_close(model(tokens, real=real)[:, 2:], model(TOKENS), **CLOSE)


def weights_of(model, layer, head):
    with recorded(model, heads=[(layer, head)]) as found:
        model(TOKENS)
    return found[layer, head][0][0]


def test_nested_modes_act_together(model):
    window, light, warm = modes.window(4), modes.spotlight([2, 5], 1.0), modes.temperature(2.0)
    with programmed(model, window + light + warm, layers=0):
        joined = weights_of(model, 0, 3)
    with programmed(model, warm, layers=0, heads=[3]), programmed(model, window, layers=0):
        other = weights_of(model, 0, 2)
        with programmed(model, light, heads=[(0, 3)]):
            torch.testing.assert_close(weights_of(model, 0, 3), joined)
            torch.testing.assert_close(weights_of(model, 0, 2), other)
        assert (weights_of(model, 0, 3) - joined).abs().max() > 0.01
    # temperatures multiply, score rules run one after the other, the innermost normaliser counts
    with programmed(model, warm), programmed(model, warm):
        twice = model(TOKENS)
    with programmed(model, modes.temperature(4.0)):
        torch.testing.assert_close(twice, model(TOKENS), **CLOSE)
    rules = [lambda s, b, h, q, k: s + 1 + k, lambda s, b, h, q, k: s * 2]
    parts = [modes.Mode(f"rule {i}", score_mod=rule) for i, rule in enumerate(rules)]
    with programmed(model, parts[0]), programmed(model, parts[1]):
        both = model(TOKENS)
    with programmed(model, modes.Mode("one", score_mod=lambda s, b, h, q, k: 2 * (s + 1 + k))):
        torch.testing.assert_close(both, model(TOKENS), **CLOSE)
    inner = modes.learnable_sink(3.0)
    with programmed(model, inner):
        alone = model(TOKENS)
    with programmed(model, modes.learnable_sink(-1.0)), programmed(model, inner):
        torch.testing.assert_close(model(TOKENS), alone)


def test_the_same_mode_may_be_nested(model):
    light = modes.spotlight([1], 1.0)
    with programmed(model, light):
        once = model(TOKENS)
        with programmed(model, light):
            twice = model(TOKENS)
        torch.testing.assert_close(model(TOKENS), once, rtol=0, atol=0)
    with programmed(model, modes.spotlight([1], 2.0)):
        torch.testing.assert_close(model(TOKENS), twice, **CLOSE)


def test_what_is_done_to_a_model_ends_when_something_raises(model):
    plain = model(TOKENS)

    class Stop(Exception):
        pass

    for change in (
        programmed(model, modes.window(1)),
        ablated(model, layers=0),
        recorded(model),
    ):
        with pytest.raises(Stop), change:
            raise Stop
    for layer in model.layers:
        look = layer.attention
        assert look.programs == look.replaced == look.records == []
    torch.testing.assert_close(model(TOKENS), plain, rtol=0, atol=0)


def test_a_rule_is_written_out_once_for_all_layers(model):
    calls = []

    class Counted(modes.Mode):
        def dense(self, *sizes, **options):
            calls.append((sizes, options["heads"], options["offset"]))
            return super().dense(*sizes, **options)

    caches = model.new_caches()
    with programmed(model, Counted("three back", modes.window(3).mask_mod), heads=[1, 2]):
        model(TOKENS[:, :6], caches=caches)
        model(TOKENS[:, 6:], caches=caches)
    assert calls == [((6, 6), 6, 0), ((2, 8), 6, 6)]


def test_the_causal_mask_can_be_left_out(model):
    bidirectional, plain = model(TOKENS, is_causal=False), model(TOKENS)
    assert model.is_causal
    with programmed(model, modes.full):
        torch.testing.assert_close(model(TOKENS), plain)
    with programmed(model, modes.full, causal=False):
        assert not model.is_causal
        torch.testing.assert_close(model(TOKENS), bidirectional)
        with programmed(model, modes.causal):
            torch.testing.assert_close(model(TOKENS), plain)
    with programmed(model, modes.prefix(3), heads=[(0, 1)], causal=False):
        seen, other = weights_of(model, 0, 1) > 0, weights_of(model, 0, 2) > 0
    expected = torch.ones(N, N, dtype=torch.bool).tril()
    assert (other == expected).all()
    expected[:3, :3] = True
    assert (seen == expected).all()
    assert model.is_causal


def test_a_copy_is_free(model):
    with programmed(model, modes.window(1)), ablated(model, heads=[(0, 1)]), recorded(model):
        other = copy.deepcopy(model)
    torch.testing.assert_close(other(TOKENS), model(TOKENS), rtol=0, atol=0)


# --- switching heads off --------------------------------------------------------------------


def test_a_head_that_is_off_adds_nothing(model):
    with ablated(model, heads=[(1, 2), (1, 5)]):
        got = model(TOKENS)
    off = copy.deepcopy(model)
    for head in (2, 5):
        off.layers[1].attention.out.weight[:, 4 * head : 4 * head + 4] = 0
    torch.testing.assert_close(got, off(TOKENS))
    assert (got - model(TOKENS)).abs().max() > 0.01


def test_a_head_can_say_what_it_says_on_average(model):
    texts = [TOKENS, TOKENS[:, 2:6]]
    means = mean_outputs(model, texts, layers=0)
    assert list(means) == chosen(CONFIG, layers=0)
    with recorded(model, layers=0, step="output") as outputs:
        for tokens in texts:
            model(tokens)
    both = torch.cat([each[0] for each in outputs[0, 4]])
    assert both.shape == (12, 4)
    torch.testing.assert_close(means[0, 4], both.mean(dim=0))
    with (
        ablated(model, heads=[(0, 4)], vectors=means),
        recorded(model, layers=0, step="output") as got,
    ):
        model(TOKENS)
    torch.testing.assert_close(got[0, 4][0][0], means[0, 4].expand(N, 4))
    torch.testing.assert_close(got[0, 3][0], outputs[0, 3][0])
    # a vector for each token
    with ablated(model, heads=[(0, 4)], vectors={(0, 4): outputs[0, 4][0][0]}):
        torch.testing.assert_close(model(TOKENS), model(TOKENS))
        same = model(TOKENS)
    torch.testing.assert_close(same, model(TOKENS))
    with (
        pytest.raises(ValueError, match=r"there is no vector for head \(1, 0\)"),
        ablated(model, heads=[(0, 4), (1, 0)], vectors=means),
    ):
        pass
