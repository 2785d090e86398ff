"""Results → the published star. Frames in, frames out, each ending in its contract of ``tables.star``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.serving.columns import date_key, flag, hashed_key, in_words, iso_utc, joined_key, upper_key
from linkage_spark.tables.enums import ItemKind
from linkage_spark.tables.star import (
    PLAIN_WORDS,
    STAR_DATE,
    STAR_EMPLOYEE,
    STAR_EVENT,
    STAR_FRESHNESS,
    STAR_HIT,
    STAR_HIT_LINK,
    STAR_LINK,
    STAR_LOCATION_HIT,
    STAR_NOMINAL_ALERT,
    STAR_NOMINAL_FORM,
    STAR_NOMINAL_OTHER,
    STAR_REASON,
    STAR_RUN,
    STAR_SCREENING,
    STAR_WITHDRAWN,
)
from linkage_spark.tables.types import BOOLEAN, LONG, STRING, TIMESTAMP

UNCHANGED: Final = "unchanged"
"""What the star says of a hit that did not change on the day of the run."""

_EVENT_KEY = ("source_system", "event_ref")
_LINK_KEY = ("employee_id", "source_system", "person_ref")


@dataclass(frozen=True)
class Results:
    """What a star is made from, each as its contract states, at the versions that the run pins.

    Attributes:
        hit: HIT.
        hit_link: HIT_LINK.
        location_hit: LOCATION_HIT.
        link: LINK.
        employee: EMPLOYEE.
        event: EVENT.
        screening: SCREENING.
        item: ITEM.
        baseline: BASELINE.
        freshness: ``freshness_rows`` under ``FRESHNESS``.
        run: one row with RUN's columns run_id, run_day, kind, started_at, code_version, model_id,
            lawful_basis_reference and advisory; others are not looked at.
    """

    hit: DataFrame
    hit_link: DataFrame
    location_hit: DataFrame
    link: DataFrame
    employee: DataFrame
    event: DataFrame
    screening: DataFrame
    item: DataFrame
    baseline: DataFrame
    freshness: DataFrame
    run: DataFrame


def build_star(results: Results, *, run_id: str, numbers: Mapping[str, int]) -> dict[TableContract, DataFrame]:
    """Make every table of the star, lazily.

    Args:
        results: the tables of the run.
        run_id: the run; it becomes a column of every table.
        numbers: as ``with_baseline`` takes them.

    Returns:
        One frame per contract of ``tables.star.STAR``, in that order.
    """
    items = _on_the_day(with_baseline(results.item, results.baseline, numbers), results.run)
    frames = {
        STAR_HIT: star_hit(results.hit, items),
        STAR_HIT_LINK: star_hit_link(results.hit_link),
        STAR_LINK: star_link(results.link, results.hit_link),
        STAR_LOCATION_HIT: star_location_hit(results.location_hit, items),
        STAR_EMPLOYEE: star_employee(results.employee),
        STAR_EVENT: star_event(results.event, results.hit, results.location_hit),
        STAR_DATE: star_date(results.hit, results.location_hit),
        STAR_REASON: star_reason(results.hit),
        STAR_SCREENING: star_screening(results.screening),
        STAR_WITHDRAWN: star_withdrawn(items),
        STAR_FRESHNESS: star_freshness(results.freshness),
        STAR_RUN: star_run(results.run),
    }
    return {contract: contract.conform(frame.withColumn("run_id", F.lit(run_id))) for contract, frame in frames.items()}


_UNDER_WAY: Final = 2**31 - 1
"""Stands for the number of a run that has none yet: it comes after all that have."""


def with_baseline(item: DataFrame, baseline: DataFrame, numbers: Mapping[str, int]) -> DataFrame:
    """ITEM with ``since_baseline``: it came or changed after the baseline of its lane; null of a link, which has none.

    On the day of the baseline itself that is what a later run than the one that set it brought. Which one is later ``run_no`` says: an
    id has the time of a clock, which may go back.

    Args:
        item: ITEM.
        baseline: BASELINE.
        numbers: ``run_no`` by run id. A run that is not among them is under way, and later than all that are; of two such their ids tell.
    """
    runs = local_frame(item.sparkSession, sorted(numbers.items()), schema="run_id string, run_no int")
    days = baseline.select("lane", "baseline_day", F.col("run_id").alias("baseline_run_id"))
    told = item.join(F.broadcast(days), on=["lane"], how="left")
    for name in ("changed", "baseline"):
        numbered = runs.select(F.col("run_id").alias(f"{name}_run_id"), F.col("run_no").alias(f"{name}_run_no"))
        told = told.join(F.broadcast(numbered), on=[f"{name}_run_id"], how="left")
    changed_no, baseline_no = (
        F.coalesce(F.col(f"{name}_run_no"), F.lit(_UNDER_WAY)) for name in ("changed", "baseline")
    )
    by_id = (changed_no == baseline_no) & (F.col("changed_run_id") > F.col("baseline_run_id"))
    is_later = (changed_no > baseline_no) | by_id
    later_that_day = (F.col("changed_day") == F.col("baseline_day")) & is_later
    since = (F.col("changed_day") > F.col("baseline_day")) | later_that_day
    return told.select(*item.columns, since.alias("since_baseline"))


def _on_the_day(items: DataFrame, run: DataFrame) -> DataFrame:
    """``with_baseline`` with ``change``: how an item changed on the day of the run, or 'unchanged'."""
    day = F.broadcast(run.select("run_day"))
    change = F.when(F.col("changed_day") == F.col("run_day"), F.col("last_change")).otherwise(F.lit(UNCHANGED))
    return items.crossJoin(day).withColumn("change", change).drop("run_day")


def _with_item(frame: DataFrame, items: DataFrame, kind: ItemKind, key: str) -> DataFrame:
    """Hits with what became of them. One that no item tells of leaves required columns null, which the store refuses."""
    names = ("change", "first_seen_day", "changed_day", "since_baseline", "tier_before", "match_weight_before")
    told = items.where(F.col("item_kind") == kind.value).select(F.col("item_id").alias(key), *names)
    return frame.join(told, on=[key], how="left")


def _followed(table: str) -> dict[str, Column]:
    """The columns of the star that every kind of hit has of its item."""
    return {
        f"{table}_change": F.col("change"),
        f"{table}_first_seen_date_key": date_key(F.col("first_seen_day")),
        f"{table}_changed_date_key": date_key(F.col("changed_day")),
        f"{table}_since_baseline": flag(F.col("since_baseline")),
    }


def star_hit(hit: DataFrame, items: DataFrame) -> DataFrame:
    """HIT and ``with_baseline`` → the columns of STAR_HIT without run_id; one row each."""
    return _fill(
        _with_item(hit, items, ItemKind.HIT, "hit_id"),
        STAR_HIT,
        hit_default_view=flag(F.col("default_view") & F.col("since_baseline")),
        **_followed("hit"),
        hit_key=F.col("hit_id"),
        employee_key=upper_key(F.col("employee_id")),
        event_key=joined_key(*map(F.col, _EVENT_KEY)),
        date_key=date_key(F.col("event_date")),
        reason_key=joined_key(F.lit("policy_reason"), F.col("policy_reason")),
        hit_tier_words=in_words(F.col("tier"), PLAIN_WORDS["tier"]),
        hit_role_words=in_words(F.col("role"), PLAIN_WORDS["role"]),
    )


def star_hit_link(hit_link: DataFrame) -> DataFrame:
    """HIT_LINK → the columns of STAR_HIT_LINK without run_id; one row each."""
    return _fill(hit_link, STAR_HIT_LINK, hit_key=F.col("hit_id"), link_key=hashed_key(*map(F.col, _LINK_KEY)))


def star_link(link: DataFrame, hit_link: DataFrame) -> DataFrame:
    """LINK → the columns of STAR_LINK without run_id; only links behind a hit."""
    behind = hit_link.select(*_LINK_KEY).distinct()
    return _fill(
        link.join(behind, on=list(_LINK_KEY), how="left_semi"),
        STAR_LINK,
        link_key=hashed_key(*map(F.col, _LINK_KEY)),
        link_employee_key=upper_key(F.col("employee_id")),
        link_rival_employee_key=upper_key(F.col("rival_employee_id")),
        link_rule_mask=F.col("rule_mask").cast("string"),
    )


def star_location_hit(location_hit: DataFrame, items: DataFrame) -> DataFrame:
    """LOCATION_HIT and ``with_baseline`` → the columns of STAR_LOCATION_HIT without run_id; one row each."""
    return _fill(
        _with_item(location_hit, items, ItemKind.LOCATION_HIT, "location_hit_id"),
        STAR_LOCATION_HIT,
        **_followed("location_hit"),
        location_hit_key=F.col("location_hit_id"),
        employee_key=upper_key(F.col("employee_id")),
        location_hit_event_key=joined_key(*map(F.col, _EVENT_KEY)),
        location_hit_date_key=date_key(F.col("event_date")),
        location_hit_place_words=in_words(F.col("place_level"), PLAIN_WORDS["place_level"]),
        location_hit_calls=F.col("calls_at_premises"),
        location_hit_calls_365_days=F.col("calls_at_premises_365_days"),
    )


def star_employee(employee: DataFrame) -> DataFrame:
    """EMPLOYEE → the columns of STAR_EMPLOYEE without run_id; one row each."""
    return _fill(
        employee,
        STAR_EMPLOYEE,
        employee_key=upper_key(F.col("employee_id")),
        employee_id=F.col("employee_id"),
        employee_start_date_key=date_key(F.col("start_date")),
    )


def star_event(event: DataFrame, hit: DataFrame, location_hit: DataFrame) -> DataFrame:
    """EVENT → the columns of STAR_EVENT without run_id; only events of hits and location hits."""
    keys = hit.select(*_EVENT_KEY).union(location_hit.select(*_EVENT_KEY)).distinct()
    return _fill(
        event.join(F.broadcast(keys), on=list(_EVENT_KEY), how="left_semi"),
        STAR_EVENT,
        event_key=joined_key(*map(F.col, _EVENT_KEY)),
        event_ref=F.col("event_ref"),
        event_type=F.col("event_type"),
        event_type_words=in_words(F.col("event_type"), PLAIN_WORDS["event_type"]),
        event_occurred_date_key=date_key(F.col("event_date")),
        event_review_date_key=date_key(F.col("review_date")),
    )


def star_date(hit: DataFrame, location_hit: DataFrame) -> DataFrame:
    """The columns of STAR_DATE without run_id: every day between the first and the last hit, and day 0."""
    dates = hit.select("event_date").union(location_hit.select("event_date"))
    days = dates.agg(F.min("event_date").alias("first"), F.max("event_date").alias("last")).select(
        F.explode(
            F.concat(
                F.array(F.lit(None).cast("date")),
                F.coalesce(F.sequence(F.col("first"), F.col("last")), F.array().cast("array<date>")),
            )
        ).alias("day")
    )
    day = F.col("day")
    first_year = F.year(F.add_months(day, -3))
    return (
        days.select(
            date_key(day).alias("date_key"),
            F.coalesce(day.cast("string"), F.lit("unknown")).alias("date_iso"),
            F.year(day).alias("date_year"),
            F.quarter(day).alias("date_quarter"),
            F.month(day).alias("date_month"),
            F.substring(day.cast("string"), 1, 7).alias("date_year_month"),
            (F.weekday(day) + 1).alias("date_weekday"),
            F.format_string("%d/%02d", first_year, F.pmod(first_year + 1, F.lit(100))).alias("financial"),
        )
        .select("*", F.when(F.col("date_year").isNotNull(), F.col("financial")).alias("date_financial_year"))
        .drop("financial")
    )


def star_reason(frame: DataFrame) -> DataFrame:
    """The columns of STAR_REASON without run_id; ``frame`` lends its session and nothing else."""
    rows = [
        (f"{name}/{code}", name, str(code), words)
        for name, codes in PLAIN_WORDS.items()
        for code, words in codes.items()
    ]
    names = [name for name in STAR_REASON.names if name != "run_id"]
    return local_frame(frame.sparkSession, rows, schema=", ".join(f"{name} string" for name in names))


def star_screening(screening: DataFrame) -> DataFrame:
    """SCREENING → the columns of STAR_SCREENING without run_id; one row each."""
    reason = F.col("not_screened_reason")
    return _fill(
        screening,
        STAR_SCREENING,
        employee_key=upper_key(F.col("employee_id")),
        screening_reason=reason,
        screening_reason_words=in_words(reason, PLAIN_WORDS["not_screened_reason"]),
    )


def star_withdrawn(items: DataFrame) -> DataFrame:
    """ITEM → the columns of STAR_WITHDRAWN without run_id: hits and location hits that no longer hold."""
    gone = items.where(~F.col("is_live") & (F.col("item_kind") != ItemKind.LINK.value))
    return _fill(
        gone,
        STAR_WITHDRAWN,
        withdrawn_key=F.col("item_id"),
        employee_key=upper_key(F.col("employee_id")),
        withdrawn_kind=F.col("item_kind"),
        withdrawn_reason=F.col("withdrawal_reason"),
        withdrawn_reason_words=in_words(F.col("withdrawal_reason"), PLAIN_WORDS["withdrawal_reason"]),
        withdrawn_first_seen_date_key=date_key(F.col("first_seen_day")),
        withdrawn_last_seen_date_key=date_key(F.col("last_seen_day")),
        withdrawn_date_key=date_key(F.col("changed_day")),
    )


FRESHNESS: Final = "source_system string, feed string, written_day date, event_day date, changed int, usual int"
"""Columns of ``freshness_rows``."""


def star_freshness(freshness: DataFrame) -> DataFrame:
    """``freshness_rows`` → the columns of STAR_FRESHNESS without run_id; one row each."""
    return _fill(
        freshness,
        STAR_FRESHNESS,
        freshness_feed=F.concat_ws(".", "source_system", "feed"),
        freshness_written_date_key=date_key(F.col("written_day")),
        freshness_event_date_key=date_key(F.col("event_day")),
    )


def star_run(run: DataFrame) -> DataFrame:
    """RUN → the columns of STAR_RUN without run_id; one row."""
    return _fill(run, STAR_RUN, run_day_date_key=date_key(F.col("run_day")))


def star_nominals(
    alert: DataFrame, same_nominal: DataFrame, portrait: DataFrame, *, run_id: str
) -> dict[TableContract, DataFrame]:
    """What the job nominals adds to the star; of portraits, those of linked persons only.

    Args:
        alert: NOMINAL_ALERT.
        same_nominal: SAME_NOMINAL.
        portrait: NOMINAL_PORTRAIT.
        run_id: the run.

    Returns:
        One frame per contract of ``tables.star.STAR_NOMINALS``, in that order.
    """
    key = hashed_key(F.col("employee_id"), F.col("nominal_id").cast("string"))
    alerts = _fill(
        alert,
        STAR_NOMINAL_ALERT,
        nominal_alert_key=key,
        employee_key=upper_key(F.col("employee_id")),
        nominal_alert_nominal=F.col("nominal_id").cast("string"),
        nominal_alert_tier_words=in_words(F.col("tier"), PLAIN_WORDS["tier"]),
        nominal_alert_match_weight=F.col("match_weight_millibits") / F.lit(1000.0),
        nominal_alert_first_event_date_key=date_key(F.col("first_event_date")),
        nominal_alert_last_event_date_key=date_key(F.col("last_event_date")),
    )
    of_alerts = portrait.join(F.broadcast(alert.select("employee_id", "nominal_id")), on=["nominal_id"])
    forms = _fill(
        of_alerts,
        STAR_NOMINAL_FORM,
        nominal_alert_key=key,
        nominal_form_first_seen_date_key=date_key(F.col("first_seen")),
        nominal_form_last_seen_date_key=date_key(F.col("last_seen")),
    )
    others = _fill(same_nominal, STAR_NOMINAL_OTHER, nominal_alert_key=key)
    tables = {STAR_NOMINAL_ALERT: alerts, STAR_NOMINAL_OTHER: others, STAR_NOMINAL_FORM: forms}
    return {table: table.conform(rows.withColumn("run_id", F.lit(run_id))) for table, rows in tables.items()}


_WRITE: Mapping[str, Callable[[Column], Column]] = {
    BOOLEAN.simpleString(): flag,
    TIMESTAMP.simpleString(): iso_utc,
    LONG.simpleString(): lambda number: number.cast("int"),
}
"""How each type is written where the star has no own rule for a column; other types stay as they are."""


def _fill(frame: DataFrame, contract: TableContract, **given: Column) -> DataFrame:
    """The contract's columns without run_id: those given, and the others from the column of that name.

    ``hit_lane`` of table hit is ``lane`` of the frame, and so on. A 64-bit integer becomes 32 bits: with
    ANSI on, one that does not fit stops the run instead of being cut.
    """
    types = {column.name: column.dataType.simpleString() for column in frame.schema.fields}
    columns = []
    for name in contract.names:
        source = name.removeprefix(f"{contract.name}_")
        if name == "run_id":
            continue
        if name in given:
            column = given[name]
        else:
            column = _WRITE.get(types.get(source, STRING.simpleString()), _same)(F.col(source))
        columns.append(column.alias(name))
    return frame.select(*columns)


def _same(column: Column) -> Column:
    """The column as it is."""
    return column
