"""Canaries as rows of the feeds: what a mapping reads, filled the way round, so that the mapping itself is tried every night."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.types import (
    DataType,
    DateType,
    DecimalType,
    IntegralType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from linkage_spark.kit.frames import local_frame
from linkage_spark.settings.canaries import Canary
from linkage_spark.settings.sources import Produces, SourceMapping
from linkage_spark.standardise.rows import read_columns

_MADE = frozenset({"person", "assignment", "event", "involvement"})
"""The tables that a canary needs a row in to be found."""


@dataclass(frozen=True)
class _Born:
    """A date of birth, and as the block's texts have it."""

    day: date
    text: str


_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
"""When the records of canaries were last changed."""


def canary_feeds(
    feeds: Mapping[str, DataFrame], sources: Iterable[SourceMapping], canaries: Iterable[Canary]
) -> dict[str, DataFrame]:
    """Rows of the canaries in every feed that needs one, with the feed's own columns and types.

    Args:
        feeds: raw frames by ``source.feed``; only their columns are looked at.
        sources: the mappings.
        canaries: of any sources; one of a source that is not mapped is passed over.

    Returns:
        Frames by ``source.feed`` of all sources, empty where a feed has no canary.
    """
    listed = list(canaries)
    found = {}
    for source in sources:
        own = listed if source.roster else [canary for canary in listed if canary.source == source.source_system]
        for feed in source.feeds.values():
            if feed.key in feeds:
                frame = feeds[feed.key]
                schema = StructType([frame.schema[name] for name in read_columns(frame, feed)])
                makes = [block for block in feed.produces if not block.is_variant and block.table in _MADE]
                rows = [_row(schema, makes, source, canary) for canary in own] if makes else []
                found[feed.key] = local_frame(frame.sparkSession, rows, schema=_nullable(schema))
    return found


def _nullable(schema: StructType) -> StructType:
    """The same columns, any of which may be null."""
    widened = StructType()
    for column in schema.fields:
        widened.add(column.name, column.dataType, nullable=True)
    return widened


def _row(schema: StructType, blocks: Iterable[Produces], source: SourceMapping, canary: Canary) -> tuple[Any, ...]:
    """One row of a feed."""
    values: dict[str, Any] = {}
    for block in blocks:
        values |= _of_block(block, source, canary)
    return tuple(_typed(values.get(column.name), column.dataType) for column in schema.fields)


def _of_block(block: Produces, source: SourceMapping, canary: Canary) -> dict[str, Any]:
    """Texts and times by column, for one block."""
    told = canary.told(on_roster=source.roster)
    born, told_inputs = told["born"], _inputs(block, told)
    inputs: dict[str, list[Any]] = {
        **{name: [value] for name, value in told_inputs.items()},
        "date_of_birth": [_Born(born, _written(born, block)) if isinstance(born, date) else ""],
        "employment_type": [next(iter(block.employment_types), "")],
        "role": [next(iter(source.roles), "")],
        "version": [_SINCE],
    }
    for name in ("person_ref", "event_ref", "employee_id", "assignment_no"):
        inputs[name] = [canary, "1", "1", "1"]
    return {
        column: value
        for name, columns in block.columns.items()
        for column, value in zip(columns, inputs.get(name, []), strict=False)
    }


def _inputs(block: Produces, told: Mapping[str, Any]) -> dict[str, str]:
    """Name and address in the parts that the block has columns for."""
    surname_first = block.name_order == "surname_first"
    whole = f"{told['surname']}, {told['given']}" if surname_first else f"{told['given']} {told['surname']}"
    home = [" ".join(str(told[name]) for name in ("house", "street")).strip(), str(told["town"])]
    boxed = ", ".join(part for part in home if part) if "town" not in block.columns else home[0]
    named = {name: str(told[name]) for name in ("given", "surname", "house", "street", "town", "postcode")}
    return {**named, "name": whole, "address": boxed}


def _written(born: date, block: Produces) -> str:
    """A date in the block's first format, ISO where it names none."""
    if not block.date_formats:
        return born.isoformat()
    signs = {
        "yyyy": f"{born:%Y}",
        "yy": f"{born:%y}",
        "MMM": f"{born:%b}".upper(),
        "MM": f"{born:%m}",
        "dd": f"{born:%d}",
    }
    return re.sub("yyyy|yy|MMM|MM|dd", lambda sign: signs[sign[0]], block.date_formats[0])


def _typed(value: Any, kind: DataType) -> Any:
    """A value as the column holds it; null where it cannot."""
    if value is None or value == "":
        return "" if isinstance(kind, StringType) else None
    if isinstance(value, datetime):
        return _moment(value, kind)
    if isinstance(value, _Born):
        at_midnight = datetime(value.day.year, value.day.month, value.day.day, tzinfo=UTC)
        return value.text if isinstance(kind, StringType) else _moment(at_midnight, kind)
    if isinstance(value, Canary):
        value = value.ref if isinstance(kind, StringType) else str(value.number)
    if isinstance(kind, IntegralType | DecimalType) and str(value).isdigit():
        return int(value) if isinstance(kind, IntegralType) else Decimal(value)
    return str(value) if isinstance(kind, StringType) else None


def _moment(value: datetime, kind: DataType) -> Any:
    """A time, or a midnight."""
    if isinstance(kind, TimestampType):
        return value
    if isinstance(kind, TimestampNTZType):
        return value.replace(tzinfo=None)
    if isinstance(kind, DateType):
        return value.date()
    if isinstance(kind, IntegralType):
        return 1
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(kind, StringType) else None
