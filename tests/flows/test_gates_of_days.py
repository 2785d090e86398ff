"""A day at its gates, over real tables of two weeks: which runs count, by day and by the nominals' model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.errors import GateError
from linkage_spark.runs import day_gates, publishing
from linkage_spark.runs.day_gates import hold_gates
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.manifest import MadeFrom
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Stage
from linkage_spark.settings.run import load_settings
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.changes import FEED_STATE
from linkage_spark.tables.enums import Measure, RunKind, RunStatus
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.results import RUN
from tests.support.contract_rows import contract_rows
from tests.support.feeds import CONF

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CRIME, CUSTODY, INTEL = ((Measure.CHANGED_UNITS, f"{source}/person") for source in ("crime", "custody", "intel"))
LARGEST, LINKS = (Measure.LARGEST_COMPONENT, ""), (Measure.LINKS, "match")
Figures = Mapping[tuple[Measure, str], float]
MONDAY = date(2026, 11, 2)
"""The day of the backfill."""

NEXT = MONDAY + timedelta(days=15)
"""A Tuesday, after two weeks."""

LATE = MONDAY + timedelta(days=10)
"""The feeds came after the night's run."""

NOTHING: Any = None


@dataclass(frozen=True)
class Ran:
    """A run that has ended."""

    day: date
    figures: Figures
    kind: RunKind = RunKind.DAILY
    status: RunStatus = RunStatus.PUBLISHED
    model_id: str = "nominals_v1"


def two_weeks() -> Iterator[Ran]:
    """A backfill after an older estate, then nights of crime and weekdays of custody, each after a failed run and with another at noon.

    On one night the feeds came late: a run had found nothing changed, one but a reviewer's word, and the next one brought what the night
    brings.
    """
    yield Ran(MONDAY, {LARGEST: 9_000.0}, kind=RunKind.BACKFILL)
    yield Ran(MONDAY, {CRIME: 9_000.0, INTEL: 9_000.0})
    yield Ran(MONDAY, {}, kind=RunKind.BACKFILL)
    for day in (MONDAY + timedelta(days=no) for no in range(1, 15)):
        custody = {CUSTODY: 800.0} if day.weekday() < 5 else {}
        yield Ran(day, {}, status=RunStatus.FAILED)
        if day == LATE:
            yield Ran(day, {}, status=RunStatus.UNCHANGED)
            yield Ran(day, {LINKS: 10.0})
        yield Ran(day, {CRIME: 500.0, LARGEST: 20.0, **custody})
        yield Ran(day, {CRIME: 1.0} if day.weekday() == 0 else {}, status=RunStatus.UNCHANGED)
    yield Ran(NEXT, {CRIME: 500.0, CUSTODY: 800.0, LARGEST: 100.0}, model_id="nominals_v2")


@dataclass(frozen=True)
class Estate:
    """Real tables with all these runs."""

    spark: SparkSession
    root: Path
    version: int

    def day(self, day: date, now: Figures, monkeypatch: pytest.MonkeyPatch, *, model_id: str = "nominals_v2") -> Any:
        """Hold the figures of one more run at its gates; what it noted."""
        store = DeltaStore(self.spark, str(self.root))
        before, written = (MadeFrom(code="c", settings="s", model="m", feeds=feeds) for feeds in ("before", "now"))
        good: Any = SimpleNamespace(versions={RUN_METRIC.name: self.version}, day=NEXT, made_from=before)
        run: Any = SimpleNamespace(run_id="now", root=str(self.root), day=day, kind=RunKind.DAILY, spark=self.spark)
        run.store, run.files, run.settings = store, Files(self.spark), load_settings(CONF, "local")
        run.model = SimpleNamespace(id=model_id)
        state = MainRun(run=run, inputs=written, saved=NOTHING, former=good, of_model=None)
        made: Any = SimpleNamespace(fingerprint="of the nominals")
        nominals = NominalRun(
            run=run, good=good, saved=made, former=None, run_no=1, judged_at_version=None, frozen={}, changed=None
        )
        monkeypatch.setattr(day_gates, "measure", lambda *_: now)
        stage = Stage("gates")
        try:
            hold_gates(state, nominals, stage)
        finally:
            noted = json.loads((self.root / "reports/now/gates.json").read_text())
        assert stage.counts["runs they are held against"] == 10
        return {(Measure(one["measure"]), one["part"]): (one["value"], one["usual"]) for one in noted["figures"]}


@pytest.fixture(scope="module")
def estate(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    root = tmp_path_factory.mktemp("gates-of-days")
    store = DeltaStore(spark, str(root))
    runs = [
        {
            "run_id": f"R{no}",
            "run_no": no,
            "run_day": ran.day,
            "kind": ran.kind.value,
            "status": ran.status.value,
            "counts_json": json.dumps({"nominals": {"model_id": ran.model_id}}),
        }
        for no, ran in enumerate(two_weeks(), start=1)
    ]
    figures = [
        {"run_id": f"R{no}", "run_day": ran.day, "measure": name.value, "part": part, "value": value}
        for no, ran in enumerate(two_weeks(), start=1)
        for (name, part), value in ran.figures.items()
    ]
    store.overwrite(RUN, contract_rows(spark, RUN, *runs))
    return Estate(spark, root, store.overwrite(RUN_METRIC, contract_rows(spark, RUN_METRIC, *figures)))


def test_a_day_is_held_against_days_since_the_backfill_whichever_of_their_runs_brought_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = estate.day(NEXT, {LARGEST: 200.0}, monkeypatch)
    assert second == {CRIME: (500.0, 500.0), CUSTODY: (800.0, 800.0), LARGEST: (200.0, 100.0)}
    saturday = NEXT + timedelta(days=4)
    assert estate.day(saturday, {CRIME: 500.0, LARGEST: 200.0}, monkeypatch)[CRIME] == (500.0, 500.0)
    with pytest.raises(GateError) as caught:
        estate.day(NEXT + timedelta(days=1), {CUSTODY: 10.0, LARGEST: 201.0}, monkeypatch)
    assert [
        fault.split(" (")[0] for fault in str(caught.value).removeprefix("nothing was published: ").split("\n")
    ] == [
        "gate changed_units of crime/person: 0 in this day, where 10 of the last 10 days brought some, about 500",
        "gate changed_units of custody/person: 10 in this day, where 7 of the last 10 days brought some, about 800",
        "gate largest_component of all: 201, where the last 1 runs had about 100",
    ]


@pytest.mark.parametrize(
    ("model_id", "largest", "usual"), [("nominals_v1", 40.0, 20.0), ("nominals_v3", 9_000.0, None)]
)
def test_nominals_are_held_against_those_of_their_own_model_or_measured_only(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, model_id: str, largest: float, usual: float | None
) -> None:
    noted = estate.day(NEXT, {LARGEST: largest}, monkeypatch, model_id=model_id)
    assert noted[LARGEST] == (largest, usual)


@pytest.mark.parametrize(
    ("kind", "figures"),
    [
        (RunKind.DAILY, {"crime": (500, 500), "custody": (800, 800), "intel": (None, None)}),
        (RunKind.BACKFILL, {"crime": (None, None), "custody": (None, None), "intel": (None, None)}),
    ],
)
def test_what_readers_are_told_is_usual_is_of_days_since_the_backfill(
    estate: Estate, kind: RunKind, figures: Mapping[str, tuple[int | None, int | None]]
) -> None:
    store = DeltaStore(estate.spark, str(estate.root))
    feeds = [{"source_system": source, "feed": "record", "written_day": NEXT} for source in figures]
    states = contract_rows(estate.spark, FEED_STATE, *feeds)
    run: Any = SimpleNamespace(run_id="now", kind=kind, store=store, spark=estate.spark)
    metrics = store.read(RUN_METRIC, version=estate.version)
    told = publishing._freshness(run, lambda contract: states if contract == FEED_STATE else metrics)
    assert {row["source_system"]: (row["changed"], row["usual"]) for row in told.collect()} == figures
