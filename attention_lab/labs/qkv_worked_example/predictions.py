"""Guesses of notebook 03."""

from attention_lab.grading.predict import Choices, Number

word_for_sofa = Choices(
    question="The query of `sofa` is [0, 4, 0, 4]. To which word does `sofa` give most of its "
    "weight?",
    choices={
        "to “soft”, which is said of it": "Its key is [0, 0, 0, 1], and the score is 4. Two other "
        "words reach 4 as well.",
        "to “sleeps”, the only action": "Its key is [0, 1, 1, 0], and the score is 4. Two other "
        "words reach 4 as well.",
        "to “sofa”, that is, to itself": "Its key is [1, 0, 0, 1], and the score is 4. Two other "
        "words reach 4 as well.",
        "to all three of these alike": "Each of the three keys has one of the two features that "
        "`sofa` asks for, and no key has both: three scores of 4.",
    },
    right="to all three of these alike",
    shown_by="0.294",
)

word_of_zeros = Choices(
    question="All features of `on` are 0, so its query is [0, 0, 0, 0]. What are its six weights?",
    choices={
        "all 0: it asks for nothing, so it gets nothing": "The scores are all 0, but the softmax "
        "makes e⁰ = 1 of each. The weights of a query always add up to 1.",
        "1 on itself and 0 elsewhere": "For that, `on` would need a high score with itself, and "
        "that score is 0, like the five others.",
        "1/6 each: it cannot tell the words apart": "Six equal scores give six equal weights, "
        "whatever the score is.",
        "nan: there is no softmax of zeros": "A softmax divides by the sum of the exponentials, "
        "and e⁰ = 1: the sum is 6, not 0.",
    },
    right="1/6 each: it cannot tell the words apart",
    shown_by="0.167",
)

every_key_hidden = Choices(
    question="Every key is hidden from one query: its scores are all −∞. What does "
    "`scores.softmax(dim=-1)` make of this row?",
    choices={
        "zeros: e to the power of −∞ is 0": "The explorer shows zeros because the package puts "
        "them in. The exponentials are 0 and so is their sum: softmax divides one by the other.",
        "equal weights: the scores are equal": "That holds for equal numbers. Equal scores cancel "
        "when one is subtracted from another, and −∞ − (−∞) is no number.",
        "nan: it is divided by a sum of 0": "Each exponential is 0 as well, and 0 / 0 is no "
        "number. One nan in the weights makes the whole output of this query nan.",
        "an error: such a row is refused": "PyTorch raises nothing: the nan goes on silently, "
        "into the output and into the gradients.",
    },
    right="nan: it is divided by a sum of 0",
    shown_by="nan",
)

one_matrix_for_cat = Choices(
    question="Now queries and keys both come from W_K. To which word does `cat`, with the query "
    "[1, 0, 1, 0], give most of its weight?",
    choices={
        "to “sleeps”, as before": "The wish for an action stood in the row of W_Q for nouns. "
        "With W_K a noun looks for what it is: a noun.",
        "to “sofa”, the other noun": "`sofa` shares one feature with `cat`. One word shares both.",
        "to “tired”, which looks for a cat": "The score of this pair is 1: `tired` has one of the "
        "two features that `cat` asks for. One word has both.",
        "to “cat”, that is, to itself": "Query and key are the same vector, so the score is the "
        "sum of its squares, 2. Nothing else here has both features.",
    },
    right="to “cat”, that is, to itself",
    shown_by="0.281",
)

shape_of_two_sequences = Choices(
    question="Two words of an answer ask the six words of our sentence. What is the shape of the "
    "weights?",
    choices={
        "(2, 6)": "A row for each query and a column for each key: two words ask, six can be "
        "found.",
        "(6, 2)": "Rows are queries. The two words that ask have a row each.",
        "(6, 6)": "That is the shape when the sentence asks itself. Here only two words ask.",
        "(2, 2)": "That would be the two words among themselves. Their keys are those of the "
        "sentence, which has six words.",
    },
    right="(2, 6)",
    shown_by="(2, 6)",
)

ten_times_the_query = Choices(
    question="The article gets the score 32, the weight 1 and the output [7, 8, 9]. Make every "
    "number of Q ten times as large. What becomes of the weight and of the output?",
    choices={
        "they become 10 and [70, 80, 90]": "The score is ten times as large. A "
        "weight is a share, and no share exceeds 1.",
        "they stay 1 and [7, 8, 9] as before": "There is one key. It gets everything, whatever "
        "its score is.",
        "the weight rises, the output stays": "It is exactly 1 already. A weight can come "
        "nearer to 1 only if another key has something to lose.",
        "the three features get other weights": "There is only one weight here, and it belongs to "
        "the whole value: its three features share it.",
    },
    right="they stay 1 and [7, 8, 9] as before",
    shown_by="score 320",
)

first_of_three = Number(
    question="One feature each: the query is 1, the keys are 4, 5 and 6, and their values 7, 8 "
    "and 9. What is the output?",
    right=8.575,
    within=0.05,
    because="The weights are the softmax of 4, 5 and 6: 0.090, 0.245 and 0.665. Their mean of 7, 8 "
    "and 9 lies well above 8, and below 9.",
    low="Each key that is larger by 1 gets e = 2.718 times the weight, so the 9 counts for about "
    "two thirds.",
    high="The smaller keys keep a third of the weight together. The output is a mean of 7, 8 and "
    "9.",
    mistakes={
        8.0: "That is the output of equal weights. The scores are 4, 5 and 6, which are not equal.",
        8.133: "That divides each score by their sum, 15. A softmax takes the exponentials first.",
        9.0: "That is the value of the largest score alone. A softmax leaves something to the "
        "others: a third here.",
        24.0: "That is the sum of the values. The weights add up to 1, so the output is a mean.",
    },
    shown_by="8.575",
)

queries_for_keys = Choices(
    question="Exchange the roles: 4, 5, 6 ask, and 1, 2, 3 are the keys. The products are the "
    "same nine numbers. What becomes of the outputs?",
    choices={
        "the same three: q · k = k · q": "The nine scores are the same, but they stand in other "
        "rows now, and the softmax shares out each row.",
        "the same three, in another order": "That would be so if rows and columns were treated "
        "alike. Rows sum to 1, columns do not.",
        "all three come nearer to 9": "The steps between the keys are still 1, and the queries "
        "are larger: 4, 5 and 6 make the rows sharper than 1, 2 and 3 did.",
        "all three come nearer to 8": "That would need flatter rows. The numbers that ask are "
        "larger now, so that the scores of a row lie further apart.",
    },
    right="all three come nearer to 9",
    shown_by="8.998",
)

faults_by_shape = Choices(
    question="Four faulty derivations: one dot product for each token (a vector of scores), a "
    "row times a column (one score), no scale, and every value times the whole matrix of weights. "
    "Q is (2, 4), K is (3, 4), V is (3, 5). How many of the four does a check of the shapes find?",
    choices={
        "all four: each gives another result": "Another result can have the same shape. "
        "Which of the four multiplies a matrix by one number?",
        "three: all but the one with no scale": "Dividing a matrix by a number leaves its shape as "
        "it is, so leaving out the division does, too.",
        "two: the vector and the single score": "With these sizes the sum is found as well: the "
        "weights are (2, 3) and a value has 5 features.",
        "none: the matrix product always fits": "It fits only if the inner sizes agree. A "
        "row times a column needs as many numbers in both, and Q has 8 where K has 12.",
    },
    right="three: all but the one with no scale",
    shown_by="found by its shape: 3 of 4",
)
