"""What moves further than its limit stops a day, and the message says what moved; everything else passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from linkage_spark.runs.day_gates import Earlier, breaches, by_part
from linkage_spark.settings.run import Gates, load_settings
from linkage_spark.tables.enums import Measure

CONF = Path(__file__).resolve().parents[3] / "conf"
GATES: Gates = load_settings(CONF, "local", {"gates": {"max_event_age_days": 14, "max_feed_age_days": 35}}).gates

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
        (Measure.CHANGED_UNITS, "crime/person"): [90.0] * 3,
        (Measure.CHANGED_UNITS, "crime/event"): [49.0] * 3,
    }
    told = breaches({}, before, GATES)
    assert [fault.split(";")[0] for fault in told] == [
        "gate changed_units of crime/person: 0, where the last 3 runs had about 90 "
        "(gates.min_times_changed = 0.02, gates.max_times_changed = 20.0)",
        "gate rows of intel/person: 0, where the last 1 runs had about 500 (gates.max_fall = 0.05, gates.max_rise = 0.5)",
    ]


CUSTODY, CRIME = (Measure.CHANGED_UNITS, "custody/person"), (Measure.CHANGED_UNITS, "crime/person")
LINKS = (Measure.LINKS, "match")
BACKFILL = Earlier(is_day=False, figures={LINKS: 400.0})


def delivered(*custody: float | None) -> list[Earlier]:
    """Days on which crime was delivered, and of custody so much."""
    told = [{} if records is None else {CUSTODY: records} for records in custody]
    return [Earlier(is_day=True, figures={CRIME: 100.0, LINKS: 400.0, **figures}) for figures in told]


def test_a_day_that_a_source_was_silent_on_counts_as_one_without_changes_and_a_backfill_as_none() -> None:
    before = by_part([*delivered(5_000.0, None, 4_000.0), BACKFILL])
    assert before == {CRIME: [100.0] * 3, CUSTODY: [5_000.0, 0.0, 4_000.0], LINKS: [400.0] * 4}


@pytest.mark.parametrize(
    ("days", "stops"),
    [
        ((5_000.0,) * 4, True),
        ((5_000.0,) * 2, False),  # two days are no habit
        ((5_000.0, None, 5_000.0, 5_000.0), True),  # one silent day before is none either
        ((None, None, None, 5_000.0, None, None, None), False),  # once a week
        ((5_000.0,) * 5 + (None, None, 5_000.0), False),  # on weekdays
    ],
)
def test_a_source_that_usually_delivers_and_brings_nothing_stops_the_day(
    days: tuple[float | None, ...], *, stops: bool
) -> None:
    before = by_part([*delivered(*days), BACKFILL])
    told = breaches({CRIME: 100.0, LINKS: 400.0}, before, GATES)
    assert [fault.split(",")[0] for fault in told] == ["gate changed_units of custody/person: 0"] * stops


def test_a_habit_of_quiet_days_hides_no_flood() -> None:
    before = by_part(delivered(*(5_000.0,) * 5, None, None))
    assert len(breaches({CRIME: 100.0, CUSTODY: 200_000.0, LINKS: 400.0}, before, GATES)) == 1


def test_every_breach_is_told_at_once() -> None:
    now = {(Measure.EVENT_AGE_DAYS, "crime"): 99.0, (Measure.NEW_ITEMS, "conduct_match"): 999.0}
    assert len(breaches(now, {(Measure.ROWS, "crime/person"): [500.0]}, GATES)) == 3


@pytest.mark.parametrize(("rows", "stops"), [([49.0], False), ([50.0], True)])
def test_of_few_rows_no_share_means_anything_and_of_few_links_no_weight(rows: list[float], *, stops: bool) -> None:
    share, weight = (Measure.REFUSED_SHARE, "intel/person"), (Measure.WEIGHT_BITS, "match/p50")
    before = {share: [0.0], weight: [12.0], (Measure.ROWS, share[1]): rows, (Measure.LINKS, "match"): rows}
    now = {share: 1.0, weight: 100.0, (Measure.ROWS, share[1]): rows[0], (Measure.LINKS, "match"): rows[0]}
    assert len(breaches(now, before, GATES)) == 2 * stops
