"""The graders of the attention puzzles, in the order of the page: loading them registers them."""

from attention_lab.labs.puzzles import masks, weights, real  # noqa: I001

__all__ = ["masks", "real", "weights"]
