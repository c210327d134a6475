"""Select, aggregate, width: programs for attention, and the weights that run them.

A program is a few lines that compare and average sequences. It runs in two ways, unchanged: on
True and False, or, inside ``with compiled(beta=...)``, through a `MultiHeadAttention` whose
weights are written for each step and never trained.

Weiss et al. 2021, *Thinking Like Transformers* (arXiv:2106.06981), for the three operations (we
average, as they do; RASPy sums). Lindner et al. 2023, *Tracr* (arXiv:2301.05062), for the
weights, and for the BOS token that an empty row falls back to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from attention_lab.models.transformer import MultiHeadAttention, recorded

__all__ = [
    "DOMAIN",
    "Head",
    "Predicate",
    "Selector",
    "aggregate",
    "compiled",
    "positions",
    "select",
    "truth",
    "width",
]

Predicate = Callable[[Tensor, Tensor], Tensor]
DOMAIN = range(-1, 33)  # the whole numbers that keys and queries are compiled for


class Part(NamedTuple):
    """One comparison: a predicate of keys (n) and queries (n), both whole numbers."""

    keys: Tensor
    queries: Tensor
    predicate: Predicate


class Selector:
    """For each query, which keys it selects; ``one & other`` selects what both do.

    Parameters
    ----------
    *parts : Part
        All must hold.

    Attributes
    ----------
    matrix : Tensor, shape (n, n), boolean
        Row: the query. Column: the key.
    """

    def __init__(self, *parts: Part) -> None:
        self.parts = parts
        self.matrix = torch.stack([truth(p.predicate, p.keys, p.queries) for p in parts]).all(0)

    def __and__(self, other: Selector) -> Selector:
        if not isinstance(other, Selector) or other.matrix.shape != self.matrix.shape:
            raise ValueError(
                "& joins two selectors of as many tokens: select(...) & select(...), each in "
                "its own brackets"
            )
        return Selector(*self.parts, *other.parts)


def positions(tokens: Tensor) -> Tensor:
    """Return 0, 1, 2, ... for tokens (n)."""
    return torch.arange(len(tokens))


def select(keys: Tensor | int, queries: Tensor | int, predicate: Predicate) -> Selector:
    """Compare each query with each key.

    Parameters
    ----------
    keys, queries : Tensor, shape (n), or int
        Whole numbers; one number stands for n equal ones. What a head has computed is rounded.
    predicate : callable
        ``predicate(key, query)`` is True where the query selects the key, as in ``operator.eq``.

    Returns
    -------
    Selector

    Raises
    ------
    ValueError
        Two lengths, a number that is not whole (an average of several categories means nothing),
        or a predicate that is not written for tensors.
    """
    lengths = {len(each) for each in (keys, queries) if isinstance(each, Tensor) and each.ndim}
    if len(lengths) != 1:
        raise ValueError(
            "select needs keys and queries of one length, and one of them a sequence; their "
            f"lengths are {sorted(lengths)}"
        )
    (n,) = lengths
    return Selector(Part(_whole(keys, n, "key"), _whole(queries, n, "query"), predicate))


def aggregate(selector: Selector, values: Tensor | float, default: float = 0.0) -> Tensor:
    """Average, for each query, the values of the keys that it selects.

    Parameters
    ----------
    selector : Selector
    values : Tensor, shape (n), or float
    default : float
        For a query that selects nothing.

    Returns
    -------
    Tensor, shape (n), float64
    """
    values = torch.as_tensor(values).double().expand(len(selector.matrix))
    if machine := _machine.get():
        return machine.run(selector, values, default=default)
    count = selector.matrix.sum(dim=-1)
    mean = selector.matrix.double() @ values / count.clamp(min=1)
    return torch.where(count > 0, mean, default)


def width(selector: Selector) -> Tensor:
    """Count, for each query, the keys that it selects: (n), float64.

    Attention cannot count, it averages. So the compiled head also selects a BOS token in every
    row, and the only value that is not 0 is that of BOS: its share 1 / (1 + count) tells the count.

    Raises
    ------
    ValueError
        It is compiled without a BOS token.
    """
    if machine := _machine.get():
        return machine.count(selector)
    return selector.matrix.sum(dim=-1).double()


def truth(predicate: Predicate, keys: Tensor, queries: Tensor) -> Tensor:
    """Return where a predicate holds, (n_q, n_k), boolean.

    Raises
    ------
    ValueError
        The predicate asks for one True or False (``and``, ``or``, ``not``, ``if``), or returns
        something that is neither.
    """
    try:
        found = torch.as_tensor(predicate(keys[None, :], queries[:, None]))
    except RuntimeError as error:
        if "Boolean value" not in str(error):
            raise
        raise ValueError(
            "a predicate compares all keys and queries at once: write &, | and ~ for and, or and "
            "not, with each comparison in its own brackets"
        ) from None
    if found.dtype != torch.bool:
        raise ValueError(f"a predicate gives True or False, but this one gave {found.dtype}")
    return found.expand(len(queries), len(keys))


def _whole(numbers: Tensor | int, n: int, what: str) -> Tensor:
    """Return whole numbers (n); those that a compiled head has computed are rounded."""
    given = torch.as_tensor(numbers).double().expand(n)
    rounded = given.round()
    far = (given - rounded).abs() > (0.499 if _machine.get() else 1e-9)
    if far.any() or not given.isfinite().all():
        wrong = given[far | ~given.isfinite()][0].item()
        raise ValueError(
            f"a {what} must be a whole number, but one is {wrong:.4g}: was the average of several "
            "selected values taken for one of them?"
        )
    return rounded.long()


# --- compiled ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """One select and aggregate, or select and width, as weights.

    Attributes
    ----------
    layer : MultiHeadAttention
        One head; its four matrices are written, its offsets are 0.
    weights : Tensor, shape (n, n + 1) or (n, n)
        Of each token on BOS, if there is one, and on the tokens.
    output : Tensor, shape (n)
    """

    layer: MultiHeadAttention
    weights: Tensor
    output: Tensor


class Machine:
    """Writes the weights of each step, runs them, and keeps them.

    Parameters
    ----------
    beta : float
        The inverse temperature: the score of a key that is selected; the others have 0.
    domain : range
        The whole numbers that keys and queries may be.
    bos : bool
        Put a token before all others, with half the score: an empty row falls on it.
    dtype : torch.dtype

    Attributes
    ----------
    heads : list of Head
        What has run, in order.
    """

    def __init__(self, beta: float, domain: range, bos: bool, dtype: torch.dtype) -> None:
        self.beta, self.domain, self.bos, self.dtype = beta, domain, bos, dtype
        self.heads: list[Head] = []

    def run(self, selector: Selector, values: Tensor, default: float) -> Tensor:
        """Average the values (n) of what is selected; BOS, at half the score, has the default."""
        return self._run(selector, values, default, len(selector.parts) - 0.5)

    def count(self, selector: Selector) -> Tensor:
        """Count what is selected: 1 / share of BOS - 1, with BOS at the whole score."""
        if not self.bos:
            raise ValueError(
                "width needs a BOS token: an average is the same for two keys and for four of the "
                "same kind"
            )
        zeros = torch.zeros(len(selector.matrix))
        return 1 / self._run(selector, zeros, 1.0, len(selector.parts)) - 1

    def _run(self, selector: Selector, values: Tensor, of_bos: float, score: float) -> Tensor:
        layer = self._layer([part.predicate for part in selector.parts], score)
        x = self._stream(selector, values, of_bos)[None]  # (1, n + 1, d_model)
        with torch.no_grad(), recorded(layer) as weights:
            after = layer(x, x, x)[0, :, -1]  # (n + 1), the slot that W_O writes
        start = int(self.bos)
        head = Head(layer, weights[""][0][0, 0, start:], after[start:].double())
        self.heads.append(head)
        return head.output

    def _layer(self, predicates: list[Predicate], score: float) -> MultiHeadAttention:
        """Write the weights of one head: d = len(domain), m predicates, d_k = m d.

        A token holds: m keys and m queries as one-hot vectors, its value, "is BOS", and a slot for
        the output. So d_model = 2 m d + 3.
        """
        d, m = len(self.domain), len(predicates)
        size, value, is_bos, out = m * d, 2 * m * d, 2 * m * d + 1, 2 * m * d + 2
        layer = MultiHeadAttention(2 * size + 3, 1, d_k=size, d_v=1).to(self.dtype)
        numbers = torch.arange(self.domain.start, self.domain.stop)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.zero_()
            # the layer divides by sqrt(d_k), so that is put back
            layer.query.weight[:, size : 2 * size] = self.beta * math.sqrt(size) * torch.eye(size)
            for i, predicate in enumerate(predicates):
                block = slice(i * d, (i + 1) * d)  # W_K is the truth table: (query, key)
                layer.key.weight[block, block] = truth(predicate, numbers, numbers).to(self.dtype)
            layer.key.weight[:, is_bos] = score / m
            layer.value.weight[0, value] = layer.out.weight[out, 0] = 1.0
        return layer

    def _stream(self, selector: Selector, values: Tensor, of_bos: float) -> Tensor:
        """Return the tokens that the head reads, (n + 1, d_model); the first is BOS."""
        keys = [self._one_hot(part.keys) for part in selector.parts]
        queries = [self._one_hot(part.queries) for part in selector.parts]
        two = torch.zeros(len(values), 2, dtype=self.dtype)  # is BOS, and the output
        tokens = torch.cat([*keys, *queries, values[:, None].to(self.dtype), two], dim=-1)
        if not self.bos:
            return tokens
        bos = torch.zeros(1, tokens.shape[-1], dtype=self.dtype)
        bos[0, -3], bos[0, -2] = of_bos, 1.0
        return torch.cat([bos, tokens])

    def _one_hot(self, numbers: Tensor) -> Tensor:
        """Return (n, d), a 1 where each number stands in the domain."""
        at = numbers - self.domain.start
        if ((at < 0) | (at >= len(self.domain))).any():
            wrong = numbers[(at < 0) | (at >= len(self.domain))][0].item()
            raise ValueError(
                f"{wrong} is not among the numbers {self.domain.start} to {self.domain.stop - 1} "
                "that these weights were written for: give compiled a larger domain"
            )
        return torch.nn.functional.one_hot(at, len(self.domain)).to(self.dtype)


_machine: ContextVar[Machine | None] = ContextVar("machine", default=None)


@contextmanager
def compiled(
    beta: float = 20.0,
    *,
    domain: range = DOMAIN,
    bos: bool = True,
    dtype: torch.dtype = torch.float64,
) -> Iterator[list[Head]]:
    """Run each `aggregate` and `width` inside it through attention weights.

    Parameters
    ----------
    beta, domain, bos, dtype
        As for `Machine`.

    Yields
    ------
    list of Head
        The heads that have run, in order.

    Examples
    --------
    >>> import operator
    >>> tokens = torch.tensor([3, 1, 4])
    >>> with compiled(beta=20) as heads:
    ...     before = select(positions(tokens), positions(tokens) - 1, operator.eq)
    ...     print(aggregate(before, tokens).round(decimals=3).tolist(), len(heads))
    [0.0, 3.0, 1.0] 1
    """
    machine = Machine(beta, domain, bos, dtype)
    token = _machine.set(machine)
    try:
        yield machine.heads
    finally:
        _machine.reset(token)
