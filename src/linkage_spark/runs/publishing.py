"""The end of a run: the star, the RUN row that is the switch, the pointer that readers follow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, UsageError
from linkage_spark.evaluation.figures import FIGURES_VERSION, Figures, RunFigures, StageFigures, to_json
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs import figures as counted
from linkage_spark.runs.checkpoints import Checkpoints
from linkage_spark.runs.context import RunContext, lock_loss
from linkage_spark.runs.left_behind import forget_run
from linkage_spark.runs.manifest import GoodRun, MadeFrom, new_run_id, run_numbers, runs_since_backfill, write_run
from linkage_spark.runs.reporting import collect_examples, collect_expected_false, write_report
from linkage_spark.runs.side_by_side import side_by_side
from linkage_spark.serving.freshness import MEASURES, freshness_rows
from linkage_spark.serving.star import FRESHNESS, Results, build_star
from linkage_spark.store.snapshot import (
    delete_published,
    move_current_run,
    published_path,
    read_current_run,
    snapshot_fingerprint,
    write_published,
)
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, PERSON
from linkage_spark.tables.changes import FEED_STATE
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.lifecycle import BASELINE, ITEM
from linkage_spark.tables.linkage import LINK, RULE_PRICE
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT, RUN, SCREENING
from linkage_spark.tables.star import STAR, STAR_RUN


def repair_current_run(run: RunContext, good: GoodRun | None) -> None:
    """Point readers at what RUN says they should see; needed when a run was killed between the two."""
    if good is None:
        return
    current = read_current_run(run.files, run.root)
    if current is None or current.run_id != good.shown_run_id:
        run.refuse_unless_held()
        move_current_run(run.files, run.root, run_id=good.shown_run_id, published_at=run.started_at)
        run.progress.say(f"current_run repaired from RUN: readers see {good.shown_run_id}")


_STAMPS = ("run_kind", "run_day_date_key", "run_started_at", "run_code_version")
"""Columns of the published run table that differ from run to run and tell a reader nothing new about the rows."""


@dataclass(frozen=True)
class Added:
    """What the nominals add to what a run publishes.

    Attributes:
        tables: of the star, with their rows.
        figures: what RUN keeps of them.
        summary: what a person reads at the end.
    """

    tables: Mapping[TableContract, DataFrame]
    figures: Mapping[str, Any]
    summary: str


@dataclass(frozen=True)
class Published:
    """A run that RUN has switched to.

    Attributes:
        summary: what a person reads at the end.
        finished_at: when it was published.
        shown_run_id: the run that readers see from now on: this one, or an earlier one with equal rows.
        changes: how many links and hits came, changed and went, by name; empty where nobody counted.
    """

    summary: str
    finished_at: datetime
    shown_run_id: str
    changes: Mapping[str, int] = field(default_factory=dict)


def forget(run: RunContext, left: str) -> None:
    """Remove the published files and the report of a run that never became one."""
    run.refuse_unless_held()
    forget_run(run.files, run.root, left, refuse=run.refuse_unless_held, say=run.progress.say)


def show(run: RunContext, published: Published) -> None:
    """Move what readers follow, and print the summary."""
    if published.shown_run_id == run.run_id:
        if (taken_back := _taken_back_to(run)) is not None:
            run.progress.say(f"readers had been taken back to {taken_back}; from now on they see {run.run_id}")
        run.refuse_unless_held()
        move_current_run(run.files, run.root, run_id=run.run_id, published_at=published.finished_at)
    else:
        run.progress.say(f"the same rows as in {published.shown_run_id}, which readers go on seeing")
    print(f"\n{published.summary}", end="", flush=True)
    status = RunStatus.PUBLISHED if published.shown_run_id == run.run_id else RunStatus.UNCHANGED
    say_last(run, status, published.shown_run_id, published.changes)


def _taken_back_to(run: RunContext) -> str | None:
    """The run that somebody shows again by hand in place of the one that had published last before this; None where nobody does."""
    current = read_current_run(run.files, run.root)
    others = run.store.read(RUN).where((F.col("status") == RunStatus.PUBLISHED.value) & (F.col("run_id") != run.run_id))
    newest = others.agg(F.max_by("run_id", "run_no")).collect()[0][0]
    return None if current is None or newest is None or current.run_id == newest else current.run_id


def say_last(run: RunContext, status: RunStatus, shown: str | None, changes: Mapping[str, int] | None = None) -> None:
    """The one line that a scheduler keeps of a run: what it was, how it ended, what readers see; counts only."""
    told = {
        "run": run.run_id,
        "kind": run.kind.value,
        "day": run.day.isoformat(),
        "status": status.value,
        "shown": shown or "none",
    }
    told |= {name.replace(" ", "_"): str(count) for name, count in sorted((changes or {}).items())}
    told["seconds"] = f"{run.progress.elapsed:.0f}"
    run.progress.end(told)


def run_row(
    run: RunContext,
    made_from: MadeFrom,
    *,
    status: RunStatus,
    shown_run_id: str | None,
    versions: Mapping[str, int],
    counts_json: str,
    finished_at: datetime,
    error_class: str | None = None,
) -> dict[str, Any]:
    """One row of RUN."""
    return {
        "run_id": run.run_id,
        "run_no": 0,  # write_run knows it
        "run_day": run.day,
        "kind": run.kind.value,
        "status": status.value,
        "shown_run_id": shown_run_id,
        "started_at": run.started_at,
        "finished_at": finished_at,
        "code_version": made_from.code,
        "settings_fingerprint": made_from.settings,
        "model_id": run.model.id,
        "model_fingerprint": made_from.model,
        "input_fingerprint": made_from.feeds,
        "lawful_basis_reference": run.settings.identity.lawful_basis_reference,
        "table_versions_json": json.dumps(dict(versions), sort_keys=True),
        "counts_json": counts_json,
        "error_class": error_class,
        "advisory": run.wording.advisory,
    }


def run_figures(run: RunContext, row: Mapping[str, Any]) -> RunFigures:
    """The identity of a run, as its figures and its report show it."""
    return RunFigures(
        run_id=row["run_id"],
        kind=row["kind"],
        status=row["status"],
        started_at=row["started_at"].isoformat(timespec="seconds"),
        finished_at=row["finished_at"].isoformat(timespec="seconds"),
        code_version=row["code_version"],
        settings_fingerprint=row["settings_fingerprint"],
        model_id=row["model_id"],
        model_fingerprint=row["model_fingerprint"],
        model_doubts=list(run.model.doubts),
        input_fingerprint=row["input_fingerprint"],
        lawful_basis_reference=row["lawful_basis_reference"],
        advisory=row["advisory"],
        coverage_caveat=run.wording.coverage_caveat,
    )


def gather_figures(run: RunContext, saved: Checkpoints, versions: Mapping[str, int], row: Mapping[str, Any]) -> Figures:
    """All figures of the run but accuracy, from its tables; small groupings only."""

    def read(contract: TableContract) -> DataFrame:
        return run.store.read(contract, version=versions[contract.name])

    hit, link = read(HIT), read(LINK)
    rules = [price.asDict() for price in read(RULE_PRICE).drop("model_id").orderBy("rule_no").collect()]
    found: dict[str, Any] = side_by_side(
        run.spark,
        {
            "tiers": lambda: counted.tier_figures(link),
            "hits": lambda: counted.hit_figures(hit),
            "months": lambda: counted.month_figures(hit),
            "places": lambda: counted.location_figures(read(LOCATION_HIT)),
            "screening": lambda: counted.screening_figures(read(SCREENING)),
            "expected": lambda: collect_expected_false(link),
            "quality": lambda: counted.quality_figures(read(PERSON)),
        },
    )
    return Figures(
        version=FIGURES_VERSION,
        run=run_figures(run, row),
        stages=[
            StageFigures(stage=name, seconds=done.seconds, counts=dict(done.counts))
            for name, done in saved.done.items()
        ],
        sources=list(saved.done["check"].notes["sources"]),
        rules=rules,  # type: ignore[typeddict-item]
        tiers=found["tiers"],
        hits=found["hits"],
        hits_by_month=found["months"],
        location_hits=found["places"],
        screening=found["screening"],
        expected_false_links=found["expected"],
        data_quality=found["quality"],
    )


def publish(
    run: RunContext,
    saved: Checkpoints,
    *,
    versions: Mapping[str, int],
    good: GoodRun | None,
    made_from: MadeFrom,
    add: Callable[[datetime], Added] | None = None,
) -> Published:
    """Write the star and the report, then RUN, the switch; ``show`` then moves what readers follow.

    A star equal to the one that readers see is not kept: RUN then says ``unchanged`` and names the
    snapshot still shown.

    Args:
        run: the run.
        saved: its stages, all done.
        versions: what RUN pins.
        good: the last good run.
        made_from: what the run is made from.
        add: what nominals add, told the end of the run; None where nobody makes any.
    """
    with run.progress.stage("publish") as stage:
        finished_at = datetime.now(tz=UTC)
        row = run_row(
            run,
            made_from,
            status=RunStatus.PUBLISHED,
            shown_run_id=run.run_id,
            versions=versions,
            counts_json="{}",
            finished_at=finished_at,
        )
        figures = gather_figures(run, saved, versions, row)
        row["counts_json"] = to_json(figures)
        write_star(run, versions, row)
        added = add(finished_at) if add is not None else None
        if added is not None:
            row["counts_json"] = json.dumps(
                {**json.loads(row["counts_json"]), "nominals": added.figures}, sort_keys=True
            )
            write_tables(run, added.tables)
        tables = (*STAR, *(added.tables if added is not None else ()))
        shown = _same_star(run, good, tables)
        examples = collect_examples(
            run.store.read(HIT, version=versions[HIT.name]),
            run.store.read(LINK, version=versions[LINK.name]),
        )
        report = write_report(
            run.root, run.run_id, figures, files=run.files, examples=examples, refuse=run.refuse_unless_held
        )
        if shown is not None:
            run.refuse_unless_held()
            delete_published(run.files, run.root, tuple(table.name for table in tables), run.run_id)
            row |= {"status": RunStatus.UNCHANGED.value, "shown_run_id": shown}
        run.refuse_unless_held()
        write_run(run.store, row)
        stage.counts["tables"] = len(tables)
    summary = report.summary if added is None else f"{report.summary}\n{added.summary}"
    changes = saved.done["follow"].counts if "follow" in saved.done else {}
    return Published(summary=summary, finished_at=finished_at, shown_run_id=shown or run.run_id, changes=changes)


def write_star(run: RunContext, versions: Mapping[str, int], row: Mapping[str, Any]) -> None:
    """Every published table of the results.

    Args:
        run: writes under its id.
        versions: of the tables that the star is made from.
        row: the run's row of RUN.
    """

    def read(contract: TableContract) -> DataFrame:
        return run.store.read(contract, version=versions[contract.name])

    results = Results(
        hit=read(HIT),
        hit_link=read(HIT_LINK),
        location_hit=read(LOCATION_HIT),
        link=read(LINK),
        employee=read(EMPLOYEE),
        event=read(EVENT),
        screening=read(SCREENING),
        item=read(ITEM),
        baseline=read(BASELINE),
        freshness=_freshness(run, read),
        run=local_frame(run.spark, [tuple(row[name] for name in RUN.names)], schema=RUN.schema),
    )
    write_tables(run, build_star(results, run_id=run.run_id, numbers=run_numbers(run.store)))


def _freshness(run: RunContext, read: Callable[[TableContract], DataFrame]) -> DataFrame:
    """How fresh the feeds are, by the runs since the last backfill and this one; a few hundred small rows are read."""
    numbers = {} if run.kind is RunKind.BACKFILL else runs_since_backfill(run.store)
    measured = counted.dict_rows(read(RUN_METRIC).where(F.col("measure").isin(*MEASURES)))
    metrics = [row for row in measured if row["run_id"] in numbers or row["run_id"] == run.run_id]
    told = freshness_rows(counted.dict_rows(read(FEED_STATE)), metrics, numbers)
    return local_frame(run.spark, told, schema=FRESHNESS)


def write_tables(run: RunContext, tables: Mapping[TableContract, DataFrame]) -> None:
    """Published tables under the run's id."""

    def write(contract: TableContract, frame: DataFrame) -> None:
        run.refuse_unless_held()
        count = run.settings.publish.files_per_table
        write_published(
            files=run.files, frame=frame, root=run.root, contract=contract, run_id=run.run_id, file_count=count
        )

    side_by_side(run.spark, {table.name: partial(write, table, frame) for table, frame in tables.items()})


def _same_star(run: RunContext, good: GoodRun | None, tables: Iterable[TableContract]) -> str | None:
    """The run that readers see, when its star equals the new one.

    Of the run table only what a reader is told counts: statement, lawful basis and model.
    """
    if good is None:
        return None
    for contract in tables:
        old, new = (published_path(run.root, contract.name, run_id) for run_id in (good.shown_run_id, run.run_id))
        if not run.files.exists(old):
            return None
        stamps = ("run_id", *_STAMPS) if contract == STAR_RUN else ("run_id",)
        prints = [snapshot_fingerprint(run.spark.read.parquet(path), leave_out=stamps) for path in (old, new)]
        if prints[0] != prints[1]:
            return None
    return good.shown_run_id


def record_unchanged(run: RunContext, *, good: GoodRun, made_from: MadeFrom) -> None:
    """Nothing that decides the result has changed: one RUN row, and the snapshot stays."""
    row = run_row(
        run,
        made_from,
        status=RunStatus.UNCHANGED,
        shown_run_id=good.shown_run_id,
        versions=good.versions,
        counts_json=good.counts_json,
        finished_at=datetime.now(tz=UTC),
    )
    run.refuse_unless_held()
    write_run(run.store, row)
    run.progress.say(
        f"nothing has changed since run {good.run_id}: same feeds, code, settings and model; "
        f"readers go on seeing {good.shown_run_id}"
    )
    say_last(run, RunStatus.UNCHANGED, good.shown_run_id)


def record_failure(run: RunContext, *, good: GoodRun | None, made_from: MadeFrom, error: Exception) -> None:
    """Say in RUN that a run failed; the last good run stays in force.

    A table that cannot even take this row must not hide the error itself, so that fault is only said.
    """
    if lock_loss_said(run, error):
        return
    try:
        row = run_row(
            run,
            made_from,
            status=RunStatus.FAILED,
            shown_run_id=good.shown_run_id if good else None,
            versions=good.versions if good else {},
            counts_json="{}",
            finished_at=datetime.now(tz=UTC),
            error_class=type(error).__name__,
        )
        # The run that goes on keeps its id, so that a failed attempt needs one of its own.
        write_run(run.store, {**row, "run_id": new_run_id(run.started_at, f"{run.kind.value}-failed")})
    except Exception as fault:
        run.progress.say(f"the failure could not be recorded in RUN either ({type(fault).__name__})")
    shown = f"readers go on seeing {good.shown_run_id}" if good else "nothing has been published yet"
    run.progress.say(f"run {run.run_id} failed; {shown}{goes_on(error)}")
    say_last(run, RunStatus.FAILED, good.shown_run_id if good else None)


def goes_on(error: Exception) -> str:
    """What the same command does after a failure; nothing is said of one that the command itself, or the settings, would bring about again."""
    again = ". The same command goes on where it stopped, or begins afresh where a feed has changed since"
    return "" if isinstance(error, SettingsError | UsageError) else again


def lock_loss_said(run: RunContext, error: Exception) -> bool:
    """True for a run that failed and has lost its lock, which is said: others write RUN, move readers and delete its work by now."""
    if lock_loss(run.refuse_unless_held) is None:
        return False
    failed = f"run {run.run_id} failed ({type(error).__name__}) and holds the lock no more"
    run.progress.say(f"{failed}: RUN keeps no row of it, and `status` says what readers see")
    say_last(run, RunStatus.FAILED, "unknown")
    return True
