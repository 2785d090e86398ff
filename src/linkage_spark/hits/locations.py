"""Incidents at an employee's recorded home. No person is asserted."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.hits.build import UNREVIEWED, stable_id
from linkage_spark.hits.lanes import LOCATION_LANE
from linkage_spark.tables.enums import AddressKind, EventType
from linkage_spark.tables.results import LOCATION_HIT

PLACE_LEVELS: tuple[str, ...] = ("same_property", "same_dwelling", "same_building")
"""Strongest first."""

WINDOW_DAYS = 365

_EVENT_KEY = ("source_system", "event_ref")
_KEY = ("employee_id", *_EVENT_KEY)


def build_location_hits(
    roster: DataFrame,
    location: DataFrame,
    event: DataFrame,
    employee: DataFrame,
    hit: DataFrame,
    *,
    caveat: str,
) -> DataFrame:
    """Find incidents at homes of employees, with repeat calls.

    Only events of type incident, and only places that are dwellings on both sides. A place agrees by
    equal UPRN (same_property), by equal postcode, number and flat (same_dwelling), or by equal postcode
    and number where exactly one side names a flat (same_building); the strongest holds. The roster's
    keys are broadcast, the locations are read where they lie.

    Args:
        roster: PERSON rows of the roster; the row that was recorded (variant_no 0) counts, since former
            addresses are no home.
        location: LOCATION.
        event: EVENT.
        employee: EMPLOYEE.
        hit: HIT, to say whether the employee is linked to the same event as a person as well.
        caveat: what the data does not cover, in one sentence.

    Returns:
        LOCATION_HIT: one row per employee and incident. ``calls_at_premises`` counts the employee's
        location hits in the whole history, ``calls_at_premises_365_days`` those on the event's day and
        the 364 days before.
    """
    places = _same_places(roster, location)
    columns = event.select(*_EVENT_KEY, "event_type", "event_date", "opening_code", "closing_code")
    incidents = columns.where(F.col("event_type") == EventType.INCIDENT.value)
    needed = incidents.join(F.broadcast(places), on=list(_EVENT_KEY), how="inner")
    linked = hit.select(*_KEY).distinct().withColumn("person_also_linked", F.lit(True))
    joined = (
        needed.join(linked, on=list(_KEY), how="left")
        .join(
            F.broadcast(employee.select("employee_id", "employment_type", "start_date")),
            on="employee_id",
            how="left",
        )
        .withColumn("person_also_linked", F.coalesce("person_also_linked", F.lit(False)))
    )
    lane, purpose = LOCATION_LANE
    rows = (
        _with_repeats(joined)
        .withColumn("location_hit_id", stable_id(*_KEY))
        .withColumn("lane", F.lit(lane.value))
        .withColumn("purpose", F.lit(purpose.value))
        .withColumn("before_employment", F.col("event_date") < F.col("start_date"))
        .withColumn("review_status", F.lit(UNREVIEWED))
        .withColumn("explanation", _sentence())
        .withColumn("coverage_caveat", F.lit(caveat))
    )
    return LOCATION_HIT.conform(rows)


def _same_places(roster: DataFrame, location: DataFrame) -> DataFrame:
    """``employee_id``, the event's key, ``place_level``: one row per employee and event at the home."""
    homes = (
        roster.where(F.col("variant_no") == 0)
        .select(
            F.col("person_ref").alias("employee_id"),
            F.explode(_place_keys()).alias("place"),
            F.col("saon").alias("saon_l"),
        )
        .where(F.col("address_kind") == AddressKind.DWELLING.value)
    )
    places = location.where(F.col("address_kind") == AddressKind.DWELLING.value).select(
        *_EVENT_KEY, F.explode(_place_keys()).alias("place"), F.col("saon").alias("saon_r")
    )
    same = places.join(F.broadcast(homes), on="place", how="inner").where(
        (F.col("place.level") != PLACE_LEVELS.index("same_building"))
        | (F.col("saon_l").isNull() != F.col("saon_r").isNull())
    )
    levels = F.array(*[F.lit(level) for level in PLACE_LEVELS])
    return (
        same.groupBy(*_KEY)
        .agg(F.min("place.level").alias("level"))
        .select(*_KEY, F.element_at(levels, F.col("level") + 1).alias("place_level"))
    )


def _place_keys() -> Column:
    """The keys under which a place may be found, each with its level; keys with a null part left out."""
    building = F.when(F.col("postcode").isNotNull() & F.col("paon").isNotNull(), F.concat_ws("|", "postcode", "paon"))
    keys = F.array(
        *[
            F.struct(F.lit(level).alias("level"), key.alias("key"))
            for level, key in enumerate((F.col("uprn"), F.col("premises_key"), building))
        ]
    )
    return F.filter(keys, lambda place: place["key"].isNotNull())


def _with_repeats(rows: DataFrame) -> DataFrame:
    """Add the two counts of calls at the home."""
    home = Window.partitionBy("employee_id")
    day = F.datediff(F.col("event_date"), F.lit("1970-01-01").cast("date"))
    year = home.orderBy(day).rangeBetween(start=1 - WINDOW_DAYS, end=Window.currentRow)
    recent = F.when(F.col("event_date").isNotNull(), F.count("event_date").over(year))
    return rows.select(
        "*",
        F.count(F.lit(1)).over(home).cast("int").alias("calls_at_premises"),
        recent.cast("int").alias("calls_at_premises_365_days"),
    )


def _sentence() -> Column:
    """One sentence on the place; no address in it."""
    place = (
        F.when(F.col("place_level") == "same_property", "by its property reference number")
        .when(F.col("place_level") == "same_dwelling", "by postcode, number and flat if any")
        .otherwise("by postcode and number; only one of the two records names a flat, so it may be a neighbour's")
    )
    calls = F.format_string("%d incident(s) at this home in all", F.col("calls_at_premises"))
    recent = F.when(
        F.col("calls_at_premises_365_days").isNotNull(),
        F.format_string(", %d in the 365 days up to this one", F.col("calls_at_premises_365_days")),
    ).otherwise("; this one has no date")
    person = F.when(
        F.col("person_also_linked"),
        " The employee is linked to the same incident as a person as well; see that hit.",
    ).otherwise(" No person is asserted: the place alone agrees.")
    return F.concat(
        F.lit("An incident was recorded at the employee's recorded home, the same place "),
        place,
        F.lit(". "),
        calls,
        recent,
        F.lit("."),
        person,
    )
