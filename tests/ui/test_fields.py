"""The fields that widgets are built of."""

import pytest

from attention_lab.ui.fields import Knob


def test_knob_field_and_slider_are_one_value():
    knob = Knob("temperature", 1, low=0.1, high=10, log=True)
    seen = []
    knob.observe(lambda change: seen.append(change["new"]), names="value")
    knob.field.value = "0.5"
    assert (knob.value, knob.slider.value) == (0.5, 0.5)
    knob.slider.value = 10**0.3
    assert (knob.value, knob.field.value) == (2.0, "2")
    assert knob.slider.value == 10**0.3  # it stays where the hand has put it
    knob.field.value = "0.123456"  # a typed number is used as it was typed
    assert knob.value == knob.slider.value == 0.123456
    knob.slider.value = 10**-0.9  # where the browser puts the handle: the step next to it
    assert knob.value == 0.123456
    knob.value = 99  # beyond the end: the field holds it back
    assert (knob.value, knob.field.value, knob.slider.value) == (10, "10", 10)
    assert seen == [0.5, 2.0, 0.123456, 10]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("99", "query: write a number from -0.5 to 4.5, not 99. Still using 2"),
        ("-1", "query: write a number from -0.5 to 4.5, not -1. Still using 2"),
        ("abc", "query: “abc” is not a number"),
        ("", "query: the field is empty"),
        ("1,5", "query: “1,5” has a decimal comma; write 1.5"),
        ("nan", "query: “nan” is not a finite number"),
    ],
)
def test_what_a_knob_cannot_use_is_named_and_the_last_number_stays(text, says):
    knob = Knob("query", 2, low=-0.5, high=4.5)
    knob.field.value = text
    assert says in knob.message_line.value
    assert (knob.value, knob.slider.value, knob.field.value) == (2, 2, text)
    assert "alab-bad" in knob.field._dom_classes
    knob.field.value = "1/2"
    assert (knob.value, knob.slider.value, knob.field.value) == (0.5, 0.5, "0.5")
    assert not knob.message_line.value
    assert "alab-bad" not in knob.field._dom_classes
    knob.field.value = text
    knob.slider.value = 3  # the hand on the slider puts it right as well
    assert (knob.value, knob.field.value, knob.message_line.value) == (3, "3", "")
