"""What came of trainings, kept in a file of the room that a script has made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from attention_lab.models.training import History, Interrupted

__all__ = ["as_text", "read_json", "whole"]


def read_json(room: str, name: str) -> Any:
    """Return what a file of a package holds.

    Parameters
    ----------
    room : str
        The package, such as ``__package__``.
    name : str
        Of the file.
    """
    return json.loads((files(room) / name).read_text(encoding="utf-8"))


def as_text(rows: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return the text of a file, a line for each row; the rows of a mapping are sorted."""
    if isinstance(rows, Mapping):
        lines = [f"{json.dumps(key)}: {_line(row)}" for key, row in sorted(rows.items())]
        return "{\n" + ",\n".join(lines) + "\n}\n"
    return "[\n" + ",\n".join(map(_line, rows)) + "\n]\n"


def _line(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def whole(name: str, trained: Callable[[], History]) -> History:
    """Train, and return the history of all steps: half a training is not kept.

    Parameters
    ----------
    name : str
        What is trained, for the message.
    trained : callable
        Calls `train`.

    Raises
    ------
    RuntimeError
        It was interrupted, or a loss or a gradient was not finite.
    """
    try:
        history = trained()
    except Interrupted as stop:
        raise RuntimeError(f"{name}: {stop}") from None
    if history.stopped:
        raise RuntimeError(f"{name}: {history.stopped}")
    return history
