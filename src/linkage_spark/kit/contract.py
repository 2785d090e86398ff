"""A table's contract: its columns, their types, its key, and what one row means."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructField, StructType

from linkage_spark.errors import ContractError


@dataclass(frozen=True)
class Field:
    """One column of a contract.

    Attributes:
        name: column name; units stand in the name.
        type: Spark type.
        description: what the value means, and what null means where null is allowed.
        required: True when the column is never null.
    """

    name: str
    type: DataType
    description: str
    required: bool = False


@dataclass(frozen=True)
class TableContract:
    """What a table is: one place for its name, columns, key and meaning.

    Attributes:
        name: table name, a noun in snake case.
        row: what one row means.
        key: columns that are unique together.
        fields: the columns in their order.
        unit: columns of what is replaced as a whole when the table grows from day to day; () where a table is written whole.
    """

    name: str
    row: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    unit: tuple[str, ...] = ()
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False, hash=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({column.name: column for column in self.fields})
        if len(self._by_name) != len(self.fields):
            raise ContractError(f"contract {self.name}: a column is listed twice")
        for said, names in (("key", self.key), ("unit", self.unit)):
            unknown = [name for name in names if name not in self._by_name]
            if unknown:
                raise ContractError(f"contract {self.name}: {said} columns {unknown} are not among its columns")

    @property
    def schema(self) -> StructType:
        """The Spark schema; nullability follows ``required``."""
        return StructType([StructField(c.name, c.type, not c.required) for c in self.fields])

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.fields)

    def check(self, frame: DataFrame) -> DataFrame:
        """Return ``frame`` unchanged when it has this contract's columns and types, else raise.

        Extra columns are a fault as well: a stage ends in ``select``. Nullability is not compared,
        since Spark widens it freely; it is checked on the data before publishing.

        Raises:
            ContractError: with every missing, extra or wrongly typed column.
        """
        found = {f.name: f.dataType for f in frame.schema.fields}
        faults = [f"missing {name}" for name in self.names if name not in found]
        faults += [f"unexpected {name}" for name in found if name not in self._by_name]
        faults += [
            f"{c.name} is {found[c.name].simpleString()}, not {c.type.simpleString()}"
            for c in self.fields
            if c.name in found and found[c.name] != c.type and not _same_but_nulls(found[c.name], c.type)
        ]
        if faults:
            raise ContractError(f"table {self.name}: " + "; ".join(faults))
        return frame

    def conform(self, frame: DataFrame) -> DataFrame:
        """Select this contract's columns in order, then check types: how every stage ends."""
        missing = [name for name in self.names if name not in frame.columns]
        if missing:
            raise ContractError(f"table {self.name}: missing {', '.join(missing)}")
        return self.check(frame.select(*[F.col(name) for name in self.names]))


def _same_but_nulls(left: DataType, right: DataType) -> bool:
    """True when two types differ in nullability of elements only."""
    return left.simpleString() == right.simpleString()
