"""Counts of scored pairs and clusters against a truth, from frames to figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from linkage_spark.evaluation.cluster_figures import cluster_figures, cluster_sizes, count_cells, count_cluster_sizes
from linkage_spark.evaluation.pair_counts import (
    count_by_threshold,
    count_outside_truth,
    count_true_candidates,
    count_truth,
    count_truth_faults,
    count_unread_refs,
    mark_pairs,
    truth_faults,
    truth_warnings,
)
from linkage_spark.evaluation.pair_figures import PROBABILITY_EDGES, pair_figures, scored_figures
from linkage_spark.kit.frames import local_frame

PAIR_SCHEMA = "ref_l string, ref_r string, match_weight double, match_probability double, linked boolean, note string"
LINK_SCHEMA, DEDUPE_SCHEMA = "ref_l string, ref_r string", "ref string, entity string"

LINK_TRUTH = [
    ("a1", "b1"),
    ("a2", "b2"),
    ("a2", "b3"),
    ("a3", "b9"),
    ("a2", "b2"),
    (" a4 ", "b4"),
    ("a5", None),
    ("", "b5"),
]
"""Five true pairs: one row stands twice, two rows lack a value, one has outer blanks."""

DEDUPE_TRUTH = [("r1", "p"), ("r2", "p"), ("r3", "p"), ("r4", "q"), ("r5", "q"), ("r6", "s"), ("r7", None)]
"""3 + 1 true pairs; r7 has no label."""


def pairs(spark: SparkSession, rows: Sequence[tuple[str, str, float]]) -> DataFrame:
    """Pairs by weight in bits, linked at 0."""
    made = [(one, other, bits, 1 / (1 + 2**-bits), bits >= 0, "n") for one, other, bits in rows]
    return local_frame(spark, made, PAIR_SCHEMA)


def one(frame: DataFrame) -> dict[str, Any]:
    rows = [row.asDict() for row in frame.collect()]
    assert len(rows) == 1
    return rows[0]


def marks(frame: DataFrame) -> Mapping[tuple[str, str], bool | None]:
    return {(row["ref_l"], row["ref_r"]): row["is_true"] for row in frame.collect()}


def test_link_pairs_are_true_when_listed_and_false_otherwise(spark: SparkSession) -> None:
    scored = pairs(
        spark, [("a1", "b1", 3.0), ("a1", "b2", 1.0), ("a4", "b4", 1.0), ("a9", "b8", 1.0), ("a5", "b5", 0.0)]
    )
    marked = mark_pairs(scored, local_frame(spark, LINK_TRUTH, LINK_SCHEMA), "link")
    assert marked.columns == [*scored.columns, "is_true"]
    assert marks(marked) == {
        ("a1", "b1"): True,
        ("a1", "b2"): False,
        ("a4", "b4"): True,
        ("a9", "b8"): False,
        ("a5", "b5"): False,
    }


def test_dedupe_pairs_are_true_within_an_entity_and_unlabelled_where_a_record_is_unknown(spark: SparkSession) -> None:
    scored = pairs(
        spark, [("r1", "r2", 3.0), ("r3", "r1", 1.0), ("r3", "r4", 1.0), ("r6", "r7", 1.0), ("r1", "x", 1.0)]
    )
    marked = mark_pairs(scored, local_frame(spark, DEDUPE_TRUTH, DEDUPE_SCHEMA), "dedupe")
    assert marked.columns == [*scored.columns, "is_true"]
    assert marks(marked) == {
        ("r1", "r2"): True,
        ("r3", "r1"): True,
        ("r3", "r4"): False,
        ("r6", "r7"): None,
        ("r1", "x"): None,
    }


def test_true_pairs_are_counted_with_and_without_the_records_that_were_read(spark: SparkSession) -> None:
    link = local_frame(spark, LINK_TRUTH, LINK_SCHEMA)
    left = local_frame(spark, [("a1",), ("a2",), ("a3",)], "ref string")
    right = local_frame(spark, [("b1",), ("b2",), ("b3",), ("b4",)], "ref string")
    assert one(count_truth(link, "link", left=left, right=right)) == {"true_pairs": 5, "true_pairs_read": 3}
    assert one(count_truth(link, "link")) == {"true_pairs": 5, "true_pairs_read": None}
    dedupe = local_frame(spark, DEDUPE_TRUTH, DEDUPE_SCHEMA)
    read = local_frame(spark, [("r1",), ("r2",), ("r4",)], "ref string")
    assert one(count_truth(dedupe, "dedupe", left=read)) == {"true_pairs": 4, "true_pairs_read": 1}
    nothing = local_frame(spark, [], DEDUPE_SCHEMA)
    assert one(count_truth(nothing, "dedupe", left=read)) == {"true_pairs": 0, "true_pairs_read": 0}


def test_a_large_entity_is_counted_and_never_enumerated(spark: SparkSession) -> None:
    truth = spark.range(200_000).selectExpr("cast(id as string) as ref", "'p' as entity")
    assert one(count_truth(truth, "dedupe"))["true_pairs"] == 200_000 * 199_999 // 2


def test_true_candidates_count_once_however_often_and_which_way_they_are_proposed(spark: SparkSession) -> None:
    truth = local_frame(spark, DEDUPE_TRUTH, DEDUPE_SCHEMA)
    proposed = [("r1", "r2"), ("r2", "r1"), ("r1", "r2"), ("r4", "r5"), ("r1", "r4"), ("r6", "r7")]
    candidates = local_frame(spark, proposed, LINK_SCHEMA)
    assert one(count_true_candidates(candidates, truth, "dedupe")) == {"true_candidates": 2}
    link = local_frame(spark, LINK_TRUTH, LINK_SCHEMA)
    candidates = local_frame(spark, [("a1", "b1"), ("a1", "b1"), ("b2", "a2")], LINK_SCHEMA)
    assert one(count_true_candidates(candidates, link, "link")) == {"true_candidates": 1}


def test_a_truth_that_contradicts_itself_or_holds_nothing_is_told(spark: SparkSession) -> None:
    truth = local_frame(spark, [*DEDUPE_TRUTH, ("r1", "q"), ("r1", "p")], DEDUPE_SCHEMA)
    row = one(count_truth_faults(truth, "dedupe"))
    assert row == {"rows": 9, "incomplete": 1, "contradicting": 1}
    assert truth_faults(row, "T.csv") == ["T.csv: 1 refs stand under more than one entity; keep one each"]
    row = one(count_truth_faults(local_frame(spark, LINK_TRUTH, LINK_SCHEMA), "link"))
    assert row == {"rows": 8, "incomplete": 2, "contradicting": 0}
    assert truth_faults(row, "T.csv") == []
    row = one(count_truth_faults(local_frame(spark, [], LINK_SCHEMA), "link"))
    assert truth_faults(row, "T.csv") == ["T.csv holds no rows; leave --truth out, or give the true pairs"]
    assert "none of its 5 true pairs" in truth_warnings({"true_pairs": 5, "true_pairs_read": 0}, "T.csv")[0]
    unread = {"left": {"refused": 2, "unknown": 0}, "right": {"refused": 0, "unknown": 1}}
    assert truth_warnings({"true_pairs": 5, "true_pairs_read": 3, "unread": unread}, "T.csv") == [
        "T.csv: 2 of its 5 true pairs lack a record that was read and count as missed (left: 2 of its refs were kept "
        "out, see refused.csv; right: 1 of its refs stand in no row of the file)"
    ]


def test_refs_of_a_truth_that_were_kept_out_and_refs_in_no_row_are_told_apart(spark: SparkSession) -> None:
    truth = local_frame(spark, LINK_TRUTH, LINK_SCHEMA)
    records = local_frame(spark, [("a1",), ("a4 ",), ("a9",)], "ref string")
    refused = local_frame(spark, [("a2",), (" a2",), (None,), ("a8",), ("a1",)], "ref string")
    counted = one(count_unread_refs(truth, "ref_l", records=records, refused=refused))
    assert counted == {"refused": 1, "unknown": 1}  # a2; a3. The row of a5 lacks its partner and says nothing.


def test_linked_pairs_that_a_truth_never_names_make_it_look_like_a_sample(spark: SparkSession) -> None:
    truth = local_frame(spark, LINK_TRUTH, LINK_SCHEMA)
    linked = local_frame(spark, [("a1", "b1"), ("a1", "x"), ("x", "b3"), ("x", "y"), ("z", "y")], LINK_SCHEMA)
    counted = one(count_outside_truth(linked, truth, "link"))
    assert counted == {"linked": 5, "outside": 2}
    assert truth_warnings({"true_pairs": 5, "true_pairs_read": 5, **counted}, "T.csv") == []
    said = truth_warnings({"true_pairs": 5, "true_pairs_read": 5, "linked": 50, "outside": 20}, "T.csv")
    assert len(said) == 1
    assert said[0].startswith(
        "T.csv: 20 of 50 linked pairs touch no record that it names, and count as false; if it is a"
    )
    assert truth_warnings({"true_pairs": 5, "true_pairs_read": 5, "linked": 90, "outside": 20}, "T.csv") == []
    labels = local_frame(spark, DEDUPE_TRUTH, DEDUPE_SCHEMA)
    assert one(count_outside_truth(linked, labels, "dedupe")) == {"linked": 5, "outside": 0}


def test_every_edge_falls_into_its_own_bin_and_what_lies_just_below_does_not(spark: SparkSession) -> None:
    made = []
    for place, edge in enumerate(PROBABILITY_EDGES):
        made.append((f"at{place}", "x", 0.0, edge, False, "n"))
        if place:
            made.append((f"below{place}", "x", 0.0, math.nextafter(edge, 0.0), False, "n"))
    made.append(("at_one", "x", 0.0, 1.0, False, "n"))
    counted = count_by_threshold(mark_pairs(local_frame(spark, made, PAIR_SCHEMA), None, "link")).collect()
    found = {row["probability_bin"]: row["pairs"] for row in counted}
    # Each bin: its own edge, and what lies just below the next; the last one: its edge and 1.
    assert found == dict.fromkeys(range(len(PROBABILITY_EDGES)), 2)


SCORED = [
    ("a1", "b1", 12.4),
    ("a2", "b2", 3.0),
    ("a2", "b9", 0.2),
    ("a4", "b4", -2.5),
    ("a7", "b7", -2.5),
]


def figures(spark: SparkSession, scored: DataFrame) -> tuple[Any, Any]:
    truth = local_frame(spark, LINK_TRUTH, LINK_SCHEMA)
    counted: list[Row] = count_by_threshold(mark_pairs(scored, truth, "link")).collect()
    total = one(count_truth(truth, "link"))["true_pairs"]
    candidates = local_frame(spark, [(a, b) for a, b, _ in SCORED] + [("a2", "b3")], LINK_SCHEMA)
    true_candidates = one(count_true_candidates(candidates, truth, "link"))["true_candidates"]
    return scored_figures(counted), pair_figures(counted, true_pairs=total, true_candidates=true_candidates)


def test_figures_from_frames_equal_those_by_hand(spark: SparkSession) -> None:
    scored, found = figures(spark, pairs(spark, SCORED))
    assert (found["default"]["linked"], found["default"]["true_linked"], found["true_pairs"]) == (3, 2, 5)
    loss = found["loss"]
    assert [loss["lost_by_blocking"], loss["lost_by_floor"], loss["lost_by_decision"]] == [1, 1, 1]
    assert [(one["at_least_bits"], one["pairs"]) for one in scored["by_weight"]] == [(-3, 2), (0, 1), (3, 1), (12, 1)]
    expected = sum(1 / (1 + 2**-bits) for _, _, bits in SCORED)
    assert scored["expected_matches"] == pytest.approx(expected, abs=1e-6)


def test_order_of_rows_and_partitions_change_no_figure(spark: SparkSession) -> None:
    assert figures(spark, pairs(spark, SCORED)) == figures(spark, pairs(spark, SCORED[::-1]).repartition(3))


def test_clusters_against_entities_with_records_unlabelled_and_missing(spark: SparkSession) -> None:
    placed = [("r1", "c1"), ("r2", "c1"), ("r4", "c1"), ("r5", "c2"), ("r6", "c3"), ("r7", "c3"), ("x", "c4")]
    members = local_frame(spark, placed, "ref string, cluster_id string")
    truth = local_frame(spark, DEDUPE_TRUTH, DEDUPE_SCHEMA)
    found = cluster_figures([row.asDict() for row in count_cells(members, truth).collect()])
    # r3 stands in no cluster and counts as alone; r7 and x have no label.
    assert (found["records"], found["missing_records"], found["unlabelled_records"]) == (6, 1, 2)
    assert (found["clusters"], found["entities"]) == (4, 3)
    assert (found["pairwise_precision"]["numerator"], found["pairwise_precision"]["denominator"]) == (1, 3)
    assert (found["pairwise_recall"]["numerator"], found["pairwise_recall"]["denominator"]) == (1, 4)
    assert found["b_cubed_precision"] == round((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 + 1) / 6, 6)
    assert found["b_cubed_recall"] == round((2 / 3 + 2 / 3 + 1 / 2 + 1 / 2 + 1 + 1 / 3) / 6, 6)
    assert (found["records_wrongly_joined"], found["entities_split"]) == (3, 2)
    sizes = cluster_sizes([row.asDict() for row in count_cluster_sizes(members).collect()])
    assert (sizes["clusters"], sizes["largest_cluster"], sizes["clusters_of_one"]) == (4, 3, 2)
