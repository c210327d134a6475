"""The page that says what stands where: all of it, and nothing else."""

import re

import nbformat

import catalogue
import lint
import notebooks as tool
from attention_lab import widgets
from attention_lab.exercises import ROOMS, predict


def test_the_page_is_that_of_the_notebooks():
    committed = catalogue.INDEX.read_text(encoding="utf-8")
    assert committed == catalogue.written(), "run `python tools/catalogue.py`"


def test_all_is_listed():
    found = list(catalogue.items())
    of = {kind: [item.name for item in found if item.kind == kind] for kind in
          ("widget", "Exercise", "Puzzle", "prediction")}  # fmt: skip
    assert sorted(of["Puzzle"]) == sorted(ROOMS["puzzles"])
    others = [name for room, names in ROOMS.items() if room != "puzzles" for name in names]
    assert sorted(of["Exercise"]) == sorted(others)
    assert sorted(of["prediction"]) == sorted(dir(predict))
    assert set(of["widget"]) <= set(widgets.ROOMS)
    assert {"MaskExplorer", "WordLines", "AttentionExplorer"} <= set(of["widget"])


def test_its_links_resolve():
    assert list(lint.links(lint.read(catalogue.INDEX))) == []


def test_each_exercise_has_its_title_and_its_time():
    found = {item.name: item for item in catalogue.items()}
    masks = found["causal_and_padding"]
    assert masks.title == "6.1 padding on the left"
    assert masks.effort == "10 minutes"
    assert masks.place.target == "06_masks.ipynb#Exercises"
    assert found["key_before"].effort == "budget: 1 statement"
    assert found["cross_padding"].place.heading == "2 Sentences of different lengths"


def test_of_a_long_question_the_beginning_stays():
    short = catalogue.short("What is `a|b`, or W_Q? " + "And the rest. " * 10)
    assert short.startswith(r"What is `a\|b`, or W\_Q? And the rest.")
    assert short.endswith(" …")
    assert len(short) < catalogue.LONGEST + 8
    assert catalogue.short("x" * 10 + " " + "y" * 200) == "xxxxxxxxxx …"


def test_brackets_in_a_heading_do_not_end_its_link():
    place = catalogue.Place(tool.NOTEBOOKS / "06_masks.ipynb", "A (b) c")
    assert place.target == "06_masks.ipynb#A-%28b%29-c"


def test_every_notebook_of_the_course_has_something_in_it():
    files = set(re.findall(r"\((\w+\.ipynb)#", nbformat.writes(catalogue.page())))
    assert files == {path.name for path in tool.course()}
