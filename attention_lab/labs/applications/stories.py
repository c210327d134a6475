"""Small stories of who has what, questions about them, and a model that answers by attention."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.core.attention import AttentionSteps, attention
from attention_lab.core.mode import Mode

__all__ = [
    "NAMES", "THINGS", "Stories", "Teller", "draw", "draw_diary", "draw_latest", "draw_two_books",
    "loss_of", "right_share", "told",
]  # fmt: skip

NAMES = (
    "Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo", "Iris", "Jack", "Kim", "Leo",
    "Mia", "Nina", "Olga", "Paul", "Quinn", "Rosa", "Sam", "Tess", "Uma", "Vera", "Will", "Xia",
    "Yara", "Zoe", "Ali", "Bea", "Cai", "Dora", "Emil", "Faye",
)  # fmt: skip
THINGS = (
    "apple", "book", "cup", "drum", "egg", "fan", "glove", "hat", "ink", "jar", "key", "lamp",
    "map", "nut", "orange", "pen", "quilt", "ring", "spoon", "tent", "urn", "vase", "watch",
    "yarn", "axe", "bell", "coin", "dice", "fork", "gem", "hook", "kite",
)  # fmt: skip
LENGTHS = (3, 6)  # sentences of a story that is learned from


class Stories(NamedTuple):
    """Stories of n sentences, and one question about each.

    Attributes
    ----------
    names, things : Tensor, shape (b, n)
        Sentence j says that ``names[:, j]`` has ``things[:, j]``.
    asked : Tensor, shape (b,)
        The thing in "who has the ...?".
    answer : Tensor, shape (b,)
        The name.
    at : Tensor, shape (b,)
        Which sentence says so.
    """

    names: Tensor
    things: Tensor
    asked: Tensor
    answer: Tensor
    at: Tensor


def _different(count: int, n: int, random: torch.Generator) -> Tensor:
    """Draw n different numbers below 32 for each of ``count`` stories, (count, n)."""
    return torch.rand(count, len(NAMES), generator=random).argsort(1)[:, :n]


def draw(count: int, random: torch.Generator, n: int | None = None) -> Stories:
    """Draw stories in which every name and every thing stands once."""
    if n is None:
        n = int(torch.randint(LENGTHS[0], LENGTHS[1] + 1, (1,), generator=random))
    names, things = _different(count, n, random), _different(count, n, random)
    at = torch.randint(n, (count,), generator=random)
    return _asked(names, things, at)


def draw_latest(count: int, random: torch.Generator, n: int = 6) -> Stories:
    """Draw stories in which a thing changes hands: three sentences name it, the last one holds."""
    names, things = _different(count, n, random), _different(count, n, random)
    places = torch.rand(count, n, generator=random).argsort(1)[:, :3].sort(1).values
    things.scatter_(1, places, things.gather(1, places[:, :1]).expand(-1, 3))
    return _asked(names, things, places[:, 2])


def draw_two_books(count: int, random: torch.Generator, n: int = 6) -> Stories:
    """Draw two stories told sentence by sentence in turn, and ask about the first.

    Sentences 0, 2, 4, ... are the first story, and both name the same things.
    """
    half = n // 2
    things = _different(count, half, random)
    other = things.gather(1, torch.rand(count, half, generator=random).argsort(1))
    things = torch.stack([things, other], dim=-1).flatten(1)  # (b, n), in turn
    at = 2 * torch.randint(half, (count,), generator=random)
    return _asked(_different(count, n, random), things, at)


def draw_diary(count: int, random: torch.Generator, n: int = 12) -> Stories:
    """Draw two stories in turn; in both a thing changes hands, and the last of the first holds."""
    one, other = (draw_latest(count, random, n // 2) for _ in range(2))
    things = torch.stack([one.things, other.things], dim=-1)
    things[..., 1] = torch.where(
        other.things == other.asked[:, None], one.asked[:, None], other.things
    )
    names = _different(count, n, random)
    return _asked(names, things.flatten(1), 2 * one.at)


def _asked(names: Tensor, things: Tensor, at: Tensor) -> Stories:
    asked, answer = (each.gather(1, at[:, None])[:, 0] for each in (things, names))
    return Stories(names, things, asked, answer, at)


def told(stories: Stories, which: int) -> list[str]:
    """Write the sentences of one story out."""
    pairs = zip(stories.names[which].tolist(), stories.things[which].tolist(), strict=True)
    return [f"{NAMES[name]} has the {THINGS[thing]}" for name, thing in pairs]


class Teller(nn.Module):
    """The question is the query; each sentence of the story has a key and a value.

    A sentence is the sum of its words, as in Sukhbaatar et al. 2015 (arXiv:1503.08895).

    Parameters
    ----------
    over : str
        What it attends to: "story", "question", or "uniform": the story with equal weights, as a
        control that reads question and story in its last layers.
    """

    def __init__(self, d_model: int = 32, over: str = "story") -> None:
        super().__init__()
        self.over = over
        self.name = nn.Embedding(len(NAMES), d_model)
        self.thing = nn.Embedding(len(THINGS), d_model)
        self.to_value = nn.Linear(d_model, d_model, bias=False)
        self.readout: nn.Module = nn.Linear(d_model, len(NAMES))
        if over == "uniform":
            self.readout = nn.Sequential(
                nn.Linear(2 * d_model, d_model), nn.ReLU(), nn.Linear(d_model, len(NAMES))
            )
            return
        self.to_query = nn.Linear(d_model, d_model, bias=False)
        self.to_key = nn.Linear(d_model, d_model, bias=False)

    def parts(self, stories: Stories) -> tuple[Tensor, Tensor, Tensor]:
        """Return query (b, 1, d), key and value (b, n, d)."""
        question = self.thing(stories.asked)[:, None]
        story = self.name(stories.names) + self.thing(stories.things)
        read = question if self.over == "question" else story
        return self.to_query(question), self.to_key(read), self.to_value(read)

    def look(self, stories: Stories, mode: Mode | None = None) -> AttentionSteps:
        """Let each question attend; ``mode`` says how, the plain way if not given."""
        query, key, value = self.parts(stories)
        if mode is None:
            return attention(query, key, value)
        return mode.attention(query, key, value)

    def forward(self, stories: Stories, mode: Mode | None = None) -> Tensor:
        """Return logits of the names, (b, 32)."""
        if self.over == "uniform":
            story = self.name(stories.names) + self.thing(stories.things)
            mean = self.to_value(story).relu().mean(dim=1)
            return self.readout(torch.cat([mean, self.thing(stories.asked)], dim=-1))
        return self.readout(self.look(stories, mode).output[:, 0])


def loss_of(model: Teller, stories: Stories) -> Tensor:
    """Return the cross-entropy of the answers."""
    return F.cross_entropy(model(stories), stories.answer)


def right_share(logits: Tensor, stories: Stories) -> float:
    """Return the share of right answers."""
    return (logits.argmax(-1) == stories.answer).double().mean().item()
