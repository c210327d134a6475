"""How an exercise is found, and what a verdict says."""

import pytest
import torch
import torch.nn.functional as F

from attention_lab.exercises import check, grade
from attention_lab.grading.answers import judge_statements
from attention_lab.grading.base import GRADERS, Checks, Verdict, exercise, is_open
from attention_lab.grading.cases import judge
from attention_lab.grading.compare import agree, same
from attention_lab.grading.feedback import Problem


def no_return(*_):
    print("computed")


@pytest.mark.parametrize(
    "answer", [0, [], {}, "", lambda x: x, lambda x: 1, no_return, print, max, F.softmax, int]
)
def test_an_attempt_is_no_stub(answer):
    assert not is_open(answer)


def test_a_verdict_shows_itself():
    verdict = grade("strongest_key", 1)
    bundle = verdict._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Right. Key 1")
    assert "✓ <b>Right.</b> Key 1" in bundle["text/html"]
    assert "✗ <b>Not yet:</b>" in grade("strongest_key", "<b>")._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;" in grade("strongest_key", "<b>")._repr_mimebundle_()["text/html"]


def test_check_displays_and_returns_nothing(capsys):
    assert check.strongest_key(1) is None
    assert "Right. Key 1" in capsys.readouterr().out


def test_an_answer_that_prints_does_not_flood_the_page(capsys):
    def runs(*sizes):
        print(sizes)
        return sizes[0] == sizes[1] == sizes[2] and sizes[0] ** 2 * sizes[3] % sizes[4] == 0

    assert grade("runs_when", runs).passed
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "... and 3740 more lines"


def test_an_unknown_exercise_is_named():
    with pytest.raises(AttributeError, match="there is no exercise 'nothing'"):
        check.nothing(1)
    with pytest.raises(ValueError, match="there is no exercise 'nothing'; there are add_positions"):
        grade("nothing", 1)


def test_a_second_grader_of_the_same_name_is_refused():
    grade("strongest_key", 1)

    def strongest_key(answer):
        return "another one"

    with pytest.raises(ValueError, match="there are two exercises 'strongest_key', in "):
        exercise(strongest_key)
    assert grade("strongest_key", 1).message.startswith("Key 1 has the largest score")


STATEMENTS = {
    "A": (True, "A is true"),
    "B": (False, "B is false: no"),
    "C": (True, "C is true"),
    "D": (True, "D is true"),
}


def test_statements_are_judged_by_their_table():
    assert judge_statements("acd", STATEMENTS) == "A is true. B is false: no. C is true. D is true."
    for answer, says in (
        ("AB", "1 of the 4 statements are judged right, and 3 are not"),
        ("A", "2 of the 4 statements are judged right, and 2 are not"),
        ("AC", "3 of the 4 statements are judged right, and 1 is not"),
        ("X", "X is no statement here"),
    ):
        with pytest.raises(Problem, match=says):
            judge_statements(answer, STATEMENTS)


@pytest.mark.parametrize(
    ("dtypes", "off", "agrees"),
    [
        ((torch.float64, torch.float64), 1e-7, True),
        ((torch.float64, torch.float64), 1e-5, False),
        ((torch.float32, torch.float64), 1e-5, True),
        ((torch.float32, torch.float32), 1e-4, False),
    ],
)
def test_two_numbers_agree_but_for_the_rounding_of_their_dtype(dtypes, off, agrees):
    left, right = (torch.ones(2, dtype=dtype) for dtype in dtypes)
    right[1] += off
    assert agree(left, right).tolist() == [True, agrees]
    assert same(left, right) == agrees
    assert not same(left, right[:1])
    assert not agree(left, left * float("nan")).any()


def vectors(*sizes):
    return [{"x": torch.arange(1.0, n + 1), "factor": n} for n in sizes]


def judged(answer, **options):
    """Judge what should multiply by the factor; return what is said."""
    mistakes = {"that adds": lambda x, f: x + f, "that divides": lambda x, f: x / f}
    try:
        judge(answer, vectors(2, 3, 4), lambda x, f: x * f, "the products", mistakes, **options)
    except Problem as problem:
        return str(problem)
    return ""


def test_a_mistake_is_named_only_where_it_explains_every_case():
    assert judged(lambda x, f: f * x) == ""
    assert judged(lambda x, f: f + x) == "that adds"
    assert judged(lambda x, f: x / f) == "that divides"
    both = judged(lambda x, f: x + f if f == 3 else x / f)
    assert both == "for x = [1, 2], factor = 2 the products should be [2, 4], and [0.5, 1] came out"
    some = judged(lambda x, f: x + f if f == 3 else x * f)
    assert some.startswith("right for other inputs, but for x = [1, 2, 3], factor = 3")


def test_a_case_that_raises_or_has_another_shape_is_named():
    assert judged(lambda x, f: x[:2] * f).endswith("for x = [1, 2, 3], factor = 3; (3,) is right")
    assert "answer raised" not in judged(lambda x, f: x * f)
    assert "raised ZeroDivisionError" in judged(lambda x, f: x * f / (f != 4 or 0 // 0))


def test_exact_zeros_can_be_asked_for():
    def judged(answer):
        judge(answer, vectors(2, 3), lambda x, f: 0 * x, "the zeros", zeros=True)

    judged(lambda x, f: x - x)
    with pytest.raises(Problem, match="the zeros should be"):
        judged(lambda x, f: x * 1e-12)


def test_a_grader_may_return_a_whole_verdict_and_have_a_picture_for_each():
    def long_enough(answer):
        return Verdict("over budget", "It is long.") if answer > 9 else "It is short."

    long_enough.picture = lambda answer: f"<i>{answer}</i>"
    long_enough.__module__ = "nowhere"
    GRADERS["long_enough"] = long_enough
    try:
        checks = Checks({"long_enough": "attention_lab.grading.base"})
        verdict = checks.grade("long_enough", 10)
        assert verdict.passed
        assert str(verdict) == "Right, but over budget. It is long."
        assert verdict._repr_mimebundle_()["text/html"].endswith("</div><i>10</i>")
        assert str(checks.grade("long_enough", 1)) == "Right. It is short."
        assert checks.grade("long_enough", ...).picture == "<i>None</i>"
    finally:
        del GRADERS["long_enough"]
