"""Grading three sentences: which numbers and which words are there, and what they deny.

It reads no sense. Each thing that it looks for is named in the exercise, and a message says which
one it did not find.
"""

from __future__ import annotations

import re
from typing import Any

from attention_lab.grading.feedback import Problem

__all__ = ["judge_differences", "numbers_in"]

ATTENTION = r"\b(?:attention|heads?|transformers?|vits?)\b"
CONVOLUTION = r"\b(?:convolutions?|convolutional|cnns?|filters?|kernels?)\b"
ON_CONTENT = r"\b(?:content|contents|depends?|queries|query|inputs?)\b"
CONTENT_ALONE = r"\b(?:content|contents|queries|query)\b"
IMAGES = r"\b(?:images?|digits?|pictures?|vision|photographs?|pixels?)\b"
SEQUENCES = r"\b(?:sequences?|texts?|sentences?|language|words?|speech|sounds?|translations?)\b"
LENGTH = r"\b(?:tokens?|length|lengths|long|short|shorter|longer)\b"
LONG = r"\b(?:long|longer|beyond|above)\b"
CHEAPER = r"\b(?:cheap|cheaper|less|fewer|lower|smaller)\b"
DEARER = r"\b(?:dear|dearer|more|expensive|higher|larger|costlier)\b"
CLAUSES = re.compile(r"[,;:.](?!\d)|\b(?:while|whereas|but|and)\b", re.I)
DENIAL = (
    r"(?:\bnot\b(?! (?:only|just|merely|limited|always)\b)|\bnever\b|n['’]t\b|\bno longer\b"
    r"|\bneither\b|\bcannot\b)"
)


def numbers_in(sentence: str) -> list[float]:
    """Return the numbers of a sentence; 97.3 % is 0.973, and “nine” is 9."""
    text = re.sub(r"\bnine\b", "9", sentence, flags=re.I)
    found = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?|\.\d+)(?!\w)\s*(%|per ?cent\b)?", text)
    return [float(number) / (100 if percent else 1) for number, percent in found]


def has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.I) is not None


def denied(pattern: str, text: str) -> bool:
    """Tell whether a denial stands at most three words before what a pattern finds."""
    return has(DENIAL + r"(?:\W+\w+){0,3}?\W+" + pattern, text)


def _need_number(which: str, sentence: str, right: float, within: float, what: str) -> None:
    numbers = numbers_in(sentence)
    if not numbers:
        raise Problem(f"the {which} sentence has no number: it needs {what}")
    if not any(abs(number - right) <= within for number in numbers):
        said = ", ".join(f"{number:g}" for number in numbers)
        raise Problem(f"the {which} sentence has the number {said}; it needs {what}")


def _need_words(which: str, sentence: str, groups: dict[str, str]) -> None:
    for what, pattern in groups.items():
        if not has(pattern, sentence):
            raise Problem(f"the {which} sentence does not name {what}")


def _reversed(clause: str) -> bool:
    """Tell whether a clause makes attention the dearer one, or the convolution the cheaper one."""
    if has(ATTENTION, clause):
        return has(DEARER, clause) and not has(LONG, clause) and not has(CHEAPER, clause)
    return has(CONVOLUTION, clause) and has(CHEAPER, clause)


BOTH = {"attention": ATTENTION, "a convolution (or a CNN)": CONVOLUTION}


def _judge_weights(said: str) -> None:
    """Hold the first sentence: whose weights depend on the content, and nine heads."""
    _need_words("first", said, {**BOTH, "what the weights of attention depend on": ON_CONTENT})
    _need_number("first", said, 9, 0, "the heads that can be a 3 × 3 filter (C127)")
    if denied(ON_CONTENT, said) and not has(CONVOLUTION + r"[^.;]*" + DENIAL, said):
        raise Problem("the first sentence denies that weights depend on the content: whose do not?")
    for clause in CLAUSES.split(said):
        alone = has(CONVOLUTION, clause) and not has(ATTENTION, clause)
        if alone and has(CONTENT_ALONE, clause) and not has(DENIAL, clause):
            raise Problem(
                f"“{clause.strip()}” says it of the convolution; its weights are fixed by the "
                "offset"
            )


def _judge_use(said: str) -> None:
    """Hold the second sentence: images as well as sequences, and what the ViT reads."""
    _need_words(
        "second",
        said,
        {"attention": ATTENTION, "images": IMAGES, "sequences (or texts)": SEQUENCES},
    )
    _need_number("second", said, 0.973, 0.008, "the accuracy of the small ViT on digits (C128)")
    if denied(IMAGES, said) or denied(SEQUENCES, said):
        raise Problem("the second sentence denies one of the two, and attention serves both (C128)")
    if has(r"(?<!not )\b(?:only|solely|exclusively) (?:for|serves?|reads?|used)", said):
        raise Problem("the second sentence says “only”: a ViT reads images, by attention (C128)")


def _judge_cost(said: str) -> None:
    """Hold the third sentence: which is the cheaper one at 50 tokens, and by how much."""
    _need_words("third", said, {**BOTH, "the length (or the tokens)": LENGTH})
    what = "the work of the core of attention at 50 tokens, as a part of that of the convolution"
    _need_number("third", said, 0.065, 0.0025, f"{what} (C129)")
    if has(r"(?<!not )\b(?:always|any length|every length|all lengths)\b", said):
        raise Problem("the third sentence says “always”: it turns round at k·d/2 tokens (C129)")
    if denied(CHEAPER, said) or any(map(_reversed, CLAUSES.split(said))):
        raise Problem(
            "at 50 tokens the core of attention does 0.065 of the convolution's work, so it is the "
            "cheaper one there; the third sentence says the opposite"
        )


def judge_differences(answer: Any) -> str:
    """Grade three sentences on how attention and convolution differ.

    Parameters
    ----------
    answer : list of str
        What weighs what, what each is for, and which costs less.

    Returns
    -------
    str
        What was looked at, and what was not.

    Raises
    ------
    Problem
        A number or a word is missing, or a word that is there is denied.
    """
    if isinstance(answer, str) or not hasattr(answer, "__iter__"):
        raise Problem("give a list of three sentences, each in quotes")
    sentences = [str(each).strip() for each in answer]
    if len(sentences) != 3:
        raise Problem(f"there are {len(sentences)} sentences in the list, and three are wanted")
    for judge, said in zip((_judge_weights, _judge_use, _judge_cost), sentences, strict=True):
        judge(said)
    return (
        "Three numbers and the words that belong to them. This check reads no sense: compare your "
        "sentences with those of the solution."
    )
