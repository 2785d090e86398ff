"""What is said of a run that failed, by whether it still holds the lock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import LockError, SettingsError, UsageError
from linkage_spark.runs import publishing, train
from linkage_spark.runs.progress import Progress
from linkage_spark.tables.enums import RunKind

GOOD: Any = SimpleNamespace(run_id="R1", shown_run_id="R1", versions={})


def a_run(*, is_lost: bool) -> tuple[Any, StringIO]:
    """A run, and what it says."""

    def refuse() -> None:
        if is_lost:
            raise LockError("another run holds the lock")

    said = StringIO()
    at = datetime(2026, 11, 21, tzinfo=UTC)
    run = SimpleNamespace(run_id="R2", kind=RunKind.DAILY, day=date(2026, 11, 21), started_at=at, store=None)
    run.progress, run.refuse_unless_held = Progress(stream=said, as_json=False), refuse
    return run, said


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Rows that were written into RUN."""
    written: list[str] = []
    monkeypatch.setattr(publishing, "run_row", lambda *_, **__: {})
    monkeypatch.setattr(publishing, "write_run", lambda _, row: written.append(row["run_id"]))
    monkeypatch.setattr(train, "_write_row", lambda *_, **__: written.append("of a training"))
    return written


def test_of_a_run_that_failed_run_tells_and_the_same_command_goes_on(rows: list[str]) -> None:
    run, said = a_run(is_lost=False)
    publishing.record_failure(run, good=GOOD, made_from=GOOD, error=OSError("full"))
    assert rows == ["20261121T000000Z-daily-failed"]
    assert "run R2 failed; readers go on seeing R1. The same command goes on where it stopped" in said.getvalue()
    assert "status=failed shown=R1" in said.getvalue()


@pytest.mark.parametrize("error", [UsageError("--feeds"), SettingsError("conf")])
def test_of_a_command_that_would_fail_again_it_is_not_said_that_it_goes_on(rows: list[str], error: Exception) -> None:
    run, said = a_run(is_lost=False)
    publishing.record_failure(run, good=GOOD, made_from=GOOD, error=error)
    assert rows == ["20261121T000000Z-daily-failed"]
    assert "run R2 failed; readers go on seeing R1\n" in said.getvalue()


def test_of_a_run_that_failed_and_has_lost_its_lock_nothing_is_said_that_others_decide_by_now(rows: list[str]) -> None:
    run, said = a_run(is_lost=True)
    publishing.record_failure(run, good=GOOD, made_from=GOOD, error=OSError("a name that stood in a row"))
    assert rows == []
    assert "run R2 failed (OSError) and holds the lock no more: RUN keeps no row of it" in said.getvalue()
    assert "status=failed shown=unknown" in said.getvalue()
    for wrong in ("R1", "goes on", "go on", "could not be recorded", "a name"):
        assert wrong not in said.getvalue()


@pytest.mark.parametrize(("is_lost", "written"), [(False, ["of a training"]), (True, [])])
def test_nor_of_a_training(rows: list[str], written: list[str], *, is_lost: bool) -> None:
    run, said = a_run(is_lost=is_lost)
    with pytest.raises(OSError, match="full"), train._recorded(run, GOOD):
        raise OSError("full")
    assert rows == written
    assert ("nothing that readers see has changed" in said.getvalue()) != is_lost
