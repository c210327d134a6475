"""DecodingExplorer, driven by the values of its fields."""

import re

import pytest
import torch

from attention_lab.models.data.sequences import DIGITS
from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.transformer import Transformer, recorded
from attention_lab.models.vocabulary import END, START, Vocabulary
from attention_lab.widgets import DecodingExplorer
from helpers import digits_explorer, redraws_of, shown, tables, text_of

FLOW = re.compile(r'<svg role="group" aria-label="([^"]*)" width="(\d+)" height="(\d+)"')
WORD = re.compile(r'class="alab-word (\w+)".*?<rect x="([\d.]+)" .*?width="([\d.]+)"')


def frame_of(widget):
    """Return everything of the picture that must stand still while words are written."""
    html = widget.picture.value
    flows = [match.groups()[1:] for match in FLOW.finditer(html)]
    sizes = [[len(row) for row in rows] for _, rows in tables(html)]
    return flows, WORD.findall(html), sizes, [caption for caption, _ in tables(html)]


def test_decoding_shows_what_the_model_computes():
    widget = digits_explorer()
    model = widget.model.eval()
    source = DIGITS.encode([("3", "1", "4")])
    written = model.decode(source, max_new_tokens=24)[0].tolist()
    widget.step.value = 3
    assert f"Step 3 of {len(written)}" in widget.note
    read = torch.tensor([[START, *written[:2]]])
    with torch.no_grad(), recorded(model) as found:
        memory, real = model.encode(source)
        logits = model.read(read, memory, real)[0, -1]
    chances = tables(widget.picture.value)[0][1][1:]  # the other table is that of an attention
    best = logits.softmax(-1).topk(5)
    assert [row[0] for row in chances] == [DIGITS.words[i] for i in best.indices.tolist()]
    assert float(chances[0][1]) == pytest.approx(best.values[0].item(), abs=6e-4)
    for layer in (0, 1):
        widget.layer.value = layer
        for head in (-1, 0, 3):
            widget.head.value = head
            for name, own in (("cross-attention", "cross"), ("decoder, self-attention", "self")):
                widget.table.value = name
                each = found[f"decoder.layers.{layer}.{own}_attention"][0][0]
                right = each.mean(0) if head < 0 else each[head]
                row = shown(widget, name)[2]
                last = [float(cell) for cell in row[1 : 1 + right.shape[-1]]]
                assert last == pytest.approx(right[-1].tolist(), abs=6e-4)
                assert not "".join(row[1 + right.shape[-1] :])
            widget.table.value = "encoder, self-attention"
            assert len(shown(widget, "encoder")) == 4


def test_decoding_bad_input_and_recovery():
    widget = digits_explorer()
    good, twin = widget.picture.value, widget.twin_text()
    for text, says in (
        ("3 x", "does not know “x”. It knows: 0, 1, 2"),
        ("3 <end> 4", "does not know “&lt;end&gt;”"),
        ("", "write at least one word"),
        ("1 " * 13, "these are 13 words; at most 12 fit here"),
        ("x" * 999, f"does not know “{'x' * 30}”"),
    ):
        widget.text.value = text
        assert says in text_of(widget.status.value)
        assert widget.picture.value == good
        assert widget.twin_text() == twin
    widget.text.value = "7 7 7 7 7"
    assert "Right would be" not in widget.note
    assert widget.picture.value != good
    widget.step.value = 24
    assert "Step 24 of 24" in widget.note
    assert "stopped after 24 words, without an <end>" in widget.note


def test_the_step_is_one_that_the_picture_shows():
    widget = digits_explorer()
    widget.step.value = 24
    with torch.no_grad():  # now it writes <end> at once
        widget.model.readout.bias[END] += 100
    widget.text.value = "3"
    assert widget.note.startswith("Step 1 of 1: after “<start>” the model writes “<end>”")
    assert widget.step.value == widget.step.max == 1


def test_decoding_says_what_is_right_only_where_something_is():
    names = Vocabulary(["Paris", "'s", "cat"])
    torch.manual_seed(0)
    model = Transformer(len(names), len(names), d_model=16)

    def right(words):
        if words[0] != "cat":
            raise ValueError("no such phrase")
        return words

    widget = DecodingExplorer(model, names, names, text="Cat", right=right)
    assert "“cat”" in widget.twin_text()
    assert "Right would be: cat." in widget.note
    widget.text.value = "Paris’s cat"
    assert "“Paris 's cat”" in widget.twin_text()
    assert "Right would be" not in widget.note
    widget.table.value = "encoder, self-attention"
    assert len(shown(widget, "encoder")) == 4


def test_decoding_writes_again_when_the_model_has_learned():
    widget = digits_explorer()
    before = widget.picture.value
    with torch.no_grad():
        for parameter in widget.model.parameters():
            parameter.add_(torch.randn_like(parameter) / 4)
    widget.redraw()
    assert widget.picture.value != before


def test_decoding_refuses_what_it_cannot_step():
    with pytest.raises(ValueError, match="is not causal"):
        DecodingExplorer(Transformer(13, 13, is_causal=False), DIGITS, DIGITS, text="1")
    with pytest.raises(TypeError, match="must be a Transformer, not a Seq2Seq"):
        DecodingExplorer(Seq2Seq(13, 13), DIGITS, DIGITS, text="1")


@pytest.mark.parametrize(
    "table", ["cross-attention", "decoder, self-attention", "encoder, self-attention"]
)
def test_the_frame_stands_still_while_words_are_written(table):
    widget = digits_explorer()
    widget.table.value = table
    frames = []
    for step in (1, 2, 3, 24):
        widget.step.value = step
        frames.append(frame_of(widget))
        n_rows = 4 if table.startswith("encoder") else 24
        assert len(shown(widget, table)) == n_rows
        known = [row for row in shown(widget, table) if any(map(str.strip, row[1:]))]
        assert len(known) == (4 if table.startswith("encoder") else step)
    assert all(frame == frames[0] for frame in frames)
    assert len(frames[0][0]) == 2
    assert len(frames[0][1]) == 2 * (4 + 24)


def test_a_message_moves_nothing():
    widget = digits_explorer()
    before = frame_of(widget)
    widget.text.value = "3 x"
    assert "does not know" in text_of(widget.status.value)
    assert "alab-status" in widget.status._dom_classes  # a line of fixed height
    assert frame_of(widget) == before


def test_two_heads_stand_side_by_side():
    widget = digits_explorer()
    widget.step.value = 4
    said = [match[1] for match in FLOW.finditer(widget.picture.value)]
    assert said[0] != said[1]
    widget.head.value = 0
    said = [match[1] for match in FLOW.finditer(widget.picture.value)]
    assert said[0] == said[1]  # both show head 0
    words = widget._write(("3", "1", "4")).words
    assert said[0].count(" · ") == 3
    assert said[0].startswith(f"{words[0]}: ")
    widget.beside.value = 2
    assert "<b>cross-attention, head 2</b>" in widget.picture.value


def test_play_moves_the_step_and_stops_at_the_last_word():
    widget = digits_explorer()
    drawn = redraws_of(widget)
    widget.play.value = 2
    assert widget.step.value == 2
    assert "Step 2 of 24" in widget.note
    assert len(drawn) == 1
    widget.step.value = 5
    assert widget.play.value == 5
    with torch.no_grad():
        widget.model.readout.bias[END] += 100
    widget.text.value = "7"
    assert widget.play.max == widget.step.max == widget.play.value == 1


def test_the_twin_has_no_svg_of_which_only_the_text_would_stay():
    widget = digits_explorer()
    assert "<svg" in widget.picture.value
    twin = widget.twin_html()
    assert "<svg" not in twin
    assert twin.count("<img") == 2
    assert widget.note.split(":")[0] in text_of(twin)
    bad = digits_explorer("3 x")
    assert "does not know" in text_of(bad.twin_html())
