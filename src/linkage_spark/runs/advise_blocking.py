"""``jobs/advise_blocking.py`` on an analyst's files: what each blocking rule is worth, and what all of them may miss."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, SourceError, UsageError
from linkage_spark.evaluation.blocking_recall import count_masks
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.evaluation.pair_counts import (
    TRUTH_COLUMNS,
    count_truth,
    count_unread_refs,
    mark_pairs,
    truth_warnings,
)
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import load_person_file_model
from linkage_spark.model.schema import Model
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.advise_figures import (
    JOB,
    WRITTEN_HERE,
    Row,
    rule_figures,
    run_figures,
    stage_figures,
    write_advice,
)
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.file_inputs import Inputs
from linkage_spark.runs.file_opening import Opened, held_folder, keep_inputs_apart, open_given, read_given
from linkage_spark.runs.file_pairs import MODEL_ID, propose, weigh_by_chance
from linkage_spark.runs.file_task import FileRun, Task, one_row
from linkage_spark.runs.file_truth import keep_truth
from linkage_spark.runs.manifest import new_run_id
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.files import Files


def run_advise_blocking(
    *, left: str | None, right: str | None, path: str | None, mapping: str, out: str, truth: str | None
) -> int:
    """Price all usable rules on two files or one, write the order in which they are worth having, print it.

    Raises:
        UsageError: an argument is wrong.
        SettingsError: the mapping or the model is wrong, or no rule can be used.
        SourceError: a file is missing, cannot be read, or lacks a column.
    """
    task = _task(left, right, path, mapping, out, truth)
    conf = conf_dir()
    settings, wording, reference = load_settings(conf, environment()), load_wording(conf), load_reference(conf)
    began = datetime.now(tz=UTC)
    with open_session(JOB) as spark:
        files = Files(spark)
        at = files.absolute(task.out)
        keep_inputs_apart(task, files, at, WRITTEN_HERE)
        opened = open_given(spark, files, task)
        run_id = new_run_id(began, JOB)
        run = FileRun(task, spark, files, at, run_id, began, reference, wording, secret=os.urandom(32))
        with held_folder(run, settings.lock.stale_after_hours):
            _run(run, opened)
    return 0


def _task(left: str | None, right: str | None, path: str | None, mapping: str, out: str, truth: str | None) -> Task:
    """What was asked for: two files or one."""
    if path is not None and left is None and right is None:
        return Task("dedupe", {"file": path}, mapping, out, truth=truth)
    if path is None and left is not None and right is not None:
        return Task("link", {"left": left, "right": right}, mapping, out, truth=truth)
    raise UsageError("give either --left and --right, or --input, with --mapping; or --estate without them")


def _run(run: FileRun, opened: Opened) -> None:
    """All steps in order."""
    run.summary["warnings"] = []
    inputs = read_given(run, opened)
    model = _model(inputs)
    space, prices = propose(run, inputs, model, whole=False)
    known = None if opened.truth is None else keep_truth(opened.truth, run)
    masks = _count(run, space.candidates, weigh_by_chance(run, space, model), known)
    figures = _figures(run, inputs, model, prices, masks, known)
    write_advice(run, figures)


# ---- pairs -------------------------------------------------------------------------------------------------


def _model(inputs: Inputs) -> Model:
    """The shipped model with every rule that the mapping allows; never the whole pair space."""
    shipped = load_person_file_model(conf_dir(), MODEL_ID)
    if not inputs.pairs:
        raise SourceError("one record has no pair to be compared with")
    if not shipped.rules_for(inputs.mapped, inputs.further):
        raise SettingsError(
            "no blocking rule can be used on what is mapped: map both parts of the name, a date of birth or a postcode"
        )
    return shipped.model_for(
        mapped=inputs.mapped,
        further=inputs.further,
        expected_matches=min(shipped.matches_per_record * min(inputs.records), inputs.pairs / 2),
        pairs=inputs.pairs,
        whole=False,
    )


def _count(run: FileRun, candidates: DataFrame, model: Model, truth: DataFrame | None) -> list[Row]:
    """The distinct rule masks with their pairs, what is true among them, and what the shipped model believes of them."""
    with run.progress.stage("score pairs and count masks") as stage:
        frequencies = Frequencies.shipped(conf_dir(), MODEL_ID)
        scored = score_candidates(candidates, model=model, frequencies=frequencies, names=run.reference.names)
        bits = F.col("match_weight_millibits") / F.lit(1000.0)
        believed = scored.select(
            F.col("employee_id").alias("ref_l"),
            F.col("person_ref").alias("ref_r"),
            (F.lit(1.0) / (F.lit(1.0) + F.pow(F.lit(2.0), -bits))).alias("match_probability"),
        )
        pairs = candidates.select(
            F.col("person_ref_l").alias("ref_l"), F.col("person_ref_r").alias("ref_r"), "rule_mask"
        ).join(believed, on=["ref_l", "ref_r"], how="left")
        marked = pairs if truth is None else mark_pairs(pairs, truth, run.task.kind)
        rows = [row.asDict() for row in count_masks(marked, truth_marked=truth is not None).collect()]
        stage.counts["distinct masks"] = len(rows)
    return rows


def _figures(
    run: FileRun, inputs: Inputs, model: Model, prices: Sequence[Row], masks: Sequence[Row], truth: DataFrame | None
) -> Row:
    """Everything that blocking.json says."""
    measured, warnings = (None, []) if truth is None else _measured(run, inputs, truth, masks)
    read = None if measured is None else measured["true_pairs_read"]
    return {
        "run": run_figures(of=run.task.kind, advisory=run.wording.advisory, run_id=run.run_id, model=model),
        "files": [
            {"side": file.side, "name": file.name, "rows_in": file.rows_in, "records": file.records}
            for file in inputs.files
        ],
        "possible_pairs": inputs.pairs,
        "found_is": "expected matches, shipped model" if truth is None else "true pairs",
        "truth": measured,
        **rule_figures(masks, prices, model=model, read=read),
        "warnings": [text for file in inputs.files for text in file.warnings] + run.summary["warnings"] + warnings,
        "stages": stage_figures(run.progress),
    }


def _measured(run: FileRun, inputs: Inputs, truth: DataFrame, masks: Sequence[Row]) -> tuple[Row, list[str]]:
    """What all rules find of the truth, and what the truth and the files do not know of each other."""
    kind = run.task.kind
    sides = [file.persons.select(F.col("person_ref").alias("ref")) for file in inputs.files]
    counted = one_row(count_truth(truth, kind, left=sides[0], right=sides[1] if len(sides) > 1 else None))
    counted["unread"] = {
        file.side: one_row(count_unread_refs(truth, column, records=persons, refused=file.refused.select("ref")))
        for file, persons, column in zip(inputs.files, sides, TRUTH_COLUMNS[kind], strict=False)
    }
    found, read = sum(row["true_pairs"] for row in masks), counted["true_pairs_read"]
    figures = {
        "true_pairs": counted["true_pairs"],
        "true_pairs_read": read,
        "lost_by_reading": counted["true_pairs"] - read,
        "found_by_all_rules": found,
        "lost_by_blocking": read - found,
        "recall": proportion(found, read),
        "unlabelled_pairs": sum(row["unlabelled_pairs"] for row in masks),
    }
    return figures, truth_warnings(counted, f"truth {PurePosixPath(run.task.truth or '').name}")
