"""The oracle of connected components: union-find in plain Python, over any ids."""

from __future__ import annotations

from collections.abc import Iterable


def union_find(edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The component of every id that an edge names, as the lowest id in it."""
    parent: dict[int, int] = {}

    def top(one: int) -> int:
        parent.setdefault(one, one)
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one, other in edges:
        low, high = sorted((top(one), top(other)))
        parent[high] = low
    return {one: top(one) for one in parent}


def members(labels: dict[int, int]) -> set[frozenset[int]]:
    """The sets of ids that share a label, whatever the labels are."""
    found: dict[int, set[int]] = {}
    for one, label in labels.items():
        found.setdefault(label, set()).add(one)
    return {frozenset(ids) for ids in found.values()}
