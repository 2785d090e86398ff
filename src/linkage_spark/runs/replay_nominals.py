"""Which nominals the shown links led to on a day, told from the events of nominals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.nominals.records import with_record_id
from linkage_spark.nominals.replay import replay
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.nominals import NOMINAL_EVENT, NOMINAL_RUN
from linkage_spark.tables.results import RUN

NOMINALS_THEN: Final = (
    "employee_id",
    "nominal_id",
    "source_system",
    "person_ref",
    "tier",
    "nominal_records",
    "quarantined",
)
"""Columns of what was shown of nominals: a link, the nominal of its record, and how many records that nominal had."""

KEY: Final = ("employee_id", "nominal_id", "source_system", "person_ref")


def nominals_then(store: DeltaStore, links: DataFrame, *, up_to: int, held: Mapping[str, int]) -> DataFrame | None:
    """The nominals behind the links of a day; lazy.

    Args:
        store: the tables.
        links: LINK as it was shown then.
        up_to: ``run_no`` of the run that readers saw.
        held: version of every table as the last good run of today pins it; what is newer is of a run that has not ended, or was stopped.

    Returns:
        NOMINALS_THEN, a row per link whose record belonged to a nominal; None where the run showed no nominals: none had been made since
        the last backfill that was published. Records whose events were removed since are neither shown nor counted.
    """
    if NOMINAL_RUN.name not in held:
        return None
    runs = {row["run_id"]: row for row in store.read(RUN).where(F.col("run_no") <= F.lit(up_to)).collect()}
    backfills = (row["run_no"] for row in runs.values() if _is_published_backfill(row))
    since = max(backfills, default=0)
    made = store.read(NOMINAL_RUN, version=held[NOMINAL_RUN.name]).collect()
    numbers = [row["run_no"] for row in made if row["run_id"] in runs and runs[row["run_id"]]["run_no"] > since]
    if not numbers:
        return None
    event, until = store.read(NOMINAL_EVENT, version=held[NOMINAL_EVENT.name]), max(numbers)
    members = replay(event, until_run_no=until)
    sizes = members.groupBy("nominal_id").agg(F.count(F.lit(1)).alias("nominal_records"))
    linked = members.join(F.broadcast(with_record_id(links)), on=["record_id"])
    return sizes.join(F.broadcast(linked), on=["nominal_id"]).select(*NOMINALS_THEN)


def _is_published_backfill(row: Any) -> bool:
    """A row of RUN: its snapshot shows no nominals."""
    return bool(row["kind"] == RunKind.BACKFILL.value and row["status"] == RunStatus.PUBLISHED.value)
