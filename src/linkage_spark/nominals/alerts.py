"""Hits that know nominals: one alert per employee and person, and the records of that person that did not match."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.nominals.records import RECORD_KEY, is_police, record_id, with_record_id
from linkage_spark.tables.enums import Lane, Tier
from linkage_spark.tables.nominals import NOMINAL_ALERT, SAME_NOMINAL

_TIERS = (Tier.MATCH.value, Tier.POSSIBLE.value)
"""Tiers that a reviewer may see, the stronger first."""

_ALERT_KEY = ("employee_id", "nominal_id")
_EVENT_KEY = ("source_system", "event_ref")


class AlertTables(NamedTuple):
    """Alerts and what is offered beside them.

    Attributes:
        alert: as the contract NOMINAL_ALERT.
        same_nominal: as the contract SAME_NOMINAL.
    """

    alert: DataFrame
    same_nominal: DataFrame


def build_alerts(
    *,
    hit: DataFrame,
    hit_link: DataFrame,
    link: DataFrame,
    negated: DataFrame,
    persons: DataFrame,
    involvement: DataFrame,
    member: DataFrame,
) -> AlertTables:
    """Count hits per person instead of per record, and offer the person's other records.

    An alert rests on the shown links of one employee to the records of one nominal; an event that several of those
    records, roles or links stand behind counts once. Links whose record stands in no event make an alert with 0
    events. Every other record of the nominal is offered beside the alert and makes no hit, also when its link is of
    tier non_match or another employee is linked to it; but for one of which a reviewer has said that it is not this
    employee. Links, hits and offers are small and broadcast; persons, involvement and member are read where they lie.

    Args:
        hit: HIT.
        hit_link: HIT_LINK of those hits.
        link: LINK of the same run, any tiers.
        negated: NEGATED_LINK of the same run: such a record is no offer to its employee, and one to all others.
        persons: PERSON, for the references of the other records; a member that is not among them is not offered.
        involvement: INVOLVEMENT.
        member: NOMINAL_MEMBER. A shown link to a record that is no member makes no alert: ``links_without_nominal``.

    Returns:
        NOMINAL_ALERT and SAME_NOMINAL. ``other_events`` leaves out every event in which the employee has a hit.
    """
    linked = _linked(link, member)
    offers = _offers(linked, negated, member, persons)
    offered_events = involvement.select(*_EVENT_KEY, "person_ref").join(
        F.broadcast(offers.select(*_ALERT_KEY, *RECORD_KEY)), on=list(RECORD_KEY), how="inner"
    )
    per_alert = linked.groupBy(*_ALERT_KEY).agg(
        F.min(_rank()).alias("best"),
        _int(F.count(F.lit(1))).alias("linked_records"),
        _int(F.count_if("quarantined")).alias("linked_waiting"),
    )
    alert = _alerts(per_alert, _hits_behind(hit, hit_link, linked), offers, _beyond_hits(offered_events, hit))
    return AlertTables(
        alert=NOMINAL_ALERT.conform(alert),
        same_nominal=SAME_NOMINAL.conform(_same_nominal(offers, offered_events, per_alert)),
    )


def links_without_nominal(link: DataFrame, member: DataFrame) -> DataFrame:
    """Shown links to records that belong to no nominal, and so make no alert; lazy.

    One row per source: ``source_system``, ``links`` LONG. No row when there is none.
    """
    shown = with_record_id(_shown(link).select(*RECORD_KEY))
    known = member.select("record_id").join(F.broadcast(shown.select("record_id")), on="record_id", how="left_semi")
    left = shown.join(F.broadcast(known), on="record_id", how="left_anti")
    return left.groupBy("source_system").agg(F.count(F.lit(1)).alias("links"))


def _shown(link: DataFrame) -> DataFrame:
    """Links that a reviewer may see."""
    return link.where(F.col("tier").isin(*_TIERS))


def _linked(link: DataFrame, member: DataFrame) -> DataFrame:
    """One row per shown link whose record belongs to a nominal."""
    shown = with_record_id(_shown(link).select("employee_id", *RECORD_KEY, "tier", "match_weight_millibits"))
    places = member.select("record_id", "nominal_id", "quarantined")
    return places.join(F.broadcast(shown), on="record_id", how="inner")


def _rank() -> Column:
    """What the best link is least in: tier, weight downwards, then the unique record."""
    tier = F.when(F.col("tier") == _TIERS[0], 0).otherwise(1)
    weight = (-F.col("match_weight_millibits")).alias("weight")
    return F.struct(tier.alias("rank"), weight, *RECORD_KEY, "tier", "match_weight_millibits")


def _offers(linked: DataFrame, negated: DataFrame, member: DataFrame, persons: DataFrame) -> DataFrame:
    """The alert's key, the record's key and ``quarantined``: records of the nominal whose link is neither shown nor negated."""
    alerts, pair = linked.select(*_ALERT_KEY).distinct(), ["employee_id", "record_id"]
    settled = linked.select(*pair).unionByName(with_record_id(negated).select(*pair))
    others = (
        member.select("record_id", "nominal_id", "quarantined")
        .join(F.broadcast(alerts), on="nominal_id", how="inner")
        .join(F.broadcast(settled), on=pair, how="left_anti")
    )
    records = persons.where(is_police()).select(*RECORD_KEY, record_id().alias("record_id"))
    found = records.join(F.broadcast(others), on="record_id", how="inner")
    return found.select(*_ALERT_KEY, *RECORD_KEY, "quarantined").distinct()  # one of a record's variants


def _hits_behind(hit: DataFrame, hit_link: DataFrame, linked: DataFrame) -> DataFrame:
    """The alert's key and what counts of each hit of its records; a hit once per alert."""
    hits = hit.select("hit_id", *_EVENT_KEY, "role", "lane", "event_date", "default_view")
    return (
        hit_link.select("hit_id", "employee_id", *RECORD_KEY)
        .join(F.broadcast(linked.select(*_ALERT_KEY, *RECORD_KEY)), on=["employee_id", *RECORD_KEY], how="inner")
        .select("hit_id", *_ALERT_KEY)
        .distinct()
        .join(hits, on="hit_id", how="inner")
    )


def _beyond_hits(offered_events: DataFrame, hit: DataFrame) -> DataFrame:
    """The alert's key and ``other_events``: events of offered records in which the employee has no hit."""
    hits = hit.select("employee_id", *_EVENT_KEY).distinct()
    beyond = offered_events.join(F.broadcast(hits), on=["employee_id", *_EVENT_KEY], how="left_anti")
    return beyond.groupBy(*_ALERT_KEY).agg(_distinct_events().alias("other_events"))


def _alerts(per_alert: DataFrame, hits: DataFrame, offers: DataFrame, beyond: DataFrame) -> DataFrame:
    """Everything of NOMINAL_ALERT."""
    events = hits.groupBy(*_ALERT_KEY).agg(
        _distinct_events().alias("events"),
        _distinct_events(F.col("lane") == Lane.CONDUCT.value).alias("conduct_events"),
        _distinct_events(F.col("lane") == Lane.WELFARE.value).alias("welfare_events"),
        F.min("event_date").alias("first_event_date"),
        F.max("event_date").alias("last_event_date"),
        F.max("default_view").alias("default_view"),
    )
    others = offers.groupBy(*_ALERT_KEY).agg(
        _int(F.count(F.lit(1))).alias("other_records"),
        _int(F.count_if("quarantined")).alias("other_waiting"),
    )
    key = list(_ALERT_KEY)
    joined = per_alert
    for part in (events, _roles(hits), others, beyond):
        joined = joined.join(part, on=key, how="left")
    counts = ("events", "conduct_events", "welfare_events", "other_records", "other_waiting", "other_events")
    filled = joined.withColumns(
        {
            **{name: F.coalesce(name, F.lit(0)) for name in counts},
            "default_view": F.coalesce("default_view", F.lit(False)),
            "roles_json": F.coalesce("roles_json", F.lit("{}")),
            "tier": F.col("best.tier"),
            "match_weight_millibits": F.col("best.match_weight_millibits"),
        }
    )
    return filled.withColumn("statement", _alert_in_words())


def _roles(hits: DataFrame) -> DataFrame:
    """The alert's key and ``roles_json``: events per role, roles in alphabetical order."""
    per_role = hits.groupBy(*_ALERT_KEY, "role").agg(_distinct_events().alias("events"))
    in_order = F.array_sort(F.collect_list(F.struct("role", "events")))
    return per_role.groupBy(*_ALERT_KEY).agg(F.to_json(F.map_from_entries(in_order)).alias("roles_json"))


def _same_nominal(offers: DataFrame, offered_events: DataFrame, per_alert: DataFrame) -> DataFrame:
    """Everything of SAME_NOMINAL."""
    record = ("employee_id", *RECORD_KEY)
    events = offered_events.groupBy(*record).agg(_distinct_events().alias("events"))
    return (
        offers.join(events, on=list(record), how="left")
        .join(per_alert.select(*_ALERT_KEY, "linked_records", "linked_waiting"), on=list(_ALERT_KEY), how="inner")
        .withColumn("events", F.coalesce("events", F.lit(0)))
        .withColumn("statement", _offer_in_words())
    )


def _alert_in_words() -> Column:
    """'3 records, 2 events; 1 other record of the same nominal, not matched, in 4 further events'."""
    waiting = F.col("linked_waiting") + F.col("other_waiting")
    others = F.when(
        F.col("other_records") > 0,
        F.concat(
            F.lit("; "),
            _counted(F.col("other_records"), "other record"),
            F.lit(" of the same nominal, not matched, in "),
            _counted(F.col("other_events"), "further event"),
        ),
    )
    return F.concat_ws(
        "",
        _counted(F.col("linked_records"), "record"),
        F.lit(", "),
        _counted(F.col("events"), "event"),
        others,
        F.when(
            waiting > 0, F.concat(F.lit("; a reviewer has yet to settle the place of "), _counted(waiting, "record"))
        ),
    )


def _offer_in_words() -> Column:
    """'same nominal as 2 linked records, not itself matched'."""
    return F.concat_ws(
        "",
        F.lit("same nominal as "),
        _counted(F.col("linked_records"), "linked record"),
        F.lit(", not itself matched"),
        F.when(F.col("quarantined"), F.lit("; a reviewer has yet to settle its place in the nominal")),
        F.when(
            F.col("linked_waiting") > 0,
            F.concat(
                F.lit("; a reviewer has yet to settle the place of "),
                _counted(F.col("linked_waiting"), "linked record"),
            ),
        ),
    )


def _counted(count: Column, noun: str) -> Column:
    """'1 record', '2 records'."""
    return F.concat(count.cast("string"), F.when(count == 1, F.lit(f" {noun}")).otherwise(F.lit(f" {noun}s")))


def _distinct_events(condition: Column | None = None) -> Column:
    """Events, each counted once; those that meet the condition where there is one."""
    event = F.struct(*_EVENT_KEY)
    return _int(F.countDistinct(event if condition is None else F.when(condition, event)))


def _int(count: Column) -> Column:
    """A count as the contracts hold it."""
    return count.cast("int")
