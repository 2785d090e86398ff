"""The actions that turn a run's tables into its figures: small groupings, counts only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.figures import (
    HitFigures,
    HitMonthFigures,
    LocationHitFigures,
    QualityFigures,
    ScreeningFigures,
    TierFigures,
    sorted_rows,
)


def dict_rows(frame: DataFrame) -> list[dict[str, Any]]:
    """A small frame's rows on the driver, in no order."""
    return [row.asDict() for row in frame.collect()]


_QUALITY = (("name", "name_issue"), ("date_of_birth", "dob_issue"), ("address", "address_issue"))


def grouped(frame: DataFrame, columns: Sequence[str], measure: str) -> list[dict[str, Any]]:
    """Count rows per ``columns``; sorted, so that the same table gives the same list."""
    counted = frame.groupBy(*columns).agg(F.count(F.lit(1)).alias(measure)).collect()
    return sorted_rows((row.asDict() for row in counted), [*columns, measure])


def tier_figures(link: DataFrame) -> list[TierFigures]:
    """Links per source, tier and clause."""
    return cast("list[TierFigures]", grouped(link, ["source_system", "tier", "policy_reason"], "links"))


def hit_figures(hit: DataFrame) -> list[HitFigures]:
    """Hits per event type, role, tier and lane."""
    columns = ["event_type", "role", "tier", "lane", "on_duty_sign", "default_view"]
    return cast("list[HitFigures]", grouped(hit, columns, "hits"))


def month_figures(hit: DataFrame) -> list[HitMonthFigures]:
    """Hits per month of the event."""
    month = F.coalesce(F.date_format("event_date", "yyyy-MM"), F.lit(""))
    return cast("list[HitMonthFigures]", grouped(hit.withColumn("month", month), ["month", "event_type"], "hits"))


def location_figures(location_hit: DataFrame) -> list[LocationHitFigures]:
    """Location hits per level."""
    return cast("list[LocationHitFigures]", grouped(location_hit, ["place_level", "person_also_linked"], "hits"))


def screening_figures(screening: DataFrame) -> ScreeningFigures:
    """Employees screened and not screened; the parts add up to all."""
    rows = (
        screening.groupBy("screened", "not_screened_reason")
        .agg(
            F.count(F.lit(1)).alias("employees"),
            F.sum(F.col("address_usable").cast("int")).alias("address_usable"),
            F.sum((F.col("hit_count") > 0).cast("int")).alias("with_hits"),
        )
        .collect()
    )
    return ScreeningFigures(
        employees=sum(row.employees for row in rows),
        screened=sum(row.employees for row in rows if row.screened),
        not_screened={row.not_screened_reason: row.employees for row in rows if not row.screened},
        address_usable=sum(row.address_usable for row in rows),
        with_hits=sum(row.with_hits for row in rows),
    )


def quality_figures(person: DataFrame) -> list[QualityFigures]:
    """Person records with each issue, in one pass."""
    issues = F.array(
        *[
            F.struct(F.lit(attribute).alias("attribute"), F.coalesce(F.col(column), F.lit("")).alias("issue"))
            for attribute, column in _QUALITY
        ]
    )
    each = person.where("variant_no = 0").select("source_system", F.explode(issues).alias("q"))
    flat = each.select("source_system", "q.attribute", "q.issue")
    return cast("list[QualityFigures]", grouped(flat, ["source_system", "attribute", "issue"], "records"))


def not_screened_counts(person: DataFrame) -> dict[tuple[str, str], int]:
    """Person records by (source, reason) that took no part in the comparison."""
    rows = grouped(
        person.where("variant_no = 0 and not_screened_reason is not null"),
        ["source_system", "not_screened_reason"],
        "records",
    )
    return {(row["source_system"], row["not_screened_reason"]): row["records"] for row in rows}
