"""Every employee is screened, or not screened with the reason: silence must never read as clean."""

from __future__ import annotations

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.tables.enums import AddressKind, SourceSystem
from linkage_spark.tables.results import SCREENING

REFUSED: Final[str] = "refused"
"""Reason of an employee all of whose HR rows were refused."""


def build_screening(roster_person: DataFrame, refused: DataFrame, hit: DataFrame) -> DataFrame:
    """List every employee of the roster once.

    An employee is screened when any variant takes part in the comparison; the reason is that of the row
    as recorded. An employee none of whose rows was kept comes from the refused assignments, whose key is employee/assignment; a refused
    row without a key cannot be told to an employee and is counted among the refused only.

    Args:
        roster_person: PERSON rows of the roster, screened or not.
        refused: REFUSED.
        hit: HIT.

    Returns:
        SCREENING: one row per employee.
    """
    can_compare = (F.col("address_kind") == AddressKind.DWELLING.value) & F.coalesce(
        "uprn", "postcode", "postcode_sector", "postcode_district"
    ).isNotNull()
    kept = roster_person.groupBy(F.col("person_ref").alias("employee_id")).agg(
        F.max(F.col("not_screened_reason").isNull()).alias("screened"),
        F.min(F.struct("variant_no", "not_screened_reason")).getField("not_screened_reason").alias("reason"),
        F.max(can_compare & (F.col("variant_no") == 0)).alias("address_usable"),
    )
    out = (
        refused.where((F.col("source_system") == SourceSystem.HR.value) & (F.col("produces") == "assignment"))
        .select(F.trim(F.regexp_replace("row_key", r"/[^/]*$", "")).alias("employee_id"))
        .where(F.col("employee_id") != "")
        .distinct()
        .join(kept, on="employee_id", how="left_anti")
        .select(
            "employee_id",
            F.lit(False).alias("screened"),
            F.lit(REFUSED).alias("reason"),
            F.lit(False).alias("address_usable"),
        )
    )
    hits = hit.groupBy("employee_id").agg(F.count(F.lit(1)).cast("int").alias("hit_count"))
    rows = (
        kept.unionByName(out)
        .join(hits, on="employee_id", how="left")
        .withColumn("not_screened_reason", F.when(~F.col("screened"), F.col("reason")))
        .withColumn("hit_count", F.coalesce("hit_count", F.lit(0)))
    )
    return SCREENING.conform(rows)
