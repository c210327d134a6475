"""CostExplorer, driven by the values of its fields."""

import re

import pytest

from attention_lab.labs.cost.shapes import DESIGNS, MODELS, size
from attention_lab.labs.cost.widget import OWN, _apart
from attention_lab.widgets import CostExplorer
from helpers import marked, svg_of, tables, text_of, whys


def rows_of(widget):
    ((_, rows),) = tables(widget.picture.value)
    return {row[0]: row[1:] for row in rows[1:]}


def test_it_shows_six_designs_of_a_real_model_and_outlines_its_own():
    widget = CostExplorer()
    rows = rows_of(widget)
    assert list(rows) == list(DESIGNS)
    assert rows["MHA"][:4] == ["8192", "64 GiB", "100\u00a0%", "1 TiB"]
    assert rows["GQA"][:3] == ["2048", "16 GiB", "25\u00a0%"]
    assert rows["MLA"][:2] == ["576", "4.5 GiB"]
    assert marked(widget.picture.value, "related") == 6  # the cells of the row GQA
    assert "Llama 3.1 8B (2024) itself is the row GQA" in widget.note
    assert "at 6144 tokens" in widget.note
    assert "at 24576" in widget.note
    assert "key and value: 2 × 8 × 128" in whys(widget.picture.value)
    assert "4 × 128 + 128 / 2: a latent, and a part for RoPE" in whys(widget.picture.value)


@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_gives_a_picture(model):
    widget = CostExplorer(model)
    assert not widget.problem
    shape, design, source = MODELS[model]
    assert widget.shape == shape
    assert rows_of(widget)[design][1] == size(DESIGNS[design](shape).cache)
    assert source in widget.note


def test_choosing_a_model_fills_the_fields_with_one_redraw():
    widget, counted = CostExplorer(), []
    draw = widget.draw
    widget.draw = lambda: counted.append(1) or draw()
    widget.preset.value = "gpt-oss-120b (2025)"
    assert len(counted) == 1
    assert widget.fields["window"].value == 128
    assert widget.preset.value == "gpt-oss-120b (2025)"
    assert "row hybrid" in widget.note


def test_a_field_that_is_changed_makes_it_a_shape_of_ones_own_but_the_length_does_not():
    widget = CostExplorer()
    widget.fields["context"].value = 4096
    assert widget.preset.value == "Llama 3.1 8B (2024)"
    assert rows_of(widget)["MHA"][1] == "2 GiB"
    widget.fields["kv_heads"].value = 4
    assert widget.preset.value == OWN
    assert widget.note.startswith("my own shape: MHA keeps 2 GiB.")
    assert marked(widget.picture.value, "related") == 0
    widget.fields["context"].value = 8192
    assert rows_of(widget)["GQA"][1] == "512 MiB"
    widget.numbers.value = "1 (8 bits)"
    assert rows_of(widget)["GQA"][1] == "256 MiB"
    widget.preset.value = "Llama 3.1 8B (2024)"
    assert widget.fields["kv_heads"].value == 8
    widget.preset.value = OWN
    assert "my own shape" in widget.note


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("kv_heads", 5, "32 heads cannot share 5 equally"),
        ("d_head", 65, "d_head must be even"),
        ("full_every", 33, "one full layer in 33, but there are 32 layers"),
    ],
)
def test_a_shape_that_no_model_has_keeps_the_last_picture_and_says_why(field, value, says):
    widget = CostExplorer()
    good = widget.picture.value
    before = widget.fields[field].value
    widget.fields[field].value = value
    assert says in text_of(widget.status.value)
    assert widget.picture.value == good
    assert "alab-stale" in widget.picture._dom_classes
    widget.fields[field].value = before
    assert not widget.problem
    assert "alab-stale" not in widget.picture._dom_classes


def frame_of(html):
    """The table without its numbers, outlines and reasons."""
    table = re.sub(r"<td[^>]*>.*?</td>", "<td></td>", html.split("<img")[0], flags=re.S)
    return re.sub(r"<br>.*?</caption>", "</caption>", table)


def test_nothing_moves_whatever_is_typed():
    widget = CostExplorer()
    frames, pictures, longest = set(), set(), 0
    edits = [
        ("context", 1),
        ("context", 2**24),
        ("layers", 500),
        ("heads", 512),
        ("d_head", 1024),
        ("window", 1),
        ("full_every", 500),
        ("d_model", 65_536),
        ("kv_heads", 512),
    ]
    for model in MODELS:
        widget.preset.value = model
        frames.add(frame_of(widget.picture.value))
        longest = max(longest, len(widget.note))
    for name, value in edits:
        widget.fields[name].value = value
        assert not widget.problem
        frames.add(frame_of(widget.picture.value))
        drawing = svg_of(widget.picture.value)
        pictures.add((drawing.get("width"), drawing.get("height")))
        texts = [each.text for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert {"1 MiB", "32 TiB", "128", "8M"} <= set(texts)  # the axes stay
        assert set(DESIGNS) <= set(texts)
        longest = max(longest, len(widget.note))
    assert len(frames) == len(pictures) == 1
    assert longest < 250
    assert all(len(text) < 14 for row in rows_of(widget).values() for text in row)


def test_no_line_leaves_the_picture_and_no_name_covers_another():
    widget = CostExplorer()
    for model in MODELS:
        widget.preset.value = model
        drawing = svg_of(widget.picture.value)
        for line in drawing.iter("{http://www.w3.org/2000/svg}polyline"):
            ys = [float(pair.split(",")[1]) for pair in line.get("points").split()]
            assert min(ys) >= 26
            assert max(ys) <= 320 - 58
        names = [
            float(each.get("y"))
            for each in drawing.iter("{http://www.w3.org/2000/svg}text")
            if each.text in DESIGNS
        ]
        assert len(names) == 6
        gaps = [b - a for a, b in zip(sorted(names), sorted(names)[1:], strict=False)]
        assert min(gaps) >= 13.9


def test_names_that_would_meet_are_moved_apart():
    assert _apart([(5, "b", ""), (4, "a", ""), (60, "c", "")]) == [
        (4, "a", ""), (18, "b", ""), (60, "c", ""),
    ]  # fmt: skip


def test_the_twin_says_the_model_and_the_alternative_text_the_numbers():
    widget = CostExplorer("Mistral 7B (2023)")
    assert widget.twin_text() == "CostExplorer, Mistral 7B (2023), 8192 tokens."
    assert "Kept for 8192 tokens: MHA 4 GiB, GQA 1 GiB" in widget.twin_html()
    assert "<table" in widget.twin_html()
