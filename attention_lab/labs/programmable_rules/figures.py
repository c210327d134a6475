"""The picture on top of notebook 10."""

from __future__ import annotations

from matplotlib.figure import Figure

from attention_lab.labs.programmable_rules.steering import ANIMALS, NAMED, STRENGTH, kept
from attention_lab.pictures.picture import Picture, in_own_style
from attention_lab.pictures.style import ACCENT, DARK, GREY, format_weight

__all__ = ["opening"]


@in_own_style
def opening() -> Picture:
    """Draw what SmolLM2 says next, without a rule and with a bias on one animal."""
    _, bars = kept()
    figure = Figure(figsize=(8.4, 3.5), layout="constrained")
    figure.suptitle(f"“{ANIMALS} …”", fontsize=11)
    said = []
    for axes, (name, (chances, text)) in zip(
        figure.subplots(len(bars), 1, sharex=True), bars.items(), strict=True
    ):
        rule = f"+{STRENGTH:g} on “{name}”" if name else "no rule"
        colors = [ACCENT if each == name else DARK for each in NAMED]
        axes.barh(range(len(NAMED)), chances, color=colors, height=0.7)
        axes.set_yticks(range(len(NAMED)), NAMED, fontsize=10)
        axes.invert_yaxis()
        axes.set_xlim(0, 2.05)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        for i, chance in enumerate(chances):
            axes.text(chance + 0.015, i, format_weight(chance), va="center", fontsize=9, color=GREY)
        axes.text(1.2, 0.35, rule, fontsize=11, fontweight="bold", va="center")
        axes.text(1.2, 1.45, f"… the{text}", fontsize=10, va="center")
        pairs = zip(NAMED, map(format_weight, chances), strict=True)
        said.append(f"{rule}: {', '.join(map(' '.join, pairs))}")
    axes.set_xlabel("probability of the next word", loc="left")
    return Picture(figure, f"{'; '.join(said)}.")
