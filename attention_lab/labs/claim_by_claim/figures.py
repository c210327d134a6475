"""The picture on top of notebook 17."""

from __future__ import annotations

from matplotlib.figure import Figure

from attention_lab.labs.claim_by_claim.ledger import SECTIONS, claims, matching, tally
from attention_lab.labs.claim_by_claim.table import LOOKS
from attention_lab.pictures.picture import Picture, in_own_style

__all__ = ["opening"]


@in_own_style
def opening() -> Picture:
    """Draw how many claims of each part of the article got which verdict."""
    parts = {part: tally(matching(claims(), part=part)) for part in SECTIONS}
    figure = Figure(figsize=(8.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{part} {name}" for part, name in SECTIONS.items()]
    left = [0] * len(parts)
    for verdict, (sign, color, ink, hatch) in LOOKS.items():
        numbers = [counted[verdict] for counted in parts.values()]
        axes.barh(names, numbers, left=left, color=color, edgecolor="#000000", lw=0.6, hatch=hatch,
                  label=f"{sign} {verdict}")  # fmt: skip
        for place, (start, n) in enumerate(zip(left, numbers, strict=True)):
            if n:
                patch = {"facecolor": color, "edgecolor": "none", "pad": 1.2}
                axes.text(start + n / 2, place, str(n), ha="center", va="center", color=ink,
                          fontsize=9, bbox=patch)  # fmt: skip
        left = [start + n for start, n in zip(left, numbers, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="claims", xlim=(0, max(left) + 1))
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="lower right")
    said = "; ".join(
        f"{name}: " + ", ".join(f"{n} {verdict}" for verdict, n in counted.items() if n)
        for name, counted in zip(names, parts.values(), strict=True)
    )
    return Picture(figure, f"Verdicts on {len(claims())} claims by part of the article. {said}.")
