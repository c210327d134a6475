"""Widgets driven as a person drives them: by the values of their fields."""

import math
import re
import sys
import warnings

import ipywidgets
import pytest
import torch

from attention_lab import attention, views
from attention_lab.labs.encoder_decoder.ablation import committed, key_of
from attention_lab.models.data.sequences import DIGITS
from attention_lab.models.data.translation import ENGLISH, FRENCH, translate
from attention_lab.grading.feedback import Problem
from attention_lab.core.leaks import leak_map
from attention_lab.core.normalisers import sparsemax
from attention_lab.models.transformer import Transformer, recorded
from attention_lab.models.seq2seq import Decoded, Seq2Seq
from attention_lab.models.vocabulary import START, Vocabulary
from attention_lab.widgets import (
    AlignmentExplorer,
    AttentionExplorer,
    BlockExplorer,
    DecodingExplorer,
    MaskEditor,
    MaskExplorer,
    MatrixEditor,
    PositionExplorer,
    ScaleExplorer,
    ShapeExplorer,
    TrainingBar,
    WeightedSumExplorer,
    WeightsExplorer,
    blocks,
)
from attention_lab.ui.base import Knob
from attention_lab.labs.qkv_worked_example.widget import EXAMPLES
from attention_lab.ui.mask_editor import MASKS
from attention_lab.labs.masks.widget import WAYS
from attention_lab.ui.matrix_editor import parse_matrix, parse_number
from attention_lab.labs.scale_and_temperature.widget import NORMALISERS, draw_scores
from attention_lab.labs.transformer_code.widget import OWN, PRESETS
from attention_lab.labs.transformer_code.draft import INPUTS, REPAIRS, Draft, Sizes
from test_pictures import tables


def type_into(editor, row, column, text):
    editor._fields[row, column].value = text


def text_of(html):
    return re.sub(r"<[^>]*>", "", re.sub(r"<style>.*?</style>", "", html, flags=re.S))


def shown(explorer, step):
    """Read a step back from the picture."""
    for caption, rows in tables(explorer.picture.value):
        if caption.startswith(step):
            return rows[1:]
    return None


# --- reading numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        (" -0.5 ", -0.5),
        ("1e3", 1000),
        ("1/3", 1 / 3),
        ("−2", -2),
        ("２．５", 2.5),
        ("－１", -1),
        (".5", 0.5),
        ("+7", 7),
    ],
)
def test_numbers_are_read_as_people_type_them(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("abc", "“abc” is not a number"),
        ("", "empty"),
        ("   ", "empty"),
        ("nan", "“nan” is not a finite number"),
        ("inf", "“inf” is not a finite number"),
        ("-Infinity", "is not a finite number"),
        ("1e999", "is not a finite number"),
        ("1/0", "divides by zero"),
        ("0,5", "decimal comma; write 0.5"),
        ("1 2", "is not a number"),
        ("__import__('os')", "is not a number"),
        ("1/x", "is not a number"),
        ("3²", "is not a number"),
        ("1e31", "is too large"),
    ],
)
def test_what_is_no_number_is_named(text, says):
    with pytest.raises(Problem) as caught:
        parse_number(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "1 2\n3 4",
        "1\t2\n3\t4\n",
        "1, 2; 3, 4",
        "[[1, 2], [3, 4]]",
        "tensor([[1., 2.],\n        [3., 4.]], dtype=torch.float64)",
        "array([[1, 2], [3, 4]])",
        "\n\n1 2\r\n3 4\r\n",
        "[1 2]\n[3 4]",
        "((1, 2), (3, 4))",
        "1,2\n3,4",
        "Q = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)",
        "np.array([[1, 2], [3, 4]], dtype=np.float32)",
        "tensor([[1., 2.], [3., 4.]], device='cuda:0', grad_fn=<MmBackward0>)",
        "１、２；３、４",
    ],
)
def test_a_matrix_is_read_from_any_usual_form(text):
    assert parse_matrix(text, 6, 6) == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing to use"),
        ("  \n ", "nothing to use"),
        ("[]", "nothing to use"),
        ("1 2\n3", "row 1 has 1 numbers and row 0 has 2"),
        ("1 2\n3 x", "row 1, column 1: “x” is not a number"),
        ("1 nan", "row 0, column 1: “nan” is not a finite number"),
        ("1 2 3", "this matrix is 1 × 3; at most 2 × 2 fits"),
        ("1\n2\n3", "this matrix is 3 × 1; at most 2 × 2 fits"),
        ("0,5 1,5\n2,5 3,5", "decimal commas; write points"),
    ],
)
def test_what_is_no_matrix_is_named(text, says):
    with pytest.raises(Problem) as caught:
        parse_matrix(text, 2, 2)
    assert says in str(caught.value)


# --- the matrix editor ----------------------------------------------------------------------


@pytest.fixture
def editor():
    return MatrixEditor("Q", [[1, 2], [3, 4]], rows="q", columns="d")


def test_typing_a_number_changes_the_matrix(editor):
    seen = []
    editor.observe(lambda change: seen.append(change["new"]), names="value")
    type_into(editor, 1, 0, "-7.5")
    assert editor.value == ((1, 2), (-7.5, 4))
    assert seen == [((1, 2), (-7.5, 4))]
    assert editor.tensor.dtype == torch.float64


def test_nonsense_is_named_and_the_last_number_stays(editor):
    type_into(editor, 0, 1, "abc")
    assert editor.value == ((1, 2), (3, 4))
    assert editor.problem.startswith("Q[0, 1]: “abc” is not a number")
    assert editor.problem.endswith("Still using 2")
    assert editor._fields[0, 1].value == "abc"  # what was typed is not lost
    type_into(editor, 1, 1, "9")  # another field still works
    assert editor.value == ((1, 2), (3, 9))
    assert "Q[0, 1]" in editor.problem
    type_into(editor, 0, 1, "5")
    assert editor.value == ((1, 5), (3, 9))
    assert editor.problem == ""


def test_paste_replaces_the_matrix_and_its_shape(editor):
    editor.paste("1 2 3\n4 5 6\n7 8 9")
    assert editor.value == ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    assert len(editor._grid.children) == 16
    editor.reset()
    assert editor.value == ((1, 2), (3, 4))
    assert len(editor._grid.children) == 9


@pytest.mark.parametrize("text", ["", "1 2\n3", "1 x", "1 2 3 4 5 6 7"])
def test_a_bad_paste_changes_nothing_but_the_message(editor, text):
    editor.paste(text)
    assert editor.value == ((1, 2), (3, 4))
    assert editor.problem.startswith("Q, paste: ")
    editor.paste("5")
    assert editor.value == ((5,),)
    assert editor.problem == ""


def test_pasting_the_same_matrix_clears_a_wrong_field(editor):
    type_into(editor, 0, 0, "x")
    editor.paste("1 2\n3 4")
    assert editor.problem == ""
    assert editor._fields[0, 0].value == "1"


def test_numbers_come_back_after_shrinking(editor):
    editor.resize(1, 1)
    assert editor.value == ((1,),)
    editor.resize(3, 2)
    assert editor.value == ((1, 2), (3, 4), (0, 0))


def test_float32_is_shown_rounded():
    editor = MatrixEditor("Q", torch.tensor([[0.7]]))
    assert editor._fields[0, 0].value == "0.7"
    assert editor.value == ((0.7,),)
    editor.value = torch.tensor([[123456.75, 0.1]])
    assert editor.value == ((123456.75, 0.1),)
    editor.value = torch.tensor([[1234567, 16777217]])
    assert editor.value == ((1234567, 16777217),)


def test_presets_can_be_chosen_and_are_let_go_by_an_edit():
    editor = MatrixEditor("Q", [[1]], presets={"ones": [[1, 1]], "twos": [[2, 2], [2, 2]]})
    assert editor._choice in editor.children
    editor._choice.value = "twos"
    assert editor.value == ((2, 2), (2, 2))
    assert editor._choice.value == "twos"
    type_into(editor, 0, 0, "5")
    assert editor._choice.value == "choose…"
    editor._choice.value = "twos"
    assert editor.value == ((2, 2), (2, 2))
    editor.reset()
    assert editor.value == ((1,),)
    assert editor._choice.value == "choose…"
    with pytest.raises(ValueError, match="at most 6"):
        MatrixEditor("Q", [[1]], presets={"long": [[0] * 7]})


@pytest.mark.parametrize("make", [WeightsExplorer, WeightedSumExplorer])
def test_every_preset_gives_a_picture(make):
    widget = make()
    for editor in (
        vars(widget)[name] for name in ("scores", "values", "weights") if name in vars(widget)
    ):
        for name in editor.presets:
            editor._choice.value = name
            assert editor.value == editor.presets[name]
            assert "Not used" not in widget.status.value
            assert widget.picture.value


def test_a_late_message_of_a_hidden_field_is_ignored(editor):
    hidden = editor._fields[1, 1]
    editor.resize(1, 1)
    hidden.value = "7"
    assert editor.value == ((1,),)


def test_a_value_can_be_assigned(editor):
    editor.value = [[9, 8]]
    assert editor.value == ((9, 8),)
    assert editor._fields[0, 1].value == "8"


@pytest.mark.parametrize(
    "value", [[], [[]], [[1], [2, 3]], [["a"]], [[math.nan]], 5, [[0] * 7], torch.zeros(3)]
)
def test_a_wrong_value_from_code_raises_and_changes_nothing(editor, value):
    with pytest.raises((ValueError, TypeError), match="Q"):
        editor.value = value
    assert editor.value == ((1, 2), (3, 4))


def redraws_of(widget):
    counted = []
    draw = widget.draw
    widget.draw = lambda: counted.append(1) or draw()
    return counted


def test_one_redraw_for_an_edit_in_every_widget():
    weights = WeightsExplorer("queries and keys")
    counted = redraws_of(weights)
    type_into(weights.query, 0, 0, "5")
    weights.n_k.value = 5
    weights.query.paste("1 2 3")
    weights.temperature.field.value = 0.123
    assert len(counted) == 4
    summed = WeightedSumExplorer()
    counted = redraws_of(summed)
    type_into(summed.values, 0, 0, "5")
    summed.count.value = 6
    summed.scores.paste("1 2")
    assert len(counted) == 3


def test_every_field_has_a_label_of_its_own(editor):
    labels = [field.description for field in editor._fields.values()]
    assert labels == [
        "Q row 0 column 0",
        "Q row 0 column 1",
        "Q row 1 column 0",
        "Q row 1 column 1",
    ]


def test_a_pasted_text_is_used_when_it_comes_and_not_twice():
    editor = MatrixEditor("Q", [[1, 2]])
    editor._open.value = True
    editor._use.click()
    assert "there is nothing to use" in editor.problem
    editor._paste.value = "1 2\n3"
    assert "row 1 has 1 numbers" in editor.problem
    editor._use.click()  # a click that overtook the text below
    assert "row 1 has 1 numbers" in editor.problem
    editor._paste.value = "1 2\n3 4"
    assert editor.value == ((1, 2), (3, 4))
    assert (editor.problem, editor._open.value, editor._paste.value) == ("", False, "")
    editor._use.click()  # a click that comes late
    assert editor.problem == ""


def test_the_newest_problem_is_told_and_then_the_one_before():
    editor = MatrixEditor("Q", [[1, 2]])
    type_into(editor, 0, 0, "one")
    editor.paste("1 2\n3")
    assert "row 1 has 1 numbers" in editor.problem
    type_into(editor, 0, 1, "two")
    assert "“two”" in editor.problem
    type_into(editor, 0, 1, "2.5")
    assert "“one”" in editor.problem
    type_into(editor, 0, 0, "1")
    assert editor.problem == ""


# --- large matrices -------------------------------------------------------------------------


@pytest.fixture
def large():
    """A matrix of 10 × 8 numbers: too many for a field each."""
    return MatrixEditor("Q", torch.arange(80.0).reshape(10, 8), max_rows=128, max_columns=64)


def test_a_large_matrix_has_one_field_for_the_chosen_cell(large):
    assert large._cells.children == (large._one,)
    assert large._fields == {}
    large.one_row.value, large.one_column.value = 3, 5
    assert large.one_number.value == "29"
    large.one_number.value = "1/4"
    assert large.value[3][5] == 0.25
    large.one_row.value = 4
    assert large.one_number.value == "37"
    large.reset()
    assert large.value[3][5] == 29
    large.value = torch.zeros(10, 8)
    assert large.one_number.value == "0"


def test_nonsense_in_the_one_field_keeps_the_number_and_goes_with_the_cell(large):
    large.one_number.value = "abc"
    assert "Q[0, 0]: “abc” is not a number" in large.problem
    assert "Still using 0" in large.problem
    assert large.value[0][0] == 0
    large.one_column.value = 1
    assert large.problem == ""
    assert large.one_number.value == "1"


def test_fields_and_picture_take_turns(large):
    before = large._picture.value
    large.one_number.value = "1000"
    assert large._picture.value != before
    large.one_row.value = 9
    large.resize(2, 2)
    assert large._cells.children == (large._grid,)
    assert large._fields[1, 1].value == "9"
    assert (large.one_row.value, large.one_column.value) == (9, 0)
    large._fields[0, 0].value = "5"
    large.resize(10, 8)
    assert large._cells.children == (large._one,)
    assert large.value[0][0] == 5
    assert large.value[9][7] == 79
    assert large.one_number.value == "72"


def test_the_chosen_cell_of_a_large_matrix_stays_inside(large):
    large.one_row.value, large.one_column.value = 9, 7
    large.resize(7, 7)
    assert (large.one_row.value, large.one_column.value) == (6, 6)
    assert large.one_number.value == "54"


@pytest.mark.parametrize("n", [16, 17, 128])
def test_an_explorer_of_many_tokens(n):
    generator = torch.Generator().manual_seed(n)
    query, key, value = (torch.randn(n, 16, generator=generator) for _ in range(3))
    explorer = AttentionExplorer(query, key, value)
    assert len(explorer.query._fields) == len(explorer.mask.boxes) == 0
    assert ("<img" in explorer.picture.value) == (n > 16)
    explorer.query.one_row.value = explorer.row.value = n - 1
    explorer.query.one_number.value = "3"
    query = query.double()
    query[-1, 0] = 3
    want = attention(query, key.double(), value.double())
    assert torch.allclose(explorer.steps.output, want.output, atol=1e-6)
    explorer.mask.one_query.value, explorer.mask.one_key.value = n - 1, 0
    explorer.mask.one_box.value = False
    assert explorer.steps.weights[n - 1, 0] == 0
    assert text_of(explorer.explanation.value).startswith(f"weights[{n - 1}, 0] = 0: e^−∞")
    assert ("too large" in explorer.twin_text()) == (n > 16)


def test_more_tokens_than_fit_are_refused_in_words():
    query = torch.zeros(129, 2)
    with pytest.raises(ValueError, match="Q is 129 × 2, but this editor holds at most 128 × 64"):
        AttentionExplorer(query, query, query)


# --- the mask editor ------------------------------------------------------------------------


def test_a_mask_follows_its_rule_and_then_the_hand():
    mask = MaskEditor(3, 4)
    assert mask.tensor.all()
    assert mask.tensor.shape == (3, 4)
    mask.rule.value = "causal: no later key"
    assert torch.equal(mask.tensor, torch.ones(3, 4, dtype=torch.bool).tril())
    seen = []
    mask.observe(lambda change: seen.append(change["new"]), names="value")
    mask.boxes[0, 2].value = True
    assert mask.rule.value == "your own cells"
    assert mask.tensor.tolist()[0] == [True, False, True, False]
    assert len(seen) == 1
    assert seen[0] == tuple(map(tuple, mask.tensor.tolist()))
    assert "3 queries, 4 keys" in mask.twin_text()
    ((caption, rows),) = tables(mask.twin_html())
    assert "1 = may attend" in caption
    assert rows[1] == ["q0", "1", "0", "1", "0"]


def test_a_large_mask_has_one_box_for_the_chosen_cell():
    mask = MaskEditor(6, 6)
    mask.rule.value = "causal: no later key"
    mask.resize(8, 8)
    assert mask.one_box.value
    mask.one_key.value = 7
    assert not mask.one_box.value
    assert mask.rule.value == "causal: no later key"
    mask.one_box.value = True
    assert mask.tensor[0].tolist() == [True, *[False] * 6, True]
    mask.rule.value = "only its own position"
    assert not mask.one_box.value
    mask.resize(2, 2)
    assert (mask.one_query.value, mask.one_key.value) == (0, 1)
    mask.boxes[0, 1].value = True
    assert mask.tensor.tolist() == [[True, True], [False, True]]


# --- the alignment explorer -----------------------------------------------------------------


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
    assert alignment.picture.value == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write a phrase, such as"),
        ("  . ", "write a phrase, such as"),
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
    count = alignment.picture.value.count("alab-related") - views.CSS.count("alab-related")
    assert count == 3


def test_training_bar_follows_a_training():
    bar = TrainingBar(25)
    assert bar.twin_html() == "<div>25 steps</div>"
    seen = []
    bar.bar.observe(lambda change: seen.append(change["new"]), names="value")
    bar.name = "dot"
    for step in range(1, 26):
        bar(step, 1 / step)
    assert seen == [1, 10, 20, 25]
    assert bar.label.value == "dot: step 25 of 25, loss 0.04"
    assert "dot: step 25" in bar.twin_text()


# --- the scale explorer ---------------------------------------------------------------------


def test_scale_explorer_says_what_torch_computes():
    explorer = ScaleExplorer(64)
    assert explorer.scores.shape == (200, 10)
    assert abs(explorer.scores.std().item() / 8 - 1) < 0.05
    explorer.scaled.value = True
    explorer.temperature.value = 2
    weights = (draw_scores(64, 10) / 16).softmax(dim=-1)
    largest = weights.amax(dim=-1).mean().item()
    assert f"largest weight {largest:.3f}, sum of a row 1.000" in explorer.note
    jacobian = torch.diag_embed(weights) - weights[:, :, None] * weights[:, None, :]
    size = jacobian.flatten(1).norm(dim=-1).mean().item()
    assert f"size of the Jacobian {size:.3f}".rstrip("0") in explorer.note
    assert "standard deviation 0.5 expected" in explorer.note
    (_, bars), (caption, matrix) = tables(explorer.picture.value)
    assert bars[1][1] == f"{weights[0].max().item():.3f}"
    assert caption.startswith("Jacobian of query 0 (10 × 10)")
    assert float(matrix[1][1]) == pytest.approx(jacobian[0, 0, 0].item(), abs=6e-4)


def test_scale_explorer_changes_its_normaliser_and_its_keys():
    explorer = ScaleExplorer(4)
    explorer.normaliser.value = "sparsemax"
    explorer.query.value = 3
    weights = sparsemax(draw_scores(4, 10))[3]
    ((_, bars), _) = tables(explorer.picture.value)
    assert bars[1][1] == f"{weights.max().item():.3f}"
    assert f"other {(10 - 8)}" == bars[-1][0]
    explorer.normaliser.value = "sigmoid"
    assert "entropy" not in explorer.note
    explorer.n_k.value = 32
    assert "<img" in explorer.picture.value
    assert explorer.scores.shape == (200, 32)
    # fewer keys are the first of more
    assert torch.equal(draw_scores(4, 32)[:, :10], draw_scores(4, 10))
    assert explorer.twin_text().startswith("ScaleExplorer, d_k = 4: Scores:")


@pytest.mark.parametrize("normaliser", NORMALISERS)
@pytest.mark.parametrize("d_k", [1, 1024])
def test_scale_explorer_draws_extremes(normaliser, d_k):
    explorer = ScaleExplorer(d_k)
    explorer.normaliser.value = normaliser
    for temperature, keys in ((0.1, 2), (10, 32)):
        explorer.temperature.value, explorer.n_k.value = temperature, keys
        assert "Not used" not in explorer.status.value
        assert "nan" not in explorer.note


# --- the mask explorer ----------------------------------------------------------------------


def test_mask_explorer_shows_weights_and_leaks():
    explorer = MaskExplorer()
    (caption, rows), (_, leaks) = tables(explorer.picture.value)
    assert caption.startswith("weights (5 × 5)")
    want = explorer.weights(explorer._tokens[:5])
    for i in range(5):
        assert float(rows[i + 1][i + 1]) == pytest.approx(want[i, i].item(), abs=6e-4)
    assert torch.equal(want.triu(1), torch.zeros(5, 5, dtype=torch.float64))
    assert leaks[1][2:] == ["0"] * 4
    assert "15 of 25 pairs may attend. No leak" in explorer.note


@pytest.mark.parametrize(
    ("way", "leaks"),
    [("−∞", 0), ("−1e9", 0), ("× 0", 10), ("softmax over", 10), ("mask the wrong", 10)],
)
def test_mask_explorer_finds_the_leaks_of_each_way(way, leaks):
    explorer = MaskExplorer(way=next(name for name in WAYS if name.startswith(way)))
    found = leak_map(explorer.output, explorer._tokens[:5]).triu(1) > 0
    assert int(found.sum()) == leaks
    assert (f"Leaks: {leaks}." in explorer.note) == (leaks > 0)
    assert explorer.picture.value.count("alab-related") - views.CSS.count("alab-related") == leaks


def test_mask_explorer_says_what_a_row_without_keys_gets():
    explorer = MaskExplorer()
    explorer.mask.boxes[0, 0].value = False
    assert "Query 0 may attend to no key" in explorer.note
    assert "No leak" in explorer.note
    assert tables(explorer.picture.value)[0][1][1][1:] == ["0"] * 6
    explorer.way.value = "−1e9 before the softmax"
    assert "Leaks: 4. Output 0 depends on token 1" in explorer.note
    assert tables(explorer.picture.value)[0][1][1][1] == "0.200"
    explorer.mask.rule.value = "every key"
    explorer.way.value = "mask the wrong way round"
    assert "The rows of the weights sum to 0." in explorer.note


def test_mask_explorer_changes_its_number_of_tokens():
    explorer = MaskExplorer()
    for n in (16, 2, 7):
        explorer.n.value = n
        assert f"{n * (n + 1) // 2} of {n * n} pairs" in explorer.note
        assert explorer.mask.tensor.shape == (n, n)
    assert "7 queries, 7 keys" in explorer.mask.twin_text()
    assert "1 = may attend" in explorer.twin_html()


# --- the explorer ---------------------------------------------------------------------------


@pytest.fixture
def explorer():
    return AttentionExplorer()


def test_it_starts_with_the_worked_example(explorer):
    assert [row[-2] for row in shown(explorer, "weights")] == ["0.665", "0.867", "0.950"]
    assert [row[1] for row in shown(explorer, "output")] == ["8.575", "8.851", "8.948"]
    assert text_of(explorer.explanation.value) == "weights[0, 0] = e^4 / (e^4 + e^5 + e^6) = 0.090"


def test_every_step_follows_an_edit(explorer):
    type_into(explorer.query, 0, 0, "0")
    assert shown(explorer, "scores")[0][1:4] == ["0", "0", "0"]
    assert shown(explorer, "weights")[0][1:5] == ["0.333", "0.333", "0.333", "1.000"]
    assert shown(explorer, "output")[0][1] == "8"


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("mask", MASKS)
def test_the_picture_is_what_pytorch_computes(explorer, example, mask):
    explorer.example.value = example
    explorer.mask.rule.value = mask
    explorer.temperature.value = 2
    q, k, v = explorer.query.tensor, explorer.key.tensor, explorer.value.tensor
    theirs = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=explorer.mask.tensor, scale=1 / math.sqrt(k.shape[1]) / 2
    )
    assert torch.allclose(explorer.steps.output, theirs)
    read = [[float(x.replace("−", "-")) for x in row[1:]] for row in shown(explorer, "output")]
    assert torch.allclose(torch.tensor(read).double(), theirs, atol=6e-4)


def test_one_redraw_for_a_whole_change(explorer):
    redraws = []
    draw = explorer.draw
    explorer.draw = lambda: redraws.append(1) or draw()
    explorer.example.value = "six tokens, d_k = 4"
    assert len(redraws) == 1
    explorer.mask.rule.value = "causal: no later key"
    assert len(redraws) == 2
    explorer.sizes["d_k"].value = 3
    assert len(redraws) == 3
    explorer.query.paste("1 2 3")
    assert len(redraws) == 4


def test_sizes_change_the_matrices_that_share_them(explorer):
    explorer.sizes["n_k"].value = 4
    assert len(explorer.key.value) == len(explorer.value.value) == 4
    explorer.sizes["d_k"].value = 2
    assert len(explorer.query.value[0]) == len(explorer.key.value[0]) == 2
    explorer.sizes["d_v"].value = 3
    explorer.sizes["n_q"].value = 1
    assert explorer.steps.output.shape == (1, 3)
    explorer.reset.click()
    assert explorer.query.value == ((1,), (2,), (3,))
    assert explorer.steps.output.shape == (3, 1)


def test_scale_and_temperature(explorer):
    explorer.example.value = "one token of dimension 3"
    assert shown(explorer, "scaled")[0][1] == "18.475"
    explorer.scaled.value = False
    assert shown(explorer, "scaled")[0][1] == "32"
    explorer.temperature.value = 10
    assert shown(explorer, "scaled")[0][1] == "3.2"
    assert "1 (not divided by √d_k) / 10 = 0.1" in text_of(explorer.status.value)


def test_mask_cells_and_presets(explorer):
    explorer.mask.rule.value = "causal: no later key"
    assert [row[1] for row in shown(explorer, "output")] == ["7", "7.881", "8.948"]
    explorer.mask.boxes[0, 0].value = False
    assert explorer.mask.rule.value == "your own cells"
    assert shown(explorer, "weights")[0][1:5] == ["0", "0", "0", "0"]
    assert "Query 0 may attend to no key" in text_of(explorer.status.value)
    explorer.mask.rule.value = "every key"
    assert explorer.mask.tensor.all()
    assert shown(explorer, "output")[0][1] == "8.575"


def test_own_mask_cells_survive_a_new_size(explorer):
    explorer.mask.boxes[0, 1].value = False
    explorer.sizes["n_q"].value = 4
    assert explorer.mask.rule.value == "your own cells"
    assert explorer.mask.tensor.tolist()[0] == [True, False, True]
    assert explorer.mask.tensor.shape == (4, 3)


def test_matrices_that_share_a_size_follow_a_paste(explorer):
    explorer.query.paste("1 2\n3 4")
    assert explorer.key.value == ((4, 0), (5, 0), (6, 0))
    assert "K now has 2 columns (d_k) as well, like Q" in text_of(explorer.status.value)
    explorer.key.paste("1 0\n0 1")
    assert explorer.value.value == ((7,), (8,))
    assert "V now has 2 rows (n_k) as well, like K" in text_of(explorer.status.value)
    assert [explorer.sizes[name].value for name in ("n_q", "n_k", "d_k", "d_v")] == [2, 2, 2, 1]
    explorer.value.paste("1 2\n3 4\n5 6")
    assert explorer.key.value == ((1, 0), (0, 1), (6, 0))  # what stood there before
    type_into(explorer.value, 0, 0, "3")
    assert "now has" not in text_of(explorer.status.value)
    explorer.reset.click()
    assert shown(explorer, "output")[0][1] == "8.575"
    assert "now has" not in text_of(explorer.status.value)


def test_numbers_come_back_when_a_shared_size_does(explorer):
    explorer.key.paste("4")
    assert explorer.value.value == ((7,),)
    explorer.sizes["n_k"].value = 3
    assert explorer.value.value == ((7,), (8,), (9,))


@pytest.mark.parametrize("column", [0, 1, 2])
def test_an_output_with_more_columns_than_keys_is_explained(explorer, column):
    explorer.step.value, explorer.column.value = "output", column
    explorer.example.value = "one token of dimension 3"
    line = text_of(explorer.explanation.value)
    assert line == f"output[0, {column}] = 1.000×{7 + column} = {7 + column}"


def test_an_abandoned_mask_rule_does_not_come_back(explorer):
    explorer.mask.rule.value = "causal: no later key"
    explorer.sizes["n_q"].value = explorer.sizes["n_k"].value = 2
    explorer.mask.rule.value = "every key"
    explorer.mask.boxes[0, 1].value = False
    explorer.sizes["n_q"].value = explorer.sizes["n_k"].value = 3
    assert explorer.mask.tensor.tolist() == [[True, False, True], [True] * 3, [True] * 3]


def test_the_chosen_cell_is_kept_inside_the_matrix(explorer):
    explorer.row.value, explorer.column.value = 5, 5
    assert text_of(explorer.explanation.value).startswith("weights[2, 2] = ")
    explorer.step.value = "output"
    assert text_of(explorer.explanation.value).startswith("output[2, 0] = ")


def test_own_matrices_can_be_given():
    explorer = AttentionExplorer([[1, 0]], [[1, 0], [0, 1]], torch.tensor([[0.7], [0.1]]))
    assert explorer.example.value == "yours"
    assert explorer.value.value == ((0.7,), (0.1,))
    with pytest.raises(ValueError, match="together"):
        AttentionExplorer([[1, 0]])


def test_extreme_numbers(explorer):
    type_into(explorer.query, 0, 0, "1e307")
    assert "too large; write a number up to 1e+30" in text_of(explorer.query._line.value)
    for text in ("1e30", "-1e30", "1e-308", "0"):
        type_into(explorer.query, 0, 0, text)
        assert explorer.picture.value
    type_into(explorer.query, 0, 0, "1")
    assert shown(explorer, "output")[0][1] == "8.575"


def test_knob_field_and_slider_are_one_value():
    knob = Knob("temperature", 1, low=0.1, high=10, log=True)
    seen = []
    knob.observe(lambda change: seen.append(change["new"]), names="value")
    knob.field.value = 0.5
    assert (knob.value, knob.slider.value) == (0.5, 0.5)
    knob.slider.value = 10**0.3
    assert (knob.value, knob.field.value) == (2.0, 2.0)
    assert knob.slider.value == 10**0.3  # it stays where the hand has put it
    knob.field.value = 0.123456  # a typed number is used as it was typed
    assert knob.value == knob.slider.value == 0.123456
    knob.slider.value = 10**-0.9  # where the browser puts the handle: the step next to it
    assert knob.value == 0.123456
    knob.value = 99  # beyond the end: the field holds it back
    assert knob.value == knob.field.value == knob.slider.value == 10
    assert seen == [0.5, 2.0, 0.123456, 10]


# --- a learner's function -------------------------------------------------------------------


def right(query, key, value):
    return (query @ key.T / math.sqrt(key.shape[-1])).softmax(-1) @ value


def test_a_right_function_agrees():
    explorer = AttentionExplorer(function=right)
    assert "right agrees with attention" in text_of(explorer.status.value)
    assert shown(explorer, "weights") is None  # it only returns the output
    assert shown(explorer, "output")[0][1] == "8.575"
    assert "right did not return its weights" in text_of(explorer.explanation.value)


def test_the_steps_may_come_in_three_forms():
    def pair(query, key, value):
        steps = attention(query, key, value)
        return steps.output, steps.weights

    def floats(query, key, value):
        return attention(query.float(), key.float(), value.float()).output

    for function in (pair, attention, floats, lambda q, k, v: right(q, k, v)):
        explorer = AttentionExplorer(function=function)
        assert "Not used" not in explorer.status.value
        assert shown(explorer, "output")[2][1] == "8.948"


def test_a_wrong_function_is_told_where_it_differs():
    def over_queries(query, key, value):
        weights = (query @ key.T).softmax(0)
        return weights @ value, weights

    explorer = AttentionExplorer(function=over_queries)
    status = text_of(explorer.status.value)
    assert "over_queries differs from attention first at weights[0, 0]: 3.3e-04" in status
    assert "instead of 0.09" in status
    assert "over_queries has 3.3e-04 there" in text_of(explorer.explanation.value)


def raises(query, key, value):
    if query[0, 0] != 1:
        return value[5]
    return right(query, key, value)


def changes_input(query, key, value):
    key *= 2
    return right(query, key, value)


def wrong_shape(query, key, value):
    return right(query, key, value).T


class Explosive:
    weights = None

    @property
    def output(self):
        raise ValueError("no")


class Unspeakable(Exception):
    def __str__(self):
        raise TypeError


def unspeakable():
    raise Unspeakable


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (raises, "raises raised IndexError in the line “return value[5]”: index 5 is out of"),
        (lambda q, k, v: None, "returned None (is a return missing?)"),
        (lambda q, k, v: 3.0, "returned a float; it must return the output"),
        (lambda q, k, v: (v, 3.0), "returned a float as weights, not a tensor"),
        (wrong_shape, "returned output of shape (1, 3); (n_q, d_v) = (3, 1) is right"),
        (lambda q, k, v: (v, v), "returned weights of shape (3, 1); (n_q, n_k) = (3, 3) is right"),
        (changes_input, "changed its input key in place"),
        (lambda q, k, v: (None, (q @ k.T).softmax(-1)), "returned no output (None)"),
        (lambda q, k, v: (None, None), "returned no output (None)"),
        (lambda q, k, v: right(q, k, v) + 5j, "returned complex numbers as output"),
        (lambda q, k, v: right(q, k, v).to("meta"), "RuntimeError: Tensor on device cpu"),
        (lambda q, k, v: Explosive(), "cannot be read (ValueError: no)"),
        (lambda q, k, v: sys.exit(), "raised SystemExit"),
        (lambda q, k, v: unspeakable(), "raised Unspeakable"),
        (lambda q, k: q, "is called with 3 arguments (query, key, value), but it is defined as"),
        (lambda q, k, v: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_a_faulty_function_keeps_the_last_picture(function, says):
    explorer = AttentionExplorer()
    before = explorer.picture.value
    explorer.function = function
    type_into(explorer.query, 0, 0, "1.5")
    assert says in text_of(explorer.status.value).replace("&#x27;", "'")
    assert explorer.picture.value == before
    explorer.function = right
    type_into(explorer.query, 0, 0, "1")
    assert "Not used" not in explorer.status.value
    assert shown(explorer, "output")[0][1] == "8.575"


def test_a_function_that_fails_at_once_still_gives_a_widget():
    explorer = AttentionExplorer(function=lambda q, k, v: 1 / 0)
    assert "raised ZeroDivisionError" in text_of(explorer.status.value)
    assert "nothing to show yet" in explorer.twin_text()
    assert explorer.twin_html()


@pytest.mark.parametrize("control", ["mask", "temperature", "scale"])
def test_a_function_without_the_argument_says_which_is_missing(control):
    explorer = AttentionExplorer(function=right)
    if control == "mask":
        explorer.mask.rule.value = "causal: no later key"
    elif control == "temperature":
        explorer.temperature.value = 2
    else:
        explorer.scaled.value = False
    option = "attn_mask" if control == "mask" else "scale"
    assert f"right takes no argument {option}=" in text_of(explorer.status.value)
    explorer.reset.click()
    assert "right agrees" in text_of(explorer.status.value)


def test_a_mask_that_was_changed_in_place_is_noticed():
    def fills_mask(query, key, value, attn_mask=None):
        output = attention(query, key, value, attn_mask=attn_mask).output
        if attn_mask is not None:
            attn_mask.fill_(False)
        return output

    explorer = AttentionExplorer(function=fills_mask)
    explorer.mask.rule.value = "causal: no later key"
    assert "changed its input attn_mask in place" in text_of(explorer.status.value)
    assert "no key" not in text_of(explorer.status.value)


def test_a_sparse_result_is_shown_as_it_is():
    explorer = AttentionExplorer(function=lambda q, k, v: right(q, k, v).to_sparse())
    assert "agrees with attention" in text_of(explorer.status.value)


def test_sdpa_itself_can_be_plugged_in():
    explorer = AttentionExplorer(function=torch.nn.functional.scaled_dot_product_attention)
    explorer.mask.rule.value = "causal: no later key"
    explorer.temperature.value = 2
    assert "agrees with attention" in text_of(explorer.status.value)


# --- weights --------------------------------------------------------------------------------


def bars(widget):
    return tables(widget.picture.value)[0][1]


def test_weights_from_typed_scores():
    widget = WeightsExplorer()
    assert [row[3] for row in bars(widget)[1:4]] == ["0.090", "0.245", "0.665"]
    widget.temperature.value = 0.5
    assert [row[3] for row in bars(widget)[1:4]] == ["0.016", "0.117", "0.867"]
    widget.temperature.value = 1
    type_into(widget.scores, 0, 0, "5")
    assert bars(widget)[1][3] == "0.844"
    widget.count.value = 5
    assert len(bars(widget)) == 7
    widget.scores.paste("1000 1001")
    assert [row[3] for row in bars(widget)[1:3]] == ["0.269", "0.731"]
    assert widget.count.value == 2


def test_weights_from_dot_products():
    widget = WeightsExplorer("queries and keys")
    heatmap = tables(widget.picture.value)[1][1]
    assert heatmap[1][:3] == ["q0", "0.464", "0.063"]
    before = heatmap[2]
    type_into(widget.query, 0, 1, "2")
    heatmap = tables(widget.picture.value)[1][1]
    assert heatmap[1][2] != "0.063"
    assert heatmap[2] == before
    widget.n_q.value = 4
    widget.shown.value = 3
    assert "query 3" in tables(widget.picture.value)[0][0]
    widget.query.paste("1 2 3")
    assert "K now has 3 columns as well, like Q" in text_of(widget.status.value)
    widget.key.paste("1 0 0\n0 1 0")
    assert "now has" not in text_of(widget.status.value)
    assert (widget.n_q.value, widget.n_k.value) == (1, 2)


def test_weights_on_a_line():
    widget = WeightsExplorer("keys on a line")
    assert "output 4.924" in text_of(widget.status.value)
    widget.bandwidth.value = 0.1
    assert "output 4." in text_of(widget.status.value)
    widget.place.value = -0.5
    widget.bandwidth.value = 10
    type_into(widget.values, 0, 0, "-3")
    widget.values.paste("1")
    assert "output 1." in text_of(widget.status.value)


# --- the weighted sum -----------------------------------------------------------------------


def test_weighted_sum_follows():
    widget = WeightedSumExplorer()
    assert "(3.339, 2.079)" in text_of(widget.status.value)
    widget.kind.value = "weights as typed"
    assert "(2, 1.5)" in text_of(widget.status.value)
    widget.weights.paste("1 1 1 1")
    assert "sum to 4, not 1" in text_of(widget.status.value)
    type_into(widget.weights, 0, 0, "-1")
    assert "below 0" in text_of(widget.status.value)
    widget.kind.value = "softmax of scores"
    widget.count.value = 2
    assert len(bars(widget)) == 4
    widget.values.paste("1 2\n3 4\n5 6")
    assert (widget.count.value, len(widget.scores.value[0])) == (3, 3)
    widget.scores.paste("1 2 3 4")
    assert (widget.count.value, len(widget.values.value)) == (4, 4)
    widget.count.value = 3
    widget.values.paste("1\n2\n3")
    assert "needs 2 numbers" in text_of(widget.status.value)


# --- the shapes of a draft ------------------------------------------------------------------


def lines_of(widget, index=0):
    """Read the table of lines: what stands in the last column of each."""
    return [row[-1] for row in tables(widget.picture.value)[index][1][2:]]


def test_the_shapes_are_those_of_the_draft():
    widget = ShapeExplorer()
    assert "fails in line 1. PyTorch says: mat1 and mat2 must have the same" in widget.note
    assert lines_of(widget)[1:] == ["not reached"] * 7
    widget.given.value = INPUTS[2]
    assert lines_of(widget)[3] == "(3, 2, 3, 10)"
    assert "size of tensor a (2) must match the size of tensor b (3)" in lines_of(widget)[4]
    for name in ("transpose", "softmax"):
        widget.repairs[name].value = True
    assert "3 tokens went in, 6 came out; 3 of 7 properties hold" in widget.note
    assert lines_of(widget)[-1] == "(3, 6, 10); right is (3, 3, 10)"
    widget.decoder.value = True
    assert len(tables(widget.picture.value)) == 3
    assert lines_of(widget, 1)[4] == "(3, 2, 3, 6); right is (3, 2, 3, 3)"
    for name in ("scale", "join"):
        widget.repairs[name].value = True
    assert widget.note == "Right: it runs, and all 7 properties hold."


def test_sizes_of_a_preset_and_of_ones_own():
    widget = ShapeExplorer("n = n_heads = d_k", given=INPUTS[2])
    assert "It runs without an error, and is wrong: 2 of 7 properties hold." in widget.note
    widget.sizes[1].value = 4
    assert widget.preset.value == OWN
    assert "fails in line 5" in widget.note
    widget.preset.value = "n = n_heads = d_k, large d_v"
    assert [field.value for field in widget.sizes] == list(PRESETS[widget.preset.value])
    assert "5 tokens went in, 25 came out" in widget.note
    widget.sizes[0].value = 0  # the field takes what is nearest
    assert widget.sizes[0].value == 1


@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("decoder", [False, True])
def test_no_sizes_break_the_picture(given, decoder):
    widget = ShapeExplorer(given=given)
    widget.decoder.value = decoder
    for sizes in (Sizes(1, 1, 1, 1, 1, 1), Sizes(16, 16, 16, 16, 16, 16), Sizes(2, 1, 3, 2, 5, 7)):
        for repairs in ((), ("join",), REPAIRS):
            for field, size in zip(widget.sizes, sizes, strict=True):
                field.value = size
            for name, box in widget.repairs.items():
                box.value = name in repairs
            assert "Not used" not in widget.status.value
            right = given == INPUTS[2] and repairs is REPAIRS
            assert widget.note.startswith("Right") == right


def test_right_is_said_of_what_is_right_only():
    widget = ShapeExplorer(given=INPUTS[1], repairs=tuple(REPAIRS))
    for field, size in zip(widget.sizes, (3, 10, 2, 5, 10, 10), strict=True):
        field.value = size  # n = d_model: the numbers pass for one token
    assert "10 tokens went in, 1 came out" in widget.note
    widget = ShapeExplorer(given=INPUTS[2], repairs=("join",))
    for field in widget.sizes:
        field.value = 1
    assert widget.note.startswith("All 7 properties hold with these sizes, and not with others")
    for field, size in zip(widget.sizes, (1, 1, 1, 1, 1, 2), strict=True):
        field.value = size
    widget.repairs["join"].value = False
    assert widget.picture.value.count("cannot be tried") == 7


def test_an_odd_size_says_what_pytorch_says():
    with pytest.raises(RuntimeError, match="invalid for input of size 150"):
        Draft(PRESETS["n = n_heads = d_k, odd d_v"])(torch.randn(2, 5, 10))


# --- places ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "order", "causal", "sees"),
    [
        ("none", "reversed", False, False),
        ("none", "first to the end", False, False),
        ("none", "first two swapped", True, True),
        ("sinusoidal", "reversed", False, True),
        ("learned", "first two swapped", False, True),
        ("rotary", "reversed", False, True),
        ("rotary", "first to the end", True, True),
        ("ALiBi", "reversed", False, False),  # the distances are those of the mirror
        ("ALiBi", "first two swapped", False, True),
        ("ALiBi", "reversed", True, True),
    ],
)
def test_who_sees_the_order(encoding, order, causal, sees):
    widget = PositionExplorer(encoding, order)
    widget.causal.value = causal
    assert ("sees the order" in widget.note) == sees
    before, after = (rows for _, rows in tables(widget.picture.value)[:2])
    assert (before[1:] != after[1:]) == sees


def test_an_order_of_ones_own():
    widget = PositionExplorer("sinusoidal")
    widget.typed.value = "b, a, c, d, e"
    assert widget.order.value == "as typed"
    good = widget.picture.value
    assert "order b a c d e" in text_of(good)
    for typed in ("a b c", "a b c d d", "", "a b c d z"):
        widget.typed.value = typed
        assert "write each of a b c d e once" in text_of(widget.status.value)
        assert widget.picture.value == good
    widget.typed.value = "c a b"
    widget.n.value = 3  # now it is an order
    assert (widget.order.value, widget.typed.value) == ("as typed", "c a b")
    assert "sees the order" in widget.note
    widget.n.value = 4
    assert (widget.order.value, widget.typed.value) == ("as they are", "a b c d")
    assert widget.note == "Both orders are the same: choose another one."
    assert "Not used" not in widget.status.value
    widget.order.value = "reversed"
    assert widget.typed.value == "d c b a"
    widget.n.value = 12
    assert widget.typed.value == "l k j i h g f e d c b a"
    assert "the same output" not in widget.note


def test_the_map_of_places():
    def map_of(encoding):
        widget = PositionExplorer(encoding)
        return tables(widget.picture.value)[2][1][1:]

    sines = map_of("sinusoidal")
    assert sines[0][1] == "8"  # half of the 16 features
    assert sines[0][2] == sines[1][3] == sines[2][1 + 3]
    assert map_of("rotary")[0][1] == "16"
    assert map_of("ALiBi")[0][1:4] == ["0", "−0.5", "−1"]
    assert len(tables(PositionExplorer("none").picture.value)) == 2


# --- decoding, and the parts of a layer ----------------------------------------------------


def digits_explorer(text="3 1 4"):
    torch.manual_seed(0)
    model = Transformer(len(DIGITS), len(DIGITS), d_model=16, n_layers=2)
    return DecodingExplorer(
        model,
        DIGITS,
        DIGITS,
        text=text,
        right=lambda words: words[::-1] if len(words) < 5 else None,
    )


def test_decoding_shows_what_the_model_computes():
    widget = digits_explorer()
    model = widget.model.eval()
    source = DIGITS.encode([("3", "1", "4")])
    written = model.decode(source, most=24)[0].tolist()
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
    assert "all parts. Share of new sequences with all eight digits right: 1" in widget.note
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


def test_parts_that_do_not_exist():
    for without in (["noise"], "norm"):
        with pytest.raises(ValueError, match="the parts are residual, norm"):
            BlockExplorer(without)
    with pytest.raises(ValueError, match="task must be one of reverse, sort, not 'add'"):
        BlockExplorer(task="add")


# --- all widgets ----------------------------------------------------------------------------

ALL = [
    AttentionExplorer,
    WeightsExplorer,
    lambda: WeightsExplorer("queries and keys"),
    lambda: WeightsExplorer("keys on a line"),
    WeightedSumExplorer,
    lambda: MatrixEditor("Q", [[1]]),
    MaskExplorer,
    PositionExplorer,
    ScaleExplorer,
    ShapeExplorer,
    digits_explorer,
]


@pytest.mark.parametrize("make", ALL)
def test_the_display_carries_a_static_twin(make, capsys):
    widget = make()
    if hasattr(ipywidgets.Widget, "_repr_mimebundle_"):
        bundle = widget._repr_mimebundle_()
    else:
        pytest.importorskip("IPython")
        shown = []
        import IPython.display

        original, IPython.display.display = IPython.display.display, lambda d, **_: shown.append(d)
        try:
            widget._ipython_display_()
        finally:
            IPython.display.display = original
        (bundle,) = shown
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<table>" in bundle["text/html"]
    assert "\n" not in bundle["text/plain"]
    assert len(bundle["text/plain"]) < 240
    # the twin of the same state is the same text, or nbval could not compare it
    assert make().twin_html() == bundle["text/html"]


def all_inside(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_inside(child)


@pytest.mark.parametrize("make", ALL)
def test_every_input_can_be_named_by_a_screen_reader(make):
    inputs = (
        ipywidgets.Text,
        ipywidgets.Textarea,
        ipywidgets.Checkbox,
        ipywidgets.Dropdown,
        ipywidgets.BoundedIntText,
        ipywidgets.BoundedFloatText,
        ipywidgets.Button,
        ipywidgets.ToggleButton,
    )
    for widget in all_inside(make()):
        if isinstance(widget, inputs):
            assert widget.description, widget


@pytest.mark.parametrize("make", ALL)
def test_no_deprecated_part_of_ipywidgets_is_used(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make()
