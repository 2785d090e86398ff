"""Which run readers saw on a day: what counts is when a run ended, not which day it was for."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from linkage_spark.errors import UsageError
from linkage_spark.runs.replay import shown_on
from linkage_spark.store.delta import DeltaStore

MARCH = {day: date(2026, 3, day) for day in range(1, 32)}


class Row(SimpleNamespace):
    """A row of RUN."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def run(
    no: int,
    finished: str,
    *,
    day: int,
    status: str = "published",
    shows: str | None = None,
    pins: dict[str, int] | None = None,
) -> Row:
    run_id = f"R{no}"
    return Row(
        run_id=run_id,
        run_no=no,
        run_day=MARCH[day],
        kind="daily",
        status=status,
        shown_run_id=shows or run_id,
        finished_at=datetime.fromisoformat(finished).replace(tzinfo=UTC),
        model_id="screening_v1",
        code_version="1",
        settings_fingerprint="s",
        model_fingerprint="m",
        input_fingerprint="i",
        table_versions_json=json.dumps(pins or {}),
        counts_json="{}",
    )


def store(*runs: Row) -> DeltaStore:
    table = SimpleNamespace(collect=lambda: list(runs))
    return cast("DeltaStore", SimpleNamespace(exists=lambda _: True, read=lambda _: table))


RUNS = (
    run(1, "2026-03-01 05:00", day=1),
    run(2, "2026-03-02 05:00", day=2),
    run(3, "2026-03-03 00:40", day=2),  # a night that was gone on with after midnight
    run(4, "2026-03-04 05:00", day=4, status="failed", shows="R3"),
    run(5, "2026-03-05 09:00", day=2, status="unchanged", shows="R2"),  # readers are taken back
    run(6, "2026-03-06 05:00", day=6, status="unchanged", shows="R2"),
)


@pytest.mark.parametrize(
    ("day", "shown", "told", "up_to"),
    [
        (1, "R1", "R1", 1),
        (2, "R2", "R2", 2),
        (3, "R3", "R3", 3),
        (4, "R3", "R3", 3),
        (5, "R2", "R5", 2),
        (9, "R2", "R6", 2),
    ],
)
def test_readers_saw_the_run_that_had_ended_last(day: int, shown: str, told: str, up_to: int) -> None:
    that_day = shown_on(store(*RUNS), MARCH[day])
    assert (that_day.shown.run_id, that_day.told, that_day.up_to) == (shown, told, up_to)


def test_the_day_ends_at_midnight_in_london() -> None:
    runs = (run(1, "2026-03-30 05:00", day=30), run(2, "2026-03-30 23:30", day=31))  # 00:30 of the 31st in summer time
    assert shown_on(store(*runs), MARCH[30]).told == "R1"
    assert shown_on(store(*runs), MARCH[31]).told == "R2"


def test_tables_are_read_as_the_last_good_run_pins_them_and_nominals_as_the_last_one_that_named_them() -> None:
    runs = (
        run(1, "2026-03-01 05:00", day=1, pins={"hit_history": 1}),
        run(2, "2026-03-02 05:00", day=2, pins={"hit_history": 2, "nominal_event": 4}),
        run(3, "2026-03-03 05:00", day=3, pins={"hit_history": 6}),  # a backfill
        run(4, "2026-03-04 05:00", day=4, status="failed", shows="R3", pins={"hit_history": 7}),
    )
    later_first = store(*reversed(runs))
    assert shown_on(later_first, MARCH[1]).held == {"hit_history": 6, "nominal_event": 4}


def test_before_the_first_run_nothing_was_seen() -> None:
    with pytest.raises(UsageError, match="nothing had been published"):
        shown_on(store(*RUNS), date(2026, 2, 28))
