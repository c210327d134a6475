"""The diagram of `BlockExplorer`: an encoder layer and a decoder layer, with parts left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attention_lab.pictures.style import ACCENT, DARK, GREY
from attention_lab.pictures.svg import image, text

__all__ = ["block_diagram"]

WIDTH, HEIGHT, BOX = 350, 380, 142  # BOX: the width of one


def block_diagram(without: Collection[str]) -> str:
    """Draw an encoder layer and a decoder layer, and which of their parts are missing.

    Parameters
    ----------
    without : collection of str
        Of "residual", "norm", "feed_forward", "output", "position", "causal".

    Returns
    -------
    str
        One ``<img>`` of 350 × 380 pixels with an alternative text.
    """
    encoder, decoder = 14, 200  # left edges of the boxes
    causal = "no mask" if "causal" in without else "causal"
    parts, _ = _column(encoder, "encoder layer", ["self-attention", "feed-forward"], without)
    drawn, at = _column(
        decoder,
        "decoder layer",
        [f"self-attention, {causal}", "cross-attention", "feed-forward"],
        without,
    )
    end, into = encoder + BOX // 2, at["cross-attention"] + 11
    parts += [
        *drawn,
        f'<path d="M{end} 60 H{decoder - 20} V{into} H{decoder - 3}" fill="none" '
        f'stroke="{DARK}" stroke-width="2"/>'
        f'<path d="M{decoder} {into} l-7 -4 v8 z" fill="{DARK}"/>',
        _said((end + decoder - 20) / 2, 55, "memory"),
    ]
    missing = f"without {', '.join(without)}" if without else "with all parts"
    alternative = f"encoder and decoder layer, {missing}".replace("_", " ")
    return image(parts, alternative, WIDTH, HEIGHT)


def _column(
    x: int, title: str, layers: Sequence[str], without: Collection[str]
) -> tuple[list[str], dict[str, int]]:
    """Draw one layer from the bottom up; return the parts, and where each box has its top."""
    middle, y, at = x + BOX // 2, HEIGHT - 26, {}
    parts = [
        f'<path d="M{middle} {y} V26" stroke="{DARK}" stroke-width="2"/>'
        f'<path d="M{middle} 22 l-4 8 h8 z" fill="{DARK}"/>'
    ]
    gone = "position" in without
    parts += _box(x, y, "tokens (places: out)" if gone else "tokens + places")
    for name in layers:
        low = y - 6
        boxes = _boxes(name, without)
        y -= 14
        for each, is_out in boxes.items():
            y -= 25
            parts += _box(x, y, each, is_out)
            at[each] = y
        y -= 12
        if "residual" not in without and not boxes.get("feed-forward"):
            parts += _way_around(x, middle, low, y)
    parts.append(_said(middle, 14, title, look='font-weight="bold"'))
    return parts, at


def _boxes(layer: str, without: Collection[str]) -> dict[str, bool]:
    """Return the boxes of one sub-layer from the bottom up, and which of them are out."""
    if layer == "feed-forward":  # out with its norm
        out = "feed_forward" in without
        return {"norm": out or "norm" in without, layer: out}
    return {"norm": "norm" in without, layer: False, "W_O": "output" in without}


def _box(x: int, y: int, name: str, is_out: bool = False) -> list[str]:
    look = 'fill="#ffffff" stroke-dasharray="4 3"' if is_out else 'fill="#e8edf3"'
    ink = GREY if is_out else "#000000"
    return [
        f'<rect x="{x}" y="{y}" width="{BOX}" height="22" rx="4" {look} stroke="{GREY}"/>',
        _said(x + BOX / 2, y + 15, f"{name}: out" if is_out else name, ink),
    ]


def _way_around(x: int, middle: int, low: int, y: int) -> list[str]:
    return [
        f'<path d="M{middle} {low} H{x - 8} V{y} H{middle}" fill="none" '
        f'stroke="{ACCENT}" stroke-width="2"/>'
        f'<circle cx="{middle}" cy="{y}" r="7" fill="#ffffff" stroke="{ACCENT}" '
        'stroke-width="2"/>',
        _said(middle, y + 4, "+", look='font-weight="bold"'),
    ]


def _said(x: float, y: float, said: str, ink: str = "#000000", look: str = "") -> str:
    return text(x, y, said, f'text-anchor="middle" fill="{ink}" {look}')
