"""Which of the other pairs were sampled hardly moves a trained result: the example of docs/person-files.md, three draws."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.accuracy.seeded import figures, run_with_seeds
from bench.accuracy.seeds import LIMIT, spread
from linkage_spark.runs.file_task import Task

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "person-files"


@pytest.mark.slow
def test_other_seeds_of_the_sample_move_f1_by_less_than_the_limit(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKAGE_CONF", str(ROOT / "conf"))
    monkeypatch.setenv("LINKAGE_ENV", "local")
    task = Task(
        kind="dedupe",
        paths={"file": str(EXAMPLES / "register.csv")},
        mapping=str(EXAMPLES / "register.toml"),
        out=str(tmp_path),
        train=True,
        truth=str(EXAMPLES / "register_truth.csv"),
    )
    found = run_with_seeds(spark, task, (0, 1, 2), sampled=True)
    kept = {str(seed): figures(metrics) for seed, metrics in found.items()}
    assert all(not run["compared_whole"] and run["sampled_pairs"] > 500 for run in kept.values())
    # Other pairs were drawn, and the estimates are not the same.
    assert len({metrics["training"]["log_likelihood"] for metrics in found.values()}) == 3
    assert spread(kept, "f1") < LIMIT
    assert spread(kept, "cluster_f1") < LIMIT
