"""What an answer does on its way: which functions of PyTorch it calls, and what they give."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from attention_lab.grading.feedback import Problem, name_of, returned

__all__ = ["Call", "calls_of", "written_out"]

# what does in one call what an exercise asks for in steps
WHOLE = ("softmax", "logsumexp", "attention", "cross_entropy")


@dataclass(frozen=True)
class Call:
    """One call of a function of PyTorch, and what came of it."""

    name: str
    result: Any


class _Listening(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.calls.append(Call(getattr(function, "__name__", ""), result))
        return result


def calls_of(answer: Callable[..., Any], inputs: Mapping[str, Any]) -> list[Call]:
    """Return what an answer calls of PyTorch, in its order; what is plain Python is not seen.

    Raises
    ------
    Problem
        Everything `returned` raises for.
    """
    listening = _Listening()

    @functools.wraps(answer)
    def heard(*args: Tensor) -> Any:
        with listening:
            return answer(*args)

    returned(heard, inputs)
    return listening.calls


def written_out(answer: Callable[..., Any], inputs: Mapping[str, Any], wanted: str) -> list[Call]:
    """Hold an answer to doing its steps itself, and return what it calls.

    Parameters
    ----------
    answer : callable
        One that gives the right result.
    inputs : mapping of str to Any
        By name, passed by position.
    wanted : str
        What to do instead, as in "build it from exp and sum".

    Raises
    ------
    Problem
        It calls a softmax, a log-sum-exp or a whole attention.
    """
    calls = calls_of(answer, inputs)
    for call in calls:
        if any(whole in call.name for whole in WHOLE):
            name = call.name.strip("_")
            raise Problem(
                f"the numbers are right, but {name_of(answer)} calls {name}, which does the work "
                f"in one step; {wanted}"
            )
    return calls
