"""Budgets, pictures and the board of the attention puzzles; their graders: test_exercises."""

import linecache
import math
import re
from pathlib import Path

import nbformat
import pytest
import torch

from attention_lab.core import modes
from attention_lab.exercises import board, check, grade
from attention_lab.grading import model
from attention_lab.grading.feedback import Problem
from attention_lab.labs.puzzles import figures, masks, real, weights
from attention_lab.labs.puzzles import puzzle as puzzles
from attention_lab.labs.puzzles.board import Board
from attention_lab.labs.puzzles.judging import Masks
from attention_lab.labs.puzzles.puzzle import PUZZLES, Progress, in_order, statements
from attention_lab.models.pretrained import is_installed, smollm2

PAGE = nbformat.read(Path(__file__).parents[3] / "notebooks" / "puzzles.ipynb", as_version=4)
CELLS = {cell.id: cell for cell in PAGE.cells}
NUMBERS = range(1, len(PUZZLES) + 1)
needs_model = pytest.mark.skipif(not is_installed(), reason="needs the real model")


def written(source, name, space=None):
    """Run a source that `inspect` can read afterwards, and return a function of it."""
    file = f"<written {name}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    space = {} if space is None else space
    exec(compile(source, file, "exec"), space)
    return space[name]


@pytest.fixture
def progress(monkeypatch):
    """What became of the puzzles, begun anew."""
    fresh = Progress()
    monkeypatch.setattr(puzzles, "PROGRESS", fresh)
    monkeypatch.setattr("attention_lab.labs.puzzles.board.PROGRESS", fresh)
    return fresh


# --- the page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS)
def test_the_page_says_title_and_budget_as_the_check_does_and_its_solution_keeps_it(number):
    each = in_order()[number - 1]
    said = re.search(
        r"\*\*Puzzle (\d+): (.*?)\*\* \(budget: (\d+) statements?\)",
        CELLS[f"p{number:02d}-md"].source,
    )
    assert said.groups() == (str(number), each.title, str(each.budget))
    space = {"math": math, "torch": torch, "modes": modes}
    source = re.findall(r"```python\n(.*?)```", CELLS[f"p{number:02d}-help"].source, re.S)[-1]
    used = statements(written(source, each.name, space))
    assert 1 <= used <= each.budget


def test_the_parts_are_the_sections_of_the_page():
    headings = re.findall(r"^## (\d .*)$", "\n".join(c.source for c in PAGE.cells), re.M)
    assert list(dict.fromkeys(each.part for each in in_order())) == headings


def test_one_that_is_not_attempted_shows_what_is_wanted():
    for number in NUMBERS:
        (output,) = CELLS[f"p{number:02d}"].outputs
        assert "<table" in output.data["text/html"], number
        assert "yours:" not in output.data["text/html"], number


@pytest.mark.slow
@needs_model
def test_the_picture_on_top_is_what_the_model_says():
    lm = smollm2()
    last = lm.read(real.YARD).shape[1] - 1
    said = [lm.probabilities(real.YARD)]
    for word in figures.CHOICES:
        mode = modes.spotlight(lm.find(real.YARD, word), figures.BIAS, queries=[last])
        said.append(real.under(lm, mode, lambda: lm.probabilities(real.YARD), list(figures.LAYERS)))
    shares = torch.stack([each[[lm.token(word) for word in figures.CHOICES]] for each in said])
    torch.testing.assert_close(shares, torch.tensor(figures.SHARES), atol=0.002, rtol=0)
    assert figures.opening().sentence.endswith(".")


# --- counts that are said -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("puzzle", "n", "pairs"), [(masks.TREE, 7, 17), (masks.GRID, 64, 484), (masks.EDGE, 64, 576)]
)
def test_the_pairs_that_are_named(puzzle, n, pairs):
    (case,) = [case for case in puzzle.cases if case[0] == n]
    assert puzzle.of(puzzle.right, case).sum() == pairs


def test_each_mask_is_tried_on_one_position_and_on_more_than_is_drawn():
    every = [each for each in vars(masks).values() if isinstance(each, Masks)]
    assert len(every) == 13
    for each in every:
        sizes = [n for n, _ in each.cases]
        assert min(sizes) == 1 or each is masks.EDGE  # which has nine cells at least
        assert max(sizes) > sizes[0]


def test_some_masks_have_empty_rows():
    for each in (masks.BEFORE, masks.OTHERS, masks.DOCUMENTS, masks.BLOCKS):
        assert any((~each.of(each.right, case)).all(-1).any() for case in each.cases)


# --- statements ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(x):\n    return x", 1),
        ('def f(x):\n    """What it does."""\n    y = 1; z = 2\n    return y', 3),
        ("def f(x):\n    return (\n        x\n        + 1\n    )", 1),
        ("def f(x):\n    for i in x:\n        if i:\n            x = i\n    return x", 4),
        ("def f(x):\n    def g(y):\n        return y\n    return g", 3),
        ("def f(x):\n    return lambda y: y", 1),
        ("f = lambda x: x", 1),
        ("class f:\n    pass", None),
    ],
)
def test_statements_are_counted_however_they_are_laid_out(source, count):
    assert statements(written(source, "f")) == count


@pytest.mark.parametrize("answer", [print, 3, eval("lambda x: x")])
def test_what_has_no_source_has_no_count(answer):
    assert statements(answer) is None


def test_a_function_under_another_name_is_not_found_in_its_source():
    answer = written("def f(x):\n    return x", "f")
    answer.__name__ = "g"
    assert statements(answer) is None


# --- verdicts, pictures and the board ----------------------------------------------------------

LONG = "def f(b, h, q_idx, kv_idx):\n    before = q_idx - 1\n    return kv_idx == before"


def test_a_longer_answer_is_right_and_over_budget(progress):
    verdict = grade("key_before", written(LONG, "f"))
    assert verdict.passed
    assert str(verdict).startswith("Right, but over budget. Query 0")
    assert "It takes 2 statements; the budget is 1." in str(verdict)
    assert progress.state("key_before") == "over budget"
    assert "○" in verdict._repr_mimebundle_()["text/html"]


def test_the_picture_marks_where_an_answer_differs():
    verdict = grade("key_before", lambda b, h, q, k: k == q)
    html = verdict._repr_mimebundle_()["text/html"]
    assert "wanted: 5 pairs" in html
    assert "yours: 6 pairs" in html
    assert html.count(">✗</td>") == 6
    assert html.count(">○</td>") == 5
    assert "✗ seen, and should not be; ○ not seen, and should be" in html
    right = grade("key_before", lambda b, h, q, k: k == q - 1).picture
    assert "✗" not in right
    assert "yours: 5 pairs" in right


def test_an_answer_that_raises_has_the_wanted_picture_alone():
    for name in ("key_before", "halving", "tree_of_guesses"):
        html = grade(name, lambda *given: 1 / 0).picture
        assert "wanted" in html
        assert "yours" not in html


def test_weights_that_differ_are_marked_nan_too():
    html = grade("halving", lambda b, h, q, k: 1.0 * k).picture
    assert html.count("✗") > 3
    assert "nan" in weights.weights_table("w", torch.tensor([[float("nan")]]))
    assert "yours" not in grade("look_where_told", lambda t: torch.zeros(6, 3)).picture
    assert "yours" not in weights.compared(torch.eye(2), lambda _: torch.eye(3), "", "")(print)


def test_the_board_counts_the_best_answer_to_each(progress):
    assert board().text() == f"0 of {len(PUZZLES)} puzzles solved; {len(PUZZLES)} not attempted"
    grade("key_before", written(LONG, "f"))
    grade("all_but_itself", lambda b, h, q, k: k == q)
    grade("every_third", lambda b, h, q, k: (k % 3 == 0) & (k <= q))
    grade("every_third", lambda b, h, q, k: k == q)  # worse: the better one stays
    others = len(PUZZLES) - 3
    assert board().text() == (
        f"1 of {len(PUZZLES)} puzzles solved; 1 over budget, 1 not yet, {others} not attempted"
    )
    html = board().html()
    assert "over budget, 2 of 1" in html
    assert "solved, 1 of 1" in html
    assert html.count("not attempted</td>") == others
    assert all(each.title in html for each in PUZZLES.values())


def test_an_unattempted_puzzle_is_not_counted(progress):
    grade("key_before", ...)
    assert progress.best == {}


def test_a_board_on_the_page_is_drawn_anew(progress, monkeypatch):
    shown = []

    class Handle:
        def update(self, bundle, raw):
            shown.append(bundle["text/plain"])

    monkeypatch.setattr("IPython.display.display", lambda *given, **options: Handle())
    Board()._ipython_display_()
    check.every_third(lambda b, h, q, k: (k % 3 == 0) & (k <= q))
    assert shown[-1].startswith("1 of ")
    monkeypatch.setattr("IPython.display.display", lambda *given, **options: None)
    Board()._ipython_display_()  # where nothing can be displayed
    assert len(progress.listeners) == 1


# --- the real model -----------------------------------------------------------------------------


def test_without_the_model_one_line_says_how_to_get_it(monkeypatch):
    def missing():
        raise ModuleNotFoundError("SmolLM2 is not installed; this gets it: pip install it")

    monkeypatch.setattr(model, "smollm2", missing)
    for name, answer in (
        ("say_the_word", lambda at, last: modes.causal),
        ("break_the_copy", lambda n: lambda b, h, q, k: q - k != n),
        ("few_keys", lambda keys: lambda b, h, q, k: k == q),
        ("say_it_within_limits", lambda at, last: (modes.causal, 3)),
    ):
        real.plain_losses.cache_clear()
        verdict = grade(name, answer)
        assert str(verdict) == ("Not yet: SmolLM2 is not installed; this gets it: pip install it.")
        assert "wanted" in verdict.picture


@needs_model
def test_limits_are_shown_with_what_came():
    html = grade("break_the_copy", lambda n: lambda b, h, q, k: k != q + 1 - n).picture
    assert html.count('aria-label="good"') == 3
    html = grade("break_the_copy", lambda n: lambda b, h, q, k: k == q).picture
    assert html.count('aria-label="bad"') == 3
    assert "not run" in html


@needs_model
def test_a_mode_that_the_model_cannot_run_is_said():
    def answer(at, last):
        return modes.tree([-1, 0])

    assert "under “on one's own path of a tree of 2” the model raised" in str(
        grade("say_the_word", answer)
    )


@pytest.mark.parametrize("layers", ["late", [True], [], 30, -1, None])
def test_layers_that_are_none(layers):
    with pytest.raises(Problem, match="numbers from 0 to 29"):
        real.layers_of(layers)


def test_layers_may_be_written_in_several_ways():
    assert real.layers_of(3) == [3]
    assert real.layers_of(range(2)) == [0, 1]
    assert real.layers_of({5, 4}) == [4, 5]
