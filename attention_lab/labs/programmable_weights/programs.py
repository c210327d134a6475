"""Programs of select, aggregate and width, each for any number of tokens.

Tokens are whole numbers, (n). Between two heads stand maps: functions of what one token holds,
such as ``(a + b) % 10``, which a feed-forward layer can be given as a table. Each program says how
many heads it takes.
"""

from __future__ import annotations

import operator

import torch
from torch import Tensor

from attention_lab.labs.programmable_weights.rasp import (
    Selector,
    aggregate,
    positions,
    select,
    width,
)

__all__ = [
    "CLOSE",
    "OPEN",
    "PLUS",
    "adder",
    "as_text",
    "balanced",
    "first_index",
    "histogram",
    "induction",
    "length",
    "most_frequent",
    "palindrome",
    "previous",
    "read",
    "reverse",
    "shift",
    "sort",
]

PLUS = 10  # beside the digits 0 to 9
OPEN, CLOSE = 1, 2


def previous(tokens: Tensor, default: float = 0.0) -> Tensor:
    """The token before each; the default at position 0. One head."""
    return shift(tokens, 1, default)


def shift(tokens: Tensor, by: int, default: float = 0.0) -> Tensor:
    """The token ``by`` positions before each; the default where there is none. One head."""
    at = positions(tokens)
    wanted = (at - by).clamp(-1, len(tokens))  # -1 and n are no positions
    return aggregate(select(at, wanted, operator.eq), tokens, default)


def length(tokens: Tensor) -> Tensor:
    """How many tokens there are, at each position. One head."""
    return width(select(0, positions(tokens) * 0, operator.eq)).round()


def reverse(tokens: Tensor) -> Tensor:
    """The last token first. Two heads."""
    at = positions(tokens)
    return aggregate(select(at, length(tokens) - 1 - at, operator.eq), tokens)


def histogram(tokens: Tensor) -> Tensor:
    """How often each token is there. One head."""
    return width(select(tokens, tokens, operator.eq))


def sort(tokens: Tensor) -> Tensor:
    """The smallest token first; equal ones keep their order. Three heads."""
    at = positions(tokens)
    smaller = width(select(tokens, tokens, operator.lt)).round()
    rank = smaller + width(_same_earlier(tokens)).round()
    return aggregate(select(rank, at, operator.eq), tokens)


def most_frequent(tokens: Tensor) -> Tensor:
    """The token that is there most often (of several the first one), everywhere. Four heads."""
    often = histogram(tokens).round()
    rank = width(select(often, often, operator.gt)).round() + width(_same_earlier(often)).round()
    return aggregate(select(rank, 0, operator.eq), tokens)


def _same_earlier(keys: Tensor) -> Selector:
    """Select what is equal and stands before."""
    at = positions(keys)
    return select(keys, keys, operator.eq) & select(at, at, operator.lt)


def palindrome(tokens: Tensor) -> Tensor:
    """1 if the tokens read the same from the end, else 0, everywhere. Three heads."""
    differs = (reverse(tokens).round() != tokens).long()
    return (width(select(differs, 1, operator.eq)).round() == 0).double()


def balanced(tokens: Tensor) -> Tensor:
    """1 if every `CLOSE` closes an `OPEN` and none stays open, else 0, everywhere. Four heads."""
    at = positions(tokens)
    step = torch.where(tokens == OPEN, 1, -1)
    mean = aggregate(select(at, at, operator.le), step)  # of all steps up to here
    depth = (mean * (at + 1)).round()
    below = width(select((depth < 0).long(), 1, operator.eq)).round()
    last = aggregate(select(at, length(tokens) - 1, operator.eq), depth).round()
    return ((below == 0) & (last == 0)).double()


def first_index(tokens: Tensor, wanted: int) -> Tensor:
    """The position where a token stands first, everywhere; -1 if it is not there. Two heads."""
    at = positions(tokens)
    earlier = width(select(tokens, wanted, operator.eq) & select(at, at, operator.lt)).round()
    is_first = ((tokens == wanted) & (earlier == 0)).long()
    return aggregate(select(is_first, 1, operator.eq), at, default=-1)


def induction(tokens: Tensor) -> Tensor:
    """What came after this token when it was there before; -1 if it was not. Two heads.

    The tokens should not be there more than twice: of several that came after, it gives the mean.
    """
    at = positions(tokens)
    before = previous(tokens, default=-1)  # what each key must know: the token before it
    seen = select(before, tokens, operator.eq) & select(at, at, operator.le)
    return aggregate(seen, tokens, default=-1)


def adder(tokens: Tensor) -> Tensor:
    """The digits of the sum of two numbers, at the right end, with zeros before. Five heads.

    Parameters
    ----------
    tokens : Tensor, shape (n)
        The digits of a number, `PLUS`, and the digits of another.
    """
    at, digits = positions(tokens), torch.where(tokens == PLUS, 0, tokens)
    column = length(tokens) - 1 - at  # 0 at the right end
    plus = aggregate(select(tokens, PLUS, operator.eq), at).round()
    above = (plus - 1 - column).clamp(min=-1)  # where the first number has this column
    first = aggregate(select(at, above, operator.eq), digits).round()
    sums = first + torch.where(at > plus, digits, 0)
    decides = (sums != 9).long()  # a column of 9 passes on what comes to it
    right = width(select(decides, 1, operator.eq) & select(at, at, operator.gt)).round()
    number = torch.where(decides == 1, right + 1, -1)  # from the right: 1, 2, 3, ...
    carry = aggregate(select(number, right, operator.eq), (sums > 9).long()).round()
    return (sums + carry) % 10


def read(text: str) -> Tensor:
    """Return the tokens of ``"47+385"``."""
    return torch.tensor([PLUS if letter == "+" else int(letter) for letter in text])


def as_text(digits: Tensor) -> str:
    """Write digits as one number, without the zeros before it."""
    return "".join(str(int(digit)) for digit in digits.round()).lstrip("0") or "0"
