"""The page for those who teach: its minutes and its errors are those of the course."""

import re

import nbformat
import pytest

import catalogue
import notebooks as tool
import teaching
from attention_lab.exercises import ROOMS

TEXT = teaching.PAGE.read_text(encoding="utf-8")
AGAIN = "run `python tools/teaching.py`"


@pytest.mark.parametrize("name", ["times", "week", "term"])
def test_the_minutes_are_those_of_the_notebooks(name):
    assert teaching.part(TEXT, name) == teaching.PARTS[name](), AGAIN


def test_the_errors_are_those_of_the_tests():
    entries = re.split(
        r"^\*\*.*?\*\* \(`check\.(\w+)`\)$", teaching.part(TEXT, "errors"), flags=re.M
    )
    told = dict(zip(entries[1::2], entries[2::2], strict=True))
    wanted = {}
    for room, names in ROOMS.items():
        for name in names:
            if chosen := teaching.wrong_answers(name, room):
                wanted[name] = [says for _, says in chosen]
    assert set(told) <= set(wanted), AGAIN
    assert len(set(wanted) - set(told)) < 5, AGAIN  # all that is said to them is of form
    for name, entry in told.items():
        text = re.sub(r"\\([|*_])", r"\1", entry).replace("&lt;", "<")
        for line in re.findall(r"^- (.+)$", text, re.M):
            assert not teaching.FORM_OF_REPLY.search(line), (name, line)
            assert any(" ".join(says.split()) in line for says in wanted[name]), (name, AGAIN)
    assert len(told) > 0.8 * sum(map(len, ROOMS.values()))


def test_the_lecture_takes_as_long_as_it_says():
    lecture = TEXT.partition("## One lecture, 90 minutes")[2].partition("\n## ")[0]
    assert sum(int(number) for number in re.findall(r"^\| (\d+) \|", lecture, re.M)) == 90


def test_the_sections_that_the_lecture_names_are_there():
    headings = {(item.place.path.stem[:2], item.place.heading) for item in catalogue.items()}
    for number, heading in (
        ("00", "What is attention, in one screen?"),
        ("10", "8 The same mode in a language model"),
    ):
        assert (number, heading) in headings
    for file in re.findall(r"\(\.\./notebooks/([\w.]+)\)", TEXT):
        assert (tool.NOTEBOOKS / file).exists(), file


def test_every_notebook_of_the_course_is_in_the_term():
    term = teaching.part(TEXT, "term")
    assert [path.name for path in tool.course() if path.name not in term] == []


def test_a_part_goes_between_its_marks():
    text = "a <!-- x --> old <!-- end of x --> b"
    put = teaching.put(text, "x", "new")
    assert put == "a <!-- x -->\n\nnew\n\n<!-- end of x --> b"
    assert teaching.part(put, "x") == "new"
    with pytest.raises(ValueError, match="there is no <!-- y -->"):
        teaching.put(text, "y", "new")


def test_an_error_is_told_in_the_sentence_of_its_check():
    (answer, says), *_ = teaching.wrong_answers("strongest_key", "start_here")
    assert says in teaching.said_to("strongest_key", answer, says)
    assert list(teaching.named(["times"])) == ["times", "week", "term"]
    assert list(teaching.named([])) == list(teaching.PARTS)


@pytest.mark.parametrize("each", teaching.minutes(), ids=lambda each: each.path.stem)
def test_the_box_of_a_notebook_says_what_its_exercises_add_up_to(each):
    title = nbformat.read(each.path, as_version=4).cells[0].source
    said = tool.EXERCISE_TIME.search(title)
    if said:
        assert 0 <= int(said[0].split()[0]) - each.exercises < 5
