"""The job nominals at its gates, over real tables: its first run is measured, a later one held against it, across a backfill too."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from linkage_spark.errors import GateError
from linkage_spark.runs import day_gates
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import read_current_run
from linkage_spark.tables.enums import Measure
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.results import RUN
from tests.support.day_worlds import FIRST_DAY, make_history
from tests.support.killing import SEED, readers_find_one_whole_run
from tests.support.main_job import WIDE, MainJob, write_day

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WORLDS = 12
STRICT = {**WIDE, "max_times_cluster": 2.0}
BEFORE, NOW = 20.0, 41.0
"""Records of the largest component, as they are said to be."""


def noted(job: MainJob, run_id: str) -> Any:
    return json.loads((job.root / "reports" / run_id / "gates.json").read_text())


def largest(job: MainJob) -> list[float]:
    """What the last good run pins of the largest component, over all runs."""
    told = [dict(zip(RUN_METRIC.names, row, strict=True)) for row in job.rows(RUN_METRIC)]
    return sorted(row["value"] for row in told if row["measure"] == Measure.LARGEST_COMPONENT.value)


@pytest.mark.slow
def test_nominals_are_held_against_those_before_the_last_backfill_and_go_on_once_the_limit_is_raised(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path_factory.mktemp("gates-of-nominals")
    job = MainJob(spark, base / "estate", base / "feeds", settings={"gates": STRICT})
    write_day(spark, job.feeds, None, make_history(seed=SEED, worlds=WORLDS, days=1).days[0])
    measured = day_gates._nominals

    def grown(records: float) -> None:
        """What is measured, where the largest component has so many records."""
        wild = {(Measure.LARGEST_COMPONENT, ""): records}
        monkeypatch.setattr(day_gates, "_nominals", lambda state: {**measured(state), **wild})

    job.backfill(FIRST_DAY)
    grown(BEFORE)
    job.nominals(FIRST_DAY)
    first = read_current_run(Files(spark), str(job.root))
    assert first is not None
    assert {figure["measure"]: figure["usual"] for figure in noted(job, first.run_id)["figures"]} == {
        Measure.LARGEST_COMPONENT.value: None,
        Measure.LARGE_NOMINALS.value: None,
    }
    assert largest(job) == [BEFORE]

    job.settings = {"gates": STRICT, "identity": {"lawful_basis_reference": "DEMO: another minute"}}
    job.backfill(FIRST_DAY + timedelta(days=1))
    shown = read_current_run(Files(spark), str(job.root))
    assert shown != first
    grown(NOW)
    with pytest.raises(GateError, match="gate largest_component of all: 41, where the last 1 runs had about 20"):
        job.nominals(FIRST_DAY + timedelta(days=1))
    assert read_current_run(Files(spark), str(job.root)) == shown
    assert readers_find_one_whole_run(job)
    stopped = job.store.read(RUN).orderBy(F.desc("run_no")).first()
    assert stopped is not None
    assert (stopped["kind"], stopped["status"], stopped["error_class"]) == ("nominals", "failed", "GateError")
    assert largest(job) == [BEFORE]

    raised = replace(job, settings={**job.settings, "gates": {**STRICT, "max_times_cluster": 3.0}})
    raised.nominals(FIRST_DAY + timedelta(days=1))
    assert "going on with run" in raised.said
    after = read_current_run(Files(spark), str(job.root))
    assert after is not None
    assert after != shown
    assert noted(job, after.run_id)["breaches"] == []
    assert largest(raised) == [BEFORE, NOW]
