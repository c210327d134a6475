"""DialExplorer, driven by the values of its fields; and the pictures that it shares."""

import base64
import re

import pytest

from attention_lab.labs.speech import figures
from attention_lab.labs.speech.listener import window_after
from attention_lab.labs.speech.pictures import alignment_picture
from attention_lab.labs.speech.runs import kept_listener
from attention_lab.labs.speech.tones import dial
from attention_lab.labs.speech.training import heard_call
from attention_lab.widgets import DialExplorer
from browser import CHROMIUM, FLAGS
from helpers import redraws_of, tables, text_of


@pytest.fixture
def dialled():
    return DialExplorer("271905")


def size_of(html):
    return re.search(r'width="(\d+)" height="(\d+)"', html).groups()


def svg_of(html):
    return base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", html)[1]).decode()


def test_it_writes_what_is_dialled_and_says_where_it_looked(dialled):
    assert dialled.note.startswith("The model writes: 271905. Right.")
    assert "of 6 digits have their largest weight inside their tone" in dialled.note
    assert "<audio controls" in dialled.sound.value
    assert "6 tones, " in dialled.sound.value
    assert "271905" in dialled.twin_text()
    drawn = svg_of(dialled.picture.value)
    assert drawn.count('stroke="#d55e00"') == 6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("12a", "has digits from 0 to 9 only, and this one has “a”"),
        ("1+x1x", "and this one has “+”, “x”"),
        ("", "at least one digit"),
        (" - ", "at least one digit"),
        ("1" * 13, "at most 12 digits, not 13"),
        ("١٢", "digits from 0 to 9 only"),
    ],
)
def test_what_cannot_be_dialled_is_named_and_the_last_picture_stays(dialled, text, says):
    before, heard = dialled.picture.value, dialled.sound.value
    dialled.number.value = text
    assert says in text_of(dialled.status.value)
    assert (dialled.picture.value, dialled.sound.value) == (before, heard)
    assert "alab-stale" in dialled.picture._dom_classes
    dialled.number.value = "0 44-1"
    assert dialled.note.startswith("The model writes: 0441. Right.")
    assert "alab-stale" not in dialled.picture._dom_classes


def test_a_counting_listener_ends_too_early_and_a_place_goes_on(dialled):
    dialled.number.value = "271905638"
    assert "271905638. Right." in dialled.note
    dialled.kind.value = dialled.kind.options[1]
    assert "Dialled was: 271905638." in dialled.note


def test_nothing_that_is_turned_moves_the_frame(dialled):
    sizes = set()
    for change in ("", "number", "noise", "speed", "window", "kind", "shown"):
        if change in ("noise", "speed"):
            getattr(dialled, change).value = 1.4
        elif change == "number":
            dialled.number.value = "5"
        elif change == "shown":
            dialled.shown.value = 0
        elif change:
            field = getattr(dialled, change)
            field.value = field.options[1]
        sizes.add(size_of(dialled.picture.value))
    assert len(sizes) == 1


def axis_of(html):
    return re.findall(r">(\d+)</text>", svg_of(html))[-1]


def test_the_axis_of_time_stands_still_while_speed_and_noise_move(dialled):
    axes = set()
    for speed in (0.6, 1.0, 1.6):
        dialled.speed.value = speed
        axes.add(axis_of(dialled.picture.value))
    dialled.noise.value = 2.0
    axes.add(axis_of(dialled.picture.value))
    assert len(axes) == 1


def test_one_change_is_one_redraw_and_another_sound(dialled):
    counted, heard = redraws_of(dialled), dialled.sound.value
    dialled.noise.value = 1.0
    dialled.speed.value = 0.8
    dialled.window.value = "1 to 9 after the last look"
    dialled.number.value = "44"
    assert len(counted) == 4
    assert dialled.sound.value != heard
    assert dialled.shown.value == dialled.shown.max


def test_play_writes_digit_by_digit(dialled):
    last = dialled.shown.max
    assert last == 7  # six digits and the end
    dialled.play.value = 0
    assert dialled.note == "0 of 7 steps."
    assert svg_of(dialled.picture.value).count('stroke="#d55e00"') == 0
    dialled.play.value = 2
    assert re.match(r"2 of 7 steps\. For “7” it looks most at \d+ ms \(0\.\d+\)\.", dialled.note)
    assert svg_of(dialled.picture.value).count('stroke="#d55e00"') == 2
    heard = dialled.sound.value
    dialled.play.value = last
    assert dialled.note.startswith("The model writes")
    assert dialled.sound.value == heard


def test_a_knob_out_of_range_is_named_in_the_status(dialled):
    dialled.speed.field.value = "9"
    assert "write a number from 0.6 to 1.6, not 9" in text_of(dialled.status.value)


def test_the_twin_has_the_numbers_as_a_table(dialled):
    ((_, rows),) = tables(dialled.twin_html())
    assert rows[0] == ["written", "looks at (ms)", "weight there", "dialled (ms)"]
    assert [row[0] for row in rows[1:]] == [*"271905", "end"]
    for row, digit in zip(rows[1:], "271905", strict=False):
        assert row[3].startswith(f"{digit}: ")
        start, end = map(int, row[3][3:].split(" to "))
        assert start - 25 <= int(row[1]) <= end + 25
        assert 0 < float(row[2]) <= 1
    dialled.number.value = "x"
    assert "Not used" in dialled.twin_html()


def test_one_tone_is_one_tone():
    assert "one tone, " in DialExplorer("5").sound.value


BOXES = """() => ['img', '#below'].map(name => {
  const box = document.querySelector(name).getBoundingClientRect();
  return [box.top, box.left, box.width, box.height].map(Math.round);
})"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found")
@pytest.mark.parametrize("width", [880, 560])
def test_the_picture_stands_still_in_a_browser(dialled, width):
    playwright = pytest.importorskip("playwright.sync_api")

    def measured(page):
        page.set_content(
            f'<div style="width:{width}px">{dialled.picture.value}</div><div id="below">.</div>'
        )
        page.wait_for_function("document.querySelector('img').complete")
        return page.evaluate(BOXES)

    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 900, "height": 700})
        seen = [measured(page)]
        for text in ("5", "12a", "112233445566"):
            dialled.number.value = text
            seen.append(measured(page))
        dialled.shown.value = 2
        seen.append(measured(page))
        dialled.noise.value = 2.0
        seen.append(measured(page))
        assert all(boxes == seen[0] for boxes in seen), seen
        assert seen[0][0][2] <= width
        browser.close()


# --- pictures -----------------------------------------------------------------------------------


def drawn(number="4410", **more):
    _, batch = heard_call(dial(number, seed=2))
    return figures.heard(kept_listener("tones", "location"), batch, **more)


def test_the_alignment_in_words_names_each_digit():
    said = drawn().said()
    assert re.match(r"4 at \d+ ms \(0\.\d+, inside its outline\), 4 at \d+ ms", said)
    wrong = drawn()._replace(number="44")
    wrong = wrong._replace(spans=wrong.spans[:2])
    assert "past the last digit" in wrong.said()
    away = drawn()
    assert "not inside its outline" in away._replace(spans=away.spans + 100).said()


def test_a_wrong_digit_is_marked_by_a_sign():
    right = drawn()
    assert "✗" not in svg_of(alignment_picture(right))
    wrong = right._replace(number="4411")
    assert svg_of(alignment_picture(wrong)).count("✗") == 1
    short = right._replace(number="441", spans=right.spans[:3])
    assert svg_of(alignment_picture(short)).count("✗") == 1


def test_the_still_picture_says_what_it_shows():
    picture = figures.alignment(drawn(window=window_after(0, 9)), title="Four keys")
    assert picture.sentence.startswith("Four keys: of 4410 it writes 4410. Largest weights: 4 at")
    sound = figures.bands(drawn(), title="Sound")
    assert re.match(r"Sound: 4 from \d+ to \d+ ms, 4 from", sound.sentence)
    assert figures.opening().png() == figures.opening().png()
