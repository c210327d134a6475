"""AttentionExplorer with a learner's own function."""

import math
import sys

import pytest
import torch

from attention_lab import attention
from attention_lab.widgets import AttentionExplorer
from helpers import shown, text_of, type_into


def right(query, key, value):
    return (query @ key.T / math.sqrt(key.shape[-1])).softmax(-1) @ value


def test_a_right_function_agrees():
    explorer = AttentionExplorer(function=right)
    assert "right agrees with attention" in text_of(explorer.status.value)
    assert shown(explorer, "weights") is None  # it only returns the output
    assert shown(explorer, "output")[0][1] == "8.575"


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
    assert "over_queries differs from attention first at weights[0, 0]: ≈0" in status
    assert "instead of 0.09" in status
    assert "0.090; over_queries has ≈0" in text_of(explorer.picture.value)


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


class Projected(torch.nn.Module):
    """A learner's layer, with parameters of the usual dtype."""

    def __init__(self):
        super().__init__()
        self.query, self.key = torch.nn.Linear(1, 4), torch.nn.Linear(1, 4)

    def forward(self, query, key, value):
        return right(self.query(query), self.key(key), value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_layer_is_given_what_it_takes(dtype):
    seen = []

    def spy(query, key, value):
        seen.append({query.dtype, key.dtype, value.dtype})
        return right(query, key, value)

    AttentionExplorer(function=spy)
    assert seen == [{torch.float32}]
    torch.manual_seed(0)
    explorer = AttentionExplorer(function=Projected().to(dtype))
    assert "Not used" not in explorer.status.value
    assert explorer.steps.output.dtype == dtype
    assert "differs from attention first at output[0, 0]" in text_of(explorer.status.value)


def test_numbers_too_large_for_float32_are_given_as_float64():
    explorer = AttentionExplorer(function=right)
    type_into(explorer.query, 0, 0, "1e30")
    assert "right agrees with attention" in text_of(explorer.status.value)
