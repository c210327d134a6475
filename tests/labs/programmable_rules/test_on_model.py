"""A mode in a model: the widget on a small random model, and what is kept of the real one."""

import html
import re
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch

from attention_lab.core import modes
from attention_lab.labs.programmable_rules import on_model, steering
from attention_lab.labs.programmable_rules.figures import opening
from attention_lab.labs.programmable_rules.on_model import EXAMPLES, ModeOnModel
from attention_lab.labs.programmable_rules.steering import Reading, kept
from attention_lab.models.language_model import Config, LanguageModel, programmed
from attention_lab.models.pretrained import INSTALL, SmolLM2, is_installed, smollm2
from helpers import all_inside, redraws_of, tables, text_of

TINY = Config(n_words=90, d_model=12, n_layers=3, n_heads=6, n_kv_heads=2, d_ff=20)
SHORT = "We fed a cat and a dog"  # 7 tokens


class Splits:
    """A tokenizer that numbers words as they come; the others are called w7 and so on."""

    def __init__(self):
        self.words, self.known = [f" w{i}" for i in range(TINY.n_words)], 0

    def encode(self, text):
        for word in (found := re.findall(r" ?\w+|[^\w]", text)):
            if word not in self.words:
                self.words[self.known] = word
                self.known += 1
        return SimpleNamespace(ids=[self.words.index(word) for word in found])

    def id_to_token(self, number):
        return self.words[number]

    def decode(self, numbers, skip_special_tokens):
        return "".join(map(self.id_to_token, numbers))

    def token_to_id(self, word):
        return -1  # no end of a text


@pytest.fixture
def lm():
    torch.manual_seed(0)
    return SmolLM2(LanguageModel(TINY).requires_grad_(False), Splits())


@pytest.fixture
def widget(lm):
    made = ModeOnModel(lm=lm)
    made.text.value = SHORT
    return made


def number(text):
    return float(html.unescape(text).strip("≈>"))


def rows_of(widget):
    ((_, rows),) = tables(widget.picture.value)
    return {word.strip("“”"): (number(a), number(b)) for word, a, b in rows[1:]}


def looks_of(widget):
    """Return the numbers under each token, without the mode and with it."""
    found = re.findall(r'class="alab-token"[^>]*>\d+ <b>[^<]*</b>(.*?)</div>', widget.picture.value)
    return [[number(w) for w in re.findall(r">([^<>]+)</span>", each)] for each in found]


def test_it_shows_what_the_model_computes_with_the_mode_and_without_it(widget, lm):
    widget.from_layer.value, widget.to_layer.value, widget.head.value = 1, 2, 4
    mode = widget.mode
    assert torch.equal(mode.dense(7, 7)[1], modes.spotlight([6], 4, queries=[6]).dense(7, 7)[1])
    acting = programmed(lm.model, mode, [1, 2], [4])
    before, looked = lm.probabilities(SHORT), lm.weights(SHORT, [1, 2], [4])
    with acting:
        after, looks = lm.probabilities(SHORT), lm.weights(SHORT, [1, 2], [4])
    for word, (p, q) in rows_of(widget).items():
        k = lm.tokenizer.words.index(word)
        assert p == pytest.approx(before[k].item(), abs=6e-4)
        assert q == pytest.approx(after[k].item(), abs=6e-4)
    shown = torch.tensor(looks_of(widget))
    for column, found in enumerate((looked, looks)):
        mean = torch.stack(list(found.values()))[:, -1].mean(dim=0)
        assert shown[:, column] == pytest.approx(mean, abs=6e-4)
    assert not torch.allclose(shown[:, 0], shown[:, 1], atol=1e-2)
    assert "in 2 of 18 heads" in widget.note


def test_the_text_is_continued_under_the_mode_token_by_token(widget, lm):
    plain = lm.continue_text(SHORT, 12)
    with programmed(lm.model, widget.mode):
        steered = lm.continue_text(SHORT, 12)
    for n in (3, 12, 5):
        widget.play.value = n
        written = widget.compared().written
        assert [lm.pieces(each) for each in written] == [
            lm.pieces(each)[:n] for each in (plain, steered)
        ]


def test_nothing_is_computed_twice(widget, lm):
    read, probabilities = [], lm.probabilities
    lm.probabilities = lambda *given, **options: read.append(1) or probabilities(*given, **options)
    widget.picker.first.fields[0].value = "3 if k == 2 else 0"
    assert len(read) == 1  # the text without the mode is known
    widget.written.value = 4
    assert len(read) == 1
    widget.text.value = "A dog"
    assert len(read) == 3


def test_every_example_fills_the_fields_with_one_redraw_and_has_the_same_frame(widget):
    counted, frames = redraws_of(widget), set()
    for i, name in enumerate(name for name in EXAMPLES if name != widget.example.value):
        widget.example.value = name
        assert len(counted) == i + 1
        assert not widget.problem, name
        ((caption, rows),) = tables(widget.picture.value)
        frames.add((caption, len(rows), widget.picture.value.count('class="alab-said"')))
    assert len(frames) == 1
    widget.example.value = "the last 4 tokens and the first"
    assert str(widget.mode) == "at most 3 back or the first key"
    widget.example.value = "a spotlight, in layers 0 to 9 only"
    assert widget.from_layer.value == 0


def no_layers(widget):
    with widget.one_redraw():
        widget.from_layer.value, widget.to_layer.value = 2, 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: setattr(w.text, "value", "  "), "write some words"),
        (lambda w: setattr(w.text, "value", " a" * 41), "at most 40 tokens are read here"),
        (no_layers, "from 2 to 1 is none"),
        (lambda w: setattr(w.picker.first.fields[0], "value", "k = 3"), "write == to compare"),
        (lambda w: setattr(w.picker.first.fields[0], "value", "w + 1"), "“w” is not known"),
        (lambda w: setattr(w.picker.first.fields[0], "value", "exp(k * 100)"), "biases smaller"),
    ],
)
def test_bad_input_is_named_and_the_last_picture_stays(widget, change, said):
    good = widget.picture.value
    change(widget)
    assert said in text_of(widget.status.value)
    assert "Not used" in widget.status.value
    assert widget.picture.value == good
    assert "alab-stale" in widget.picture._dom_classes
    widget.example.value = "only the last 4 tokens"
    assert "Not used" not in widget.status.value
    assert "alab-stale" not in widget.picture._dom_classes


def test_a_mode_that_knows_fewer_positions_says_so(widget):
    widget.picker.first.mode.value = "tree"
    widget.picker.first.fields[0].value = "-1 0 0 1"
    assert "has 4 positions, but" in text_of(widget.status.value)
    widget.picker.first.fields[0].value = "-1 0 0 1 1 2 2 3"  # the text fits, what is written not
    assert "has 8 positions, but" in text_of(widget.status.value)


def test_texts_of_a_model_cannot_break_the_page(widget):
    widget.text.value = "<b> & \n x"
    assert not widget.problem
    assert "<b>&lt;</b>" in widget.picture.value
    assert "↵" in widget.picture.value


def test_without_the_model_it_shows_what_was_kept_and_how_to_get_it(monkeypatch):
    monkeypatch.setattr(on_model, "is_installed", lambda: False)
    widget = ModeOnModel()
    assert INSTALL in html.unescape(text_of(widget.status.value))
    assert rows_of(widget)[" dog"] == (0.147, 0.924)
    assert INSTALL in widget.twin_text()


def test_it_has_a_twin_and_its_inputs_have_names(widget):
    assert "what may come next" in widget.twin_html()
    assert "alab-token" in widget.twin_html()
    assert len(widget.twin_text()) < 240
    for each in all_inside(widget):
        if type(each).__name__ in ("Text", "Dropdown", "BoundedIntText", "Checkbox"):
            assert each.description


def test_what_is_kept_is_written_as_it_is_read():
    text = files("attention_lab.labs.programmable_rules") / "steered.json"
    assert steering.as_text(*kept()) == text.read_text(encoding="utf-8")


def test_the_picture_on_top_is_of_the_text_of_the_notebook():
    path = Path(__file__).parents[3] / "notebooks" / "10_programmable_rules.ipynb"
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    assert f'text = "{steering.ANIMALS}"' in cells["three-lines"]
    assert f"torch.where(lit, {steering.STRENGTH}, 0.0)" in cells["three-lines"]


def test_the_picture_on_top_is_what_was_kept():
    start, bars = kept()
    said = opening().sentence
    assert f"no rule: cat {bars[''][0][0]:.3f}" in said
    assert f"+4 on “horse”: cat {bars['horse'][0][0]:.3f}" in said
    assert start.next[0][1] == pytest.approx(bars[""][0][0], abs=1e-4)
    assert start.written[1] == " dog, and the cat, and the"
    assert sum(before for before, _ in start.looks) == pytest.approx(1, abs=2e-3)
    assert sum(after for _, after in start.looks) == pytest.approx(1, abs=2e-3)
    assert len(start.pieces) == len(start.looks) == 17


@pytest.fixture
def real():
    if not is_installed():
        pytest.skip(INSTALL)
    return smollm2()


@pytest.mark.slow
def test_what_is_kept_of_the_real_model_is_what_it_gives(real):
    widget, (start, bars) = ModeOnModel(), kept()
    found = widget.compared()
    assert found.pieces == start.pieces
    assert found.written == start.written
    assert [word for word, *_ in found.next][:5] == [word for word, *_ in start.next][:5]
    for name in ("next", "looks"):
        mine, theirs = getattr(found, name), getattr(start, name)
        numbers = [torch.tensor([each[-2:] for each in one]) for one in (mine, theirs)]
        assert torch.allclose(*numbers, atol=5e-3), name
    for name, (chances, text) in steering.opening_bars(real).items():
        assert chances == pytest.approx(bars[name][0], abs=5e-3)
        assert text == bars[name][1]


def test_a_reading_has_all_heads_and_is_written_as_far_as_it_is_asked(lm):
    reading = Reading(lm, SHORT)
    assert reading.weights.shape == (3, 6, 7)
    assert reading.weights.sum(dim=-1) == pytest.approx(torch.ones(3, 6), abs=1e-5)
    assert reading.written(0) == ""
    assert reading.written(5).startswith(reading.written(2))
    assert lm.pieces(reading.written(99)) == lm.pieces(lm.continue_text(SHORT, 16))
