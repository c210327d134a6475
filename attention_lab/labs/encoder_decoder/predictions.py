"""Guesses of notebook 09."""

from attention_lab.grading.predict import Choices, Number

what_keeps_tokens_apart = Choices(
    question="Sixteen random tokens go through twelve attention layers with random weights. Which "
    "change still leaves a spread above 0.05 after the twelfth?",
    choices={
        "none is needed: each query is different": "Each output is a mean of the same "
        "values. Means differ less than what they are means of, and then so do the next queries.",
        "a norm after each attention": "A norm gives each token the same size, one by one. Tokens "
        "that have become equal are still equal after it.",
        "a residual sum, x + attention(x)": "The token itself goes on beside the mean, so a part "
        "of the difference stays.",
        "only a norm and a residual sum together": "The sum is enough here: without any "
        "norm it leaves a spread of 0.061 to 0.390.",
    },
    right="a residual sum, x + attention(x)",
    shown_by="0.061 to 0.390",
)

gradient_without_norms = Choices(
    question="An untrained model has twelve layers on each side, with residual sums and without "
    "norms. How long is the gradient of W_2 in its decoder, compared with two layers on each side?",
    choices={
        "much shorter: it fades on its way back": "So it would without residual sums. With them "
        "the gradient reaches every layer by the sums, and something is added at each.",
        "about the same length": "That is what norms do. Without them the tokens grow from sum to "
        "sum, and the gradient with them.",
        "several times longer": "Each layer adds to the tokens, nothing brings them back to one "
        "size, and the gradient grows with them.",
    },
    right="several times longer",
    shown_by="no norm    [0.6",
)

attention_share = Number(
    question="The feed-forward part is as wide as usual, d_ff = 4 d_model. Which share of the "
    "parameters of an encoder layer is attention (W_Q, W_K, W_V and W_O)? A number from 0 to 1.",
    right=0.333,
    within=0.02,
    because="Attention has four matrices of d², the feed-forward part two of 4 d²: 4 of 12.",
    low="Attention has four matrices of d_model². How many such squares has the feed-forward part?",
    high="The feed-forward part has two matrices, and each is four times as large as W_Q.",
    mistakes={
        0.5: "As many matrices would be half; but those of the feed-forward part are larger: W_1 "
        "is d_model × 4 d_model.",
        0.273: "That is 3 of 11: W_O belongs to attention as well.",
        0.2: "W_1 alone is as large as all of attention. There is W_2, too, but nothing else.",
    },
    shown_by="0.3333",
)

what_is_predicted = Number(
    question="The right answer is 0 3 9 4. In training the decoder reads <start> 0 3 9 4 in one "
    "pass. How many words must it predict in that pass?",
    right=5,
    within=0.4,
    because="One at each position: what must be predicted is what is read, moved by one position, "
    "and after the 4 it is <end>.",
    low="It reads five words, and each position has a word to predict.",
    high="Each position predicts one word, and not all that follow it.",
    mistakes={
        1: "So it is when it writes. In training the right words are known, and every position "
        "predicts the word after it.",
        4: "After the last digit comes <end>, and it must be predicted, too: how else would the "
        "decoder know when to stop?",
    },
    shown_by="in one pass: 5",
)

draft_vectors = Choices(
    question="This draft gets seven source words as inputs, and as context the four words that "
    "are written so far. How many vectors come out?",
    choices={
        "four, one for each word written so far": "So it would be in a decoder, whose queries "
        "come from what is written. Look at what the second attention gets as its queries.",
        "seven, one for each source word": "There is one output for each query, and both "
        "attentions have the source words as queries.",
        "eleven, one for each word": "Nothing joins the two; there is one output for each query.",
        "one, the next word": "An attention gives one output for each query, and there are "
        "several queries.",
    },
    right="seven, one for each source word",
    shown_by="vectors out: 7",
)

loss_of_a_guess = Number(
    question="There are 13 words to choose from. What is the loss, the mean of −ln p of the right "
    "word, of a model that gives each of them the same probability?",
    right=2.565,
    within=0.09,
    because="Each word gets 1/13, and −ln(1/13) = ln 13.",
    low="The right word has probability 1/13. Its natural logarithm is well below −2.",
    high="The right word has probability 1/13, and the logarithm is the natural one.",
    mistakes={
        0.077: "1/13 is the probability p. The loss is −ln p.",
        0.923: "12/13 is how often such a model is wrong. The loss is −ln of the probability of "
        "the right word, 1/13.",
        3.7: "That is the logarithm with base 2, a number of bits. Here it is the natural one.",
        1.114: "That is the logarithm with base 10. Here it is the natural one.",
    },
    shown_by="ln 13 = 2.56",
)

one_word_too_many = Choices(
    question="A decoder is trained without the causal mask: at each position it sees all words of "
    "the right answer, also the one that it must predict. What happens?",
    choices={
        "the loss falls, and it writes nearly nothing right": "It learns to copy the next word. "
        "When it writes, that word is not there yet.",
        "the loss stays high, and it writes nothing right": "The loss has no reason to stay high: "
        "the right word is in sight, and to copy it is easy.",
        "the loss falls faster, and it writes as well as before": "What helped it in training is "
        "missing when it writes: there are no words after the one that it writes.",
        "the loss falls, and it writes half of it right": "It needs the next word for every "
        "digit, and when it writes it has the next word for none.",
    },
    right="the loss falls, and it writes nearly nothing right",
    shown_by="exactly right 0.00",
)

heads_that_align = Number(
    question="For each French word look where its weight is largest. How many of the Transformer's "
    "four heads have it on the English word that is translated for at least 9 of 10 nouns, and 9 "
    "of 10 adjectives, determiners, and “de”?",
    right=0,
    within=0.4,
    because="Each head is good at some kinds of word and bad at others, and no training step asked "
    "one of them to be the alignment.",
    low="It is a number of heads, from 0 to 4.",
    high="Even one head is too many: the translations are right because of what all four bring.",
    mistakes={
        1: "The best head for determiners is not the best one for “de”. Nothing in the training "
        "asks one head to have the whole alignment.",
        4: "Four heads that look at the same word would bring the same thing four times.",
    },
    shown_by="in every kind: 0 of 4",
)

keys_without_cache = Number(
    question="A decoder writes 20 words. At each step it reads <start> and all words written so "
    "far: 1 word at the first step, 20 at the last. How many keys does one self-attention compute "
    "in all?",
    right=210,
    within=0.5,
    because="1 + 2 + ... + 20: the keys of the early words are computed again at every step.",
    low="At step 1 it computes 1 key, at step 2 two, at step 20 twenty. Add them up.",
    high="At step i there are i words to read, not 20. Add 1 + 2 + ... + 20.",
    mistakes={
        20: "So many would do, if the old keys were kept. Without that all are computed again at "
        "each step.",
        400: "20 steps with 20 words each; but at step i only i words are there.",
        190: "That is 0 + 1 + ... + 19; <start> is read as well.",
    },
    shown_by="210",
)

what_reversing_can_spare = Choices(
    question="A Transformer with two layers on each side learns to reverse eight digits, from four "
    "starts. Three parts are left out: the norms, the feed-forward parts and W_O, each one alone, "
    "and then all three. In which of these four cases are at least 0.99 of the sequences right, "
    "from every start?",
    choices={
        "in none of the four": "To reverse is to move digits, and attention moves them. "
        "Without any one of the three, at least 0.997 of the sequences are right.",
        "without the norms, and in no other": "The feed-forward parts and W_O can go as well: "
        "without either of them at least 0.997 of the sequences are right.",
        "without any one, and not without all three": "Without any one it is at least 0.997. "
        "Without all three it is 0.820 to 0.953, from start to start.",
        "without any one, and without all three": "Without any one it is at least 0.997. Without "
        "all three no start reaches 0.99: it is 0.820 to 0.953.",
    },
    right="without any one, and not without all three",
    shown_by="0.820 to 0.953",
)

sums_without_feed_forward = Choices(
    question="Running sums: a digit must be added to another one. Three models: one layer on each "
    "side with feed-forward parts; one layer without; two layers without, which still have fewer "
    "parameters than the first. Which writes at least 95 of 100 sequences right after 1 200 "
    "steps, from each of three starts, with the better of two learning rates for each?",
    choices={
        "only the one with feed-forward parts": "Attention with its softmax, "
        "and the norms, are not linear either. It took longer, and then the sums were "
        "right.",
        "that one, and two layers without": "Two layers without feed-forward parts learn the "
        "sums as well, with twice as many steps.",
        "all three models": "One layer without feed-forward parts gets there from one start of the "
        "three.",
        "none of the three models": "With feed-forward parts even half of the steps are enough.",
    },
    right="that one, and two layers without",
    shown_by="27117",
)
