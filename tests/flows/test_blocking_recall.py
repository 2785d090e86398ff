"""Distinct rule masks counted in Spark: pairs, true pairs, probability, and what null says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linkage_spark.evaluation.blocking_recall import count_masks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEMA = "ref_l string, ref_r string, rule_mask long, is_true boolean, match_probability double"
TOP = 1 << 61
PAIRS = [
    ("a", "b", 3, True, 0.5),
    ("a", "c", 3, None, 0.4999996),
    ("a", "d", 3, False, None),
    ("b", "c", 4, False, 0.25),
    ("b", "d", TOP, True, None),
]


def counted(pairs: DataFrame, *, truth_marked: bool) -> dict[int, dict[str, Any]]:
    rows = [row.asDict() for row in count_masks(pairs, truth_marked=truth_marked).collect()]
    assert len({row["rule_mask"] for row in rows}) == len(rows)
    return {row.pop("rule_mask"): row for row in rows}


def test_masks_are_counted_with_truth_and_probability_and_a_null_is_neither_true_nor_likely(
    spark: SparkSession,
) -> None:
    found = counted(spark.createDataFrame(PAIRS, schema=SCHEMA), truth_marked=True)
    names = ("pairs", "true_pairs", "unlabelled_pairs", "expected_millionths", "likely_pairs")
    assert {mask: tuple(row[name] for name in names) for mask, row in found.items()} == {
        # 0.4999996 is 500,000 millionths, and not likely.
        3: (3, 1, 1, 1_000_000, 1),
        4: (1, 0, 0, 250_000, 0),
        TOP: (1, 1, 0, 0, 0),
    }
    assert all(tuple(row) == names for row in found.values())


def test_without_truth_and_probability_pairs_alone_are_counted(spark: SparkSession) -> None:
    pairs = spark.createDataFrame(PAIRS, schema=SCHEMA).drop("is_true", "match_probability")
    assert counted(pairs, truth_marked=False) == {3: {"pairs": 3}, 4: {"pairs": 1}, TOP: {"pairs": 1}}


def test_rows_and_partitions_in_any_order_give_the_same_sums(spark: SparkSession) -> None:
    pairs = [(f"l{no}", f"r{no}", 1 + no % 3, no % 2 == 0, no / 997) for no in range(300)]
    frame = spark.createDataFrame(pairs, schema=SCHEMA)
    turned = spark.createDataFrame(pairs[::-1], schema=SCHEMA).repartition(7)
    assert counted(turned, truth_marked=True) == counted(frame, truth_marked=True)
