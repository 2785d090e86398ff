"""Spark's messages about a feed, in our words."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from linkage_spark.store.feeds import feed_location, translate_read_error


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
