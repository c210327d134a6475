"""Guesses of notebook 06."""

from attention_lab.grading.predict import Choices, Number

weight_under_causal_mask = Number(
    question="Without a mask “drank” gives weight 0.455 to “cat”, 0.455 to “milk”, and 0.023 to "
    "each of the other four words. Under the causal mask it may no longer see “cold” and “milk”. "
    "What is its weight on “cat” then?",
    right=0.870,
    within=0.015,
    because="The four words that are left had 0.455 + 3 · 0.023 = 0.523 together, and 0.455 / "
    "0.523 = 0.870: each keeps its share among them, and they sum to 1 again.",
    low="What “cold” and “milk” had goes to the words that are left, and most of it to “cat”: "
    "each keeps its share among them.",
    high="The two other words that are left, and “drank” itself, keep their share as well.",
    mistakes={
        0.455: "Then the row would sum to 0.523. The mask acts before the softmax, so the row "
        "sums to 1.",
        0.909: "That gives all that “milk” had to “cat”. It is shared out: each word that is left "
        "grows by the same factor.",
        1.0: "“the”, “thirsty” and “drank” itself may still be seen, and each has a little weight.",
    },
    shown_by="0.87",
)

cross_padding = Choices(
    question="In translation the queries are the words of the target, and the keys are those of "
    "the source (cross-attention). Both batches are padded. Which mask makes each sentence come "
    "out as if it were alone?",
    choices={
        "which source words are real, for every query": "Padding hides keys, and the keys are the "
        "words of the source. Rows that are padding of the target come out too, and are not used.",
        "which target words are real, for every query": "The lengths of the target say which "
        "queries are real. A mask of the keys needs the lengths of the keys.",
        "which source words are real, and causal": "The whole source is there before the first "
        "target word is written: there is no future to hide.",
        "none: the source was masked in its own layers": "That mask kept padding out of the real "
        "words. The rows of the padding are still there, and the target would attend to them.",
    },
    right="which source words are real, for every query",
    shown_by="like alone",
)

zero_weights_leak = Choices(
    question="The same scores and the same causal mask, and the softmax over the queries "
    "(`dim=0`) by mistake. All shapes are right, and all weights above the diagonal are exactly "
    "0. Now token 4, the last one, is moved. Which of the five outputs move?",
    choices={
        "output 4 only": "So it is with the softmax over the keys. Here each weight is divided by "
        "a sum over queries: which of these is made of token 4?",
        "outputs 3 and 4": "Query 4 is no neighbour of row 3 in particular: it may see all five "
        "keys, and counts in the sum of each column.",
        "all five of them": "Each column is divided by its sum over the queries. Query 4 sees "
        "every key, so it counts in the sum of each column, and every row reads columns.",
        "none of them": "Output 4 has a weight on key 4, in whatever direction one sums.",
    },
    right="all five of them",
    shown_by="[0.034",
)

two_windows = Number(
    question="A window of 3 lets each token see itself and the two before it. Two layers, each "
    "with this mask, follow one another. On how many tokens does the output of token 7 depend?",
    right=5,
    within=0.4,
    because="Token 7 reads token 5 in the second layer, and token 5 has read token 3 in the first. "
    "Each layer adds two: L layers of window w reach L (w − 1) + 1 tokens.",
    low="The second layer reads outputs of the first, and these have read tokens further back.",
    high="Each layer adds only the tokens before the window: two of them.",
    mistakes={
        3: "That is one layer. In the second the keys are outputs of the first, and each of them "
        "has read two tokens more.",
        6: "3 + 3 counts one token twice: the second window begins where the first one ends.",
        8: "So it is under a causal mask. Two windows do not reach the first token.",
        9: "3 · 3 would need windows that do not overlap.",
    },
    shown_by="3, 4, 5, 6, 7",
)

leak_by_product = Choices(
    question="Instead of −∞ before the softmax, the weights are multiplied by 0 after it: "
    "hidden keys have weight exactly 0. What comes out?",
    choices={
        "the same weights, since 0 is 0": "The hidden keys have 0 in both cases. The others were "
        "divided by a sum in which the hidden ones still count.",
        "rows below 1, and hidden tokens leak": "The sum below the fraction holds e^s of hidden "
        "keys too: each visible weight tells something of them.",
        "rows below 1, nothing else is wrong": "The rows do sum to less than 1. By how much "
        "depends on the hidden scores, and so on tokens that must not count.",
        "nan where a row has hidden keys": "Nothing is divided by 0 here: the sum holds every key.",
    },
    right="rows below 1, and hidden tokens leak",
    shown_by="10 of 10",
)

billion_in_half = Choices(
    question="Many programs hide a score with `masked_fill(hidden, -1e9)`. The scores are "
    "float16, whose largest number is 65504. What happens?",
    choices={
        "it raises an error": "To fill refuses a value that the dtype of the scores cannot hold.",
        "the score becomes −65504": "PyTorch does not round a fill value to the nearest number "
        "that fits.",
        "the score becomes −∞": "So it is if -1e9 is added to the scores. To fill with it is "
        "another operation, and that one checks.",
        "it computes in float32": "The dtype of the scores stays as it is: masked_fill "
        "changes numbers only.",
    },
    right="it raises an error",
    shown_by="RuntimeError",
)

gradient_of_a_blind_row = Choices(
    question="One query of a sentence has every key hidden, and its softmax is nan (notebook 03). "
    "The sentence goes through `nn.MultiheadAttention`, and the loss adds up the outputs of the "
    "other queries only. In how many of the layer's four parameters does the gradient hold nan?",
    choices={
        "in none of the four": "The loss does not look at that row, so what comes back to it is 0. "
        "But in the backward pass this 0 is multiplied by the nan that is there.",
        "in one of the four": "The matrix that makes queries, keys and values has an offset, and "
        "behind it comes another matrix. All of them were multiplied with the nan.",
        "in three of the four": "0 times nan is nan, wherever the row was multiplied on its way. "
        "The last offset was only added to it, and its gradient is a sum of what came back: 0.",
        "in each one of the four": "The last offset is added to the output. Its gradient is a sum "
        "of what comes back, and from that row comes 0: no product, no nan.",
    },
    right="in three of the four",
    shown_by="gradient of out_proj.bias    nan: False",
)

empty_row_of_billions = Choices(
    question="And with −1e9 instead, in float32: the scores 0.5, −1 and 2 of a row are all hidden "
    "by `masked_fill(hidden, -1e9)`. What are the weights?",
    choices={
        "nan, nan, nan": "The scores are finite, and softmax subtracts the largest: e^0 three "
        "times.",
        "0, 0, 0": "Each is 0 beside a score that is far larger. In this row there is none.",
        "1/3, 1/3, 1/3": "Equal scores give equal weights. The query attends to all that it must "
        "not see.",
        "0.18, 0.04, 0.79": "These are the weights without a mask. They come back if -1e9 is added "
        "in float64; masked_fill puts it in the place of the scores, which are lost.",
    },
    right="1/3, 1/3, 1/3",
    shown_by="[0.3333, 0.3333, 0.3333]",
)

swapped_last_row = Choices(
    question="A causal mask with True = may attend is given to `nn.MultiheadAttention`, where "
    "True means blocked. There are four tokens. In which rows of the weights does it give `nan`?",
    choices={
        "in none of them": "Read the mask the other way round, row by row: one of the four queries "
        "has no key left.",
        "in the first one": "Token 0 is blocked from itself. It sees the three tokens after it.",
        "in the last one": "In the right mask its row is True everywhere. Read the other way "
        "round, all of it is blocked, and this layer has a plain softmax.",
        "in all of them": "A row is `nan` where it has no key. The first three have keys, all of "
        "them later ones.",
    },
    right="in the last one",
    shown_by="query 3: [nan",
)

newest_token_causal = Number(
    question="A text is written token by token. One query, the newest token, meets four keys with "
    "the values 1, 2, 3, 4, and all scores are equal. It is the last of the four tokens. What "
    "does `F.scaled_dot_product_attention` return with `is_causal=True`?",
    right=1.0,
    within=0.05,
    because="It takes the query for token 0, which sees only key 0.",
    low="Outputs are means of the values 1 to 4.",
    high="Outputs are means of the values that the query sees, and it sees fewer of them.",
    mistakes={
        2.5: "That is right for the newest token. is_causal does not know that it is the last of "
        "four: it counts queries from 0.",
        4.0: "The last key only: no causal mask leaves that.",
        0.25: "0.25 would be the weight of each of four keys.",
    },
    shown_by="is_causal=True: 1.0",
)
