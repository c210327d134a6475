"""The picture on top of the notebook."""

from attention_lab.labs.alignment.figures import crossing


def test_the_picture_says_which_words_belong_together():
    sentence = crossing().sentence
    for pair in ("noirs: black 1.000", "lourds: heavy 1.000", "ma: my 1.000", "les: 's 1.000"):
        assert pair in sentence
