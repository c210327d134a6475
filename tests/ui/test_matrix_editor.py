"""The matrix editor, small and large."""

import math

import pytest
import torch

from attention_lab.widgets import MatrixEditor
from helpers import type_into


@pytest.fixture
def editor():
    return MatrixEditor("Q", [[1, 2], [3, 4]], rows="q", columns="d")


def test_typing_a_number_changes_the_matrix(editor):
    seen = []
    editor.observe(lambda change: seen.append(change["new"]), names="value")
    type_into(editor, 1, 0, "-7.5")
    assert editor.value == ((1, 2), (-7.5, 4))
    assert seen == [((1, 2), (-7.5, 4))]
    assert editor.tensor.dtype == torch.float64


def test_nonsense_is_named_and_the_last_number_stays(editor):
    type_into(editor, 0, 1, "abc")
    assert editor.value == ((1, 2), (3, 4))
    assert editor.problem.startswith("Q[0, 1]: “abc” is not a number")
    assert editor.problem.endswith("Still using 2")
    assert editor.fields[0, 1].value == "abc"  # what was typed is not lost
    type_into(editor, 1, 1, "9")  # another field still works
    assert editor.value == ((1, 2), (3, 9))
    assert "Q[0, 1]" in editor.problem
    type_into(editor, 0, 1, "5")
    assert editor.value == ((1, 5), (3, 9))
    assert editor.problem == ""


def test_paste_replaces_the_matrix_and_its_shape(editor):
    editor.paste("1 2 3\n4 5 6\n7 8 9")
    assert editor.value == ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    assert len(editor.grid.children) == 16
    editor.reset()
    assert editor.value == ((1, 2), (3, 4))
    assert len(editor.grid.children) == 9


@pytest.mark.parametrize("text", ["", "1 2\n3", "1 x", "1 2 3 4 5 6 7"])
def test_a_bad_paste_changes_nothing_but_the_message(editor, text):
    editor.paste(text)
    assert editor.value == ((1, 2), (3, 4))
    assert editor.problem.startswith("Q, paste: ")
    editor.paste("5")
    assert editor.value == ((5,),)
    assert editor.problem == ""


def test_pasting_the_same_matrix_clears_a_wrong_field(editor):
    type_into(editor, 0, 0, "x")
    editor.paste("1 2\n3 4")
    assert editor.problem == ""
    assert editor.fields[0, 0].value == "1"


def test_numbers_come_back_after_shrinking(editor):
    editor.resize(1, 1)
    assert editor.value == ((1,),)
    editor.resize(3, 2)
    assert editor.value == ((1, 2), (3, 4), (0, 0))


def test_float32_is_shown_rounded():
    editor = MatrixEditor("Q", torch.tensor([[0.7]]))
    assert editor.fields[0, 0].value == "0.7"
    assert editor.value == ((0.7,),)
    editor.value = torch.tensor([[123456.75, 0.1]])
    assert editor.value == ((123456.75, 0.1),)
    editor.value = torch.tensor([[1234567, 16777217]])
    assert editor.value == ((1234567, 16777217),)


def test_presets_can_be_chosen_and_are_let_go_by_an_edit():
    editor = MatrixEditor("Q", [[1]], presets={"ones": [[1, 1]], "twos": [[2, 2], [2, 2]]})
    assert editor.preset in editor.children
    editor.preset.value = "twos"
    assert editor.value == ((2, 2), (2, 2))
    assert editor.preset.value == "twos"
    type_into(editor, 0, 0, "5")
    assert editor.preset.value == "choose…"
    editor.preset.value = "twos"
    assert editor.value == ((2, 2), (2, 2))
    editor.reset()
    assert editor.value == ((1,),)
    assert editor.preset.value == "choose…"
    with pytest.raises(ValueError, match="at most 6"):
        MatrixEditor("Q", [[1]], presets={"long": [[0] * 7]})


def test_a_late_message_of_a_hidden_field_is_ignored(editor):
    hidden = editor.fields[1, 1]
    editor.resize(1, 1)
    hidden.value = "7"
    assert editor.value == ((1,),)


def test_a_value_can_be_assigned(editor):
    editor.value = [[9, 8]]
    assert editor.value == ((9, 8),)
    assert editor.fields[0, 1].value == "8"


@pytest.mark.parametrize(
    "value", [[], [[]], [[1], [2, 3]], [["a"]], [[math.nan]], 5, [[0] * 7], torch.zeros(3)]
)
def test_a_wrong_value_from_code_raises_and_changes_nothing(editor, value):
    with pytest.raises((ValueError, TypeError), match="Q"):
        editor.value = value
    assert editor.value == ((1, 2), (3, 4))


def test_every_field_has_a_label_of_its_own(editor):
    labels = [field.description for field in editor.fields.values()]
    assert labels == [
        "Q row 0 column 0",
        "Q row 0 column 1",
        "Q row 1 column 0",
        "Q row 1 column 1",
    ]


def test_a_pasted_text_is_used_when_it_comes_and_not_twice():
    editor = MatrixEditor("Q", [[1, 2]])
    editor.paste_toggle.value = True
    editor.paste_button.click()
    assert "there is nothing to use" in editor.problem
    editor.paste_text.value = "1 2\n3"
    assert "row 1 has 1 numbers" in editor.problem
    editor.paste_button.click()  # a click that overtook the text below
    assert "row 1 has 1 numbers" in editor.problem
    editor.paste_text.value = "1 2\n3 4"
    assert editor.value == ((1, 2), (3, 4))
    assert (editor.problem, editor.paste_toggle.value, editor.paste_text.value) == ("", False, "")
    editor.paste_button.click()  # a click that comes late
    assert editor.problem == ""


def test_the_newest_problem_is_told_and_then_the_one_before():
    editor = MatrixEditor("Q", [[1, 2]])
    type_into(editor, 0, 0, "one")
    editor.paste("1 2\n3")
    assert "row 1 has 1 numbers" in editor.problem
    type_into(editor, 0, 1, "two")
    assert "“two”" in editor.problem
    type_into(editor, 0, 1, "2.5")
    assert "“one”" in editor.problem
    type_into(editor, 0, 0, "1")
    assert editor.problem == ""


@pytest.fixture
def large():
    """A matrix of 10 × 8 numbers: too many for a field each."""
    return MatrixEditor("Q", torch.arange(80.0).reshape(10, 8), max_rows=128, max_columns=64)


def test_a_large_matrix_has_one_field_for_the_chosen_cell(large):
    assert large.cells.children == (large.one_cell,)
    assert large.fields == {}
    large.one_row.value, large.one_column.value = 3, 5
    assert large.one_number.value == "29"
    large.one_number.value = "1/4"
    assert large.value[3][5] == 0.25
    large.one_row.value = 4
    assert large.one_number.value == "37"
    large.reset()
    assert large.value[3][5] == 29
    large.value = torch.zeros(10, 8)
    assert large.one_number.value == "0"


def test_nonsense_in_the_one_field_keeps_the_number_and_goes_with_the_cell(large):
    large.one_number.value = "abc"
    assert "Q[0, 0]: “abc” is not a number" in large.problem
    assert "Still using 0" in large.problem
    assert large.value[0][0] == 0
    large.one_column.value = 1
    assert large.problem == ""
    assert large.one_number.value == "1"


def test_fields_and_picture_take_turns(large):
    before = large.overview.value
    large.one_number.value = "1000"
    assert large.overview.value != before
    large.one_row.value = 9
    large.resize(2, 2)
    assert large.cells.children == (large.grid,)
    assert large.fields[1, 1].value == "9"
    assert (large.one_row.value, large.one_column.value) == (9, 0)
    large.fields[0, 0].value = "5"
    large.resize(10, 8)
    assert large.cells.children == (large.one_cell,)
    assert large.value[0][0] == 5
    assert large.value[9][7] == 79
    assert large.one_number.value == "72"


def test_the_chosen_cell_of_a_large_matrix_stays_inside(large):
    large.one_row.value, large.one_column.value = 9, 7
    large.resize(7, 7)
    assert (large.one_row.value, large.one_column.value) == (6, 6)
    assert large.one_number.value == "54"


def test_an_emptied_box_to_paste_into_takes_its_complaint_with_it(editor):
    editor.paste_text.value = "abc"
    assert "paste: row 0, column 0: “abc” is not a number" in editor.problem
    editor.paste_text.value = ""
    assert editor.problem == editor.message_line.value == ""


def test_of_a_long_text_only_the_beginning_is_repeated(editor):
    type_into(editor, 0, 0, "x" * 5000)
    assert "x" * 40 + "…” is not a number" in editor.problem
    assert len(editor.problem) < 140
