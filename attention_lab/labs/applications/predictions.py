"""Guesses of notebook 16."""

from attention_lab.grading.predict import Choices, Number

attends_to_question = Choices(
    question="“In question answering the model attends to the important words of the question.” A "
    "model of the same size is trained to do that: its query, its keys and its values all come "
    "from the question. How often will it be right about new stories?",
    choices={
        "about 1 time in 4": "So often is one of the names of the story right. This model never "
        "reads the story, so it does not know which names are in it.",
        "about 1 time in 32": "Who has the cup stands in the story only. The question does not "
        "say, however well it is attended to.",
        "most of the time": "It could be, if cups had a usual owner. Here names and things are "
        "drawn anew for each story.",
        "always, like the first one": "The first one finds the sentence in the story. In the "
        "question there is no name to be found.",
    },
    right="about 1 time in 32",
    shown_by="1/32",
)

two_of_six = Choices(
    question="Visitor A has looked at 6 items, 2 of them lamps. Visitor B has looked at 18 items, "
    "6 of them lamps. A lamp is offered: each lamp seen has the score 2, each other item the score "
    "0. The weights are a softmax, and a lamp has the value 1, another item 0. How do the two "
    "outputs differ?",
    choices={
        "B's output is three times A's": "So it would be if the weights were not made to sum to 1. "
        "B's six lamps share the weight that A's two have.",
        "B's output is a little larger": "More lamps bring more weight, and more other items take "
        "as much of it away again.",
        "A's output is larger, as A saw less": "Each lamp of A weighs more than one of B, and "
        "there are fewer of them: the two cancel.",
        "there is no difference at all": "Three times as many of each kind multiply both sums of "
        "the fraction by 3. A softmax knows the share of lamps, not their number.",
    },
    right="there is no difference at all",
    shown_by="0.787",
)

softmax_told_n = Choices(
    question="If the missing number is why softmax falls behind, there is a test: give the model "
    "with softmax weights one more input, the length of the visit (its logarithm), and change "
    "nothing else. What will its AUC do?",
    choices={
        "it stays where it was": "It would, if something else were the cause. Share times length "
        "is the number of lamps, and the last layers can make that of the two.",
        "it comes close to the gates": "Share times length is the number of items of the kind: "
        "with it the last layers have what the gates have.",
        "it rises by a tenth of the gap": "The length was the only thing that was missing, so "
        "nearly the whole gap closes.",
        "it falls: one more input to learn": "It has 24 parameters more among a thousand, and a "
        "thousand steps to learn them.",
    },
    right="it comes close to the gates",
    shown_by="softmax, told n",
)

wrong_question = Choices(
    question="The trained model is asked for the digit in the middle. The picture and all else "
    "stay, and in the place of “middle” the question “right” is put in. How often does it still "
    "say the digit in the middle? The three digits of a picture always differ.",
    choices={
        "about 1 time in 10": "So often would a blind guess be right. This model is not blind: it "
        "reads another cell, and there another digit stands.",
        "about 1 time in 3": "So it would be if it took one of the three cells at random. The "
        "question says which.",
        "hardly ever": "It answers the question that it got, with the digit on the right, and that "
        "is never the one in the middle.",
        "nearly as often as before": "Then the question would not matter, and the model would have "
        "learned something else than to look where it is told.",
    },
    right="hardly ever",
    shown_by="other cell",
)

loss_at_the_start = Number(
    question="64 images and their 64 captions. Before any training all similarities are equal. "
    "What is the loss, the mean of minus ln(probability of the right caption)?",
    right=4.159,
    within=0.05,
    because="Each of the 64 captions has the probability 1/64, and minus ln(1/64) = ln 64.",
    low="With equal similarities every caption has the same probability. How many are there?",
    high="With equal similarities every caption has the same probability. Take minus its natural "
    "logarithm.",
    mistakes={
        0.693: "That is ln 2, for the choice between right and wrong. Here the choice is among 64.",
        6.0: "That is the logarithm to base 2. The loss takes the natural one.",
        1.806: "That is the logarithm to base 10. The loss takes the natural one.",
        8.318: "That is the logarithm of all 64 · 64 pairs. Each image chooses among 64 captions.",
        0.016: "That is near the probability itself, 1/64. The loss is minus its logarithm.",
    },
    shown_by="4.159",
)

too_steep = Choices(
    question="With a slope of 2 most answers about things that change hands are right. Now the "
    "slope is 20. What comes of plain stories, in which every thing stands once?",
    choices={
        "nothing changes, the best match wins": "It wins while its lead in score is larger than "
        "the bias of the sentences behind it, 20 for each. Such a lead it does not have.",
        "most answers come from the last lines": "The bias is larger than the lead of the right "
        "sentence: the rule has taken over, and the question hardly counts.",
        "all weights become equal again": "Equal weights need equal scores. These are 20 apart "
        "from one sentence to the next.",
        "the first sentence wins every time": "A bias is added: the larger, the more weight. The "
        "last sentence has the largest.",
    },
    right="most answers come from the last lines",
    shown_by="the last two sentences",
)

finds_the_largest = Choices(
    question="Each cell has one score for the question “largest”. How do the weights find the cell "
    "with the largest digit?",
    choices={
        "the score of a cell grows with its digit": "A score is made of the question and of one "
        "cell. To compare is left to the softmax: the largest of three scores gets most.",
        "each cell is compared with the others": "A score is made of the question and of one cell; "
        "it never sees the other two.",
        "the question knows which digit to look for": "The question “largest” is one vector, the "
        "same for every picture: it does not know which digits are there.",
        "only 8 and 9 get a high score": "Then 2, 5 and 3 would be answered by a guess. Three "
        "small digits are compared as well as three large ones.",
    },
    right="the score of a cell grows with its digit",
    shown_by="Score of a cell, by the digit",
)

breaks_a_check = Choices(
    question="Four designs, each with one part beside its name. Which one breaks one of the eight "
    "checks?",
    choices={
        "the mask k <= q": "That is the causal mask: every query sees itself, and no query sees "
        "what comes later.",
        "the bias 100*k": "That leaves nearly all weight on the last key, and it is still a "
        "softmax of finite numbers: all eight hold.",
        "the mask k < q": "Query 0 has no key before it, so its row is empty.",
        "the temperature 0.01": "Weights of nearly 0 and 1 are sharp, and not broken: they sum to "
        "1, and the softmax subtracts the largest score before it takes the exponential.",
    },
    right="the mask k < q",
    shown_by="only before",
)
