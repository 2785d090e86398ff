from __future__ import annotations

import random

import numpy as np
import pytest

from linkage_spark.nominals.components import components
from tests.support import union_find as oracle

Edges = list[tuple[int, int]]


def clique(members: range) -> Edges:
    return [(one, other) for one in members for other in members if one < other]


CATALOGUE: dict[str, tuple[int, Edges, list[int]]] = {
    "empty": (0, [], []),
    "single": (1, [], [0]),
    "isolated": (4, [], [0, 1, 2, 3]),
    "one_edge": (3, [(1, 2)], [0, 1, 1]),
    "edge_against_the_order": (3, [(2, 0)], [0, 1, 0]),
    "chain": (5, [(0, 1), (1, 2), (2, 3), (3, 4)], [0] * 5),
    "chain_backwards": (5, [(4, 3), (3, 2), (2, 1), (1, 0)], [0] * 5),
    "star_with_the_highest_in_the_middle": (5, [(4, 0), (4, 1), (4, 2), (4, 3)], [0] * 5),
    "two_cliques": (6, clique(range(3)) + clique(range(3, 6)), [0, 0, 0, 3, 3, 3]),
    "two_cliques_and_a_bridge": (6, clique(range(3)) + clique(range(3, 6)) + [(2, 5)], [0] * 6),
    "ring": (4, [(0, 1), (1, 2), (2, 3), (3, 0)], [0] * 4),
    "duplicates": (3, [(0, 1)] * 256 + [(1, 0)] * 256, [0, 0, 2]),
    "self_loops": (3, [(0, 0), (1, 1), (1, 2)], [0, 1, 1]),
    "mixed_direction": (6, [(5, 3), (3, 1), (0, 4), (4, 2)], [0, 1, 0, 1, 0, 1]),
}


def union_find(edges: Edges, vertices: int) -> list[int]:
    """The oracle's labels of all vertices, those without an edge too."""
    labels = oracle.union_find(edges)
    return [labels.get(vertex, vertex) for vertex in range(vertices)]


def found(edges: Edges, vertices: int) -> list[int]:
    labels = components([one for one, _ in edges], [other for _, other in edges], vertices)
    assert labels.dtype == np.int64
    return [int(label) for label in labels]


@pytest.mark.parametrize("shape", CATALOGUE)
def test_labels_of_every_shape_are_the_lowest_codes(shape: str) -> None:
    vertices, edges, expected = CATALOGUE[shape]
    assert found(edges, vertices) == expected == union_find(edges, vertices)


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_equal_the_union_find_oracle_in_any_order_of_edges(seed: int) -> None:
    draw = random.Random(seed)
    vertices = draw.randint(1, 60)
    edges = [(draw.randrange(vertices), draw.randrange(vertices)) for _ in range(draw.randint(0, 70))]
    expected = union_find(edges, vertices)
    assert found(edges, vertices) == expected, f"seed {seed}"
    turned = [draw.choice(((one, other), (other, one))) for one, other in edges]
    draw.shuffle(turned)
    assert found(turned, vertices) == expected, f"seed {seed}"


def test_a_large_sparse_graph_equals_the_oracle() -> None:
    draw = random.Random(7)
    vertices = 20_000
    edges = [(draw.randrange(vertices), draw.randrange(vertices)) for _ in range(vertices)]
    assert found(edges, vertices) == union_find(edges, vertices)


@pytest.mark.parametrize(
    ("left", "right", "vertices", "said"),
    [([0], [3], 3, "right codes run from 3 to 3"), ([-1], [0], 3, "left codes run from -1"), ([0], [], 3, "unlike")],
)
def test_codes_that_name_no_vertex_are_refused(left: list[int], right: list[int], vertices: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        components(left, right, vertices)
