"""A design is read or refused; each of the eight can be broken; what a design does is measured."""

import json

import pytest
import torch

from attention_lab.core import modes
from attention_lab.core.modes import Mode
from attention_lab.grading.feedback import Problem
from attention_lab.labs.applications import design as project
from attention_lab.labs.applications import stories
from attention_lab.models.language_model import Config, LanguageModel, programmed
from helpers import tables


def broken_by(mode):
    return [each.name for each in project.eight(mode) if not each.holds]


def test_a_mapping_and_its_json_give_the_same_mode():
    spec = {
        "name": "near and late",
        "mask": "abs(q - k) < 3 and k <= q",
        "bias": "2*k if h == 0 else k / 2",
        "temperature": 0.5,
        "normalizer": "sparsemax",
    }
    one, other = project.read_design(spec), project.read_design(json.dumps(spec))
    x = torch.randn(1, 2, 6, 4, generator=torch.Generator().manual_seed(0))
    steps = one.attention(x, x, x)
    assert torch.equal(steps.weights, other.attention(x, x, x).weights)
    q, k = torch.arange(6)[:, None], torch.arange(6)[None, :]
    visible = ((q - k).abs() < 3) & (k <= q)
    assert torch.equal(one.dense(6, 6)[0][0], visible)
    scaled = x @ x.mT / 2 / 0.5 + torch.stack([2.0 * k, k / 2])
    wanted = torch.where(visible, scaled, -torch.inf)
    assert torch.allclose(steps.masked, wanted, atol=1e-5)
    assert str(one) == "near and late"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"name": "x", "mask": "k - q"}, "“k - q” is a number"),
        ({"name": "x", "bias": "k < q"}, "says True or False"),
        ({"name": "x", "temperature": "hot"}, "one number above 0"),
        ({"name": " "}, 'a "name" of a few words'),
        ('{"name": "x" "mask": "k < q"}', "in line 1"),
        ([], "not list"),
        ({"name": "x", "mask": "__import__('os')"}, "cannot stand in a rule"),
        ({"name": "x", "bias": "(k).__class__"}, "cannot stand in a rule"),
    ],
)
def test_what_is_no_design_is_refused_with_a_reason(spec, says):
    with pytest.raises(Problem) as caught:
        project.read_design(spec)
    assert says in str(caught.value)


def test_the_modes_of_the_library_keep_all_eight():
    for mode in (modes.full, modes.causal, modes.causal & modes.window(3), modes.alibi(2)):
        assert broken_by(mode) == []
        assert len(project.eight(mode)) == 8


def column_softmax(masked):
    return masked.softmax(dim=-2)


def second_text_differs(b, h, q_idx, kv_idx):
    return torch.where(b > 0, 1.0 * kv_idx, 0.0)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        (Mode("twice", normalizer=lambda m: 2 * m.softmax(-1)), "weights sum to 1"),
        (
            Mode("stray", modes.causal.mask_mod, normalizer=lambda m: torch.full_like(m, 1 / 8)),
            "no weight on a hidden key",
        ),
        (Mode("columns", normalizer=column_softmax), "no gradient to what is hidden"),
        (project.read_design({"name": "g", "normalizer": "sigmoid"}), "outputs in the hull"),
        (project.read_design({"name": "m", "mask": "k < q"}), "every query sees a key"),
        (Mode("columns", normalizer=column_softmax), "one query at a time"),
        (Mode("by text", bias=second_text_differs), "alone as in a batch"),
        (project.read_design({"name": "e", "bias": "exp(100*k)"}), "finite with loud scores"),
    ],
)
def test_each_of_the_eight_can_be_broken(mode, name):
    assert any(each.startswith(name) for each in broken_by(mode))


@pytest.fixture(scope="module")
def teller():
    return project.teller()


def test_the_teller_is_right_about_plain_stories_and_guesses_who_is_the_last(teller):
    assert project.shares(teller, "plain") > 0.98
    assert project.shares(teller, "latest") == pytest.approx(1 / 3, abs=0.06)
    assert project.shares(teller, "two books") == pytest.approx(1 / 2, abs=0.06)
    assert project.shares(teller, "diary") == pytest.approx(1 / 6, abs=0.06)


def test_the_worked_example_gains_and_costs_what_the_notebook_says(teller):
    report = project.design({"name": "late", "bias": "2*k"}, "latest", teller)
    assert all(each.holds for each in report.kept)
    assert report.after - report.before > 0.3
    assert report.plain > 0.9
    steep = project.design({"name": "late", "bias": "20*k"}, "latest", teller)
    assert steep.plain < 0.45
    assert steep.after < 0.8
    assert "keeps 8 of 8" in str(report)
    html = report._repr_mimebundle_()["text/html"]
    caption, rows = tables(html)[0]
    assert caption.startswith("late")
    assert len(rows) == 1 + 8 + 3


def test_a_task_of_ones_own_is_a_function(teller):
    def first_sentence(count, random):
        drawn = stories.draw(count, random, 4)
        return drawn._replace(answer=drawn.names[:, 0])

    report = project.design({"name": "the first", "mask": "k == 0"}, first_sentence, teller)
    assert report.task == "first_sentence"
    assert report.after > 0.9
    assert report.plain < 0.4
    with pytest.raises(Problem, match="there is no task 'last'; there are plain, latest"):
        project.design({"name": "x"}, "last", teller)


def test_a_design_runs_in_a_language_model_too():
    torch.manual_seed(0)
    config = Config(n_words=20, d_model=12, n_layers=2, n_heads=6, n_kv_heads=2, d_ff=20)
    model, tokens = LanguageModel(config), torch.arange(6)[None]
    mode = project.read_design({"name": "not the first", "mask": "k > 0 or q == 0"})
    with torch.no_grad(), programmed(model, mode):
        hidden = model(tokens)
        other = model(tokens.clone().index_fill(1, torch.tensor([0]), 9))
    assert torch.equal(hidden[:, 1:], other[:, 1:])
    with torch.no_grad():
        assert not torch.allclose(model(tokens)[:, 1:], hidden[:, 1:])
