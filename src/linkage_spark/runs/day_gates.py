"""Before a day is published: its figures against those of the runs before. A breach says what moved, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.figures import SourceFigures
from linkage_spark.runs import checks
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.daily_stages import AGAIN
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.manifest import run_numbers
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.side_by_side import side_by_side
from linkage_spark.settings.run import Gates
from linkage_spark.tables.canonical import EVENT
from linkage_spark.tables.enums import ItemChange, ItemKind, Measure, RunKind
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.lifecycle import ITEM
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
    numbers = run_numbers(store)
    earlier = sorted(state.before(RUN_METRIC).collect(), key=lambda row: -numbers.get(row["run_id"], 0))
    last = list(dict.fromkeys(row["run_id"] for row in earlier))[: run.settings.gates.runs_before]
    for row in earlier:
        if row["run_id"] in last:
            before.setdefault((Measure(row["measure"]), row["part"]), []).append(row["value"])
    rows = [
        {"run_id": run.run_id, "run_day": run.day, "measure": name.value, "part": part, "value": value}
        for (name, part), value in sorted(now.items())
    ]
    version = store.add(RUN_METRIC, state.rows(RUN_METRIC, rows), onto=state.stood(RUN_METRIC))
    stage.counts["figures"] = len(now)
    stage.counts["runs they are held against"] = len(last)
    if run.kind is RunKind.DAILY:
        checks.stop_if(breaches(now, before, run.settings.gates))
    return Done(seconds=0.0, versions={RUN_METRIC.name: version})


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
            "ages": lambda: _event_ages(state),
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
    """Hits and location hits that came or changed in this run, by lane and tier; none in a first run. Officers on duty stay outside."""
    if state.former is None:
        return {}
    today = state.read(ITEM).where(
        (F.col("changed_run_id") == state.run.run_id)
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
    """What the day brought: changed units by source and table, candidate pairs per changed person record."""
    found = {(Measure.CHANGED_UNITS, name.replace(" ", "/", 1)): float(n) for name, n in changed.items()}
    records = state.saved.done["standardise"].counts.get("rows of person", 0)
    pairs = state.saved.done["screen"].counts.get("candidate pairs of changed person records", 0)
    return found | ({(Measure.CANDIDATES_PER_RECORD, ""): pairs / records} if records else {})


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
        return _Limit(0.0, middle * gates.max_times_changed, f"gates.max_times_changed = {gates.max_times_changed}")
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
