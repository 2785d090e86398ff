from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.cluster_figures import cluster_figures, cluster_sizes


def cells(placed: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """What ``count_cells`` tells of records placed as (cluster, entity)."""
    together = Counter(placed)
    of_cluster, of_entity = Counter(c for c, _ in placed), Counter(e for _, e in placed)
    alike = Counter((n, of_cluster[c], of_entity[e]) for (c, e), n in together.items())
    names = ("together", "of_cluster", "of_entity")
    return [{**dict(zip(names, key, strict=True)), "cells": number, "missing": False} for key, number in alike.items()]


# Entity 1: records in clusters 1, 1, 1, 2. Entity 2: 2, 2. Entity 3: 3. Entity 4: 4, 5.
PLACED = [(1, 1), (1, 1), (1, 1), (2, 1), (2, 2), (2, 2), (3, 3), (4, 4), (5, 4)]


def test_figures_of_a_small_world_worked_by_hand() -> None:
    found = cluster_figures(cells(PLACED))
    # Pairs in clusters: 3 + 3; of one entity: 3 + 1; true: 6 + 1 + 0 + 1.
    assert (found["pairwise_precision"]["numerator"], found["pairwise_precision"]["denominator"]) == (4, 6)
    assert (found["pairwise_recall"]["numerator"], found["pairwise_recall"]["denominator"]) == (4, 8)
    assert found["pairwise_f1"]["value"] == round(8 / 14, 6)
    # Precision: 3·1 + 1/3 + 2·2/3 + 1 + 1 + 1 over 9. Recall: 3·3/4 + 1/4 + 2·1 + 1 + 2·1/2 over 9.
    assert found["b_cubed_precision"] == round((3 + 1 / 3 + 4 / 3 + 3) / 9, 6)
    assert found["b_cubed_recall"] == round((9 / 4 + 1 / 4 + 2 + 1 + 1) / 9, 6)
    assert (found["records"], found["entities"], found["clusters"]) == (9, 4, 5)
    assert (found["clusters_of_more_than_one_entity"], found["records_wrongly_joined"]) == (1, 3)
    assert found["entities_split"] == 2


def test_perfect_clusters_have_every_share_at_one() -> None:
    found = cluster_figures(cells([(1, 1), (1, 1), (2, 2)]))
    assert found["b_cubed_f1"] == found["pairwise_f1"]["value"] == 1.0
    assert found["records_wrongly_joined"] == found["entities_split"] == 0


def test_everyone_alone_and_nobody_repeated_leaves_the_pairwise_shares_null() -> None:
    found = cluster_figures(cells([(1, 1), (2, 2)]))
    assert found["pairwise_precision"]["value"] is found["pairwise_recall"]["value"] is None
    assert found["pairwise_f1"]["value"] is None
    assert found["b_cubed_f1"] == 1.0


def test_no_labelled_record_gives_nulls() -> None:
    rows = [{"together": 5, "of_cluster": None, "of_entity": None, "cells": 1, "missing": False}]
    found = cluster_figures(rows)
    assert found["unlabelled_records"] == 5
    assert found["records"] == found["clusters"] == 0
    assert found["b_cubed_precision"] is found["b_cubed_f1"] is None
    json.dumps(found, allow_nan=False)


def test_records_in_no_cluster_are_counted_as_missing() -> None:
    rows = [{"together": 1, "of_cluster": 1, "of_entity": 2, "cells": 4, "missing": True}]
    assert cluster_figures(rows)["missing_records"] == 4


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=25))
def test_figures_equal_those_counted_pair_by_pair_and_record_by_record(placed: list[tuple[int, int]]) -> None:
    found = cluster_figures(cells(placed))
    pairs = list(combinations(placed, 2))
    joined = [pair for pair in pairs if pair[0][0] == pair[1][0]]
    true = [pair for pair in pairs if pair[0][1] == pair[1][1]]
    both = [pair for pair in joined if pair[0][1] == pair[1][1]]
    assert (found["pairwise_precision"]["numerator"], found["pairwise_precision"]["denominator"]) == (
        len(both) if joined else 0,
        len(joined),
    )
    assert found["pairwise_recall"]["denominator"] == len(true)
    shares = [
        (
            sum(one == other for other in placed),
            sum(one[0] == c for c, _ in placed),
            sum(one[1] == e for _, e in placed),
        )
        for one in placed
    ]
    assert found["b_cubed_precision"] == pytest.approx(sum(n / c for n, c, _ in shares) / len(placed), abs=1e-6)
    assert found["b_cubed_recall"] == pytest.approx(sum(n / e for n, _, e in shares) / len(placed), abs=1e-6)
    assert found["clusters"] == len({c for c, _ in placed})
    assert found["entities"] == len({e for _, e in placed})
    assert found["records_wrongly_joined"] == sum(n < c for n, c, _ in shares)
    homes = {entity: {c for c, e in placed if e == entity} for _, entity in placed}
    assert found["entities_split"] == sum(len(clusters) > 1 for clusters in homes.values())


def test_sizes_of_clusters() -> None:
    assert cluster_sizes([{"size": 1, "clusters": 4}, {"size": 3, "clusters": 2}]) == {
        "records": 10,
        "clusters": 6,
        "clusters_of_one": 4,
        "largest_cluster": 3,
        "pairs_together": 6,
    }
    assert cluster_sizes([])["largest_cluster"] == 0
