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
    question="Additive attention scores a pair by u · tanh(A q + B k), where A q + B k has as many "
    "features as q. Nothing is divided. A, B and u begin as nn.Linear draws them. What happens to "
    "the largest of ten weights from 64 to 1024 features, before any training?",
    choices={
        "it grows and comes near to 1": "The sum has more terms, but tanh keeps each feature "
        "within ±1, and u begins with numbers of the size 1/√d: their sum does not grow.",
        "it stays about the same": "Each feature lies within ±1 after tanh, and nn.Linear draws "
        "u in the size of 1/√d. So the scores keep their size: the scale is in the start of u.",
        "it falls towards 0.1": "That needs scores that shrink. More features mean more terms, "
        "each smaller by the root of their number: the two effects cancel.",
    },
    right="it stays about the same",
    shown_by="0.141",
)

jacobian_peak = Choices(
    question="One of ten keys has the weight w, the other nine share the rest equally. At which of "
    "these four w is the size of the Jacobian largest?",
    choices={
        "w = 0.1": "There all ten are equal. Each entry of the diagonal is w (1 − w) = 0.09; a key "
        "that leads adds more than that.",
        "w = 0.4": "The leading key's own entry w (1 − w) is largest at 0.5. But the other nine "
        "have entries, too, which fall as w grows: together the peak is at 0.4.",
        "w = 0.5": "That is where the leading key's own entry, w (1 − w), is largest. The entries "
        "of the other nine are in the size as well, and they fall as w grows.",
        "w = 0.9": "w (1 − w) = 0.09 there: the key has nearly everything, and little is left to "
        "move.",
    },
    right="w = 0.4",
    shown_by="0.327",
)

first_gradient = Choices(
    question="The same two matrices, the same data, before the first step. How long is the "
    "gradient of W_Q without the scale, compared with the scaled model?",
    choices={
        "several times shorter": "The Jacobian of the softmax is smaller. But "
        "the scores depend on W_Q √d_k times as strongly, and this outweighs it.",
        "several times longer": "The Jacobian is smaller, but the scores depend on W_Q √d_k times "
        "as strongly, and the loss begins higher.",
        "about equally long": "There are two effects, and they do not cancel: at "
        "d = 64 the Jacobian falls to about a half and the factor is 8, at 256 a quarter and 16.",
    },
    right="several times longer",
    shown_by="above 4 at both d",
)

best_rate_without_scale = Choices(
    question="Of the learning rates 0.1, 0.3, 1, 3 and 10, the scaled model does best at 3. Which "
    "is best without the scale, at d = 64?",
    choices={
        "0.3": "Its gradients are longer, so at the same rate its steps are, too. How much smaller "
        "the rate has to be is the next question.",
        "1": "Smaller than 3 is right, and 1 is not small enough: the steps are still too long.",
        "3": "The task is the same, and the gradients are not: where they are longer, the same "
        "rate makes longer steps.",
        "10": "Its gradients were the longer ones at the first step. A larger rate makes larger "
        "steps still.",
    },
    right="0.3",
    shown_by="not scaled: best at 0.3",
)

rate_for_smaller_start = Choices(
    question="Leave out the scale, but begin with both matrices d^(1/4) times smaller. The first "
    "scores are the same. With which learning rate do all later ones stay the same, if the scaled "
    "model has the rate r (SGD)?",
    choices={
        "r": "The scores are the same. But the matrices are d^(1/4) times smaller and their "
        "gradients d^(1/4) times larger: steps of rate r are too long, twice over.",
        "r / d^(1/4)": "That makes up for the smaller matrices. The "
        "gradients are larger by the same factor, and that has to be made up for as well.",
        "r / √d": "The gradient is d^(1/4) times larger, and a step has to be d^(1/4) times "
        "smaller: together a factor of √d.",
        "r · √d": "The gradients are not smaller but larger, by d^(1/4). Longer steps still would "
        "be the wrong way.",
    },
    right="r / √d",
    shown_by="equal to the last bit",
)

three_below_zero = Choices(
    question="A query that fits nothing: its three scores are −2, −3.5 and −1.5. How much weight "
    "does softmax-plus-one hand out in all?",
    choices={
        "exactly 1.0": "So softmax does, whatever the scores are. Here a 1 is added below the "
        "fraction bar, and nobody gets its share.",
        "from 0.5 to 0.9": "That needs exponentials whose sum is above 1. Here they are 0.14, 0.03 "
        "and 0.22.",
        "from 0.1 to 0.4": "The three exponentials, 0.14, 0.03 and 0.22, sum to 0.39, and "
        "0.39 / 1.39 is handed out.",
        "less than 0.05": "That needs scores further below 0. e⁻² is 0.14 and e⁻¹·⁵ is 0.22.",
    },
    right="from 0.1 to 0.4",
    shown_by="sum 0.280",
)

fading_lead = Choices(
    question="One key leads all others by 2, and they are equal. Of 10 keys it has the weight "
    "0.451. What has it of 1000?",
    choices={
        "about 0.451": "The lead over each other key is the same, but "
        "there are 999 others, and each adds to the sum below the fraction bar.",
        "about 0.007": "e² / (e² + 999): with this lead each other key weighs 1/7.4 as much, "
        "and there are 999 of them.",
        "about 0.045": "The sum below the fraction bar grows with the number of keys, which is 100 "
        "times as large, not 10 times.",
    },
    right="about 0.007",
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
        "0.0 for each of the ten keys": "Each exponential is finite and their sum is inf: "
        "8100 / inf is 0, without any sign of an error.",
    },
    right="0.0 for each of the ten keys",
    shown_by="each weight 0.000",
)
