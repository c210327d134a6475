"""SelectConsole, driven by the values of its fields."""

import re

import pytest
import torch

from attention_lab.labs.programmable_weights.widget import LENGTHS, PREDICATES, PROGRAMS
from attention_lab.widgets import SelectConsole
from helpers import redraws_of, tables


def captions(console):
    return {caption.split()[0]: rows for caption, rows in tables(console.picture.value)}


def test_the_console_shows_selector_weights_matrices_and_result():
    console = SelectConsole()
    shown = captions(console)
    assert set(shown) == {"selector", "weights", "aggregate", "W_Q", "W_K", "random"}
    assert [line[1:] for line in shown["selector"][1:]] == [
        [str(int(j == i - 1)) for j in range(6)] for i in range(6)
    ]
    assert len(shown["weights"][0]) == 8  # a corner, BOS and six keys
    assert [line[1] for line in shown["aggregate"][1:]] == ["0", "3", "1", "4", "1", "5"]
    assert [line[0] for line in shown["random"][1:]] == [str(n) for n in LENGTHS]
    k = shown["W_K"]  # the truth table, and BOS at half
    assert [line[1:] for line in k[1:]] == [
        [str(int(q == j)) for j in range(11)] + ["0.5"] for q in range(11)
    ]
    assert "5 of 6 rows are right" in console.note
    assert "Row 0 selects nothing: it should give 0, and gives 0.8" in console.note


def test_beta_and_bos_decide_what_is_right():
    console = SelectConsole()
    console.beta.value = 20.0
    assert "6 of 6 rows are right" in console.note
    assert all(right == 1 for _, right, _, _ in console.tried())
    console.bos.value = False
    assert len(captions(console)["weights"][0]) == 7
    assert "and gives 3.833" in console.note  # the mean of all tokens
    empty = {n: share for n, _, share, _ in console.tried()}
    assert empty[32] == 0
    console.beta.value = 0.0
    assert captions(console)["aggregate"][1][3] == "✗ off"
    worst = [off for *_, off in console.tried()]
    assert worst[-1] > 3


def test_a_program_fills_the_fields_and_a_changed_field_is_ones_own():
    console = SelectConsole("reverse")
    console.beta.value = 20.0
    assert [line[1] for line in captions(console)["aggregate"][1:]] == [
        "9",
        "5",
        "1",
        "4",
        "1",
        "3",
    ]
    counted = redraws_of(console)
    console.program.value = "where are equal tokens"
    assert len(counted) == 1
    assert console.key_rule.value == "tokens"
    assert "Row 1 selects 2 keys, and gives their mean." in console.note
    console.value_rule.value = "tokens"
    assert console.program.value == "your own"
    assert len(counted) == 2
    console.value_rule.value = "positions"
    assert console.program.value == "where are equal tokens"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("predicate", PREDICATES)
def test_sharp_weights_give_what_the_selector_says(program, predicate):
    console = SelectConsole(program)
    console.predicate.value = predicate
    console.beta.value = 30.0
    shown = console.shown()
    assert torch.allclose(shown.came, shown.exact, atol=1e-3)
    assert all(share == 1 for _, share, _, _ in console.tried())


def test_the_last_good_picture_stays_and_what_is_wrong_is_said():
    console = SelectConsole()
    before = console.picture.value
    for field, text, says in (
        (console.tokens, "3 a", "single digits with spaces between"),
        (console.tokens, "12 3", "single digits"),
        (console.tokens, "", "single digits"),
        (console.tokens, " ".join("1" * 9), "at most 8 tokens fit here, not 9"),
        (console.query_rule, "positions + 9", "a query is 10; the weights here are written for"),
        (console.key_rule, "0 - tokens", "a key is -3"),
        (console.value_rule, "apples", "“apples” is not known here"),
        (console.beta.field, "x", "β: “x” is not a number"),
    ):
        kept = field.value
        field.value = text
        assert says in console.status.value, text
        assert "Not used" in console.status.value
        assert console.picture.value == before
        field.value = kept
        assert "Not used" not in console.status.value
    assert console.picture.value == before


def frame_of(html):
    """Return a picture without numbers and colours: what must stand still."""
    return re.sub(r"<t[dh][^>]*>.*?</t[dh]>|<br>[^<]*</caption>", "<td></td>", html)


@pytest.mark.parametrize("tokens", ["5", "3 1 4", "0 1 2 3 4 5 6 7"])
def test_the_console_stands_still_whatever_is_chosen(tokens):
    console = SelectConsole()
    console.tokens.value = tokens
    frames, longest, cells = set(), 0, []
    steps = [("predicate", each) for each in PREDICATES]
    steps += [("beta", each) for each in (0.0, 30.0, 4.0)]
    for program in PROGRAMS:
        for name, value in [("program", program), *steps]:
            getattr(console, name).value = value
            assert not console.problem
            frames.add(frame_of(console.picture.value))
            longest = max(longest, len(console.note))
            wide = [rows for name, rows in captions(console).items()
                    if name in ("weights", "aggregate", "random")]  # fmt: skip
            cells += [text for rows in wide for line in rows[1:] for text in line[1:]]
    assert len(frames) == 1
    assert longest < 200  # the status line has room for two lines
    assert max(map(len, cells)) <= len("−0.001")
    assert "min-width:3.4em!important" in console.twin_html()


def test_the_twin_says_what_stands_in_the_fields():
    console = SelectConsole("reverse")
    html = console.twin_html()
    assert "queries: length - 1 - positions" in html
    assert "β = 6, with BOS" in html
    assert console.twin_text().startswith("SelectConsole: keys positions, key == query")
    console.bos.value = False
    assert "no BOS" in console.twin_html()
