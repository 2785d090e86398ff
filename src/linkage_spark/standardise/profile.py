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
    """One row per column of the feed, in the feed's order, as PROFILE_COLUMNS; lazy, one aggregate.

    Columns that are never read stay out. Lengths are of the text as recorded, in letters.

    Args:
        frame: the whole feed.
        feed: its mapping.
        reference: placeholders.
        as_of: a later date counts as out of range.
    """
    names = [name for name in frame.columns if name not in feed.never_read]
    listed = _placeholders(reference)
    structs = [_profile_column(frame, feed, name, listed, as_of) for name in names]
    return frame.agg(F.array(*structs).alias("columns")).select(F.inline("columns"))


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


def _profile_column(frame: DataFrame, feed: FeedMapping, name: str, placeholders: list[str], as_of: date) -> Column:
    """One column's counts as a struct."""
    plain = C.text(name)
    words = F.trim(F.regexp_replace(F.lower(plain), "[^a-z0-9]+", " "))
    used = [(block, key) for block in feed.produces for key, names in block.columns.items() if name in names]
    born = next((block for block, key in used if key in DATE_INPUTS), None)
    return F.struct(
        F.lit(feed.key).alias("feed"),
        F.lit(name).alias("column_name"),
        F.lit(", ".join(sorted({f"{block.table}.{key}" for block, key in used}))).alias("inputs"),
        F.lit(C.type_of(frame, name).simpleString()).alias("data_type"),
        F.count(F.lit(1)).alias("rows"),
        F.count_if(plain.isNull()).alias("missing"),
        F.count_if(words.isin(placeholders)).alias("placeholders"),
        F.approx_count_distinct(plain, rsd=0.02).alias("distinct_approx"),
        *_profile_dates(frame, name, born, plain, as_of),
        F.min(F.length(plain)).alias("length_least"),
        F.max(F.length(plain)).alias("length_most"),
    )


def _profile_dates(frame: DataFrame, name: str, block: Produces | None, plain: Column, as_of: date) -> list[Column]:
    """Counts of a date column; nulls for any other."""
    heads = ("dates_read", "dates_not_read", "dates_first_of_january", "dates_out_of_range")
    if block is None:
        return [F.lit(None).cast("long").alias(head) for head in heads]
    day = C.day(frame, name, block)
    january = (F.month(day) == 1) & (F.dayofmonth(day) == 1)
    outside = (F.year(day) < EARLIEST_YEAR) | (day > F.lit(as_of))
    counts = (
        F.count(day),
        F.count_if(plain.isNotNull() & day.isNull()),
        F.count_if(january),
        F.count_if(outside),
    )
    return [count.alias(head) for count, head in zip(counts, heads, strict=True)]
