"""Every checker: its solution, other right answers, and wrong ones with their message."""

import itertools
import re
import sys
from importlib import import_module

import nbformat
import pytest
import torch

import lint
import notebooks as tool
from attention_lab.exercises import ROOMS, check
from attention_lab.exercises import grade as graded
from attention_lab.models.pretrained import is_installed
from labs.conftest import ASKS_THE_MODEL

NOTEBOOKS = tool.course()
FOLDED = re.compile(
    r"<details><summary>Solution</summary>\s+```python\n(.*?)```.*?</details>", re.S
)


def grade(name, answer):
    """Grade an answer, where what it is tried on is installed."""
    if name in ASKS_THE_MODEL:
        if not is_installed():
            pytest.skip("needs the real model")
        torch.set_num_threads(1)  # as on its page; a fixture sets it back
    return graded(name, answer)


def solutions():
    """Every folded solution of the notebooks: exercise name, answer."""
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        imports, threads = {}, torch.get_num_threads()
        exec(next(cell.source for cell in cells if cell.id == "import"), imports)
        torch.set_num_threads(threads)
        for cell, following in itertools.pairwise(cells):
            called = lint.CHECK.search(cell.source)
            if cell.cell_type != "code" or not called:
                continue
            name, variable = called.groups()
            folded = FOLDED.search(following.source)
            assert folded, f"{path.name}: check.{name} is not followed by a folded solution"
            assert "<summary>Hint</summary>" in following.source, f"{path.name}: {name} has no hint"
            namespace = dict(imports)
            exec(folded[1], namespace)
            yield pytest.param(name, namespace[variable], id=name)


SOLUTIONS = list(solutions())


def test_every_exercise_has_a_solution_in_a_notebook():
    assert sorted(parameter.id for parameter in SOLUTIONS) == sorted(dir(check))


@pytest.mark.parametrize(("name", "answer"), SOLUTIONS)
def test_the_folded_solution_passes(name, answer):
    verdict = grade(name, answer)
    assert verdict.passed, verdict


@pytest.fixture
def unusual_torch():
    """A notebook that has set what torch lets it set."""
    torch.set_default_dtype(torch.float64)
    with torch.no_grad():
        yield torch.get_rng_state()
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("name", "answer"), SOLUTIONS)
def test_a_verdict_does_not_depend_on_what_the_notebook_has_set(name, answer, unusual_torch):
    verdict = grade(name, answer)
    assert verdict.passed, verdict
    assert torch.get_default_dtype() == torch.float64
    assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), unusual_torch)


ANSWERS = [import_module(f"labs.{room}.answers") for room in ROOMS]
RIGHT = {name: answers for module in ANSWERS for name, answers in module.RIGHT.items()}
WRONG = {name: cases for module in ANSWERS for name, cases in module.WRONG.items()}


@pytest.mark.parametrize(
    ("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers]
)
def test_other_right_answers_pass(name, answer):
    verdict = grade(name, answer)
    assert verdict.passed, verdict


def test_each_checker_has_at_least_two_other_right_answers():
    assert set(RIGHT) == set(dir(check))
    assert all(len(answers) >= 2 for answers in RIGHT.values())


def no_return(*_):
    print("computed")


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [(name, answer, says) for name, cases in WRONG.items() for answer, says in cases],
)
def test_wrong_answers_fail_with_their_message(name, answer, says):
    verdict = grade(name, answer)
    assert verdict.status == "not yet", verdict
    assert says in verdict.message, verdict


def test_each_checker_has_at_least_three_wrong_answers():
    assert set(WRONG) == set(dir(check))
    assert all(len(cases) >= 3 for cases in WRONG.values())


def stub(x): ...


def stub_with_docstring(x, y=1):
    """What to do."""
    ...


def stub_with_pass(x):
    """What to do."""
    pass


def stub_returning_dots(x):
    """What to do."""
    return ...


@pytest.mark.parametrize(
    "answer",
    [
        ...,
        None,
        [..., ...],
        {"a": ...},
        {"a": 1, "b": ...},
        [1, ...],
        [(..., ...)],
        stub,
        stub_with_docstring,
        stub_with_pass,
        stub_returning_dots,
    ],
)
@pytest.mark.parametrize("name", dir(check))
def test_not_attempted_says_so(name, answer):
    verdict = grade(name, answer)
    assert verdict.status == "open"
    assert str(verdict).startswith("Not attempted: ")
    assert verdict.message.endswith(", and run the cell again.")


class Odd:
    def __call__(self, *args):
        return self

    def __repr__(self):
        return "odd"


class Hostile(dict):
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __getitem__(self, key):
        raise RuntimeError(key)


def leaves(*args):
    sys.exit("bye")


RECURSIVE = []
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    "answer",
    [
        0,
        -1.5,
        "x",
        [],
        (),
        {},
        set(),
        object(),
        Odd(),
        print,
        lambda: 1,
        lambda *a: a,
        torch.ones(2),
        1j,
        pytest.param(Hostile(a=1), id="hostile"),
        leaves,
        pytest.param(RECURSIVE, id="recursive"),
        torch.tensor(1 + 5j),
        torch.eye(2).to_sparse(),
        [torch.eye(2), torch.ones(3)],
        lambda *a: 1 / 0,
        lambda *a: torch.ones(1),
        10**400,
        b"ab",
        [[1], [2, 3]],
        [None, 1],
        int,
    ],
)
# Python 3.13 warns where C code asks the hostile object for an attribute
@pytest.mark.filterwarnings("ignore:Exception ignored in PyObject_HasAttr")
@pytest.mark.parametrize("name", dir(check))
def test_no_answer_makes_a_check_raise(name, answer):
    verdict = grade(name, answer)
    assert verdict.status in ("not yet", "open")
