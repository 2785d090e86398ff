"""Do the feeds fit their mappings? Reads a sample of each and prints counts, never values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import FeedNotThereError, SourceError, UsageError
from linkage_spark.reference.standard import Reference, load_reference
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.feed_states import unrecorded_changes
from linkage_spark.runs.feeds_root import open_session_over
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.reading import faults_in_words
from linkage_spark.settings.sources import FeedMapping, SourceMapping, feeds_of, load_sources
from linkage_spark.standardise.columns import check_words, choose_fill_faults, column_faults, count_filled
from linkage_spark.standardise.stage import Standardised, standardise
from linkage_spark.store.feeds import read_feed
from linkage_spark.store.files import Files
from linkage_spark.tables.enums import RefusalReason

_NEEDS_WHOLE_FEEDS = (RefusalReason.UNKNOWN_EVENT.value, RefusalReason.UNKNOWN_PERSON.value)
_ISSUES = ("name_issue", "dob_issue", "address_issue", "not_screened_reason")


def run_check_sources(*, feeds_root: str, sample_rows: int = 20_000) -> int:
    """Check every feed against its mapping on a sample and print what fits and what does not.

    Args:
        feeds_root: folder under which the mappings' relative paths lie.
        sample_rows: rows read of each feed.

    Returns:
        0: a run would start.

    Raises:
        SettingsError: a mapping or a reference table is wrong.
        SourceError: with every fault that would stop a run.
        UsageError: sample_rows is not a positive number, or feeds_root is not the folder of the feeds.
    """
    if sample_rows < 1:
        raise UsageError("--sample-rows must be at least 1")
    conf = conf_dir()
    sources, reference = load_sources(conf), load_reference(conf)
    check_words(sources)
    progress = Progress()
    with open_session_over("check_sources", feeds_root, sources) as spark:
        faults = check_feeds(
            spark,
            sources,
            reference,
            feeds_root=Files(spark).absolute(feeds_root),
            sample_rows=sample_rows,
            as_of=datetime.now(tz=UTC).date(),
            progress=progress,
        )
    if faults:
        raise SourceError(faults)
    progress.say("every feed fits its mapping; a run would start")
    return 0


def check_feeds(
    spark: SparkSession,
    sources: tuple[SourceMapping, ...],
    reference: Reference,
    *,
    feeds_root: str,
    sample_rows: int,
    as_of: date,
    progress: Progress,
) -> list[str]:
    """Everything that speaks against a run, in sentences; says on the way what fits."""
    faults: list[str] = []
    samples: dict[str, DataFrame] = {}
    with progress.stage("columns") as stage:
        for feed in feeds_of(sources):
            found = _open_sample(spark, feed, feeds_root, sample_rows)
            if isinstance(found, DataFrame):
                samples[feed.key] = found
                progress.say(f"  {feed.key}: {len(feed.needed_columns)} columns as mapped, {feed.format}")
            else:
                faults += found
        faults += unrecorded_changes(spark, sources, feeds_root, there=samples)
        stage.counts["feeds that fit"] = len(samples)
    with progress.stage("filled columns"):
        counts, broken = _count_each(samples, sources, feeds_root)
        faults += broken + choose_fill_faults(counts, sources)
        for row in counts:
            progress.say(f"  {row['feed']}: {row['rows']:,} rows in the sample")
    read = {row["feed"]: samples[row["feed"]] for row in counts if row["rows"]}
    if not any(feed.key in read for source in sources if source.roster for feed in source.feeds.values()):
        progress.say("rows are not judged: the roster cannot be read")
        return faults
    whole = not faults and all(row["rows"] < sample_rows for row in counts)
    with progress.stage("rows"), faults_in_words(feeds_of(sources), feeds_root):
        standard = standardise(read, sources=sources, reference=reference, as_of=as_of)
        for line in _describe(standard, whole=whole):
            progress.say(f"  {line}")
    return faults


def _open_sample(spark: SparkSession, feed: FeedMapping, feeds_root: str, sample_rows: int) -> DataFrame | list[str]:
    """A feed's first rows, or what is wrong with it."""
    try:
        frame = read_feed(spark, feed, feeds_root)
    except FeedNotThereError as error:
        return list(error.faults) if feed.required else []
    except SourceError as error:
        return list(error.faults)
    faults = column_faults(feed, frame)
    return faults or frame.limit(sample_rows)


def _count_each(
    samples: Mapping[str, DataFrame], sources: tuple[SourceMapping, ...], feeds_root: str
) -> tuple[list[Any], list[str]]:
    """Rows and filled columns feed by feed, so that one broken file does not hide the others."""
    counts: list[Any] = []
    faults: list[str] = []
    for key, frame in samples.items():
        try:
            with faults_in_words(feeds_of(sources), feeds_root):
                counts += count_filled({key: frame}, sources).collect()
        except SourceError as error:
            faults += error.faults
    return counts, faults


def _describe(standard: Standardised, *, whole: bool) -> Iterable[str]:
    """What the sample would become, in counts."""
    refused = standard.refused.groupBy("source_system", "feed", "produces", "reason", "column_name").count()
    for row in _sorted(refused, ("source_system", "feed", "produces", "reason", "column_name")):
        if whole or row["reason"] not in _NEEDS_WHOLE_FEEDS:
            column = f" (column {row['column_name']})" if row["column_name"] else ""
            yield (
                f"{row['source_system']}.{row['feed']} as {row['produces']}: "
                f"would refuse {row['count']:,} rows, "
                f"{row['reason']}{column}"
            )
    if not whole:
        yield "rows whose event or person is not in the sample are not judged"
    kept = [F.count(F.lit(1)).alias("rows"), *[F.count(name).alias(name) for name in _ISSUES]]
    for row in _sorted(standard.person.groupBy("source_system").agg(*kept), ("source_system",)):
        parts = ", ".join(f"{name} {row[name]:,}" for name in _ISSUES)
        yield f"{row['source_system']}: {row['rows']:,} person rows kept; {parts}"
    numbers = standard.person_identifier.groupBy("source_system", "kind", "identifier_issue")
    counted = numbers.agg(F.count(F.lit(1)).alias("rows"), F.count_if("verified").alias("verified"))
    for row in _sorted(counted, ("source_system", "kind", "identifier_issue")):
        yield (
            f"{row['source_system']}: {row['rows']:,} numbers of kind {row['kind']} "
            f"{row['identifier_issue'] or 'in standard form'}, {row['verified']:,} of them verified"
        )
    unmapped = standard.involvement.where(~F.col("role_mapped")).groupBy("source_system")
    counted = unmapped.agg(F.count(F.lit(1)).alias("rows"), F.count_distinct("role_raw").alias("roles"))
    for row in _sorted(counted, ("source_system",)):
        yield (
            f"{row['source_system']}: {row['rows']:,} involvements with {row['roles']:,} roles "
            f"that are in no mapping; kept as additional_relevant; add them to [roles] in conf/sources/{row['source_system']}.toml"
        )


def _sorted(frame: DataFrame, names: Sequence[str]) -> list[Any]:
    """Collected counts in a settled order."""
    return sorted(frame.collect(), key=lambda row: tuple(str(row[name]) for name in names))
