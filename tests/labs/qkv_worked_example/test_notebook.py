"""Notebook 03: its sentence says what the text says of it."""

import pytest
import torch

from attention_lab import attention
from helpers import names_in

NOTEBOOK = "03_qkv_worked_example.ipynb"


# --- the sentence -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sentence():
    return names_in(NOTEBOOK, "import", "sentence-tokens", "matrices-code", "change-code")


def found(weights, words):
    """Return for each word the words that it finds: those with its largest weight."""
    best = weights > weights.max(dim=-1, keepdim=True).values - 1e-6
    return {w: {words[j] for j in row.nonzero()[:, 0]} for w, row in zip(words, best, strict=True)}


def test_each_word_finds_what_it_looks_for(sentence):
    Q, K, V, words = (sentence[name] for name in ("Q", "K", "V", "words"))
    steps = attention(Q, K, V)
    assert found(steps.weights, words) == {
        "tired": {"cat"},
        "cat": {"sleeps"},
        "sleeps": {"cat", "sofa"},
        "on": set(words),
        "soft": {"sofa"},
        "sofa": {"sleeps", "soft", "sofa"},
    }
    assert steps.output[:, 0].tolist() == pytest.approx(
        [1.068, 0.157, 2.062, 0.833, 3.120, 1.214], abs=5e-4
    )
    exchanged = found(attention(K, Q, V).weights, words)
    assert exchanged["cat"] == {"tired", "sleeps"}  # those that look for it
    sizes = {len(words), Q.shape[1], V.shape[1], sentence["X"].shape[1]}
    assert len(sizes) == 4  # each has a number of its own


def test_with_one_matrix_no_two_words_prefer_each_other(sentence):
    X, W_K, V = (sentence[name] for name in ("X", "W_K", "V"))
    words = sentence["words"]
    one = attention(X @ W_K, X @ W_K, V)
    assert found(one.weights, words)["cat"] == {"cat"}
    W = W_K.clone()
    W[0, 2] = 1  # the folded answer
    both = attention(X @ W, X @ W, V)
    assert found(both.weights, words)["tired"] == {"cat"}
    assert found(both.weights, words)["cat"] == {"cat"}
    assert (both.scores[0, 1], both.scores[1, 0], both.scores[1, 1]) == (2, 2, 5)


def test_a_sofa_that_is_an_animal_is_found_by_the_tired(sentence):
    X, words = sentence["X"].clone(), sentence["words"]
    X[5, 2], X[5, 3] = 1, 0
    Q, K, V = (X @ sentence[name] for name in ("W_Q", "W_K", "W_V"))
    changed = found(attention(Q, K, V).weights, words)
    assert changed["tired"] == {"cat", "sofa"}
    assert changed["soft"] == {"cat", "sofa", "soft"}


def test_the_numbers_of_the_article(sentence):
    Q, K, V = (torch.arange(i, i + 3.0, dtype=torch.float64)[:, None] for i in (1, 4, 7))
    outputs = attention(Q, K, V).output, attention(K, Q, V).output
    assert outputs[0][:, 0].tolist() == pytest.approx([8.5752, 8.8509, 8.9480], abs=5e-5)
    assert outputs[1][:, 0].tolist() == pytest.approx([8.9814, 8.9932, 8.9975], abs=5e-5)
    turned = attention(Q, K.flip(0), V).output  # statement E of exercise 3.5
    assert torch.allclose(turned, 16 - outputs[0])
    assert turned[:, 0].tolist() == pytest.approx([7.425, 7.149, 7.052], abs=5e-4)
    one, two = (torch.cat([each.T] * 2) for each in (K, V))
    assert torch.allclose(attention(Q.T, one, two).output, V.T)  # statement B
