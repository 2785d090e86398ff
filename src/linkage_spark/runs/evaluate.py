"""A published run measured: against the truth of a made-up force, or by its own probabilities where no truth is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import ContractError, GateError, SourceError, UsageError
from linkage_spark.evaluation.figures import Figures, from_json
from linkage_spark.evaluation.gaps import gap_faults
from linkage_spark.flows.cluster import Comparing
from linkage_spark.report.nominal_accuracy import nominal_accuracy_page
from linkage_spark.runs.context import emptied, scratch
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.evaluate_expectation import expect_without_truth
from linkage_spark.runs.evaluate_nominals import measure_nominals, nominals_in_words
from linkage_spark.runs.evaluate_truth import Pinned, Truth, measure_against
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.reporting import collect_examples, write_report
from linkage_spark.runs.rescreen import Again, Frozen, load_frozen, screen_again
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import NominalSettings, load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import RunStatus
from linkage_spark.tables.linkage import FREQUENCY, LINK, REFINED_KEY
from linkage_spark.tables.nominals import NOMINAL_FREQUENCY, NOMINAL_MEMBER, NOMINAL_REFINED_KEY
from linkage_spark.tables.results import HIT, RUN


def run_evaluate(
    *,
    feeds_root: str | None,
    root: str,
    run_id: str | None = None,
    in_depth: bool = False,
    ablation: bool = False,
    with_values: bool = False,
) -> int:
    """Measure a run, write its report anew with what was found, and print the summary.

    Args:
        feeds_root: the feeds' root; a truth lies in its ``truth/`` folder, or there is none. None: no truth.
        root: the output root of the backfill.
        run_id: a published run; None for the one that readers see.
        in_depth: screen the run's tables twice more: to tell what rules, scores and policy lost, and what would
            be left without addresses. Without a truth they are screened once more, always.
        ablation: screen them again with one thing less each time.
        with_values: the page shows recorded values of the costliest errors, in standard form.

    Raises:
        UsageError: no such published run, or its model file has changed since; or what needs a truth was asked
            for where there is none.
        SourceError: there is no such folder of feeds, half the truth is missing, or it lacks a column.
        GateError: everything was written, and a naming tradition lies too far below the best.
    """
    with open_session("evaluate") as spark:
        progress, files = Progress(), Files(spark)
        settings = load_settings(conf_dir(), environment())
        root = files.absolute(root)
        store = DeltaStore(spark, root)
        row = _published_run(store, run_id)
        pinned = Pinned(store=store, run_id=row["run_id"], versions=json.loads(row["table_versions_json"]))
        figures = _figures(row)
        truth = _truth(spark, files, feeds_root and files.absolute(feeds_root))
        if truth is None and (ablation or with_values):
            raise UsageError("--ablation and --with-values need the truth of a made-up force, and there is none")
        frozen = _frozen(files, store, row, pinned)
        costly: Mapping[str, Any] | None = None
        with emptied(files, scratch(root, "evaluate")) as work:
            again = _screened_again(pinned, frozen, work, progress) if in_depth or truth is None else None
            if again is not None:
                figures["expectation"] = expect_without_truth(
                    again.links, figures, truth_was_there=truth is not None, progress=progress
                )
            if truth is not None:
                measured = measure_against(
                    truth,
                    pinned,
                    frozen,
                    again,
                    work=work,
                    as_of=row["started_at"].date(),
                    limits=settings.evaluation,
                    ablation=ablation,
                    with_values=with_values,
                    progress=progress,
                )
                figures["accuracy"], costly = measured.accuracy, measured.costly
                if "expectation" in figures:
                    figures["expectation"]["people"]["truth"] = measured.people
            with progress.stage("example hits") as stage:
                examples = collect_examples(pinned.read(HIT), pinned.read(LINK))
                stage.counts["hits"] = len(examples)
            report = write_report(root, pinned.run_id, figures, files=files, examples=examples, costly=costly)
            print(report.summary, end="", flush=True)
            if truth is not None:
                joined = _nominals(
                    truth, pinned, row, settings=settings.nominals, files=files, work=work, progress=progress
                )
                print(joined, end="", flush=True)
    _refuse_wide_gaps(figures)
    return 0


def _nominals(
    truth: Truth,
    pinned: Pinned,
    row: Mapping[str, Any],
    *,
    settings: NominalSettings,
    files: Files,
    work: str,
    progress: Progress,
) -> str:
    """Measure the run's nominals where it has some; what the console says of them."""
    if NOMINAL_MEMBER.name not in pinned.versions:
        return ""
    told = json.loads(row["counts_json"])["nominals"]
    frozen = load_frozen(
        files,
        pinned.store,
        model_id=told["model_id"],
        fingerprint=told["model_fingerprint"],
        refined_key=pinned.read(NOMINAL_REFINED_KEY),
        frequency=pinned.read(NOMINAL_FREQUENCY),
    )
    comparing = Comparing(model=frozen.model, frequencies=frozen.frequencies, names=frozen.names)
    found = measure_nominals(truth.person, pinned, comparing=comparing, settings=settings, work=work, progress=progress)
    folder = f"{pinned.store.root}/reports/{pinned.run_id}"
    page = nominal_accuracy_page(found, run_id=pinned.run_id, advisory=load_wording(conf_dir()).advisory)
    files.write_text(f"{folder}/nominal_accuracy.json", json.dumps(found, indent=1, sort_keys=True) + "\n")
    files.write_text(f"{folder}/nominal_accuracy.html", page)
    return f"{nominals_in_words(found)}  report: {folder}/nominal_accuracy.html\n"


def _refuse_wide_gaps(figures: Figures) -> None:
    """End with an error when a naming tradition lies too far below the best.

    Raises:
        GateError: one sentence per gap.
    """
    gaps = figures["accuracy"].get("gaps") if "accuracy" in figures else None
    faults = gap_faults(gaps) if gaps else []
    if faults:
        raise GateError("\n".join(faults))


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


def _truth(spark: SparkSession, files: Files, feeds_root: str | None) -> Truth | None:
    """Truth of the roster and of the police records; None where the feeds hold none.

    Raises:
        SourceError: there is no such folder, or half the truth is missing.
    """
    if feeds_root is None:
        return None
    if not files.exists(feeds_root):
        raise SourceError(f"there is no folder {feeds_root}; correct --feeds, or leave it out where there is no truth")
    paths = [f"{feeds_root.rstrip('/')}/truth/{name}" for name in ("employee", "person")]
    missing = [path for path in paths if not files.exists(path)]
    if len(missing) == len(paths):
        return None
    if missing:
        raise SourceError([f"no truth at {path}; run jobs/synthesise.py once more" for path in missing])
    employee, person = (spark.read.parquet(path) for path in paths)
    return Truth(employee=employee, person=person)


def _frozen(files: Files, store: DeltaStore, row: Mapping[str, Any], pinned: Pinned) -> Frozen:
    """Model, refined keys and frequencies of the run."""
    return load_frozen(
        files,
        store,
        model_id=row["model_id"],
        fingerprint=row["model_fingerprint"],
        refined_key=pinned.read(REFINED_KEY),
        frequency=pinned.read(FREQUENCY),
    )


def _screened_again(pinned: Pinned, frozen: Frozen, work: str, progress: Progress) -> Again:
    """The run's screening once more, with every scored pair kept but those that reviewers had negated: what was published."""
    with progress.stage("screen again"):
        return screen_again(pinned.read(PERSON), frozen, work=f"{work}/again", change=pinned.judged)
