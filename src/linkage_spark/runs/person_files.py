"""Linking two person files, or finding repeated persons in one: the same engine as the force's jobs, on any CSV or Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DoubleType, StringType, StructField, StructType

from linkage_spark.errors import SourceError, UsageError
from linkage_spark.evaluation.cluster_figures import cluster_figures, cluster_sizes, count_cells, count_cluster_sizes
from linkage_spark.evaluation.pair_counts import (
    TRUTH_COLUMNS,
    count_by_threshold,
    count_true_candidates,
    count_truth,
    count_truth_faults,
    mark_pairs,
    truth_faults,
    truth_warnings,
)
from linkage_spark.evaluation.pair_figures import pair_figures, scored_figures
from linkage_spark.flows.person_files import propose_file_pairs, score_file_pairs
from linkage_spark.linkage.assignment import LINK_AT, assign_one_to_one
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import MOST_RULES, load_person_file_model
from linkage_spark.model.schema import Model
from linkage_spark.nominals.components import components
from linkage_spark.reference.standard import Reference, load_reference
from linkage_spark.report.person_files import render_person_files
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.file_inputs import Inputs, Kind, read_inputs, read_mapping, reading_faults
from linkage_spark.runs.file_outputs import PAIR_COLUMNS, Outputs
from linkage_spark.runs.file_training import PairSpace, train_on
from linkage_spark.runs.lock import hold_lock
from linkage_spark.runs.manifest import code_version, new_run_id
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import Wording, load_wording
from linkage_spark.store.files import Files
from linkage_spark.store.person_files import read_person_file

MODEL_ID = "person_files_v1"

MOST_PAIRS_WHOLE = 1_000_000
"""Up to this many possible pairs every pair is compared."""

MOST_KEYS_SENT = 400_000
"""Up to this many keys of the left file are sent to every task; above it Spark chooses how to join."""

CLUSTER_CUTS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Probabilities at which clusters are measured against a truth."""

WRITTEN = {
    "pairs.csv": "every scored pair: weight, probability, decision, tier, and why",
    "evidence.csv": "the same pairs: level and weight of every attribute, 1/1000 bit",
    "members.csv": "every record and the cluster that it is in",
    "refused.csv": "rows that were kept out, and why",
    "model.json": "the model that was used: probabilities of every level",
    "metrics.json": "the figures of this page",
    "report.html": "this page",
}
"""Files that a run may write, and what stands in each."""


@dataclass(frozen=True)
class Task:
    """What was asked for.

    Attributes:
        kind: 'link' or 'dedupe'.
        paths: 'left' and 'right', or 'file', with their paths.
        mapping: path of the mapping.
        out: folder to write to.
        train: estimate the model on these files.
        one_to_one: a record has at most one partner; link only.
        truth: path of the known pairs or entities; None when there are none.
    """

    kind: Kind
    paths: Mapping[str, str]
    mapping: str
    out: str
    train: bool = False
    one_to_one: bool = False
    truth: str | None = None


@dataclass
class _Run:
    """What the steps of one run share."""

    task: Task
    spark: SparkSession
    files: Files
    out: str
    run_id: str
    began: datetime
    reference: Reference
    wording: Wording
    secret: bytes
    progress: Progress = field(default_factory=Progress)
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> str:
        """The run's own folder; removed at its end, whatever the end."""
        return f"{self.out}/.work"

    @property
    def within(self) -> bool:
        """One file against itself."""
        return self.task.kind == "dedupe"


@dataclass(frozen=True)
class _Used:
    """The model in use and where its numbers come from."""

    model: Model
    frequencies: Frequencies
    named: str
    prior_bits: float


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
        run = _Run(task, spark, files, out, run_id, began, reference, wording, secret=os.urandom(32))
        hours = settings.lock.stale_after_hours
        with (
            hold_lock(files, out, run_id=run_id, now=began, stale_after_hours=hours, say=run.progress.say),
            _work_folder(run),
        ):
            _run(run)
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


@contextmanager
def _work_folder(run: _Run) -> Iterator[None]:
    """The work folder: made anew, and removed at the end, whatever the end."""
    run.files.delete(run.work)
    run.files.mkdirs(run.work, mode="700")
    try:
        yield
    finally:
        run.files.delete(run.work)


def _run(run: _Run) -> None:
    """All steps in order."""
    mapping = read_mapping(run.files, run.task.mapping)
    truth = _read_truth(run)
    inputs = read_inputs(
        run.spark,
        run.task.paths,
        mapping=mapping,
        reference=run.reference,
        work=run.work,
        as_of=run.began.date(),
        progress=run.progress,
    )
    _note_inputs(run, inputs)
    base, share = _base_model(run, inputs)
    space = _propose(run, inputs, base)
    used = _model_in_use(run, space, base, share)
    scored = _score(run, space, used)
    decided = _decide(run, inputs, scored, used)
    outputs = Outputs(run.files, run.out, run.work)
    members = _clusters(run, inputs, decided) if run.within else None
    if truth is not None:
        _measure(run, inputs, space, decided, truth, members)
    _write(run, inputs, decided, members, used, outputs)


# ---- before any pair ---------------------------------------------------------------------------------------


def _read_truth(run: _Run) -> DataFrame | None:
    """The truth, checked; None when none was given.

    Raises:
        SourceError: columns are missing, or it contradicts itself.
    """
    path = run.task.truth
    if path is None:
        return None
    truth, name = read_person_file(run.spark, path), PurePosixPath(path).name
    needed = TRUTH_COLUMNS[run.task.kind]
    missing = [column for column in needed if column not in truth.columns]
    if missing:
        wanted = ",".join(needed)
        raise SourceError(f"truth {name}: column {', '.join(missing)} is missing; for {run.task.kind} write {wanted}")
    with reading_faults({"truth": path}):
        faults = truth_faults(_one(count_truth_faults(truth, run.task.kind)), f"truth {name}")
    if faults:
        raise SourceError(faults)
    return truth


def _note_inputs(run: _Run, inputs: Inputs) -> None:
    """What was read, for the summary."""
    run.summary["files"] = [
        {
            "side": file.side,
            "name": file.name,
            "rows_in": file.rows_in,
            "records": file.records,
            "refused": dict(file.refusals),
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


def _base_model(run: _Run, inputs: Inputs) -> tuple[Model, float]:
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


def _propose(run: _Run, inputs: Inputs, base: Model) -> PairSpace:
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


def _model_in_use(run: _Run, space: PairSpace, base: Model, share: float) -> _Used:
    """The shipped model, or one estimated on these files."""
    if not run.task.train:
        frequencies = Frequencies.shipped(conf_dir(), MODEL_ID)
        return _Used(base, frequencies, f"shipped with {MODEL_ID}: surnames only", base.prior_bits)
    names = run.reference.names
    trained, frequencies, figures = train_on(space, base=base, share=share, names=names, progress=run.progress)
    run.summary["training"] = {**{k: v for k, v in figures.items() if k not in ("shares", "pooled")}} | {
        **{f"share of class {name}": share for name, share in figures["shares"].items()},
        "levels pooled in": ", ".join(figures["pooled"]) or "none",
    }
    if not figures["settled"]:
        run.summary["warnings"].append("The estimate had not settled when it was stopped; its probabilities are weak.")
    return _Used(trained.model, frequencies, "counted on these files", trained.model.prior_bits)


def _score(run: _Run, space: PairSpace, used: _Used) -> DataFrame:
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


def _decide(run: _Run, inputs: Inputs, scored: DataFrame, used: _Used) -> DataFrame:
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


def _one_to_one(run: _Run, inputs: Inputs, scored: DataFrame, used: _Used) -> DataFrame:
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


# ---- clusters and truth ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Graph:
    """Refs of all records in order, and the scored pairs as positions in them with their probability."""

    refs: pd.Index
    left: np.ndarray[Any, np.dtype[np.int64]]
    right: np.ndarray[Any, np.dtype[np.int64]]
    probability: np.ndarray[Any, np.dtype[np.float64]]

    def members(self, spark: SparkSession, cut: float) -> DataFrame:
        """Every record with its cluster: components of the pairs at or above a probability, named by the lowest ref."""
        kept = self.probability >= cut
        labels = components(self.left[kept], self.right[kept], len(self.refs))
        frame = pd.DataFrame({"ref": self.refs.to_numpy(), "cluster_id": self.refs.to_numpy()[labels]})
        return spark.createDataFrame(frame, schema="ref string, cluster_id string")


def _clusters(run: _Run, inputs: Inputs, decided: DataFrame) -> _Graph:
    """Connected components of the linked pairs; only pairs that some cut may accept come to the driver."""
    with run.progress.stage("cluster") as stage:
        refs = pd.Index(inputs.files[0].persons.select("person_ref").orderBy("person_ref").toPandas()["person_ref"])
        refs = refs.sort_values()
        accepted = decided.where(F.col("match_probability") >= F.lit(min(CLUSTER_CUTS)))
        pairs = accepted.select("ref_l", "ref_r", "match_probability").toPandas()
        graph = _Graph(
            refs=refs,
            left=refs.get_indexer(pairs["ref_l"]).astype(np.int64),
            right=refs.get_indexer(pairs["ref_r"]).astype(np.int64),
            probability=pairs["match_probability"].to_numpy(dtype=np.float64),
        )
        sizes = count_cluster_sizes(graph.members(run.spark, LINK_AT)).collect()
        run.summary["clusters"] = cluster_sizes(row.asDict() for row in sizes)
        stage.counts["clusters"] = run.summary["clusters"]["clusters"]
    return graph


def _measure(
    run: _Run, inputs: Inputs, space: PairSpace, decided: DataFrame, truth: DataFrame, graph: _Graph | None
) -> None:
    """Figures against the truth."""
    kind = run.task.kind
    with run.progress.stage("measure") as stage:
        sides = [file.persons.select(F.col("person_ref").alias("ref")) for file in inputs.files]
        counted = _one(count_truth(truth, kind, left=sides[0], right=sides[1] if len(sides) > 1 else None))
        refs = space.candidates.select(F.col("person_ref_l").alias("ref_l"), F.col("person_ref_r").alias("ref_r"))
        candidates = _one(count_true_candidates(refs, truth, kind))
        rows = [row.asDict() for row in count_by_threshold(mark_pairs(decided, truth, kind)).collect()]
        run.summary["truth"] = pair_figures(
            rows,
            true_pairs=counted["true_pairs"],
            true_pairs_read=counted["true_pairs_read"],
            true_candidates=candidates["true_candidates"],
        )
        run.summary["warnings"].extend(truth_warnings(counted, f"truth {PurePosixPath(run.task.truth or '').name}"))
        stage.counts["true pairs"] = counted["true_pairs"]
        if graph is not None:
            measured: dict[float, Mapping[str, Any]] = {
                cut: cluster_figures(
                    row.asDict() for row in count_cells(graph.members(run.spark, cut), truth).collect()
                )
                for cut in CLUSTER_CUTS
            }
            run.summary["cluster_truth"] = measured[LINK_AT]
            run.summary["cluster_truth_by_cut"] = [
                {"at_least": cut, **{name: figures[name] for name in _CUT_FIGURES}} for cut, figures in measured.items()
            ]


_CUT_FIGURES = (
    "pairwise_precision",
    "pairwise_recall",
    "pairwise_f1",
    "b_cubed_precision",
    "b_cubed_recall",
    "b_cubed_f1",
)


# ---- writing -----------------------------------------------------------------------------------------------


def _write(run: _Run, inputs: Inputs, decided: DataFrame, graph: _Graph | None, used: _Used, outputs: Outputs) -> None:
    """Every file, then all into their place, then the summary for the console."""
    with run.progress.stage("write"):
        evidence = [name for name in decided.columns if name.startswith(("level_", "weight_"))]
        outputs.csv("pairs.csv", decided.select(*PAIR_COLUMNS), ("ref_l", "ref_r"))
        outputs.csv("evidence.csv", decided.select("ref_l", "ref_r", *evidence), ("ref_l", "ref_r"))
        if graph is not None:
            outputs.csv("members.csv", graph.members(run.spark, LINK_AT), ("cluster_id", "ref"))
        refused = inputs.files[0].refused
        for file in inputs.files[1:]:
            refused = refused.unionByName(file.refused)
        outputs.csv("refused.csv", refused, ("side", "ref", "reason"))
        outputs.json("model.json", used.model.model_dump(mode="json"))
    summary = _summary(run, inputs, used)
    outputs.json("metrics.json", summary)
    outputs.text("report.html", render_person_files(summary))
    outputs.publish(_former(run))
    print(_in_words(summary, run.out), flush=True)


def _former(run: _Run) -> tuple[str, ...]:
    """The files that an earlier run into this folder says it wrote."""
    path = f"{run.out}/metrics.json"
    try:
        return tuple(name for name in json.loads(run.files.read_text(path))["outputs"] if name in WRITTEN)
    except (Py4JJavaError, ValueError, KeyError, TypeError):
        return ()


def _summary(run: _Run, inputs: Inputs, used: _Used) -> dict[str, Any]:
    """The figures in the shape that the page takes."""
    head = {
        "kind": run.task.kind,
        "advisory": run.wording.advisory,
        "run_id": run.run_id,
        "finished_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "model_id": used.model.id,
        "model_fingerprint": used.model.fingerprint,
        "trained": run.task.train,
        "frequencies": used.named,
        "country": inputs.country.country,
        "country_reason": inputs.country.reason,
        "decision": _DECIDED[run.task.one_to_one],
        "one_to_one": run.task.one_to_one,
        "cut_bits": None if run.task.one_to_one else 0.0,
    }
    shown = {name: part for name, part in run.summary.items() if name != "country"}
    return {
        "run": head,
        **shown,
        "model": _levels(used.model),
        "outputs": {name: words for name, words in WRITTEN.items() if name != "members.csv" or run.within},
        "stages": [{"stage": stage.name, "seconds": stage.seconds} for stage in run.progress.stages],
    }


_DECIDED = {
    False: "A pair is linked when its own probability is at least one half.",
    True: "A pair is linked when it has at least one half of the probability against all rivals on both sides.",
}


def _levels(model: Model) -> list[dict[str, Any]]:
    """Every level of the model with its probabilities and weight."""
    tables: dict[str, Mapping[str, Any]] = {
        "given names": model.name.given,
        "surname": model.name.surname,
        "names exchanged": model.name.crossed,
        "date of birth": model.date_of_birth,
        "incomplete date of birth": model.partial_date_of_birth,
        "address": model.address,
        **{name: attribute.levels for name, attribute in model.further.items()},
    }
    return [
        {"attribute": name, "level": level, "m": at.m, "u": at.u, "weight_bits": round(at.weight, 3)}
        for name, levels in tables.items()
        for level, at in levels.items()
    ]


def _in_words(summary: Mapping[str, Any], out: str) -> str:
    """What a person reads at the end."""
    run, scored = summary["run"], summary["scored"]
    lines = ["", f"{run['kind']}: {run['run_id']}"]
    for file in summary["files"]:
        refused = sum(file["refused"].values())
        lines.append(f"  {file['side']:<6} {file['name']}: {file['records']:,} records, {refused:,} rows refused")
    trained = "estimated on these files" if run["trained"] else "shipped, nothing was estimated"
    lines += [
        f"  model  {run['model_id']} ({trained}); frequencies {run['frequencies']}",
        f"  pairs  {summary['possible_pairs']:,} possible, {summary['candidates']:,} compared, "
        f"{scored['pairs']:,} above the floor, {scored['linked']:,} linked",
    ]
    if "clusters" in summary:
        sizes = summary["clusters"]
        lines.append(f"  found  {sizes['clusters']:,} clusters, the largest of {sizes['largest_cluster']:,} records")
    if "truth" in summary:
        lines += _accuracy_lines(summary)
    said = [text for file in summary["files"] for text in file["warnings"]] + summary["warnings"]
    lines += [f"  warning: {text}" for text in said]
    return "\n".join([*lines, f"  written to {out}: {', '.join(summary['outputs'])}", "", run["advisory"]])


def _accuracy_lines(summary: Mapping[str, Any]) -> list[str]:
    """The figures that a reader looks for first."""
    truth = summary["truth"]
    default, best = truth["default"], truth["ceiling"]
    lines = [
        f"  truth  {truth['true_pairs']:,} true pairs; {truth['loss']['lost_by_blocking']:,} lost by blocking; "
        f"linked: precision {_share(default['precision'])}, recall {_share(default['recall'])}, "
        f"F1 {_share(default['f1'])}"
    ]
    if best:
        lines.append(f"         best F1 over all thresholds, chosen with the truth: {best['f1']:.4f}")
    if "cluster_truth" in summary:
        held = summary["cluster_truth"]
        b_cubed = "none" if held["b_cubed_f1"] is None else f"{held['b_cubed_f1']:.4f}"
        lines.append(
            f"         clusters: precision {_share(held['pairwise_precision'])}, recall "
            f"{_share(held['pairwise_recall'])}, F1 {_share(held['pairwise_f1'])}, B-cubed F1 {b_cubed}"
        )
    return lines


def _share(figure: Mapping[str, Any]) -> str:
    """A share of 1 to four figures; 'none' for 0/0."""
    return "none" if figure["value"] is None else f"{figure['value']:.4f}"


def _one(frame: DataFrame) -> dict[str, Any]:
    """The only row of a frame of counts."""
    return frame.collect()[0].asDict()


def check_task(task: Task) -> Task:
    """The task, when its arguments fit together.

    Raises:
        UsageError: they do not.
    """
    if task.one_to_one and task.kind != "link":
        raise UsageError("--one-to-one goes with link only")
    return task
