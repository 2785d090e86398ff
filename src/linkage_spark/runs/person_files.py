"""Linking two person files, or finding repeated persons in one: the same engine as the force's jobs, on any CSV or Parquet."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DoubleType, StringType, StructField, StructType

from linkage_spark.errors import SourceError
from linkage_spark.evaluation.pair_counts import count_by_threshold, mark_pairs
from linkage_spark.evaluation.pair_figures import scored_figures
from linkage_spark.flows.person_files import explain_file_pairs
from linkage_spark.linkage.assignment import LINK_AT, assign_one_to_one
from linkage_spark.linkage.training.prior import found_prior
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import MOST_RULES, load_person_file_model
from linkage_spark.model.schema import Model
from linkage_spark.reference.standard import load_reference
from linkage_spark.report.person_files import render_person_files
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.file_clusters import cluster
from linkage_spark.runs.file_guard import Guarded, guard
from linkage_spark.runs.file_inputs import Inputs
from linkage_spark.runs.file_opening import Opened, held_folder, open_given, read_given
from linkage_spark.runs.file_outputs import PAIR_COLUMNS, Outputs
from linkage_spark.runs.file_pairs import MODEL_ID, compare, propose, sendable, weigh_by_chance
from linkage_spark.runs.file_summary import in_words, summarise
from linkage_spark.runs.file_task import LEFT_BY_OTHERS, WRITTEN, FileRun, Task, Used
from linkage_spark.runs.file_training import PairSpace, train_on
from linkage_spark.runs.file_truth import keep_truth, measure
from linkage_spark.runs.manifest import new_run_id
from linkage_spark.runs.session import open_session
from linkage_spark.runs.tidying import tidied
from linkage_spark.settings.mapping import ClusterSettings
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.files import Files

MOST_PAIRS_WHOLE = 1_000_000
"""Up to this many possible pairs every pair is compared."""

_PRICE = ("rule_id", "pairs_proposed", "pairs_first", "refined_keys")


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
        opened = open_given(spark, files, task, out=out, written=WRITTEN)
        run = FileRun(task, spark, files, out, run_id, began, reference, wording, secret=os.urandom(32))
        with held_folder(run, settings.lock.stale_after_hours):
            _run(run, opened)
    return 0


def _run(run: FileRun, opened: Opened) -> None:
    """All steps in order."""
    inputs = read_given(run, opened)
    _note_inputs(run, inputs)
    base, share = _base_model(run, inputs)
    find = compare if sendable(inputs, base) else propose
    space, prices = find(run, inputs, base, whole=run.summary["compared_whole"])
    with tidied("the records that tasks hold", space.comparisons.release):
        run.summary["candidates"] = space.candidate_pairs
        run.summary["rules"] = [{name: price[name] for name in _PRICE} for price in prices]
        used = _model_in_use(run, space, base, share)
        scored = _score(run, space, used)
    decided = _decide(run, inputs, scored, used)
    outputs = Outputs(run.files, run.out, run.work)
    clusters = _clusters(run, inputs, space, decided, used, opened.mapping.clusters) if run.within else None
    if opened.truth is not None:
        measure(run, inputs, space, decided, keep_truth(opened.truth, run), clusters)
    _write(run, inputs, decided, clusters, used, outputs)


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


def _model_in_use(run: FileRun, space: PairSpace, base: Model, share: float) -> Used:
    """The shipped model, or one estimated on these files."""
    if not run.task.train:
        return _shipped(run, space, base)
    learnt, figures = train_on(space, base=base, share=share, progress=run.progress)
    told = ("shares", "pooled", "faults", "doubts", "used", "expected_from_other_starts")
    run.summary["training"] = {
        **{name: value for name, value in figures.items() if name not in told},
        **{f"share of class {name}": share for name, share in figures["shares"].items()},
        "expected matches from other starts": ", ".join(f"{n:,.0f}" for n in figures["expected_from_other_starts"]),
        "used": "yes" if figures["used"] else "no",
        "faults": "; ".join(figures["faults"]) or "none",
        "doubts": "; ".join(figures["doubts"]) or "none",
        "levels pooled in": ", ".join(figures["pooled"]) or "none",
    }
    kept = "The estimate is not used, and but for the share of matches everything is as without --train"
    weak = [f"{kept}: {'; '.join(figures['faults'])}."] if figures["faults"] else []
    weak += [f"The probabilities are weak: {doubt}." for doubt in figures["doubts"]]
    run.summary["warnings"] += weak
    for warning in weak:
        run.progress.say(f"  warning: {warning}")
    if learnt is None:
        return _with_prior(run, space, _shipped(run, space, base))
    trained, frequencies = learnt
    return Used(trained.model, frequencies, "counted on these files", trained.model.prior_bits)


def _shipped(run: FileRun, space: PairSpace, base: Model) -> Used:
    """The shipped model, what agrees by chance counted on the files."""
    frequencies = Frequencies.shipped(conf_dir(), MODEL_ID)
    model = weigh_by_chance(run, space, base)
    return Used(model, frequencies, f"shipped with {MODEL_ID}: surnames only", model.prior_bits)


def _with_prior(run: FileRun, space: PairSpace, used: Used) -> Used:
    """The same with the share of matches that fits the files: the shipped one is a guess for any file."""
    frequencies = used.frequencies
    counted = space.comparisons.weights(used.model, frequencies)
    bins = sorted((row["half_bits"] / 2 + 0.25, row["pairs"]) for row in counted.collect())
    prior = found_prior(bins, prior_bits=used.model.prior_bits, pairs=space.pairs)
    household = used.model.household
    if household is not None:
        # Relatives are as many as before, however many matches there are.
        ratio = household.pairs_per_match * 2.0 ** (used.model.prior_bits - prior)
        household = household.model_copy(update={"pairs_per_match": ratio})
    model = used.model.model_copy(update={"prior_bits": prior, "household": household})
    return Used(model, frequencies, used.named, prior)


def _score(run: FileRun, space: PairSpace, used: Used) -> DataFrame:
    """Scored pairs into the work folder."""
    with run.progress.stage("score pairs") as stage:
        scored = explain_file_pairs(space.comparisons.scored(used.model, used.frequencies), model=used.model)
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


def _clusters(
    run: FileRun, inputs: Inputs, space: PairSpace, decided: DataFrame, used: Used, settings: ClusterSettings
) -> Guarded:
    """Clusters of the one file, and what the guard made of them."""
    persons = inputs.files[0].persons
    return guard(run, persons, decided, cluster(run, persons, space.candidates, decided), used, settings)


# ---- writing -----------------------------------------------------------------------------------------------


def _write(
    run: FileRun, inputs: Inputs, decided: DataFrame, clusters: Guarded | None, used: Used, outputs: Outputs
) -> None:
    """Every file, then all into their place, then the summary for the console."""
    with run.progress.stage("write"):
        evidence = [name for name in decided.columns if name.startswith(("level_", "weight_"))]
        outputs.csv("pairs.csv", decided.select(*PAIR_COLUMNS), ("ref_l", "ref_r"))
        outputs.csv("evidence.csv", decided.select("ref_l", "ref_r", *evidence), ("ref_l", "ref_r"))
        if clusters is not None:
            outputs.csv("members.csv", clusters.after.members(run.spark), ("cluster_id", "ref"))
            outputs.csv("cuts.csv", clusters.cut_pairs(run.spark), ("ref_l", "ref_r"))
        outputs.csv("refused.csv", _of_all(inputs, "refused"), ("side", "row", "ref", "reason"))
        outputs.csv("issues.csv", _of_all(inputs, "issue_rows"), ("side", "ref", "attribute"))
        outputs.json("model.json", used.model.model_dump(mode="json"))
    former, replaced = _former(run)
    summary = summarise(run, inputs, used, replaced=replaced)
    outputs.json("metrics.json", summary)
    outputs.text("report.html", render_person_files(summary))
    outputs.publish((*former, *LEFT_BY_OTHERS))
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
