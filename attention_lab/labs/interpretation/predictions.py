"""Guesses of notebook 15."""

from attention_lab.grading.predict import Choices, Number

one_map_or_many = Number(
    question="Five models with a GRU are trained from five seeds, and each is right in every "
    "sentence of the test. In how many of the five do the weights lie on the keyword in both "
    "classes?",
    right=4,
    within=0.5,
    because="In one run the keyword of one class gets little weight. To tell two classes apart it "
    "is enough to see one of them, so this model is as right as the others.",
    low="Training sharpens the weights, and the keyword is the word that says something: mostly "
    "they end there.",
    high="Nothing asks the model to look at the keyword: it has to be right, and there is more "
    "than one way.",
    mistakes={
        0: "Then the weights would lie on fillers everywhere. Training sharpens them, and mostly "
        "on the keyword.",
    },
    shown_by="on both keywords in 4 of 5",
)

keyword_deleted = Number(
    question="A model gives the keyword .97 of the weight in both classes, and is right in every "
    "sentence. Now the keyword is deleted from each sentence. In what share of the sentences does "
    "the answer change?",
    right=0.5,
    within=0.08,
    because="Without the keyword there is nothing to know, and the model says its default. That "
    "was the right answer for one class already: there the deletion changes nothing.",
    low="Where the model says the same as before, it is right by its default. How many sentences "
    "have the other class?",
    high="Something is said of a sentence without a keyword, too, and it is right for one class.",
    mistakes={
        1.0: "The model cannot say “I do not know”. What it says of a sentence without a keyword "
        "was the right answer for one of the classes.",
        0.0: "Then it would be right in every sentence without the one word that decides.",
    },
    shown_by="changed",
)

majority_of_marks = Number(
    question="Eight items have a mark each, 0 or 1 at random, and the question names one of them. "
    "A model that was trained with all weights alike can count the marks, and no more. In what "
    "share of the questions can it be right?",
    right=0.637,
    within=0.03,
    because="It says the mark that most items have. That is right a little more often than a "
    "guess, since the item that is asked for is one of those counted.",
    low="The item that is asked for is among those that are counted, so the majority tells a "
    "little of it.",
    high="A sum of all marks does not say which of them was asked for.",
    mistakes={
        0.5: "A guess is right in half. The majority of eight marks is better than that: the item "
        "that is asked for is one of the eight.",
        0.125: "So it would be if one of eight answers had to be found. There are two answers.",
        1.0: "It would have to know which of the eight marks is meant, and all weights are alike.",
    },
    shown_by="0.63",
)

second_row_of_rollout = Number(
    question="Two layers have the same weights: token 0 attends to itself, and token 1 attends to "
    "both with 0.5. Half of every vector goes around the attention (the residual path). What share "
    "of token 1 comes from token 0 after both layers?",
    right=0.4375,
    within=0.01,
    because="With the path around it each layer takes 0.25 from token 0 and keeps 0.75: "
    "0.25 + 0.75 · 0.25 = 0.4375.",
    low="Two layers take from token 0, the second one from what is left.",
    high="Half of the vector goes around the attention in each layer.",
    mistakes={
        0.75: "That is the plain product of the weights: 0.5 + 0.5 · 0.5. The path around the "
        "attention is missing.",
        0.5: "That is 0.25 twice. In the second layer only the 0.75 that are left can be taken "
        "from.",
        0.25: "That is one layer. The second one takes again.",
    },
    shown_by="0.438",
)

place_or_token = Number(
    question="In SmolLM2 the first token of a text gets .42 of all weight. We move that token to "
    "place 10; what was second is first now. What share of the weight does the moved token get, of "
    "the queries behind it? A number from 0 to 1.",
    right=0.012,
    within=0.03,
    because="It gets no more than any other token at place 10. The place draws the weight: what "
    "stands first now gets .41.",
    low="A weight is not negative.",
    high="Then the token itself would draw weight, wherever it stands.",
    mistakes={
        0.42: "So it would be if the token drew the weight. It was the place.",
        0.21: "Then token and place would share it. The token gets hardly anything.",
    },
    shown_by="it gets 0.012",
)

name_reader_off = Choices(
    question="Head (9, 2) looks from “she” or “he” at the right name. The model is asked who is "
    "meant, in 80 sentences with two names each, and answers 45 rightly. The head is switched off, "
    "and the answers are counted again. What can the new number show?",
    choices={
        "that the head is used": "It could not fall by much: a guess between two names "
        "is right in 40 of 80, and the model has 45 with the head on.",
        "that the head is not used": "It stays (46), and says nothing: a model that "
        "guesses with the head on guesses without it.",
        "nothing, whatever it is": "45 of 80 is hardly more than a guess, so there is "
        "nothing to lose. A test needs a task that the model can do.",
        "that the head does harm": "46 instead of 45 is one answer; a guess moves by 4.5 "
        "from one set of sentences to the next.",
    },
    right="nothing, whatever it is",
    shown_by="a guess: 40 of 80",
)

four_heads_at_zero = Number(
    question="The four heads that look most at the token before are set to zero. On prose the loss "
    "rises from 2.550 to 2.652. Now four others are set to zero, drawn anew ten times. In how many "
    "of the ten draws does the loss rise by as much or more?",
    right=1,
    within=0.5,
    because="One draw goes to 2.654. So the rise alone shows nothing of these four; at the mean, "
    "in place of zero, none of ten comes near them.",
    low="With ten draws from 250 heads, one may hit heads that matter. Zero is an unusual thing to "
    "say to later layers.",
    high="Most heads do little on prose: seven of the ten draws stay below 2.61.",
    mistakes={5: "Then the four would be like any others. Most draws cost far less."},
    shown_by="2.654",
)

word_that_counts = Choices(
    question="“The soup was cold and had no taste.” The classifier calls it cross, with most of "
    "its weight on “cold”. Each word is taken out, and the rest read anew. Without which word does "
    "the answer lose most?",
    choices={
        "“soup”": "Without it the sentence would be as cross: half of all sentences on soup are "
        "glad.",
        "“cold”": "Without it the answer hardly changes: the other half of the sentence says the "
        "same.",
        "“no”": "Its weight is small. What it does stands in the vectors of the words behind it, "
        "which have read it.",
        "“taste”": "It has a part of the weight, and without it “had no” is as cross.",
    },
    right="“no”",
    shown_by="most is lost without: no",
)
