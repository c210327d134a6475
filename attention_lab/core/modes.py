"""The library of modes: rules that models use, by name, to be joined, drawn and run.

>>> from attention_lab.core import modes
>>> mode = modes.causal & (modes.window(3) | modes.sink(1)) + modes.alibi(8)
>>> print(mode)
causal and (at most 2 back or the first key), plus ALiBi of 8 heads
>>> mode.pairs(8)
26

Each is a `Mode`; those with a number are functions that give one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attention_lab.core import masks
from attention_lab.core.invariants import Invariant, check_mode, invariants
from attention_lab.core.mode import Mode

__all__ = [
    "Invariant",
    "Mode",
    "SinkSoftmax",
    "alibi",
    "block_sparse",
    "causal",
    "check_mode",
    "dilated",
    "documents",
    "full",
    "invariants",
    "learnable_sink",
    "neighbourhood",
    "prefix",
    "prior_bias",
    "relative_bias",
    "sink",
    "soft_cap",
    "spotlight",
    "temperature",
    "tree",
    "window",
]

# --- masks --------------------------------------------------------------------------------------

full = Mode("every key")
causal = Mode("causal", masks.causal)


def window(size: int) -> Mode:
    """Hide what is ``size`` or more positions back: with `causal`, the last ``size`` keys are left.

    Alone it says nothing of later keys (Beltagy et al. 2020, arXiv:2004.05150, for the idea).
    """
    _at_least("window", "size", size, 1)
    return Mode(f"at most {size - 1} back", lambda b, h, q_idx, kv_idx: q_idx - kv_idx < size)


def dilated(step: int) -> Mode:
    """Show every ``step``-th key, counted from the query."""
    _at_least("dilated", "step", step, 1)
    return Mode(
        f"a multiple of {step} away", lambda b, h, q_idx, kv_idx: (q_idx - kv_idx) % step == 0
    )


def prefix(size: int) -> Mode:
    """`causal`, but that everybody sees the first ``size`` keys: a prompt that reads itself."""
    _at_least("prefix", "size", size, 1)
    return causal | sink(size)


def documents(lengths: Sequence[int]) -> Mode:
    """Show the keys of one's own document, of several that lie one behind the other.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each document; the last one goes on.
    """
    lengths = [int(length) for length in lengths]
    for length in lengths:
        _at_least("documents", "each length", length, 1)
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths) - 1)]

    def same_document(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        same = q_idx == q_idx
        for end in ends:  # both before the end, or both behind it
            same = same & ((q_idx < end) == (kv_idx < end))
        return same

    return Mode(f"in the same document ({_listed(lengths)} tokens)", same_document)


def sink(count: int = 1) -> Mode:
    """Show the first ``count`` keys (Xiao et al. 2023, arXiv:2309.17453: a window needs them)."""
    _at_least("sink", "count", count, 1)
    name = "the first key" if count == 1 else f"the first {count} keys"
    return Mode(name, lambda b, h, q_idx, kv_idx: kv_idx < count)


def tree(parents: Sequence[int]) -> Mode:
    """Show a node its own path: itself, its parent, and so on up to the root.

    For guesses that are checked all at once: several ways in which a text may go on share their
    beginnings (Miao et al. 2023, arXiv:2305.09781).

    Parameters
    ----------
    parents : sequence of int
        Of each node, the node before it; -1 for a root. A parent comes before its children.
    """
    n = len(parents)
    sees = torch.eye(n, dtype=torch.bool)
    for node, parent in enumerate(parents):
        if not -1 <= parent < node:
            raise ValueError(
                f"tree: the parent of node {node} must be -1 or a node before it, not {parent}"
            )
        if parent >= 0:
            sees[node] |= sees[parent]
    return Mode(
        f"on one's own path of a tree of {n}",
        lambda b, h, q_idx, kv_idx: sees[q_idx, kv_idx],
        positions=n,
    )


def neighbourhood(height: int, width: int, size: int = 3, *, shifted: bool = False) -> Mode:
    """Show the ``size`` × ``size`` cells around the query, on a grid that is read row by row.

    Parameters
    ----------
    height, width : int
        Of the grid.
    size : int
        Odd.
    shifted : bool
        At the edge move the square inside, so that every query sees size² keys; otherwise cut it
        off there (Hassani et al. 2022, arXiv:2204.07143).
    """
    if size % 2 == 0 or not 1 <= size <= min(height, width):
        raise ValueError(
            f"neighbourhood: size must be odd and fit into the grid of {height} × {width}, "
            f"not {size}"
        )
    reach = size // 2

    def near(query: Tensor, key: Tensor, length: int) -> Tensor:
        centre = query.clamp(reach, length - 1 - reach) if shifted else query
        return (centre - key).abs() <= reach

    def in_square(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        return near(q_idx // width, kv_idx // width, height) & near(
            q_idx % width, kv_idx % width, width
        )

    edge = ", shifted at the edge" if shifted else ""
    return Mode(
        f"within {size} × {size} on a grid of {height} × {width}{edge}",
        in_square,
        positions=height * width,
    )


def block_sparse(layout: Sequence[Sequence[int]] | Tensor, block: int) -> Mode:
    """Show whole blocks of keys to whole blocks of queries.

    Parameters
    ----------
    layout : matrix of 0 and 1, (n / block, n / block)
        1 where the queries of a block may attend to the keys of a block.
    block : int
        Positions in a block.
    """
    _at_least("block_sparse", "block", block, 1)
    table = torch.as_tensor(layout).bool()
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(
            f"block_sparse: the layout must be square, but it has shape {tuple(table.shape)}"
        )
    return Mode(
        f"in one of {int(table.sum())} of {table.numel()} blocks of {block} × {block}",
        lambda b, h, q_idx, kv_idx: table[q_idx // block, kv_idx // block],
        positions=block * len(table),
    )


# --- biases: a prior on pairs -------------------------------------------------------------------


def alibi(n_heads: int = 8) -> Mode:
    """Add minus a slope times the distance, another slope in each head.

    Press, Smith and Lewis 2021 (arXiv:2108.12409), section 3: 2^(-8 i / n_heads) for i = 1, 2, ...
    """
    _at_least("alibi", "n_heads", n_heads, 1)

    def bias(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        return -torch.exp2(-8.0 * (h + 1) / n_heads) * (q_idx - kv_idx).abs()

    return Mode(f"ALiBi of {n_heads} head{'s' * (n_heads > 1)}", bias=bias)


def relative_bias(table: Tensor) -> Mode:
    """Add a number that was learned for each distance.

    Parameters
    ----------
    table : Tensor, shape (2 r + 1,) or (n_heads, 2 r + 1)
        For keys r positions before the query, up to r behind it; what is farther off gets the
        first or the last number. A gradient reaches it.

    References
    ----------
    Shaw, Uszkoreit and Vaswani 2018 (arXiv:1803.02155) for learned distances, there as vectors.
    """
    table = torch.as_tensor(table)
    if table.ndim not in (1, 2) or table.shape[-1] % 2 == 0 or not table.is_floating_point():
        raise ValueError(
            "relative_bias: the table must have floating point numbers and shape (2 r + 1,) or "
            f"(n_heads, 2 r + 1), but it is {table.dtype} of shape {tuple(table.shape)}"
        )
    reach = table.shape[-1] // 2

    def bias(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        at = (kv_idx - q_idx).clamp(-reach, reach) + reach
        return table[at] if table.ndim == 1 else table[h, at]

    return Mode(f"a learned bias for each distance up to {reach}", bias=bias)


def spotlight(keys: Sequence[int], bias: float, *, queries: Sequence[int] | None = None) -> Mode:
    """Add a bias to chosen keys: a prior e^bias times as high.

    Parameters
    ----------
    keys : sequence of int
        Positions.
    bias : float
        `prior_bias` says which one gives the keys a wanted share.
    queries : sequence of int, optional
        Only these queries get it; not given: all.
    """
    keys = [int(key) for key in keys]
    some = None if queries is None else [int(query) for query in queries]
    if not keys or not math.isfinite(bias):
        raise ValueError(
            f"spotlight: name one key or more and a finite bias, not {keys} and {bias}"
        )

    def prior(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        lit = _is_one_of(kv_idx, keys)
        if some is not None:
            lit = lit & _is_one_of(q_idx, some)
        return torch.where(lit, float(bias), 0.0)

    name = f"{bias:+g} on key{'s' * (len(keys) > 1)} {_listed(keys)}"
    if some is not None:
        name += f" for quer{'ies' if len(some) > 1 else 'y'} {_listed(some)}"
    return Mode(name, bias=prior)


def prior_bias(share: float, wanted: float) -> float:
    """Return the bias that lifts keys which have a share of the weight to another share.

    ``logit(wanted) - logit(share)``: softmax(s + b) is softmax(s) e^b, made to sum to 1 again, so
    that p becomes p e^b / (p e^b + 1 - p).

    Examples
    --------
    >>> round(prior_bias(0.1, 0.5), 3)
    2.197
    """
    for name, number in (("share", share), ("wanted", wanted)):
        if not 0 < number < 1:
            raise ValueError(f"prior_bias: {name} must lie between 0 and 1, but it is {number}")
    return math.log(wanted / (1 - wanted)) - math.log(share / (1 - share))


def _is_one_of(index: Tensor, numbers: Sequence[int]) -> Tensor:
    found = index != index
    for number in numbers:
        found = found | (index == number)
    return found


# --- scores and weights -------------------------------------------------------------------------


def temperature(degrees: float) -> Mode:
    """Divide the scaled scores: above 1 the weights are more even, below 1 they are sharper."""
    return Mode(f"temperature {degrees:g}", temperature=degrees)


def soft_cap(cap: float) -> Mode:
    """Keep each score between -cap and cap: ``cap · tanh(score / cap)`` (Gemma 2, 2408.00118)."""
    if not 0 < cap < math.inf:
        raise ValueError(f"soft_cap: the cap must be above 0, but it is {cap}")
    return Mode(
        f"scores capped at {cap:g}",
        score_mod=lambda score, b, h, q_idx, kv_idx: cap * torch.tanh(score / cap),
    )


def learnable_sink(value: float | Tensor = 0.0) -> Mode:
    """Let a head take nothing: one more score, whose value is 0 (gpt-oss, arXiv:2508.10925).

    A normaliser and no score rule: after any change of scores a softmax still sums to 1.

    Parameters
    ----------
    value : float or Tensor of shape (n_heads,)
        The score of nothing. A gradient reaches a tensor.
    """
    one = isinstance(value, (int, float))
    name = f"a sink of score {value:g}" if one else "a sink for each head"
    return Mode(name, normalizer=SinkSoftmax(value))


@dataclass(frozen=True, eq=False)
class SinkSoftmax:
    """Softmax with one more score, that of nothing: the weights sum to less than 1.

    They are those of a softmax times σ(LSE - sink), where LSE is the log of the sum of e^score.

    Parameters
    ----------
    sink : float or Tensor of shape (n_heads,)
        For weights (..., n_heads, n_q, n_k).
    """

    sink: float | Tensor

    def __call__(self, masked: Tensor) -> Tensor:
        column = self._as_column(masked).expand(*masked.shape[:-1], 1)
        return torch.cat([masked, column], dim=-1).softmax(dim=-1)[..., :-1]

    def row_sums(self, masked: Tensor) -> Tensor:
        """Return what the weights of each query sum to: (..., n_q)."""
        return torch.sigmoid(masked.logsumexp(dim=-1) - self._as_column(masked)[..., 0])

    def _as_column(self, masked: Tensor) -> Tensor:
        sink = torch.as_tensor(self.sink, dtype=masked.dtype, device=masked.device)
        return sink[:, None, None] if sink.ndim else sink[None, None]


def _at_least(mode: str, what: str, number: int, least: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"{mode}: {what} must be a whole number from {least} on, not {number!r}")


def _listed(numbers: Sequence[int]) -> str:
    """Write numbers with "and" before the last, and few of many."""
    few = [str(number) for number in numbers[:6]]
    if len(numbers) > 6:
        return f"{', '.join(few)}, …"
    return " and ".join([", ".join(few[:-1]), few[-1]] if few[1:] else few)
