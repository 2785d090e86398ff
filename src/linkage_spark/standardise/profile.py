"""Counts per column of a raw feed: what is missing, what stands for nothing, how dates look."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.reference.standard import Reference
from linkage_spark.settings.sources import DATE_INPUTS, FeedMapping, Produces
from linkage_spark.standardise import inputs as C
from linkage_spark.standardise.dates import EARLIEST_YEAR

PROFILE_COLUMNS: tuple[str, ...] = (
    "feed",
    "column_name",
    "inputs",
    "data_type",
    "rows",
    "missing",
    "placeholders",
    "distinct_approx",
    "dates_read",
    "dates_not_read",
    "dates_first_of_january",
    "dates_out_of_range",
    "length_least",
    "length_most",
)
"""What is counted, in order. The dates_ columns are null for columns that are mapped to no date."""


def profile_feed(frame: DataFrame, feed: FeedMapping, *, reference: Reference, as_of: date) -> DataFrame:
    """One row per column of the feed, in the feed's order, as PROFILE_COLUMNS; lazy. No row when the feed has none.

    Every row is turned into one row per column, so that the same few counts serve all columns: one wide
    aggregate of all columns took ten times as long to compile as to run. Columns that are never read stay
    out. Lengths are of the text as recorded, in letters.

    Args:
        frame: the whole feed.
        feed: its mapping.
        reference: placeholders.
        as_of: a later date counts as out of range.
    """
    names = [name for name in frame.columns if name not in feed.never_read]
    cells = [_cell(frame, feed, name) for name in names]
    long = frame.select(F.posexplode(F.array(*cells)).alias("position", "cell")).select("position", "cell.*")
    counted = long.groupBy("position").agg(*_counts(_placeholders(reference), as_of))
    heads = [_head(frame, feed, name) for name in names]
    column = F.element_at(F.array(*heads), F.col("position") + 1)
    return counted.orderBy("position").withColumn("head", column).select("head.*", *PROFILE_COLUMNS[4:])


def _placeholders(reference: Reference) -> list[str]:
    """Every listed placeholder as lower-case words."""
    texts = (
        reference.name_placeholders
        | reference.name_placeholder_tokens
        | reference.date_placeholder_texts
        | reference.address_placeholders
        | reference.postcode_placeholders
    )
    dates = {" ".join(day.isoformat().split("-")) for day in reference.date_placeholders}
    return sorted(texts | dates)


def _uses(feed: FeedMapping, name: str) -> list[tuple[Produces, str]]:
    """Where a column is read: (block, input)."""
    return [(block, key) for block in feed.produces for key, names in block.columns.items() if name in names]


def _head(frame: DataFrame, feed: FeedMapping, name: str) -> Column:
    """What a column is."""
    inputs = ", ".join(sorted({f"{block.table}.{key}" for block, key in _uses(feed, name)}))
    return F.struct(
        F.lit(feed.key).alias("feed"),
        F.lit(name).alias("column_name"),
        F.lit(inputs).alias("inputs"),
        F.lit(C.type_of(frame, name).simpleString()).alias("data_type"),
    )


def _cell(frame: DataFrame, feed: FeedMapping, name: str) -> Column:
    """One value: its text, and its date where the column is mapped to one."""
    block = next((block for block, key in _uses(feed, name) if key in DATE_INPUTS), None)
    day = C.day(frame, name, block) if block else F.lit(None).cast("date")
    return F.struct(C.text(name).alias("plain"), F.lit(block is not None).alias("dated"), day.alias("day"))


def _counts(placeholders: list[str], as_of: date) -> list[Column]:
    """The counts of one column, over its cells."""
    plain, day, dated = F.col("plain"), F.col("day"), F.col("dated")
    words = F.trim(F.regexp_replace(F.lower(plain), "[^a-z0-9]+", " "))
    january = (F.month(day) == 1) & (F.dayofmonth(day) == 1)
    outside = (F.year(day) < EARLIEST_YEAR) | (day > F.lit(as_of))

    def of_dates(condition: Column) -> Column:
        """A count for date columns, null for others."""
        return F.sum(F.when(dated, F.coalesce(condition, F.lit(False)).cast("long")))

    return [
        F.count(F.lit(1)).alias("rows"),
        F.count_if(plain.isNull()).alias("missing"),
        F.count_if(words.isin(placeholders)).alias("placeholders"),
        F.approx_count_distinct(plain).alias("distinct_approx"),
        of_dates(day.isNotNull()).alias("dates_read"),
        of_dates(plain.isNotNull() & day.isNull()).alias("dates_not_read"),
        of_dates(january).alias("dates_first_of_january"),
        of_dates(outside).alias("dates_out_of_range"),
        F.min(F.length(plain)).alias("length_least"),
        F.max(F.length(plain)).alias("length_most"),
    ]
