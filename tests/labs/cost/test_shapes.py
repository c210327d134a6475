"""The sizes of real models, and what six designs keep of them."""

from dataclasses import replace

import pytest

from attention_lab.labs.cost.shapes import DESIGNS, MODELS, Shape, costs, parameters, size

SHAPE = Shape(32, 4096, 32, 8, 128, 4096)


def test_mha_gqa_mqa_at_4096_tokens():
    kept = {name: size(cost.cache) for name, cost in costs(SHAPE).items()}
    assert (kept["MHA"], kept["GQA"], kept["MQA"]) == ("2 GiB", "512 MiB", "64 MiB")


def test_deepseek_keeps_576_numbers_and_70272_bytes_a_token():
    shape = MODELS["DeepSeek-V3 (2024)"].shape
    found = costs(shape)
    assert found["MLA"].per_token == shape.latent == 576
    assert found["MHA"].per_token / 576 == pytest.approx(56.9, abs=0.05)
    assert found["GQA"].per_token / 576 == pytest.approx(3.56, abs=0.005)
    assert found["MLA"].cache == 70_272 * shape.context
    assert found["MLA"].multiply_adds == 61 * 128 * (576 + 512) * shape.context
    assert found["MLA"].per_byte > 100 * found["MHA"].per_byte


@pytest.mark.parametrize(
    ("model", "part"), [("Gemma 3 27B (2025)", 0.1678), ("gpt-oss-120b (2025)", 0.5005)]
)
def test_hybrids_keep_a_part_of_full_layers(model, part):
    # Gemma 3 has 62 layers: 10 full ones, a little less than one in six (.1732)
    found = costs(MODELS[model].shape)
    assert found["hybrid"].cache / found["GQA"].cache == pytest.approx(part, abs=5e-5)


def test_a_window_is_flat_from_its_size_on_and_a_hybrid_is_not():
    def cache(design, context):
        return DESIGNS[design](replace(SHAPE, context=context, window=1000)).cache

    assert cache("window", 1000) == cache("window", 64_000) == cache("GQA", 1000)
    assert cache("window", 500) == cache("GQA", 500)
    assert cache("hybrid", 64_000) > 10 * cache("window", 64_000)
    assert cache("hybrid", 64_000) < cache("GQA", 64_000) / 5


def test_scores_if_they_were_stored():
    gib = costs(Shape(1, 1024, 16, 16, 64, 4096, n_bytes=4))
    assert size(gib["MHA"].scores) == "1 GiB"
    assert gib["window"].scores == gib["MHA"].scores  # the window is as long as the text
    near = costs(Shape(1, 1024, 16, 16, 64, 4096, window=64, full_every=1, n_bytes=4))
    assert near["window"].scores * 64 == near["MHA"].scores == near["hybrid"].scores


def test_where_scores_meet_a_convolution_and_the_rest_of_a_layer():
    shape = Shape(1, 512, 8, 8, 64, 100)
    assert (shape.as_convolution, shape.as_the_rest) == (768, 6 * 512)


def test_parameters_of_two_real_models():
    assert parameters(MODELS["Llama 3.1 8B (2024)"].shape, 14_336, 128_256) == 8_030_261_248
    small = MODELS["SmolLM2 135M (2025)"].shape
    assert parameters(small, 1536, 49_152, tied=True) == 134_515_008


def test_smollm2_is_the_model_that_is_read():
    from attention_lab.models.pretrained import is_installed, smollm2

    if not is_installed():
        pytest.skip("needs the real model")
    model = smollm2().model
    shape, config = MODELS["SmolLM2 135M (2025)"].shape, model.config
    assert (shape.layers, shape.d_model) == (config.n_layers, config.d_model)
    assert (shape.heads, shape.kv_heads) == (config.n_heads, config.n_kv_heads)
    assert shape.d_head * shape.heads == config.d_model
    assert shape.context == config.max_len
    a_token = costs(replace(shape, context=1))["GQA"].cache
    assert a_token == 23_040
    # what its own caches hold, in 4 bytes a number
    import torch

    caches = model.new_caches()
    with torch.no_grad():
        model.hidden(torch.tensor([[5, 6, 7]]), caches=caches)
    assert sum(c.key.nbytes + c.value.nbytes for c in caches) == 3 * 2 * a_token


@pytest.mark.parametrize(
    ("n_bytes", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "0.98 KiB"), (2**30, "1 GiB"), (23_040, "22.5 KiB"),
     (300 * 2**20, "300 MiB"), (2**44, "16 TiB"), (2**65, "32768 PiB")],
)  # fmt: skip
def test_sizes_are_written_with_three_digits(n_bytes, said):
    assert size(n_bytes) == said


def test_every_model_has_a_design_and_a_source():
    for name, model in MODELS.items():
        assert model.design in DESIGNS
        assert model.source.startswith("arXiv:")
        assert "(20" in name
        assert model.shape.heads % model.shape.kv_heads == 0
