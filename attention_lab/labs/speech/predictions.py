"""Guesses of notebook 14."""

from attention_lab.grading.predict import Choices, Number

bin_width = Number(
    question="A frame has 256 samples, of 8000 in a second. Its spectrum has one number for each "
    "bin, evenly spaced from 0 Hz. How many Hz lie between two bins?",
    right=31.25,
    within=1.0,
    because="Bin k is a wave that fits k times into the frame. The frame lasts 0.032 seconds, so "
    "one wave in it is 31.25 Hz. The rows 697 and 770 Hz are two or three bins apart.",
    mistakes={
        15.625: "That is 4000 / 256. There are bins up to 4000 Hz, and only 128 steps lead there.",
        62.0: "That would be a frame of 128 samples: a shorter frame has wider bins.",
    },
    low="So fine a spectrum needs a longer frame: it is the length that decides.",
    high="Then some of the rows of the keypad would fall into one bin.",
    shown_by="31.25",
)
peak_in_tone = Number(
    question="The listener is trained with numbers only: nobody tells it where in the sound a "
    "digit lies. For how many per cent of the digits does its largest weight lie inside the tone "
    "of that digit? Tones fill about half of a call of six digits, and each of them about 9 per "
    "cent of it.",
    right=99,
    within=3,
    because="Whoever reads the digit from one weighted sum has to look where the digit is. The "
    "loss of the answer is enough to teach it.",
    mistakes={
        9: "That is chance. A listener that looks by chance cannot write the number.",
        50: "That is the chance to hit any tone. It must be the tone of this digit.",
    },
    low="A value sees 5 frames of 74. To write the digit the decoder has to find them.",
    high="More than all of the digits there cannot be.",
    shown_by="inside its tone: more than 90",
)
eight_digits = Choices(
    question="Both listeners were trained on numbers of 3 to 6 digits. One finds its place by "
    "counting, and writes 0.93 of the numbers of six digits without a mistake. How many of eight "
    "digits does it write right?",
    choices={
        "0.91: two more digits, two more chances": "So it would be if each digit were found by "
        "itself. Here the seventh place has to be known, and no training had one.",
        "about 0.7, the first six being easy": "The first six are not even all right, and the "
        "seventh and the eighth are never there.",
        "about half, as it is half as long again": "Half right would need a seventh and an eighth "
        "digit. It writes six, and ends.",
        "none of them, in all three trainings": "It writes about six digits and ends. It has "
        "learned six places, not a way to go on.",
    },
    right="none of them, in all three trainings",
    shown_by="digits written of 8",
)
slow_dialling = Choices(
    question="Now six digits, but dialled slowly: each tone and each gap is 1.4 times as long. "
    "Nobody trained with that. Which listener copes better?",
    choices={
        "by location: it goes on with any length": "It has learned how far the next digit is, and "
        "now that is wrong at each step. What helped with length hurts here.",
        "by count: places do not depend on time": "The third tone is the third tone at any speed. "
        "The other one has learned how far to go.",
        "neither: both fail when it is slower": "One of them still writes most numbers: its keys "
        "know how many tones have been, not how long ago.",
        "both: only tones and gaps are longer": "For one of them that is not a small change: the "
        "weights before tell it where to look next.",
    },
    right="by count: places do not depend on time",
    shown_by="speed 0.7",
)
short_window = Choices(
    question="A window lets each step see only the frames from 1 to 6 after the last look, 40 ms "
    "each. The middle of the next tone is 4.9 frames away on average. Of the numbers of six digits "
    "0.998 are right without any window. And with it?",
    choices={
        "as many: it never looks further anyway": "It does now and then: a long tone, a long gap "
        "and another long tone. Once in a number is enough.",
        "all: fewer frames, fewer ways to err": "A window can also hide the right frame, and "
        "then no weight can be put there.",
        "about 0.8: it loses one number in six": "One step in ten is longer than six frames, "
        "and a number has five steps.",
        "about 0.3: most of the numbers are lost": "Most steps are short. Only the long ones are "
        "cut, and not every number has one.",
    },
    right="about 0.8: it loses one number in six",
    shown_by="window 1 to 6",
)
third_frame = Number(
    question="A walk begins at frame 0, and stops at frames 0, 1 and 2 with the probabilities "
    "0.2, 0.5 and 0.9, if it comes there. How likely is it that it stops at frame 2?",
    right=0.36,
    within=0.01,
    because="It must pass frame 0 (0.8) and frame 1 (0.5), and then stop: 0.8 · 0.5 · 0.9.",
    mistakes={
        0.9: "That is the probability for those that come there; most have stopped before.",
        0.09: "These are the three multiplied. To come to frame 2 it must not have stopped before.",
        0.45: "It has to pass frame 0 as well: 0.8.",
        0.5625: "That is a softmax-like share, 0.9 of 1.6. Stopping early takes from what is left.",
    },
    low="Few have stopped before frame 1: 0.8 come there.",
    high="More than half have stopped before it comes to frame 2.",
    shown_by="0.36",
)
loud_words = Choices(
    question="Spoken digits with a hiss a thousand times as strong as the quietest part: now about "
    "one number in ten comes out right. What becomes of the weight inside the right word, 0.92 "
    "before?",
    choices={
        "it falls below 0.2, just as the numbers": "Where a word is can be heard long after one "
        "cannot tell any more which word it is.",
        "it stays above 0.7 on average of three": "A word is louder than the pauses, and that is "
        "enough to find it. To know which it is takes more.",
        "it rises to 0.99, with a closer look": "Nothing in the training rewards that, and no "
        "number shows it.",
        "it spreads evenly over all the frames": "The keys still differ between word and pause, "
        "and the weights before still tell where to go on.",
    },
    right="it stays above 0.7 on average of three",
    shown_by="noise 1000",
)
