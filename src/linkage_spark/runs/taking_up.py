"""The start of a run: go on with one that was interrupted, or put back and remove what it left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from linkage_spark.kit.contract import TableContract
from linkage_spark.runs import publishing
from linkage_spark.runs.checkpoints import Checkpoints
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.left_behind import SET_ASIDE, left_run
from linkage_spark.runs.manifest import drop_unfinished, run_numbers


def take_up_work(
    run: RunContext,
    *,
    fingerprint: str,
    pinned: Mapping[tuple[TableContract, ...], Mapping[str, int]],
) -> Checkpoints:
    """Take over what an interrupted run made from the same has done, under its id; else begin afresh.

    Nothing is removed of a run that stands in RUN: readers may be taken back to it, and its report tells of it.

    Args:
        run: the run; takes the id of the one that it goes on with, and its day: what was read was read as of that.
        fingerprint: of all that decides the run.
        pinned: tables that the run writes, and the versions that they are put back to when it begins afresh.
    """
    day = run.day.isoformat()
    # Retention was killed that had set it aside: there are no other notes then.
    aside = left_run(run.files, f"{run.work}/{SET_ASIDE}")
    saved, left = Checkpoints.open(
        run.files, run.work, run_id=run.run_id, fingerprint=fingerprint, day=day, refuse=run.refuse_unless_held
    )
    left = left or aside
    if left == saved.run_id:
        run.run_id, run.day = saved.run_id, date.fromisoformat(saved.day)
        run.progress.say(f"going on with run {saved.run_id}, stopped after: {', '.join(saved.done) or 'its start'}")
    elif left is not None and left not in run_numbers(run.store):
        publishing.forget(run, left)
    if not saved.done:
        for tables, versions in pinned.items():
            drop_unfinished(run.store, tables, versions, run.progress.say)
    return saved
