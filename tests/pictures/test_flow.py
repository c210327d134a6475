"""Words joined by lines: which lines and numbers there are, and to which words they belong."""

import re

import pytest
import torch
from matplotlib.patches import PathPatch

from attention_lab import figures
from attention_lab.pictures.flow import FAINTEST, FLOW_CSS, MOST_WORDS, arcs, described, flow
from attention_lab.widgets import WordLines

WEIGHTS = torch.tensor([[0.7, 0.3, 0.0], [0.004, 0.016, 0.98]])
ABOVE, BELOW = ["the", "black", "cat"], ["le", "chat"]


def lines_of(html):
    """Read back each line: its classes, and how wide it is."""
    return {
        kinds: float(width)
        for kinds, width in re.findall(r'<path class="(a\d+ b\d+)".*?stroke-width="([\d.]+)"', html)
    }


def test_a_line_is_as_wide_as_its_weight_and_small_weights_have_none():
    lines = lines_of(flow(WEIGHTS, ABOVE, BELOW))
    assert set(lines) == {"a0 b0", "a1 b0", "a1 b1", "a2 b1"}
    assert lines["a2 b1"] > 2 * lines["a1 b0"] > lines["a1 b1"]
    assert WEIGHTS[1, 1] > FAINTEST > WEIGHTS[1, 0]


def test_each_pair_has_its_number_twice_also_where_it_has_no_line():
    html = flow(WEIGHTS, ABOVE, BELOW)
    for j, row in enumerate(("0.700 0.300 0", "0.004 0.016 0.980")):
        for i, number in enumerate(row.split()):
            for side in "ab":
                kinds = rf'alab-of-{side} a{i} b{j}"[^>]*>{re.escape(number)}<'
                assert len(re.findall(kinds, html)) == 1, (i, j, side)


def test_a_word_that_is_not_written_yet_has_no_lines_and_no_numbers():
    html = flow(torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]), ABOVE, BELOW)
    assert "b1" in html
    assert not re.search(r'alab-number[^>]* b1"', html)
    assert all(kinds.endswith("b0") for kinds in lines_of(html))


def test_the_size_follows_from_the_words_and_not_from_the_weights():
    sizes = {
        re.search(r'width="(\d+)" height="(\d+)" viewBox', flow(w, ABOVE, BELOW))[0]
        for w in (WEIGHTS, torch.zeros(2, 3), torch.full((2, 3), 1 / 3))
    }
    assert len(sizes) == 1


def test_arcs_join_the_words_of_one_sentence_and_a_weight_on_itself_is_a_disc():
    html = arcs(torch.tensor([[1.0, 0.0], [0.25, 0.75]]), ["hello", "world"])
    paths = re.findall(r'<path class="(a\d b\d)" d="([^"]*)" fill="([^"]*)"', html)
    assert {kinds for kinds, _, _ in paths} == {"a0 b0", "a0 b1", "a1 b1"}
    assert {kinds for kinds, _, fill in paths if fill != "none"} == {"a0 b0", "a1 b1"}


@pytest.mark.parametrize("word", ["<b>", "$x$", "猫", "a" * 40, "&amp;"])
def test_any_word_is_written_as_it_is(word):
    for live in (True, False):
        html = flow(torch.tensor([[1.0]]), [word], ["x"], live=live)
        assert "alab-flow" in html if live else "<img" in html
    assert ">&lt;b&gt;</text>" in flow(torch.tensor([[1.0]]), ["<b>"], ["x"])


def test_the_style_sheet_knows_each_position_that_a_word_can_have():
    assert f"a{MOST_WORDS - 1}:is(:hover,:focus)" in FLOW_CSS
    assert f".a{MOST_WORDS}:is" not in FLOW_CSS


def test_too_many_words_and_weights_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"\(2, 3\) do not fit 1 queries and 3 keys"):
        flow(WEIGHTS, ABOVE, ["le"])
    with pytest.raises(ValueError, match="at most 24 words"):
        arcs(torch.zeros(25, 25), ["w"] * 25)


def test_the_sentence_names_at_most_two_keys_of_each_query():
    assert described(WEIGHTS, ABOVE, BELOW) == "le: the 0.700, black 0.300 · chat: cat 0.980"


def test_the_twin_is_a_picture_and_a_sentence_and_the_live_one_answers_to_tab():
    widget = WordLines(WEIGHTS, ABOVE, BELOW)
    assert 'tabindex="0"' in widget.picture.value
    assert "<svg" not in widget.twin_html()
    assert "le: the 0.700, black 0.300" in re.sub(r"<img[^>]*>", "", widget.twin_html())
    assert WordLines(torch.eye(2), ["a", "b"]).twin_text() == "WordLines: a: a 1.000 · b: b 1.000"


def test_the_figure_draws_the_same_lines_and_says_the_same():
    picture = figures.flow(WEIGHTS, ABOVE, BELOW, title="A cat")
    assert picture.sentence == f"A cat. {described(WEIGHTS, ABOVE, BELOW)}."
    curves = [p for p in picture.figure.axes[0].patches if isinstance(p, PathPatch)]
    assert len(curves) == len(lines_of(flow(WEIGHTS, ABOVE, BELOW)))
    widths = [curve.get_linewidth() for curve in curves]
    assert widths == sorted(widths)  # the thick ones on top
    assert picture.png()
    with pytest.raises(ValueError, match="there are 1 labels for 2 queries"):
        figures.flow(WEIGHTS, ABOVE, ["le"])
