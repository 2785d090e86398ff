"""Frames of rows that the driver holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import ContractError
from linkage_spark.kit.frames import local_frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = "a string, b int, c double, d date, e timestamp, f boolean, g array<string>, h map<string, string>"


def test_rows_of_every_type_come_back_as_given_and_no_python_worker_reads_them(spark: SparkSession) -> None:
    rows: list[tuple[Any, ...]] = [
        ("x", 1, 0.5, date(1984, 2, 29), datetime(2026, 3, 29, 1, 30, 0, 7, tzinfo=UTC), True, ["p", None], {"k": "v"}),
        (None,) * 8,
    ]
    frame = local_frame(spark, rows, SCHEMA)
    moment = "unix_micros(e) as e"
    found = [tuple(row) for row in frame.selectExpr("a", "b", "c", "d", moment, "f", "g", "h").collect()]
    micros = int(rows[0][4].timestamp()) * 1_000_000 + 7
    assert found == [(*rows[0][:4], micros, *rows[0][5:]), rows[1]]
    plan = frame._jdf.queryExecution().executedPlan().toString()
    assert "LocalTableScan" in plan
    assert "RDD" not in plan


def test_no_rows_make_an_empty_frame_of_the_schema(spark: SparkSession) -> None:
    frame = local_frame(spark, [], SCHEMA)
    assert frame.count() == 0
    assert [column for column, _ in frame.dtypes] == list("abcdefgh")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("Zzyzxqua",), "a row does not have the 2 columns ref, number"),
        (("r", "Zzyzxqua"), "column number: a value is not of type int32"),
        ((7, 7), "column ref: a value is not of type string"),
        ((None, 7), "column ref: 1 of 1 values are null, and it is required"),
    ],
)
def test_a_row_that_does_not_fit_is_told_without_its_values(
    spark: SparkSession, row: tuple[Any, ...], told: str
) -> None:
    with pytest.raises(ContractError) as failed:
        local_frame(spark, [row], "ref string not null, number int")
    assert str(failed.value) == told
