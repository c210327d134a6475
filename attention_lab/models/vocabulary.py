"""Words and their numbers, for every model that reads or writes a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["END", "PAD", "START", "Vocabulary"]

PAD, START, END = 0, 1, 2
MARKS = ".,;:?!"  # what people type behind a word


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

    def read(self, text: str, *, max_words: int | None = None) -> tuple[str, ...]:
        """Read words as a person types them: with capitals, a full stop, a curly apostrophe.

        Parameters
        ----------
        text : str
            Words with spaces between them. Where ``'s`` is a word it may stand close to another.
        max_words : int, optional

        Returns
        -------
        tuple of str
            Words of this vocabulary, other than <pad>, <start> and <end>.

        Raises
        ------
        ValueError
            There is no word, there are too many, or some are not in the vocabulary.
        """
        text = text.replace("’", "'")
        if "'s" in self:
            text = text.replace("'s", " 's ")
        pairs = [(typed, self._known(typed)) for typed in text.split()]
        pairs = [(typed, word) for typed, word in pairs if word or typed.strip(MARKS)]
        if not pairs:
            raise ValueError("write at least one word")
        if max_words and len(pairs) > max_words:
            raise ValueError(f"these are {len(pairs)} words; at most {max_words} fit here")
        if unknown := [typed[:30] for typed, word in pairs if word is None]:
            raise ValueError(
                f"the model does not know {', '.join(f'“{word}”' for word in unknown)}. "
                f"It knows: {', '.join(self.words[END + 1 :])}"
            )
        return tuple(word for _, word in pairs)

    def _known(self, typed: str) -> str | None:
        bare = typed.strip(MARKS)
        forms = (typed, typed.lower(), bare, bare.lower())
        return next((form for form in forms if self._number.get(form, PAD) > END), None)

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
