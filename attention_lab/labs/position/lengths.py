"""Train a small model with each encoding on short sequences, and read longer ones with it.

The runs of all encodings, learning rates and seeds are kept in ``lengths.json`` beside this file,
which ``tools/position_lengths.py`` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from statistics import mean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.core.positions import rotate
from attention_lab.models.evaluation import evaluation
from attention_lab.models.kept import read_json
from attention_lab.models.training import seeded, train
from attention_lab.models.transformer import POSITIONS, Embedding, Encoder

__all__ = [
    "LENGTHS",
    "RATES",
    "SEEDS",
    "STEPS",
    "TASKS",
    "Reader",
    "Run",
    "accuracy",
    "best_rate",
    "by_length",
    "clipped",
    "committed",
    "first_token",
    "key_of",
    "last_keys",
    "measured",
    "previous_token",
    "runs",
    "test_batch",
    "train_reader",
    "which_first",
]

Batch = tuple[Tensor, Tensor]  # tokens (B, n), and the answer of each token (B, n), or one (B)
N_TOKENS = 12  # 0 and 1 have a part in `which_first`; the other ten are fillers
SHORTEST, LONGEST = 4, 16  # that a model is trained on
LENGTHS = (8, 16, 24, 32, 48, 64)
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
SEEDS = (0, 1, 2)
STEPS = 300


class Reader(nn.Module):
    """Embedding, encoder, linear map; one answer for each token, or one for their mean.

    Parameters
    ----------
    position : str
        One of `POSITIONS`.
    n_answers : int
    layers : int
    causal : bool
        No token sees a later one.
    pooled : bool
        One answer for the mean of all outputs.
    """

    def __init__(
        self,
        position: str,
        n_answers: int = N_TOKENS,
        *,
        layers: int = 2,
        causal: bool = True,
        pooled: bool = False,
    ) -> None:
        super().__init__()
        self.embedding = Embedding(N_TOKENS, 32, position, max_len=max(LENGTHS))
        self.encoder = Encoder(layers, 32, 4, 128, position=position)  # d_model, n_heads, d_ff
        self.answer = nn.Linear(32, n_answers)
        self.causal, self.pooled = causal, pooled

    def forward(self, tokens: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """Return logits for each token, (B, n, n_answers), or for their mean, (B, n_answers)."""
        x = self.embedding(tokens)  # (B, n) -> (B, n, 32)
        x = self.encoder(x, attn_mask=attn_mask, is_causal=self.causal)
        return self.answer(x.mean(dim=1) if self.pooled else x)


# --- tasks --------------------------------------------------------------------------------------


def which_first(random: torch.Generator, count: int = 64, n: int = 8) -> Batch:
    """Draw tokens (count, n) with one 0 and one 1; the answer (count) is 1 where the 0 is first."""
    tokens = torch.randint(2, N_TOKENS, (count, n), generator=random)
    two = torch.rand(count, n, generator=random).argsort(dim=1)[:, :2]  # different positions
    tokens.scatter_(1, two, torch.tensor([[0, 1]]).expand(count, 2))
    return tokens, (two[:, 0] < two[:, 1]).long()


def _draw(random: torch.Generator, count: int, n: int | None) -> Tensor:
    n = n or int(torch.randint(SHORTEST, LONGEST + 1, (1,), generator=random))
    return torch.randint(2, N_TOKENS, (count, n), generator=random)


def previous_token(random: torch.Generator, count: int = 64, n: int | None = None) -> Batch:
    """Draw tokens (count, n), n from 4 to 16 if not given; the answers are the tokens before."""
    tokens = _draw(random, count, n)
    return tokens, torch.cat([tokens.new_zeros(count, 1), tokens[:, :-1]], dim=1)


def first_token(random: torch.Generator, count: int = 64, n: int | None = None) -> Batch:
    """Draw tokens (count, n), n from 4 to 16 if not given; each answer is the first token."""
    tokens = _draw(random, count, n)
    return tokens, tokens[:, :1].expand(tokens.shape)


TASKS: dict[str, Callable[..., Batch]] = {"previous": previous_token, "first": first_token}


# --- training and measuring ---------------------------------------------------------------------


def _loss(model: Reader, batch: Batch) -> Tensor:
    tokens, answers = batch
    return F.cross_entropy(model(tokens).flatten(0, -2), answers.flatten())


def train_reader(
    task: Callable[..., Batch],
    position: str,
    n_answers: int = N_TOKENS,
    *,
    steps: int = STEPS,
    lr: float = 3e-3,
    seed: int = 0,
    watch: Callable[[int, float], None] | None = None,
    **options: Any,
) -> Reader:
    """Make a `Reader` from a seed, and train it.

    Raises
    ------
    RuntimeError
        Its loss or a gradient was not finite.
    """
    with seeded(seed):
        model = Reader(position, n_answers, **options)
    history = train(model, _loss, task, steps=steps, lr=lr, seed=seed, watch=watch)
    if history.stopped:
        raise RuntimeError(f"{position}: {history.stopped}")
    return model


@torch.no_grad()
def accuracy(model: Reader, batch: Batch, attn_mask: Tensor | None = None) -> float:
    """Return the share of answers that are right."""
    tokens, answers = batch
    with evaluation(model):
        guessed = model(tokens, attn_mask).argmax(dim=-1)
    return (guessed == answers).double().mean().item()


def test_batch(task: str, n: int) -> Batch:
    """Draw 300 sequences of n tokens that were not trained on."""
    return TASKS[task](torch.Generator().manual_seed(99), 300, n)


def by_length(model: Reader, task: str) -> list[float]:
    """Return the accuracy at each of `LENGTHS`, on 300 sequences that were not trained on."""
    return [accuracy(model, test_batch(task, n)) for n in LENGTHS]


def last_keys(n: int, most: int = LONGEST) -> Tensor:
    """Leave each token itself and the keys before it, ``most`` in all: a mask (n, n)."""
    at = torch.arange(n)
    distance = at[:, None] - at
    return (distance >= 0) & (distance < most)


@contextmanager
def clipped(model: Reader, most: int = LONGEST - 1) -> Iterator[None]:
    """Let a rotary model see all keys, none of them at more than a distance of ``most``.

    A key further back is turned as if it were ``most`` positions back (for causal models).

    Raises
    ------
    ValueError
        The model is not rotary.
    """
    layers = [layer.self_attention for layer in model.encoder.layers]
    if any(layer.position != "rotary" for layer in layers):
        raise ValueError("only distances of a rotary model can be clipped")

    def attend(
        q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None, is_causal: bool
    ) -> Tensor:
        n = q.shape[-2]
        at = torch.arange(n)
        distance = at[:, None] - at  # (n, n), below 0 for later keys
        # turned back to position 0, then the queries on by the largest distance
        far_q, far_k = rotate(rotate(q, -at), torch.full((n,), most)), rotate(k, -at)
        scores = torch.where(distance > most, far_q @ far_k.mT, q @ k.mT) / q.shape[-1] ** 0.5
        seen = distance >= 0 if attn_mask is None else (distance >= 0) & attn_mask
        return scores.masked_fill(~seen, -torch.inf).softmax(dim=-1) @ v

    for layer in layers:
        layer._attend = attend
    try:
        yield
    finally:
        for layer in layers:
            del layer._attend


@dataclass(frozen=True)
class Run:
    """What came of one training.

    Attributes
    ----------
    accuracy : tuple of float
        At each of `LENGTHS`.
    last : float
        At the largest length, where each token sees `last_keys` only.
    n_parameters : int
    """

    accuracy: tuple[float, ...]
    last: float
    n_parameters: int


def measured(task: str, position: str, lr: float, seed: int, steps: int = STEPS) -> Run:
    """Train a causal reader of two layers on one of `TASKS`, and measure it."""
    model = train_reader(TASKS[task], position, steps=steps, lr=lr, seed=seed)
    n = max(LENGTHS)
    return Run(
        tuple(round(share, 3) for share in by_length(model, task)),
        round(accuracy(model, test_batch(task, n), last_keys(n)), 3),
        sum(p.numel() for p in model.parameters()),
    )


# --- what is kept ---------------------------------------------------------------------------------


def key_of(task: str, position: str, lr: float, seed: int, steps: int = STEPS) -> str:
    """Return the name of a run in the file: ``"first rotary 300 steps lr 0.003 seed 0"``."""
    if task not in TASKS or position not in POSITIONS:
        raise ValueError(f"no such task or encoding: {task!r}, {position!r}")
    return f"{task} {position} {steps} steps lr {lr:g} seed {seed}"


@cache
def committed() -> dict[str, Run]:
    """Return the kept runs by `key_of`."""
    return {
        key: Run(*(tuple(v) if isinstance(v, list) else v for v in run.values()))
        for key, run in read_json(__package__, "lengths.json").items()
    }


def runs(task: str, position: str, lr: float | None = None, steps: int = STEPS) -> list[Run]:
    """Return the kept runs of all seeds, at the best learning rate if none is given."""
    lr = best_rate(task, position, steps) if lr is None else lr
    return [committed()[key_of(task, position, lr, seed, steps)] for seed in SEEDS]


def best_rate(task: str, position: str, steps: int = STEPS) -> float:
    """Return the learning rate with the largest mean accuracy at the trained lengths 8 and 16.

    Among those that were run: the last of `RATES` only where the one before it did best so far.
    """
    tried = [lr for lr in RATES if key_of(task, position, lr, SEEDS[0], steps) in committed()]
    return max(
        tried, key=lambda lr: mean(mean(r.accuracy[:2]) for r in runs(task, position, lr, steps))
    )
