"""What is remembered of the feeds from one run to the next, so that a day reads what is new."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.types import DATE, LONG, PRINT_SUM, STRING

_SOURCE = Field("source_system", STRING, "SourceSystem of the feed.", required=True)
_FEED = Field("feed", STRING, "Name of the feed in the mapping.", required=True)

FEED_UNIT: tuple[Field, ...] = (
    _SOURCE,
    _FEED,
    Field("produces", STRING, "Canonical table that the rows become.", required=True),
    Field("person_ref", STRING, "Person record that the rows speak of; '' when they name none.", required=True),
    Field("event_ref", STRING, "Event that the rows speak of; '' when they name none.", required=True),
)
"""Columns of a unit of a feed: the rows of one feed that become rows of one table and speak of one person record and event."""

FEED_PRINT = TableContract(
    name="feed_print",
    row="One unit of a feed that does not name its changes, as it was last seen.",
    key=tuple(column.name for column in FEED_UNIT),
    fields=(
        *FEED_UNIT,
        Field("rows", LONG, "Rows of the unit.", required=True),
        Field(
            "print_sum",
            PRINT_SUM,
            "Sum over the rows of 64 bits of an HMAC-SHA-256 of what the mapping reads of them (of their time of change, where the "
            "mapping names one). Personal data, erased with the person.",
            required=True,
        ),
    ),
    unit=tuple(column.name for column in FEED_UNIT),
)

FEED_STATE = TableContract(
    name="feed_state",
    row="One feed as the run read it.",
    key=("source_system", "feed"),
    fields=(
        _SOURCE,
        _FEED,
        Field("changes", STRING, "How changes are found, as the mapping says.", required=True),
        Field(
            "fingerprint",
            STRING,
            "SHA-256 of the feed's version or listing; another one means that it was written to.",
            required=True,
        ),
        Field("table_id", STRING, "Delta's own id of the table; null where the feed is no Delta table."),
        Field("version", LONG, "Version that was read; null where the feed is no Delta table."),
        Field("written_day", DATE, "Day of the run that last found it written to.", required=True),
        Field("rows", LONG, "Rows that it has.", required=True),
        Field("numbers", LONG, "PNC and CRO numbers that they state.", required=True),
    ),
)

CHANGES: tuple[TableContract, ...] = (FEED_PRINT, FEED_STATE)
