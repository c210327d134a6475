"""HeadBrowser and heads(): any weights in, all heads at a glance, one of them in lines."""

import base64
import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from attention_lab.grading.feedback import Problem
from attention_lab.labs.interpretation import widget as module
from attention_lab.labs.interpretation.found import EXAMPLES, FOUND, kept, packed
from attention_lab.labs.interpretation.given import read
from attention_lab.labs.interpretation.lines import columns, looks
from attention_lab.labs.interpretation.overview import habits, patterns, side_of, thumbnails
from attention_lab.widgets import HeadBrowser, heads

WORDS = ["<s>", "Ġthe", "▁cat", "sat", "Ċ"]


def weights(layers=3, n_heads=2, n=5, seed=0):
    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(layers, n_heads, n, n, generator=random)
    return scores.masked_fill(~torch.ones(n, n).tril().bool(), -torch.inf).softmax(dim=-1)


def one_head(layers, n_heads, n, head, of):
    """Weights that are uniform but in one head, where query q looks at key of(q)."""
    made = torch.full((layers, n_heads, n, n), 1 / n)
    made[head] = 0
    for q in range(n):
        made[(*head, q, of(q))] = 1
    return made


def grey(picture):
    """How light each pixel is: (height, width), 0 to 255."""
    return torch.from_numpy(np.array(picture.convert("L")))


# --- what is given ---


@pytest.mark.parametrize(
    "as_given",
    [
        lambda w: tuple(layer[None] for layer in w),
        lambda w: list(w),
        lambda w: w,
        lambda w: w[:, None],
        lambda w: SimpleNamespace(attentions=tuple(layer[None] for layer in w)),
        lambda w: tuple(layer[None].numpy() for layer in w),
        lambda w: tuple(layer[None].requires_grad_() for layer in w),
        lambda w: tuple(layer[None].double() for layer in w),
    ],
)
def test_weights_are_taken_as_they_come(as_given):
    made = weights()
    found = read(as_given(made), WORDS)
    assert len(found.layers) == 3
    assert found.n_heads == 2
    assert torch.equal(found.head(2, 1), made[2, 1])
    assert found.queries == ["<s>", "the", "cat", "sat", "↵"]
    assert found.is_self


def test_half_precision_and_holes_are_shown():
    made = weights().to(torch.bfloat16)
    made[1, 0, 2] = torch.nan
    browser = heads(tuple(layer[None] for layer in made), WORDS)
    browser.choose((1, 0))
    assert browser.problem == ""
    assert browser.given().head(1, 0).dtype == torch.float32
    assert browser.given().head(1, 0)[2].tolist() == [0] * 5


def test_nothing_is_copied():
    made = weights()
    assert read(made, WORDS).layers[1].data_ptr() == made[1].data_ptr()


W = weights()
SEQ2SEQ = SimpleNamespace(encoder_attentions=(), cross_attentions=())


@pytest.mark.parametrize(
    ("given", "words", "said"),
    [
        (None, WORDS, "attn_implementation=.eager."),
        ((None, None), WORDS, "a layer is None"),
        ((), WORDS, "empty"),
        ("text", WORDS, "attentions is str"),
        (SEQ2SEQ, WORDS, "encoder and a decoder"),
        (((W[0][None],),), WORDS, "generate"),
        (W[0], WORDS, "has the shape"),
        ((W[0][0, 0],), WORDS, "layer 0 has the shape"),
        ((torch.cat([W[0][None]] * 4),), WORDS, "a batch of 4 texts"),
        ((W[0], weights(n_heads=3)[0]), WORDS, "differ in shape"),
        (W, WORDS[1:], "4 tokens, and the weights are of 5 queries"),
        (W, torch.arange(5), "convert_ids_to_tokens"),
        (W, "abcde", "convert_ids_to_tokens"),
        (W[..., :3], WORDS, "5 queries and 3 keys: cross-attention"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_way_out(given, words, said):
    with pytest.raises(ValueError, match=said):
        heads(given, words)


def test_a_batch_of_one_text_is_taken():
    assert read(W, [WORDS]).queries[1] == "the"


def test_cross_attention_has_words_of_its_own_on_either_side():
    browser = heads(W[..., :3, :], WORDS[:3], WORDS)
    assert not browser.given().is_self
    assert "Mean weight" not in browser.note
    assert browser.picture.value.count("<g ") == 3
    with pytest.raises(ValueError, match="2 tokens, and the weights are of 5 keys"):
        heads(W[..., :3, :], WORDS[:3], WORDS[:2])


# --- at a glance ---


@pytest.mark.parametrize(("layers", "n_heads", "n"), [(2, 3, 4), (30, 9, 13), (6, 12, 100)])
def test_the_map_has_a_column_for_each_layer_and_a_row_for_each_head(layers, n_heads, n):
    made = one_head(layers, n_heads, n, (layers - 1, 1), lambda q: 0) * 0
    made[layers - 1, 1] = 1
    picture = Image.open(io.BytesIO(thumbnails(read(made, list(map(str, range(n)))))))
    side = side_of(layers)
    assert picture.size == (layers * side, n_heads * side)
    pixels = grey(picture)
    dark = (pixels < 100).nonzero()
    assert dark.min(dim=0).values.tolist() == [side, (layers - 1) * side]
    assert len(dark) == (side - 1) ** 2


def test_a_single_large_weight_does_not_vanish_in_a_small_picture():
    made = torch.zeros(1, 1, 300, 300)
    made[0, 0, 211, 7] = 1
    picture = Image.open(io.BytesIO(thumbnails(read(made, [str(i) for i in range(300)]))))
    assert grey(picture).min() < 60


def test_a_head_is_named_by_what_it_does():
    n = 6
    words = ["a", "b", "c", "a", "b", "c"]
    made = one_head(2, 3, n, (1, 2), lambda q: max(q - 1, 0))
    found = patterns(read(made, words))
    assert found["the token before"] == ((1, 2), pytest.approx(1))
    made = one_head(2, 3, n, (0, 1), lambda q: q - 2 if q >= 3 else 0)
    given = read(made, words)
    assert patterns(given)["what followed it earlier"] == ((0, 1), pytest.approx(1))
    assert habits(given, (0, 1))["what followed it earlier"] == pytest.approx(1)
    made = one_head(2, 3, n, (0, 0), lambda q: min(q + 1, n - 1))
    assert patterns(read(made, words))["the token behind"] == ((0, 0), pytest.approx(1))


def test_a_text_without_repeats_has_no_earlier_token():
    found = patterns(read(weights(n=3), ["a", "b", "c"]))
    assert "the same token, earlier" not in found
    assert patterns(read(weights(n=3)[..., :2, :], ["a", "b"], ["a", "b", "c"])) == {}


# --- one head ---


def test_every_way_to_choose_a_head_moves_all_the_others():
    browser = heads(W, WORDS)
    browser.choose((2, 1))
    assert (browser.layer_field.value, browser.head_field.value) == (2, 1)
    assert browser.grid.value == "layer 2, head 1"
    browser.layer_field.value = 1
    assert browser.head == (1, 1)
    browser.grid.index = 0
    assert browser.head == (0, 0)
    name, head = browser.go.options[1]
    browser.go.value = head
    assert browser.head == head
    assert re.search(r"here most on .*: \(\d, \d\)", name)
    assert browser.note.startswith(f"Layer {head[0]}, head {head[1]}")
    with pytest.raises(ValueError, match=r"there is no head \(3, 0\)"):
        browser.choose((3, 0))


def test_a_change_of_head_sends_its_lines_and_no_map():
    browser = heads(W, WORDS)
    sent = []
    browser.map.observe(sent.append, names="value")
    redraws = []
    browser.picture.observe(redraws.append, names="value")
    browser.choose((2, 0))
    assert (len(sent), len(redraws)) == (0, 1)


def test_lines_to_the_first_token_can_be_left_out():
    browser = heads(W, WORDS)
    before = browser.picture.value.count("<path")
    browser.no_first.value = True
    assert browser.picture.value.count("<path") < before


def test_the_columns_have_a_line_for_each_weight_that_counts():
    made = torch.tensor([[1.0, 0, 0], [0.04, 0.96, 0], [0.5, 0.25, 0.25]])
    html = columns(made, ["a", "<b>", "c" * 40], ["a", "<b>", "c" * 40])
    assert html.count("<path") == 5
    assert "&lt;b&gt;" in html
    assert "c" * 21 not in re.sub(r"<title>.*?</title>", "", html)
    assert looks(made, ["a", "b", "c"])[1] == "b (1) 0.960, a (0) 0.040"
    assert "<img" in columns(made, list("abc"), list("abc"), live=False)


def test_512_tokens_work_and_stay_small():
    n = 512
    browser = heads(weights(2, 2, n).half(), [f"word{i}" for i in range(n)])
    assert browser.problem == ""
    sent = len(browser.map.value) + len(browser.picture.value)
    assert sent < n * n  # less than one byte for each weight of one head
    assert "512 tokens" in browser.note


def test_the_output_at_128_tokens_is_100_times_smaller_than_the_weights_as_text():
    n = 128
    random = torch.Generator().manual_seed(0)
    made = (3 * torch.randn(6, 1, 12, n, n, generator=random)).softmax(dim=-1)
    browser = heads(made, [f"word{i}" for i in range(n)])
    sent = len(browser.map.value) + len(browser.picture.value) + len(browser.twin_html())
    assert sent < 52.4e6 / 100  # what BertViz 1.4.1 puts out for these, as benchmarks/ measures


# --- the real model, and without it ---


@pytest.mark.parametrize("name", EXAMPLES)
def test_without_the_model_the_examples_are_there_and_the_way_to_get_it(name, monkeypatch):
    monkeypatch.setattr(module, "is_installed", lambda: False)
    browser = HeadBrowser()
    browser.example.value = name
    assert browser.problem == ""
    assert browser.head == EXAMPLES[name].head
    assert "pip install" in browser.note
    assert browser.text.disabled
    assert "SmolLM2" in browser.twin_html()


def test_what_is_kept_is_what_was_packed():
    text = EXAMPLES["it"].text
    given = kept(text)
    assert len(given.layers) == 30
    assert packed(given.layers) == packed([layer.clone() for layer in given.layers])
    for head in [(13, 8), (16, 0)]:
        rows = given.head(*head).sum(dim=-1)
        assert (rows - 1).abs().max() < 0.02
    # "it" to "animal"
    words = given.queries
    assert given.head(13, 8)[words.index("it"), words.index("animal")] > 0.4


def test_the_named_heads_exist():
    assert all(layer < 30 and head < 9 for layer, head in FOUND)


class Tiny:
    """Stands for SmolLM2: three layers of two heads, a token for each word."""

    def __init__(self):
        self.model = SimpleNamespace(config=SimpleNamespace(n_layers=3, n_heads=2))

    def read(self, text):
        return torch.arange(len(text.split()))[None]

    def pieces(self, text):
        return text.split()

    def weights(self, text):
        made = weights(n=len(text.split()))
        return {(a, b): made[a, b] for a in range(3) for b in range(2)}


def test_a_text_of_ones_own_is_read_and_a_bad_one_keeps_the_picture():
    browser = HeadBrowser("one two three", lm=Tiny())
    assert "3 tokens" in browser.note
    first_map, picture = browser.map.value, browser.picture.value
    browser.text.value = "  "
    assert "write some words" in browser.problem
    assert browser.picture.value == picture
    browser.text.value = "word " * 513
    assert "at most 512 tokens" in browser.problem
    browser.text.value = "four words are here"
    assert browser.problem == ""
    assert browser.map.value != first_map
    assert all(head is None or head < (3, 0) for _, head in browser.go.options)
    browser.example.value = "said twice"
    assert browser.text.value == EXAMPLES["said twice"].text


def test_the_map_is_of_its_own_widget():
    one, other = heads(W, WORDS), heads(W, WORDS)
    assert one.mark != other.mark
    assert one.mark in one.map.value
    data = re.search(r"base64,([^)]*)\)", one.map.value)[1]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (3 * 44, 2 * 44)


def test_a_problem_is_a_problem():
    with pytest.raises(Problem):
        read(None, WORDS)


def test_the_twin_is_displayed_before_the_live_widget_and_is_the_same_each_time(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    browser = heads(W, WORDS)
    browser._ipython_display_()
    twin, live = shown
    assert set(live) == {"application/vnd.jupyter.widget-view+json"}
    assert "Run this cell to make it live." in twin["text/html"]
    assert twin["text/html"].count("<img") == 2  # the map and the lines
    assert "\n" not in twin["text/plain"]
    assert len(twin["text/plain"]) < 240
    assert heads(W, WORDS).twin_html() == browser.twin_html()


def test_every_input_has_a_name_and_every_small_picture_too():
    browser = HeadBrowser("one two three", lm=Tiny())
    inputs = (browser.text, browser.example, browser.layer_field, browser.head_field)
    for each in (*inputs, browser.go, browser.no_first, browser.grid):
        assert each.description
    assert list(browser.grid.tooltips) == list(browser.grid.options)
    assert browser.grid.options[1] == "layer 1, head 0"  # a row for each head


def test_only_the_lines_and_the_message_change_when_a_head_is_chosen():
    browser = heads(W, WORDS)
    frame = [child for child in browser.children if child is not browser.picture]
    values = [getattr(child, "value", None) for child in frame if child is not browser.status]
    browser.choose((1, 1))
    after = [getattr(child, "value", None) for child in frame if child is not browser.status]
    assert [a for a, b in zip(values, after, strict=True) if a != b] == ["layer 0, head 0"]


def test_an_example_can_be_chosen_again_after_a_text_of_ones_own():
    browser = HeadBrowser(lm=Tiny())
    assert browser.example.value == "it"
    browser.text.value = "one two three"
    assert browser.example.value == module.OWN
    browser.example.value = "it"
    assert browser.text.value == EXAMPLES["it"].text
    browser.example.value = module.OWN  # changes nothing
    assert browser.text.value == EXAMPLES["it"].text
    assert HeadBrowser("one two", lm=Tiny()).example.value == module.OWN


def test_without_the_model_another_text_is_answered_by_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(module, "is_installed", lambda: False)
    browser = HeadBrowser("one two three")
    assert "only the examples can be shown" in browser.problem
    assert "pip install" in browser.problem
    assert "only the examples" in browser.twin_html()
    browser.example.value = "she"
    assert browser.problem == ""
