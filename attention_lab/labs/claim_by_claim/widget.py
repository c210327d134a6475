"""All claims of the article, to be searched and filtered."""

from __future__ import annotations

import sys

from attention_lab.labs.claim_by_claim.ledger import SECTIONS, VERDICTS, Claim, claims, matching
from attention_lab.labs.claim_by_claim.table import by_part, claims_table, counted
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import box, choice, row, text_field, watch

__all__ = ["ClaimBrowser"]

ALL = "all"
LONGEST = 60  # characters of a search
# The frame has one height, with a bar at its side from the start: whatever is found, nothing moves.
SHEET = """<style>
.alab-claim-frame{height:520px;overflow-y:scroll;overflow-x:auto;border:1px solid #767676}
.alab-claim-frame .alab>table,.alab-claim-frame .alab{width:100%}
.alab table.alab-claims{table-layout:fixed;width:100%;min-width:340px}
.alab table.alab-claims td,.alab table.alab-claims th{white-space:normal;vertical-align:top;
overflow-wrap:anywhere;padding:4px 6px}
.alab table.alab-claims thead th{position:sticky;top:0;z-index:1;
background:var(--jp-layout-color0,#ffffff)}
.alab table.alab-claims a{text-decoration:underline}
</style>"""


class ClaimBrowser(LiveView):
    """Search the claims of the article by words, and show one part or one verdict.

    Its twin, for a page without a kernel, has all of them, folded by part of the article.

    Attributes
    ----------
    part, verdict, contradicts, words : ipywidgets
        What is asked for; every condition must be met.
    """

    sheets = SHEET

    def __init__(self) -> None:
        super().__init__()
        parts = [ALL, *(f"{number} {name}" for number, name in SECTIONS.items())]
        self.part = choice("part", parts, width="190px")
        self.verdict = choice("verdict", [ALL, *VERDICTS], width="180px")
        self.words = text_field("words", width="250px")
        # In Colab each key would travel to the cloud and back, and they queue.
        self.words.continuous_update = "google.colab" not in sys.modules
        self.contradicts = box("the article also says the opposite", False)
        self.children = [
            row(self.part, self.verdict, self.words, self.contradicts),
            self.status,
            self.picture,
        ]
        self.redraw()
        watch(self.redraw, self.part, self.verdict, self.words, self.contradicts)

    def found(self) -> list[Claim]:
        """Return the claims that are asked for."""
        return matching(
            claims(),
            part=None if self.part.value == ALL else self.part.value.split()[0],
            verdict=None if self.verdict.value == ALL else self.verdict.value,
            contradicts=self.contradicts.value,
            text=self.words.value[:LONGEST],
        )

    def draw(self) -> tuple[str, str]:
        found = self.found()
        said = f"{counted(found)}." if found else "No claim meets all of this. Ask for less."
        if len(found) == 1:
            said = f"{said} {VERDICTS[found[0].verdict].capitalize()}."
        return f'<div class="alab-claim-frame" tabindex="0">{claims_table(found)}</div>', said

    def twin_html(self) -> str:
        return f"<div>{counted(claims())}. Unfold a part of the article.</div>{by_part(claims())}"

    def twin_text(self) -> str:
        return f"ClaimBrowser, {counted(claims())}."
