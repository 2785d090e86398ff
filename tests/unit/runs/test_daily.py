"""For which days a daily run may be, and how much of a change it takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import SourceError, UsageError
from linkage_spark.runs.daily import _refuse_day_to_come
from linkage_spark.runs.daily_stages import AGAIN, refuse_too_many
from linkage_spark.settings.run import load_settings

CONF = Path(__file__).resolve().parents[3] / "conf"


def asked(started: str, day: date) -> Any:
    """A run that began at a moment, UTC, and is for a day."""
    return SimpleNamespace(started_at=datetime.fromisoformat(started).replace(tzinfo=UTC), day=day)


@pytest.mark.parametrize(
    ("started", "day"),
    [
        ("2026-11-21 04:30", date(2026, 11, 21)),
        ("2026-11-21 04:30", date(2026, 11, 22)),  # tomorrow, for a night that begins before midnight
        ("2026-11-21 04:30", date(2020, 1, 1)),  # whether it is too early is for the last good run to say
        ("2026-06-30 23:30", date(2026, 7, 2)),  # 00:30 of 1 July in London
        ("2026-03-29 00:30", date(2026, 3, 30)),  # the clocks go forward half an hour later
        ("2026-10-25 23:30", date(2026, 10, 26)),  # and went back: it is still the 25th
    ],
)
def test_a_day_is_for_tomorrow_at_most_as_london_reckons(started: str, day: date) -> None:
    _refuse_day_to_come(asked(started, day))


@pytest.mark.parametrize(
    ("started", "day"),
    [
        ("2026-11-21 04:30", date(2026, 11, 23)),
        ("2026-11-21 04:30", date(2062, 11, 21)),
        ("2026-06-30 22:30", date(2026, 7, 2)),  # 23:30 of 30 June in London
        ("2026-10-25 23:30", date(2026, 10, 27)),
    ],
)
def test_a_day_that_is_still_to_come_is_refused_and_named(started: str, day: date) -> None:
    with pytest.raises(UsageError, match=f"--date {day}: this day is still to come; a run may be for tomorrow at most"):
        _refuse_day_to_come(asked(started, day))


COUNTS = {"custody person": 90, "crime person": 12_345_678, "crime event": 2_000, AGAIN: 5, "crime involvement": 100}


def test_a_day_takes_as_many_changed_units_as_the_settings_allow() -> None:
    refuse_too_many({}, 1)
    refuse_too_many(COUNTS, sum(COUNTS.values()))


def test_more_changed_units_ask_for_the_backfill_and_name_where_they_are() -> None:
    with pytest.raises(SourceError) as raised:
        refuse_too_many(COUNTS, 2_000_000)
    assert str(raised.value) == (
        "crime person 12,345,678, crime event 2,000, crime involvement 100: 12,347,873 changed units, more than "
        "gates.most_changed_units = 2,000,000 in one day; run the backfill, which reads all of it anyway, or raise the limit knowingly"
    )
    assert raised.value.exit_code == 3


def test_many_small_changes_count_together() -> None:
    with pytest.raises(SourceError, match=r"^a 2, b 2, c 2: 8 changed units"):
        refuse_too_many(dict.fromkeys("abcd", 2), 7)


def test_raising_the_limit_asks_for_no_backfill() -> None:
    shipped = load_settings(CONF, "local")
    raised = load_settings(CONF, "local", {"gates": {"most_changed_units": 5_000_000}})
    assert (shipped.gates.most_changed_units, raised.gates.most_changed_units) == (2_000_000, 5_000_000)
    assert raised.fingerprint == shipped.fingerprint
