"""Exercises that check themselves: ``check.<name>(answer)`` says pass, or what is wrong."""

from attention_lab.exercises import (  # noqa: F401  (register)
    alignment,
    encoder_decoder,
    masks,
    position,
    qkv,
    scale,
    start,
    transformer_code,
    weighted_sum,
    weights,
)
from attention_lab.exercises.base import Verdict, check, grade

__all__ = ["Verdict", "check", "grade"]
