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
    question="Three keys have the scores 1, 2 and 3, and the weights 0.090, 0.245 and 0.665. The "
    "first score is raised from 1 to 5. What is the weight of that key now?",
    right=0.844,
    within=0.06,
    because="It is now the largest by 2. The other two keep their ratio to each other, and share "
    "what is left.",
    low="The score of this key is now the largest of the three, by 2, and each step of 1 "
    "multiplies a weight by 2.7 compared with the others.",
    high="The lead over 3 is only 2, so that key still has 0.135 times as much, and the key with 2 "
    "has 0.050 times.",
    mistakes={
        0.5: "5 is half of 5 + 2 + 3, but weights are not shares of the scores: the exponential "
        "comes first.",
        0.665: "That was the weight of the largest score before, which led by 1. This one leads "
        "by 2.",
    },
    shown_by="0.844",
)

nothing_fits = Choices(
    question="Someone asks with (−3, −2): all three scores are negative. What do the weights do?",
    choices={
        "they still add up to 1": "Only differences between scores matter: the least bad key gets "
        "most.",
        "they are all 0: nothing fits": "Softmax has no way to say “nothing”. The weights of a "
        "query always add up to 1.",
        "they are negative, like the scores": "A power of e is positive whatever the exponent; so "
        "is a weight.",
        "the cell raises an error": "Negative scores are as good as others: the exponential of "
        "each is a positive number.",
    },
    right="they still add up to 1",
    shown_by="sum of the weights: 1.000",
)
