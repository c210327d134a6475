"""Guesses of notebook 02."""

from attention_lab.grading.predict import Choices

twice_the_words = Choices(
    question="A sentence gets twice as long: twice as many queries, keys and values. How many "
    "times as many multiplications do the scores and the weighted sums need together?",
    choices={
        "2 times as many": "Each word costs twice as much as well, since it meets twice as many "
        "keys.",
        "4 times as many": "Scores and weights belong to pairs, and there are four times as many "
        "pairs.",
        "8 times as many": "Keys and values double together: each pair of a query and a key has "
        "one score and one weight.",
        "as many as before": "A matrix product is one line of code, and a multiplication for each "
        "number of each pair.",
    },
    right="4 times as many",
    shown_by="ratio 4",
)

corner_of_the_box = Choices(
    question="Three values: (0, 0), (1, 0) and (0, 1). Can attention give the output (0.9, 0.9)?",
    choices={
        "yes, since both features lie between 0 and 1": "Each feature alone could be 0.9. Both at "
        "once would need 0.9 of the second value and 0.9 of the third.",
        "yes, with 0.9 on each of the last two values": "They would sum to 1.8 without the first "
        "weight, and weights sum to 1.",
        "no, since no feature can come so near to 1": "It can: with nearly all the weight on "
        "(1, 0) the first feature is above 0.9. Then the second is small.",
        "no, since a weight would have to be negative": "The weights would have to be 0.9 and 0.9, "
        "and −0.8 for the first value. No softmax gives that.",
    },
    right="no, since a weight would have to be negative",
    shown_by="[-0.8, 0.9, 0.9]",
)

mix_first = Choices(
    question="Values are inputs times W_V. Somebody mixes the inputs with the weights first, and "
    "multiplies the mix by W_V afterwards. How does the output differ?",
    choices={
        "not at all, but for rounding": "A product of three matrices can be bracketed either way: "
        "(W X) W_V = W (X W_V).",
        "it has another shape": "The mix has 5 features, as an input has, and W_V takes it to 2.",
        "it is blurred and loses detail": "Both orders mix. W_V is a matrix, and its product with "
        "a mean is the mean of its products.",
        "it becomes larger than before": "The weights sum to 1 in both orders; the same weights "
        "are used once.",
    },
    right="not at all, but for rounding",
    shown_by="mixed before or after: largest difference ≈0",
)

hidden_favourite = Choices(
    question="Value v0 = (2, 1) has the weight 0.8. Values v1 = (0, 0) and v2 = (4, 2) have 0.1 "
    "each. The key of v0 is hidden, and the other two share its weight. How far does the output "
    "move?",
    choices={
        "by 0.8 of its length": "0.8 is the share that v0 had, and a share is no distance. What "
        "the others make without it is the question.",
        "by all of its length": "That would need weights of 0 for the two others as well. They "
        "share the weight, 0.5 each, and (0 + 4) / 2 is not 0.",
        "it does not move at all": "Without v0 the output is the mean of v1 and v2, and that is "
        "(2, 1) too.",
        "by 0.1 of its length": "v1 and v2 get 0.5 each, and no longer 0.1. Their mean is (2, 1).",
    },
    right="it does not move at all",
    shown_by="without v0: the output moves by 0.000",
)

moved_origin = Choices(
    question="Weights 0.9 and 0.1, values (0.05, 0) and (0, 2): the terms have the lengths 0.045 "
    "and 0.200. Now (10, 0) is added to both values. The output moves along by (10, 0). Which term "
    "is longer?",
    choices={
        "the second, by as much as before": "The shift adds 0.1 × 10 to the second term and "
        "0.9 × 10 to the first.",
        "the first, and by a lot": "0.9 × 10.05 against 0.1 × 10.2: the order has turned round, "
        "though nothing happened but a new origin.",
        "neither, they are equally long": "The shift is the same for both values, and each weighs "
        "it by its own weight.",
        "the second, by more": "The shift is multiplied by the weight, and the second weight is a "
        "ninth of the first.",
    },
    right="the first, and by a lot",
    shown_by="9.045",
)

weightings_of_nine = Choices(
    question="Many weightings of the values 7, 8, 9 have the output 8. How many have the output 9?",
    choices={
        "as many as for 8": "To move weights without moving the output, one has to give 7 and 9 "
        "equal parts of what 8 loses.",
        "fewer, but many": "Any weight on 7 or 8 pulls the mean below 9, and nothing above 9 pulls "
        "it back.",
        "none, as 9 is an end": "A softmax without a mask never reaches it. But [0, 0, 1] is a "
        "weighting, and a mask makes it.",
        "one weighting only": "All the weight on 9. It is a corner of the hull.",
    },
    right="one weighting only",
    shown_by="room 0.00",
)

doubled_keys = Choices(
    question="Every key and its value is given twice. What happens to the output?",
    choices={
        "it becomes twice as large": "Twice as many terms are added, and each with half the "
        "weight: the weights still sum to 1.",
        "it becomes half as large": "Each weight is half as large, and there are twice as many of "
        "them.",
        "it stays exactly what it was": "Each weight is halved, and each value comes twice.",
        "it moves to the largest value": "Softmax favours the largest score, and all scores "
        "stay what they were.",
    },
    right="it stays exactly what it was",
    shown_by="the output is unchanged: True",
)

deleted_branch = Choices(
    question="In the article's chart, cut out the boxes attention weights, weighted sum and "
    "weighted data. What happens to the model's output?",
    choices={
        "it gets worse, with nothing to attend to": "It never attended. Follow the arrows that "
        "leave weighted data.",
        "it stays exactly the same as before": "No arrow leads from these boxes to the decoder or "
        "to the output.",
        "there is none, as no input arrives": "The decoder still gets the encoder states.",
        "it equals the encoder states": "The decoder is still there, between the two.",
    },
    right="it stays exactly the same as before",
    shown_by="is the output among them? False",
)
