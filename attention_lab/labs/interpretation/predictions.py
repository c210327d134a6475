"""Guesses of notebook 15."""

from attention_lab.grading.predict import Choices, Number

one_map_or_many = Choices(
    question="Five models with a GRU are trained from five seeds, and each is right in every "
    "sentence of the test. Where do their learned weights lie?",
    choices={
        "in all five, on the keyword": "A model that has read the keyword elsewhere, or that "
        "answers one class by default, is as right without looking at it.",
        "in some, on the keyword of one class": "To tell two classes apart it is enough to see one "
        "of them: the other is what is said when nothing is seen.",
        "in all five, on every word alike": "So it is where the weights are not learned. Training "
        "sharpens them, since a sharp weight makes the loss smaller.",
        "in some, on words that say nothing": "A vector of a filler may have read the keyword, but "
        "in no run here did both classes leave it.",
    },
    right="in some, on the keyword of one class",
    shown_by="keyword of one class",
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

place_or_token = Choices(
    question="In SmolLM2 the first token of a text gets .42 of all weight. We move that token to "
    "place 10, and the one that was second is first. Which token draws the weight now?",
    choices={
        "the token that now stands first": "The place draws it: .41 of the weight. The token that "
        "was moved gets .01, as any other at place 10.",
        "the token that was moved to 10": "It gets .01 there. The weight was not drawn by what the "
        "token is.",
        "both of them, about half each": "Then the token and the place would share it. One of them "
        "gets .41 and the other .01.",
        "neither, and the weight spreads": "A head that finds nothing still has a weight of 1 to "
        "give away, and it goes to one place again.",
    },
    right="the token that now stands first",
    shown_by="0.410",
)

name_reader_off = Choices(
    question="Head (9, 2) reads names: from “she” or “he” it gives more weight to the right name "
    "in 80 of 80 sentences. We switch it off, and ask the model who is meant. It was right in 45 "
    "of 80 sentences. And now?",
    choices={
        "in about 20 of 80": "So it would be if the answer came from this head. Seen is not used.",
        "in none of them": "Even without a reader a guess between two names is right at times.",
        "in about 45 of 80": "No harm can be seen: 46. With three heads like it off as well, 48. "
        "The head looks at the right place, and nothing was shown to depend on it.",
        "in more than 70": "Then the head would have kept the model from the right answer.",
    },
    right="in about 45 of 80",
    shown_by="46 of 80",
)

four_heads_at_zero = Choices(
    question="The four heads that look most at the token before are set to zero. On prose the loss "
    "rises from 2.550 to 2.652. What has been shown?",
    choices={
        "that prose needs these four heads": "Four other heads, drawn ten times, cost up to 2.654. "
        "A number without its controls says nothing.",
        "nothing yet, without other heads": "Ten draws of four others reach 2.547 to 2.654. Only "
        "with the mean in place of zero do the four stand out: 2.682 against 2.600 at most.",
        "that the heads do nothing at all": "A rise by a tenth is not nothing; with the mean in "
        "place of zero it is more than that of every control.",
        "that the token before is not used": "Four heads are off and 266 are on. What these read "
        "was not touched.",
    },
    right="nothing yet, without other heads",
    shown_by="2.654",
)

word_that_counts = Choices(
    question="“The soup was cold and had no taste.” The classifier calls it cross, with most of "
    "its weight on “cold”. Each word is taken out, and the rest read anew. Without which word does "
    "the answer lose most?",
    choices={
        "“cold”, which has most of the weight": "Without it the answer hardly changes: the other "
        "half of the sentence says the same.",
        "“taste”, the last word that is read": "It has a part of the weight, and without it “had "
        "no” is as cross.",
        "“no”, which turns “had taste” round": "Its weight is small. What it does stands in the "
        "vectors of the words behind it, which have read it.",
        "“soup”, of which all this is said": "Without it the sentence would be as cross: half of "
        "all sentences on soup are glad.",
    },
    right="“no”, which turns “had taste” round",
    shown_by="most is lost without: no",
)
