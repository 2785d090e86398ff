"""Linking two person files, or finding repeated persons in one: the same engine as the force's jobs, on any CSV or Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DoubleType, StringType, StructField, StructType

from linkage_spark.errors import LinkageError, SettingsError, SourceError, UsageError, gathered
from linkage_spark.evaluation.pair_counts import count_by_threshold, mark_pairs
from linkage_spark.evaluation.pair_figures import scored_figures
from linkage_spark.flows.person_files import propose_file_pairs, score_file_pairs
from linkage_spark.linkage.assignment import LINK_AT, assign_one_to_one
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules
from linkage_spark.linkage.frequencies import count_agreement
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import MOST_RULES, coarsen_further, load_person_file_model
from linkage_spark.model.schema import EXTRA_PREFIX, PLACE_PREFIX, Model
from linkage_spark.reference.standard import load_reference
from linkage_spark.report.person_files import render_person_files
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.file_clusters import Graph, cluster
from linkage_spark.runs.file_inputs import Inputs, open_files, read_inputs, read_mapping
from linkage_spark.runs.file_outputs import PAIR_COLUMNS, Outputs
from linkage_spark.runs.file_summary import in_words, summarise
from linkage_spark.runs.file_task import WRITTEN, FileRun, Task, Used
from linkage_spark.runs.file_training import PairSpace, train_on
from linkage_spark.runs.file_truth import keep_truth, measure, read_truth
from linkage_spark.runs.lock import hold_lock
from linkage_spark.runs.manifest import new_run_id
from linkage_spark.runs.session import open_session
from linkage_spark.settings.mapping import PersonMapping
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.files import Files

MODEL_ID = "person_files_v1"

MOST_PAIRS_WHOLE = 1_000_000
"""Up to this many possible pairs every pair is compared."""

MOST_KEYS_SENT = 400_000
"""Up to this many keys of the left file are sent to every task; above it Spark chooses how to join."""


def run_person_files(task: Task) -> int:
    """Link two files or dedupe one, write the results, print the summary.

    Raises:
        UsageError: an argument is wrong.
        SettingsError: the mapping or the model is wrong.
        SourceError: a file is missing, cannot be read, or lacks a column.
    """
    conf = conf_dir()
    settings, wording, reference = load_settings(conf, environment()), load_wording(conf), load_reference(conf)
    began = datetime.now(tz=UTC)
    run_id = new_run_id(began, task.kind)
    with open_session(task.kind) as spark:
        files = Files(spark)
        out = files.absolute(task.out)
        _keep_inputs_apart(task, files, out)
        opened = _open(spark, files, task)
        run = FileRun(task, spark, files, out, run_id, began, reference, wording, secret=os.urandom(32))
        hours = settings.lock.stale_after_hours
        with (
            _no_empty_folder(files, out),
            hold_lock(files, out, run_id=run_id, now=began, stale_after_hours=hours, say=run.progress.say),
            _work_folder(run),
        ):
            _run(run, opened)
    return 0


def _keep_inputs_apart(task: Task, files: Files, out: str) -> None:
    """Raise UsageError where the run would write over what it reads, or where both sides are one file."""
    read = {**task.paths, "mapping": task.mapping, **({"truth": task.truth} if task.truth else {})}
    places = {name: files.absolute(path) for name, path in read.items()}
    written = {f"{out}/{name}" for name in WRITTEN}
    faults = [
        f"--{name}: this run writes a file of that name into --out; take another folder"
        for name, at in places.items()
        if at in written
    ]
    if task.kind == "link" and places["left"] == places["right"]:
        faults.append("--left and --right name one file; use dedupe to compare a file with itself")
    if faults:
        raise UsageError("\n".join(faults))


@dataclass(frozen=True)
class _Opened:
    """Everything that was given, its headers checked."""

    mapping: PersonMapping
    truth: DataFrame | None
    frames: dict[str, DataFrame]


def _open(spark: SparkSession, files: Files, task: Task) -> _Opened:
    """Open mapping, files and truth.

    Raises:
        SettingsError, SourceError, UsageError: with the faults of all of them; the mapping's class comes first.
    """
    mapping, truth, frames = None, None, None
    errors: list[LinkageError] = []
    try:
        mapping = read_mapping(files, task.mapping)
    except (SettingsError, UsageError) as error:
        errors.append(error)
    try:
        frames = open_files(spark, task.paths, mapping)
    except (SettingsError, SourceError) as error:
        errors.append(error)
    try:
        truth = read_truth(spark, task.truth, task.kind)
    except SourceError as error:
        errors.append(error)
    if errors or mapping is None or frames is None:
        raise gathered(errors)
    return _Opened(mapping, truth, frames)


@contextmanager
def _no_empty_folder(files: Files, out: str) -> Iterator[None]:
    """Take the output folder away again when this run made it and left nothing in it; folders above it stay."""
    was_there = files.exists(out)
    try:
        yield
    finally:
        if not was_there:
            files.delete_empty(out)


@contextmanager
def _work_folder(run: FileRun) -> Iterator[None]:
    """The work folder: made anew, and removed at the end, whatever the end."""
    run.files.delete(run.work)
    run.files.mkdirs(run.work, mode="700")
    try:
        yield
    finally:
        run.files.delete(run.work)


def _run(run: FileRun, opened: _Opened) -> None:
    """All steps in order."""
    inputs = read_inputs(
        opened.frames,
        run.task.paths,
        mapping=opened.mapping,
        reference=run.reference,
        work=run.work,
        as_of=run.began.date(),
        progress=run.progress,
        numbered=[path for path in run.task.paths.values() if not _is_parquet(path) and run.files.is_file(path)],
    )
    _note_inputs(run, inputs)
    base, share = _base_model(run, inputs)
    space = _propose(run, inputs, base)
    used = _model_in_use(run, space, base, share)
    scored = _score(run, space, used)
    decided = _decide(run, inputs, scored, used)
    outputs = Outputs(run.files, run.out, run.work)
    members = cluster(run, inputs.files[0].persons, space.candidates, decided) if run.within else None
    if opened.truth is not None:
        measure(run, inputs, space, decided, keep_truth(opened.truth, run), members)
    _write(run, inputs, decided, members, used, outputs)


def _is_parquet(path: str) -> bool:
    """A Parquet file or folder by its name."""
    return path.rstrip("/").lower().endswith(".parquet")


# ---- before any pair ---------------------------------------------------------------------------------------


def _note_inputs(run: FileRun, inputs: Inputs) -> None:
    """What was read, for the summary."""
    run.summary["files"] = [
        {
            "side": file.side,
            "name": file.name,
            "rows_in": file.rows_in,
            "records": file.records,
            "refused": dict(file.refusals),
            "issues": dict(file.issues),
            "warnings": list(file.warnings),
        }
        for file in inputs.files
    ]
    run.summary["warnings"] = []
    run.summary["attributes"] = list(inputs.attributes)
    run.summary["country"] = {"country": inputs.country.country, "reason": inputs.country.reason}
    for file in inputs.files:
        for warning in file.warnings:
            run.progress.say(f"  warning: {warning}")


def _base_model(run: FileRun, inputs: Inputs) -> tuple[Model, float]:
    """The shipped model for what is mapped, and the share of matches to expect."""
    shipped = load_person_file_model(conf_dir(), MODEL_ID)
    if not inputs.pairs:
        raise SourceError("one record has no pair to be compared with")
    expected = shipped.matches_per_record * min(inputs.records)
    whole = inputs.pairs <= MOST_PAIRS_WHOLE
    model = shipped.model_for(
        mapped=inputs.mapped,
        further=inputs.further,
        expected_matches=min(expected, inputs.pairs / 2),
        pairs=inputs.pairs,
        whole=whole,
    )
    run.summary |= {"possible_pairs": inputs.pairs, "compared_whole": whole}
    spare = 0 if whole else len(shipped.rules_for(inputs.mapped, inputs.further)) - MOST_RULES
    if spare > 0:
        run.summary["warnings"].append(
            f"{spare} blocking rules for the last columns of [extra] were left out: a model has at most {MOST_RULES}"
        )
    return model, min(expected / inputs.pairs, 0.5)


# ---- pairs -------------------------------------------------------------------------------------------------


def _propose(run: FileRun, inputs: Inputs, base: Model) -> PairSpace:
    """Candidate pairs into the work folder, each rule priced before and counted after."""
    left, right = inputs.files[0].persons, inputs.files[-1].persons
    sent = inputs.records[0] * len(base.rules) <= MOST_KEYS_SENT
    with run.progress.stage("price rules") as stage:
        counts = [] if run.summary["compared_whole"] else count_keys(right, left, model=base, broadcast=sent).collect()
        refined = choose_refined(counts, model=base, secret=run.secret)
        stage.counts["refined keys"] = len(refined.refined)
    with run.progress.stage("propose pairs") as stage:
        observation = Observation("propose")
        candidates = propose_file_pairs(
            left,
            right,
            model=base,
            refined=refined.hmacs,
            secret=run.secret,
            within=run.within,
            broadcast=sent,
            observation=observation,
        )
        path = f"{run.work}/candidates"
        candidates.write.mode("overwrite").parquet(path)
        observed = {name: int(value or 0) for name, value in observation.get.items()}
        stage.counts["candidate pairs"] = observed["pairs_first"]
    prices = price_rules(counts, observed, model=base, refined=refined.refined)
    run.summary["candidates"] = observed["pairs_first"]
    run.summary["rules"] = [
        {name: price[name] for name in ("rule_id", "pairs_proposed", "pairs_first", "refined_keys")} for price in prices
    ]
    return PairSpace(
        left=left,
        right=right,
        candidates=run.spark.read.schema(candidates.schema).parquet(path),
        records=inputs.records,
        candidate_pairs=observed["pairs_first"],
        pairs=inputs.pairs,
        within=run.within,
    )


def _model_in_use(run: FileRun, space: PairSpace, base: Model, share: float) -> Used:
    """The shipped model, or one estimated on these files."""
    if not run.task.train:
        frequencies = Frequencies.shipped(conf_dir(), MODEL_ID)
        model = _coarsened(run, space, base)
        return Used(model, frequencies, f"shipped with {MODEL_ID}: surnames only", model.prior_bits)
    names = run.reference.names
    trained, frequencies, figures = train_on(space, base=base, share=share, names=names, progress=run.progress)
    run.summary["training"] = {**{k: v for k, v in figures.items() if k not in ("shares", "pooled")}} | {
        **{f"share of class {name}": share for name, share in figures["shares"].items()},
        "levels pooled in": ", ".join(figures["pooled"]) or "none",
    }
    if not figures["settled"]:
        run.summary["warnings"].append("The estimate had not settled when it was stopped; its probabilities are weak.")
    return Used(trained.model, frequencies, "counted on these files", trained.model.prior_bits)


def _coarsened(run: FileRun, space: PairSpace, base: Model) -> Model:
    """The shipped model, with further attributes of few values weighed by how often they agree by chance."""
    if not base.further:
        return base
    right = None if space.within else space.right
    with run.progress.stage("count agreement by chance") as stage:
        counted = count_agreement(space.left, right, columns=tuple(base.further)).collect()
        agreement = {row["attribute"]: row["share"] for row in counted}
        model, lowered = coarsen_further(base, agreement, matched=min(space.records) / space.pairs)
        stage.counts["weights lowered"] = len(lowered)
    for name in lowered:
        column = name.removeprefix(PLACE_PREFIX).removeprefix(EXTRA_PREFIX)
        run.summary["warnings"].append(
            f"{column}: two records agree in {agreement[name]:.1%} of all pairs, more than the shipped model takes for "
            "chance; its weight was lowered accordingly; --train estimates all weights"
        )
    return model


def _score(run: FileRun, space: PairSpace, used: Used) -> DataFrame:
    """Scored pairs into the work folder."""
    with run.progress.stage("score pairs") as stage:
        scored = score_file_pairs(
            space.candidates, model=used.model, frequencies=used.frequencies, names=run.reference.names
        )
        path = f"{run.work}/scored"
        scored.write.mode("overwrite").parquet(path)
        found = run.spark.read.schema(scored.schema).parquet(path)
        stage.counts["pairs above the floor"] = found.count()
    return found


def _decide(run: FileRun, inputs: Inputs, scored: DataFrame, used: Used) -> DataFrame:
    """Add ``match_probability`` and ``linked``."""
    with run.progress.stage("decide") as stage:
        decided = _one_to_one(run, inputs, scored, used) if run.task.one_to_one else _each_alone(scored)
        path = f"{run.work}/decided"
        decided.write.mode("overwrite").parquet(path)
        found = run.spark.read.schema(decided.schema).parquet(path)
        rows = [row.asDict() for row in count_by_threshold(mark_pairs(found, None, run.task.kind)).collect()]
        run.summary["scored"] = scored_figures(rows)
        run.summary["tiers"] = {
            row["tier"]: row["count"] for row in found.groupBy("tier").count().orderBy("tier").collect()
        }
        stage.counts["linked"] = run.summary["scored"]["linked"]
    return found


def _each_alone(scored: DataFrame) -> DataFrame:
    """Every pair by its own weight: p = 1 / (1 + 2^-s)."""
    probability: Column = F.lit(1.0) / (F.lit(1.0) + F.pow(F.lit(2.0), -F.col("match_weight")))
    return scored.withColumn("match_probability", probability).withColumn(
        "linked", F.col("match_probability") >= F.lit(LINK_AT)
    )


_DECISION = StructType(
    [
        StructField("ref_l", StringType(), nullable=False),
        StructField("ref_r", StringType(), nullable=False),
        StructField("match_probability", DoubleType(), nullable=False),
        StructField("linked", BooleanType(), nullable=False),
    ]
)


def _one_to_one(run: FileRun, inputs: Inputs, scored: DataFrame, used: Used) -> DataFrame:
    """The posterior over rivals, on the driver: three columns of the pairs above the floor."""
    pairs = scored.select("ref_l", "ref_r", "match_weight").orderBy("ref_l", "ref_r").toPandas()
    left, right = (pd.factorize(pairs[name], sort=True)[0] for name in ("ref_l", "ref_r"))
    assigned = assign_one_to_one(
        left,
        right,
        pairs["match_weight"].to_numpy(dtype=np.float64),
        prior_bits=used.prior_bits,
        left_records=inputs.records[0],
        right_records=inputs.records[1],
    )
    run.summary["rivals"] = {
        "share_left": round(assigned.share_left, 6),
        "share_right": round(assigned.share_right, 6),
    }
    decisions = pairs[["ref_l", "ref_r"]].assign(match_probability=assigned.posterior, linked=assigned.linked)
    return scored.join(run.spark.createDataFrame(decisions, schema=_DECISION), on=["ref_l", "ref_r"])


# ---- writing -----------------------------------------------------------------------------------------------


def _write(run: FileRun, inputs: Inputs, decided: DataFrame, graph: Graph | None, used: Used, outputs: Outputs) -> None:
    """Every file, then all into their place, then the summary for the console."""
    with run.progress.stage("write"):
        evidence = [name for name in decided.columns if name.startswith(("level_", "weight_"))]
        outputs.csv("pairs.csv", decided.select(*PAIR_COLUMNS), ("ref_l", "ref_r"))
        outputs.csv("evidence.csv", decided.select("ref_l", "ref_r", *evidence), ("ref_l", "ref_r"))
        if graph is not None:
            outputs.csv("members.csv", graph.members(run.spark), ("cluster_id", "ref"))
        outputs.csv("refused.csv", _of_all(inputs, "refused"), ("side", "row", "ref", "reason"))
        outputs.csv("issues.csv", _of_all(inputs, "issue_rows"), ("side", "ref", "attribute"))
        outputs.json("model.json", used.model.model_dump(mode="json"))
    former, replaced = _former(run)
    summary = summarise(run, inputs, used, replaced=replaced)
    outputs.json("metrics.json", summary)
    outputs.text("report.html", render_person_files(summary))
    outputs.publish(former)
    print(in_words(summary, run.out), flush=True)


def _of_all(inputs: Inputs, name: str) -> DataFrame:
    """The rows of all files under one another."""
    frames: list[DataFrame] = [getattr(file, name) for file in inputs.files]
    return reduce(DataFrame.unionByName, frames)


def _former(run: FileRun) -> tuple[tuple[str, ...], str | None]:
    """The files that an earlier run into this folder says it wrote, and that run's id."""
    try:
        earlier: dict[str, Any] = json.loads(run.files.read_text(f"{run.out}/metrics.json"))
        written = tuple(name for name in earlier["outputs"] if name in WRITTEN)
    except (Py4JJavaError, ValueError, KeyError, TypeError):
        return (), None
    about = earlier.get("run")
    return written, str(about.get("run_id", "an earlier run")) if isinstance(about, dict) else "an earlier run"
