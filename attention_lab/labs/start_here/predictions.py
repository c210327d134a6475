"""Guesses of notebook 00."""

from attention_lab.grading.predict import Choices, Number

lookup_price = Choices(
    question="Apples cost 3, honey 8 and crackers 2. Someone asks for “something sweet”. Which "
    "price does attention answer?",
    choices={
        "8, the price of honey": "That is what a dictionary does: it picks one entry. Here every "
        "key answers, also those that fit worse.",
        "4.333, the mean of the three prices": "That would be so if all three fitted equally well. "
        "Honey is sweeter than the others, and counts for more.",
        "a price between that mean and 8": "Every price counts, and that of honey counts most.",
        "13, all three prices added up": "The weights add up to 1, so the answer is a mean and no "
        "sum: it cannot lie above the largest price.",
    },
    right="a price between that mean and 8",
    shown_by="6.492",
)

first_key_grows = Number(
    question="Three keys have the scores 1, 1 and 3, and the weights 0.107, 0.107 and 0.787. The "
    "first score is raised from 1 to 6. What is the weight of that key now?",
    right=0.946,
    within=0.04,
    because="It is now the largest by 3. The other two keep their ratio to each other, and share "
    "what is left.",
    low="The score of this key is now the largest of the three, by 3, and each step of 1 "
    "multiplies a weight by 2.7 compared with the others.",
    high="The lead over the score 3 is only 3, so that key still has 0.050 times as much, and the "
    "key with the score 1 has 0.007 times.",
    mistakes={
        0.6: "6 is 0.6 of 6 + 1 + 3, but weights are not shares of the scores: the exponential "
        "comes first.",
        0.787: "That was the weight of the largest score before, which led by 2. This one leads "
        "by 3.",
    },
    shown_by="0.946",
)

nothing_fits = Choices(
    question="Someone asks with (−3, −2). The scores of apple, honey and cracker are −5, −2 and "
    "−1. Which of them gets most of the weight?",
    choices={
        "the apple, with the score −5": "−5 is the farthest from 0, and it is the lowest of the "
        "three. The order counts: the lowest score gets least.",
        "the honey, with the score −2": "−2 lies between the two others, and so does its weight.",
        "the cracker, with the score −1": "−1 is the largest of the three scores. The weights add "
        "up to 1 all the same, so the key that fits least badly gets most.",
        "none of them gets any weight": "Softmax has no way to say “nothing”. The weights of a "
        "query always add up to 1.",
    },
    right="the cracker, with the score −1",
    shown_by="most for the cracker",
)
