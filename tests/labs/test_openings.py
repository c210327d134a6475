"""The pictures on top of notebooks show what their cells compute."""

from importlib import import_module

import nbformat
import torch

import notebooks as tool
from attention_lab import attention
from attention_lab.labs.qkv_worked_example import figures as worked_example
from attention_lab.labs.qkv_worked_example.widget import EXAMPLES
from attention_lab.labs.start_here import figures as start_here
from attention_lab.pictures import figures
from attention_lab.pictures.flow import described
from helpers import names_in


def test_the_first_picture_shows_the_lookup_of_its_notebook():
    names = names_in("00_start_here.ipynb", "import", "lookup", "lookup-lines")
    weights = (names["three"] @ names["key"].T).softmax(dim=-1)
    said = described(weights, names["names"], list(names["questions"]))
    assert start_here.opening().sentence == f"{said}."
    assert list(start_here.QUESTIONS.values()) == [tuple(q) for q in names["questions"].values()]


def test_the_steps_on_top_of_03_are_an_example_of_its_explorer_with_values_that_are_mixed():
    query, key, _ = (torch.tensor(m).float() for m in EXAMPLES["two queries, three keys"])
    value = torch.tensor([[10.0, 0.0], [0.0, 10.0], [5.0, 5.0]])
    steps = attention(query, key, value)
    assert worked_example.opening().sentence == figures.steps(steps).sentence
    assert steps.output.shape != steps.weights.shape  # a weighted sum that can be seen


def sentence_on_top(room):
    return import_module(f"attention_lab.labs.{room}.figures").opening().sentence


def test_a_picture_on_top_is_not_that_of_a_cell_of_its_notebook():
    """The reader meets no picture twice; 03, 05, 06, 09 to 11 have one of their own as well."""
    for path in tool.course():
        cells = nbformat.read(path, as_version=4).cells
        (on_top,) = (each["image/png"] for each in cells[0].attachments.values())
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        below = [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]
        assert on_top.strip() not in [each.strip() for each in below], path.name


def test_what_the_sentences_on_top_say_is_what_their_pictures_show():
    assert "k0 0.175, k1 0.786, k2 0.039" in sentence_on_top("attention_weights")
    assert "lies at (3.2, 2.1)" in sentence_on_top("weighted_sum")
    assert "score 3 goes from 1 to 0.378" in sentence_on_top("scale_and_temperature")
    assert "the first token: q0 most on k0" in sentence_on_top("transformer_code")
    assert sentence_on_top("position").endswith("8 × 8: from −0.99 to 1.")
