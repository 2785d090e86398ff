"""One run of ``link`` or ``dedupe``: what was asked for, and what its steps share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import UsageError
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.reference.standard import Reference
from linkage_spark.runs.file_inputs import Kind
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.wording import Wording
from linkage_spark.store.files import Files

WRITTEN = {
    "pairs.csv": "every scored pair: weight, probability, decision, tier, and why",
    "evidence.csv": "the same pairs: level and weight of every attribute, 1/1000 bit",
    "members.csv": "every record and the cluster that it is in",
    "cuts.csv": "linked pairs that the guard parted: weight, why, and the two records behind it",
    "refused.csv": "rows that were kept out, and why",
    "issues.csv": "values on record that count as unknown or as less, and why; their records take part",
    "model.json": "the model that was used: probabilities of every level",
    "metrics.json": "the figures of this page",
    "report.html": "this page",
}
"""Files that a run may write, and what stands in each."""

OF_CLUSTERS = frozenset({"members.csv", "cuts.csv"})
"""Those that only ``dedupe`` writes."""

LEFT_BY_OTHERS = ("clerical.json",)
"""What other jobs wrote of an earlier run's results: it goes with them."""


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


def check_task(task: Task) -> Task:
    """The task, when its arguments fit together.

    Raises:
        UsageError: they do not.
    """
    if task.one_to_one and task.kind != "link":
        raise UsageError("--one-to-one goes with link only")
    return task


@dataclass
class FileRun:
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
class Used:
    """The model in use and where its numbers come from."""

    model: Model
    frequencies: Frequencies
    named: str
    prior_bits: float


def one_row(frame: DataFrame) -> dict[str, Any]:
    """The only row of a frame of counts."""
    return frame.collect()[0].asDict()
