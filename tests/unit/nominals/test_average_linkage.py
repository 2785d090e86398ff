"""Average linkage against an oracle that looks at every two clusters anew after each step."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from linkage_spark.nominals.average_linkage import CLIP_BITS, UNSCORED_BITS, average_linkage

Pairs = dict[tuple[int, int], float]


def oracle(pairs: Pairs, vertices: int) -> list[int]:
    """Clusters as sets; every mean from all member pairs."""
    units = {pair: round(min(max(bits, CLIP_BITS[0]), CLIP_BITS[1]) * 1000) for pair, bits in pairs.items()}
    clusters = [[vertex] for vertex in range(vertices)]

    def mean(one: list[int], other: list[int]) -> float:
        between = [units.get((min(a, b), max(a, b)), int(UNSCORED_BITS * 1000)) for a in one for b in other]
        return sum(between) / len(between)

    while True:
        offers = [(-mean(one, other), one[0], other[0]) for one, other in itertools.combinations(clusters, 2)]
        best = min(offers, default=(0.0, 0, 0))
        if best[0] >= 0:
            break
        one, other = (next(c for c in clusters if c[0] == label) for label in best[1:])
        clusters = sorted([c for c in clusters if c not in (one, other)] + [sorted(one + other)])
    labels = [0] * vertices
    for members in clusters:
        for vertex in members:
            labels[vertex] = members[0]
    return labels


def found(pairs: Pairs, vertices: int) -> list[int]:
    ends = list(pairs)
    labels = average_linkage([a for a, _ in ends], [b for _, b in ends], list(pairs.values()), vertices)
    assert labels.dtype == np.int64
    return [int(label) for label in labels]


def clique(members: range, bits: float) -> Pairs:
    return dict.fromkeys(itertools.combinations(members, 2), bits)


SHAPES: dict[str, tuple[int, Pairs, list[int]]] = {
    "empty": (0, {}, []),
    "isolated": (3, {}, [0, 1, 2]),
    "one_pair": (3, {(1, 2): 0.5}, [0, 1, 1]),
    "even_odds_join_nobody": (2, {(0, 1): 0.0}, [0, 1]),
    "a_negative_pair": (2, {(0, 1): -1.0}, [0, 1]),
    # The third of a chain: (4 - 3) / 2 above 0 joins, (2 - 3) / 2 below 0 does not.
    "a_strong_chain": (3, {(0, 1): 6.0, (1, 2): 4.0}, [0, 0, 0]),
    "a_weak_chain": (3, {(0, 1): 6.0, (1, 2): 2.0}, [0, 0, 2]),
    "two_cliques_and_a_bridge": (6, clique(range(3), 5) | clique(range(3, 6), 5) | {(2, 3): 4.5}, [0, 0, 0, 3, 3, 3]),
    # A pair that speaks against counts -6, one that was not compared -3.
    "a_contradiction": (3, {(0, 1): 7.0, (1, 2): 5.0, (0, 2): -9.0}, [0, 0, 2]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_by_hand(shape: str) -> None:
    vertices, pairs, expected = SHAPES[shape]
    assert found(pairs, vertices) == expected == oracle(pairs, vertices)


def test_no_pair_counts_more_than_the_clip() -> None:
    # Vertex 5 and the five others: (90 - 4 x 6) / 5 would join, (8 - 4 x 6) / 5 does not.
    pairs: Pairs = {(0, 1): 8.0, **{(vertex, 5): -6.0 for vertex in range(1, 5)}, (0, 5): 90.0}
    pairs |= clique(range(5), 8.0)
    assert found(pairs, 6) == oracle(pairs, 6) == [0, 0, 0, 0, 0, 5]


@pytest.mark.parametrize("seed", range(60))
def test_random_pairs_equal_the_oracle_in_any_order_and_direction(seed: int) -> None:
    draw = random.Random(seed)
    vertices = draw.randint(2, 14)
    every = list(itertools.combinations(range(vertices), 2))
    chosen = draw.sample(every, draw.randint(0, len(every)))
    # Coarse weights, so that equal means occur.
    pairs = {pair: draw.choice((-7.0, -2.0, -0.5, 0.0, 1.0, 2.0, 3.0, 5.5, 12.0)) for pair in chosen}
    expected = oracle(pairs, vertices)
    assert found(pairs, vertices) == expected, f"seed {seed}"
    shuffled = draw.sample(chosen, len(chosen))
    turned = [draw.choice(((a, b), (b, a))) for a, b in shuffled]
    labels = average_linkage(
        [a for a, _ in turned], [b for _, b in turned], [pairs[pair] for pair in shuffled], vertices
    )
    assert [int(label) for label in labels] == expected, f"seed {seed}"


def test_many_persons_with_many_records_are_kept_apart() -> None:
    draw = random.Random(3)
    persons, each = 2_000, 6
    pairs: Pairs = {}
    for person in range(persons):
        pairs |= clique(range(person * each, (person + 1) * each), 6.0)
    for _ in range(20_000):
        one, other = sorted(draw.sample(range(persons * each), 2))
        pairs.setdefault((one, other), draw.choice((-2.0, 1.0, 3.0)))
    assert found(pairs, persons * each) == [vertex // each * each for vertex in range(persons * each)]


@pytest.mark.parametrize(
    ("left", "right", "bits", "vertices", "said"),
    [
        ([0], [1], [1.0, 2.0], 2, "2 weights for 1 pairs"),
        ([0, 1], [1, 0], [1.0, 1.0], 2, "may stand once"),
        ([1], [1], [1.0], 2, "may stand once"),
        ([0], [5], [1.0], 2, "codes run from"),
    ],
)
def test_pairs_that_cannot_be_are_refused(
    left: list[int], right: list[int], bits: list[float], vertices: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        average_linkage(left, right, bits, vertices)
