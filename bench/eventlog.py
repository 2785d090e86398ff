"""Spark's event log -> bytes read, bytes shuffled and processor time, as a whole and per stage of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass
class TaskTotals:
    """Sums over tasks.

    Attributes:
        tasks: tasks that ended.
        input_bytes: read from files.
        output_bytes: written to files.
        shuffle_bytes: written to shuffles.
        spilled_bytes: spilled to disk.
        task_seconds: wall time of tasks, added up.
        jvm_cpu_seconds: processor time of the JVM's task threads; Python's is not in it.
        gc_seconds: time tasks saw spent on garbage collection.
    """

    tasks: int = 0
    input_bytes: int = 0
    output_bytes: int = 0
    shuffle_bytes: int = 0
    spilled_bytes: int = 0
    task_seconds: float = 0.0
    jvm_cpu_seconds: float = 0.0
    gc_seconds: float = 0.0

    def add(self, metrics: dict[str, Any]) -> None:
        """Add one task's metrics."""
        self.tasks += 1
        self.input_bytes += metrics["Input Metrics"]["Bytes Read"]
        self.output_bytes += metrics["Output Metrics"]["Bytes Written"]
        self.shuffle_bytes += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
        self.spilled_bytes += metrics["Disk Bytes Spilled"]
        self.task_seconds += metrics["Executor Run Time"] / 1e3
        self.jvm_cpu_seconds += metrics["Executor CPU Time"] / 1e9
        self.gc_seconds += metrics["JVM GC Time"] / 1e3


@dataclass(frozen=True)
class Window:
    """A named span of wall clock time.

    Attributes:
        name: stage of the run.
        began: seconds since 1970.
        ended: likewise.
    """

    name: str
    began: float
    ended: float


def read_totals(folder: Path, windows: Sequence[Window]) -> dict[str, dict[str, Any]]:
    """Totals of all tasks (``all``) and of those that ended inside each window.

    Args:
        folder: holds the event log of one application, in one file or rolled.
        windows: stages of the run; they do not overlap.
    """
    totals = {"all": TaskTotals(), **{window.name: TaskTotals() for window in windows}}
    for event in _events(folder):
        if event.get("Event") != "SparkListenerTaskEnd" or not event.get("Task Metrics"):
            continue
        ended = event["Task Info"]["Finish Time"] / 1e3
        totals["all"].add(event["Task Metrics"])
        for window in windows:
            if window.began <= ended <= window.ended:
                totals[window.name].add(event["Task Metrics"])
                break
    return {name: _rounded(asdict(total)) for name, total in totals.items()}


def _events(folder: Path) -> Iterable[dict[str, Any]]:
    """Every event, in no certain order."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith('{"Event":"SparkListenerTaskEnd"'):
                    yield json.loads(line)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Seconds to a tenth."""
    return {name: round(value, 1) if isinstance(value, float) else value for name, value in values.items()}
