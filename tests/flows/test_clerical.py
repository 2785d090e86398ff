"""Strata and sample for clerical review as frames."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.evaluation.clerical import STRATUM_EDGES, Stratum, allocate, count_strata, draw_sample, stratum_of
from linkage_spark.kit.frames import local_frame

SCHEMA = "ref_l string, ref_r string, match_probability double, tier string, linked boolean, explanation string"
EDGES = [("a1", "b1", 0.0), ("a1", "b2", 0.0499999), ("a2", "b2", 0.05), ("a3", "b3", 0.5), ("a4", "b4", 0.999)]
MANY = [(f"a{no % 37}", f"b{no}", (no * 7919 % 1000) / 999) for no in range(400)]
"""Four hundred pairs with probabilities all over, none tied to its refs."""

UPPER, LOWER = Stratum(True, "match", 7), Stratum(False, "possible", 0)


def pairs(spark: SparkSession, rows: Sequence[tuple[str, str, float]]) -> DataFrame:
    made = [(one, other, p, "match" if p > 0.9 else "possible", p >= 0.5, "why") for one, other, p in rows]
    return local_frame(spark, made, SCHEMA)


def counted(frame: DataFrame, **options: Any) -> list[dict[str, Any]]:
    return sorted((row.asDict() for row in count_strata(frame, **options).collect()), key=stratum_of)


def drawn(frame: DataFrame, size: int, seed: str = "s") -> list[dict[str, Any]]:
    strata = counted(frame)
    sample = draw_sample(frame, allocate(strata, size), strata=strata, seed=seed)
    return sorted((row.asDict() for row in sample.collect()), key=lambda row: (row["ref_l"], row["ref_r"]))


def test_strata_are_counted_by_shown_tier_and_bin_and_probabilities_added_in_millionths(spark: SparkSession) -> None:
    assert [
        (*stratum_of(row), row["pairs"], row["probability_millionths"]) for row in counted(pairs(spark, EDGES))
    ] == [
        (False, "possible", 0, 2, 50_000),  # 0 and 0.0499999, which is rounded up
        (False, "possible", 1, 1, 50_000),
        (True, "match", 7, 1, 999_000),
        (True, "possible", 3, 1, 500_000),
    ]
    assert STRATUM_EDGES[3] == 0.5


def test_what_is_shown_may_be_said_by_a_column(spark: SparkSession) -> None:
    frame = pairs(spark, EDGES)
    assert {row["shown"] for row in counted(frame, shown=F.col("tier") == "match")} == {True, False}
    assert counted(frame, shown=F.col("linked")) == counted(frame)


def test_a_sample_has_the_numbers_of_the_allocation_and_the_first_pairs_by_hash(spark: SparkSession) -> None:
    frame = pairs(spark, MANY)
    strata = counted(frame)
    allocation = allocate(strata, 60)
    sample = drawn(frame, 60)
    assert list(sample[0]) == [*frame.columns, "shown", "probability_bin", "stratum", "stratum_pairs"]
    assert len(sample) == 60
    for row in strata:
        stratum = stratum_of(row)
        found = {(one["ref_l"], one["ref_r"]) for one in sample if stratum_of(one) == stratum}
        places = range(len(STRATUM_EDGES))
        of_stratum = [
            (one, other)
            for one, other, p in MANY
            if Stratum(p >= 0.5, "match" if p > 0.9 else "possible", max(k for k in places if p >= STRATUM_EDGES[k]))
            == stratum
        ]
        ranked = sorted(of_stratum, key=lambda pair: hashlib.sha256("\x1f".join(("s", *pair)).encode()).hexdigest())
        assert found == set(ranked[: allocation[stratum]])
        assert {one["stratum_pairs"] for one in sample if stratum_of(one) == stratum} == {len(of_stratum)}
        assert {one["stratum"] for one in sample if stratum_of(one) == stratum} == {stratum.name}


def test_row_order_and_partitions_change_neither_strata_nor_sample(spark: SparkSession) -> None:
    frame, moved = pairs(spark, MANY), pairs(spark, MANY[::-1]).repartition(5)
    assert counted(moved) == counted(frame)
    assert drawn(moved, 60) == drawn(frame.coalesce(1), 60)


def test_a_larger_sample_holds_the_smaller_and_another_seed_draws_others(spark: SparkSession) -> None:
    frame = pairs(spark, MANY)
    small, large, other = (
        {(row["ref_l"], row["ref_r"]) for row in drawn(frame, *how)} for how in ((40,), (90,), (40, "t"))
    )
    assert small < large
    assert small != other


def test_a_stratum_without_allocation_is_not_drawn(spark: SparkSession) -> None:
    frame = pairs(spark, EDGES)
    strata = counted(frame)
    assert [row["stratum"] for row in draw_sample(frame, {UPPER: 1}, strata=strata, seed="s").collect()] == [UPPER.name]
    assert draw_sample(frame, {}, strata=strata, seed="s").collect() == []


@pytest.mark.parametrize("size", [400, 1000])
def test_a_sample_as_large_as_all_pairs_holds_each_pair_once(spark: SparkSession, size: int) -> None:
    assert [(row["ref_l"], row["ref_r"]) for row in drawn(pairs(spark, MANY), size)] == sorted(
        (one, other) for one, other, _ in MANY
    )
