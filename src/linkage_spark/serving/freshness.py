"""How fresh the feeds are behind what readers see: when each was last written to, its source's latest event, and how much the day brought."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from statistics import median
from typing import Any, Final

from linkage_spark.tables.enums import Measure

MEASURES: Final = (Measure.EVENT_AGE_DAYS.value, Measure.CHANGED_UNITS.value)
"""Of RUN_METRIC what is needed."""


_Place = tuple[float, date, str]
"""Where a run stands among all: by its number; of those that have none by day and id."""


def freshness_rows(
    states: Iterable[Mapping[str, Any]],
    metrics: Iterable[Mapping[str, Any]],
    numbers: Mapping[str, int],
) -> list[tuple[str, str, date, date | None, int | None, int | None]]:
    """One row per feed: source, feed, day of the run that last found it written to, latest event and changed records of its source, and what is usual.

    Changed records are those of the last run's day, whether one run brought them or three; what is usual is the median of the earlier days that
    brought any. None where nothing was measured.

    Args:
        states: rows of FEED_STATE.
        metrics: rows of RUN_METRIC, of ``MEASURES`` at least, of the runs that are comparable: since the last backfill.
        numbers: ``run_no`` by run id: the order of the runs. One that is not among them is under way, and later than all that are.
    """
    latest: dict[str, tuple[_Place, date]] = {}
    changed: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    runs: set[_Place] = set()
    for row in metrics:
        run = (numbers.get(row["run_id"], math.inf), row["run_day"], row["run_id"])
        source = str(row["part"]).split("/", 1)[0]
        if row["measure"] == Measure.EVENT_AGE_DAYS.value:
            runs.add(run)
            event = row["run_day"] - timedelta(days=int(row["value"]))
            latest[source] = max(latest.get(source, (run, event)), (run, event))
        elif row["measure"] == Measure.CHANGED_UNITS.value:
            runs.add(run)
            changed[source][row["run_day"]] += row["value"]
    day = max(runs)[1] if runs else None
    told = []
    for state in sorted(states, key=lambda row: (row["source_system"], row["feed"])):
        source = state["source_system"]
        of_source = changed.get(source, {})
        now = of_source.get(day) if day is not None else None
        before = [value for brought_on, value in of_source.items() if brought_on != day]
        told.append(
            (
                source,
                state["feed"],
                state["written_day"],
                latest[source][1] if source in latest else None,
                None if now is None else int(now),
                int(median(before)) if before else None,
            )
        )
    return told
