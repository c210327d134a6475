"""A shop: what a visitor has looked at, an item that is offered, and whether it is clicked."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["KINDS", "LENGTHS", "N_ITEMS", "Clicker", "Visits", "auc", "draw", "loss_of", "truth"]

N_ITEMS = 40  # kinds of item
LENGTHS = (6, 24)  # how much a visitor has looked at
MOST = 6  # items of the offered kind among them
KINDS = ("mean", "sum", "softmax", "softmax, told n", "softmax plus one", "sigmoid")


class Visits(NamedTuple):
    """What visitors looked at, and what they were offered.

    Attributes
    ----------
    seen : Tensor, shape (b, n)
        Kinds of item; behind the end of a visit stands 0, which is hidden by ``real``.
    real : Tensor, shape (b, n), boolean
    offered : Tensor, shape (b,)
        The kind of item that is offered.
    count : Tensor, shape (b,)
        How many of the items seen are of that kind.
    clicked : Tensor, shape (b,)
        1 or 0.
    """

    seen: Tensor
    real: Tensor
    offered: Tensor
    count: Tensor
    clicked: Tensor


def truth(count: Tensor) -> Tensor:
    """Return how likely a click is: it hangs on how many items of the kind were seen."""
    return torch.sigmoid(1.5 * (count.float() - 2.5))


def draw(count: int, random: torch.Generator) -> Visits:
    """Draw visits of 6 to 24 items, 0 to 6 of them of the offered kind, whatever the length."""
    longest = LENGTHS[1]
    lengths = torch.randint(LENGTHS[0], longest + 1, (count,), generator=random)
    offered = torch.randint(N_ITEMS, (count,), generator=random)
    others = torch.randint(1, N_ITEMS, (count, longest), generator=random)
    seen = (offered[:, None] + others) % N_ITEMS  # none of the offered kind
    wanted = torch.randint(MOST + 1, (count,), generator=random)
    position = torch.arange(longest)
    real = position < lengths[:, None]
    order = (
        torch.rand(count, longest, generator=random).masked_fill(~real, 2.0).argsort(1).argsort(1)
    )
    seen = torch.where(order < wanted[:, None], offered[:, None], seen).masked_fill(~real, 0)
    clicked = (torch.rand(count, generator=random) < truth(wanted)).float()
    return Visits(seen, real, offered, wanted, clicked)


class Clicker(nn.Module):
    """Pools what was seen, and guesses from that and from what is offered whether it is clicked.

    Parameters
    ----------
    kind : str
        How the items are weighed, one of `KINDS`. The weights of "mean" and "sum" ignore what is
        offered; the others score each item against it: target attention (Zhou et al. 2018,
        arXiv:1706.06978).
    d_model : int
        Fewer than there are kinds of item.
    """

    def __init__(self, kind: str, d_model: int = 8) -> None:
        super().__init__()
        self.kind, self.d_model = kind, d_model
        self.item = nn.Embedding(N_ITEMS, d_model)
        is_target = kind not in ("mean", "sum")
        # as many numbers without query and key as with them: the others' hidden layer is wider
        hidden = 24 if is_target else 32
        if is_target:
            self.to_query = nn.Linear(d_model, d_model)
            self.to_key = nn.Linear(d_model, d_model)
        self.to_value = nn.Linear(d_model, d_model)
        extra = 1 if kind == "softmax, told n" else 0
        self.head = nn.Sequential(
            nn.Linear(2 * d_model + extra, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def weights(self, visits: Visits) -> Tensor:
        """Return how much of each item is taken, (b, n); 0 behind the end."""
        real = visits.real.float()
        if self.kind == "sum":
            return real
        if self.kind == "mean":
            return real / real.sum(-1, keepdim=True)
        query = self.to_query(self.item(visits.offered))[:, :, None]  # (b, d, 1)
        scores = (self.to_key(self.item(visits.seen)) @ query)[..., 0] / math.sqrt(self.d_model)
        if self.kind == "sigmoid":
            return scores.sigmoid() * real
        scores = scores.masked_fill(~visits.real, -math.inf)
        if self.kind == "softmax plus one":
            return torch.cat([scores, torch.zeros(len(scores), 1)], -1).softmax(-1)[:, :-1]
        return scores.softmax(-1)

    def forward(self, visits: Visits) -> Tensor:
        """Return the logit of a click, (b,)."""
        pooled = (self.weights(visits)[:, None] @ self.to_value(self.item(visits.seen)))[:, 0]
        read = [pooled, self.item(visits.offered)]
        if self.kind == "softmax, told n":
            read.append(visits.real.float().sum(-1, keepdim=True).log())
        return self.head(torch.cat(read, dim=-1))[:, 0]


def loss_of(model: Clicker, visits: Visits) -> Tensor:
    """Return the cross-entropy of click or no click."""
    return F.binary_cross_entropy_with_logits(model(visits), visits.clicked)


def auc(scores: Tensor, clicked: Tensor) -> float:
    """Return how often a visit with a click has the higher score of two; equal scores count half.

    The area under the ROC curve, by ranks.
    """
    _, which, sizes = scores.unique(return_inverse=True, return_counts=True)
    ends = sizes.cumsum(0).double()
    rank = (ends - (sizes.double() - 1) / 2)[which]  # 1 for the lowest, means where they are equal
    yes = clicked.bool()
    n_yes, n_no = int(yes.sum()), int((~yes).sum())
    return ((rank[yes].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * n_no)).item()
