"""Right answers, and wrong ones with what must be said of them."""

import re

FILLED = {
    "a": "attention",
    "b": "a convolution",
    "c": 9,
    "d": "both",
    "e": "both",
    "f": 0.973,
    "g": 0.065,
    "h": "more",
    "i": 768,
}


def shares_by_loop(ledger):
    parts = sorted({int(float(section.split(".")[0])) for section, _ in ledger})
    result = {}
    for part in parts:
        own = [v for section, v in ledger if section.split(".")[0] == str(part)]
        result[str(part)] = own.count("right") / len(own)
    return result


def shares_by_counts(ledger):
    right, all_of = {}, {}
    for section, verdict in ledger:
        part = int(section.partition(".")[0])
        all_of[part] = all_of.get(part, 0) + 1
        right[part] = right.get(part, 0) + (verdict == "right")
    return {str(part): right[part] / all_of[part] for part in sorted(all_of)}


def shares(ledger, part=lambda section: section.split(".")[0], key=int, counts=("right",)):
    found = {}
    for section, verdict in ledger:
        found.setdefault(part(section), []).append(verdict in counts)
    order = sorted(found, key=key) if key else found
    return {each: sum(found[each]) / len(found[each]) for each in order}


def impossible(cited, faults=("month", "early", "digits", "later")):
    found = []
    for number, year in cited:
        date, count = number.split(".")
        wrong = {
            "month": not 0 < int(date[2:]) < 13,
            "early": date < "0704",
            "digits": len(count) != (4 if date < "1501" else 5),
            "later": 2000 + int(date[:2]) > year,
        }
        if any(wrong[fault] for fault in faults):
            found.append(number)
    return found


def too_few_digits(cited):
    """Ask for at least five digits since 2015, and at most four before."""
    found = impossible(cited, ("month", "early", "later"))
    return [
        number
        for number, _ in cited
        if number in found or (len(number) < 10 if number >= "1501" else len(number) > 9)
    ]


def impossible_by_pattern(cited):
    four = r"(?:0[7-9]|1[0-4])(?:0[1-9]|1[0-2])\.\d{4}"
    five = r"(?:1[5-9]|[2-9]\d)(?:0[1-9]|1[0-2])\.\d{5}"
    return tuple(
        number
        for number, year in cited
        if not re.fullmatch(f"{four}|{five}", number)
        or int(number[:4]) < 704
        or int(number[:2]) + 2000 > year
    )


def outputs_of(notebook, cell, source=False):
    found = []
    for each in notebook["cells"]:
        if each["id"] == cell:
            found += ["".join(each["source"])] if source else []
            for output in each.get("outputs", []):
                found.append("".join(output.get("text", [])))
                found.append("".join(output.get("data", {}).get("text/plain", [])))
    return "\n".join(found)


def shows(notebook, cell, number):
    numbers = re.findall(r"-?\d+(?:\.\d+)?", outputs_of(notebook, cell))
    return number in numbers


def by_sign(before=r"(?<![\d.-])", escaped=True, after=r"(?![\d]|\.\d)"):
    """Look for the number between other signs than its own."""

    def shows_between(notebook, cell, number):
        inside = re.escape(number) if escaped else number
        return re.search(before + inside + after, outputs_of(notebook, cell)) is not None

    return shows_between


def as_floats(notebook, cell, number):
    numbers = re.findall(r"-?\d+(?:\.\d+)?", outputs_of(notebook, cell))
    return float(number) in map(float, numbers)


def first_output_only(notebook, cell, number):
    for each in notebook["cells"]:
        if each["id"] == cell and each.get("outputs"):
            return number in re.findall(r"-?[\d.]+", "".join(each["outputs"][0].get("text", [])))
    return False


def anywhere(notebook, cell, number):
    text = "".join(outputs_of(notebook, each["id"]) for each in notebook["cells"])
    return number in re.findall(r"-?\d+(?:\.\d+)?", text)


MATCHED = {1: "E", 2: "B", 3: "H", 4: "A", 5: "D", 6: "F", 7: "G"}
PAIRS = ["AM", "BG", "CL", "DK", "FJ", "HO", "IN"]

RIGHT = {
    "contradicting_pairs": [
        [pair[::-1] for pair in PAIRS],
        {pair.lower() for pair in PAIRS},
        ", ".join(PAIRS),
        [tuple(pair) for pair in PAIRS],
        ["-".join(pair) for pair in PAIRS],
    ],
    "sound_references": ["fdba", ["A", "B", "D", "F"]],
    "refuting_experiments": [
        {claim: letter.lower() for claim, letter in MATCHED.items()},
        dict(reversed(MATCHED.items())),
    ],
    "share_of_right": [shares_by_loop, shares_by_counts, shares],
    "impossible_numbers": [impossible, impossible_by_pattern],
    "number_in_cell": [shows, by_sign()],
    "three_differences": [
        FILLED,
        FILLED | {"c": 9.0, "f": 0.97, "g": 1280000 * 2 / 39321600, "i": 3 * 512 / 2},
        dict(reversed(FILLED.items())),
    ],
}
WRONG = {
    "contradicting_pairs": [
        (PAIRS[:4], "4 pairs, each of them right; there are more"),
        ([*PAIRS, "AB"], "7 of your 8 pairs contradict each other"),
        (["AZ"], "'AZ' is no pair of two letters"),
        (["AA"], "does not contradict itself"),
        (7, "name pairs of letters"),
        ([], "0 pairs"),
    ],
    "sound_references": [
        ("ABCDEFGH", "4 of the 8 statements are judged right"),
        ("ABDEF", "7 of the 8 statements are judged right"),
        ("CEGH", "0 of the 8 statements are judged right"),
    ],
    "refuting_experiments": [
        ("EBHADFG", "give a dictionary"),
        ({1: "E"}, "claim 2 is missing"),
        (MATCHED | {8: "C"}, "there is no claim 8"),
        (MATCHED | {3: "Z"}, "claim 3: there is no experiment 'Z'"),
        (MATCHED | {2: "C"}, "experiment C does not touch it, it asks whether heads are used"),
        (MATCHED | {1: "F"}, "experiment F does not touch it, it compares sums of weights"),
    ],
    "share_of_right": [
        (lambda ledger: shares(ledger, key=str), "sorted as words"),
        (lambda ledger: shares(ledger, key=None), "in which the claims do"),
        (lambda ledger: shares(ledger, part=str, key=float), "sections are kept apart"),
        (lambda ledger: shares(ledger, part=lambda s: s[0]), "first character"),
        (lambda ledger: shares(ledger, counts=("right", "imprecise")), "it should be"),
        (
            lambda ledger: shares(ledger, counts=("right", "imprecise", "missing", "unsupported")),
            "what is not wrong is counted",
        ),
        (
            lambda ledger: {part: share for part, share in shares(ledger).items() if share},
            "their share is 0",
        ),
        (
            lambda ledger: {
                part: sum(s.split(".")[0] == part and v == "right" for s, v in ledger)
                for part in shares(ledger)
            },
            "each number is a count",
        ),
        (
            lambda ledger: {
                part: sum(s.split(".")[0] == part and v == "right" for s, v in ledger) / len(ledger)
                for part in shares(ledger)
            },
            "share of all claims",
        ),
        (lambda ledger: list(shares(ledger)), "should return a dictionary"),
    ],
    "impossible_numbers": [
        (lambda cited: impossible(cited, ("early", "digits", "later")), "A month from 01 to 12"),
        (lambda cited: impossible(cited, ("month", "digits", "later")), "begin with April 2007"),
        (lambda cited: impossible(cited, ("month", "early", "later")), "five from 2015 on"),
        (lambda cited: impossible(cited, ("month", "early", "digits")), "in a later year"),
        (lambda cited: impossible(cited)[::-1], "in another order"),
        (lambda cited: [], "1713.01234, cited in a text of 2020, cannot be"),
        (lambda cited: [n for n, _ in cited], "1706.03762, cited in a text of 2017, is possible"),
        (lambda cited: [n for n in impossible(cited) for _ in "ab"], "it should be"),
        (lambda cited: 3, "should return a list"),
        (too_few_digits, "1706.123456, cited in a text of 2018, cannot be"),
    ],
    "number_in_cell": [
        (lambda nb, cell, number: number in outputs_of(nb, cell), "ends where its digits do"),
        (
            lambda nb, cell, number: number in re.findall(r"[\d.]+", outputs_of(nb, cell)),
            "'-4': True is right",
        ),
        (
            lambda nb, cell, number: (
                number in re.findall(r"-?\d+(?:\.\d+)?", outputs_of(nb, cell, source=True))
            ),
            "stands in its code",
        ),
        (first_output_only, "a cell may have several outputs"),
        (anywhere, "stands in another cell"),
        (lambda nb, cell, number: True, "is only a part"),
        (by_sign(before=r"(?<![\d-])"), "25 stands only as a part of 3.25"),
        (by_sign(escaped=False), "a point is no other sign"),
        (by_sign(after=r"(?![\d.])"), "the last point ends the sentence"),
        (as_floats, "0.70 is written otherwise"),
        (lambda nb, cell, number: 1, "should return True or False"),
    ],
    "three_differences": [
        ("one sentence", "give a dictionary"),
        ({"a": "attention"}, "gap b is missing"),
        (FILLED | {"k": 1}, "there is no gap 'k'"),
        (FILLED | {"a": "a CNN"}, "gap a: 'a CNN' is none of the words"),
        (FILLED | {"c": "nine"}, "gap c: write a number"),
        (FILLED | {"c": 3}, "gap c: 3 is not the number; the table has it, C127"),
        (FILLED | {"f": 0.991}, "gap f: 0.991 is not the number"),
        (FILLED | {"g": 0.0326}, "gap g: 0.0326 is not the number"),
        (FILLED | {"i": 1536}, "gap i: 1536 is not the number"),
        (FILLED | {"a": "a convolution", "b": "attention"}, "and 3 of the 5 words"),
        (FILLED | {"d": "sequences", "e": "images"}, "and 3 of the 5 words"),
        (FILLED | {"h": "less"}, "and 4 of the 5 words"),
        (FILLED | {"f": float("nan")}, "gap f: nan is not the number"),
    ],
}
