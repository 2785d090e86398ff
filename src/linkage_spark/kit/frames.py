"""Frames of rows that the driver holds, batches of rows on their way through a task, and a row as one number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from linkage_spark.errors import ContractError


def local_frame(spark: SparkSession, rows: Iterable[Sequence[Any]], schema: StructType | str) -> DataFrame:
    """A frame of some rows, by way of Arrow: Spark knows its size, and no Python worker has to be started to read it.

    ``createDataFrame`` of a list asks a Python worker for the rows each time that a plan reads them.

    Args:
        spark: the session.
        rows: values in the order of the columns.
        schema: a schema, or its DDL.

    Raises:
        ContractError: a row of another length, a value of another type, or a null in a required column.
    """
    columns = schema if isinstance(schema, StructType) else cast("StructType", StructType.fromDDL(schema))
    arrow = to_arrow_schema(columns)
    values = list(rows)
    if any(len(row) != len(arrow) for row in values):
        raise ContractError(f"a row does not have the {len(arrow)} columns {', '.join(columns.names)}")
    arrays = [_array([row[place] for row in values], field) for place, field in enumerate(arrow)]
    table: Any = pa.Table.from_arrays(arrays, schema=arrow)
    return spark.createDataFrame(table, schema=columns)


def row_hash(names: Iterable[str]) -> Column:
    """xxHash64 over columns as DECIMAL(20), so that it can be summed. A null counts: Spark's own hash passes over it."""
    parts = [part for name in names for part in (F.col(name), F.col(name).isNull())]
    return F.xxhash64(*parts).cast("decimal(20,0)")


def last_said(said: DataFrame, by: Sequence[str], *, word: str, at: str, order: Sequence[str]) -> DataFrame:
    """Of each key the word that was said last; of words of one moment the one that comes last in an order.

    Args:
        said: rows with the columns named here.
        by: the key.
        word: column of what was said, one of ``order``.
        at: column of when.
        order: the words; which of them holds must never depend on the order of rows.

    Returns:
        The key, the word (null for one that is not in ``order``), and when.
    """
    words = F.array(*[F.lit(str(one)) for one in order])
    rank = F.array_position(words, F.col(word)).cast("int")
    last = said.groupBy(*by).agg(F.max(F.struct(at, rank.alias("rank"))).alias("last"))
    return last.select(*by, F.get(words, F.col("last.rank") - 1).alias(word), F.col(f"last.{at}"))


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of about ``rows`` or more, for work that costs something per batch; the last one may be shorter."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(part.num_rows for part in held) >= rows:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)


def _array(values: list[Any], field: pa.Field) -> pa.Array:
    try:
        array = pa.array(values, type=field.type)
    except (pa.ArrowException, TypeError, ValueError):
        # The message of Arrow quotes the value.
        raise ContractError(f"column {field.name}: a value is not of type {field.type}") from None
    if array.null_count and not field.nullable:
        raise ContractError(
            f"column {field.name}: {array.null_count} of {len(values)} values are null, and it is required"
        )
    return array
