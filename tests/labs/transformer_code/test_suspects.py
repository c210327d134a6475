"""The layers with a fault of notebook 07, and the tests that tell them apart."""

import nbformat
import pytest
import torch
import torch.nn.functional as F

from attention_lab.labs.transformer_code.suspects import (
    FAULTS,
    SUSPECTS,
    TESTS,
    CausalLayer,
    caught_by,
    suspects,
)

FOUND = {
    "none": [],
    "mask inverted": ["sum 1", "no leak", "alone", "by hand"],
    "softmax over the queries": ["sum 1", "no leak", "by hand"],
    "mask after the softmax": ["sum 1", "no leak"],
    "positions on the batch axis": ["alone", "by hand"],
    "no scale": ["by hand"],
    "scale √d_model": ["by hand"],
    "heads split by one reshape": ["no leak", "by hand"],
    "heads joined by one reshape": ["no leak"],
}
SIZES = [(8, 2), (12, 3), (12, 2), (16, 4), (8, 4), (18, 3)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("d_model", "n_heads"), SIZES)
def test_each_fault_fails_the_tests_that_the_notebook_names(fault, d_model, n_heads):
    for seed in range(5):
        layer = CausalLayer(fault, d_model=d_model, n_heads=n_heads, seed=seed)
        assert caught_by(layer) == FOUND[fault]


def test_the_layer_without_a_fault_is_that_of_pytorch():
    layer = CausalLayer(d_model=12, n_heads=3)
    x = torch.randn(2, 5, 12)
    tokens = x + layer.positions[:5]
    heads = F.scaled_dot_product_attention(
        *(
            (tokens @ w).unflatten(-1, (3, -1)).transpose(1, 2)
            for w in (layer.w_query, layer.w_key, layer.w_value)
        ),
        is_causal=True,
    )
    right = heads.transpose(1, 2).flatten(2) @ layer.w_out
    torch.testing.assert_close(layer(x)[0], right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SUSPECTS)
def test_a_suspect_has_its_fault_and_shows_it_by_its_tests(name):
    assert caught_by(suspects()[name]) == FOUND[SUSPECTS[name]]


def test_two_faults_of_one_signature_differ_by_the_scale_that_comes_out():
    """As the hint of Exercise 7.1 says."""
    for name, scale in (("A", 1), ("F", 18**0.5)):
        layer = suspects()[name]
        x = torch.randn(3, 6, layer.d_model)
        tokens, d_k = x[0] + layer.positions[:6], layer.d_model // layer.n_heads
        scores = (tokens @ layer.w_key[:, :d_k]) @ (tokens[-1] @ layer.w_query[:, :d_k])
        row = layer(x)[1][0, 0, -1].log()
        assert (scores[0] - scores[1]) / (row[0] - row[1]) == pytest.approx(scale, rel=1e-2)


def test_the_tests_of_the_notebook_find_what_those_of_the_grader_find(request):
    path = request.config.rootpath / "notebooks/07_transformer_code.ipynb"
    cells = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    names = {}
    exec(cells["import"].source, names)
    exec(cells["properties-code"].source, names)
    assert list(names["tests"]) == list(TESTS)
    x = torch.randn(3, 6, 12)
    for fault in FAULTS:
        layer = CausalLayer(fault, d_model=12, n_heads=3)
        for name, holds in names["tests"].items():
            assert holds(layer, x) == TESTS[name](layer, x), (fault, name)


def test_an_unknown_fault_is_named():
    with pytest.raises(ValueError, match="there is no fault 'typo'; there are none, mask inverted"):
        CausalLayer("typo")
