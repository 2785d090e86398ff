"""One stage of a run that goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable

from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.progress import Progress, Stage


def run_stage(progress: Progress, saved: Checkpoints, name: str, work: Callable[[Stage], Done]) -> None:
    """Run a stage unless an interrupted run had finished it, and remember it.

    Args:
        progress: says when it begins and ends.
        saved: what was done before; takes the stage.
        name: the stage.
        work: does it; puts its counts on the stage, returns table versions and notes.
    """
    with progress.stage(name) as stage:
        done = saved.done.get(name)
        if done is not None:
            stage.counts.update(done.counts)
            stage.resumed = True
            return
        done = work(stage)
    saved.mark(
        name,
        Done(seconds=stage.seconds, counts=dict(stage.counts), versions=done.versions, notes=done.notes),
    )
