"""The feeds of a run: read, checked against their mappings, standardised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import DataFrame

from linkage_spark.runs.context import RunContext
from linkage_spark.settings.sources import FeedMapping, feeds_of
from linkage_spark.standardise.columns import check_columns
from linkage_spark.standardise.stage import Standardised, count_rows_in, standardise
from linkage_spark.store.feeds import read_feed, translate_read_error


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


def open_feeds(run: RunContext) -> Mapping[str, DataFrame]:
    """Every feed as a lazy frame, its columns checked; all faults are raised at once.

    Raises:
        SourceError: a required feed is missing, or does not fit its mapping.
    """
    frames: dict[str, DataFrame] = {}
    for feed in feeds_of(run.sources):
        frames[feed.key] = read_feed(run.spark, feed, run.feeds_root)
    check_columns(frames, run.sources)
    return frames


def read_sources(run: RunContext) -> tuple[Standardised, dict[str, int]]:
    """The canonical tables, lazily, and how many rows each feed brought to each table.

    Returns:
        The frames; rows in by ``source.feed>table``. One action: counting.

    Raises:
        SourceError: as ``open_feeds``.
    """
    frames = open_feeds(run)
    counted = count_rows_in(frames, run.sources).collect()
    rows_in = {f"{row.source_system}.{row.feed}>{row.produces}": int(row.rows_in) for row in counted}
    as_of = run.started_at.date()
    return standardise(frames, sources=run.sources, reference=run.reference, as_of=as_of), rows_in
