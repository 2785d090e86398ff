"""Retention: files that nobody needs go: superseded data files, old log entries, old snapshots and reports, scratch left behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from linkage_spark.kit.contract import TableContract
from linkage_spark.runs.context import RunContext, scratch
from linkage_spark.runs.left_behind import forget_left
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.manifest import ENDED_WELL, last_good_run
from linkage_spark.runs.retain_lists import is_unfinished
from linkage_spark.runs.reviewers_words import OF_REVIEWERS
from linkage_spark.store.delta import KEPT_FOR_GOOD
from linkage_spark.store.purging import purge
from linkage_spark.store.snapshot import delete_published, list_published_runs
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.governance import REMOVAL
from linkage_spark.tables.lifecycle import LIFECYCLE
from linkage_spark.tables.nominals import NOMINAL_EVENT, NOMINALS
from linkage_spark.tables.results import RUN
from linkage_spark.tables.star import STAR, STAR_NOMINALS

NEWEST_ALONE: Final[tuple[TableContract, ...]] = (*LIFECYCLE, NOMINAL_EVENT, *OF_REVIEWERS)
"""Tables of which nobody ever reads a superseded version."""

SPARED_HOURS: Final = 24
"""So long may it take to add words: nobody who adds a row by hand is at it for a day."""

FROZEN: Final = tuple(table for table in (*ALL_TABLES, *NOMINALS) if table.name in KEPT_FOR_GOOD)
"""Tables of a model, which speak of no person: their versions all stay."""

PURGED: Final[tuple[TableContract, ...]] = (
    *(table for table in (*ALL_TABLES, *NOMINALS) if table not in (*FROZEN, RUN)),
    *OF_REVIEWERS,
)
"""Tables whose superseded files and log entries go."""


def remove_scratch(run: RunContext) -> None:
    """Delete what interrupted runs left: they begin afresh, on the tables as retention leaves them."""
    work = scratch(run.root)
    forget_left(run.store, work, refuse=run.refuse_unless_held, say=run.progress.say)
    run.refuse_unless_held()
    run.files.delete(work)


def remove_files(run: RunContext, *, at_once: bool, earlier: bool) -> None:
    """Delete superseded files, old snapshots and reports.

    Of reviewers' words too every superseded file goes, but for files that no version names and for log entries, which stay for SPARED_HOURS:
    they may be of words that are just being added. With ``at_once`` these go as well, so that nobody may add words meanwhile: an addition
    could lose its file, and the words with it.

    Args:
        run: the run.
        at_once: superseded files and log entries of any age.
        earlier: snapshots and reports of any age, but for those that readers see.
    """
    _remove_snapshots(run, earlier=earlier)
    for table in PURGED:
        if run.store.exists(table):
            alone = at_once or table in NEWEST_ALONE
            kept_days = 0 if alone else run.settings.retention.table_days
            run.refuse_unless_held()
            spared_hours = SPARED_HOURS if table in OF_REVIEWERS and not at_once else 0
            purge(run.store, table, kept_days=kept_days, log_at_once=alone, spared_hours=spared_hours)


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
    removal_no = last_removal_no(run, {row["run_id"]: int(row["run_no"]) for row in rows})
    removed_at = max((row["finished_at"] for row in rows if int(row["run_no"]) == removal_no), default=None)

    def is_due(run_id: str) -> bool:
        row = by_id.get(run_id)
        return earlier or row is None or row["run_day"] <= oldest or int(row["run_no"]) < removal_no

    tables = tuple(table.name for table in (*STAR, *STAR_NOMINALS))
    published = {run_id for table in tables for run_id in list_published_runs(run.files, run.root, table)}
    for run_id in sorted(published - {good.shown_run_id}):
        if is_due(run_id):
            run.refuse_unless_held()
            delete_published(run.files, run.root, tables, run_id)
    for entry in run.files.list(f"{run.root}/reports"):
        if entry.name in (spared, run.run_id, _MODELS) or is_unfinished(run.files, run.root, entry.name):
            continue
        changed = datetime.fromtimestamp(entry.modified_ms / 1000, tz=UTC)
        before_removal = removed_at is not None and changed < removed_at.astimezone(UTC)
        if is_due(entry.name) if entry.name in by_id else earlier or changed.date() <= oldest or before_removal:
            run.refuse_unless_held()
            run.files.delete(entry.path)


def _looked(row: Any) -> bool:
    """A good run that looked at what holds."""
    ended_well = row["status"] in ENDED_WELL
    return ended_well and row["kind"] in (RunKind.BACKFILL.value, RunKind.DAILY.value, RunKind.NOMINALS.value)


_MODELS: Final = "models"
"""Reports on trained models: parameters and counts, no person's values."""


def last_removal_no(run: RunContext, numbers: Mapping[str, int]) -> int:
    """``run_no`` of the last run that removed rows; 0 where none ever did.

    Args:
        run: the run.
        numbers: ``run_no`` of every run by its id.
    """
    if not run.store.exists(REMOVAL):
        return 0
    told = run.store.read(REMOVAL).where("rows > 0").select("run_id").distinct().collect()
    return max((numbers[row["run_id"]] for row in told if row["run_id"] in numbers), default=0)
