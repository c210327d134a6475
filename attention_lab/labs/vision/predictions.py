"""Guesses of notebook 13."""

from attention_lab.grading.predict import Choices, Number

scores_of_pixels = Choices(
    question="Each pixel of 224 × 224 is a token. How many scores has one head of self-attention?",
    choices={
        "about 50 thousand": "That is the number of tokens. Each of them has a score with each of "
        "them.",
        "about 22 million": "That would be 224 times the tokens: each pixel with the 224 of its "
        "row, and twice. A head compares it with all of them.",
        "about 2.5 billion": "There are 50 176 tokens, and each is compared with all. In float32 "
        "these scores alone fill 9.4 GiB.",
        "about 630 billion": "That is more than the square of the tokens. Each pair of them has "
        "one score in a head.",
    },
    right="about 2.5 billion",
    shown_by="2 517 630 976",
)

larger_image = Choices(
    question="ViT-B/16 is made for images of 224 × 224. The same network for 384 × 384, with "
    "patches of the same 16 × 16: how many parameters has it?",
    choices={
        "about 2.9 times as many": "That is how many more patches there are. The layers are the "
        "same for each token, however many there are.",
        "about 0.3 million more": "There are 576 places in place of 196, and each has a vector of "
        "768. Nothing else knows the size of the image.",
        "exactly as many as before": "Nearly. But each place has a learned vector, and there are "
        "more places.",
        "about 8.6 times as many": "That is how many more scores are computed. Scores are no "
        "parameters: nothing of them is learned.",
    },
    right="about 0.3 million more",
    shown_by="86 859 496",
)

what_modules_add = Choices(
    question="The CNN without a module, and with SE, CBAM or a non-local block; each with its best "
    "learning rate, three seeds. How much is the mean accuracy above that of the plain CNN?",
    choices={
        "at least 0.01 for all three": "Their authors report gains of a percent or two, on "
        "ImageNet or on videos. Here the plain CNN is right in 99 of 100 cases: there is no room "
        "for so much.",
        "at least 0.01 for the non-local block": "It alone lets far places meet. But after two "
        "convolutions and a pooling, a 4 × 4 map has hardly any far places.",
        "0.005 or less for each of them": "None can be told from the CNN alone, by any of nine "
        "paired tests. Nor can the CNN with a few more channels.",
        "far below it: they disturb the CNN": "With 1347 images none is far from it; each "
        "can let everything pass.",
    },
    right="0.005 or less for each of them",
    shown_by="above the plain CNN:",
)

one_pixel = Number(
    question="The ViT reads about 0.97 of the test images. Now each image is moved by one pixel, "
    "and the ViT was never trained on moved ones. Which share does it read? A number from 0 to 1.",
    right=0.47,
    within=0.08,
    because="About every second digit is lost. Each place has a vector of its own, and what was "
    "learned at one place is not known at the next.",
    low="It does worse, and still far better than one in ten: many digits keep some of their "
    "patches.",
    high="To us nothing has changed. To the ViT each patch holds other numbers now, and its place "
    "is part of what it has learned.",
    mistakes={
        0.97: "So it would be if attention did not care where things are. Its positions do, and "
        "the cut into patches, too.",
        0.1: "That is guessing. Half of a patch is still where it was.",
    },
    shown_by="0.469",
)

few_images = Choices(
    question="With 200 images to learn from, a CNN reads 0.97 of the test, and a ViT whose "
    "positions start with a standard deviation of 0.02, as is usual, 0.84. Those of the ViT of "
    "section 2 start with 1. What does it read?",
    choices={
        "less than 0.80": "Large numbers at the start do harm where they drown the content. These "
        "are about twice as large as the patches, and do not.",
        "0.82 to 0.86": "Training could make up for the start, with enough steps and data. With "
        "200 images it does not.",
        "0.89 to 0.93": "The ViT could hardly see where its patches are. With that mended about "
        "half of the gap to the CNN is gone, and no image was added.",
        "0.96 or more": "It comes nearer. But what a convolution knows of neighbours and places "
        "is still worth something.",
    },
    right="0.89 to 0.93",
    shown_by="0.910",
)

pixels_rearranged = Choices(
    question="One order of the 64 pixels is drawn, and every image, in training and test, is "
    "rearranged by it. The CNN is trained on those. Which share of the test does it read?",
    choices={
        "about 0.1: it can only guess": "Its filters find no strokes any more. But which values "
        "stand side by side is still the same in each image, and can be learned.",
        "about 0.5: half of it is lost": "It loses its neighbours, not the numbers. All of them "
        "are still there, always in the same places.",
        "about 0.8: a fifth is lost": "It loses less. Most of what it needs can be learned in the "
        "new order, which is the same for each image.",
        "0.95 or more: it hardly minds": "With three layers its filters reach most of so small an "
        "image, and the edge of the image tells it where it is.",
    },
    right="0.95 or more: it hardly minds",
    shown_by="CNN, pixels rearranged",
)

gates_of_channels = Choices(
    question="SE gives each of 32 channels a weight. Add up the 32 weights of one image, in the "
    "trained network. What comes out?",
    choices={
        "exactly 1": "That is what a softmax does. These weights come from a sigmoid each, and "
        "none of them knows the others.",
        "about 5": "It would be so if a few channels were chosen and the others closed. Nothing "
        "makes them compete.",
        "about 16": "Each gate is between 0 and 1 and stands for itself. A sigmoid begins near "
        "0.5, and a short training has moved these gates little.",
        "about 32": "So it would be if all gates stood open. They begin half open.",
    },
    right="about 16",
    shown_by="between 12 and 20: True",
)

heads_for_a_filter = Choices(
    question="A convolution with a filter of 3 × 3, with positive and negative weights, is to be "
    "written as one layer of attention, without any error; masks are allowed. How many heads?",
    choices={
        "one head is enough": "A head has positive weights that sum to 1, the same for all "
        "features. A filter that subtracts a neighbour needs more.",
        "nine heads are enough": "A head that looks at one offset moves the image, and its "
        "output matrix does what the filter does there.",
        "as many as there are pixels": "The offsets are the same for each pixel, so one head can "
        "serve them all.",
        "no number of heads can do it": "The weights of a convolution do not depend on the "
        "content. Those of attention may, and need not.",
    },
    right="nine heads are enough",
    shown_by="one for each offset, 9 in all",
)

maps_agree = Number(
    question="The rank correlation of the map of weights with the occlusion map, over 16 patches, "
    "as a mean of 450 images and three ViTs. 1: they name the same patches. 0: no relation. What "
    "is it?",
    right=0.26,
    within=0.1,
    because="There is something in it, and not much: the amount of ink in a patch, which knows "
    "nothing of the network, does better.",
    low="They are related: where nothing is written there is little to look at and little to lose.",
    high="The last layer reads tokens that have already been mixed by the first. Where it looks is "
    "only part of what the answer hangs on.",
    mistakes={
        0.9: "So it would be if the map were an explanation. It is where one of two layers reads.",
        0.0: "That would be a map of nothing. A patch with ink is more often needed, and in two of "
        "the three ViTs more often looked at.",
    },
    shown_by="attention, occlusion",
)

peak_in_the_box = Choices(
    question="It is told which digit is on the canvas, never where. On how many of 1000 new "
    "canvases is the largest weight of its query inside the box of the digit?",
    choices={
        "about one in ten": "So it would be if the weights did not matter for the "
        "answer. To read the digit it has to find it.",
        "about one in four": "Scrambled digits have as much ink. But the features of the "
        "first layers tell a stroke from dots.",
        "about half of them": "With too little training that can be seen. This one has learned "
        "where to read.",
        "more than nine in ten": "What is scrambled is of no use, and the loss of the label "
        "alone teaches the query to leave it out.",
    },
    right="more than nine in ten",
    shown_by="more than 0.9: True",
)

patch_alone = Choices(
    question="Of which digit, 0 to 9, is a patch of 2 × 2 pixels a piece? A network that sees only "
    "the patch and its place is right for about 0.45 of the patches with ink. What if all patches "
    "may attend to each other?",
    choices={
        "about 0.45, as before": "It is the same ink, and its meaning comes from what is "
        "around it.",
        "about 0.6 of the patches": "It is more. Among 32 patches there is nearly all that can be "
        "known.",
        "more than 0.9 of the patches": "The patches tell each other what they are.",
    },
    right="more than 0.9 of the patches",
    shown_by="patches right",
)

filled_in = Choices(
    question="A Transformer that is trained for 400 steps, the mean image, and the best linear "
    "guess, which takes no steps: who fills in the hidden pixels with the least error?",
    choices={
        "the Transformer, by far": "After 400 steps it has come half of the way from the mean "
        "image to the linear guess. With four times as many it has passed it.",
        "the linear guess": "It knows from the covariance what each seen pixel says of each hidden "
        "one. The Transformer gets past it only with more steps.",
        "the mean image": "It does not look at what is seen. The two others do.",
    },
    right="the linear guess",
    shown_by="worse than linear: True",
)
