"""Spark's messages about a feed, in our words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from linkage_spark.errors import SourceError
from linkage_spark.store import feeds
from linkage_spark.store.feeds import feed_location, records_changes, table_id, translate_read_error


@dataclass(frozen=True)
class Feed:
    source_system: str = "hr"
    name: str = "extract"
    path: str | None = "hr/extract"
    table: str | None = None
    format: str = "csv"
    options: dict[str, str] = field(default_factory=dict)


FEEDS = [Feed(), Feed(source_system="crime", name="nominal", path="crime/nominal", format="delta")]
NEIGHBOUR = Feed(name="extract_old", path="hr/extract_old")


def told(message: str, feeds=FEEDS, root: str = "/data/feeds") -> str:
    return str(translate_read_error(RuntimeError(message), feeds=feeds, feeds_root=root))


def test_a_cut_off_row_names_the_feed_and_the_file_and_no_value() -> None:
    said = told(
        "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///data/feeds/hr/extract/part-0.csv. "
        "Caused by: [MALFORMED_RECORD_IN_PARSING] Malformed records are detected in record parsing: [E1,Vrumblatt]."
    )
    assert said.startswith("hr.extract: file part-0.csv: a row has more or fewer values")
    assert "Vrumblatt" not in said


CUT_LOG = (
    "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file "
    "file:///data/feeds/crime/nominal/_delta_log/00000000000000000007.json. "
    "Caused by: [MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] Malformed records are detected: [Vrumblatt]."
)


def test_a_cut_off_log_of_a_delta_table_is_no_row_of_another_length() -> None:
    said = told(CUT_LOG)
    assert said.startswith(
        "crime.nominal: file _delta_log/00000000000000000007.json: the log of its Delta table is cut off; start again when"
    )
    assert "Vrumblatt" not in said


@pytest.mark.parametrize("ask", [table_id, records_changes])
def test_what_the_log_of_a_delta_table_tells_names_the_feed_where_it_cannot_be_read(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any) -> None:
        raise PySparkException(CUT_LOG)

    monkeypatch.setattr(feeds, "_check_there", lambda *_: None)
    monkeypatch.setattr(feeds, "_newest_commit", lambda *_: None)
    monkeypatch.setattr(feeds, "_told_at", cut)
    with pytest.raises(SourceError, match=r"^crime\.nominal: .* the log of its Delta table is cut off"):
        ask(cast("SparkSession", None), FEEDS[1], "/data/feeds")


def test_a_changed_type_names_the_column() -> None:
    said = told(
        "[FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH] Encountered error while reading file "
        "hdfs://nn:8020/data/feeds/crime/nominal/part-1.snappy.parquet. Data type mismatches when reading it. "
        "Column: [DOB], Expected: string, Actual: INT32.",
        root="hdfs://nn:8020/data/feeds",
    )
    assert said.startswith(
        "crime.nominal: file part-1.snappy.parquet: column DOB: a file holds a column in another type"
    )


def test_an_error_in_another_folder_is_none_of_the_feeds() -> None:
    message = "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///out/tables/person/part-0.parquet"
    assert translate_read_error(RuntimeError(message), feeds=FEEDS, feeds_root="/data/feeds") is None


def test_a_feed_whose_name_begins_like_another_is_not_mistaken_for_it() -> None:
    message = "Encountered error while reading file file:///data/feeds/hr/extract_old/part-0.csv"
    assert translate_read_error(RuntimeError(message), feeds=FEEDS, feeds_root="/data/feeds") is None
    assert told(message, feeds=[*FEEDS, NEIGHBOUR]).startswith("hr.extract_old: file part-0.csv")


def test_an_error_that_is_not_about_reading_is_left_alone() -> None:
    message = "java.lang.OutOfMemoryError at /data/feeds/hr/extract/part-0.csv"
    assert translate_read_error(RuntimeError(message), feeds=FEEDS, feeds_root="/data/feeds") is None


@pytest.mark.parametrize(
    ("path", "place"),
    [("hr/extract", "/root/hr/extract"), ("/abs/x", "/abs/x"), ("hdfs://nn/x", "hdfs://nn/x")],
)
def test_a_path_is_relative_to_the_root_unless_it_stands_for_itself(path: str, place: str) -> None:
    assert feed_location(Feed(path=path), feeds_root="/root/") == place
