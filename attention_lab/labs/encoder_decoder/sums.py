"""Running sums with and without feed-forward parts: how long, how fast, from which start.

What came of the trainings is kept in ``sums.json`` beside this file, which ``tools/ablations.py``
makes.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch

from attention_lab.labs.encoder_decoder.ablation import without_parts
from attention_lab.models.data.sequences import DIGITS, draw
from attention_lab.models.kept import read_json
from attention_lab.models.training import seeded, train
from attention_lab.models.transformer import Transformer

__all__ = ["SEEDS", "SETTINGS", "Setting", "SumRun", "committed_sums", "key_of", "train_sums"]

SEEDS = (0, 1, 2)


class Setting(NamedTuple):
    """One kind of training; every model has d_model = 32 and four heads.

    Attributes
    ----------
    n_layers : int
        In the encoder, and as many in the decoder.
    has_feed_forward : bool
    steps : int
        Of 64 sequences of 8 digits.
    lr : float
        The largest learning rate.
    """

    n_layers: int
    has_feed_forward: bool
    steps: int
    lr: float


class SumRun(NamedTuple):
    """What came of one training.

    Attributes
    ----------
    loss : float
        The last one.
    exact_match : float
        Share of 500 new sequences that are written right, with <end>.
    parameters : int
        Of the model.
    """

    loss: float
    exact_match: float
    parameters: int


SETTINGS = tuple(
    Setting(n_layers, has_feed_forward, steps, lr)
    for n_layers, has_feed_forward in ((1, True), (1, False), (2, False))
    for steps in (600, 1200)
    for lr in (3e-3, 7e-3)
)


def train_sums(setting: Setting, seed: int = 0) -> SumRun:
    """Train one model: about a quarter of a minute for 1200 steps."""
    with seeded(seed):
        model = Transformer(len(DIGITS), len(DIGITS), d_model=32, n_layers=setting.n_layers)
    if not setting.has_feed_forward:
        without_parts(model, ["feed_forward"])
    history = train(
        model,
        lambda model, batch: model.loss(*batch),
        lambda random: draw("add", 64, 8, random),
        steps=setting.steps,
        lr=setting.lr,
        seed=seed,
    )
    source, target = draw("add", 500, 8, torch.Generator().manual_seed(99))
    written = model.decode(source, max_new_tokens=9)
    exact = (written == target[:, 1 : 1 + written.shape[1]]).all(dim=1).double().mean().item()
    parameters = sum(p.numel() for p in model.parameters())
    return SumRun(round(history.losses[-1], 3), round(exact, 3), parameters)


def key_of(setting: Setting, seed: int) -> str:
    """Return the name of a run in the file."""
    feed = "with" if setting.has_feed_forward else "without"
    return (
        f"{setting.n_layers} layers {feed} feed-forward, {setting.steps} steps, lr {setting.lr:g}, "
        f"seed {seed}"
    )


@cache
def committed_sums() -> dict[Setting, tuple[SumRun, ...]]:
    """Return the kept runs of each setting, in the order of `SEEDS`."""
    rows = read_json(__package__, "sums.json")
    return {
        setting: tuple(SumRun(*rows[key_of(setting, seed)]) for seed in SEEDS)
        for setting in SETTINGS
    }
