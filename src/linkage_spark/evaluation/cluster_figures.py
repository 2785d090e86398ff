"""Clusters of records × their true entities → pairwise and B-cubed figures.

Everything follows from the contingency table: how many records each cluster shares with each entity. Spark counts
how many cells of the table are alike; the driver adds them up exactly.

Records that the truth does not name are left out and counted. Records of the truth that stand in no cluster
(refused, or in no file) count as alone: what was lost on the way never drops out of recall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TypedDict

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.evaluation.figures import Proportion
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.evaluation.pair_counts import clean_truth
from linkage_spark.evaluation.pair_figures import F1Share, f1_share

Row = Mapping[str, Any]


class ClusterSizes(TypedDict):
    """The clusters by themselves, with and without labels."""

    records: int
    clusters: int
    clusters_of_one: int
    largest_cluster: int
    pairs_together: int


class ClusterFigures(TypedDict):
    """Clusters against entities; shares are null for 0/0.

    ``pairwise_*``: over pairs of labelled records that stand together. ``b_cubed_*``: means over records, of the share
    of the record's cluster that is its entity's, and of the share of its entity that is in its cluster.
    ``records_wrongly_joined``: labelled records in a cluster with more than one entity. ``entities_split``: entities
    in more than one cluster.
    """

    records: int
    unlabelled_records: int
    missing_records: int
    entities: int
    clusters: int
    pairwise_precision: Proportion
    pairwise_recall: Proportion
    pairwise_f1: F1Share
    b_cubed_precision: float | None
    b_cubed_recall: float | None
    b_cubed_f1: float | None
    clusters_of_more_than_one_entity: int
    records_wrongly_joined: int
    entities_split: int


def count_cluster_sizes(members: DataFrame) -> DataFrame:
    """Clusters per size: ``size`` LONG, ``clusters`` LONG.

    Args:
        members: ``ref``, ``cluster_id``; one row per record.
    """
    sizes = members.groupBy("cluster_id").agg(F.count(F.lit(1)).alias("size"))
    return sizes.groupBy("size").agg(F.count(F.lit(1)).alias("clusters"))


def count_cells(members: DataFrame, truth: DataFrame) -> DataFrame:
    """Cells of the contingency table of clusters and entities, alike ones counted.

    Args:
        members: ``ref``, ``cluster_id``; one row per record.
        truth: ``ref``, ``entity``; each ref under one entity.

    Returns:
        ``together`` (records in both), ``of_cluster`` and ``of_entity`` (labelled records in each), ``missing``
        BOOLEAN (the record stands in no cluster) and ``cells``; LONG but for ``missing``. A row with null
        ``of_entity`` counts records without label in ``together``.
    """
    told = clean_truth(truth, "dedupe")
    both = members.select(F.trim(F.col("ref").cast("string")).alias("ref"), "cluster_id").join(
        told, on="ref", how="full_outer"
    )
    alone = F.when(F.col("cluster_id").isNull(), F.col("ref"))
    cells = (
        both.where(F.col("entity").isNotNull())
        .withColumn("alone", alone)
        .groupBy("cluster_id", "alone", "entity")
        .agg(F.count(F.lit(1)).alias("together"))
        .withColumn("of_cluster", F.sum("together").over(Window.partitionBy("cluster_id", "alone")))
        .withColumn("of_entity", F.sum("together").over(Window.partitionBy("entity")))
        .groupBy("together", "of_cluster", "of_entity", F.col("alone").isNotNull().alias("missing"))
        .agg(F.count(F.lit(1)).alias("cells"))
    )
    null = F.lit(None).cast("long")
    unlabelled = both.where(F.col("entity").isNull()).agg(F.count(F.lit(1)).alias("together"))
    return cells.unionByName(
        unlabelled.select(
            "together",
            null.alias("of_cluster"),
            null.alias("of_entity"),
            F.lit(False).alias("missing"),
            F.lit(1).cast("long").alias("cells"),
        )
    )


def cluster_sizes(rows: Iterable[Row]) -> ClusterSizes:
    """Figures of ``count_cluster_sizes``' rows."""
    sizes = {int(row["size"]): int(row["clusters"]) for row in rows}
    return {
        "records": sum(size * clusters for size, clusters in sizes.items()),
        "clusters": sum(sizes.values()),
        "clusters_of_one": sizes.get(1, 0),
        "largest_cluster": max(sizes, default=0),
        "pairs_together": sum(_choose_two(size) * clusters for size, clusters in sizes.items()),
    }


def cluster_figures(rows: Iterable[Row]) -> ClusterFigures:
    """Figures of ``count_cells``' rows, in whole numbers and fractions until the last rounding.

    Source of B-cubed: A. Bagga and B. Baldwin (1998), "Entity-based cross-document coreferencing using the vector
    space model", COLING-ACL, 79-85; every record weighs the same.
    """
    counted = list(rows)
    cells = [
        (int(row["together"]), int(row["of_cluster"]), int(row["of_entity"]), int(row["cells"]))
        for row in counted
        if row["of_entity"] is not None
    ]
    records = sum(n * k for n, _, _, k in cells)
    true_joined = sum(_choose_two(n) * k for n, _, _, k in cells)
    # The cells of one cluster add up to it, so n/of_cluster adds up to one per cluster; the same for entities.
    joined = sum(Fraction(n * k * (c - 1), 2) for n, c, _, k in cells)
    true = sum(Fraction(n * k * (e - 1), 2) for n, _, e, k in cells)
    in_cluster = sum((Fraction(n * n * k, c) for n, c, _, k in cells), start=Fraction(0))
    in_entity = sum((Fraction(n * n * k, e) for n, _, e, k in cells), start=Fraction(0))
    return {
        "records": records,
        "unlabelled_records": sum(int(row["together"]) for row in counted if row["of_entity"] is None),
        "missing_records": sum(int(row["together"]) * int(row["cells"]) for row in counted if row["missing"]),
        "entities": int(sum(Fraction(n * k, e) for n, _, e, k in cells)),
        "clusters": int(sum(Fraction(n * k, c) for n, c, _, k in cells)),
        "pairwise_precision": proportion(true_joined, int(joined)),
        "pairwise_recall": proportion(true_joined, int(true)),
        "pairwise_f1": f1_share(true_joined, int(joined), int(true)),
        "b_cubed_precision": _mean(in_cluster, records),
        "b_cubed_recall": _mean(in_entity, records),
        "b_cubed_f1": _harmonic(in_cluster, in_entity, records),
        "clusters_of_more_than_one_entity": int(sum(Fraction(n * k, c) for n, c, _, k in cells if n < c)),
        "records_wrongly_joined": sum(n * k for n, c, _, k in cells if n < c),
        "entities_split": int(sum(Fraction(n * k, e) for n, _, e, k in cells if n < e)),
    }


def _choose_two(number: int) -> int:
    return number * (number - 1) // 2


def _mean(total: Fraction, records: int) -> float | None:
    return round(float(total / records), 6) if records else None


def _harmonic(one: Fraction, other: Fraction, records: int) -> float | None:
    """2·P·R / (P + R) of two totals over the same records."""
    return round(float(2 * one * other / (one + other) / records), 6) if records else None
