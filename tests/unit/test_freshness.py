"""How fresh the feeds are, from what runs remember and measured."""

from __future__ import annotations

from datetime import date

from linkage_spark.serving.freshness import freshness_rows


def state(source: str, feed: str, day: int) -> dict[str, object]:
    return {"source_system": source, "feed": feed, "written_day": date(2026, 3, day)}


def metric(day: int, measure: str, part: str, value: float) -> dict[str, object]:
    return {
        "run_id": f"202603{day:02}T043000Z-daily",
        "run_day": date(2026, 3, day),
        "measure": measure,
        "part": part,
        "value": value,
    }


def test_a_feed_has_its_own_day_and_the_figures_of_its_source() -> None:
    metrics = [
        *(metric(day, "changed_units", "crime/person", value) for day, value in ((1, 10), (2, 30), (3, 20), (4, 7))),
        *(metric(day, "changed_units", "crime/event", 5) for day in (1, 2, 3, 4)),
        metric(3, "event_age_days", "crime", 0),
        metric(4, "event_age_days", "crime", 2),
    ]
    states = [state("crime", "occurrence", 4), state("crime", "nominal", 2)]
    assert freshness_rows(states, metrics, {}) == [
        ("crime", "nominal", date(2026, 3, 2), date(2026, 3, 2), 12, 25),
        ("crime", "occurrence", date(2026, 3, 4), date(2026, 3, 2), 12, 25),
    ]


def test_a_source_that_brought_nothing_in_the_last_run_has_no_number_and_what_is_usual() -> None:
    metrics = [metric(1, "changed_units", "intel/person", 9), metric(2, "event_age_days", "crime", 0)]
    assert freshness_rows([state("intel", "report", 1)], metrics, {}) == [
        ("intel", "report", date(2026, 3, 1), None, None, 9)
    ]


def test_the_last_run_is_the_one_that_ended_last_whatever_the_clocks_said() -> None:
    """A backfill at ten; then the clock went back, and a late delivery was taken at eight of the same day."""
    first, late, now = (
        f"20260302T{hour:02}0000Z-{kind}" for hour, kind in ((10, "backfill"), (8, "daily"), (7, "daily"))
    )
    metrics = [
        {**metric(2, "changed_units", "crime/person", value), "run_id": run_id}
        for run_id, value in ((first, 30), (late, 7))
    ]
    numbers = {first: 1, late: 2}
    listed = [state("crime", "nominal", 2)]
    assert freshness_rows(listed, metrics, numbers) == [("crime", "nominal", date(2026, 3, 2), None, 7, 30)]
    under_way = {**metric(2, "changed_units", "crime/person", 4), "run_id": now}
    assert freshness_rows(listed, [*metrics, under_way], numbers) == [
        ("crime", "nominal", date(2026, 3, 2), None, 4, 18)
    ]


def test_the_roster_and_a_first_run_have_no_figures() -> None:
    assert freshness_rows([state("hr", "extract", 1)], [], {}) == [
        ("hr", "extract", date(2026, 3, 1), None, None, None)
    ]
