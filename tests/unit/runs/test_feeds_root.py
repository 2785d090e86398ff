"""A wrong folder of feeds is one mistake, said in one line before anything is begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import UsageError
from linkage_spark.runs import feeds_root
from linkage_spark.runs.check_sources import run_check_sources
from linkage_spark.runs.feeds_root import open_session_over, refuse_wrong_feeds_root
from linkage_spark.runs.profile import run_profile
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


def test_signs_that_cut_a_web_address_are_parts_of_a_folders_name(tmp_path: Path) -> None:
    (tmp_path / "hr" / "extract").mkdir(parents=True)
    for name in ("feeds#2", "feeds?new", "feeds%20"):
        feeds = tmp_path / name
        for root in (f"file:{feeds}", f"file://{feeds}", f"file://localhost{feeds}"):
            with pytest.raises(UsageError, match="no such folder"):
                refuse_wrong_feeds_root(root, SOURCES)
        (feeds / "hr" / "extract").mkdir(parents=True)
        for root in (f"file:{feeds}", f"file://{feeds}", f"file://localhost{feeds}"):
            refuse_wrong_feeds_root(root, SOURCES)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions that were opened, none of which is one; nothing lies on any other file system but ``hdfs:///data/feeds``."""
    names: list[str] = []

    @contextmanager
    def session(app_name: str) -> Iterator[None]:
        names.append(app_name)
        yield

    def exists(path: str) -> bool:
        return path.startswith("hdfs:///data/feeds")

    monkeypatch.delenv("LINKAGE_CONF", raising=False)
    monkeypatch.setattr(feeds_root, "open_session", session)
    monkeypatch.setattr(feeds_root, "Files", lambda _: SimpleNamespace(exists=exists))
    return names


@pytest.mark.parametrize(
    ("job", "run"),
    [
        ("check_sources", lambda root: run_check_sources(feeds_root=root)),
        ("profile", lambda root: run_profile(feeds_root=root, root="out")),
    ],
)
def test_jobs_that_take_no_lock_look_at_the_folder_too_here_before_a_session_and_elsewhere_in_it(
    opened: list[str], tmp_path: Path, job: str, run: Callable[[str], int]
) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        run(f"{tmp_path}/nowhere")
    assert opened == []
    with pytest.raises(UsageError, match="--feeds hdfs:///data/nowhere: no such folder"):
        run("hdfs:///data/nowhere")
    assert opened == [job]


def test_with_the_right_folder_the_session_is_given(opened: list[str], tmp_path: Path) -> None:
    (tmp_path / "hr" / "extract").mkdir(parents=True)
    for root in (str(tmp_path), "hdfs:///data/feeds"):
        with open_session_over("profile", root, SOURCES):
            pass
    assert opened == ["profile", "profile"]
