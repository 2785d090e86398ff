"""What status says of a night, and which day is due, across both clock changes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.runs.day_gates import GATES_FILE
from linkage_spark.runs.manifest import GoodRun, MadeFrom
from linkage_spark.runs.status import Status, _faults, _gates, day_due, in_words, news_day
from linkage_spark.store.snapshot import CurrentRun


@pytest.mark.parametrize(
    ("utc", "due"),
    [
        ("2026-11-21 06:59", date(2026, 11, 20)),
        ("2026-11-21 07:00", date(2026, 11, 21)),
        ("2026-11-21 07:45", date(2026, 11, 21)),  # when the crontab line of the run book looks
        ("2026-07-01 05:59", date(2026, 6, 30)),  # 06:59 in summer
        ("2026-07-01 06:00", date(2026, 7, 1)),
        ("2026-03-29 05:59", date(2026, 3, 28)),  # the clocks went forward at 01:00 UTC
        ("2026-03-29 06:00", date(2026, 3, 29)),
        ("2026-10-25 06:59", date(2026, 10, 24)),  # and back
        ("2026-10-25 07:00", date(2026, 10, 25)),
        ("2026-06-30 23:30", date(2026, 6, 30)),  # 00:30 of the next day in London: yesterday is due
    ],
)
def test_today_is_due_from_seven_in_the_morning_on_and_yesterday_before(utc: str, due: date) -> None:
    assert day_due(datetime.fromisoformat(utc).replace(tzinfo=UTC)) == due


AT = datetime(2026, 11, 21, 7, 45, tzinfo=UTC)
TODAY = date(2026, 11, 21)
BREACH = "gate links of match: 3, where the last 10 runs had about 400"


def status(**given: Any) -> Status:
    row = {"run_id": "R2", "run_day": TODAY, "status": "published", "error_class": None, "shown_run_id": "R2"}
    row |= {"started_at": AT, "finished_at": AT}
    good = GoodRun("R2", TODAY, "R2", "screening_v1", MadeFrom("c", "s", "m", "f"), {}, "{}")
    known: dict[str, Any] = {
        "now": AT,
        "runs": [row],
        "good": good,
        "lock": {},
        "found_new": TODAY,
        "measured_on": TODAY,
    }
    known |= {
        "retained_on": date(2026, 11, 15),
        "held_since": date(2026, 3, 1),
        "retain_within_days": 9,
        "quiet_days": 1,
    }
    known |= {"current": CurrentRun("R2", AT), "event_ages": {"crime": 0.0, "intel": 9.0}, "waiting": ["intel.report"]}
    return Status(**(known | given))


def test_a_good_night_is_told() -> None:
    gates = {
        "run_id": "R2",
        "breaches": [],
        "figures": [{"measure": "new_items", "part": "conduct_match", "value": 3.0}],
    }
    told = status(gates=gates, feed_days={"hr.extract": date(2026, 11, 2), "intel.report": TODAY})
    assert not told.is_stale
    assert not told.failed_last
    said = in_words(told)
    for line in (
        "Lock: free",
        "Latest event of each source, days before 2026-11-21: crime 0, intel 9",
        "Last found written to: hr.extract 2026-11-02, intel.report 2026-11-21",
        "Gates of R2: 1 figures, none breached; hits of its day: conduct_match 3",
        "Feeds written to since the last good run: intel.report",
        "Last retain: 2026-11-15",
    ):
        assert line in said.splitlines()


def test_what_stopped_a_night_is_told_with_the_gate_and_its_figure() -> None:
    good = status()
    failed = {**good.runs[0], "run_id": "R3", "status": "failed", "error_class": "GateError"}
    stopped = replace(good, runs=[failed, *good.runs], gates={"run_id": "R3", "breaches": [BREACH], "figures": []})
    assert stopped.failed_last
    assert "Gates of R3: 0 figures, 1 breached; hits of its day: none" in in_words(stopped)
    assert f"  {BREACH}" in in_words(stopped).splitlines()
    of_nominals = {"measure": "large_nominals", "part": "all", "value": 12.0}
    later = replace(stopped, gates={"run_id": "R4", "breaches": [], "figures": [of_nominals]})
    assert "Gates of R4: 1 figures, none breached" in in_words(later).splitlines(), "it makes no hits"
    assert "failed (GateError)" in in_words(stopped)


def test_a_night_that_did_not_run_and_feeds_that_bring_nothing() -> None:
    good = status().good
    told = status(good=replace(good, day=date(2026, 11, 20)), found_new=date(2026, 11, 17), waiting=[])
    assert told.is_stale
    assert "No run has found anything new in the feeds since 2026-11-17, 3 days before the last good run" in in_words(
        told
    )
    assert "Feeds written to since the last good run: none" in in_words(told)


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ({"run_id": "R9", "since": "then", "host": "h", "pid": "7"}, "held by R9 since then (host h, process 7)"),
        ({"since": "then"}, "there, and it cannot be read: delete lock.json when no run is working"),
    ],
)
def test_who_holds_the_lock(lock: dict[str, str], said: str) -> None:
    assert f"Lock: {said}" in in_words(status(lock=lock)).splitlines()


@pytest.mark.parametrize(
    ("retained_on", "held_since", "due"),
    [
        (date(2026, 11, 12), date(2026, 3, 1), False),
        (date(2026, 11, 11), date(2026, 3, 1), True),
        (None, TODAY, False),  # a root that is new
        (None, date(2026, 11, 12), False),
        (None, date(2026, 11, 11), True),
    ],
)
def test_retention_is_due_by_days_from_the_last_one_or_from_the_first_run(
    retained_on: date | None, held_since: date, *, due: bool
) -> None:
    told = status(retained_on=retained_on, held_since=held_since)
    assert told.is_retain_due == due
    since = "2026-11-11" if retained_on else "the first run, of 2026-11-11"
    said = f"no retain has come to its end since {since}, for more than 9 days"
    assert [fault.startswith(said) for fault in _faults(told)] == [True] * due


@pytest.mark.parametrize(
    ("found_new", "quiet"), [(TODAY, False), (date(2026, 11, 20), False), (date(2026, 11, 19), True)]
)
def test_a_second_night_that_found_nothing_new_is_a_fault(found_new: date, *, quiet: bool) -> None:
    said = "no run has found anything new in the feeds since 2026-11-19, for more than 1 days"
    assert [fault.startswith(said) for fault in _faults(status(found_new=found_new))] == [True] * quiet


Ran = tuple[str, str, str]
"""Kind, status and feeds of a run; the first is of the first of the month, the second of the second, and so on."""

FIRST_RUN: Ran = ("backfill", "published", "a")
NEWS: dict[str, tuple[list[Ran], int]] = {
    "a delivery": ([("daily", "published", "b")], 2),
    "a word alone, which publishes": ([("daily", "published", "b"), ("daily", "published", "b")], 2),
    "a word alone after a night without news": ([("daily", "unchanged", "a"), ("daily", "published", "a")], 1),
    "a delivery after words": ([("daily", "published", "a"), ("daily", "published", "b")], 3),
    "a delivery that a gate stopped at first": ([("daily", "failed", "b"), ("daily", "published", "b")], 3),
    "a delivery after other jobs": ([("nominals", "published", "a"), ("retain", "published", "a")], 1),
    "of another model over the same feeds": ([("backfill", "published", "a"), ("daily", "published", "a")], 2),
    "a file is as it was once before": ([("daily", "published", "b"), ("daily", "published", "a")], 3),
}


@pytest.mark.parametrize("name", NEWS)
@pytest.mark.parametrize("step", [1, -1], ids=["in order", "the last first"])
def test_news_is_what_the_feeds_bring_and_no_word_of_a_reviewer(name: str, step: int) -> None:
    later, day = NEWS[name]
    runs = [
        {"run_no": no, "run_day": date(2026, 11, no), "kind": kind, "status": ended, "input_fingerprint": feeds}
        for no, (kind, ended, feeds) in enumerate([FIRST_RUN, *later], start=1)
    ]
    assert news_day(runs[::step]) == date(2026, 11, day)


def test_what_is_wrong_is_told_at_once_and_where_no_retain_ever_ran_that_too() -> None:
    good = status()
    assert _faults(good) == []
    failed = {**good.runs[0], "status": "failed", "error_class": "OSError"}
    told = status(runs=[failed], retained_on=None)
    assert [fault.split(";")[0].split(",")[0] for fault in _faults(told)] == [
        "the newest run failed (OSError)",
        "no retain has come to its end since the first run",
    ]
    assert "Last retain: none since the first run, of 2026-03-01" in in_words(told).splitlines()


def reports(*runs: str) -> Any:
    """A folder of reports of which those of days have figures."""
    folders = [SimpleNamespace(name=run_id) for run_id in sorted((*runs, "models"))]
    has = {f"/x/reports/{run_id}/{GATES_FILE}": run_id for run_id in runs if run_id.endswith(("-daily", "-backfill"))}
    return SimpleNamespace(
        list=lambda _: folders,
        exists=lambda path: path in has,
        read_text=lambda path: json.dumps({"run_id": has[path]}),
    )


FIRST, LOWER, LAST = "20261101T040000Z-backfill", "20261031T040000Z-daily", "20261102T040000Z-daily"


@pytest.mark.parametrize(
    ("runs", "numbers", "newest"),
    [
        ((FIRST, LOWER), {FIRST: 1, LOWER: 2}, LOWER),  # its clock had gone back
        ((FIRST, LOWER, "20261103T040000Z-retain"), {FIRST: 1, LOWER: 2, "20261103T040000Z-retain": 3}, LOWER),
        ((FIRST, LAST), {FIRST: 1, f"{LAST}-failed": 2}, LAST),  # a gate stopped it
        ((FIRST, LOWER), {FIRST: 1, f"{LOWER}-failed": 2}, LOWER),
        ((FIRST, LAST), {FIRST: 2, f"{LAST}-failed": 1}, FIRST),  # given up since
        ((FIRST, LAST), {FIRST: 1}, LAST),  # killed, or at work
        ((), {}, None),
    ],
)
def test_the_gates_are_those_of_the_run_that_ended_last(
    runs: tuple[str, ...], numbers: dict[str, int], newest: str | None
) -> None:
    told = _gates(reports(*runs), "/x", numbers)
    assert (told and told["run_id"]) == newest
