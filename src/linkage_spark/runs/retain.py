"""Retention: what no longer holds and whose period is over goes from every table, snapshot, report, old file and log; a log stays that it did."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import reduce
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import GateError, UsageError
from linkage_spark.governance.due import ASKED
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.records import with_record_id
from linkage_spark.runs import publishing
from linkage_spark.runs.compact import compact_tables
from linkage_spark.runs.context import FORCE_ZONE, RunContext, open_run
from linkage_spark.runs.daily_nominals import NominalPart, nominal_part
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.manifest import GoodRun, drop_unfinished, last_good_run, run_numbers, write_run
from linkage_spark.runs.retain_files import remove_files, remove_scratch
from linkage_spark.runs.retain_lists import Gone, begin_lists, finish_lists
from linkage_spark.runs.retain_rows import (
    BEFORE,
    RetainedEstate,
    find_words,
    remove_items,
    remove_nominals,
    remove_words,
)
from linkage_spark.runs.retain_told import append_removals, removal_rows, told_kind
from linkage_spark.runs.reviewers_words import OF_REVIEWERS, read_words
from linkage_spark.runs.upkeep import failure_told
from linkage_spark.serving.star import star_withdrawn, with_baseline
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import move_current_run, published_path
from linkage_spark.tables.canonical import CANONICAL
from linkage_spark.tables.changes import FEED_PRINT
from linkage_spark.tables.enums import (
    ItemKind,
    RemovalKind,
    RemovalReason,
    RunKind,
    RunStatus,
    SourceSystem,
    SubjectKind,
)
from linkage_spark.tables.governance import REMOVAL
from linkage_spark.tables.lifecycle import BASELINE, ITEM, LIFECYCLE
from linkage_spark.tables.nominals import NOMINAL_EVENT, NOMINAL_PAIR, NOMINALS, PERSON_JUDGEMENT
from linkage_spark.tables.results import RUN
from linkage_spark.tables.star import STAR, STAR_HIT, STAR_NOMINALS, STAR_WITHDRAWN

Subject = tuple[str, str | None, str]
"""SubjectKind, source system (None of an employee) and reference."""


@dataclass(frozen=True)
class Order:
    """What somebody asked for, beyond the periods of the settings.

    Attributes:
        subjects: who was asked for; what no longer holds of them goes at once.
        reference: the case that asked; needed where there are subjects.
        at_once: superseded files and log entries go now, whatever their age; always so where there are subjects. Nobody may add reviewers'
            words while such an order is worked on: what is being added could lose its file.
        lines: of subjects that a file names the lines that do.
    """

    subjects: tuple[Subject, ...] = ()
    reference: str | None = None
    at_once: bool = False
    lines: Mapping[Subject, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.subjects and not self.reference:
            raise UsageError("--subjects needs --reference, the case that asked for it: the log of removals names it")


def run_retain(
    *,
    root: str,
    day: date | None = None,
    subjects: str | None = None,
    reference: str | None = None,
    at_once: bool = False,
) -> int:
    """Open everything, hold the lock, remove what is due.

    Args:
        root: output root.
        day: the day that the run is for; None: today in Europe/London.
        subjects: a CSV file with the columns kind, source_system, ref: of whom what no longer holds goes at once.
        reference: the case that asked for them.
        at_once: superseded files and log entries go now, whatever their age.

    Returns:
        0: done, or nothing was due.

    Raises:
        UsageError: nothing has been published there, the file of subjects is wrong, or nothing was held of any of them.
        GateError: readers were taken back to a snapshot that may hold what is due.
    """
    with open_run(RunKind.RETAIN, feeds_root=root, root=root, day=day) as run:
        _refuse_day_to_come(run)
        named = read_subjects(run.files, subjects) if subjects else {}
        retain(run, Order(subjects=tuple(named), reference=reference, at_once=at_once, lines=named))
    return 0


def _refuse_day_to_come(run: RunContext) -> None:
    """A year mistyped would make everything due, for good."""
    good = last_good_run(run.store)
    today = run.started_at.astimezone(FORCE_ZONE).date()
    if run.day > max(today, good.day if good is not None else today):
        raise UsageError(f"--date {run.day}: this day is still to come; what it would remove cannot be brought back")


def retain(run: RunContext, order: Order) -> None:
    """One run of retention under the lock. Whatever ends it, the same command goes on: what stands removed stays so.

    Raises:
        UsageError: nothing has been published there. Or, once all else is done, no table held anything of any of those asked for, and no
            earlier run removed anything of them: superseded files cannot be looked through, so they go in any case.
        GateError: readers were taken back to a snapshot that may hold what is due; or somebody is asked for, and the nominals are older
            than the last backfill.
        LinkageError: it failed, and a failed RUN row says so.
    """
    good = last_good_run(run.store)
    if good is None:
        raise UsageError(f"--out {run.root}: no run has been published there; run the backfill first")
    with failure_told(run, good):
        _retain(run, order, good)


def _retain(run: RunContext, order: Order, good: GoodRun) -> None:
    """All of it, on what the last good run left."""
    publishing.repair_current_run(run, good)
    _refuse_taken_back(run, good)
    part = nominal_part(run)
    if order.subjects and part is not None and not part.stands_on(good):
        raise GateError(
            "--subjects: the nominals were made before the last backfill, so that they may tell of what the sources have taken back since: "
            "run the daily job, then start this again"
        )
    lists = begin_lists(run, order.reference)
    remove_scratch(run)
    versions = {**(part.pinned if part is not None else {}), **good.versions}
    put_back(run, versions)
    # What was put back stands under a new version; the former one's log entries may go.
    stand = {table.name: run.store.version(table) for table in (*ALL_TABLES, *NOMINALS)}
    versions |= {name: version for name, version in stand.items() if name in versions and version is not None}
    versions = without_lost_words(run, versions)
    as_it_was = part is not None and part.is_as_it_was(run, good)
    estate = RetainedEstate(good=good, nominals=part, nominals_as_they_were=as_it_was, versions=versions)
    asked = local_frame(run.spark, list(order.subjects), schema=ASKED)
    found = _look_for(run, estate, order)
    with run.progress.stage("rows that are due") as stage:
        remove_items(run, estate, asked)
        remove_nominals(run, estate, asked)
        find_words(run, estate, asked)
        stage.counts["rows removed"] = estate.rows
    with run.progress.stage("tables that have grown") as stage:
        grown = compact_tables(run, estate.versions)
        estate.versions |= grown
        stage.counts["written whole"] = len(grown)
    _switch(run, estate, order)
    with run.progress.stage("files that nobody needs") as stage:
        remove_files(run, at_once=order.at_once or bool(order.subjects), earlier=bool(order.subjects))
        gone = finish_lists(run, lists)
        stage.counts |= {"files deleted": len(gone), "bytes": sum(file.entry.size_bytes for file in gone)}
    _say(run, estate, order, gone, found)
    if order.subjects and not found:
        _refuse_unknown(run, order)


def without_lost_words(run: RunContext, versions: Mapping[str, int]) -> dict[str, int]:
    """What a run pins, without words whose table somebody has taken away since."""
    lost = {table.name for table in OF_REVIEWERS if run.store.version(table) is None}
    return {name: version for name, version in versions.items() if name not in lost}


def put_back(run: RunContext, versions: Mapping[str, int]) -> None:
    """Every table as the last good run left it.

    The entry of Delta's log that puts one back tells the least and greatest values of the files that go. The newest entry is never
    deleted, so another one, that lets nothing go, is put behind it.
    """
    for table in drop_unfinished(run.store, (*ALL_TABLES, *NOMINALS), versions, run.progress.say):
        run.store.restore(table, versions[table.name])


# ---- the switch --------------------------------------------------------------------------------------------


def _switch(run: RunContext, estate: RetainedEstate, order: Order) -> None:
    """RUN pins the new versions; where readers could see what has gone, they get the same snapshot without it."""
    good, shown = estate.good, estate.good.shown_run_id
    counts = json.loads(good.counts_json)
    status = RunStatus.UNCHANGED
    finished_at = datetime.now(tz=UTC)
    if estate.rows:
        _copy_snapshot(run, estate, shown)
        shown, status = run.run_id, RunStatus.PUBLISHED
    told = {(RemovalKind.ROWS.value, *what): (rows, 0, 0) for what, rows in estate.removed.items()}
    append_removals(run, removal_rows(run.run_id, run.day, order.reference, told))
    # Killed from here on, words may have gone that no run puts back: then REMOVAL tells of them already.
    remove_words(run, estate)
    if (part := estate.nominals) is not None:
        judged_at = run.store.version(PERSON_JUDGEMENT)
        as_they_were = estate.nominals_as_they_were and not words_came_in(estate, part, judged_at)
        counts["nominals"] = part.carried_over(
            run, good, estate.versions, as_they_were=as_they_were, judged_at=judged_at
        )
        if not part.stands_on(good):
            # Their pairs are of other person records: without them the next day compares all.
            estate.versions.pop(NOMINAL_PAIR.name, None)
    row = publishing.run_row(
        run,
        good.made_from,
        status=status,
        shown_run_id=shown,
        versions=estate.versions,
        counts_json=json.dumps(counts, sort_keys=True),
        finished_at=finished_at,
    )
    run.refuse_unless_held()
    write_run(run.store, {**row, "model_id": good.model_id, "run_day": good.day})
    if status is RunStatus.PUBLISHED:
        run.refuse_unless_held()
        move_current_run(run.files, run.root, run_id=run.run_id, published_at=finished_at)


def words_came_in(estate: RetainedEstate, part: NominalPart, newest: int | None) -> bool:
    """Somebody has added words on person records since the nominals were looked at: the next day must find that they decide something.

    Args:
        estate: what retention took out.
        part: the nominals.
        newest: version of PERSON_JUDGEMENT by now; None where there is no such table.
    """
    known = -1 if part.judged_at is None else part.judged_at
    return (-1 if newest is None else newest) != known + (PERSON_JUDGEMENT in estate.words)


def _refuse_taken_back(run: RunContext, good: GoodRun) -> None:
    """What readers see must be what the tables say: an earlier snapshot may hold what is due."""
    published = run.store.read(RUN).where(F.col("status") == RunStatus.PUBLISHED.value)
    newest = published.orderBy(F.desc("run_no")).select("run_id").limit(1).collect()[0][0]
    if good.shown_run_id != newest:
        raise GateError(
            f"readers were taken back to {good.shown_run_id}, whose snapshot may hold what is due: show {newest} again "
            f"(scripts/submit.sh publish -- --out {run.root} --run {newest}), then start this once more; a day with news does it too"
        )


def _copy_snapshot(run: RunContext, estate: RetainedEstate, shown: str) -> None:
    """The snapshot that readers see under this run's id, without what has gone."""
    items = with_baseline(estate.read(run, ITEM), estate.read(run, BASELINE), run_numbers(run.store))
    stamp = F.lit(run.run_id)
    frames = {}
    for table in (*STAR, *STAR_NOMINALS):
        path = published_path(run.root, table.name, shown)
        if table == STAR_WITHDRAWN:
            frames[table] = table.conform(star_withdrawn(items).withColumn("run_id", stamp))
        elif run.files.exists(path):
            rows = run.spark.read.parquet(path)
            rows = hits_as_told(rows, items) if table == STAR_HIT else rows
            frames[table] = table.conform(rows.withColumn("run_id", stamp))
    publishing.write_tables(run, frames)


def hits_as_told(hits: DataFrame, items: DataFrame) -> DataFrame:
    """Rows of STAR_HIT; what was shown before a hit last changed is null unless its item still says it.

    Args:
        hits: STAR_HIT as it was published.
        items: ITEM, with further columns or without.
    """
    of_hits = items.where(F.col("item_kind") == ItemKind.HIT.value)
    told = hits.join(of_hits.select(F.col("item_id").alias("hit_key"), *BEFORE), on=["hit_key"], how="left")
    shown = {f"hit_{name}": F.when(F.col(name).isNotNull(), F.col(f"hit_{name}")) for name in BEFORE}
    return told.withColumns(shown).select(*hits.columns)


# ---- what is said ------------------------------------------------------------------------------------------


def _say(run: RunContext, estate: RetainedEstate, order: Order, gone: list[Gone], found: Collection[Subject]) -> None:
    """What a person reads at the end."""
    rows: Counter[str] = Counter()
    for (part, _), count in estate.removed.items():
        rows[part] += count
    lines = [f"  {count:,} rows of {part}" for part, count in sorted(rows.items()) if count]
    kinds = Counter(told_kind(file.entry.name)[0].value for file in gone)
    lines += [f"  {count:,} files: {kind}" for kind, count in sorted(kinds.items())]
    if earlier := sum(file.since != run.run_id for file in gone):
        lines.append(
            f"  {earlier:,} of these files had gone before this run began, since the beginning of one that was cut off"
        )
    print("\nRemoved:" if lines else "\nNothing was due.", *lines, sep="\n", flush=True)
    if order.subjects:
        print(found_in_words(order, found), flush=True)
    if found:
        print(_still_held(run, estate, order), flush=True)
    good = last_good_run(run.store)
    assert good is not None
    status = RunStatus.PUBLISHED if good.shown_run_id == run.run_id else RunStatus.UNCHANGED
    publishing.say_last(run, status, good.shown_run_id, {"rows_removed": estate.rows, "files_removed": len(gone)})


# ---- those who were asked for ------------------------------------------------------------------------------

_NAMED: Final[Mapping[SubjectKind, tuple[tuple[str, ...], ...]]] = {
    SubjectKind.EMPLOYEE: (("employee_id",), ("rival_employee_id",), ("source_system", "person_ref")),
    SubjectKind.PERSON: (("source_system", "person_ref"), ("record_id",), ("left_record_id",), ("right_record_id",)),
    SubjectKind.EVENT: (("source_system", "event_ref"),),
}
"""The columns under which a table names somebody."""

_OF_FEEDS: Final = (*CANONICAL, FEED_PRINT)
"""Tables that say whom the feeds hold, refused rows among them."""

_NAMING: Final = (*_OF_FEEDS, *LIFECYCLE, NOMINAL_EVENT, *OF_REVIEWERS)
"""Tables of which one at least names whoever is held: all others are made from these."""


def _look_for(run: RunContext, estate: RetainedEstate, order: Order) -> frozenset[Subject]:
    """Those asked for whom a table names before anything goes; says how many, and who is not among them by their lines."""
    if not order.subjects:
        return frozenset()
    with run.progress.stage("those who are asked for") as stage:
        frames = {table: _as_it_stands(run, estate, table) for table in _NAMING}
        found = named_subjects(frames, order.subjects)
        stage.counts |= {"asked for": len(order.subjects), "found": len(found)}
    for sentence in found_in_words(order, found).split("\n"):
        run.progress.say(sentence)
    return found


def _as_it_stands(run: RunContext, estate: RetainedEstate, table: TableContract) -> DataFrame:
    """A table as retention has it so far. Reviewers' words are read as they stand, whatever a run pins; none where there is no table."""
    if table not in OF_REVIEWERS:
        return estate.read(run, table)
    if not run.store.exists(table):
        return local_frame(run.spark, [], schema=table.schema)
    return read_words(run.store, table)


def named_subjects(frames: Mapping[TableContract, DataFrame], subjects: Sequence[Subject]) -> frozenset[Subject]:
    """Those of some subjects whom a table names.

    Args:
        frames: the tables to look into.
        subjects: at least one, once each.
    """
    spark = next(iter(frames.values())).sparkSession
    rows = [(place, *subject) for place, subject in enumerate(subjects)]
    asked = local_frame(spark, rows, schema=f"place int, {ASKED}")
    asked = asked.withColumn("source_system", F.coalesce("source_system", F.lit(SourceSystem.HR.value)))
    refs = ("employee_id", "rival_employee_id", "person_ref", "event_ref")
    asked = with_record_id(asked.withColumns({name: F.col("ref") for name in refs}))
    asked = asked.withColumns({f"{side}_record_id": F.col("record_id") for side in ("left", "right")})
    found: list[DataFrame] = []
    for kind in {kind for kind, _, _ in subjects}:
        of_kind = asked.where(F.col("kind") == kind)
        for columns in _NAMED[SubjectKind(kind)]:
            wanted = F.broadcast(of_kind.select("place", *columns))
            found += [
                frame.select(*columns).join(wanted, on=list(columns)).select("place").distinct()
                for table, frame in frames.items()
                if set(columns) <= set(table.names)
            ]
    if not found:
        return frozenset()
    places = reduce(DataFrame.unionByName, found).distinct().collect()
    return frozenset(subjects[row["place"]] for row in places)


def found_in_words(order: Order, found: Collection[Subject]) -> str:
    """How many of those asked for a table named before anything went; who was not among them by the lines that name them, never by name."""
    told = f"{len(found)} of the {len(order.subjects)} asked for were named in a table before anything was removed."
    unknown = sorted(no for subject in order.subjects if subject not in found for no in order.lines.get(subject, ()))
    if not unknown:
        return told
    lines = ", ".join(str(no) for no in unknown)
    return f"{told}\nline {lines}: nothing of these was held; see whether they are written as the source writes them"


def _refuse_unknown(run: RunContext, order: Order) -> None:
    """Nothing was held of any of those asked for: all is well only where an earlier run of the same case removed something of them.

    Raises:
        UsageError: none did.
    """
    files = "superseded files, earlier snapshots and reports are deleted"
    if _was_begun(run, order):
        print(f"An earlier run for this reference removed rows of those asked for; nothing more is held: {files}.")
        return
    raise UsageError(
        f"--subjects: no table named any of the {len(order.subjects)} asked for, and no run for this reference removed anything of them: see "
        f"whether they are written as the source writes them, and start this again. If they are, nothing is held of them any more: {files}"
    )


def _was_begun(run: RunContext, order: Order) -> bool:
    """A run for the same case removed rows of those asked for; it may have been killed before their files went."""
    if not run.store.exists(REMOVAL):
        return False
    asked_for = F.col("reason") == RemovalReason.ASKED_FOR.value
    told = run.store.read(REMOVAL).where(
        (F.col("reference") == F.lit(order.reference)) & asked_for & (F.col("rows") > 0)
    )
    return not told.isEmpty()


def _still_held(run: RunContext, estate: RetainedEstate, order: Order) -> str:
    """Of those who were asked for: how many still stand in the feeds, so that what holds of them stays; and whom reviewers' words name."""
    of_feeds, of_words = (
        named_subjects({table: _as_it_stands(run, estate, table) for table in tables}, order.subjects)
        for tables in (_OF_FEEDS, OF_REVIEWERS)
    )
    asked_for = len(order.subjects)
    if not of_feeds | of_words:
        return f"Of the {asked_for} asked for no table holds anything now."
    told = []
    if of_feeds:
        told.append(
            f"{len(of_feeds)} of the {asked_for} asked for still stand in the feeds, or were refused from them: what holds of them stays. "
            "Have them removed at the source, take the day, and start this again."
        )
    if of_words:
        told.append(
            f"Reviewers' words still name {len(of_words)} of the {asked_for} asked for: a word stays as long as both of whom it was said, or as "
            "the history of their link."
        )
    return "\n".join(told)


def read_subjects(files: Files, path: str) -> dict[Subject, tuple[int, ...]]:
    """Whom a file names, and in which lines.

    Raises:
        UsageError: it is not there, or a line is wrong; told by its number, never by what it says.
    """
    if not files.is_file(path):
        raise UsageError(f"--subjects {path}: there is no such file")
    reader = csv.DictReader(io.StringIO(files.read_text(path).removeprefix("\ufeff")))
    rows: list[tuple[int, dict[str, str | None]]] = [(reader.line_num, row) for row in reader]
    wanted = ("kind", "source_system", "ref")
    if not rows or any(name not in rows[0][1] for name in wanted):
        raise UsageError(f"--subjects {path}: it needs the columns {', '.join(wanted)} and a row")
    police = {system.value for system in SourceSystem if system is not SourceSystem.HR}
    found: dict[Subject, tuple[int, ...]] = {}
    faults = []
    for no, row in rows:
        kind, source, ref = ((row[name] or "").strip() for name in wanted)
        if kind not in list(SubjectKind):
            faults.append(f"line {no}: kind may be one of {', '.join(SubjectKind)}")
        elif not ref:
            faults.append(f"line {no}: ref is empty")
        elif kind != SubjectKind.EMPLOYEE and source not in police:
            faults.append(f"line {no}: source_system may be one of {', '.join(sorted(police))}")
        else:
            subject = (kind, None if kind == SubjectKind.EMPLOYEE else source, ref)
            found[subject] = (*found.get(subject, ()), no)
    if faults:
        raise UsageError("\n".join(f"--subjects {path}: {fault}" for fault in faults))
    return found
