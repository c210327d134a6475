"""The fields that widgets are built of."""

from attention_lab.ui.fields import Knob


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
