"""Before a day, or new nominals, are published: the figures against those of the runs before. A breach says what moved, and by how much."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.figures import SourceFigures
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs import checks
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.daily_stages import AGAIN
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.manifest import ENDED_WELL, run_numbers, runs_since_backfill
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.side_by_side import side_by_side
from linkage_spark.serving.star import with_baseline
from linkage_spark.settings.run import Gates
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.canonical import EVENT, PERSON
from linkage_spark.tables.changes import FEED_STATE
from linkage_spark.tables.enums import ItemChange, ItemKind, Measure, RunKind, SourceSystem
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.lifecycle import BASELINE, ITEM
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL
from linkage_spark.tables.results import HIT, RUN
from linkage_spark.tables.review import NEGATED_LINK

Metrics = Mapping[tuple[Measure, str], float]
"""Figures by measure and part."""

DAYS_NEEDED: Final = 3
"""Days that must have been seen before what one day brings is judged by them."""

FULL_WEEK: Final = 7
"""Days that must have been seen before a source's silence is judged: every weekday is among them."""

DAYS_OF_LITTLE: Final = 2
"""Days that must have brought little before little is a source's habit."""

LARGE_NOMINAL: Final = 10
"""Records from which on a nominal counts as a large one."""

_QUANTILES: Final = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


OF_NOMINALS: Final = (Measure.LARGEST_COMPONENT, Measure.LARGE_NOMINALS)
"""What is measured of nominals."""

OF_FEEDS: Final = (
    Measure.CHANGED_UNITS,
    Measure.CANDIDATES_PER_RECORD,
    Measure.FILLED_SHARE,
    Measure.EVENT_AGE_DAYS,
    Measure.FEED_AGE_DAYS,
)
"""What is measured of the feeds, by runs alone that found one written to: a reviewer's word alone says nothing of what sources deliver."""


GATES: Final = "gates"
"""The stage of a run in which they are held."""


def hold_gates(state: MainRun, nominals: NominalRun | None, stage: Stage) -> Done:
    """Measure the run, keep its figures, and hold them against those of the runs before.

    Raises:
        GateError: something moved further than its limit; every breach is named.
    """
    run = state.run
    now, gates = measure(state, nominals), run.settings.gates
    earlier = metrics_before(state, nominals)
    measured = [one for one in earlier if one.figures]
    # A run of a word alone is no run of its day: of what sources bring it tells what those before it had brought, and judges nothing.
    is_of_feeds = found_written(state)
    of_day = int(is_of_feeds) + sum(one.is_of_feeds for one in earlier if one.run_day == run.day)
    days = by_day(earlier, first=of_day)
    # Runs of words alone are held against deliveries, and no run against them: many in one day would make what they leave the usual.
    held_against = [one for one in measured if one.is_of_feeds or one.run_day is None][: gates.runs_before]
    before = by_part(held_against)
    before |= changed_before(days, run.day, most=max(gates.runs_before, FULL_WEEK))
    if nominals is not None and not any(name in OF_NOMINALS for name, _ in before):
        # Since the last backfill nobody has measured any of this model: the newest ones of it are from before.
        before |= by_part(nominals_before(nominals))
    is_day = run.kind is RunKind.DAILY
    judged = _together(now, days.get(run.day, {})) if is_day else now
    against = before if is_of_feeds else {part: seen for part, seen in before.items() if part[0] not in OF_FEEDS}
    moved = breaches(judged, against, gates, days=days_of_candidates(measured, run.day)) if is_day else []
    held = _Held(now=now, judged=judged, before=before, runs=len(held_against), moved=moved)
    done = _keep(run, held, stage, day=run.day, onto=state.stood(RUN_METRIC))
    return replace(done, notes={_OF: _made_from(nominals)})


_OF: Final = "nominals"
"""What the stage notes: what the nominals that it measured were made from."""


def _made_from(nominals: NominalRun | None) -> str | None:
    return None if nominals is None else nominals.saved.fingerprint


def forget_gates_of_others(saved: Checkpoints, nominals: NominalRun | None) -> None:
    """Where a stopped run had measured other nominals than those that stand now, such as before a reviewer's new word: it measures anew."""
    done = saved.done.get(GATES)
    if done is not None and done.notes[_OF] != _made_from(nominals):
        saved.forget_from(GATES)


def hold_nominal_gates(state: NominalRun, stage: Stage) -> Done:
    """The same of a run of the job nominals: its figures are of the nominals alone, held against the newest ones of the same model.

    A first run of a model is measured and held against nothing.

    Raises:
        GateError: something moved further than its limit; every breach is named.
    """
    now = _nominals(state)
    earlier = nominals_before(state)
    before = by_part(earlier)
    moved = breaches(now, before, state.run.settings.gates)
    held = _Held(now=now, judged=now, before=before, runs=len(earlier), moved=moved)
    return _keep(state.run, held, stage, day=state.good.day, onto=state.good.versions.get(RUN_METRIC.name))


@dataclass(frozen=True)
class Earlier:
    """An earlier run.

    Attributes:
        figures: what it measured; none where nothing had changed.
        run_day: the day that a daily run was for; None of other runs, which look for no changes.
    """

    figures: Metrics
    run_day: date | None = None

    @property
    def is_of_feeds(self) -> bool:
        """It found a feed written to, whether or not anything in it had changed: the feeds' ages are measured by such runs alone."""
        return any(name in OF_FEEDS for name, _ in self.figures)


def found_written(state: MainRun) -> bool:
    """A feed was written to since the former run; a backfill reads them all. Else a reviewer's word, or the date, is what is new."""
    former = state.former
    return state.run.kind is not RunKind.DAILY or former is None or former.made_from.feeds != state.inputs.feeds


def by_part(earlier: Sequence[Earlier]) -> dict[tuple[Measure, str], list[float]]:
    """Figures of single runs by measure and part, in the order of the runs; what a day brought is in ``changed_before``."""
    found: dict[tuple[Measure, str], list[float]] = {}
    for run in earlier:
        for (name, part), value in run.figures.items():
            if name is not Measure.CHANGED_UNITS:
                found.setdefault((name, part), []).append(value)
    return found


def by_day(earlier: Sequence[Earlier], *, first: int) -> dict[date, dict[tuple[Measure, str], float]]:
    """Changed units of every day by measure and part, of its first daily runs together; a day without any is there too.

    A day's second run is held against what other days had brought by their second one, and its first against their first: a source
    that always comes at noon is not missed at night. A run that found no feed written to is no run of its day here, whether it measured
    nothing or a reviewer's word gave it other figures: the feeds may have been late, and what brought them is then the day's first.

    Args:
        earlier: runs, the newest first.
        first: so many runs of each day are counted, of those that found a feed written to.
    """
    days: dict[date, dict[tuple[Measure, str], float]] = {}
    counted: Counter[date] = Counter()
    for run in reversed(earlier):
        if run.run_day is None:
            continue
        brought = days.setdefault(run.run_day, {})
        if run.is_of_feeds and counted[run.run_day] < first:
            counted[run.run_day] += 1
            changed = {part: value for part, value in run.figures.items() if part[0] is Measure.CHANGED_UNITS}
            days[run.run_day] = _together(brought, changed)
    return days


def _together(figures: Metrics, others: Metrics) -> dict[tuple[Measure, str], float]:
    """Figures of a run, with what other runs of its day brought."""
    return {**figures, **{part: figures.get(part, 0.0) + value for part, value in others.items()}}


def changed_before(days: Mapping[date, Metrics], today: date, *, most: int) -> dict[tuple[Measure, str], list[float]]:
    """Changed units of the last days before one, the newest first; 0 of a day on which a source that delivers brought nothing.

    Args:
        days: what each day brought.
        today: the day that is judged by those before it.
        most: so many days are looked at.
    """
    before = [days[day] for day in sorted(days, reverse=True) if day < today][:most]
    delivering = sorted({part for figures in before for part in figures})
    return {part: [figures.get(part, 0.0) for figures in before] for part in delivering}


def days_of_candidates(earlier: Sequence[Earlier], today: date) -> dict[tuple[Measure, str], int]:
    """Days before one on which candidate pairs were measured, by measure and part, however many runs each of them had.

    Args:
        earlier: runs since the last backfill, all of them: of those that figures are held against a busy day may leave few days.
        today: the day that is judged by those before it.
    """
    found: dict[tuple[Measure, str], set[date]] = {}
    for run in earlier:
        for part in run.figures:
            if part[0] is Measure.CANDIDATES_PER_RECORD:
                days = found.setdefault(part, set())
                if run.run_day is not None and run.run_day < today:
                    days.add(run.run_day)
    return {part: len(days) for part, days in found.items()}


def metrics_before(state: MainRun, nominals: NominalRun | None) -> list[Earlier]:
    """All good runs since the last backfill, the newest first; of nominals only what the same model made."""
    if state.former is None:
        return []
    store = state.run.store
    numbers, days = runs_since_backfill(store), _days(store)
    found = _by_run(state.before(RUN_METRIC), numbers)
    of_model = {} if nominals is None else _runs_of_model(store, nominals.run.model.id)
    newest = sorted(found.keys() | (days.keys() & numbers.keys()), key=lambda run_id: -numbers[run_id])
    return [
        Earlier(figures=_of_one_model(found.get(run_id, {}), is_of_it=run_id in of_model), run_day=days.get(run_id))
        for run_id in newest
    ]


def _of_one_model(figures: Metrics, *, is_of_it: bool) -> Metrics:
    """Figures of a run, without those of nominals that another model made."""
    return {part: value for part, value in figures.items() if is_of_it or part[0] not in OF_NOMINALS}


def nominals_before(state: NominalRun) -> list[Earlier]:
    """Figures of the newest good run that measured nominals of the same model, before the last backfill too; none before the first."""
    if RUN_METRIC.name not in state.good.versions:
        return []
    numbers = _runs_of_model(state.run.store, state.run.model.id)
    measured = state.of_estate(RUN_METRIC).where(F.col("measure").isin([name.value for name in OF_NOMINALS]))
    found = _by_run(measured, numbers)
    newest = sorted(found, key=lambda run_id: -numbers[run_id])[:1]
    return [Earlier(figures=found[run_id]) for run_id in newest]


def _by_run(metrics: DataFrame, wanted: Collection[str]) -> dict[str, dict[tuple[Measure, str], float]]:
    """Rows of RUN_METRIC by run, of some runs."""
    found: dict[str, dict[tuple[Measure, str], float]] = {}
    for row in metrics.collect():
        if row["run_id"] in wanted:
            found.setdefault(row["run_id"], {})[(Measure(row["measure"]), row["part"])] = row["value"]
    return found


def _days(store: DeltaStore) -> dict[str, date]:
    """The day of every good daily run by its id; of one too that found nothing changed, and measured nothing."""
    rows = store.read(RUN).select("run_id", "run_day", "kind", "status").collect()
    days = [row for row in rows if row["kind"] == RunKind.DAILY.value and row["status"] in ENDED_WELL]
    return {row["run_id"]: row["run_day"] for row in days}


def _runs_of_model(store: DeltaStore, model_id: str) -> dict[str, int]:
    """``run_no`` of the good runs whose nominals are of a model, by id; of those too that made none and left them as they were."""
    good = F.col("status").isin(*ENDED_WELL)
    told = F.get_json_object("counts_json", "$.nominals.model_id")
    rows = store.read(RUN).where(good & (told == F.lit(model_id))).select("run_id", "run_no").collect()
    return {row["run_id"]: int(row["run_no"]) for row in rows}


@dataclass(frozen=True)
class _Held:
    """Figures of a run, held against those before.

    Attributes:
        now: its own.
        judged: the same, with what earlier runs of the day brought.
        before: those that they are held against.
        runs: how many runs these are of.
        moved: breaches, in sentences.
    """

    now: Metrics
    judged: Metrics
    before: Mapping[tuple[Measure, str], Sequence[float]]
    runs: int
    moved: Sequence[str]


def _keep(run: RunContext, held: _Held, stage: Stage, *, day: date, onto: int | None) -> Done:
    """Keep the figures, note them, and stop the run where something moved too far.

    Args:
        run: the run.
        held: its figures.
        stage: takes the counts.
        day: the day that they are of.
        onto: the version of RUN_METRIC that the last good run pins; None where it knew no such table.
    """
    rows = [
        {"run_id": run.run_id, "run_day": day, "measure": name.value, "part": part, "value": value}
        for (name, part), value in sorted(held.now.items())
    ]
    values = [tuple(row[name] for name in RUN_METRIC.names) for row in rows]
    version = run.store.add(RUN_METRIC, local_frame(run.spark, values, schema=RUN_METRIC.schema), onto=onto)
    stage.counts["figures"] = len(held.now)
    stage.counts["runs they are held against"] = held.runs
    _note(run, held, day)
    checks.stop_if(held.moved)
    return Done(seconds=0.0, versions={RUN_METRIC.name: version})


GATES_FILE: Final = "gates.json"
"""In the report folder of a run: its figures with the median of those before, and what stopped it; changed units are the day's."""


def _note(run: RunContext, held: _Held, day: date) -> None:
    """Write the figures down, of a run that is stopped too: ``jobs/status.py`` tells of them."""
    figures = [
        {"measure": name.value, "part": part, "value": value, "usual": median(seen) if seen else None}
        for (name, part), value in sorted(held.judged.items())
        for seen in [_usual(name, held.before.get((name, part), []))]
    ]
    told = {"run_id": run.run_id, "run_day": day.isoformat(), "breaches": list(held.moved), "figures": figures}
    run.files.write_text(f"{run.root}/reports/{run.run_id}/{GATES_FILE}", json.dumps(told, indent=1))


# ---- what is measured --------------------------------------------------------------------------------------


def measure(state: MainRun, nominals: NominalRun | None) -> dict[tuple[Measure, str], float]:
    """All figures of a run; those of ``OF_FEEDS`` where it found a feed written to."""
    sources: list[SourceFigures] = state.saved.done["check"].notes["sources"]
    found: dict[tuple[Measure, str], float] = {}
    for part in sources:
        name = f"{part['source_system']}/{part['produces']}"
        found[(Measure.ROWS, name)] = float(part["rows_out"])
        if part["rows_in"]:
            faulty = sum(part["refused"].values()) - checks.taken_back(part)
            found[(Measure.REFUSED_SHARE, name)] = faulty / part["rows_in"]
    asked = {
        "links": lambda: _links(_found(state)),
        "new": lambda: _new_items(state),
        "nominals": lambda: {} if nominals is None else _nominals(nominals),
    }
    if found_written(state):
        asked |= {
            "ages": lambda: _event_ages(state) | _feed_ages(state),
            "filled": lambda: _filled(state),
            "day": lambda: _of_day(state),
        }
    for figures in side_by_side(state.run.spark, asked).values():
        found |= figures
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


def _found(state: MainRun) -> DataFrame:
    """Tier and weight of every link that was found: what reviewers negate is no fault of a feed or a model."""
    tables = [state.read(table).select("tier", "match_weight") for table in (LINK, NEGATED_LINK)]
    return tables[0].unionByName(tables[1])


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
    today = with_baseline(state.read(ITEM), state.read(BASELINE), run_numbers(state.run.store)).where(
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


def _nominals(nominals: NominalRun) -> dict[tuple[Measure, str], float]:
    """The tail of the nominals' sizes."""
    large = nominals.own(NOMINAL).where(F.col("records") >= LARGE_NOMINAL).count()
    largest = nominals.saved.done["components"].counts["records in the largest"]
    return {(Measure.LARGEST_COMPONENT, ""): float(largest), (Measure.LARGE_NOMINALS, ""): float(large)}


def _of_day(state: MainRun) -> dict[tuple[Measure, str], float]:
    """What the day brought: changed units by source and table, candidate pairs per changed person record and per changed employee.

    Of few records nothing is concluded; the more so as canaries are among the pairs and not among the records. A backfill looks for no
    changes.
    """
    changes = state.saved.done.get("find changes")
    if changes is None:
        return {}
    changed = {name: n for name, n in changes.counts.items() if name != AGAIN}
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
    """How far a figure may lie from the median of those before, and how that is said.

    Attributes:
        least, most: of the figure.
        said: the settings that say so.
        look: where a person looks first.
    """

    least: float
    most: float
    said: str
    look: str = "in the feed"


def breaches(
    now: Metrics,
    before: Mapping[tuple[Measure, str], Sequence[float]],
    gates: Gates,
    *,
    days: Mapping[tuple[Measure, str], int] | None = None,
) -> list[str]:
    """What moved further than its limit, in sentences; nothing that has no figure before it, but for absolute limits.

    Args:
        now: the run's figures.
        before: those of the runs before, by measure and part.
        gates: the limits.
        days: how many days are known, by measure and part, where a day may have several figures; of others each figure is of its own day.
    """
    known = days or {}
    faults = list(_absolute(now, gates))
    for (name, part), seen in sorted(before.items()):
        usual = _usual(name, seen)
        middle = median(usual) if usual else 0.0
        limit = _limit(name, middle, known.get((name, part), len(usual)), gates)
        of = _of_count(name, part)
        if of is not None and of in before and median(before[of]) < _LEAST_JUDGED:
            continue
        if limit is None:
            continue
        value = now.get((name, part), 0.0 if name in _GONE_IS_NONE else middle)
        if not limit.least <= value <= limit.most and not _may_be_low(name, value, limit, seen):
            faults.append(
                f"gate {name.value} of {part or 'all'}: {_number(value)}{_against(name, usual, seen)} "
                f"{_number(middle)} ({limit.said}); see what changed {limit.look}, or raise the limit knowingly"
            )
    return faults


def _usual(name: Measure, seen: Sequence[float]) -> list[float]:
    """What a median is taken of: of changed units the days that brought any, so that a habit of silent days lowers no limit."""
    return [value for value in seen if value > 0] if name is Measure.CHANGED_UNITS else list(seen)


def _may_be_low(name: Measure, value: float, limit: _Limit, seen: Sequence[float]) -> bool:
    """A source may bring nothing until a full week of days is known, or where it was silent on any of them; little, where it often does.

    Neither is a habit of the other: who is silent at weekends does not deliver a half on a Tuesday.
    """
    if name is not Measure.CHANGED_UNITS or value > limit.most:
        return False
    if value == 0:
        return len(seen) < FULL_WEEK or 0.0 in seen
    return sum(0 < one < limit.least for one in seen) >= DAYS_OF_LITTLE


def _against(name: Measure, usual: Sequence[float], seen: Sequence[float]) -> str:
    """What a figure was held against, in words."""
    if name is Measure.CHANGED_UNITS:
        return f" in this day, where {len(usual)} of the last {len(seen)} days brought some, about"
    return f", where the last {len(seen)} runs had about"


_GONE_IS_NONE = frozenset({Measure.ROWS, Measure.LINKS, Measure.CHANGED_UNITS})
"""Measures of which a part that is not there any more counts as 0: a source that delivers nothing brings no changes."""

_LEAST_JUDGED: Final = 50.0
"""Counts below this rise and fall by more than any share without meaning anything, and so do shares and quantiles of so few."""


def _of_count(name: Measure, part: str) -> tuple[Measure, str] | None:
    """The count that a share or a quantile is taken of; None of other measures."""
    if name is Measure.REFUSED_SHARE:
        return Measure.ROWS, part
    return (Measure.LINKS, part.split("/")[0]) if name is Measure.WEIGHT_BITS else None


def _limit(name: Measure, middle: float, days: int, gates: Gates) -> _Limit | None:
    """The limit of a measure, from the median before and how many days are known; None where none is set."""
    if name in (Measure.ROWS, Measure.LINKS) and middle >= _LEAST_JUDGED:
        low, high = middle * (1 - gates.max_fall), middle * (1 + gates.max_rise)
        return _Limit(low, high, f"gates.max_fall = {gates.max_fall}, gates.max_rise = {gates.max_rise}")
    if name is Measure.REFUSED_SHARE:
        return _Limit(0.0, middle + gates.max_refused_rise, f"gates.max_refused_rise = {gates.max_refused_rise}")
    if name is Measure.CHANGED_UNITS and days >= DAYS_NEEDED and middle >= _LEAST_JUDGED:
        low, high = middle * gates.min_times_changed, middle * gates.max_times_changed
        said = (
            f"gates.min_times_changed = {gates.min_times_changed}, gates.max_times_changed = {gates.max_times_changed}"
        )
        return _Limit(low, high, said)
    if name is Measure.FILLED_SHARE:
        return _Limit(middle - gates.max_filled_fall, 1.0, f"gates.max_filled_fall = {gates.max_filled_fall}")
    if name is Measure.CANDIDATES_PER_RECORD and days >= DAYS_NEEDED and middle > 0:
        most = max(1.0, middle * gates.max_times_candidates)
        return _Limit(0.0, most, f"gates.max_times_candidates = {gates.max_times_candidates}")
    if name is Measure.WEIGHT_BITS:
        shift = gates.max_weight_shift_bits
        return _Limit(middle - shift, middle + shift, f"gates.max_weight_shift_bits = {shift}")
    if name in OF_NOMINALS:
        most = max(middle, LARGE_NOMINAL) * gates.max_times_cluster
        said = f"gates.max_times_cluster = {gates.max_times_cluster}"
        return _Limit(0.0, most, said, look="in the feeds, under [nominals] or in its model")
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
