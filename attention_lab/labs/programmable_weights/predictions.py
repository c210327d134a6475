"""Guesses of notebook 11."""

from attention_lab.grading.predict import Choices, Number

heads_for_a_long_carry = Choices(
    question="In 9999999 + 1 the carry goes through every column to the left end. All columns are "
    "there at once. How many heads, one after another, does the carry alone need?",
    choices={
        "one for each column it passes": "So it is if each column waits for its neighbour. A "
        "column can ask directly for the one that decides, however far that is.",
        "two, however many nines there are": "One head counts the columns on the right that are "
        "not 9, and "
        "one looks up the nearest of them: only that one decides.",
        "three, the logarithm of the columns": "Halving the distance at each step works, too. It "
        "is not needed: a head reaches any position in one step.",
        "no number is enough without a loop": "A loop is one way to carry. What comes into a "
        "column "
        "can be said in one sentence about the columns on its right.",
    },
    right="two, however many nines there are",
    shown_by="2 for the carry",
)

mean_of_two_positions = Number(
    question="The tokens are 3 1 4 1 5, at the positions 0 to 4. Each token selects all tokens "
    "equal to it, and fetches their positions: `aggregate(select(tokens, tokens, eq), positions)`. "
    "What comes out at position 1, where the first 1 stands?",
    right=2.0,
    within=0.1,
    because="It selects the positions 1 and 3, and a head averages: (1 + 3) / 2.",
    low="A head takes the average of what is selected: of the positions 1 and 3.",
    high="It selects the positions 1 and 3; what comes out lies between them.",
    mistakes={
        1.0: "Its own position is selected, and the other 1 is equal to it as well.",
        3.0: "The other 1 stands there. The token is also equal to itself.",
        4.0: "That is their sum. The weights of a row sum to 1, so a head averages.",
    },
    shown_by="2.0, 2.0, 2.0",
)

weight_of_the_one_selected = Number(
    question="There are 8 keys. The selected one has the score β = 5, the other seven have 0. What "
    "weight does the selected one get?",
    right=0.955,
    within=0.015,
    because="e^5 is 148, and 148 / (148 + 7) = 0.955: the other seven have the rest together.",
    low="e^5 is 148, and each of the others has e^0 = 1. What share is that of the whole?",
    high="With one other key it would be 0.993. There are seven, and each of them takes its part.",
    mistakes={
        0.417: "5 / (5 + 7) shares out the scores. Softmax shares out their powers: e^5 and e^0.",
        0.714: "A key with the score 0 gets a weight, too: its power is e^0 = 1.",
    },
    shown_by="0.955",
)

row_without_a_key = Choices(
    question="The tokens are 3 1 4 1 5. A query selects nothing: all its scores are 0, with β = "
    "20. "
    "What does the head fetch?",
    choices={
        "0, since nothing is selected": "That is what one would like. Softmax gives weights that "
        "sum to 1, also when all scores are equal.",
        "nan, 0 divided by 0": "That happens where every score is −∞. Here each is 0, and e^0 = 1.",
        "its own token, the nearest": "All scores are equal: its own token has no advantage.",
        "the mean of all tokens": "Equal scores, equal weights: 1/5 on each token.",
    },
    right="the mean of all tokens",
    shown_by="2.8",
)

share_of_the_anchor = Number(
    question="A head selects BOS, which is there once, and two other keys, all with the same large "
    "score. BOS has the value 1, every other key the value 0. What comes out?",
    right=0.333,
    within=0.02,
    because="Three keys have a third of the weight each, and only that of BOS counts: 1 / (1 + 2). "
    "From such a share the count can be read off.",
    low="Only the selected keys have weight worth naming: BOS and two others.",
    high="BOS shares the weight with both of the other keys.",
    mistakes={
        0.5: "That is the share beside one other key; here there are two.",
        1.0: "That would be a sum of the values; a head gives their mean.",
        2.0: "That is the count that is wanted. A head gives a mean, and no mean of 1 and 0 is 2.",
    },
    shown_by="0.333",
)

stray_of_addresses = Choices(
    question="With β = 5 and 8 positions, the address in two numbers leaves 0.013 of the weight to "
    "other keys in the middle of a row, and one-hot positions leave 0.045. With 1000 positions "
    "one-hot leaves 0.87 (section 3). What does the address leave?",
    choices={
        "0.0001, less than with 8 positions": "The two neighbours are as near as before, and they "
        "have nearly all that goes astray.",
        "0.013, as much as with 8 positions": "Only the two neighbours count: a key at distance "
        "2 adds e^(−20), about 2e-9.",
        "0.25, which grew as one-hot's did": "One-hot grows by e^0 with each key that is added. A "
        "far address adds e^(−5 · distance²).",
        "0.87, as much as one-hot positions": "One-hot keys are all equally far from the selected "
        "one, so each of the 999 takes as much. Addresses are not.",
    },
    right="0.013, as much as with 8 positions",
    shown_by="two numbers 0.013, one-hot 0.87",
)

last_good_address = Choices(
    question="The scores 2ij − j² are computed in float32. Up to about which position is the right "
    "key still the largest of its row?",
    choices={
        "about 4000": "Whole numbers are exact to 2^24, and that is 4096².",
        "about 65 000": "That is where float16 ends, for another reason. Here the numbers are "
        "squares.",
        "about 17 million": "Up to there float32 holds every whole number. The scores are squares "
        "of "
        "positions.",
        "any position": "Numbers of float32 reach to 10^38, with about 7 digits. What must be "
        "told apart "
        "is i² "
        "and i² − 1.",
    },
    right="about 4000",
    shown_by="exact up to 4096",
)

one_layer_on_repeats = Choices(
    question="One layer of 8 heads has as many parameters and as much training as two layers of 4. "
    "How often is it right, on 10 tokens that come again from another one on?",
    choices={
        "nearly always, it only learns later": "Four times as many steps were tried. What it needs "
        "is not there to be learned: no key knows the token before it.",
        "in about half of the cases": "Half would need to know a good deal about what followed "
        "what. "
        "A head of one layer sees each key alone.",
        "hardly more than one in ten": "It knows which ten tokens are there, and nearly nothing of "
        "what followed what.",
        "one in 26, by chance": "It can see which ten tokens are there: attention to the past "
        "tells "
        "that in one layer.",
    },
    right="hardly more than one in ten",
    shown_by="below 0.3",
)

hide_one_diagonal = Choices(
    question="In layer 1 of the trained two layers, one thing is hidden in all heads: the token "
    "before. Everything else stays. The accuracy was 1.0. What is it now?",
    choices={
        "about 0.9, most of it is left": "19 of 20 diagonals are left, and none of them says which "
        "token stood before a key.",
        "about 0.5, layer 2 makes up for it": "Layer 2 finds the key by what layer 1 wrote there. "
        "If "
        "that is gone, no position of layer 2 has it.",
        "1.0, position vectors tell it too": "A position vector says where a key stands, not which "
        "token is beside it.",
        "a tenth or less": "The key can no longer be found. It still knows the ten tokens, and is "
        "led to wrong ones.",
    },
    right="a tenth or less",
    shown_by="below 0.15",
)

longer_than_trained = Choices(
    question="The two layers were trained on 5 to 10 different tokens (at most 20 positions). They "
    "are tested on 24 different ones, which is 48 positions. How often are they right?",
    choices={
        "nearly always, the program is the same": "Yours is. The learned one finds the token "
        "before "
        "by vectors of positions, and has none for the later ones.",
        "about two in five": "It fails where the positions are new. Their vectors were never "
        "trained, so “one back” means nothing there.",
        "one in 24, it knows nothing there": "The first copy lies partly in positions that it "
        "knows, "
        "and layer 2 looks for content.",
        "it raises an error at position 20": "The model has vectors for 64 positions. They are "
        "there, and were never trained.",
    },
    right="about two in five",
    shown_by="between 0.2 and 0.6",
)

four_heads_of_270 = Choices(
    question="The loss of the second time is about 2, of the first time far higher. Four heads of "
    "270 "
    "are switched off. Which four do most harm to the copying?",
    choices={
        "any four: all heads are needed": "Twenty draws of four others were tried. The worst of "
        "them "
        "does less harm than either chosen four.",
        "the four with the best induction score": "They raise the loss most, or nearly as much as "
        "those that look one back; four others hardly raise it.",
        "none, 266 others take over": "Some do help: the loss does not reach that of the first "
        "time. "
        "It rises all the same.",
        "the four in the last layer": "They write last. What is to be written must have been found "
        "before, in earlier layers.",
    },
    right="the four with the best induction score",
    shown_by="best induction heads",
)
