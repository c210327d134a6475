"""What every matplotlib figure of ours is made with: its style, its numbers, its labels."""

from __future__ import annotations

import base64
import functools
import io
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from matplotlib import font_manager, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from attention_lab.pictures.style import escaped, labels

__all__ = [
    "Picture",
    "in_own_style",
    "label_columns",
    "numbers_of",
    "room_for",
    "texts_of",
    "wrapped",
]

SCREEN_DPI = 84  # text of 9 points is then as large as the code around the figure
PIXELS_PER_POINT = 2  # sharp on screens with two pixels to the point
LONGEST_LABEL = 32  # characters
# For what DejaVu Sans, which comes with matplotlib, has no glyphs; the first that is installed.
FALLBACKS = (
    ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Micro Hei",
     "WenQuanYi Zen Hei", "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "PingFang SC",
     "Hiragino Sans", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS"),
    ("Noto Emoji", "Segoe UI Emoji", "Symbola", "Segoe UI Symbol"),
)  # fmt: skip


_told: set[str] = set()  # characters without a glyph, each named once


@functools.cache
def _own_settings() -> dict[str, Any]:
    installed = set(font_manager.get_font_names())
    found = [next((name for name in names if name in installed), None) for names in FALLBACKS]
    families = ["DejaVu Sans", *(name for name in found if name)]
    # a label is what it says: "$5$" is no formula
    return {"text.parse_math": False, "text.usetex": False, "font.family": families}


@contextmanager
def _own_style() -> Iterator[None]:
    with style.context(["default", _own_settings()]):
        yield


def in_own_style(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """Draw with our own settings, whatever style the user has chosen."""

    @functools.wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Picture:
        with _own_style():
            return draw(*args, **kwargs)

    return drawn


class Picture:
    """A figure and the sentence that says what it shows.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        Not known to pyplot, so that nothing piles up in memory.
    sentence : str
        The alternative text; it stands under the figure.
    """

    def __init__(self, figure: Figure, sentence: str) -> None:
        self.figure = figure
        self.sentence = sentence
        self.missing: set[str] = set()  # characters that no font here has

    def png(self) -> bytes:
        """Return the picture as a PNG on opaque white, the same bytes on every call."""
        buffer = io.BytesIO()
        with _own_style(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.figure.savefig(
                buffer,
                format="png",
                dpi=SCREEN_DPI * PIXELS_PER_POINT,
                facecolor="white",
                metadata={"Software": None},
            )
        self.figure.set_layout_engine("none")  # it would move things a little at every drawing
        for warning in caught:
            if glyph := re.match(r"Glyph (\d+) .*missing from", str(warning.message)):
                self.missing.add(chr(int(glyph[1])))
            else:
                warnings.warn_explicit(
                    warning.message, warning.category, warning.filename, warning.lineno
                )
        return buffer.getvalue()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        width, height = (round(inches * SCREEN_DPI) for inches in self.figure.get_size_inches())
        # The bundle by hand: the Image of IPython 7 (Colab) takes no alternative text.
        bundle = {
            "image/png": base64.b64encode(self.png()).decode(),
            "text/plain": f"<Picture {width} × {height}>",
        }
        details = {"width": width, "height": height, "alt": self.sentence}
        display(bundle, raw=True, metadata={"image/png": details})
        # as HTML: a printed line would break inside words and numbers
        said = f'<div style="max-width:50em;line-height:1.5">{escaped(self.sentence)}</div>'
        display({"text/html": said, "text/plain": self.sentence}, raw=True)
        if untold := sorted(self.missing - _told):
            _told.update(untold)
            print(
                f"No font here has {' '.join(untold)}: boxes stand for them. Noto Sans CJK "
                "(Chinese, Japanese, Korean) or Noto Emoji would be used if it were installed."
            )

    def __repr__(self) -> str:
        return f"Picture: {self.sentence}"


def numbers_of(values: Any) -> Tensor:
    """Return what a learner has (a tensor with a gradient, integers, a list) as plain float64."""
    return torch.as_tensor(values).detach().cpu().double()


def texts_of(given: Sequence[Any] | None, letter: str, count: int, what: str) -> list[str]:
    """Return the labels that were given, as text and not too long, or ``letter`` with a number.

    Raises
    ------
    ValueError
        There are more of them, or fewer, than ``what``.
    """
    if given is None:
        return labels(letter, count)
    texts = [str(each) for each in given]
    if len(texts) != count:
        raise ValueError(f"there are {len(texts)} labels for {count} {what}: {texts[:8]}")
    return [
        text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…" for text in texts
    ]


def label_columns(axes: Axes, texts: Sequence[str], inches: float) -> None:
    """Write the labels under the columns, turned where they are wider than a column."""
    axes.set_xticks(range(len(texts)), texts)
    if max(map(len, texts)) * 0.095 > inches:
        axes.tick_params(axis="x", rotation=60)


def room_for(texts: Sequence[str]) -> float:
    """Return the inches that labels need beyond those that a figure leaves for short ones."""
    return 0.085 * max(0, max(map(len, texts)) - 12)


def wrapped(title: str, inches: float) -> str:
    """Break a title so that it fits above a picture so wide."""
    return textwrap.fill(title, max(int(inches * 11), 20), break_long_words=True)
