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
from linkage_spark.runs.entry import run_job
from linkage_spark.runs.left_behind import SET_ASIDE
from linkage_spark.runs.retain_files import remove_scratch
from linkage_spark.runs.retain_lists import begin_lists, finish_lists
from linkage_spark.store.snapshot import published_path
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.lifecycle import BASELINE
from linkage_spark.tables.results import RUN
from linkage_spark.tables.star import STAR_HIT
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


def opened(out: str, kind: RunKind = RunKind.DAILY) -> contextmanager[RunContext]:
    return open_run(kind, feeds_root=out, root=out)


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


def stopped(out: str, kind: str, run_id: str) -> None:
    """A run that was killed while it published."""
    for path in (
        Path(out, "work", kind, "batch.parquet"),
        Path(published_path(out, STAR_HIT.name, run_id), "part-0.parquet"),
        Path(out, "reports", run_id, "report.html"),
    ):
        path.parent.mkdir(parents=True)
        path.write_text("1", encoding="utf-8")
    Path(out, "work", kind, "progress.json").write_text(json.dumps({"run_id": run_id}), encoding="utf-8")


def begun(out: str) -> tuple[set[str], set[str]]:
    """Runs of which a snapshot is there; of which a report is."""
    return tuple(
        {path.name for path in Path(out, *at).iterdir()} for at in (("published", STAR_HIT.name), ("reports",))
    )


def test_what_stopped_runs_had_begun_to_publish_goes_with_their_work_and_nothing_of_a_run_that_ended(
    spark: SparkSession, out: str
) -> None:
    with opened(out) as run:
        run.store.append(RUN, contract_rows(spark, RUN, {"run_id": "R3", "run_no": 1}))
    for kind, run_id in (("daily", "R2"), ("backfill", "R3"), ("nominals", "R4")):
        stopped(out, kind, run_id)
    lock(out, hours_ago=99)
    with opened(out):
        assert not Path(out, "work").exists()
    assert begun(out) == ({"run_id=R3"}, {"R3"})


def test_retention_that_takes_a_lock_over_tells_of_the_work_that_it_deletes(out: str) -> None:
    stopped(out, "daily", "R2")
    lock(out, hours_ago=99)
    with opened(out, RunKind.RETAIN) as run:
        lists = begin_lists(run, None)
        remove_scratch(run)
        gone = {file.entry.name for file in finish_lists(run, lists)}
    assert gone == {
        "work/daily/batch.parquet",
        f"work/daily/{SET_ASIDE}",
        f"published/{STAR_HIT.name}/run_id=R2/part-0.parquet",
        "reports/R2/report.html",
    }
    assert not Path(out, "work").exists()


def test_nobody_goes_on_with_the_work_of_another_host_after_retention_either(out: str) -> None:
    stopped(out, "daily", "R2")
    lock(out, hours_ago=99)
    with pytest.raises(ZeroDivisionError), opened(out, RunKind.RETAIN):
        raise ZeroDivisionError
    assert Path(out, "work", "daily", "batch.parquet").exists(), "what it deletes it writes down first"
    with opened(out) as run:
        assert checkpoints(run)[1] is None


def test_whatever_a_run_whose_lock_was_taken_over_ends_with_it_ends_as_that(
    out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def job() -> None:
        with opened(out):
            lock(out, hours_ago=0)
            raise FileNotFoundError("work/daily/batch.parquet")

    assert run_job(job) == 5
    assert "has lost lock.json and may not publish: run R1 has held lock.json" in capsys.readouterr().err
    Path(out, "lock.json").unlink()
    with pytest.raises(FileNotFoundError), opened(out):
        raise FileNotFoundError("work/daily/batch.parquet")
