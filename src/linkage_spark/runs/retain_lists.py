"""Retention: which files went. What stands is written down before anything goes, so that of an attempt that was cut off the one that finishes tells."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.csv_files import write_csv
from linkage_spark.store.files import FileEntry, Files
from linkage_spark.tables.enums import RemovalKind, RemovalReason
from linkage_spark.tables.governance import REMOVAL

STANDING: Final = "files_before.json"
"""What stood there when an attempt began, in its report folder: it is there as long as no attempt has finished."""

REMOVED_FILES: Final = "removed_files.csv"
"""The list of deleted files in a run's report folder."""

_FOLDERS: Final = ("tables", "published", "reports", "work")


@dataclass(frozen=True)
class Standing:
    """What stood below the root when an attempt of retention began.

    Attributes:
        run_id: the attempt.
        day: the day that it was for.
        reference: the case that asked for it.
        files: every file, by its path below the root.
    """

    run_id: str
    day: date
    reference: str | None
    files: Mapping[str, FileEntry]


@dataclass(frozen=True)
class Gone:
    """A deleted file, and the attempt that deleted it."""

    entry: FileEntry
    run_id: str


def begin_lists(run: RunContext, reference: str | None) -> tuple[Standing, ...]:
    """Write down every file that stands there, before any is deleted.

    Args:
        run: the run.
        reference: the case that asked for it.

    Returns:
        What stood there when each attempt began that was cut off since one last finished, the oldest first; this one's comes last.
    """
    earlier = _cut_off(run)
    for one in earlier:
        run.progress.say(f"{one.run_id} was cut off: the files that it deleted are told with those of this run")
    mine = Standing(run_id=run.run_id, day=run.day, reference=reference, files=list_files(run))
    files = [(entry.name, entry.size_bytes, entry.modified_ms) for entry in mine.files.values()]
    told = {"run_id": mine.run_id, "day": mine.day.isoformat(), "reference": reference, "files": files}
    run.refuse_unless_held()
    folder = _report(run, mine.run_id)
    run.files.mkdirs(folder, mode="700")
    run.files.write_text(f"{folder}/{STANDING}", json.dumps(told), mode="600")
    return (*earlier, mine)


def finish_lists(run: RunContext, lists: Sequence[Standing]) -> list[Gone]:
    """Tell of every file that is gone, in the run's report and in REMOVAL; nothing is left to tell then.

    Args:
        run: the run.
        lists: what ``begin_lists`` returned.
    """
    gone = gone_files(lists, list_files(run))
    _write_list(run, gone)
    # Killed from here on, an attempt is known by its rows as one that has told all of its files.
    told = _told_in_full(run)
    rows = []
    for one in lists:
        if one.run_id == run.run_id or one.run_id not in told:
            removed = count_files(file.entry for file in gone if file.run_id == one.run_id)
            rows += removal_rows(one.run_id, one.day, one.reference, removed)
    append_removals(run, rows)
    for one in lists:
        run.files.delete(f"{_report(run, one.run_id)}/{STANDING}")
        run.files.delete_empty(_report(run, one.run_id))
    return gone


def gone_files(lists: Sequence[Standing], left: Collection[str]) -> list[Gone]:
    """Files that stood there and do so no more: whichever attempt found one last has deleted it.

    Args:
        lists: what stood there when each attempt began, the oldest first.
        left: paths below the root of the files that stand there now.
    """
    found = {name: Gone(entry, one.run_id) for one in lists for name, entry in one.files.items() if name not in left}
    return [found[name] for name in sorted(found)]


def list_files(run: RunContext) -> dict[str, FileEntry]:
    """Every file below the root that may hold somebody's data, by its path below the root."""
    found = {}
    for folder in _FOLDERS:
        for entry in run.files.list(f"{run.root}/{folder}", recursive=True):
            name = f"{folder}/{entry.name}"
            if not name.endswith(f"/{STANDING}"):
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


def count_files(gone: Iterable[FileEntry]) -> dict[tuple[str, str, str], list[int]]:
    """Deleted files by (kind, part, reason): [0, files, bytes]."""
    removed: dict[tuple[str, str, str], list[int]] = {}
    for entry in gone:
        kind, part = told_kind(entry.name)
        reason = RemovalReason.LEFT_BEHIND if kind is RemovalKind.WORK else RemovalReason.SUPERSEDED
        of_part = removed.setdefault((kind.value, part, reason.value), [0, 0, 0])
        of_part[1] += 1
        of_part[2] += entry.size_bytes
    return removed


def removal_rows(
    run_id: str, day: date, reference: str | None, removed: Mapping[tuple[str, str, str], Sequence[int]]
) -> list[tuple[Any, ...]]:
    """Rows of REMOVAL.

    Args:
        run_id: who removed it.
        day: the day that this run was for.
        reference: the case that asked for it.
        removed: (kind, part, reason) -> [rows, files, bytes].
    """
    listed = [
        {
            "run_id": run_id,
            "run_day": day,
            "removed_at": datetime.now(tz=UTC),
            "kind": kind,
            "part": part,
            "reason": reason,
            "rows": rows,
            "files": files,
            "bytes": size,
            "reference": reference,
        }
        for (kind, part, reason), (rows, files, size) in sorted(removed.items())
        if rows or files
    ]
    return [tuple(row[name] for name in REMOVAL.names) for row in listed]


def append_removals(run: RunContext, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows to REMOVAL, in one commit."""
    if rows:
        run.store.append(REMOVAL, local_frame(run.spark, list(rows), schema=REMOVAL.schema))


def is_unfinished(files: Files, root: str, run_id: str) -> bool:
    """A run of retention that has not come to its end, nor has a later one that told of its files."""
    return files.exists(f"{root}/reports/{run_id}/{STANDING}")


def _report(run: RunContext, run_id: str) -> str:
    return f"{run.root}/reports/{run_id}"


def _cut_off(run: RunContext) -> list[Standing]:
    """What stood there when each attempt began that has not finished, the oldest first."""
    found = []
    for folder in run.files.list(f"{run.root}/reports"):
        for entry in run.files.list(folder.path) if folder.is_dir else ():
            if entry.name == STANDING:
                found.append((entry.modified_ms, folder.name, _read(run, entry.path)))
    return [standing for _, _, standing in sorted(found, key=lambda one: one[:2])]


def _read(run: RunContext, path: str) -> Standing:
    told = json.loads(run.files.read_text(path))
    files = {
        name: FileEntry(path=f"{run.root}/{name}", name=name, size_bytes=size, modified_ms=modified_ms, is_dir=False)
        for name, size, modified_ms in told["files"]
    }
    return Standing(
        run_id=told["run_id"], day=date.fromisoformat(told["day"]), reference=told["reference"], files=files
    )


def _told_in_full(run: RunContext) -> frozenset[str]:
    """Runs whose deleted files stand in REMOVAL."""
    if not run.store.exists(REMOVAL):
        return frozenset()
    rows = run.store.read(REMOVAL).where("files > 0").select("run_id").distinct().collect()
    return frozenset(row["run_id"] for row in rows)


def _write_list(run: RunContext, gone: Iterable[Gone]) -> None:
    """The list of deleted files, kept with the run's report."""
    rows = [
        (
            file.entry.name,
            file.entry.size_bytes,
            datetime.fromtimestamp(file.entry.modified_ms / 1000, tz=UTC).isoformat(timespec="seconds"),
            file.run_id,
        )
        for file in gone
    ]
    heads = ("file", "bytes", "modified_utc", "removed_by")
    write_csv(run.files, f"{_report(run, run.run_id)}/{REMOVED_FILES}", heads, rows)
