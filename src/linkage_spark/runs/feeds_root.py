"""Is the folder that ``--feeds`` names the one under which the feeds lie? Asked before anything is begun."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from linkage_spark.errors import UsageError
from linkage_spark.runs.entry import environment
from linkage_spark.runs.session import open_session
from linkage_spark.settings.sources import SourceMapping, feeds_of
from linkage_spark.store.feeds import feed_location
from linkage_spark.store.files import Files


@contextmanager
def open_session_over(app_name: str, feeds_root: str, sources: tuple[SourceMapping, ...]) -> Iterator[SparkSession]:
    """A session for a job that reads the feeds, whose folder is looked at as early as it can be.

    One on this machine's disk is looked at before there is a session: a typing mistake costs a second. One elsewhere, first thing in it.

    Args:
        app_name: the job.
        feeds_root: folder under which the mappings' relative paths lie, as it was typed.
        sources: the mappings.

    Raises:
        UsageError: it is not the folder of the feeds, or the job was started without the project's Spark settings.
    """
    refuse_wrong_feeds_root(feeds_root, sources)
    with open_session(app_name) as spark:
        if not lies_here(feeds_root):
            refuse_wrong_feeds_root(feeds_root, sources, exists=Files(spark).exists)
        yield spark


def lies_here(feeds_root: str) -> bool:
    """True for a folder of this machine's own disk, which can be looked at without a session."""
    return feeds_root.startswith("file:") or ("://" not in feeds_root and environment() == "local")


def refuse_wrong_feeds_root(
    feeds_root: str, sources: tuple[SourceMapping, ...], *, exists: Callable[[str], bool] | None = None
) -> None:
    """Refuse a folder that is not there, or under which none of the feeds lies: one mistake, said once and not feed by feed.

    Feeds that lie elsewhere (a Hive table, a full path) say nothing of it, and where no feed under it is required it may be empty.

    Args:
        feeds_root: folder under which the mappings' relative paths lie, as it was typed.
        sources: the mappings.
        exists: whether a file or folder is there; None before a session is: only this machine's own disk is looked at.

    Raises:
        UsageError: it is not the folder of the feeds.
    """
    if exists is None:
        if not lies_here(feeds_root):
            return
        exists = _exists_here
    below = [feed for feed in feeds_of(sources) if feed.path not in (None, feed_location(feed, feeds_root))]
    places = [feed_location(feed, feeds_root) for feed in below]
    if not any(feed.required for feed in below) or any(exists(place) for place in places):
        return
    if not exists(feeds_root):
        raise UsageError(f"--feeds {feeds_root}: no such folder; name the one under which the feeds lie")
    raise UsageError(
        f"--feeds {feeds_root}: holds none of the {len(below)} feeds that conf/sources names (first looked for: {places[0]}); "
        "name the folder under which they lie"
    )


def _exists_here(path: str) -> bool:
    """On this machine's disk; what may not be looked at is left to the reading, which says so.

    Hadoop takes what follows scheme and host as it stands: ``#``, ``?`` and ``%`` are parts of a name.
    """
    try:
        return Path(re.sub(pattern=r"^file:(//[^/]*)?", repl="", string=path)).exists()
    except OSError:
        return True
