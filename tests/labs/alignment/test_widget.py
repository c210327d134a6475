"""AlignmentExplorer, driven by the values of its fields."""

import pytest
import torch

from attention_lab.models.data.translation import ENGLISH, FRENCH, translate
from attention_lab.models.seq2seq import Decoded, Seq2Seq
from attention_lab.models.vocabulary import Vocabulary
from attention_lab.widgets import AlignmentExplorer
from helpers import marked, tables, text_of


@pytest.fixture
def alignment():
    """An explorer of untrained models: what they write is nonsense, but it is written."""
    models = {}
    for score in ("additive", "none"):
        torch.manual_seed(0)
        models[score] = Seq2Seq(50, 85, d_model=16, score=score)
    return AlignmentExplorer(
        models, Vocabulary(ENGLISH), Vocabulary(FRENCH), translate=translate, phrase="the cat"
    )


def test_alignment_explorer_shows_what_the_model_computes(alignment):
    decoded = alignment.models["additive"].decode(alignment.source.encode([("the", "cat")]))
    written = alignment.target.decode(decoded.numbers[0].tolist())
    assert f"The model writes: {' '.join(written)}" in alignment.note
    assert "Right would be: le chat." in alignment.note
    ((_, rows),) = tables(alignment.picture.value)
    assert rows[0][1:] == ["the", "cat", "<end>", "sum"]
    assert [row[0] for row in rows[1 : len(written) + 1]] == list(written)
    assert float(rows[1][1]) == pytest.approx(decoded.weights[0, 0, 0].item(), abs=6e-4)
    alignment.model.value = "none"
    assert "went through one vector" in alignment.note
    assert alignment.picture.value == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write at least one word"),
        ("  . ", "write at least one word"),
        ("<end> the <pad>", "does not know “&lt;end&gt;”, “&lt;pad&gt;”"),
        ("the purple cat", "does not know “purple”. It knows: the, my, your"),
        ("the zebra and the lion", "does not know “zebra”, “and”, “lion”"),
        ("the " * 13, "13 words; at most 12"),
    ],
)
def test_alignment_explorer_names_what_it_cannot_read(alignment, text, says):
    before = alignment.picture.value
    alignment.text.value = text
    assert says in text_of(alignment.status.value)
    assert alignment.picture.value == before
    alignment.text.value = "the house"
    assert "Right would be: la maison." in alignment.note


def test_alignment_explorer_reads_phrases_as_people_write_them(alignment):
    alignment.text.value = "My sister’s red car."
    assert "Right would be: la voiture rouge de ma sœur." in alignment.note
    alignment.text.value = "cat the"
    assert "The grammar has no translation for it: “cat the” must end" in alignment.note


def test_alignment_explorer_outlines_the_right_words_of_a_right_translation(alignment):
    class Copy(torch.nn.Module):
        score = "dot"

        def decode(self, source):
            numbers = alignment.target.encode([("le", "chat", "noir")])
            return Decoded(numbers, torch.full((1, 4, 4), 0.25))

    alignment.models["additive"] = Copy()
    alignment.text.value = "the black cat"
    assert "Right. Outlined" in alignment.note
    assert marked(alignment.picture.value, "related") == 3
