"""Tables that grow by appended batches: what a batch replaces is marked in it, and left out when the table is read.

A batch holds new rows and one mark per unit that it replaces. Of a unit the rows of its last mark's batch hold, none where
that batch brought none; a unit without a mark holds what the table was written with as a whole. So a day costs what it
changes, whatever lies there already, and reading costs one broadcast of the marks since the table was last written whole.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DataType, StringType

from linkage_spark.kit.contract import Field, TableContract

BATCH: Final = "_batch"
"""The batch that brought the row: the version that the table had next; null where it was written with the whole table."""

MARK: Final = "_mark"
"""True for a mark; null where the row was written with the whole table."""

HIDDEN: Final = (BATCH, MARK)
"""Columns that readers of the store never see. A table that never grew does not have them."""

_LAST = "_last_batch"


def is_grown(frame: DataFrame) -> bool:
    """True when a table has batches, or had them once."""
    return BATCH in frame.columns


def live_rows(frame: DataFrame, contract: TableContract) -> DataFrame:
    """The rows that hold, without the hidden columns; all rows of a table that never grew."""
    if not is_grown(frame):
        return frame
    marked = {name: f"_of_{name}" for name in contract.unit}
    marks = (
        frame.where(F.col(MARK))
        .groupBy(*[F.col(name).alias(marked[name]) for name in contract.unit])
        .agg(F.max(BATCH).alias(_LAST))
    )
    same = reduce(
        lambda one, other: one & other,
        [_agree(contract, name, F.col(name), F.col(marked[name])) for name in contract.unit],
    )
    rows = frame.where(~F.coalesce(MARK, F.lit(False))).join(F.broadcast(marks), on=same, how="left")
    batch, last = (F.coalesce(name, F.lit(-1).cast("long")) for name in (BATCH, _LAST))
    return rows.where(batch >= last).drop(*marked.values(), _LAST, *HIDDEN)


def as_batch(rows: DataFrame, replaced: DataFrame, contract: TableContract, *, batch: int) -> DataFrame:
    """New rows and the marks of the units that they replace, as they are appended.

    Args:
        rows: as the contract states.
        replaced: units by the contract's unit columns, in any number of copies; every unit of ``rows`` is among them.
        contract: the table.
        batch: number of the batch; higher than any that the table has.
    """
    units = replaced.select(*contract.unit).distinct()
    marks = units.select(*[_of_mark(column, contract).alias(column.name) for column in contract.fields])
    said = {BATCH: F.lit(batch).cast("long")}
    return rows.withColumns({**said, MARK: F.lit(False)}).unionByName(marks.withColumns({**said, MARK: F.lit(True)}))


def _agree(contract: TableContract, name: str, one: Column, other: Column) -> Column:
    """Equal; of a column that may be null, null agrees with null."""
    required = {column.name for column in contract.fields if column.required}
    return one == other if name in required else one.eqNullSafe(other)


def _of_mark(column: Field, contract: TableContract) -> Column:
    """A column of a mark: the unit's own, else nothing."""
    if column.name in contract.unit:
        return F.col(column.name)
    return F.lit(_nothing(column.type)).cast(column.type) if column.required else F.lit(None).cast(column.type)


def _nothing(kind: DataType) -> Any:
    """A value that stands where null may not."""
    if isinstance(kind, ArrayType):
        return F.array()
    if isinstance(kind, BooleanType):
        return False
    return "" if isinstance(kind, StringType) else 0
