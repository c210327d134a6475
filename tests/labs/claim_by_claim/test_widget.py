"""The table of all claims, and its picture."""

import re

from attention_lab.labs.claim_by_claim.figures import opening
from attention_lab.labs.claim_by_claim.ledger import SECTIONS, VERDICTS, claims, matching, tally
from attention_lab.labs.claim_by_claim.table import LOOKS, by_part, claims_table, counted
from attention_lab.pictures.style import ink
from attention_lab.widgets import ClaimBrowser
from helpers import tables


def shown(html):
    return re.findall(r'scope="row">(C\d{3})', html)


def test_the_browser_begins_with_all_claims():
    browser = ClaimBrowser()
    assert len(shown(browser.picture.value)) == 134
    assert browser.note.startswith("134 claims: 34 right, ")
    assert browser.problem == ""


def test_the_browser_filters_by_part_verdict_mark_and_words():
    browser = ClaimBrowser()
    browser.part.value = "3 Algorithm"
    assert browser.note.startswith("15 claims: ")
    browser.verdict.value = "wrong"
    assert shown(browser.picture.value) == ["C027", "C028"]
    assert browser.note == "2 claims: 2 wrong."
    browser.contradicts.value = True
    assert shown(browser.picture.value) == ["C028"]
    assert browser.note == "1 claim: 1 wrong. Does not hold."
    browser.words.value = "nothing like this"
    assert shown(browser.picture.value) == []
    assert browser.note == "No claim meets all of this. Ask for less."
    browser.part.value = browser.verdict.value = "all"
    browser.contradicts.value, browser.words.value = False, "gRaDiEnT"
    assert shown(browser.picture.value) == ["C030", "C063"]


def frame_of(html):
    """Return a picture without its rows: what must stand still."""
    return re.sub(r"<tbody>.*</tbody>", "<tbody></tbody>", html)


def test_the_browser_stands_still_whatever_is_found():
    browser = ClaimBrowser()
    frames, longest = {frame_of(browser.picture.value)}, 0
    for part in browser.part.options:
        for verdict in browser.verdict.options:
            for words in ("", "attention", "nothing like this", "x" * 500):
                browser.part.value, browser.verdict.value = part, verdict
                browser.words.value = words
                frames.add(frame_of(browser.picture.value))
                longest = max(longest, len(browser.note))
    assert len(frames) == 1
    assert longest < 200  # the status line has room for two lines
    assert "height:520px;overflow-y:scroll" in browser.sheets
    assert "table-layout:fixed" in browser.sheets


def test_its_twin_has_all_claims_folded_by_part_whatever_is_asked_for():
    browser = ClaimBrowser()
    whole = browser.twin_html()
    browser.words.value = "dropout"
    assert browser.twin_html() == whole
    assert shown(whole) == [claim.name for claim in claims()]
    assert whole.count("<details>") == len(SECTIONS)
    assert "134 claims" in browser.twin_text()


def test_a_row_says_everything_in_words():
    (claim,) = matching(claims(), text="C010")
    _, rows = tables(claims_table([claim]))[0]
    assert rows[0] == ["claim, verdict", "the article says", "what holds, and what shows it"]
    text = " ".join(rows[1])
    for part in (claim.claim, claim.answer, claim.number, claim.heading, f"cell {claim.cell}"):
        assert part in text
    assert "✗ wrong" in text
    assert "⇄ against C033, C114" in text
    assert f'href="{claim.link}"' in claims_table([claim])
    assert by_part([]) == ""
    assert counted([]) == "0 claims: "


def rgb(color):
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def test_each_verdict_has_a_sign_and_ink_that_can_be_read():
    assert list(LOOKS) == list(VERDICTS)
    assert len({sign for sign, *_ in LOOKS.values()}) == len(LOOKS)
    for _, background, text, _ in LOOKS.values():
        assert rgb(text) == rgb(ink(rgb(background)))


def test_the_picture_on_top_has_every_claim_once():
    picture = opening()
    axes = picture.figure.axes[0]
    assert sum(patch.get_width() for patch in axes.patches) == 134
    written = [int(text.get_text()) for text in axes.texts]
    assert sum(written) == 134
    assert written.count(0) == 0
    assert "5 Code: 12 right, 10 imprecise, 19 wrong, 3 missing" in picture.sentence
    widths = [[patch.get_width() for patch in bars] for bars in axes.containers]
    for verdict, row in zip(VERDICTS, widths, strict=True):
        assert row == [tally(matching(claims(), part=part))[verdict] for part in SECTIONS]
