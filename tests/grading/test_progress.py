"""What a learner has solved and guessed: kept, merged, put aside, never in the way."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import IPython
import nbformat
import pytest
from nbclient import NotebookClient

import kernels
from attention_lab.exercises import check, predict
from attention_lab.exercises import progress as shown
from attention_lab.grading import progress
from attention_lab.labs.puzzles import exercises  # noqa: F401 (registers the puzzles)
from attention_lab.labs.puzzles.puzzle import Progress
from attention_lab.ui.prediction import PredictionCard


@pytest.fixture(autouse=True)
def own_state(monkeypatch):
    monkeypatch.setattr(progress, "_said", set())
    monkeypatch.setattr(progress, "_waiting", [])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which a kernel works."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(progress.VARIABLE, raising=False)
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=1))
    return tmp_path


def in_file(folder):
    return json.loads((folder / progress.FILE).read_text(encoding="utf-8"))


def test_the_best_verdict_and_the_first_guess_are_kept(folder):
    for status in ("open", "not yet", "over budget", "pass", "not yet"):
        progress.note_verdict("one", status)
    progress.note_verdict("two", "not yet")
    progress.note_verdict("three", "open")
    for is_right in (False, True):
        progress.note_guess("asked", is_right)
    assert in_file(folder) == {
        "version": 1,
        "exercises": {"one": "solved", "two": "not yet"},
        "first_guesses": {"asked": False},
    }
    assert progress.kept() == progress.Kept({"one": "solved", "two": "not yet"}, {"asked": False})
    assert [file.name for file in folder.iterdir()] == [progress.FILE]


def test_a_check_and_a_guess_are_noted_and_grading_is_not(folder, capsys):
    check.strongest_key(...)
    assert not list(folder.iterdir())
    check.strongest_key(0)
    check.strongest_key(1)
    name = "lookup_price"
    card = predict.lookup_price()
    assert isinstance(card, PredictionCard)
    wrong, right = (
        next(b for b in card.buttons if (b.description == card.asked.right) is is_right)
        for is_right in (False, True)
    )
    wrong.click()
    right.click()
    PredictionCard(card.asked).buttons[0].click()  # without a name it is nobody's
    assert in_file(folder)["exercises"] == {"strongest_key": "solved"}
    assert in_file(folder)["first_guesses"] == {name: False}
    assert "progress" not in capsys.readouterr().out


@pytest.mark.parametrize("how", ["off", "no kernel", "no IPython"])
def test_elsewhere_nothing_is_kept(folder, monkeypatch, how):
    progress.note_verdict("one", "pass")
    (folder / progress.FILE).rename(folder / "was.json")
    if how == "off":
        monkeypatch.setenv(progress.VARIABLE, "off")
    elif how == "no kernel":
        monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    else:
        monkeypatch.delitem(sys.modules, "IPython")
    progress.note_verdict("one", "pass")
    assert progress.kept() == progress.Kept()
    assert progress.reset() is None
    assert [file.name for file in folder.iterdir()] == ["was.json"]


def test_another_file_can_be_named(folder, monkeypatch):
    monkeypatch.setenv(progress.VARIABLE, str(folder / "mine.json"))
    progress.note_guess("asked", True)
    assert [file.name for file in folder.iterdir()] == ["mine.json"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is broken"),
        ("[]", "is broken"),
        ('{"version": 1}', "is broken"),
        ('{"version": 1, "exercises": {"a": "won"}, "first_guesses": {}}', "is broken"),
        ('{"version": 1, "exercises": {"a": []}, "first_guesses": {}}', "is broken"),
        ('{"version": 1, "exercises": {}, "first_guesses": {"a": 1}}', "is broken"),
        ("[" * 100_000, "is broken"),
        ('{"version": 0, "exercises": {}}', "is of version 0, and this is version 1"),
        (b"\xff\xfe", "is broken"),
    ],
)
def test_a_file_that_is_not_ours_is_named_and_put_aside(folder, capsys, text, says):
    content = text if isinstance(text, bytes) else text.encode()
    for _ in range(2):
        (folder / progress.FILE).write_bytes(content)
        progress.note_verdict("one", "pass")
    out = capsys.readouterr().out
    assert says in out
    assert f"lies in {progress.FILE.removesuffix('.json')}.old-1.json" in out
    assert in_file(folder)["exercises"] == {"one": "solved"}
    aside = sorted(folder.glob("*.old-*.json"))
    assert [file.read_bytes() for file in aside] == [content] * 2


def test_a_file_of_a_later_version_stays_as_it_is(folder, capsys):
    text = '{"version": 9, "exercises": {}}'
    (folder / progress.FILE).write_text(text)
    progress.note_verdict("strongest_key", "pass")
    assert shown().text().startswith("1 of ")
    assert "This is not kept in a file for now." in shown().text()
    assert (folder / progress.FILE).read_text() == text
    assert "its file is of version 9, and this package writes version 1" in capsys.readouterr().out
    assert [file.name for file in folder.iterdir()] == [progress.FILE]


def test_where_it_cannot_be_written_that_is_said_once_and_the_check_goes_on(
    folder, monkeypatch, capsys
):
    monkeypatch.setenv(progress.VARIABLE, str(folder / "no" / "such" / "folder.json"))
    for answer in (0, 1):
        check.strongest_key(answer)
    out = capsys.readouterr().out
    assert out.count("Your progress is not kept for now") == 1
    assert "Right." in out
    assert shown().text().startswith("1 of ")
    monkeypatch.delenv(progress.VARIABLE)
    progress.note_guess("asked", True)  # what waited is written, too
    assert in_file(folder)["exercises"] == {"strongest_key": "solved"}


def test_a_file_that_cannot_be_read_stops_nothing(folder, capsys):
    (folder / progress.FILE).mkdir()
    assert progress.kept() == progress.Kept()
    assert progress.kept() == progress.Kept()
    progress.note_guess("asked", True)
    assert capsys.readouterr().out.count("cannot be read") == 1


def test_a_lock_in_use_is_waited_for_and_one_left_behind_is_not(folder, monkeypatch, capsys):
    lock = folder / f"{progress.FILE}.lock"
    lock.touch()
    monkeypatch.setattr(progress, "PATIENCE", 0.02)
    progress.note_verdict("one", "pass")
    assert "is in use" in capsys.readouterr().out
    assert not (folder / progress.FILE).exists()
    os.utime(lock, (0, 0))
    progress.note_verdict("two", "pass")
    assert in_file(folder)["exercises"] == {"one": "solved", "two": "solved"}
    assert not lock.exists()
    assert progress._age(lock) == 0


SECOND = """
import importlib.util, sys, types
spec = importlib.util.spec_from_file_location("progress", sys.argv[1])
progress = importlib.util.module_from_spec(spec)
sys.modules["progress"] = progress
spec.loader.exec_module(progress)
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=1))
progress.PATIENCE = 30
for i in range(40):
    progress.note_verdict(f"{sys.argv[2]}{i}", "pass")
"""


def test_two_notebooks_do_not_overwrite_each_other(folder):
    command = [sys.executable, "-c", SECOND, progress.__file__]
    both = [subprocess.Popen([*command, letter], cwd=folder) for letter in "ab"]
    assert [each.wait(60) for each in both] == [0, 0]
    wanted = {f"{letter}{i}" for letter in "ab" for i in range(40)}
    assert set(in_file(folder)["exercises"]) == wanted


def test_what_is_written_again_is_not_written(folder):
    progress.note_verdict("one", "pass")
    before = (folder / progress.FILE).stat().st_mtime_ns
    progress.note_verdict("one", "not yet")
    assert (folder / progress.FILE).stat().st_mtime_ns == before


# --- the table --------------------------------------------------------------------------------


def test_where_nothing_is_kept_it_says_where_it_will_be(folder):
    table = shown()
    assert table.text().startswith("Nothing is solved or guessed yet.")
    assert progress.FILE in table.text()
    assert "<table" not in table.html()


def test_it_counts_by_notebook_with_links_to_those_that_are_there(folder):
    (folder / "06_masks.ipynb").touch()
    progress.note_verdict("safe_softmax", "pass")
    progress.note_verdict("find_leaks", "not yet")
    progress.note_verdict("say_the_word", "over budget")
    progress.note_guess("weight_under_causal_mask", True)
    progress.note_guess("cross_padding", False)
    table = shown()
    count = len(dir(check))
    assert table.text() == (
        f"1 of {count} exercises solved, 1 right but over budget, 1 tried and not solved yet. "
        "1 of 2 first guesses right."
    )
    drawn = table._repr_mimebundle_()["text/html"]
    assert '<a href="06_masks.ipynb">06 Masks</a>' in drawn
    assert ">Position<" in drawn
    assert 'aria-label="find leaks: not yet">✗<' in drawn
    masks = drawn[drawn.index("06 Masks") :]
    cells = masks[: masks.index("</tr>")].split("</td>")[2:7]
    asked = sum(predict.room_of(name) == "masks" for name in dir(predict))
    said = [cell.rpartition(">")[2] for cell in cells]
    assert said == ["1", "1", "3", f"2 of {asked}", "1"]


def test_reset_keeps_what_was_there(folder):
    progress.note_verdict("one", "pass")
    said = shown(reset=True).text()
    aside = f"{progress.FILE.removesuffix('.json')}.before-reset-1.json"
    assert said.startswith(f"Begun anew; what was there lies in {aside}. Nothing is solved")
    assert json.loads((folder / aside).read_text())["exercises"] == {"one": "solved"}
    assert shown(reset=True).text().startswith("Nothing")


def test_a_reset_that_fails_says_so(folder, monkeypatch):
    progress.note_verdict("strongest_key", "pass")

    def refused(*_):
        raise PermissionError("not yours")

    monkeypatch.setattr(progress, "_put_aside", refused)
    said = shown(reset=True).text()
    assert said.startswith("The progress could not be put aside (not yours), and stays")
    assert "1 of" in said
    assert "Nothing" not in said


def test_the_board_of_the_puzzles_recalls_the_best():
    board = Progress()
    board.note("key_before", "solved")
    board.recall({"key_before": "not yet", "halving": "over budget", "no puzzle": "solved"})
    assert board.best == {"key_before": "solved", "halving": "over budget"}


@pytest.mark.parametrize(("kept", "files"), [("", [progress.FILE]), ("off", [])])
def test_a_kernel_of_a_reader_keeps_it_and_one_of_a_tool_does_not(tmp_path, kept, files):
    source = "from attention_lab.exercises import check\ncheck.strongest_key(1)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_manager_class=kernels.AsyncSockets,
        resources={"metadata": {"path": str(tmp_path)}},
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute(env={**os.environ, progress.VARIABLE: kept})
    assert "Right." in str(notebook.cells[0].outputs)
    assert [file.name for file in tmp_path.iterdir()] == files
    assert os.environ[progress.VARIABLE] == "off"  # which every tool hands on
