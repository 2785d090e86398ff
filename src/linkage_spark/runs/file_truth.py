"""What a truth says of a ``link`` or ``dedupe`` run: read before anything is compared, used after every decision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import SourceError
from linkage_spark.evaluation.cluster_figures import ClusterFigures, cluster_figures, count_cells
from linkage_spark.evaluation.pair_counts import (
    TRUTH_COLUMNS,
    clean_truth,
    count_by_threshold,
    count_outside_truth,
    count_true_candidates,
    count_truth,
    count_truth_faults,
    count_unread_refs,
    mark_pairs,
    truth_faults,
    truth_warnings,
)
from linkage_spark.evaluation.pair_figures import pair_figures
from linkage_spark.runs.file_clusters import CLUSTER_CUTS
from linkage_spark.runs.file_guard import Guarded
from linkage_spark.runs.file_inputs import Inputs, Kind, reading_faults
from linkage_spark.runs.file_task import FileRun, one_row
from linkage_spark.runs.file_training import PairSpace
from linkage_spark.store.person_files import read_person_file

_CUT_FIGURES = (
    "pairwise_precision",
    "pairwise_recall",
    "pairwise_f1",
    "b_cubed_precision",
    "b_cubed_recall",
    "b_cubed_f1",
)
_SHOWN = 12


def read_truth(spark: SparkSession, path: str | None, kind: Kind) -> DataFrame | None:
    """The truth, checked; None when none was given.

    Raises:
        SourceError: columns are missing, or it contradicts itself.
    """
    if path is None:
        return None
    truth, name = read_person_file(spark, path), PurePosixPath(path).name
    needed = TRUTH_COLUMNS[kind]
    missing = [column for column in needed if column not in truth.columns]
    if missing:
        there = ", ".join(truth.columns[:_SHOWN]) + (", …" if len(truth.columns) > _SHOWN else "")
        raise SourceError(
            f"truth {name}: column {', '.join(missing)} is missing; for {kind} the header is {','.join(needed)}, "
            f"and there are {there}"
        )
    with reading_faults({"truth": path}):
        faults = truth_faults(one_row(count_truth_faults(truth, kind)), f"truth {name}")
    if faults:
        raise SourceError(faults)
    return truth


def keep_truth(truth: DataFrame, run: FileRun) -> DataFrame:
    """The truth's rows that say something, read once and kept in the work folder."""
    path, clean = f"{run.work}/truth", clean_truth(truth, run.task.kind)
    clean.write.mode("overwrite").parquet(path)
    return run.spark.read.schema(clean.schema).parquet(path)


def measure(
    run: FileRun, inputs: Inputs, space: PairSpace, decided: DataFrame, truth: DataFrame, clusters: Guarded | None
) -> None:
    """Figures against the truth, into the summary."""
    kind = run.task.kind
    with run.progress.stage("measure") as stage:
        refs = space.candidates.select(F.col("person_ref_l").alias("ref_l"), F.col("person_ref_r").alias("ref_r"))
        candidates = one_row(count_true_candidates(refs, truth, kind))
        rows = [row.asDict() for row in count_by_threshold(mark_pairs(decided, truth, kind)).collect()]
        counted = _count(inputs, decided, truth, kind)
        run.summary["truth"] = pair_figures(
            rows,
            true_pairs=counted["true_pairs"],
            true_pairs_read=counted["true_pairs_read"],
            true_candidates=candidates["true_candidates"],
        )
        run.summary["warnings"].extend(truth_warnings(counted, f"truth {PurePosixPath(run.task.truth or '').name}"))
        stage.counts["true pairs"] = counted["true_pairs"]
        if clusters is not None:
            _measure_clusters(run, truth, clusters)


def _count(inputs: Inputs, decided: DataFrame, truth: DataFrame, kind: Kind) -> dict[str, Any]:
    """How many pairs are true, and what the truth and the files do not know of each other."""
    sides = [file.persons.select(F.col("person_ref").alias("ref")) for file in inputs.files]
    counted = one_row(count_truth(truth, kind, left=sides[0], right=sides[1] if len(sides) > 1 else None))
    linked = decided.where("linked")
    counted["unread"] = {
        file.side: one_row(count_unread_refs(truth, column, records=persons, refused=file.refused.select("ref")))
        for file, persons, column in zip(inputs.files, sides, TRUTH_COLUMNS[kind], strict=False)
    }
    return counted | one_row(count_outside_truth(linked, truth, kind))


def _measure_clusters(run: FileRun, truth: DataFrame, clusters: Guarded) -> None:
    """Clusters against the entities, before the guard and after it, and beside them the components of pairs at every cut."""

    def figures_of(members: DataFrame) -> ClusterFigures:
        return cluster_figures(row.asDict() for row in count_cells(members, truth).collect())

    after = figures_of(clusters.after.members(run.spark))
    run.summary["cluster_truth"] = after
    run.summary["cluster_truth_before_guard"] = (
        figures_of(clusters.before.members(run.spark)) if clusters.cuts else after
    )
    measured: dict[float, Mapping[str, Any]] = {
        cut: figures_of(clusters.before.joined(run.spark, cut)) for cut in CLUSTER_CUTS
    }
    run.summary["component_truth_by_cut"] = [
        {"at_least": cut, **{name: figures[name] for name in _CUT_FIGURES}} for cut, figures in measured.items()
    ]
