"""Guesses of notebook 08."""

from attention_lab.grading.predict import Choices, Number

different_outputs = Number(
    question="“the dog bites the man” goes through one attention layer, without a mask. Five "
    "words go in, five outputs come out. How many different outputs are among them?",
    right=4,
    within=0.4,
    because="Both “the” are the same vector, so they have the same query and the same keys. The "
    "layer has nothing else to tell them apart.",
    low="Different words have different queries, and each query has its own weights.",
    high="There are five outputs in all.",
    mistakes={
        5: "Two of the words are the same. Their neighbours differ, but the layer knows no "
        "neighbours: all five words are keys for both.",
        1: "All outputs are means of the same values, but each query has its own weights.",
    },
    shown_by="different outputs: 4",
)

who_only_guesses = Choices(
    question="Five models learn to say whether a stands before b. Which of them will only guess, "
    "and be right half the time?",
    choices={
        "only “none”": "One other is as blind. A distance is the same from both ends.",
        "“none” and “none, causal”": "The causal mask lets b look at a where a stands first, and "
        "not where it stands last. That is an order.",
        "“none” and “ALiBi, both ways”": "Without an encoding the mean cannot depend on the "
        "order, and ALiBi knows how far, which is the same in the mirror.",
        "all but the sines and rotary": "You left one out that needs no encoding: a mask that "
        "hides later keys is not symmetric.",
    },
    right="“none” and “ALiBi, both ways”",
    shown_by="answers alike when reversed",
)

sort_or_reverse = Choices(
    question="Without any encoding in the encoder or the decoder: which of the two tasks can a "
    "model learn, to sort eight digits or to reverse them?",
    choices={
        "neither": "One of the two needs to know only which digits there are, and how often.",
        "only sorting": "The sorted digits are the same for every order of the input.",
        "only reversing": "To reverse, a model must know which digit stood where, and a set of "
        "digits does not say it.",
        "both, with more training": "No training helps where two inputs that need two answers "
        "look the same to the encoder.",
    },
    right="only sorting",
    shown_by="sort       none",
)

products_fall = Choices(
    question="The rows of the table are compared by their dot product, with 64 features. How "
    "does PE(p) · PE(p + k) go on as the distance k grows from 0 to 100?",
    choices={
        "it falls at every step": "Many pictures suggest it. The fast hands come round after 6 "
        "positions and agree again.",
        "it falls, with rises in between": "It is a sum of cosines. Each time the fastest hands "
        "come round it rises a little.",
        "it depends on p": "sin a sin b + cos a cos b = cos(a − b): p drops out of every term.",
        "it is near 0 from k = 1 on": "That would be so for random rows. Neighbouring rows are "
        "nearly equal, since most hands move slowly.",
    },
    right="it falls, with rises in between",
    shown_by="it rises at the steps to k",
)

same_difference = Choices(
    question="A query at position 5 and a key at position 3 have the score 0.504 after both were "
    "turned. The same query at 1005, the same key at 1003: which score?",
    choices={
        "a smaller one": "Both were turned by as much more, so the angle "
        "between them is what it was, and turns change no length.",
        "the same one": "The angle between them depends on 5 − 3 = 1005 − 1003 only.",
        "another one, of either sign": "It is a wave in the difference of the positions, and the "
        "difference is 2 both times.",
        "none, so far out there is no turn": "Nothing is trained here. The turn is defined at "
        "every position.",
    },
    right="the same one",
    shown_by="query at 1005, key at 1003",
)

forgotten_keys = Number(
    question="Four keys with equal scores. At each step from one token to the next a gate halves "
    "what came before: the last key counts 1, the one before it 1/2, then 1/4 and 1/8. Which "
    "weight has the last key?",
    right=0.533,
    within=0.02,
    because="1 / (1 + 1/2 + 1/4 + 1/8) = 8/15.",
    low="The last key counts as much as all others and 1/8 more: its share is above a half.",
    high="The others count 7/8 together, nearly as much as the last one.",
    mistakes={
        0.25: "That is the weight without gates: the scores are equal, the gates are not.",
        1.0: "It counts 1, but weights are shares: divide by what all four count.",
    },
    shown_by="8/15",
)

order_at_64 = Choices(
    question="Trained on 4 to 16 tokens, then read 64: which token stands before each? Each "
    "has the learning rate that is best for it at 8 and 16 tokens. Order them, the best first.",
    choices={
        "sines, rotary, ALiBi, learned, none": "At 64 tokens the share that is right is 0.38 with "
        "sines, and 0.52 with none.",
        "rotary, ALiBi, sines, none, learned": "At 32 tokens rotary has 1.00 and ALiBi 0.99. At 64 "
        "they have 0.75 and 0.99.",
        "ALiBi, rotary, none, sines, learned": "The shares that are right are 0.99, 0.75, 0.52, "
        "0.38 and 0.34.",
        "all but learned near 1, learned at 0": "Learned has 0.34 at 64 tokens, and sines have "
        "little more, 0.38.",
    },
    right="ALiBi, rotary, none, sines, learned",
    shown_by="at 64 tokens, the best first",
)

worst_for_the_first = Choices(
    question="The same models, but now each token must name the FIRST token of the sequence. Who "
    "does worst at 64 tokens?",
    choices={
        "none": "At 64 tokens its share is 1.00. At the token before it was 0.52.",
        "ALiBi": "At 64 tokens its share is 1.00, as at the token before (0.99).",
        "the learned table": "At 64 tokens its share is 0.92. At the token before it was 0.34.",
        "rotary": "At 16 tokens its share is 1.00, at 64 tokens 0.67.",
    },
    right="rotary",
    shown_by="worst at 64 tokens: rotary",
)

sixteen_keys_left = Choices(
    question="At 64 tokens each query may now see only itself and the 15 keys before it, as many "
    "as in training. The models are not trained again. Whose answers of the token before are "
    "repaired?",
    choices={
        "nobody's: the models are what they were": "A model can be as it was and its input not: "
        "with the mask, rotary sees nothing that training did not show.",
        "those of rotary and of the sines": "The mask changes which keys are seen. The rows that "
        "were added at positions 16 to 63 are as new as before.",
        "those of rotary": "Its distances and the number of keys are those of the training.",
        "those of the sines": "Their new rows are still added to every token from position 16 "
        "on; hiding far keys does not take them away.",
    },
    right="those of rotary",
    shown_by="rotary      last 16 keys",
)

more_steps_for_none = Choices(
    question="A causal model without an encoding named 90 % of the tokens before at 16 tokens, and "
    "52 % at 64. What do four times as many steps give?",
    choices={
        "no more than before, at both lengths": "A model without an encoding can see positions: a "
        "causal mask makes the first tokens different, and two layers build on that. Slowly.",
        "above 95 % at 16, below 80 % at 64": "It learns positions from the mask, slowly, and best "
        "for the lengths that it is trained on.",
        "above 95 % at both lengths": "What it reads positions from fades with the length: "
        "1/(i + 1) and 1/(i + 2) come ever closer.",
        "less than before, at both lengths": "Does it learn its data by heart? Every batch is "
        "drawn anew, so there is nothing to learn by heart.",
    },
    right="above 95 % at 16, below 80 % at 64",
    shown_by="1200 steps",
)
