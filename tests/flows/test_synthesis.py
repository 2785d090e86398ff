"""The made-up force in Spark: the same rows on any number of partitions, each feed in its own columns and types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from linkage_spark.synthesis.feeds import FEEDS, typed
from linkage_spark.synthesis.settings import load_force
from linkage_spark.synthesis.stage import FEED_NUMBERS, SCHEMA, all_rows, size_force

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SETTINGS = load_force(Path(__file__).resolve().parents[2] / "conf/synthesis/force.toml")


def rows_on(spark: SparkSession, partitions: int, *, seed: int = 1) -> DataFrame:
    force = size_force(seed=seed, employees=60, person_records=1_500, settings=SETTINGS)
    return all_rows(spark, force, partitions=partitions)


def fingerprint(frame: DataFrame) -> dict[int, tuple[int, int]]:
    """Rows and the sum of their hashes by feed: neither order nor partitions move it."""
    whole = F.xxhash64(*frame.columns).cast("decimal(38,0)")
    counted = frame.groupBy("feed").agg(F.count("*").alias("n"), F.sum(whole).alias("sum")).collect()
    return {row["feed"]: (row["n"], int(row["sum"])) for row in counted}


@pytest.fixture(scope="module")
def one_partition(spark: SparkSession) -> dict[int, tuple[int, int]]:
    return fingerprint(rows_on(spark, 1))


def test_one_and_seven_partitions_give_the_same_rows(spark: SparkSession, one_partition: dict) -> None:
    assert set(one_partition) == set(FEED_NUMBERS.values())
    assert fingerprint(rows_on(spark, 7)) == one_partition


def test_another_seed_gives_other_rows(spark: SparkSession, one_partition: dict) -> None:
    assert fingerprint(rows_on(spark, 2, seed=2)) != one_partition


def test_every_feed_has_its_own_columns_and_types(spark: SparkSession) -> None:
    rows = rows_on(spark, 2)
    assert rows.schema == SCHEMA
    types = {feed: dict(rows.select(*typed(feed)).dtypes) for feed in FEEDS}
    assert {feed: tuple(columns) for feed, columns in types.items()} == FEEDS
    assert {kind for feed in ("hr/extract", "incident/log") for kind in types[feed].values()} == {"string"}
    assert types["crime/occurrence"]["REPORTED_AT"] == types["custody/record"]["ARRIVED_AT"] == "timestamp"
    assert types["truth/person"]["true_person_id"] == types["truth/employee"]["true_person_id"] == "bigint"
    assert types["truth/person"]["error_classes"] == "array<string>"
    assert types["intel/report"]["REVIEW_DATE"] == "date"
