"""The guesses of notebook 03: what each mistake leads to, computed."""

import pytest
import torch

from attention_lab import attention
from attention_lab.labs.qkv_worked_example import predictions
from helpers import column, names_in


def test_the_first_output_and_the_mistakes_are_what_they_are_called():
    asked = predictions.first_of_three
    query, key, value = column(1.0), column(4.0, 5, 6), column(7.0, 8, 9)
    right = attention(query, key, value).output.item()
    assert asked.right == pytest.approx(right, abs=5e-4)
    k, v = key[:, 0], value[:, 0]
    mistakes = [v.mean(), (k / k.sum()) @ v, v[k.argmax()], v.sum()]
    assert sorted(asked.mistakes) == pytest.approx([m.item() for m in mistakes], abs=5e-4)
    for guess in (*asked.mistakes, 7.5, 8.8):
        assert not asked.reply(guess).is_right
    assert asked.reply(8.6).is_right


def test_what_the_replies_say_of_the_weights():
    weights = attention(column(1.0), column(4.0, 5, 6), column(7.0, 8, 9)).weights[0]
    said = predictions.first_of_three.because
    assert all(f"{weight:.3f}" in said for weight in weights)
    assert weights[:2].sum() == pytest.approx(1 / 3, abs=5e-3)  # "a third of the weight together"


def test_a_row_of_hidden_keys_is_no_number_in_a_softmax():
    row = torch.full((1, 6), -torch.inf)
    assert row.softmax(dim=-1).isnan().all()
    assert predictions.every_key_hidden.right.startswith("nan")


def test_the_sofa_finds_three_words_alike():
    names = names_in("03_qkv_worked_example.ipynb", "import", "sentence-tokens", "matrices-code")
    sofa = names["words"].index("sofa")
    assert names["Q"][sofa].tolist() == [0, 4, 0, 4]
    scores = dict(zip(names["words"], (names["Q"] @ names["K"].T)[sofa].tolist(), strict=True))
    assert scores == {"tired": 0, "cat": 0, "sleeps": 4, "on": 0, "soft": 4, "sofa": 4}
    assert "three scores of 4" in predictions.word_for_sofa.replies[-1].text
