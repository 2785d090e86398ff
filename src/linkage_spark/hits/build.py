"""Links joined with involvements: one hit per employee, event and role."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.hits.lanes import lane_of, purpose_of
from linkage_spark.tables.canonical import EVENT
from linkage_spark.tables.enums import Tier
from linkage_spark.tables.results import HIT, HIT_LINK

UNREVIEWED = "unreviewed"
SHOWN_TIERS = (Tier.MATCH.value, Tier.POSSIBLE.value)

_PERSON_KEY = ("source_system", "person_ref")
_EVENT_KEY = ("source_system", "event_ref")
_HIT_KEY = ("employee_id", "source_system", "event_ref", "role")
_FROM_LINK = (
    "tier",
    "match_weight",
    "match_weight_millibits",
    "policy_reason",
    "explanation",
    "on_duty_sign",
)
_FROM_EVENT = (
    "event_type",
    "event_date",
    "offence_code",
    "source_flags",
    "custody_number",
    "custody_arrived_at",
    "custody_released_at",
)


@dataclass(frozen=True)
class HitTables:
    """Hits and the links behind them.

    Attributes:
        hit: as the contract HIT.
        hit_link: as the contract HIT_LINK.
    """

    hit: DataFrame
    hit_link: DataFrame


def build_hits(
    links: DataFrame, involvement: DataFrame, event: DataFrame, employee: DataFrame, *, caveat: str
) -> HitTables:
    """Turn links into hits: each link meets every involvement of its person record.

    A hit carries tier, weight, reason and sentence of its best link: by tier, then weight, then
    person_ref. It has an on-duty sign only when every link behind it has one. ``disclosed`` is true when
    any record behind the hit says so, false when one says no and none yes, else null. Involvement and
    event are read once per table; only the rows that links point at are shuffled. An event or employee
    that is missing leaves required columns null, which the store refuses: a hit never vanishes.

    Args:
        links: LINK, any tiers; those of tier match and possible become hits.
        involvement: INVOLVEMENT.
        event: EVENT.
        employee: EMPLOYEE.
        caveat: what the data does not cover, in one sentence.
    """
    parts = _parts(links, involvement)
    hits = parts.groupBy(*_HIT_KEY).agg(
        F.min(_rank()).alias("best"),
        F.countDistinct("person_ref").cast("int").alias("link_count"),
        F.array_join(F.array_sort(F.array_remove(F.collect_set("role_raw"), "")), "|").alias("role_raw"),
        F.min("dpa_category").alias("dpa_category"),
        F.min("on_duty_sign").alias("on_duty_sign"),
        F.max("disclosed").alias("disclosed"),
    )
    best = _shown(links).select("employee_id", *_PERSON_KEY, "tier", "match_weight", "policy_reason", "explanation")
    joined = (
        hits.withColumn("person_ref", F.col("best.person_ref"))
        .join(best, on=["employee_id", *_PERSON_KEY], how="left")
        .join(_events_behind(event, hits), on=list(_EVENT_KEY), how="left")
        .join(
            F.broadcast(employee.select("employee_id", "employment_type", "start_date")),
            on="employee_id",
            how="left",
        )
    )
    hit = (
        joined.withColumn("hit_id", stable_id(*_HIT_KEY))
        .withColumn("lane", lane_of(F.col("role")))
        .withColumn("purpose", purpose_of(F.col("role")))
        .withColumn("before_employment", F.col("event_date") < F.col("start_date"))
        .withColumn("default_view", ~F.col("on_duty_sign"))
        .withColumn("review_status", F.lit(UNREVIEWED))
        .withColumn("coverage_caveat", F.lit(caveat))
    )
    hit_link = (
        parts.withColumn("hit_id", stable_id(*_HIT_KEY)).select(*HIT_LINK.names).dropDuplicates(list(HIT_LINK.key))
    )
    return HitTables(hit=HIT.conform(hit), hit_link=HIT_LINK.conform(hit_link))


def links_without_involvement(links: DataFrame, involvement: DataFrame) -> DataFrame:
    """Links of shown tiers whose person record stands in no event, and so make no hit; lazy.

    One row per source: ``source_system``, ``links`` LONG. No row when there is none.
    """
    shown = _shown(links).select("employee_id", *_PERSON_KEY)
    keys = (
        involvement.join(F.broadcast(shown.select(*_PERSON_KEY).distinct()), on=list(_PERSON_KEY), how="left_semi")
        .select(*_PERSON_KEY)
        .distinct()
    )
    left = shown.join(keys, on=list(_PERSON_KEY), how="left_anti")
    return left.groupBy("source_system").agg(F.count(F.lit(1)).alias("links"))


def stable_id(*names: str) -> Column:
    """SHA-256 of columns joined by '|', first 32 hex digits: the same in every run."""
    return F.substring(F.sha2(F.concat_ws("|", *[F.col(name) for name in names]), 256), 1, 32)


def _shown(links: DataFrame) -> DataFrame:
    """Links that a reviewer may see."""
    return links.where(F.col("tier").isin(*SHOWN_TIERS))


def _parts(links: DataFrame, involvement: DataFrame) -> DataFrame:
    """One row per link and involvement. The links are broadcast; involvement is read where it lies."""
    behind = _shown(links).select("employee_id", *_PERSON_KEY, *[name for name in _FROM_LINK if name != "explanation"])
    roles = involvement.select(*_PERSON_KEY, "event_ref", "role", "role_raw", "dpa_category", "disclosed")
    return roles.join(F.broadcast(behind), on=list(_PERSON_KEY), how="inner")


def _rank() -> Column:
    """What the best link is least in: tier, weight downwards, then the unique person_ref."""
    tier = F.when(F.col("tier") == Tier.MATCH.value, 0).otherwise(1)
    return F.struct(tier.alias("tier"), (-F.col("match_weight_millibits")).alias("weight"), F.col("person_ref"))


def _events_behind(event: DataFrame, hits: DataFrame) -> DataFrame:
    """The events that hits stand in: the large table is filtered before anything is shuffled."""
    keys = hits.select(*_EVENT_KEY).distinct()
    needed = event.join(F.broadcast(keys), on=list(_EVENT_KEY), how="left_semi")
    return needed.select(*[name for name in EVENT.names if name in (*_EVENT_KEY, *_FROM_EVENT)])
