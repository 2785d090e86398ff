"""What a run is given holds: no table changes once its lock is lost, and nobody goes on with the work of a run that may live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage_spark.errors import LockError
from linkage_spark.runs import context
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.context import RunContext, clear_work, open_run
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.lifecycle import BASELINE
from tests.support.contract_rows import contract_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def out(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An output root; runs over it take the tests' own session."""

    @contextmanager
    def session(_: str) -> Iterator[SparkSession]:
        yield spark

    monkeypatch.setattr(context, "open_session", session)
    return str(tmp_path / "out")


def opened(out: str) -> contextmanager[RunContext]:
    return open_run(RunKind.DAILY, feeds_root=out, root=out)


def checkpoints(run: RunContext) -> tuple[Checkpoints, str | None]:
    """What a start of the same run finds."""
    return Checkpoints.open(
        run.files, run.work, run_id=run.run_id, fingerprint="same", day="2026-11-21", refuse=run.refuse_unless_held
    )


def lock(out: str, *, hours_ago: float) -> None:
    since = datetime.now(tz=UTC) - timedelta(hours=hours_ago)
    Path(out).mkdir(exist_ok=True)
    Path(out, "lock.json").write_text(
        json.dumps({"run_id": "R1", "host": "elsewhere", "pid": 1, "since": since.isoformat()}), encoding="utf-8"
    )


def test_a_run_whose_lock_somebody_else_took_changes_nothing_any_more(spark: SparkSession, out: str) -> None:
    with opened(out) as run:
        rows = contract_rows(spark, BASELINE, {"lane": "conduct", "run_id": "R1"})
        run.store.append(BASELINE, rows)
        saved, _ = checkpoints(run)
        lock(out, hours_ago=0)
        for change in (
            lambda: run.store.append(BASELINE, rows),
            lambda: saved.mark("screen", Done(seconds=1.0)),
            lambda: clear_work(run),
        ):
            with pytest.raises(LockError, match="R1 has held"):
                change()
        assert run.store.read(BASELINE).count() == 1
    assert Path(out, "lock.json").exists(), "the lock of another is not given back"
    assert "screen" not in Path(out, "work", "daily", "progress.json").read_text(encoding="utf-8")


def test_nobody_goes_on_with_what_a_run_of_another_host_had_done(out: str) -> None:
    with opened(out) as run:
        checkpoints(run)[0].mark("screen", Done(seconds=1.0))
    with opened(out) as run:
        saved, left = checkpoints(run)
        assert (left == saved.run_id, list(saved.done)) == (True, ["screen"]), "here its process has ended"
    lock(out, hours_ago=99)
    with opened(out) as run:
        assert not Path(out, "work").exists(), "it is gone for whoever starts after this run, too"
        assert checkpoints(run)[1] is None
