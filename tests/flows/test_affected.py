"""Which units a day makes anew, and how it learns that they changed."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from linkage_spark.kit.frames import local_frame
from linkage_spark.kit.keyed import with_hmac
from linkage_spark.reference.standard import load_reference
from linkage_spark.settings.sources import Disposal, FeedMapping, SourceMapping, Withdrawn, load_sources
from linkage_spark.standardise.affected import (
    changed_prints,
    feed_prints,
    involvement_pairs,
    rows_to_read,
    units_to_make,
)
from linkage_spark.standardise.rows import falls_due, with_disposal
from linkage_spark.standardise.stage import standardise
from linkage_spark.tables.changes import FEED_PRINT, FEED_UNIT
from tests.support.feeds import CONF, raw_feeds, raw_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SECRET = b"k" * 70
SOURCES = load_sources(CONF)
UNIT = ", ".join(f"{column.name} string" for column in FEED_UNIT)


def feed_of(key: str) -> FeedMapping:
    source, name = key.split(".")
    return next(each for each in SOURCES if each.source_system == source).feeds[name]


@pytest.mark.parametrize("secret", [b"short", b"s" * 64, SECRET])
def test_a_keyed_hash_is_the_one_of_the_standard_library(spark: SparkSession, secret: bytes) -> None:
    texts = ["", "Zoë", "x" * 500]
    frame = with_hmac(
        local_frame(spark, [(text,) for text in [*texts, None]], "text string"), "mac", F.col("text"), secret
    )
    found = {row["text"]: row["mac"] for row in frame.collect()}
    assert {text: bytes(found[text]) for text in texts} == {
        text: hmac.new(secret, text.encode(), hashlib.sha256).digest() for text in texts
    }
    assert found[None] is None
    plan = frame._jdf.queryExecution().toString()
    assert secret.hex() not in plan.lower()


def prints(spark: SparkSession, key: str, rows: list[dict], feed: FeedMapping | None = None):
    return feed_prints(raw_feeds(spark, {key: rows})[key], feed or feed_of(key), secret=SECRET)


def changed(
    spark: SparkSession, key: str, before: list[dict], now: list[dict], feed: FeedMapping | None = None
) -> set[tuple]:
    found = changed_prints(prints(spark, key, before, feed), prints(spark, key, now, feed))
    assert tuple(found.columns) == FEED_PRINT.names
    return {(row["produces"], row["person_ref"] or row["event_ref"], row["rows"]) for row in found.collect()}


def test_units_whose_rows_came_changed_or_went_are_told_and_no_others(spark: SparkSession) -> None:
    key, rows = "intel.subject", raw_rows()["intel.subject"]
    assert changed(spark, key, rows, rows[::-1]) == set()
    amended = [{**rows[0], "SUBJECT_NAME": "Mo Husain"}, *rows[1:]]
    assert changed(spark, key, rows, amended) == {("person", "R1/1", 1), ("involvement", "R1/1", 1)}
    assert changed(spark, key, rows, rows[1:]) == {("person", "R1/1", 0), ("involvement", "R1/1", 0)}
    assert changed(spark, key, rows[1:], rows) == {("person", "R1/1", 1), ("involvement", "R1/1", 1)}
    assert changed(spark, key, rows, [rows[0], *rows]) == {("person", "R1/1", 2), ("involvement", "R1/1", 2)}
    # One row twice is not the same as another row twice: no print may cancel out.
    other = {**rows[0], "SUBJECT_NAME": "Mo Husain"}
    assert changed(spark, key, [rows[0]] * 2, [other] * 2) == {("person", "R1/1", 2), ("involvement", "R1/1", 2)}


def test_a_feed_with_a_time_of_change_is_compared_by_key_and_time_alone(spark: SparkSession) -> None:
    key, rows = "custody.record", raw_rows()["custody.record"]
    assert feed_of(key).changed_at == "UPDATED_AT"
    silent = [{**rows[0], "DETAINEE_NAME": "SANDHU, Harpreet"}, *rows[1:]]
    assert changed(spark, key, rows, silent) == set()
    told = [{**rows[0], "UPDATED_AT": rows[1]["UPDATED_AT"].replace(year=2024)}, *rows[1:]]
    assert changed(spark, key, rows, told) == {(name, "C1", 1) for name in ("person", "event", "involvement")}
    assert changed(spark, key, rows, rows[1:]) == {(name, "C1", 0) for name in ("person", "event", "involvement")}


def test_a_column_that_no_mapping_reads_changes_nothing(spark: SparkSession) -> None:
    key, rows = "intel.report", raw_rows()["intel.report"]
    assert changed(spark, key, rows, [{**row, "SANITISED_TEXT": "other"} for row in rows]) == set()


def test_a_changed_person_takes_its_aliases_and_parts_along_and_what_these_are_judged_by(spark: SparkSession) -> None:
    feeds = raw_feeds(spark)
    police = tuple(source for source in SOURCES if source.source_system == "crime")
    unit = local_frame(spark, [("crime", "nominal", "person", "N4", "")], schema=UNIT)
    pairs = involvement_pairs(feeds, police, unit)
    assert {tuple(row) for row in pairs.collect()} == {("crime", "20/2", "N4")}
    units = units_to_make(police, unit, pairs)
    assert {name: [tuple(row)[1:] for row in frame.collect()] for name, frame in units.items()} == {
        "person": [("N4",)],
        "event": [],
        "involvement": [("20/2", "N4")],
        "location": [],
        "person_identifier": [],
    }
    read = rows_to_read(feeds, police, units)
    assert {key: frame.count() for key, frame in read.items()} == {
        "crime.nominal": 2,  # both versions
        "crime.nominal_alias": 1,
        "crime.occurrence": 1,  # tells whether the event is there
        "crime.involvement": 1,
        "crime.location": 0,
    }
    assert "FREE_TEXT" not in read["crime.occurrence"].columns


def test_rows_without_a_key_are_one_unit(spark: SparkSession) -> None:
    feeds = raw_feeds(spark)
    police = tuple(source for source in SOURCES if source.source_system == "crime")
    unit = local_frame(spark, [("crime", "nominal", "person", "", "")], schema=UNIT)
    pairs = involvement_pairs(feeds, police, unit)
    read = rows_to_read(feeds, police, units_to_make(police, unit, pairs))
    assert [row["NOMINAL_URN"] for row in read["crime.nominal"].collect()] == [None]


def with_withdrawn(key: str, column: str, value: str) -> tuple[SourceMapping, ...]:
    return with_feed(feed_of(key).model_copy(update={"withdrawn": Withdrawn(column=column, values=(value,))}))


def with_feed(feed: FeedMapping) -> tuple[SourceMapping, ...]:
    return tuple(
        source.model_copy(update={"feeds": {**source.feeds, feed.name: feed}})
        if source.source_system == feed.source_system
        else source
        for source in SOURCES
    )


def test_a_record_that_its_source_took_back_is_refused_with_what_hangs_on_it_and_no_older_version_returns(
    spark: SparkSession,
) -> None:
    rows = raw_rows()
    rows["crime.nominal"][4]["TITLE"] = "withdrawn"  # the newer version of N4
    sources = with_withdrawn("crime.nominal", "TITLE", "WITHDRAWN")
    made = standardise(raw_feeds(spark, rows), sources=sources, reference=load_reference(CONF))
    assert made.person.where("person_ref = 'N4'").count() == 0
    refused = {(row["feed"], row["reason"]) for row in made.refused.where("person_ref = 'N4'").collect()}
    assert refused == {
        ("nominal", "withdrawn"),
        ("nominal", "superseded_version"),
        ("nominal_alias", "unknown_person"),
        ("involvement", "unknown_person"),
    }


def test_a_record_whose_disposal_date_has_come_is_refused_and_one_whose_date_cannot_be_read_too(
    spark: SparkSession,
) -> None:
    rows = raw_rows()
    newer = rows["crime.nominal"][4]
    of_n4 = [row for row in rows["crime.nominal"] if row["NOMINAL_URN"] == "N4"]
    assert len(of_n4) == 2
    feed = feed_of("crime.nominal").model_copy(
        update={"disposal": Disposal(column="TITLE", date_formats=("dd/MM/yyyy",))}
    )
    told = {}
    for said in ("01/04/2026", "2026-04-02", "soon", ""):
        newer["TITLE"] = said
        frames = raw_feeds(spark, rows)
        frames["crime.nominal"] = with_disposal(frames["crime.nominal"], feed, day=date(2026, 4, 1))
        made = standardise(frames, sources=with_feed(feed), reference=load_reference(CONF))
        kept = made.person.where("person_ref = 'N4' and variant_no = 0").count()
        refused = {row["reason"]: row for row in made.refused.where("person_ref = 'N4' and feed = 'nominal'").collect()}
        told[said] = (kept, set(refused))
        is_blank = {reason: row["row_json"] == "{}" for reason, row in refused.items()}
        assert set(is_blank.values()) == {kept == 0}, (
            f"{said}: older versions are gone with the newest, and its content too"
        )
    assert told == {
        "01/04/2026": (0, {"disposal_due", "superseded_version"}),
        "2026-04-02": (1, {"superseded_version"}),
        "soon": (0, {"unreadable_date", "superseded_version"}),
        "": (1, {"superseded_version"}),
    }


def test_nothing_is_kept_of_what_is_gone_whatever_else_speaks_against_it(spark: SparkSession) -> None:
    rows = raw_rows()
    newer = rows["crime.nominal"][4]
    newer["TITLE"] = "withdrawn"
    rows["crime.nominal"] += [dict(newer), {**newer, "NOMINAL_URN": ""}]
    alias = next(row for row in rows["crime.nominal_alias"] if row["NOMINAL_URN"] == "N4")
    rows["crime.nominal_alias"] += [dict(alias), {**alias, "SURNAME": "OTHERWISE"}]
    sources = with_withdrawn("crime.nominal", "TITLE", "WITHDRAWN")
    made = standardise(raw_feeds(spark, rows), sources=sources, reference=load_reference(CONF))
    of_nominals = made.refused.where("feed in ('nominal', 'nominal_alias')")
    gone = of_nominals.where("person_ref = 'N4' or person_ref is null and reason = 'missing_key'").collect()
    assert {(row["feed"], row["reason"]) for row in gone} == {
        ("nominal", "withdrawn"),
        ("nominal", "superseded_version"),
        ("nominal", "duplicate_row"),
        ("nominal", "missing_key"),
        ("nominal_alias", "unknown_person"),
        ("nominal_alias", "duplicate_row"),
        ("nominal_alias", "superseded_version"),
    }
    told = [row["row_json"] for row in gone if row["row_json"] != "{}"]
    assert len(told) == 1, "of the rows without a key one is not withdrawn"
    assert "withdrawn" not in told[0].lower()
    others = made.refused.where("person_ref not in ('N4') and feed = 'nominal_alias'").collect()
    assert all(row["row_json"] != "{}" for row in others)


def test_of_level_versions_one_that_holds_comes_before_one_that_is_taken_back(spark: SparkSession) -> None:
    rows = raw_rows()
    first = next(row for row in rows["crime.nominal"] if row["NOMINAL_URN"] == "N2")
    for name in ("AAA", "ZZZ"):  # whichever way their hashes fall
        rows["crime.nominal"].append({**first, "TITLE": "withdrawn", "FORENAME_2": name})
    sources = with_withdrawn("crime.nominal", "TITLE", "WITHDRAWN")
    made = standardise(raw_feeds(spark, rows), sources=sources, reference=load_reference(CONF))
    assert made.person.where("person_ref = 'N2' and variant_no = 0").count() == 1


def test_an_employee_whose_roster_row_is_taken_back_is_not_screened(spark: SparkSession) -> None:
    rows = raw_rows()
    leaver, mover = rows["hr.extract"][0], next(row for row in rows["hr.extract"] if row["PERSON_NUMBER"] == "E5")
    leaver["TEAM"] = "LEFT"
    rows["hr.extract"].append(
        {**mover, "ASSIGNMENT_NUMBER": "E5-old", "ADDRESS_LINE_1": "1 Former Road", "TEAM": "LEFT"}
    )
    sources = with_withdrawn("hr.extract", "TEAM", "LEFT")
    made = standardise(raw_feeds(spark, rows), sources=sources, reference=load_reference(CONF))
    on_roster = {row["person_ref"] for row in made.person.where("source_system = 'hr'").collect()}
    assert on_roster == {row["employee_id"] for row in made.employee.collect()}
    assert leaver["PERSON_NUMBER"] not in on_roster
    assert "E5" in on_roster, "what he no longer has contradicts nothing"


def test_a_part_whose_event_is_taken_back_with_another_row_goes_too(spark: SparkSession) -> None:
    """A flat feed: each row makes the event, and one person's part in it."""
    rows = raw_rows()
    first = rows["custody.record"][0]
    later = first["UPDATED_AT"].replace(year=2025)
    rows["custody.record"].append(
        {**first, "DETAINEE_NAME": "SOMEBODY, Else", "OFFENCE_CODE": "GONE", "UPDATED_AT": later}
    )
    sources = with_withdrawn("custody.record", "OFFENCE_CODE", "GONE")
    made = standardise(raw_feeds(spark, rows), sources=sources, reference=load_reference(CONF))
    events = {row["event_ref"] for row in made.event.where("source_system = 'custody'").collect()}
    parts = {row["event_ref"] for row in made.involvement.where("source_system = 'custody'").collect()}
    assert parts <= events
    assert first["CUSTODY_NO"] not in events
    refused = made.refused.where(F.col("event_ref") == first["CUSTODY_NO"]).collect()
    assert {row["produces"] for row in refused} == {"event", "involvement"}
    assert {row["row_json"] for row in refused} == {"{}"}, "nothing is kept of the older row either"


def test_rows_whose_disposal_falls_due_are_those_after_one_day_and_not_after_another(spark: SparkSession) -> None:
    feed = feed_of("crime.nominal").model_copy(update={"disposal": Disposal(column="D")})
    days = [None, *(date(2026, 4, day) for day in (1, 2, 3, 4))]
    frame = local_frame(spark, [(day,) for day in days], "D date")
    due = falls_due(frame, feed, after=date(2026, 4, 1), until=date(2026, 4, 3))
    assert sorted(row["D"].day for row in due.collect()) == [2, 3]
    assert falls_due(frame, feed_of("crime.nominal"), after=date(2026, 4, 1), until=date(2026, 4, 3)).isEmpty()


def test_a_refused_row_keeps_only_columns_that_the_mapping_reads_and_names_what_it_speaks_of(
    spark: SparkSession,
) -> None:
    made = standardise(raw_feeds(spark), sources=SOURCES, reference=load_reference(CONF))
    rows = {(row["feed"], row["reason"]): row for row in made.refused.where("source_system = 'crime'").collect()}
    stranger = rows[("involvement", "unknown_event")]
    assert (stranger["event_ref"], stranger["person_ref"]) == ("99/9", "N1")
    assert "CREATED_AT" not in rows[("nominal", "missing_key")]["row_json"]
    assert rows[("nominal", "missing_key")]["person_ref"] is None
