"""The stages of a daily run up to the scored pairs, and its check. Frames that only later stages need lie in the run's work folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial, reduce
from typing import Any

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from linkage_spark.errors import SourceError
from linkage_spark.flows.screen import screen
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import row_hash
from linkage_spark.linkage.blocking import refined_hmacs
from linkage_spark.runs.canaries import missed, release
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.context import made_from
from linkage_spark.runs.feed_states import changed_units, feed_states, is_printed, known_states, remembered
from linkage_spark.runs.main_stages import MADE_ANEW, STANDARDISED, MainRun, check_tables
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.reading import count_feeds, dates_that_have_come, faults_in_words, persisted, rows_in
from linkage_spark.runs.side_by_side import side_by_side
from linkage_spark.settings.sources import feeds_of
from linkage_spark.standardise.affected import involvement_pairs, refused_units, rows_to_read, units_to_make
from linkage_spark.standardise.stage import Standardised, standardise_police, standardise_roster
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import ASSIGNMENT, EMPLOYEE, PERSON, REFUSED
from linkage_spark.tables.changes import FEED_PRINT, FEED_STATE, FEED_UNIT
from linkage_spark.tables.enums import SourceSystem

_UNIT = tuple(column.name for column in FEED_UNIT)
_CHANGED, _PRINTS, _PAIRS, _ROSTER, _OF_ROSTER = "changed", "prints", "pairs", "roster", "roster_changed"

AGAIN = "dates of birth that have come, read again"
"""The count of units that no feed named."""


# ---- what has changed --------------------------------------------------------------------------------------


def find_changes(state: MainRun, stage: Stage) -> Done:
    """Which units of which feeds came, changed or went since the former run; the feeds as they are remembered from now on.

    Raises:
        SourceError: a feed is missing, has no rows, does not fit its mapping, or cannot tell its changes; or more changed than a day takes.
    """
    run, store = state.run, state.run.store
    with faults_in_words(feeds_of(run.sources), run.feeds_root):
        frames = state.frames
        states = feed_states(run, frames)
        before = known_states(state.before(FEED_STATE))
        found = changed_units(
            run, frames, before=before, now=states, prints=state.before(FEED_PRINT), since=_former_day(state)
        )
        counted = _count(state, frames, found.written, before)
        prints = state.keep(_PRINTS, found.prints)
        come = dates_that_have_come(state.before(PERSON), run.day)
        of_hr = F.col("source_system") == SourceSystem.HR.value
        units = prints.select(*_UNIT).unionByName(found.named).unionByName(_read_again(come.where(~of_hr)))
        changed = state.keep(_CHANGED, units.distinct())
        roster_changed = found.roster_changed or not come.where(of_hr).isEmpty()
    stage.counts |= _count_units(changed)
    refuse_too_many(stage.counts, run.settings.gates.most_changed_units)
    versions = {
        FEED_PRINT.name: store.grow(
            FEED_PRINT, prints.where("rows > 0"), prints.select(*FEED_PRINT.unit), onto=state.stands_on[FEED_PRINT.name]
        ),
        FEED_STATE.name: store.overwrite(
            FEED_STATE, state.rows(FEED_STATE, remembered(states, counted, before, run.day))
        ),
    }
    return Done(
        seconds=0.0, versions=versions, notes={"roster_changed": roster_changed, "rows_in": rows_in(run, counted)}
    )


def _count_units(changed: DataFrame) -> dict[str, int]:
    """Changed units by source and table, and those that no feed named."""
    counts: Counter[str] = Counter()
    of_no_feed = (F.col("feed") == "").alias("of_no_feed")
    for row in changed.groupBy("source_system", "produces", of_no_feed).count().collect():
        counts[AGAIN if row["of_no_feed"] else f"{row['source_system']} {row['produces']}"] += int(row["count"])
    return dict(sorted(counts.items()))


def refuse_too_many(counts: Mapping[str, int], most: int) -> None:
    """A day sends the keys of all that changed to every task, through the driver; a backfill does not.

    Args:
        counts: changed units by what they are.
        most: so many one day takes.

    Raises:
        SourceError: there are more; it names where most of them are.
    """
    units = sum(counts.values())
    if units > most:
        largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
        raise SourceError(
            f"{', '.join(f'{name} {number:,}' for name, number in largest)}: {units:,} changed units, more than "
            f"gates.most_changed_units = {most:,} in one day; run the backfill, which reads all of it anyway, or raise the limit knowingly"
        )


def _count(
    state: MainRun, frames: Mapping[str, DataFrame], written: Collection[str], before: Mapping[Any, Mapping[str, Any]]
) -> dict[str, tuple[int, int]]:
    """``count_feeds`` of all feeds; of those that were not written to as the former run counted them.

    What is filled is looked at where a feed must be read as a whole to see what changed in it.
    """
    run = state.run
    whole = {feed.key for feed in feeds_of(run.sources) if feed.key in written and is_printed(feed)}
    known = {f"{source}.{feed}": (int(row["rows"]), int(row["numbers"])) for (source, feed), row in before.items()}
    now = {key: frame for key, frame in frames.items() if key in written}
    return {key: counts for key, counts in known.items() if key in frames} | count_feeds(run, now, looked_into=whole)


def _former_day(state: MainRun) -> date:
    """The day of the run that this one is added to."""
    assert state.former is not None
    return state.former.day


def _read_again(persons: DataFrame) -> DataFrame:
    """Person records that no feed named, as units of none."""
    nothing = F.lit("")
    return persons.select(
        "source_system",
        nothing.alias("feed"),
        F.lit(PERSON.name).alias("produces"),
        "person_ref",
        nothing.alias("event_ref"),
    )


# ---- the canonical tables ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Batch:
    """What a day puts into one table.

    Attributes:
        rows: the new rows.
        replaced: the units whose former rows end.
    """

    rows: DataFrame
    replaced: DataFrame


def standardise_changes(state: MainRun, stage: Stage) -> Done:
    """All rows of the changed units, as they stand in the feeds now, into the canonical tables.

    Raises:
        SourceError: a feed changed while it was being read, so its tables might not belong together.
    """
    run, store = state.run, state.run.store
    versions: dict[str, int] = {}
    with faults_in_words(feeds_of(run.sources), run.feeds_root):
        frames = state.frames
        police, units = _police(state, frames)
        batches = {table: _Batch(getattr(police, table.name), _replaced(units, table)) for table in _GROWN}
        if state.saved.done["find changes"].notes["roster_changed"]:
            roster = standardise_roster(frames, sources=run.sources, reference=run.reference, as_of=run.day)
            versions |= side_by_side(
                run.spark,
                {
                    table.name: partial(store.overwrite, table, getattr(roster, table.name))
                    for table in (EMPLOYEE, ASSIGNMENT)
                },
            )
            for table, batch in _roster_batches(state, roster).items():
                both = batches[table]
                batches[table] = _Batch(both.rows.unionByName(batch.rows), both.replaced.unionByName(batch.replaced))
        with persisted(police.judged):
            written = side_by_side(
                run.spark, {table.name: partial(_put, state, table, batch) for table, batch in batches.items()}
            )
        for name, (version, rows) in written.items():
            versions[name] = version
            stage.counts[f"rows of {name}"] = rows
    if made_from(run) != state.inputs:
        raise SourceError("a feed changed while it was being read; start again when its delivery has ended")
    return Done(seconds=0.0, versions=versions, notes={"rows_in": state.saved.done["find changes"].notes["rows_in"]})


def _put(state: MainRun, table: TableContract, batch: _Batch) -> tuple[int, int]:
    """Put a batch into its table, and keep it for the stages to come: the version written, and how many rows."""
    rows = state.keep(f"batch/{table.name}", batch.rows)
    return state.run.store.grow(table, rows, batch.replaced, onto=state.stands_on[table.name]), rows.count()


_GROWN: tuple[TableContract, ...] = tuple(table for table in STANDARDISED if table.unit)


def _police(state: MainRun, frames: Mapping[str, DataFrame]) -> tuple[Standardised, dict[str, DataFrame]]:
    """The changed units of the police's feeds, made anew, and which they are."""
    run, changed = state.run, state.work(_CHANGED)
    touched = {row["source_system"] for row in changed.select("source_system").distinct().collect()}
    sources = tuple(source for source in run.sources if source.source_system in touched and not source.roster)
    pairs = state.keep(_PAIRS, involvement_pairs(frames, sources, changed))
    units = units_to_make(sources, changed, pairs)
    needed = rows_to_read(frames, sources, units)
    kept = side_by_side(run.spark, {key: partial(state.keep, f"rows/{key}", rows) for key, rows in needed.items()})
    standard = standardise_police(run.spark, kept, sources=sources, reference=run.reference, as_of=run.day, only=units)
    return standard, units


def _replaced(units: Mapping[str, DataFrame], table: TableContract) -> DataFrame:
    """The units of one table that are made anew."""
    return refused_units(units) if table == REFUSED else units[table.name]


# ---- the roster --------------------------------------------------------------------------------------------


def _roster_batches(state: MainRun, roster: Standardised) -> dict[TableContract, _Batch]:
    """What a changed roster puts into PERSON and REFUSED: employees that came, changed or left, and all its refused rows."""
    of_hr = F.col("source_system") == SourceSystem.HR.value
    now, before = state.keep(_ROSTER, roster.person), state.before(PERSON).where(of_hr)
    changed = state.keep(_OF_ROSTER, _changed_records(before, now))
    refused, refused_before = roster.refused, state.before(REFUSED).where(of_hr)
    return {
        PERSON: _Batch(now.join(changed, on=list(PERSON.unit), how="left_semi").select(*PERSON.names), changed),
        REFUSED: _Batch(refused, refused.select(*REFUSED.unit).unionByName(refused_before.select(*REFUSED.unit))),
    }


def _changed_records(before: DataFrame, now: DataFrame) -> DataFrame:
    """Person records whose rows are others than before, or that are on one side only: ``source_system``, ``person_ref``."""
    sides = [
        frame.select(*PERSON.unit, row_hash(PERSON.names).alias("print"), F.lit(sign).alias("sign"))
        for frame, sign in ((before, -1), (now, 1))
    ]
    both = sides[0].unionByName(sides[1]).groupBy(*PERSON.unit)
    told = both.agg(F.sum("sign").alias("rows"), F.sum(F.col("sign") * F.col("print")).alias("prints"))
    return told.where("rows != 0 or prints != 0").select(*PERSON.unit)


# ---- screening ---------------------------------------------------------------------------------------------


def screen_changes(state: MainRun, stage: Stage) -> Done:
    """New and changed person records against the whole roster; new and changed employees against all others, by one scan.

    Canaries are employees and new records like all others until their pairs are scored, and are taken out then.
    """
    run, store = state.run, state.run.store
    of_hr = F.col("source_system") == SourceSystem.HR.value
    people = changed_persons(state)
    batch = state.work(f"batch/{PERSON.name}")
    flock = release(run, state.frames)
    roster, history = flock.beside(state.roster, batch.where(~of_hr))
    people_scored, of_canaries = flock.apart(_scored(state, stage, "person records", roster=roster, history=history))
    parts = {"person records": people_scored}
    kept = state.before(SCORED_PAIR).join(F.broadcast(people), on=list(PERSON.unit), how="left_anti")
    if state.saved.done["find changes"].notes["roster_changed"]:
        employees = state.work(_OF_ROSTER).select(F.col("person_ref").alias("employee_id"))
        kept = kept.join(F.broadcast(employees), on=["employee_id"], how="left_anti")
        if not (changed := batch.where(of_hr)).isEmpty():
            others = state.history.join(F.broadcast(people), on=list(PERSON.unit), how="left_anti").select(
                *PERSON.names
            )
            parts["employees"] = _scored(state, stage, "employees", roster=changed, history=others)
    for of, part in parts.items():
        stage.counts[f"of these scored above the floor ({of})"] = part.count()
    scored = reduce(DataFrame.unionByName, [kept.select(*SCORED_PAIR.names), *parts.values()])
    version = store.overwrite(SCORED_PAIR, scored)
    stage.counts["scored above the floor in all"] = store.read(SCORED_PAIR, version=version).count()
    lost = missed(run, flock, of_canaries)
    stage.counts["canaries found"] = len(flock.canaries) - len(lost)
    return Done(seconds=0.0, versions={SCORED_PAIR.name: version}, notes={"canaries missed": lost})


def changed_persons(state: MainRun) -> DataFrame:
    """Police person records that are new, changed or gone, or were looked at again: ``source_system``, ``person_ref``, once each."""
    return state.work(_CHANGED).where(F.col("produces") == PERSON.name).select(*PERSON.unit).distinct()


def _scored(state: MainRun, stage: Stage, of: str, *, roster: DataFrame, history: DataFrame) -> DataFrame:
    """SCORED_PAIR of one part of the day, in the work folder."""
    run, observation = state.run, Observation(f"screen {of}")
    scored = screen(
        roster,
        history,
        model=run.model,
        refined=refined_hmacs(state.refined),
        frequencies=state.frequencies,
        names=run.reference.names,
        secret=run.secret,
        observation=observation,
    )
    kept = state.keep(f"scored/{of}", scored)
    stage.counts[f"candidate pairs of changed {of}"] = int(observation.get["pairs_first"] or 0)
    return kept


# ---- the check ---------------------------------------------------------------------------------------------


def check_day(state: MainRun, stage: Stage) -> Done:
    """Keys and nulls of what the day wrote, reconciliation and gates of the whole.

    A key of a table that grows lies within one unit, and a unit is replaced as a whole: what is unique in the batch is
    unique in the table.
    """
    batches = [(table, state.work(f"batch/{table.name}")) for table in _GROWN]
    whole = [(table, state.read(table)) for table in (EMPLOYEE, ASSIGNMENT, *MADE_ANEW)]
    prints = [(FEED_PRINT, state.work(_PRINTS))]
    return check_tables(state, stage, [*batches, *prints, *whole])
