"""The id of a police person record among nominals."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.tables.enums import SourceSystem

RECORD_KEY = ("source_system", "person_ref")
"""What a record's id is made of."""


def record_id() -> Column:
    """xxHash64 of ``source_system`` and ``person_ref``, in this order; LONG."""
    return F.xxhash64(*RECORD_KEY)


def with_record_id(frame: DataFrame) -> DataFrame:
    """Add ``record_id`` to a frame that has ``source_system`` and ``person_ref``."""
    return frame.withColumn("record_id", record_id())


def is_police() -> Column:
    """True for rows of PERSON that are police records; employees take no part in nominals."""
    return F.col("source_system") != SourceSystem.HR.value


def record_faults(persons: DataFrame) -> DataFrame:
    """How many record ids stand for more than one police record; lazy.

    Args:
        persons: PERSON; rows of the roster are left out.

    Returns:
        Always one row: ``shared_record_ids`` LONG. Anything but 0 must stop the run.
    """
    key = F.struct(*RECORD_KEY)
    per_id = (
        persons.where(is_police())
        .groupBy(record_id().alias("record_id"))
        .agg(F.min(key).alias("least"), F.max(key).alias("most"))
    )
    return per_id.agg(F.count_if(F.col("least") != F.col("most")).alias("shared_record_ids"))
