"""ModeStudio, driven by the values of its fields."""

import html
import re

import pytest
import torch

from attention_lab.core import modes
from attention_lab.labs.programmable_rules.picker import LIBRARY, OWN_BIAS, OWN_MASK, ModePicker
from attention_lab.widgets import ModeStudio
from helpers import all_inside, marked, redraws_of, tables, text_of


def studio_of(first, **parameters):
    studio = ModeStudio(first=first, join="")
    fill(studio.picker.first, **parameters)
    return studio


def fill(part, **parameters):
    for name, value in parameters.items():
        field = next(f for f in part.fields if name in names_of(f))
        field.value = value


def names_of(field):
    return getattr(field, "description", "") or field.field.description


def facts(studio):
    """Read back the list of what is counted and kept."""
    _, rows = tables(studio.picture.value)[1]
    return {what: (sign, number) for sign, number, what in rows[1:]}


def test_the_studio_opens_with_a_causal_window():
    studio = ModeStudio()
    (caption, rows), _ = tables(studio.picture.value)
    assert caption.startswith("added to the scores (8 × 8)")
    assert rows[0][1:3] == ["0\nthe", "1\ncat"]
    assert rows[4] == ["3 on", "−∞", "0", "0", "0", *["−∞"] * 4]
    assert studio.note == (
        "21 of 64 pairs are kept: causal and at most 2 back. No query sees a later key."
    )
    assert marked(studio.picture.value, "hidden") == 64 - 21
    assert facts(studio)["pairs kept"] == ("○", "21 of 64")
    code = "In Python: mode = modes.causal & modes.window(3)"
    assert html.unescape(text_of(studio.picture.value)).endswith(code)


COUNTS = [
    ("every key", {}, 64),
    ("causal", {}, 36),
    ("prefix", {"size": 4}, 42),
    ("documents", {"lengths": "4 4"}, 32),
    ("dilated", {"step": 2}, 32),
    ("sink", {"keys": 2}, 16),
    ("window", {"size": 1}, 36),
    ("blocks", {"rows": "10 01", "block": 4}, 32),
    (OWN_MASK, {"mask": "k <= q and (q - k < 3 or k < 1)"}, 26),
    ("ALiBi", {"heads": 4}, 64),
]


@pytest.mark.parametrize(("name", "parameters", "pairs"), COUNTS)
def test_pairs_of_the_library(name, parameters, pairs):
    studio = studio_of(name, **parameters)
    assert studio.problem == ""
    assert studio.note.startswith(f"{pairs} of 64 pairs are kept: ")


def test_a_tree_and_a_grid():
    studio = studio_of("tree", parents="-1 0 0 1 1 2 2")
    assert studio.problem.endswith("has 7 positions, but 8 are asked for")
    studio.text.value = "a b c d e f g"
    assert studio.note.startswith("17 of 49 pairs")
    assert facts(studio)["of 128 × 128 blocks, at 1024 positions"] == ("○", "–")
    grid = studio_of("neighbourhood", width=3)
    grid.text.value = "a b c d e f g h i"
    assert grid.note.startswith("49 of 81 pairs")
    assert grid.mode.positions == 9


def test_every_mode_is_what_its_python_says_and_keeps_its_invariants():
    for name in LIBRARY:
        studio = ModeStudio("a b c d e f g h i", first=name, join="")
        if studio.problem:
            assert name in ("tree", "blocks")
            continue
        pasted = eval(studio.picker.code(9), {"modes": modes, "torch": torch})
        for ours, theirs in zip(pasted.dense(9, 9), studio.mode.dense(9, 9), strict=True):
            assert ours is theirs is None or torch.equal(ours, theirs)
        assert str(pasted) == str(studio.mode)
        assert studio.picker.code(9) in html.unescape(text_of(studio.picture.value))
        kept = [sign for what, (sign, _) in facts(studio).items()][3:]
        assert kept == ["✓"] * 4, name


def test_two_modes_are_joined_or_the_status_says_why_not():
    studio = ModeStudio(first="causal", join="|", second="sink")
    fill(studio.picker.second, keys=4)
    assert studio.picker.code(8) == "modes.causal | modes.sink(4)"
    assert studio.note.startswith("42 of 64")
    studio.picker.first.turned.value = True
    assert studio.picker.code(8) == "~modes.causal | modes.sink(4)"
    assert studio.note.startswith("54 of 64")
    good = studio.picture.value
    studio.picker.second.mode.value = "ALiBi"
    assert "joins masks, but “ALiBi of 8 heads” has also a bias" in studio.problem
    assert studio.picture.value == good
    assert "alab-stale" in studio.picture._dom_classes
    assert "Not used" in studio.status.value
    studio.picker.join.value = "+ plus"
    assert studio.problem == ""
    assert "alab-stale" not in studio.picture._dom_classes
    assert str(studio.mode) == "not causal, plus ALiBi of 8 heads"
    assert "Query 7 “.” sees no key: its output is 0." in studio.note
    assert "Query 0 “the” sees key 1 “cat”, which comes later" in studio.note


def test_without_a_join_the_second_mode_is_not_used():
    studio = ModeStudio()
    studio.picker.join.value = "nothing more"
    assert studio.picker.code(8) == "modes.causal"
    assert studio.picker.second.mode.layout.visibility == "hidden"
    studio.picker.join.value = "& and"
    assert studio.picker.second.mode.layout.visibility == "visible"


def test_what_was_kept_is_joined_again():
    studio = ModeStudio(first="window", join="|", second="sink")
    studio.picker.keep.click()
    studio.picker.first.mode.value = "kept 1: at most 2 back or the first key"
    studio.picker.join.value = "& and"
    studio.picker.second.mode.value = "causal"
    assert studio.picker.code(8) == "(modes.window(3) | modes.sink(1)) & modes.causal"
    assert studio.note.startswith("26 of 64")
    studio.picker.keep.click()
    assert studio.picker.second.mode.options[-1].startswith("kept 2: (at most 2 back or the first")
    studio.picker.second.mode.value = OWN_MASK
    fill(studio.picker.second, mask="q and k")
    before = studio.picker.first.mode.options
    studio.picker.keep.click()  # there is no mode to keep, and the status line says so already
    assert studio.picker.first.mode.options == before
    assert "wants True or False" in studio.problem


def test_an_own_rule_is_read_and_a_wrong_one_loses_nothing():
    studio = studio_of(OWN_MASK, mask="0 <= q - k < 2")
    assert studio.note.startswith("15 of 64")
    assert (
        studio.picker.code(8)
        == "modes.Mode('0 <= q - k < 2', lambda b, h, q, k: (0 <= q - k) & (q - k < 2))"
    )
    good = studio.picture.value
    fill(studio.picker.first, mask="q - k")
    assert studio.problem.startswith("a mask says True or False")
    assert studio.picture.value == good
    assert studio.picker.first.fields[0].value == "q - k"
    studio.picker.first.mode.value = OWN_BIAS
    assert studio.problem == ""
    assert tables(studio.picture.value)[0][1][1][3] == "−1"
    studio.picker.first.mode.value = OWN_MASK  # what was typed is still there
    assert studio.picker.first.fields[0].value == "q - k"
    fill(studio.picker.first, mask="k <= q or k < 2")
    studio.picker.join.value = "& and"
    assert str(studio.mode) == "(k <= q or k < 2) and at most 2 back"


def test_a_bias_that_is_no_finite_number_is_refused():
    studio = studio_of(OWN_BIAS, bias="exp(1000 * k)")
    assert "adds a number that is not finite" in studio.problem
    fill(studio.picker.first, bias="1000000*1000000*1000000*1000000*q")
    assert studio.problem
    assert studio.picker.problem == ""


def test_the_weights_of_equal_scores_show_that_a_bias_is_a_prior():
    studio = studio_of("spotlight", keys="2", bias=2.0)
    studio.view.value = "weights"
    caption, rows = tables(studio.picture.value)[0]
    assert caption.startswith("weights of equal scores")
    lit = torch.e**2 / (torch.e**2 + 7)
    assert rows[1][3] == f"{lit:.3f}"
    assert rows[1][1] == f"{(1 - lit) / 7:.3f}"
    assert rows[1][-1] == "1.000"
    sunk = studio_of("learnable sink")
    sunk.view.value = "weights"
    assert tables(sunk.picture.value)[0][1][1][-1] == f"{8 / 9:.3f}"
    for said in ("query 0 “the”, key 1 “cat”: weight 0.",):
        assert said in sunk.picture.value


def test_each_cell_says_what_it_is():
    studio = ModeStudio(first="causal", join="+", second="spotlight")
    for said in (
        "query 0 “the”, key 1 “cat”: hidden",
        "query 2 “sat”, key 1 “cat”: seen, 2 is added: a prior of 7.389",
    ):
        assert f">{said}<" in studio.picture.value


def test_a_head_has_its_own_numbers():
    studio = studio_of("ALiBi")
    assert tables(studio.picture.value)[0][1][1][2] == "−0.5"
    studio.head.value = 1
    assert tables(studio.picture.value)[0][1][1][2] == "−0.25"
    by_head = studio_of(OWN_MASK, mask="k == h")
    by_head.head.value = 3
    assert tables(by_head.picture.value)[0][1][1][4] == "0"
    table = studio_of("relative bias")
    assert table.problem == ""
    assert tables(table.picture.value)[0][1][3][1:5] == ["−1", "0", "1", "0.5"]


PROBLEMS = [
    ("documents", {"lengths": "4 x"}, "lengths: “x” is not a number"),
    ("documents", {"lengths": "4 0"}, "lengths: write whole numbers from 1 on"),
    ("documents", {"lengths": ""}, "lengths: write whole numbers from 1 on with spaces between"),
    ("tree", {"parents": "-1 0.5"}, "not 0.5"),
    ("tree", {"parents": "-1 1"}, "the parent of node 1 must be -1 or a node before it"),
    ("relative bias", {"table": "1 2"}, "(2 r + 1,)"),
    ("blocks", {"rows": "10 1"}, "rows: write 0 and 1, as many rows as columns"),
    ("blocks", {"rows": "12 10"}, "rows: write 0 and 1"),
    ("spotlight", {"keys": "-1"}, "keys: write whole numbers from 0 on"),
    ("neighbourhood", {"width": 2}, "fit into the grid of 4 × 2"),
]


@pytest.mark.parametrize(("name", "parameters", "says"), PROBLEMS)
def test_a_parameter_that_cannot_be_read_is_named(name, parameters, says):
    studio = studio_of(name)
    good = studio.picture.value
    fill(studio.picker.first, **parameters)
    assert says in studio.problem
    assert studio.picture.value == good


def test_a_number_field_says_in_the_status_line_what_is_wrong():
    studio = studio_of("soft cap")
    knob = studio.picker.first.fields[0]
    knob.field.value = "x"
    assert "cap: “x” is not a number" in studio.status.value
    assert "alab-stale" in studio.picture._dom_classes
    assert knob.message_line.layout.display == "none"
    studio.picker.first.mode.value = "temperature"  # the wrong number is out of sight
    assert "Not used" not in studio.status.value
    knob.field.value = "3"
    studio.picker.first.mode.value = "soft cap"
    assert studio.picker.code(8) == "modes.soft_cap(3)"


def test_tokens_are_labels_and_at_most_sixteen():
    studio = ModeStudio("a <b> $c$")
    assert [row[0] for row in tables(studio.picture.value)[0][1][1:]] == ["0 a", "1 <b>", "2 $c$"]
    studio.text.value = "extraordinarily long words " * 5
    assert tables(studio.picture.value)[0][1][1][0] == "0 extr…"
    good = studio.picture.value
    for text, count in (("w " * 17, 17), ("  ", 0)):
        studio.text.value = text
        assert studio.problem.endswith(f"with spaces between them, not {count}")
        assert studio.picture.value == good


def test_one_redraw_for_an_edit():
    studio = ModeStudio()
    counted = redraws_of(studio)
    studio.picker.first.mode.value = "spotlight"
    studio.picker.first.fields[1].value = 3
    studio.picker.first.fields[0].value = "2"
    studio.picker.second.turned.value = True
    studio.picker.join.value = "+ plus"
    studio.text.value = "a b"
    assert len(counted) == 6


def frame_of(picture):
    """Return a picture without its numbers, colours and words: what must stand still."""
    picture = re.sub(r'<div class="alab-code">.*?</div>', "", picture, flags=re.S)
    picture = re.sub(r'<span class="alab-why"[^>]*>.*?</span>(?=</td>)', "", picture)
    picture = re.sub(r' (class|style|aria-label)="[^"]*"', "", picture)
    return re.sub(r"(<td[^>]*>)[^<]*", r"\1", picture)


def test_the_frame_stands_still_while_the_mode_changes():
    studio = ModeStudio()
    frames, longest, cells = set(), 0, []
    for name in LIBRARY:
        for join in ("nothing more", "+ plus"):
            studio.picker.first.mode.value, studio.picker.join.value = name, join
            if studio.problem:
                assert len(studio.problem) < 260
                continue
            frames.add(frame_of(studio.picture.value))
            longest = max(longest, len(studio.note))
            cells += [text for line in tables(studio.picture.value)[0][1][1:] for text in line[1:]]
    assert len(frames) == 1
    assert longest < 200
    assert max(map(len, cells)) <= len(">0.999")
    assert "height:2.6em" in studio.twin_html()


def test_the_twin_says_what_is_shown():
    studio = ModeStudio()
    assert studio.picture.value in studio.twin_html()
    assert studio.twin_text() == f"ModeStudio: {studio.note}"


def test_a_picker_makes_the_mode_for_any_number_of_tokens():
    picker = ModePicker(first=OWN_MASK, join="", second="causal")
    fill(picker.first, mask="k == n - 1")
    assert picker.mode(5).dense(5, 5)[0][0].nonzero()[:, 1].unique().tolist() == [4]
    assert picker.mode(3).dense(3, 3)[0][0].nonzero()[:, 1].unique().tolist() == [2]


def test_no_two_inputs_have_one_label():
    inputs = ("Text", "Dropdown", "BoundedIntText", "Checkbox")
    around = [x.description for x in all_inside(ModeStudio()) if type(x).__name__ in inputs]
    assert len(set(around)) == len(around)
    for name in LIBRARY:
        picker = ModePicker(name, "&", name)
        labels = [x.description for x in all_inside(picker) if type(x).__name__ in inputs]
        assert all(labels)
        assert len(set(labels)) == len(labels), labels


def test_a_wrong_parameter_of_the_second_mode_says_which():
    studio = ModeStudio(first="sink", second="spotlight")
    studio.picker.second.fields[0].value = "x"
    assert studio.problem.startswith("keys 2: “x” is not a number")


def test_a_second_mode_that_is_not_used_can_be_left_out_in_a_narrow_window():
    picker = ModePicker(join="")
    assert "alab-unused" in picker.second.parameters._dom_classes
    picker.join.value = "& and"
    assert "alab-unused" not in picker.second.parameters._dom_classes
    picker.join.value = "nothing more"
    assert "alab-unused" in picker.second.parameters._dom_classes
