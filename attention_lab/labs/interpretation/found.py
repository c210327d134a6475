"""Heads of SmolLM2 that have a name, and texts on which they can be seen."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.labs.interpretation.given import Given, read
from attention_lab.models.kept import read_json
from attention_lab.models.language_model import Head
from attention_lab.models.pretrained import SmolLM2

__all__ = [
    "EXAMPLES",
    "FOUND",
    "Example",
    "copying_losses",
    "kept",
    "lessons",
    "measured",
    "packed",
    "weights_of",
]

FOUND: dict[Head, str] = {
    (16, 0): "the token before",
    (11, 1): "the token before, second",
    (18, 6): "induction: what came next last time",
    (17, 4): "induction, second",
    (9, 2): "she, he: to the name",
    (13, 8): "it: to the noun",
    (26, 0): "the verb: to its subject",
    (23, 3): "who gave it",
    (8, 1): "second mention: to the first",
    (1, 5): "quotation marks",
    (26, 6): "the open bracket",
}


class Example(NamedTuple):
    """A text, and the head to begin with."""

    text: str
    head: Head


EXAMPLES = {
    "it": Example("The animal did not cross the street because it was too tired.", (13, 8)),
    "said twice": Example("The cat sat on the mat because the cat sat on the", (18, 6)),
    "she": Example("Last summer Mary met John at the station, because she", (9, 2)),
    "the subject": Example("Last week the keys that the man left on the table", (26, 0)),
}
FILE = "kept_heads.json"


def weights_of(lm: SmolLM2, text: str) -> Given:
    """Read a text with the model and keep the weights of all heads."""
    pieces = lm.pieces(text)
    n, heads = len(pieces), lm.model.config.n_heads
    found = torch.stack(list(lm.weights(text).values())).view(-1, heads, n, n)
    return read(found, pieces)


def packed(layers: Sequence[Tensor]) -> str:
    """Write weights with 8 bits each, as text."""
    levels = (255 * torch.stack(list(layers))).round().to(torch.uint8)
    return base64.b64encode(zlib.compress(levels.numpy().tobytes(), 9)).decode()


@cache
def kept(text: str) -> Given:
    """Return the kept weights of an example's text: right to 1/510."""
    found = read_json(__package__, FILE)[text]
    raw = bytearray(zlib.decompress(base64.b64decode(found["weights"])))
    n = len(found["pieces"])
    weights = torch.frombuffer(raw, dtype=torch.uint8).view(-1, 9, n, n) / 255
    return read(weights, found["pieces"])


def measured(name: str) -> dict:
    """Return what ``tools/found_heads.py`` measured: "sinks", "values", "previous" or "it"."""
    return read_json(__package__, "found_heads.json")[name]


def lessons(name: str) -> dict:
    """Return what ``tools/interpretation.py`` measured, such as "pronoun" or "importance"."""
    return read_json("attention_lab.models.data", "real_model_lessons.json")[name]


def copying_losses() -> dict[str, list[float]]:
    """Return what ``tools/real_heads.py`` measured for notebook 11: losses on tokens said twice."""
    return read_json("attention_lab.models.data", "real_heads.json")["losses"]
