"""What a learner has solved and guessed: one small file beside the notebooks, sent nowhere.

A verdict of ``check`` and a guess of ``predict`` are noted where they are made, if that is a
notebook. Two notebooks may be open at once: each note reads the file, adds to it, and puts the new
one in its place, while a second file keeps the other out. What goes wrong with the files is said
once, and never stops a check.

The variable ``ATTENTION_LAB_PROGRESS`` names another file, or says ``off``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "FILE",
    "RANK",
    "VARIABLE",
    "Kept",
    "Newer",
    "is_waiting",
    "kept",
    "note_guess",
    "note_verdict",
    "reset",
]

FILE = ".attention_lab_progress.json"
VARIABLE = "ATTENTION_LAB_PROGRESS"
VERSION = 1
RANK = ("not yet", "over budget", "solved")  # of an exercise: the best answer counts
PATIENCE = 0.5  # seconds to wait for another notebook's note
STALE = 5.0  # seconds after which a lock was left behind


class Newer(Exception):
    """The file is of a later version of this package, and stays as it is."""


@dataclass
class Kept:
    """What is in the file.

    Attributes
    ----------
    exercises : dict of name to one of `RANK`
    first_guesses : dict of name to bool
        Whether the first guess was right.
    """

    exercises: dict[str, str] = field(default_factory=dict)
    first_guesses: dict[str, bool] = field(default_factory=dict)

    def verdict(self, name: str, status: str) -> None:
        """Add the status of a `Verdict`, if it is no worse than what was there."""
        state = "solved" if status == "pass" else status
        before = self.exercises.get(name, RANK[0])
        self.exercises[name] = max(state, before, key=RANK.index)

    def guess(self, name: str, is_right: bool) -> None:
        """Add a guess, if it is the first."""
        self.first_guesses.setdefault(name, is_right)

    def written(self) -> str:
        """Return the text of the file."""
        content = {
            "version": VERSION,
            "exercises": self.exercises,
            "first_guesses": self.first_guesses,
        }
        return json.dumps(content, indent=1, sort_keys=True) + "\n"


_said: set[str] = set()
_waiting: list[Callable[[Kept], None]] = []  # notes that could not be written yet


def note_verdict(name: str, status: str) -> None:
    """Keep the verdict on an exercise; one that was not attempted is none."""
    if status != "open":
        _note(lambda content: content.verdict(name, status))


def note_guess(name: str, is_right: bool) -> None:
    """Keep the first guess of a prediction."""
    _note(lambda content: content.guess(name, is_right))


def kept() -> Kept:
    """Return what is in the file and what waits to be written; nothing where none is kept."""
    path = _place()
    if path is None:
        return Kept()
    try:
        content = _read(path)
    except (OSError, Newer) as error:
        _say_once(f"Your progress cannot be read: {error}.")
        content = Kept()
    for each in _waiting:
        each(content)
    return content


def is_waiting() -> bool:
    """Tell whether something could not be written yet."""
    return bool(_waiting)


def reset() -> Path | None:
    """Begin anew, and return where the old file lies now; None if there was none.

    Raises
    ------
    OSError
        The file cannot be moved.
    """
    path = _place()
    _waiting.clear()
    if path is None or not path.exists():
        return None
    with _locked(path):
        return _put_aside(path, "before-reset")


def _place() -> Path | None:
    """Return where the file is, or None where no progress is kept: outside of notebooks."""
    named = os.environ.get(VARIABLE, "")
    if named == "off":
        return None
    ipython = sys.modules.get("IPython")
    if not hasattr(ipython and ipython.get_ipython(), "kernel"):
        return None
    return Path(named or FILE).absolute()


def _note(change: Callable[[Kept], None]) -> None:
    """Add to the file, or say once why that is not possible; never raise."""
    try:
        path = _place()
        if path is None:
            return
        _waiting.append(change)
        with _locked(path):
            content = _read(path)
            before = content.written()
            for each in _waiting:
                each(content)
            if content.written() != before or not path.exists():
                _write(path, content)
        _waiting.clear()
    except Exception as error:  # a check must not fail for it
        _say_once(f"Your progress is not kept for now: {error}. All else works as before.")


def _read(path: Path) -> Kept:
    """Read the file; one that is not ours is put aside under another name, and named."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Kept()
    except UnicodeDecodeError:
        text = ""
    try:
        return _parsed(text)
    except ValueError as error:
        aside = _put_aside(path, "old")
        _say_once(f"{path.name} {error}: it now lies in {aside.name}, and a new one was begun.")
        return Kept()


def _parsed(text: str) -> Kept:
    try:
        content = json.loads(text)
        version = content["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("is broken") from None
    if isinstance(version, int) and version > VERSION:
        raise Newer(f"its file is of version {version}, and this package writes version {VERSION}")
    if version != VERSION:
        raise ValueError(f"is of version {version!r}, and this is version {VERSION}")
    exercises, guesses = content.get("exercises"), content.get("first_guesses")
    if not isinstance(exercises, dict) or not isinstance(guesses, dict):
        raise ValueError("is broken")
    if not all(isinstance(state, str) and state in RANK for state in exercises.values()):
        raise ValueError("is broken")
    if not all(isinstance(is_right, bool) for is_right in guesses.values()):
        raise ValueError("is broken")
    return Kept(exercises, guesses)


def _write(path: Path, content: Kept) -> None:
    """Put a new file in the place of the old one, whole or not at all."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new.write_text(content.written(), encoding="utf-8")
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _put_aside(path: Path, why: str) -> Path:
    """Give a file a name that no other has."""
    stem, count = path.name.removesuffix(".json"), 1
    while (aside := path.with_name(f"{stem}.{why}-{count}.json")).exists():
        count += 1
    return path.rename(aside)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other notebooks out while a file is read and written."""
    lock, end = path.with_name(f"{path.name}.lock"), time.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > end:
                if _age(lock) < STALE:
                    raise TimeoutError(f"{lock.name} is in use") from None
                lock.unlink(missing_ok=True)
            time.sleep(0.005)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except OSError:  # it has gone
        return 0.0


def _say_once(sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        print(sentence)
