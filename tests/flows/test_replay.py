"""What a replay reads and says: the histories as the last good run left them, and first of all that rows were removed since."""

from __future__ import annotations

from datetime import date
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from linkage_spark.runs.manifest import GoodRun, MadeFrom
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.replay import SHOWN, ThatDay, show_day, shown_rows
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.governance import REMOVAL
from linkage_spark.tables.lifecycle import HIT_HISTORY
from linkage_spark.tables.results import HIT, RUN
from tests.support.contract_rows import contract_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract

HELD = 6
"""The version of every history that the last good run pins; the newest one is of a run that was stopped."""

SHOWN_RUN = GoodRun(
    run_id="R2",
    day=date(2026, 3, 2),
    shown_run_id="R2",
    model_id="screening_v1",
    made_from=MadeFrom(code="1", settings="s", model="m", feeds="i"),
    versions={},
    counts_json='{"hits": [{"hits": 1}]}',
)
THAT_DAY = ThatDay(shown=SHOWN_RUN, told="R2", up_to=2, code="1", held={history.name: HELD for _, history in SHOWN})


def store_of(spark: SparkSession, *, removed_by: str | None = None) -> DeltaStore:
    """Runs R1 to R3; a hit of E1 that R1 found, and one that R3 found. Nothing stands in the newest version of a history."""
    runs = [{"run_id": f"R{no}", "run_no": no} for no in (1, 2, 3)]
    hits = [
        {"hit_id": hit_id, "employee_id": "E1", "run_id": run_id, "item_change": "new"}
        for hit_id, run_id in (("h1", "R1"), ("h3", "R3"))
    ]
    removals = [] if removed_by is None else [{"run_id": removed_by, "kind": "rows", "part": "hit_history", "rows": 4}]
    tables = {(RUN, None): contract_rows(spark, RUN, *runs), (REMOVAL, None): contract_rows(spark, REMOVAL, *removals)}
    for _, history in SHOWN:
        tables[(history, HELD)] = contract_rows(spark, history, *(hits if history == HIT_HISTORY else []))
        tables[(history, None)] = contract_rows(spark, history)

    def read(contract: TableContract, version: int | None = None) -> DataFrame:
        return tables[(contract, version)]

    return cast("DeltaStore", SimpleNamespace(exists=lambda _: True, read=read))


def test_what_was_shown_is_read_as_the_last_good_run_left_it(spark: SparkSession) -> None:
    rows = shown_rows(store_of(spark), HIT, HIT_HISTORY, THAT_DAY).collect()
    assert [row["hit_id"] for row in rows] == ["h1"]


@pytest.mark.parametrize("employee_id", ["E9", None])
@pytest.mark.parametrize(("removed_by", "is_said"), [("R3", True), ("R2", False), (None, False)])
def test_that_rows_were_removed_since_is_said_before_anything_is_written(
    spark: SparkSession, tmp_path: Path, employee_id: str | None, removed_by: str | None, is_said: bool
) -> None:
    """Readers saw R2: what that run itself removed was not shown."""
    printed, out = StringIO(), tmp_path / "shown"
    progress = Progress(stream=printed, as_json=False)
    store = store_of(spark, removed_by=removed_by)
    show_day(store, Files(spark), THAT_DAY, employee_id, out=str(out), progress=progress)
    said = printed.getvalue()
    assert ("rows were removed since" in said.split("hit: ", maxsplit=1)[0]) is is_said
    assert len((out / "hit.csv").read_text().splitlines()) == (1 if employee_id else 2)
