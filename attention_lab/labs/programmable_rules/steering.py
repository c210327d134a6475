"""One text read by the real model under a mode, and the same text without it.

What the widget shows first, and the picture on top of the notebook, are kept in ``steered.json``
beside this file, which ``tools/steering.py`` makes: both are there without the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache

import torch
from torch import Tensor

from attention_lab.core import modes
from attention_lab.core.modes import Mode
from attention_lab.models.kept import read_json
from attention_lab.models.language_model import programmed, recorded
from attention_lab.models.pretrained import SmolLM2

__all__ = [
    "ANIMALS",
    "MOST_WRITTEN",
    "NAMED",
    "STRENGTH",
    "Compared",
    "Reading",
    "as_text",
    "compared",
    "kept",
    "opening_bars",
]

ANIMALS = "There were a cat, a dog and a horse in the yard. I fed the"
NAMED = ("cat", "dog", "horse")
STRENGTH = 4.0  # of the bias on the animal, for the last query only
MOST_WRITTEN = 16  # tokens that a text is continued by
ROWS = 8  # words that may come next
WORDS_OF_PICTURE = 9  # tokens of the continuations in the picture on top


class Reading:
    """A text that a model reads under a mode: what comes next, and where the last token looks.

    Parameters
    ----------
    lm : SmolLM2
    text : str
    mode : Mode, optional
        None: the model as it is.
    layers, heads : optional
        Where the mode acts, as for `programmed`.

    Attributes
    ----------
    chances : Tensor, shape (n_words,)
        The probability of each token to come next.
    weights : Tensor, shape (n_layers, n_heads, n)
        Of the last query.
    """

    def __init__(
        self,
        lm: SmolLM2,
        text: str,
        mode: Mode | None = None,
        layers: Iterable[int] | None = None,
        heads: Iterable[int] | None = None,
    ) -> None:
        self.lm, self.mode, self.layers, self.heads = lm, mode, layers, heads
        with self._obeying(), recorded(lm.model) as found:
            self.chances = lm.probabilities(text)
        last = torch.stack([found[head][0][0, -1] for head in sorted(found)])
        self.weights = last.unflatten(0, (lm.model.config.n_layers, -1))
        self._coming, self._written = lm.new_tokens(text, MOST_WRITTEN), []
        self._stopped_by: ValueError | None = None

    @contextmanager
    def _obeying(self) -> Iterator[None]:
        with ExitStack() as stack:
            if self.mode is not None:
                acting = programmed(self.lm.model, self.mode, self.layers, self.heads)
                stack.enter_context(acting)
            yield

    def written(self, n: int) -> str:
        """Return how the text goes on, up to ``n`` tokens; each is computed once.

        Raises
        ------
        ValueError
            The mode knows no position so far on.
        """
        with self._obeying():
            while len(self._written) < n:
                if self._stopped_by:  # a generator that has raised once is only at its end
                    raise self._stopped_by
                try:
                    new = next(self._coming, None)
                except ValueError as error:
                    self._stopped_by = error
                    raise
                if new is None:
                    break
                self._written.append(new)
        return self.lm.write(self._written[:n])


@dataclass(frozen=True)
class Compared:
    """A text before and after a mode, as it is shown.

    Attributes
    ----------
    pieces : list of str
        The tokens of the text.
    next : list of (str, float, float)
        What may come next, and its probability before and after.
    looks : list of (float, float)
        The weight of the last query on each token before and after, a mean over chosen heads.
    written : (str, str)
        How the text goes on.
    """

    pieces: list[str]
    next: list[tuple[str, float, float]]
    looks: list[tuple[float, float]]
    written: tuple[str, str]


def compared(before: Reading, after: Reading, pieces: list[str], n: int) -> Compared:
    """Put two readings of one text side by side, with ``n`` tokens written.

    The words are the likeliest of the two; the weights are a mean over the heads in which the
    mode of ``after`` acts.
    """
    best = torch.maximum(before.chances, after.chances).topk(ROWS).indices
    best = best[before.chances[best].argsort(descending=True)].tolist()
    words = [before.lm.pieces(torch.tensor([[number]]))[0] for number in best]
    chances = [each.chances[best].tolist() for each in (before, after)]
    looks = [_mean(each.weights, after.layers, after.heads).tolist() for each in (before, after)]
    return Compared(
        pieces,
        list(zip(words, *chances, strict=True)),
        list(zip(*looks, strict=True)),
        (before.written(n), after.written(n)),
    )


def _mean(weights: Tensor, layers: Iterable[int] | None, heads: Iterable[int] | None) -> Tensor:
    """Take the mean over chosen heads: (n_layers, n_heads, n) -> (n,)."""
    weights = weights if layers is None else weights[list(layers)]
    weights = weights if heads is None else weights[:, list(heads)]
    return weights.mean(dim=(0, 1))


def opening_bars(lm: SmolLM2) -> dict[str, tuple[list[float], str]]:
    """Return, for no mode and a spotlight on each animal, what the picture on top shows.

    For each the probabilities of the three animals, and how the text goes on.
    """
    last = len(lm.pieces(ANIMALS)) - 1
    found = {}
    for name in ("", *NAMED[1:]):
        mode = None
        if name:
            mode = modes.spotlight(lm.find(ANIMALS, f" {name}"), STRENGTH, queries=[last])
        reading = Reading(lm, ANIMALS, mode)
        chances = [reading.chances[lm.token(f" {each}")].item() for each in NAMED]
        found[name] = chances, reading.written(WORDS_OF_PICTURE)
    return found


def as_text(start: Compared, bars: dict[str, tuple[list[float], str]]) -> str:
    """Write what is kept as JSON, numbers with six digits."""

    def rounded(given: object) -> object:
        if isinstance(given, float):
            return round(given, 6)
        if isinstance(given, (list, tuple)):
            return [rounded(each) for each in given]
        return given

    found = {name: rounded(each) for name, each in asdict(start).items()}
    kept = {"start": found, "bars": {name: rounded(each) for name, each in bars.items()}}
    return json.dumps(kept, ensure_ascii=False) + "\n"


@cache
def kept() -> tuple[Compared, dict[str, tuple[list[float], str]]]:
    """Return what is kept: the first state of the widget, and the numbers of the picture on top."""
    found = read_json(__package__, "steered.json")
    start = found["start"]
    return (
        Compared(
            start["pieces"],
            [tuple(each) for each in start["next"]],
            [tuple(each) for each in start["looks"]],
            tuple(start["written"]),
        ),
        {name: (chances, text) for name, (chances, text) in found["bars"].items()},
    )
