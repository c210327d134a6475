"""Still pictures of notebook 14."""

from __future__ import annotations

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from attention_lab.labs.speech.listener import Listener, Window
from attention_lab.labs.speech.pictures import FRAME_MS, Alignment
from attention_lab.labs.speech.runs import kept_listener
from attention_lab.labs.speech.tones import dial
from attention_lab.labs.speech.training import TONE_BANDS, Batch, heard_call
from attention_lab.labs.speech.words import WORD_BANDS
from attention_lab.pictures.picture import Picture, in_own_style
from attention_lab.pictures.style import ACCENT, colormap

__all__ = ["alignment", "bands", "heard", "opening"]

NUMBER = "271905"


def heard(
    model: Listener, batch: Batch, index: int = 0, *, window: Window | None = None
) -> Alignment:
    """Let a listener write one sound of a batch, and return what there is to draw.

    Parameters
    ----------
    model : Listener
    batch : Batch
    index : int
        Which sound.
    window : callable, optional
        As for `Listener.write`.
    """
    length = batch.lengths[index : index + 1]
    features = batch.features[index : index + 1, : int(length)]
    written = model.write(features, length, window=window)
    number = batch.numbers[index]
    named = TONE_BANDS if features.shape[2] == len(TONE_BANDS) else WORD_BANDS
    return Alignment(
        features[0], named, number, batch.spans[index, : len(number)], written.digits[0],
        written.weights[0], model.stride,
    )  # fmt: skip


@in_own_style
def bands(drawn: Alignment, *, title: str) -> Picture:
    """Draw the energy in each band over time, with the digits above it."""
    figure = Figure(figsize=(8.2, 2.5), layout="constrained")
    axes = figure.add_subplot()
    _draw_bands(axes, drawn)
    axes.set_xlabel("milliseconds")
    figure.suptitle(title, fontsize=11)
    spans = (drawn.spans * FRAME_MS).round().int().clamp(min=0).tolist()
    told = ", ".join(
        f"{digit} from {start} to {end} ms"
        for digit, (start, end) in zip(drawn.number, spans, strict=True)
    )
    return Picture(figure, f"{title}: {told}.")


@in_own_style
def alignment(drawn: Alignment, *, title: str) -> Picture:
    """Draw a sound, and on the same axis of time where each written digit looked."""
    rows = drawn.rows
    figure = Figure(figsize=(8.2, 2.6 + 0.24 * len(rows)), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.9, 0.2 * len(rows) + 0.4])
    _draw_bands(above, drawn)
    step = drawn.stride * FRAME_MS
    n_k = drawn.weights.shape[1]
    below.imshow(
        drawn.weights[: len(rows)].numpy(), aspect="auto", cmap=colormap(weights=True),
        vmin=0, vmax=1,
        extent=(-step / 2, (n_k - 0.5) * step, len(rows) - 0.5, -0.5), interpolation="nearest",
    )  # fmt: skip
    for i, (start, end) in enumerate((drawn.spans * FRAME_MS).tolist()[: len(rows)]):
        below.add_patch(
            Rectangle((start, i - 0.45), end - start, 0.9, fill=False, ec=ACCENT, lw=1.5)
        )
    below.set_yticks(range(len(rows)), rows)
    below.set(xlabel="milliseconds (outlined: where the digit truly lies)", ylabel="written")
    below.set_xlim(0, len(drawn.features) * FRAME_MS)
    figure.suptitle(title, fontsize=11)
    said = f"{title}: of {drawn.number} it writes {drawn.written or 'nothing'}. Largest weights: "
    return Picture(figure, f"{said}{drawn.said()}.")


def _draw_bands(axes: Axes, drawn: Alignment) -> None:
    frames, n_bands = drawn.features.shape
    axes.imshow(
        drawn.features.T.numpy(), aspect="auto", origin="lower", cmap=colormap(weights=True),
        vmin=-1.4,
        vmax=1.6, extent=(-FRAME_MS / 2, (frames - 0.5) * FRAME_MS, -0.5, n_bands - 0.5),
        interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks([band for band, _ in drawn.bands], [name for _, name in drawn.bands])
    for digit, (start, end) in zip(drawn.number, drawn.spans.tolist(), strict=True):
        middle = (start + end) / 2 * FRAME_MS
        axes.text(middle, n_bands - 0.3, digit, ha="center", va="bottom", fontweight="bold")
    axes.set_xlim(0, frames * FRAME_MS)


def opening() -> Picture:
    """Draw a dialled number, and where the kept listener looked for each digit."""
    _, batch = heard_call(dial(NUMBER, seed=1))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    drawn = heard(kept_listener("tones", "location"), batch)
    torch.set_num_threads(threads)
    return alignment(drawn, title="A dialled number, and where a listener looks for each digit")
