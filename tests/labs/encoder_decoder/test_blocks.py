"""BlockExplorer, driven by the values of its fields."""

import re
from base64 import b64decode

import pytest

from attention_lab.labs.encoder_decoder import blocks
from attention_lab.labs.encoder_decoder.ablation import committed, key_of
from attention_lab.widgets import BlockExplorer
from helpers import text_of


@pytest.fixture
def trainings(monkeypatch):
    """What `BlockExplorer` trains, without the time for it."""
    asked = []

    def quick(without, task, *, seed, watch):
        asked.append((tuple(without), task, seed))
        if len(asked) == 3:
            raise RuntimeError("interrupted after 50 steps")
        watch(300, 0.5)
        return committed()[key_of(without, task)]

    monkeypatch.setattr(blocks, "train_without", quick)
    return asked


def pictures(widget):
    return re.findall(r'alt="([^"]*)"', widget.picture.value)


def test_parts_are_switched_and_trained_again(trainings):
    widget = BlockExplorer()
    assert "all parts. Exact match (all eight digits right): 1" in widget.note
    assert pictures(widget)[0] == "encoder and decoder layer, with all parts"
    widget.parts["residual"].value = False
    kept = committed()[key_of(("residual",), "reverse")]
    assert f"last loss {kept.losses[-1]:g}" in widget.note.replace("−", "-")
    assert pictures(widget)[0] == "encoder and decoder layer, without residual"
    widget.task.value = "sort"
    assert "sort, without residual sums" in widget.note
    widget.again.click()
    widget.again.click()
    assert trainings == [(("residual",), "sort", 1), (("residual",), "sort", 2)]
    assert "sort, without residual sums, trained here from start 2" in widget.note
    assert "step 300 of 300" in widget.bar.label.value
    widget.parts["residual"].value = True
    assert "trained here" not in widget.note
    assert widget.bar.label.value == "300 steps"
    widget.parts["residual"].value = False
    assert "trained here from start 2" in widget.note


def test_the_sentence_says_the_spread_and_that_of_all_parts():
    widget = BlockExplorer(("residual",))
    kept = [committed()[key_of(parts, "reverse")].spread[-1] for parts in (("residual",), ())]
    said = "Spread of the tokens after the encoder: {:.2f} (all parts: {:.2f}).".format(*kept)
    assert said.endswith("0.27 (all parts: 0.93).")
    assert widget.note.endswith(said)
    assert widget.twin_text().endswith(said)
    widget.parts["residual"].value = True
    assert widget.note.endswith("Spread of the tokens after the encoder: 0.93.")


def test_a_training_that_fails_keeps_the_last_one(trainings):
    widget = BlockExplorer(("norm",))
    widget.again.click()
    widget.again.click()
    good, note = widget.picture.value, widget.note
    widget.again.click()
    assert "interrupted after 50 steps" in text_of(widget.status.value)
    assert (widget.picture.value, widget.note) == (good, note)
    assert not widget.again.disabled
    widget.again.click()
    assert "trained here from start 3" in widget.note


def sizes(widget):
    html = widget.picture.value
    return re.findall(r'<img alt="[^"]*" width="(\d+)" height="(\d+)"', html)


def axes_of(widget):
    """What stands at the axes of the curves."""
    drawn = [
        b64decode(data).decode() for data in re.findall('base64,([^"]+)', widget.picture.value)
    ]
    return [re.findall(r'text-anchor="(?:end|middle)">([^<]*)</text>', svg) for svg in drawn[1:]]


def test_frames_and_axes_stand_still(trainings):
    widget = BlockExplorer()
    before = sizes(widget), axes_of(widget)
    assert [len(axis) for axis in before[1]] == [6, 6]
    for name in ("residual", "norm", "causal"):
        widget.parts[name].value = False
        assert (sizes(widget), axes_of(widget)) == before
    widget.task.value = "sort"
    widget.again.click()
    assert "trained here" in pictures(widget)[1]
    assert (sizes(widget), axes_of(widget)) == before


def test_parts_that_do_not_exist():
    for without in (["noise"], "norm"):
        with pytest.raises(ValueError, match="the parts are residual, norm"):
            BlockExplorer(without)
    with pytest.raises(ValueError, match="task must be one of reverse, sort, not 'add'"):
        BlockExplorer(task="add")
