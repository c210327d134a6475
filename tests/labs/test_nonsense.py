"""Whatever is typed into a widget: no error, one plain message, and the last good picture stays."""

import html
import re

import ipywidgets
import pytest
import torch

from attention_lab import widgets
from attention_lab.models.data.translation import ENGLISH, FRENCH, translate
from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.vocabulary import Vocabulary
from attention_lab.widgets import (
    AlignmentExplorer,
    AttentionExplorer,
    BlockExplorer,
    ClaimBrowser,
    CostExplorer,
    DialExplorer,
    HeadBrowser,
    MaskEditor,
    MaskExplorer,
    MatrixEditor,
    ModeOnModel,
    ModeStudio,
    PositionExplorer,
    ScaleExplorer,
    SelectConsole,
    ShapeExplorer,
    TrainingBar,
    VisionExplorer,
    WeightedSumExplorer,
    WeightsExplorer,
    WordLines,
    heads,
)
from helpers import all_inside, digits_explorer, training_player, triptych_explorer
from labs.interpretation.test_browser import Tiny
from labs.programmable_rules.test_on_model import SHORT, TINY, LanguageModel, SmolLM2, Splits


def alignment():
    torch.manual_seed(0)
    models = {"a": Seq2Seq(50, 85), "b": Seq2Seq(50, 85, score="dot")}
    return AlignmentExplorer(models, Vocabulary(ENGLISH), Vocabulary(FRENCH), translate=translate)


def on_model():
    torch.manual_seed(0)
    lm = SmolLM2(LanguageModel(TINY).requires_grad_(False), Splits())
    made = ModeOnModel(lm=lm)
    made.text.value = SHORT
    return made


MAKERS = {
    "AlignmentExplorer": [alignment],
    "AttentionExplorer": [AttentionExplorer],
    "BlockExplorer": [BlockExplorer],
    "ClaimBrowser": [ClaimBrowser],
    "CostExplorer": [CostExplorer],
    "DecodingExplorer": [digits_explorer],
    "DialExplorer": [DialExplorer],
    "HeadBrowser": [lambda: HeadBrowser("one two three", lm=Tiny())],
    "MaskEditor": [lambda: MaskEditor(3, 3)],
    "MaskExplorer": [MaskExplorer],
    "MatrixEditor": [lambda: MatrixEditor("M", [[1, 2], [3, 4]], presets={"one": [[1]]})],
    "ModeOnModel": [on_model],
    "ModeStudio": [ModeStudio],
    "PositionExplorer": [PositionExplorer],
    "ScaleExplorer": [lambda: ScaleExplorer(64)],
    "SelectConsole": [SelectConsole],
    "ShapeExplorer": [ShapeExplorer],
    "TrainingBar": [lambda: TrainingBar(4)],
    "TrainingPlayer": [training_player],
    "TriptychExplorer": [triptych_explorer],
    "VisionExplorer": [VisionExplorer],
    "WeightedSumExplorer": [WeightedSumExplorer],
    "WeightsExplorer": [
        WeightsExplorer,
        lambda: WeightsExplorer("queries and keys"),
        lambda: WeightsExplorer("keys on a line"),
    ],
    "WordLines": [lambda: WordLines(torch.eye(2), ["a", "b"])],
    "heads": [lambda: heads(torch.full((2, 1, 2, 3, 3), 1 / 3), ["a", "b", "c"])],
}
NONSENSE = ("", "abc", "1e999", "nan", "-5", "１２", "x" * 5000, "中文，注意力", "$x_1$<b>")
LONGEST = 400  # characters of a message: one that lists the words of a model is the longest
TYPED = (ipywidgets.Text, ipywidgets.Textarea, ipywidgets.Combobox)
WITH_ENDS = (ipywidgets.BoundedIntText, ipywidgets.BoundedFloatText, ipywidgets.IntSlider,
             ipywidgets.FloatSlider, ipywidgets.FloatLogSlider, ipywidgets.Play)  # fmt: skip
EACH = [pytest.param(make, id=f"{name}-{k}") for name, all_of in MAKERS.items()
        for k, make in enumerate(all_of)]  # fmt: skip


def test_every_widget_is_fed():
    assert sorted(MAKERS) == sorted(dir(widgets))


def fields_of(widget, kinds):
    """Find the fields, of the cells of one matrix the last: all of them answer alike."""
    found = (each for each in all_inside(widget) if isinstance(each, kinds))
    return list({re.sub(r" row .*", "", each.description): each for each in found}.values())


def shown(widget):
    """Return what is written in a widget; the own line of a field is hidden beside a status."""
    written = (each for each in all_inside(widget) if isinstance(each, ipywidgets.HTML))
    return [each.value for each in written if each.layout.display != "none"]


def refusals(widget):
    written = " ".join(shown(widget))
    return re.findall(r"<b>Not used:</b> (.*?)</div>", written, re.S)


def picture_of(widget):
    return widget.picture.value if hasattr(widget, "picture") else None


@pytest.mark.parametrize("text", NONSENSE, ids=[text[:8] or "nothing" for text in NONSENSE])
@pytest.mark.parametrize("make", EACH)
def test_nonsense_in_a_field_is_named_once_and_the_picture_stays(make, text):
    widget = make()
    for k in range(len(fields_of(widget, TYPED))):
        field = fields_of(widget, TYPED)[k]
        if field.description.startswith("Paste"):  # what can be read is taken, and stays
            widget = make()
            field = fields_of(widget, TYPED)[k]
        before, good = field.value, picture_of(widget)
        assert not refusals(widget), field.description
        field.value = text
        said = refusals(widget)
        assert len(said) <= 1, (field.description, said)
        if said:
            plain = html.unescape(said[0])
            assert len(plain) <= LONGEST, (field.description, plain[:500])
            assert not re.search(r"Traceback|Error\b|traitlets|NoneType", plain), plain
            assert picture_of(widget) == good, field.description
        assert "$x_1$<b>" not in " ".join(shown(widget)), field.description
        field.value = before
        if field.description.startswith("Paste"):
            widget = make()
            continue
        assert not refusals(widget), (field.description, refusals(widget))
        assert picture_of(widget) == good, field.description


@pytest.mark.parametrize("make", EACH)
def test_a_number_beyond_its_ends_is_no_error(make):
    widget = make()
    for field in fields_of(widget, WITH_ENDS):
        before, good = field.value, picture_of(widget)
        for beyond in (field.min - 1000, field.max + 1000, -(10**9), 10**9):
            field.value = beyond
            low, high = field.min, field.max
            if isinstance(field, ipywidgets.FloatLogSlider):
                low, high = field.base**low, field.base**high
            assert low <= field.value <= high
            said = refusals(widget)  # an end of one field may not go with the number of another
            assert len(said) <= 1, (field.description, said)
            assert not said or picture_of(widget) == good, field.description
            assert not re.search(r"Traceback|Error\b|traitlets|NoneType", " ".join(said)), said
            field.value = before
            assert not refusals(widget), (field.description, refusals(widget))
            good = picture_of(widget)
