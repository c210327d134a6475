"""Guesses of notebook 00."""

from attention_lab.grading.predict import Choices

lookup_price = Choices(
    question="Someone asks for “something sweet”. Apples cost 3, honey 8, crackers 2. What does "
    "attention answer: one of the three prices, or what?",
    choices={
        "8, the price of honey": "That is what a dictionary does: it picks one entry. Attention "
        "lets every key answer, also those that fit worse.",
        "4.333, the mean of 3, 8 and 2": "That would be so if all three fitted equally well. "
        "Honey is sweeter than the others, and counts for more.",
        "a number between the mean and 8": "Every price counts, and that of honey counts most.",
        "13, the sum of 3, 8 and 2": "The weights add up to 1, so the answer is a mean and not a "
        "sum. No mean lies above the largest price.",
    },
    right="a number between the mean and 8",
    shown_by="6.492",
)
