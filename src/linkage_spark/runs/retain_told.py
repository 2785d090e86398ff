"""Retention: what REMOVAL tells of rows and files that went: how many, of what, and for which case; never of whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.context import RunContext
from linkage_spark.store.files import FileEntry
from linkage_spark.tables.enums import RemovalKind, RemovalReason
from linkage_spark.tables.governance import REMOVAL


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
        run_id: who removed it; of files the attempt since whose beginning they are gone.
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


def told_in_full(run: RunContext) -> frozenset[str]:
    """Runs whose deleted files stand in REMOVAL."""
    if not run.store.exists(REMOVAL):
        return frozenset()
    rows = run.store.read(REMOVAL).where("files > 0").select("run_id").distinct().collect()
    return frozenset(row["run_id"] for row in rows)
