"""Which feeds a run may go on without."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import FeedNotThereError, SourceError
from linkage_spark.runs import reading


def opened(monkeypatch: pytest.MonkeyPatch, faults: dict[str, SourceError], *, required: bool) -> list[str]:
    """Feeds that are read where some cannot be; the others fit."""
    feeds = [SimpleNamespace(key=key, required=required) for key in ("custody.record", "intel.report")]

    def read(_: Any, feed: Any, __: str, **___: Any) -> str:
        if feed.key in faults:
            raise faults[feed.key]
        return feed.key

    for name, stand_in in (
        ("check_words", lambda _: None),
        ("feeds_of", lambda _: feeds),
        ("feed_version", lambda *_: None),
        ("read_feed", read),
        ("column_faults", lambda *_: []),
        ("with_disposal", lambda frame, *_, **__: frame),
    ):
        monkeypatch.setattr(reading, name, stand_in)
    run: Any = SimpleNamespace(sources=(), spark=None, feeds_root="feeds", day=None)
    return list(reading.open_feeds(run))


def test_a_feed_that_is_not_required_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"intel.report": FeedNotThereError("intel.report: there is nothing")}
    assert opened(monkeypatch, gone, required=False) == ["custody.record"]
    with pytest.raises(SourceError, match=r"intel\.report"):
        opened(monkeypatch, gone, required=True)


def test_a_feed_that_is_there_and_cannot_be_read_stops_the_run_required_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all its hits would count as taken back by their source."""
    cut = {key: SourceError(f"{key}: cut off") for key in ("custody.record", "intel.report")}
    with pytest.raises(SourceError) as told:
        opened(monkeypatch, cut, required=False)
    assert told.value.faults == ("custody.record: cut off", "intel.report: cut off")
