"""Guesses of notebook 05."""

from attention_lab.grading.predict import Choices, Number

additive_share = Choices(
    question="The additive score adds two matrices of 64 × 64 and a vector of 64 numbers. All else "
    "is vectors for 47 English and 82 French words, an encoder and a decoder with states of 64 "
    "numbers, and the matrix that chooses a French word. Which share of all parameters (numbers "
    "to be learned) does the score have?",
    choices={
        "about 1 in 100": "Two matrices of 64 × 64 are not so few. The decoder's own network has "
        "nine times 64 × 64 numbers.",
        "about 1 in 10": "Most of the numbers are in the two networks that read and write: the "
        "decoder's alone has nine times 64 × 64.",
        "about 1 in 3": "The two networks that read and write are larger than that: the decoder's "
        "alone has nine times 64 × 64 numbers.",
        "more than half": "Then the score would be larger than all that reads and writes. The "
        "decoder's network alone has nine times 64 × 64 numbers.",
    },
    right="about 1 in 10",
    shown_by="0.098",
)
one_vector_larger_steps = Number(
    question="With one vector, 300 steps and a learning rate of 0.003, a share of 0.506 of the new "
    "phrases came out right. The same model takes the same 300 steps with the best of four "
    "learning rates. Which share is it then? A number from 0 to 1.",
    right=0.92,
    within=0.05,
    because="So 64 numbers were not what held it back: with larger steps nine of ten phrases pass "
    "through them. It had learned too slowly.",
    low="If 64 numbers were too few, no step could help. Larger steps help a lot.",
    high="It comes so near to the model with attention only after more than 300 steps.",
    mistakes={
        0.506: "That would be a limit of the vector: another step, the same share. It was the "
        "step that was too small.",
    },
    shown_by="0.920",
)
four_or_five = Number(
    question="One vector, after 300 small steps. Of the phrases of three English words 0.96 come "
    "out right, of those of four words 0.53 (means of three seeds). And of those of five? A number "
    "from 0 to 1.",
    right=0.78,
    within=0.08,
    because="Five words are easier than four. Most phrases of four words have two adjectives, "
    "those of five have one and a possessor: adjectives cost more than words.",
    low="Length is not all. Most phrases of four words have two adjectives, those of five have one "
    "and a possessor.",
    high="They are not as easy as three words: a possessor has to be kept as well.",
    mistakes={
        0.53: "The vector has one size, but what is to be kept in it has not: look at what the "
        "words are, not only at their number.",
    },
    shown_by="0.79  0.78  0.77",
)
adjectives_in_order = Choices(
    question="Four words, two adjectives that change their order: about a third come out right. "
    "Now another “French” is learned, in which these two keep the order of the English. How many "
    "come out right?",
    choices={
        "nearly all of them": "So it would be if the turning were what is hard. Without any "
        "turning the same phrases are nearly as hard.",
        "about two thirds of all of them": "Then the turning would be half of what is hard. It "
        "is far "
        "less.",
        "a little more than a third": "So it is not the turning. Two adjectives of one kind at one "
        "noun are hard in either order.",
        "hardly any of them": "The model has seen no other French, and an order is as good as "
        "another to it. The shares hardly differ.",
    },
    right="a little more than a third",
    shown_by="order kept",
)
where_les_looks = Choices(
    question="Three trainings with dot scores, from three starts. For 0.99 or more of the nouns "
    "the largest weight is on the English noun. For which share of the determiners (le, la, les, "
    "mon, ma, mes and so on) is it on the English determiner?",
    choices={
        "0.9 or more, from each start": "Nouns do, and nearly all adjectives. A determiner needs "
        "more than its own word: the gender and the number of the noun.",
        "0.1 or less, from each start": "With additive scores it can be so few: there they look "
        "at the noun. With dot scores more of them look at the determiner.",
        "from 0.2 to 0.6, by the start": "The translations are right each time, and the weights "
        "of these words differ: one training is no answer to this question.",
        "from 0.7 to 0.8, by the start": "With every start that was tried it was about half of "
        "them at most.",
    },
    right="from 0.2 to 0.6, by the start",
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
        "more: the true alignment helps it": "The model has learned to read other states than "
        "these, "
        "above all at the first word.",
        "as many: it looks there anyway": "Nouns and adjectives do, determiners do not. And with "
        "a wrong “le” the adjectives behind it are often wrong, too.",
        "far fewer: it reads other states": "It gets states that it did not ask "
        "for. The first word alone does most of the harm.",
    },
    right="far fewer: it reads other states",
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
