"""Guesses of notebook 04."""

from attention_lab.grading.predict import Choices, Number

largest_without_scale = Number(
    question="A query and ten keys of 64 random features, and no scale: their scores have a "
    "standard deviation of 8. How large is the largest of the ten weights, on average?",
    right=0.866,
    within=0.06,
    because="The best of ten scores leads the second by several points on average, and each point "
    "multiplies a weight by e. So one key takes nearly everything.",
    low="Scores of ±8 differ by several points. A lead of 3 makes a weight 20 times as large, a "
    "lead of 8 makes it 2981 times as large.",
    high="For some queries the two best scores lie close together, and share the weight.",
    mistakes={
        0.1: "These are the weights if all scores are equal.",
        0.32: "This is about right for a standard deviation of 1. Softmax sees differences, and "
        "here they are eight times as large.",
    },
    shown_by="0.866",
)

divided_by_d_k = Choices(
    question="Now divide by d_k itself, not by its root. What does the softmax make of ten scores "
    "at d_k = 1024?",
    choices={
        "one key has nearly all the weight": "Larger divisors make the differences smaller, and a "
        "softmax of small differences is flat.",
        "nearly the same weight for each key": "The standard deviation of the scores is √d_k, so "
        "after the division it is 1/√d_k = 1/32. A lead of 1/32 makes a weight 3 % larger.",
        "about the same as with the root": "With the root the standard deviation is 1 at every "
        "d_k. With d_k it is 1/√d_k, and falls as d_k grows.",
    },
    right="nearly the same weight for each key",
    shown_by="0.105",
)

additive_without_scale = Choices(
    question="Additive attention scores a pair by v · tanh(W q + U k), where W q + U k has as many "
    "features as q (v, W and U are u, A and B of notebook 01). Nothing is divided. What happens to "
    "the largest of ten weights from 64 to 1024 features, before any training?",
    choices={
        "it stays about the same": "Each feature lies within ±1 after tanh, and nn.Linear draws "
        "v in the size of 1/√d. So the scores keep their size: this formula needs no scale.",
        "it grows, as with the dot product": "The sum has more terms, but tanh keeps each feature "
        "within ±1, and v begins with numbers of the size 1/√d: their sum does not grow.",
        "it falls towards 0.1": "That needs scores that shrink. More features mean more terms, "
        "each smaller by the root of their number: the two effects cancel.",
    },
    right="it stays about the same",
    shown_by="0.141",
)

jacobian_peak = Choices(
    question="One of ten keys has the weight w, the other nine share the rest equally. At which w "
    "do the weights answer most strongly to a change of the scores?",
    choices={
        "w = 0.1, where all are equal": "Equal weights answer less strongly: each diagonal entry "
        "is w (1 − w) = 0.09, and this product is largest at ½.",
        "w = 0.5": "w (1 − w), the answer of the leading key, is largest at ½. The size of the "
        "whole Jacobian is largest a little lower, at 0.4, and of these three at 0.5 as well.",
        "w = 0.9": "w (1 − w) = 0.09 there: the key has nearly everything, and little is left to "
        "move.",
    },
    right="w = 0.5",
    shown_by="0.319",
)

first_gradient = Choices(
    question="The same two matrices, the same data, before the first step. How long is the "
    "gradient of W_Q without the scale, compared with the scaled model?",
    choices={
        "much shorter: the softmax is saturated": "The Jacobian of the softmax is smaller. But "
        "the scores depend on W_Q √d_k times as strongly, and this outweighs it.",
        "several times longer": "The Jacobian is smaller, but the scores depend on W_Q √d_k times "
        "as strongly, and the loss begins higher.",
        "about as long: two effects cancel": "There are two effects, and they do not cancel: at "
        "d = 64 the Jacobian falls to about a half and the factor is 8, at 256 a quarter and 16.",
    },
    right="several times longer",
    shown_by="above 4 at both d",
)

best_rate_without_scale = Choices(
    question="Of the learning rates 0.1, 0.3, 1, 3 and 10, the scaled model does best at 3. Which "
    "is best without the scale, at d = 64?",
    choices={
        "a smaller one, by a factor of about ten": "Ten times 0.3 is 3. The rule further down "
        "says why: with matrices as small as it asks for, the rate would be 3 / √d_k = 3/8.",
        "a larger one, for its gradients vanish": "Its gradients were the longer ones at the first "
        "step. A larger rate makes larger steps still.",
        "the same: the best rate belongs to the task": "The task is the same, and the gradients "
        "are not: where they are longer, the same rate makes longer steps.",
    },
    right="a smaller one, by a factor of about ten",
    shown_by="not scaled: best at 0.3",
)

rate_for_smaller_start = Choices(
    question="Leave out the scale, but begin with both matrices d^(1/4) times smaller. The first "
    "scores are the same. With which learning rate do all later ones stay the same, if the scaled "
    "model has the rate r (SGD)?",
    choices={
        "r, since the scores are the same": "The matrices are d^(1/4) times smaller and their "
        "gradients d^(1/4) times larger. Steps of rate r are too long, twice over.",
        "r / d^(1/4), as small as the matrices": "That makes up for the smaller matrices. The "
        "gradients are larger by the same factor, and that has to be made up for as well.",
        "r / √d": "The gradient is d^(1/4) times larger, and a step has to be d^(1/4) times "
        "smaller: together a factor of √d.",
    },
    right="r / √d",
    shown_by="equal to the last bit",
)

three_below_zero = Choices(
    question="A query that fits nothing: its three scores are −2, −3.5 and −1.5. Which of the four "
    "normalisers still hand out a total weight of 1?",
    choices={
        "softmax and sparsemax": "Their weights sum to 1 by definition, whatever the scores are. "
        "The other two may give less.",
        "all four: weights sum to 1": "That holds for softmax and sparsemax only. Sigmoid looks at "
        "each score alone, and softmax-plus-one keeps a part back.",
        "only softmax": "Sparsemax chooses its t so that the weights sum to 1, too.",
        "none: all scores are below 0": "Softmax and sparsemax see differences of scores only. "
        "Adding 5 to all three changes nothing for them.",
    },
    right="softmax and sparsemax",
    shown_by="0.331",
)

fading_lead = Choices(
    question="One key leads all others by 2, and they are equal. Of 10 keys it has the weight "
    "0.451. What has it of 1000?",
    choices={
        "about the same: its lead is the same": "The lead over each other key is the same, but "
        "there are 999 others, and each adds to the sum below the fraction.",
        "less than 0.01": "e² / (e² + 999): with this lead each other key weighs 1/7.4 as much, "
        "and there are 999 of them.",
        "about 0.05": "The sum below the fraction grows with the number of keys, which is 100 "
        "times as large, not 10 times.",
    },
    right="less than 0.01",
    shown_by="0.0073",
)

sum_in_half = Choices(
    question="A softmax written out naively, in float16, whose largest number is 65504. Ten keys "
    "all have the score 9, and e⁹ is about 8100. Which weights come out?",
    choices={
        "0.1 for each of the ten keys": "On paper. But ten times 8100 is above 65504, so the sum "
        "of the exponentials is inf.",
        "nan for each of the ten keys": "nan comes from inf / inf. Here each exponential is "
        "finite, and only their sum is inf.",
        "0 for each of the ten keys": "Each exponential is finite and their sum is inf: 8100 / inf "
        "is 0, without any sign of an error.",
    },
    right="0 for each of the ten keys",
    shown_by="each weight 0.000",
)
