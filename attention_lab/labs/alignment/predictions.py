"""Guesses of notebook 05."""

from attention_lab.grading.predict import Choices, Number

dot_adds = Number(
    question="A translator passes the whole phrase through one vector. Now its decoder looks back "
    "at all words, with the dot score. How many parameters (numbers to be learned) are added?",
    right=0,
    within=0.5,
    because="A dot product multiplies numbers that are there already, and has none of its own.",
    mistakes={
        4096: "That is a 64 × 64 matrix between the two, which the general score has.",
        8256: "That is what the additive score has: two 64 × 64 matrices and a vector of 64.",
        64: "There is no vector of the score's own: query and key are multiplied as they are.",
    },
    low="Nothing is taken away either: encoder, decoder and readout are the same.",
    high="Look at the formula of the score: which of its numbers is not a state already?",
    shown_by="dot 0",
)
why_half_wrong = Choices(
    question="With one vector about half of the new phrases are wrong. What is the reason?",
    choices={
        "64 numbers are too few for a phrase": "Then neither larger steps nor more of them would "
        "help. They do: with both nearly all phrases come out right, through 64 numbers.",
        "the words of the new phrases are new": "The phrases are new, their words are not, and "
        "the model with attention reads the same phrases.",
        "it has not learned long enough": "With larger steps, or more of them, nearly all phrases "
        "come out right, through the same 64 numbers. It learns more slowly than with attention.",
        "a decoder needs a second vector": "It gets most phrases right without one, as soon as "
        "the steps are larger, or more.",
    },
    right="it has not learned long enough",
    shown_by="1200 steps",
)
four_or_five = Choices(
    question="One vector, after 300 small steps: which phrases come out right more often?",
    choices={
        "those of four words: shorter is easier": "Most phrases of four words have two adjectives, "
        "those of five have one and a possessor. Adjectives cost more than words.",
        "those of five words": "Length is not all. Most phrases of four words have two adjectives, "
        "those of five have one and a possessor.",
        "both equally often: the vector has one size": "The size is the same for all, but what is "
        "to be kept in it is not.",
    },
    right="those of five words",
    shown_by="4 words",
)
adjectives_in_order = Choices(
    question="Four words, two adjectives that change their order: hard. Now another “French” is "
    "learned, in which these two keep the order of the English. How many come out right?",
    choices={
        "nearly all: the turning was what is hard": "It looked like that, and it is refuted: "
        "without any turning the same phrases are nearly as hard.",
        "about as few as before": "So it is not the turning. Two adjectives of one kind at one "
        "noun are hard in either order.",
        "fewer: it is not the order of real French": "The model has seen no other French, and an "
        "order is as good as another to it. The shares hardly differ.",
    },
    right="about as few as before",
    shown_by="order kept",
)
where_les_looks = Choices(
    question="With dot scores a French noun looks at its English noun, and an adjective at its "
    "adjective, nearly always. Where do the determiners look: le, la, les, mon, ma, mes and so on?",
    choices={
        "at the English determiner, as the others do": "With every start that was tried this held "
        "for about half of them at most.",
        "at the noun, whose gender they need": "With additive scores mostly. With dot scores for "
        "half of them at most, and for how many depends on the start.",
        "another start, another answer": "The translations are right each time, and the weights "
        "of these words differ: one training is no answer to this question.",
        "at <end>, which has read the phrase": "Some of the weight does lie there: from one start "
        "more than half, from another a sixth.",
    },
    right="another start, another answer",
    shown_by="determiner aligned word",
)

noun_at_black = Choices(
    question="“the black cat”: at the second word, where the model would look at `cat`, we put all "
    "the weight on `black`. What does it write there?",
    choices={
        "chat: the noun has to come now": "The decoder knows that a noun should come, but which "
        "one it learns only from the state that it reads.",
        "noir: it translates what it looks at": "The output is now the state at `black`, and it "
        "is what the word is read from.",
        "nothing: the phrase ends there": "To end, it would have to read that no word is left. "
        "It reads the state of a word that is to be translated.",
    },
    right="noir: it translates what it looks at",
    shown_by="le noir",
)
grammar_instead = Choices(
    question="Now all weights are replaced by the alignment of the grammar: 1 on the word that is "
    "translated, 0 elsewhere. How many phrases does the model get right, of the 0.976 before?",
    choices={
        "more: the true alignment helps": "The model has learned to read other states than these, "
        "above all at the first word.",
        "as many: it looks there anyway": "Nouns and adjectives do, determiners do not. And with "
        "a wrong “le” the adjectives behind it are often wrong, too.",
        "far fewer": "It gets states that it did not ask for. The first word alone does most of "
        "the harm.",
    },
    right="far fewer",
    shown_by="aligned as in the grammar",
)
attention_first = Choices(
    question="Where was a learned attention used first?",
    choices={
        "to translate sentences": "That was in September 2014. Others came before.",
        "to look at pictures": "At least four years before translation, a model chose where to "
        "look next.",
        "to recognise speech": "That followed in December 2014, after translation.",
        "in the Transformer": "That is of 2017: it left out the recurrent network around it.",
    },
    right="to look at pictures",
    shown_by="2010",
)
