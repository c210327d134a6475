"""Sizes that several matrices share."""

import ipywidgets
import pytest

from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import count_field
from attention_lab.ui.matrix_editor import MatrixEditor
from attention_lab.ui.shared_sizes import SharedSizes, Size
from helpers import type_into


class View(LiveView):
    def __init__(self):
        super().__init__()
        self.drawn = []
        self.a = MatrixEditor("A", [[1, 2]])
        self.b = MatrixEditor("B", [[3, 4], [5, 6]])
        self.c = MatrixEditor("C", [[7], [8]])
        self.columns, self.rows = count_field("columns", 1, 6), count_field("rows", 1, 6)
        self.shared = SharedSizes(
            self,
            [
                Size({self.a: 1, self.b: 1}, self.columns, "columns"),
                Size({self.b: 0, self.c: 0}, self.rows, "rows"),
            ],
            then=lambda: self.drawn.append("fits"),
        )

    def draw(self):
        self.drawn.append([editor.shape for editor in (self.a, self.b, self.c)])
        return "", ""


@pytest.fixture
def view():
    return View()


def test_the_fields_show_the_sizes(view):
    assert (view.columns.value, view.rows.value) == (2, 2)
    assert view.drawn == []


def test_matrices_that_share_a_size_follow_and_are_drawn_once(view):
    view.b.paste("1 2 3")
    assert view.drawn == ["fits", [(1, 3), (1, 3), (1, 1)]]
    assert view.shared.said == (
        " A now has 3 columns as well, like B. C now has 1 rows as well, like B."
    )
    assert (view.columns.value, view.rows.value) == (3, 1)
    type_into(view.c, 0, 0, "9")
    assert view.shared.said == ""
    assert len(view.drawn) == 4


def test_a_typed_size_changes_all_that_share_it_and_says_nothing(view):
    view.rows.value = 3
    assert view.b.value == ((3, 4), (5, 6), (0, 0))
    assert view.c.value == ((7,), (8,), (0,))
    assert view.shared.said == ""
    assert view.drawn == ["fits", [(1, 2), (3, 2), (3, 1)]]
    assert isinstance(view.rows, ipywidgets.BoundedIntText)
