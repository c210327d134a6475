"""The real language model, for checks that ask it."""

from __future__ import annotations

from attention_lab.grading.feedback import Problem, describe
from attention_lab.models.pretrained import SmolLM2, smollm2

__all__ = ["asked_model"]


def asked_model() -> SmolLM2:
    """Return the model.

    Raises
    ------
    Problem
        It is not installed, or its file is another one; the one line that gets it.
    """
    try:
        return smollm2()
    except (ModuleNotFoundError, ValueError) as error:
        raise Problem(describe(error)) from error
