"""From rows of feeds that changed to what must be made anew: which units, and which rows of all feeds these are judged by.

A row of a canonical table is made from all rows of its unit (a person record, an event, a part in an event), and from whether
the person or the event is there. So a day takes the units of every row that came, changed or went, and with a person or an
event also the parts and places that hang on it; and it reads all rows of these units, and of the persons and events that they
name, as they stand in the feeds now. What it makes of them is what a run over everything would have made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.keyed import with_hmac
from linkage_spark.settings.sources import FeedMapping, Produces, SourceMapping
from linkage_spark.standardise import inputs as C
from linkage_spark.standardise.events import blocks_of
from linkage_spark.standardise.rows import DISPOSAL, read_columns
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, LOCATION, PERSON, REFUSED
from linkage_spark.tables.changes import FEED_PRINT, FEED_UNIT
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER

_UNIT = tuple(column.name for column in FEED_UNIT)
_REFS = ("person_ref", "event_ref")


# ---- units of a feed ---------------------------------------------------------------------------------------


def feed_units(frame: DataFrame, feed: FeedMapping) -> DataFrame:
    """The units that rows of a feed belong to, each once: FEED_UNIT."""
    return _by_block(frame, feed).select(*_UNIT).distinct()


def feed_prints(frame: DataFrame, feed: FeedMapping, *, secret: bytes) -> DataFrame:
    """FEED_PRINT of a whole feed.

    Args:
        frame: all rows of the feed.
        feed: its mapping.
        secret: key of the prints.
    """
    told = [feed.changed_at] if feed.changed_at is not None else sorted(read_columns(frame, feed))
    content = F.concat_ws("\x1f", *[F.coalesce(F.col(_quoted(name)).cast("string"), F.lit("\0")) for name in told])
    printed = with_hmac(_by_block(frame, feed, content=content), "hmac", F.col("content"), secret)
    return FEED_PRINT.conform(
        printed.groupBy(*_UNIT).agg(
            F.count(F.lit(1)).alias("rows"),
            F.sum(F.xxhash64("hmac").cast("decimal(20,0)"))
            .cast(FEED_PRINT.schema["print_sum"].dataType)
            .alias("print_sum"),
        )
    )


def changed_prints(before: DataFrame, now: DataFrame) -> DataFrame:
    """Units whose prints differ: FEED_PRINT as it is now, with ``rows`` 0 where nothing is left of the unit.

    Args:
        before: FEED_PRINT of the same feeds as they were last seen.
        now: as they are.
    """
    nothing = F.lit(0)
    sides = now.withColumns({"rows_before": nothing, "sum_before": nothing}).unionByName(
        before.select(
            *_UNIT,
            nothing.alias("rows"),
            nothing.alias("print_sum"),
            F.col("rows").alias("rows_before"),
            F.col("print_sum").alias("sum_before"),
        )
    )
    sums = [F.sum(name).alias(name) for name in ("rows", "print_sum", "rows_before", "sum_before")]
    both = sides.groupBy(*_UNIT).agg(*sums)
    differ = (F.col("rows") != F.col("rows_before")) | (F.col("print_sum") != F.col("sum_before"))
    return FEED_PRINT.conform(
        both.where(differ).withColumn("print_sum", F.col("print_sum").cast(FEED_PRINT.schema["print_sum"].dataType))
    )


# ---- what a day reads and makes ----------------------------------------------------------------------------


def involvement_pairs(
    feeds: Mapping[str, DataFrame], sources: Iterable[SourceMapping], changed: DataFrame
) -> DataFrame:
    """The parts in events that must be judged anew: those that changed, and those of persons and events that did.

    Args:
        feeds: raw frames by ``source.feed``, whole, as they stand now.
        sources: the mappings.
        changed: FEED_UNIT, in any number of copies.

    Returns:
        ``source_system``, ``event_ref``, ``person_ref``, once each; '' for a reference that the rows do not name.
    """
    own = changed.where(F.col("produces") == F.lit(INVOLVEMENT.name)).select(*INVOLVEMENT.unit)
    found = [own]
    for source in sources:
        people = _refs(changed, source, "person_ref", PERSON.name)
        events = _refs(changed, source, "event_ref", EVENT.name, INVOLVEMENT.name)
        for feed, block in blocks_of(feeds, source, INVOLVEMENT.name):
            refs = {name: _ref(block, name) for name in _REFS}
            stated = feeds[feed.key].select(F.lit(source.source_system).alias("source_system"), *_named(refs))
            found.append(_with_any(stated, {"person_ref": people, "event_ref": events}).select(*INVOLVEMENT.unit))
    return reduce(DataFrame.unionByName, found).distinct()


def units_to_make(sources: Iterable[SourceMapping], changed: DataFrame, pairs: DataFrame) -> dict[str, DataFrame]:
    """The units that a day makes anew, by canonical table: the columns of its unit, '' for a reference that is not named.

    Args:
        sources: the mappings; a source is left out of tables that none of its blocks makes.
        changed: FEED_UNIT.
        pairs: what ``involvement_pairs`` gave.
    """
    makes: dict[str, list[str]] = {}
    for source in sources:
        for table in {block.table for feed in source.feeds.values() for block in feed.produces}:
            makes.setdefault(table, []).append(source.source_system)

    def of(name: str, table: str, *others: str) -> DataFrame:
        listed = changed.where(F.col("produces").isin(table, *others))
        return listed.where(F.col("source_system").isin(*makes.get(table, []))).select("source_system", name).distinct()

    return {
        PERSON.name: of("person_ref", PERSON.name),
        EVENT.name: of("event_ref", EVENT.name),
        INVOLVEMENT.name: pairs.select(*INVOLVEMENT.unit),
        LOCATION.name: of("event_ref", LOCATION.name, EVENT.name),
        PERSON_IDENTIFIER.name: of("person_ref", PERSON_IDENTIFIER.name, PERSON.name),
    }


def refused_units(units: Mapping[str, DataFrame]) -> DataFrame:
    """The units of REFUSED that go with ``units_to_make``; null for a reference that is not named."""

    def ref(frame: DataFrame, name: str) -> Column:
        return F.nullif(F.col(name), F.lit("")) if name in frame.columns else F.lit(None).cast("string")

    listed = [
        frame.select("source_system", F.lit(table).alias("produces"), *[ref(frame, name).alias(name) for name in _REFS])
        for table, frame in units.items()
    ]
    return reduce(DataFrame.unionByName, listed).select(*REFUSED.unit)


def rows_to_read(
    feeds: Mapping[str, DataFrame], sources: Iterable[SourceMapping], units: Mapping[str, DataFrame]
) -> dict[str, DataFrame]:
    """Of every feed the rows that the units are made from, and those that say whether their persons and events are there.

    Args:
        feeds: raw frames by ``source.feed``, whole, as they stand now.
        sources: the mappings.
        units: what ``units_to_make`` gave.

    Returns:
        Frames by ``source.feed``, with the columns that the mappings read.
    """
    pairs = units[INVOLVEMENT.name]
    people = [units[PERSON.name], units[PERSON_IDENTIFIER.name], pairs.select("source_system", "person_ref")]
    events = [units[EVENT.name], units[LOCATION.name], pairs.select("source_system", "event_ref")]
    needed = {**units, PERSON.name: _union(people), EVENT.name: _union(events)}
    found = {}
    for source in sources:
        here = {table: frame.where(F.col("source_system") == source.source_system) for table, frame in needed.items()}
        for feed in source.feeds.values():
            if feed.key in feeds:
                found[feed.key] = _needed_rows(feeds[feed.key], feed, here)
    return found


def _needed_rows(frame: DataFrame, feed: FeedMapping, needed: Mapping[str, DataFrame]) -> DataFrame:
    """A feed's rows that any of its blocks needs."""
    names = [*read_columns(frame, feed), *(name for name in frame.columns if name == DISPOSAL)]
    rows, flags = frame.select(*[F.col(_quoted(name)) for name in names]), []
    kept = list(rows.columns)
    for no, block in enumerate(feed.produces):
        listed = needed[block.table]
        names = [name for name in _REFS if name in listed.columns]
        keys = {f"_{no}_{name}": _ref(block, name) for name in names}
        flag = f"_{no}_needed"
        told = listed.select(
            *[F.col(name).alias(f"_{no}_{name}") for name in names], F.lit(True).alias(flag)
        ).distinct()
        rows = rows.withColumns(keys).join(F.broadcast(told), on=list(keys), how="left")
        flags.append(F.col(flag))
    wanted = reduce(lambda one, other: one | other, [F.coalesce(flag, F.lit(False)) for flag in flags])
    return rows.where(wanted).select(*[F.col(_quoted(name)) for name in kept])


def _refs(changed: DataFrame, source: SourceMapping, name: str, *tables: str) -> DataFrame:
    """References of one source among units of some tables."""
    of_source = changed.where((F.col("source_system") == source.source_system) & F.col("produces").isin(*tables))
    return of_source.select(name).distinct()


def _with_any(rows: DataFrame, listed: Mapping[str, DataFrame]) -> DataFrame:
    """Rows of which at least one reference is listed."""
    for name, refs in listed.items():
        rows = rows.join(F.broadcast(refs.withColumn(f"_{name}", F.lit(True))), on=[name], how="left")
    return rows.where(reduce(lambda one, other: one | other, [F.col(f"_{name}").isNotNull() for name in listed]))


def _union(frames: Iterable[DataFrame]) -> DataFrame:
    """All rows, once each."""
    return reduce(DataFrame.unionByName, frames).distinct()


def _by_block(frame: DataFrame, feed: FeedMapping, *, content: Column | None = None) -> DataFrame:
    """Every row once per block of its feed, with its unit, and with ``content`` where it is given."""
    units = [
        F.struct(
            F.lit(feed.source_system).alias("source_system"),
            F.lit(feed.name).alias("feed"),
            F.lit(block.table).alias("produces"),
            *_named({name: _ref(block, name) for name in _REFS}),
        )
        for block in feed.produces
    ]
    others = [content.alias("content")] if content is not None else []
    return frame.select(F.explode(F.array(*units)).alias("unit"), *others).select(
        "unit.*", *["content" for _ in others]
    )


def _named(columns: Mapping[str, Column]) -> list[Column]:
    """Columns under their names."""
    return [column.alias(name) for name, column in columns.items()]


def _ref(block: Produces, name: str) -> Column:
    """A row's reference under a block; '' where the block has none or the row names none."""
    return F.coalesce(C.key(block.columns[name]), F.lit("")) if name in block.columns else F.lit("")


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
