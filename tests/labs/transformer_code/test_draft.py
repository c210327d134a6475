"""The draft of notebook 07, its repairs, and the properties that tell right from wrong."""

import itertools
import math
from types import SimpleNamespace

import nbformat
import pytest
import torch

from attention_lab.labs.transformer_code.draft import (
    INPUTS,
    PROPERTIES,
    REPAIRS,
    Draft,
    Sizes,
    make_input,
)
from attention_lab.labs.transformer_code.exercises import SMALL, runs

ARTICLE = Sizes(3, 3, 2, 5, 10, 10)
USUAL = Sizes(2, 4, 4, 4, 4, 16)  # the draft runs with these


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_the_draft_runs_just_where_the_grader_says_so():
    found = set()
    for sizes in SMALL:
        n, n_heads, d_k, d_v, d_model = sizes
        each = Sizes(2, n, n_heads, d_k, d_v, d_model)
        if Draft(each).trace(make_input(INPUTS[2], each))[1] is not None:
            found.add(sizes)
    assert found == {sizes for sizes in SMALL if runs(*sizes)}


@pytest.mark.parametrize(
    ("given", "sizes", "line", "says"),
    [
        (INPUTS[0], ARTICLE, 1, "Long and Float"),
        (INPUTS[1], ARTICLE, 1, "(3x3 and 10x10)"),
        (INPUTS[2], ARTICLE, 5, "size of tensor a (2) must match the size of tensor b (3)"),
        (INPUTS[2], Sizes(1, 2, 2, 5, 10, 10), 5, "to be: [2, 5] but got: [2, 2]"),
        (INPUTS[2], Sizes(2, 5, 5, 5, 3, 10), 8, "shape '[2, -1, 10]' is invalid for input of"),
    ],
)
def test_the_walls_in_their_order(given, sizes, line, says):
    lines, output = Draft(sizes).trace(make_input(given, sizes))
    assert output is None
    (number,) = [i for i, each in enumerate(lines, 1) if each.error]
    assert number == line
    assert says in lines[number - 1].error
    assert all(each.shape is None for each in lines[number - 1 :])
    assert all(each.shape is not None for each in lines[: number - 1])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "repairs", [c for n in range(5) for c in itertools.combinations(REPAIRS, n)], ids=str
)
def test_what_is_shown_is_what_runs(repairs, masked):
    """Each line's code, as Python reads it, gives what its function gives."""
    draft = Draft(USUAL, repairs)
    x = make_input(INPUTS[2], USUAL)
    mask = torch.ones(4, 4, dtype=torch.bool).tril() if masked else None
    names = {**USUAL._asdict(), **dict(draft.named_children()), "math": math}
    names |= {"x": x, "memory": x, "mask": mask}
    v = SimpleNamespace(x=x, memory=x, mask=mask)
    for step in draft.steps(masked):
        exec(step.code, names)
        target = step.code.split(" = ")[0]
        setattr(v, target, step.run(v))
        assert torch.equal(names[target], getattr(v, target)), step.code
    output, weights = draft(x, mask=mask)
    assert torch.equal(output, v.output)
    assert torch.equal(weights, v.weights)


def test_a_trace_has_the_shapes_of_all_lines():
    draft = Draft(USUAL, REPAIRS)
    x = make_input(INPUTS[2], USUAL)
    lines, output = draft.trace(x)
    assert torch.equal(output, draft(x)[0])
    assert all(line.shape == line.wanted for line in lines)
    assert [line.code for line in lines if "sqrt" in line.code]


@pytest.mark.parametrize("order", list(itertools.permutations(REPAIRS)))
def test_in_any_order_no_repair_loses_a_property(order):
    x = make_input(INPUTS[2], USUAL)
    held = [
        [holds(Draft(USUAL, order[:count]), x) for holds in PROPERTIES.values()]
        for count in range(len(order) + 1)
    ]
    assert sum(held[0]) == 2
    assert all(held[-1])
    for before, after in itertools.pairwise(held):
        assert all(b <= a for b, a in zip(before, after, strict=True)), order


@pytest.mark.parametrize(
    ("sizes", "repairs", "count"),
    [
        # alone, two of the four mend nothing: the draft holds two properties from the start
        (Sizes(2, 5, 5, 5, 2, 10), {"transpose"}, 3),
        (Sizes(2, 5, 5, 5, 2, 10), {"softmax"}, 4),
        (Sizes(2, 5, 5, 5, 2, 10), {"scale"}, 2),
        (Sizes(2, 5, 5, 5, 2, 10), {"join"}, 2),
        # what goes again when one of the four is taken away, with the article's sizes
        (ARTICLE, set(REPAIRS) - {"softmax"}, 3),
        (ARTICLE, set(REPAIRS) - {"scale"}, 5),
        (ARTICLE, set(REPAIRS) - {"join"}, 4),
    ],
)
def test_what_the_notebook_says_of_the_workbench(sizes, repairs, count):
    x = make_input(INPUTS[2], sizes)
    assert sum(holds(Draft(sizes, repairs), x) for holds in PROPERTIES.values()) == count
    without_turn = set(REPAIRS) - {"transpose"}
    with pytest.raises(RuntimeError):
        Draft(ARTICLE, without_turn)(make_input(INPUTS[2], ARTICLE))


def test_the_weights_by_hand_need_three_repairs():
    sizes = Sizes(2, 5, 5, 5, 2, 10)
    x = make_input(INPUTS[2], sizes)
    by_hand = PROPERTIES["the weights are those worked out by hand"]
    enough = [
        repairs
        for n in range(4)
        for repairs in itertools.combinations(REPAIRS, n)
        if by_hand(Draft(sizes, repairs), x)
    ]
    assert enough == [("transpose", "softmax", "scale")]


def test_each_property_fails_somewhere_and_each_fault_is_found():
    x = make_input(INPUTS[2], USUAL)
    for missing in REPAIRS:
        draft = Draft(USUAL, set(REPAIRS) - {missing})
        assert not all(holds(draft, x) for holds in PROPERTIES.values()), missing
    wrong_size = Sizes(2, 3, 2, 5, 10, 10)
    half = Draft(wrong_size, {"transpose", "softmax"})
    x = make_input(INPUTS[2], wrong_size)
    assert half(x)[0].shape == (2, 6, 10)
    assert not PROPERTIES["one output for each token"](half, x)
    odd = Sizes(2, 1, 1, 1, 2, 2)
    assert Draft(odd)(make_input(INPUTS[2], odd))[1].shape == (2, 1, 1, 1)


@pytest.mark.parametrize(
    "sizes", [Sizes(1, 1, 1, 1, 1, 1), Sizes(2, 1, 3, 2, 4, 5), Sizes(3, 7, 1, 2, 3, 4)]
)
def test_with_all_repairs_every_property_holds_for_odd_sizes(sizes):
    x = make_input(INPUTS[2], sizes)
    for name, holds in PROPERTIES.items():
        assert holds(Draft(sizes, REPAIRS), x), name


def test_a_mask_that_is_ignored_is_found():
    class Deaf(Draft):
        def forward(self, x, memory=None, mask=None):
            return super().forward(x, memory)

    x = make_input(INPUTS[2], USUAL)
    assert not PROPERTIES["a causal mask hides later tokens"](Deaf(USUAL, REPAIRS), x)


def test_the_draft_of_the_notebook_has_the_same_faults(request):
    path = request.config.rootpath / "notebooks/07_transformer_code.ipynb"
    cells = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    for fault in ("key.transpose(1, 2)", "softmax(dim=2)", "reshape(len(x), -1, d_model)"):
        assert fault in cells["draft-code"].source
    assert "sqrt" not in cells["draft-code"].source
