"""Show readers an earlier good run again, and say so in RUN. No table is touched: the next run with news publishes anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from linkage_spark.errors import UsageError
from linkage_spark.runs import publishing
from linkage_spark.runs.context import RunContext, open_run
from linkage_spark.runs.manifest import last_good_run, published_runs, run_numbers, write_run
from linkage_spark.runs.retain_files import last_removal_no
from linkage_spark.store.snapshot import list_published_runs, move_current_run
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.star import STAR


def run_publish(*, root: str, run_id: str) -> int:
    """Open everything, hold the lock, show the run.

    Args:
        root: output root.
        run_id: a run whose snapshot is still there.

    Returns:
        0: readers see it.

    Raises:
        UsageError: there is no such run, its snapshot is not whole, or rows were removed since.
    """
    with open_run(RunKind.PUBLISH, feeds_root=root, root=root) as run:
        show_again(run, run_id)
    return 0


def show_again(run: RunContext, run_id: str) -> None:
    """Point readers at an earlier run, under the lock. RUN first, ``current_run`` second, as every run does.

    Raises:
        UsageError: there is no such run, its snapshot is not whole, or rows were removed since.
    """
    good = last_good_run(run.store)
    if good is None:
        raise UsageError(f"--out {run.root}: no run has been published there")
    _refuse(run, run_id)
    finished_at = datetime.now(tz=UTC)
    row = publishing.run_row(
        run,
        good.made_from,
        status=RunStatus.UNCHANGED,
        shown_run_id=run_id,
        versions=good.versions,
        counts_json=good.counts_json,
        finished_at=finished_at,
    )
    run.refuse_unless_held()
    write_run(run.store, {**row, "model_id": good.model_id, "run_day": good.day})
    run.refuse_unless_held()
    move_current_run(run.files, run.root, run_id=run_id, published_at=finished_at)
    run.progress.say(f"readers see {run_id} from now on; before, they saw {good.shown_run_id}")
    run.progress.say(
        "tables and links stand as the last run left them: the next run that finds anything new publishes anew"
    )
    publishing.say_last(run, RunStatus.UNCHANGED, run_id)


def _refuse(run: RunContext, run_id: str) -> None:
    """Refuse a run that is not there as a whole, and one that tells what was removed since."""
    kept = [set(list_published_runs(run.files, run.root, table.name)) for table in STAR]
    whole = set.intersection(*kept)
    known = published_runs(run.store)
    numbers = run_numbers(run.store)
    # A retain that was killed has switched, and may not have come to delete the snapshots before it.
    removal_no = last_removal_no(run, numbers)
    told = {one for one in known if numbers[one] < removal_no}
    can_be = _choices((known & whole) - told)
    if run_id not in known:
        raise UsageError(f"--run {run_id}: no good run has this id; {can_be}")
    if run_id in told:
        raise UsageError(
            f"--run {run_id}: rows that it may show were removed since, under retention or erasure; {can_be}"
        )
    if run_id not in whole:
        raise UsageError(f"--run {run_id}: its snapshot is no longer there; {can_be}")


def _choices(runs: Iterable[str]) -> str:
    """What can be shown instead."""
    listed = sorted(runs, reverse=True)[:10]
    return f"it may be one of {', '.join(listed)}" if listed else "no snapshot is left; run the backfill"
