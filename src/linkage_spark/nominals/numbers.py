"""PNC and CRO numbers of police records → pairs that bear the same one, and pairs that bear different ones.

Only verified numbers in standard form count. A record with two of one kind tells nothing by that kind: one of them is an
error of the source. A number never leaves this module: pairs go on without it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.nominals.guard_stage import component_sizes
from linkage_spark.nominals.records import with_record_id
from linkage_spark.tables.enums import CutReason, IdentifierKind
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER

DIFFERS: Mapping[IdentifierKind, CutReason] = {
    IdentifierKind.PNC_ID: CutReason.PNC_DIFFERS,
    IdentifierKind.CRO: CutReason.CRO_DIFFERS,
}
"""What two different verified numbers of a kind speak of."""


def usable_numbers(identifiers: DataFrame) -> DataFrame:
    """The one verified number of each kind that a record bears; none where it bears two.

    Args:
        identifiers: PERSON_IDENTIFIER.

    Returns:
        ``record_id``, ``kind`` (IdentifierKind), ``identifier``; unique by the first two.
    """
    return _by_record(identifiers).where("numbers = 1").select("record_id", "kind", "identifier")


def count_numbers(identifiers: DataFrame, *, max_records: int) -> DataFrame:
    """How many numbers can be used; lazy.

    Args:
        identifiers: PERSON_IDENTIFIER.
        max_records: a number on more records joins nobody.

    Returns:
        One row, LONG: ``records`` with a usable number, ``contradicted`` records and kinds with two verified numbers,
        ``too_common`` numbers on more than ``max_records`` records, ``pairs`` that the others make at most.
    """
    by_record = _by_record(identifiers)
    records = by_record.agg(
        F.count_distinct(F.when(F.col("numbers") == 1, F.col("record_id"))).alias("records"),
        F.count_if(F.col("numbers") > 1).alias("contradicted"),
    )
    bearers = _bearers(usable_numbers(identifiers))
    few, pairs = F.col("bearers") <= F.lit(max_records), F.expr("bearers * (bearers - 1) div 2")
    return records.crossJoin(
        bearers.agg(
            F.count_if(~few).alias("too_common"), F.coalesce(F.sum(F.when(few, pairs)), F.lit(0)).alias("pairs")
        )
    )


def equal_pairs(numbers: DataFrame, *, max_records: int) -> DataFrame:
    """Pairs of records that bear the same number, of either kind.

    Args:
        numbers: what ``usable_numbers`` gave.
        max_records: a number on more records joins nobody, since no person has so many.

    Returns:
        ``left_record_id`` < ``right_record_id``; a pair stands once.
    """
    few = _bearers(numbers).where(F.col("bearers").between(2, max_records)).drop("bearers")
    placed = numbers.join(few, on=["kind", "identifier"])
    left = placed.withColumnRenamed("record_id", "left_record_id")
    right = placed.withColumnRenamed("record_id", "right_record_id")
    pairs = left.join(right, on=["kind", "identifier"]).where("left_record_id < right_record_id")
    return pairs.select("left_record_id", "right_record_id").distinct()


def differing_pairs(numbers: DataFrame, components: DataFrame, *, most_records: int) -> DataFrame:
    """Pairs of records of one component that bear different numbers of one kind; an equal one of the other kind does not help.

    Args:
        numbers: what ``usable_numbers`` gave.
        components: ``record_id``, ``component_id``.
        most_records: largest component that is looked into.

    Returns:
        ``left_record_id`` < ``right_record_id``, ``reason`` (CutReason); a pair stands once per kind.
    """
    looked_into = component_sizes(components).where(F.col("records") <= F.lit(most_records)).select("component_id")
    placed = numbers.join(components, on=["record_id"]).join(looked_into, on=["component_id"])
    sides = {
        side: placed.select(
            "component_id",
            "kind",
            F.col("record_id").alias(f"{side}_record_id"),
            F.col("identifier").alias(f"{side}_identifier"),
        )
        for side in ("left", "right")
    }
    pairs = sides["left"].join(sides["right"], on=["component_id", "kind"])
    differ = pairs.where("left_record_id < right_record_id and left_identifier <> right_identifier")
    reasons = F.create_map(*[F.lit(part.value) for kind, reason in DIFFERS.items() for part in (kind, reason)])
    return differ.select("left_record_id", "right_record_id", F.element_at(reasons, F.col("kind")).alias("reason"))


def _by_record(identifiers: DataFrame) -> DataFrame:
    """``record_id``, ``kind``, how many verified ``numbers``, and the lowest as ``identifier``."""
    verified = PERSON_IDENTIFIER.check(identifiers).where("verified and identifier is not null")
    return (
        with_record_id(verified)
        .groupBy("record_id", "kind")
        .agg(F.count_distinct("identifier").alias("numbers"), F.min("identifier").alias("identifier"))
    )


def _bearers(numbers: DataFrame) -> DataFrame:
    """How many records bear each number."""
    return numbers.groupBy("kind", "identifier").agg(F.count(F.lit(1)).alias("bearers"))
