"""Tables as they would be had they been written days earlier: what Delta's cleaning goes by."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

_MOMENTS = ("timestamp", "deletionTimestamp", "modificationTime", "createdTime", "inCommitTimestamp")
"""What the entries of a log call a time, in milliseconds."""


def age(root: Path, *, days: int) -> None:
    """Make every file below a root, and every time in the logs of its tables, so many days older."""
    for path in root.rglob("*"):
        if path.is_file() and re.fullmatch(r"\d{20}\.json", path.name):
            lines = [_aged(json.loads(line), days) for line in path.read_text().splitlines()]
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
            for checksum in (path.with_name(f".{path.name}.crc"), path.with_suffix(".crc")):
                checksum.unlink(missing_ok=True)
                path.with_name(f".{path.stem}.crc.crc").unlink(missing_ok=True)
    for path in root.rglob("*"):
        if path.is_file():
            moment = path.stat().st_mtime - days * 86_400
            os.utime(path, (moment, moment))


def _aged(told: Any, days: int) -> Any:
    """An entry of a log with all its times."""
    if isinstance(told, list):
        return [_aged(one, days) for one in told]
    if not isinstance(told, dict):
        return told
    return {
        name: value - days * 86_400_000 if name in _MOMENTS and isinstance(value, int) else _aged(value, days)
        for name, value in told.items()
    }


def old_files(root: Path, tables: list[str], newest: dict[str, set[str]]) -> set[str]:
    """Files of tables that their newest versions do not need, by their path below the root.

    Args:
        root: the root.
        tables: their names.
        newest: names of the data files of each table's newest version.
    """
    found = set()
    for table in tables:
        folder = root / "tables" / table
        commits = sorted(folder.glob("_delta_log/*.json"))
        found |= {
            path
            for path in folder.rglob("*.parquet")
            if "_delta_log" not in path.parts and path.name not in newest[table]
        }
        found |= set(commits[:-1])
    return {str(path.relative_to(root)) for path in found}
