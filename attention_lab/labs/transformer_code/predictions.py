"""Guesses of notebook 07."""

from attention_lab.grading.predict import Choices, Number

more_heads = Choices(
    question="A layer with d_model = 512 gets 64 heads in place of one, and d_k = d_v = 512 / h "
    "for both. How many parameters does it have then?",
    choices={
        "64 times as many: each head has its own matrices": "Each head has its own, and each of "
        "them is 64 times smaller: 8 columns in place of 512.",
        "as many as before: the heads share the features out": "64 heads with 8 features each make "
        "as many columns as one head with 512.",
        "fewer than before: the matrices are smaller": "They are 64 times smaller, and there are "
        "64 times as many of them.",
        "a little more: W_O is needed to mix the heads": "W_O is there with one head, too, and has "
        "the same size: h times d_v is 512 in both.",
    },
    right="as many as before: the heads share the features out",
    shown_by="1050624",
)

strongest_keys = Choices(
    question="A head has d_k = 1: each query and each key is one number, and there are 32 keys. A "
    "thousand queries come, drawn at random. How many of the 32 keys are the strongest key (that "
    "with the largest score) of at least one query?",
    choices={
        "all 32, each for some of the queries": "The score is query times key. For every positive "
        "query the largest product is with the largest key, whichever query it is.",
        "one, the same key for every query": "The largest key wins for every positive query. What "
        "happens if the query is negative?",
        "two, the largest key and the smallest key": "A positive query makes the largest key the "
        "strongest, a negative query the smallest. No key between them can ever win.",
        "about half, those on the side of the query": "About half of them have the same sign as "
        "the query. Among these, the one farthest from 0 has the largest product.",
    },
    right="two, the largest key and the smallest key",
    shown_by="strongest keys: 2 of 32",
)

one_view = Choices(
    question="Three tokens have four features each: 0 to 3, 4 to 7, 8 to 11. Two heads are to get "
    "two features each. `features.view(2, 3, 2)` has the right shape: heads, tokens, features. "
    "What does head 0 hold?",
    choices={
        "0 1, 4 5, 8 9: two features of each token": "This is what head 0 should hold. But `view` "
        "moves no number: it cuts the row 0, 1, 2, ... into pieces, in the order in which it lies "
        "in memory.",
        "nothing: PyTorch raises an error": "3 times 4 numbers fit into 2 times 3 times 2. An "
        "error comes only if the count is wrong.",
        "0 2, 4 6, 8 10: every other feature": "`view` skips nothing: neighbours in memory stay "
        "neighbours.",
        "0 1, 2 3, 4 5: token 0, and half of token 1": "`view` cuts the numbers in the order in "
        "which they lie in memory, and the first six belong to tokens 0 and 1.",
    },
    right="0 1, 2 3, 4 5: token 0, and half of token 1",
    shown_by="[[0, 1], [2, 3], [4, 5]]",
)

vector_of_the_value = Choices(
    question="Exercise 4.5 found it for one head: the vector that the map to the key adds (`bias` "
    "in `nn.Linear`) does not move the output. Now the map to the value, with four heads and W_O: "
    "random numbers are added to its vector. How do the outputs of the tokens move?",
    choices={
        "not at all, as with the key": "The vector of the key falls away in the softmax. That of "
        "the value comes in behind it, and is weighed like every value.",
        "by the same vector at every token": "The weights of a head sum to 1, so it adds its part "
        "of the vector to each output, and W_O makes one vector of the four parts.",
        "by another vector at each token": "Each query has weights of its own. But a mean of "
        "vectors that all are b is b, whatever the weights.",
        "in 4 of 16 features, one for each head": "Each head does bring four features of its own. "
        "W_O adds them up into all sixteen.",
    },
    right="by the same vector at every token",
    shown_by="same vector at every token",
)

without_w_out = Choices(
    question="Each output should be a difference: the numbers of this day minus the numbers of the "
    "day before. A layer has two heads, whose weights depend on the positions only, and no W_O: "
    "the first half of the output is head 0, the second half is head 1. It is trained until "
    "nothing improves. Which share of the variance of the difference can it explain at best?",
    choices={
        "all of it: one head takes this day, one the day before": "They can. But no feature of the "
        "output sees both of them: each belongs to one head.",
        "three quarters of it": "That would take a little of the other day with the other sign. "
        "Weights of a head are never negative, and its values share one sign.",
        "half of it": "A feature sees one head, and the weights of a head are never negative: it "
        "can give +this day or -the day before, not both.",
        "none of it": "A head that copies this day already knows something: the difference moves "
        "with it.",
    },
    right="half of it",
    shown_by="about half",
)

passes_by_hand = Choices(
    question="A test works out the weights of one query by hand: the last one, which sees every "
    "key. Which of these four faults passes it?",
    choices={
        "softmax over the queries": "Then a weight is divided by the sum of its column, and the "
        "row by hand is divided by the sum of the row.",
        "no scale": "Without it every score of the row is √d_k times as large, and the weights are "
        "sharper.",
        "mask after the softmax": "The last query sees every key, so the mask sets none of its "
        "weights to 0. The fault shows in every other row.",
        "heads split by one reshape": "Then head 0 holds parts of other tokens, so its queries and "
        "keys are others.",
    },
    right="mask after the softmax",
    shown_by="mask after the softmax       fails sum 1, no leak",
)

first_error = Choices(
    question="The draft is run as the article runs its own: a 3 × 3 tensor of whole numbers goes "
    "in, and d_model is 10. What does PyTorch complain about first?",
    choices={
        "the kind of the numbers": "The first line is a linear map, and PyTorch compares the "
        "dtypes before the shapes.",
        "nothing: it prints a 3 × 3 tensor": "The first line multiplies whole numbers by the "
        "decimal parameters of a linear map.",
        "the length of the last axis": "It is 3, and should be 10: a fault, but PyTorch compares "
        "another thing first.",
        "the number of axes": "`nn.Linear` takes any number of axes: only the last one counts for "
        "it.",
    },
    right="the kind of the numbers",
    shown_by="Long and Float",
)

rows_that_come_out = Number(
    question="The two axes of the draft are repaired, and nothing else. Three tokens go in, with "
    "d_model = 10; there are two heads, and d_v = 10. The last line is "
    "`reshape(len(x), -1, d_model)`. How many tokens come out?",
    right=6,
    within=0.4,
    because="Three tokens times two heads times ten features are 60 numbers for each sentence, and "
    "rows of 10 make 6 of them. Each token became two.",
    low="Count the numbers that are there: tokens times heads times d_v, for each sentence. Then "
    "cut them into rows of d_model.",
    high="Count the numbers of one sentence only, and cut them into rows of d_model, not of one "
    "feature.",
    mistakes={
        3: "That is what should come out. But -1 asks for as many rows as the numbers give, and "
        "two heads with 10 features each give 20 for each token.",
        2: "That is the number of rows that each token gives. There are three tokens.",
    },
    shown_by="3 tokens in, 6 out",
)

printed_ones = Choices(
    question="The article shows what its program printed for its encoder and for its decoder: both "
    "times a 3 × 3 tensor of 1.0000e+00. Could a right, untrained encoder and decoder print that "
    "for three sentences of three tokens, with d_model = 10?",
    choices={
        "the shape, and the numbers as well": "The weights of a query sum to 1, but what is "
        "printed is the output: a mean of values, and these are made by random matrices.",
        "the numbers, but not the shape": "The shape is wrong, indeed: there is no axis of "
        "features. But look also at the numbers: random parameters, and all of them equal?",
        "the shape, but not the numbers": "The numbers are impossible, indeed. But where is the "
        "axis of the ten features?",
        "neither the shape nor the numbers": "An axis of d_model features is missing, and "
        "random matrices do not give nine equal numbers, twice.",
    },
    right="neither the shape nor the numbers",
    shown_by="(3, 3, 10)",
)
