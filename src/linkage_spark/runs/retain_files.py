"""Retention: files that nobody needs go: superseded data files, old log entries, old snapshots and reports, scratch left behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from linkage_spark.kit.contract import TableContract
from linkage_spark.runs.context import RunContext, scratch
from linkage_spark.runs.csv_files import write_csv
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.retain_rows import RetainedEstate
from linkage_spark.store.delta import KEPT_FOR_GOOD
from linkage_spark.store.files import FileEntry
from linkage_spark.store.purging import purge
from linkage_spark.store.snapshot import delete_published, list_published_runs
from linkage_spark.tables.enums import RemovalKind, RemovalReason, RunKind, RunStatus
from linkage_spark.tables.governance import REMOVAL
from linkage_spark.tables.lifecycle import LIFECYCLE
from linkage_spark.tables.nominals import NOMINAL_EVENT, NOMINALS, PERSON_JUDGEMENT
from linkage_spark.tables.results import RUN
from linkage_spark.tables.star import STAR, STAR_NOMINALS

NEWEST_ALONE: Final[tuple[TableContract, ...]] = (*LIFECYCLE, NOMINAL_EVENT, PERSON_JUDGEMENT)
"""Tables of which nobody ever reads a superseded version."""

FROZEN: Final = tuple(table for table in (*ALL_TABLES, *NOMINALS) if table.name in KEPT_FOR_GOOD)
"""Tables of a model, which speak of no person: their versions all stay."""

PURGED: Final[tuple[TableContract, ...]] = (
    *(table for table in (*ALL_TABLES, *NOMINALS) if table not in (*FROZEN, RUN)),
    PERSON_JUDGEMENT,
)
"""Tables whose superseded files and log entries go."""

_FOLDERS: Final = ("tables", "published", "reports", "work")


def remove_scratch(run: RunContext) -> None:
    """Delete what interrupted runs left to go on with: they begin afresh, on the tables as retention leaves them."""
    run.files.delete(scratch(run.root))


def remove_files(
    run: RunContext, estate: RetainedEstate, before: Mapping[str, FileEntry], *, at_once: bool, earlier: bool
) -> list[FileEntry]:
    """Delete superseded files, old snapshots and reports; every file that was there before and is gone.

    Args:
        run: the run.
        estate: what stands under the root.
        before: every file, when retention began.
        at_once: superseded files and log entries of any age.
        earlier: snapshots and reports of any age, but for those that readers see.
    """
    _remove_snapshots(run, earlier=earlier)
    for table in PURGED:
        if run.store.exists(table):
            alone = at_once or table in NEWEST_ALONE
            kept_days = 0 if alone else run.settings.retention.table_days
            purge(run.store, table, kept_days=kept_days, log_at_once=alone)
    after = list_files(run)
    gone = [entry for name, entry in sorted(before.items()) if name not in after]
    for entry in gone:
        kind, part = told_kind(entry.name)
        reason = RemovalReason.LEFT_BEHIND if kind is RemovalKind.WORK else RemovalReason.SUPERSEDED
        estate.count(kind, part, reason.value, files=1, size=entry.size_bytes)
    _write_list(run, gone)
    return gone


def list_files(run: RunContext) -> dict[str, FileEntry]:
    """Every file below the root that may hold somebody's data, by its path below the root."""
    found = {}
    for folder in _FOLDERS:
        for entry in run.files.list(f"{run.root}/{folder}", recursive=True):
            name = f"{folder}/{entry.name}"
            found[name] = replace(entry, name=name)
    return found


def told_kind(name: str) -> tuple[RemovalKind, str]:
    """What a file was, by its path below the root."""
    folder, part, *rest = name.split("/")
    if folder == "tables":
        kind = RemovalKind.LOG_FILES if rest and rest[0] == "_delta_log" else RemovalKind.TABLE_FILES
        return kind, part
    if folder == "published":
        return RemovalKind.SNAPSHOT, rest[0].removeprefix("run_id=") if len(rest) > 1 else part
    return (RemovalKind.REPORT if folder == "reports" else RemovalKind.WORK), part


def _remove_snapshots(run: RunContext, *, earlier: bool) -> None:
    """Snapshots and reports that are too old, that are older than the last removal of rows, or that no run stands for."""
    rows = run.store.read(RUN).collect()
    by_id = {row["run_id"]: row for row in rows}
    good = last_good_run(run.store)
    assert good is not None
    newest = max((row for row in rows if _looked(row)), key=lambda row: row["run_no"])
    # Its report names nobody who has gone since; that of a run that published before it may.
    spared = newest["run_id"] if newest["status"] == RunStatus.PUBLISHED.value else ""
    oldest = run.day - timedelta(days=run.settings.retention.published_days)
    removal_no = _last_removal_no(run, {row["run_id"]: int(row["run_no"]) for row in rows})
    removed_at = max((row["finished_at"] for row in rows if int(row["run_no"]) == removal_no), default=None)

    def is_due(run_id: str) -> bool:
        row = by_id.get(run_id)
        return earlier or row is None or row["run_day"] <= oldest or int(row["run_no"]) < removal_no

    tables = tuple(table.name for table in (*STAR, *STAR_NOMINALS))
    published = {run_id for table in tables for run_id in list_published_runs(run.files, run.root, table)}
    for run_id in sorted(published - {good.shown_run_id}):
        if is_due(run_id):
            delete_published(run.files, run.root, tables, run_id)
    for entry in run.files.list(f"{run.root}/reports"):
        if entry.name in (spared, run.run_id, _MODELS):
            continue
        changed = datetime.fromtimestamp(entry.modified_ms / 1000, tz=UTC)
        before_removal = removed_at is not None and changed < removed_at.astimezone(UTC)
        if is_due(entry.name) if entry.name in by_id else earlier or changed.date() <= oldest or before_removal:
            run.files.delete(entry.path)


def _looked(row: Any) -> bool:
    """A good run that looked at what holds."""
    ended_well = row["status"] in (RunStatus.PUBLISHED.value, RunStatus.UNCHANGED.value)
    return ended_well and row["kind"] in (RunKind.BACKFILL.value, RunKind.DAILY.value, RunKind.NOMINALS.value)


_MODELS: Final = "models"
"""Reports on trained models: parameters and counts, no person's values."""


def _last_removal_no(run: RunContext, numbers: Mapping[str, int]) -> int:
    """``run_no`` of the last run that removed rows; 0 where none ever did."""
    if not run.store.exists(REMOVAL):
        return 0
    told = run.store.read(REMOVAL).where("rows > 0").select("run_id").distinct().collect()
    return max((numbers[row["run_id"]] for row in told if row["run_id"] in numbers), default=0)


def _write_list(run: RunContext, gone: Iterable[FileEntry]) -> None:
    """The list of deleted files, kept with the run's report."""
    rows = [
        (
            entry.name,
            entry.size_bytes,
            datetime.fromtimestamp(entry.modified_ms / 1000, tz=UTC).isoformat(timespec="seconds"),
        )
        for entry in gone
    ]
    write_csv(run.files, f"{run.root}/reports/{run.run_id}/{REMOVED_FILES}", ("file", "bytes", "modified_utc"), rows)


REMOVED_FILES: Final = "removed_files.csv"
"""The list of deleted files in a run's report folder."""
