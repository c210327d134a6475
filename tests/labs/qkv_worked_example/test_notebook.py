"""Notebook 03: its cells can be run again, and its sentence says what the text says of it."""

import ast

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from attention_lab import attention
from compare import outputs_of
from helpers import NOTEBOOKS, names_in
from kernels import AsyncSockets

NOTEBOOK = NOTEBOOKS / "03_qkv_worked_example.ipynb"


def read(path=NOTEBOOK):
    return nbformat.read(path, as_version=4)


def run_twice(notebook):
    """Run every cell; then each once more, the last first. Return both outputs of each cell.

    In this order each cell runs again beside what all later cells have left behind, which is what
    a reader has after Run All.
    """
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_manager_class=AsyncSockets,
        extra_arguments=["--log-level=ERROR"],
        store_widget_state=False,
    )
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    with client.setup_kernel():
        for i, cell in code:
            client.execute_cell(cell, i)
        first = outputs_of(nbformat.from_dict(notebook))
        for i, cell in reversed(code):
            client.execute_cell(cell, i)
    return first, outputs_of(notebook)


def test_every_cell_gives_the_same_when_it_is_run_again():
    first, again = run_twice(read())
    assert [name for name in first if first[name] != again[name]] == []


def test_a_name_that_is_used_twice_is_noticed():
    cells = ["x = 1", "print(x)", "x = 2\nprint(x)"]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text, id=f"cell-{i}") for i, text in enumerate(cells)]
    )
    first, again = run_twice(notebook)
    assert [name for name in first if first[name] != again[name]] == ["cell-1"]


def names_of(source):
    """Return what a cell defines at its top level, and over what it loops there."""
    defined, looped = set(), set()
    for node in _top_level(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.For):
            looped |= {each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)}
    return defined - looped - {"_"}, looped


def _top_level(node):
    """Walk through a cell without what has names of its own."""
    inner = ast.FunctionDef, ast.ClassDef, ast.Lambda
    own = *inner, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp
    for child in ast.iter_child_nodes(node):
        if isinstance(child, inner):
            yield child
        elif not isinstance(child, own):
            yield child
            yield from _top_level(child)


def test_no_name_is_given_to_two_things():
    where = {}
    for cell in read().cells:
        if cell.cell_type != "code" or cell.id == "set-up":
            continue
        defined, looped = names_of(cell.source)
        for name in defined:
            assert name not in where, f"{name}: in {where[name]} and in {cell.id}"
            where[name] = cell.id
        for name in looped:
            assert where.setdefault(name, "a loop") == "a loop", f"{name}: in {cell.id}"


# --- the sentence -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sentence():
    return names_in(NOTEBOOK.name, "import", "sentence-tokens", "matrices-code", "change-code")


def found(weights, words):
    """Return for each word the words that it finds: those with its largest weight."""
    best = weights > weights.max(dim=-1, keepdim=True).values - 1e-6
    return {w: {words[j] for j in row.nonzero()[:, 0]} for w, row in zip(words, best, strict=True)}


def test_each_word_finds_what_it_looks_for(sentence):
    Q, K, V, words = (sentence[name] for name in ("Q", "K", "V", "words"))
    steps = attention(Q, K, V)
    assert found(steps.weights, words) == {
        "tired": {"cat"},
        "cat": {"sleeps"},
        "sleeps": {"cat", "sofa"},
        "on": set(words),
        "soft": {"sofa"},
        "sofa": {"sleeps", "soft", "sofa"},
    }
    assert steps.output[:, 0].tolist() == pytest.approx(
        [1.068, 0.157, 2.062, 0.833, 3.120, 1.214], abs=5e-4
    )
    exchanged = found(attention(K, Q, V).weights, words)
    assert exchanged["cat"] == {"tired", "sleeps"}  # those that look for it
    sizes = {len(words), Q.shape[1], V.shape[1], sentence["X"].shape[1]}
    assert len(sizes) == 4  # each has a number of its own


def test_with_one_matrix_no_two_words_prefer_each_other(sentence):
    X, W_K, V = (sentence[name] for name in ("X", "W_K", "V"))
    words = sentence["words"]
    one = attention(X @ W_K, X @ W_K, V)
    assert found(one.weights, words)["cat"] == {"cat"}
    W = W_K.clone()
    W[0, 2] = 1  # the folded answer
    both = attention(X @ W, X @ W, V)
    assert found(both.weights, words)["tired"] == {"cat"}
    assert found(both.weights, words)["cat"] == {"cat"}
    assert (both.scores[0, 1], both.scores[1, 0], both.scores[1, 1]) == (2, 2, 5)


def test_a_sofa_that_is_an_animal_is_found_by_the_tired(sentence):
    X, words = sentence["X"].clone(), sentence["words"]
    X[5, 2], X[5, 3] = 1, 0
    Q, K, V = (X @ sentence[name] for name in ("W_Q", "W_K", "W_V"))
    changed = found(attention(Q, K, V).weights, words)
    assert changed["tired"] == {"cat", "sofa"}
    assert changed["soft"] == {"cat", "sofa", "soft"}


def test_the_numbers_of_the_article(sentence):
    Q, K, V = (torch.arange(i, i + 3.0, dtype=torch.float64)[:, None] for i in (1, 4, 7))
    outputs = attention(Q, K, V).output, attention(K, Q, V).output
    assert outputs[0][:, 0].tolist() == pytest.approx([8.5752, 8.8509, 8.9480], abs=5e-5)
    assert outputs[1][:, 0].tolist() == pytest.approx([8.9814, 8.9932, 8.9975], abs=5e-5)
