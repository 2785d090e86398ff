"""A wrong folder of feeds is one mistake, said in one line before anything is begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from linkage_spark.errors import UsageError
from linkage_spark.runs.feeds_root import refuse_wrong_feeds_root
from linkage_spark.settings.sources import FeedMapping, SourceMapping, load_sources

CONF = Path(__file__).resolve().parents[3] / "conf"
SOURCES = load_sources(CONF)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKAGE_ENV", "local")


def of(**feed: Any) -> tuple[SourceMapping, ...]:
    """One source with one feed, which lies as it is said."""
    mapped = FeedMapping.model_construct(name="log", source_system="incident", **feed)
    return (SourceMapping.model_construct(source_system="incident", feeds={"log": mapped}),)


def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        refuse_wrong_feeds_root(f"{tmp_path}/nowhere", SOURCES)
    assert str(told.value) == f"--feeds {tmp_path}/nowhere: no such folder; name the one under which the feeds lie"
    assert told.value.exit_code == 2
    page = (CONF.parent / "docs" / "bad-input.md").read_text(encoding="utf-8")
    assert f"`{told.value}`".replace(f"{tmp_path}/nowhere", "/data/feed") in page


def test_a_folder_without_any_of_the_feeds_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "feeds" / "hr" / "extract").mkdir(parents=True)
    with pytest.raises(UsageError) as told:
        refuse_wrong_feeds_root(str(tmp_path), SOURCES)
    feeds = sum(len(source.feeds) for source in SOURCES)
    assert str(told.value) == (
        f"--feeds {tmp_path}: holds none of the {feeds} feeds that conf/sources names "
        f"(first looked for: {tmp_path}/crime/nominal); name the folder under which they lie"
    )
    for right in (f"{tmp_path}/feeds", f"file://{tmp_path}/feeds"):
        refuse_wrong_feeds_root(right, SOURCES)


def test_feeds_that_lie_elsewhere_or_may_be_missing_say_nothing_of_the_folder(tmp_path: Path) -> None:
    for feed in (
        {"path": None, "table": "db.log", "format": "hive", "required": True},
        {"path": "/full/log", "format": "csv", "required": True},
        {"path": "hdfs:///data/log", "format": "csv", "required": True},
        {"path": "incident/log", "format": "csv", "required": False},
    ):
        refuse_wrong_feeds_root(f"{tmp_path}/nowhere", of(**feed))
    with pytest.raises(UsageError):
        refuse_wrong_feeds_root(f"{tmp_path}/nowhere", of(path="incident/log", format="csv", required=True))


def test_a_folder_on_another_file_system_is_looked_at_once_there_is_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_wrong_feeds_root("hdfs:///data/nowhere", SOURCES)
    monkeypatch.setenv("LINKAGE_ENV", "cluster")
    refuse_wrong_feeds_root("/data/nowhere", SOURCES)
    with pytest.raises(UsageError, match="no such folder"):
        refuse_wrong_feeds_root("/data/nowhere", SOURCES, exists=lambda _: False)
    refuse_wrong_feeds_root("/data/feeds", SOURCES, exists={"/data/feeds/intel/report"}.__contains__)
