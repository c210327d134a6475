"""Train models that are attention and nothing else on repeated tokens, and look into them.

The runs of all learning rates and seeds are kept in ``induction.json`` beside this file, which
``tools/induction_runs.py`` makes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from statistics import mean
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.models.kept import as_text as rows_as_text
from attention_lab.models.kept import read_json
from attention_lab.models.training import seeded, train
from attention_lab.models.transformer import Embedding, MultiHeadAttention, recorded

__all__ = [
    "HEADS",
    "LONGER",
    "N_TOKENS",
    "PERIODS",
    "RATES",
    "SEEDS",
    "STEPS",
    "TESTED",
    "AttentionOnly",
    "Batch",
    "Run",
    "accuracy",
    "as_text",
    "best_rate",
    "committed",
    "earliest_single",
    "heads_off",
    "held_out",
    "induction_scores",
    "key_of",
    "measured",
    "previous_scores",
    "repeated",
    "runs",
    "train_model",
    "weights_of",
]

N_TOKENS = 26
PERIODS = range(5, 11)  # how many different tokens, before they come again
LONGEST = 64  # positions that a model has a vector for
TESTED = 10  # the period of the test batch
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
SEEDS = (0, 1, 2)
STEPS = 400
LONGER = 1600  # does one layer only need more?
HEADS = {1: 8, 2: 4}  # in each layer: 8 heads in all, and as many parameters


class AttentionOnly(nn.Module):
    """Embedding, layers of attention, each added to what it read; a readout.

    Parameters
    ----------
    n_layers : int
    n_heads : int, optional
        In each layer; 8 divided by the layers if not given. Each has 16 features.
    d_model : int
    position : str
        As for `attention_lab.models.transformer.Embedding`.
    """

    def __init__(
        self,
        n_layers: int,
        n_heads: int | None = None,
        *,
        d_model: int = 64,
        position: str = "learned",
    ) -> None:
        super().__init__()
        n_heads = n_heads or HEADS[n_layers]
        self.embedding = Embedding(N_TOKENS, d_model, position, LONGEST)
        self.layers = nn.ModuleList(
            MultiHeadAttention(d_model, n_heads, d_k=16, d_v=16, position=position)
            for _ in range(n_layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(n_layers + 1))
        self.readout = nn.Linear(d_model, N_TOKENS)

    def forward(self, tokens: Tensor, hide: Mapping[int, int] | None = None) -> Tensor:
        """Say for each token (B, n) what comes next: logits (B, n, N_TOKENS).

        ``hide={0: 1}`` hides from every query of layer 0 the key that stands 1 position before it.
        """
        x = self.embedding(tokens)  # (B, n) -> (B, n, d_model)
        at = torch.arange(tokens.shape[1])
        for i, (norm, layer) in enumerate(zip(self.norms, self.layers, strict=False)):
            y, back = norm(x), (hide or {}).get(i)
            mask = None if back is None else at[:, None] - at != back  # (n, n)
            x = x + layer(y, y, y, attn_mask=mask, is_causal=True)
        return self.readout(self.norms[-1](x))


class Batch(NamedTuple):
    """Tokens that come twice.

    Attributes
    ----------
    tokens : Tensor, shape (B, 2 * period)
        Different ones, and the same ones again.
    scored : Tensor, shape (B, 2 * period - 1), boolean
        After which of the tokens what comes next can be known.
    """

    tokens: Tensor
    scored: Tensor


def repeated(
    random: torch.Generator, count: int = 32, period: int | None = None, *, turned: bool = True
) -> Batch:
    """Draw different tokens, and let them come again.

    Parameters
    ----------
    random : torch.Generator
    count : int
        Number of sequences.
    period : int, optional
        Number of different tokens in each; drawn from `PERIODS` if not given.
    turned : bool
        The second time they begin anywhere, and go on at the beginning: a b c d | c d a b. The
        step from the last to the first is not scored. Otherwise they begin where they began.
    """
    p = period or int(torch.randint(PERIODS.start, PERIODS.stop, (1,), generator=random))
    once = torch.rand(count, N_TOKENS, generator=random).argsort(dim=-1)[:, :p]
    start = torch.randint(0, p, (count, 1), generator=random) * turned
    order = (start + torch.arange(p)) % p  # (count, p)
    tokens = torch.cat([once, once.gather(1, order)], dim=-1)
    scored = torch.zeros(count, 2 * p - 1, dtype=torch.bool)
    scored[:, p:] = order[:, 1:] != 0  # the token p is the first that is known
    return Batch(tokens, scored)


def held_out(period: int = TESTED, *, turned: bool = True) -> Batch:
    """Return 300 sequences, the same at every call."""
    return repeated(torch.Generator().manual_seed(99), 300, period, turned=turned)


def loss_of(model: nn.Module, batch: Batch) -> Tensor:
    """Return the mean cross-entropy where what comes next can be known."""
    logits = model(batch.tokens[:, :-1])
    return F.cross_entropy(logits[batch.scored], batch.tokens[:, 1:][batch.scored])


@torch.no_grad()
def accuracy(model: nn.Module, batch: Batch, hide: Mapping[int, int] | None = None) -> float:
    """Return the share of right guesses where what comes next can be known."""
    guessed = model(batch.tokens[:, :-1], hide).argmax(dim=-1)
    return (guessed == batch.tokens[:, 1:])[batch.scored].double().mean().item()


def train_model(
    n_layers: int, lr: float = 1e-2, seed: int = 0, steps: int = STEPS, *, turned: bool = True
) -> AttentionOnly:
    """Train a model on batches of 32; two or three seconds on one core for 400 steps."""
    with seeded(seed):
        model = AttentionOnly(n_layers)
    train(
        model, loss_of, lambda random: repeated(random, turned=turned),
        steps=steps, lr=lr, seed=seed,
    )  # fmt: skip
    return model


# --- looking inside -----------------------------------------------------------------------------


@torch.no_grad()
def weights_of(model: nn.Module, tokens: Tensor) -> list[Tensor]:
    """Return the weights of each layer, (B, h, n, n)."""
    with recorded(model) as found:
        model(tokens)
    return [each[0] for each in found.values()]


def previous_scores(weights: Tensor) -> Tensor:
    """Return the mean weight of each head on the token before: (B, h, n, n) -> (h)."""
    return weights.diagonal(-1, -2, -1).mean(dim=(0, -1))


def induction_scores(weights: Tensor, batch: Batch) -> Tensor:
    """Return the mean weight of each head on what came after the same token before: (h)."""
    tokens = batch.tokens
    half = tokens.shape[1] // 2
    # (B, n): where each token stood first, and one further
    first = (tokens[:, :, None] == tokens[:, None, :half]).int().argmax(dim=-1)
    wanted = (first + 1)[:, None, :, None].expand(-1, weights.shape[1], -1, -1)
    found = weights.gather(-1, wanted)[..., 0].transpose(1, 2)  # (B, n, h)
    return found[:, :-1][batch.scored].mean(dim=0)


def earliest_single(tokens: Tensor) -> Tensor:
    """Return, after each token (B, n), the earliest token so far that is there once: (B, n).

    On tokens that come again in order it is what comes next; it needs no pair of tokens. 0 where
    there is none.
    """
    found = torch.zeros_like(tokens)
    for i in range(tokens.shape[1]):
        seen = tokens[:, : i + 1]
        single = (seen[:, :, None] == seen[:, None, :]).sum(dim=-1) == 1  # (B, i + 1)
        first = seen.gather(1, single.int().argmax(dim=1, keepdim=True))[:, 0]
        found[:, i] = torch.where(single.any(dim=1), first, 0)
    return found


@contextmanager
def heads_off(model: AttentionOnly, heads: Collection[tuple[int, int]]) -> Iterator[None]:
    """Let heads (layer, head) add nothing, for the time of a ``with``: their part of W_O is 0."""
    before = [layer.out.weight.detach().clone() for layer in model.layers]
    try:
        with torch.no_grad():
            for layer, head in heads:
                model.layers[layer].out.weight[:, 16 * head : 16 * (head + 1)] = 0.0
        yield
    finally:
        with torch.no_grad():
            for layer, weight in zip(model.layers, before, strict=True):
                layer.out.weight.copy_(weight)


# --- the runs that are kept -----------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One training, and what came of it.

    Attributes
    ----------
    n_parameters : int
    accuracy : float
        At period 10, on the kind of sequence it was trained on.
    previous, induction : list of float
        The largest score of a head in each layer.
    """

    n_parameters: int
    accuracy: float
    previous: list[float]
    induction: list[float]


def key_of(n_layers: int, lr: float, seed: int, steps: int = STEPS, *, turned: bool = True) -> str:
    """Return the name of a run: ``2 layers, lr 0.01, seed 0, 400 steps, turned``."""
    kind = "turned" if turned else "in order"
    return f"{n_layers} layers, lr {lr:g}, seed {seed}, {steps} steps, {kind}"


def measured(
    n_layers: int, lr: float, seed: int, steps: int = STEPS, *, turned: bool = True
) -> Run:
    """Train a model, and measure it."""
    model, batch = train_model(n_layers, lr, seed, steps, turned=turned), held_out(turned=turned)
    weights = weights_of(model, batch.tokens)
    return Run(
        sum(parameter.numel() for parameter in model.parameters()),
        round(accuracy(model, batch), 4),
        [round(previous_scores(each).max().item(), 4) for each in weights],
        [round(induction_scores(each, batch).max().item(), 4) for each in weights],
    )


def as_text(kept: dict[str, Run]) -> str:
    """Write runs as JSON, one a line, sorted by name."""
    return rows_as_text({name: asdict(run) for name, run in kept.items()})


@cache
def committed() -> dict[str, Run]:
    """Return the runs that are kept, by `key_of`."""
    return {name: Run(**run) for name, run in read_json(__package__, "induction.json").items()}


def runs(n_layers: int, lr: float, steps: int = STEPS, *, turned: bool = True) -> list[Run]:
    """Return the kept runs of all seeds."""
    return [committed()[key_of(n_layers, lr, seed, steps, turned=turned)] for seed in SEEDS]


def best_rate(n_layers: int, *, turned: bool = True) -> float:
    """Return the learning rate with the best mean accuracy over the seeds."""
    return max(
        RATES, key=lambda lr: mean(run.accuracy for run in runs(n_layers, lr, turned=turned))
    )
