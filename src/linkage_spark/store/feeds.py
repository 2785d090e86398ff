"""Feeds: the force's own tables and extracts, read only, never written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import FeedNotThereError, SourceError
from linkage_spark.store.files import FileEntry, Files


class Feed(Protocol):
    """What reading needs to know of a feed; the source mapping's feeds have it."""

    @property
    def source_system(self) -> str:
        """The source."""

    @property
    def name(self) -> str:
        """Name within the source."""

    @property
    def path(self) -> str | None:
        """Folder or file, relative to the feeds root or absolute; None for a Hive table."""

    @property
    def table(self) -> str | None:
        """Hive table; None for a path."""

    @property
    def format(self) -> str:
        """'delta', 'parquet', 'csv' or 'hive'."""

    @property
    def options(self) -> Mapping[str, str]:
        """Options of the CSV reader."""


CSV_DEFAULTS: Final[Mapping[str, str]] = {"header": "true", "encoding": "UTF-8", "quote": '"', "escape": '"'}
"""How a CSV is read unless its mapping says otherwise: quotes are doubled inside quotes (RFC 4180)."""

_CSV_FIXED: Final[Mapping[str, str]] = {
    "inferSchema": "false",  # everything is text: '007' and 03/02/1984 stay what they are
    "mode": "FAILFAST",  # the other modes fill a cut-off row with nulls, or drop it, and say nothing
    "enforceSchema": "false",  # otherwise a part file with its columns in another order is misread silently
    "columnPruning": "false",  # otherwise a row's length is not checked when few columns are read
}

_PARQUET_OPTIONS: Final[Mapping[str, str]] = {
    "mergeSchema": "true",  # otherwise the columns are those of whichever file comes first
    "datetimeRebaseMode": "CORRECTED",
    "int96RebaseMode": "CORRECTED",
}

_RECORDS: Final = ("delta.enableChangeDataFeed", "delta.enableChangeDataCapture")
"""The table property by which Delta records changes, and its former name."""

_UNRECORDED: Final = "DELTA_MISSING_CHANGE_DATA"
"""Delta's name for changes that a table was not told to record; the message names neither table nor path."""

_CUT_LOG: Final = r"MALFORMED_RECORD_IN_PARSING|Json(EOF|Parse)Exception"
"""How an entry of a Delta table's log shows itself that is not whole: nothing else of such a table is JSON."""

_SIGNS: Final[tuple[tuple[str, str], ...]] = (
    (
        rf"{_UNRECORDED}|/_change_data/",
        (
            "what its table has recorded of its changes cannot be read (not recorded throughout, or removed since); see that the "
            "table property delta.enableChangeDataFeed is set, and run the backfill"
        ),
    ),
    (
        r"ChecksumException|Checksum error",
        (
            "a file does not match the checksum beside it (cut off, or changed where it lies); export it again, or delete its hidden "
            ".crc file if it was changed on purpose"
        ),
    ),
    (
        r"does not conform to the schema|CSV header",
        "its files differ in their header line; export them again with the same columns in the same order",
    ),
    (
        r"MALFORMED_RECORD_IN_PARSING|MALFORMED_CSV_RECORD|Malformed records|TextParsingException",
        (
            "a row has more or fewer values than the header has columns (cut off, or a quote not closed); "
            "export it again"
        ),
    ),
    (
        r"PARQUET_COLUMN_DATA_TYPE_MISMATCH|SchemaColumnConvertNotSupported|PARQUET_CONVERSION_FAILURE",
        "a file holds a column in another type than the feed's other files; export it again with one type",
    ),
    (
        r"CANNOT_MERGE_SCHEMAS|Failed merging schema|CANNOT_MERGE_INCOMPATIBLE|Failed to merge fields",
        "its files hold a column in different types; export it again with one type",
    ),
    (
        r"not a Parquet file|FILE_FOOTER|[Cc]ould not read footer|ParquetDecodingException|EOFException",
        "a file is not whole Parquet (it may be cut off); export it again",
    ),
    (
        r"UNABLE_TO_INFER_SCHEMA",
        "it holds no data file; export it again, or correct its path or format in the mapping",
    ),
    (
        r"FILE_NOT_EXIST|FileNotFoundException|DELTA_FILE_NOT_FOUND|DELTA_LOG_FILE_NOT_FOUND|PATH_NOT_FOUND",
        (
            "a file went missing while it was being read; start again when the export has ended (where VACUUM has removed it from a "
            "Delta table, run the backfill)"
        ),
    ),
    (
        r"FAILED_READ_FILE|Encountered error while reading file|DELTA_|FAILED_READ",
        "a file cannot be read; export it again",
    ),
)


def feed_key(feed: Feed) -> str:
    """``source.feed``, as messages call it."""
    return f"{feed.source_system}.{feed.name}"


def feed_location(feed: Feed, feeds_root: str) -> str:
    """Where a feed lies; a path with a scheme or a leading slash stands for itself."""
    path = feed.path or ""
    return path if path.startswith("/") or "://" in path else f"{feeds_root.rstrip('/')}/{path}"


def read_feed(spark: SparkSession, feed: Feed, feeds_root: str, *, version: int | None = None) -> DataFrame:
    """A feed as it lies there, lazily: one row in, one row out, every column.

    CSV columns are all text. A fault inside a file may show itself only when the frame is used:
    ``translate_read_error`` says such an error in words.

    Args:
        spark: the session.
        feed: where the feed lies and how.
        feeds_root: folder that feed paths are relative to.
        version: of a Delta feed; the newest when none is given.

    Raises:
        SourceError: when nothing is there, or it cannot be read as its format.
    """
    _check_there(spark, feed, feeds_root)
    location = feed_location(feed, feeds_root)
    try:
        if feed.format == "hive":
            frame = spark.table(tableName=str(feed.table))
        elif feed.format == "csv":
            frame = spark.read.options(**{**CSV_DEFAULTS, **feed.options, **_CSV_FIXED}).csv(path=location)
        elif feed.format == "parquet":
            frame = spark.read.options(**_PARQUET_OPTIONS).parquet(location)
        else:
            reader = spark.read.format("delta")
            frame = (reader if version is None else reader.option("versionAsOf", version)).load(path=location)
        if not frame.columns:
            raise SourceError(f"{feed_key(feed)}: it has no columns (an empty file?); export it again")
    except (Py4JJavaError, PySparkException) as error:
        raise _cannot_be_opened(error, feed, feeds_root) from None
    return frame


def _cannot_be_opened(error: Exception, feed: Feed, feeds_root: str) -> SourceError:
    """Why a feed cannot be opened, in words."""
    fault = translate_read_error(error, feeds=[feed], feeds_root=feeds_root)
    return fault or _fault(feed, _full_text(error))


def feed_version(spark: SparkSession, feed: Feed, feeds_root: str) -> int | None:
    """The newest version of a Delta feed; None for any other format.

    Raises:
        SourceError: when nothing is there.
    """
    if feed.format != "delta":
        return None
    _check_there(spark, feed, feeds_root)
    newest = _newest_commit(spark, feed_location(feed, feeds_root))
    return None if newest is None else int(newest.name[:20])


def _newest_commit(spark: SparkSession, location: str) -> FileEntry | None:
    """The newest entry of a Delta table's log; None when there is none."""
    entries = Files(spark).list(f"{location}/_delta_log")
    commits = [entry for entry in entries if re.fullmatch(pattern=r"\d{20}\.json", string=entry.name)]
    return commits[-1] if commits else None


def table_id(spark: SparkSession, feed: Feed, feeds_root: str) -> str | None:
    """Delta's own id of a Delta feed, another one when the table was made anew; None for any other format.

    Raises:
        SourceError: when nothing is there, or its log cannot be read.
    """
    if feed.format != "delta":
        return None
    _check_there(spark, feed, feeds_root)
    return _told_by_log(spark, feed, feeds_root).table_id


def records_changes(spark: SparkSession, feed: Feed, feeds_root: str) -> bool:
    """Whether a feed is a Delta table that records its changes from now on.

    Raises:
        SourceError: when nothing is there, or its log cannot be read.
    """
    if feed.format != "delta":
        return False
    _check_there(spark, feed, feeds_root)
    return _told_by_log(spark, feed, feeds_root).records_changes


class _Told(NamedTuple):
    """What the log of a Delta table tells of it."""

    table_id: str
    records_changes: bool


def _told_by_log(spark: SparkSession, feed: Feed, feeds_root: str) -> _Told:
    """The same as long as nobody writes to the log; SourceError when it cannot be read."""
    location = feed_location(feed, feeds_root)
    newest = _newest_commit(spark, location)
    try:
        return _told_at(spark, location, newest.modified_ms if newest is not None else 0)
    except (Py4JJavaError, PySparkException) as error:
        raise _cannot_be_opened(error, feed, feeds_root) from None


@lru_cache(maxsize=256)
def _told_at(spark: SparkSession, location: str, changed_ms: int) -> _Told:
    """What a log that was last written to at a moment tells: a run asks for it several times, Delta takes a job for it."""
    table = DeltaTable.forPath(sparkSession=spark, path=location)
    found, properties = table.detail().select("id", "properties").collect()[0]
    return _Told(str(found), any(properties.get(name, "").lower() == "true" for name in _RECORDS))


def read_change_feed(spark: SparkSession, feed: Feed, feeds_root: str, *, after: int, to: int) -> DataFrame:
    """Rows of a Delta feed that came, changed or went: of a changed row both what it was and what it is.

    Args:
        spark: the session.
        feed: where the feed lies.
        feeds_root: folder that feed paths are relative to.
        after: the version that was read before.
        to: the version that is read now, above ``after``.

    Raises:
        SourceError: the table keeps no change feed, or no longer that of these versions.
    """
    reader = spark.read.format("delta").option("readChangeFeed", True)
    try:
        found = (
            reader.option("startingVersion", after + 1)
            .option("endingVersion", to)
            .load(path=feed_location(feed, feeds_root))
        )
        # Whether the changes were recorded Delta looks up when the scan is planned, and not before. No row is read for it.
        found._jdf.queryExecution().executedPlan()
        return found.drop("_change_type", "_commit_version", "_commit_timestamp")
    except (Py4JJavaError, PySparkException):
        raise SourceError(
            f"{feed_key(feed)}: its change feed of versions {after + 1} to {to} cannot be read; set the table property "
            f"delta.enableChangeDataFeed, or changes = 'compare' in conf/sources/{feed.source_system}.toml, and run the backfill"
        ) from None


def feed_fingerprint(spark: SparkSession, feed: Feed, feeds_root: str) -> str:
    """SHA-256 that changes when the feed does, without reading its rows.

    A Delta feed stands for its table id and version; any other for the name, length and time of change
    of its files.

    Raises:
        SourceError: when nothing is there, or the log of a Delta feed cannot be read.
    """
    _check_there(spark, feed, feeds_root)
    files, location = Files(spark), feed_location(feed, feeds_root)
    if feed.format == "delta":
        stands_for: list[Any] = [table_id(spark, feed, feeds_root), feed_version(spark, feed, feeds_root)]
    elif feed.format == "hive":
        paths = sorted(spark.table(tableName=str(feed.table)).inputFiles())
        stands_for = [[entry.path, entry.size_bytes, entry.modified_ms] for path in paths for entry in files.list(path)]
    else:
        stands_for = [
            [entry.name, entry.size_bytes, entry.modified_ms]
            for entry in files.list(location, recursive=True)
            if not any(part.startswith(("_", ".")) for part in entry.name.split("/"))
        ]
    return hashlib.sha256(json.dumps([feed.format, stands_for]).encode()).hexdigest()


def translate_read_error(error: Exception, feeds: Iterable[Feed], feeds_root: str) -> SourceError | None:
    """Say in words what went wrong when rows of a feed were read; None when it was something else.

    Spark reports a fault inside a file only when the rows are used, and its message can repeat the row:
    nothing of the message is passed on but the feed, the file's name and a column's name.

    Args:
        error: what Spark raised.
        feeds: the feeds that were being read.
        feeds_root: folder that feed paths are relative to.
    """
    text, feeds = _full_text(error), tuple(feeds)
    reason = _reason(text)
    if reason is None:
        return None
    found = [
        (len(place), feed, place)
        for feed in feeds
        if feed.format != "hive"
        for place in _spellings(feed_location(feed, feeds_root))
        if re.search(pattern=re.escape(place) + r"(?![\w.-])", string=text)
    ]
    if not found:
        recorded = [feed_key(feed) for feed in feeds if feed.format == "delta"] if _UNRECORDED in text else []
        return SourceError(f"{' or '.join(recorded)}: {reason}") if recorded else None
    _, feed, place = max(found, key=lambda item: item[0])
    file = re.search(pattern=re.escape(place) + r"/([\w./=%-]+\.\w+)", string=text)
    return _fault(feed, text, file=file.group(1) if file else None)


def _reason(text: str) -> str | None:
    """What a message is about and the remedy; None when it is not about reading."""
    return next((words for sign, words in _SIGNS if re.search(pattern=sign, string=text)), None)


def _fault(feed: Feed, text: str, *, file: str | None = None) -> SourceError:
    """The fault of a feed that a message tells of."""
    reason = _reason(text) or f"it cannot be read as {feed.format}; correct the feed or its mapping"
    if feed.format == "delta" and re.search(pattern=_CUT_LOG, string=text):
        reason = (
            "the log of its Delta table is cut off; start again when its delivery has ended, or have the table restored"
        )
    columns = ", ".join(_columns(text))
    where = "".join([f" file {file}:" if file else "", f" column {columns}:" if columns else ""])
    return SourceError(f"{feed_key(feed)}:{where} {reason}")


def _columns(text: str) -> tuple[str, ...]:
    """Names of the columns that a message is about; none when it names none."""
    named = re.search(pattern=r"Column: \[(\w+)\]|merge fields '(\w+)'", string=text)
    if named is not None:
        return (named.group(1) or named.group(2),)
    schemas = re.findall(pattern=r'"STRUCT<(.*?)>"', string=text)[:2]
    types = [dict(re.findall(pattern=r"(\w+): (\w+)", string=schema)) for schema in schemas]
    if len(types) != len(("initial", "other")):
        return ()
    initial, other = types
    return tuple(name for name, kind in initial.items() if other.get(name, kind) != kind)


def _check_there(spark: SparkSession, feed: Feed, feeds_root: str) -> None:
    """SourceError when there is no such feed."""
    key, mapping = feed_key(feed), f"conf/sources/{feed.source_system}.toml"
    if feed.format == "hive":
        if not spark.catalog.tableExists(tableName=str(feed.table)):
            raise FeedNotThereError(f"{key}: there is no Hive table {feed.table}; correct 'table' in {mapping}")
        return
    files, location = Files(spark), feed_location(feed, feeds_root)
    if not files.exists(location):
        raise FeedNotThereError(
            f"{key}: there is nothing at {feed.path} under the feeds root; deliver the feed, or correct "
            f"'path' in {mapping}"
        )
    is_empty = not files.holds_anything(location)
    if feed.format == "delta" and not files.exists(f"{location}/_delta_log"):
        fault = FeedNotThereError if is_empty else SourceError
        raise fault(f"{key}: {feed.path} is no Delta table; correct 'format' in {mapping}")
    if is_empty:
        raise FeedNotThereError(
            f"{key}: {feed.path} holds no data file; export it again, or correct 'path' in {mapping}"
        )


def _full_text(error: Exception) -> str:
    """Message of an error and of its Java causes."""
    texts = [str(error)]
    cause: Any = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    while cause is not None and len(texts) < 20:
        texts.append(str(cause.toString()))
        cause = cause.getCause()
    return "\n".join(texts)


def _spellings(location: str) -> tuple[str, ...]:
    """A location as it may stand in a message: without scheme, plain and percent-encoded."""
    plain = (urlsplit(url=location).path if "://" in location else location).rstrip("/")
    return tuple(dict.fromkeys([plain, quote(string=plain)])) if plain else ()
