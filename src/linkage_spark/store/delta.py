"""Delta tables, one per contract, written as whole versions and read at the version a run pinned."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentWriteException,
)
from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import ContractError, LockError
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.refusing import never_refuses
from linkage_spark.store.files import Files
from linkage_spark.store.growing import BATCH, HIDDEN, as_batch, is_grown, live_rows

STATISTICS_COLUMNS: Final[frozenset[str]] = frozenset(
    {
        "assignment_no",
        "attribute",
        "copy_no",
        "employee_id",
        "event_ref",
        "feed",
        "hit_id",
        "location_hit_id",
        "location_no",
        "measure",
        "model_id",
        "person_ref",
        "reason",
        "rule_id",
        "run_id",
        "source_system",
        "stage",
        "variant_no",
    }
)
"""Key columns whose least and greatest value Delta may keep in clear in its log: references and codes only.

A list of what may, not of what may not: a key column that somebody adds later is left out until
somebody has asked whether it can hold a name, a date of birth or a hash of one.
"""

KEPT_FOR_GOOD: Final[frozenset[str]] = frozenset(
    {"blocking_audit", "frequency", "nominal_frequency", "nominal_refined_key", "refined_key", "rule_price"}
)
"""Tables that are frozen with a model and speak of no person: a run of an older model reads the versions that it made."""

FOR_GOOD_DAYS: Final = 36_500

NO_STATISTICS: Final[frozenset[str]] = frozenset({"link_judgement"})
"""Tables whose log names nobody: others add rows to them without the lock, so that its entries outlast the rows that they tell of."""

_ATTEMPTS: Final = 5
_CONFLICTS: Final = (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentWriteException,
)

_COMMIT = re.compile(r"^(\d{20})\.json$")
_VIOLATIONS = ("NOT_NULL_CONSTRAINT_VIOLATED", "VIOLATE_CONSTRAINT", "NOT_NULL_ASSERT_VIOLATION")


class DeltaStore:
    """The tables of one output root, ``ROOT/tables/<name>``.

    Every table has reader version 1, no deletion vectors, no partitions, NOT NULL on what its contract
    requires, and statistics on STATISTICS_COLUMNS only, since Delta's log keeps them in clear and VACUUM
    never cleans the log. No CHECK constraint is used: its error message repeats the row.

    Attributes:
        refuse: called before every change of a table; raises where no run may change it any more. Does nothing unless set.
    """

    def __init__(self, spark: SparkSession, root: str, *, kept_days: int = 30) -> None:
        self.refuse: Callable[[], None] = never_refuses
        self.spark = spark
        self.files = Files(spark)
        self.root = root.rstrip("/")
        self._kept_days = kept_days

    def path(self, contract: TableContract) -> str:
        """Where the table lies."""
        return f"{self.root}/tables/{contract.name}"

    def exists(self, contract: TableContract) -> bool:
        """True when the table has at least one version."""
        return self.version(contract) is not None

    def version(self, contract: TableContract) -> int | None:
        """The newest version, 0..; None when there is no such table."""
        entries = self.files.list(f"{self.path(contract)}/_delta_log")
        commits = [int(found.group(1)) for entry in entries if (found := _COMMIT.match(entry.name))]
        return max(commits, default=None)

    def read(self, contract: TableContract, version: int | None = None) -> DataFrame:
        """The table as its contract states, at a version; the newest one when none is given.

        Raises:
            ContractError: when the table does not exist, or has other columns than its contract.
        """
        if not self.exists(contract):
            raise ContractError(f"table {contract.name}: it has not been written yet")
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return contract.conform(live_rows(reader.load(path=self.path(contract)), contract))

    def overwrite(self, contract: TableContract, frame: DataFrame) -> int:
        """Write ``frame`` as the whole content of the table; the first time this makes the table.

        Returns:
            The version written.

        Raises:
            ContractError: when the frame or the table that is there has other columns than the
                contract (each is named), or a required column is null.
        """
        return self._write(contract, frame, mode="overwrite")

    def append(self, contract: TableContract, frame: DataFrame) -> int:
        """Add the rows of ``frame``; the first time this makes the table. Otherwise as ``overwrite``."""
        return self._write(contract, frame, mode="append")

    def grow(self, contract: TableContract, rows: DataFrame, replaced: DataFrame, *, onto: int | None) -> int:
        """Put rows in the place of all that their units held, in one appended batch.

        What an interrupted attempt has written past ``onto`` is put back first, so that a second attempt changes nothing.

        Args:
            contract: a table with a unit.
            rows: the new rows.
            replaced: every unit whose former rows end, by the contract's unit columns; a unit without new rows is gone.
            onto: the version that the batch stands on; None where there is no such table yet.

        Returns:
            The version written.

        Raises:
            ContractError: as ``overwrite``, and for a table without a unit.
        """
        if not contract.unit:
            raise ContractError(f"table {contract.name}: it has no unit, so that it is always written whole")
        self._go_back(contract, onto)
        batch = (self.version(contract) or 0) + 1
        return self._write(contract, contract.conform(rows), mode="append", batch=batch, replaced=replaced)

    def has_batches(self, contract: TableContract, version: int) -> bool:
        """True when batches were added to the table since it was last written whole, as it stands at a version."""
        frame = self.spark.read.format("delta").option("versionAsOf", version).load(path=self.path(contract))
        return is_grown(frame) and not frame.where(f"{BATCH} is not null").isEmpty()

    def add(self, contract: TableContract, rows: DataFrame, *, onto: int | None) -> int:
        """Add rows to what the table held at version ``onto``; otherwise as ``append``. A second attempt changes nothing."""
        self._go_back(contract, onto)
        return self._write(contract, rows, mode="append")

    def remove(self, contract: TableContract, rows: DataFrame) -> int:
        """Take out every row that has the key of one of ``rows``; what others add meanwhile without the lock stays.

        Files that hold such a row are written anew without it, and no other file is touched. Where somebody has added rows since Delta
        read the table, it refuses the change, and it is made again on what stands then.

        Args:
            contract: a table that is there.
            rows: the columns of the contract's key, with others or without.

        Returns:
            The newest version then.

        Raises:
            LockError: others wrote to it each time.
        """
        going = rows.select(*contract.key).distinct().alias("going")
        same = " and ".join(f"there.{name} <=> going.{name}" for name in contract.key)
        for _ in range(_ATTEMPTS):
            self.refuse()
            there = DeltaTable.forPath(sparkSession=self.spark, path=self.path(contract)).alias("there")
            try:
                there.merge(source=going, condition=same).whenMatchedDelete().execute()
            except _CONFLICTS:
                continue
            version = self.version(contract)
            if version is None:
                raise ContractError(f"table {contract.name}: nothing stands where rows were just removed")
            return version
        raise LockError(f"table {contract.name}: others have written to it all the time; start again when nobody does")

    def _go_back(self, contract: TableContract, onto: int | None) -> None:
        """The table as it was at a version; gone where there was none."""
        if onto is None:
            self.drop(contract)
        else:
            self.restore(contract, onto)

    def restore(self, contract: TableContract, version: int) -> bool:
        """Make an older version the newest again; False when it is already.

        Raises:
            ContractError: when the table has no such version.
        """
        newest = self.version(contract)
        if newest is None or version > newest:
            raise ContractError(f"table {contract.name}: it has no version {version} to go back to")
        if version == newest:
            return False
        self.refuse()
        DeltaTable.forPath(sparkSession=self.spark, path=self.path(contract)).restoreToVersion(version=version)
        return True

    def drop(self, contract: TableContract) -> bool:
        """Delete the table with all its versions; False when nothing was there."""
        self.refuse()
        return self.files.delete(self.path(contract))

    def _write(
        self,
        contract: TableContract,
        frame: DataFrame,
        *,
        mode: str,
        batch: int | None = None,
        replaced: DataFrame | None = None,
    ) -> int:
        self.refuse()
        rows = contract.conform(frame)
        if batch is not None and replaced is not None:
            rows = as_batch(rows, replaced, contract, batch=batch)
        if self.exists(contract):
            self._check_stored(contract)
        else:
            self._create(contract)
        before = self.version(contract) or 0
        # Only the two hidden columns of a batch are ever merged into a table.
        writer = rows.write.format("delta").mode(mode).option("mergeSchema", batch is not None)
        try:
            writer.save(path=self.path(contract))
        except (Py4JJavaError, PySparkException) as error:
            fault = constraint_fault(contract, str(error))
            if fault is None:
                raise
            raise fault from None
        version = self.version(contract)
        if version is None:
            raise ContractError(f"table {contract.name}: nothing stands where it was just written")
        if version > before + 1:
            raise LockError(
                f"table {contract.name}: somebody else has written to it at the same moment; start again when no other run is working"
            )
        return version

    def _create(self, contract: TableContract) -> None:
        """Make the empty table, version 0, with its properties."""
        builder = (
            DeltaTable.createIfNotExists(sparkSession=self.spark)
            .location(self.path(contract))
            .addColumns(contract.schema)
        )
        for key, value in table_properties(contract, kept_days=self._kept_days).items():
            builder = builder.property(key, value)
        builder.execute()

    def _check_stored(self, contract: TableContract) -> None:
        """Refuse to write over a table of another shape: no column is ever merged in silently."""
        stored = {
            column.name: (column.dataType.simpleString(), column.nullable)
            for column in self.spark.read.format("delta").load(path=self.path(contract)).schema.fields
            if column.name not in HIDDEN
        }
        wanted = {column.name: (column.type.simpleString(), not column.required) for column in contract.fields}
        changed = [
            _change(name, stored.get(name), wanted.get(name))
            for name in dict.fromkeys([*wanted, *stored])
            if stored.get(name) != wanted.get(name)
        ]
        if changed:
            raise ContractError(
                f"table {contract.name}: the stored table has another shape than this version writes: "
                + "; ".join(changed)
                + "; write to a new output root, or move the old table away"
            )


def table_properties(contract: TableContract, *, kept_days: int) -> dict[str, str]:
    """The Delta properties of a table.

    Args:
        contract: the table.
        kept_days: days for which superseded versions can be read; then their files and log entries may be cleaned away.
    """
    kept_days = FOR_GOOD_DAYS if contract.name in KEPT_FOR_GOOD else kept_days
    properties = {
        "delta.enableDeletionVectors": "false",
        "delta.minReaderVersion": "1",
        "delta.minWriterVersion": "2",
        "delta.logRetentionDuration": f"interval {kept_days} days",
        "delta.deletedFileRetentionDuration": f"interval {kept_days} days",
    }
    statistics = [name for name in contract.key if name in STATISTICS_COLUMNS and contract.name not in NO_STATISTICS]
    if statistics:
        properties["delta.dataSkippingStatsColumns"] = ",".join(statistics)
    else:
        properties["delta.dataSkippingNumIndexedCols"] = "0"
    return properties


def constraint_fault(contract: TableContract, message: str) -> ContractError | None:
    """A null in a required column, told without the row; None when the message is about something else.

    Only names that the contract knows are taken from the message.
    """
    if not any(violation in message for violation in _VIOLATIONS):
        return None
    words = set(re.findall(pattern=r"\w+", string=message))
    named = [column.name for column in contract.fields if column.required and column.name in words]
    columns = ", ".join(named) if named else "one of its required columns"
    return ContractError(f"table {contract.name}: null in {columns}, which must never be null; nothing was written")


def _change(name: str, stored: tuple[str, bool] | None, wanted: tuple[str, bool] | None) -> str:
    """One difference in words."""
    if stored is None:
        return f"{name} is new"
    if wanted is None:
        return f"{name} is no longer written"
    if stored[0] != wanted[0]:
        return f"{name} was {stored[0]} and is now {wanted[0]}"
    return f"{name} may now be null" if wanted[1] else f"{name} may no longer be null"
