"""What keeps tables in order outside the day: its failures are told, and where nothing is to do no table is touched."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.runs import compact, publishing, upkeep
from linkage_spark.runs.upkeep import failure_told
from linkage_spark.tables.canonical import PERSON

GOOD: Any = SimpleNamespace(run_id="R1", shown_run_id="R1", made_from="m", versions={PERSON.name: 3})
NEWER: Any = SimpleNamespace(run_id="R2", shown_run_id="R2")


def a_run(*, grown: bool | Exception) -> Any:
    def has_batches(*_: Any) -> bool:
        if isinstance(grown, Exception):
            raise grown
        return grown

    said: list[str] = []
    return SimpleNamespace(
        run_id="R9",
        root="/x",
        store=SimpleNamespace(has_batches=has_batches),
        progress=SimpleNamespace(say=said.append),
        said=said,
    )


def test_a_failure_is_noted_with_what_readers_see_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[str, str]] = []
    monkeypatch.setattr(
        publishing, "record_failure", lambda _, *, good, error, **__: noted.append((good.run_id, type(error).__name__))
    )
    monkeypatch.setattr(upkeep, "last_good_run", lambda _: NEWER)
    with pytest.raises(OSError, match="full"), failure_told(a_run(grown=False), GOOD):
        raise OSError("full")
    assert noted == [("R2", "OSError")], "it had switched, and failed after that"

    def unreadable(_: Any) -> Any:
        raise ValueError("log")

    monkeypatch.setattr(upkeep, "last_good_run", unreadable)
    with pytest.raises(OSError, match="full"), failure_told(a_run(grown=False), GOOD):
        raise OSError("full")
    assert noted[1:] == [("R1", "OSError")]


def test_a_compaction_that_fails_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []
    monkeypatch.setattr(compact, "last_good_run", lambda _: GOOD)
    monkeypatch.setattr(upkeep, "last_good_run", lambda _: GOOD)
    monkeypatch.setattr(publishing, "record_failure", lambda _, *, error, **__: noted.append(type(error).__name__))
    with pytest.raises(OSError, match="full"):
        compact.compact(a_run(grown=OSError("full")))
    assert noted == ["OSError"]


def test_where_no_table_has_grown_what_a_stopped_day_has_written_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    put_back: list[Any] = []
    ended: list[str] = []
    monkeypatch.setattr(compact, "last_good_run", lambda _: GOOD)
    monkeypatch.setattr(compact, "drop_unfinished", lambda *_: put_back.append(_) or ())
    monkeypatch.setattr(publishing, "say_last", lambda _, status, shown: ended.append(f"{status.value} {shown}"))
    run = a_run(grown=False)
    compact.compact(run)
    assert put_back == []
    assert run.said == ["no table has grown since it was last written whole"]
    assert ended == ["unchanged R1"]
