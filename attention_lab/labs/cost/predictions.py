"""Guesses of notebook 12; see `attention_lab.grading.predict`."""

from attention_lab.grading.predict import Choices, Number

cache_or_weights = Choices(
    question="Llama 3.1 8B has 8.03 billion weights, two bytes each: 15 GiB. One text of 131072 "
    "tokens is read. How much memory do its keys and values take?",
    choices={
        "about a hundredth of the weights": "A token keeps 65 536 numbers here (2 × 32 layers × "
        "8 heads × 128). Multiply by 131072 tokens.",
        "about a tenth of the weights": "One text of 13 000 tokens takes so much. This one is ten "
        "times as long.",
        "about as much as the weights": "65 536 numbers a token, two bytes each, 131072 tokens: "
        "one reader of one long text doubles the memory.",
        "about ten times as much as all weights": "That is more than even one key and one value "
        "for each of the 32 query heads would take. This model has 8.",
    },
    right="about as much as the weights",
    shown_by="1.07",
)

work_without_cache = Number(
    question="A model writes 100 tokens. Without a cache step t computes all t × t scores again, "
    "with one only those of the newest query, t. By which factor do the scores of all steps "
    "together differ?",
    right=67,
    within=1.5,
    because="(1² + 2² + ... + 100²) / (1 + 2 + ... + 100) = 338 350 / 5 050.",
    low="Step t alone differs by the factor t, and the long steps weigh most.",
    high="The last step differs by 100, and all others by less.",
    mistakes={
        100: "So much the last step differs. The others differ by less.",
        50: "That is the mean of the factors 1 to 100. The later steps have more scores, so their "
        "factors weigh more.",
    },
    shown_by="67.0",
)

attention_or_convolution = Choices(
    question="A sentence of 50 tokens, 512 features each. The core of attention (scores and "
    "weighted sums) against a convolution of width 3 from 512 to 512 features. What does the core "
    "need?",
    choices={
        "about 15 times as many multiply-adds": "All pairs of 50 tokens are only 2500. A "
        "convolution takes each token through three matrices of 512 × 512.",
        "about as many multiply-adds": "They are equal at one length only, and 50 tokens are far "
        "from it.",
        "about a fifteenth of the multiply-adds": "2 · 50² · 512 against 3 · 50 · 512².",
        "about a third of the multiply-adds": "The width 3 is one factor of the convolution. It "
        "has 512² as well, where attention has 50 · 512.",
    },
    right="about a fifteenth of the multiply-adds",
    shown_by="0.065",
)

where_they_cross = Number(
    question="Let d = 256, and the convolution have width 3. Count multiply-adds: 2 n² d for the "
    "core of attention, 3 n d² for the convolution. From how many tokens on is attention dearer?",
    right=384,
    within=4,
    because="2 n² d = 3 n d² where n = 3 d / 2.",
    low="There the convolution is still the dearer one: divide 2 n² d = 3 n d² by n d.",
    high="There attention is dearer for long already: divide 2 n² d = 3 n d² by n d.",
    mistakes={
        768: "This is n = 3 d, from the orders n² d and 3 n d² of the paper's table. Attention "
        "has two products of that size, the scores and the weighted sum.",
        256: "n = d is where attention meets a layer that multiplies by one d × d matrix, as in "
        "the paper's row on recurrent layers.",
    },
    shown_by="counted: 384",
)

tiles_and_flops = Choices(
    question="Tiled attention computes softmax(QKᵀ)V a tile at a time and never holds the score "
    "matrix. Beside the usual way, how many multiply-adds does it do, and how far are its numbers?",
    choices={
        "fewer, and the numbers differ slightly": "Every query still meets every key, and "
        "the softmax is the whole one, put together from its parts.",
        "just as many, and the same numbers": "Only the order changes. What is saved is "
        "memory, and the time that memory takes.",
        "fewer, and the same numbers": "To be exact it must read every pair, and each pair costs "
        "what it cost before.",
        "just as many, and other numbers": "The partial maxima and sums of two tiles can be "
        "joined without any loss.",
    },
    right="just as many, and the same numbers",
    shown_by="536 870 912",
)

written_twice = Number(
    question="A memory is told: under this key stands 7. Then: under the same key stands 9. Then "
    "the key is looked up. Linear attention adds each value to its state. What does it answer "
    "(the key has length 1, nothing is divided)?",
    right=16,
    within=0.3,
    because="The state is a sum, and a sum never forgets: 7 + 9.",
    low="Nothing takes the 7 away again.",
    high="Two values were written, 7 and 9.",
    mistakes={
        9: "So answers the delta rule, which takes the old value out before it writes.",
        8: "So answers softmax attention: two equal keys share the weight.",
    },
    shown_by="linear 16",
)

keep_in_window = Number(
    question="A window of 4: each token sees itself and three before it. Three new tokens come at "
    "once. How many keys must be at hand (the new ones included) so that all three are right?",
    right=6,
    within=0.4,
    because="The oldest of the new ones needs three before it, and two more come after it: "
    "4 + 3 − 1.",
    low="The first of the three new tokens looks back as well, three tokens before itself.",
    high="The first new token looks back three tokens; nothing older is ever read.",
    mistakes={
        4: "Enough for the newest token. Of the new ones the first finds its past cut off.",
        7: "4 + 3 counts the first new token twice: it is in its own window.",
    },
    shown_by="keep 6: ≈0",
)

block_by_its_mean = Choices(
    question="64 keys make a block, and a block is read if the mean of its scores is largest. "
    "Block A has one score of 10 and 63 zeros. Block B has 64 scores of 0.2. Which block is read, "
    "and on which lies the weight of the full softmax?",
    choices={
        "A is read, and A has the weight": "The mean of A is 10 / 64, which is below 0.2.",
        "A is read, but B has the weight": "The mean of A is 10 / 64. And e^10 is 22 026, beside "
        "64 numbers of 1.22.",
        "B is read, but A has the weight": "The mean of A is 10 / 64, below 0.2; but e^10 is "
        "22 026, and the mean does not see it.",
        "B is read, and B has the weight": "B is read, for its mean is larger. The softmax looks "
        "at e to the score, and one e^10 outweighs 64 times 1.22.",
    },
    right="B is read, but A has the weight",
    shown_by="0.994",
)
