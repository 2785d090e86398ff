"""The guard over all components: which are looked into, and what it makes of each, in one pass of Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, IntegerType, LongType, StringType, StructField, StructType

from linkage_spark.nominals.guard import Conflict, Cut, Edge, GuardLimits, Split, split_component
from linkage_spark.tables.enums import CutReason

LARGEST_UNTOUCHED = 3
"""A component of so few records, with nothing that speaks against it, is never cut (``guard.split_component``)."""

_EDGE = ("left_record_id", "right_record_id", "match_weight_millibits", "judged_same", "same_identifier")

_LABEL = StructType([StructField("record_id", LongType()), StructField("cluster_id", LongType())])
_CUT = StructType(
    [
        StructField("left_record_id", LongType()),
        StructField("right_record_id", LongType()),
        StructField("cut_reason", StringType()),
        StructField("because_left_record_id", LongType()),
        StructField("because_right_record_id", LongType()),
    ]
)
GUARDED_SCHEMA = StructType(
    [
        StructField("component_id", LongType(), nullable=False),
        StructField("labels", ArrayType(_LABEL)),
        StructField("cuts", ArrayType(_CUT)),
    ]
)
"""One row per component that was looked into: its records with their clusters, and the edges that were cut."""


def component_sizes(components: DataFrame) -> DataFrame:
    """One row per component: ``component_id``, ``records`` INT."""
    return components.groupBy("component_id").agg(F.count(F.lit(1)).cast(IntegerType()).alias("records"))


def guard_components(
    components: DataFrame, edges: DataFrame, conflicts: DataFrame, *, limits: GuardLimits, most_records: int
) -> DataFrame:
    """Let the guard look into every component that could need it.

    Args:
        components: ``record_id``, ``component_id``: every record that an edge touches.
        edges: accepted edges that nobody denied: ``left_record_id``, ``right_record_id``, ``match_weight_millibits``,
            ``judged_same``, ``same_identifier``.
        conflicts: ``left_record_id``, ``right_record_id``, ``reason`` (CutReason); pairs of different components are
            passed over, a pair may stand more than once.
        limits: of one person's cluster.
        most_records: larger components are not looked into: they wait for a reviewer (``quarantined``).

    Returns:
        GUARDED_SCHEMA. Components that are left out stay whole.
    """
    of = {
        side: components.select(
            F.col("record_id").alias(f"{side}_record_id"), F.col("component_id").alias(f"of_{side}")
        )
        for side in ("left", "right")
    }
    placed = edges.join(of["left"], on=["left_record_id"]).withColumnRenamed("of_left", "component_id")
    within = conflicts.join(of["left"], on=["left_record_id"]).join(of["right"], on=["right_record_id"])
    within = within.where("of_left = of_right").withColumnRenamed("of_left", "component_id")
    gathered = (
        components.groupBy("component_id")
        .agg(F.collect_list("record_id").alias("members"))
        .where(F.size("members") <= F.lit(most_records))
        .join(
            _gathered(placed, "edges", _EDGE),
            on=["component_id"],
        )
        .join(
            _gathered(within, "conflicts", ("left_record_id", "right_record_id", "reason")),
            on=["component_id"],
            how="left",
        )
        .where(
            (F.size("members") > F.lit(LARGEST_UNTOUCHED))
            | F.col("conflicts").isNotNull()
            | F.lit(limits.max_records < LARGEST_UNTOUCHED or limits.max_path < LARGEST_UNTOUCHED - 1)
        )
    )
    return gathered.mapInArrow(_guard_batches(limits), schema=GUARDED_SCHEMA)


def _gathered(rows: DataFrame, name: str, columns: tuple[str, ...]) -> DataFrame:
    """One row per component: an array of its rows."""
    return rows.groupBy("component_id").agg(F.collect_list(F.struct(*columns)).alias(name))


def _guard_batches(limits: GuardLimits) -> Any:
    """The guard as a function over record batches."""

    def guard(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [{"component_id": row["component_id"], **_told(_split(row, limits))} for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=_ARROW)

    return guard


_ARROW = pa.schema(
    [
        pa.field("component_id", pa.int64()),
        pa.field("labels", pa.list_(pa.struct([("record_id", pa.int64()), ("cluster_id", pa.int64())]))),
        pa.field(
            "cuts",
            pa.list_(
                pa.struct(
                    [
                        (field.name, pa.string() if isinstance(field.dataType, StringType) else pa.int64())
                        for field in _CUT.fields
                    ]
                )
            ),
        ),
    ]
)


def _split(row: Mapping[str, Any], limits: GuardLimits) -> Split:
    """One component through the guard."""
    edges = [
        Edge(
            left=edge["left_record_id"],
            right=edge["right_record_id"],
            weight_millibits=edge["match_weight_millibits"],
            judged_same=edge["judged_same"],
            same_number=edge["same_identifier"],
        )
        for edge in row["edges"]
    ]
    conflicts = {
        Conflict(left=pair["left_record_id"], right=pair["right_record_id"], reason=CutReason(pair["reason"]))
        for pair in row["conflicts"] or ()
    }
    return split_component(row["members"], edges, sorted(conflicts, key=_in_order), limits=limits)


def _in_order(conflict: Conflict) -> tuple[int, int, str]:
    return conflict.left, conflict.right, conflict.reason.value


def _told(split: Split) -> dict[str, Any]:
    """A split as columns."""
    return {
        "labels": [{"record_id": record, "cluster_id": cluster} for record, cluster in split.labels.items()],
        "cuts": [_cut(cut) for cut in split.cuts],
    }


def _cut(cut: Cut) -> dict[str, Any]:
    return {
        "left_record_id": cut.left,
        "right_record_id": cut.right,
        "cut_reason": cut.reason.value,
        "because_left_record_id": cut.because_left,
        "because_right_record_id": cut.because_right,
    }


def clusters(records: DataFrame, components: DataFrame, guarded: DataFrame, *, most_records: int) -> DataFrame:
    """The cluster of every record.

    Args:
        records: ``record_id``: every live record once.
        components: ``record_id``, ``component_id``.
        guarded: GUARDED_SCHEMA.
        most_records: components with more wait for a reviewer.

    Returns:
        ``record_id``, ``cluster_id`` (its lowest record, or the component's), ``quarantined``.
    """
    large = component_sizes(components).where(F.col("records") > F.lit(most_records)).select("component_id")
    labels = guarded.select(F.explode("labels").alias("label")).select("label.record_id", "label.cluster_id")
    held = large.withColumn("held", F.lit(True))
    return (
        records.select("record_id")
        .join(components, on=["record_id"], how="left")
        .join(labels, on=["record_id"], how="left")
        .join(held, on=["component_id"], how="left")
        .select(
            "record_id",
            F.coalesce("cluster_id", "component_id", "record_id").alias("cluster_id"),
            F.coalesce("held", F.lit(False)).alias("quarantined"),
        )
    )


def with_cuts(edges: DataFrame, guarded: DataFrame) -> DataFrame:
    """The accepted edges with what became of them: ``cut_reason`` and the two records behind it, null where an edge joins.

    Edges that a reviewer ``denied`` are cut for that, whether the guard saw them or not.
    """
    cuts = guarded.select(F.explode("cuts").alias("cut")).select("cut.*")
    told = edges.join(cuts, on=["left_record_id", "right_record_id"], how="left")
    said = {
        "cut_reason": F.lit(CutReason.JUDGED_NOT_SAME.value),
        "because_left_record_id": F.col("left_record_id"),
        "because_right_record_id": F.col("right_record_id"),
    }
    return told.withColumns({name: F.when(F.col("denied"), word).otherwise(F.col(name)) for name, word in said.items()})
