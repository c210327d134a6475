"""Words and their numbers, for every model that reads or writes a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["END", "PAD", "START", "Vocabulary"]

PAD, START, END = 0, 1, 2


class Vocabulary:
    """Words and their numbers; 0, 1 and 2 are padding, start and end.

    Parameters
    ----------
    words : sequence of str
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = ("<pad>", "<start>", "<end>", *words)
        self._number = {word: index for index, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._number

    def encode(self, sentences: Sequence[Sequence[str]], *, start: bool = False) -> Tensor:
        """Return the numbers, each sentence with <end>, padded: (batch, longest + 1).

        With ``start`` a <start> stands before each, and there is one column more.
        """
        rows = [
            [*([START] if start else []), *(self._number[word] for word in sentence), END]
            for sentence in sentences
        ]
        longest = max(map(len, rows))
        return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])

    def decode(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """Return the words up to <end>."""
        words: list[str] = []
        for number in numbers:
            if number == END:
                break
            words.append(self.words[number])
        return tuple(words)
