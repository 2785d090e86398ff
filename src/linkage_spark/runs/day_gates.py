"""Before a day is published: its figures against those of the runs before. A breach says what moved, and by how much."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.figures import SourceFigures
from linkage_spark.runs import checks
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.daily_stages import AGAIN
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.manifest import runs_since_backfill
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.side_by_side import side_by_side
from linkage_spark.serving.star import with_baseline
from linkage_spark.settings.run import Gates
from linkage_spark.tables.canonical import EVENT, PERSON
from linkage_spark.tables.changes import FEED_STATE
from linkage_spark.tables.enums import ItemChange, ItemKind, Measure, RunKind, SourceSystem
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.lifecycle import BASELINE, ITEM
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL
from linkage_spark.tables.results import HIT

Metrics = Mapping[tuple[Measure, str], float]
"""Figures by measure and part."""

DAYS_NEEDED: Final = 3
"""Days that must have been seen before what one day brings is judged by them."""

LARGE_NOMINAL: Final = 10
"""Records from which on a nominal counts as a large one."""

_QUANTILES: Final = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


def hold_gates(state: MainRun, nominals: NominalRun | None, stage: Stage) -> Done:
    """Measure the run, keep its figures, and hold them against those of the runs before.

    Raises:
        GateError: something moved further than its limit; every breach is named.
    """
    run, store = state.run, state.run.store
    now = measure(state, nominals)
    before: dict[tuple[Measure, str], list[float]] = {}
    earlier = metrics_before(state)
    for figures in earlier:
        for part, value in figures.items():
            before.setdefault(part, []).append(value)
    rows = [
        {"run_id": run.run_id, "run_day": run.day, "measure": name.value, "part": part, "value": value}
        for (name, part), value in sorted(now.items())
    ]
    version = store.add(RUN_METRIC, state.rows(RUN_METRIC, rows), onto=state.stood(RUN_METRIC))
    stage.counts["figures"] = len(now)
    stage.counts["runs they are held against"] = len(earlier)
    moved = breaches(now, before, run.settings.gates) if run.kind is RunKind.DAILY else []
    _note(run, now, before, moved)
    checks.stop_if(moved)
    return Done(seconds=0.0, versions={RUN_METRIC.name: version})


def metrics_before(state: MainRun) -> list[Metrics]:
    """Figures of the last good runs since the last backfill, the newest first; at most ``gates.runs_before``."""
    if state.former is None:
        return []
    numbers = runs_since_backfill(state.run.store)
    found: dict[str, dict[tuple[Measure, str], float]] = {}
    for row in state.before(RUN_METRIC).collect():
        if row["run_id"] in numbers:
            found.setdefault(row["run_id"], {})[(Measure(row["measure"]), row["part"])] = row["value"]
    newest = sorted(found, key=lambda run_id: -numbers[run_id])
    return [found[run_id] for run_id in newest[: state.run.settings.gates.runs_before]]


GATES_FILE: Final = "gates.json"
"""In the report folder of a run: its figures with the median of those before, and what stopped it."""


def _note(
    run: RunContext, now: Metrics, before: Mapping[tuple[Measure, str], Sequence[float]], moved: Sequence[str]
) -> None:
    """Write the figures down, of a run that is stopped too: ``jobs/status.py`` tells of them."""
    figures = [
        {"measure": name.value, "part": part, "value": value, "usual": median(seen) if seen else None}
        for (name, part), value in sorted(now.items())
        for seen in [before.get((name, part), [])]
    ]
    told = {"run_id": run.run_id, "run_day": run.day.isoformat(), "breaches": list(moved), "figures": figures}
    run.files.write_text(f"{run.root}/reports/{run.run_id}/{GATES_FILE}", json.dumps(told, indent=1))


# ---- what is measured --------------------------------------------------------------------------------------


def measure(state: MainRun, nominals: NominalRun | None) -> dict[tuple[Measure, str], float]:
    """All figures of a run."""
    sources: list[SourceFigures] = state.saved.done["check"].notes["sources"]
    found: dict[tuple[Measure, str], float] = {}
    for part in sources:
        name = f"{part['source_system']}/{part['produces']}"
        found[(Measure.ROWS, name)] = float(part["rows_out"])
        if part["rows_in"]:
            faulty = sum(part["refused"].values()) - checks.taken_back(part)
            found[(Measure.REFUSED_SHARE, name)] = faulty / part["rows_in"]
    asked = side_by_side(
        state.run.spark,
        {
            "ages": lambda: _event_ages(state) | _feed_ages(state),
            "filled": lambda: _filled(state),
            "links": lambda: _links(state.read(LINK)),
            "new": lambda: _new_items(state),
            "nominals": lambda: _nominals(nominals),
        },
    )
    for figures in asked.values():
        found |= figures
    changes = state.saved.done.get("find changes")
    if changes is not None:
        found |= _of_day(state, {name: n for name, n in changes.counts.items() if name != AGAIN})
    return found


def _event_ages(state: MainRun) -> dict[tuple[Measure, str], float]:
    """Days from each source's latest event to the day of the run; events of days to come are passed over."""
    day = F.lit(state.run.day).cast("date")
    past = state.read(EVENT).where(F.col("event_date") <= day)
    ages = past.groupBy("source_system").agg(F.min(F.datediff(day, F.col("event_date"))).alias("age"))
    return {(Measure.EVENT_AGE_DAYS, row["source_system"]): float(row["age"]) for row in ages.collect()}


def _feed_ages(state: MainRun) -> dict[tuple[Measure, str], float]:
    """Days since a run last found each feed written to."""
    rows = state.read(FEED_STATE).collect()
    return {
        (Measure.FEED_AGE_DAYS, f"{row['source_system']}/{row['feed']}"): float(
            (state.run.day - row["written_day"]).days
        )
        for row in rows
    }


_FILLED: Final = {"surname": "surname", "date of birth": "dob_year", "postcode": "postcode"}
"""Of what a record states, and the column that holds it."""


def _filled(state: MainRun) -> dict[tuple[Measure, str], float]:
    """Shares of each source's new records that state what is compared; of a first run all of them."""
    person = state.read(PERSON) if state.run.kind is RunKind.BACKFILL else state.work(f"batch/{PERSON.name}")
    filled = [F.count(column).alias(name) for name, column in _FILLED.items()]
    rows = person.where("variant_no = 0").groupBy("source_system").agg(F.count(F.lit(1)).alias("records"), *filled)
    return {
        (Measure.FILLED_SHARE, f"{row['source_system']}/{name}"): row[name] / row["records"]
        for row in rows.collect()
        if row["records"] >= _LEAST_JUDGED
        for name in _FILLED
    }


def _links(link: DataFrame) -> dict[tuple[Measure, str], float]:
    """Links of each tier, and quantiles of their weights."""
    quantiles = F.percentile_approx("match_weight", list(_QUANTILES.values())).alias("quantiles")
    rows = link.groupBy("tier").agg(F.count(F.lit(1)).alias("links"), quantiles).collect()
    found = {(Measure.LINKS, row["tier"]): float(row["links"]) for row in rows}
    for row in rows:
        for name, value in zip(_QUANTILES, row["quantiles"], strict=True):
            found[(Measure.WEIGHT_BITS, f"{row['tier']}/{name}")] = float(value)
    return found


def _new_items(state: MainRun) -> dict[tuple[Measure, str], float]:
    """Hits and location hits that came or changed on this day since the baseline, by lane and tier. Officers on duty stay outside."""
    today = with_baseline(state.read(ITEM), state.read(BASELINE)).where(
        (F.col("changed_day") == F.lit(state.run.day).cast("date"))
        & F.col("since_baseline")
        & (F.col("item_kind") != ItemKind.LINK.value)
        & (F.col("last_change") != ItemChange.WITHDRAWN.value)
    )
    on_duty = state.read(HIT).where("on_duty_sign").select(F.col("hit_id").alias("item_id"))
    counted = today.join(on_duty, on=["item_id"], how="left_anti")
    part = F.concat_ws("_", "lane", F.coalesce("tier", F.lit("location")))
    rows = counted.groupBy(part.alias("part")).agg(F.count(F.lit(1)).alias("items")).collect()
    return {(Measure.NEW_ITEMS, row["part"]): float(row["items"]) for row in rows}


def _nominals(nominals: NominalRun | None) -> dict[tuple[Measure, str], float]:
    """The tail of the nominals' sizes."""
    if nominals is None:
        return {}
    large = nominals.own(NOMINAL).where(F.col("records") >= LARGE_NOMINAL).count()
    largest = nominals.saved.done["components"].counts["records in the largest"]
    return {(Measure.LARGEST_COMPONENT, ""): float(largest), (Measure.LARGE_NOMINALS, ""): float(large)}


def _of_day(state: MainRun, changed: Mapping[str, int]) -> dict[tuple[Measure, str], float]:
    """What the day brought: changed units by source and table, candidate pairs per changed person record and per changed employee.

    Of few records nothing is concluded; the more so as canaries are among the pairs and not among the records.
    """
    found = {(Measure.CHANGED_UNITS, name.replace(" ", "/", 1)): float(n) for name, n in changed.items()}
    of_hr = (F.col("source_system") == SourceSystem.HR.value).alias("of_hr")
    rows = state.work(f"batch/{PERSON.name}").groupBy(of_hr).count().collect()
    for of, records in ((_CANDIDATES_OF[row["of_hr"]], row["count"]) for row in rows):
        if records >= _LEAST_JUDGED:
            pairs = state.saved.done["screen"].counts.get(f"candidate pairs of changed {of}", 0)
            found[(Measure.CANDIDATES_PER_RECORD, of)] = pairs / records
    return found


_CANDIDATES_OF: Final = {False: "person records", True: "employees"}
"""Whose candidate pairs are counted, by whether the roster tells of them."""


# ---- the limits --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Limit:
    """How far a figure may lie from the median of those before, and how that is said."""

    least: float
    most: float
    said: str


def breaches(now: Metrics, before: Mapping[tuple[Measure, str], Sequence[float]], gates: Gates) -> list[str]:
    """What moved further than its limit, in sentences; nothing that has no figure before it, but for absolute limits.

    Args:
        now: the run's figures.
        before: those of the runs before, by measure and part.
        gates: the limits.
    """
    faults = list(_absolute(now, gates))
    for (name, part), seen in sorted(before.items()):
        middle = median(seen)
        limit = _limit(name, middle, len(seen), gates)
        of = _of_count(name, part)
        if of is not None and of in before and median(before[of]) < _LEAST_JUDGED:
            continue
        if limit is None:
            continue
        value = now.get((name, part), 0.0 if name in _GONE_IS_NONE else middle)
        if not limit.least <= value <= limit.most:
            faults.append(
                f"gate {name.value} of {part or 'all'}: {_number(value)}, where the last {len(seen)} runs had about "
                f"{_number(middle)} ({limit.said}); see what changed in the feed, or raise the limit knowingly"
            )
    return faults


_GONE_IS_NONE = frozenset({Measure.ROWS, Measure.LINKS})
"""Measures of which a part that is not there any more counts as 0."""

_LEAST_JUDGED: Final = 50.0
"""Counts below this rise and fall by more than any share without meaning anything, and so do shares and quantiles of so few."""


def _of_count(name: Measure, part: str) -> tuple[Measure, str] | None:
    """The count that a share or a quantile is taken of; None of other measures."""
    if name is Measure.REFUSED_SHARE:
        return Measure.ROWS, part
    return (Measure.LINKS, part.split("/")[0]) if name is Measure.WEIGHT_BITS else None


def _limit(name: Measure, middle: float, runs: int, gates: Gates) -> _Limit | None:
    """The limit of a measure, from the median before; None where none is set."""
    if name in (Measure.ROWS, Measure.LINKS) and middle >= _LEAST_JUDGED:
        low, high = middle * (1 - gates.max_fall), middle * (1 + gates.max_rise)
        return _Limit(low, high, f"gates.max_fall = {gates.max_fall}, gates.max_rise = {gates.max_rise}")
    if name is Measure.REFUSED_SHARE:
        return _Limit(0.0, middle + gates.max_refused_rise, f"gates.max_refused_rise = {gates.max_refused_rise}")
    if name is Measure.CHANGED_UNITS and runs >= DAYS_NEEDED and middle >= _LEAST_JUDGED:
        low, high = middle * gates.min_times_changed, middle * gates.max_times_changed
        said = (
            f"gates.min_times_changed = {gates.min_times_changed}, gates.max_times_changed = {gates.max_times_changed}"
        )
        return _Limit(low, high, said)
    if name is Measure.FILLED_SHARE:
        return _Limit(middle - gates.max_filled_fall, 1.0, f"gates.max_filled_fall = {gates.max_filled_fall}")
    if name is Measure.CANDIDATES_PER_RECORD and runs >= DAYS_NEEDED and middle > 0:
        most = max(1.0, middle * gates.max_times_candidates)
        return _Limit(0.0, most, f"gates.max_times_candidates = {gates.max_times_candidates}")
    if name is Measure.WEIGHT_BITS:
        shift = gates.max_weight_shift_bits
        return _Limit(middle - shift, middle + shift, f"gates.max_weight_shift_bits = {shift}")
    if name in (Measure.LARGEST_COMPONENT, Measure.LARGE_NOMINALS) and middle >= LARGE_NOMINAL:
        most = middle * gates.max_times_cluster
        return _Limit(0.0, most, f"gates.max_times_cluster = {gates.max_times_cluster}")
    return None


def _absolute(now: Metrics, gates: Gates) -> Iterable[str]:
    """Breaches of limits that need no run before."""
    for (name, part), value in sorted(now.items()):
        if name is Measure.EVENT_AGE_DAYS and value > gates.max_event_age_days:
            yield (
                f"gate {name.value} of {part}: its latest event is {_number(value)} days old, more than "
                f"gates.max_event_age_days = {gates.max_event_age_days}; ask the source's owner whether it still delivers"
            )
        if name is Measure.FEED_AGE_DAYS and value > gates.max_feed_age_days:
            yield (
                f"gate {name.value} of {part}: nobody has written to this feed for {_number(value)} days, more than "
                f"gates.max_feed_age_days = {gates.max_feed_age_days}; ask its owner whether it is still delivered"
            )
        if name is Measure.NEW_ITEMS:
            most = getattr(gates.alert_budget, part)
            if value > most:
                yield (
                    f"gate {name.value} of {part}: {_number(value)} came or changed in this day, more than "
                    f"gates.alert_budget.{part} = {most}; nobody can read so many before 08:00: see what changed, or raise it knowingly"
                )


def _number(value: float) -> str:
    """A figure as a person reads it."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3f}"
