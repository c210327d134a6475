"""Playing the weights of one example through a training."""

import re

import pytest
import torch

from attention_lab.models.training import History, train
from attention_lab.pictures.style import format_number
from attention_lab.ui.training_player import STYLE
from attention_lab.widgets import TrainingPlayer
from driving import boxes_of
from helpers import redraws_of, tables, text_of, training_player


def weights_in(player):
    ((caption, rows),) = tables(player.picture.value)
    return caption, [row[1:] for row in rows[1:]]


def test_it_shows_the_weights_and_the_loss_of_a_step():
    player = training_player()
    assert player.step.value == 0
    player.step.value = 8
    assert player.note == (
        "After step 8: loss 0.5. In 2 of 2 rows the largest weight is on the outlined cell."
    )
    player.step.value = 0
    caption, numbers = weights_in(player)
    assert caption == "weights after step 0 (2 × 3)"
    assert numbers == [["0.333"] * 3] * 2
    # the largest of three equal weights is the first, so one row is right by chance
    assert player.note.startswith("After step 0: loss 4. In 1 of 2 rows")
    player.step.value = 2
    assert weights_in(player)[1] == [["0.787", "0.107", "0.107"], ["0.107", "0.787", "0.107"]]
    assert player.loss(2) == 4 / 3
    assert player.picture.value.count("<td tabindex=") == 6
    assert player.picture.value.count("alab-related") == 2


def test_play_slider_and_list_are_one_and_play_begins_again():
    player = training_player()
    counted = redraws_of(player)
    player.play.value = 1
    assert (player.step.value, player.slider.value) == (2, 1)
    player.slider.value = 3
    assert (player.step.value, player.play.value) == (6, 3)
    assert len(counted) == 2
    player.play.value = player.play.max
    assert player.step.value == 8
    playing = "playing" if player.play.has_trait("playing") else "_playing"
    setattr(player.play, playing, True)
    assert player.step.value == 0


def test_a_cell_tells_its_training():
    player = training_player(100, 5)
    player.step.value = 35
    whys = re.findall('<span class="alab-why"[^>]*>(.*?)</span>', player.picture.value)
    assert len(whys) == 6
    assert whys[5] == (
        "chat → &lt;end&gt;, at each step: 0.333 at 0, ≈0 at 25, ≈0 at 35, ≈0 at 50, "
        "≈0 at 75, ≈0 at 100"
    )


def test_the_twin_has_the_first_the_middle_and_the_last_checkpoint():
    twin = training_player(10).twin_html()
    captions = [caption for caption, _ in tables(twin)]
    assert captions == [f"weights after step {k} (2 × 3)" for k in (0, 6, 10)]
    assert "alt=" in twin
    said = text_of(twin)
    assert said.index("After step 0: loss 4.") < said.index("After step 6: loss 0.571.")
    assert "After step 10: loss 0.4." in said
    assert len(tables(training_player(2).twin_html())) == 2


def frame_of(html):
    text = re.sub(r"<td[^>]*>[^<].*?</td>", "<td>something</td>", html)
    text = re.sub(r"after step \d+", "after step", text)
    return re.sub(r'alt="[^"]*"|base64,[^"]*', "", text)


def test_no_step_moves_the_frame():
    player = training_player()
    frames = set()
    for step in player.weights:
        player.step.value = step
        frames.add(frame_of(player.picture.value))
    assert len(frames) == 1
    assert len(player.note) < 120


@pytest.mark.browser
def test_nothing_moves_in_a_browser():
    player = training_player()
    pictures = []
    # 0.333, >0.999 and ≈0 are of different lengths
    for step in player.weights:
        player.step.value = step
        pictures.append(player.picture.value)
    seen = boxes_of(pictures, STYLE)
    assert len(seen[0]) == 15
    assert all(boxes == seen[0] for boxes in seen), seen


def test_what_cannot_be_played():
    with pytest.raises(ValueError, match="has no weights: give `train` a measure"):
        TrainingPlayer(History([1.0]), ["a"], ["b"])
    for wrong, came in ((torch.ones(2, 2), r"\(2, 2\)"), (0.5, "float")):
        history = History([1.0], [(0, wrong)])
        with pytest.raises(ValueError, match=rf"shape \(1, 2\) of rows and columns, not {came}"):
            TrainingPlayer(history, ["a"], ["b", "c"])


def test_it_plays_what_train_keeps():
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 2)
    history = train(
        model,
        lambda m, x: m(x).pow(2).mean(),
        lambda random: torch.randn(4, 2, generator=random),
        steps=5,
        every=2,
        measure=lambda m: m.weight.softmax(dim=1),
    )
    player = TrainingPlayer(history, ["a", "b"], ["a", "b"])
    assert list(player.step.options) == [0, 2, 4, 5]
    assert player.note == f"After step 0: loss {format_number(history.losses[0])}."
