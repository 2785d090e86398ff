"""Canaries go through the real mappings and the real model, and are missed when something on their way breaks."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from linkage_spark.flows.screen import screen
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.runs.canaries import Flock, flock_of, missed, release, screened_alone
from linkage_spark.settings.canaries import load_canaries
from linkage_spark.settings.sources import load_sources
from linkage_spark.standardise.canaries import canary_feeds
from linkage_spark.standardise.stage import Standardised, standardise
from linkage_spark.tables.enums import RunKind
from tests.support.feeds import CONF, raw_feeds
from tests.support.main_job import MainJob

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from linkage_spark.runs.context import RunContext

CANARIES = load_canaries(CONF)
ONE_NAME_IN = {"bearers": 10, "share": 1e-4}
SAME = next(canary for canary in CANARIES if canary.name == "same")
RARE = Frequencies.from_rows(
    [
        {"model_id": "screening_v1", "attribute": name, "value": "", **ONE_NAME_IN}
        for name in ("given", "surname", "date_of_birth", "postcode")
    ]
)
"""As in a force of some size: what few bear is rare."""


@pytest.fixture(scope="module")
def run(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    root = tmp_path_factory.mktemp("canaries")
    job = MainJob(spark, root / "estate", root / "feeds", clock=datetime(2026, 3, 1, tzinfo=UTC), with_canaries=True)
    context = job.context(RunKind.BACKFILL, date(2026, 3, 1), io.StringIO())
    context.model = load_model(CONF, "screening_v1")
    return context


@pytest.fixture(scope="module")
def made(spark: SparkSession, run: RunContext) -> Standardised:
    feeds = canary_feeds(raw_feeds(spark), run.sources, CANARIES)
    return standardise(feeds, sources=run.sources, reference=run.reference)


@pytest.fixture(scope="module")
def flock(spark: SparkSession, made: Standardised) -> Flock:
    return flock_of(spark, CANARIES, made)


def lost(run: RunContext, flock: Flock) -> list[str]:
    return missed(run, flock, screened_alone(run, flock, refined=(), frequencies=RARE))


def test_every_canary_becomes_an_employee_a_person_and_a_part_in_an_event_through_its_sources_mapping(
    made: Standardised, flock: Flock
) -> None:
    sources = Counter(canary.source for canary in CANARIES)
    assert set(sources) == {source.source_system for source in load_sources(CONF) if not source.roster}
    assert made.refused.collect() == []
    people = {(row["source_system"], row["person_ref"].strip().split("/")[0]) for row in flock.history.collect()}
    assert people == {(canary.source, canary.ref) for canary in CANARIES}
    assert {row["person_ref"].strip() for row in flock.roster.where("not_screened_reason is null").collect()} == {
        c.ref for c in CANARIES
    }
    told = {row["person_ref"].strip().split("/")[0]: row for row in flock.history.collect()}
    same = told["CANARY-same"]
    assert (same["given_name"], same["surname"], same["premises_key"]) == ("quvella", "zybranowitz", "B23 6ZZ|991|")
    assert told["CANARY-swapped-date"]["date_of_birth"] == date(1984, 3, 2)
    assert told["CANARY-no-date"]["dob_year"] is None
    assert told["CANARY-no-home"]["postcode"] is None
    for table in (flock.event, flock.involvement):
        assert Counter(row["source_system"] for row in table.collect()) == sources


@pytest.fixture(scope="module")
def numbered(spark: SparkSession, run: RunContext) -> Flock:
    """Canaries of feeds with dates and whole numbers."""
    frames = raw_feeds(spark)
    crime, custody = "crime.nominal", "custody.record"
    frames[crime] = frames[crime].selectExpr("* except (DOB, NOMINAL_URN)", "to_date(DOB) DOB", "0 NOMINAL_URN")
    part = "crime.involvement"
    frames[part] = frames[part].selectExpr("* except (NOMINAL_URN)", "cast(0 as decimal(12, 0)) NOMINAL_URN")
    frames[custody] = frames[custody].selectExpr("* except (DETAINEE_DOB)", "now() DETAINEE_DOB")
    feeds = canary_feeds(frames, run.sources, CANARIES)
    return flock_of(spark, CANARIES, standardise(feeds, sources=run.sources, reference=run.reference))


def test_canaries_come_through_feeds_with_dates_and_numbers_too(run: RunContext, numbered: Flock) -> None:
    assert lost(run, numbered) == []
    of_crime = numbered.person.where("source_system = 'crime'").collect()
    assert {row["person_ref"].strip() for row in of_crime} == {str(SAME.number)}


def test_all_are_found_in_their_tiers_by_the_shipped_model(run: RunContext, flock: Flock) -> None:
    assert lost(run, flock) == []


def test_a_canary_whose_record_the_mapping_loses_is_missed_and_the_message_names_it(
    run: RunContext, flock: Flock
) -> None:
    without = replace(flock, involvement=flock.involvement.where("source_system != 'crime'"))
    told = lost(run, without)
    assert len(told) == 1
    assert told[0].startswith("canary same of crime: not found instead of match")


def test_a_canary_of_a_source_that_is_not_mapped_is_not_released_and_so_not_counted(
    spark: SparkSession, run: RunContext
) -> None:
    mapped = tuple(source for source in run.sources if source.source_system != "custody")
    flock = release(replace(run, sources=mapped), raw_feeds(spark))
    assert {canary.source for canary in run.canaries} - {canary.source for canary in flock.canaries} == {"custody"}


def test_canaries_are_missed_when_the_model_no_longer_finds_them(run: RunContext, flock: Flock) -> None:
    deaf = run.model.model_copy(update={"thresholds": run.model.thresholds.model_copy(update={"match_bits": 1e6})})
    told = lost(replace(run, model=deaf), flock)
    strong = {canary.name for canary in CANARIES if canary.tier == "match"}
    assert {fault.split()[1] for fault in told} == strong
    assert all("found as possible instead of match" in fault for fault in told)


def test_canaries_are_screened_among_everybody_and_taken_out_of_what_everybody_is_found_with(
    run: RunContext, made: Standardised, numbered: Flock
) -> None:
    """An employee and a record of the same name, who bear a canary's own references, are found as if it were not there."""
    of_hr, is_same = F.col("source_system") == "hr", f"person_ref like '{SAME.ref}%'"
    persons = made.person.where(is_same)
    record = persons.where(~of_hr).withColumn("person_ref", F.lit(str(SAME.number)))
    roster, history = numbered.beside(persons.where(of_hr), record)
    scored = screen(
        roster, history, model=run.model, refined=(), frequencies=RARE, names=run.reference.names, secret=run.secret
    )
    others, own = numbered.apart(scored)
    found = {(row["employee_id"], row["person_ref"]) for row in others.collect()}
    assert found == {(SAME.ref, str(SAME.number))}
    assert missed(run, numbered, own) == []
    without = missed(run, numbered, own.where(f"trim(employee_id) <> '{SAME.ref}'"))
    assert [fault.split()[1] for fault in without] == [SAME.name]
