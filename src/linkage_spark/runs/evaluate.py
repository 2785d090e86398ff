"""A published run against the truth of a made-up force: precision, recall, and the report with both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import ContractError, SourceError, UsageError
from linkage_spark.evaluation.accuracy import accuracy, scopes
from linkage_spark.evaluation.figures import AccuracyFigures, Figures, from_json
from linkage_spark.evaluation.judged import count_patterns
from linkage_spark.flows.measure import judge_links, measure_truth, without_address
from linkage_spark.kit.contract import TableContract
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.reporting import collect_examples, write_report
from linkage_spark.runs.rescreen import Again, load_frozen, screen_again
from linkage_spark.runs.session import open_session
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.enums import RunStatus
from linkage_spark.tables.linkage import FREQUENCY, LINK, REFINED_KEY
from linkage_spark.tables.results import HIT, RUN


@dataclass(frozen=True)
class Pinned:
    """A published run's tables, read as the run left them."""

    store: DeltaStore
    run_id: str
    versions: Mapping[str, int]

    def read(self, contract: TableContract) -> DataFrame:
        """One table at its pinned version.

        Raises:
            ContractError: the run pins no version of it.
        """
        if contract.name not in self.versions:
            raise ContractError(f"run {self.run_id} pins no version of {contract.name}")
        return self.store.read(contract, version=self.versions[contract.name])


def run_evaluate(*, feeds_root: str, root: str, run_id: str | None = None, in_depth: bool = False) -> int:
    """Measure a run, write its report anew with accuracy in it, and print the summary.

    Args:
        feeds_root: the feeds' root; the truth lies in its ``truth/`` folder.
        root: the output root of the backfill.
        run_id: a published run; None for the one that readers see.
        in_depth: screen the run's tables twice more: to tell what rules, scores and policy lost, and what would
            be left without addresses.

    Raises:
        UsageError: no such published run, or its model file has changed since.
        SourceError: the truth is missing or lacks a column.
    """
    with open_session("evaluate") as spark:
        progress, files = Progress(), Files(spark)
        root, feeds_root = files.absolute(root), files.absolute(feeds_root)
        store = DeltaStore(spark, root)
        row = _published_run(store, run_id)
        pinned = Pinned(store=store, run_id=row["run_id"], versions=json.loads(row["table_versions_json"]))
        figures = _figures(row)
        truth_employee, truth_person = _truth(spark, files, feeds_root)
        truth = Truth(employee=truth_employee, person=truth_person)
        with _work_folder(files, f"{root}/work/evaluate") as work:
            depth = _in_depth(pinned, row, files, root, work, progress) if in_depth else None
            figures["accuracy"] = _measure(pinned, truth, depth, progress=progress)
        with progress.stage("example hits") as stage:
            examples = collect_examples(pinned.read(HIT), pinned.read(LINK))
            stage.counts["hits"] = len(examples)
        report = write_report(root, pinned.run_id, figures, files=files, examples=examples)
    print(report.summary, end="", flush=True)
    return 0


def _published_run(store: DeltaStore, run_id: str | None) -> dict[str, Any]:
    """The RUN row of ``run_id``, or of the run that readers see."""
    if run_id is None:
        good = last_good_run(store)
        run_id = good.shown_run_id if good is not None else None
    if run_id is None or not store.exists(RUN):
        raise UsageError("no run has been published under this --out; run the backfill first")
    published = store.read(RUN).where(F.col("status") == RunStatus.PUBLISHED.value)
    rows = published.where(F.col("run_id") == run_id).collect()
    if not rows:
        raise UsageError(f"no published run {run_id} under this --out; leave --run out for the one that readers see")
    return dict(rows[0].asDict())


def _figures(row: Mapping[str, Any]) -> Figures:
    """The run's own figures.

    Raises:
        ContractError: they have another shape, so another version of this code wrote them.
    """
    try:
        return from_json(row["counts_json"])
    except ValueError as error:
        raise ContractError(f"run {row['run_id']}: {error}; run the backfill again with this version") from error


def _truth(spark: SparkSession, files: Files, feeds_root: str) -> tuple[DataFrame, DataFrame]:
    """Truth of the roster and of the police records."""
    paths = [f"{feeds_root.rstrip('/')}/truth/{name}" for name in ("employee", "person")]
    missing = [path for path in paths if not files.exists(path)]
    if missing:
        raise SourceError(
            [f"no truth at {path}; only a made-up force has one (jobs/synthesise.py)" for path in missing]
        )
    employee, person = (spark.read.parquet(path) for path in paths)
    return employee, person


@dataclass(frozen=True)
class Truth:
    """Truth of the roster and of the police records."""

    employee: DataFrame
    person: DataFrame


@dataclass(frozen=True)
class _Depth:
    """The screening done again: as it was, and as if no address had been recorded."""

    again: Again
    without_address: Again


@contextmanager
def _work_folder(files: Files, path: str) -> Iterator[str]:
    """A folder of this job's own, removed at its end."""
    files.delete(path)
    try:
        yield path
    finally:
        files.delete(path)


def _in_depth(pinned: Pinned, row: Mapping[str, Any], files: Files, root: str, work: str, progress: Progress) -> _Depth:
    """Screen twice more with what the run froze."""
    frozen = load_frozen(
        files,
        root,
        model_id=row["model_id"],
        fingerprint=row["model_fingerprint"],
        refined_key=pinned.read(REFINED_KEY),
        frequency=pinned.read(FREQUENCY),
    )
    person = pinned.read(PERSON)
    with progress.stage("screen again"):
        again = screen_again(person, frozen, work=f"{work}/again")
    with progress.stage("screen without addresses"):
        bare = screen_again(without_address(person), frozen, work=f"{work}/without_address")
    return _Depth(again, bare)


def _measure(pinned: Pinned, truth: Truth, depth: _Depth | None, *, progress: Progress) -> AccuracyFigures:
    """Four small counts, three of them over the judged pairs, which are kept for as long as that takes."""
    judged = judge_links(
        pinned.read(LINK),
        truth_employee=truth.employee,
        truth_person=truth.person,
        person=pinned.read(PERSON),
        scored_links=depth.again.links if depth else None,
        proposed=depth.again.proposed if depth else None,
    ).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        counts = measure_truth(
            judged,
            truth_person=truth.person,
            hit=pinned.read(HIT),
            involvement=pinned.read(INVOLVEMENT),
            event=pinned.read(EVENT),
        )
        with progress.stage("judge links") as stage:
            patterns = _rows(counts.patterns)
            stage.counts["pairs"] = sum(row["pairs"] for row in patterns)
        with progress.stage("count weights"):
            weights = _rows(counts.weights)
        with progress.stage("judge hits") as stage:
            hits = _rows(counts.hits)
            stage.counts["hits"] = sum(row["hits"] for row in hits)
        with progress.stage("count look-alikes"):
            hard_negatives = _rows(counts.hard_negatives)
    finally:
        judged.unpersist()
    found = accuracy(patterns, weights=weights, hard_negatives=hard_negatives, hits=hits)
    if depth is not None:
        with progress.stage("judge links without addresses"):
            bare = judge_links(
                depth.without_address.links,
                truth_employee=truth.employee,
                truth_person=truth.person,
                person=pinned.read(PERSON),
            )
            found["scopes_without_address"] = scopes(_rows(count_patterns(bare)))
    return found


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict() for row in frame.collect()]
