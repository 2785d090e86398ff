"""Clusters that stand already, through the guard: what is parted, what is left, and what holds whatever comes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.nominals.cluster_guard import guard_clusters, outvoted
from linkage_spark.nominals.guard import Conflict, Cut
from linkage_spark.tables.enums import CutReason
from tests.support.examples import examples
from tests.support.union_find import union_find

Weights = Mapping[tuple[int, int], int]


def codes(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def guarded(
    labels: list[int], weights: Weights, *conflicts: tuple[int, int], most: int = 100
) -> tuple[list[int], tuple[Cut, ...]]:
    found, cuts, whole = guard_clusters(
        codes(labels),
        codes([left for left, _ in weights]),
        codes([right for _, right in weights]),
        codes(list(weights.values())),
        [Conflict(left, right, CutReason.DATES_CONTRADICT) for left, right in conflicts],
        max_records=most,
    )
    assert not whole.size
    return found.tolist(), cuts


def test_two_records_that_contradict_each_other_part_at_the_weaker_pair_and_the_cut_names_both() -> None:
    labels, cuts = guarded([0, 0, 0, 3, 3], {(0, 1): 9_000, (1, 2): 4_000, (3, 4): 5_000}, (0, 2))
    assert labels == [0, 0, 2, 3, 3]
    assert cuts == (Cut(1, 2, 4_000, CutReason.DATES_CONTRADICT, 0, 2),)


def test_a_cluster_of_too_many_records_keeps_its_strongest_pairs_and_the_cut_names_nobody() -> None:
    labels, cuts = guarded([0, 0, 0], {(0, 1): 4_000, (1, 2): 9_000}, most=2)
    assert labels == [0, 1, 1]
    assert cuts == (Cut(0, 1, 4_000, CutReason.TOO_LARGE, None, None),)


def test_a_cluster_with_nothing_against_it_stays_whatever_holds_it() -> None:
    chain = {(place, place + 1): 1 for place in range(30)}
    assert guarded([0] * 31, chain) == ([0] * 31, ())


def test_clusters_that_hold_too_many_pairs_are_left_as_they_are_and_named() -> None:
    chain = {(place, place + 1): 1 for place in range(4)}
    labels, pairs, against = (
        codes([0] * 5 + [5] * 3),
        [*chain, (5, 6), (6, 7)],
        [Conflict(5, 7, CutReason.TWIN_PATTERN)],
    )
    found, cuts, whole = guard_clusters(
        labels,
        codes([one for one, _ in pairs]),
        codes([other for _, other in pairs]),
        codes([9] * 6),
        against,
        max_records=4,
        most_pairs=5,
    )
    assert found.tolist() == [0] * 5 + [5, 5, 7]
    assert [(cut.left, cut.right) for cut in cuts] == [(6, 7)]
    assert whole.tolist() == [0]


def test_what_lies_between_two_clusters_is_no_matter_of_the_guard() -> None:
    assert guarded([0, 0, 2, 2], {(0, 1): 5, (1, 2): 9, (2, 3): 5}, (0, 3)) == ([0, 0, 2, 2], ())


def test_the_lowest_record_of_each_part_names_it() -> None:
    weights = {(0, 3): 9_000, (1, 2): 8_000, (2, 3): 1_000}
    assert guarded([0] * 4, weights, (0, 1))[0] == [0, 1, 1, 0]


def let_be(labels: list[int], agreeing: list[tuple[int, int]], against: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The conflicts that are outvoted."""
    conflicts = [Conflict(left, right, CutReason.DATES_CONTRADICT) for left, right in against]
    ends = codes([one for one, _ in agreeing]), codes([other for _, other in agreeing])
    return [(conflict.left, conflict.right) for conflict in outvoted(codes(labels), *ends, conflicts)]


def test_a_conflict_is_outvoted_where_both_records_have_more_pairs_for_them_than_against() -> None:
    everyone = [0] * 4
    assert let_be(everyone, [(0, 1), (0, 2), (1, 3), (2, 3)], [(0, 3)]) == [(0, 3)]
    assert let_be(everyone, [(0, 1), (0, 2), (1, 3)], [(0, 3)]) == [], "3 has one for it and one against it"
    assert let_be(everyone, [(0, 1), (0, 2), (1, 3), (2, 3)], []) == []
    assert let_be([0, 0, 2, 2], [(0, 1), (0, 2), (1, 3), (2, 3)], [(0, 3)]) == [], "no conflict of one cluster"


def test_pairs_with_another_cluster_speak_for_nobody() -> None:
    assert let_be([0, 0, 2, 2], [(0, 2), (0, 3), (1, 2), (1, 3)], [(0, 1)]) == []


@given(st.integers(1, 6), st.integers(1, 6))
def test_two_persons_in_one_cluster_are_never_outvoted_however_many_records_they_have(one: int, other: int) -> None:
    first, second = range(one), range(one, one + other)
    own = [*itertools.combinations(first, 2), *itertools.combinations(second, 2)]
    assert let_be([0] * (one + other), own, list(itertools.product(first, second))) == []


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[int], dict[tuple[int, int], int], list[tuple[int, int]], int]:
    """Labels of connected clusters, accepted pairs (some between clusters), conflicts and a limit."""
    records = draw(st.integers(1, 14))
    pairs = list(itertools.combinations(range(records), 2))
    some = st.lists(st.sampled_from(pairs), unique=True, max_size=25) if pairs else st.just([])
    inside = draw(some)
    roots = union_find(inside)
    labels = [roots.get(record, record) for record in range(records)]
    weights = {pair: draw(st.integers(0, 9)) * 1_000 for pair in {*inside, *draw(some)}}
    return labels, weights, draw(some), draw(st.integers(1, 15))


@settings(max_examples=examples(300), deadline=None)
@given(worlds(), st.integers(0, 2**32))
def test_whatever_the_clusters_no_conflict_stands_nothing_is_joined_and_every_cut_lies_between_two(
    world: tuple[list[int], dict[tuple[int, int], int], list[tuple[int, int]], int], seed: int
) -> None:
    labels, weights, conflicts, most = world
    found, cuts = guarded(labels, weights, *conflicts, most=most)
    assert all(found[label] == label <= record for record, label in enumerate(found))
    assert all(labels[record] == labels[label] for record, label in enumerate(found)), "joined across clusters"
    assert all(found[left] != found[right] for left, right in conflicts)
    assert max(found.count(label) for label in found) <= most
    parted = {pair for pair in weights if labels[pair[0]] == labels[pair[1]] and found[pair[0]] != found[pair[1]]}
    assert {(cut.left, cut.right) for cut in cuts} == parted
    inner = union_find(pair for pair in weights if found[pair[0]] == found[pair[1]])
    assert [inner.get(record, record) for record in range(len(found))] == found, "a cluster hangs together"
    shuffled = random.Random(seed)
    again = dict(shuffled.sample(list(weights.items()), len(weights)))
    assert guarded(labels, again, *shuffled.sample(conflicts, len(conflicts)), most=most) == (found, cuts)
