"""Hulls and arrows."""

import torch

from attention_lab.pictures.geometry import convex_hull, reachable


def test_convex_hull():
    square = torch.tensor([[0.0, 0], [2, 0], [2, 2], [0, 2], [1, 1]])
    assert sorted(convex_hull(square)) == [0, 1, 2, 3]
    assert sorted(convex_hull(square[:2])) == [0, 1]
    on_a_line = torch.tensor([[0.0, 0], [1, 1], [2, 2]])
    assert sorted(convex_hull(on_a_line)) == [0, 2]


def test_reachable():
    draft = [("a", "b"), ("b", "end"), ("a", "x"), ("x", "y")]
    assert reachable(draft, "x") == {"x", "y"}
    assert reachable(draft, "a") == {"a", "b", "end", "x", "y"}
    assert reachable([("a", "b"), ("b", "a")], "a") == {"a", "b"}
