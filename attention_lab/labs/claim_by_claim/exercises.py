"""Notebook 17: the article, claim by claim."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from attention_lab.grading.answers import judge_statements
from attention_lab.grading.base import exercise
from attention_lab.grading.feedback import Problem, name_of, returned
from attention_lab.labs.claim_by_claim.material import (
    CLAIMS_TO_TEST,
    EXPERIMENTS,
    GAPS,
    OPPOSITES,
    REFERENCES,
    SENTENCES,
    STATEMENTS,
    WORDS,
)

__all__ = [
    "contradicting_pairs",
    "impossible_numbers",
    "number_in_cell",
    "refuting_experiments",
    "share_of_right",
    "sound_references",
    "three_differences",
]


@exercise
def contradicting_pairs(answer: Any) -> str:
    """The pairs of statements that contradict each other, as a list such as ``["AB", "CD"]``."""
    if isinstance(answer, str):
        answer = answer.replace(",", " ").split()
    try:  # "AM", "A-M" and ("A", "M") are one pair
        pairs = {"".join(sorted(re.findall(r"\w", str(pair).upper()))) for pair in answer}
    except TypeError:
        raise Problem('name pairs of letters, such as ["AB", "CD"]') from None
    for pair in sorted(pairs):
        if len(pair) != 2 or not set(pair) <= set(STATEMENTS):
            raise Problem(f"{pair!r} is no pair of two letters from A to P")
        if pair[0] == pair[1]:
            raise Problem(f"{pair!r}: a statement does not contradict itself")
    found, extra = pairs & set(OPPOSITES), pairs - set(OPPOSITES)
    if extra:
        raise Problem(
            f"{len(found)} of your {len(pairs)} pairs contradict each other, the others do not: "
            "can both statements of a pair be true?"
        )
    if found != set(OPPOSITES):
        raise Problem(
            f"{len(found)} pairs, each of them right; there are more, of the {len(STATEMENTS)} "
            "statements only two belong to none"
        )
    return ". ".join(OPPOSITES.values()) + "."


@exercise
def sound_references(answer: Any) -> str:
    """The letters of the references in which nothing is wrong."""
    return judge_statements(
        answer, {letter: (each.sound, each.comment) for letter, each in REFERENCES.items()}
    )


@exercise
def refuting_experiments(answer: Any) -> str:
    """For each claim, 1 to 7, the letter of the experiment that refutes it."""
    if not isinstance(answer, Mapping):
        raise Problem('give a dictionary, such as {1: "A", 2: "B"}')
    right = {claim: letter for letter, (_, claim, _) in EXPERIMENTS.items() if claim}
    if missing := sorted(set(right) - set(answer)):
        raise Problem(f"claim {missing[0]} is missing")
    if extra := [claim for claim in answer if claim not in right]:
        raise Problem(f"there is no claim {extra[0]!r}; they are numbered 1 to {len(right)}")
    for claim in right:
        letter = str(answer[claim]).strip().upper()
        if letter not in EXPERIMENTS:
            raise Problem(f"claim {claim}: there is no experiment {answer[claim]!r}")
        if letter != right[claim]:
            varied = EXPERIMENTS[letter][2]
            raise Problem(
                f"claim {claim}, “{CLAIMS_TO_TEST[claim]}”: experiment {letter} does not touch it, "
                f"{varied}"
            )
    return (
        "Each experiment varies what its claim is about. Experiment C is the one that is left: it "
        "shows that heads are used, which no claim of the seven denies."
    )


# --- code --------------------------------------------------------------------------------------

Ledger = list[tuple[str, str]]
LEDGERS: tuple[Ledger, ...] = (
    [("1.1", "right"), ("1.2", "wrong"), ("2", "right"), ("2.1", "right"), ("1", "imprecise")],
    [("9.2", "wrong"), ("10.1", "right"), ("2.3", "right"), ("10.2", "missing"), ("9", "right"),
     ("2.9", "right"), ("2.1", "unsupported")],
    [("11.3", "wrong"), ("7.1", "right"), ("11.1", "imprecise")],
    [("3", "right")],
    [],
)  # fmt: skip
Shares = dict[str, float]


def _shares(ledger: Ledger, part_of: Callable[[str], str], counts: Callable[[str], bool]) -> Shares:
    parts = sorted({part_of(section) for section, _ in ledger}, key=float)
    own = {part: [v for section, v in ledger if part_of(section) == part] for part in parts}
    return {part: sum(map(counts, each)) / len(each) for part, each in own.items()}


def _part(section: str) -> str:
    return section.split(".")[0]


def _is_right(verdict: str) -> bool:
    return verdict == "right"


SHARE_MISTAKES: dict[str, Callable[[Ledger], Any]] = {
    "the parts are sorted as words, and 10 comes before 2: sort them as numbers": lambda ledger: (
        dict(sorted(_shares(ledger, _part, _is_right).items()))
    ),
    "the parts come in the order in which the claims do: sort them by number": lambda ledger: {
        part: _shares(ledger, _part, _is_right)[part]
        for part in dict.fromkeys(_part(section) for section, _ in ledger)
    },
    "sections are kept apart: 1.1 and 1.2 both belong to part 1": lambda ledger: _shares(
        ledger, lambda section: section, _is_right
    ),
    "the part is the first character of the section; 10.1 belongs to part 10": lambda ledger: (
        _shares(ledger, lambda section: section[0], _is_right)
    ),
    "each number is a count: divide it by the claims of its own part": lambda ledger: {
        part: share * sum(_part(section) == part for section, _ in ledger)
        for part, share in _shares(ledger, _part, _is_right).items()
    },
    "each number is a share of all claims: divide by the claims of its own part": lambda ledger: {
        part: share * sum(_part(section) == part for section, _ in ledger) / len(ledger)
        for part, share in _shares(ledger, _part, _is_right).items()
    },
    "what is not wrong is counted; only the verdict “right” counts": lambda ledger: _shares(
        ledger, _part, lambda verdict: verdict != "wrong"
    ),
    "parts without a claim that is right are left out; their share is 0": lambda ledger: {
        part: share for part, share in _shares(ledger, _part, _is_right).items() if share
    },
}


def _same_shares(came: Any, wanted: Any) -> bool:
    """Tell whether two mappings have the same parts, in the same order, and the same shares."""
    if not isinstance(came, Mapping) or [str(part) for part in came] != list(wanted):
        return False
    return all(abs(a - b) < 1e-9 for a, b in zip(came.values(), wanted.values(), strict=True))


@exercise
def share_of_right(answer: Callable[..., Any]) -> str:
    """``shares(ledger)``: for each part, in order of its number, the share of claims that hold."""
    results = []
    for ledger in LEDGERS:
        came = returned(answer, {"ledger": list(ledger)})
        if not isinstance(came, Mapping):
            raise Problem(
                f"{name_of(answer)} should return a dictionary, part: share, and returned a "
                f"{type(came).__name__}"
            )
        results.append((ledger, dict(came)))
    wanted = [_shares(ledger, _part, _is_right) for ledger in LEDGERS]
    wrong = [(r, w) for r, w in zip(results, wanted, strict=True) if not _same_shares(r[1], w)]
    if not wrong:
        return "Parts, not sections; in the order of their numbers; each share of its own part."
    for message, mistake in SHARE_MISTAKES.items():
        if all(_same_shares(came, mistake(ledger)) for ledger, came in results):
            raise Problem(message)
    (ledger, came), right = wrong[0]
    raise Problem(f"for {ledger} it should be {right}, and {came} came out")


ARXIV = [
    ("1706.03762", 2017), ("0704.0001", 2008), ("1412.9999", 2015), ("1501.00001", 2015),
    ("1713.01234", 2020), ("1700.01234", 2019), ("1501.0001", 2019), ("1412.00001", 2019),
    ("1706.123456", 2018), ("0812.123", 2010), ("0703.0001", 2010), ("2104.09864", 2020),
    ("1911.02150", 2019), ("9912.00123", 2024),
]  # fmt: skip
MORE_ARXIV = [
    [("1409.0473", 2014), ("1409.0473", 2013), ("2305.13245", 2023)],
    [("1508.4025", 2016), ("0812.1234", 2009), ("0813.1234", 2009)],
    [("2012.00001", 2021)],
    [],
]
Cited = list[tuple[str, int]]


def _faults(number: str, year: int) -> set[str]:
    """Return what is impossible about a number of arXiv that a text of some year cites."""
    date, count = number.split(".")
    faults = set()
    if not 1 <= int(date[2:]) <= 12:
        faults.add("month")
    if int(date) < 704:
        faults.add("early")
    if len(count) != (5 if int(date) >= 1501 else 4):
        faults.add("digits")
    if 2000 + int(date[:2]) > year:
        faults.add("later")
    return faults


LEFT_OUT = {
    "month": "A month from 01 to 12 was not asked for everywhere",
    "early": "Numbers of this kind begin with April 2007",
    "digits": "The second part has four digits to the end of 2014, and five from 2015 on",
    "later": "A text cannot cite what came in a later year",
}


@exercise
def impossible_numbers(answer: Callable[..., Any]) -> str:
    """``impossible(cited)``: those of the (number, year of the citing text) that cannot be."""
    results = []
    for cited in ([*ARXIV], *MORE_ARXIV):
        came = returned(answer, {"cited": list(cited)})
        try:
            named = [str(number) for number in came]
        except TypeError:
            raise Problem(
                f"{name_of(answer)} should return a list of numbers, such as ['1713.01234']"
            ) from None
        results.append((cited, named))

    def right(cited: Cited, without: str | None = None) -> list[str]:
        return [number for number, year in cited if _faults(number, year) - {without}]

    wrong = [(cited, named) for cited, named in results if named != right(cited)]
    if not wrong:
        return (
            "A number that could exist proves nothing yet: look the paper up, and see whether its "
            "title and its authors are the ones that are named."
        )
    for fault, message in LEFT_OUT.items():
        if all(named == right(cited, fault) for cited, named in results):
            raise Problem(message)
    if all(sorted(named) == sorted(right(cited)) for cited, named in results):
        raise Problem("the right numbers, in another order: keep the order in which they are cited")
    cited, named = wrong[0]
    for number, year in cited:
        if (number in named) != bool(_faults(number, year)):
            can = "cannot be" if _faults(number, year) else "is possible"
            raise Problem(f"{number}, cited in a text of {year}, {can}, and was judged otherwise")
    raise Problem(f"for {cited} it should be {right(cited)}, and {named} came out")


def _notebook() -> dict[str, Any]:
    """A small notebook, as its file has it."""

    def stream(*lines: str) -> dict[str, Any]:
        return {"output_type": "stream", "name": "stdout", "text": list(lines)}

    def shown(text: list[str], mime: str = "text/plain") -> dict[str, Any]:
        return {"output_type": "display_data", "data": {mime: text}}

    cells = [
        ("intro", "markdown", ["It is 0.5."], []),
        ("sums", "code", ["print(0.25)  # 7.5"], [stream("sum 0.512\n", "max 3.25")]),
        ("two", "code", ["x"], [stream("a 1\n"), shown(["result: 0.5, -4"])]),
        ("page", "code", ["y"], [shown(["<b>9</b>"], "text/html"), shown(["<table>"])]),
        ("quiet", "code", ["z = 12"], []),
        ("last", "code", ["w"], [stream("12.5 13")]),
        ("words", "code", ["v"], [stream("It is 0.7.\n", "1x5")]),
    ]  # fmt: skip
    return {
        "cells": [
            {"id": name, "cell_type": kind, "source": source}
            | ({"outputs": outputs} if kind == "code" else {})
            for name, kind, source, outputs in cells
        ]
    }


# (cell, number, whether it is shown, what an answer that is wrong here overlooks)
SHOWN = (
    ("sums", "0.512", True, "“sum 0.512” is the first line of that output"),
    ("sums", "3.25", True, "an output is a list of lines: join them all"),
    ("two", "0.5", True, "a cell may have several outputs, and text may stand in data, text/plain"),
    ("two", "-4", True, "“-4” stands in its second output"),
    ("last", "13", True, "“12.5 13” ends with it"),
    ("last", "12.5", True, "“12.5 13” begins with it"),
    ("words", "0.7", True, "“It is 0.7.” has it: the last point ends the sentence"),
    ("sums", "0.51", False, "0.51 is only a part of 0.512: a number ends where its digits do"),
    ("last", "2.5", False, "2.5 is only a part of 12.5: a number begins where its digits do"),
    ("sums", "25", False, "25 stands only as a part of 3.25: a number begins where its digits do"),
    ("words", "1.5", False, "1.5 is not in “1x5”: a point is no other sign"),
    ("words", "0.70", False, "“0.7” is there, and 0.70 is written otherwise"),
    ("last", "12", False, "12 stands only as a part of 12.5: a point and digits belong to it"),
    ("two", "4", False, "4 stands only as a part of -4: a sign belongs to a number"),
    ("sums", "7.5", False, "7.5 stands in its code, and it never printed it"),
    ("quiet", "12", False, "12 stands in its code alone; it has no output"),
    ("two", "0.512", False, "0.512 stands in another cell"),
    ("intro", "0.5", False, "that cell is text: it has no outputs, and computed nothing"),
    ("nowhere", "0.5", False, "there is no cell of that name"),
)  # fmt: skip


@exercise
def number_in_cell(answer: Callable[..., Any]) -> str:
    """``shows(notebook, cell, number)``: whether the cell's output has the number."""
    name = name_of(answer)
    for cell, number, wanted, overlooked in SHOWN:
        inputs = {"notebook": _notebook(), "cell": cell, "number": number}
        came = returned(answer, inputs)
        if came is not True and came is not False:
            raise Problem(f"{name} should return True or False, and returned {came!r}")
        if came != wanted:
            raise Problem(f"the cell {cell!r} and {number!r}: {wanted} is right; {overlooked}")
    return "So every link of the table above is held: a test opens the notebook and asks this."


@exercise
def three_differences(answer: Any) -> str:
    """What belongs into the gaps of three sentences: ``{"a": "attention", "c": 9, ...}``."""
    if not isinstance(answer, Mapping):
        raise Problem('give a dictionary, such as {"a": "attention", "c": 9}')
    if missing := [gap for gap in GAPS if gap not in answer]:
        raise Problem(f"gap {missing[0]} is missing")
    if extra := [gap for gap in answer if gap not in GAPS]:
        raise Problem(f"there is no gap {extra[0]!r}; they are {', '.join(GAPS)}")
    words_right = 0
    for gap, right in GAPS.items():
        came = answer[gap]
        if isinstance(right, str):
            if came not in WORDS:
                raise Problem(f"gap {gap}: {came!r} is none of the words {', '.join(WORDS)}")
            words_right += came == right
            continue
        number, within, claim = right
        if isinstance(came, bool) or not isinstance(came, int | float):
            raise Problem(f"gap {gap}: write a number, without quotes, and not {came!r}")
        if not abs(came - number) <= within:
            raise Problem(f"gap {gap}: {came:g} is not the number; the table has it, {claim}")
    words = sum(isinstance(right, str) for right in GAPS.values())
    if words_right < words:  # which, is not said: of two words the other one would be right
        raise Problem(f"the numbers are right, and {words_right} of the {words} words")
    return " ".join(SENTENCES).format(**answer)
