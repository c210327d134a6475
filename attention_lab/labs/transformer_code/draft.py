"""A first draft of multi-head attention, its faults, and the repairs, line by line.

Each line stands twice: as it is shown, and as a function. A test holds the two equal. Notebook 07
has the same draft as a class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["INPUTS", "PROPERTIES", "REPAIRS", "Draft", "Line", "Sizes", "Step", "make_input"]

# what the box says: which lines it changes
REPAIRS = {
    "transpose": "turn the keys: transpose(-2, -1)",
    "softmax": "softmax over the keys: dim=-1",
    "scale": "divide by √d_k",
    "join": "join the heads, then W_O",
}
INPUTS = ("whole numbers (B, n)", "decimal numbers (B, n)", "vectors (B, n, d_model)")


class Sizes(NamedTuple):
    """The sizes of a draft: sentences, tokens, heads, and features."""

    batch: int
    n: int
    n_heads: int
    d_k: int
    d_v: int
    d_model: int


class Line(NamedTuple):
    """A line of code and what came of it.

    Attributes
    ----------
    code : str
    axes : str
        What the axes of the result should be.
    wanted : tuple of int
        How long they should be.
    shape : tuple of int, optional
        Of the result; None if it failed or was not reached.
    error : str
        PyTorch's own message, if it failed.
    """

    code: str
    axes: str
    wanted: tuple[int, ...]
    shape: tuple[int, ...] | None = None
    error: str = ""


class Step(NamedTuple):
    """A line of code as it is shown, the axes of its result, and the same code as a function."""

    code: str
    axes: str
    run: Callable[[SimpleNamespace], Tensor]


class Draft(nn.Module):
    """The block of the draft: several heads of attention, with the repairs that are asked for.

    Parameters
    ----------
    sizes : Sizes
    repairs : collection of str
        Names in `REPAIRS`.
    """

    def __init__(self, sizes: Sizes, repairs: Collection[str] = ()) -> None:
        super().__init__()
        self.sizes, self.repairs = sizes, frozenset(repairs)
        heads, d_model = sizes.n_heads, sizes.d_model
        self.to_query = nn.Linear(d_model, heads * sizes.d_k)
        self.to_key = nn.Linear(d_model, heads * sizes.d_k)
        self.to_value = nn.Linear(d_model, heads * sizes.d_v)
        if "join" in self.repairs:
            self.to_output = nn.Linear(heads * sizes.d_v, d_model)

    def lines(self, masked: bool = False) -> list[Line]:
        """Return the code, an assignment each. ``x`` asks, ``memory`` answers."""
        return [Line(step.code, step.axes, self._lengths(step.axes)) for step in self.steps(masked)]

    def steps(self, masked: bool = False) -> list[Step]:
        """Return each line with what it does; ``v`` holds the names that are known by then."""
        _, _, n_heads, d_k, d_v, d_model = self.sizes
        heads_k, heads_v, pairs = "B, h, n, d_k", "B, h, n, d_v", "B, h, n, n"
        split = "view(len(x), -1, n_heads, {}).transpose(1, 2)"

        def split_heads(v: SimpleNamespace, t: Tensor, d: int) -> Tensor:
            return t.view(len(v.x), -1, n_heads, d).transpose(1, 2)

        swapped = (-2, -1) if "transpose" in self.repairs else (1, 2)
        dim = -1 if "softmax" in self.repairs else 2
        steps = [
            Step("query = to_query(x)", "B, n, h*d_k", lambda v: self.to_query(v.x)),
            Step(f"query = query.{split.format('d_k')}", heads_k,
                 lambda v: split_heads(v, v.query, d_k)),
            Step(f"key = to_key(memory).{split.format('d_k')}", heads_k,
                 lambda v: split_heads(v, self.to_key(v.memory), d_k)),
            Step(f"value = to_value(memory).{split.format('d_v')}", heads_v,
                 lambda v: split_heads(v, self.to_value(v.memory), d_v)),
            Step(f"scores = query @ key.transpose({swapped[0]}, {swapped[1]})", pairs,
                 lambda v: v.query @ v.key.transpose(*swapped)),
        ]  # fmt: skip
        if "scale" in self.repairs:
            steps.append(
                Step("scores = scores / math.sqrt(d_k)", pairs, lambda v: v.scores / math.sqrt(d_k))
            )
        if masked:
            steps.append(
                Step("scores = scores.masked_fill(~mask, -math.inf)", pairs,
                     lambda v: v.scores.masked_fill(~v.mask, -math.inf))
            )  # fmt: skip
        steps += [
            Step(
                f"weights = scores.softmax(dim={dim})", pairs, lambda v: v.scores.softmax(dim=dim)
            ),
            Step("output = weights @ value", heads_v, lambda v: v.weights @ v.value),
        ]
        joins = "join" in self.repairs
        width, axis = ("n_heads * d_v", "h*d_v") if joins else ("d_model", "d_model")
        features = n_heads * d_v if joins else d_model
        steps.append(
            Step(f"output = output.transpose(1, 2).reshape(len(x), -1, {width})", f"B, n, {axis}",
                 lambda v: v.output.transpose(1, 2).reshape(len(v.x), -1, features))
        )  # fmt: skip
        if joins:
            steps.append(
                Step("output = to_output(output)", "B, n, d_model",
                     lambda v: self.to_output(v.output))
            )  # fmt: skip
        return steps

    def _lengths(self, axes: str) -> tuple[int, ...]:
        known = self.sizes._asdict() | {"B": self.sizes.batch, "h": self.sizes.n_heads}
        return tuple(math.prod(known[f] for f in axis.split("*")) for axis in axes.split(", "))

    def _run(
        self,
        x: Tensor,
        memory: Tensor | None,
        mask: Tensor | None,
        note: Callable[[Tensor], None] = lambda _: None,
    ) -> SimpleNamespace:
        """Run all lines, ``note`` what comes of each, and return all names."""
        names = SimpleNamespace(x=x, memory=x if memory is None else memory, mask=mask)
        for step in self.steps(mask is not None):
            result = step.run(names)
            setattr(names, step.code.split(" = ")[0], result)
            note(result)
        return names

    def forward(
        self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return output and weights, of whatever shapes; PyTorch's errors come as they are."""
        names = self._run(x, memory, mask)
        return names.output, names.weights

    def trace(self, x: Tensor, memory: Tensor | None = None) -> tuple[list[Line], Tensor | None]:
        """Run line by line. Return what came of each, and the output if all of them ran."""
        lines, shapes = self.lines(), []
        try:
            names = self._run(x, memory, None, lambda result: shapes.append(tuple(result.shape)))
        except RuntimeError as error:
            failed = len(shapes)
            lines[failed] = lines[failed]._replace(error=str(error).splitlines()[0])
            output = None
        else:
            output = names.output
        done = [line._replace(shape=shape) for line, shape in zip(lines, shapes, strict=False)]
        return [*done, *lines[len(done) :]], output


def make_input(kind: str, sizes: Sizes) -> Tensor:
    """Return tokens of one of the `INPUTS`; they are the same at every call."""
    batch, n, d_model = sizes.batch, sizes.n, sizes.d_model
    if kind == INPUTS[2]:
        return torch.randn(batch, n, d_model, generator=torch.Generator().manual_seed(0))
    whole = torch.arange(1, batch * n + 1).view(batch, n)
    return whole if kind == INPUTS[0] else whole.float()


# --- properties: what is true of every right block, whatever its parameters -------------------


def _reordered(x: Tensor) -> tuple[Tensor, Tensor]:
    order = torch.arange(x.shape[1]).roll(1)
    return order, x[:, order]


def one_output_for_each_token(draft: Draft, x: Tensor) -> bool:
    """The output has the shape of the input."""
    return draft(x)[0].shape == x.shape


def one_weight_for_each_pair(draft: Draft, x: Tensor) -> bool:
    """In each head each query has a weight for each key."""
    batch, n, _ = x.shape
    return draft(x)[1].shape == (batch, draft.sizes.n_heads, n, n)


def rows_sum_to_1(draft: Draft, x: Tensor) -> bool:
    """The weights of a query sum to 1."""
    sums = draft(x)[1].sum(dim=-1)
    return torch.allclose(sums, torch.ones_like(sums), atol=1e-5)


def weights_by_hand(draft: Draft, x: Tensor) -> bool:
    """Two weights of one query differ by the factor exp((q . k1 - q . k2) / sqrt(d_k))."""
    sizes, weights = draft.sizes, draft(x)[1]
    q = draft.to_query(x[0, 0])[: sizes.d_k]  # query 0 of head 0
    k = draft.to_key(x[0])[:, : sizes.d_k]  # (n, d_k), the keys of head 0
    right = (k @ q / math.sqrt(sizes.d_k)).softmax(dim=0)  # (n,)
    row = weights[0, 0, 0]
    return row.shape == right.shape and torch.allclose(row, right, atol=1e-5)


def order_does_not_matter(draft: Draft, x: Tensor) -> bool:
    """With the tokens reordered, the outputs are the same, reordered."""
    order, reordered = _reordered(x)
    output = draft(x)[0]
    if output.shape[1] != x.shape[1]:
        return False
    return torch.allclose(draft(reordered)[0], output[:, order], atol=1e-5)


def no_look_ahead(draft: Draft, x: Tensor) -> bool:
    """With a causal mask the first output does not move when the last token does."""
    mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    changed = x.clone()
    changed[:, 1:][:, -1:] += 1  # with one token there is no later one
    before, after = draft(x, mask=mask)[0], draft(changed, mask=mask)[0]
    return torch.equal(before[:, 0], after[:, 0]) and not before.isnan().any()


def equal_to_pytorch(draft: Draft, x: Tensor) -> bool:
    """The output is that of scaled_dot_product_attention in each head, joined, times W_O."""
    output = draft(x)[0]
    if not hasattr(draft, "to_output"):
        return False

    def split(t: Tensor) -> Tensor:
        return t.unflatten(-1, (draft.sizes.n_heads, -1)).transpose(1, 2)

    heads = F.scaled_dot_product_attention(
        *(split(project(x)) for project in (draft.to_query, draft.to_key, draft.to_value))
    )
    right = draft.to_output(heads.transpose(1, 2).flatten(2))
    return output.shape == right.shape and torch.allclose(output, right, atol=1e-6)


PROPERTIES: dict[str, Callable[[Draft, Tensor], bool]] = {
    "one output for each token": one_output_for_each_token,
    "one weight for each pair": one_weight_for_each_pair,
    "the weights of a query sum to 1": rows_sum_to_1,
    "the weights are those worked out by hand": weights_by_hand,
    "reordered tokens give reordered outputs": order_does_not_matter,
    "a causal mask hides later tokens": no_look_ahead,
    "equal to PyTorch": equal_to_pytorch,
}
