"""The claims as an HTML table."""

from __future__ import annotations

from collections.abc import Sequence

from attention_lab.labs.claim_by_claim.ledger import SECTIONS, Claim, part_of, tally
from attention_lab.pictures.style import escaped

__all__ = ["LOOKS", "by_part", "claims_table", "counted"]

# verdict: (sign, background, text, hatch of a bar); the word stands beside the colour everywhere
LOOKS = {
    "right": ("✓", "#08306b", "#ffffff", ""),
    "imprecise": ("≈", "#8fbbdf", "#000000", ""),
    "wrong": ("✗", "#f2b27c", "#000000", ""),
    "unsupported": ("?", "#d9d9d9", "#000000", ""),
    "missing": ("–", "#ffffff", "#000000", "///"),
}
HEADS = {
    "claim, verdict": ' width="124"',
    "the article says": ' width="30%"',
    "what holds, and what shows it": "",
}


def claims_table(claims: Sequence[Claim]) -> str:
    """Return the claims as a table, a row each; without claims its head alone."""
    heads = "".join(
        f'<th class="alab-text" scope="col"{width}>{name}</th>' for name, width in HEADS.items()
    )
    rows = "".join(map(_row, claims))
    return (
        '<div class="alab"><table class="alab-claims">'
        "<caption>Claims of the article</caption><thead><tr>"
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(claim: Claim) -> str:
    sign, background, ink, _ = LOOKS[claim.verdict]
    opposite = f"<br>⇄ against {', '.join(claim.opposite)}" if claim.opposite else ""
    verdict = (
        f'<span class="alab-slab" style="background:{background};color:{ink};padding:1px 5px;'
        f'border:1px solid #767676;font-weight:400">{sign} {claim.verdict}</span>{opposite}'
    )
    said = f"cell {claim.cell}"
    where = (
        f'<a href="{claim.link}" target="_blank" title="{said}">{escaped(claim.place)}</a>, {said}'
    )
    return (
        f'<tr><th class="alab-text" scope="row">{claim.name}<br>§ {claim.section}<br>{verdict}</th>'
        f'<td class="alab-text">{escaped(claim.claim)}</td>'
        f'<td class="alab-text">{escaped(claim.answer)}<br><b>{escaped(claim.number)}</b><br>'
        f"{where}</td></tr>"
    )


def by_part(claims: Sequence[Claim]) -> str:
    """Return a folded table for each part of the article, with its verdicts counted."""
    parts = []
    for part, name in SECTIONS.items():
        own = [claim for claim in claims if part_of(claim.section) == part]
        if own:
            parts.append(
                f"<details><summary><b>{part} {name}</b>: {counted(own)}</summary>"
                f"{claims_table(own)}</details>"
            )
    return "".join(parts)


def counted(claims: Sequence[Claim]) -> str:
    """Say how many claims there are, and how many have each verdict that occurs."""
    each = ", ".join(f"{n} {verdict}" for verdict, n in tally(claims).items() if n)
    return f"{len(claims)} claims: {each}" if len(claims) != 1 else f"1 claim: {each}"
