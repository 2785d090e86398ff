"""Frames that obey a contract, from rows that name only what a test is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import ArrayType, BooleanType, DateType, DoubleType, IntegerType, LongType, TimestampType

from linkage_spark.kit.frames import local_frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract


def contract_rows(spark: SparkSession, contract: TableContract, *rows: dict[str, Any]) -> DataFrame:
    """A frame of the contract; a required column that a row does not name is '', 0, False or []."""
    unknown = {name for row in rows for name in row} - set(contract.names)
    assert not unknown, f"{contract.name} has no columns {unknown}"
    values = [
        tuple(row.get(column.name, _empty(column.type) if column.required else None) for column in contract.fields)
        for row in rows
    ]
    return local_frame(spark, values, schema=contract.schema)


def _empty(kind: Any) -> Any:
    if isinstance(kind, BooleanType):
        return False
    if isinstance(kind, IntegerType | LongType):
        return 0
    if isinstance(kind, DoubleType):
        return 0.0
    if isinstance(kind, DateType):
        return date(1970, 1, 1)
    if isinstance(kind, TimestampType):
        return datetime(1970, 1, 1, tzinfo=UTC)
    return [] if isinstance(kind, ArrayType) else ""
