"""Every claim of the article: what it says, in our words, what holds, and the cell that shows it.

The claims are in ``claims.json``, a line each. A test opens every notebook that is named there,
and finds the cell and the number in it.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from attention_lab.models.kept import read_json

__all__ = ["SECTIONS", "VERDICTS", "Claim", "claims", "matching", "part_of", "tally"]

# what a verdict means, in the order in which verdicts are shown
VERDICTS = {
    "right": "holds as it stands",
    "imprecise": "holds under a condition, or after a correction",
    "wrong": "does not hold",
    "unsupported": "nothing in the text supports it, and it is no matter of course",
    "missing": "is not said, and has to be",
}
SECTIONS = {
    "0": "Title and abstract",
    "1": "Background",
    "2": "Concepts",
    "3": "Algorithm",
    "4": "Mathematics",
    "5": "Code",
    "6": "Applications",
    "7": "Resources",
    "8": "Outlook",
    "9": "Ten questions",
}


# may stand in an address behind its #, and in a link of Markdown
IN_FRAGMENT = "!$&'*+,;=:@/?"


class Claim(NamedTuple):
    """A claim of the article.

    Attributes
    ----------
    name : str
        Such as ``C013``.
    section : str
        Where the article says it, such as ``2.2``; ``0`` is title and abstract.
    verdict : str
        One of `VERDICTS`.
    opposite : list of str
        The claims of the article that say the opposite, or ``["its code"]``.
    claim, answer : str
        What it says, and what holds, a sentence or two each.
    number : str
        What shows it.
    notebook, cell, heading : str
        Where it is shown: the name of the notebook without its ending, the id of the cell, and the
        heading above it.
    find : str
        What stands in the output of that cell.
    """

    name: str
    section: str
    verdict: str
    opposite: list[str]
    claim: str
    answer: str
    number: str
    notebook: str
    cell: str
    heading: str
    find: str

    @property
    def contradicts(self) -> bool:
        """Whether another place of the article says the opposite."""
        return bool(self.opposite)

    @property
    def link(self) -> str:
        """The address of the heading above the cell, as JupyterLab and nbconvert make it."""
        return f"{self.notebook}.ipynb#{quote(self.heading.replace(' ', '-'), safe=IN_FRAGMENT)}"

    @property
    def place(self) -> str:
        """Where it is shown, in words."""
        return f"notebook {self.notebook[:2]}, “{self.heading.replace('$', '')}”"


@functools.cache
def claims() -> tuple[Claim, ...]:
    """Return all claims, in the order of the article."""
    return tuple(Claim(**each) for each in read_json(__package__, "claims.json"))


def part_of(section: str) -> str:
    """Return the number of the part of the article that a section belongs to."""
    return section.split(".")[0]


def matching(
    among: Iterable[Claim],
    *,
    part: str | None = None,
    verdict: str | None = None,
    contradicts: bool = False,
    text: str = "",
) -> list[Claim]:
    """Return the claims that meet every condition.

    Parameters
    ----------
    among : iterable of Claim
    part : str, optional
        The number of a part of the article.
    verdict : str, optional
        One of `VERDICTS`.
    contradicts : bool
        Only those that the article itself contradicts.
    text : str
        Words; each must stand in the name, the claim, the answer or the number, in any case.
    """
    words = text.lower().split()

    def meets(claim: Claim) -> bool:
        said = f"{claim.name} {claim.section} {claim.claim} {claim.answer} {claim.number}".lower()
        return (
            part in (None, part_of(claim.section))
            and verdict in (None, claim.verdict)
            and (claim.contradicts or not contradicts)
            and all(word in said for word in words)
        )

    return [claim for claim in among if meets(claim)]


def tally(among: Iterable[Claim]) -> dict[str, int]:
    """Return how many claims have each verdict, in the order of `VERDICTS`."""
    counted = Counter(claim.verdict for claim in among)
    return {verdict: counted[verdict] for verdict in VERDICTS}
