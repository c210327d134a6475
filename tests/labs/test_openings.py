"""The pictures on top of notebooks show what their cells compute."""

import torch

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
