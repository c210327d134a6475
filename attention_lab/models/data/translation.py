"""English phrases, their French translation, and the alignment of the two.

A small grammar makes the phrases, so the right translation and the right alignment of every word
are known. French articles and adjectives agree with their noun in gender and number, most
adjectives follow it, and a possessor stands after what is possessed.
"""

from __future__ import annotations

import random
from typing import NamedTuple

__all__ = ["ENGLISH", "FRENCH", "Phrase", "phrases", "translate", "unknown_words"]


class Phrase(NamedTuple):
    """A phrase in both languages.

    Attributes
    ----------
    english, french : tuple of str
        The words.
    alignment : tuple of int
        For each French word, the place of the English word that it translates.
    """

    english: tuple[str, ...]
    french: tuple[str, ...]
    alignment: tuple[int, ...]


# English: (French, is feminine); the plural adds an s in both languages
NOUNS = {
    "cat": ("chat", False),
    "dog": ("chien", False),
    "book": ("livre", False),
    "garden": ("jardin", False),
    "brother": ("frère", False),
    "wall": ("mur", False),
    "train": ("train", False),
    "bike": ("vélo", False),
    "house": ("maison", True),
    "car": ("voiture", True),
    "flower": ("fleur", True),
    "table": ("table", True),
    "door": ("porte", True),
    "sister": ("sœur", True),
    "lamp": ("lampe", True),
    "chair": ("chaise", True),
}
# masculine, feminine, plural (of both, or masculine and feminine)
DETERMINERS = {
    "the": ("le", "la", "les"),
    "my": ("mon", "ma", "mes"),
    "your": ("ton", "ta", "tes"),
}
# masculine, feminine; the plural adds an s
BEFORE = {"small": ("petit", "petite"), "big": ("grand", "grande"), "pretty": ("joli", "jolie")}
AFTER = {
    "black": ("noir", "noire"),
    "green": ("vert", "verte"),
    "white": ("blanc", "blanche"),
    "red": ("rouge", "rouge"),
    "round": ("rond", "ronde"),
    "heavy": ("lourd", "lourde"),
    "clean": ("propre", "propre"),
    "slow": ("lent", "lente"),
}
POSSESSIVE = "'s"
SINGULARS = {noun + "s": noun for noun in NOUNS}

ENGLISH = (*DETERMINERS, *BEFORE, *AFTER, *NOUNS, *SINGULARS, POSSESSIVE)


def _agree(forms: tuple[str, str], feminine: bool, plural: bool) -> str:
    return forms[feminine] + ("s" if plural else "")


def _noun_phrase(words: tuple[str, ...], start: int) -> tuple[list[str], list[int]]:
    """Translate a determiner, adjectives and a noun; places count from ``start``."""
    determiner, *adjectives, noun = words
    plural = noun in SINGULARS
    french, feminine = NOUNS[SINGULARS.get(noun, noun)]
    last = start + len(words) - 1
    placed = [(adjective, start + 1 + i) for i, adjective in enumerate(adjectives)]
    before = [(BEFORE[a], at) for a, at in placed if a in BEFORE]
    # the adjective nearest to the noun stays nearest: "heavy black book", "livre noir lourd"
    after = [(AFTER[a], at) for a, at in reversed(placed) if a in AFTER]
    forms = DETERMINERS[determiner]
    result = [(forms[2] if plural else forms[feminine], start)]
    result += [(_agree(each, feminine, plural), at) for each, at in before]
    result += [(french + ("s" if plural else ""), last)]
    result += [(_agree(each, feminine, plural), at) for each, at in after]
    return [word for word, _ in result], [at for _, at in result]


def translate(english: str | tuple[str, ...]) -> Phrase:
    """Translate a phrase of the grammar by its rules.

    Parameters
    ----------
    english : str, or tuple of str
        ``"the small black cat"``, or with a possessor: ``"my sister 's red car"``.

    Raises
    ------
    ValueError
        A word is unknown, or the order is not that of the grammar; the text says which.
    """
    words = tuple(english.lower().split()) if isinstance(english, str) else tuple(english)
    if unknown := unknown_words(words):
        raise ValueError(f"unknown: {', '.join(unknown)}; the words are {', '.join(ENGLISH)}")
    parts: list[tuple[int, tuple[str, ...]]] = []
    start = 0
    for index, word in enumerate((*words, POSSESSIVE)):
        if word == POSSESSIVE:
            parts.append((start, words[start:index]))
            start = index + 1
    if not 1 <= len(parts) <= 2:
        raise ValueError("a phrase has one possessor at most: my sister 's red car")
    # the possessed has no determiner of its own in English: it is definite
    if len(parts) == 1:
        _check(parts[0][1])
        french, places = _noun_phrase(parts[0][1], 0)
        return Phrase(words, tuple(french), tuple(places))
    (_, owner), (at, owned) = parts
    _check(owner)
    if owner[0] == "the" or owner[-1] in SINGULARS:  # they would need du and des
        raise ValueError(
            f"“{' '.join(owner)}” cannot be the owner here: write my or your, and one person or "
            "thing, as in “my sister 's red car”"
        )
    _check(("the", *owned))
    french, places = _noun_phrase(("the", *owned), at - 1)  # "the" falls on the 's
    behind, owner_places = _noun_phrase(owner, 0)
    return Phrase(words, (*french, "de", *behind), (*places, at - 1, *owner_places))


def _check(words: tuple[str, ...]) -> None:
    """Hold a noun phrase to its order: determiner, adjectives, noun."""
    example = "write a determiner, adjectives and a noun, as in “the small black cat”"
    if not words:
        raise ValueError(f"a noun phrase is missing: {example}")
    nouns = [word for word in words if word in NOUNS or word in SINGULARS]
    if len(nouns) != 1 or nouns[0] != words[-1]:
        raise ValueError(f"“{' '.join(words)}” must end with its only noun: {example}")
    if words[0] not in DETERMINERS:
        raise ValueError(f"“{' '.join(words)}” must begin with {', '.join(DETERMINERS)}: {example}")
    if stray := [w for w in words[1:-1] if w not in BEFORE and w not in AFTER]:
        raise ValueError(f"“{stray[0]}” is no adjective: {example}")


def unknown_words(words: tuple[str, ...]) -> list[str]:
    """Return the words that the grammar does not know, in their order."""
    return [word for word in words if word not in ENGLISH]


def phrases(count: int, seed: int = 0) -> list[Phrase]:
    """Draw different phrases.

    Parameters
    ----------
    count : int
    seed : int

    Returns
    -------
    list of Phrase
        In a random order, a noun with at most two adjectives; a third have a possessor.
    """
    drawn = random.Random(seed)
    found: dict[tuple[str, ...], None] = {}
    while len(found) < count:
        possessed = drawn.random() < 1 / 3
        words = _draw(drawn, 1 if possessed else 2, ("my", "your"), possessed)
        if possessed:
            words += [POSSESSIVE, *_draw(drawn, 2, None, False)[1:]]
        found[tuple(words)] = None
    return [translate(words) for words in found]


def _draw(drawn: random.Random, most: int, determiners, person: bool) -> list[str]:
    noun = drawn.choice(("brother", "sister")) if person else drawn.choice(list(NOUNS))
    if not person and drawn.random() < 0.3:
        noun += "s"
    adjectives = drawn.sample(list(BEFORE), drawn.random() < 0.35) if most else []
    room = drawn.randint(0, most - len(adjectives)) if most > len(adjectives) else 0
    adjectives += drawn.sample(list(AFTER), room)
    determiner = drawn.choice(determiners if person else list(DETERMINERS))
    return [determiner, *adjectives, noun]


def _french_words() -> tuple[str, ...]:
    words = {form for forms in DETERMINERS.values() for form in forms} | {"de"}
    for forms in (*BEFORE.values(), *AFTER.values()):
        words |= {_agree(forms, feminine, plural) for feminine in (0, 1) for plural in (0, 1)}
    for noun, _ in NOUNS.values():
        words |= {noun, noun + "s"}
    return tuple(sorted(words))


FRENCH = _french_words()
