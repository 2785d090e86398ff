"""What moves further than its limit stops a day, and the message says what moved; everything else passes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import GateError
from linkage_spark.runs import day_gates
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.day_gates import breaches, hold_gates
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.manifest import MadeFrom
from linkage_spark.runs.progress import Stage
from linkage_spark.settings.run import Gates, Settings, load_settings
from linkage_spark.tables.enums import Measure, RunKind, RunStatus
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.results import RUN

CONF = Path(__file__).resolve().parents[3] / "conf"
SETTINGS = load_settings(CONF, "local", {"gates": {"max_event_age_days": 14, "max_feed_age_days": 35}})
GATES: Gates = SETTINGS.gates
KNOWINGLY = load_settings(CONF, "local", {"gates": {"min_times_changed": 0.0}})
"""Of somebody who has looked into a small day, and publishes it."""

CASES: list[tuple[Measure, str, list[float], float, float]] = [
    (Measure.ROWS, "crime/person", [1000.0, 1010.0, 990.0], 951.0, 949.0),
    (Measure.ROWS, "crime/person", [1000.0], 1500.0, 1501.0),
    (Measure.LINKS, "match", [400.0, 400.0], 380.0, 379.0),
    (Measure.REFUSED_SHARE, "crime/person", [0.01, 0.01], 0.06, 0.061),
    (Measure.CHANGED_UNITS, "crime/person", [100.0, 100.0, 100.0], 2000.0, 2001.0),
    (Measure.CHANGED_UNITS, "crime/person", [100.0, 100.0, 100.0], 2.0, 1.0),
    (Measure.CANDIDATES_PER_RECORD, "person records", [2.0, 2.0, 2.0], 10.0, 10.1),
    (Measure.FILLED_SHARE, "custody/postcode", [0.75, 0.75], 0.5, 0.49),
    (Measure.FEED_AGE_DAYS, "hr/extract", [], 35.0, 36.0),
    (Measure.WEIGHT_BITS, "match/p50", [12.0, 12.5, 11.5], 16.0, 16.1),
    (Measure.WEIGHT_BITS, "match/p50", [12.0], 8.0, 7.9),
    (Measure.LARGEST_COMPONENT, "", [20.0], 40.0, 41.0),
    (Measure.LARGE_NOMINALS, "", [100.0, 100.0], 200.0, 201.0),
    (Measure.LARGE_NOMINALS, "", [0.0], 20.0, 21.0),  # from few to many is as much of a change as from many to more
    (Measure.EVENT_AGE_DAYS, "crime", [], 14.0, 15.0),
    (Measure.NEW_ITEMS, "conduct_match", [], 100.0, 101.0),
    (Measure.NEW_ITEMS, "triage_location", [], 300.0, 301.0),
]
"""Measure, part, what runs before had, the last value that passes, the first that does not."""


@pytest.mark.parametrize(("measure", "part", "before", "passes", "stops"), CASES)
def test_a_figure_passes_up_to_its_limit_and_not_beyond(
    measure: Measure, part: str, before: list[float], passes: float, stops: float
) -> None:
    key = (measure, part)
    seen = {key: before} if before else {}
    assert breaches({key: passes}, seen, GATES) == []
    told = breaches({key: stops}, seen, GATES)
    assert len(told) == 1
    assert told[0].startswith(f"gate {measure.value} of {part or 'all'}: ")
    assert "gates." in told[0]


@pytest.mark.parametrize(
    ("measure", "before", "value"),
    [
        (Measure.ROWS, [49.0], 0.0),  # few rows mean nothing
        (Measure.CHANGED_UNITS, [100.0, 100.0], 1e6),  # two days are no habit
        (Measure.CANDIDATES_PER_RECORD, [2.0, 2.0], 1e6),
        (Measure.LARGEST_COMPONENT, [4.0], 9.0),
    ],
)
def test_where_little_is_known_nothing_is_concluded(measure: Measure, before: list[float], value: float) -> None:
    assert breaches({(measure, "x"): value}, {(measure, "x"): before}, GATES) == []


def test_a_table_that_is_not_there_any_more_counts_as_empty_and_so_does_a_source_that_brings_nothing() -> None:
    before: dict[Any, list[float]] = {
        (Measure.ROWS, "intel/person"): [500.0],
        (Measure.CHANGED_UNITS, "crime/person"): [90.0] * 7,
        (Measure.CHANGED_UNITS, "crime/event"): [49.0] * 7,
    }
    told = breaches({}, before, GATES)
    assert [fault.split(";")[0] for fault in told] == [
        "gate changed_units of crime/person: 0 in this day, where 7 of the last 7 days brought some, about 90 "
        "(gates.min_times_changed = 0.02, gates.max_times_changed = 20.0)",
        "gate rows of intel/person: 0, where the last 1 runs had about 500 (gates.max_fall = 0.05, gates.max_rise = 0.5)",
    ]


@pytest.mark.parametrize(
    ("seen", "value", "stops"),
    [
        ([800.0] * 6, 0.0, False),  # no full week is known
        ([800.0] * 7, 0.0, True),
        ([800.0] * 6 + [0.0], 0.0, False),  # silent once, silent again
        ([800.0] * 7, 10.0, True),
        ([800.0] * 7 + [0.0] * 3, 10.0, True),  # a habit of silence is none of half a delivery
        ([800.0] * 4 + [0.0] * 6, 16_001.0, True),  # nor of a flood, on whichever days the source delivers
        ([800.0] * 4 + [0.0] * 6, 16_000.0, False),
        ([800.0] * 2 + [0.0] * 8, 1e6, False),  # two days that delivered are no habit
        ([49.0] * 7, 0.0, False),
        ([3_000.0] * 6 + [40.0], 40.0, True),  # small once is no habit
        ([3_000.0] * 8 + [40.0] * 2, 40.0, False),
        ([3_000.0] * 7 + [40.0, 0.0, 0.0], 40.0, True),  # silence is not small
        ([3_000.0] * 8 + [40.0] * 2, 0.0, True),  # nor is small a habit of silence
        ([3_000.0] * 8 + [40.0] * 2, 60_001.0, True),
    ],
)
def test_limits_are_of_the_days_that_delivered_and_silence_is_judged_by_all(
    seen: list[float], value: float, *, stops: bool
) -> None:
    key = (Measure.CHANGED_UNITS, "crime/person")
    assert len(breaches({key: value}, {key: seen}, GATES)) == stops


# ---- days, one after the other -----------------------------------------------------------------------------

MONDAY = date(2026, 11, 2)
LARGEST, LINKS = (Measure.LARGEST_COMPONENT, ""), (Measure.LINKS, "match")


def made_from(feeds: str) -> MadeFrom:
    """What a run is made from, as far as the feeds go."""
    return MadeFrom(code="c", settings="s", model="m", feeds=feeds)


class Frame:
    """Rows as a frame gives them."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = rows

    def select(self, *names: str) -> Frame:
        return Frame([{name: row[name] for name in names} for row in self.rows])

    def collect(self) -> Sequence[Mapping[str, Any]]:
        return self.rows


@dataclass
class Estate:
    """Runs, their figures in versions of RUN_METRIC, and the last good version; a store and files in one.

    Attributes:
        runs: rows of RUN.
        versions: what RUN_METRIC holds at each.
        pinned: the version that the last good run left.
        texts: files written, by path.
        figures: what the next run measures.
        settings: of the next run.
    """

    runs: list[dict[str, Any]] = field(default_factory=list)
    versions: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])
    pinned: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    figures: dict[tuple[Measure, str], float] = field(default_factory=dict)
    settings: Settings = SETTINGS

    def read(self, contract: Any, version: int = 0) -> Frame:
        return Frame(self.runs if contract == RUN else self.versions[version])

    def add(self, _: Any, rows: Any, *, onto: int) -> int:
        self.versions.append([*self.versions[onto], *(dict(zip(RUN_METRIC.names, row, strict=True)) for row in rows)])
        return len(self.versions) - 1

    def write_text(self, path: str, text: str) -> None:
        self.texts[path] = text

    @property
    def last_noted(self) -> str:
        """What the last run wrote down."""
        return self.texts[f"out/reports/{self.runs[-1]['run_id']}/gates.json"]

    def word(self, day: date) -> bool:
        """One run for a day of a reviewer's word, before which nobody had written to a feed; False where a gate stopped it."""
        self.figures = {LINKS: 40.0}
        return self.run(day, feeds="as they were")

    def run(
        self,
        day: date,
        *,
        kind: RunKind = RunKind.DAILY,
        nominals: Any = None,
        feeds: str = "written to",
        **changed: float,
    ) -> bool:
        """One run for a day; False where a gate stopped it. A source that is not named brings nothing, a day without any measures nothing."""
        if kind is RunKind.DAILY and not changed and not self.figures:
            return self._end(day, kind, RunStatus.UNCHANGED)
        self.figures |= {(Measure.CHANGED_UNITS, f"{source}/person"): value for source, value in changed.items()}
        run: Any = SimpleNamespace(run_id=f"R{len(self.runs)}", root="out", day=day, kind=kind, spark=None)
        run.store, run.files, run.settings = self, self, self.settings
        former: Any = SimpleNamespace(versions={RUN_METRIC.name: self.pinned}, made_from=made_from("as they were"))
        nothing: Any = None
        state = MainRun(run=run, inputs=made_from(feeds), saved=nothing, former=former, of_model=None)
        try:
            done = hold_gates(state, nominals, Stage("gates"))
        except GateError:
            self._end(day, kind, RunStatus.FAILED)
            return False
        self.pinned = done.versions[RUN_METRIC.name]
        return self._end(day, kind, RunStatus.PUBLISHED)

    def _end(self, day: date, kind: RunKind, status: RunStatus) -> bool:
        no = len(self.runs)
        self.runs.append({"run_id": f"R{no}", "run_no": no, "run_day": day, "kind": kind.value, "status": status.value})
        self.figures = {}
        return True


@pytest.fixture
def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """An estate after a backfill on a Monday."""
    made = Estate()
    monkeypatch.setattr(day_gates, "local_frame", lambda _, rows, schema: rows)
    monkeypatch.setattr(day_gates, "measure", lambda *_: made.figures)
    monkeypatch.setattr(day_gates, "runs_since_backfill", lambda _: {row["run_id"]: row["run_no"] for row in made.runs})
    made.run(MONDAY, kind=RunKind.BACKFILL)
    return made


def days(first: int, last: int) -> list[date]:
    """Days after the backfill, by their number."""
    return [MONDAY + timedelta(days=no) for no in range(first, last + 1)]


def test_a_day_is_judged_by_all_that_its_runs_have_brought_so_far(estate: Estate) -> None:
    for day in days(1, 14):
        assert estate.run(day, crime=800.0, intel=60.0), day
        assert estate.run(day, hr=70.0), day  # crime has not changed since the night, and hr always comes at noon
        assert estate.run(day), day
    today = MONDAY + timedelta(days=15)
    assert not estate.run(today, intel=60.0)
    assert estate.run(today, crime=800.0, intel=60.0)
    assert not estate.run(today, crime=1.0)
    assert "hr/person: 0 in this day, where 10 of the last 10 days brought some, about 70 (" in estate.last_noted
    assert not estate.run(today, crime=15_201.0, hr=70.0)
    assert (
        "crime/person: 16,001 in this day, where 10 of the last 10 days brought some, about 800 (" in estate.last_noted
    )
    assert estate.run(today, crime=15_200.0, hr=70.0)
    kept = [row["value"] for row in estate.versions[estate.pinned] if row["part"] == "crime/person"]
    assert kept == [800.0] * 15 + [15_200.0]


def test_a_second_run_of_a_day_is_held_against_days_of_one_run_too(estate: Estate) -> None:
    for day in days(1, 9):
        assert estate.run(day, crime=800.0, intel=60.0)
    assert estate.run(MONDAY + timedelta(days=10), crime=800.0, intel=60.0)
    assert estate.run(MONDAY + timedelta(days=10), hr=5.0)


@pytest.mark.parametrize("weekday", range(7))
def test_a_feed_of_weekdays_never_stops_a_weekend_on_whichever_day_the_backfill_was(
    estate: Estate, weekday: int
) -> None:
    for day in days(weekday + 1, weekday + 28):
        custody = {"custody": 800.0} if day.weekday() < 5 else {}
        assert estate.run(day, crime=800.0, **custody), day
    bank_holiday = next(day for day in days(weekday + 29, weekday + 36) if day.weekday() == 0)
    for day in days(weekday + 29, (bank_holiday - MONDAY).days - 1):
        estate.run(day, crime=800.0, **({"custody": 800.0} if day.weekday() < 5 else {}))
    assert estate.run(bank_holiday, crime=800.0)
    assert not estate.run(bank_holiday + timedelta(days=1), crime=800.0, custody=10.0)


def test_a_feed_of_every_day_that_brings_nothing_stops_the_night_once_a_full_week_is_known(estate: Estate) -> None:
    for day in days(1, 7):
        assert estate.run(day, crime=800.0, intel=60.0)
    assert not estate.run(MONDAY + timedelta(days=8), intel=60.0)
    told = estate.texts[f"out/reports/R{len(estate.runs) - 1}/gates.json"]
    assert (
        "gate changed_units of crime/person: 0 in this day, where 7 of the last 7 days brought some, about 800" in told
    )


def test_a_feed_of_once_a_week_and_nights_on_which_nothing_came_at_all_stop_nobody(estate: Estate) -> None:
    for day in days(1, 28):
        weekly = {"hr": 5_000.0} if day.weekday() == 2 else {}
        assert estate.run(day, **({"crime": 800.0} if day.weekday() < 5 else {}), **weekly), day
    assert estate.run(MONDAY + timedelta(days=33), intel=60.0)  # a Saturday that brings something else


def test_feeds_that_once_came_late_leave_every_source_judged_by_its_silence(estate: Estate) -> None:
    late = MONDAY + timedelta(days=4)
    for day in days(1, 8):
        if day == late:
            assert estate.run(day)  # half past four: no feed has been written to; the same command again at six
        assert estate.run(day, crime=800.0, intel=60.0), day
        assert estate.run(day, hr=70.0), day
    today = MONDAY + timedelta(days=9)
    assert estate.run(today)
    assert not estate.run(today, intel=60.0)
    assert "crime/person: 0 in this day, where 8 of the last 8 days brought some, about 800 (" in estate.last_noted
    assert estate.run(today, crime=800.0, intel=60.0)  # the day's first that brought anything, so hr is not missed yet
    assert not estate.run(today, crime=1.0)
    assert "hr/person: 0 in this day, where 9 of the last 9 days" not in estate.last_noted
    assert "hr/person: 0 in this day, where 8 of the last 8 days brought some, about 70 (" in estate.last_noted


def test_a_word_alone_is_no_silence_of_the_feeds(estate: Estate) -> None:
    for day in days(1, 8):
        assert estate.run(day, crime=800.0, intel=60.0), day
    today = MONDAY + timedelta(days=9)
    assert estate.word(today)
    assert "changed_units" not in estate.last_noted
    assert not estate.run(today, intel=60.0)
    assert "crime/person: 0 in this day, where 8 of the last 8 days brought some, about 800 (" in estate.last_noted


def test_a_word_before_the_feeds_have_come_or_after_it_is_no_run_of_its_day(estate: Estate) -> None:
    late = MONDAY + timedelta(days=4)
    for day in days(1, 8):
        assert day != late or estate.word(day)
        assert estate.run(day, crime=800.0, intel=60.0), day
        assert day == late or estate.word(day)
        assert estate.run(day, hr=70.0), day
    today = MONDAY + timedelta(days=9)
    assert not estate.run(today, intel=60.0)
    assert "crime/person: 0 in this day, where 8 of the last 8 days brought some, about 800 (" in estate.last_noted
    assert estate.word(today)
    assert estate.run(today, crime=800.0, intel=60.0)  # the day's first, so hr is not missed yet
    assert estate.word(today)
    assert not estate.run(today, crime=1.0)
    assert "hr/person: 0 in this day, where 8 of the last 8 days brought some, about 70 (" in estate.last_noted


def test_after_a_word_a_delivery_is_judged_by_what_the_day_has_brought_and_a_word_by_nothing_of_it(
    estate: Estate,
) -> None:
    for day in days(1, 8):
        assert estate.run(day, crime=800.0)
    today = MONDAY + timedelta(days=9)
    assert estate.run(today, crime=800.0)
    assert estate.word(today)
    noted = {figure["part"]: figure["value"] for figure in json.loads(estate.last_noted)["figures"]}
    assert noted == {"crime/person": 800.0, "match": 40.0}
    assert not estate.run(today, crime=15_201.0)
    assert "crime/person: 16,001 in this day" in estate.last_noted
    estate.settings = load_settings(CONF, "local", {"gates": {"max_times_changed": 30.0}})
    assert estate.run(today, crime=15_201.0)
    assert estate.word(today)
    estate.settings = SETTINGS
    assert estate.word(today), "what was published knowingly stops no word"
    assert not estate.run(today, crime=1.0), "a limit that was raised for a day is raised for all its deliveries"
    assert estate.word(today + timedelta(days=1))


def test_words_put_no_figure_of_the_feeds_out_of_sight(estate: Estate) -> None:
    candidates, filled = (Measure.CANDIDATES_PER_RECORD, "employees"), (Measure.FILLED_SHARE, "crime/postcode")
    for day in days(1, 3):
        estate.figures = {candidates: 2.0, filled: 0.9}
        assert estate.run(day, crime=800.0)
    assert [estate.word(MONDAY + timedelta(days=3)) for _ in range(12)] == [True] * 12
    estate.figures = {candidates: 50.0, filled: 0.1}
    assert not estate.run(MONDAY + timedelta(days=4), crime=800.0)
    assert "candidates_per_record of employees: 50, where the last 3 runs had about 2 (" in estate.last_noted
    assert "filled_share of crime/postcode: 0.100, where the last 3 runs had about 0.900 (" in estate.last_noted


def test_words_make_nothing_usual(estate: Estate) -> None:
    """A fall of links in two halves, the first of them by ten words on one day, is held against what deliveries had left."""
    gates = estate.settings.gates.model_copy(update={"max_fall": 0.05})
    estate.settings = estate.settings.model_copy(update={"gates": gates})
    for day in days(1, 3):
        estate.figures = {LINKS: 1000.0}
        assert estate.run(day, crime=800.0)
    for _ in range(10):
        estate.figures = {LINKS: 960.0}
        assert estate.run(MONDAY + timedelta(days=3), feeds="as they were")
    estate.figures = {LINKS: 920.0}
    assert not estate.run(MONDAY + timedelta(days=4), crime=800.0)
    assert "links of match: 920, where the last 3 runs had about 1,000 (" in estate.last_noted


@pytest.mark.parametrize(
    ("kind", "feeds", "of_feeds"),
    [
        (RunKind.DAILY, "written to", True),
        (RunKind.DAILY, "as they were", False),
        (RunKind.BACKFILL, "as they were", True),
    ],
)
def test_the_feeds_are_measured_where_one_was_written_to_and_by_every_backfill(
    kind: RunKind, feeds: str, monkeypatch: pytest.MonkeyPatch, *, of_feeds: bool
) -> None:
    told = {
        "_event_ages": (Measure.EVENT_AGE_DAYS, "crime"),
        "_feed_ages": (Measure.FEED_AGE_DAYS, "crime/record"),
        "_filled": (Measure.FILLED_SHARE, "crime/postcode"),
        "_of_day": (Measure.CHANGED_UNITS, "crime/person"),
        "_links": LINKS,
        "_new_items": (Measure.NEW_ITEMS, "conduct_match"),
    }
    for name, figure in told.items():
        monkeypatch.setattr(day_gates, name, lambda _, figure=figure: {figure: 1.0})
    monkeypatch.setattr(day_gates, "_found", lambda _: None)
    monkeypatch.setattr(day_gates, "side_by_side", lambda _, works: {name: work() for name, work in works.items()})
    run, former = SimpleNamespace(kind=kind, spark=None), SimpleNamespace(made_from=made_from("as they were"))
    saved = SimpleNamespace(done={"check": Done(seconds=0.0, notes={"sources": []})})
    state: Any = SimpleNamespace(run=run, former=former, inputs=made_from(feeds), saved=saved)
    found = {name for name, _ in day_gates.measure(state, None)}
    assert found == {Measure.LINKS, Measure.NEW_ITEMS} | (
        set(day_gates.OF_FEEDS) - {Measure.CANDIDATES_PER_RECORD} if of_feeds else set()
    )


def test_a_source_that_is_small_at_weekends_stops_two_nights_and_then_none(estate: Estate) -> None:
    stopped = []
    for day in days(1, 32):
        crime = 40.0 if day.weekday() >= 5 else 3_000.0
        if not estate.run(day, crime=crime, intel=60.0):
            stopped.append(day)
            estate.settings = KNOWINGLY
            assert estate.run(day, crime=crime, intel=60.0), day
            estate.settings = SETTINGS
    assert stopped == [MONDAY + timedelta(days=5), MONDAY + timedelta(days=6)]
    assert not estate.run(MONDAY + timedelta(days=33), intel=60.0)


def test_candidate_pairs_are_judged_once_three_days_are_known_however_many_runs_each_had(estate: Estate) -> None:
    def pairs(day: int, per_record: float) -> bool:
        estate.figures = {(Measure.CANDIDATES_PER_RECORD, "person records"): per_record}
        return estate.run(MONDAY + timedelta(days=day))

    assert [pairs(1, 2.0) for _ in range(4)] == [True] * 4
    assert pairs(2, 50.0)  # one day is known
    assert [pairs(3, 2.0) for _ in range(12)] == [True] * 12
    assert pairs(3, 50.0)  # two, and this one
    assert not pairs(4, 50.0)  # the last ten runs are of one day, and three are known all the same
    assert "candidates_per_record of person records: 50, where the last 10 runs had about 2 (" in estate.last_noted
    assert pairs(4, 10.0)


def test_a_stopped_night_counts_as_no_day_of_silence(estate: Estate) -> None:
    for day in days(1, 10):
        assert estate.run(day, crime=800.0, intel=60.0)
    assert not estate.run(MONDAY + timedelta(days=11), intel=60.0)
    assert not estate.run(MONDAY + timedelta(days=12), intel=60.0)


def test_days_hold_nominals_against_those_of_the_same_model_alone(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by: dict[str, list[int]] = {"nominals_v1": [], "nominals_v2": []}
    runs_of = {name: lambda name=name: {f"R{no}": no for no in made_by[name]} for name in made_by}
    monkeypatch.setattr(day_gates, "_runs_of_model", lambda _, model_id: runs_of[model_id]())
    monkeypatch.setattr(day_gates, "nominals_before", lambda _: [])

    def largest(day: int, records: float, model_id: str) -> bool:
        estate.figures = {LARGEST: records}
        model, saved = SimpleNamespace(id=model_id), SimpleNamespace(fingerprint=f"{day}")
        nominals = SimpleNamespace(run=SimpleNamespace(model=model), saved=saved)
        passed = estate.run(MONDAY + timedelta(days=day), nominals=nominals, crime=800.0)
        made_by[model_id] += [len(estate.runs) - 1] * passed
        return passed

    assert largest(1, 20.0, "nominals_v1")
    assert not largest(2, 41.0, "nominals_v1")
    assert largest(2, 100.0, "nominals_v2")
    assert not largest(3, 201.0, "nominals_v2")
    assert largest(3, 200.0, "nominals_v2")
    assert not largest(4, 41.0, "nominals_v1")


def test_every_breach_is_told_at_once() -> None:
    now = {(Measure.EVENT_AGE_DAYS, "crime"): 99.0, (Measure.NEW_ITEMS, "conduct_match"): 999.0}
    assert len(breaches(now, {(Measure.ROWS, "crime/person"): [500.0]}, GATES)) == 3


@pytest.mark.parametrize(("rows", "stops"), [([49.0], False), ([50.0], True)])
def test_of_few_rows_no_share_means_anything_and_of_few_links_no_weight(rows: list[float], *, stops: bool) -> None:
    share, weight = (Measure.REFUSED_SHARE, "intel/person"), (Measure.WEIGHT_BITS, "match/p50")
    before = {share: [0.0], weight: [12.0], (Measure.ROWS, share[1]): rows, (Measure.LINKS, "match"): rows}
    now = {share: 1.0, weight: 100.0, (Measure.ROWS, share[1]): rows[0], (Measure.LINKS, "match"): rows[0]}
    assert len(breaches(now, before, GATES)) == 2 * stops
