"""Files that no version in force needs: superseded data files, and old entries of Delta's log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

from pyspark.sql import SparkSession

from linkage_spark.kit.contract import TableContract
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import FileEntry

_CHECK: Final = "spark.databricks.delta.retentionDurationCheck.enabled"
_LOGGING: Final = "spark.databricks.delta.vacuum.logging.enabled"
_COMMIT = re.compile(r"^\d{20}\.json$")
_OF_VERSION = re.compile(r"^\.?(\d{20})\..+$")


def purge(
    store: DeltaStore, contract: TableContract, *, kept_days: int, log_at_once: bool = False, spared_hours: int = 0
) -> None:
    """Delete the files of a table that only superseded versions need, and old entries of its log. No version is written.

    Somebody may add rows without the lock. Their data file stands there before any entry of the log names it, and Delta tells from
    the entries since they began whether the number of their own is free: where either is deleted meanwhile the rows are lost, and nobody
    is told. ``spared_hours`` spares both for so long. With 0, nobody may write to the table while this works.

    Args:
        store: the tables; the caller holds the lock, so that nobody who needs it writes or reads them meanwhile.
        contract: a table that is there.
        kept_days: days for which superseded versions stay readable, the table's ``delta.deletedFileRetentionDuration``: Delta 4.4 takes no
            other number than that or 0; 0: the newest version alone stays.
        log_at_once: delete every entry of the log before the newest version now. Otherwise Delta's own cleaning deletes those that
            are older than the table's ``delta.logRetentionDuration``, by whole days in UTC.
        spared_hours: hours for which files that no entry of the log names, and the entries themselves, stay in any case. Files that a
            superseded version alone names go all the same.
    """
    spark, path = store.spark, store.path(contract)
    superseded = _superseded_files(store, contract)
    since_ms = _since_ms(spared_hours)
    if superseded and spared_hours and not kept_days:
        # What the log lets go was once added: nobody is still at it. VACUUM knows no hours but 0: else it asks the table's properties.
        settled = _removed_files(store, contract) | {name for name, at in superseded.items() if at < since_ms}
        for file in sorted(settled & superseded.keys()):
            store.files.delete(f"{path}/{file}")
    elif superseded:
        with _settings(spark, {_CHECK: "false", _LOGGING: "false"}):
            spark.sql(f"VACUUM delta.`{path}` RETAIN {kept_days * 24} HOURS")
    newest = store.version(contract)
    if newest:
        _checkpoint(spark, path)
        if log_at_once:
            _delete_older_entries(store, contract, newest, since_ms)


def _since_ms(spared_hours: int) -> float:
    """Since when what was written is spared, milliseconds since 1970 UTC; without hours nothing is."""
    spared_since = datetime.now(tz=UTC) - timedelta(hours=spared_hours)
    return spared_since.timestamp() * 1000 if spared_hours else float("inf")


def _superseded_files(store: DeltaStore, contract: TableContract) -> dict[str, int]:
    """Data files that stand there and that the newest version does not name, and when they were written; Delta's own search is slow."""
    path = store.path(contract)
    # What is added between the two is not taken for superseded.
    there = {entry.name: entry.modified_ms for entry in store.files.list(path) if entry.name.endswith(".parquet")}
    named = {name.rsplit("/", 1)[-1] for name in store.spark.read.format("delta").load(path=path).inputFiles()}
    return {name: at for name, at in there.items() if name not in named}


def _removed_files(store: DeltaStore, contract: TableContract) -> set[str]:
    """Data files that an entry of the log lets go."""
    entries = store.files.list(f"{store.path(contract)}/_delta_log")
    commits = [store.files.read_text(entry.path) for entry in entries if _COMMIT.match(entry.name)]
    return {name for commit in commits for name in removed_in(commit)}


def removed_in(commit: str) -> set[str]:
    """Names of the data files that an entry of Delta's log lets go.

    Args:
        commit: its text, one action a line.
    """
    actions = [json.loads(line) for line in commit.splitlines() if line.strip()]
    paths = [action["remove"]["path"] for action in actions if "remove" in action]
    return {unquote(path).rsplit("/", 1)[-1] for path in paths}


def _checkpoint(spark: SparkSession, path: str) -> None:
    """Delta's checkpoint of the newest version, after which it deletes log entries whose time is over."""
    java: Any = spark._jvm
    session: Any = spark._jsparkSession
    java.org.apache.spark.sql.delta.DeltaLog.forTable(session, path).checkpoint()


def _delete_older_entries(store: DeltaStore, contract: TableContract, newest: int, since_ms: float) -> None:
    """Delete entries of versions before the newest one, whose checkpoint stands for all of them."""
    folder = f"{store.path(contract)}/_delta_log"
    entries = store.files.list(folder)
    if not any(entry.name.startswith(f"{newest:020d}.checkpoint") for entry in entries):
        return
    for entry in older_entries(entries, newest, since_ms):
        store.files.delete(entry.path)


def older_entries(entries: Iterable[FileEntry], newest: int, since_ms: float) -> list[FileEntry]:
    """Entries of Delta's log that may go: none that is younger, nor one that comes after a younger commit, so that none is missing between.

    Args:
        entries: files of the log.
        newest: the version whose checkpoint stands for all before it.
        since_ms: milliseconds since 1970 UTC; what was written then or later stays.
    """
    versions = {entry: int(found.group(1)) for entry in entries if (found := _OF_VERSION.match(entry.name))}
    young = {
        no for entry, no in versions.items() if _COMMIT.match(entry.name) is not None and entry.modified_ms >= since_ms
    }
    first = min({newest, *young})
    return [entry for entry, no in versions.items() if no < first and entry.modified_ms < since_ms]


@contextmanager
def _settings(spark: SparkSession, values: dict[str, str]) -> Iterator[None]:
    """Spark settings for a while."""
    before = {name: spark.conf.get(name, None) for name in values}
    for name, value in values.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, former in before.items():
            if former is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, former)
