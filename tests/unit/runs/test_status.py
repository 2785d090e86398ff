"""What the day that is due is, across both clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from linkage_spark.runs.status import day_due


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
