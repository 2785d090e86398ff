"""What ``link``, ``dedupe`` and ``advise_blocking`` are given, opened and checked, and the folder they write to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import LinkageError, SettingsError, SourceError, UsageError, gathered
from linkage_spark.runs.file_inputs import Inputs, open_files, read_inputs, read_mapping
from linkage_spark.runs.file_task import FileRun, Task
from linkage_spark.runs.file_truth import read_truth
from linkage_spark.runs.lock import hold_lock
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


def open_given(spark: SparkSession, files: Files, task: Task) -> Opened:
    """Open mapping, files and truth.

    Raises:
        SettingsError, SourceError, UsageError: with the faults of all of them; the mapping's class comes first.
    """
    mapping, truth, frames = None, None, None
    errors: list[LinkageError] = []
    try:
        mapping = read_mapping(files, task.mapping)
    except (SettingsError, UsageError) as error:
        errors.append(error)
    try:
        frames = open_files(spark, task.paths, mapping)
    except (SettingsError, SourceError) as error:
        errors.append(error)
    try:
        truth = read_truth(spark, task.truth, task.kind)
    except SourceError as error:
        errors.append(error)
    if errors or mapping is None or frames is None:
        raise gathered(errors)
    return Opened(mapping, truth, frames)


@contextmanager
def held_folder(run: FileRun, stale_after_hours: float) -> Iterator[None]:
    """The locked output folder with a work folder in it, which goes whatever the end.

    An output folder that this run made and left nothing in is taken away again; folders above it stay.
    """
    was_there = run.files.exists(run.out)
    try:
        with hold_lock(
            run.files,
            run.out,
            run_id=run.run_id,
            now=run.began,
            stale_after_hours=stale_after_hours,
            say=run.progress.say,
        ):
            try:
                run.files.delete(run.work)
                run.files.mkdirs(run.work, mode="700")
                yield
            finally:
                run.files.delete(run.work)
    finally:
        if not was_there:
            run.files.delete_empty(run.out)


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
