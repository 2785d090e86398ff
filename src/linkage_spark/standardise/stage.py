"""The stage: all feeds of a force -> the canonical tables. Lazy; no action inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import SettingsError
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.reference.standard import Reference
from linkage_spark.settings.sources import SourceMapping
from linkage_spark.standardise import events, identifiers, persons
from linkage_spark.standardise.rows import refuse, settle
from linkage_spark.tables.canonical import (
    EVENT,
    INVOLVEMENT,
    LOCATION,
    PERSON,
    REFUSED,
)
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER


@dataclass(frozen=True)
class Standardised:
    """The canonical tables as lazy frames, each with its contract's columns.

    Of every source and table: rows of the feeds that produce it = rows here + rows in ``refused``; of
    ``person_identifier`` it is the numbers that those rows state.
    The roster's unit is the assignment: its persons and employees are its assignments made one per
    employee, and its refused rows stand under ``assignment`` only.

    ``judged`` are the frames that several of the tables are made from, lazy like the tables: whoever writes
    the tables may persist them before and release them after, and no row changes.
    """

    person: DataFrame
    employee: DataFrame
    assignment: DataFrame
    event: DataFrame
    involvement: DataFrame
    location: DataFrame
    person_identifier: DataFrame
    refused: DataFrame
    judged: tuple[DataFrame, ...] = ()


def standardise(
    feeds: Mapping[str, DataFrame],
    *,
    sources: tuple[SourceMapping, ...],
    reference: Reference,
    as_of: date | None = None,
) -> Standardised:
    """Bring every feed into the canonical tables.

    Args:
        feeds: raw frames by ``source.feed``; one that is not required may be missing.
        sources: the mappings.
        reference: names, titles, placeholders, postcodes, streets.
        as_of: a later date of birth is out of range; None for no such limit. The run's own date, so that
            no clock is read here.

    Raises:
        SettingsError: when there is no frame at all, or the roster's mapping makes no assignments.
    """
    spark = _session_of(feeds)
    roster = next(source for source in sources if source.roster)
    police = tuple(source for source in sources if not source.roster)
    _check_roster(roster, feeds)
    hr_judged, hr_person = persons.judge_roster(feeds, roster, reference=reference, as_of=as_of)
    hr_rows = settle(hr_judged)
    people: dict[str, DataFrame] = {}
    happened: dict[str, DataFrame] = {}
    parts: dict[str, DataFrame] = {}
    places: dict[str, DataFrame] = {}
    numbers: dict[str, DataFrame] = {}
    for source in police:
        name = source.source_system
        opened = events.open_events(feeds, source)
        _put(people, name, persons.judge_persons(feeds, source))
        _put(happened, name, events.judge_events(opened) if opened is not None else None)
        _put(parts, name, events.judge_involvements(feeds, source, events=happened.get(name), persons=people.get(name)))
        _put(places, name, events.judge_locations(feeds, source, events=happened.get(name)))
        _put(numbers, name, identifiers.judge_identifiers(feeds, source, persons=people.get(name)))
    judged = (people, happened, parts, places, numbers)
    everything = (hr_rows, *(frame for frames in judged for frame in frames.values()))
    assignment = persons.form_assignments(hr_rows)
    police_person = persons.form_police(people, feeds, police, reference=reference, as_of=as_of)
    return Standardised(
        person=_together(spark, PERSON, [hr_person, *([police_person] if police_person is not None else [])]),
        employee=persons.form_employees(assignment),
        assignment=assignment,
        event=_together(spark, EVENT, [events.form_events(frame) for frame in happened.values()]),
        involvement=_together(spark, INVOLVEMENT, [events.form_involvements(frame) for frame in parts.values()]),
        location=_together(
            spark, LOCATION, [p for p in [events.form_places(places, reference=reference)] if p is not None]
        ),
        person_identifier=_together(
            spark,
            PERSON_IDENTIFIER,
            [identifiers.form_identifiers(frame, as_of=as_of) for frame in numbers.values()],
        ),
        refused=_together(spark, REFUSED, [refuse(frame) for frame in everything]),
        judged=everything,
    )


def rows_by_table(
    rows: Mapping[str, int], sources: tuple[SourceMapping, ...], *, numbers: Mapping[str, int]
) -> dict[tuple[str, str, str], int]:
    """Raw rows by (source, feed, canonical table): what Standardised must add up to.

    A feed stands once per table that it produces; the roster once, under ``assignment``. Of ``person_identifier`` the
    unit is the number: a row may state two, or none.

    Args:
        rows: raw rows by ``source.feed``.
        sources: the mappings.
        numbers: PNC and CRO numbers that the rows state, by ``source.feed``.
    """
    counted = {}
    for source in sources:
        for feed in source.feeds.values():
            tables = {"assignment"} if source.roster else {block.table for block in feed.produces}
            for table in sorted(tables) if feed.key in rows else ():
                of_table = numbers if table == PERSON_IDENTIFIER.name else rows
                counted[(source.source_system, feed.name, table)] = of_table[feed.key]
    return counted


def _put(frames: dict[str, DataFrame], name: str, judged: DataFrame | None) -> None:
    """Add a judged frame, settled, when there is one."""
    if judged is not None:
        frames[name] = settle(judged)


def _session_of(feeds: Mapping[str, DataFrame]) -> SparkSession:
    """The session behind the feeds."""
    for frame in feeds.values():
        return frame.sparkSession
    raise SettingsError("no feed was given; see conf/sources")


def _check_roster(roster: SourceMapping, feeds: Mapping[str, DataFrame]) -> None:
    """The roster's feed is there and makes assignments and persons out of the same rows."""
    for feed in roster.feeds.values():
        made = [block.table for block in feed.produces]
        if feed.key in feeds and "assignment" in made and "person" in made:
            return
    raise SettingsError(
        f"conf/sources/{roster.source_system}.toml: one feed must produce both person and assignment; "
        "add the missing [[produces]] block"
    )


def _together(spark: SparkSession, contract: TableContract, frames: list[DataFrame]) -> DataFrame:
    """All frames under each other in the contract's shape; an empty one when there is none."""
    if not frames:
        return local_frame(spark, [], schema=contract.schema)
    return contract.conform(reduce(DataFrame.unionByName, frames))
