"""DecodingExplorer, driven by the values of its fields."""

import pytest
import torch

from attention_lab.models.data.sequences import DIGITS
from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.transformer import Transformer, recorded
from attention_lab.models.vocabulary import END, START, Vocabulary
from attention_lab.widgets import DecodingExplorer
from helpers import digits_explorer, shown, tables, text_of


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
    chances = tables(widget.picture.value)[0][1][1:]
    best = logits.softmax(-1).topk(5)
    assert [row[0] for row in chances] == [DIGITS.words[i] for i in best.indices.tolist()]
    assert float(chances[0][1]) == pytest.approx(best.values[0].item(), abs=6e-4)
    for layer in (0, 1):
        widget.layer.value = layer
        for head in (-1, 0, 3):
            widget.head.value = head
            for name, own in (("cross", "cross"), ("decoder", "self")):
                each = found[f"decoder.layers.{layer}.{own}_attention"][0][0]
                right = each.mean(0) if head < 0 else each[head]
                rows = shown(widget, name)
                last = [float(cell) for cell in rows[-1][1:]]
                assert last == pytest.approx(right[-1].tolist(), abs=6e-4)
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
