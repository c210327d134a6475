"""Each rule of the lint, broken once."""

import sys
from pathlib import Path

import nbformat
import pytest

import lint
import notebooks as tool

NAME = "42_an_example.ipynb"
TITLE = f"""# 42 An example

{tool.badge(NAME)}

One sentence of promise.

![A line that goes up.](attachment:figure.png)

> **After this notebook you can** do one thing.
>
> **You need** nothing.
>
> **Time** 5 minutes to read, a second to run."""
REMEMBER = """## What to remember

1. One.
2. Two.
3. Three.
4. Four.
5. Five.

**Source** Somebody 2020, [a page](https://example.org/page).

**Next** nothing."""
HELP = """<details><summary>Hint</summary>

Think.

</details>

<details><summary>Solution</summary>

```python
answer = 1.2345
```

</details>"""


def code(name, source, *outputs):
    cell = nbformat.v4.new_code_cell(source, id=name)
    cell.outputs = list(outputs)
    return cell


def text(name, source):
    return nbformat.v4.new_markdown_cell(source, id=name)


def stream(said, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=said)


def said(text):
    return nbformat.v4.new_output("display_data", {"text/plain": text, "text/html": text})


def widget_of(text):
    return nbformat.v4.new_output(
        "display_data", {"text/plain": text, "text/html": f"<div>a bar</div><p>{text}</p>"}
    )


def picture(sentence="A line goes up."):
    return nbformat.v4.new_output(
        "display_data", {"image/png": "AAAA"}, metadata={"image/png": {"alt": sentence}}
    )


@pytest.fixture
def notebook():
    """A notebook with which the lint has no quarrel."""
    made = nbformat.v4.new_notebook(metadata={"kernelspec": dict(tool.KERNEL)})
    made.cells = [
        text("title", TITLE),
        code("set-up", tool.set_up(NAME)),
        text("section", "## 1 A section\n\nThe score is 0.665. See [above](#1-A-section)."),
        code("figure", "figures.heatmap(m)", picture(), said("A line goes up.")),
        code("widget", "WeightsExplorer()", stream("0.66524\n")),
        text("asked", "## 2 Three questions"),
        *(code(f"predict-{k}", "predict.lookup_price()", said("?")) for k in range(3)),
        text("between", "Run the next cell."),
        code("answer", "print(output)", stream("the price:\n6.492\n")),
        text("ex1-md", "## Exercises\n\n**Exercise 42.1** Do it."),
        code("ex1", "answer = ...\n\ncheck.it(answer)", stream("Not attempted: replace the ...")),
        text("ex1-help", HELP),
        text("remember", REMEMBER),
    ]
    made.cells[0].attachments = {"figure.png": {"image/png": "AAAA"}}
    next(cell for cell in made.cells if cell.id == "answer").metadata["tags"] = [tool.ANSWER]
    number(made)
    return made


def number(notebook):
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count


def found(notebook, rule=None):
    book = lint.Book(Path(NAME), notebook.cells, notebook.metadata)
    return list(rule(book)) if rule else lint.problems(book)


def test_a_good_notebook_has_no_problems(notebook):
    assert found(notebook) == []


def test_a_page_of_puzzles_needs_no_prediction_and_its_puzzles_a_check(notebook):
    for change in (drop("predict-0"), drop("predict-1"), replace("ex1-md", "Exercise 42", "X")):
        change(notebook)
    notebook.cells.insert(-1, text("p2-md", "**Puzzle 2** Do that."))
    assert found(notebook, lint.predictions) == []
    assert found(notebook, lint.exercises) == []
    notebook.cells.insert(-1, text("p3-md", "**Puzzle 3** And that."))
    assert found(notebook, lint.exercises) == ["2 exercises are announced, and 1 are checked"]


def drop(name):
    def change(notebook):
        notebook.cells = [cell for cell in notebook.cells if cell.id != name]
        number(notebook)

    return change


def replace(name, old, new):
    def change(notebook):
        cell = next(cell for cell in notebook.cells if cell.id == name)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def output(name, *outputs):
    def change(notebook):
        next(cell for cell in notebook.cells if cell.id == name).outputs = list(outputs)

    return change


def set_metadata(key, value):
    def change(notebook):
        notebook.metadata[key] = value

    return change


def rename(name, new):
    def change(notebook):
        next(cell for cell in notebook.cells if cell.id == name).id = new

    return change


def show_below_answer(notebook):
    at = [cell.id for cell in notebook.cells].index("answer")
    notebook.cells.insert(at + 1, code("below", "figures.plane()", picture(), said("It is 6.")))
    number(notebook)


def detach(notebook):
    notebook.cells[0].attachments = {}


def recount(notebook):
    notebook.cells[1].execution_count = 7


def strip(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []


error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
live = nbformat.v4.new_output("display_data", {tool.WIDGET_VIEW: {"model_id": "1"}})


@pytest.mark.parametrize(
    ("rule", "change", "says"),
    [
        (lint.anatomy, drop("set-up"), "must be title and set-up"),
        (lint.anatomy, replace("title", "# 42 An example", "An example"), "lacks a heading"),
        (lint.anatomy, replace("title", "colab", "elsewhere"), "lacks the Colab badge"),
        (lint.anatomy, replace("title", "**After", "**Before"), "lacks what the reader can do"),
        (lint.anatomy, replace("title", "**You need**", "Needs"), "lacks what is needed first"),
        (lint.anatomy, replace("title", "5 minutes", "some minutes"), "lacks the time"),
        (lint.anatomy, replace("set-up", "attention-lab/", "elsewhere/"), "not that of the other"),
        (lint.anatomy, drop("remember"), "must be “What to remember”"),
        (lint.anatomy, replace("remember", "5. Five.\n", ""), "has 4 lines, not 5"),
        (lint.anatomy, replace("remember", "**Source**", "From"), "lacks Source"),
        (lint.anatomy, replace("remember", "**Next**", "Then"), "lacks Next"),
        (lint.ids, rename("figure", "widget"), "the id 'widget' is there twice"),
        (lint.executed, recount, "the execution counts are [7, 2, 3, 4"),
        (lint.executed, strip, "no output at all"),
        (lint.clean_outputs, output("figure", error), "figure: an error is committed"),
        (lint.clean_outputs, output("figure", stream("x", "stderr")), "a warning is committed"),
        (lint.clean_outputs, output("figure", stream("UserWarning: x")), "a warning is committed"),
        (lint.clean_outputs, output("figure", stream("in /home/me/x.py")), "a path of one machine"),
        (lint.clean_outputs, output("widget", live), "widget: the id of a live widget"),
        (lint.clean_outputs, set_metadata("widgets", {}), "metadata.widgets is kept"),
        (
            lint.clean_outputs,
            set_metadata("kernelspec", {"name": "me", "display_name": "Me"}),
            "would ask for one",
        ),
        (lint.sentences, output("figure", picture()), "no sentence follows the figure"),
        (lint.sentences, output("figure", picture(), said("no full stop")), "no sentence"),
        (lint.sentences, output("figure", picture(), said("Another.")), "is not the sentence"),
        (lint.anatomy, replace("title", "![A line", "[A line"), "lacks a picture"),
        (
            lint.clean_outputs,
            output("widget", said("<b>Not used:</b> TypeError")),
            "widget: the committed picture of a widget has an error",
        ),
        (lint.anatomy, detach, "the picture of the title is not attached"),
        (lint.predictions, drop("predict-1"), "there are 2 predictions, not 3 or more"),
        (lint.predictions, drop("answer"), "no cell after it is tagged “answer”"),
        (lint.predictions, output("answer", stream("6.5")), "answer does not show '6.492'"),
        (lint.predictions, output("answer", stream("6.492")), "answer still shows its first line"),
        (lint.predictions, output("answer", widget_of("6.492")), "it shows a piece of HTML"),
        (lint.printed_lines, output("figure", stream("x" * 96)), "line of 96 characters"),
        (lint.predictions, show_below_answer, "below follows an answer, and is not tagged"),
        (lint.predictions, drop("between"), "no text stands between it and its answer"),
        (lint.predictions, replace("between", "Run", "6.492: run"), "between shows '6.492'"),
        (lint.predictions, replace("asked", "Three", "6.492"), "asked shows '6.492' before"),
        (lint.exercises, drop("ex1-help"), "ex1: no folded hint follows"),
        (lint.exercises, replace("ex1-help", "Solution", "Answer"), "no folded solution follows"),
        (lint.exercises, replace("ex1", "...", "1"), "there is no ... to replace"),
        (lint.exercises, output("ex1", stream("Right.")), "is not “Not attempted”"),
        (lint.exercises, drop("ex1"), "1 exercises are announced, and 0 are checked"),
        (lint.links, replace("section", "#1-A-section", "#2"), "there is no heading for #2"),
        (lint.links, replace("section", "(#1-A-section)", "(no.ipynb)"), "no.ipynb does not exist"),
        (lint.links, replace("remember", "https://example", "http://example"), "is no https"),
        (lint.links, replace("remember", "https://example.org", "https://x"), "is no https"),
        (lint.printed_numbers, replace("section", "0.665", "0.667"), "no cell prints 0.667"),
        (
            lint.terms,
            replace("section", "The score", "The hidden size"),
            "“hidden size”; the term is d_model",
        ),
        (lint.plain_words, replace("section", "The score", "Simply the score"), "“Simply”"),
        (lint.plain_words, replace("section", "0.665.", "0.665!"), "leave out “!”"),
        (lint.spelling, replace("section", "The score", "Teh score"), "Teh ==> The"),
    ],
)
def test_each_rule_bites(notebook, rule, change, says):
    change(notebook)
    said = found(notebook, rule)
    assert any(says in problem for problem in said), said


def test_every_rule_is_broken_above_and_listed():
    import inspect

    parameters = test_each_rule_bites.pytestmark[0].args[1]
    broken = {rule for rule, _, _ in parameters}
    rules = {
        value
        for name, value in vars(lint).items()
        if inspect.isgeneratorfunction(value) and value.__doc__ and name not in ("outputs",)
    }
    assert set(lint.RULES) == broken == rules


def test_the_command_names_notebook_and_rule(tmp_path, monkeypatch, capsys, notebook):
    notebook.cells[2].source = "no section"
    path = tmp_path / NAME
    nbformat.write(notebook, path)
    monkeypatch.setattr(sys, "argv", ["lint.py", str(path)])
    assert lint.main() == 0  # the exercises are a section, and it has no widget
    notebook.cells[2].source = "## A hidden size"
    nbformat.write(notebook, path)
    assert lint.main() == 1
    out = capsys.readouterr().out
    assert "42_an_example.ipynb: terms: section: “hidden size”; the term is d_model" in out
