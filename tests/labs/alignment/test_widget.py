"""AlignmentExplorer, driven by the values of its fields."""

import re

import pytest
import torch

from attention_lab.models.data.translation import ENGLISH, FRENCH, translate
from attention_lab.models.seq2seq import Decoded, Seq2Seq
from attention_lab.models.vocabulary import Vocabulary
from attention_lab.pictures.flow import FLOW_CSS
from attention_lab.pictures.tables import CSS, LIVE_CSS
from attention_lab.widgets import AlignmentExplorer
from browser import CHROMIUM, FLAGS
from helpers import marked, redraws_of, tables, text_of, whys


@pytest.fixture
def alignment():
    """An explorer of untrained models: what they write is nonsense, but it is written."""
    models = {}
    for score in ("additive", "none"):
        torch.manual_seed(0)
        models[score] = Seq2Seq(50, 85, d_model=16, score=score)
    return AlignmentExplorer(
        models, Vocabulary(ENGLISH), Vocabulary(FRENCH), translate=translate, phrase="the cat"
    )


def test_alignment_explorer_shows_what_the_model_computes(alignment):
    decoded = alignment.models["additive"].decode(alignment.source.encode([("the", "cat")]))
    written = alignment.target.decode(decoded.numbers[0].tolist())
    assert f"The model writes: {' '.join(written)}" in alignment.note
    assert "Right would be: le chat." in alignment.note
    ((_, rows),) = tables(alignment.picture.value)
    assert rows[0][1:] == ["the", "cat", "<end>", "sum"]
    assert [row[0] for row in rows[1 : len(written) + 1]] == list(written)
    assert float(rows[1][1]) == pytest.approx(decoded.weights[0, 0, 0].item(), abs=6e-4)
    alignment.model.value = "none"
    assert "went through one vector" in alignment.note
    assert tables(alignment.picture.value) == []
    assert lines_of(alignment.picture.value) == []


def lines_of(html):
    return re.findall(r'<path class="a(\d+) b(\d+)"', html)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write at least one word"),
        ("  . ", "write at least one word"),
        ("<end> the <pad>", "does not know “&lt;end&gt;”, “&lt;pad&gt;”"),
        ("the purple cat", "does not know “purple”. It knows: the, my, your"),
        ("the zebra and the lion", "does not know “zebra”, “and”, “lion”"),
        ("the " * 13, "13 words; at most 12"),
    ],
)
def test_alignment_explorer_names_what_it_cannot_read(alignment, text, says):
    before = alignment.picture.value
    alignment.text.value = text
    assert says in text_of(alignment.status.value)
    assert alignment.picture.value == before
    alignment.text.value = "the house"
    assert "Right would be: la maison." in alignment.note


def test_alignment_explorer_reads_phrases_as_people_write_them(alignment):
    alignment.text.value = "My sister’s red car."
    assert "Right would be: la voiture rouge de ma sœur." in alignment.note
    alignment.text.value = "cat the"
    assert "The grammar has no translation for it: “cat the” must end" in alignment.note


def test_alignment_explorer_outlines_the_right_words_of_a_right_translation(alignment):
    class Copy(torch.nn.Module):
        score = "dot"

        def decode(self, source):
            numbers = alignment.target.encode([("le", "chat", "noir")])
            return Decoded(numbers, torch.full((1, 4, 4), 0.25))

    alignment.models["additive"] = Copy()
    alignment.text.value = "the black cat"
    assert "Right. Outlined" in alignment.note
    assert marked(alignment.picture.value, "related") == 3
    said = whys(alignment.picture.value)
    assert len(said) == 16
    assert "at “le”, with its state at “the” 0.250, the word that it translates" in said[0]
    assert said[1].endswith("its state at “black” 0.250")


def test_play_writes_word_by_word_and_begins_again_at_the_end(alignment):
    last = alignment.shown.max
    assert alignment.play.value == alignment.shown.value == last
    before = alignment.note
    setattr(alignment.play, "playing" if alignment.play.has_trait("playing") else "_playing", True)
    assert alignment.play.value == 0
    assert alignment.note == f"0 of {last} words written."
    assert lines_of(alignment.picture.value) == []
    decoded = alignment.models["additive"].decode(alignment.source.encode([("the", "cat")]))
    written = alignment.target.decode(decoded.numbers[0].tolist())
    alignment.play.value = 2
    assert {query for _, query in lines_of(alignment.picture.value)} == {"0", "1"}
    unseen = re.findall(
        r'<th scope="row"><span style="visibility:hidden">', alignment.picture.value
    )
    assert len(unseen) == last - 2
    assert f"“{written[1]}” looks most at" in alignment.note
    alignment.shown.value = last
    assert alignment.play.value == last
    assert alignment.note == before


def test_a_new_phrase_or_model_is_one_redraw_and_shows_all_its_words(alignment):
    alignment.play.value = 1
    counted = redraws_of(alignment)
    alignment.text.value = "my sister's heavy black books"
    assert len(counted) == 1
    assert alignment.shown.value == alignment.play.max > 1
    alignment.model.value = "none"
    assert len(counted) == 2


LONG = "my small black brother 's big heavy green round white clean books"


def test_every_part_keeps_its_size_whatever_is_in_it(alignment):
    """An error, a step, a long phrase: each part has a height of its own, and a scroll bar."""
    for text in ("the cat", LONG, "the purple cat"):
        alignment.text.value = text
        assert re.search(r"\.alab-lines\{height:\d+px;overflow:hidden\}", alignment.picture.value)
        assert re.search(r"\.alab-rows\{height:\d+px;overflow:auto\}", alignment.picture.value)
    assert "alab-stale" in alignment.picture._dom_classes
    alignment.text.value = "the cat"
    assert "alab-stale" not in alignment.picture._dom_classes


BOXES = """(more) => ['.alab-lines', '.alab-rows', '#below', ...more].map(name => {
  const box = document.querySelector(name).getBoundingClientRect();
  return [box.top, box.left, box.width, box.height].map(Math.round);
})"""
INSIDE = """() => {
  const box = document.querySelector('.alab-lines').getBoundingClientRect();
  const drawn = document.querySelector('.alab-lines svg').getBoundingClientRect();
  return drawn.bottom <= box.bottom + 1 && drawn.right <= box.right + 1;
}"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found")
def test_the_picture_stands_still_in_a_browser(alignment):
    playwright = pytest.importorskip("playwright.sync_api")

    def measured(page, text, step=None, more=()):
        alignment.text.value = text
        alignment.shown.value = alignment.shown.max if step is None else step
        page.set_content(
            f'{CSS}{LIVE_CSS}{FLOW_CSS}<div style="width:880px">{alignment.picture.value}</div>'
            '<div id="below">.</div>'
        )
        assert page.evaluate(INSIDE), text
        return page.evaluate(BOXES, list(more))

    drawn = [".alab-lines svg", ".alab-rows table", ".alab-rows tr:last-child td:last-child"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 900, "height": 700})
        phrases = [measured(page, text) for text in ("the cat", LONG, "the purple cat")]
        assert all(boxes == phrases[0] for boxes in phrases), phrases
        steps = [measured(page, LONG, step, drawn) for step in (None, 5, 1, 0)]
        assert all(boxes == steps[0] for boxes in steps), steps
        browser.close()
