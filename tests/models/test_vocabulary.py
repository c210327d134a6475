"""Words, their numbers, and words as people type them."""

import pytest

from attention_lab.models.vocabulary import END, PAD, START, Vocabulary


def test_vocabulary_goes_there_and_back():
    words = Vocabulary(("a", "b"))
    numbers = words.encode([("a",), ("b", "a")])
    assert numbers.tolist() == [[3, END, PAD], [4, 3, END]]
    assert words.encode([("a",)], start=True).tolist() == [[START, 3, END]]
    assert [words.decode(row) for row in numbers.tolist()] == [("a",), ("b", "a")]
    assert len(words) == 5
    assert "a" in words
    assert "c" not in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("my sister 's cat", ("my", "sister", "'s", "cat")),
        ("My sister’s cat.", ("my", "sister", "'s", "cat")),
        ("  CAT , cat?! ", ("cat", "cat")),
        ("Paris paris", ("Paris", "paris")),
        ("my : cat", ("my", ":", "cat")),  # a mark that is a word
    ],
)
def test_words_are_read_as_people_type_them(text, words):
    vocabulary = Vocabulary(["my", "sister", "'s", "cat", "Paris", "paris", ":"])
    assert vocabulary.read(text) == words
    assert Vocabulary(["it's"]).read("It’s") == ("it's",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write at least one word"),
        (" . ", "write at least one word"),
        ("<end> a <pad>", "does not know “<end>”, “<pad>”. It knows: a, b$"),
        ("<start>", "does not know “<start>”"),
        ("a c " + "d" * 99, f"does not know “c”, “{'d' * 30}”. It knows: a, b"),
        ("a b a b", "these are 4 words; at most 3 fit here"),
    ],
)
def test_what_cannot_be_read_is_named(text, says):
    with pytest.raises(ValueError, match=says):
        Vocabulary(["a", "b"]).read(text, max_words=3)
