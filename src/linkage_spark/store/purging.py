"""Files that no version in force needs: superseded data files, and old entries of Delta's log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pyspark.sql import SparkSession

from linkage_spark.kit.contract import TableContract
from linkage_spark.store.delta import DeltaStore

_CHECK: Final = "spark.databricks.delta.retentionDurationCheck.enabled"
_LOGGING: Final = "spark.databricks.delta.vacuum.logging.enabled"
_OF_VERSION = re.compile(r"^\.?(\d{20})\..+$")


def purge(store: DeltaStore, contract: TableContract, *, kept_days: int, log_at_once: bool = False) -> None:
    """Delete the files of a table that only superseded versions need, and old entries of its log. No version is written.

    Args:
        store: the tables; the caller holds the lock, so that nobody writes or reads them meanwhile.
        contract: a table that is there.
        kept_days: days for which superseded versions stay readable; 0: the newest version alone stays.
        log_at_once: delete every entry of the log before the newest version now. Otherwise Delta's own cleaning deletes those that
            are older than the table's ``delta.logRetentionDuration``, by whole days in UTC.
    """
    spark, path = store.spark, store.path(contract)
    if _has_superseded_files(store, contract):
        with _settings(spark, {_CHECK: "false", _LOGGING: "false"}):
            spark.sql(f"VACUUM delta.`{path}` RETAIN {kept_days * 24} HOURS")
    newest = store.version(contract)
    if newest:
        _checkpoint(spark, path)
        if log_at_once:
            _delete_older_entries(store, contract, newest)


def _has_superseded_files(store: DeltaStore, contract: TableContract) -> bool:
    """A data file stands there that the newest version does not name. Delta's own search is slow for that answer."""
    path = store.path(contract)
    named = {name.rsplit("/", 1)[-1] for name in store.spark.read.format("delta").load(path=path).inputFiles()}
    there = {entry.name for entry in store.files.list(path) if entry.name.endswith(".parquet")}
    return bool(there - named)


def _checkpoint(spark: SparkSession, path: str) -> None:
    """Delta's checkpoint of the newest version, after which it deletes log entries whose time is over."""
    java: Any = spark._jvm
    session: Any = spark._jsparkSession
    java.org.apache.spark.sql.delta.DeltaLog.forTable(session, path).checkpoint()


def _delete_older_entries(store: DeltaStore, contract: TableContract, newest: int) -> None:
    """Delete entries of versions before the newest one, whose checkpoint stands for all of them."""
    folder = f"{store.path(contract)}/_delta_log"
    entries = store.files.list(folder)
    if not any(entry.name.startswith(f"{newest:020d}.checkpoint") for entry in entries):
        return
    for entry in entries:
        found = _OF_VERSION.match(entry.name)
        if found and int(found.group(1)) < newest:
            store.files.delete(entry.path)


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
