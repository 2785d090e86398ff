"""Write tables that grow whole again: the same rows, without what later batches replaced. Outside the day, as often as it pays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from linkage_spark.errors import UsageError
from linkage_spark.kit.contract import TableContract
from linkage_spark.runs import publishing
from linkage_spark.runs.context import RunContext, open_run
from linkage_spark.runs.daily_nominals import nominal_part
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.manifest import GoodRun, drop_unfinished, last_good_run, write_run
from linkage_spark.runs.upkeep import failure_told
from linkage_spark.tables.enums import RunKind, RunStatus


def run_compact(*, root: str) -> int:
    """Open everything, hold the lock, compact.

    Args:
        root: output root.

    Returns:
        0: done, or no table had grown.

    Raises:
        UsageError: nothing has been published there.
    """
    with open_run(RunKind.COMPACT, feeds_root=root, root=root) as run:
        compact(run)
    return 0


def compact(run: RunContext) -> None:
    """One compaction under the lock. RUN pins the new versions; readers go on seeing what they saw.

    Raises:
        UsageError: nothing has been published there.
        LinkageError: it failed, and a failed RUN row says so.
    """
    good = last_good_run(run.store)
    if good is None:
        raise UsageError(f"--out {run.root}: no run has been published there; run the backfill first")
    with failure_told(run, good):
        _compact(run, good)


def _compact(run: RunContext, good: GoodRun) -> None:
    """All of it, on what the last good run left."""
    if next(_grown(run, good.versions), None) is None:
        # No table is touched: a day that a gate has stopped goes on, on the versions that it has written.
        run.progress.say("no table has grown since it was last written whole")
        publishing.say_last(run, RunStatus.UNCHANGED, good.shown_run_id)
        return
    drop_unfinished(run.store, ALL_TABLES, good.versions, run.progress.say)
    grown = compact_tables(run, good.versions)
    part, counts = nominal_part(run), json.loads(good.counts_json)
    versions = {**(part.pinned if part is not None else {}), **good.versions, **grown}
    if part is not None and part.stands_on(good):
        as_they_were = part.is_as_it_was(run, good)
        counts["nominals"] = part.carried_over(run, good, versions, as_they_were=as_they_were, judged_at=part.judged_at)
    row = publishing.run_row(
        run,
        good.made_from,
        status=RunStatus.UNCHANGED,
        shown_run_id=good.shown_run_id,
        versions=versions,
        counts_json=json.dumps(counts, sort_keys=True),
        finished_at=datetime.now(tz=UTC),
    )
    run.refuse_unless_held()
    write_run(run.store, {**row, "model_id": good.model_id, "run_day": good.day})
    publishing.say_last(run, RunStatus.UNCHANGED, good.shown_run_id)


def compact_tables(run: RunContext, versions: Mapping[str, int]) -> dict[str, int]:
    """Write every table that has grown whole again: the new versions, by table.

    Args:
        run: the run.
        versions: version of every table as it stands.
    """
    grown = {}
    for table in _grown(run, versions):
        with run.progress.stage(table.name) as stage:
            rows = run.store.read(table, version=versions[table.name])
            stage.counts["rows"] = rows.count()
            grown[table.name] = run.store.overwrite(table, rows)
    return grown


def _grown(run: RunContext, versions: Mapping[str, int]) -> Iterator[TableContract]:
    """Tables that batches were added to since they were last written whole."""
    for table in ALL_TABLES:
        if table.unit and table.name in versions and run.store.has_batches(table, versions[table.name]):
            yield table
