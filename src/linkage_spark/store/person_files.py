"""An analyst's person files: CSV or Parquet, read as they are and never written."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, urlsplit

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from linkage_spark.errors import SourceError
from linkage_spark.store.feeds import CSV_DEFAULTS, translate_read_error
from linkage_spark.store.files import Files

ENDINGS: Final[tuple[str, ...]] = (".csv", ".csv.gz", ".parquet")
"""What a person file's name may end with."""

_CSV_OPTIONS: Final[Mapping[str, str]] = {
    **CSV_DEFAULTS,
    "multiLine": "true",  # a line end inside quotes is part of the value
    "ignoreLeadingWhiteSpace": "true",  # otherwise a quote after a blank is a letter like any other
    "ignoreTrailingWhiteSpace": "true",
    "inferSchema": "false",
    "mode": "FAILFAST",  # the other modes fill a cut-off row with nulls, or drop it, and say nothing
    "enforceSchema": "false",
    "columnPruning": "false",  # otherwise a row's length is not checked when few columns are read
}
_PARQUET_OPTIONS: Final[Mapping[str, str]] = {
    "mergeSchema": "true",
    "datetimeRebaseMode": "CORRECTED",
    "int96RebaseMode": "CORRECTED",
}
_DAMAGED_GZIP = r"[Nn]ot (?:a gzip file|in GZIP format)|Unexpected end of |EOFException|ZipException|[Ii]nvalid (?:block|stored|dist)"
_DAMAGED = "it is no whole gzip file (it may be cut off); export it again"
_BOM = "\ufeff"
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class _AsFeed:
    """A person file where the words for reading errors expect a feed."""

    source_system: str
    name: str
    path: str | None
    format: str
    table: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def read_person_file(spark: SparkSession, path: str) -> DataFrame:
    """A person file as it lies there: one row in, one row out, every column, names without outer blanks.

    The header line of a CSV is read at once, its rows lazily. CSV columns are all text, an empty value is
    null; a Parquet file's columns keep their types. A fault inside a file shows itself only when the frame
    is used: ``translate_person_file_error`` says such an error in words.

    Args:
        spark: the session.
        path: a file that ends in one of ENDINGS, or a folder of Parquet files whose name ends in .parquet;
            on any file system that Hadoop knows.

    Raises:
        SourceError: when nothing is there, the name has another ending, it cannot be read as what its name
            says, or its columns have no names of their own.
    """
    ending = next((text for text in ENDINGS if path.rstrip("/").lower().endswith(text)), None)
    if ending is None:
        raise SourceError(f"{path}: its name ends in none of {', '.join(ENDINGS)}; give a CSV or a Parquet file")
    files = Files(spark)
    if not files.exists(path):
        raise SourceError(f"{path}: there is no such file; correct the path")
    location = files.absolute(path)
    try:
        frame = _read_parquet(spark, location) if ending == ".parquet" else _read_csv(spark, location, path)
        names = _check_names(path, frame.columns)
    except (Py4JJavaError, PySparkException) as error:
        raise SourceError(f"{path}: {_words_of(error, location)}") from None
    return frame.toDF(*names)


def translate_person_file_error(error: Exception, paths: Mapping[str, str]) -> SourceError | None:
    """Say in words what went wrong while rows of a person file were read; None when it was something else.

    Nothing of Spark's message is passed on but the file's name and a column's name.

    Args:
        error: what Spark raised.
        paths: side ('left', 'right', 'file') -> path, as given to ``read_person_file``.
    """
    text = str(error)
    places = {side: _place(path) for side, path in paths.items()}
    for side, place in sorted(places.items(), key=lambda item: -len(item[1])):
        if not any(spelled in text for spelled in (place, quote(place))):
            continue
        if place.lower().endswith(".gz") and re.search(pattern=_DAMAGED_GZIP, string=text):
            return SourceError(f"{side}: file {PurePosixPath(place).name}: {_DAMAGED}")
        # Spark ends the sentence with the file's name and a full stop; the words are found by its folder.
        folder = place if place.lower().endswith(".parquet") else str(PurePosixPath(place).parent)
        feed = _AsFeed(side, "file", folder, "parquet" if ".parquet" in place.lower() else "csv")
        fault = translate_read_error(error, feeds=[feed], feeds_root="")
        if fault is not None:
            return SourceError(f"{side}: {fault.faults[0].partition(': ')[2]}")
    return None


def _place(path: str) -> str:
    """A path as Spark's messages have it: absolute, without scheme."""
    return (urlsplit(url=path).path if "://" in path else os.path.abspath(path)).rstrip("/")  # noqa: PTH100


def _words_of(error: Exception, location: str) -> str:
    """What opening a file ran into, and the remedy."""
    if "TIMESTAMP(NANOS" in str(error):
        return "a column holds times in nanoseconds; write them in microseconds (pandas: coerce_timestamps='us') or as text"
    fault = translate_person_file_error(error, {"file": location})
    kind = "Parquet" if ".parquet" in location.lower() else "CSV"
    if fault is None:
        return f"it cannot be read as {kind}; export it again"
    return fault.faults[0].removeprefix("file: ").removeprefix(f"file {PurePosixPath(location).name}: ")


def _read_parquet(spark: SparkSession, location: str) -> DataFrame:
    """A Parquet file, or a folder of them."""
    return spark.read.options(**_PARQUET_OPTIONS).parquet(location)


def _read_csv(spark: SparkSession, location: str, path: str) -> DataFrame:
    """A CSV with its header as column names.

    Spark's own reading of a header numbers columns of one name, and makes names up where there are none.
    """
    first = spark.read.options(**{**_CSV_OPTIONS, "header": "false"}).csv(path=location).first()
    header = ["" if name is None else str(name) for name in first] if first is not None else []
    if not any(name.strip(_BOM + " ") for name in header):
        raise SourceError(f"{path}: it has no header line; the first line must name the columns")
    if any(sign in name for name in header for sign in "\x00\ufffd"):
        raise SourceError(f"{path}: it is not UTF-8; export it again as UTF-8")
    separator = next((words for sign, words in _OTHER_SEPARATORS.items() if sign in header[0]), None)
    if len(header) == 1 and separator:
        raise SourceError(f"{path}: its columns are parted by {separator}; export it again with commas")
    _check_names(path, header)
    schema = StructType([StructField(name, StringType(), True) for name in header])
    return spark.read.options(**_CSV_OPTIONS).schema(schema).csv(path=location)


def _check_names(path: str, found: Sequence[str]) -> list[str]:
    """Column names without outer blanks.

    Raises:
        SourceError: with every column that has no name, and every name that two columns have; Spark does
            not tell capitals from small letters.
    """
    names = [name.strip(_BOM).strip() for name in found]
    faults = [
        f"{path}: column {place} of the header has no name; give it one or leave the column out"
        for place, name in enumerate(names, start=1)
        if not name
    ]
    counted = Counter(name.lower() for name in names if name)
    for plain, count in counted.items():
        if count > 1:
            alike = ", ".join(f"'{name}'" for name in names if name.lower() == plain)
            faults.append(f"{path}: {count} columns have one name ({alike}); rename all but one")
    if faults:
        raise SourceError(faults)
    return names
