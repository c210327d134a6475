"""Guesses of notebook 10."""

from attention_lab.grading.predict import Choices, Number

spotlight_for_every_query = Choices(
    question="The rule adds 4 only where the query is the last token. Now it adds 4 to the score "
    "of “dog” for every query, also for each token that is written later. How does the text go on?",
    choices={
        "as with the rule for the last query": "The rule now acts at every token that is written "
        "as well, and each of them looks at “dog” again.",
        "with more about the dog, in good English": "More weight on a word is no wish to hear "
        "more of it: what stands there is copied, whatever the sentence needs.",
        "as without any rule: 4 everywhere cancels": "The same number on every key would cancel. "
        "Here one key gets it, for every query.",
        "it says “dog” again and again": "Each new token is told to look at “dog”, copies it, and "
        "no query is left that follows the sentence.",
    },
    right="it says “dog” again and again",
    shown_by="dog and dog",
)

pairs_in_a_window = Number(
    question="Ten tokens. Causal alone keeps 55 pairs of query and key. How many does causal and a "
    "window of 4 keep (a query sees itself and the three tokens before it)?",
    right=34,
    within=0.5,
    because="The first query has one key, the second two, the third three, and the other seven "
    "have four each: 1 + 2 + 3 + 28.",
    low="Most queries have four keys; only the first three have fewer.",
    high="No query has more than four keys, and the first three have fewer.",
    mistakes={
        40: "Four keys for each of ten queries, but the first three have fewer before them.",
        28: "Those are the seven queries with a full window. The first three have keys as well.",
        55: "That is causal alone; the window hides what is farther back.",
    },
    shown_by="34",
)

share_after_a_bias = Number(
    question="A key has 0.1 of the weight. A bias of ln 5 = 1.609 is added to its score. What is "
    "its weight then?",
    right=0.357,
    within=0.02,
    because="Its e^score grows five times, and so does one part of the sum: 0.5 / (0.5 + 0.9).",
    low="Five times as much goes in before the division, and the other keys keep theirs.",
    high="The sum that everything is divided by has grown as well.",
    mistakes={
        0.5: "Five times 0.1, but the row has to sum to 1 again: the others had 0.9.",
        0.1: "A number that all keys get would cancel. One key got it.",
    },
    shown_by="0.357",
)

factor_of_a_sink = Number(
    question="A head has a learnable sink with the score z. In one row z lies 1 above the LSE of "
    "the scores (the logarithm of the sum of their exponentials). By which number is the output of "
    "this row multiplied, compared with the head without a sink?",
    right=0.269,
    within=0.02,
    because="The keys have the sum S = e^LSE and the sink has e · S: the keys get 1 / (1 + e) of "
    "the weight.",
    low="The keys have the sum S = e^LSE, and the sink has e · S. What share do the keys get?",
    high="The sink has e = 2.718 times as much as all keys together, so they get less than a half.",
    mistakes={
        0.5: "That is so at z = LSE. One more in the score makes the sink e times larger.",
        0.731: "That is the share of the sink. The keys get the rest.",
        0.368: "1 / e is what the keys have for each 1 of the sink. Both share the whole.",
        1.0: "A softmax over the keys sums to 1. With the sink in the sum the keys get less.",
    },
    shown_by="times 0.269",
)

blocks_under_a_bias = Choices(
    question="Causal attention of 1024 tokens is cut into blocks of 128 × 128. A bias of −0.5 · "
    "distance is added: a key 900 tokens back gets e^(−450) of a weight. How many more blocks may "
    "be left out than under the causal mask alone?",
    choices={
        "all blocks with a weight below 1e-7": "No one knows that a weight is small before its "
        "score has been computed: a bias is a number, not a promise.",
        "not a single one more": "Only a mask says before the scores are computed that a "
        "pair is not needed.",
        "all blocks off the diagonal": "Their weights are small, and the sum still needs them.",
        "half of them": "There is no such rule; what counts is who says that a pair is hidden.",
    },
    right="not a single one more",
    shown_by="0.4375",
)

share_over_all_layers = Choices(
    question="The law says what a bias does to one row of weights. The last word of the text gives "
    "“dog” 0.02 of its weight, the mean over 270 heads. With a bias of 4, applied to each head "
    "alone, the law gives a mean of 0.29. What is measured if the bias acts in all heads at once?",
    choices={
        "0.29: the law is exact": "It is exact for given scores. From the second layer on the "
        "scores are others.",
        "more: each layer adds to the one before": "The shares do not add up. What changes from "
        "layer to layer is the query.",
        "less: the query that comes next has read “dog” already": "After the first layers the last "
        "word holds what “dog” says, and its later queries look for other things.",
        "about 0.02: later layers undo it": "They take some of it back, and not all.",
    },
    right="less: the query that comes next has read “dog” already",
    shown_by="0.21",
)

key_beyond_a_window = Choices(
    question="The loss on a text is 2.99 if every token sees all before it, and 4.12 if it sees "
    "the last 32 only. One more key may be seen by everybody. Which one brings most of it back?",
    choices={
        "the first token of the text": "Many heads rest there when nothing fits: without it "
        "their weight goes to words that they did not ask for.",
        "a noun that the text is about": "A word more or less is worth little: try any.",
        "any one of them, equally": "One more key in the window is worth next to nothing.",
        "none can: the other words are missing": "Few of the words that are far back were used.",
    },
    right="the first token of the text",
    shown_by="3.30",
)

weight_of_the_first_key = Choices(
    question="On average 0.37 of all weight lies on the first token. Now the first token is hidden "
    "from all others. Where does that weight go?",
    choices={
        "to the words that matter": "Then the loss would fall. It hardly moves.",
        "evenly over all tokens": "Each would get 0.003 more. It does not go to all.",
        "to the token before the query": "Late queries have as much need to rest as early ones, "
        "and rest at the same token.",
        "to the second token of the text": "The first token that can be seen becomes the new "
        "place to rest.",
    },
    right="to the second token of the text",
    shown_by="0.36",
)

vote_for_a_word = Choices(
    question="“Anna likes cats. Ben likes dogs. My favourite animals are”: next comes “cats” with "
    "probability 0.20, “dogs” with 0.13. A bias of 3 on “cats”, for every query, gives it several "
    "times its weight. What comes next?",
    choices={
        "“cats”, more probable than before": "That would be so if weight on a word were a vote for "
        "it. Some heads read a word to say it, others to avoid saying it again.",
        "“dogs”, more probable than “cats”": "Looked at is not the same as said: heads that "
        "suppress a repeated word, and those that compare, look at it as well.",
        "both as before: the bias is too small": "In each head it multiplies the odds by 20.",
        "neither, for the text breaks": "At 3 the text still goes on; at 12 it does not.",
    },
    right="“dogs”, more probable than “cats”",
    shown_by="0.29",
)
