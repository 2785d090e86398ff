"""What ``link``, ``dedupe`` and ``advise_blocking`` are given, opened and checked, and the folder they write to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import LinkageError, SettingsError, SourceError, UsageError, gathered
from linkage_spark.runs.context import emptied
from linkage_spark.runs.file_inputs import Inputs, check_mapping, open_files, read_inputs, read_mapping
from linkage_spark.runs.file_task import FileRun, Task
from linkage_spark.runs.file_truth import read_truth
from linkage_spark.runs.lock import hold_lock
from linkage_spark.runs.tidying import tidied
from linkage_spark.settings.mapping import PersonMapping
from linkage_spark.store.files import Files


def keep_inputs_apart(task: Task, files: Files, out: str, written: Iterable[str]) -> None:
    """Raise UsageError where the run would write over what it reads, or where both sides are one file."""
    read = {**task.paths, "mapping": task.mapping, **({"truth": task.truth} if task.truth else {})}
    places = {name: files.absolute(path) for name, path in read.items()}
    taken = {f"{out}/{name}" for name in written}
    option = {"file": "input"}
    faults = [
        f"--{option.get(name, name)}: this run writes a file of that name into --out; take another folder"
        for name, at in places.items()
        if at in taken
    ]
    if task.kind == "link" and places["left"] == places["right"]:
        faults.append("--left and --right name one file; use dedupe to compare a file with itself")
    if faults:
        raise UsageError("\n".join(faults))


@dataclass(frozen=True)
class Opened:
    """Everything that was given, its headers checked."""

    mapping: PersonMapping
    truth: DataFrame | None
    frames: dict[str, DataFrame]


def open_given(spark: SparkSession, files: Files, task: Task, *, out: str = "", written: Iterable[str] = ()) -> Opened:
    """Open mapping, files and truth.

    Columns are held against a mapping that has faults too, as far as it names them. One fault of the arguments or the
    mapping makes the class theirs (exit code 2), whatever the files lack beside it; else it is the files' (3).

    Args:
        spark: the session.
        files: the file system.
        task: what was asked for.
        out: absolute path of the output folder; '' where ``keep_inputs_apart`` has been asked before.
        written: names that the run writes there.

    Raises:
        SettingsError, SourceError, UsageError: with the faults of all of them.
    """
    mapping, text, truth, frames = None, "", None, None
    errors: list[LinkageError] = []
    with _noted(errors):
        if out:
            keep_inputs_apart(task, files, out, written)
    with _noted(errors):
        text = read_mapping(files, task.mapping)
        mapping = check_mapping(task.mapping, text, task.kind)
    with _noted(errors):
        frames = open_files(spark, task.paths, text)
    with _noted(errors):
        truth = read_truth(spark, task.truth, task.kind)
    if errors or mapping is None or frames is None:
        raise gathered(sorted(errors, key=lambda error: error.exit_code))
    return Opened(mapping, truth, frames)


@contextmanager
def _noted(errors: list[LinkageError]) -> Iterator[None]:
    """Put what the caller can mend into the list and go on."""
    try:
        yield
    except (SettingsError, SourceError, UsageError) as error:
        errors.append(error)


@contextmanager
def held_folder(run: FileRun, stale_after_hours: float) -> Iterator[None]:
    """The locked output folder with a work folder in it, which goes whatever the end.

    An output folder that this run made and left nothing in is taken away again; folders above it stay.
    """
    was_there = run.files.exists(run.out)
    lock = hold_lock(
        run.files,
        run.out,
        run_id=run.run_id,
        now=run.began,
        stale_after_hours=stale_after_hours,
        say=run.progress.say,
    )
    with (
        tidied(run.out, lambda: was_there or run.files.delete_empty(run.out)),
        lock,
        emptied(run.files, run.work) as work,
    ):
        run.files.mkdirs(work, mode="700")
        yield


def read_given(run: FileRun, opened: Opened) -> Inputs:
    """The files in standard form, in the work folder.

    Raises:
        SourceError: as ``read_inputs``.
    """
    paths = run.task.paths
    csv = [path for path in paths.values() if not path.rstrip("/").lower().endswith(".parquet")]
    return read_inputs(
        opened.frames,
        paths,
        mapping=opened.mapping,
        reference=run.reference,
        work=run.work,
        as_of=run.began.date(),
        progress=run.progress,
        numbered=[path for path in csv if run.files.is_file(path)],
    )
