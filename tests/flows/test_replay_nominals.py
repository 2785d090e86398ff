"""Which nominals readers saw behind the links of a day, whatever ran since."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.records import with_record_id
from linkage_spark.runs.replay_nominals import NOMINALS_THEN, nominals_then
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.nominals import NOMINAL_EVENT, NOMINAL_RUN
from linkage_spark.tables.results import RUN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RUNS = (
    ("R1", 1, "backfill", "published"),
    ("R2", 2, "nominals", "published"),
    ("R3-failed", 3, "daily", "failed"),
    ("R4", 4, "daily", "published"),
    ("R5", 5, "backfill", "unchanged"),
    ("R6", 6, "backfill", "published"),
    ("R7", 7, "retain", "published"),
    ("R8", 8, "daily", "published"),
)
MADE = ((1, "R2"), (2, "R4"), (3, "R8"), (4, "R9-stopped"))
"""Runs that made nominals, by their own numbers; the last was killed before it came into RUN."""

PLACES = (
    (1, "A", 10),
    (1, "B", 10),
    (1, "C", 30),
    (2, "C", 10),
    (3, "B", 30),
    (4, "A", 30),
)
"""Which record came to which nominal in which run."""

HELD = {NOMINAL_RUN.name: 7, NOMINAL_EVENT.name: 3}
"""The versions that the last good run pins. Newer ones are of a run that was stopped, or were put back under it: nothing stands there."""


@pytest.fixture(scope="module")
def store(spark: SparkSession) -> DeltaStore:
    ids = {row["person_ref"]: row["record_id"] for row in with_record_id(_records(spark, "ABC")).collect()}
    joined = [(no, "joined", nominal, None, ids[ref]) for no, ref, nominal in PLACES]
    created = [(1, "created", nominal, None, None) for nominal in (10, 30)]
    tables = {
        (RUN, None): local_frame(spark, RUNS, schema="run_id string, run_no int, kind string, status string"),
        (NOMINAL_RUN, 7): local_frame(spark, MADE, schema="run_no int, run_id string"),
        (NOMINAL_RUN, None): local_frame(spark, [], schema="run_no int, run_id string"),
        (NOMINAL_EVENT, 3): local_frame(spark, [*created, *joined], schema=NOMINAL_EVENT.schema),
        (NOMINAL_EVENT, None): local_frame(spark, [], schema=NOMINAL_EVENT.schema),
    }

    def read(contract: TableContract, version: int | None = None) -> DataFrame:
        return tables[(contract, version)]

    return cast("DeltaStore", SimpleNamespace(exists=lambda _: True, read=read))


def _records(spark: SparkSession, refs: str) -> DataFrame:
    rows = [("crime", ref) for ref in refs]
    return local_frame(spark, rows, schema="source_system string, person_ref string")


def links(spark: SparkSession) -> DataFrame:
    """One employee and the records A and C; D belongs to no nominal."""
    return _records(spark, "ACD").selectExpr("'E1' employee_id", "source_system", "person_ref", "'match' tier")


@pytest.mark.parametrize(
    ("up_to", "expected"),
    [
        (1, None),
        (2, {("A", 10, 2), ("C", 30, 1)}),
        (3, {("A", 10, 2), ("C", 30, 1)}),
        (4, {("A", 10, 3), ("C", 10, 3)}),
        (5, {("A", 10, 3), ("C", 10, 3)}),
        (6, None),
        (7, None),
        (8, {("A", 10, 2), ("C", 10, 2)}),
    ],
)
def test_nominals_are_told_as_the_run_showed_them_that_readers_saw(
    spark: SparkSession, store: DeltaStore, up_to: int, expected: set[tuple[Any, ...]] | None
) -> None:
    found = nominals_then(store, links(spark), up_to=up_to, held=HELD)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert tuple(found.columns) == NOMINALS_THEN
    rows = found.collect()
    assert {(row["person_ref"], row["nominal_id"], row["nominal_records"]) for row in rows} == expected
    assert {(row["employee_id"], row["tier"], row["quarantined"]) for row in rows} == {("E1", "match", False)}


def test_an_estate_without_nominals_shows_none(spark: SparkSession) -> None:
    none = cast("DeltaStore", SimpleNamespace(exists=lambda _: False))
    assert nominals_then(none, links(spark), up_to=4, held={"hit_history": 1}) is None
