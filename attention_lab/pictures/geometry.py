"""What is known of points and of arrows: the convex hull, what lies in it, what can be reached."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

__all__ = ["convex_hull", "is_inside", "reachable"]


def convex_hull(points: Tensor) -> list[int]:
    """Return the indices of the corners of the convex hull, counter-clockwise.

    Andrew's monotone chain (1979).

    Parameters
    ----------
    points : Tensor, shape (n, 2)
    """
    at = points.tolist()
    order = sorted(range(len(at)), key=lambda index: at[index])
    if len(order) < 3:
        return order

    def half(indices: Sequence[int]) -> list[int]:
        chain: list[int] = []
        for index in indices:
            while len(chain) > 1 and _turn(at[chain[-2]], at[chain[-1]], at[index]) <= 0:
                chain.pop()
            chain.append(index)
        return chain[:-1]

    return half(order) + half(order[::-1])


def _turn(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def is_inside(point: Tensor, values: Tensor) -> bool:
    """Tell whether a point lies in the convex hull, its edge included, but for rounding.

    Parameters
    ----------
    point : Tensor, shape (2,)
    values : Tensor, shape (n, 2)
    """
    corners = values[convex_hull(values)].double()
    point = point.double()
    slack = 1e-5 * (1 + float(values.abs().max()))
    sides = torch.roll(corners, -1, dims=0) - corners  # from each corner to the next
    to_point = point - corners
    if len(corners) > 2:
        turns = sides[:, 0] * to_point[:, 1] - sides[:, 1] * to_point[:, 0]
        return bool((turns >= -slack * sides.norm(dim=1)).all())
    along = (to_point[0] @ sides[0] / (sides[0] @ sides[0]).clamp(min=1e-30)).clamp(0, 1)
    return bool((corners[0] + along * sides[0] - point).norm() <= slack)


def reachable(edges: Collection[tuple[str, str]], start: str) -> set[str]:
    """Return the nodes that can be reached from ``start`` along the edges, itself included."""
    found, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        following = {to for came_from, to in edges if came_from == node} - found
        found |= following
        waiting += following
    return found
