"""Puzzles 1 to 13: rules that say who may see whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.labs.puzzles.judging import Masks
from attention_lab.labs.puzzles.puzzle import puzzle

__all__ = [
    "all_but_itself",
    "blocks_of_a_layout",
    "dilated_back",
    "documents_by_id",
    "every_third",
    "first_and_last",
    "grid_at_the_edge",
    "grid_neighbours",
    "key_before",
    "prompt_reads_itself",
    "tree_of_guesses",
    "window_repaired",
    "window_with_sinks",
]

ONE_LINE, TABLES = "1 Rules of one line", "2 Rules with something to look up"
Answer = Callable[..., Any]
LENGTHS = (6, 1, 2, 5, 13, 33)  # the first is drawn


def without(*lengths: int) -> list:
    return [(n, {}) for n in lengths]


BEFORE = Masks(
    lambda q, k: k == q - 1,
    without(*LENGTHS),
    {
        "this is the key after the query: a key before it has a smaller position": (
            lambda q, k: k == q + 1
        ),
        "each query sees its own key as well; only the one before it is wanted": (
            lambda q, k: (k == q - 1) | (k == q)
        ),
        "these are all keys before the query; only the one next to it is wanted": (
            lambda q, k: k < q
        ),
        "each query sees its own key; the one before it is wanted": lambda q, k: k == q,
        "both neighbours are seen; only the one before is wanted": (
            lambda q, k: (k - q).abs() == 1
        ),
        "query 0 has no key before it, so its row is empty: key 0 is its own": (
            lambda q, k: k == (q - 1).clamp(min=0)
        ),
    },
    factory=False,
)


@puzzle(1, "the key before", budget=1, part=ONE_LINE, picture=BEFORE.picture)
def key_before(answer: Answer) -> str:
    """``rule(b, h, q_idx, kv_idx)``: each query sees the key directly before it."""
    BEFORE.judge(answer)
    return "Query 0 has no key before it: its row is empty, and its output is all zero."


OTHERS = Masks(
    lambda q, k: k != q,
    without(*LENGTHS),
    {
        "the later keys are missing: everything but its own is wanted": lambda q, k: k < q,
        "this is the causal mask: a query sees itself and no later key, and the opposite of both "
        "is wanted": lambda q, k: k <= q,
        "only the two neighbours are seen; every key but its own is wanted": (
            lambda q, k: (k - q).abs() == 1
        ),
    },
    factory=False,
)


@puzzle(2, "everything but oneself", budget=1, part=ONE_LINE, picture=OTHERS.picture)
def all_but_itself(answer: Answer) -> str:
    """``rule(b, h, q_idx, kv_idx)``: each query sees every key but its own."""
    OTHERS.judge(answer)
    return "A single token sees nothing under this rule."


ENDS = Masks(
    lambda q, k, n: (k == 0) | (k == n - 1),
    [(n, {"n": n}) for n in LENGTHS],
    {
        "the last key is missing: positions count from 0, so it is n - 1": lambda q, k, n: k == 0,
        "the first key is missing: it is key 0": lambda q, k, n: k == n - 1,
        "these are the first and the last query; the rule is about keys, which are the columns": (
            lambda q, k, n: ((q == 0) | (q == n - 1)) & (k == k)
        ),
        "both at once: no key is first and last, but where n = 1. Join the two by |": (
            lambda q, k, n: (k == 0) & (k == n - 1)
        ),
        "later keys are hidden here; the last key is wanted for every query": (
            lambda q, k, n: ((k == 0) | (k == n - 1)) & (k <= q)
        ),
        "each query sees its own key as well; only the first and the last are wanted": (
            lambda q, k, n: (k == 0) | (k == n - 1) | (k == q)
        ),
        "the second key is seen in the place of the first: positions count from 0": (
            lambda q, k, n: (k == 1) | (k == n)
        ),
    },
)


@puzzle(3, "first and last", budget=1, part=ONE_LINE, picture=ENDS.picture)
def first_and_last(answer: Answer) -> str:
    """``answer(n)`` returns the rule: each query sees the first and the last of n keys."""
    ENDS.judge(answer)
    return "A rule sees two positions and not how many there are, so n has to come from outside."


THIRD = Masks(
    lambda q, k: (k % 3 == 0) & (k <= q),
    without(8, 1, 2, 5, 13, 33),
    {
        "later keys are seen as well: the rule is to be causal": lambda q, k: k % 3 == 0,
        "every third key counted from the query; from key 0 is wanted: 0, 3, 6, ...": (
            lambda q, k: ((q - k) % 3 == 0) & (k <= q)
        ),
        "every third key counted from the query, and later ones too; 0, 3, 6, ... up to the query "
        "are wanted": lambda q, k: (q - k) % 3 == 0,
        "these are the keys 2, 5, 8, ...; positions count from 0": (
            lambda q, k: (k % 3 == 2) & (k <= q)
        ),
        "these are the keys 1, 4, 7, ...; wanted are 0, 3, 6, ...": (
            lambda q, k: (k % 3 == 1) & (k <= q)
        ),
        "every third query is chosen; the rule is about keys, which are the columns": (
            lambda q, k: (q % 3 == 0) & (k <= q)
        ),
        "a query does not see its own key here, also where that is 0, 3, 6, ...": (
            lambda q, k: (k % 3 == 0) & (k < q)
        ),
        "each query sees its own key as well; only 0, 3, 6, ... are wanted": (
            lambda q, k: (k % 3 == 0) & (k <= q) | (k == q)
        ),
        "the two conditions are joined by or; a key must meet both": (
            lambda q, k: (k % 3 == 0) | (k <= q)
        ),
    },
    factory=False,
)


@puzzle(4, "every third key", budget=1, part=ONE_LINE, picture=THIRD.picture)
def every_third(answer: Answer) -> str:
    """``rule(b, h, q_idx, kv_idx)``: the keys 0, 3, 6, ... that are not later than the query."""
    THIRD.judge(answer)
    return "The rule asks one thing of the key and one of the pair, and joins them by &."


SIZES = ((7, 3), (1, 1), (2, 5), (5, 1), (9, 2), (16, 7), (40, 12))
REPAIRED = Masks(
    lambda q, k, size: (q - k >= 0) & (q - k < size),
    [(n, {"size": size}) for n, size in SIZES],
    {
        "later keys are still seen: for them q_idx - kv_idx is below 0, and so below size": (
            lambda q, k, size: q - k < size
        ),
        "the window reaches to both sides; no query may see a later key": (
            lambda q, k, size: (q - k).abs() < size
        ),
        "one key too many: the query's own key is one of the `size` keys": (
            lambda q, k, size: (q - k >= 0) & (q - k <= size)
        ),
        "one key too few: the query's own key and size - 1 before it are wanted": (
            lambda q, k, size: (q - k >= 0) & (q - k < size - 1)
        ),
        "the query's own key is missing; it is the last of the window": (
            lambda q, k, size: (q - k > 0) & (q - k <= size)
        ),
        "a query does not see its own key here, and one key fewer than it should": (
            lambda q, k, size: (q - k > 0) & (q - k < size)
        ),
        "this is causal without a window: keys that are size or more back are seen as well": (
            lambda q, k, size: q - k >= 0
        ),
        "the window lies after the query": lambda q, k, size: (k - q >= 0) & (k - q < size),
    },
)


@puzzle(5, "the window that forgot", budget=1, part=ONE_LINE, picture=REPAIRED.picture)
def window_repaired(answer: Answer) -> str:
    """``answer(size)`` returns the rule: a query sees its own key and size - 1 before it."""
    REPAIRED.judge(answer)
    return "A distance has a sign: both ends of the window have to be said."


PROMPT = Masks(
    lambda q, k, prompt: (k <= q) | (k < prompt),
    [(n, {"prompt": p}) for n, p in ((7, 3), (1, 1), (4, 0), (5, 5), (9, 1), (20, 11))],
    {
        "this is the causal mask: in the prompt later keys may be seen, too": (
            lambda q, k, prompt: k <= q
        ),
        "only keys of the prompt are seen; after it the rule is causal": (
            lambda q, k, prompt: k < prompt
        ),
        "the two are joined by and; a key may be seen for one reason or for the other": (
            lambda q, k, prompt: (k <= q) & (k < prompt)
        ),
        "one key too many: a prompt of 3 tokens has the keys 0, 1 and 2": (
            lambda q, k, prompt: (k <= q) | (k <= prompt)
        ),
        "a query of the prompt sees everything here, also what is written after the prompt": (
            lambda q, k, prompt: (k <= q) | (q < prompt)
        ),
        "within the prompt all is seen, but the queries after it see only the prompt or only "
        "what follows it": lambda q, k, prompt: (
            (q < prompt) & (k < prompt) | (q >= prompt) & (k >= prompt) & (k <= q)
        ),
    },
)


@puzzle(6, "a prompt that reads itself", budget=1, part=TABLES, picture=PROMPT.picture)
def prompt_reads_itself(answer: Answer) -> str:
    """``answer(prompt)`` returns the rule: causal, and the first keys are seen by everybody."""
    PROMPT.judge(answer)
    return (
        "The keys of the prompt are known when the first token is written, so nothing leaks. This "
        "is a prefix language model."
    )


def ids(*numbers: int) -> dict[str, Any]:
    return {"doc": torch.tensor(numbers)}


def same(q: Tensor, k: Tensor, doc: Tensor) -> Tensor:
    return doc[q] == doc[k]


DOCUMENTS = Masks(
    lambda q, k, doc: same(q, k, doc) & (k <= q) & (doc[q] >= 0),
    [
        (8, ids(0, 0, 0, 1, 1, 4, 4, -1)),
        (1, ids(5)),
        (1, ids(-1)),
        (6, ids(2, 0, 2, 0, -1, 2)),
        (4, ids(-1, -1, 3, 3)),
        (12, ids(7, 7, 1, 1, 1, -1, 7, 7, 0, 0, -1, 0)),
    ],
    {
        "padding tokens (-1) see padding here; they see nothing, and nobody sees them": (
            lambda q, k, doc: same(q, k, doc) & (k <= q)
        ),
        "later keys of the document are seen: the rule is to be causal": (
            lambda q, k, doc: same(q, k, doc) & (doc[q] >= 0)
        ),
        "later keys of the document are seen, and padding sees padding": same,
        "this is causal and hides padding, but a query sees other documents as well": (
            lambda q, k, doc: (doc[k] >= 0) & (doc[q] >= 0) & (k <= q)
        ),
        "this hides padding, but a query sees other documents and later keys as well": (
            lambda q, k, doc: (doc[k] >= 0) & (doc[q] >= 0)
        ),
        "document 0 is hidden as well: only -1 is padding": (
            lambda q, k, doc: same(q, k, doc) & (k <= q) & (doc[q] > 0)
        ),
        "a query does not see its own key here": (
            lambda q, k, doc: same(q, k, doc) & (k < q) & (doc[q] >= 0)
        ),
    },
)


@puzzle(7, "documents by their numbers", budget=1, part=TABLES, picture=DOCUMENTS.picture)
def documents_by_id(answer: Answer) -> str:
    """``answer(doc)`` returns the rule: earlier keys of one's own document; -1 is padding."""
    DOCUMENTS.judge(answer)
    return (
        "doc[q_idx] looks up a table: it works in flex_attention, too, which never builds a mask."
    )


BACK = Masks(
    lambda q, k, step, count: (q >= k) & ((q - k) % step == 0) & (q - k < step * count),
    [
        (n, {"step": step, "count": count})
        for n, step, count in ((9, 2, 3), (1, 3, 2), (5, 1, 2), (7, 3, 1), (12, 4, 9), (30, 5, 4))
    ],
    {
        "later keys are seen as well: the rule is to be causal": (
            lambda q, k, step, count: ((q - k) % step == 0) & (q - k < step * count)
        ),
        "there is no limit: at most `count` keys are wanted, the query's own among them": (
            lambda q, k, step, count: (q >= k) & ((q - k) % step == 0)
        ),
        "one key too many: the query's own key is one of the `count`": (
            lambda q, k, step, count: (q >= k) & ((q - k) % step == 0) & (q - k <= step * count)
        ),
        "count is taken for a distance; the last of count keys is step * (count - 1) back": (
            lambda q, k, step, count: (q >= k) & ((q - k) % step == 0) & (q - k < count)
        ),
        "the steps are counted from key 0; from the query is wanted": (
            lambda q, k, step, count: (q >= k) & (k % step == 0) & (q - k < step * count)
        ),
        "this is a window without steps: only every `step`-th key back is wanted": (
            lambda q, k, step, count: (q >= k) & (q - k < step * count)
        ),
        "the keys lie on both sides of the query; only those before it are wanted": (
            lambda q, k, step, count: ((q - k) % step == 0) & ((q - k).abs() < step * count)
        ),
        "the query's own key is missing; it is the first of the `count`": (
            lambda q, k, step, count: (q > k) & ((q - k) % step == 0) & (q - k <= step * count)
        ),
    },
)


@puzzle(8, "steps back", budget=1, part=TABLES, picture=BACK.picture)
def dilated_back(answer: Answer) -> str:
    """``answer(step, count)`` returns the rule: the keys q, q - step, ..., count of them."""
    BACK.judge(answer)
    return "As many keys as a window of `count`, and step times as far."


SINKS = Masks(
    lambda q, k, size, sinks: (k <= q) & ((q - k < size) | (k < sinks)),
    [
        (n, {"size": size, "sinks": sinks})
        for n, size, sinks in ((9, 3, 1), (1, 1, 1), (3, 2, 5), (6, 2, 0), (12, 4, 2), (31, 9, 4))
    ],
    {
        "a sink that is later than the query is seen: & binds before |, so put the | in brackets "
        "and ask of the sinks, too, that they are not later": (
            lambda q, k, size, sinks: (k <= q) & (q - k < size) | (k < sinks)
        ),
        "later keys are seen: window and sinks both have to be causal": (
            lambda q, k, size, sinks: (q - k < size) | (k < sinks)
        ),
        "the sinks are missing: this is the window alone": (
            lambda q, k, size, sinks: (k <= q) & (q - k < size)
        ),
        "only sinks that lie in the window are seen: join window and sinks by |": (
            lambda q, k, size, sinks: (k <= q) & (q - k < size) & (k < sinks)
        ),
        "one sink too many: the sinks are the keys 0 to sinks - 1": (
            lambda q, k, size, sinks: (k <= q) & ((q - k < size) | (k <= sinks))
        ),
        "the window has one key too many: the query's own is one of the `size`": (
            lambda q, k, size, sinks: (k <= q) & ((q - k <= size) | (k < sinks))
        ),
        "the sinks are taken off the window: `size` keys beside the sinks are wanted": (
            lambda q, k, size, sinks: (k <= q) & ((q - k < size - sinks) | (k < sinks))
        ),
    },
)


@puzzle(9, "a window with sinks", budget=1, part=TABLES, picture=SINKS.picture)
def window_with_sinks(answer: Answer) -> str:
    """``answer(size, sinks)`` returns the rule: a causal window, and the first keys."""
    SINKS.judge(answer)
    return "At most size + sinks keys for each query, however long the text is: puzzle 22 needs it."


def layout(*rows: str) -> Tensor:
    return torch.tensor([[mark == "1" for mark in row] for row in rows])


BLOCKS = Masks(
    lambda q, k, layout, block: layout[q // block, k // block] & (k <= q),
    [
        (n, {"layout": table, "block": block})
        for n, table, block in (
            (8, layout("1000", "1100", "0110", "1011"), 2),
            (1, layout("1"), 3),
            (2, layout("0"), 2),
            (5, layout("10", "01"), 3),
            (7, layout("1111111", *["0100010"] * 6), 1),
            (12, layout("011", "100", "111"), 4),
        )
    ],
    {
        "later keys are seen as well: the rule is to be causal": (
            lambda q, k, layout, block: layout[q // block, k // block] & (k == k)
        ),
        "the layout is read the wrong way round: its rows are blocks of queries": (
            lambda q, k, layout, block: layout[k // block, q // block] & (k <= q)
        ),
        "the layout is the wrong way round, and later keys are seen": (
            lambda q, k, layout, block: layout[k // block, q // block] & (k == k)
        ),
        "a query does not see its own key here": (
            lambda q, k, layout, block: layout[q // block, k // block] & (k < q)
        ),
        "whole blocks are causal here; within a block later keys are seen": (
            lambda q, k, layout, block: layout[q // block, k // block] & (k // block <= q // block)
        ),
        "the layout is read as if it were repeated (%); position 5 of blocks of 2 lies in block "
        "5 // 2": lambda q, k, layout, block: layout[q % len(layout), k % len(layout)] & (k <= q),
    },
)


@puzzle(10, "blocks of a layout", budget=1, part=TABLES, picture=BLOCKS.picture)
def blocks_of_a_layout(answer: Answer) -> str:
    """``answer(layout, block)`` returns the rule: causal, within the blocks of a layout."""
    BLOCKS.judge(answer)
    return "Block-sparse attention: what the layout hides is never computed, 128 × 128 at a time."


def paths(parents: Tensor) -> Tensor:
    """The nodes from each to its root, (n, n)."""
    n = len(parents)
    sees = torch.eye(n, dtype=torch.bool)
    for node in range(n):
        above = int(parents[node])
        while above >= 0:
            sees[node, above] = True
            above = int(parents[above])
    return sees


def nodes(*parents: int) -> tuple[int, dict[str, Tensor]]:
    return len(parents), {"parents": torch.tensor(parents)}


def one_pass(parents: Tensor) -> Tensor:
    """Right only where a parent comes before its children."""
    sees = torch.eye(len(parents), dtype=torch.bool)
    for node, parent in enumerate(parents.tolist()):
        if parent >= 0:
            sees[node] |= sees[parent]
    return sees


def up_to(parents: Tensor, steps: int) -> Tensor:
    """Only ancestors of at most some steps."""
    n = len(parents)
    sees = torch.eye(n, dtype=torch.bool)
    for node in range(n):
        above = node
        for _ in range(steps):
            above = int(parents[above]) if above >= 0 else -1
            if above >= 0:
                sees[node, above] = True
    return sees


TREE = Masks(
    lambda q, k, parents: paths(parents)[q, k],
    [
        nodes(-1, 0, 0, 1, 1, 2, 2),
        nodes(-1),
        nodes(-1, -1, 0, 1, 1),
        nodes(4, 0, 4, 2, -1, 3),  # in no order
        nodes(-1, 0, 1, 2, 3, 4, 5, 6, 7),
        nodes(1, -1, 3, 1, 2, 6, -1, 5, 7, 8, 4, 9),
    ],
    {
        "only the parent is seen; its parent, and so on to the root, are wanted as well": (
            lambda q, k, parents: up_to(parents, 1)[q, k]
        ),
        "only two steps up are followed; a path may be longer": (
            lambda q, k, parents: up_to(parents, 2)[q, k]
        ),
        "each node sees what comes after it in the tree; it shall see what it follows": (
            lambda q, k, parents: paths(parents)[k, q]
        ),
        "a node does not see itself here": (lambda q, k, parents: paths(parents)[q, k] & (q != k)),
        "this is the causal mask: nodes of other branches are seen": (lambda q, k, parents: k <= q),
        "the path of a parent is taken before it is complete: parents may come after their "
        "children here": lambda q, k, parents: one_pass(parents)[q, k],
        "later nodes are hidden, but a parent may come after its child": (
            lambda q, k, parents: paths(parents)[q, k] & (k <= q)
        ),
    },
)


@puzzle(11, "a tree of guesses", budget=7, part=TABLES, picture=TREE.picture)
def tree_of_guesses(answer: Answer) -> str:
    """``answer(parents)`` returns the mask (n, n): each node sees itself and the path to its root.

    Miao et al. 2023, arXiv:2305.09781: several continuations of a text are checked in one call.
    """
    TREE.judge(answer)
    return "The 7 nodes of two guesses at each step have 17 pairs, where a causal mask has 28."


def rows_columns(q: Tensor, k: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """How far key and query are apart, in rows and in columns."""
    return k // width - q // width, k % width - q % width


def around(q: Tensor, k: Tensor, height: int, width: int) -> Tensor:
    down, right = rows_columns(q, k, width)
    return (down.abs() <= 1) & (right.abs() <= 1)


def moved_inside(q: Tensor, k: Tensor, height: int, width: int) -> Tensor:
    row = (q // width).clamp(1, height - 2)
    column = (q % width).clamp(1, width - 2)
    return ((k // width - row).abs() <= 1) & ((k % width - column).abs() <= 1)


def wrapped_ends(q: Tensor, k: Tensor, height: int, width: int) -> Tensor:
    steps = [a * width + b for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return torch.isin(k - q, torch.tensor(steps))


def torus(q: Tensor, k: Tensor, height: int, width: int) -> Tensor:
    down, right = rows_columns(q, k, width)
    return torch.isin(down % height, torch.tensor([0, 1, height - 1])) & torch.isin(
        right % width, torch.tensor([0, 1, width - 1])
    )


def cross(q: Tensor, k: Tensor, height: int, width: int) -> Tensor:
    down, right = rows_columns(q, k, width)
    return down.abs() + right.abs() <= 1


def grids(*sizes: tuple[int, int]) -> list:
    return [(h * w, {"height": h, "width": w}) for h, w in sizes]


GRID = Masks(
    around,
    grids((3, 4), (1, 1), (1, 5), (4, 2), (8, 8), (5, 7)),
    {
        "the last cell of a row and the first of the next are no neighbours: compare rows and "
        "columns, not flat positions": wrapped_ends,
        "the corners are missing: a neighbour is at most one row and at most one column away": (
            cross
        ),
        "the position is divided by the height; a row is `width` long": (
            lambda q, k, height, width: around(q, k, width, height)
        ),
        "a cell does not see itself here; it is the middle of its neighbourhood": (
            lambda q, k, height, width: around(q, k, height, width) & (q != k)
        ),
        "the edges are joined (%); a cell at the edge has fewer neighbours": torus,
        "the two are joined by or: a neighbour is near in its row and in its column": (
            lambda q, k, height, width: (
                (rows_columns(q, k, width)[0].abs() <= 1)
                | (rows_columns(q, k, width)[1].abs() <= 1)
            )
        ),
        "later cells are hidden; a grid has no order, so no causal mask": (
            lambda q, k, height, width: around(q, k, height, width) & (k <= q)
        ),
    },
)


@puzzle(12, "neighbours on a grid", budget=3, part=TABLES, picture=GRID.picture)
def grid_neighbours(answer: Answer) -> str:
    """``answer(height, width)`` returns the rule: the 3 × 3 cells around the query, on a grid."""
    GRID.judge(answer)
    return "On a grid of 8 × 8 that is 484 of 4096 pairs; cells at the edge have fewer neighbours."


EDGE = Masks(
    moved_inside,
    grids((3, 4), (3, 3), (5, 3), (8, 8), (4, 9)),
    {
        "the 3 × 3 cells are not moved at the edge: there a query sees fewer than 9": around,
        "the edges are joined (%); the 3 × 3 cells shall move inside instead": torus,
        "height and width are swapped: a row is `width` long": (
            lambda q, k, height, width: moved_inside(q, k, width, height)
        ),
        "only rows are moved at the edge; columns have an edge as well": (
            lambda q, k, height, width: (
                ((k // width - (q // width).clamp(1, height - 2)).abs() <= 1)
                & (rows_columns(q, k, width)[1].abs() <= 1)
            )
        ),
        "only columns are moved at the edge; rows have an edge as well": (
            lambda q, k, height, width: (
                ((k % width - (q % width).clamp(1, width - 2)).abs() <= 1)
                & (rows_columns(q, k, width)[0].abs() <= 1)
            )
        ),
        "the key is moved inside as well; only the middle of the 3 × 3 cells is moved, and the key "
        "stays where it is": (
            lambda q, k, height, width: (
                (((k // width).clamp(1, height - 2) - (q // width).clamp(1, height - 2)).abs() <= 1)
                & (((k % width).clamp(1, width - 2) - (q % width).clamp(1, width - 2)).abs() <= 1)
            )
        ),
    },
)


@puzzle(13, "nine at the edge, too", budget=5, part=TABLES, picture=EDGE.picture)
def grid_at_the_edge(answer: Answer) -> str:
    """``answer(height, width)``: as before, and the 3 × 3 cells move inside at the edge.

    Hassani et al. 2023, arXiv:2204.07143: neighbourhood attention.
    """
    EDGE.judge(answer)
    return "Now each of the 64 cells of 8 × 8 sees nine: 576 pairs."
