"""The feeds of a run: read, checked against their mappings, standardised."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import FeedNotThereError, SourceError
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.manifest import GoodRun
from linkage_spark.settings.sources import FeedMapping, feeds_of
from linkage_spark.standardise.columns import check_words, choose_fill_faults, column_faults, count_filled, count_rows
from linkage_spark.standardise.rows import falls_due, with_disposal
from linkage_spark.standardise.stage import Standardised, rows_by_table, standardise
from linkage_spark.store.feeds import feed_version, read_feed, translate_read_error
from linkage_spark.tables.canonical import PERSON


@contextmanager
def faults_in_words(feeds: tuple[FeedMapping, ...], feeds_root: str) -> Iterator[None]:
    """Turn an error that Spark raises while feeds are read into one that names the feed and the remedy.

    Raises:
        SourceError: a file is missing, truncated or of another shape; the message holds no value.
    """
    try:
        yield
    except Exception as error:
        fault = translate_read_error(error, feeds, feeds_root)
        if fault is None:
            raise
        raise fault from None


@contextmanager
def persisted(frames: Iterable[DataFrame]) -> Iterator[None]:
    """Keep frames once they are computed, in memory and beyond it on the run's scratch disk; release them at the end."""
    kept = [frame.persist(storageLevel=StorageLevel.MEMORY_AND_DISK) for frame in frames]
    try:
        yield
    finally:
        for frame in kept:
            frame.unpersist()


def open_feeds(run: RunContext) -> Mapping[str, DataFrame]:
    """Every feed as a lazy frame, its columns checked; a feed that is not required may be missing.

    A Delta feed is read at one version throughout.

    Raises:
        SettingsError: a mapping holds a word that this tool does not know.
        SourceError: with every feed that is missing or does not fit its mapping.
    """
    check_words(run.sources)
    frames: dict[str, DataFrame] = {}
    faults: list[str] = []
    for feed in feeds_of(run.sources):
        try:
            version = feed_version(run.spark, feed, run.feeds_root)
            frames[feed.key] = read_feed(run.spark, feed, run.feeds_root, version=version)
        except FeedNotThereError as error:
            faults += error.faults if feed.required else ()
            continue
        except SourceError as error:
            faults += error.faults
            continue
        faults += column_faults(feed, frames[feed.key])
    if faults:
        raise SourceError(faults)
    by_key = {feed.key: feed for feed in feeds_of(run.sources)}
    return {key: with_disposal(frame, by_key[key], day=run.day) for key, frame in frames.items()}


def dates_that_have_come(persons: DataFrame, day: date) -> DataFrame:
    """PERSON rows whose date of birth was still to come when it was read, and reads otherwise on this day."""
    return persons.where(F.col("dob_changes_on") <= F.lit(day))


def changes_unwritten(run: RunContext, good: GoodRun) -> bool:
    """Days have passed since a run, and with them what it read changes though nobody wrote to a feed.

    The disposal date of a row has come, or a date of birth that was still to come. After a run for a later day nobody knows what is too
    early now.
    """
    if run.day <= good.day:
        return run.day < good.day
    persons = run.store.read(PERSON, version=good.versions[PERSON.name])
    return not dates_that_have_come(persons, run.day).isEmpty() or _disposal_falls_due(run, good.day)


def _disposal_falls_due(run: RunContext, after: date) -> bool:
    """The disposal date of a row lies after the day of the former run, and not after this one."""
    feeds = [feed for feed in feeds_of(run.sources) if feed.disposal is not None]
    if not feeds:
        return False
    with faults_in_words(feeds_of(run.sources), run.feeds_root):
        return _is_any_due(open_feeds(run), feeds, after=after, until=run.day)


def _is_any_due(frames: Mapping[str, DataFrame], feeds: Iterable[FeedMapping], *, after: date, until: date) -> bool:
    due = [
        falls_due(frames[feed.key], feed, after=after, until=until).select(F.lit(1).alias("row"))
        for feed in feeds
        if feed.key in frames
    ]
    return bool(due) and not reduce(DataFrame.unionByName, due).isEmpty()


def count_feeds(
    run: RunContext, frames: Mapping[str, DataFrame], looked_into: Collection[str]
) -> dict[str, tuple[int, int]]:
    """Rows of feeds, and the PNC and CRO numbers that they state, by ``source.feed``.

    Args:
        run: the run.
        frames: the feeds to count.
        looked_into: those of which columns that must be filled are looked at too, so that they are read for it.

    Raises:
        SourceError: a feed has no rows, or a column that must be filled is empty in all.
    """
    parts = {
        count_filled: {key: frame for key, frame in frames.items() if key in looked_into},
        count_rows: {key: frame for key, frame in frames.items() if key not in looked_into},
    }
    counts = [row for count, part in parts.items() if part for row in count(part, run.sources).collect()]
    if faults := choose_fill_faults(counts, run.sources):
        raise SourceError(faults)
    return {row["feed"]: (int(row["rows"]), int(row["numbers"])) for row in counts}


def rows_in(run: RunContext, counted: Mapping[str, tuple[int, int]]) -> list[list[Any]]:
    """What the tables must add up to: source, feed, table, rows. JSON of it goes into a run's notes."""
    rows = {key: rows for key, (rows, _) in counted.items()}
    numbers = {key: numbers for key, (_, numbers) in counted.items()}
    return [[*part, rows] for part, rows in rows_by_table(rows, run.sources, numbers=numbers).items()]


def read_sources(
    run: RunContext, frames: Mapping[str, DataFrame] | None = None
) -> tuple[Standardised, dict[str, tuple[int, int]]]:
    """The canonical tables, lazily, and ``count_feeds`` of every feed.

    Args:
        run: the run.
        frames: what ``open_feeds`` gave; None: it is asked.

    Returns:
        The frames; rows and numbers of the feeds. One action, which also sees that no feed is empty and that no needed column is.

    Raises:
        SettingsError, SourceError: as ``open_feeds``, and for empty feeds and columns.
    """
    frames = open_feeds(run) if frames is None else frames
    counted = count_feeds(run, frames, looked_into=frames)
    standard = standardise(frames, sources=run.sources, reference=run.reference, as_of=run.day)
    return standard, counted
