"""Numbers, matrices and expressions as people type and paste them."""

import ast

import pytest

from attention_lab.grading.feedback import Problem
from attention_lab.ui.parsing import parse_expression, parse_matrix, parse_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        (" -0.5 ", -0.5),
        ("1e3", 1000),
        ("1/3", 1 / 3),
        ("−2", -2),
        ("２．５", 2.5),
        ("－１", -1),
        (".5", 0.5),
        ("+7", 7),
    ],
)
def test_numbers_are_read_as_people_type_them(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("abc", "“abc” is not a number"),
        ("", "empty"),
        ("   ", "empty"),
        ("nan", "“nan” is not a finite number"),
        ("inf", "“inf” is not a finite number"),
        ("-Infinity", "is not a finite number"),
        ("1e999", "is not a finite number"),
        ("1/0", "divides by zero"),
        ("0,5", "decimal comma; write 0.5"),
        ("1 2", "is not a number"),
        ("__import__('os')", "is not a number"),
        ("1/x", "is not a number"),
        ("3²", "is not a number"),
        ("1e31", "is too large"),
    ],
)
def test_what_is_no_number_is_named(text, says):
    with pytest.raises(Problem) as caught:
        parse_number(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "1 2\n3 4",
        "1\t2\n3\t4\n",
        "1, 2; 3, 4",
        "[[1, 2], [3, 4]]",
        "tensor([[1., 2.],\n        [3., 4.]], dtype=torch.float64)",
        "array([[1, 2], [3, 4]])",
        "\n\n1 2\r\n3 4\r\n",
        "[1 2]\n[3 4]",
        "((1, 2), (3, 4))",
        "1, 2\n3, 4",
        "1,2.0\n3,4.0",
        "1.0,2\n3,4",
        "[[1,2],[3,4]]",
        "(1,2),(3,4)",
        "1;2\n3;4",
        "1,0;2,0\n3,0;4,0",
        "1,0\t2,0\n3,0\t4,0\n",
        "1\t2\r\n3\t4\r\n",
        "1, 2;\n3, 4;",
        "Q = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)",
        "np.array([[1, 2], [3, 4]], dtype=np.float32)",
        "tensor([[1., 2.], [3., 4.]], device='cuda:0', grad_fn=<MmBackward0>)",
        "１、２；３、４",
        "1、2\n3、4",
    ],
)
def test_a_matrix_is_read_from_any_usual_form(text):
    assert parse_matrix(text, 6, 6) == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing to use"),
        ("  \n ", "nothing to use"),
        ("[]", "nothing to use"),
        ("1 2\n3", "row 1 has 1 numbers and row 0 has 2"),
        ("1 2\n3 x", "row 1, column 1: “x” is not a number"),
        ("1 nan", "row 0, column 1: “nan” is not a finite number"),
        ("1 2 3", "this matrix is 1 × 3; at most 2 × 2 fits"),
        ("1\n2\n3", "this matrix is 3 × 1; at most 2 × 2 fits"),
        ("0,5 1,5\n2,5 3,5", "two ways, as 0.5 1.5 2.5 3.5 or as 0 5 1 5 …: write decimal points"),
        ("1,5;-2,25", "“1,5;-2,25” can be read in two ways, as 1.5 -2.25 or as 1 5 -2 25"),
        (
            "1,5\n2,5\n3,5",
            "“1,5 / 2,5 / 3,5” can be read in two ways, as 1.5 2.5 3.5 or as 1 5 2 5 …",
        ),
        ("1,2", "as 1.2 or as 1 2"),
        ("1,2;3,4", "as 1.2 3.4 or as 1 2 3 4"),
        ("1,2 3", "as 1.2 3 or as 1 2 3"),
        ("1.234,5", "as 1234.5 or as 1.234 5"),
        ("1,234.5", "as 1234.5 or as 1 234.5"),
        ("1,234,567", "as 1234567 or as 1 234 567"),
        ("1,500\t2", "“1,500” can be read as 1500 or as 1.500"),
        ("1,500;2\n3;4", "“1,500” can be read as 1500 or as 1.500"),
    ],
)
def test_what_is_no_matrix_is_named(text, says):
    with pytest.raises(Problem) as caught:
        parse_matrix(text, 2, 2)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,5\t2,25\n-3\t4", ((1.5, 2.25), (-3, 4))),
        ("1.234,5\t1,500\n0,5\t2", ((1234.5, 1.5), (0.5, 2))),  # 0,5 tells that commas are decimal
        ("1,234.5\t2", ((1234.5, 2),)),
        ("1/3\t1e3", ((1 / 3, 1000),)),
        ("1,5;2\n3;4,5", ((1.5, 2), (3, 4.5))),
        ("1;2;3", ((1,), (2,), (3,))),  # MATLAB
        ("1 2; 3 4", ((1, 2), (3, 4))),
        ("1,2,3\n4,5,6", ((1, 2, 3), (4, 5, 6))),
        ("1,-2\n3,4", ((1, -2), (3, 4))),
        ("0.5,1.5", ((0.5, 1.5),)),
        ("10,20,30", ((10, 20, 30),)),
    ],
)
def test_commas_are_read_where_there_is_one_way_to_read_them(text, rows):
    assert parse_matrix(text, 6, 6) == rows


def test_every_refused_comma_can_be_written_as_the_message_says():
    for text in ("1.5 -2.25", "1, 5; -2, 25", "1.5\n2.5\n3.5"):
        assert parse_matrix(text, 6, 6)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("0,5", "0.5"), ("-1,25", "-1.25"), ("1.234,5", "1234.5"), ("1,234.5", "1234.5")],
)
def test_a_field_names_the_number_with_a_point(text, wanted):
    with pytest.raises(Problem) as caught:
        parse_number(text)
    assert str(caught.value) == f"“{text}” has a decimal comma; write {wanted}"


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("k ≤ q − 1", "k <= q - 1"), (" ２×ｑ ≠ ｋ·３ ", "2 * q != k * 3"), ("(k ≥ 0)", "k >= 0")],
)
def test_an_expression_is_read_with_the_signs_that_people_type(typed, plain):
    assert ast.unparse(parse_expression(typed)) == plain


@pytest.mark.parametrize(
    "typed", ["", "k = q", "k <=", "a; b", "k\0", "(" * 3000, "-" * 100_000 + "1"]
)
def test_what_is_no_expression_is_a_syntax_error(typed):
    with pytest.raises(SyntaxError):
        parse_expression(typed)
