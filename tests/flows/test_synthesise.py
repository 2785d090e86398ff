"""The generator in Spark: partitions change nothing."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from linkage_spark.synthesis.settings import load_force
from linkage_spark.synthesis.stage import all_rows, size_force

SETTINGS = load_force(Path(__file__).resolve().parents[2] / "conf" / "synthesis" / "force.toml")


def test_the_same_seed_gives_the_same_rows_on_any_number_of_partitions(spark: SparkSession) -> None:
    force = size_force(seed=3, employees=100, person_records=2_000, settings=SETTINGS)
    made = [
        all_rows(spark, force, partitions=partitions)
        .select(F.xxhash64("*").cast("decimal(20,0)").alias("h"))
        .agg(F.count("*").alias("rows"), F.sum("h").alias("hash"))
        .collect()[0]
        for partitions in (1, 7)
    ]
    assert made[0] == made[1]
    assert made[0]["rows"] > 5_000
