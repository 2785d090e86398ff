"""The job link or dedupe, trained, once per seed of the sample of other pairs, in one session.

No user can ask for a seed: the sample is drawn by a fixed hash. Another seed is put in its place from outside, to
learn how much of a result hangs on which pairs were drawn. Started by bench.accuracy.seeds, and by a test.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pyspark.sql import SparkSession

from linkage_spark.runs import file_pairs, person_files
from linkage_spark.runs.file_task import Task

ALWAYS_SAMPLED = 0
"""With this limit no file is compared whole, so that even a small one needs the sample."""


@contextlib.contextmanager
def seeded(spark: SparkSession, seed: int, *, sampled: bool) -> Iterator[None]:
    """Inside, runs of person files draw with this seed, in this session, which stays open.

    Args:
        spark: the session.
        seed: of ``sample_other_pairs``; 0 is the one that users get.
        sampled: sample files too that would otherwise be compared whole.
    """
    limit = ALWAYS_SAMPLED if sampled else person_files.MOST_PAIRS_WHOLE
    with (
        patch.object(file_pairs, "SAMPLE_SEED", seed),
        patch.object(person_files, "open_session", lambda name: contextlib.nullcontext(spark)),
        patch.object(person_files, "MOST_PAIRS_WHOLE", limit),
    ):
        yield


def run_with_seeds(
    spark: SparkSession, task: Task, seeds: Sequence[int], *, sampled: bool
) -> dict[int, Mapping[str, Any]]:
    """Run one task per seed, each into a folder of its own below ``task.out``; metrics.json by seed."""
    found: dict[int, Mapping[str, Any]] = {}
    for seed in seeds:
        out = Path(task.out) / f"seed_{seed}"
        with seeded(spark, seed, sampled=sampled):
            person_files.run_person_files(replace(task, out=str(out)))
        found[seed] = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return found


def figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of one run."""
    truth = metrics["truth"]
    kept = {
        "compared_whole": metrics["compared_whole"],
        "sampled_pairs": metrics["training"]["sampled_pairs"],
        "linked": truth["default"]["linked"],
        "true_linked": truth["default"]["true_linked"],
        "f1": truth["default"]["f1"]["value"],
        "expected_matches": metrics["scored"]["expected_matches"],
    }
    if "cluster_truth" in metrics:
        kept["cluster_f1"] = metrics["cluster_truth"]["pairwise_f1"]["value"]
    return kept


def main() -> None:
    """Read the task from a JSON file, run it, write the figures by seed."""
    parser = argparse.ArgumentParser(prog="seeded", description=__doc__)
    parser.add_argument("task", type=Path, help="JSON: the fields of Task, seeds, sampled, result")
    asked = json.loads(parser.parse_args().task.read_text(encoding="utf-8"))
    task = Task(**asked["task"])
    spark = SparkSession.builder.appName(name="bench-seeds").getOrCreate()
    try:
        found = run_with_seeds(spark, task, asked["seeds"], sampled=asked["sampled"])
    finally:
        spark.stop()
    kept = {str(seed): figures(metrics) for seed, metrics in found.items()}
    Path(asked["result"]).write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
