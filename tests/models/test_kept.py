"""Trainings that are kept in files."""

from pathlib import Path

import pytest

import attention_lab.labs
from attention_lab.models.kept import as_text, read_json, whole
from attention_lab.models.training import History, Interrupted

LABS = Path(attention_lab.labs.__file__).parent
ROOMS = ("alignment", "encoder_decoder", "position")
FILES = sorted(path for room in ROOMS for path in (LABS / room).glob("*.json"))


def test_a_file_has_a_line_for_each_row():
    assert as_text({"b": [1, 2], "a": {"x": 0.5}}) == '{\n"a": {"x": 0.5},\n"b": [1, 2]\n}\n'
    assert as_text([{"é": 1}, 2]) == '[\n{"é": 1},\n2\n]\n'


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_kept_is_written_as_it_is_read(path):
    rows = read_json(f"attention_lab.labs.{path.parent.name}", path.name)
    assert as_text(rows) == path.read_text(encoding="utf-8")


def test_there_are_kept_trainings():
    assert len(FILES) == 6


def test_half_a_training_is_not_kept():
    done = History([1.0])
    assert whole("dot", lambda: done) is done
    with pytest.raises(RuntimeError, match=r"^dot: its loss is nan$"):
        whole("dot", lambda: History([1.0], stopped="its loss is nan"))

    def stopped():
        raise Interrupted(History(stopped="stopped after 2 of 5 steps"))

    with pytest.raises(RuntimeError, match=r"^dot: stopped after 2 of 5 steps$"):
        whole("dot", stopped)
