"""Raw rows with their keys, versions and first refusals; then of every key the newest version only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from linkage_spark.settings.sources import FeedMapping, Produces
from linkage_spark.standardise import inputs as C
from linkage_spark.tables.canonical import REFUSED
from linkage_spark.tables.enums import RefusalReason

RAW = "raw__"
"""Columns with this start hold the raw row, one per feed; null for rows of other feeds."""

DISPOSAL = "disposal__reason"
"""Why a feed's row is no longer kept by its source's own disposal date: RefusalReason, else null. Never read from a source, never kept."""

ROW_JSON = "row_json"
"""The raw row of a refused row as JSON; null for kept rows."""


def open_rows(frame: DataFrame, feed: FeedMapping, block: Produces, inputs: dict[str, Column]) -> DataFrame:
    """A feed's rows with what every table needs, beside the block's own ``inputs``.

    Adds source_system, feed, produces, row_key, source_version, gone, content_hash, raw__<feed>. Of a feed's columns only
    those that its mapping reads are kept, and only they tell two rows apart. The raw row of any table but person_identifier
    goes without the feed's PNC and CRO numbers.
    """
    kept = read_columns(frame, feed)
    hidden = frozenset[str]() if block.table == "person_identifier" else feed.number_columns
    key_names = [column for name in _key_inputs(block) for column in block.columns.get(name, ())]
    return frame.select(
        F.lit(feed.source_system).alias("source_system"),
        F.lit(feed.name).alias("feed"),
        F.lit(block.table).alias("produces"),
        C.row_key(key_names).alias("row_key"),
        C.version(frame, block).alias("source_version"),
        _gone(frame, feed).alias("gone"),
        C.content_hash(kept).alias("content_hash"),
        C.raw_struct([name for name in kept if name not in hidden]).alias(f"{RAW}{feed.name}"),
        *[column.alias(name) for name, column in inputs.items()],
    )


def read_columns(frame: DataFrame, feed: FeedMapping) -> list[str]:
    """The columns of a feed that its mapping reads, in the feed's order."""
    read = set(feed.read_columns)
    return [name for name in frame.columns if name in read]


def _gone(frame: DataFrame, feed: FeedMapping) -> Column:
    """RefusalReason of a row that its source has taken back, or whose disposal is due; else null."""
    due = F.col(DISPOSAL) if DISPOSAL in frame.columns else F.lit(None).cast("string")
    if feed.withdrawn is None or feed.withdrawn.column not in frame.columns:
        return due
    values = [value.strip().upper() for value in feed.withdrawn.values]
    withdrawn = F.upper(C.text(feed.withdrawn.column)).isin(*values)
    return F.when(withdrawn, F.lit(RefusalReason.WITHDRAWN.value)).otherwise(due)


def with_disposal(frame: DataFrame, feed: FeedMapping, *, day: date) -> DataFrame:
    """A feed's rows with DISPOSAL where its mapping names a disposal date; else as they are.

    A disposal date that cannot be read is due: whether the row may still be held is not known.

    Args:
        frame: the feed.
        feed: its mapping.
        day: the day that the run is for.
    """
    if feed.disposal is None:
        return frame
    on = C.day_in(frame, feed.disposal.column, feed.disposal.date_formats, feed.disposal.time_zone)
    unreadable = F.col(f"`{feed.disposal.column}`").isNotNull() & (C.text(feed.disposal.column) != "") & on.isNull()
    reason = F.when(unreadable, F.lit(RefusalReason.UNREADABLE_DATE.value)).when(
        on <= F.lit(day), F.lit(RefusalReason.DISPOSAL_DUE.value)
    )
    return frame.withColumn(DISPOSAL, reason)


def falls_due(frame: DataFrame, feed: FeedMapping, *, after: date, until: date) -> DataFrame:
    """The rows whose disposal falls due after one day and not after another; none where the mapping names no such date."""
    if feed.disposal is None:
        return frame.limit(0)
    on = C.day_in(frame, feed.disposal.column, feed.disposal.date_formats, feed.disposal.time_zone)
    return frame.where((on > F.lit(after)) & (on <= F.lit(until)))


def _key_inputs(block: Produces) -> tuple[str, ...]:
    """The inputs whose columns make the key that a report shows."""
    extra = {"person": ("variant_no",), "location": ("location_no",), "involvement": ("role",)}.get(block.table, ())
    named = {
        "person": ("person_ref",),
        "assignment": ("employee_id", "assignment_no"),
        "event": ("event_ref",),
        "involvement": ("event_ref", "person_ref"),
        "location": ("event_ref",),
        "person_identifier": ("person_ref",),
    }[block.table]
    return (*named, *extra)


def judge_rows(rows: DataFrame, checks: Sequence[tuple[Column, RefusalReason, Column]]) -> DataFrame:
    """Add reason and column_name: the first check that holds for the row on its own.

    Args:
        rows: raw rows.
        checks: (is it at fault, the reason, name of the column at fault or null), gravest first.
    """
    reason, name = F.lit(None).cast("string"), F.lit(None).cast("string")
    for fault, why, column in reversed(checks):
        at_fault = F.coalesce(fault, F.lit(False))
        reason = F.when(at_fault, F.lit(why.value)).otherwise(reason)
        name = F.when(at_fault, column).otherwise(name)
    return rows.withColumns({"reason": reason, "column_name": name})


def keep_newest(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """Refuse all but the newest version of every key: DUPLICATE_ROW when equal, else SUPERSEDED_VERSION.

    The source's own version decides; of level ones a row that holds comes before one that is taken back, then the content; order of
    arrival plays no part. Rows that are refused already stay out of it. A newest version that the source has taken back is refused as
    WITHDRAWN, one that it no longer keeps as DISPOSAL_DUE; older ones do not come back, and are gone with it.
    """
    open_ = F.col("reason").isNull()
    versions = Window.partitionBy(*key, open_).orderBy(
        F.desc("source_version"), F.col("gone").asc_nulls_first(), F.desc("content_hash")
    )
    rank = F.row_number().over(versions)
    gone = F.coalesce("gone", F.when(open_, F.first("gone").over(versions)))
    same = F.lag("content_hash").over(versions) == F.col("content_hash")
    late = F.when(same, F.lit(RefusalReason.DUPLICATE_ROW.value)).otherwise(
        F.lit(RefusalReason.SUPERSEDED_VERSION.value)
    )
    reason = F.when(~open_, F.col("reason")).when(rank > 1, late)
    return refuse_withdrawn(rows.withColumns({"reason": reason, "gone": gone}))


def refuse_withdrawn(rows: DataFrame) -> DataFrame:
    """Refuse what the source has taken back or no longer keeps, of rows that nothing else speaks against."""
    return rows.withColumn("reason", F.coalesce("reason", "gone"))


def refuse_older(rows: DataFrame, key: Sequence[str], *, by: Sequence[str]) -> DataFrame:
    """Refuse as SUPERSEDED_VERSION what is behind the first row of its key; rows that are level all stay.

    Args:
        rows: judged rows; those refused already stay out of it.
        key: whose versions are compared.
        by: columns in which more is newer; the first decides, then that a row is not taken back, then the others.
    """
    open_ = F.col("reason").isNull()
    newest, *ties = [F.desc(name) for name in by]
    held = F.col("gone").asc_nulls_first()
    # Where rows that are level all stay, one that is taken back is no older than the others.
    versions = Window.partitionBy(*key, open_).orderBy(newest, *([held, *ties] if ties else []))
    held_first = Window.partitionBy(*key, open_).orderBy(newest, held, *ties)
    older = open_ & (F.rank().over(versions) > 1)
    late = F.lit(RefusalReason.SUPERSEDED_VERSION.value)
    return rows.withColumns(
        {
            "reason": F.when(older, late).otherwise(F.col("reason")),
            "gone": F.coalesce("gone", F.when(older, F.first("gone").over(held_first))),
        }
    )


def kept(rows: DataFrame) -> DataFrame:
    """The rows that nothing speaks against."""
    return rows.where(F.col("reason").isNull())


def union_rows(frames: Iterable[DataFrame]) -> DataFrame | None:
    """All frames under each other; a column that one lacks is null there. None when there is none."""
    listed = list(frames)
    return reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), listed) if listed else None


def settle(judged: DataFrame) -> DataFrame:
    """Judged rows with ``row_json`` in place of the raw row; only refused rows pay for it.

    Nothing is kept of what the source took back or no longer keeps, whatever else speaks against the row.

    A settled frame is narrow: several tables are made from it, and whoever runs them may keep it meanwhile.
    """
    raws = [name for name in judged.columns if name.startswith(RAW)]
    as_json = F.coalesce(*[F.to_json(F.col(name)) for name in raws], F.lit("{}"))
    row_json = F.when(F.col("gone").isNotNull(), F.lit("{}")).when(F.col("reason").isNotNull(), as_json).alias(ROW_JSON)
    return judged.select(*[F.col(name) for name in judged.columns if name not in raws], row_json)


def refuse(settled: DataFrame) -> DataFrame:
    """The refused rows of one settled frame as REFUSED."""
    rows = settled.where(F.col("reason").isNotNull())
    copies = Window.partitionBy("source_system", "feed", "produces", "row_key", "reason").orderBy(
        "content_hash", ROW_JSON
    )
    refs = {
        name: F.col(name) if name in rows.columns else F.lit(None).cast("string")
        for name in ("person_ref", "event_ref")
    }
    if "employee_id" in rows.columns:
        refs["person_ref"] = F.col("employee_id")
    return REFUSED.conform(rows.withColumns({"copy_no": F.row_number().over(copies), **refs}))
