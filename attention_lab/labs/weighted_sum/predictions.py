"""Guesses of notebook 02."""

from attention_lab.grading.predict import Choices

twice_the_words = Choices(
    question="A sentence gets twice as long: twice as many queries, keys and values. How many "
    "times as many multiplications do the scores and the weighted sums need together?",
    choices={
        "2 times: twice the words, twice the work": "Each word costs twice as much as well, since "
        "it meets twice as many keys.",
        "4 times": "Scores and weights belong to pairs, and there are four times as many pairs.",
        "8 times: queries, keys and values each double": "Keys and values double together: each "
        "pair of a query and a key has one score and one weight.",
        "as many as before: a matrix product is one step": "One line of code, and a multiplication "
        "for each number of each pair.",
    },
    right="4 times",
    shown_by="ratio 4",
)

corner_of_the_box = Choices(
    question="Three values: (0, 0), (1, 0) and (0, 1). Can attention give the output (0.9, 0.9)?",
    choices={
        "yes: each feature lies between 0 and 1, as those of the values do": "Each feature alone "
        "could be 0.9. Both at once would need 0.9 of the second value and 0.9 of the third.",
        "yes, with two weights of 0.9": "They would sum to 1.8 without the first weight, and "
        "weights sum to 1.",
        "only for one certain query": "No query helps: whatever the weights are, this point is "
        "none of their means.",
        "no": "The weights would have to be 0.9 and 0.9, and −0.8 for the first value. No softmax "
        "gives that.",
    },
    right="no",
    shown_by="[-0.8, 0.9, 0.9]",
)

mix_first = Choices(
    question="Values are inputs times W_V. Somebody mixes the inputs with the weights first, and "
    "multiplies the mix by W_V afterwards. How does the output differ?",
    choices={
        "it does not": "A product of three matrices can be bracketed either way: (W X) W_V = "
        "W (X W_V).",
        "its shape is wrong": "The mix has 5 features, as an input has, and W_V takes it to 2.",
        "the tokens are blurred before W_V sees them": "Blurred they are. But W_V is a linear map, "
        "and the map of a mean is the mean of the maps.",
        "it is larger, since weights sum to 1 only at the end": "They sum to 1 in both orders; the "
        "same weights are used once.",
    },
    right="it does not",
    shown_by="mixed before or after: largest difference ≈0",
)

hidden_favourite = Choices(
    question="Value v0 = (2, 1) has the weight 0.8. Values v1 = (0, 0) and v2 = (4, 2) have 0.1 "
    "each. The key of v0 is hidden, and the other two share its weight. How far does the output "
    "move?",
    choices={
        "by 0.8 of its length": "A share is no distance. What the others make without it is the "
        "question.",
        "far: it had most of the weight": "The two others alone give (0 + 4) / 2 and (0 + 2) / 2.",
        "not at all": "Without v0 the output is the mean of v1 and v2, and that is (2, 1) too.",
        "a little, by 0.1": "v1 and v2 get 0.5 each. Their mean is (2, 1).",
    },
    right="not at all",
    shown_by="without v0: the output moves by 0.000",
)

moved_origin = Choices(
    question="Weights 0.9 and 0.1, values (0.05, 0) and (0, 2): the terms have the lengths 0.045 "
    "and 0.200. Now (10, 0) is added to both values. The output moves along by (10, 0). Which term "
    "is longer?",
    choices={
        "still the second, by as much as before": "The shift adds 0.1 × 10 to the second term and "
        "0.9 × 10 to the first.",
        "the first": "0.9 × 10.05 against 0.1 × 10.2: the order has turned round, though nothing "
        "happened but a new origin.",
        "both are equally long": "The shift is the same for both values, and each weighs it by its "
        "own weight.",
        "the second, and by more": "The shift is multiplied by the weight, and the second weight "
        "is a ninth of the first.",
    },
    right="the first",
    shown_by="9.045",
)

weightings_of_nine = Choices(
    question="Many weightings of the values 7, 8, 9 have the output 8. How many have the output 9?",
    choices={
        "as many as for 8": "To move weights without moving the output, one has to give 7 and 9 "
        "equal parts of what 8 loses.",
        "a few": "Any weight on 7 or 8 pulls the mean below 9, and nothing above 9 pulls it back.",
        "none: softmax never reaches a value exactly": "True of softmax without a mask. But "
        "[0, 0, 1] is a weighting, and a mask makes it.",
        "one": "All the weight on 9. It is a corner of the hull.",
    },
    right="one",
    shown_by="room 0.00",
)

doubled_keys = Choices(
    question="Every key and its value is given twice. What happens to the output?",
    choices={
        "it doubles: twice as many terms are added": "Twice as many, and each with half the "
        "weight: the weights still sum to 1.",
        "it is halved: each weight is half as large": "Half as large, and twice as many of them.",
        "nothing": "Each weight is halved, and each value comes twice.",
        "it moves towards the largest value": "Softmax favours the largest score, and all scores "
        "stay what they were.",
    },
    right="nothing",
    shown_by="the output is unchanged: True",
)

deleted_branch = Choices(
    question="In the article's chart, cut out the boxes attention weights, weighted sum and "
    "weighted data. What happens to the model's output?",
    choices={
        "it gets worse: it can no longer attend": "It never could. Follow the arrows that leave "
        "weighted data.",
        "nothing": "No arrow leads from these boxes to the decoder or to the output.",
        "there is none: the decoder has no input": "The decoder still gets the encoder states.",
        "it equals the encoder states": "The decoder is still there, between the two.",
    },
    right="nothing",
    shown_by="is the output among them? False",
)
