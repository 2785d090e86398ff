"""A catalogue of graphs for the engines of connected components, each in ids of its own, so that all fit in one frame."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

Edges = list[tuple[int, int]]

SEED = 20_261_121
HUGE = 2**61
ROOM = 10_000
"""Ids per graph."""


def _clique(first: int, size: int) -> Edges:
    return list(itertools.combinations(range(first, first + size), 2))


def _random(seed: int, first: int) -> Edges:
    draw = random.Random(seed)
    size = draw.randint(1, 40)
    return [(first + draw.randrange(size), first + draw.randrange(size)) for _ in range(draw.randint(1, 45))]


SHAPES: dict[str, Edges] = {
    "single edge": [(10_000, 10_001)],
    "two isolated pairs": [(20_000, 20_001), (20_002, 20_003)],
    "chain of 500": [(first, first + 1) for first in range(30_000, 30_499)],
    "chain of 500 with its ids shuffled": list(
        itertools.pairwise(random.Random(SEED).sample(range(40_000, 40_500), k=500))
    ),
    "star with the lowest in the middle": [(50_000, leaf) for leaf in range(50_001, 50_301)],
    "star with the highest in the middle": [(60_300, leaf) for leaf in range(60_000, 60_300)],
    "two cliques": _clique(70_000, 8) + _clique(70_100, 8),
    "two cliques with a bridge": _clique(80_000, 8) + _clique(80_100, 8) + [(80_107, 80_003)],
    "ring": [(90_000 + step, 90_000 + (step + 1) % 50) for step in range(50)],
    "huge ids": [(HUGE + 5, HUGE + 1), (HUGE + 1, HUGE + 9), (2**63 - 1, 2**63 - 2), (HUGE - 3, HUGE - 1)],
    "negative ids": [(-5, -HUGE), (-(2**63), -(2**63) + 1), (-HUGE, -7), (-20, -21)],
    "ids on both sides of nought": [(-1, 1), (1, 0), (-2, 3)],
    "mixed direction": [(100_005, 100_003), (100_003, 100_001), (100_000, 100_004), (100_004, 100_002)],
    "duplicates in both directions": [(110_000, 110_001), (110_001, 110_000), (110_001, 110_002)] * 40,
    "self-loops beside edges": [(120_000, 120_000), (120_001, 120_001), (120_001, 120_002)],
    "self-loop alone": [(130_000, 130_000)],
}
"""By name; 'empty' has no edges to be told apart by, and is asked for alone."""

RANDOM: dict[int, Edges] = {seed: _random(seed, 1_000_000 + seed * ROOM) for seed in range(60)}
"""Sparse random graphs by seed: many small components, loops and repeats among them."""


def folded(graphs: Iterable[Edges]) -> Edges:
    """All edges in one shuffled list."""
    edges = list(itertools.chain.from_iterable(graphs))
    random.Random(SEED).shuffle(edges)
    return edges


def everything() -> Edges:
    """The whole catalogue and all random graphs."""
    return folded([*SHAPES.values(), *RANDOM.values()])


def restricted(labels: dict[int, int], edges: Edges) -> dict[int, int]:
    """Labels of the ids that a graph of the catalogue names; an id without a label is missed."""
    return {one: labels[one] for one in {end for edge in edges for end in edge} if one in labels}
