"""What is held on one person: which rows of which table speak of an employee or of a police person record."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import reduce
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.contract import TableContract
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import EVENT
from linkage_spark.tables.enums import SourceSystem
from linkage_spark.tables.nominals import NOMINAL_PAIR


class Way(StrEnum):
    """How a row can name somebody."""

    EMPLOYEE = "employee"
    RIVAL = "rival"
    RECORD = "record"
    RECORD_ID = "record_id"
    LEFT_RECORD_ID = "left_record_id"
    RIGHT_RECORD_ID = "right_record_id"
    NOMINAL = "nominal"
    EVENT = "event"
    ITEM = "item"


COLUMNS: Final[Mapping[Way, tuple[str, ...]]] = {
    Way.EMPLOYEE: ("employee_id",),
    Way.RIVAL: ("rival_employee_id",),
    Way.RECORD: ("source_system", "person_ref"),
    Way.RECORD_ID: ("record_id",),
    Way.LEFT_RECORD_ID: ("left_record_id",),
    Way.RIGHT_RECORD_ID: ("right_record_id",),
    Way.NOMINAL: ("nominal_id",),
    Way.EVENT: ("source_system", "event_ref"),
    Way.ITEM: ("item_id",),
}
"""The columns that name somebody in each way."""

_OF_RECORDS: Final = {Way.RECORD, Way.RECORD_ID, Way.LEFT_RECORD_ID, Way.RIGHT_RECORD_ID}


def ways_of(contract: TableContract) -> tuple[Way, ...]:
    """How the rows of a table name people; () where they name nobody.

    Where a table names records, a nominal there says no more of whom it speaks. Events count as held on those who stand in
    them in the table of events alone: elsewhere the same event stands beside somebody else.
    """
    found = [way for way, columns in COLUMNS.items() if set(columns) <= set(contract.names)]
    if _OF_RECORDS & set(found):
        found = [way for way in found if way is not Way.NOMINAL]
    return tuple(way for way in found if way is not Way.EVENT or contract == EVENT)


def keys_of_employee(people: DataFrame) -> dict[Way, DataFrame]:
    """The keys under which an employee's rows are found.

    Args:
        people: ``employee_id``.
    """
    record = people.select(
        F.lit(SourceSystem.HR.value).alias("source_system"), F.col("employee_id").alias("person_ref")
    )
    return {
        Way.EMPLOYEE: people.select("employee_id"),
        Way.RIVAL: people.select(F.col("employee_id").alias("rival_employee_id")),
        Way.RECORD: record,
    }


def keys_of_record(
    people: DataFrame, involvement: DataFrame, members: DataFrame, items: DataFrame
) -> dict[Way, DataFrame]:
    """The keys under which the rows on a police person record are found.

    Args:
        people: ``source_system``, ``person_ref``, ``record_id``.
        involvement: INVOLVEMENT.
        members: NOMINAL_RECORD; empty where there are no nominals.
        items: ``source_system``, ``person_ref``, ``item_id`` of all links and hits that were ever shown.
    """
    on = ["source_system", "person_ref"]
    known = F.broadcast(people.select(*on))
    ids = people.select("record_id")
    return {
        Way.RECORD: people.select(*on),
        Way.RECORD_ID: ids,
        Way.LEFT_RECORD_ID: ids.withColumnRenamed("record_id", "left_record_id"),
        Way.RIGHT_RECORD_ID: ids.withColumnRenamed("record_id", "right_record_id"),
        Way.NOMINAL: members.join(known, on=on, how="left_semi").select("nominal_id"),
        Way.EVENT: involvement.join(known, on=on, how="left_semi").select("source_system", "event_ref"),
        Way.ITEM: items.join(known, on=on, how="left_semi").select("item_id"),
    }


def rows_on(frame: DataFrame, contract: TableContract, keys: Mapping[Way, DataFrame]) -> DataFrame | None:
    """The rows of a table that speak of somebody; None where the table cannot name them.

    Args:
        frame: the table, as its contract states.
        contract: the table.
        keys: what ``keys_of_employee`` or ``keys_of_record`` gave.
    """
    found = []
    for way in ways_of(contract):
        if way in keys:
            columns = list(COLUMNS[way])
            found.append(
                frame.join(F.broadcast(keys[way].distinct()), on=columns, how="left_semi").select(*contract.names)
            )
    if not found:
        return None
    together = reduce(DataFrame.unionByName, found)
    return together.dropDuplicates(list(contract.key)) if len(found) > 1 else together


NOT_SHOWN: Final[tuple[TableContract, ...]] = (SCORED_PAIR, NOMINAL_PAIR)
"""Tables that a subject report leaves out, since another one says the same of what became of a pair: LINK, NOMINAL_EDGE."""
