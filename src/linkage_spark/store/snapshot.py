"""The published snapshot: plain Parquet per table and run, and the row that says which run readers see."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DoubleType, IntegerType, StringType

from linkage_spark.errors import ContractError
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import row_hash
from linkage_spark.store.files import Files
from linkage_spark.tables.results import CURRENT_RUN

SCALARS: Final[tuple[type[DataType], ...]] = (StringType, IntegerType, DoubleType)
"""The types that every reader on an estate loads alike: text, 32-bit integers, doubles.

No INT96 and no time zones (times are ISO text), no dates (integer keys), no 64-bit integers, which a
reader that keeps numbers as doubles rounds above 2**53.
"""

_CURRENT_SCHEMA = pa.schema(
    [pa.field("run_id", pa.string(), False), pa.field("published_at", pa.timestamp("us", tz="UTC"), False)]
)


@dataclass(frozen=True)
class CurrentRun:
    """What ``current_run`` says.

    Attributes:
        run_id: the run that readers filter by.
        published_at: when it was moved there, UTC.
    """

    run_id: str
    published_at: datetime


def published_path(root: str, table: str, run_id: str) -> str:
    """Folder of one published table of one run."""
    return f"{root.rstrip('/')}/published/{table}/run_id={run_id}"


def write_published(
    files: Files, frame: DataFrame, root: str, contract: TableContract, run_id: str, *, file_count: int = 1
) -> str:
    """Write one table of a run's snapshot; what an earlier attempt of the run left is replaced.

    The column run_id stands in the files as well as in the folder's name, since some readers see only
    the one or the other.

    Args:
        files: the file system.
        frame: the rows, as the contract states.
        root: output root.
        contract: the published table.
        run_id: the run.
        file_count: Parquet files to write.

    Returns:
        The folder written.

    Raises:
        ContractError: when the frame has other columns, or a type that not every reader loads.
    """
    rows = contract.conform(frame)
    odd = [
        f"{c.name} is {c.dataType.simpleString()}" for c in rows.schema.fields if not isinstance(c.dataType, SCALARS)
    ]
    if odd:
        raise ContractError(
            f"published table {contract.name}: only text, integers and doubles may be: {'; '.join(odd)}"
        )
    path = published_path(root, contract.name, run_id)
    files.delete(path)
    # Repartitioned, not coalesced: coalescing to one file would compute the frame in one task as well.
    rows.repartition(numPartitions=file_count).write.mode("errorifexists").parquet(path=path, compression="snappy")
    return path


def list_published_runs(files: Files, root: str, table: str) -> tuple[str, ...]:
    """Runs of which a published table holds a snapshot, oldest first."""
    names = [entry.name for entry in files.list(f"{root.rstrip('/')}/published/{table}") if entry.is_dir]
    return tuple(sorted(name.removeprefix("run_id=") for name in names if name.startswith("run_id=")))


def delete_published(files: Files, root: str, tables: tuple[str, ...], run_id: str) -> None:
    """Delete what a run published, or began to."""
    for table in tables:
        files.delete(published_path(root, table, run_id))


def fingerprint_rows(frame: DataFrame, *, leave_out: tuple[str, ...] = ("run_id",)) -> DataFrame:
    """One row: ``rows`` LONG and ``hash_sum`` DECIMAL over all columns but ``leave_out``; lazy.

    The sum does not depend on the order of rows. A null counts as different from an empty string, and in
    one column as different from a null in another (Spark's hash alone passes over nulls).
    """
    names = sorted(set(frame.columns) - set(leave_out))
    return frame.select(row_hash(names).alias("hash")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.coalesce(F.sum("hash"), F.lit(0).cast("decimal(30,0)")).alias("hash_sum"),
    )


def snapshot_fingerprint(frame: DataFrame, *, leave_out: tuple[str, ...] = ("run_id",)) -> str:
    """``rows:hash sum`` of a frame, equal for equal rows in any order. Runs a Spark job."""
    row = fingerprint_rows(frame, leave_out=leave_out).collect()[0]
    return f"{row['rows']}:{row['hash_sum']}"


def current_run_path(root: str) -> str:
    """The one file of ``current_run``; its folder holds no other that readers see."""
    return f"{root.rstrip('/')}/published/{CURRENT_RUN.name}/part.parquet"


def move_current_run(files: Files, root: str, run_id: str, published_at: datetime) -> None:
    """Point readers at a run: the only thing that ever moves for them.

    The row is written to a hidden file that then takes the place of the former one, so that a reader
    finds one row at any moment, never none and never two.

    Args:
        files: the file system.
        root: output root.
        run_id: the run to show.
        published_at: aware time.
    """
    row = {"run_id": [run_id], "published_at": [published_at.astimezone(UTC)]}
    content = io.BytesIO()
    pq.write_table(table=pa.table(row, schema=_CURRENT_SCHEMA), where=content, compression="snappy")
    files.write_bytes(current_run_path(root), content.getvalue())


def read_current_run(files: Files, root: str) -> CurrentRun | None:
    """What readers are shown; None before anything was published.

    Raises:
        ContractError: when the file does not hold exactly one row.
    """
    path = current_run_path(root)
    if not files.exists(path):
        return None
    table = pq.ParquetFile(source=io.BytesIO(files.read_bytes(path))).read()
    if table.num_rows != 1:
        raise ContractError(f"published table {CURRENT_RUN.name}: {table.num_rows} rows where readers need exactly one")
    row = table.to_pylist()[0]
    return CurrentRun(run_id=row["run_id"], published_at=row["published_at"])
