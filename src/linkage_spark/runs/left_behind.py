"""What a stopped run has left that nobody will go on with: what it had begun to publish, and the notes that say which run it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from linkage_spark.runs.manifest import run_numbers
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import delete_published
from linkage_spark.tables.star import STAR, STAR_NOMINALS

_NOTES: Final = "progress.json"
"""What ``Checkpoints`` keep in the folder of a kind of run: with it the same command goes on."""

SET_ASIDE: Final = "progress.aside.json"
"""The same, of a run that may live: it says which run it was, and nobody goes on with it."""

_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]+")


def set_aside(files: Files, work: str, *, refuse: Callable[[], None]) -> None:
    """See to it that nobody goes on with what stopped runs had done, whatever becomes of this one. No file is deleted.

    Args:
        files: the file system.
        work: the scratch folder of all runs.
        refuse: called before anything is changed.
    """
    for folder in _folders(files, work):
        if files.exists(f"{folder}/{_NOTES}"):
            refuse()
            files.rename_overwrite(f"{folder}/{_NOTES}", f"{folder}/{SET_ASIDE}")


def forget_left(store: DeltaStore, work: str, *, refuse: Callable[[], None], say: Callable[[str], None]) -> None:
    """Remove what stopped runs had begun to publish, before their work goes and nobody knows any more which they were.

    Nothing is removed of a run that stands in RUN: readers may be taken back to it, and its report tells of it.

    Args:
        store: the tables of the output root.
        work: the scratch folder of all runs.
        refuse: called before anything is deleted.
        say: prints one line.
    """
    names = (_NOTES, SET_ASIDE)
    left = {left_run(store.files, f"{folder}/{name}") for folder in _folders(store.files, work) for name in names}
    # RUN is read only where there is something to look up in it.
    known = run_numbers(store) if left - {None} else {}
    for run_id in sorted(run_id for run_id in left if run_id is not None and run_id not in known):
        forget_run(store.files, store.root, run_id, refuse=refuse, say=say)


def forget_run(files: Files, root: str, run_id: str, *, refuse: Callable[[], None], say: Callable[[str], None]) -> None:
    """Remove the published files and the report of a run that never became one.

    Args:
        files: the file system.
        root: output root.
        run_id: the run.
        refuse: called before anything is deleted.
        say: prints one line.
    """
    refuse()
    delete_published(files, root, tuple(table.name for table in (*STAR, *STAR_NOMINALS)), run_id)
    refuse()
    files.delete(f"{root}/reports/{run_id}")
    say(f"removed what the unfinished run {run_id} had left")


def left_run(files: Files, notes: str) -> str | None:
    """The run that left its notes; None where there are none, or they name no run whose folders could be found."""
    try:
        told = json.loads(files.read_text(notes)) if files.exists(notes) else None
    except ValueError:
        return None
    run_id = told.get("run_id") if isinstance(told, dict) else None
    return run_id if isinstance(run_id, str) and _RUN_ID.fullmatch(run_id) else None


def _folders(files: Files, work: str) -> list[str]:
    """Work folders, one for each kind of run."""
    return [f"{work}/{entry.name}" for entry in files.list(work) if entry.is_dir]
