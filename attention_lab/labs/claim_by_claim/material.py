"""What the exercises of notebook 17 are about: statements, titles, experiments."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "CLAIMS_TO_TEST",
    "EXPERIMENTS",
    "GAPS",
    "ITS_PATTERN",
    "NO_TRACE",
    "OPPOSITES",
    "REFERENCES",
    "SENTENCES",
    "STATEMENTS",
    "WORDS",
    "Reference",
]

# What the article says, in our words: letter, (section, statement).
STATEMENTS = {
    "A": ("2.2", "The encoder returns one vector of fixed length."),
    "B": ("8.3", "How to explain what attention does is an open problem."),
    "C": ("4.2", "A row of queries times a column of keys is a matrix of n × n scores."),
    "D": ("9.6", "Attention makes a model more complex; a CNN is the cheap one."),
    "E": ("4.3", "softmax(32) = 1"),
    "F": ("5.3", "The decoder makes queries, keys and values of its own input."),
    "G": ("1.2", "With attention one can see how a decision is made."),
    "H": ("4.1", "The scores are divided by the square root of d_k."),
    "I": ("9.6", "Attention is for sequences, a CNN for images."),
    "J": ("5.2", "(code) keys and values of the decoder are made of what the encoder returned"),
    "K": ("1.2", "Attention lowers the time and the memory that a model takes."),
    "L": ("4.3", "The row [1, 2, 3] times the column [4, 5, 6] is the number 32."),
    "M": ("5.2", "(code) the encoder returns a vector for each token"),
    "N": ("6.2", "Attention helps to recognise images."),
    "O": ("5.2", "(code) the product of queries and keys goes into the softmax as it is"),
    "P": ("7.2", "PyTorch and TensorFlow support attention."),
}
# each pair and what decides between the two
OPPOSITES = {
    "AM": "A or M: with attention the decoder reads one state for each token (C013)",
    "BG": "B or G: it is open (C011)",
    "CL": "C or L: a row times a column is one number (C042)",
    "DK": "D or K: neither for every length (C129); the work grows with its square (C010)",
    "FJ": "F or J: the code is right, it is cross-attention (C086)",
    "HO": "H or O: the formula is right (C045)",
    "IN": "I or N: both kinds serve both (C128)",
}


# Real and invented titles of one pattern: the first is recommended by the article.
NO_TRACE = "A Theoretically Grounded Application of Attention Mechanism in NLP"
ITS_PATTERN = "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks"


class Reference(NamedTuple):
    """A reference as it may stand in a text.

    Attributes
    ----------
    text : str
    sound : bool
        Nothing is wrong in it.
    comment : str
    """

    text: str
    sound: bool
    comment: str


REFERENCES = {
    "A": Reference(
        "Attention is not not Explanation. Wiegreffe, Pinter, 2019. arXiv:1908.04626",
        True,
        "A is sound: the second “not” is meant, it answers a paper that has one",
    ),
    "B": Reference(
        "Thinking Like Transformers. Weiss, Goldberg, Yahav, 2021. arXiv:2106.06981",
        True,
        "B is sound",
    ),
    "C": Reference(
        "Fast Transformer Decoding: One Write-Head is All You Need. 2016. arXiv:1911.02150",
        False,
        "C: the number is of November 2019, and that is the year of the paper",
    ),
    "D": Reference(
        "Effective Approaches to Attention-based Neural Machine Translation. arXiv:1508.04025",
        True,
        "D is sound",
    ),
    "E": Reference(
        "Hopfield Networks is All You Need. Ramsauer et al., 2020. arXiv:1508.04025",
        False,
        "E: the number is that of D, and five years older than the paper, which has 2008.02217",
    ),
    "F": Reference(
        "Neural Machine Translation by Jointly Learning to Align and Translate. arXiv:1409.0473",
        True,
        "F is sound: numbers of 2014 have four digits behind the point",
    ),
    "G": Reference(
        NO_TRACE,
        False,
        "G: no author, no year, no number, and no trace of it in two searches",
    ),
    "H": Reference(
        "Train Short, Test Long. Press, Smith, Lewis, 2021. arXiv:2118.12409",
        False,
        "H: there is no month 18; the paper has 2108.12409",
    ),
}

# Claims of the article, and what was done in a notebook. What an experiment changes decides which
# claim it can refute.
CLAIMS_TO_TEST = {
    1: "What is not important is ignored.",
    2: "An output like this one needs these weights: so they show how it came about.",
    3: "Attention lowers the cost of a model.",
    4: "The decoder's weights are computed from what the encoder returns, and from nothing else.",
    5: "With heads, (B, h, n_q, n_k), a softmax over dim=2 gives each query its weights.",
    6: "Three weights of 1 mean equal attention to three elements.",
    7: "Attention cannot read images.",
}
# letter: (what was done and what came out, the claim that it refutes, what it varies)
EXPERIMENTS = {
    "A": (
        "A translator has to use the same weights for all its words: below 0.1 are right.",
        4,
        "it keeps the weights fixed while the decoder goes on",
    ),
    "B": (
        "Four different weightings of 7, 8, 9 give the output 8.",
        2,
        "it changes the weights and keeps the output",
    ),
    "C": (
        "Four heads are switched off: loss 2.15 becomes 6.75; four of the rest: at most 2.85.",
        None,
        "it asks whether heads are used, which none of these claims denies",
    ),
    "D": (
        "Under a causal mask the last token is moved, and output 0 moves by 0.034.",
        5,
        "it looks for a leak between queries",
    ),
    "E": (
        "One key leads by 5: the seven others still have 0.045 of the weight.",
        1,
        "it measures what is left for keys with low scores",
    ),
    "F": (
        "Three values, 7, 8, 9, are summed with weights of 1, and of 1/3: 24 and 8.",
        6,
        "it compares sums of weights",
    ),
    "G": (
        "A ViT, a network whose layers are attention, reads 0.973 of the digits.",
        7,
        "it takes images for the input",
    ),
    "H": (
        "The work of a layer is counted (d = 512): at 8192 tokens 73 % are attention's products.",
        3,
        "it counts what attention adds to a layer",
    ),
}

# How attention and a CNN differ, with gaps.
SENTENCES = (
    "The weights of {a} depend on what is in the input, those of {b} on the offset alone; {c} "
    "heads can be a filter of 3 × 3.",
    "Attention serves {d}, a CNN serves {e}; a small ViT, which is attention, reads {f} of the "
    "digits.",
    "At 50 tokens (d = 512, k = 3) the core of attention does {g} of the work of a convolution, "
    "and attention with its linear maps does {h} work than the convolution; the core alone does "
    "as much at {i} tokens.",
)
WORDS = ("attention", "a convolution", "sequences", "images", "both", "more", "less")
# a word, or a number, how near it has to be, and the claim that has it
GAPS: dict[str, str | tuple[float, float, str]] = {
    "a": "attention",
    "b": "a convolution",
    "c": (9, 0, "C127"),
    "d": "both",
    "e": "both",
    "f": (0.973, 0.008, "C128"),
    "g": (0.065, 0.0025, "C129"),
    "h": "more",
    "i": (768, 0.5, "C129 as k·d/2"),
}
