"""What the predictions of notebook 12 say is so; and the numbers of its cells."""

import pytest
import torch

from attention_lab.exercises import predict
from attention_lab.labs.cost.shapes import MODELS, costs, parameters
from helpers import names_in

NOTEBOOK = "12_cost.ipynb"


def test_one_long_text_keeps_as_much_as_the_weights_take():
    shape = MODELS["Llama 3.1 8B (2024)"].shape
    ratio = costs(shape)["GQA"].cache / (2 * parameters(shape, 14_336, 128_256))
    power = round(torch.tensor(ratio).log10().item())
    said = {-2: "about a hundredth of", -1: "about a tenth of", 0: "about as much as"}[power]
    said = f"{said} the weights"
    assert predict["cache_or_weights"].reply(said).is_right
    assert predict["cache_or_weights"].shown_by == f"{ratio:.2f}"


def test_work_without_a_cache():
    steps = range(1, 101)
    ratio = sum(t * t for t in steps) / sum(steps)
    assert predict["work_without_cache"].reply(ratio).is_right
    assert (sum(t * t for t in steps), sum(steps)) == (338_350, 5_050)


def test_a_core_of_fifty_tokens_does_a_fifteenth_of_a_convolution():
    n, d, k = 50, 512, 3
    assert (n * n * d, n * d * d, k * n * d * d) == (1_280_000, 13_107_200, 39_321_600)
    ratio = 2 * n * n * d / (k * n * d * d)
    assert 1 / ratio == pytest.approx(15.36)
    assert predict["attention_or_convolution"].shown_by == f"{ratio:.3f}"


def test_where_core_and_convolution_cross():
    d, right = 256, predict["where_they_cross"].right
    assert 2 * right**2 * d == 3 * right * d**2
    assert not predict["where_they_cross"].reply(3 * d).is_right


@pytest.mark.parametrize(("rule", "read"), [("linear", 16), ("delta", 9), ("gated", 12.5)])
def test_written_twice_under_one_key(rule, read):
    names = names_in(NOTEBOOK, "import", "delta")
    came = names["one"] @ names["memory"](names["rules"][rule], names["keys"], names["values"])
    assert came.item() == read
    assert predict["written_twice"].reply(read).is_right == (rule == "linear")


def test_softmax_attention_takes_the_mean_of_what_was_written_twice():
    names = names_in(NOTEBOOK, "import", "delta")
    output = names["attention"](names["one"][None], names["keys"], names["values"]).output
    assert output.item() == 8


def test_the_needle_is_in_the_block_that_is_not_read():
    a, b = torch.zeros(64), torch.full((64,), 0.2)
    a[17] = 10
    assert a.mean() < b.mean()
    weights = torch.cat([a, b]).softmax(0)
    assert weights[17].item() == pytest.approx(0.9936, abs=5e-5)
    assert predict["block_by_its_mean"].shown_by == f"{weights[17]:.3f}"


def test_tiles_of_the_page_are_exact_for_every_size(capsys):
    names = names_in(NOTEBOOK, "import", "tiles")
    given = torch.randn(3, 23, 4, dtype=torch.float64)
    right = names["attention"](*given).output
    for t in (1, 5, 23, 40):
        assert (names["by_tiles"](*given, t) - right).abs().max() < 1e-12


def test_linear_and_window_of_the_page_are_what_they_are_called():
    names = names_in(NOTEBOOK, "import", "slopes")
    x = torch.randn(1, 256, 64)
    features = torch.nn.functional.elu(x) + 1
    weights = features @ features.mT
    right = weights @ x / weights.sum(-1, keepdim=True)
    torch.testing.assert_close(names["linear"](x), right, rtol=1e-4, atol=1e-5)
    block = torch.arange(256) // 64
    gap = block[:, None] - block
    may = (gap == 0) | (gap == 1)
    right = names["attention"](x, x, x, attn_mask=may).output
    torch.testing.assert_close(names["window"](x), right, rtol=1e-4, atol=1e-5)
