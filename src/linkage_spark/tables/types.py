"""Short names for the Spark types that contracts use."""

from __future__ import annotations

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
)

STRING = StringType()
STRINGS = ArrayType(StringType(), containsNull=False)
INT = IntegerType()
LONG = LongType()
DOUBLE = DoubleType()
BOOLEAN = BooleanType()
DATE = DateType()
TIMESTAMP = TimestampType()
PRINT_SUM = DecimalType(38, 0)
"""A sum of 64-bit prints, however many."""
