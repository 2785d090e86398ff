"""A run that publishes after readers had been taken back to an earlier one says so."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.runs import publishing
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import move_current_run, read_current_run
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.results import RUN
from tests.support.contract_rows import contract_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (None, []),
        ("B-second", []),
        ("Z-first", ["readers had been taken back to Z-first; from now on they see A-third"]),
    ],
)
def test_readers_who_were_taken_back_are_not_taken_forward_without_a_word(
    spark: SparkSession, tmp_path: Path, shown: str | None, said: list[str]
) -> None:
    """By the order in which runs ended, whatever their ids say; what is unchanged or failed has shown nothing new."""
    store, files, told = DeltaStore(spark, str(tmp_path)), Files(spark), []
    statuses = {
        "Z-first": "published",
        "B-second": "published",
        "C": "unchanged",
        "D": "failed",
        "A-third": "published",
    }
    rows = [{"run_id": run_id, "run_no": no, "status": status} for no, (run_id, status) in enumerate(statuses.items())]
    store.append(RUN, contract_rows(spark, RUN, *(rows if shown else rows[-1:])))
    if shown is not None:
        move_current_run(files, str(tmp_path), run_id=shown, published_at=AT)
    run: Any = SimpleNamespace(run_id="A-third", root=str(tmp_path), store=store, files=files, kind=RunKind.NOMINALS)
    run.day, run.started_at, run.refuse_unless_held = AT.date(), AT, lambda: None
    run.progress = SimpleNamespace(say=told.append, elapsed=1.0, end=lambda _: None)
    publishing.show(run, publishing.Published(summary="", finished_at=AT, shown_run_id="A-third"))
    assert [line for line in told if "taken back" in line] == said
    current = read_current_run(files, str(tmp_path))
    assert current is not None
    assert current.run_id == "A-third"
