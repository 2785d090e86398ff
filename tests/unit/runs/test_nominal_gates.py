"""The job nominals measures what it made before anybody sees it, and a breach keeps it from being published."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import GateError
from linkage_spark.runs import day_gates, nominals
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.day_gates import Earlier, hold_gates, hold_nominal_gates
from linkage_spark.runs.progress import Progress, Stage
from linkage_spark.settings.run import load_settings
from linkage_spark.tables.enums import Measure, RunKind
from linkage_spark.tables.gates import RUN_METRIC

CONF = Path(__file__).resolve().parents[3] / "conf"
LARGEST, LARGE = (Measure.LARGEST_COMPONENT, ""), (Measure.LARGE_NOMINALS, "")
SHAPE = {LARGEST: 18.0, LARGE: 3.0}
DAY = date(2026, 11, 21)


class Noted:
    """A store and files that note what is written."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.onto: int | None = -1
        self.texts: dict[str, str] = {}

    def add(self, contract: Any, rows: Any, *, onto: int | None) -> int:
        assert contract == RUN_METRIC
        self.rows, self.onto = list(rows), onto
        return 8

    def write_text(self, path: str, text: str) -> None:
        self.texts[path] = text


def state(noted: Noted, **gates: float) -> Any:
    """A run of the job over tables of which the last good run pins the seventh version of its figures."""
    run = SimpleNamespace(
        run_id="R2",
        root="out",
        day=date(2026, 11, 25),
        spark=None,
        store=noted,
        files=noted,
        settings=load_settings(CONF, "local", {"gates": gates}),
    )
    saved = SimpleNamespace(fingerprint="of what they are made from")
    return SimpleNamespace(run=run, good=SimpleNamespace(day=DAY, versions={RUN_METRIC.name: 7}), saved=saved)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Any], None]:
    """Say what is measured, and what was before."""
    monkeypatch.setattr(day_gates, "local_frame", lambda _, rows, schema: rows)

    def say(now: Any, before: Any) -> None:
        monkeypatch.setattr(day_gates, "_nominals", lambda _: now)
        told = [] if before is None else [Earlier(figures=before)]
        monkeypatch.setattr(day_gates, "nominals_before", lambda _: told)

    return say


def test_the_first_run_is_measured_and_held_against_nothing(figures: Callable[[Any, Any], None]) -> None:
    noted = Noted()
    figures({LARGEST: 900.0, LARGE: 400.0}, None)
    done = hold_nominal_gates(state(noted), Stage("gates"))
    assert done.versions == {RUN_METRIC.name: 8}
    assert noted.onto == 7
    assert noted.rows == [("R2", DAY, "large_nominals", "", 400.0), ("R2", DAY, "largest_component", "", 900.0)]
    told = json.loads(noted.texts["out/reports/R2/gates.json"])
    assert told["breaches"] == []
    assert [figure["usual"] for figure in told["figures"]] == [None, None]


def test_nominals_that_are_much_larger_than_the_last_ones_stop_the_run_which_notes_why(
    figures: Callable[[Any, Any], None],
) -> None:
    noted, wild = Noted(), {LARGEST: 37.0, LARGE: 21.0}
    figures(wild, SHAPE)
    with pytest.raises(GateError) as caught:
        hold_nominal_gates(state(noted), Stage("gates"))
    for said in ("large_nominals of all: 21, where the last 1 runs had about 3", "largest_component of all: 37"):
        assert said in str(caught.value)
    assert "under [nominals]" in str(caught.value)
    assert len(json.loads(noted.texts["out/reports/R2/gates.json"])["breaches"]) == 2
    hold_nominal_gates(state(noted, max_times_cluster=3.0), Stage("gates"))


@pytest.mark.parametrize(("since", "stops"), [({}, True), ({LARGEST: 30.0, LARGE: 15.0}, False)])
def test_a_day_without_nominals_since_the_backfill_is_held_against_those_before_it(
    since: Any, *, stops: bool, figures: Callable[[Any, Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, now = Noted(), {LARGEST: 40.0, LARGE: 21.0}
    figures(now, SHAPE)
    monkeypatch.setattr(day_gates, "measure", lambda *_: now)
    monkeypatch.setattr(day_gates, "metrics_before", lambda *_: [Earlier(figures=since)])
    made = state(noted)
    made.run.kind, made.stood, made.former = RunKind.DAILY, lambda _: 7, None
    if stops:
        with pytest.raises(GateError, match="largest_component of all: 40, where the last 1 runs had about 18"):
            hold_gates(made, made, Stage("gates"))
    else:
        done = hold_gates(made, made, Stage("gates"))
        assert done.notes == {"nominals": "of what they are made from"}


def test_the_job_publishes_only_what_its_gates_have_passed_and_goes_on_from_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []
    is_wild = True

    def stage(name: str, _: Any, __: Any) -> Done:
        order.append(name)
        if name == "gates" and is_wild:
            raise GateError("nothing was published")
        return Done(seconds=0.0)

    saved = SimpleNamespace(done={})
    saved.mark = lambda name, done: saved.done.update({name: done})
    good = SimpleNamespace(run_id="R1", shown_run_id="R1", versions={}, day=DAY)
    quiet = SimpleNamespace(write=lambda _: None, flush=lambda: None)
    run: Any = SimpleNamespace(
        run_id="R2",
        model=SimpleNamespace(id="nominals_v1"),
        progress=Progress(stream=quiet),  # type: ignore[arg-type]
        store=SimpleNamespace(version=lambda _: None),
        root="out",
    )
    for name, answer in {"last_good_run": good, "former_nominals": None, "nominals_made_from": "same"}.items():
        monkeypatch.setattr(nominals, name, lambda *_, answer=answer, **__: answer)
    monkeypatch.setattr(nominals, "take_up_work", lambda *_, **__: saved)
    monkeypatch.setattr(nominals, "STAGES", {"check": lambda *given: stage("check", *given)})
    monkeypatch.setattr(nominals, "hold_nominal_gates", lambda *given: stage("gates", *given))
    monkeypatch.setattr(nominals, "publish_nominals", lambda *_, **__: order.append("publish"))
    monkeypatch.setattr(nominals, "_record_failure", lambda *_: order.append("failed"))
    monkeypatch.setattr(nominals, "clear_work", lambda _: None)
    for name in ("repair_current_run", "show"):
        monkeypatch.setattr(nominals.publishing, name, lambda *_: None)

    with pytest.raises(GateError):
        nominals.nominals(run)
    assert order == ["check", "gates", "failed"]
    order.clear()
    is_wild = False
    nominals.nominals(run)
    assert order == ["gates", "publish"]
