"""The picture on top is that of the notebook's own numbers."""

import torch

from attention_lab.labs.masks.figures import IS_A, LOOKS_FOR, WORDS, opening
from helpers import names_in


def test_the_opening_shows_the_sentence_of_the_first_section():
    there = names_in("06_masks.ipynb", "import", "words")
    assert there["words"] == WORDS
    assert torch.equal(there["key"], IS_A)
    assert torch.equal(there["query"], LOOKS_FOR)
    assert "drank: cat 0.870" in opening().sentence
