"""The Transformer against PyTorch's, its masks, its cache, its positions."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from attention_lab.core.leaks import leak_map
from attention_lab.models.transformer import (
    POSITIONS,
    Cache,
    Decoder,
    DecoderLayer,
    Encoder,
    EncoderLayer,
    MultiHeadAttention,
    Transformer,
    recorded,
)
from attention_lab.models.vocabulary import END, PAD, START

D, HEADS, D_FF = 16, 4, 24
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


# --- weights copied over to PyTorch's layers


def copy_attention(ours, theirs):
    with torch.no_grad():
        maps = (ours.query, ours.key, ours.value)
        theirs.in_proj_weight.copy_(torch.cat([m.weight for m in maps]))
        theirs.in_proj_bias.copy_(torch.cat([m.bias for m in maps]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())


def copy_layer(ours, theirs):
    copy_attention(ours.self_attention, theirs.self_attn)
    theirs.linear1.load_state_dict(ours.feed_forward.inner.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.outer.state_dict())
    norms = [ours.around_self, ours.around_feed]
    if isinstance(ours, DecoderLayer):
        copy_attention(ours.cross_attention, theirs.multihead_attn)
        norms.insert(1, ours.around_cross)
    for number, around in enumerate(norms, 1):
        getattr(theirs, f"norm{number}").load_state_dict(around.norm.state_dict())


def copy_stack(ours, theirs):
    for own, other in zip(ours.layers, theirs.layers, strict=True):
        copy_layer(own, other)
    theirs.norm.load_state_dict(ours.norm.state_dict())


def shake(module):
    """Move every parameter, so that no norm is the identity and no bias is 0."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module


PADDING = torch.tensor([[True] * 5, [True, True, True, False, False]])  # True = a word
CAUSAL = torch.ones(5, 5, dtype=torch.bool).tril()


@pytest.mark.parametrize("masks", ["none", "causal", "padding", "both"])
def test_multi_head_attention_equals_pytorchs(masks):
    ours = shake(MultiHeadAttention(D, HEADS))
    theirs = nn.MultiheadAttention(D, HEADS, batch_first=True)
    copy_attention(ours, theirs)
    x = torch.randn(2, 5, D)
    causal, padded = masks in ("causal", "both"), masks in ("padding", "both")
    wanted, weights = theirs(
        x, x, x,
        attn_mask=~CAUSAL if causal else None,
        key_padding_mask=~PADDING if padded else None,
        average_attn_weights=False,
    )  # fmt: skip
    mask = PADDING[:, None, None] if padded else None
    torch.testing.assert_close(ours(x, x, x, attn_mask=mask, is_causal=causal), wanted, **CLOSE)
    with recorded(ours) as found:
        output = ours(x, x, x, attn_mask=mask, is_causal=causal)
    torch.testing.assert_close(output, wanted, **CLOSE)
    torch.testing.assert_close(found[""][0], weights, **CLOSE)


def test_cross_attention_equals_pytorchs_with_another_number_of_keys():
    ours = shake(MultiHeadAttention(D, HEADS))
    theirs = nn.MultiheadAttention(D, HEADS, batch_first=True)
    copy_attention(ours, theirs)
    query, memory = torch.randn(2, 3, D), torch.randn(2, 5, D)
    wanted, _ = theirs(query, memory, memory, key_padding_mask=~PADDING)
    came = ours(query, memory, memory, attn_mask=PADDING[:, None, None])
    torch.testing.assert_close(came, wanted, **CLOSE)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_encoder_layer_equals_pytorchs(norm_first, causal):
    ours = shake(EncoderLayer(D, HEADS, D_FF, norm_first=norm_first))
    theirs = nn.TransformerEncoderLayer(
        D, HEADS, D_FF, dropout=0.0, batch_first=True, norm_first=norm_first
    )
    copy_layer(ours, theirs)
    x = torch.randn(2, 5, D)
    wanted = theirs(x, src_mask=~CAUSAL if causal else None, src_key_padding_mask=~PADDING)
    came = ours(x, attn_mask=PADDING[:, None, None], is_causal=causal)
    torch.testing.assert_close(came, wanted, **CLOSE)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_decoder_layer_equals_pytorchs(norm_first, causal):
    ours = shake(DecoderLayer(D, HEADS, D_FF, norm_first=norm_first))
    theirs = nn.TransformerDecoderLayer(
        D, HEADS, D_FF, dropout=0.0, batch_first=True, norm_first=norm_first
    )
    copy_layer(ours, theirs)
    x, memory = torch.randn(2, 5, D), torch.randn(2, 5, D)
    wanted = theirs(
        x, memory, tgt_mask=~CAUSAL if causal else None, memory_key_padding_mask=~PADDING
    )
    came = ours(x, memory, is_causal=causal, memory_mask=PADDING[:, None, None])
    torch.testing.assert_close(came, wanted, **CLOSE)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # of PyTorch's own constructor
@pytest.mark.parametrize("norm_first", [False, True])
def test_both_stacks_equal_nn_transformer_forward_and_backward(norm_first):
    options = {"norm_first": norm_first}
    encoder = shake(Encoder(2, D, HEADS, D_FF, final_norm=True, **options))
    decoder = shake(Decoder(2, D, HEADS, D_FF, final_norm=True, **options))
    theirs = nn.Transformer(D, HEADS, 2, 2, D_FF, dropout=0.0, batch_first=True, **options)
    copy_stack(encoder, theirs.encoder)
    copy_stack(decoder, theirs.decoder)
    source, target = torch.randn(2, 5, D), torch.randn(2, 5, D)
    keep = PADDING[:, None, None]
    came = decoder(target, encoder(source, attn_mask=keep), memory_mask=keep)
    wanted = theirs(
        source, target, tgt_mask=~CAUSAL,
        src_key_padding_mask=~PADDING, memory_key_padding_mask=~PADDING,
    )  # fmt: skip
    torch.testing.assert_close(came, wanted, **CLOSE)
    came.square().sum().backward()
    wanted.square().sum().backward()
    for own, other in (
        (encoder.layers[0].feed_forward.inner, theirs.encoder.layers[0].linear1),
        (decoder.layers[0].cross_attention.out, theirs.decoder.layers[0].multihead_attn.out_proj),
    ):
        torch.testing.assert_close(own.weight.grad, other.weight.grad, rtol=1e-4, atol=1e-4)


def test_the_numbers_of_parameters_are_those_of_the_formulas():
    d = 512
    with torch.device("meta"):
        layers = (EncoderLayer(d, 8, 4 * d), DecoderLayer(d, 8, 4 * d))
        sizes = [sum(p.numel() for p in layer.parameters()) for layer in layers]
        attention = {
            h: sum(p.numel() for p in MultiHeadAttention(d, h).parameters()) for h in (1, 8, 64)
        }
    assert sizes == [12 * d**2 + 13 * d, 16 * d**2 + 19 * d] == [3_152_384, 4_204_032]
    assert set(attention.values()) == {4 * d**2 + 4 * d} == {1_050_624}


# --- heads


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 5), st.integers(1, 6), st.integers(1, 4),
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 7),
)  # fmt: skip
def test_any_sizes_of_heads_go_through(batch, n_q, n_k, heads, d_k, d_v, d_model):
    layer = MultiHeadAttention(d_model, heads, d_k=d_k, d_v=d_v)
    query, memory = torch.randn(batch, n_q, d_model), torch.randn(batch, n_k, d_model)
    with recorded(layer) as found:
        assert layer(query, memory, memory).shape == (batch, n_q, d_model)
    assert found[""][0].shape == (batch, heads, n_q, n_k)
    torch.testing.assert_close(found[""][0].sum(-1), torch.ones(batch, heads, n_q))


def test_the_output_is_the_sum_of_what_each_head_writes():
    layer = MultiHeadAttention(D, HEADS).double()
    x = torch.randn(1, 5, D, dtype=torch.float64)
    with recorded(layer) as found:
        output = layer(x, x, x)
    v = layer.value(x).unflatten(-1, (HEADS, -1)).transpose(1, 2)
    heads = found[""][0] @ v  # (1, h, 5, d_v)
    parts = layer.out.weight.unflatten(1, (HEADS, -1))  # (d_model, h, d_v)
    summed = sum(heads[:, h] @ parts[:, h].T for h in range(HEADS)) + layer.out.bias
    torch.testing.assert_close(output, summed)


def test_heads_that_do_not_divide_say_so():
    with pytest.raises(ValueError, match="d_model = 10 is not divisible by n_heads = 4"):
        MultiHeadAttention(10, 4)
    MultiHeadAttention(10, 4, d_k=3, d_v=2)


def test_what_cannot_be_used_is_named():
    layer = MultiHeadAttention(8, 1)
    with pytest.raises(ValueError, match=r"shape \(5, 8\), but it must be \(B, n, 8\)"):
        layer(*[torch.randn(5, 8)] * 3)
    x = torch.randn(1, 5, 8)
    with pytest.raises(TypeError, match=r"attn_mask has dtype torch\.float32; it must be boolean"):
        layer(x, x, x, attn_mask=torch.zeros(5, 5))
    with pytest.raises(ValueError, match=r"position must be one of none, .* not 'ALiBi'"):
        MultiHeadAttention(8, 2, position="ALiBi")
    with pytest.raises(ValueError, match="n_heads must be 1 or more, not 0"):
        MultiHeadAttention(8, 0)
    with pytest.raises(ValueError, match="rotary positions need a cache that grows"):
        MultiHeadAttention(8, 2, position="rotary")(x, x, x, cache=Cache(grows=False))


def test_an_empty_mask_changes_nothing_for_any_number_of_queries():
    layer = MultiHeadAttention(8, 2)
    for n_q, n_k in ((5, 3), (3, 5), (4, 4)):
        query, key = torch.randn(1, n_q, 8), torch.randn(1, n_k, 8)
        everything = torch.ones(n_q, n_k, dtype=torch.bool)
        alone = layer(query, key, key, is_causal=True)
        joined = layer(query, key, key, is_causal=True, attn_mask=everything)
        torch.testing.assert_close(alone, joined)


@pytest.mark.parametrize("position", POSITIONS)
def test_everything_is_made_on_the_device_of_the_input(position):
    model = Transformer(9, 9, position=position).to("meta")
    source = torch.zeros(2, 5, dtype=torch.long, device="meta")
    assert model(source, source).device.type == "meta"
    assert model.read(source, *model.encode(source), model.new_caches()).device.type == "meta"


def test_a_recording_inside_another_leaves_it_as_it_was():
    layer, x = MultiHeadAttention(8, 2), torch.randn(1, 3, 8)
    with recorded(layer) as outer:
        with recorded(layer) as inner:
            layer(x, x, x)
        layer(x, x, x)
    assert len(outer[""]) == len(inner[""]) == 1


def test_a_decoder_that_is_not_causal_ignores_padding_and_its_cache():
    model = shake(Transformer(9, 9, n_layers=2, is_causal=False)).eval()
    source, target = torch.tensor([[3, 4, END]]), torch.tensor([[START, 4, 5, END]])
    once, more = (torch.cat([target, torch.full((1, n), PAD)], dim=1) for n in (1, 4))
    torch.testing.assert_close(model.loss(source, once), model.loss(source, more))
    assert torch.equal(model.decode(source), model.decode(source, cached=False))


def test_recording_is_off_outside_and_after_an_error():
    model = Transformer(9, 9).eval()
    source, target = torch.tensor([[3, 4, END]]), torch.tensor([[START, 5, END]])
    before = model(source, target)
    with recorded(model) as found:
        during = model(source, target)
    assert {name: w[0].shape for name, w in found.items()} == {
        "encoder.layers.0.self_attention": (1, 4, 3, 3),
        "decoder.layers.0.self_attention": (1, 4, 2, 2),
        "decoder.layers.0.cross_attention": (1, 4, 2, 3),
    }
    torch.testing.assert_close(before, during)
    with pytest.raises(KeyError), recorded(model) as found:
        raise KeyError
    model(source, target)
    assert found["encoder.layers.0.self_attention"] == []


# --- masks


def test_a_padded_sentence_gives_what_it_gives_alone():
    for position in POSITIONS:
        model = Transformer(9, 9, n_layers=2, position=position).eval()
        batch = torch.tensor([[3, 4, 5, 6, END], [7, 3, END, PAD, PAD]])
        target = torch.tensor([[START, 3, 4, END], [START, 5, END, PAD]])
        alone = model(batch[1:, :3], target[1:, :3])
        torch.testing.assert_close(model(batch, target)[1:, :2], alone)


@pytest.mark.parametrize("position", POSITIONS)
def test_no_word_sees_a_later_one(position):
    model = Transformer(9, 9, n_layers=2, position=position).double().eval()
    memory, real = model.encode(torch.tensor([[3, 4, 5, END]]))

    def read(vectors):
        return model.decoder(vectors[None], memory, memory_mask=real)[0]

    leaks = leak_map(read, torch.randn(6, 64, dtype=torch.float64))
    assert leaks.triu(1).max() == 0
    assert leaks.diagonal().min() > 0


def test_a_decoder_without_its_causal_mask_leaks():
    model = Transformer(9, 9, is_causal=False).eval()
    source = torch.tensor([[3, 4, END]])
    first = model(source, torch.tensor([[START, 3, 4, END]]))
    second = model(source, torch.tensor([[START, 3, 5, END]]))
    assert (first[:, 0] - second[:, 0]).abs().max() > 1e-4


# --- the cache


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("step", [1, 2])
def test_the_cache_changes_no_logit(position, step):
    model = shake(Transformer(9, 9, n_layers=2, position=position)).eval()
    source = torch.tensor([[3, 4, 5, END], [6, END, PAD, PAD]])
    target = torch.randint(3, 9, (2, 8))
    memory, real = model.encode(source)
    whole = model.read(target, memory, real)
    caches = model.new_caches()
    pieces = [model.read(target[:, i : i + step], memory, real, caches) for i in range(0, 8, step)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, **CLOSE)
    assert len(caches[0][0]) == 8
    assert len(caches[0][1]) == 4


def test_decoding_with_and_without_the_cache_writes_the_same_until_the_end():
    model = shake(Transformer(9, 9, n_layers=2)).eval()
    source = torch.randint(3, 9, (6, 5))
    with_cache = model.decode(source, max_new_tokens=12)
    assert torch.equal(with_cache, model.decode(source, max_new_tokens=12, cached=False))
    assert with_cache.shape[1] <= 12
    with torch.no_grad():
        model.readout.bias[END] = 100.0
    assert model.decode(source).tolist() == [[END]] * 6


# --- positions


@pytest.mark.parametrize("position", POSITIONS)
def test_which_encoders_see_the_order(position):
    model = Transformer(9, 9, position=position).double().eval()
    numbers, order = torch.tensor([[3, 4, 5, 6]]), torch.tensor([2, 0, 3, 1])
    memory, _ = model.encode(numbers)
    reordered, _ = model.encode(numbers[:, order])
    error = (reordered - memory[:, order]).abs().max().item()
    assert (error < 1e-12) == (position == "none"), error


def test_learned_positions_end_and_say_so():
    model = Transformer(9, 9, position="learned", max_len=4)
    with pytest.raises(ValueError, match="5 tokens, but there is a learned vector for the first 4"):
        model.encode(torch.tensor([[3, 4, 5, 6, END]]))
    with pytest.raises(ValueError, match="position must be one of none, sinusoidal"):
        Transformer(9, 9, position="relative")


def test_dropout_acts_only_in_training():
    model = Transformer(9, 9, dropout=0.5)
    source, target = torch.tensor([[3, 4, END]]), torch.tensor([[START, 5, END]])
    assert not torch.equal(model(source, target), model(source, target))
    with recorded(model):
        assert not torch.equal(model(source, target), model(source, target))
    model.eval()
    assert torch.equal(model(source, target), model(source, target))


# --- what does not fit ---------------------------------------------------------------------------


def mixed(B=2, n_q=4, n_k=5, n_v=5, B_k=None, B_v=None):
    """Return query, key and value that may not fit each other."""
    sizes = ((B, n_q), (B_k or B, n_k), (B_v or B, n_v))
    return [torch.randn(*size, D) for size in sizes]


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (mixed(n_k=3, n_v=5), "one value for each key, but 3 != 5"),
        (mixed(n_k=1, n_v=1000), "one value for each key, but 1 != 1000"),
        (mixed(n_k=5, n_v=3), "one value for each key, but 5 != 3"),
        (mixed(B_k=1, B_v=1), "as many sentences"),
        (mixed(B=1, B_k=2, B_v=2), "as many sentences"),
        (mixed(B_v=1), "as many sentences"),
        ([torch.randn(4, D)] * 3, r"query\[None\] makes a batch"),
        ([torch.randn(2, 4, D), *[torch.randn(2, 4, 3)] * 2], r"key has shape \(2, 4, 3\), but"),
    ],
)
def test_query_key_and_value_must_fit_before_pytorch_is_called(inputs, says, record):
    layer = MultiHeadAttention(D, HEADS)
    if not record:
        with pytest.raises(ValueError, match=says):
            layer(*inputs)
        return
    with recorded(layer), pytest.raises(ValueError, match=says):
        layer(*inputs)


def test_what_is_no_tensor_is_named():
    layer, x = MultiHeadAttention(D, HEADS), torch.randn(2, 4, D)
    with pytest.raises(TypeError, match="key must be a tensor, but it is list"):
        layer(x, [1], x)
    for mask, says in (
        ([[True] * 4] * 4, r"it is list; torch.as_tensor\(attn_mask\) makes one"),
        (np.ones((4, 4), bool), "it is ndarray; torch.as_tensor"),
        (torch.ones(4, 4), "has dtype torch.float32; it must be boolean"),
    ):
        with pytest.raises(TypeError, match=says):
            layer(x, x, x, attn_mask=mask)


@pytest.mark.parametrize("B", [2, 4])  # 4 is also the number of heads
def test_the_number_of_axes_says_what_a_mask_is(B):
    layer, x = MultiHeadAttention(D, HEADS), torch.randn(B, 3, D)
    mask = torch.rand(B, 3, 3) < 0.5
    mask[:, range(3), range(3)] = True
    by_sentence = torch.cat([layer(*[x[b : b + 1]] * 3, attn_mask=mask[b]) for b in range(B)])
    assert torch.allclose(layer(x, x, x, attn_mask=mask), by_sentence, atol=1e-6)
    assert torch.allclose(layer(x, x, x, attn_mask=mask[:, None]), by_sentence, atol=1e-6)
    for wrong in (mask[:, :, :2], mask[0, 0], mask[:, None].expand(B, 3, 3, 3), mask[None, None]):
        with pytest.raises(ValueError, match=r"it must be \(n_q, n_k\), \(B, n_q, n_k\) or"):
            layer(x, x, x, attn_mask=wrong)


def test_layers_hold_source_and_target_to_each_other():
    layer = DecoderLayer(D, HEADS, D_FF)
    with pytest.raises(ValueError, match="as many sentences"):
        layer(torch.randn(1, 3, D), torch.randn(2, 4, D))
    with pytest.raises(ValueError, match="attn_mask has shape"):
        layer(torch.randn(2, 3, D), torch.randn(2, 4, D), memory_mask=torch.ones(3, 3) > 0)
    model = Transformer(9, 9, d_model=D).eval()
    two, one = torch.tensor([[3, END], [4, END]]), torch.tensor([[START, 5, END]])
    with pytest.raises(ValueError, match="as many sentences"):
        model(two, one)


def test_a_cache_belongs_to_its_source_and_its_batch():
    model = Transformer(9, 9, d_model=D).eval()
    memory, real = model.encode(torch.tensor([[3, 4, END]]))
    other, _ = model.encode(torch.tensor([[5, 6, END]]))
    caches, word = model.new_caches(), torch.tensor([[START]])
    before = model.read(word, memory, real, caches)
    with pytest.raises(ValueError, match="of another source: begin again with new caches"):
        model.read(torch.tensor([[3]]), other, real, caches)
    with pytest.raises(ValueError, match="the cache holds 1 sentences, and 2 came"):
        model.read(torch.tensor([[3], [4]]), memory.expand(2, -1, -1), real, caches)
    again = model.new_caches()
    assert torch.equal(before, model.read(word, memory, real, again))
    same, _ = model.encode(torch.tensor([[3, 4, END]]))  # another tensor with the same numbers
    assert model.read(torch.tensor([[3]]), same, real, again).shape == (1, 1, 9)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_position_works_in_every_dtype(position, dtype):
    model = Transformer(9, 9, d_model=D, position=position).to(dtype).eval()
    source, target = torch.tensor([[3, 4, END]]), torch.tensor([[START, 5, END]])
    logits = model(source, target)
    assert logits.dtype == dtype
    with recorded(model):
        looked_at = model(source, target)
    torch.testing.assert_close(looked_at, logits, atol=2e-2, rtol=2e-2)


def test_decoding_leaves_dropout_out_and_gives_the_mode_back():
    model = Transformer(9, 9, d_model=D, dropout=0.5)
    model.encoder.eval()
    source = torch.tensor([[3, 4, 5, END]])
    written = {tuple(model.decode(source, cached=c)[0].tolist()) for c in [True, False] * 3}
    assert len(written) == 1
    assert model.training
    assert model.decoder.training
    assert not model.encoder.training


def test_what_follows_an_end_is_padding():
    model = Transformer(9, 9, d_model=D).eval()

    def read(target, memory, real, caches=None):
        logits = torch.zeros(3, target.shape[1], 9)
        n = target.shape[1] if caches is None else len(read.seen) + 1
        read.seen.append(n)
        logits[0, :, END if n == 1 else 7] = 1  # ends at once
        logits[1, :, END if n == 3 else 5] = 1
        logits[2, :, 6] = 1  # never ends
        return logits

    read.seen, model.read = [], read
    written = model.decode(torch.full((3, 2), 3), max_new_tokens=5, cached=False)
    wanted = [[END, PAD, PAD, PAD, PAD], [5, 5, END, PAD, PAD], [6, 6, 6, 6, 6]]
    assert written.tolist() == wanted


def test_tensors_are_made_where_the_inputs_are():
    model = Transformer(9, 9, d_model=D).to("meta")
    source = torch.full((2, 3), 3, device="meta")
    target = torch.full((2, 4), 3, device="meta")
    assert model(source, target).shape == (2, 3, 9)
    for position in POSITIONS:
        other = Transformer(9, 9, d_model=D, position=position).eval()
        with torch.device("meta"):  # what is made without a place lands there
            written = other.decode(torch.tensor([[3, 4, END]], device="cpu"), 3)
        assert written.device.type == "cpu"


def test_a_copy_made_while_recording_is_not_recorded():
    model = Transformer(9, 9, d_model=D).eval()
    source = torch.tensor([[3, 4, END]])
    with recorded(model) as found:
        twin = copy.deepcopy(model)
        twin.encode(source)
    assert not any(found.values())
    assert all(m.record is None for m in twin.modules() if isinstance(m, MultiHeadAttention))
