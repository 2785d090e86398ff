"""How fresh the feeds are, from what runs remember and measured."""

from __future__ import annotations

from datetime import date

from linkage_spark.serving.freshness import freshness_rows


def state(source: str, feed: str, day: int) -> dict[str, object]:
    return {"source_system": source, "feed": feed, "written_day": date(2026, 3, day)}


def metric(day: int, measure: str, part: str, value: float, *, at: str = "0430") -> dict[str, object]:
    return {
        "run_id": f"202603{day:02}T{at}00Z-daily",
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


def test_changed_is_what_the_day_brought_and_usual_the_median_of_days_however_many_runs_they_had() -> None:
    """Two days of one run, then two of two; the last run brought three of crime and none of intel."""
    brought = [(1, "0430", 500), (2, "0430", 700), (3, "0430", 600), (3, "1200", 5), (4, "0430", 797), (4, "1200", 3)]
    metrics = [
        *(metric(day, "changed_units", "crime/person", value, at=at) for day, at, value in brought),
        *(metric(day, "changed_units", "intel/person", 60) for day in (2, 4)),
        metric(4, "event_age_days", "crime", 1, at="0430"),
        metric(4, "event_age_days", "crime", 0, at="1200"),
    ]
    numbers = {str(row["run_id"]): no for no, row in enumerate(metrics[: len(brought)], start=1)}
    assert freshness_rows([state("crime", "nominal", 4), state("intel", "report", 4)], metrics, numbers) == [
        ("crime", "nominal", date(2026, 3, 4), date(2026, 3, 4), 800, 605),
        ("intel", "report", date(2026, 3, 4), None, 60, 60),
    ]


def test_a_source_that_brought_nothing_on_the_last_day_has_no_number_and_what_is_usual() -> None:
    metrics = [metric(1, "changed_units", "intel/person", 9), metric(2, "event_age_days", "crime", 0)]
    assert freshness_rows([state("intel", "report", 1)], metrics, {}) == [
        ("intel", "report", date(2026, 3, 1), None, None, 9)
    ]


def test_the_last_run_is_the_one_that_ended_last_whatever_the_clocks_said() -> None:
    """A run at ten; then the clock went back, and a late delivery was taken at eight of the same day."""
    first, late, now = "20260302T100000Z-daily", "20260302T080000Z-daily", "20260302T070000Z-daily"

    def found(run_id: str, value: float, age: int) -> list[dict[str, object]]:
        of_run = metric(2, "changed_units", "crime/person", value), metric(2, "event_age_days", "crime", age)
        return [{**row, "run_id": run_id} for row in of_run]

    metrics = [*found(late, 7, 1), *found(first, 30, 3), metric(1, "changed_units", "crime/person", 40)]
    numbers = {"20260301T043000Z-daily": 1, first: 2, late: 3}
    listed = [state("crime", "nominal", 2)]
    day = date(2026, 3, 2)
    assert freshness_rows(listed, metrics, numbers) == [("crime", "nominal", day, date(2026, 3, 1), 37, 40)]
    under_way = found(now, 4, 0)
    assert freshness_rows(listed, [*under_way, *metrics], numbers) == [("crime", "nominal", day, day, 41, 40)]


def test_the_roster_and_a_first_run_have_no_figures() -> None:
    assert freshness_rows([state("hr", "extract", 1)], [], {}) == [
        ("hr", "extract", date(2026, 3, 1), None, None, None)
    ]
