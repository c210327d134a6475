"""Guesses of notebook 01."""

from attention_lab.grading.predict import Choices, Number

sweet_above_all = Choices(
    question="A wish that is sweet above all, and a little crunchy: [3, 1]. Which key gets its "
    "largest score?",
    choices={
        "honey, the sweetest of the three": "Its 2 counts three times, and its −2 once: 6 − 2 = 4. "
        "The apple has 3 + 1.",
        "apple, which is sweet and crunchy": "3 + 1 = 4 is what it gets. Honey has 6 − 2.",
        "honey and apple, with equal scores": "Honey gets 3 · 2 − 2, the apple 3 · 1 + 1, and both "
        "are 4. What is not crunchy costs the honey as much as its sweetness wins.",
        "cracker, the crunchiest of the three": "Its −1 counts three times, and its 2 once: −1.",
    },
    right="honey and apple, with equal scores",
    shown_by="[4.0, 4.0, -1.0]",
)

twice_the_honey = Choices(
    question="A thicker honey has the key [4, −4]: the direction of [2, −2] and twice its length. "
    "What happens to the two scores 2 (sweet) and −2 (crunchy)?",
    choices={
        "both rise by 2, to 4 and to 0": "The length is a factor and nothing that is added: twice "
        "−2 is less than −2.",
        "both stay, as the direction does": "That would be the cosine. The dot product also has "
        "the two lengths as factors.",
        "sweet rises to 4, and crunchy stays at −2": "Every score of this key is multiplied by 2. "
        "One of 0 would stay; −2 does not.",
        "sweet rises to 4, crunchy falls to −4": "The length is a factor of every score, and the "
        "cosine keeps its sign.",
    },
    right="sweet rises to 4, crunchy falls to −4",
    shown_by="-4.0",
)

share_of_three = Number(
    question="The scores of three keys are 1, 2 and 3. Softmax raises e = 2.718 to each score and "
    "divides by the sum of the three. Which share does the key with the score 3 get?",
    right=0.665,
    within=0.03,
    because="e³ is about 20, of a total of about 30.",
    low="Each step of 1 in the score multiplies the share by 2.718: the three shares are as "
    "1 : 2.718 : 7.389.",
    high="The two others still get e¹ + e², which is about 10 of a total of 30.",
    mistakes={
        0.5: "That is 3 of 6: the scores themselves, divided by their sum. Softmax divides "
        "exponentials (and a sum of scores may be 0 or negative).",
        0.333: "That would be so if all three scores were equal.",
        1.0: "Softmax is no election: the largest score does not take all.",
    },
    shown_by="0.665",
)

ten_more = Choices(
    question="All three scores get 10 more: 11, 12 and 13. What do the weights do?",
    choices={
        "they move closer to each other": "In proportion 11, 12 and 13 are nearly equal. Softmax "
        "asks for the differences, which are still 1.",
        "the largest grows, the others shrink": "All three exponentials grow by the same factor, "
        "and the sum with them.",
        "they stay exactly what they were": "The factor e¹⁰ is in every exponential and in the "
        "sum, and cancels.",
        "all three of them grow a little": "Three numbers whose sum stays 1 cannot all grow.",
    },
    right="they stay exactly what they were",
    shown_by="largest change of a weight: ≈0",
)

only_exp = Choices(
    question="exp gives 11, 12, 13 the same weights as 1, 2, 3. Put another function in its place, "
    "and divide by the sum again. Which one gives the same weights too?",
    choices={
        "softplus, which is smooth": "It is smooth, positive and rising, as exp is. But for large "
        "scores it is nearly the score itself, and 11, 12, 13 are nearly equal.",
        "ReLU, which is a straight line": "A line keeps differences. Shares are ratios, and the "
        "ratios of 11, 12, 13 are not those of 1, 2, 3.",
        "none of the three functions": "To move all scores by 10 must multiply all the numbers by "
        "one factor, and only an exponential does that.",
        "the square, which grows fast": "It stretches large scores, as exp does, and 169 : 121 is "
        "still far from 9 : 1.",
    },
    right="none of the three functions",
    shown_by="unchanged: exp",
)

thousand = Choices(
    question="The scores 1000 and 1001 also differ by 1. What does PyTorch give for the formula, "
    "written down as above, in float32?",
    choices={
        "the weights 0.269 and 0.731": "So the mathematics says, as for 0 and 1. But the computer "
        "has to hold e¹⁰⁰⁰ on the way there.",
        "nan twice, which is no number": "e¹⁰⁰⁰ is too large for a float32: it becomes inf, and "
        "inf / inf is not a number.",
        "the weights 0.000 and 1.000": "The gap is 1, and a gap of 1 is a factor of 2.718.",
        "no weights but an error message": "That would be kind. Floating point numbers go on with "
        "inf, and nothing is raised.",
    },
    right="nan twice, which is no number",
    shown_by="[nan, nan]",
)

dropped_keepdim = Choices(
    question="Two wishes and three foods: without keepdim=True PyTorch complains. Now there are "
    "three wishes and three foods, and keepdim=True is forgotten. What happens?",
    choices={
        "PyTorch complains as it did before": "It complains where the shapes do not fit. A list of "
        "3 fits a (3, 3) matrix: it is taken for a row.",
        "the right weights come out": "The sum of row j would have to divide row j. A list of 3 is "
        "laid along the columns, and divides column j.",
        "wrong numbers come out, silently": "The three sums are taken for a row: column j is "
        "divided by the sum of row j.",
        "the columns sum to 1, not the rows": "For that, column j would be divided by its own sum. "
        "It is divided by the sum of row j.",
    },
    right="wrong numbers come out, silently",
    shown_by="1.048",
)

gap_of_five = Choices(
    question="One key scores 5 more than each of seven others. How much weight do the seven get "
    "together?",
    choices={
        "nothing at all": "5 ahead is a lot. But no exponential is 0, so no weight is 0.",
        "about 0.7 %": "e⁻⁵ = 0.007 is what one of them has against the first. There are seven of "
        "them.",
        "about 4.5 %": "Seven times e⁻⁵ = 0.0067, of a total that is a little above 1.",
        "about 30 %": "That needs a gap near 2.8. Each step of 1 in the gap divides what "
        "one of them has, beside the first, by 2.718.",
    },
    right="about 4.5 %",
    shown_by="4.504e-02",
)

additive_per_pair = Choices(
    question="All sizes are 64. The dot product needs 64 multiplications for each pair of a query "
    "and a key. And the additive score, for each pair, when all queries and keys have been "
    "multiplied by A and B once?",
    choices={
        "8256, one for each learned number": "The matrices A and B meet each query and each key "
        "once, and not each pair.",
        "4096, for the product with a matrix": "That is the price of A for one query. It is paid "
        "once, and serves all of that query's pairs.",
        "none, it only adds numbers": "The sum goes through tanh, and then u weighs its 64 "
        "numbers.",
        "64 as well, and 64 times tanh": "The pair itself costs u · tanh(…): 64 products, and "
        "64 values of tanh before them.",
    },
    right="64 as well, and 64 times tanh",
    shown_by="per pair: 64 multiplications and 64 tanh",
)

curved_values = Choices(
    question="The keys are 0, 1, 2, 3, 4 and their values the squares 0, 1, 4, 9, 16. The query is "
    "2, and near keys count more, to the left and to the right alike. What is the output?",
    choices={
        "exactly 4, the value of key 2": "Key 2 has the largest weight and not all of it. "
        "Its neighbours are mixed in.",
        "less than 4, and more than 0": "To the left and right alike: 1 pulls by 3 "
        "downwards, and 9 by 5 upwards.",
        "more than 4, and less than 6": "1 and 9 have equal weights, and their mean is 5. For 0 "
        "and 16 it is 8. Key 2 itself holds the output near 4.",
        "exactly 6, the mean of all five": "That would be so with equal weights. Near keys count "
        "more.",
    },
    right="more than 4, and less than 6",
    shown_by="4.9243",
)
