"""Clusters of one person file, from frames of pairs to members."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.kit.frames import local_frame
from linkage_spark.runs import file_clusters
from linkage_spark.runs.file_clusters import cluster
from linkage_spark.runs.progress import Progress

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Weights = dict[tuple[str, str], float]

GROUPS: Weights = {
    **dict.fromkeys(itertools.combinations(("a1", "a2", "a3"), 2), 6.0),
    **dict.fromkeys(itertools.combinations(("b1", "b2", "b3"), 2), 6.0),
}
BRIDGE: Weights = {("a3", "b1"): 5.0}
PAIR: Weights = {("c1", "c2"): 0.5}


def found(spark: SparkSession, weights: Weights, below: tuple[tuple[str, str], ...] = ()) -> tuple[Any, dict[str, Any]]:
    """Members by cluster and the summary; ``below`` are pairs that were compared and fell below the floor."""
    run: Any = SimpleNamespace(spark=spark, progress=Progress(), summary={"warnings": []})
    refs = sorted({ref for pair in weights for ref in pair} | {"z"})
    persons = local_frame(spark, [(ref,) for ref in refs], "person_ref string")
    candidates = local_frame(spark, [*weights, *below], "person_ref_l string, person_ref_r string")
    rows = [(*pair, bits, 1 / (1 + 2**-bits), "exact", "exact") for pair, bits in weights.items()]
    levels = "level_given string, level_date_of_birth string"
    schema = f"ref_l string, ref_r string, match_weight double, match_probability double, {levels}"
    decided = local_frame(spark, rows, schema)
    graph = cluster(run, persons, candidates, decided)
    members: dict[str, list[str]] = {}
    for row in graph.members(spark).orderBy("ref").collect():
        members.setdefault(row["cluster_id"], []).append(row["ref"])
    return members, run.summary


def test_one_strong_pair_does_not_join_two_groups_that_a_component_would(spark: SparkSession) -> None:
    members, summary = found(spark, {**GROUPS, **BRIDGE, **PAIR})
    assert members == {"a1": ["a1", "a2", "a3"], "b1": ["b1", "b2", "b3"], "c1": ["c1", "c2"], "z": ["z"]}
    assert (summary["clusters"]["largest_cluster"], summary["clusters"]["largest_component"]) == (3, 6)
    assert summary["warnings"] == []


def test_a_pair_below_the_floor_speaks_against_more_than_one_that_was_never_compared(spark: SparkSession) -> None:
    chain: Weights = {("a", "b"): 6.0, ("b", "c"): 5.0}
    assert found(spark, chain)[0] == {"a": ["a", "b", "c"], "z": ["z"]}  # (5 - 3) / 2
    assert found(spark, chain, below=(("a", "c"),))[0] == {"a": ["a", "b"], "c": ["c"], "z": ["z"]}  # (5 - 6) / 2


def test_components_that_are_too_large_are_cut_at_a_higher_probability_and_that_is_said(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_clusters, "MOST_PAIRS_INSIDE", 6)
    members, summary = found(
        spark, {**dict.fromkeys(GROUPS, 8.0), **BRIDGE}
    )  # 7 pairs inside; 5 bits are 0.97, 8 bits 0.996
    assert members == {"a1": ["a1", "a2", "a3"], "b1": ["b1", "b2", "b3"], "z": ["z"]}
    assert len(summary["warnings"]) == 1
    assert "components of pairs from a probability of 0.99 on" in summary["warnings"][0]
    assert summary["clusters"]["largest_component"] == 6


def test_a_file_without_any_linked_pair_has_a_cluster_per_record(spark: SparkSession) -> None:
    members, summary = found(spark, {("a", "b"): -4.0})
    assert members == {"a": ["a"], "b": ["b"], "z": ["z"]}
    assert summary["clusters"]["largest_component"] == 1
