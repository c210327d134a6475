"""Right answers, and wrong ones with what must be said of them."""

import re

RIGHT_SENTENCES = [
    "A CNN slides one filter over all places, but in attention the weights depend on the query; "
    "9 heads make a filter of 3 × 3.",
    "Attention reads texts and images: a small ViT gets 97.3 % of the digits.",
    "For short inputs attention is cheaper than a convolution: 0.065 of its work at 50 tokens.",
]


def sentences(first=None, second=None, third=None):
    return [new or old for new, old in zip((first, second, third), RIGHT_SENTENCES, strict=True)]


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


def shows_by_words(notebook, cell, number):
    return number in re.split(r"[^\d.\-]+", outputs_of(notebook, cell))


def first_output_only(notebook, cell, number):
    for each in notebook["cells"]:
        if each["id"] == cell and each.get("outputs"):
            return number in re.findall(r"-?[\d.]+", "".join(each["outputs"][0].get("text", [])))
    return False


def anywhere(notebook, cell, number):
    text = "".join(outputs_of(notebook, each["id"]) for each in notebook["cells"])
    return number in re.findall(r"-?[\d.]+", text)


MATCHED = {1: "E", 2: "B", 3: "H", 4: "A", 5: "D", 6: "F", 7: "G"}
PAIRS = ["AM", "BG", "CL", "DK", "FJ", "HO", "IN"]

RIGHT = {
    "contradicting_pairs": [
        [pair[::-1] for pair in PAIRS],
        {pair.lower() for pair in PAIRS},
        ", ".join(PAIRS),
    ],
    "sound_references": ["fdba", ["A", "B", "D", "F"]],
    "refuting_experiments": [
        {claim: letter.lower() for claim, letter in MATCHED.items()},
        dict(reversed(MATCHED.items())),
    ],
    "share_of_right": [shares_by_loop, shares_by_counts, shares],
    "impossible_numbers": [impossible, impossible_by_pattern],
    "number_in_cell": [shows, shows_by_words],
    "three_differences": [
        RIGHT_SENTENCES,
        sentences(
            "The weights of a convolution do not depend on the content, those of attention do; "
            "nine heads are a 3 × 3 filter.",
            "Not only sequences: attention in a ViT reads images, 0.97 of the digits.",
            "At 50 tokens attention needs fewer multiplications, 6.5 % of the convolution; for a "
            "long text it needs more.",
        ),
        tuple(RIGHT_SENTENCES),
        sentences(
            "Unlike a convolution, attention has weights that depend on its input; 9 heads.",
            "Transformers read images and language; accuracy .973.",
            "For 50 tokens the core of attention does 6.5 % of the multiplications of the "
            "convolution, for long inputs it does more.",
        ),
        sentences(
            "A CNN's weights don't depend on the input; attention's do. Nine heads are a filter.",
            "Attention is used for images too, not only for text: a small ViT reads 0.973.",
            "With 50 tokens the convolution is dearer: attention does 0.065 of its work.",
        ),
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
    ],
    "number_in_cell": [
        (lambda nb, cell, number: number in outputs_of(nb, cell), "ends where its digits do"),
        (
            lambda nb, cell, number: number in re.findall(r"[\d.]+", outputs_of(nb, cell)),
            "'-4': True is right",
        ),
        (
            lambda nb, cell, number: (
                number in re.findall(r"-?[\d.]+", outputs_of(nb, cell, source=True))
            ),
            "stands in its code",
        ),
        (first_output_only, "a cell may have several outputs"),
        (anywhere, "stands in another cell"),
        (lambda nb, cell, number: True, "is only a part"),
        (lambda nb, cell, number: 1, "should return True or False"),
    ],
    "three_differences": [
        ("one sentence", "give a list of three sentences"),
        (RIGHT_SENTENCES[:2], "there are 2 sentences"),
        (sentences(first="Attention and a CNN differ in 9 ways."), "what the weights of attention"),
        (sentences(first="Attention depends on the content, a CNN does not."), "has no number"),
        (
            sentences(first="Attention depends on content, a CNN does not: 3 heads are a filter."),
            "has the number 3",
        ),
        (
            sentences(first="The weights of attention do not depend on the input; 9 heads."),
            "does not name a convolution",
        ),
        (
            sentences(
                first="Attention weights do not depend on the content, those of a filter are "
                "fixed; 9 heads."
            ),
            "denies that weights depend on the content",
        ),
        (
            sentences(first="A CNN looks at the content, and attention at offsets, with 9 heads."),
            "says it of the convolution",
        ),
        (
            sentences(second="Attention reads sequences, a CNN images, and gets 0.991 right."),
            "it needs the accuracy of the small ViT",
        ),
        (
            sentences(second="Attention is only for sequences, and images get 0.973."),
            "says “only”",
        ),
        (
            sentences(third="Attention costs a convolution's work at 50 tokens."),
            "has the number 50; it needs the work",
        ),
        (
            sentences(third="Attention is dearer than a CNN at 50 tokens, by 0.065."),
            "says the opposite",
        ),
        (sentences(second="Attention cannot read images, it reads texts; 0.973."), "denies one"),
        (sentences(second="A ViT reads sequences and not images: 0.973."), "denies one"),
        (
            sentences(third="Attention is always cheaper than a CNN, at 50 tokens 0.065."),
            "says “always”",
        ),
        (
            sentences(third="A CNN costs less at 50 tokens: 0.065 of the work of attention."),
            "says the opposite",
        ),
        (
            sentences(third="At 50 tokens attention is not cheaper than a CNN: 0.065."),
            "says the opposite",
        ),
    ],
}
