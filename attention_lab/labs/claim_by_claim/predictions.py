"""Guesses of notebook 17."""

from attention_lab.grading.predict import Choices, Number

claims_that_contradict = Number(
    question="The article makes 134 claims. How many of them does it contradict itself, in another "
    "place of the same text? (Both sides of a contradiction count.)",
    right=37,
    within=6,
    because="Most of it is about three things: whether attention costs less or more, whether it "
    "can be explained, and what its own formulas and its code do.",
    low="Look at the cost alone: it falls in 1.2, 3.3 and 9.2, and it rises in 3.3, 8.3, 9.5 "
    "and 9.6.",
    high="Many claims are wrong, and few of these are contradicted by the text itself: a mistake "
    "is mostly made once, or repeated.",
    mistakes={
        0: "A text can be read without noticing it, since the two sides stand far apart: cost "
        "falls in 1.2 and rises in 9.6.",
        134: "That would need a text that says the opposite of each of its sentences.",
    },
    shown_by="37 of 134",
)

attention_parameters = Choices(
    question="The article says that attention adds parameters, and its model has 880 of them, the "
    "numbers that training sets. How many belong to its attention class, and not to the linear "
    "layers around it?",
    choices={
        "all 880": "These are the numbers of six linear layers, three in each of two "
        "blocks. Which number would the class itself hold?",
        "440, one half": "That is one of the two blocks: its three linear layers.",
        "100, from d_model²": "A square matrix of d_model would be a layer. Here is none: a "
        "product, a softmax, a product.",
        "none of them": "Scores are products, weights a softmax, the output a sum: nothing in it "
        "is learned. What is learned stands before it and after it.",
    },
    right="none of them",
    shown_by="parameters of attention itself: 0",
)

mask_in_place = Choices(
    question="The article hides scores with `masked_fill_`, which changes them in place. One "
    "sentence has scores of shape (1, 3, 3), and a mask for five sentences has (5, 3, 3). What "
    "comes out?",
    choices={
        "scores of shape (5, 3, 3)": "So it is with `masked_fill`, which makes a new tensor. In "
        "place the old one would have to grow.",
        "scores of shape (1, 3, 3), five times masked": "PyTorch joins no masks: each would need "
        "a result of its own, and there is room for one.",
        "an error is raised": "What is changed in place keeps its shape, and five results "
        "do not fit into one. Only the new tensor of `masked_fill` can have another shape.",
        "the scores under the first mask": "Broadcasting takes no first of five. It would repeat "
        "the scores, if they could grow.",
    },
    right="an error is raised",
    shown_by="RuntimeError",
)

title_that_exists = Choices(
    question="One of these four titles stands in the article. One of the four exists. Which one "
    "exists?",
    choices={
        "A Theoretically Grounded Application of Attention Mechanism in NLP": "It has the sound of "
        "a paper, and no author, no year and no venue in the text that recommends it. No trace of "
        "it was found.",
        "A Theoretically Grounded Application of Attention Mechanism to Image Classification": "It "
        "is recommended by another text of the same kind, and was not found either.",
        "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks": "It is by "
        "Gal and Ghahramani, arXiv:1512.05287, and says nothing of attention. The other titles "
        "are this one with its nouns exchanged.",
        "A Theoretically Grounded Application of Dropout in Attention Networks": "Made up for this "
        "question, from the words of the one that exists.",
    },
    right="A Theoretically Grounded Application of Dropout in Recurrent Neural Networks",
    shown_by="1512.05287",
)

arxiv_number = Choices(
    question="“Attention Is All You Need” has the number 1706.03762 at arXiv. Which of these can "
    "be no number of a paper there?",
    choices={
        "1909.11942": "September 2019, the 11 942nd paper of that month.",
        "1813.04020": "The first four digits are year and month, and there is no month 13.",
        "0704.0001": "The first paper that was numbered so, in April 2007. The count had four "
        "digits then.",
        "2012.00001": "December 2020, the first paper of that month.",
    },
    right="1813.04020",
    shown_by="2017-06",
)

differences_that_hold = Choices(
    question="Section 9.6 of the article names three differences between attention and a CNN: what "
    "each does to its input, what each is for, and which costs less. How many of the three hold as "
    "they stand?",
    choices={
        "all three": "The second is refuted by every ViT: attention reads images. And the others?",
        "two of them": "What each is for does not hold. Which costs less depends on the length, "
        "and a convolution weighs its inputs, too.",
        "only the first": "A convolution is a weighted sum as well; its weights are fixed by the "
        "offset. The sentence misses the difference.",
        "none of the three": "Both weigh their inputs, both read images and sequences, and which "
        "costs less depends on the length.",
    },
    right="none of the three",
    shown_by="0 of 3",
)
