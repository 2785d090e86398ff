"""The stage: all feeds of a force -> the canonical tables. Lazy; no action inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.reference.standard import Reference
from linkage_spark.settings.sources import SourceMapping
from linkage_spark.standardise import events, identifiers, persons
from linkage_spark.standardise.rows import refuse, settle
from linkage_spark.tables.canonical import (
    CANONICAL,
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
    roster = standardise_roster(feeds, sources=sources, reference=reference, as_of=as_of)
    police = standardise_police(spark, feeds, sources=sources, reference=reference, as_of=as_of)
    return replace(
        police,
        person=PERSON.conform(roster.person.unionByName(police.person)),
        employee=roster.employee,
        assignment=roster.assignment,
        refused=REFUSED.conform(roster.refused.unionByName(police.refused)),
        judged=(*roster.judged, *police.judged),
    )


def standardise_roster(
    feeds: Mapping[str, DataFrame], *, sources: tuple[SourceMapping, ...], reference: Reference, as_of: date | None
) -> Standardised:
    """The roster's feed alone; the tables of the police are empty. Otherwise as ``standardise``."""
    spark = _session_of(feeds)
    roster = next(source for source in sources if source.roster)
    _check_roster(roster, feeds)
    hr_judged, hr_person = persons.judge_roster(feeds, roster, reference=reference, as_of=as_of)
    hr_rows = settle(hr_judged)
    assignment = persons.form_assignments(hr_rows)
    return replace(
        _nothing(spark),
        person=hr_person,
        employee=persons.form_employees(assignment),
        assignment=assignment,
        refused=refuse(hr_rows),
        judged=(hr_rows,),
    )


def standardise_police(
    spark: SparkSession,
    feeds: Mapping[str, DataFrame],
    *,
    sources: tuple[SourceMapping, ...],
    reference: Reference,
    as_of: date | None,
    only: Mapping[str, DataFrame] | None = None,
) -> Standardised:
    """The feeds of the police; the tables of the roster are empty. Otherwise as ``standardise``.

    Args:
        spark: the session.
        feeds: as in ``standardise``; with ``only``, of every unit it names all rows, and all rows that these are judged by.
        sources: the mappings.
        reference: names, titles, placeholders, postcodes, streets.
        as_of: as in ``standardise``.
        only: by canonical table the units to make, as ``affected.units_to_make`` gives them; what else stands in the feeds only
            tells whether an event or a person is there. None: everything.
    """
    police = tuple(source for source in sources if not source.roster)
    judged = _Judged()
    for source in police:
        name = source.source_system
        opened = events.open_events(feeds, source)
        people = _settled(persons.judge_persons(feeds, source))
        happened = _settled(events.judge_events(opened) if opened is not None else None)
        parts = _settled(events.judge_involvements(feeds, source, events=happened, persons=people))
        places = _settled(events.judge_locations(feeds, source, events=happened))
        numbers = _settled(identifiers.judge_identifiers(feeds, source, persons=people))
        judged.put(
            name, {PERSON: people, EVENT: happened, INVOLVEMENT: parts, LOCATION: places, PERSON_IDENTIFIER: numbers}
        )
    made = judged.of_units(only)
    police_person = persons.form_police(made[PERSON], feeds, police, reference=reference, as_of=as_of)
    places_made = events.form_places(made[LOCATION], reference=reference)
    formed = {
        EVENT: [events.form_events(frame) for frame in made[EVENT].values()],
        INVOLVEMENT: [events.form_involvements(frame) for frame in made[INVOLVEMENT].values()],
        PERSON_IDENTIFIER: [
            identifiers.form_identifiers(frame, as_of=as_of) for frame in made[PERSON_IDENTIFIER].values()
        ],
        PERSON: [police_person] if police_person is not None else [],
        LOCATION: [places_made] if places_made is not None else [],
        REFUSED: [refuse(frame) for frames in made.values() for frame in frames.values()],
    }
    tables = {table.name: _together(spark, table, frames) for table, frames in formed.items()}
    return replace(_nothing(spark), **tables, judged=judged.frames)


@dataclass
class _Judged:
    """Settled rows by canonical table and source."""

    by_table: dict[TableContract, dict[str, DataFrame]] = field(default_factory=dict)

    def put(self, source: str, frames: Mapping[TableContract, DataFrame | None]) -> None:
        """What one source has; a table of which it has nothing is left out."""
        for table, frame in frames.items():
            of_table = self.by_table.setdefault(table, {})
            if frame is not None:
                of_table[source] = frame

    @property
    def frames(self) -> tuple[DataFrame, ...]:
        """All of them."""
        return tuple(frame for frames in self.by_table.values() for frame in frames.values())

    def of_units(self, only: Mapping[str, DataFrame] | None) -> dict[TableContract, dict[str, DataFrame]]:
        """The rows of the units to make."""
        empty: dict[TableContract, dict[str, DataFrame]] = {table: {} for table in _POLICE}
        if only is None:
            return empty | self.by_table
        return empty | {
            table: {source: _of_units(frame, only[table.name], table) for source, frame in frames.items()}
            for table, frames in self.by_table.items()
        }


_POLICE = (PERSON, EVENT, INVOLVEMENT, LOCATION, PERSON_IDENTIFIER)


def _of_units(judged: DataFrame, units: DataFrame, table: TableContract) -> DataFrame:
    """Judged rows whose unit is listed; a row without a reference belongs to the unit ''."""
    refs = [name for name in table.unit if name != "source_system"]
    listed = units.select("source_system", *[F.col(name).alias(f"unit_{name}") for name in refs]).distinct()
    rows = judged.withColumns({f"unit_{name}": F.coalesce(name, F.lit("")) for name in refs})
    on = ["source_system", *[f"unit_{name}" for name in refs]]
    return rows.join(F.broadcast(listed), on=on, how="left_semi").select(*judged.columns)


def _nothing(spark: SparkSession) -> Standardised:
    """No row of any table."""
    tables = (*CANONICAL, PERSON_IDENTIFIER)
    empty: dict[str, Any] = {table.name: local_frame(spark, [], schema=table.schema) for table in tables}
    return Standardised(**empty)


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


def _settled(judged: DataFrame | None) -> DataFrame | None:
    """A judged frame, settled, when there is one."""
    return settle(judged) if judged is not None else None


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
