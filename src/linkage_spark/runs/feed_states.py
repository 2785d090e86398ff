"""What a run remembers of the feeds, and how the next one learns what has changed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import SourceError
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.context import RunContext
from linkage_spark.settings.sources import FeedMapping, SourceMapping
from linkage_spark.standardise.affected import changed_prints, feed_prints, feed_units
from linkage_spark.standardise.rows import falls_due
from linkage_spark.store.feeds import feed_fingerprint, feed_version, read_change_feed, records_changes, table_id
from linkage_spark.tables.changes import FEED_PRINT, FEED_UNIT


def police_feeds(sources: tuple[SourceMapping, ...]) -> tuple[FeedMapping, ...]:
    """The feeds of which a day reads what is new; the roster is small and read whole."""
    return tuple(feed for source in sources if not source.roster for feed in source.feeds.values())


def is_printed(feed: FeedMapping) -> bool:
    """The feed does not name its changes: its rows are compared with what was last seen of them."""
    return feed.changes != "change_feed"


def unrecorded_changes(
    spark: SparkSession, sources: tuple[SourceMapping, ...], feeds_root: str, *, there: Collection[str]
) -> list[str]:
    """Feeds that should name their changes, and whose tables do not record them: a sentence each, with the remedy.

    Args:
        spark: the session.
        sources: the mappings.
        feeds_root: folder that feed paths are relative to.
        there: ``source.feed`` of the feeds that are there.
    """
    return [
        f"{feed.key}: its table does not record what changes in it, so that no daily run can follow; set the table property "
        "delta.enableChangeDataFeed before anything more is written to it, or set changes = 'compare' in "
        f"conf/sources/{feed.source_system}.toml and run the backfill"
        for feed in police_feeds(sources)
        if feed.key in there and not is_printed(feed) and not records_changes(spark, feed, feeds_root)
    ]


@dataclass(frozen=True)
class ChangedUnits:
    """What came, changed or went in the feeds.

    Attributes:
        prints: of feeds that do not name their changes: FEED_PRINT as it is now, ``rows`` 0 where nothing is left.
        named: of feeds that do, and of all whose rows' disposal fell due: FEED_UNIT, a unit as often as it is named.
        written: ``source.feed`` of the feeds that were written to.
        roster_changed: the roster was written to.
    """

    prints: DataFrame
    named: DataFrame
    written: tuple[str, ...]
    roster_changed: bool


def changed_units(
    run: RunContext,
    frames: Mapping[str, DataFrame],
    *,
    before: Mapping[tuple[str, str], Mapping[str, Any]],
    now: list[dict[str, Any]],
    prints: DataFrame,
    since: date,
) -> ChangedUnits:
    """Look for changes in the feeds that were written to, and for disposal dates that have come; other feeds are not read.

    Args:
        run: the run.
        frames: the feeds that are there, whole.
        before: rows of FEED_STATE of the former run, by source and feed.
        now: ``feed_states``.
        prints: FEED_PRINT of the former run.
        since: the day of the former run.

    Raises:
        SourceError: a feed that was there is not, or one cannot tell its changes.
    """
    stands = {(row["source_system"], row["feed"]): row for row in now}
    if gone := sorted(set(before) - set(stands)):
        raise SourceError(
            [f"{source}.{feed}: it was there in the last run and is not now; supply it" for source, feed in gone]
        )
    written = {key for key, row in stands.items() if is_written(row, before)}
    printed, named = [], []
    for feed in police_feeds(run.sources):
        key = (feed.source_system, feed.name)
        if feed.key in frames and feed.disposal is not None:
            named.append(feed_units(falls_due(frames[feed.key], feed, after=since, until=run.day), feed))
        if feed.key not in frames or key not in written:
            continue
        if is_printed(feed):
            of_feed = (prints["source_system"] == feed.source_system) & (prints["feed"] == feed.name)
            seen = feed_prints(frames[feed.key], feed, secret=run.secret)
            printed.append(changed_prints(prints.where(of_feed), seen))
        else:
            named.append(_named_units(run, feed, frames[feed.key], before.get(key), stands[key]))
    unit = [column.name for column in FEED_UNIT]
    none = local_frame(run.spark, [], schema=FEED_PRINT.schema)
    return ChangedUnits(
        prints=reduce(DataFrame.unionByName, printed, none),
        named=reduce(DataFrame.unionByName, named, none.select(*unit)),
        written=tuple(sorted(f"{source}.{feed}" for source, feed in written)),
        roster_changed=any(
            source.roster and (source.source_system, name) in written for source in run.sources for name in source.feeds
        ),
    )


def _named_units(
    run: RunContext, feed: FeedMapping, frame: DataFrame, before: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> DataFrame:
    """Units that a Delta table's change feed names; all units of a feed that was not there before."""
    if before is None:
        return feed_units(frame, feed)
    if before["table_id"] != now["table_id"] or now["version"] < before["version"]:
        raise SourceError(
            f"{feed.key}: the Delta table was made anew since the last run, so that it cannot name its changes; run the backfill"
        )
    rows = read_change_feed(run.spark, feed, run.feeds_root, after=before["version"], to=now["version"])
    return feed_units(rows, feed)


def prints_of(run: RunContext, frames: Mapping[str, DataFrame]) -> DataFrame:
    """FEED_PRINT of all feeds that do not name their changes."""
    printed = [
        feed_prints(frames[feed.key], feed, secret=run.secret)
        for feed in police_feeds(run.sources)
        if feed.key in frames and is_printed(feed)
    ]
    return reduce(DataFrame.unionByName, printed, local_frame(run.spark, [], schema=FEED_PRINT.schema))


def known_states(states: DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """FEED_STATE by source and feed."""
    return {(row["source_system"], row["feed"]): row.asDict() for row in states.collect()}


def is_written(state: Mapping[str, Any], before: Mapping[tuple[str, str], Mapping[str, Any]]) -> bool:
    """A feed is another than the former run read, or was not there then."""
    key = (state["source_system"], state["feed"])
    return key not in before or before[key]["fingerprint"] != state["fingerprint"]


def remembered(
    states: list[dict[str, Any]],
    counted: Mapping[str, tuple[int, int]],
    before: Mapping[tuple[str, str], Mapping[str, Any]],
    day: date,
) -> list[dict[str, Any]]:
    """Rows of FEED_STATE.

    Args:
        states: ``feed_states``.
        counted: rows and numbers of each feed, by ``source.feed``.
        before: ``known_states`` of the former run.
        day: of the run.
    """
    told = []
    for state in states:
        rows, numbers = counted[f"{state['source_system']}.{state['feed']}"]
        key = (state["source_system"], state["feed"])
        written = day if is_written(state, before) else before[key]["written_day"]
        told.append({**state, "written_day": written, "rows": rows, "numbers": numbers})
    return told


def feed_states(run: RunContext, frames: Mapping[str, DataFrame]) -> list[dict[str, Any]]:
    """Every feed that is there, as it stands now: FEED_STATE without what the run makes of it."""
    rows = []
    for source in run.sources:
        for feed in source.feeds.values():
            if feed.key in frames:
                rows.append(_feed_state(run, feed))
    return rows


def _feed_state(run: RunContext, feed: FeedMapping) -> dict[str, Any]:
    """How one feed stands."""
    return {
        "source_system": feed.source_system,
        "feed": feed.name,
        "changes": feed.changes,
        "fingerprint": feed_fingerprint(run.spark, feed, run.feeds_root),
        "table_id": table_id(run.spark, feed, run.feeds_root),
        "version": feed_version(run.spark, feed, run.feeds_root),
    }
